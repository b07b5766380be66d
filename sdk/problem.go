package sdk

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Problem is why the server refused a call (RFC 9457). Methods of Client return it as *Problem, so errors.As finds it.
type Problem struct {
	Type      string       `json:"type" doc:"Reference to what this kind of problem means" example:"/docs#problem-invalid"`
	Title     string       `json:"title" doc:"The kind of problem in words" example:"Unprocessable Entity"`
	Status    int          `json:"status" doc:"HTTP status" example:"422"`
	Code      string       `json:"code" doc:"Stable word for programs" example:"VALIDATION_FAILED"`
	Detail    string       `json:"detail,omitempty" doc:"One sentence on this occurrence" example:"1 field is not valid"`
	Instance  string       `json:"instance,omitempty" doc:"Path that was asked for" example:"/v1/environments"`
	RequestID string       `json:"request_id,omitempty" doc:"Names the request in the server's log" example:"req_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Errors    []FieldError `json:"errors,omitempty" nullable:"false" doc:"Every fault of the request"`

	RetryAfter time.Duration `json:"-"` // how long the server asks to wait; 0 if it does not say
}

// FieldError is one thing wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field" doc:"Path of the field in the request" example:"blueprint.components[1].image"`
	Code    string `json:"code" doc:"Stable word for programs" example:"image_unpinned"`
	Message string `json:"message" doc:"The same for people" example:"\"nginx\" has neither tag nor digest"`
}

// Codes of problems that the client itself acts on.
const (
	CodeIdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS" // an earlier try of the same call still runs
)

// Error gives the problem and every fault in one line.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.Detail != "" {
		b.WriteString(p.Detail)
	} else {
		b.WriteString(p.Title)
	}
	for i, e := range p.Errors {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(e.String())
	}
	return b.String()
}

// String gives the fault as one line.
func (e FieldError) String() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// UnreachableError says that no answer came: the server is down, or something between is.
type UnreachableError struct {
	URL      string
	Attempts int
	Err      error
}

// Error names the server and the cause.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("server %s did not answer: %v", e.URL, e.Err)
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// problemOf makes a problem of an answer that has none in its body, as a proxy may send it.
func problemOf(status int) *Problem {
	title := http.StatusText(status)
	if title == "" {
		title = fmt.Sprintf("status %d", status)
	}
	return &Problem{
		Type: "about:blank", Title: title, Status: status,
		Code:   strings.ToUpper(strings.ReplaceAll(title, " ", "_")),
		Detail: fmt.Sprintf("the server answered %d %s without saying why", status, title),
	}
}
