package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// What is refused, each in a transaction of its own over one row in every table of access.
func TestAccessRefuses(t *testing.T) {
	t.Parallel()
	type do func(ctx context.Context, tx *store.Tx) error
	tests := map[string]struct {
		do   do
		kind blueberry.Kind
		code string
	}{
		"a second user of an address": {func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertUser(ctx, blueberry.User{ID: "usr_9", Email: "usr_1@example.test"})
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"an address that another one has": {func(ctx context.Context, tx *store.Tx) error {
			u, err := tx.User(ctx, "usr_2")
			u.Email = "usr_1@example.test"
			return errors.Join(err, tx.UpdateUser(ctx, u))
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"a user at an old version": {func(ctx context.Context, tx *store.Tx) error {
			u, err := tx.User(ctx, "usr_2")
			u.Version--
			return errors.Join(err, tx.UpdateUser(ctx, u))
		}, blueberry.Conflict, "VERSION_MOVED"},
		"a user that is not there": {func(ctx context.Context, tx *store.Tx) error {
			return tx.UpdateUser(ctx, blueberry.User{ID: "usr_9", Email: "x"})
		}, blueberry.NotFound, "USER_NOT_FOUND"},
		"credentials that are there": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutCredentials(ctx, blueberry.Credentials{UserID: "usr_1"})
		}, blueberry.Conflict, "VERSION_MOVED"},
		"credentials at another version": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutCredentials(ctx, blueberry.Credentials{UserID: "usr_1", Version: 2})
		}, blueberry.Conflict, "VERSION_MOVED"},
		"credentials of nobody": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutCredentials(ctx, blueberry.Credentials{UserID: "usr_9"})
		}, blueberry.NotFound, "USER_NOT_FOUND"},
		"a passkey of another user": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutPasskey(ctx, blueberry.Passkey{ID: "psk_usr_1", UserID: "usr_2", CredentialID: []byte("usr_1")})
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"a passkey under another id": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutPasskey(ctx, blueberry.Passkey{ID: "psk_9", UserID: "usr_1", CredentialID: []byte("usr_1")})
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"another credential under the id of a passkey": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutPasskey(ctx, blueberry.Passkey{ID: "psk_usr_1", UserID: "usr_2", CredentialID: []byte("new")})
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"deleting the passkey of another user": {func(ctx context.Context, tx *store.Tx) error {
			return tx.DeletePasskey(ctx, "usr_2", "psk_usr_1")
		}, blueberry.NotFound, "PASSKEY_NOT_FOUND"},
		"an identity of another user": {func(ctx context.Context, tx *store.Tx) error {
			i := identity("usr_1")
			i.UserID = "usr_2"
			return tx.PutIdentity(ctx, i)
		}, blueberry.Conflict, "IDENTITY_TAKEN"},
		"an identity at no provider": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutIdentity(ctx, blueberry.Identity{Provider: "none", Subject: "x", UserID: "usr_1"})
		}, blueberry.NotFound, "IDENTITY_PROVIDER_NOT_FOUND"},
		"deleting an identity that is not there": {func(ctx context.Context, tx *store.Tx) error {
			return tx.DeleteIdentity(ctx, "usr_1", "dex")
		}, blueberry.NotFound, "IDENTITY_NOT_FOUND"},
		"a link twice": {func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.UseLink(ctx, "lnk_usr_1", start), tx.UseLink(ctx, "lnk_usr_1", start))
		}, blueberry.Conflict, "LINK_USED"},
		"a link that was dropped": {func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.DropLinks(ctx, blueberry.LinkReset, "usr_1", start), tx.UseLink(ctx, "lnk_usr_1", start))
		}, blueberry.Conflict, "LINK_USED"},
		"a link that is not there": {func(ctx context.Context, tx *store.Tx) error { return tx.UseLink(ctx, "lnk_9", start) }, blueberry.NotFound, "LINK_NOT_FOUND"},
		"a provider twice": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutProvider(ctx, blueberry.IdentityProvider{ID: "idp_9", Name: "google"})
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"a provider at another version": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutProvider(ctx, blueberry.IdentityProvider{ID: "idp_1", Name: "google", Version: 2})
		}, blueberry.Conflict, "VERSION_MOVED"},
		"deleting no provider": {func(ctx context.Context, tx *store.Tx) error { return tx.DeleteProvider(ctx, "none") }, blueberry.NotFound, "IDENTITY_PROVIDER_NOT_FOUND"},
		"a group rule twice": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutGroupRule(ctx, blueberry.GroupRule{ID: "grp_9", Provider: "google", Group: "usr_1", Project: blueberry.DefaultProject})
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"a group rule of no provider": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutGroupRule(ctx, blueberry.GroupRule{ID: "grp_9", Provider: "none", Group: "x"})
		}, blueberry.NotFound, "IDENTITY_PROVIDER_NOT_FOUND"},
		"a group rule of no project": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutGroupRule(ctx, blueberry.GroupRule{ID: "grp_9", Provider: "google", Group: "x", Project: "none"})
		}, blueberry.NotFound, "PROJECT_NOT_FOUND"},
		"deleting no group rule": {func(ctx context.Context, tx *store.Tx) error { return tx.DeleteGroupRule(ctx, "grp_9") }, blueberry.NotFound, "GROUP_RULE_NOT_FOUND"},
		"a project twice": {func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertProject(ctx, blueberry.Project{Name: blueberry.DefaultProject})
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"a project at another version": {func(ctx context.Context, tx *store.Tx) error {
			return tx.DescribeProject(ctx, blueberry.Project{Name: blueberry.DefaultProject, Version: 9})
		}, blueberry.Conflict, "VERSION_MOVED"},
		"deleting a project at another version": {func(ctx context.Context, tx *store.Tx) error {
			return tx.DeleteProject(ctx, blueberry.DefaultProject, 9, "ada@example.com", start)
		}, blueberry.Conflict, "VERSION_MOVED"},
		"deleting no project": {func(ctx context.Context, tx *store.Tx) error {
			return tx.DeleteProject(ctx, "none", 1, "ada@example.com", start)
		}, blueberry.NotFound, "PROJECT_NOT_FOUND"},
		"a member of no project": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutMember(ctx, blueberry.Member{Project: "none", UserID: "usr_1"})
		}, blueberry.NotFound, "PROJECT_NOT_FOUND"},
		"nobody as a member": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutMember(ctx, blueberry.Member{Project: blueberry.DefaultProject, UserID: "usr_9"})
		}, blueberry.NotFound, "USER_NOT_FOUND"},
		"deleting no member": {func(ctx context.Context, tx *store.Tx) error {
			return tx.DeleteMember(ctx, blueberry.DefaultProject, "usr_9")
		}, blueberry.NotFound, "MEMBER_NOT_FOUND"},
		"a service account twice": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutServiceAccount(ctx, blueberry.ServiceAccount{ID: "svc_9", Project: blueberry.DefaultProject, Name: "usr_1"})
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"the name of another service account": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutServiceAccount(ctx, blueberry.ServiceAccount{ID: "svc_usr_2", Project: blueberry.DefaultProject, Name: "usr_1", Version: 1})
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"a service account at another version": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutServiceAccount(ctx, blueberry.ServiceAccount{ID: "svc_usr_1", Name: "x", Version: 9})
		}, blueberry.Conflict, "VERSION_MOVED"},
		"deleting no service account": {func(ctx context.Context, tx *store.Tx) error {
			return tx.DeleteServiceAccount(ctx, "svc_9", "ada", start)
		}, blueberry.NotFound, "SERVICE_ACCOUNT_NOT_FOUND"},
		"an API token at another version": {func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertToken(ctx, blueberry.APIToken{ID: "tok_1", Hash: []byte("h")}), tx.UpdateToken(ctx, blueberry.APIToken{ID: "tok_1", Version: 3}))
		}, blueberry.Conflict, "VERSION_MOVED"},
		"no API token": {func(ctx context.Context, tx *store.Tx) error {
			return tx.UpdateToken(ctx, blueberry.APIToken{ID: "tok_9"})
		}, blueberry.NotFound, "API_TOKEN_NOT_FOUND"},
		"an empty hash": {func(ctx context.Context, tx *store.Tx) error { _, err := tx.TokenByHash(ctx, nil); return err }, blueberry.NotFound, "API_TOKEN_NOT_FOUND"},
		"a session twice": {func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertSession(ctx, session("ses_usr_1", "usr_1", start))
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"nobody's session": {func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertSession(ctx, session("ses_9", "usr_9", start))
		}, blueberry.NotFound, "USER_NOT_FOUND"},
		"no session":     {func(ctx context.Context, tx *store.Tx) error { return tx.RevokeSession(ctx, "ses_9", "ada", start) }, blueberry.NotFound, "SESSION_NOT_FOUND"},
		"no emergency":   {func(ctx context.Context, tx *store.Tx) error { return tx.CloseEmergency(ctx, "emg_9", start) }, blueberry.NotFound, "EMERGENCY_NOT_FOUND"},
		"a client twice": {func(ctx context.Context, tx *store.Tx) error { return tx.PutOAuthClient(ctx, console()) }, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"a client at another version": {func(ctx context.Context, tx *store.Tx) error {
			return tx.PutOAuthClient(ctx, blueberry.OAuthClient{ID: "cli_1", Version: 9})
		}, blueberry.Conflict, "VERSION_MOVED"},
		"deleting no client": {func(ctx context.Context, tx *store.Tx) error { return tx.DeleteOAuthClient(ctx, "cli_9") }, blueberry.NotFound, "OAUTH_CLIENT_NOT_FOUND"},
		"a token of no client": {func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertOAuthToken(ctx, blueberry.OAuthToken{ID: "tok_9", Hash: []byte("9"), ClientID: "cli_9"})
		}, blueberry.NotFound, "OAUTH_CLIENT_NOT_FOUND"},
		"an OAuth token twice": {func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertOAuthToken(ctx, oauthToken("tok_of_usr_1", "gnt_1"))
		}, blueberry.Conflict, "DUPLICATE_RESOURCE"},
		"an OAuth token of another kind": {func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.OAuthTokenByHash(ctx, blueberry.OAuthAccess, []byte("tok_of_usr_1"))
			return err
		}, blueberry.NotFound, "OAUTH_TOKEN_NOT_FOUND"},
		"deleting no consent": {func(ctx context.Context, tx *store.Tx) error { return tx.DeleteConsent(ctx, "usr_1", "cli_9") }, blueberry.NotFound, "CONSENT_NOT_FOUND"},
		"a user code that waits": {func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertDevice(ctx, device("gnt_9", "usr_1"))
		}, blueberry.Conflict, "USER_CODE_TAKEN"},
		"a device at another version": {func(ctx context.Context, tx *store.Tx) error {
			return tx.UpdateDevice(ctx, blueberry.DeviceAuthorization{ID: "gnt_usr_1", Version: 4})
		}, blueberry.Conflict, "VERSION_MOVED"},
		"no device": {func(ctx context.Context, tx *store.Tx) error {
			return tx.UpdateDevice(ctx, blueberry.DeviceAuthorization{ID: "gnt_9"})
		}, blueberry.NotFound, "DEVICE_NOT_FOUND"},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(fillAccess(ctx, tx, "usr_1"), fillAccess(ctx, tx, "usr_2"))
		})
		before := dump(t, s)
		for reason, test := range tests {
			wantCode(t, reason, tryUpdate(t, s, test.do), test.kind, test.code)
		}
		if d := cmp.Diff(before, dump(t, s)); d != "" {
			t.Errorf("what was refused left:\n%s", d)
		}
	})
}

// What changes a noun counts its version up, and leaves what is not its own alone.
func TestChangesOfAccess(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		later := start.Add(time.Hour)

		u := user("usr_1")
		changed := whole[blueberry.User](100)
		changed.ID, changed.Version = u.ID, u.Version
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateUser(ctx, changed) })
		changed.CreatedAt, changed.LastSeenAt, changed.Version = u.CreatedAt, u.LastSeenAt, u.Version+1
		if d := cmp.Diff(changed, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.User, error) { return tx.User(ctx, u.ID) })); d != "" {
			t.Errorf("the user:\n%s", d)
		}

		key := whole[blueberry.APIToken](1)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertToken(ctx, key) })
		rotated := whole[blueberry.APIToken](100)
		rotated.ID, rotated.Version, rotated.PreviousHash = key.ID, key.Version, nil
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateToken(ctx, rotated) })
		rotated.CreatedAt, rotated.CreatedBy, rotated.LastUsedAt, rotated.Version = key.CreatedAt, key.CreatedBy, key.LastUsedAt, key.Version+1
		if d := cmp.Diff(rotated, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.APIToken, error) { return tx.Token(ctx, key.ID) })); d != "" {
			t.Errorf("the API token:\n%s", d)
		}

		client := whole[blueberry.OAuthClient](100)
		client.ID, client.Version = "cli_1", 1
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutOAuthClient(ctx, client), tx.TouchOAuthClient(ctx, "cli_1", later), tx.TouchOAuthClient(ctx, "cli_1", start))
		})
		client.CreatedAt, client.CreatedBy, client.LastUsedAt, client.Version = time.Time{}, "", later, 2
		if d := cmp.Diff(client, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.OAuthClient, error) {
			return tx.OAuthClient(ctx, "cli_1")
		})); d != "" {
			t.Errorf("the client:\n%s", d)
		}

		asked := device("gnt_1", "code")
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertDevice(ctx, asked) })
		asked.Status, asked.UserID, asked.PolledAt, asked.Interval, asked.Scopes = blueberry.DeviceApproved, "usr_1", later, time.Minute, []string{"a"}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.UpdateDevice(ctx, asked), tx.InsertDevice(ctx, device("gnt_2", "code"))) // which does not wait any more
		})
		asked.Version++
		if d := cmp.Diff(asked, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.DeviceAuthorization, error) {
			return tx.DeviceByCode(ctx, []byte("gnt_1"))
		})); d != "" {
			t.Errorf("the device:\n%s", d)
		}
		if d := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.DeviceAuthorization, error) {
			return tx.DeviceByUserCode(ctx, []byte("code"))
		}); d.ID != "gnt_2" {
			t.Errorf("the newest with the code is %s", d.ID)
		}

		provider := googleProvider()
		provider.Name, provider.Version = "workspace", 1
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutIdentity(ctx, identity("usr_1")), tx.PutProvider(ctx, provider))
		})
		moved := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Identity, error) {
			return tx.IdentitiesOf(ctx, "usr_1")
		})
		if len(moved) != 1 || moved[0].Provider != "workspace" {
			t.Errorf("after the provider has a new name: %+v", moved)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutGroupRule(ctx, blueberry.GroupRule{ID: "grp_1", Provider: "workspace", Group: "x", Role: blueberry.RoleOwner}), tx.DeleteProvider(ctx, "workspace"))
		})
		if n := count(t, s, "identities") + count(t, s, "identity_groups") + count(t, s, "group_rules"); n != 0 {
			t.Errorf("a provider that was deleted leaves %d", n)
		}

		epoch := func(ctx context.Context, tx *store.Tx) (int64, error) { return tx.AccessEpoch(ctx) }
		before := view(t, s, epoch)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.BumpAccessEpoch(ctx) })
		if after := view(t, s, epoch); after != before+1 {
			t.Errorf("the epoch went from %d to %d", before, after)
		}
	})
}

// Sessions, tokens and the rest end when told, once, and are swept when they are of no more use.
func TestAccessEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		at := start.Add(time.Hour)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			old := session("ses_0", "usr_1", start.Add(-blueberry.SessionLife))
			return errors.Join(
				tx.InsertUser(ctx, user("usr_2")),
				tx.InsertSession(ctx, old), tx.InsertSession(ctx, session("ses_1", "usr_1", start)), tx.InsertSession(ctx, session("ses_2", "usr_1", start)),
				tx.InsertSession(ctx, session("ses_3", "usr_2", start)), tx.InsertSession(ctx, session("ses_4", "usr_1", start)),
			)
		})
		live := func(userID, before string, limit int) string {
			list := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Session, error) {
				return tx.SessionsOf(ctx, userID, at, before, limit)
			})
			var ids []string
			for _, x := range list {
				ids = append(ids, x.ID)
			}
			return strings.Join(ids, " ")
		}
		want := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		want("all", live("", "", 0), "ses_4 ses_3 ses_2 ses_1")
		want("a page", live("", "ses_4", 2), "ses_3 ses_2")
		want("of a user", live("usr_1", "", 0), "ses_4 ses_2 ses_1")
		revoke := func(userID, except string) (n int) {
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				n, err = tx.RevokeSessions(ctx, userID, except, "ada", at)
				return err
			})
			return n
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.RevokeSession(ctx, "ses_4", "eve", start), tx.RevokeSession(ctx, "ses_4", "ada", at))
		})
		if x := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Session, error) { return tx.Session(ctx, "ses_4") }); x.RevokedBy != "eve" || !x.RevokedAt.Equal(start) {
			t.Errorf("revoked twice: %+v", x)
		}
		want("without user", fmt.Sprint(revoke("", "")), "0")
		want("but for one", fmt.Sprint(revoke("usr_1", "ses_1")), "1")
		want("that stayed", live("", "", 0), "ses_3 ses_1")
		want("all of a user", fmt.Sprint(revoke("usr_1", "")), "1")

		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			for i, k := range []blueberry.OAuthToken{oauthToken("tok_1", "gnt_1"), oauthToken("tok_2", "gnt_1"), oauthToken("tok_3", "gnt_2"), oauthToken("tok_4", "gnt_3")} {
				if i == 3 {
					k.UserID, k.ExpiresAt = "", start.Add(time.Minute)
				}
				if err := tx.InsertOAuthToken(ctx, k); err != nil {
					return err
				}
			}
			return errors.Join(tx.UseOAuthToken(ctx, []byte("tok_3"), start), tx.UseOAuthToken(ctx, []byte("tok_3"), at), tx.UseOAuthToken(ctx, []byte("tok_3"), start))
		})
		ended := func(f func(ctx context.Context, tx *store.Tx) (int, error)) (n int) {
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) { n, err = f(ctx, tx); return err })
			return n
		}
		if k := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.OAuthToken, error) {
			return tx.OAuthTokenByHash(ctx, blueberry.OAuthRefresh, []byte("tok_3"))
		}); !k.UsedAt.Equal(start) || !k.LastUsedAt.Equal(at) {
			t.Errorf("used: %+v", k)
		}
		for _, want := range []bool{true, false} {
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				did, err := tx.RevokeOAuthToken(ctx, []byte("tok_1"), at)
				if did != want {
					t.Errorf("revoked %t, want %t", did, want)
				}
				return err
			})
		}
		want("the family", fmt.Sprint(ended(func(ctx context.Context, tx *store.Tx) (int, error) { return tx.RevokeFamily(ctx, "gnt_1", at) })), "1")
		want("another client", fmt.Sprint(ended(func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.RevokeOAuthTokens(ctx, "usr_1", "cli_2", at)
		})), "0")
		want("the client", fmt.Sprint(ended(func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.RevokeOAuthTokens(ctx, "", "cli_1", at)
		})), "1") // one has expired

		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.InsertLink(ctx, blueberry.Link{ID: "lnk_1", Hash: []byte("1"), ExpiresAt: start}), tx.InsertLink(ctx, blueberry.Link{ID: "lnk_2", Hash: []byte("2"), ExpiresAt: at}),
				tx.PutAttempts(ctx, blueberry.Attempts{Key: "a", Since: start}), tx.PutAttempts(ctx, blueberry.Attempts{Key: "b", Since: start, LockedUntil: at}),
				tx.InsertDevice(ctx, device("gnt_8", "8")),
			)
		})
		sweep := func(before time.Time) string {
			return fmt.Sprint(ended(func(ctx context.Context, tx *store.Tx) (int, error) { return tx.SweepAccess(ctx, before) }))
		}
		want("swept by the start", sweep(start), "0")                // nothing ended before it
		want("swept by the hour", sweep(at), "5")                    // one session, link, attempts, device, and the token that expired
		want("swept by the end of tokens", sweep(at.Add(1000)), "2") // the other link and attempts; what was revoked stays until it would have expired
		want("swept by the end of all", sweep(start.AddDate(1, 0, 0)), "7")
	})
}
