package system_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/system"
)

func owner() blueberry.Actor { return blueberry.Actor{Grants: []blueberry.Grant{blueberry.GrantAll}} }

func of(asked *int, probes ...system.Probe) *system.System {
	return &system.System{
		Version: "1", Probes: func(context.Context) []system.Probe { *asked++; return probes },
		Migration: func(context.Context) (int64, int64, error) { return 14, 14, nil },
		Jobs:      func(context.Context) (map[blueberry.JobState]int, error) { return nil, errors.New("no") },
		Now:       time.Now, Logger: slog.New(slog.DiscardHandler),
	}
}

func probe(kind string, look func(ctx context.Context, p *blueberry.Part) error) system.Probe {
	return system.Probe{Part: blueberry.Part{Kind: kind, Asked: true}, Look: look}
}

// TestStatus: each part is as its look found it; one that hangs holds up nothing, and what is not ours of an error is not told.
func TestStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, hang := 0, make(chan struct{})
		defer close(hang)
		s := of(&asked,
			probe("d", func(context.Context, *blueberry.Part) error { <-hang; return nil }),
			probe("a", func(_ context.Context, p *blueberry.Part) error { p.Message = "fine"; return nil }),
			probe("b", func(context.Context, *blueberry.Part) error { return errors.New("password=hunter2") }),
			probe("c", func(context.Context, *blueberry.Part) error {
				return blueberry.Errorf(blueberry.Conflict, "X", "it is locked")
			}),
		)
		got, err := s.Status(t.Context(), owner())
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []struct {
			kind    string
			state   blueberry.PartState
			message string
		}{
			{"a", blueberry.PartUp, "fine"},
			{"b", blueberry.PartDown, "does not answer; the log of the server says why"},
			{"c", blueberry.PartDown, "it is locked"},
			{"d", blueberry.PartDown, "did not answer within 3s"},
		} {
			if p := got.Parts[i]; p.Kind != want.kind || p.State != want.state || p.Message != want.message {
				t.Errorf("%d: %+v, want %+v", i, p, want)
			}
		}
		if got.State() != blueberry.PartDown || got.Migration != 14 || got.Parts[3].Took != 0 {
			t.Errorf("%+v", got)
		}
		if _, err := s.Status(t.Context(), owner()); err != nil || asked != 1 {
			t.Errorf("asked %d times within a second, %v", asked, err)
		}
		time.Sleep(time.Second)
		if _, err := s.Status(t.Context(), owner()); err != nil || asked != 2 {
			t.Errorf("asked %d times after a second, %v", asked, err)
		}
	})
}

// TestStatusIsForOperators: who may do all but that is refused, and nothing is asked.
func TestStatusIsForOperators(t *testing.T) {
	t.Parallel()
	asked := 0
	_, err := of(&asked).Status(t.Context(), blueberry.Actor{Name: "x", Grants: []blueberry.Grant{blueberry.GrantJobsRead}})
	if !errors.Is(err, blueberry.Forbidden) || asked != 0 {
		t.Errorf("%v, asked %d times", err, asked)
	}
}
