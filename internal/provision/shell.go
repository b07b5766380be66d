package provision

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

const (
	shellRecordWithin = 10 * time.Second // the record has to take what a shell did
	shellTouchEvery   = time.Minute      // that a shell counts as use while it is open
	maxCommandText    = 200              // characters of a command that are told
)

// Shell runs a command in a container of an environment, and gives its exit code. That it was opened, on what, and by whom, is in the record before the
// command runs, and how it ended afterwards. Conflict with code ENVIRONMENT_ASLEEP when no pod runs on purpose.
func (p *Provisioner) Shell(ctx context.Context, actor blueberry.Actor, id string, r target.ShellRequest) (int, error) {
	e, err := p.environment(ctx, actor, id, blueberry.GrantEnvironmentsExec)
	if err != nil {
		return 0, err
	}
	if e.Phase == blueberry.Terminated {
		return 0, hasEnded(e)
	}
	if e.Restricted {
		return 0, p.deny(ctx, e, actor, blueberry.GrantEnvironmentsExec, "run a command in")
	}
	if e.Sleep.Asleep {
		return 0, blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ASLEEP", "%s is asleep and runs no pod; wake it first", e.Name)
	}
	if len(r.Command) == 0 {
		return 0, blueberry.Faults{{Field: "command", Code: "required", Message: "a command must be given"}}.Err()
	}
	place, err := p.place(e.Target)
	if err != nil {
		return 0, err
	}
	sheller, ok := place.Driver.(target.Sheller)
	if !ok {
		return 0, cannot("RUN_COMMANDS", e.Target, "run commands in containers")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &shellSession{p: p, e: e, actor: actor, request: r, pod: r.Pod, container: r.Container}
	opened := r.Opened
	r.Opened = func(pod, container string) {
		s.pod, s.container = pod, container
		if opened != nil {
			opened(pod, container)
		}
	}
	if err := s.open(ctx); err != nil {
		return 0, err
	}
	go s.touch(ctx)
	exit, err := sheller.Shell(ctx, refOf(e), r)
	cancel(nil)
	if closed := s.close(exit, err); closed != nil && err == nil {
		err = closed
	}
	return exit, err
}

// shellSession is one shell with what is told of it.
type shellSession struct {
	p              *Provisioner
	e              blueberry.Environment
	actor          blueberry.Actor
	request        target.ShellRequest
	pod, container string
	began          time.Time
}

// where names what a shell was asked for, or runs in.
func (s *shellSession) where() string {
	switch {
	case s.pod != "" && s.container != "":
		return fmt.Sprintf("container %s of pod %s", s.container, s.pod)
	case s.pod != "":
		return "pod " + s.pod
	case s.request.Component != "":
		return "component " + s.request.Component
	}
	return "a pod"
}

func (s *shellSession) command() string {
	text := blueberry.Redact(strings.Join(s.request.Command, " "))
	if r := []rune(text); len(r) > maxCommandText {
		text = string(r[:maxCommandText]) + "…"
	}
	return text
}

func (s *shellSession) open(ctx context.Context) error {
	s.began = s.p.Now()
	message := fmt.Sprintf("%s opened a shell in %s of %s: %s", s.actor.Name, s.where(), s.e.Name, s.command())
	return s.record(ctx, blueberry.EnvironmentShellOpened, message, map[string]any{
		"component": s.request.Component, "pod": s.pod, "container": s.container, "command": s.command(), "tty": s.request.TTY,
	})
}

// close notes the end of a shell, also when the one who had it open is gone.
func (s *shellSession) close(exit int, failed error) error {
	ctx, cancel := context.WithTimeout(context.Background(), shellRecordWithin)
	defer cancel()
	took := s.p.Now().Sub(s.began).Round(time.Second)
	message := fmt.Sprintf("%s closed the shell in %s of %s after %s with exit code %d", s.actor.Name, s.where(), s.e.Name, took, exit)
	fields := map[string]any{"pod": s.pod, "container": s.container, "exit_code": exit, "seconds": int(took / time.Second)}
	if failed != nil {
		message = fmt.Sprintf("the shell of %s in %s of %s ended after %s: %s", s.actor.Name, s.where(), s.e.Name, took, userText(failed))
		delete(fields, "exit_code")
	}
	return s.record(ctx, blueberry.EnvironmentShellClosed, message, fields)
}

// record tells what a shell did, and counts it as use.
func (s *shellSession) record(ctx context.Context, t blueberry.EventType, message string, fields map[string]any) error {
	err := s.p.Record.Update(ctx, func(tx Tx) error {
		if err := tx.TouchActivity(ctx, map[string]time.Time{s.e.ID: s.p.Now()}); err != nil {
			return err
		}
		return s.p.act(ctx, tx, s.e, s.actor, deed{t, blueberry.GrantEnvironmentsExec, message, nil, fields})
	})
	if err != nil {
		return fmt.Errorf("record shell: %w", err)
	}
	return nil
}

// touch counts a shell as use for as long as it is open.
func (s *shellSession) touch(ctx context.Context) {
	for pause(ctx, shellTouchEvery) {
		err := s.p.Record.Update(ctx, func(tx Tx) error { return tx.TouchActivity(ctx, map[string]time.Time{s.e.ID: s.p.Now()}) })
		if err != nil && ctx.Err() == nil {
			s.p.Logger.Warn("count a shell as use", "environment", s.e.ID, "error", err)
		}
	}
}
