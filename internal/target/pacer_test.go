package target

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPacer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var p Pacer
		start := time.Now()
		calls := map[Ref][]time.Duration{}
		go p.Run(ctx, func(r Ref) { calls[r] = append(calls[r], time.Since(start)) })
		a, b := Ref{Project: "p", Environment: "a"}, Ref{Project: "p", Environment: "b"}

		for range 50 { // a burst is one call at once and one at the end of the pace
			p.Mark(a)
			synctest.Wait()
		}
		time.Sleep(30 * time.Millisecond)
		p.Mark(b) // another environment does not wait
		synctest.Wait()
		time.Sleep(time.Second)
		p.Mark(a) // and after a quiet time a change is told at once
		synctest.Wait()
		cancel()
		synctest.Wait()

		want := map[Ref][]time.Duration{
			a: {0, Pace, 1030 * time.Millisecond},
			b: {30 * time.Millisecond},
		}
		for ref, w := range want {
			if got := calls[ref]; len(got) != len(w) {
				t.Fatalf("%s: told at %v, want %v", ref.Environment, got, w)
			}
			for i := range w {
				if calls[ref][i] != w[i] {
					t.Errorf("%s: told at %v, want %v", ref.Environment, calls[ref], w)
				}
			}
		}
		if len(p.pending) != 0 {
			t.Errorf("%d changes were never told", len(p.pending))
		}
	})
}

func TestPacerTellsAfterASlowListener(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var p Pacer
		calls := 0
		go p.Run(ctx, func(Ref) {
			calls++
			time.Sleep(time.Minute)
		})
		ref := Ref{Environment: "slow"}
		p.Mark(ref)
		synctest.Wait()
		p.Mark(ref) // while the listener is busy with the first
		time.Sleep(3 * time.Minute)
		cancel()
		synctest.Wait()
		if calls != 2 {
			t.Errorf("told %d times, want 2", calls)
		}
	})
}
