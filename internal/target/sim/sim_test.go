package sim

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {replicas: 2, template: {metadata: {annotations: {%s}}, spec: {containers: [{name: app, image: "registry.invalid/app:1.0"}]}}}
`

func desired(t *testing.T, ref target.Ref, annotations string) target.Desired {
	t.Helper()
	return target.Desired{Ref: ref, Files: []blueberry.RenderedFile{
		targettest.Platform(t, ref), targettest.File(t, ref, 0, "back", fmt.Sprintf(deployment, annotations)),
	}}
}

func observe(t *testing.T, p *Place, d target.Desired) blueberry.Observation {
	t.Helper()
	o, err := (Driver{p}).Observe(t.Context(), d.Ref, targettest.LedgerOf(d.Files))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func mustSync(t *testing.T, p *Place, d target.Desired) {
	t.Helper()
	if progress, err := (Driver{p}).Sync(t.Context(), d); err != nil || !progress.Done {
		t.Fatalf("sync: %+v, %v", progress, err)
	}
}

func TestPodsTakeTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPlace(Config{Schedule: time.Second, Start: 10 * time.Second, Ready: 20 * time.Second})
		d := desired(t, targettest.NewRef(), `blueberry.dev/ready-after: "60s"`)
		mustSync(t, p, d)
		for _, c := range []struct {
			after   time.Duration // longer than the longest a step can take
			want    string
			healthy bool
		}{
			{0, "0 0 0 of 2", false},
			{1600 * time.Millisecond, "2 0 0 of 2", false},
			{15 * time.Second, "2 2 0 of 2", false},
			{58 * time.Second, "2 2 2 of 2", true},
		} {
			time.Sleep(c.after)
			o := observe(t, p, d)
			w := o.Workloads[0]
			got := fmt.Sprintf("%d %d %d of %d", w.Scheduled, w.Started, w.Ready, w.Wanted)
			if got != c.want || o.Healthy() != c.healthy {
				t.Errorf("scheduled, started and ready are %s (healthy: %t), want %s (%t)", got, o.Healthy(), c.want, c.healthy)
			}
		}
		// New pods take over from old ones without a gap.
		next := d
		next.Files = []blueberry.RenderedFile{d.Files[0], targettest.File(t, d.Ref, 0, "back", fmt.Sprintf(deployment, "a: b"))}
		mustSync(t, p, next)
		if o := observe(t, p, next); o.Workloads[0].Ready != 2 || o.Healthy() {
			t.Errorf("during the change: %+v, want two pods ready and not yet healthy", o)
		}
		time.Sleep(time.Minute)
		if o := observe(t, p, next); !o.Healthy() {
			t.Errorf("after the change: %+v, want healthy", o)
		}
	})
}

func TestPodsCrashAndHeal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPlace(Config{Schedule: time.Millisecond, Start: time.Millisecond, Ready: time.Second})
		d := desired(t, targettest.NewRef(), "")
		mustSync(t, p, d)
		time.Sleep(10 * time.Second)
		p.SetFaults(Faults{CrashEvery: time.Hour})
		time.Sleep(time.Hour + time.Second)
		if f := observe(t, p, d).Failure(); f.Reason != "CrashLoopBackOff" || !f.Hard {
			t.Errorf("after an hour: %+v, want a crash", f)
		}
		time.Sleep(time.Minute)
		if o := observe(t, p, d); !o.Healthy() {
			t.Errorf("a minute later: %+v, want healthy", o)
		}
		p.SetFaults(Faults{})
		time.Sleep(2 * time.Hour) // the timer of the crashes runs out
	})
}

func TestApplyErrorsPass(t *testing.T) {
	t.Parallel()
	p := NewPlace(Config{Seed: 7})
	p.SetFaults(Faults{ApplyErrors: 0.3})
	d := desired(t, targettest.NewRef(), "")
	failed := 0
	for {
		progress, err := (Driver{p}).Sync(t.Context(), d)
		if progress.Done {
			break
		}
		if failed++; !errors.Is(err, errPassing) {
			t.Fatalf("got error %v, want a passing one", err)
		}
	}
	if n, objects := p.Counts(); failed == 0 || n != 1 || objects != len(targettest.LedgerOf(d.Files)) {
		t.Errorf("%d failures, then %d environments of %d objects", failed, n, objects)
	}
}

func TestASlowPlaceHeedsTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPlace(Config{})
		p.SetFaults(Faults{Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := (Driver{p}).Check(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v, want the end of the context", err)
		}
	})
}

// TestTheSameSeedIsTheSameStory: a fault found in a run at scale can be played again.
func TestTheSameSeedIsTheSameStory(t *testing.T) {
	t.Parallel()
	ref := targettest.NewRef()
	story := func() string {
		var out strings.Builder
		synctest.Test(t, func(t *testing.T) {
			p := NewPlace(Config{Seed: 3, Schedule: time.Second, Start: time.Second, Ready: time.Second})
			d := desired(t, ref, "")
			mustSync(t, p, d)
			for range 50 {
				time.Sleep(100 * time.Millisecond)
				fmt.Fprintf(&out, "%+v\n", observe(t, p, d).Workloads)
			}
		})
		return out.String()
	}
	if a, b := story(), story(); a != b {
		t.Errorf("two runs differ:\n%s\n%s", a, b)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "---\n---\n", "a: [1", "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: x}\nspec: {replicas: -1, template: 7}\n", "- 1\n",
		"apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: x}, 7]}\n", "x: &a [*a]\n", "? [a]\n: b\n",
		"apiVersion: v1\nkind: X\nmetadata: {name: x, 1: 2001-01-01}\nspec: {? 1.5\n: .nan, a: 1e300, b: 18446744073709551615, c: !!binary aGk=}\n",
	} {
		f.Add([]byte(s))
	}
	seed := maphash.MakeSeed()
	f.Fuzz(func(t *testing.T, content []byte) {
		parse(content, func(_ int, m manifest, err error) {
			if err != nil {
				return
			}
			m.work(seed)
			p := NewPlace(Config{})
			p.locate(target.Ref{Namespace: "n"}, &m)
			kept := wordsOf(target.Ref{Project: "x", Environment: "a", Namespace: m.ref.Name}).keep(m.object)
			if again := kept.words.keep(merge(kept.object(), kept.object(), m.object)); again != kept {
				t.Fatalf("kept as %q, applied again as %q", kept.text.Value(), again.text.Value())
			}
		})
	})
}
