package access_test

import (
	"fmt"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestSavedViewsAreOfOnePerson(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ada, ben := w.person(t, "ada@example.com", owner), w.person(t, "ben@example.com", nil)
	_, program := w.token(t, ada, access.NewToken{Name: "ci", Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead}})
	ctx := t.Context()
	wish := blueberry.SavedView{UserID: ben.UserID, Name: "mine", Page: "environments", Query: "owner=ada"}
	for range 2 { // the second takes the place of the first
		if v, err := w.SaveView(ctx, ada, wish); err != nil || v.UserID != ada.UserID {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	_, err := w.SaveView(ctx, program, wish)
	wants(t, "a program", "forbidden PERSON_NEEDED", err)
	_, err = w.SavedViews(ctx, program)
	wants(t, "a program that reads", "forbidden PERSON_NEEDED", err)
	wants(t, "a program that deletes", "forbidden PERSON_NEEDED", w.DeleteView(ctx, program, "mine"))
	wants(t, "of another one", "not found VIEW_NOT_FOUND", w.DeleteView(ctx, ben, "mine"))
	_, err = w.SaveView(ctx, ada, blueberry.SavedView{})
	wants(t, "what is no view", "invalid VALIDATION_FAILED name:required page:unknown", err)
	if got, err := w.SavedViews(ctx, ben); err != nil || len(got) != 0 {
		t.Errorf("his are %+v, %v", got, err)
	}
	for i := 1; i < blueberry.MaxSavedViews; i++ {
		wish.Name = fmt.Sprintf("view %d", i)
		if _, err := w.SaveView(ctx, ada, wish); err != nil {
			t.Fatal(err)
		}
	}
	wish.Name = "one more"
	_, err = w.SaveView(ctx, ada, wish)
	wants(t, "too many", "conflict TOO_MANY_VIEWS", err)
	if err := w.DeleteView(ctx, ada, "mine"); err != nil {
		t.Fatal(err)
	}
	if got, err := w.SavedViews(ctx, ada); err != nil || len(got) != blueberry.MaxSavedViews-1 {
		t.Errorf("%d are left, %v", len(got), err)
	}
	if n := len(w.audit(t)); n < blueberry.MaxSavedViews {
		t.Errorf("%d entries in the audit", n)
	}
}
