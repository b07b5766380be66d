package sim_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

func BenchmarkSync(b *testing.B) {
	targettest.BenchmarkSync(b, open)
}

func BenchmarkCompare(b *testing.B) {
	targettest.BenchmarkCompare(b, open)
}

// BenchmarkMemory measures what 10,000 environments of 23 objects and their pods cost.
func BenchmarkMemory(b *testing.B) {
	const environments = 10_000
	for b.Loop() {
		p := sim.NewPlace(sim.Config{Schedule: time.Millisecond, Start: time.Millisecond, Ready: time.Millisecond})
		before := heap()
		for range environments {
			ref := targettest.NewRef()
			const image = "registry.invalid/app:1.0"
			d := target.Desired{Ref: ref, Revision: 1, Files: []blueberry.RenderedFile{
				targettest.Platform(b, ref), targettest.Web(b, ref, 0, "back", image), targettest.Web(b, ref, 0, "front", image),
			}}
			if progress, err := (sim.Driver{Place: p}).Sync(b.Context(), d); err != nil || !progress.Done {
				b.Fatalf("sync: %+v, %v", progress, err)
			}
		}
		n, objects := p.Counts()
		b.ReportMetric(float64(heap()-before)/environments, "B/environment")
		b.ReportMetric(float64(objects)/float64(n), "objects/environment")
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
