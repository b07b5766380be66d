package targettest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// patience is how long a place may take for anything; a test that needs it has failed.
const patience = 3 * time.Minute

// Run holds a driver to its promises.
func Run(t *testing.T, open func(t testing.TB) Bundle) {
	t.Helper()
	tests := map[string]func(*testing.T, *scene){
		"a second sync changes nothing":                        testTwice,
		"a wave waits for the one before":                      testWaves,
		"prune deletes what is ours":                           testPrune,
		"what was never there is removed and observed":         testAbsent,
		"what runs is observed":                                testObserve,
		"a job that ran is fine":                               testJob,
		"environments do not disturb each other":               testConcurrent,
		"a cut connection is told and mended":                  testCut,
		"a sync that was cut off is carried on":                testCutMidway,
		"another driver carries on":                            testReopen,
		"watch tells what happens":                             testWatch,
		"watch tells what happened while the place was away":   testWatchCut,
		"drift is repaired":                                    testDrift,
		"removal leaves nothing":                               testRemove,
		"removal tells what does not go":                       testRemoveHeld,
		"removal knows its namespace without labels":           testRemoveUnlabelled,
		"removal proves nothing of what is another's now":      testRemoveRelabelled,
		"a refused object is named":                            testRefused,
		"a denied object is named":                             testDenied,
		"an unknown kind is waited for":                        testUnknownKind,
		"objects of others are not taken":                      testForeign,
		"a namespace of others is not taken":                   testForeignNamespace,
		"an image that cannot be pulled is a hard failure":     testBrokenImage,
		"pods that crash are a hard failure, and heal":         testCrash,
		"a file that is no manifest is refused with its place": testMalformed,
		"all of what is not there would be created":            testCompareNothing,
		"what is settled compares as unchanged":                testCompareSettled,
		"a change compares as its fields":                      testCompareChange,
		"a comparison names what is refused":                   testCompareRefused,
		"a comparison names what is denied":                    testCompareDenied,
		"a comparison tells of an unknown kind":                testCompareUnknownKind,
		"a comparison tells what is pruned":                    testComparePrune,
		"a comparison tells what belongs to others":            testCompareForeign,
		"a comparison tells what another hand did":             testCompareDrift,
		"a comparison hides what is in a secret":               testCompareSecret,
		"a place tells what it holds":                          testCapacity,
		"what is ignored is left to others":                    testIgnore,
		"what is ignored may change":                           testIgnoreChanges,
	}
	maps.Copy(tests, abilities())
	maps.Copy(tests, explainTests())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &scene{Bundle: open(t), Ref: NewRef()}
			t.Cleanup(func() {
				s.Mend()
				s.vanish(t)
			})
			test(t, s)
		})
	}
}

// scene is a bundle with one environment.
type scene struct {
	Bundle
	target.Ref
	files []blueberry.RenderedFile // as last synced
}

func (s *scene) desired(files ...blueberry.RenderedFile) target.Desired {
	s.files = files
	return target.Desired{Ref: s.Ref, Revision: 1, Files: files}
}

// usual is an environment of two components.
func (s *scene) usual(t testing.TB) target.Desired {
	return s.desired(Platform(t, s.Ref), Web(t, s.Ref, 0, "back", goodImage), Web(t, s.Ref, 1, "front", goodImage))
}

// sync is one step of a Sync. What may pass is waited for, as the platform does.
func (s *scene) sync(t testing.TB, d target.Desired) target.Progress {
	t.Helper()
	p, err := s.Driver.Sync(t.Context(), d)
	if errors.Is(err, blueberry.Unavailable) {
		t.Logf("sync: %v", err)
		p.Done, p.Waiting = false, err.Error()
		return p
	}
	if err != nil {
		t.Fatalf("sync: %v", err)
	}
	return p
}

// settle syncs until all is applied, and then waits until all is healthy.
func (s *scene) settle(t testing.TB, d target.Desired) {
	t.Helper()
	eventually(t, "all is applied", func() string {
		if p := s.sync(t, d); !p.Done {
			return p.Waiting
		}
		return ""
	})
	s.healthy(t)
}

func (s *scene) healthy(t testing.TB) {
	t.Helper()
	eventually(t, "all is healthy", func() string {
		o, err := s.Driver.Observe(t.Context(), s.Ref, LedgerOf(s.files))
		switch {
		case err != nil:
			return err.Error()
		case !o.Healthy():
			return fmt.Sprintf("%+v", o)
		}
		return ""
	})
}

// observe asks again while the place is away for a moment, as the platform does.
func (s *scene) observe(t testing.TB) (o blueberry.Observation) {
	t.Helper()
	eventually(t, "the place is observed", func() string {
		var err error
		if o, err = s.Driver.Observe(t.Context(), s.Ref, LedgerOf(s.files)); errors.Is(err, blueberry.Unavailable) {
			return err.Error()
		}
		if err != nil {
			t.Fatalf("observe: %v", err)
		}
		return ""
	})
	return o
}

// state gives what an observation says of one object.
func state(t testing.TB, o blueberry.Observation, ref blueberry.ObjectRef) blueberry.ObjectState {
	t.Helper()
	i := slices.IndexFunc(o.Objects, func(x blueberry.ObjectState) bool { return x.ObjectRef == ref })
	if i < 0 {
		t.Fatalf("the observation has no %s", ref)
	}
	return o.Objects[i]
}

// object finds an object of the files as last synced.
func (s *scene) object(t testing.TB, kind, name string) blueberry.ObjectRef {
	t.Helper()
	for _, e := range LedgerOf(s.files) {
		if e.Kind == kind && e.Name == name {
			return e.ObjectRef
		}
	}
	t.Fatalf("the fixture has no %s %s", kind, name)
	return blueberry.ObjectRef{}
}

// vanish removes the environment until the driver says that nothing is left.
func (s *scene) vanish(t testing.TB) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // over by now when this is the cleanup
	Until(ctx, t, "nothing is left", func() string {
		left, err := s.Driver.Remove(ctx, s.Ref, LedgerOf(s.files))
		switch {
		case errors.Is(err, blueberry.Unavailable):
			return err.Error()
		case err != nil:
			t.Fatalf("remove: %v", err)
		case len(left) > 0:
			return fmt.Sprintf("%v", left)
		}
		return ""
	})
}

// eventually looks again and again until what is missing is the empty string.
func eventually(t testing.TB, what string, missing func() string) {
	t.Helper()
	Until(t.Context(), t, what, missing)
}

// Ask calls a driver, again while it says that something may pass, as the platform does. Another error ends the test.
func Ask[T any](t testing.TB, what string, call func() (T, error)) (out T) {
	t.Helper()
	Until(t.Context(), t, what, func() string {
		var err error
		if out, err = call(); errors.Is(err, blueberry.Unavailable) {
			return err.Error()
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return ""
	})
	return out
}

// Until asks what is missing, soon at first and then ever more seldom, so that the asking does not keep the place from coming true. The test ends when
// something is still missing after three minutes, or at the end of ctx.
func Until(ctx context.Context, t testing.TB, what string, missing func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 20 * time.Millisecond; ; pause = min(pause*3/2, 500*time.Millisecond) {
		m := missing()
		if m == "" {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			t.Fatalf("never came true: %s; in the end: %s", what, m)
		}
	}
}

// wants ends the test unless err is of the kind and has a fault at the object.
func wants(t testing.TB, err error, kind blueberry.Kind, object string) {
	t.Helper()
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("got error %v, want one of kind %q", err, kind)
	}
	for _, f := range e.Fields {
		if len(f.Field) >= len(object) && f.Field[:len(object)] == object && f.Message != "" {
			return
		}
	}
	t.Fatalf("error %v has no fault at %s", err, object)
}
