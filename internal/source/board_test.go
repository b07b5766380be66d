package source_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// board is a host that is spoken to: what hangs on it, and how often it was written to and asked.
type board struct {
	mu          sync.Mutex
	pulls       map[int]blueberry.PullRequest // as the host knows them
	comments    map[int][]string              // by pull request; the first line is the mark
	statuses    map[string][]source.CommitStatus
	deployments []source.Deployment
	edits       int
	asked       int // for what changed
	unchanged   int
	calls       int
	rights      map[string]blueberry.HostPermission
	said        map[string]source.Comment               // what people wrote, by number of the pull request and id
	fails       func(what string) (before, after error) // nil for never
}

func newBoard() *board {
	return &board{pulls: map[int]blueberry.PullRequest{}, comments: map[int][]string{}, statuses: map[string][]source.CommitStatus{}}
}

// begin locks, and gives the error of a call that is not acted on; and that of one that is, and whose answer is lost.
func (b *board) begin(what string) (before, after error) {
	b.mu.Lock()
	b.calls++
	if b.fails != nil {
		before, after = b.fails(what)
	}
	return before, after
}

func (b *board) Connect(context.Context, *source.Connection) error {
	before, _ := b.begin("connect")
	defer b.mu.Unlock()
	b.calls-- // it asks nobody
	return before
}

func (b *board) CloneAs(*source.Connection) (user, password string) { return "", "" }

func (b *board) SetStatus(_ context.Context, _ *source.Connection, commit string, s source.CommitStatus) error {
	before, after := b.begin("status")
	defer b.mu.Unlock()
	if before != nil {
		return before
	}
	if list := b.statuses[commit]; len(list) == 0 || list[len(list)-1] != s {
		b.statuses[commit] = append(list, s)
	}
	return after
}

func (b *board) WriteComment(_ context.Context, _ *source.Connection, number int, _, mark, text string) (string, error) {
	before, after := b.begin("comment")
	defer b.mu.Unlock()
	if before != nil {
		return "", before
	}
	list := b.comments[number]
	i := slices.IndexFunc(list, func(c string) bool { return strings.HasPrefix(c, mark) })
	if i < 0 {
		b.comments[number] = append(list, text)
		i = len(list)
	} else {
		list[i] = text
		b.edits++
	}
	return fmt.Sprint(i), after
}

func (b *board) SetDeployment(_ context.Context, _ *source.Connection, d source.Deployment) (string, error) {
	before, after := b.begin("deployment")
	defer b.mu.Unlock()
	if before != nil {
		return "", before
	}
	i := slices.IndexFunc(b.deployments, func(x source.Deployment) bool {
		return x.ID == d.ID || d.ID == "" && x.Environment == d.Environment && x.Commit == d.Commit
	})
	if i < 0 && d.State == source.DeploymentInactive {
		return "", after
	}
	if i < 0 {
		i = len(b.deployments)
		b.deployments = append(b.deployments, source.Deployment{})
	}
	d.ID = fmt.Sprint(i + 1)
	b.deployments[i] = d
	return d.ID, after
}

func (b *board) ReadComment(_ context.Context, _ *source.Connection, number int, id string) (source.Comment, error) {
	before, after := b.begin("read")
	defer b.mu.Unlock()
	if before != nil {
		return source.Comment{}, before
	}
	said, known := b.said[fmt.Sprint(number, "/", id)]
	if !known {
		return said, source.NoComment()
	}
	return said, after
}

// has the host have a comment.
func (b *board) has(number int, id, author, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.said == nil {
		b.said = map[string]source.Comment{}
	}
	b.said[fmt.Sprint(number, "/", id)] = source.Comment{ID: id, Author: author, Text: text}
}

func (b *board) Permission(_ context.Context, _ *source.Connection, user string) (blueberry.HostPermission, error) {
	before, after := b.begin("permission")
	defer b.mu.Unlock()
	if before != nil {
		return blueberry.HostNone, before
	}
	if p, known := b.rights[user]; known {
		return p, after
	}
	return blueberry.HostNone, after
}

func (b *board) Changed(_ context.Context, _ *source.Connection, since time.Time, etag string) (source.Changes, error) {
	before, after := b.begin("changed")
	defer b.mu.Unlock()
	if before != nil {
		return source.Changes{}, before
	}
	b.asked++
	list := slices.SortedFunc(maps.Values(b.pulls), func(x, y blueberry.PullRequest) int {
		return cmp.Or(y.HostAt.Compare(x.HostAt), x.Number-y.Number)
	})
	out := source.Changes{ETag: fmt.Sprint(len(list))}
	if len(list) > 0 {
		out.ETag += list[0].HostAt.String() + string(list[0].State)
	}
	if out.ETag == etag {
		b.unchanged++
		return source.Changes{Unchanged: true}, after
	}
	for _, p := range list {
		if !p.HostAt.Before(since) && (!since.IsZero() || p.State == blueberry.PullOpen) {
			out.Pulls = append(out.Pulls, p)
		}
	}
	return out, after
}

// check compares the board with what should run, by name of the environment: one comment for each pull request that ever had one, no status that says again what
// the one before said, one deployment for each commit, and those of what runs alone are on.
func (b *board) check(t *testing.T, running map[string]string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, list := range b.comments {
		if len(list) != 1 {
			t.Errorf("pull request %d has %d comments", n, len(list))
		}
		if _, runs := running[fmt.Sprintf("pr-%d", n)]; runs == (strings.Contains(list[0], "removed") || strings.Contains(list[0], "not made")) {
			t.Errorf("pull request %d runs: %v; its comment says:\n%s", n, runs, list[0])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(running)) {
		if len(b.statuses[running[name]]) == 0 {
			t.Errorf("the commit of %s bears no status", name)
		}
	}
	for commit, list := range b.statuses {
		for i := 1; i < len(list); i++ {
			if list[i] == list[i-1] {
				t.Errorf("commit %s bears twice %+v", commit, list[i])
			}
		}
	}
	seen := map[string]bool{}
	on := map[string]string{}
	for _, d := range b.deployments {
		if key := d.Environment + " " + d.Commit; seen[key] {
			t.Errorf("two deployments of %s", key)
		} else {
			seen[key] = true
		}
		if d.State != source.DeploymentInactive {
			on[d.Environment] = d.Commit
		}
	}
	if !maps.Equal(on, running) {
		t.Errorf("deployments that are on: %v, that run: %v", on, running)
	}
}
