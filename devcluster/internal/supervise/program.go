package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	firstPause  = 200 * time.Millisecond
	longestWait = 10 * time.Second
	steady      = 30 * time.Second // a child that lived this long starts again at once, as if for the first time
	logLimit    = 20 << 20         // bytes of log kept before the file makes way, once per start
	tailLines   = 5
)

// Program is a program to keep running.
type Program struct {
	Name  string // in progress lines
	Path  string
	Args  []string
	Env   []string
	Dir   string        // working directory
	Log   string        // file that takes its output
	Hold  []*os.File    // handed to the child as they are
	Grace time.Duration // how long it may take to end before it is killed

	// Foreign programs do not call EndWithParent; a shell does in their place what it would do.
	Foreign bool

	Tell func(line string)

	deaths atomic.Int64
	pid    atomic.Int64
}

// Deaths is how often it died by itself.
func (p *Program) Deaths() int { return int(p.deaths.Load()) }

// PID is the process that runs now, 0 for none.
func (p *Program) PID() int { return int(p.pid.Load()) }

// Run keeps the program running until ctx ends, then ends it and returns nil. It returns an error only when the program
// cannot be started at all.
func (p *Program) Run(ctx context.Context) error {
	pause := firstPause
	for {
		start := time.Now()
		state, err := p.once(ctx)
		if err != nil {
			return fmt.Errorf("start %s: %w", p.Name, err)
		}
		select {
		case <-ctx.Done():
			return nil
		default:
		}
		p.deaths.Add(1)
		if time.Since(start) >= steady {
			pause = firstPause
		}
		p.Tell(fmt.Sprintf("%s ended by itself (%s); starting it again in %s; the end of %s:", p.Name, state, pause, p.Log))
		for _, line := range Tail(p.Log, tailLines) {
			p.Tell("  | " + line)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(pause*2, longestWait)
	}
}

// once runs the program one time, to its end.
func (p *Program) once(ctx context.Context) (*os.ProcessState, error) {
	log, err := openLog(p.Log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	lifeline, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	path, args := p.Path, p.Args
	if p.Foreign {
		path, args = keeping(path, args, p.Grace)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, args...) // it is asked to end, below
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = p.Env, p.Dir, log, log
	cmd.ExtraFiles = append([]*os.File{lifeline}, p.Hold...)
	// A group of its own: Ctrl-C at the terminal reaches the supervisor alone, which then ends its children in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = errors.Join(cmd.Start(), lifeline.Close())
	if cmd.Process == nil {
		return nil, err
	}
	p.pid.Store(int64(cmd.Process.Pid))
	defer p.pid.Store(0)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
	}()
	select {
	case <-ended:
		return cmd.ProcessState, nil
	case <-ctx.Done():
	}
	_ = cmd.Process.Signal(syscall.SIGTERM) // fails only when it is gone, which is the aim
	select {
	case <-ended:
	case <-time.After(p.Grace):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the group: a shell between us and the program must not save it
		<-ended
	}
	return cmd.ProcessState, nil
}

func openLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}
