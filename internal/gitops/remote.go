package gitops

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// batchRef holds a batch that is not yet pushed.
const batchRef = "refs/blueberry/batch"

// firstFetch is how many times the usual time-out a fetch may take: the first one brings the whole history.
const firstFetch = 10

// attemptRemote makes the batch on the last head we know of and pushes it; only a push that is taken, or a look at the remote, proves that the
// head was still that.
func (r *Repository) attemptRemote(ctx context.Context, batch []*waiting) ([]answer, int, error) {
	free, err := r.holdRemote(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer free()
	if !r.known {
		if err := r.follow(ctx); err != nil {
			return nil, 0, err
		}
	}
	head, err := r.head(ctx)
	if err != nil {
		return nil, 0, err
	}
	p, err := r.plan(ctx, head, batch)
	if err != nil {
		return nil, 0, r.renewIfDamaged(ctx, err)
	}
	if len(p.steps) == 0 {
		if err := r.follow(ctx); err != nil {
			return nil, 0, err
		}
		if now, err := r.head(ctx); err != nil || now != head {
			return nil, 0, errors.Join(errMoved, err)
		}
		return p.answers(nil), 0, nil
	}
	commits, err := r.write(ctx, p, batchRef)
	if err != nil {
		if ctx.Err() == nil {
			r.sweepFailed()
		}
		return nil, 0, r.renewIfDamaged(ctx, err)
	}
	tip := commits[len(commits)-1]
	if err := r.push(ctx, head, tip); err != nil {
		return nil, 0, err
	}
	if _, err := r.git.run(ctx, localTimeout, nil, "update-ref", r.ref, tip); err != nil {
		r.known = false // the push holds; the next batch looks again
	}
	return p.answers(commits), len(commits), nil
}

// holdRemote waits for the turn to change the mirror.
func (r *Repository) holdRemote(ctx context.Context) (free func(), err error) {
	select {
	case r.remote <- struct{}{}:
		return func() { <-r.remote }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// push is done, or errMoved, or tells why the remote does not take it. When the answer of the remote is lost, what the remote holds decides.
func (r *Repository) push(ctx context.Context, head, tip string) error {
	_, err := r.talk(ctx, r.config.Timeout, "push", "--porcelain", "--no-verify", "--no-signed", r.config.Remote, tip+":"+r.ref)
	if err == nil {
		return nil
	}
	r.known = false
	switch {
	case ctx.Err() != nil:
		return err
	case rivalled(err):
		return fmt.Errorf("%w: %w", errMoved, err) // the next attempt looks at the remote, after its pause and not before
	}
	if followErr := r.follow(ctx); followErr != nil {
		return followErr
	}
	now, headErr := r.head(ctx)
	switch {
	case headErr != nil:
		return headErr
	case now != head:
		return fmt.Errorf("%w from %.12s to %.12s", errMoved, head, now)
	case damaged(err):
		return r.renewIfDamaged(ctx, err)
	}
	r.log.Warn("GitOps remote refused a push", "error", err)
	return remoteError(err, refusal(err))
}

// follow makes the mirror's branch what the remote's is.
func (r *Repository) follow(ctx context.Context) error {
	r.known = false
	ours, err := r.head(ctx)
	if err != nil {
		return err
	}
	if ours != "" && r.fetch(ctx, r.config.Timeout) == nil {
		r.known = true
		return nil
	}
	out, err := r.talk(ctx, r.config.Timeout, "ls-remote", "--refs", r.config.Remote, r.ref)
	switch {
	case err != nil:
		return remoteError(err, "")
	case strings.Contains(string(out), "\t"+r.ref+"\n"):
		err := r.fetch(ctx, firstFetch*r.config.Timeout)
		if damaged(err) {
			_ = r.renewIfDamaged(ctx, err) // the fetch that follows finds what is left of the damage
			err = r.fetch(ctx, firstFetch*r.config.Timeout)
		}
		if err != nil {
			return err
		}
	case ours != "":
		// Someone removed the branch; what we knew of it is no more.
		if _, err := r.git.run(ctx, localTimeout, nil, "update-ref", "-d", r.ref); err != nil {
			return fmt.Errorf("forget the branch: %w", err)
		}
	}
	r.known = true
	return nil
}

func (r *Repository) fetch(ctx context.Context, timeout time.Duration) error {
	_, err := r.talk(ctx, timeout, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", r.config.Remote, "+"+r.ref+":"+r.ref)
	if err == nil {
		return nil
	}
	if r.branchLocked() {
		return fmt.Errorf("%w: the lock of the mirror is held: %w", errMoved, err)
	}
	return remoteError(err, "")
}

// renewIfDamaged empties a mirror whose objects or branch a power cut has damaged, and then gives errMoved: all it held is at the remote. Any other
// error is given back.
func (r *Repository) renewIfDamaged(ctx context.Context, err error) error {
	if !damaged(err) || ctx.Err() != nil {
		return err
	}
	r.log.Warn("the mirror of the GitOps remote is damaged and is made again", "error", err)
	r.known = false
	for _, name := range []string{"refs", "packed-refs", "objects"} {
		if removeErr := os.RemoveAll(filepath.Join(r.config.Dir, name)); removeErr != nil {
			return fmt.Errorf("empty the damaged mirror: %w", errors.Join(removeErr, err))
		}
	}
	if prepareErr := r.prepare(ctx); prepareErr != nil {
		return fmt.Errorf("make the mirror again: %w", prepareErr)
	}
	return fmt.Errorf("%w: the mirror was damaged: %w", errMoved, err)
}

// damaged reports whether git found its own objects or refs unreadable.
func damaged(err error) bool {
	return says(err, "corrupt", "bad object", "broken ref", "reference broken", "unable to resolve reference", "unable to read", "unable to find",
		"failed to read object", "not a tree", "not a valid object", "missing blob", "missing tree", "missing commit", "failed to traverse",
		"unresolved delta", "does not match index", "not a git packfile", "far too short", "cannot be accessed", "did not send all necessary objects")
}

// talk is a git that speaks with the remote. The credential goes through a pipe that only git's credential helper reads: an argument or the
// environment could be read from the process list, a file would stay behind after a kill. It is offered to the remote's own host only.
func (r *Repository) talk(ctx context.Context, timeout time.Duration, args ...string) ([]byte, error) {
	with := &extra{settings: []string{"-c", "credential.helper="}}
	if u, err := url.Parse(r.config.Remote); r.config.Password != "" && err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		if strings.ContainsAny(r.config.Username+r.config.Password, "\x00\r\n") {
			return nil, errors.New("the credential of the GitOps remote has a line break")
		}
		read, write, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("make a pipe: %w", err)
		}
		defer read.Close()
		_, err = fmt.Fprintf(write, "username=%s\npassword=%s\n", r.config.Username, r.config.Password)
		if err = errors.Join(err, write.Close()); err != nil {
			return nil, fmt.Errorf("pass the credential: %w", err)
		}
		with.files = []*os.File{read}
		with.settings = append(with.settings, "-c", fmt.Sprintf(`credential.%s://%s.helper=!f() { test "$1" = get && cat <&3; }; f`, u.Scheme, u.Host))
	}
	out, err := r.git.runWith(ctx, timeout, nil, with, args...)
	if err == nil {
		r.trouble.Store(nil)
	} else if told := remoteError(err, refusal(err)); ctx.Err() == nil && !rivalled(err) {
		r.trouble.Store(&told)
	}
	return out, err
}

// Check is nil when the repository can be read and, as far as the last exchange shows, its remote be reached. It asks nobody and does not wait.
func (r *Repository) Check(ctx context.Context) error {
	if _, err := r.head(ctx); err != nil {
		return err
	}
	if trouble := r.trouble.Load(); trouble != nil {
		return *trouble
	}
	return nil
}

// rivalled reports whether a push was turned away because another one was faster.
func rivalled(err error) bool {
	return says(err, "fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "incorrect old value", "stale info", "failed to lock")
}

// refusal is the reason a remote gave: "[remote rejected] (pre-receive hook declined)".
func refusal(err error) string {
	var g *gitError
	if !errors.As(err, &g) {
		return ""
	}
	for line := range strings.Lines(g.stdout) {
		if _, reason, ok := strings.Cut(line, "rejected] ("); ok && strings.HasPrefix(line, "!") {
			return strings.TrimSuffix(strings.TrimSpace(reason), ")")
		}
	}
	return ""
}

// remoteError says for people and programs what is the matter with the remote. All of it may pass without a change of ours, so all is Unavailable.
func remoteError(err error, refused string) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	tell := func(code, detail string) error {
		return &outage{blueberry.Errorf(blueberry.Unavailable, code, "%s", detail), err}
	}
	switch {
	case refused != "":
		return tell("GITOPS_REMOTE_REFUSED", "the GitOps remote refuses the push: "+refused)
	case says(err, "could not read Username", "could not read Password", "Authentication failed", "Permission denied", "error: 403", "error: 401"):
		return tell("GITOPS_REMOTE_AUTH", "the GitOps remote does not accept the credential")
	case says(err, "not found", "does not appear to be a git repository", "does not exist", "no such file"):
		return tell("GITOPS_REMOTE_NOT_FOUND", "there is no repository at the address of the GitOps remote")
	}
	return tell("GITOPS_REMOTE_DOWN", "the GitOps remote cannot be reached")
}

// outage is what is the matter with the remote, in our words; what git said is for the log.
type outage struct {
	told  *blueberry.Error
	cause error
}

func (o *outage) Error() string   { return o.told.Error() }
func (o *outage) Unwrap() []error { return []error{o.told, o.cause} }

func says(err error, words ...string) bool {
	var g *gitError
	if !errors.As(err, &g) {
		return false
	}
	text := strings.ToLower(g.stderr + "\n" + g.stdout)
	for _, w := range words {
		if strings.Contains(text, strings.ToLower(w)) {
			return true
		}
	}
	return false
}
