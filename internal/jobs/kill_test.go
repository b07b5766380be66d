package jobs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// victimDSN makes this binary a process that takes jobs and never ends them.
const victimDSN = "BLUEBERRY_JOBS_TEST_VICTIM"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(victimDSN); dsn != "" {
		if err := victim(dsn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func victim(dsn string) error {
	ctx := context.Background()
	s, err := storetest.TryOpen(ctx, dsn)
	if err != nil {
		return err
	}
	defer s.Close() // and so it is not collected, which would close the file that holds the lock
	q, err := jobs.Open(ctx, jobs.Config{DB: s.DB(), ReadDB: s.ReadDB(), Dialect: s.Dialect(), Workers: map[blueberry.JobKind]jobs.Kind{
		kind: {Work: func(_ context.Context, j blueberry.Job) (jobs.Outcome, error) {
			fmt.Println("runs", j.Subject)
			select {}
		}},
	}})
	if err != nil {
		return err
	}
	return q.Run(ctx)
}

// startVictim starts the process and waits until it runs the job.
func startVictim(t *testing.T, dsn, subject string) (kill func()) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), victimDSN+"="+dsn)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // says that it was killed
		}
	}
	t.Cleanup(kill)
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- strings.TrimSpace(line)
	}()
	if got := receive(t, said, "the run in the other process"); got != "runs "+subject {
		t.Fatalf("the other process said %q", got)
	}
	return kill
}

func TestJobOfAKilledProcessRunsAgain(t *testing.T) {
	t.Parallel()
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		// The job is put there by a process that works on nothing.
		s, err := storetest.TryOpen(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		idle := func(context.Context, blueberry.Job) (jobs.Outcome, error) { return jobs.Outcome{}, nil }
		b := &bundle{t: t, dsn: dsn, store: s, queue: open(t, s, jobs.Kind{Work: idle})}
		b.enqueue("env_1")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		kill := startVictim(t, dsn, "env_1")

		ran := make(chan blueberry.Job, 10)
		k := jobs.Kind{Work: func(_ context.Context, j blueberry.Job) (jobs.Outcome, error) {
			ran <- j
			return jobs.Outcome{}, nil
		}}
		var killed time.Time
		if strings.HasPrefix(dsn, "sqlite") {
			_, err := storetest.TryOpen(t.Context(), dsn)
			if !errors.Is(err, blueberry.Unavailable) || !strings.Contains(err.Error(), "in use by process ") {
				t.Errorf("a second process got the record: %v", err)
			}
			kill()
			killed = time.Now()
			b.store = storetest.Open(t, dsn)
			b.works(k)
		} else {
			b.store = storetest.Open(t, dsn)
			b.works(k)
			select {
			case <-ran:
				t.Error("ran while the other process had it")
			default:
			}
			kill()
			killed = time.Now()
		}
		j := receive(t, ran, "the run after the kill")
		t.Logf("ran again after %s", time.Since(killed).Round(time.Millisecond))
		if j.Subject != "env_1" || j.Attempt != 2 || !strings.Contains(j.LastError, "process died") {
			t.Errorf("got %+v", j)
		}
		eventually(t, func() bool { return b.subjects() == 0 }, func() any { return b.list() })
	})
}

// A job that kills its process every time is dead some day.
func TestJobThatKillsIsBuried(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLiteDSN(t)
	idle := jobs.Kind{MaxAttempts: 2, Work: func(context.Context, blueberry.Job) (jobs.Outcome, error) { return jobs.Outcome{}, nil }}
	s, err := storetest.TryOpen(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{t: t, dsn: dsn, store: s, queue: open(t, s, idle)}
	b.enqueue("env_1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		startVictim(t, dsn, "env_1")()
	}
	b.store = storetest.Open(t, dsn)
	b.works(idle)
	b.only(blueberry.JobDead)
}

// A process that loses its presence ends its runs before another process begins them, and works on under another name.
func TestLostPresenceEndsTheRuns(t *testing.T) {
	t.Parallel()
	b := &bundle{t: t, dsn: storetest.PostgresDSN(t)}
	b.store = storetest.Open(t, b.dsn)
	var busy, runs atomic.Int32
	ended := make(chan error, 10)
	k := jobs.Kind{MaxAttempts: 1, Work: func(ctx context.Context, j blueberry.Job) (jobs.Outcome, error) {
		if busy.Add(1) != 1 {
			t.Error("two runs at once")
		}
		defer busy.Add(-1)
		if runs.Add(1) == 1 {
			<-ctx.Done()
			ended <- ctx.Err()
			return jobs.Outcome{}, ctx.Err()
		}
		ended <- nil
		return jobs.Outcome{}, nil
	}}
	b.works(k)
	run(t, open(t, storetest.Open(t, b.dsn), k))
	b.enqueue("env_1")
	eventually(t, func() bool { return busy.Load() == 1 }, func() any { return b.list() })
	b.exec(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	if err := receive(t, ended, "the end of the run"); !errors.Is(err, context.Canceled) {
		t.Errorf("the run ended with %v", err)
	}
	if err := receive(t, ended, "the run after"); err != nil {
		t.Errorf("the run after ended with %v", err)
	}
	b.only(blueberry.JobCompleted)
	b.enqueue("env_2") // both still work, or work again
	receive(t, ended, "another job")
}
