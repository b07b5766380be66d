package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// System tells how the server is.
type System interface {
	Status(ctx context.Context, actor blueberry.Actor) (blueberry.SystemStatus, error)
}

// systems are the routes of the server itself.
type systems struct{ operations System }

func (h systems) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "get-system-status", Method: http.MethodGet, Path: "/v1/system/status", Tags: []string{tagInstallation},
		Summary:     "Read the system status",
		Description: "Asks everything that this server leans on how it is, all at once and at most once a second. What does not answer within 3 seconds is down. What costs something to ask, as a mail server, is told as it was last heard of.",
	}, h.status)
}

func (h systems) status(ctx context.Context, _ *struct{ strict }) (*answer[sdk.SystemStatus], error) {
	s, err := h.operations.Status(ctx, actorOf(ctx))
	return answered(s, err, wireSystemStatus)
}

func wireSystemStatus(s blueberry.SystemStatus) sdk.SystemStatus {
	out := sdk.SystemStatus{
		State: string(s.State()), Version: s.Version, GoVersion: s.GoVersion, Host: s.Host, StartedAt: s.StartedAt, At: s.At, Database: s.Database,
		Migration: s.Migration, WantMigration: s.WantMigration, Jobs: []sdk.JobCount{}, Parts: list(s.Parts, wireSystemPart),
	}
	if s.Jobs != nil {
		for _, state := range blueberry.JobStates() {
			out.Jobs = append(out.Jobs, sdk.JobCount{State: string(state), Count: s.Jobs[state]})
		}
	}
	return out
}

func wireSystemPart(p blueberry.Part) sdk.SystemPart {
	return sdk.SystemPart{
		Kind: p.Kind, Name: p.Name, Driver: p.Driver, State: string(p.State), Message: p.Message, Fix: p.Fix, Asked: p.Asked,
		TookMS: float64(p.Took.Round(10*time.Microsecond)) / float64(time.Millisecond),
	}
}
