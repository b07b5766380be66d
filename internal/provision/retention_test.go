package provision_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// line is the page's line of a rule.
func (h *archiveHouse) rule(t *testing.T, name string) blueberry.RetentionRule {
	t.Helper()
	list, err := h.RetentionRules(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("there is no rule %s", name)
	return blueberry.RetentionRule{}
}

func (h *archiveHouse) retain(t *testing.T) {
	t.Helper()
	if err := h.RunRetention(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestRetentionPage(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ran := 0
	h.Rules = []provision.Rule{
		{Name: "broken", What: "what fails", Every: time.Hour, Run: func(context.Context) (int, string, error) {
			return 2, "two", blueberry.Errorf(blueberry.Unavailable, "SOMETHING_DOWN", "something is down")
		}},
		{Name: "sessions", What: "sessions that ended", Keep: time.Hour, Every: time.Hour, Run: func(context.Context) (int, string, error) {
			ran++
			return 3, "three sessions", nil
		}},
	}
	if _, err := h.RetentionRules(t.Context(), blueberry.Actor{Kind: blueberry.ActorToken, Name: "nobody"}); !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("without the grant: %v", err)
	}
	if r := h.rule(t, "sessions"); !r.LastRun.Began.IsZero() || !r.NextRun.Equal(h.clock.now()) {
		t.Errorf("before the first run: %+v", r)
	}
	h.retain(t)
	h.clock.add(59 * time.Minute)
	h.retain(t)
	r := h.rule(t, "sessions")
	if ran != 1 || r.LastRun.Removed != 3 || r.LastRun.Detail != "three sessions" || r.LastRun.Error != "" || !r.NextRun.Equal(r.LastRun.Began.Add(time.Hour)) {
		t.Errorf("ran %d times: %+v", ran, r)
	}
	if b := h.rule(t, "broken"); b.LastRun.Error != "something is down" || b.LastRun.Removed != 2 {
		t.Errorf("the rule that fails: %+v", b)
	}
	h.clock.add(time.Minute)
	h.retain(t)
	if ran != 2 {
		t.Errorf("ran %d times", ran)
	}
	for _, name := range []string{"archives", "logs", "failed-environments", "plans", "leases", "orphans"} {
		if r := h.rule(t, name); r.What == "" || r.Every == 0 || r.LastRun.Ended.IsZero() || r.LastRun.Error != "" {
			t.Errorf("rule %+v", r)
		}
	}
}

// TestOneServerRunsARule in each period, of all that are there.
func TestOneServerRunsARule(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		var mu sync.Mutex
		ran := 0
		h.Rules = []provision.Rule{{Name: "sessions", Every: time.Hour, Run: func(context.Context) (int, string, error) {
			mu.Lock()
			defer mu.Unlock()
			ran++
			return 0, "", nil
		}}}
		for range 2 {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if err := h.RunRetention(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			h.clock.add(time.Hour)
		}
		if ran != 2 {
			t.Errorf("ran %d times in two periods", ran)
		}
	})
}

// TestArchivesAreKeptAndGo: the logs after a week, the rest after ninety days, with all that the record has of the environment.
func TestArchivesAreKeptAndGo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		ctx := t.Context()
		e := h.create(t, "pr-1")
		h.until(t, e.ID, phase(blueberry.Ready))
		h.says(t, e, "hello")
		h.destroy(t, e.ID)
		h.clock.add(blueberry.KeepLogs - time.Second)
		h.retain(t)
		if got := h.lines(t, e.ID, target.LogQuery{}); len(got) != 1 {
			t.Errorf("within the week: logs %q", got)
		}
		h.clock.add(time.Hour)
		h.retain(t)
		a, err := h.Archive(ctx, admin, e.ID)
		if err != nil || !a.LogsUntil.IsZero() || len(a.Files) == 0 || len(h.lines(t, e.ID, target.LogQuery{})) > 0 {
			t.Errorf("after the week: %+v (%v)", a, err)
		}
		if r := h.rule(t, "logs"); r.LastRun.Removed != 1 || r.LastRun.Detail != "default/pr-1" {
			t.Errorf("page line %+v", r.LastRun)
		}
		h.nothingLeft(t, e)
		h.clock.add(blueberry.KeepArchives)
		h.retain(t)
		if _, err := h.Archive(ctx, admin, e.ID); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("after ninety days the archive is there: %v", err)
		}
		if _, err := h.Get(ctx, admin, e.ID); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("after ninety days the record is there: %v", err)
		}
		if names, err := h.bucket.List(ctx, "", "", 10); err != nil || len(names) > 0 {
			t.Errorf("objects that are left: %v (%v)", names, err)
		}
	})
}

// TestFailedEnvironmentsGo after a week; what is pinned stays.
func TestFailedEnvironmentsGo(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	var ids []string
	for _, name := range []string{"pr-1", "pinned"} {
		e := h.create(t, name, blueberry.Component{Name: "web", Image: "acme/broken:1"})
		h.until(t, e.ID, func(e blueberry.Environment) bool {
			return blueberry.GetCondition(e.Conditions, blueberry.Started).Status == blueberry.False
		})
		if _, err := h.Pin(ctx, admin, e.ID, 24*20, "to be looked at", 0); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	h.clock.add(blueberry.ReadinessGrace)
	for _, id := range ids {
		h.until(t, id, phase(blueberry.Failed))
	}
	h.clock.add(blueberry.KeepFailed - 6*time.Hour)
	if _, err := h.Unpin(ctx, admin, ids[0], 0); err != nil {
		t.Fatal(err)
	}
	h.retain(t)
	if e, err := h.Get(ctx, admin, ids[0]); err != nil || e.Phase != blueberry.Failed {
		t.Fatalf("within the week it is %s (%v)", e.Phase, err)
	}
	h.clock.add(7 * time.Hour)
	h.retain(t)
	e := h.until(t, ids[0], phase(blueberry.Terminated))
	if e.Reason != "FailedTooLong" || h.rule(t, "failed-environments").LastRun.Removed != 1 {
		t.Errorf("ended because %s; page line %+v", e.Reason, h.rule(t, "failed-environments").LastRun)
	}
	if e, err := h.Get(ctx, admin, ids[1]); err != nil || e.Phase != blueberry.Failed {
		t.Errorf("what is pinned is %s (%v)", e.Phase, err)
	}
}

// TestBackstopReportsWhatItFixed: deadlines are exact, so whatever it finds is told.
func TestBackstopReportsWhatItFixed(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	h.retain(t)
	if n := h.told(t, e.ID)[blueberry.RetentionFixed]; n != 0 {
		t.Errorf("told %d times though nothing was wrong", n)
	}
	h.clock.add(25 * time.Hour) // and nobody looks at deadlines
	h.takeEnqueued()
	h.retain(t)
	if got := strings.Join(h.takeEnqueued(), "; "); !strings.Contains(got, "environment.reconcile "+e.ID) || !strings.Contains(got, "target.scan local") {
		t.Errorf("enqueued %s", got)
	}
	if n := h.told(t, e.ID)[blueberry.RetentionFixed]; n != 1 || h.rule(t, "leases").LastRun.Removed != 1 {
		t.Errorf("told %d times; page line %+v", n, h.rule(t, "leases").LastRun)
	}
	h.until(t, e.ID, phase(blueberry.Terminated))
}
