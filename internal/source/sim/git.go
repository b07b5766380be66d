package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// gitDeadline is how long one command of git may take.
const gitDeadline = time.Minute

// gitSettings is all the configuration that git reads here: no file of the user or the system.
const gitSettings = `[safe]
	directory = *
[core]
	hooksPath = /dev/null
[init]
	defaultBranch = main
[gc]
	auto = 0
[maintenance]
	auto = false
[pack]
	threads = 1
[http]
	receivepack = true
[receive]
	hideRefs = refs/pull
	fsckObjects = true
[uploadpack]
	allowAnySHA1InWant = true
	allowFilter = true
`

// git is the git command and the surroundings in which it runs.
type git struct {
	path, backend string
	env           []string
}

func findGit(ctx context.Context, dir string) (git, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return git{}, fmt.Errorf("find the git command, which must be installed: %w", err)
	}
	config := filepath.Join(dir, "gitconfig")
	if err := replaceFile(config, []byte(gitSettings)); err != nil {
		return git{}, fmt.Errorf("write the configuration of git: %w", err)
	}
	g := git{path: path, env: []string{
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + config, "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1", "LC_ALL=C", "TZ=UTC", "HOME=" + dir,
	}}
	for _, name := range []string{"PATH", "TMPDIR"} { // nothing else of ours: it may hold secrets
		if v, ok := os.LookupEnv(name); ok {
			g.env = append(g.env, name+"="+v)
		}
	}
	execPath, err := g.run(ctx, dir, nil, nil, "--exec-path")
	if err != nil {
		return git{}, err
	}
	g.backend = filepath.Join(execPath, "git-http-backend")
	if _, err := os.Stat(g.backend); err != nil {
		return git{}, fmt.Errorf("find git http-backend, which belongs to git: %w", err)
	}
	return g, nil
}

// run runs git in a repository, and gives what it prints without the line break at its end.
func (g git) run(ctx context.Context, dir string, stdin []byte, env []string, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitDeadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, g.path, argv...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, append(slices.Clip(g.env), env...), bytes.NewReader(stdin)
	cmd.WaitDelay = 30 * time.Second
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		text := stderr.String()
		return strings.TrimSuffix(out.String(), "\n"), fmt.Errorf("git %s: %w: %.500s", argv[0], err, strings.TrimSpace(text))
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// said reports whether git ended with 1, which is how it says no.
func said(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == 1
}

// init makes a bare repository, whole or not at all.
func (g git) init(ctx context.Context, dir, branch string) error {
	if err := os.RemoveAll(dir); err != nil { // of one that nobody was told of
		return err
	}
	_, err := g.run(ctx, filepath.Dir(dir), nil, nil, "init", "--quiet", "--bare", "--initial-branch="+branch, dir)
	return err
}

// heads gives the commits of all branches.
func (g git) heads(ctx context.Context, dir string) (map[string]string, error) {
	out, err := g.run(ctx, dir, nil, nil, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/")
	if err != nil {
		return nil, err
	}
	heads := map[string]string{}
	for line := range strings.Lines(out) {
		if sha, ref, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " refs/heads/"); ok {
			heads[ref] = sha
		}
	}
	return heads, nil
}

// hasCommit reports whether the repository holds the commit.
func (g git) hasCommit(ctx context.Context, dir, sha string) bool {
	_, err := g.run(ctx, dir, nil, nil, "cat-file", "-e", sha+"^{commit}")
	return err == nil
}

// fetch brings a commit from another repository.
func (g git) fetch(ctx context.Context, dir, from, sha string) error {
	_, err := g.run(ctx, dir, nil, []string{"GIT_ALLOW_PROTOCOL=file"}, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", from, sha)
	return err
}

// mergeBase gives the commit that two have in common; empty when there is none.
func (g git) mergeBase(ctx context.Context, dir, a, b string) (string, error) {
	out, err := g.run(ctx, dir, nil, nil, "merge-base", a, b)
	if said(err) {
		return "", nil
	}
	return out, err
}

// mergeTree gives the tree of two commits merged; ok is false when they do not go together.
func (g git) mergeTree(ctx context.Context, dir, base, head string) (tree string, ok bool, err error) {
	out, err := g.run(ctx, dir, nil, nil, "merge-tree", "--write-tree", "--no-messages", base, head)
	if said(err) {
		return "", false, nil
	}
	return out, err == nil, err
}

// commit makes a commit of a tree.
func (g git) commit(ctx context.Context, dir, tree, message, author string, at time.Time, parents ...string) (string, error) {
	date := "@" + strconv.FormatInt(at.Unix(), 10) + " +0000"
	argv := []string{"commit-tree", tree}
	for _, p := range parents {
		argv = append(argv, "-p", p)
	}
	return g.run(ctx, dir, []byte(message), []string{
		"GIT_AUTHOR_NAME=" + author, "GIT_AUTHOR_EMAIL=" + email(author), "GIT_AUTHOR_DATE=" + date,
		"GIT_COMMITTER_NAME=" + author, "GIT_COMMITTER_EMAIL=" + email(author), "GIT_COMMITTER_DATE=" + date,
	}, argv...)
}

func email(name string) string { return strings.ToLower(name) + "@noreply.sim.invalid" }

// readme makes the first commit of a branch, with one file.
func (g git) readme(ctx context.Context, dir, branch, text, author string, at time.Time) error {
	blob, err := g.run(ctx, dir, []byte(text), nil, "hash-object", "-w", "--stdin")
	if err != nil {
		return err
	}
	tree, err := g.run(ctx, dir, []byte("100644 blob "+blob+"\tREADME.md\n"), nil, "mktree")
	if err != nil {
		return err
	}
	sha, err := g.commit(ctx, dir, tree, "Initial commit\n", author, at)
	if err != nil {
		return err
	}
	_, err = g.run(ctx, dir, nil, nil, "update-ref", "refs/heads/"+branch, sha)
	return err
}

type commit struct {
	SHA, Name, Email, Message string
	At                        time.Time
}

// log gives the newest commits that after has and before has not, the newest first, and at most a few.
func (g git) log(ctx context.Context, dir, before, after string) ([]commit, error) {
	argv := []string{"log", "-z", "-n", "5", "--format=%H%n%an%n%ae%n%ct%n%B", after}
	if before != "" && g.hasCommit(ctx, dir, before) {
		argv = append(argv, "^"+before)
	}
	out, err := g.run(ctx, dir, nil, nil, argv...)
	if err != nil || out == "" {
		return nil, err
	}
	var found []commit
	for one := range strings.SplitSeq(out, "\x00") {
		part := strings.SplitN(one, "\n", 5)
		if len(part) < 5 {
			continue
		}
		at, _ := strconv.ParseInt(part[3], 10, 64)
		found = append(found, commit{SHA: part[0], Name: part[1], Email: part[2], At: time.Unix(at, 0).UTC(), Message: part[4]})
	}
	return found, nil
}
