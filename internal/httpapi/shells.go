package httpapi

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

// shells is the route of commands in containers.
type shells struct {
	operations Shells
	may        func(ctx context.Context, id string) error // nil while who asks still may
	draining   <-chan struct{}
	logger     *slog.Logger
}

// execRoute is the pattern of the one route that speaks WebSocket. Its calls may change anything, although they are GETs.
const execRoute = "GET /v1/environments/{id}/exec"

func (h shells) mount(r *router) {
	path := strings.TrimPrefix(execRoute, "GET ")
	register(r, huma.Operation{
		OperationID: "exec-environment", Method: http.MethodGet, Path: path, Tags: []string{tagInsight}, DefaultStatus: http.StatusSwitchingProtocols,
		Summary: "Run a command in a container",
		Description: "A WebSocket of the subprotocol `" + sdk.ExecProtocol + "`, which the client must ask for. The credential is in the `Authorization` header or is the session of a page of " +
			"this server, never in the address. What refuses the call is a problem as always, and comes before the connection is upgraded, unless `upgrade_first` has it told on channel 3; 426 says that no WebSocket was asked for. " +
			"Every message is binary, at most 32,768 bytes, and its first byte is a channel: 0 the command's input, 1 its output, 2 its errors, 3 how it ended, as JSON: " +
			"`{\"exit_code\":0}` or `{\"error\":{…}}` with a problem; 4 the size of the terminal, as JSON: `{\"width\":120,\"height\":40}`; 255 and one byte, 0, when the input is at its end. " +
			"The message of channel 3 is the last one: without it nobody knows how the command ended.",
	}, h.exec)
	responses := r.api.OpenAPI().Paths[path].Get.Responses
	responses["426"] = &huma.Response{Description: "The call did not ask for a WebSocket of the subprotocol", Content: responses["default"].Content}
}

type execInput struct {
	ByID
	Component string   `query:"component" maxLength:"63" doc:"Component whose pod it is, when no pod is named" example:"backend"`
	Pod       string   `query:"pod" maxLength:"253" doc:"Name of the pod; absent means a ready one of the component" example:"backend-1"`
	Container string   `query:"container" maxLength:"63" doc:"Name of the container; absent means the first of the pod" example:"app"`
	Command   []string `query:"command,explode" required:"true" minItems:"1" maxItems:"100" nullable:"false" doc:"The command, and again for each of its arguments"`
	TTY       bool     `query:"tty" doc:"Run it with a terminal" example:"true"`

	UpgradeFirst bool `query:"upgrade_first" doc:"Upgrade the connection also when the command is refused, and say why on channel 3: a page is not shown what answers a WebSocket that is refused" example:"false"`
}

// exec upgrades the connection when the command runs, so that whatever refuses it is still a problem.
func (h shells) exec(ctx context.Context, in *execInput) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		if !asksForExec(r) {
			refuseUpgrade(w, r)
			return
		}
		newShellSession(h, w, r, in.UpgradeFirst).run(ctx, in.ID, target.ShellRequest{
			Component: in.Component, Pod: in.Pod, Container: in.Container, Command: in.Command, TTY: in.TTY,
		})
	}}, nil
}

func refuseUpgrade(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	writeProblem(w, r, newProblem(http.StatusUpgradeRequired, "UPGRADE_REQUIRED", "the call must ask for a WebSocket, version 13, of the subprotocol "+sdk.ExecProtocol+", over HTTP/1.1"))
}

// hijackable reports whether a connection can become a WebSocket.
func hijackable(w http.ResponseWriter) bool {
	for {
		switch x := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = x.Unwrap()
		default:
			return false
		}
	}
}

// asksForExec reports whether a request asks for a WebSocket that we speak. Over HTTP/2 there is none: clients choose HTTP/1.1 for it.
func asksForExec(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket") &&
		r.Header.Get("Sec-WebSocket-Version") == "13" && hasToken(r.Header, "Sec-WebSocket-Protocol", sdk.ExecProtocol) && hasSocketKey(r.Header)
}

// hasSocketKey reports whether a request has the one key, 16 bytes, that RFC 6455 wants.
func hasSocketKey(h http.Header) bool {
	keys := h.Values("Sec-WebSocket-Key")
	if len(keys) != 1 {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	return err == nil && len(key) == 16
}

// hasToken reports whether a header's list has a word.
func hasToken(h http.Header, name, word string) bool {
	for _, value := range h.Values(name) {
		for token := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(token), word) {
				return true
			}
		}
	}
	return false
}
