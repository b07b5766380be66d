package httpapi

import (
	"context"
	"log/slog"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

// logs are the routes of what containers wrote.
type logs struct {
	operations Logs
	may        func(ctx context.Context, id string) error // nil while who asks still may
	draining   <-chan struct{}
	logger     *slog.Logger
}

func (h logs) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "read-environment-logs", Method: http.MethodGet, Path: "/v1/environments/{id}/logs", Tags: []string{tagInsight},
		Summary: "Read logs",
		Description: "JSON lines, each as it comes: a line has `at`, `component`, `pod`, `container` and `text`. With `follow` it goes on with what is written, also by pods that come later. " +
			"`{\"heartbeat\":true}` after 15 s without a line keeps it open. The last line is `{\"end\":true}` when all was told, or has a `problem`; without either it was cut: " +
			"ask again `since` the last line's time. With `format=text`, or `Accept: text/plain`, it is the bare lines, without any of these signs. " +
			"Of an environment whose pods are gone it is what was archived.",
	}, h.read)
	ok := r.api.OpenAPI().Paths["/v1/environments/{id}/logs"].Get.Responses["200"]
	ok.Content = map[string]*huma.MediaType{
		jsonLines:    {Schema: r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[sdk.LogMessage](), true, "")},
		"text/plain": {Schema: &huma.Schema{Type: huma.TypeString, Description: "The bare lines"}},
	}
	register(r, huma.Operation{
		OperationID: "list-environment-containers", Method: http.MethodGet, Path: "/v1/environments/{id}/containers", Tags: []string{tagInsight},
		Summary: "List containers", Description: "Of the environment's pods: where there are logs to read, and where a command can run.",
	}, h.containers)
}

type logsInput struct {
	ByID
	Component string    `query:"component" maxLength:"63" doc:"Only of this component" example:"backend"`
	Pod       string    `query:"pod" maxLength:"253" doc:"Only of this pod" example:"backend-1"`
	Container string    `query:"container" maxLength:"63" doc:"Only of containers with this name" example:"app"`
	Since     time.Time `query:"since" doc:"Only what was written from this time on" example:"2026-11-01T00:00:00Z"`
	Until     time.Time `query:"until" doc:"Only what was written before this time" example:"2026-12-01T00:00:00Z"`
	Tail      int       `query:"tail" minimum:"1" maximum:"100000" doc:"At most so many of the last lines of each container" example:"100"`
	Search    string    `query:"q" maxLength:"200" doc:"Only lines with this text; case does not matter" example:"error"`
	Previous  bool      `query:"previous" doc:"Of the last run of each container that ended" example:"false"`
	Follow    bool      `query:"follow" doc:"Go on with what is written from now on" example:"true"`
	Format    string    `query:"format" enum:"json,text" doc:"JSON lines, or the bare lines; goes before Accept" example:"text"`
}

// Resolve finds what excludes each other.
func (in *logsInput) Resolve(ctx huma.Context) []error {
	faults := in.strict.Resolve(ctx)
	add := func(field, message string) {
		faults = append(faults, &huma.ErrorDetail{Location: "query." + field, Message: message})
	}
	if in.Follow && in.Previous {
		add("previous", messageNotFollowed)
	}
	if in.Follow && !in.Until.IsZero() {
		add("until", messageNotFollowed)
	}
	if !in.Since.IsZero() && !in.Until.IsZero() && !in.Until.After(in.Since) {
		add("until", messageNotAfter)
	}
	return faults
}

const (
	messageNotFollowed = "cannot be set together with follow"
	messageNotAfter    = "must be after since"
)

// read answers with the first line, so that a refusal is still a problem, or after a moment without one. Behind it a failure is a line of its own.
func (h logs) read(ctx context.Context, in *logsInput) (*huma.StreamResponse, error) {
	q := target.LogQuery{
		Component: in.Component, Pod: in.Pod, Container: in.Container, Since: in.Since, Until: in.Until, Tail: in.Tail, Search: in.Search, Previous: in.Previous,
		Follow: in.Follow,
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		s := &logSession{logs: h, id: in.ID, query: q, w: w, control: http.NewResponseController(w), text: wantsText(in.Format, r.Header.Get("Accept")), mu: make(turn, 1)}
		if r.Method == http.MethodHead {
			s.head(ctx, r)
			return
		}
		s.run(ctx, r)
	}}, nil
}

func (h logs) containers(ctx context.Context, in *ByID) (*answer[sdk.ContainerList], error) {
	found, err := h.operations.Containers(ctx, actorOf(ctx), in.ID)
	return answered(found, err, func(found []target.Container) sdk.ContainerList {
		return sdk.ContainerList{Items: list(found, wireContainer)}
	})
}

// wantsText reports whether bare lines are asked for. JSON goes before them when both are taken alike.
func wantsText(format, accept string) bool {
	switch format {
	case "text":
		return true
	case "json":
		return false
	}
	var text, other float64
	for media := range strings.SplitSeq(accept, ",") {
		kind, parameters, err := mime.ParseMediaType(media)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil {
			weight = q
		}
		switch kind {
		case "text/plain", "text/*":
			text = max(text, weight)
		case "*/*", "application/*", "application/json", jsonLines, "application/x-ndjson":
			other = max(other, weight)
		}
	}
	return text > other
}
