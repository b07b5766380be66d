//go:build faults

package app

import (
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

// faultPoint ends the process as kill -9 does when the step of BLUEBERRY_FAULT_STEP is reached for the BLUEBERRY_FAULT_NTH time (default 1).
func faultPoint() func(step string) {
	want := os.Getenv("BLUEBERRY_FAULT_STEP")
	nth, err := strconv.ParseInt(os.Getenv("BLUEBERRY_FAULT_NTH"), 10, 64)
	if err != nil {
		nth = 1
	}
	var seen atomic.Int64
	return func(step string) {
		if step == want && seen.Add(1) == nth {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing after the step may happen
		}
	}
}

// anotherHand lets a test alter what simulated places hold, beside Blueberry: each place that is opened takes JSON merge patches of objects at a socket of its
// own in the directory BLUEBERRY_FAULT_HAND.
func anotherHand(place *sim.Place) {
	dir := os.Getenv("BLUEBERRY_FAULT_HAND")
	if dir == "" {
		return
	}
	l, err := net.Listen("unix", filepath.Join(dir, rand.Text()[:8]))
	if err != nil {
		panic(err) // a test that set the directory wrongly
	}
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			change, err := io.ReadAll(r.Body)
			if err == nil {
				err = place.Patch(blueberry.ObjectRef{APIVersion: q.Get("api_version"), Kind: q.Get("kind"), Namespace: q.Get("namespace"), Name: q.Get("name")}, change)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusConflict)
			}
		}))
	}()
}
