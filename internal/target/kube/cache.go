package kube

import (
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// cache is what is known of the place: for each watched kind the objects with our labels, found by environment.
type cache struct {
	client dynamic.Interface // of the watches
	seed   maphash.Seed
	log    *slog.Logger

	latches bool // another applies for us and puts right what is altered: that it was altered is kept until Adopt

	mu       sync.Mutex
	kinds    map[schema.GroupVersionKind]*kind
	envs     map[envKey]*environment
	awaited  map[*kind]error // kinds whose state is not known now, with the last error; empty means that the place is in view
	lost     bool            // the place is out of view for a fault, not because we just began
	watchers map[*target.Pacer]bool
}

// kind is one kind that is watched. Its fields are guarded by cache.mu.
type kind struct {
	gvk        schema.GroupVersionKind
	apiVersion string
	resource   schema.GroupVersionResource
	records    map[name]*record
	isSynced   bool  // the first list is in
	refused    error // why the place does not let us list it
}

// environment is what is known of one environment.
type environment struct {
	namespace string // by the rule, until a Sync says otherwise
	records   map[*record]bool
	applied   map[blueberry.ObjectRef]applied
	touched   map[blueberry.ObjectRef]touch     // what another hand altered since the last Adopt
	explained map[blueberry.ObjectRef]explained // by Explain, of objects that are not right
	again     bool                              // another look of Explain is due, and will be told as a change
	digest    uint64                            // over the sums of the records
	told      uint64                            // the digest when its last change was passed on
}

// applied is what our last apply of an object asked for and left behind.
type applied struct {
	hash  uint64 // of the manifest
	owned uint64
	left  *exempt // fields that owned does not look at
}

// stands reports whether an object is as the apply left it. What was read without heed to the fields that the apply left to others tells nothing.
func (a applied) stands(r *record) bool { return a.left.same(r.left) && a.owned == r.owned }

// drifted reports whether an object is known not to be as the apply left it.
func (a applied) drifted(r *record) bool { return a.left.same(r.left) && a.owned != r.owned }

func newCache(log *slog.Logger) *cache {
	return &cache{
		seed: maphash.MakeSeed(), log: log,
		kinds: map[schema.GroupVersionKind]*kind{}, envs: map[envKey]*environment{},
		awaited: map[*kind]error{}, watchers: map[*target.Pacer]bool{},
	}
}

// put notes an object as the place told it; what is older than what is known is left out, so that our own apply is not undone by a late watch.
func (c *cache) put(r *record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putLocked(r, false)
}

// putLocked notes an object. Of one version what was read after our apply is kept: it heeds what that left to others.
func (c *cache) putLocked(r *record, applied bool) {
	old := r.kind.records[r.name]
	if old != nil {
		if r.version != 0 && (r.version < old.version || r.version == old.version && !applied) {
			return
		}
		if old.env == r.env && old.sum == r.sum {
			old.version, old.left = r.version, r.left
			return
		}
		c.dropLocked(old)
	}
	if r.env.environment == "" {
		return // no longer ours
	}
	env := c.environment(r.env)
	r.kind.records[r.name] = r
	env.records[r] = true
	env.digest ^= r.sum
	if last, ok := env.applied[r.ref()]; c.latches && ok && !applied && last.drifted(r) {
		env.touch(r.ref(), false)
	}
	c.mark(r.env)
}

// remove notes that an object is gone as of a version.
func (c *cache) remove(k *kind, n name, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := k.records[n]; old != nil && (version == 0 || version >= old.version) {
		c.lostLocked(old)
	}
}

// replace notes all objects of a kind as of a version. It keeps what we applied after that.
func (c *cache) replace(k *kind, list []*record, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	listed := make(map[name]bool, len(list))
	for _, r := range list {
		listed[r.name] = true
		c.putLocked(r, false)
	}
	for n, old := range k.records {
		if !listed[n] && (version == 0 || old.version <= version) {
			c.lostLocked(old)
		}
	}
	k.isSynced = true
}

// lostLocked notes that an object is gone.
func (c *cache) lostLocked(r *record) {
	if env := c.envs[r.env]; c.latches && env != nil {
		if _, ok := env.applied[r.ref()]; ok {
			env.touch(r.ref(), true)
		}
	}
	c.dropLocked(r)
}

// touch is what another hand did to an object.
type touch struct {
	deleted bool      // stays so, whatever is made in its place
	at      time.Time // when it was seen last
}

// touch keeps that another hand was at an object.
func (e *environment) touch(o blueberry.ObjectRef, deleted bool) {
	if e.touched == nil {
		e.touched = map[blueberry.ObjectRef]touch{}
	}
	e.touched[o] = touch{deleted: deleted || e.touched[o].deleted, at: time.Now()}
}

// knows reports whether it is known what was applied of an environment.
func (c *cache) knows(key envKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	env := c.envs[key]
	return env != nil && len(env.applied) > 0
}

func (c *cache) dropLocked(r *record) {
	delete(r.kind.records, r.name)
	env := c.envs[r.env]
	if env == nil {
		return
	}
	delete(env.records, r)
	env.digest ^= r.sum
	c.mark(r.env)
	if len(env.records) == 0 { // what was applied is told by what is there
		delete(c.envs, r.env)
	}
}

func (c *cache) environment(key envKey) *environment {
	env := c.envs[key]
	if env == nil {
		env = &environment{namespace: blueberry.Namespace(key.project, key.environment), records: map[*record]bool{}, applied: map[blueberry.ObjectRef]applied{}}
		c.envs[key] = env
	}
	return env
}

// mark tells the watchers that something of an environment changed.
func (c *cache) mark(key envKey) {
	if len(c.watchers) == 0 {
		return
	}
	ref := target.Ref{Project: key.project, Environment: key.environment, Namespace: blueberry.Namespace(key.project, key.environment)}
	if env := c.envs[key]; env != nil {
		ref.Namespace = env.namespace
	}
	for p := range c.watchers {
		p.Mark(ref)
	}
}

// noteApplied keeps the answer of an apply: as the newest known state, and as what to hold drift against.
func (c *cache) noteApplied(k *kind, ref target.Ref, m manifest, answer *unstructured.Unstructured) *record {
	r := summarize(c.seed, k, answer, m.left)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putLocked(r, true)
	env := c.environment(keyOf(ref))
	env.namespace = ref.Namespace
	env.applied[m.ref] = applied{hash: m.hash, owned: r.owned, left: m.left}
	return r
}

// read makes a record of what the place told, with heed to what our last apply of the object left to others.
func (c *cache) read(k *kind, u *unstructured.Unstructured) *record {
	var left *exempt
	c.mu.Lock()
	if env := c.envs[envOf(u.GetLabels())]; env != nil {
		left = env.applied[blueberry.ObjectRef{APIVersion: k.apiVersion, Kind: k.gvk.Kind, Namespace: u.GetNamespace(), Name: u.GetName()}].left
	}
	c.mu.Unlock()
	return summarize(c.seed, k, u, left)
}

// holds gives the record of an object that stands as it was applied, by this very document. An object whose watch is interrupted does not count.
func (c *cache) holds(k *kind, ref target.Ref, m manifest) (record, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k == nil {
		return record{}, false
	}
	r, env := k.records[name{m.ref.Namespace, m.ref.Name}], c.envs[keyOf(ref)]
	if r == nil || env == nil || !k.isSynced || r.deleting || r.env != keyOf(ref) {
		return record{}, false
	}
	if _, interrupted := c.awaited[k]; interrupted {
		return record{}, false
	}
	if _, touched := env.touched[m.ref]; touched {
		return record{}, false
	}
	last, ok := env.applied[m.ref]
	return *r, ok && last.hash == m.hash && last.stands(r)
}

// forget drops what we applied for an environment that is gone.
func (c *cache) forget(key envKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	env := c.envs[key]
	if env == nil {
		return
	}
	env.applied, env.touched = map[blueberry.ObjectRef]applied{}, nil
	if len(env.records) == 0 {
		delete(c.envs, key)
	}
}
