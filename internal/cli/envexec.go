package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/coder/websocket"
	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envExecOptions struct {
	oneEnvironment
	where      sdk.ExecOptions
	tty, noTTY bool
}

func newEnvExec(s *shared) *cobra.Command {
	o := &envExecOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "exec NAME [flags] -- COMMAND [ARGUMENT...]", Short: "Run a command in a container of an environment",
		Long: `Runs a command in a container and ends with its exit code. With a terminal on both sides the command gets one, too; else it reads the input to its end. What was opened, by whom and for how long is in the audit; what was typed is not.`,
		Example: `  blueberry env exec pr-42 --component backend -- sh
  blueberry env exec pr-42 --component db -- psql -U shop < fixtures.sql`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 || c.ArgsLenAtDash() != 1 {
				return usageErrorf("takes the name of an environment, and behind -- a command: %s", c.UseLine())
			}
			return nil
		},
	}, o.run)
	f := c.Flags()
	f.StringVar(&o.where.Component, "component", "", "component that has the pod")
	f.StringVar(&o.where.Pod, "pod", "", "pod; else a ready one of the component")
	f.StringVar(&o.where.Container, "container", "", "container; else the first of the pod")
	f.BoolVarP(&o.tty, "tty", "t", false, "with a terminal, also when this side has none")
	f.BoolVar(&o.noTTY, "no-tty", false, "without a terminal")
	return c
}

func (o *envExecOptions) run(ctx context.Context, args []string) error {
	switch {
	case o.where.Component == "" && o.where.Pod == "":
		return usageErrorf("--component or --pod is needed")
	case o.tty && o.noTTY:
		return usageErrorf("--tty and --no-tty cannot be given together")
	}
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	terminal := o.streams.Terminal
	o.where.Command, o.where.TTY = args[1:], o.tty || !o.noTTY && o.streams.InTerminal && o.streams.OutTerminal && terminal != nil
	address, header, err := client.ExecTarget(ctx, env.ID, o.where)
	if err != nil {
		return err
	}
	conn, res, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{sdk.ExecProtocol}, HTTPClient: client.HTTPClient}) //nolint:bodyclose // of an upgraded connection there is none, and refusedExec reads the other
	if err != nil {
		return refusedExec(client.BaseURL, res, err)
	}
	defer conn.CloseNow() //nolint:errcheck // it has ended, one way or the other
	conn.SetReadLimit(sdk.MaxExecMessage)
	if o.where.TTY && terminal != nil {
		restore, err := terminal.Raw()
		if err != nil {
			return fmt.Errorf("make the terminal raw: %w", err)
		}
		defer restore()
	}
	return o.talk(ctx, conn)
}

// refusedExec is why the connection was not upgraded, as the server said it.
func refusedExec(server string, res *http.Response, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case res == nil:
		return &sdk.UnreachableError{URL: server, Err: err}
	case res.StatusCode < http.StatusBadRequest || res.Body == nil:
		return fmt.Errorf("open the connection: %w", err)
	}
	var p sdk.Problem
	data, readErr := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if readErr == nil && json.Unmarshal(data, &p) == nil && p.Code != "" {
		return &p
	}
	// A proxy answered, or more than the start of the answer is needed to read it.
	return &sdk.Problem{Status: res.StatusCode, Title: http.StatusText(res.StatusCode), Detail: "the connection was refused: " + res.Status}
}

// talk passes on what is typed and what comes back, until the command has ended.
func (o *envExecOptions) talk(ctx context.Context, conn *websocket.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go o.send(ctx, conn)
	if t := o.streams.Terminal; o.where.TTY && t != nil {
		go func() {
			for size := range t.Sizes(ctx) {
				if size.Width == 0 || size.Height == 0 { // a terminal that does not know it
					continue
				}
				data, err := json.Marshal(size)
				if err != nil || conn.Write(ctx, websocket.MessageBinary, append([]byte{sdk.ExecResize}, data...)) != nil {
					return
				}
			}
		}()
	}
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("the connection was lost, and nobody knows how the command ended: %w", err)
		}
		if len(data) == 0 {
			continue
		}
		switch data[0] {
		case sdk.ExecStdout:
			_, err = o.streams.Out.Write(data[1:])
		case sdk.ExecStderr:
			_, err = o.streams.Err.Write(data[1:])
		case sdk.ExecStatus:
			return ended(data[1:])
		}
		if err != nil {
			return err
		}
	}
}

// send passes on what is typed. It ends with the command, not by itself when nothing more comes: the terminal's line may still be read.
func (o *envExecOptions) send(ctx context.Context, conn *websocket.Conn) {
	buffer := make([]byte, 16<<10)
	for {
		n, err := o.streams.In.Read(buffer)
		if n > 0 && conn.Write(ctx, websocket.MessageBinary, append([]byte{sdk.ExecStdin}, buffer[:n]...)) != nil {
			return
		}
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
				_ = conn.Write(ctx, websocket.MessageBinary, []byte{sdk.ExecClose, sdk.ExecStdin}) // it may have ended
			}
			return
		}
	}
}

func ended(data []byte) error {
	var r sdk.ExecResult
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("read how the command ended: %w", err)
	}
	switch {
	case r.Error != nil:
		return r.Error
	case r.ExitCode == nil:
		return errors.New("the server did not say how the command ended")
	case *r.ExitCode != 0:
		return outcomeError{*r.ExitCode}
	}
	return nil
}
