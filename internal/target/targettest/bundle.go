package targettest

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Bundle is one driver on a place, and the ways to disturb it. Every test of the suite opens its own; they may share the place.
type Bundle struct {
	Driver target.Driver
	Reopen func(t testing.TB) target.Driver // another driver on the same place, which knows nothing of the first
	Cut    func()                           // the driver loses its connection to the place; the hand does not
	Mend   func()                           // and may have it back
	Hand   Hand

	// Itself says that the place applies by itself what a Sync tells it to, some time later, and puts right by itself what another hand alters. Then nothing
	// of a wave is applied when the place refuses one of its objects beforehand; what a Sync changed is told by a later one; drift is told also when it is
	// put right before anyone looks; and what another hand gave away is taken back.
	Itself bool
	Say    func(t testing.TB, ref target.Ref, l target.LogLine) // has a container say a line; nil: each says something by itself
}

// Hand acts on the place as somebody else. Its methods end the test when the place refuses.
type Hand interface {
	// Create makes an object.
	Create(t testing.TB, manifest string)
	// Patch alters an object by a JSON merge patch.
	Patch(t testing.TB, ref blueberry.ObjectRef, patch string)
	// Delete asks for an object to be deleted, with what depends on it.
	Delete(t testing.TB, ref blueberry.ObjectRef)
	// Object gives an object as the place holds it; false when there is no such object.
	Object(t testing.TB, ref blueberry.ObjectRef) (map[string]any, bool)
	// Labels gives the labels of an object; false when there is no such object.
	Labels(t testing.TB, ref blueberry.ObjectRef) (map[string]string, bool)
	// Labelled lists all objects that carry the labels of the environment, of any kind.
	Labelled(t testing.TB, ref target.Ref) []blueberry.ObjectRef
	// FailPods makes the running pods of a component fail for a reason ("CrashLoopBackOff"); HealPods makes them run again.
	FailPods(t testing.TB, ref target.Ref, component, reason string)
	HealPods(t testing.TB, ref target.Ref, component string)
}
