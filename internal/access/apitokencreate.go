package access

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// NewToken asks for an API token, of oneself or of a service account.
type NewToken struct {
	Name      string
	Grants    []blueberry.Grant
	Role      blueberry.Role // instead of Grants; of a service account, without either, it is the role of the account
	Projects  []string       // nowhere else; empty for everywhere
	ServiceID string
	Life      time.Duration    // at most MaxTokenLife; 0 means 90 days
	Found     blueberry.Faults // what was wrong with the request before it came here
}

// CreateToken makes an API token. Its secret is told in the answer, and nowhere else. It can never do more than its maker.
func (a *Accounts) CreateToken(ctx context.Context, actor blueberry.Actor, r NewToken) (MadeToken, error) {
	if err := mayMake(actor); err != nil {
		return MadeToken{}, err
	}
	now := a.Now()
	secret, sum := NewSecret(TokenPrefix)
	t := blueberry.APIToken{
		ID: blueberry.NewID(blueberry.TokenID, now), Name: r.Name, Hash: sum, Hint: hint(secret), Projects: slices.Clone(r.Projects), ServiceID: r.ServiceID,
		CreatedAt: now, CreatedBy: actor.Name, Version: 1,
	}
	faults := checkNewToken(r)
	if r.Life == 0 {
		r.Life = defaultTokenLife
	}
	t.ExpiresAt = endOf(actor, now, r.Life)
	err := a.Record.Update(ctx, func(tx Tx) error {
		made, f := t, slices.Clone(faults)
		project, err := a.ownerOf(ctx, tx, actor, r, &made, &f)
		if err != nil {
			return err
		}
		if err := f.Err(); err != nil {
			return err
		}
		if err := mayHold(ctx, tx, actor, made); err != nil {
			return err
		}
		if err := tx.InsertToken(ctx, made); err != nil {
			return err
		}
		t = made
		return a.note(ctx, tx, actor, change{
			action: string(blueberry.GrantTokensWrite), resource: made.ID, project: project, detail: fmt.Sprintf("%s made API token %s", actor.Name, made.Name),
			after: tokenFields(made),
		})
	})
	if err != nil {
		return MadeToken{}, err
	}
	return MadeToken{Token: t, Secret: secret}, nil
}

func checkNewToken(r NewToken) blueberry.Faults {
	f := slices.Clone(r.Found)
	if r.Name == "" {
		f.Add("name", "required", "is needed")
	}
	checkLine(&f, "name", r.Name, blueberry.MaxPersonName)
	f.CheckGrants("grants", r.Grants)
	switch {
	case len(r.Grants) > 0 && r.Role != "":
		f.Add("role", "exclusive", "stands instead of grants: give one of both")
	case len(r.Grants) == 0 && r.Role == "" && r.ServiceID == "":
		f.Add("grants", "required", "are needed, or a role")
	case r.Role != "" && len(r.Role.Grants()) == 0:
		f.Add("role", "enum", "%q is no role", string(r.Role))
	}
	for i, p := range r.Projects {
		if slices.Contains(r.Projects[:i], p) {
			f.Add(fmt.Sprintf("projects[%d]", i), "duplicate", "%s is named twice", p)
		}
	}
	checkLife(&f, "days", r.Life, blueberry.MaxTokenLife)
	return f
}

// ownerOf says whose the token is, with its grants, for who may make tokens of them. It gives the project to which it belongs.
func (a *Accounts) ownerOf(ctx context.Context, tx Tx, actor blueberry.Actor, r NewToken, t *blueberry.APIToken, f *blueberry.Faults) (project string, err error) {
	t.Grants = slices.Clone(r.Grants)
	if r.Role != "" {
		t.Grants = r.Role.Grants()
	}
	if r.ServiceID == "" {
		if actor.UserID == "" {
			f.Add("service_account_id", "required", "is needed: %s has no account of its own", actor.Name)
		}
		t.UserID = actor.UserID
		return "", nil
	}
	s, err := serviceFor(ctx, tx, actor, r.ServiceID, blueberry.GrantServiceAccountsWrite)
	if err != nil {
		return "", err
	}
	if actor.Emergency != "" {
		return "", mayMakeOwners(actor) // a token of a program would outlast it
	}
	if len(t.Grants) == 0 {
		t.Grants = s.Role.Grants()
	}
	for i, g := range t.Grants {
		if !slices.Contains(s.Role.Grants(), g) {
			f.Add(fmt.Sprintf("grants[%d]", i), "beyond", "%s is more than %s holds as %s", g, serviceLabel(s), s.Role)
		}
	}
	for i, p := range t.Projects {
		if p != s.Project {
			f.Add(fmt.Sprintf("projects[%d]", i), "beyond", "%s is of project %s alone", serviceLabel(s), s.Project)
		}
	}
	return s.Project, nil
}
