package render

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"time"
)

// Bounds of the templates of one chart. Steps and bytes decide the same way on every machine; time is the last resort, far above what the others allow.
// The largest charts of the wild take some 100,000 steps and 40 MiB of work.
const (
	maxSteps  = 500_000          // function calls, template calls, rounds of a loop
	maxWork   = 256 << 20        // bytes that functions return or templates write, in all
	maxString = 4 << 20          // bytes of one value
	maxValues = 1 << 18          // elements of one value, counted in depth; 16 bytes of text are one more
	maxDepth  = 200              // of one value
	maxNested = 400              // of include, template and tpl in one another: each takes some kilobytes of stack
	maxOutput = 8 << 20          // bytes of one component's manifests
	maxTime   = 10 * time.Second // of one component
	maxWait   = 2 * maxTime      // for a component that runs outside our templates (kustomize) and cannot be stopped
	maxRepeat = maxString        // count of repeat and its like
	maxRange  = maxValues        // elements of until and its like
	maxGrowth = int64(64) << 20  // length times length of what replace and its like may be given
)

// limitError says which bound a rendering ran into.
type limitError struct{ what string }

func (e *limitError) Error() string { return e.what }

func limitf(format string, args ...any) error { return &limitError{fmt.Sprintf(format, args...)} }

// budget is what one run of templates may still spend. It belongs to one goroutine, but for the flag that ends it.
type budget struct {
	steps, work int64
	nested      int
	late        atomic.Bool
}

// start begins the last-resort time limit; stop ends it.
func (b *budget) start() (stop func()) {
	t := time.AfterFunc(maxTime, func() { b.late.Store(true) })
	return func() { t.Stop() }
}

func (b *budget) step() error {
	b.steps++
	switch {
	case b.steps > maxSteps:
		return limitf("takes more than %d steps", maxSteps)
	case b.late.Load():
		return limitf("takes longer than %s", maxTime)
	}
	return nil
}

func (b *budget) spend(n int) error {
	if b.work += int64(n); b.work > maxWork {
		return limitf("makes more than %d bytes", maxWork)
	}
	return nil
}

// enter and leave count templates within templates.
func (b *budget) enter() error {
	if b.nested++; b.nested > maxNested {
		return limitf("calls templates more than %d deep", maxNested)
	}
	return b.step()
}

func (b *budget) leave() { b.nested-- }

// check bounds one value that a function returned. Values that are built of others are counted in depth: a list of itself, doubled thirty times, is
// small in memory and endless in print.
func (b *budget) check(v reflect.Value, built bool) error {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		if v.Len() > maxString {
			return limitf("makes a text of %d bytes, at most %d are allowed", v.Len(), maxString)
		}
		return b.spend(v.Len())
	case reflect.Slice, reflect.Map:
		if err := b.spend(16 * v.Len()); err != nil {
			return err
		}
		left := maxValues
		if !built && v.Len() <= left {
			return nil
		}
		if !count(v, &left, 0) {
			return limitf("makes a value of more than %d elements, or one that holds itself", maxValues)
		}
		return nil
	default:
		return nil
	}
}

// count takes the elements of v from left, and is false when they do not fit.
func count(v reflect.Value, left *int, depth int) bool {
	if *left--; *left < 0 || depth > maxDepth {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		*left -= v.Len() / 16
		return *left >= 0
	case reflect.Interface, reflect.Pointer:
		return v.IsNil() || count(v.Elem(), left, depth+1)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return true
		}
		for i := range v.Len() {
			if !count(v.Index(i), left, depth+1) {
				return false
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if !count(it.Value(), left, depth+1) {
				return false
			}
		}
	default:
	}
	return true
}
