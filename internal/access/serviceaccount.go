package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// MaxServiceAccountName is how many characters the name of a service account has at most.
const MaxServiceAccountName = 40

// NewServiceAccount asks for a service account.
type NewServiceAccount struct {
	Project     string
	Name        string
	Description string
	Role        blueberry.Role
	Found       blueberry.Faults // what was wrong with the request before it came here
}

// CreateServiceAccount makes a service account of a project. Nobody gives it a role that holds more than they do.
func (a *Accounts) CreateServiceAccount(ctx context.Context, actor blueberry.Actor, r NewServiceAccount) (blueberry.ServiceAccount, error) {
	if err := actor.CanIn(r.Project, blueberry.GrantServiceAccountsWrite); err != nil {
		return blueberry.ServiceAccount{}, err
	}
	f := slices.Clone(r.Found)
	f.CheckName("name", r.Name, MaxServiceAccountName)
	f.CheckText("description", r.Description, blueberry.MaxDescription)
	f.CheckProjectRole("role", r.Role)
	if err := f.Err(); err != nil {
		return blueberry.ServiceAccount{}, err
	}
	if err := mayGive(actor, roleIn(r.Project, r.Role)); err != nil {
		return blueberry.ServiceAccount{}, err
	}
	now := a.Now()
	s := blueberry.ServiceAccount{
		ID: blueberry.NewID(blueberry.ServiceID, now), Project: r.Project, Name: r.Name, Description: r.Description, Role: r.Role, CreatedAt: now, CreatedBy: actor.Name,
	}
	err := a.Record.Update(ctx, func(tx Tx) error {
		if _, err := tx.Project(ctx, r.Project); err != nil {
			return err
		}
		if err := tx.PutServiceAccount(ctx, s); err != nil {
			return err
		}
		return a.note(ctx, tx, actor, change{
			action: string(blueberry.GrantServiceAccountsWrite), resource: s.ID, project: s.Project,
			detail: fmt.Sprintf("%s made service account %s", actor.Name, serviceLabel(s)), after: serviceFields(s),
		})
	})
	if err != nil {
		return blueberry.ServiceAccount{}, err
	}
	s.Version = 1
	return s, nil
}

// ServiceAccount reads one.
func (a *Accounts) ServiceAccount(ctx context.Context, actor blueberry.Actor, id string) (s blueberry.ServiceAccount, err error) {
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		s, err = serviceFor(ctx, tx, actor, id, blueberry.GrantServiceAccountsRead)
		return err
	})
	return s, err
}

// ServiceAccounts reads those of a project, by name.
func (a *Accounts) ServiceAccounts(ctx context.Context, actor blueberry.Actor, project string) (out []blueberry.ServiceAccount, err error) {
	if err := actor.CanIn(project, blueberry.GrantServiceAccountsRead); err != nil {
		return nil, err
	}
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		if _, err := tx.Project(ctx, project); err != nil {
			return err
		}
		out, err = tx.ServiceAccounts(ctx, project)
		return err
	})
	return out, err
}

// serviceFor reads a service account for who holds the grant in its project.
func serviceFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, grant blueberry.Grant) (blueberry.ServiceAccount, error) {
	s, err := tx.ServiceAccount(ctx, id)
	missing := blueberry.Errorf(blueberry.NotFound, "SERVICE_ACCOUNT_NOT_FOUND", "there is no service account %q", id)
	if isNotFound(err) {
		return s, missing
	}
	if err == nil {
		err = actor.CanOn(s.Project, grant, missing)
	}
	if err != nil {
		return blueberry.ServiceAccount{}, err
	}
	return s, nil
}

func serviceLabel(s blueberry.ServiceAccount) string { return s.Project + "/" + s.Name }

// serviceFields is what the audit tells of a service account.
func serviceFields(s blueberry.ServiceAccount) map[string]any {
	return map[string]any{"name": s.Name, "description": s.Description, "role": s.Role, "disabled": s.Disabled}
}
