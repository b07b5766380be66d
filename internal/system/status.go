package system

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// lookTime is how long a part may take to answer.
const lookTime = 3 * time.Second

// keepTime is how long an answer is given again, so that many who look ask the parts no more often.
const keepTime = time.Second

// Probe is one part, and the way to ask it.
type Probe struct {
	Part blueberry.Part // as it is when the look finds nothing else: its kind, name, driver
	// Look tells how it is now, in the part that it is given: its State is up before, and its Fix is told only if it is not. An error means that it is down; people
	// read the error only where it is ours.
	Look func(ctx context.Context, p *blueberry.Part) error
}

// System is one server of the installation.
type System struct {
	Version   string
	Host      string
	StartedAt time.Time
	Database  string
	Probes    func(ctx context.Context) []Probe                                       // all that there are now
	Migration func(ctx context.Context) (has, want int64, err error)                  // of the record
	Jobs      func(ctx context.Context) (depth map[blueberry.JobState]int, err error) // by state
	Now       func() time.Time
	Logger    *slog.Logger

	mu   sync.Mutex
	last blueberry.SystemStatus
}

// Status asks every part how it is, all at once.
func (s *System) Status(ctx context.Context, actor blueberry.Actor) (blueberry.SystemStatus, error) {
	if err := actor.Can(blueberry.GrantSystemRead); err != nil {
		return blueberry.SystemStatus{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.Now(); s.last.At.IsZero() || now.Sub(s.last.At) >= keepTime {
		s.last = s.look(context.WithoutCancel(ctx)) // it is kept for others: that one asker went away must not stand in it
	}
	return s.last, nil
}

func (s *System) look(ctx context.Context) blueberry.SystemStatus {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	out := blueberry.SystemStatus{Version: s.Version, GoVersion: runtime.Version(), Host: s.Host, StartedAt: s.StartedAt, Database: s.Database}
	probes := s.Probes(ctx)
	found := make(chan blueberry.Part, len(probes))
	for _, p := range probes {
		go func() { found <- s.ask(ctx, p) }()
	}
	var err error
	if out.Migration, out.WantMigration, err = s.Migration(ctx); err != nil {
		s.Logger.WarnContext(ctx, "migrations could not be read", "error", err)
	}
	if out.Jobs, err = s.Jobs(ctx); err != nil {
		s.Logger.WarnContext(ctx, "jobs could not be counted", "error", err)
	}
	for range probes {
		out.Parts = append(out.Parts, <-found)
	}
	slices.SortFunc(out.Parts, func(a, b blueberry.Part) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	out.At = s.Now()
	return out
}

// ask looks at one part. One that ignores the time limit is left alone.
func (s *System) ask(ctx context.Context, p Probe) blueberry.Part {
	type answer struct {
		part blueberry.Part
		err  error
	}
	began, done := time.Now(), make(chan answer, 1)
	go func() {
		part := p.Part
		part.State = blueberry.PartUp
		err := p.Look(ctx, &part)
		done <- answer{part, err}
	}()
	a := answer{part: p.Part, err: context.DeadlineExceeded}
	select {
	case a = <-done:
	case <-ctx.Done():
	}
	if a.part.Asked && a.err == nil {
		a.part.Took = time.Since(began)
	}
	if a.err != nil {
		a.part.State = blueberry.PartDown
		a.part.Message = s.trouble(ctx, a.part, a.err)
	}
	if a.part.State == blueberry.PartUp || a.part.State == blueberry.PartOff {
		a.part.Fix = ""
	}
	return a.part
}

// trouble is what people may read of an error. What is not ours is for the log alone.
func (s *System) trouble(ctx context.Context, p blueberry.Part, err error) string {
	var e *blueberry.Error
	switch {
	case errors.As(err, &e):
		return e.Detail
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("did not answer within %s", lookTime)
	}
	s.Logger.WarnContext(ctx, "part of the system is down", "kind", p.Kind, "name", p.Name, "error", blueberry.Redact(err.Error()))
	return "does not answer; the log of the server says why"
}
