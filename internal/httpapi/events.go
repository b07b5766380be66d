package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// events are the routes that read events.
type events struct {
	operations Events
}

func (h events) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-environment-events", Method: http.MethodGet, Path: "/v1/environments/{id}/events", Tags: []string{tagEvents},
		Summary: "List events of an environment", Description: "Oldest first.",
	}, h.ofEnvironment)
	register(r, huma.Operation{
		OperationID: "list-events", Method: http.MethodGet, Path: "/v1/events", Tags: []string{tagEvents},
		Summary: "List events", Description: "Of every environment, oldest first.",
	}, h.all)
}

// EventWindow is a run of events.
type EventWindow struct {
	After int64 `query:"after" minimum:"0" doc:"Only events with a higher seq" example:"1042"`
	Limit int   `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

type eventsOfInput struct {
	ByID
	EventWindow
}

type eventsInput struct {
	strict
	EventWindow
}

type eventsOutput struct {
	Body sdk.EventList
}

func (h events) ofEnvironment(ctx context.Context, in *eventsOfInput) (*eventsOutput, error) {
	return h.read(ctx, in.ID, in.EventWindow)
}

func (h events) all(ctx context.Context, in *eventsInput) (*eventsOutput, error) {
	return h.read(ctx, "", in.EventWindow)
}

func (h events) read(ctx context.Context, id string, w EventWindow) (*eventsOutput, error) {
	if w.Limit == 0 {
		w.Limit = blueberry.DefaultPageSize
	}
	found, err := h.operations.Events(ctx, actorOf(ctx), blueberry.EventQuery{EnvironmentID: id, After: w.After, Limit: w.Limit})
	if err != nil {
		return nil, err
	}
	out := sdk.EventList{Items: list(found, wireEvent), NextAfter: w.After}
	if n := len(found); n > 0 {
		out.NextAfter = found[n-1].Seq
	}
	return &eventsOutput{Body: out}, nil
}
