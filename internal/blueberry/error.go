package blueberry

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what sort of failure an error is. A Kind is itself an error, so errors.Is(err, blueberry.Conflict) asks for it.
type Kind string

// The kinds, each with its HTTP status.
const (
	Malformed          Kind = "malformed"           // 400: the request cannot be read
	Unauthenticated    Kind = "unauthenticated"     // 401: nobody known is asking
	Forbidden          Kind = "forbidden"           // 403: the actor lacks the grant that Detail names
	NotFound           Kind = "not found"           // 404
	Conflict           Kind = "conflict"            // 409: the name is taken, or the state does not allow it
	PreconditionFailed Kind = "precondition failed" // 412: If-Match does not match
	TooLarge           Kind = "too large"           // 413
	Invalid            Kind = "invalid"             // 422: Fields says what is wrong, every fault at once
	TooMany            Kind = "too many requests"   // 429
	Unavailable        Kind = "unavailable"         // 503: something outside is down; the same call may succeed later
)

// Status is the HTTP status of the kind; 500 for one that is none.
func (k Kind) Status() int {
	switch k {
	case Malformed:
		return 400
	case Unauthenticated:
		return 401
	case Forbidden:
		return 403
	case NotFound:
		return 404
	case Conflict:
		return 409
	case PreconditionFailed:
		return 412
	case TooLarge:
		return 413
	case Invalid:
		return 422
	case TooMany:
		return 429
	case Unavailable:
		return 503
	}
	return 500
}

// Error makes a Kind an error of its own.
func (k Kind) Error() string { return string(k) }

// Fault is one thing wrong with one field of a request.
type Fault struct {
	Field   string // path of the field in the request: "blueprint.components[1].image"
	Code    string // stable word for programs: "required", "taken", "pattern"
	Message string // for people; no trailing full stop
}

// String gives the fault as one line.
func (f Fault) String() string {
	if f.Field == "" {
		return f.Message
	}
	return f.Field + ": " + f.Message
}

// Error is the one error type that reaches a user. Everything else is an internal error, whose text is withheld.
type Error struct {
	Kind     Kind
	Code     string // stable word for programs: "ENVIRONMENT_NAME_TAKEN"; may be empty
	Detail   string // one sentence for people
	Fields   []Fault
	Denied   Grant  // what the actor lacks, for the audit; it is not told to them when Kind is NotFound
	DeniedIn string // the project in which they lack it; empty for the installation

	RetryAfter time.Duration // of TooMany: when asking again makes sense; zero for not known
}

// Error gives detail and every fault in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Kind))
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(f.String())
	}
	return b.String()
}

// Is reports whether target is this error's kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// Errorf makes an error of a kind with a stable code and a sentence for people.
func Errorf(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Detail: Redact(fmt.Sprintf(format, args...))}
}

// Hidden is the NotFound of a thing that an actor lacks a grant to see: told as if it did not exist, noted as a denial.
func Hidden(missing error, lacking Grant) error {
	var e *Error
	if !errors.As(missing, &e) {
		return missing
	}
	out := *e
	out.Denied = lacking
	return &out
}

// Faults collects what is wrong with a request, so that all of it is told at once.
type Faults []Fault

// Add notes one fault. A secret of a known form in it is hidden.
func (f *Faults) Add(field, code, format string, args ...any) {
	*f = append(*f, Fault{Field: Redact(field), Code: code, Message: Redact(fmt.Sprintf(format, args...))})
}

// Merge notes the faults of err below a field path. An err that is not an Invalid error is returned as it is.
func (f *Faults) Merge(field string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) || e.Kind != Invalid || len(e.Fields) == 0 {
		return err
	}
	for _, x := range e.Fields {
		x.Field = JoinField(field, x.Field)
		*f = append(*f, x)
	}
	return nil
}

// Err is nil when nothing was noted, else an Invalid error with every fault.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	detail := "1 field is not valid"
	if len(f) > 1 {
		detail = fmt.Sprintf("%d fields are not valid", len(f))
	}
	return &Error{Kind: Invalid, Code: "VALIDATION_FAILED", Detail: detail, Fields: f}
}

// JoinField joins two field paths: ("blueprint", "components[0]") gives "blueprint.components[0]".
func JoinField(parent, child string) string {
	switch {
	case parent == "":
		return child
	case child == "":
		return parent
	case strings.HasPrefix(child, "["):
		return parent + child
	}
	return parent + "." + child
}
