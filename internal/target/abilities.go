package target

import (
	"context"
	"io"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What follows are abilities that a Driver may have beyond its port. Each is found by assertion, and each fails as Driver does: Unavailable for a place that
// cannot be reached, Forbidden with the missing right for one that does not let us.

// Explainer is a Driver that can tell why an environment is not where it should be.
type Explainer interface {
	// Explain gives the causes that are seen now, in any order. It answers from what is watched and asks the place only for what is not (events, the last
	// lines of a container that crashed, finalizers), so it may be called at every change of an environment that is not ready. The same state gives the same
	// answer. A healthy environment gives an empty one, or warnings.
	Explain(ctx context.Context, ref Ref, want []blueberry.LedgerEntry) ([]blueberry.Cause, error)
}

// LogReader is a Driver that can read what containers wrote.
type LogReader interface {
	// Logs calls tell for each line, and returns when all is told, ctx ends, or tell fails, whose error it then gives. With Follow it goes on, also with pods
	// that come later, until ctx ends. Lines of one container come in order; those of several are merged by time as far as they are there.
	Logs(ctx context.Context, ref Ref, q LogQuery, tell func(LogLine) error) error
	// Containers lists what there is to read, by pod and container.
	Containers(ctx context.Context, ref Ref) ([]Container, error)
}

// LogQuery says which lines.
type LogQuery struct {
	Component, Pod, Container string // exact; empty for all
	Since, Until              time.Time
	Tail                      int    // at most so many of the last lines of each container; 0 for all
	Search                    string // only lines that hold this text; case does not matter
	Previous                  bool   // of the container's last run that ended
	Follow                    bool
	MaxBytes                  int64 // of each container, before the search; 0 for no bound
}

// LogLine is one line of one container.
type LogLine struct {
	At                        time.Time
	Component, Pod, Container string
	Text                      string // without the line's end, at most 64 KiB
}

// Container is one container of a pod.
type Container struct {
	Component, Pod, Name string
	Init                 bool
	Ready                bool
	State                string // "running", "waiting: CrashLoopBackOff", "terminated: Completed"
	Restarts             int
	StartedAt            time.Time
}

// EventReader is a Driver that can tell what its place noted about an environment.
type EventReader interface {
	// Events gives the notes that the place still has, oldest first. Those of pods that are gone are among them.
	Events(ctx context.Context, ref Ref) ([]PlaceEvent, error)
}

// PlaceEvent is one note of the place: a Kubernetes event.
type PlaceEvent struct {
	First, Last time.Time
	Count       int
	Warning     bool
	Reason      string // "FailedScheduling"
	Object      blueberry.ObjectRef
	Component   string // of the object, when it is known
	Source      string // "kubelet", "default-scheduler"
	Message     string
}

// LiveReader is a Driver that can show objects as they are.
type LiveReader interface {
	// Live gives the document of an object as the place holds it, YAML, without managed fields, and with the values of secrets hidden. NotFound when it is not
	// there, or is not the environment's.
	Live(ctx context.Context, ref Ref, o blueberry.ObjectRef) ([]byte, error)
}

// Sheller is a Driver that can run a command in a container.
type Sheller interface {
	// Shell runs the command and returns when it has ended: with its exit code, or an error when it could not be run. When ctx ends the connection is cut;
	// whether the command ends then is up to the place.
	Shell(ctx context.Context, ref Ref, s ShellRequest) (exit int, err error)
}

// ShellRequest says what to run where.
type ShellRequest struct {
	Component, Pod, Container string // Pod empty: a ready one of the component; Container empty: the first
	Command                   []string
	TTY                       bool
	Stdin                     io.Reader // nil for none
	Stdout, Stderr            io.Writer // with TTY all goes to Stdout
	Resize                    <-chan TerminalSize
	Opened                    func(pod, container string) // told when the command runs; may be nil
}

// TerminalSize is in characters.
type TerminalSize struct{ Width, Height uint16 }

// Meter is a Driver that can tell what pods use.
type Meter interface {
	// Usage gives what each pod used of late. Unavailable with code METRICS_MISSING when nothing in the place measures.
	Usage(ctx context.Context, ref Ref) ([]PodUsage, error)
}

// PodUsage is what a pod uses, and what it asked for.
type PodUsage struct {
	Component, Pod          string
	At                      time.Time
	CPU, Memory             int64 // thousandths of a core, bytes
	CPURequest, CPULimit    int64 // 0 for none
	MemoryRequest, MemLimit int64
}

// Operator is a Driver whose workloads can be moved by hand.
type Operator interface {
	// Restart lets the pods of a component (empty: of all) be made anew, without an interruption where the workload allows it. It gives the workloads that it
	// restarted; NotFound when there is none.
	Restart(ctx context.Context, ref Ref, component string, now time.Time) ([]blueberry.ObjectRef, error)
	// Scale sets how many pods a workload runs, by its scale subresource. Provision calls it only for workloads whose manifest leaves the number open.
	Scale(ctx context.Context, ref Ref, workload blueberry.ObjectRef, replicas int) error
	// Replicas tells how many pods each workload of the environment asks for now.
	Replicas(ctx context.Context, ref Ref) (map[blueberry.ObjectRef]int, error)
}

// Scanner is a Driver that can list everything with our labels, whatever environment it is of.
type Scanner interface {
	// Scan gives all that carries the labels of any project and environment, in every API group, a kind at a time and without holding it all in one answer.
	// Objects that another object controls are left out, unless it is gone.
	Scan(ctx context.Context, found func(ref Ref, o blueberry.ObjectRef, since time.Time)) error
}

// Holdup is a Driver that can tell why what it removes does not go.
type Holdup interface {
	// Leftovers looks at objects that Remove gave as remaining.
	Leftovers(ctx context.Context, ref Ref, left []blueberry.ObjectRef) ([]blueberry.Leftover, error)
}

// Delivery is a Driver whose place takes manifests from Git by itself. Provision commits before it calls Sync, and what is in Git is what the place takes.
type Delivery interface {
	// Admit is nil when nothing of others stands where the objects of d shall be; else it is as Sync would say. It is called before the commit, because
	// after it the place takes whatever is there.
	Admit(ctx context.Context, d Desired) error
	// Files gives what must stand in Git beside the manifests so that the place finds them: path below "targets/<target>/" → content. While an environment
	// is being removed these files go first: from then on the place does not sync it any more.
	Files(ref Ref, ignore []blueberry.DriftIgnore) map[string][]byte
	// Moved tells that the repository has a new commit for the environment, so that the place need not find out by asking. It does not wait.
	Moved(ctx context.Context, ref Ref) error
}

// Releaser is a Driver that can let go of an environment without touching what runs, so that another driver can hold it.
type Releaser interface {
	// Release ends all that the place does by itself for an environment. It is called again until it is nil; nil is proof.
	Release(ctx context.Context, ref Ref) error
}

// Checker is a Driver that can tell what it lacks.
type Checker interface {
	// CheckAll looks at everything that the driver needs of its place: that it is there, each right, each definition. It fails only when the place cannot be
	// reached at all.
	CheckAll(ctx context.Context) ([]blueberry.TargetCheck, error)
}
