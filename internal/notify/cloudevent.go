package notify

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// CloudEventType is the media type of a CloudEvent in structured mode.
const CloudEventType = "application/cloudevents+json"

// typePrefix stands before the types of our events, as CloudEvents wants it.
const typePrefix = "dev.blueberry."

// cloudEvent is an event as CloudEvents 1.0 has it, in JSON.
type cloudEvent struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject,omitempty"`
	Time        time.Time `json:"time"`
	Sequence    string    `json:"sequence,omitempty"` // extension: sorts as the events happened
	ContentType string    `json:"datacontenttype"`
	Data        cloudData `json:"data"`
}

type cloudData struct {
	Project       string `json:"project,omitempty"`
	EnvironmentID string `json:"environment_id,omitempty"`
	Environment   string `json:"environment,omitempty"`
	Actor         string `json:"actor,omitempty"`
	Message       string `json:"message,omitempty"`
}

// cloudEventOf is the JSON of an event. source is the public URL of the server.
func cloudEventOf(e blueberry.Event, source string) ([]byte, error) {
	out := cloudEvent{
		SpecVersion: "1.0", ID: e.ID, Source: source, Type: typePrefix + string(e.Type), Subject: subjectOf(e), Time: e.At.UTC(), ContentType: "application/json",
		Data: cloudData{Project: e.Project, EnvironmentID: e.EnvironmentID, Environment: e.Environment, Actor: e.Actor, Message: e.Message},
	}
	if e.Seq > 0 {
		out.Sequence = fmt.Sprintf("%020d", e.Seq)
	}
	js, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return js, nil
}

// attributesOf is an event's attributes beside its structured form, as the bindings of CloudEvents name them: brokers choose by them who gets what.
func attributesOf(e blueberry.Event, source string) map[string]string {
	out := map[string]string{
		"content-type": CloudEventType, "ce-specversion": "1.0", "ce-id": e.ID, "ce-source": source, "ce-type": typePrefix + string(e.Type), "ce-time": e.At.UTC().Format(time.RFC3339Nano),
	}
	if at := subjectOf(e); at != "" {
		out["ce-subject"] = at
	}
	return out
}
