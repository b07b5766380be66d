package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	endTime      = 10 * time.Second // that a client may take to hear how the command ended
	pingEvery    = 20 * time.Second // below the idle time of common proxies, 60 s
	execPatience = time.Minute      // that a client may take for one message or the answer to a ping: a terminal may be held for a while
	maxResize    = 256              // bytes of a message that tells a size
)

// shellSession is one command with its connection. The connection is opened when the command runs, or with the first thing that it says.
type shellSession struct {
	shells
	w      http.ResponseWriter
	r      *http.Request
	always bool // open it for a refusal, too
	cancel context.CancelCauseFunc

	opening sync.Once
	conn    *websocket.Conn // nil before, and when the upgrade failed
	failed  error           // of the upgrade
	beside  sync.WaitGroup

	stdin   *io.PipeReader
	input   *io.PipeWriter
	resize  chan target.TerminalSize
	blocked atomic.Bool // the command does not take its input, so that no answer to a ping is read
}

func newShellSession(h shells, w http.ResponseWriter, r *http.Request, always bool) *shellSession {
	s := &shellSession{shells: h, w: w, r: r, always: always, resize: make(chan target.TerminalSize, 1)}
	s.stdin, s.input = io.Pipe()
	return s
}

// errLeft says that the client went away, errProtocol that it did not keep to the protocol, which has closed the connection already.
var (
	errLeft     = errors.New("the client left")
	errProtocol = errors.New("the client broke the protocol")

	errNoUpgrade = errors.New("the connection cannot be upgraded")
)

func (s *shellSession) run(parent context.Context, id string, request target.ShellRequest) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	s.cancel = cancel
	request.Stdin, request.Stdout, request.Stderr, request.Resize = s.stdin, shellOutput{s, ctx, sdk.ExecStdout}, shellOutput{s, ctx, sdk.ExecStderr}, s.resize
	request.Opened = func(string, string) { s.open(ctx) }
	exit, err := s.operations.Shell(ctx, actorOf(parent), id, request)
	_ = s.stdin.Close()
	if err == nil || s.always {
		s.open(ctx) // it said nothing
	}
	if s.conn == nil {
		switch {
		case errors.Is(s.failed, errNoUpgrade):
			refuseUpgrade(s.w, s.r)
		case s.failed == nil:
			writeProblem(s.w, s.r, refuse(parent, s.logger, err).Problem)
		}
		return
	}
	result := sdk.ExecResult{ExitCode: &exit}
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errProtocol), errors.Is(cause, errLeft):
		s.end(nil, websocket.StatusNormalClosure)
		return
	case err == nil:
		s.end(&result, websocket.StatusNormalClosure)
		return
	case errors.Is(cause, errDraining):
		err = blueberry.Errorf(blueberry.Unavailable, "SERVER_STOPPING", "the server is stopping")
	case cause != nil:
		err = cause
	}
	result = sdk.ExecResult{Error: refuse(parent, s.logger, err).Problem}
	s.end(&result, websocket.StatusGoingAway)
}

// open upgrades the connection. Whatever comes first does it: the command runs, or has said something.
func (s *shellSession) open(ctx context.Context) {
	s.opening.Do(func() {
		if !hijackable(s.w) {
			s.failed = errNoUpgrade
			s.cancel(errNoUpgrade)
			return
		}
		// Where the call comes from was judged by the gateway.
		conn, err := websocket.Accept(s.w, s.r, &websocket.AcceptOptions{Subprotocols: []string{sdk.ExecProtocol}, InsecureSkipVerify: true})
		if err != nil {
			s.failed = err
			s.cancel(fmt.Errorf("open WebSocket: %w", err))
			return
		}
		conn.SetReadLimit(sdk.MaxExecMessage)
		s.conn = conn
		s.beside.Go(func() { s.listen(ctx) })
		s.beside.Go(func() { s.watch(ctx) })
	})
}

// listen takes what the client says until it goes, or breaks the protocol.
func (s *shellSession) listen(ctx context.Context) {
	defer func() { _ = s.input.Close() }()
	open := context.WithoutCancel(ctx) // else the end of the command would cut the connection before its last word; end closes it
	for {
		kind, message, err := s.conn.Read(open)
		if err != nil {
			s.cancel(fmt.Errorf("%w: %w", errLeft, err))
			_ = s.conn.CloseNow() // what is being written fails, too
			return
		}
		if why := s.take(ctx, kind, message); why != "" {
			code := websocket.StatusPolicyViolation
			if kind != websocket.MessageBinary {
				code = websocket.StatusUnsupportedData
			}
			_ = s.conn.Close(code, why)
			s.cancel(fmt.Errorf("%w: %s", errProtocol, why))
			return
		}
	}
}

// take does what a message says, and tells what is wrong with it: nothing when all is well.
func (s *shellSession) take(ctx context.Context, kind websocket.MessageType, message []byte) (wrong string) {
	if kind != websocket.MessageBinary {
		return "messages must be binary"
	}
	if len(message) == 0 {
		return "a message must begin with its channel"
	}
	channel, content := message[0], message[1:]
	switch channel {
	case sdk.ExecStdin:
		s.blocked.Store(true)
		_, _ = s.input.Write(content) // a command that takes no more input is no fault of the client
		s.blocked.Store(false)
	case sdk.ExecResize:
		var size sdk.ExecSize
		if len(content) > maxResize || json.Unmarshal(content, &size) != nil || size.Width == 0 || size.Height == 0 {
			return "channel 4 takes a size of a terminal"
		}
		s.sized(ctx, target.TerminalSize{Width: size.Width, Height: size.Height})
	case sdk.ExecClose:
		if !bytes.Equal(content, []byte{sdk.ExecStdin}) {
			return "channel 255 takes the channel 0"
		}
		_ = s.input.Close()
	default:
		return "there is no such channel"
	}
	return ""
}

// sized leaves a size for the command. One that it has not looked at is forgotten: only the newest counts.
func (s *shellSession) sized(ctx context.Context, size target.TerminalSize) {
	for {
		select {
		case s.resize <- size:
			return
		case <-ctx.Done():
			return
		default:
		}
		select {
		case <-s.resize:
		default:
		}
	}
}

// watch ends the session when the client does not answer, the server stops, or who runs it may no more.
func (s *shellSession) watch(ctx context.Context) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.draining:
			s.cancel(errDraining)
			return
		case <-ping.C:
		}
		if err := s.may(ctx, s.r.PathValue("id")); err != nil {
			s.cancel(err)
			return
		}
		asked, done := context.WithTimeout(context.WithoutCancel(ctx), execPatience)
		err := s.conn.Ping(asked)
		done()
		if err != nil && (!s.blocked.Load() || !errors.Is(err, context.DeadlineExceeded)) {
			s.cancel(fmt.Errorf("%w: %w", errLeft, err))
			return
		}
	}
}

// end tells how the command ended, and closes the connection.
func (s *shellSession) end(result *sdk.ExecResult, code websocket.StatusCode) {
	if result != nil {
		data, err := json.Marshal(result)
		if err != nil {
			panic(err) // numbers and texts are always JSON
		}
		ctx, done := context.WithTimeout(context.WithoutCancel(s.r.Context()), endTime)
		_ = s.conn.Write(ctx, websocket.MessageBinary, append([]byte{sdk.ExecStatus}, data...)) // the client may be gone
		done()
		_ = s.conn.Close(code, "")
	}
	s.cancel(nil)
	_ = s.conn.CloseNow()
	s.beside.Wait()
}

// shellOutput is one of the command's outputs.
type shellOutput struct {
	session *shellSession
	ctx     context.Context //nolint:containedctx // an io.Writer takes none
	channel byte
}

// Write sends to the client, and waits until it is taken: a command is no faster than who reads it.
func (o shellOutput) Write(p []byte) (n int, err error) {
	s := o.session
	s.open(o.ctx)
	if s.conn == nil {
		return 0, s.failed
	}
	if o.ctx.Err() != nil {
		return 0, context.Cause(o.ctx)
	}
	message := make([]byte, 0, min(len(p)+1, sdk.MaxExecMessage))
	for n < len(p) {
		part := p[n:min(len(p), n+sdk.MaxExecMessage-1)]
		ctx, done := context.WithTimeout(context.WithoutCancel(o.ctx), execPatience)
		err := s.conn.Write(ctx, websocket.MessageBinary, append(append(message[:0], o.channel), part...))
		done()
		if err != nil {
			s.cancel(fmt.Errorf("%w: %w", errLeft, err))
			return n, fmt.Errorf("send output: %w", err)
		}
		n += len(part)
	}
	return n, nil
}
