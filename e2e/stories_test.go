package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestStories runs each stories/*.txtar: a user at a terminal, the real binary, a server of the story's own.
//
// Besides testscript's commands a story has:
//
//	server sim|kube|argocd|down [FLAGS…]
//	                       start a server: simulated cluster, the cluster of the test run, its Argo CD, or one that cannot be reached
//	                       $SETUP_LINK is the address at which the first owner makes their account
//	owner EMAIL PASSWORD   make that account
//	drain | crash          end it by SIGTERM or SIGKILL
//	sample DIR             copy the shipped sample
//	repository DIR         make DIR a Git repository with one commit; $COMMIT is its commit
//	kubectl ARGS…          the kubectl of the embedded cluster; ! and stdout work as with exec
//	deliver FILE HOW N     send what a host says of pull request N (HOW: open, draft, closed, again, forged) to the repository that "repo add -o json" told in FILE
//	push FILE BRANCH [COMMIT]
//	                       send that a branch is at a commit, or is gone
//	receiver [STATUS]      start a program that is told of events at $RECEIVER, or have it answer so from now on
//	received FILE          what it got, signed by the secret that "subscription add -o json" told in FILE
//	simhost [FLAGS…]       start a host of repositories; $HOST_URL is its address, "token" its token, "acme" its owner
//	hook FILE              have that host send deliveries of acme/shop to the repository that "repo add -o json" told in FILE
//	webhook FILE           $WEBHOOK is the webhook of the repository that "repo add -o json" told in FILE, secret.txt its secret
//	hostcall METHOD PATH [JSON]
//	                       call its API; stdout is the answer
//	shows PATTERN PATH     read a path of its API until the answer matches, for at most five minutes
//	await PATTERN ARGS…    run blueberry ARGS until its output matches, for at most five minutes
func TestStories(t *testing.T) {
	t.Parallel()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "stories",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(bin)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Setenv("GIT_TERMINAL_PROMPT", "0")
			env.Setenv("NO_COLOR", "1")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TARGET", fmt.Sprintf("t%04x", rand.IntN(1<<16))) // Argo CD is shared: its Applications are named by the target
			env.Values[receiverKey{}] = &receiver{}
			env.Values[storyKey{}] = &story{bin: bin, state: filepath.Join(env.WorkDir, ".state")}
			env.Setenv("BLUEBERRY_TOKEN_FILE", filepath.Join(env.WorkDir, ".state", "admin-token"))
			// Stories share one cluster, also with those of an earlier run: no two have an environment of the same name.
			env.Setenv("NAME", fmt.Sprintf("s-%s-%04x", strings.TrimPrefix(filepath.Base(env.WorkDir), "script-"), rand.IntN(1<<16)))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server":     cmdServer,
			"owner":      cmdOwner,
			"drain":      cmdDrain,
			"crash":      cmdCrash,
			"sample":     cmdSample,
			"repository": cmdRepository,
			"kubectl":    cmdKubectl,
			"await":      cmdAwait,
			"deliver":    cmdDeliver,
			"push":       cmdPush,
			"simhost":    cmdSimHost,
			"hook":       cmdHook,
			"webhook":    cmdWebhook,
			"hostcall":   cmdHostCall,
			"shows":      cmdShows,
			"receiver":   cmdReceiver,
			"received":   cmdReceived,
		},
	})
}

type storyKey struct{}

// story is the installation of one story.
type story struct {
	bin, state string
	args       []string
	server     *installation.Server
	listen     string
	said       []byte // the last delivery
}

// address is one that stays through restarts: Argo CD reads the repository there.
func (s *story) address(ts *testscript.TestScript) string {
	if s.listen == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		s.listen = l.Addr().String()
		ts.Check(l.Close())
	}
	return s.listen
}

func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

func cmdServer(ts *testscript.TestScript, _ bool, args []string) {
	s := storyOf(ts)
	if len(args) > 0 {
		switch args[0] {
		case "sim":
			s.args = []string{"--target-driver", "sim"}
		case "kube":
			s.args = []string{"--kubeconfig", os.Getenv("BLUEBERRY_TEST_KUBECONFIG"), "--listen", s.address(ts)} // where a host finds it again
		case "argocd":
			if !strings.Contains(os.Getenv("BLUEBERRY_TEST_WITH"), "argocd") {
				ts.Fatalf("the cluster has no Argo CD: run testenv -with argocd")
			}
			s.args = []string{"--kubeconfig", os.Getenv("BLUEBERRY_TEST_KUBECONFIG"), "--target-driver", "argocd", "--target", ts.Getenv("TARGET"), "--listen", s.address(ts)}
		case "down":
			s.args = []string{"--kubeconfig", deadKubeconfig(ts)}
		default:
			ts.Fatalf("server sim|kube|argocd|down")
		}
		s.args = append(s.args, args[1:]...)
	}
	server, err := installation.Host{Bin: s.bin, State: s.state, Args: append(s.args, "--log-level", "debug"), Watch: true}.Start()
	ts.Check(err)
	s.server = server
	ts.Defer(func() {
		server.Kill()
		for _, leak := range server.Leaks() {
			ts.Fatalf("the server's log holds a secret: %s", leak)
		}
	})
	ts.Setenv("BLUEBERRY_URL", server.URL)
	ts.Setenv("GIT_URL", server.GitURL())
	if link, err := os.ReadFile(filepath.Join(s.state, "setup-link")); err == nil { // there is none once somebody has used it
		ts.Setenv("SETUP_LINK", strings.TrimSpace(string(link)))
	}
}

// deadKubeconfig names a port that nobody listens on.
func deadKubeconfig(ts *testscript.TestScript) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	path := ts.MkAbs(".dead-kubeconfig")
	ts.Check(os.WriteFile(path, []byte(`apiVersion: v1
kind: Config
current-context: x
contexts: [{name: x, context: {cluster: x, user: x}}]
clusters: [{name: x, cluster: {server: "http://`+l.Addr().String()+`"}}]
users: [{name: x, user: {}}]
`), 0o600))
	return path
}

func cmdOwner(ts *testscript.TestScript, _ bool, args []string) {
	_, link, _ := strings.Cut(ts.Getenv("SETUP_LINK"), "?link=")
	_, err := storyOf(ts).server.Client.CompleteSetup(context.Background(), sdk.SetupRequest{Link: link, Email: args[0], Password: args[1]})
	ts.Check(err)
}

func cmdDrain(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(storyOf(ts).server.Stop()) }
func cmdCrash(ts *testscript.TestScript, _ bool, _ []string) { storyOf(ts).server.Kill() }

func cmdSample(ts *testscript.TestScript, _ bool, args []string) {
	wd, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(filepath.Join(wd, "..", "examples", "shop"))))
}

func cmdRepository(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(installation.Commit(context.Background(), dir))
	commit, err := installation.Git(context.Background(), dir, "rev-parse", "HEAD")
	ts.Check(err)
	ts.Setenv("COMMIT", strings.TrimSpace(commit))
}

func cmdKubectl(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(os.Getenv("BLUEBERRY_TEST_DEVCLUSTER_BIN"), append([]string{"kubectl", "--kubeconfig", os.Getenv("BLUEBERRY_TEST_KUBECONFIG")}, args...)...)
	if (err != nil) != neg {
		ts.Fatalf("kubectl %s: %v", strings.Join(args, " "), err)
	}
}

// cmdDeliver sends what a host says of a pull request (deliver ADDED-FILE open|draft|closed|again|forged NUMBER) to the webhook of a repository, as "repo add
// -o json" told it, and prints the answer.
func cmdDeliver(ts *testscript.TestScript, _ bool, args []string) {
	var added sdk.AddedRepository
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &added))
	s, how := storyOf(ts), args[1]
	if how != "again" {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		e := installation.PullEvent{Number: n, Action: how, Draft: how == "draft", Commit: ts.Getenv("COMMIT"), At: time.Now()}
		if how == "closed" {
			e.State = how
		}
		s.said = e.Body()
	}
	if how == "forged" {
		added.Secret += "x"
	}
	status, answer, err := s.server.Deliver(context.Background(), added.Repository, added.Secret, s.said)
	ts.Check(err)
	_, _ = fmt.Fprintf(ts.Stdout(), "%d %s\n", status, answer)
}

// cmdPush sends what a host says of a branch to the webhook of a repository, as cmdDeliver does.
func cmdPush(ts *testscript.TestScript, _ bool, args []string) {
	var added sdk.AddedRepository
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &added))
	data := map[string]string{"repository": "acme/shop", "branch": args[1]}
	if len(args) > 2 {
		data["commit"] = args[2]
	}
	body, err := json.Marshal(map[string]any{"event": "push", "timestamp": time.Now().UTC().Format(time.RFC3339Nano), "data": data})
	ts.Check(err)
	status, answer, err := storyOf(ts).server.Deliver(context.Background(), added.Repository, added.Secret, body)
	ts.Check(err)
	_, _ = fmt.Fprintf(ts.Stdout(), "%d %s\n", status, answer)
}

// cmdSimHost starts a host of repositories, which ends with the story.
func cmdSimHost(ts *testscript.TestScript, _ bool, args []string) {
	s := storyOf(ts)
	cmd := exec.CommandContext(context.Background(), s.bin, append([]string{"sim-host", "--listen", "127.0.0.1:0", "--dir", ts.MkAbs(".host"), "--token", "token", "--owner", "acme", "--json"}, args...)...)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	var said struct {
		URL string `json:"url"`
	}
	ts.Check(json.NewDecoder(out).Decode(&said))
	go func() { _, _ = io.Copy(io.Discard, out) }()
	ts.Setenv("HOST_URL", said.URL)
	ts.Setenv("HOST_GIT", strings.Replace(said.URL, "http://", "http://acme:token@", 1))
}

// hostCall calls the API of the story's host.
func hostCall(ts *testscript.TestScript, method, path, body string) string {
	req, err := http.NewRequestWithContext(context.Background(), method, ts.Getenv("HOST_URL")+path, strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Authorization", "token token")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	ts.Check(err)
	if res.StatusCode >= 300 {
		ts.Fatalf("%s %s: %d %s", method, path, res.StatusCode, answer)
	}
	return string(answer)
}

func cmdHook(ts *testscript.TestScript, _ bool, args []string) {
	var added sdk.AddedRepository
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &added))
	address, err := url.Parse(added.Repository.WebhookURL)
	ts.Check(err)
	hook, err := json.Marshal(map[string]any{
		"type": "gitea", "active": true, "events": []string{"pull_request"},
		"config": map[string]string{"url": ts.Getenv("BLUEBERRY_URL") + address.Path, "content_type": "json", "secret": added.Secret},
	})
	ts.Check(err)
	hostCall(ts, http.MethodPost, "/api/v1/repos/acme/shop/hooks", string(hook))
}

// cmdWebhook tells what a pipeline signs with, and where it calls.
func cmdWebhook(ts *testscript.TestScript, _ bool, args []string) {
	var added sdk.AddedRepository
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &added))
	address, err := url.Parse(added.Repository.WebhookURL)
	ts.Check(err)
	ts.Setenv("WEBHOOK", ts.Getenv("BLUEBERRY_URL")+address.Path)
	ts.Check(os.WriteFile(ts.MkAbs("secret.txt"), []byte(added.Secret+"\n"), 0o600))
}

func cmdHostCall(ts *testscript.TestScript, _ bool, args []string) {
	body := ""
	if len(args) > 2 {
		body = args[2]
	}
	_, _ = fmt.Fprintln(ts.Stdout(), hostCall(ts, args[0], args[1], body))
}

func cmdShows(ts *testscript.TestScript, _ bool, args []string) {
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	deadline := time.Now().Add(5 * time.Minute)
	for {
		got := hostCall(ts, http.MethodGet, args[1], "")
		if want.MatchString(got) {
			_, _ = fmt.Fprintln(ts.Stdout(), got)
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never matched %q; last:\n%s", args[1], args[0], got)
		}
		<-time.After(200 * time.Millisecond)
	}
}

func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(5 * time.Minute)
	for {
		_ = ts.Exec("blueberry", args[1:]...)
		out := ts.ReadFile("stdout") + ts.ReadFile("stderr")
		if strings.Contains(out, args[0]) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("blueberry %s never said %q; last:\n%s", strings.Join(args[1:], " "), args[0], out)
		}
		<-time.After(200 * time.Millisecond)
	}
}
