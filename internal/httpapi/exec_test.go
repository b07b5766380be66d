package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

type shell func(ctx context.Context, r target.ShellRequest) (int, error)

// shellRooms is a server with an environment in which commands do what the test says.
type shellRooms struct {
	client   *sdk.Client
	env      string
	draining chan struct{}
	log      *logBuffer
	answers  chan int // statuses of calls to run a command, when they are over
}

func newShellRooms(t *testing.T, run shell) shellRooms {
	t.Helper()
	r := roomstest.Open(t)
	r.Push(shopRepository, map[string]string{"blueberry.yaml": shopBlueprint})
	r.Shell = run
	out := shellRooms{draining: make(chan struct{}), log: &logBuffer{}, answers: make(chan int, 20)}
	d := r.Deps()
	d.Draining, d.Logger = out.draining, slog.New(slog.NewTextHandler(out.log, nil))
	d.Answered = func(route string, status int, _ time.Duration) {
		if strings.HasSuffix(route, "/exec") {
			out.answers <- status
		}
	}
	srv := httptest.NewServer(apiOf(t, d))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	out.client = &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Token, HTTPClient: srv.Client(), Waits: []time.Duration{}}
	out.env = got[sdk.Environment](t)(out.client.CreateEnvironment(t.Context(), shopRequest("pr-1"))).ID
	return out
}

// dial opens a shell.
func (s shellRooms) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	address, header, err := s.client.ExecTarget(t.Context(), s.env, sdk.ExecOptions{Component: "web", Command: []string{"sh", "-c", "a b,c"}, TTY: true})
	if err != nil {
		t.Fatal(err)
	}
	conn, res, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{sdk.ExecProtocol}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Body != nil {
		res.Body.Close()
	}
	if conn.Subprotocol() != sdk.ExecProtocol {
		t.Errorf("the subprotocol is %q", conn.Subprotocol())
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func say(t *testing.T, conn *websocket.Conn, channel byte, content string) {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.MessageBinary, append([]byte{channel}, content...)); err != nil {
		t.Fatal(err)
	}
}

// hear reads to the end, and gives what came by channel, and how the connection was closed.
func hear(t *testing.T, conn *websocket.Conn) (said map[byte]string, code websocket.StatusCode) {
	t.Helper()
	said = map[byte]string{}
	for {
		kind, message, err := conn.Read(t.Context())
		if err != nil {
			return said, websocket.CloseStatus(err)
		}
		if kind != websocket.MessageBinary || len(message) == 0 || len(message) > sdk.MaxExecMessage {
			t.Errorf("a message of %d bytes, kind %v", len(message), kind)
			continue
		}
		said[message[0]] += string(message[1:])
	}
}

func result(t *testing.T, text string) sdk.ExecResult {
	t.Helper()
	var r sdk.ExecResult
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("status %q: %v", text, err)
	}
	return r
}

func TestACommandRunsInAContainer(t *testing.T) {
	t.Parallel()
	asked := make(chan target.ShellRequest, 1)
	s := newShellRooms(t, func(_ context.Context, r target.ShellRequest) (int, error) {
		asked <- r
		r.Opened("web-1", "app")
		size := <-r.Resize
		in, err := io.ReadAll(r.Stdin)
		if err != nil {
			return 0, err
		}
		if _, err := io.WriteString(r.Stdout, strings.Repeat("o", 100_000)+string(in)); err != nil {
			return 0, err
		}
		_, err = io.WriteString(r.Stderr, strings.Repeat("e", int(size.Width)))
		return 7, err
	})
	conn := s.dial(t)
	say(t, conn, sdk.ExecResize, `{"width":120,"height":40}`)
	say(t, conn, sdk.ExecStdin, "hello ")
	say(t, conn, sdk.ExecStdin, "there")
	say(t, conn, sdk.ExecClose, "\x00")
	said, code := hear(t, conn)
	if out := said[sdk.ExecStdout]; len(out) != 100_011 || !strings.HasSuffix(out, "ohello there") || len(said[sdk.ExecStderr]) != 120 {
		t.Errorf("%d bytes of output, %d of errors", len(out), len(said[sdk.ExecStderr]))
	}
	if r := result(t, said[sdk.ExecStatus]); code != websocket.StatusNormalClosure || r.ExitCode == nil || *r.ExitCode != 7 || r.Error != nil {
		t.Errorf("it ended with %v %q", code, said[sdk.ExecStatus])
	}
	r := <-asked
	if diff := cmp.Diff([]string{"sh", "-c", "a b,c"}, r.Command); diff != "" || r.Component != "web" || !r.TTY {
		t.Errorf("the request is %+v (-want +got):\n%s", r, diff)
	}
}

func TestWhoBreaksTheProtocolIsCutOff(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		kind    websocket.MessageType
		message string
		code    websocket.StatusCode
	}{
		"text":          {"messages are binary", websocket.MessageText, "\x00ls", websocket.StatusUnsupportedData},
		"too long":      {"a message has a limit", websocket.MessageBinary, strings.Repeat("\x00", sdk.MaxExecMessage+1), websocket.StatusMessageTooBig},
		"no channel":    {"a message has one", websocket.MessageBinary, "", websocket.StatusPolicyViolation},
		"odd channel":   {"output is the server's", websocket.MessageBinary, "\x01x", websocket.StatusPolicyViolation},
		"odd size":      {"a size is JSON", websocket.MessageBinary, "\x04{}", websocket.StatusPolicyViolation},
		"huge size":     {"and short", websocket.MessageBinary, "\x04" + strings.Repeat(" ", 300) + `{"width":1,"height":1}`, websocket.StatusPolicyViolation},
		"odd end":       {"only the input ends", websocket.MessageBinary, "\xff\x01", websocket.StatusPolicyViolation},
		"end of two":    {"only the input ends", websocket.MessageBinary, "\xff\x00\x00", websocket.StatusPolicyViolation},
		"long enough":   {"the limit itself is fine, and then it goes", websocket.MessageBinary, strings.Repeat("\x00", sdk.MaxExecMessage), -1},
		"client leaves": {"without a word", 0, "", -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 1)
			s := newShellRooms(t, func(ctx context.Context, r target.ShellRequest) (int, error) {
				r.Opened("web-1", "app")
				_, _ = io.Copy(io.Discard, r.Stdin)
				<-ctx.Done()
				ended <- ctx.Err()
				return 0, ctx.Err()
			})
			conn := s.dial(t)
			if tc.kind != 0 {
				if err := conn.Write(t.Context(), tc.kind, []byte(tc.message)); err != nil {
					t.Fatal(err)
				}
			}
			if tc.code == -1 {
				_ = conn.CloseNow()
			} else if said, code := hear(t, conn); code != tc.code || len(said) != 0 {
				t.Errorf("%s: closed with %v after %v", tc.reason, code, said)
			}
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: the command ended with %v", tc.reason, err)
			}
		})
	}
}

func TestACommandThatFailsOrIsEndedSaysSo(t *testing.T) {
	t.Parallel()
	opened := make(chan struct{})
	s := newShellRooms(t, func(ctx context.Context, r target.ShellRequest) (int, error) {
		if len(r.Command) != 3 {
			return 0, blueberry.Errorf(blueberry.Conflict, "POD_NOT_READY", "web-1 is not ready")
		}
		_, _ = io.WriteString(r.Stdout, "x") // before it says that it runs
		close(opened)
		<-ctx.Done()
		return 0, ctx.Err()
	})
	address, header, err := s.client.ExecTarget(t.Context(), s.env, sdk.ExecOptions{Component: "web", Command: []string{"ls"}})
	if err != nil {
		t.Fatal(err)
	}
	conn := s.dial(t)
	<-opened
	close(s.draining)
	said, code := hear(t, conn)
	if r := result(t, said[sdk.ExecStatus]); r.Error == nil || r.Error.Code != "SERVER_STOPPING" || r.ExitCode != nil || said[sdk.ExecStdout] != "x" || code != websocket.StatusGoingAway {
		t.Errorf("a server that stops ends it with %v %q", code, said)
	}
	_, res, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{sdk.ExecProtocol}})
	if err == nil || res == nil || res.StatusCode != 409 || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("what does not run is answered %+v: %v", res, err)
	}
	statuses := []int{<-s.answers, <-s.answers}
	slices.Sort(statuses)
	if diff := cmp.Diff([]int{101, 409}, statuses); diff != "" || strings.Contains(s.log.String(), httpapitest.Token) {
		t.Errorf("the log says (-want +got):\n%s\n%s", diff, s.log)
	}
}

// TestShellsAreRefusedBeforeTheUpgrade dials with what must not do.
func TestShellsAreRefusedBeforeTheUpgrade(t *testing.T) {
	t.Parallel()
	s := newShellRooms(t, func(context.Context, target.ShellRequest) (int, error) {
		t.Error("a command was run")
		return 0, nil
	})
	for name, tc := range map[string]struct {
		reason, env, query string
		header             http.Header
		protocol           string
		status             int
	}{
		"nobody":         {"a credential is needed", s.env, "?command=ls&component=web", http.Header{}, sdk.ExecProtocol, 401},
		"in the query":   {"it is never part of the address", s.env, "?command=ls&component=web&access_token=" + httpapitest.Token, http.Header{}, sdk.ExecProtocol, 401},
		"viewer":         {"reading is not enough", s.env, "?command=ls&component=web", bearer(httpapitest.Viewer), sdk.ExecProtocol, 403},
		"stranger":       {"sees nothing", s.env, "?command=ls&component=web", bearer(httpapitest.Poor), sdk.ExecProtocol, 404},
		"absent":         {"there is none", "env_none", "?command=ls&component=web", bearer(httpapitest.Token), sdk.ExecProtocol, 404},
		"no command":     {"what to run", s.env, "?component=web", bearer(httpapitest.Token), sdk.ExecProtocol, 422},
		"odd query":      {"is told", s.env, "?command=ls&token=x", bearer(httpapitest.Token), sdk.ExecProtocol, 422},
		"other origin":   {"a page of another origin", s.env, "?command=ls&component=web", and(bearer(httpapitest.Token), "Origin", "https://evil.test"), sdk.ExecProtocol, 403},
		"cookie":         {"a session that does not say where it comes from", s.env, "?command=ls", and(http.Header{}, "Cookie", "__Host-blueberry=bls_x"), sdk.ExecProtocol, 403},
		"no protocol":    {"the client must speak ours", s.env, "?command=ls&component=web", bearer(httpapitest.Token), "", 426},
		"other protocol": {"the client must speak ours", s.env, "?command=ls&component=web", bearer(httpapitest.Token), "v5.channel.k8s.io", 426},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &websocket.DialOptions{HTTPHeader: tc.header}
			if tc.protocol != "" {
				o.Subprotocols = []string{tc.protocol}
			}
			conn, res, err := websocket.Dial(t.Context(), s.client.BaseURL+"/v1/environments/"+tc.env+"/exec"+tc.query, o)
			if err == nil {
				_ = conn.CloseNow()
			}
			if err == nil || res == nil || res.StatusCode != tc.status || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %+v, %v, want %d", tc.reason, res, err, tc.status)
			}
		})
	}
}

// TestShellsAreRefusedAfterTheUpgrade: who asks for it hears of a refusal in words, which a page is not shown of an answer.
func TestShellsAreRefusedAfterTheUpgrade(t *testing.T) {
	t.Parallel()
	s := newShellRooms(t, func(context.Context, target.ShellRequest) (int, error) {
		return 0, blueberry.Errorf(blueberry.Conflict, "NO_SUCH_CONTAINER", "pod web-1 has no container app")
	})
	for name, tc := range map[string]struct{ token, code string }{
		"viewer":   {httpapitest.Viewer, "GRANT_MISSING"},
		"stranger": {httpapitest.Poor, "ENVIRONMENT_NOT_FOUND"},
		"target":   {httpapitest.Token, "NO_SUCH_CONTAINER"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, _, err := websocket.Dial(t.Context(), s.client.BaseURL+"/v1/environments/"+s.env+"/exec?command=ls&component=web&upgrade_first=true",
				&websocket.DialOptions{HTTPHeader: bearer(tc.token), Subprotocols: []string{sdk.ExecProtocol}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.CloseNow() }()
			_, message, err := conn.Read(t.Context())
			if err != nil || len(message) == 0 || message[0] != sdk.ExecStatus {
				t.Fatalf("it says %q, %v", message, err)
			}
			var result sdk.ExecResult
			if err := json.Unmarshal(message[1:], &result); err != nil || result.Error == nil || result.Error.Code != tc.code || result.ExitCode != nil {
				t.Errorf("it says %s, %v, want %s", message[1:], err, tc.code)
			}
			if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
				t.Errorf("then %v", err)
			}
		})
	}
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func and(h http.Header, name, value string) http.Header {
	h.Set(name, value)
	return h
}
