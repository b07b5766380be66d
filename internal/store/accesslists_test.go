package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// people adds users of every sort, some of them members of the project shop, directly, by a group or both.
func people(t *testing.T, s *store.Store) (all []blueberry.User, members []string) {
	t.Helper()
	populate(t, s)
	statuses := blueberry.UserStatuses()
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		all, members = []blueberry.User{user("usr_1")}, nil
		if err := errors.Join(tx.InsertProject(ctx, blueberry.Project{Name: "shop"}), tx.PutGroupRule(ctx, blueberry.GroupRule{
			ID: "grp_1", Provider: "google", Group: "dev", Project: "shop", Role: blueberry.RoleDeveloper,
		})); err != nil {
			return err
		}
		for i := range 23 {
			u := blueberry.User{
				ID: fmt.Sprintf("usr_%c", 'a'+i), Email: fmt.Sprintf("p-%d@example.test", 97*i%23), Name: []string{"Ada L", "50% off_", "Zoé"}[i%3], Status: statuses[i%3],
				CreatedAt: start.Add(time.Duration(i%4) * time.Minute), LastSeenAt: start.Add(time.Duration(i%5) * time.Hour),
			}
			if i%5 == 0 {
				u.LastSeenAt = time.Time{}
			}
			all = append(all, u)
			if err := tx.InsertUser(ctx, u); err != nil {
				return err
			}
			groups := identity(u.ID)
			groups.Groups = []string{"other"}
			if i%4 == 0 {
				groups.Groups = []string{"dev", "other"}
			}
			err := tx.PutIdentity(ctx, groups)
			if i%6 == 0 {
				err = errors.Join(err, tx.PutMember(ctx, blueberry.Member{Project: "shop", UserID: u.ID, Role: blueberry.RoleAdmin}))
			}
			if err != nil {
				return err
			}
			if i%4 == 0 || i%6 == 0 {
				members = append(members, u.ID)
			}
		}
		return nil
	})
	return all, members
}

func userPages(t *testing.T, s *store.Store, q blueberry.UserQuery) (ids []string) {
	t.Helper()
	for {
		page, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.UserPage, error) { return tx.ListUsers(ctx, q) })
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if q.Limit > 0 && len(page.Items) > q.Limit {
			t.Fatalf("%+v: a page of %d", q, len(page.Items))
		}
		for _, u := range page.Items {
			ids = append(ids, u.ID)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return ids
		}
	}
}

func TestUsersAreWhatSortAndFilterGive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		all, members := people(t, s)
		keys := map[blueberry.UserSort]func(u blueberry.User) string{
			"":                        func(u blueberry.User) string { return u.Email },
			blueberry.UsersByEmail:    func(u blueberry.User) string { return u.Email },
			blueberry.UsersByCreated:  func(u blueberry.User) string { return u.CreatedAt.Format(time.RFC3339Nano) },
			blueberry.UsersByLastSeen: func(u blueberry.User) string { return u.LastSeenAt.Format(time.RFC3339Nano) },
		}
		filters := map[string]struct {
			q    blueberry.UserQuery
			fits func(u blueberry.User) bool
		}{
			"all":     {blueberry.UserQuery{}, func(blueberry.User) bool { return true }},
			"status":  {blueberry.UserQuery{Status: blueberry.UserInactive}, func(u blueberry.User) bool { return u.Status == blueberry.UserInactive }},
			"search":  {blueberry.UserQuery{Search: "ADA"}, func(u blueberry.User) bool { return u.Name == "Ada L" }},
			"escaped": {blueberry.UserQuery{Search: "% OFF_"}, func(u blueberry.User) bool { return u.Name == "50% off_" }},
			"address": {blueberry.UserQuery{Search: "p-1"}, func(u blueberry.User) bool { return strings.HasPrefix(u.Email, "p-1") }},
			"members": {blueberry.UserQuery{Project: "shop"}, func(u blueberry.User) bool { return slices.Contains(members, u.ID) }},
			"nobody":  {blueberry.UserQuery{Project: "none"}, func(blueberry.User) bool { return false }},
		}
		for name, f := range filters {
			for sort, key := range keys {
				for _, desc := range []bool{false, true} {
					var fit []blueberry.User
					for _, u := range all {
						if f.fits(u) {
							fit = append(fit, u)
						}
					}
					slices.SortFunc(fit, func(a, b blueberry.User) int { return strings.Compare(key(a)+" "+a.ID, key(b)+" "+b.ID) })
					if desc {
						slices.Reverse(fit)
					}
					var want []string
					for _, u := range fit {
						want = append(want, u.ID)
					}
					for _, limit := range []int{4, 0} {
						q := f.q
						q.Sort, q.Desc, q.Limit = sort, desc, limit
						if d := cmp.Diff(want, userPages(t, s, q)); d != "" {
							t.Errorf("%s by %q, desc %t, %d at a time:\n%s", name, sort, desc, limit, d)
						}
					}
				}
			}
		}
	})
}

func TestCursorsOfUsersAreBound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		people(t, s)
		list := func(q blueberry.UserQuery) (blueberry.UserPage, error) {
			return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.UserPage, error) { return tx.ListUsers(ctx, q) })
		}
		first, err := list(blueberry.UserQuery{Limit: 2})
		if err != nil || first.Next == "" {
			t.Fatalf("%+v, %v", first, err)
		}
		if _, err := list(blueberry.UserQuery{Limit: 3, Sort: blueberry.UsersByEmail, Cursor: first.Next}); err != nil {
			t.Errorf("the same query by its name, with another limit: %v", err)
		}
		for reason, q := range map[string]blueberry.UserQuery{
			"another search":  {Search: "x", Cursor: first.Next},
			"another status":  {Status: blueberry.UserActive, Cursor: first.Next},
			"another project": {Project: "shop", Cursor: first.Next},
			"another sort":    {Sort: blueberry.UsersByCreated, Cursor: first.Next},
			"the other way":   {Desc: true, Cursor: first.Next},
			"nobody's":        {Cursor: "e30"},
			"unknown sort":    {Sort: "password"},
		} {
			_, err := list(q)
			wantCode(t, reason, err, blueberry.Invalid, "VALIDATION_FAILED")
		}
	})
}

func TestPagesOfTokensAndTheRest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		now := start.Add(time.Hour)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			for _, k := range []blueberry.APIToken{
				{ID: "tok_1", CreatedAt: start}, // the installation's own
				{ID: "tok_2", UserID: "usr_1", CreatedAt: start, ExpiresAt: now.Add(time.Hour)},
				{ID: "tok_3", UserID: "usr_1", CreatedAt: start, ExpiresAt: now},
				{ID: "tok_4", UserID: "usr_1", CreatedAt: start, ExpiresAt: now.Add(2 * time.Hour), LastUsedAt: now},
				{ID: "tok_5", UserID: "usr_1", CreatedAt: start, ExpiresAt: now.Add(time.Hour), RevokedAt: start},
				{ID: "tok_6", ServiceID: "svc_1", CreatedAt: now, ExpiresAt: now.Add(time.Hour)},
			} {
				k.Hash = []byte(k.ID)
				if err := tx.InsertToken(ctx, k); err != nil {
					return err
				}
			}
			for i := range 3 {
				id := fmt.Sprint(i + 1)
				if err := errors.Join(
					tx.PutOAuthClient(ctx, blueberry.OAuthClient{ID: "cli_x" + id}),
					tx.InsertOAuthToken(ctx, oauthToken("oat_"+id, "gnt_"+id)),
					tx.InsertEmergency(ctx, blueberry.Emergency{ID: "emg_" + id, UserID: "usr_1", OpenedAt: start, EndsAt: now.Add(time.Duration(i-1) * time.Minute)}),
				); err != nil {
					return err
				}
			}
			return tx.CloseEmergency(ctx, "emg_3", start)
		})
		ids := func(ids []string, err error) string {
			if err != nil {
				return err.Error()
			}
			return strings.Join(ids, " ")
		}
		tokens := func(list []blueberry.APIToken, err error) string {
			var out []string
			for _, k := range list {
				out = append(out, k.ID)
			}
			return ids(out, err)
		}
		for reason, test := range map[string]struct {
			read func(ctx context.Context, tx *store.Tx) string
			want string
		}{
			"live": {func(ctx context.Context, tx *store.Tx) string {
				return tokens(tx.ListTokens(ctx, blueberry.APITokenQuery{Now: now}))
			}, "tok_6 tok_4 tok_2 tok_1"},
			"all": {func(ctx context.Context, tx *store.Tx) string {
				return tokens(tx.ListTokens(ctx, blueberry.APITokenQuery{Now: now, Ended: true}))
			}, "tok_6 tok_5 tok_4 tok_3 tok_2 tok_1"},
			"of a user": {func(ctx context.Context, tx *store.Tx) string {
				return tokens(tx.ListTokens(ctx, blueberry.APITokenQuery{Now: now, UserID: "usr_1"}))
			}, "tok_4 tok_2"},
			"of a service account": {func(ctx context.Context, tx *store.Tx) string {
				return tokens(tx.ListTokens(ctx, blueberry.APITokenQuery{Now: now, ServiceID: "svc_1"}))
			}, "tok_6"},
			"a page": {func(ctx context.Context, tx *store.Tx) string {
				return tokens(tx.ListTokens(ctx, blueberry.APITokenQuery{Now: now, Before: "tok_6", Limit: 2}))
			}, "tok_4 tok_2"},
			"unused": {func(ctx context.Context, tx *store.Tx) string {
				return tokens(tx.ListTokens(ctx, blueberry.APITokenQuery{Now: now, Unused: now}))
			}, "tok_2 tok_1"},
			"expiring": {func(ctx context.Context, tx *store.Tx) string {
				return tokens(tx.ExpiringTokens(ctx, now.Add(90*time.Minute), "", 0))
			}, "tok_2 tok_3 tok_6"},
			"expiring, after one": {func(ctx context.Context, tx *store.Tx) string {
				return tokens(tx.ExpiringTokens(ctx, now.Add(90*time.Minute), "tok_2", 1))
			}, "tok_3"},
			"clients": {func(ctx context.Context, tx *store.Tx) string {
				list, err := tx.OAuthClients(ctx, "cli_1", 2)
				var out []string
				for _, c := range list {
					out = append(out, c.ID)
				}
				return ids(out, err)
			}, "cli_x1 cli_x2"},
			"OAuth tokens": {func(ctx context.Context, tx *store.Tx) string {
				list, err := tx.ListOAuthTokens(ctx, blueberry.OAuthTokenQuery{UserID: "usr_1", ClientID: "cli_1", Before: "oat_3", Limit: 5})
				var out []string
				for _, k := range list {
					out = append(out, k.ID)
				}
				return ids(out, err)
			}, "oat_2 oat_1"},
			"OAuth tokens of a family": {func(ctx context.Context, tx *store.Tx) string {
				list, err := tx.ListOAuthTokens(ctx, blueberry.OAuthTokenQuery{Family: "gnt_2"})
				return ids([]string{fmt.Sprint(len(list))}, err)
			}, "1"},
			"emergencies": {func(ctx context.Context, tx *store.Tx) string {
				list, err := tx.Emergencies(ctx, "emg_3", 1)
				return ids([]string{list[0].ID, fmt.Sprint(len(list))}, err)
			}, "emg_2 1"},
			"the open emergency": {func(ctx context.Context, tx *store.Tx) string {
				e, err := tx.OpenEmergency(ctx, "usr_1", now.Add(-time.Second))
				return ids([]string{e.ID}, err)
			}, "emg_2"},
			"no open emergency": {func(ctx context.Context, tx *store.Tx) string {
				_, err := tx.OpenEmergency(ctx, "usr_1", now)
				return fmt.Sprint(errors.Is(err, blueberry.NotFound))
			}, "true"},
		} {
			got := view(t, s, func(ctx context.Context, tx *store.Tx) (string, error) { return test.read(ctx, tx), nil })
			if got != test.want {
				t.Errorf("%s: %q, want %q", reason, got, test.want)
			}
		}
	})
}

// An authentication asks for a token by its hash, or by the hash before a rotation: neither may read the table.
func TestATokenIsFoundByIndex(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	rows, err := s.ReadDB().QueryContext(t.Context(), `EXPLAIN QUERY PLAN SELECT id FROM api_tokens WHERE (hash = x'00' OR previous_hash = x'00')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan += detail + "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plan, "SCAN") || !strings.Contains(plan, "api_tokens_previous") {
		t.Errorf("it is looked for by:\n%s", plan)
	}
}

// What pages are cut by is sorted by bytes, whatever language PostgreSQL's database was made with.
func TestAccessSortsByBytes(t *testing.T) {
	t.Parallel()
	s := storetest.Postgres(t)
	for _, column := range []string{
		"users.id", "users.email", "sessions.id", "emergencies.id", "api_tokens.id", "oauth_clients.id", "oauth_tokens.id", "device_authorizations.id",
	} {
		table, name, _ := strings.Cut(column, ".")
		var collation string
		err := s.ReadDB().QueryRowContext(t.Context(), `SELECT collation_name FROM information_schema.columns WHERE table_name = $1 AND column_name = $2`, table, name).Scan(&collation)
		if err != nil || collation != "C" {
			t.Errorf("%s is sorted by %q, %v", column, collation, err)
		}
	}
}

// Browsers, providers and people send what they like.
func TestTextsOfAccessThatNoDatabaseTakes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const bad = "a\x00b\xff'\\"
		populate(t, s)
		u := blueberry.User{ID: "usr_2", Email: bad, Name: bad, Invitation: blueberry.Invitation{Error: bad}}
		signedIn := session("ses_1", "usr_1", start)
		signedIn.Address, signedIn.UserAgent, signedIn.Method = bad, bad, bad
		waits := device("gnt_1", "code")
		waits.Address, waits.UserAgent, waits.Scopes = bad, bad, []string{bad}
		groups := identity("usr_1")
		groups.Subject, groups.Email, groups.Groups = bad, bad, []string{bad, "a\uFFFDb\uFFFD'\\"}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.RevokeSessions(ctx, bad, bad, bad, start)
			return errors.Join(err, tx.InsertUser(ctx, u), tx.InsertSession(ctx, signedIn), tx.InsertDevice(ctx, waits), tx.PutIdentity(ctx, groups),
				tx.PutAttempts(ctx, blueberry.Attempts{Key: bad, Failures: 1}),
				tx.PutPasskey(ctx, blueberry.Passkey{ID: "psk_1", UserID: "usr_1", Name: bad, CredentialID: []byte(bad)}),
				tx.InsertToken(ctx, blueberry.APIToken{ID: "tok_1", Name: bad, CreatedBy: bad, Hash: []byte(bad)}),
				tx.PutServiceAccount(ctx, blueberry.ServiceAccount{ID: "svc_1", Project: blueberry.DefaultProject, Name: "bot", Description: bad, CreatedBy: bad}),
				tx.PutOAuthClient(ctx, blueberry.OAuthClient{ID: "cli_2", Name: bad, RedirectURIs: []string{bad}}),
				tx.InsertEmergency(ctx, blueberry.Emergency{ID: "emg_1", UserID: "usr_1", Reason: bad}),
			)
		})
		if a := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Attempts, error) { return tx.Attempts(ctx, bad) }); a.Failures != 1 {
			t.Errorf("attempts of a key that is no text: %+v", a)
		}
		if page := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.UserPage, error) {
			return tx.ListUsers(ctx, blueberry.UserQuery{Search: bad, Project: "", Status: ""})
		}); len(page.Items) != 1 {
			t.Errorf("found %+v", page.Items)
		}
		for name, read := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"user":            func(ctx context.Context, tx *store.Tx) error { _, err := tx.User(ctx, bad); return err },
			"identity":        func(ctx context.Context, tx *store.Tx) error { _, err := tx.Identity(ctx, bad, "x"); return err },
			"provider":        func(ctx context.Context, tx *store.Tx) error { _, err := tx.Provider(ctx, bad); return err },
			"service account": func(ctx context.Context, tx *store.Tx) error { _, err := tx.ServiceAccount(ctx, bad); return err },
			"token":           func(ctx context.Context, tx *store.Tx) error { _, err := tx.Token(ctx, bad); return err },
			"session":         func(ctx context.Context, tx *store.Tx) error { _, err := tx.Session(ctx, bad); return err },
			"client":          func(ctx context.Context, tx *store.Tx) error { _, err := tx.OAuthClient(ctx, bad); return err },
			"consent":         func(ctx context.Context, tx *store.Tx) error { _, err := tx.Consent(ctx, bad, bad); return err },
			"emergency":       func(ctx context.Context, tx *store.Tx) error { _, err := tx.Emergency(ctx, bad); return err },
			"passkey":         func(ctx context.Context, tx *store.Tx) error { return tx.DeletePasskey(ctx, bad, bad) },
			"link":            func(ctx context.Context, tx *store.Tx) error { return tx.UseLink(ctx, bad, start) },
			"OAuth token": func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.OAuthTokenByHash(ctx, bad, []byte(bad))
				return err
			},
		} {
			wantError(t, name, tryUpdate(t, s, read), blueberry.NotFound)
		}
	})
}
