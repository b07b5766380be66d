package gitops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of Config.
const (
	defaultBranch  = "main"
	defaultTimeout = time.Minute
	defaultMaxPush = 64 << 20
)

// Config says where the repository is.
type Config struct {
	Dir    string // bare repository (embedded), or local mirror of the remote; nothing else may live in it
	Remote string // URL or path, without a password; empty for the embedded repository
	Branch string // empty means "main"

	// Credential for the remote over http(s). It reaches git through a pipe: not by an argument, the environment, a file or a log.
	Username, Password string

	Timeout      time.Duration // of one exchange with the remote; 0 means a minute. A first fetch may take ten times that.
	MaxPushBytes int64         // of one push to Handler; 0 means 64 MiB
	Logger       *slog.Logger  // nil means slog.Default
	OnBatch      func(Batch)   // told after every batch, from one goroutine; may be nil
}

// Batch is what one group commit did, for metrics.
type Batch struct {
	Changes  int           // that were answered together
	Commits  int           // that were made; the others were there already
	Attempts int           // 1 unless someone else moved the branch meanwhile
	Duration time.Duration // from taking the changes to their answers
	Err      error         // the answer to all of them
}

// Repository is the GitOps repository. Its methods may be called from many goroutines.
type Repository struct {
	config Config
	ref    string // "refs/heads/main"
	log    *slog.Logger
	git    git

	queue   queue
	tend    chan struct{}         // asks for maintenance
	tending sync.Mutex            // held while maintenance runs
	remote  chan struct{}         // holds a token while the mirror follows or leads the remote
	known   bool                  // the mirror is as new as our last word with the remote; guarded by remote
	trouble atomic.Pointer[error] // how the last exchange with the remote failed
	served  chan struct{}         // a slot for each process that serves a client
	history history
}

// Open makes or opens the repository. A remote that is down is no error here; a machine without git is.
func Open(ctx context.Context, c Config) (*Repository, error) {
	if c.Branch == "" {
		c.Branch = defaultBranch
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxPushBytes <= 0 {
		c.MaxPushBytes = defaultMaxPush
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if err := checkRemote(c.Remote); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil || c.Dir == "" {
		return nil, fmt.Errorf("open GitOps repository: no usable directory %q: %w", c.Dir, errors.Join(err, fs.ErrInvalid))
	}
	c.Dir = dir
	r := &Repository{
		config: c,
		ref:    "refs/heads/" + c.Branch,
		log:    c.Logger,
		queue:  queue{wake: make(chan struct{}, 1)},
		tend:   make(chan struct{}, 1),
		remote: make(chan struct{}, 1),
		served: make(chan struct{}, maxServed),
	}
	if r.git, err = findGit(ctx, dir); err != nil {
		return nil, err
	}
	if c.Remote != "" {
		// A mirror can be had again: syncing it to the disk would only give others time to be faster. As an argument this is ours alone, while
		// a remote on the same disk reads the settings, too.
		r.git.settings = []string{"-c", "core.fsync=none"}
	}
	if err := r.prepare(ctx); err != nil {
		return nil, fmt.Errorf("open GitOps repository: %w", err)
	}
	return r, nil
}

// Dir is the directory of an environment: "targets/<target>/<project>/<environment>".
func Dir(target, project, environment string) string {
	return "targets/" + target + "/" + project + "/" + environment
}

// Head is the commit that the branch points at, asked from the remote if there is one; "" while there is none.
func (r *Repository) Head(ctx context.Context) (string, error) {
	if r.config.Remote == "" {
		return r.head(ctx)
	}
	free, err := r.holdRemote(ctx)
	if err != nil {
		return "", err
	}
	defer free()
	if err := r.follow(ctx); err != nil {
		return "", err
	}
	return r.head(ctx)
}

// own is the folder of ours inside the bare repository: our configuration, the lock of the writer, stamps.
func (r *Repository) own(name string) string { return filepath.Join(r.config.Dir, "blueberry", name) }

// prepare may be cut off at any line and run again.
func (r *Repository) prepare(ctx context.Context) error {
	if err := refuseForeign(r.config.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.own(""), 0o750); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	if err := writeFile(r.own("gitconfig"), []byte(r.settings())); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	if _, err := r.git.run(ctx, localTimeout, nil, "check-ref-format", r.ref); err != nil {
		return fmt.Errorf("branch %q is not a name that Git allows: %w", r.config.Branch, err)
	}
	removeStale(r.config.Dir, locks, staleLock)
	// A repeated init keeps what is there and completes what is not.
	if _, err := r.git.run(ctx, localTimeout, nil, "init", "--quiet", "--bare", "--template=", "--initial-branch="+r.config.Branch, r.config.Dir); err != nil {
		return fmt.Errorf("make bare repository: %w", err)
	}
	if _, err := r.git.run(ctx, localTimeout, nil, "symbolic-ref", "HEAD", r.ref); err != nil {
		return fmt.Errorf("set the main branch: %w", err)
	}
	return nil
}

// settings is the whole of what git may know besides the repository's own config: no file of the user or the system is read.
func (r *Repository) settings() string {
	s := []string{
		"[safe]\n\tdirectory = *", // the directory was named by the operator, whoever owns it (a mounted volume)
		"[core]\n\tlogAllRefUpdates = false\n\tfilesRefLockTimeout = 1000",
		"[gc]\n\tauto = 0", // Run looks after the repository
		"[maintenance]\n\tauto = false",
		"[fastimport]\n\tunpackLimit = 1", // one pack for a batch: three files to sync instead of eight for each commit
		"[fetch]\n\tunpackLimit = 1",
		"[pack]\n\tthreads = 1",
		"[http]\n\tlowSpeedLimit = 100\n\tlowSpeedTime = 30\n\treceivepack = true",
	}
	if r.config.Remote == "" {
		s = append(s,
			fmt.Sprintf("[receive]\n\tdenyNonFastForwards = true\n\tdenyDeletes = true\n\tautogc = false\n\tunpackLimit = 1\n\tmaxInputSize = %d", r.config.MaxPushBytes),
			"[core]\n\tfsync = all\n\tfsyncMethod = fsync", // what was answered survives a power cut
			"[core]\n\thooksPath = /dev/null",              // not for a mirror: a remote on the same disk reads these settings, too, and has hooks
			"[transfer]\n\tfsckObjects = true",
			"[uploadpack]\n\tallowReachableSHA1InWant = true\n\tallowFilter = true")
	}
	return strings.Join(s, "\n") + "\n"
}

// refuseForeign keeps us from strewing a repository over a directory that holds something else.
func refuseForeign(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read directory: %w", err)
	}
	for _, e := range entries {
		switch e.Name() {
		case "blueberry", "HEAD":
			return nil
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty and not a bare Git repository", dir)
	}
	return nil
}

// checkRemote keeps passwords out of URLs, which end in process lists and messages, and out of reach what is no address.
func checkRemote(remote string) error {
	if remote == "" {
		return nil
	}
	if strings.HasPrefix(remote, "-") || strings.ContainsAny(remote, "\x00\r\n") || strings.Contains(remote, "::") {
		return errors.New("open GitOps repository: the remote is not a URL or path")
	}
	if u, err := url.Parse(remote); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			return errors.New("open GitOps repository: the URL of the remote holds a password; set username and password apart from it")
		}
	}
	return nil
}

// writeFile replaces a file, or leaves the old one.
func writeFile(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
