package provision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// wants is what every owner wants to be told.
type wants struct {
	told  bool
	until time.Time
	err   error
}

// LeaseMail implements provision.Owners.
func (w *wants) LeaseMail(_ context.Context, owner, project string) (bool, time.Time, error) {
	if owner != "ada@example.com" || project != blueberry.DefaultProject {
		return false, time.Time{}, errors.New("of somebody else")
	}
	return w.told, w.until, w.err
}

// TestOwnersAreAskedBeforeTheyAreTold: what one does not want is not sent, what is to wait comes later, and never after the lease has ended.
func TestOwnersAreAskedBeforeTheyAreTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	mails, w := &post{}, &wants{}
	h.PublicURL, h.Mail, h.Owners = "https://blueberry.example.com", mails, w
	who := admin
	who.Name = "ada@example.com"
	e, err := h.Create(t.Context(), who, provision.CreateRequest{Name: "pr-1", Hours: 4, Wish: wish(fixed("web", 1))})
	if err != nil {
		t.Fatal(err)
	}
	e = h.until(t, e.ID, phase(blueberry.Ready))
	h.tick(t, 2*time.Hour)
	now := h.Now()
	for _, c := range []struct {
		name  string
		wants wants
		again time.Duration
		sent  int
	}{
		{"not wanted", wants{}, 0, 0},
		{"in quiet hours", wants{told: true, until: now.Add(time.Hour)}, time.Hour, 0},
		{"in quiet hours that outlast the lease", wants{told: true, until: e.Lease.ExpiresAt.Add(time.Hour)}, 0, 1},
		{"wanted", wants{told: true}, 0, 2},
	} {
		*w = c.wants
		out, err := h.SendLeaseWarning(t.Context(), blueberry.Job{Kind: blueberry.JobLeaseTell, Subject: e.ID})
		if err != nil || out.Again != c.again || len(mails.sent) != c.sent {
			t.Errorf("%s: again after %s, %d sent, %v", c.name, out.Again, len(mails.sent), err)
		}
	}
	*w = wants{err: errors.New("the record is away")}
	if _, err := h.SendLeaseWarning(t.Context(), blueberry.Job{Kind: blueberry.JobLeaseTell, Subject: e.ID}); err == nil {
		t.Error("who cannot be asked is not asked again")
	}
}
