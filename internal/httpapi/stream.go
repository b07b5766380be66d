package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	heartbeat  = 15 * time.Second // well below the idle time of common proxies, 60 s
	batchSize  = 100
	retryFirst = "retry: 1000\n\n" // the pause before a reader comes back, in ms
)

// watchRoute is the pattern of the one route whose answer has no end.
const watchRoute = "GET /v1/events/stream"

// stream is the route of the live event stream. It holds no buffer: a stream is a position in the record, so a reader that lags costs nothing.
type stream struct {
	events   Events
	feed     Feed
	draining <-chan struct{}
	logger   *slog.Logger
}

func (h stream) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "watch-events", Method: http.MethodGet, Path: "/v1/events/stream", Tags: []string{tagEvents},
		Summary: "Watch events",
		Description: "Server-sent events: `id` is the seq, `event` the type, `data` an Event as JSON. Begins behind `Last-Event-ID`, else behind `after`, " +
			"else with the first event there is, and goes on until the client or the server ends it. A comment every 15 s keeps it open.",
	}, h.watch)
	ok := r.api.OpenAPI().Paths["/v1/events/stream"].Get.Responses["200"]
	ok.Content = map[string]*huma.MediaType{"text/event-stream": {Schema: r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[sdk.Event](), true, "")}}
}

type watchInput struct {
	strict
	Environment string `query:"environment" doc:"Only events of the environment with this id" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	After       int64  `query:"after" minimum:"0" doc:"Only events with a higher seq" example:"1042"`
	LastEventID string `header:"Last-Event-ID" pattern:"^[0-9]{1,18}$" doc:"As browsers send it when they come back; goes before after" example:"1042"`
}

// watch reads the first batch before it answers, so that a refusal is still a problem.
func (h stream) watch(ctx context.Context, in *watchInput) (*huma.StreamResponse, error) {
	q := blueberry.EventQuery{EnvironmentID: in.Environment, After: in.After, Limit: batchSize}
	if in.LastEventID != "" {
		seq, err := strconv.ParseInt(in.LastEventID, 10, 64)
		if err != nil {
			return nil, blueberry.Faults{{Field: "Last-Event-ID", Code: "pattern", Message: "must be the seq of an event"}}.Err()
		}
		q.After = seq
	}
	s := &session{stream: h, query: q}
	first, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		s.w, s.control = w, http.NewResponseController(w)
		if err := s.run(hc.Context(), first); err != nil && hc.Context().Err() == nil {
			h.logger.DebugContext(ctx, "event stream ended", "request_id", exchangeOf(ctx).id, "error", err)
		}
	}}, nil
}

// session is one open stream.
type session struct {
	stream
	query   blueberry.EventQuery // After moves past every event that was read, and past those that are none of its own
	w       http.ResponseWriter
	control *http.ResponseController
}

var errDraining = errors.New("server is stopping")

func (s *session) run(ctx context.Context, batch []blueberry.Event) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if s.draining != nil {
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			select {
			case <-s.draining:
				cancel(errDraining)
			case <-stop:
			}
		}()
	}
	s.w.Header().Set("Content-Type", "text/event-stream")
	s.w.Header().Set("X-Accel-Buffering", "no") // asks common proxies to pass each event on at once
	s.w.WriteHeader(http.StatusOK)
	if err := s.send([]byte(retryFirst)); err != nil {
		return err
	}
	for {
		for len(batch) > 0 {
			text, err := s.format(batch)
			if err != nil {
				return err
			}
			if err := s.send(text); err != nil {
				return err
			}
			if len(batch) < batchSize {
				break
			}
			if batch, err = s.read(ctx); err != nil {
				return err
			}
		}
		var err error
		if batch, err = s.next(ctx); err != nil {
			return err
		}
	}
}

// next waits for events, with a sign of life while there are none.
func (s *session) next(ctx context.Context) ([]blueberry.Event, error) {
	for {
		waitCtx, cancel := context.WithTimeout(ctx, heartbeat)
		err := s.feed.Wait(waitCtx, s.query.After)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, context.DeadlineExceeded):
			if _, err := exchangeOf(ctx).proveAgain(ctx); err != nil {
				return nil, err
			}
			if err := s.send([]byte(": still here\n\n")); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			return nil, fmt.Errorf("wait for events: %w", err)
		}
		return s.read(ctx)
	}
}

// read reads what is new, for who is asking by now: a stream outlives many a session, and tells nothing more once that was revoked. The position moves with
// all events, also those that the stream does not tell, else each of them would wake it again.
func (s *session) read(ctx context.Context) (batch []blueberry.Event, err error) {
	actor, err := exchangeOf(ctx).proveAgain(ctx)
	if err != nil {
		return nil, err
	}
	batch, s.query.After, err = s.events.EventsUntil(ctx, actor, s.query)
	return batch, err
}

func (s *session) format(batch []blueberry.Event) ([]byte, error) {
	var out []byte
	for _, e := range batch {
		data, err := json.Marshal(wireEvent(e))
		if err != nil {
			return nil, fmt.Errorf("encode event: %w", err)
		}
		out = fmt.Appendf(out, "id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Type, data)
	}
	return out, nil
}

func (s *session) send(text []byte) error { return sendNow(s.w, s.control, text) }

// sendNow writes and flushes. The gateway cuts a reader that does not take it in time; it comes back with Last-Event-ID.
func sendNow(w http.ResponseWriter, control *http.ResponseController, text []byte) error {
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("write stream: %w", err)
	}
	return nil
}
