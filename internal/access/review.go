package access

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ReviewQuery says what to look at.
type ReviewQuery struct {
	UnusedDays int    // after how many days without use something counts as unused; 0 means 90
	Project    string // only who has something there; empty for all
}

// Review is who has what, by which way, and what of it nobody uses.
type Review struct {
	At         time.Time
	UnusedDays int
	Users      []UserReview    // by address
	Services   []ServiceReview // by project and name
	Tokens     []TokenReview   // newest first; without those that have ended
	Clients    []ClientReview  // OAuth clients that act for themselves, by id; without those that are disabled
	Truncated  bool            // there are more than 10000 of something, and the rest is left out: ask for one project
}

// UserReview is what one user has.
type UserReview struct {
	User   blueberry.User
	Roles  []Holding // by project
	Unused bool      // they were not here lately, nor made or changed
}

// Holding is a role with the way by which it is held.
type Holding struct {
	Project string // empty for the installation
	Role    blueberry.Role
	By      string // "owner", "member", or "group:" with provider and group
}

// ServiceReview is a service account with the last use of any of its tokens.
type ServiceReview struct {
	Account    blueberry.ServiceAccount
	LastUsedAt time.Time // zero for never
	Unused     bool
}

// TokenReview is an API token with whose it is.
type TokenReview struct {
	Token  blueberry.APIToken
	Of     string // address of the user, or "project/service-account"; of the installation's own its name
	Unused bool
}

// ClientReview is an OAuth client that holds grants of its own.
type ClientReview struct {
	Client blueberry.OAuthClient
	Unused bool
}

const (
	defaultUnusedDays = 90
	maxUnusedDays     = 3650
	maxReviewed       = 10_000 // users, service accounts, tokens and clients each: what one answer can hold
)

// Review tells who has what on the installation or in a project.
func (a *Accounts) Review(ctx context.Context, actor blueberry.Actor, q ReviewQuery) (Review, error) {
	if err := actor.Can(blueberry.GrantAccessReview); err != nil {
		return Review{}, err
	}
	var f blueberry.Faults
	if q.UnusedDays < 0 || q.UnusedDays > maxUnusedDays {
		f.Add("unused_days", "range", "must be 1 to %d", maxUnusedDays)
	}
	if err := f.Err(); err != nil {
		return Review{}, err
	}
	if q.UnusedDays == 0 {
		q.UnusedDays = defaultUnusedDays
	}
	now := a.Now()
	r := &reviewer{since: now.AddDate(0, 0, -q.UnusedDays), project: q.Project, now: now, names: map[string]string{}, used: map[string]time.Time{}}
	err := a.Record.View(ctx, func(tx Tx) error {
		r.out = Review{At: now, UnusedDays: q.UnusedDays}
		if q.Project != "" {
			if _, err := tx.Project(ctx, q.Project); err != nil {
				return err
			}
		}
		for _, part := range []func(context.Context, Tx) error{r.users, r.tokens, r.services, r.clients} {
			if err := part(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Review{}, err
	}
	return r.out, a.Record.Update(ctx, func(tx Tx) error {
		return a.note(ctx, tx, actor, change{action: string(blueberry.GrantAccessReview), project: q.Project, detail: fmt.Sprintf("%s reviewed who has what", actor.Name)})
	})
}

// reviewer goes through one state of the record.
type reviewer struct {
	since, now time.Time
	project    string
	out        Review
	names      map[string]string    // of users and service accounts, by id
	used       map[string]time.Time // last use of a service account's tokens, by its id
}

func (r *reviewer) unused(times ...time.Time) bool {
	return !slices.ContainsFunc(times, func(t time.Time) bool { return t.After(r.since) })
}

// full notes that there is no room for one more beside n.
func (r *reviewer) full(n int) bool {
	r.out.Truncated = r.out.Truncated || n >= maxReviewed
	return n >= maxReviewed
}

func (r *reviewer) users(ctx context.Context, tx Tx) error {
	h, err := readHoldings(ctx, tx)
	if err != nil {
		return err
	}
	q := blueberry.UserQuery{Limit: blueberry.MaxPageSize}
	for {
		page, err := tx.ListUsers(ctx, q)
		if err != nil {
			return err
		}
		for _, u := range page.Items {
			roles := h.of(u)
			if r.project != "" {
				roles = slices.DeleteFunc(roles, func(h Holding) bool { return h.Project != "" && h.Project != r.project })
				if len(roles) == 0 && !u.BreakGlass { // whoever may break the glass may come in everywhere
					continue
				}
			}
			r.names[u.ID] = u.Email
			if !r.full(len(r.out.Users)) {
				r.out.Users = append(r.out.Users, UserReview{User: u, Roles: roles, Unused: r.unused(u.LastSeenAt, u.CreatedAt)})
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

// holders is by what users hold something: all of it is read at once, not for each user.
type holders struct {
	rules      []blueberry.GroupRule
	providers  []blueberry.IdentityProvider
	members    map[string][]blueberry.Member   // by user
	identities map[string][]blueberry.Identity // by user: those with groups
}

func readHoldings(ctx context.Context, tx Tx) (h holders, err error) {
	if h.rules, err = tx.GroupRules(ctx); err != nil {
		return h, err
	}
	if h.providers, err = tx.Providers(ctx); err != nil {
		return h, err
	}
	members, err := tx.AllMembers(ctx)
	if err != nil {
		return h, err
	}
	h.members = map[string][]blueberry.Member{}
	for _, m := range members {
		h.members[m.UserID] = append(h.members[m.UserID], m)
	}
	if len(h.rules) == 0 {
		return h, nil
	}
	identities, err := tx.GroupedIdentities(ctx)
	h.identities = map[string][]blueberry.Identity{}
	for _, i := range identities {
		h.identities[i.UserID] = append(h.identities[i.UserID], i)
	}
	return h, err
}

func (h holders) of(u blueberry.User) []Holding {
	var out []Holding
	if u.Owner {
		out = append(out, Holding{Role: blueberry.RoleOwner, By: "owner"})
	}
	for _, m := range h.members[u.ID] {
		out = append(out, Holding{Project: m.Project, Role: m.Role, By: "member"})
	}
	if identities := h.identities[u.ID]; len(identities) > 0 {
		for _, rule := range h.rules {
			if len(rolesBy(u.ID, identities, []blueberry.GroupRule{rule}, h.providers)) > 0 {
				out = append(out, Holding{Project: rule.Project, Role: rule.Role, By: "group:" + rule.Provider + "/" + rule.Group})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y Holding) int { return cmp.Compare(x.Project, y.Project) })
	return out
}

// clients reads the OAuth clients that act for themselves. The others hold nothing but what their users do.
func (r *reviewer) clients(ctx context.Context, tx Tx) error {
	for after := ""; ; {
		page, err := tx.OAuthClients(ctx, after, blueberry.MaxPageSize)
		if err != nil {
			return err
		}
		for _, c := range page {
			after = c.ID
			if c.Disabled || !slices.Contains(c.Flows, blueberry.FlowClient) || !r.reaches(c.Projects) {
				continue
			}
			if !r.full(len(r.out.Clients)) {
				r.out.Clients = append(r.out.Clients, ClientReview{Client: c, Unused: r.unused(c.LastUsedAt, c.CreatedAt)})
			}
		}
		if len(page) < blueberry.MaxPageSize {
			return nil
		}
	}
}

func (r *reviewer) tokens(ctx context.Context, tx Tx) error {
	q := blueberry.APITokenQuery{Limit: blueberry.MaxPageSize, Now: r.now}
	for {
		page, err := tx.ListTokens(ctx, q)
		if err != nil {
			return err
		}
		for _, t := range page {
			q.Before = t.ID
			if t.ServiceID != "" && t.LastUsedAt.After(r.used[t.ServiceID]) {
				r.used[t.ServiceID] = t.LastUsedAt
			}
			r.out.Tokens = append(r.out.Tokens, TokenReview{Token: t, Of: t.Name, Unused: r.unused(t.LastUsedAt, t.CreatedAt)})
		}
		if len(page) < q.Limit {
			return nil
		}
	}
}

// services reads the service accounts, and then says of each token whose it is.
func (r *reviewer) services(ctx context.Context, tx Tx) error {
	projects, err := tx.Projects(ctx)
	if err != nil {
		return err
	}
	for _, p := range projects {
		if r.project != "" && p.Name != r.project {
			continue
		}
		all, err := tx.ServiceAccounts(ctx, p.Name)
		if err != nil {
			return err
		}
		for _, s := range all {
			r.names[s.ID] = serviceLabel(s)
			last := r.used[s.ID]
			if !r.full(len(r.out.Services)) {
				r.out.Services = append(r.out.Services, ServiceReview{Account: s, LastUsedAt: last, Unused: r.unused(last, s.CreatedAt)})
			}
		}
	}
	var kept []TokenReview
	for _, t := range r.out.Tokens {
		owner := cmp.Or(t.Token.UserID, t.Token.ServiceID)
		name, known := r.names[owner]
		if owner != "" && !known || !r.reaches(t.Token.Projects) {
			continue
		}
		if owner != "" {
			t.Of = name
		}
		if !r.full(len(kept)) {
			kept = append(kept, t)
		}
	}
	r.out.Tokens = kept
	return nil
}

// reaches reports whether what may act in some projects, or everywhere for none, may act in the one that is looked at.
func (r *reviewer) reaches(projects []string) bool {
	return r.project == "" || len(projects) == 0 || slices.Contains(projects, r.project)
}
