package sdk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// ExecProtocol is the subprotocol of the WebSocket by which a command runs in a container. A client must ask for it.
//
// Every message is binary, at most MaxExecMessage bytes long, and its first byte is a channel: one of those below. What follows is what the channel says.
// The server ends with one message of ExecStatus and then closes the connection; a connection that ends without it was lost, and nobody knows how the command
// ended. A message of text, one that is too long or one of a channel that is not there ends the connection.
const ExecProtocol = "v1.exec.blueberry.dev"

// The channels of ExecProtocol.
const (
	ExecStdin  = 0   // to the server: bytes for the command
	ExecStdout = 1   // from the server: bytes of the command; with a terminal all of them
	ExecStderr = 2   // from the server: the same, of its errors
	ExecStatus = 3   // from the server, last: an ExecResult as JSON
	ExecResize = 4   // to the server: an ExecSize as JSON
	ExecClose  = 255 // to the server: one byte, the channel that is at its end. Only that of ExecStdin can be
)

// MaxExecMessage is how many bytes a message has at most, with its channel: what WebSocket libraries take when nobody says more.
const MaxExecMessage = 32 << 10

// ExecResult is how a command ended.
type ExecResult struct {
	ExitCode *int     `json:"exit_code,omitempty" doc:"Of the command that has ended" example:"0"`
	Error    *Problem `json:"error,omitempty" doc:"Why it could not be run to its end"`
}

// ExecSize is the size of a terminal, in characters.
type ExecSize struct {
	Width  uint16 `json:"width" doc:"Columns" example:"120"`
	Height uint16 `json:"height" doc:"Rows" example:"40"`
}

// ExecOptions say what to run where.
type ExecOptions struct {
	Component string   // that has the pod; empty when Pod is set
	Pod       string   // empty: a ready one of the component
	Container string   // empty: the first of the pod
	Command   []string // and its arguments
	TTY       bool     // with a terminal
}

// ExecTarget gives where to open a WebSocket to run a command in a container of an environment, and the headers that it takes: the credential among them. The
// client stays without a WebSocket of its own; any that can set headers will do, and it must ask for the subprotocol ExecProtocol, which says what goes over
// it. A refusal comes before the connection is upgraded, as a problem document: 401, 403, 404, 409 and 422 as of any other call. The credential is never part
// of the address.
func (c *Client) ExecTarget(ctx context.Context, id string, o ExecOptions) (address string, header http.Header, err error) {
	u, err := url.Parse(strings.TrimRight(c.BaseURL, "/"))
	if err != nil {
		return "", nil, fmt.Errorf("address of the server: %w", err)
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	default:
		return "", nil, fmt.Errorf("address of the server is %s, want http:// or https://", u.Redacted())
	}
	token, err := c.token(ctx)
	if err != nil {
		return "", nil, err
	}
	k := newCall(http.MethodGet, "environments", id, "exec")
	k.set("component", o.Component)
	k.set("pod", o.Pod)
	k.set("container", o.Container)
	for _, part := range o.Command {
		k.query.Add("command", part)
	}
	if o.TTY {
		k.query.Set("tty", "true")
	}
	header = http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	agent := c.UserAgent
	if agent == "" {
		agent = "blueberry-sdk"
	}
	header.Set("User-Agent", agent)
	address = u.String() + k.path
	if len(k.query) > 0 {
		address += "?" + k.query.Encode()
	}
	return address, header, nil
}
