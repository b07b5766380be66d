package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const actionView = "account:view"

// SavedViews reads the lists that the actor comes back to, by name.
func (a *Accounts) SavedViews(ctx context.Context, actor blueberry.Actor) (out []blueberry.SavedView, err error) {
	if err := NeedPerson(actor); err != nil {
		return nil, err
	}
	err = a.Record.View(ctx, func(tx Tx) error {
		out, err = tx.SavedViews(ctx, actor.UserID)
		return err
	})
	return out, err
}

// SaveView keeps one for the actor, in the place of the one of its name. Conflict with code TOO_MANY_VIEWS when they have as many as one may have.
func (a *Accounts) SaveView(ctx context.Context, actor blueberry.Actor, wish blueberry.SavedView) (blueberry.SavedView, error) {
	if err := NeedPerson(actor); err != nil {
		return blueberry.SavedView{}, err
	}
	wish.UserID = actor.UserID
	v, err := blueberry.NewSavedView(wish, a.Now())
	if err != nil {
		return v, err
	}
	err = a.Record.Update(ctx, func(tx Tx) error {
		have, err := tx.SavedViews(ctx, actor.UserID)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(have, func(x blueberry.SavedView) bool { return x.Name == v.Name })
		if at < 0 && len(have) >= blueberry.MaxSavedViews {
			return blueberry.Errorf(blueberry.Conflict, "TOO_MANY_VIEWS", "there are %d saved views, and more are not kept: delete one", len(have))
		}
		var before map[string]any
		if at >= 0 {
			before = viewed(have[at])
		}
		if err := tx.PutSavedView(ctx, v); err != nil {
			return err
		}
		return a.note(ctx, tx, actor, change{action: actionView, resource: actor.UserID, detail: fmt.Sprintf("%s saved the view %q", actor.Name, v.Name), before: before, after: viewed(v)})
	})
	return v, err
}

// DeleteView forgets one of the actor, or NotFound with code VIEW_NOT_FOUND.
func (a *Accounts) DeleteView(ctx context.Context, actor blueberry.Actor, name string) error {
	if err := NeedPerson(actor); err != nil {
		return err
	}
	return a.Record.Update(ctx, func(tx Tx) error {
		if err := tx.DeleteSavedView(ctx, actor.UserID, name); err != nil {
			return err
		}
		return a.note(ctx, tx, actor, change{action: actionView, resource: actor.UserID, detail: fmt.Sprintf("%s deleted the view %q", actor.Name, name), before: map[string]any{"name": name}})
	})
}

func viewed(v blueberry.SavedView) map[string]any {
	return map[string]any{"name": v.Name, "page": v.Page, "query": v.Query}
}
