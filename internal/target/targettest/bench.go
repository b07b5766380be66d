package targettest

import (
	"context"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// BenchmarkSync measures what a Sync costs: the first one of an environment of two components (23 objects in one wave after the platform's), with the
// removal outside of the measure, and one that finds everything in place.
func BenchmarkSync(b *testing.B, open func(t testing.TB) Bundle) {
	b.Helper()
	b.Run("create", func(b *testing.B) {
		bundle := open(b)
		var scenes []*scene
		for b.Loop() {
			b.StopTimer()
			s := &scene{Bundle: bundle, Ref: NewRef()}
			scenes = append(scenes, s)
			d := s.desired(Platform(b, s.Ref), Web(b, s.Ref, 0, "back", goodImage), Web(b, s.Ref, 0, "front", goodImage))
			b.StartTimer()
			for !s.sync(b, d).Done {
				continue
			}
		}
		for _, s := range scenes {
			if _, err := bundle.Driver.Remove(context.WithoutCancel(b.Context()), s.Ref, LedgerOf(s.files)); err != nil {
				b.Errorf("remove: %v", err)
			}
		}
		for _, s := range scenes {
			s.vanish(b)
		}
	})
	b.Run("again", func(b *testing.B) {
		s := &scene{Bundle: open(b), Ref: NewRef()}
		d := s.desired(Platform(b, s.Ref), Web(b, s.Ref, 0, "back", goodImage), Web(b, s.Ref, 0, "front", goodImage))
		s.settle(b, d)
		s.sync(b, d)
		for b.Loop() {
			if p := s.sync(b, d); !p.Done || len(p.Changed) > 0 {
				b.Fatalf("not settled: %+v", p)
			}
		}
		s.vanish(b)
	})
	b.Run("observe", func(b *testing.B) {
		s := &scene{Bundle: open(b), Ref: NewRef()}
		s.settle(b, s.desired(Platform(b, s.Ref), Web(b, s.Ref, 0, "back", goodImage), Web(b, s.Ref, 0, "front", goodImage)))
		for b.Loop() {
			s.observe(b)
		}
		s.vanish(b)
	})
}

// BenchmarkCompare measures what a plan asks of a place, for the same environment: when nothing of it is there, for another revision of every object, and
// for what was just applied.
func BenchmarkCompare(b *testing.B, open func(t testing.TB) Bundle) {
	b.Helper()
	s := &scene{Bundle: open(b), Ref: NewRef()}
	d := s.desired(Platform(b, s.Ref), Web(b, s.Ref, 0, "back", goodImage), Web(b, s.Ref, 0, "front", goodImage))
	run := func(name string, d target.Desired, want blueberry.ObjectAction) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if x := of(b, s.compare(b, d), "Deployment", "back"); x.Action != want || !x.Checked {
					b.Fatalf("got %+v, want %s", x, want)
				}
			}
		})
	}
	run("create", d, blueberry.ObjectCreated)
	s.settle(b, d)
	s.settled(b, d)
	next := target.Desired{Ref: s.Ref, Revision: 2}
	for _, f := range d.Files {
		f.Content = []byte(strings.NewReplacer(goodImage, "registry.invalid/app:2.0", blueberry.LabelRevision+`: "1"`, blueberry.LabelRevision+`: "2"`).Replace(string(f.Content)))
		next.Files = append(next.Files, f)
	}
	run("change", next, blueberry.ObjectUpdated)
	run("again", d, blueberry.ObjectUnchanged)
	s.vanish(b)
}
