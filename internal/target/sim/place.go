package sim

import (
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Config is how a place behaves.
type Config struct {
	Seed uint64 // of all that is random
	// How long a pod takes for each step, on average; one takes from half to one and a half of it.
	Schedule, Start, Ready time.Duration
	// What the place says that it holds (target.Sizer); the zero Demand is more than any run asks for. Nothing is refused beyond it.
	Capacity blueberry.Demand
}

// plenty is the capacity of a place that none is set for: a hundred thousand cores, a pebibyte of memory.
func plenty() blueberry.Demand {
	return blueberry.Demand{CPU: 100_000_000, Memory: 1 << 50, Pods: 10_000_000}
}

// Faults are what is wrong with a place now.
type Faults struct {
	Unreachable bool          // no call gets through, no change is told
	Delay       time.Duration // each call takes this longer
	ApplyErrors float64       // 0 to 1: how often applying one object fails, in a way that passes
	CrashEvery  time.Duration // a pod somewhere crashes this often, and heals after ten times Config.Ready
}

// Place is one simulated place. Several drivers may hold it.
type Place struct {
	cfg  Config
	seed maphash.Seed

	mu         sync.Mutex
	random     *rand.Rand
	faults     Faults
	kinds      map[groupKind]*kind
	namespaces map[string]*namespace // "" holds what lives in none
	envs       map[envKey]*environment
	watchers   map[*target.Pacer]bool
	missed     map[target.Ref]bool // changed while unreachable
	clock      clock
	lines      uint64        // that containers said
	written    chan struct{} // closed at the next line that a container says
}

type envKey struct{ project, environment string }

func keyOf(r target.Ref) envKey { return envKey{r.Project, r.Environment} }

// environment is what the place holds with the labels of one.
type environment struct {
	key       envKey
	namespace string
	words     *words
	members   []*object
	notes     []note
	said      []said
	clean     uint64 // what was desired, when that stands just as the last Sync left them; 0 when that is not known
}

type namespace struct {
	self    *object // its Namespace object; nil for "" and for "default"
	objects map[objectName]*object
}

type objectName struct {
	kind *kind
	name string
}

// object is one object.
type object struct {
	kind       *kind
	apiVersion string
	namespace  string
	name       string
	env        *environment // whose labels it carries; nil for nobody
	ours       bool         // the driver applied it, whoever's labels it carries
	component  string
	live       content
	applied    content   // what the last apply said; zero before the first
	left       []string  // paths that it left to others
	altered    bool      // by another hand, since
	touched    time.Time // by another hand, at last; zero for never
	made       int64     // when, in seconds since 1970
	asked      int64     // when its deletion was asked for; 0 while it was not
	finalizers bool
	deleting   bool
	endpoints  bool           // a Service that should have some
	quota      map[string]int // ResourceQuota: "count/secrets"
	work       *work
}

func (o *object) ref() blueberry.ObjectRef {
	return blueberry.ObjectRef{APIVersion: o.apiVersion, Kind: o.kind.kind, Namespace: o.namespace, Name: o.name}
}

// NewPlace is an empty place.
func NewPlace(c Config) *Place {
	if c.Capacity == (blueberry.Demand{}) {
		c.Capacity = plenty()
	}
	p := &Place{
		cfg: c, seed: maphash.MakeSeed(), random: rand.New(rand.NewPCG(c.Seed, c.Seed)), kinds: builtIn(),
		namespaces: map[string]*namespace{}, envs: map[envKey]*environment{}, watchers: map[*target.Pacer]bool{}, missed: map[target.Ref]bool{},
		written: make(chan struct{}),
	}
	for _, n := range []string{"", "default"} { // the second is there from the start in every Kubernetes
		p.namespaces[n] = &namespace{objects: map[objectName]*object{}}
	}
	return p
}

// SetFaults changes what is wrong from now on.
func (p *Place) SetFaults(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	back := p.faults.Unreachable && !f.Unreachable
	chaos := f.CrashEvery > 0 && p.faults.CrashEvery == 0
	p.faults = f
	if chaos {
		p.after(f.CrashEvery, event{step: crash})
	}
	if !back {
		return
	}
	for w := range p.watchers {
		w.Mark(target.Ref{})
		for ref := range p.missed {
			w.Mark(ref)
		}
	}
	clear(p.missed)
}

// mark tells the watchers of a change.
func (p *Place) mark(env *environment) {
	if env == nil {
		return
	}
	ref := target.Ref{Project: env.key.project, Environment: env.key.environment, Namespace: env.namespace}
	if p.faults.Unreachable {
		p.missed[ref] = true
		return
	}
	for w := range p.watchers {
		w.Mark(ref)
	}
}

func (p *Place) environment(key envKey) *environment {
	env := p.envs[key]
	if env == nil {
		env = &environment{key: key}
		env.settle(blueberry.Namespace(key.project, key.environment))
		p.envs[key] = env
	}
	return env
}

// settle notes the namespace of an environment.
func (e *environment) settle(namespace string) {
	if e.namespace != namespace {
		e.namespace = namespace
		e.words = wordsOf(target.Ref{Project: e.key.project, Environment: e.key.environment, Namespace: namespace})
	}
}

// find gives an object by its name; nil when it is not there.
func (p *Place) find(ref blueberry.ObjectRef) *object {
	k, ns := p.kinds[groupKind{ref.Group(), ref.Kind}], p.namespaces[ref.Namespace]
	if k == nil || ns == nil {
		return nil
	}
	return ns.objects[objectName{k, ref.Name}]
}

// add puts a new object into its namespace, which must be there.
func (p *Place) add(o *object) {
	o.made = time.Now().Unix()
	p.namespaces[o.namespace].objects[objectName{o.kind, o.name}] = o
	if o.kind.is("", "Namespace") {
		p.namespaces[o.name] = &namespace{self: o, objects: map[objectName]*object{}}
	}
	p.give(o, o.env)
}

// give changes whose labels an object carries.
func (p *Place) give(o *object, env *environment) {
	if old := o.env; old != nil && old != env {
		old.members = slices.DeleteFunc(old.members, func(m *object) bool { return m == o })
		old.clean = 0
		p.mark(old)
		if len(old.members) == 0 {
			delete(p.envs, old.key)
		}
	}
	o.env = env
	if env != nil && !slices.Contains(env.members, o) {
		env.members = append(env.members, o)
	}
	p.mark(env)
}

// remove asks for an object to be deleted: it goes at once, or when nothing holds it any more. A namespace takes all that lives in it along.
func (p *Place) remove(o *object) {
	o.deleting, o.asked = true, time.Now().Unix()
	p.mark(o.env)
	if o.env != nil {
		o.env.clean = 0
	}
	if ns := p.namespaces[o.name]; o.kind.is("", "Namespace") && ns != nil {
		for _, inside := range slices.Collect(maps.Values(ns.objects)) {
			if !inside.deleting {
				p.remove(inside)
			}
		}
	}
	p.sweep(o)
}

// sweep lets an object go that is being deleted and that nothing holds.
func (p *Place) sweep(o *object) {
	if !o.deleting || o.finalizers {
		return
	}
	if ns := p.namespaces[o.name]; o.kind.is("", "Namespace") {
		if ns != nil && len(ns.objects) > 0 {
			return
		}
		delete(p.namespaces, o.name)
	}
	ns := p.namespaces[o.namespace]
	delete(ns.objects, objectName{o.kind, o.name})
	if o.work != nil {
		o.work.generation++ // its pods are gone
	}
	p.give(o, nil)
	if ns.self != nil {
		p.sweep(ns.self) // it may have waited for this one
	}
}

// denied says why a new object is over a quota of its namespace; empty when it is not.
func (p *Place) denied(o *object) string {
	resource := "count/" + o.kind.plural()
	have := 0
	limit := -1
	for _, x := range p.namespaces[o.namespace].objects {
		if x.kind == o.kind {
			have++
		}
		if n, ok := x.quota[resource]; ok && (limit < 0 || n < limit) {
			limit = n
		}
	}
	if limit < 0 || have < limit {
		return ""
	}
	return fmt.Sprintf("exceeded quota: requested: %s=1, used: %d, limited: %d", resource, have, limit)
}

// Counts tells how much the place holds.
func (p *Place) Counts() (environments, objects int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.envs {
		objects += len(e.members)
	}
	return len(p.envs), objects
}

// Labelled lists what carries the labels of an environment.
func (p *Place) Labelled(ref target.Ref) []blueberry.ObjectRef {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.labelled(keyOf(ref))
}

func (p *Place) labelled(key envKey) []blueberry.ObjectRef {
	env := p.envs[key]
	if env == nil {
		return nil
	}
	out := make([]blueberry.ObjectRef, 0, len(env.members))
	for _, o := range env.members {
		out = append(out, o.ref())
	}
	slices.SortFunc(out, func(a, b blueberry.ObjectRef) int { return strings.Compare(a.String(), b.String()) })
	return out
}
