package access

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ServiceAccountChange says what of a service account is to change. What is nil stays.
type ServiceAccountChange struct {
	Description *string
	Role        *blueberry.Role
	Disabled    *bool
}

// UpdateServiceAccount changes a service account. What it is given, by another role or by being enabled again, is no more than the actor holds.
func (a *Accounts) UpdateServiceAccount(ctx context.Context, actor blueberry.Actor, id string, r ServiceAccountChange, ifVersion int64) (blueberry.ServiceAccount, error) {
	var s blueberry.ServiceAccount
	err := a.update(ctx, func(tx Tx) error {
		was, err := serviceFor(ctx, tx, actor, id, blueberry.GrantServiceAccountsWrite)
		if err != nil {
			return err
		}
		if err := checkVersion("service account "+serviceLabel(was), was.Version, ifVersion); err != nil {
			return err
		}
		if s, err = changedService(was, r); err != nil {
			return err
		}
		if s.Role != was.Role || was.Disabled && !s.Disabled {
			if err := mayGive(actor, roleIn(s.Project, s.Role)); err != nil {
				return err
			}
		}
		before, after := changed(serviceFields(was), serviceFields(s))
		if len(after) == 0 {
			return nil
		}
		if err := tx.PutServiceAccount(ctx, s); err != nil {
			return err
		}
		s.Version++
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantServiceAccountsWrite), resource: s.ID, project: s.Project,
			detail: fmt.Sprintf("%s changed service account %s", actor.Name, serviceLabel(s)), before: before, after: after,
		})
	})
	if err != nil {
		return blueberry.ServiceAccount{}, err
	}
	return s, nil
}

func changedService(s blueberry.ServiceAccount, r ServiceAccountChange) (blueberry.ServiceAccount, error) {
	var f blueberry.Faults
	if r.Description != nil {
		s.Description = *r.Description
		f.CheckText("description", s.Description, blueberry.MaxDescription)
	}
	if r.Role != nil {
		s.Role = *r.Role
		f.CheckProjectRole("role", s.Role)
	}
	if r.Disabled != nil {
		s.Disabled = *r.Disabled
	}
	return s, f.Err()
}

// DeleteServiceAccount removes a service account; its tokens end.
func (a *Accounts) DeleteServiceAccount(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error {
	return a.update(ctx, func(tx Tx) error {
		s, err := serviceFor(ctx, tx, actor, id, blueberry.GrantServiceAccountsWrite)
		if err != nil {
			return err
		}
		if err := checkVersion("service account "+serviceLabel(s), s.Version, ifVersion); err != nil {
			return err
		}
		if err := tx.DeleteServiceAccount(ctx, s.ID, actor.Name, a.Now()); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantServiceAccountsWrite), resource: s.ID, project: s.Project,
			detail: fmt.Sprintf("%s removed service account %s", actor.Name, serviceLabel(s)), before: serviceFields(s),
		})
	})
}
