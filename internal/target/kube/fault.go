package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// fault turns the error of a call into one of ours: Unavailable when the place did not answer or cannot work now, else wrapped with the doing.
func fault(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	if own := new(blueberry.Error); errors.As(err, &own) {
		return err
	}
	if name := webhookDown(err); name != "" {
		return blueberry.Errorf(blueberry.Unavailable, blueberry.CodeTargetWebhook, "%s: the target's admission webhook %s does not answer: %s", doing, name, plainCall(err))
	}
	if apierrors.IsForbidden(err) && denialCode(err.Error()) == blueberry.CodeTargetForbidden {
		return blueberry.Errorf(blueberry.Forbidden, blueberry.CodeTargetForbidden, "%s: the target lacks a right for us: %s", doing, missingRight(err.Error()))
	}
	if reason := unreachable(err); reason != "" {
		return blueberry.Errorf(blueberry.Unavailable, reason, "%s: %s", doing, plainly(err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// plainly says in our words why a call did not get through: the texts of Go's HTTP client hold addresses and ports that change from call to call.
func plainly(err error) string {
	status := apierrors.APIStatus(nil)
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &status):
		return fmt.Sprintf("the API server answers %d %s", status.Status().Code, status.Status().Reason)
	case errors.As(err, &dns):
		return "its name is not known"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case strings.Contains(err.Error(), "x509:"), strings.Contains(err.Error(), "tls:"):
		return "its certificate is not accepted"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was cut"
	}
	return "the connection failed"
}

// unreachable tells, with a stable code, whether an error means that the place cannot be worked with now. Empty means that it answered.
func unreachable(err error) string {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return blueberry.CodeTargetUnreachable // no answer of the API: the connection, TLS, or our time-out
	}
	switch code := status.Status().Code; {
	case code == http.StatusUnauthorized:
		return blueberry.CodeTargetUnauthorized
	case code == http.StatusTooManyRequests:
		return blueberry.CodeTargetBusy
	case refusedSchema(err):
		return ""
	case code >= 500:
		return blueberry.CodeTargetUnreachable
	}
	return ""
}

// refusedSchema: server-side apply answers 500 to a field that the schema does not have (seen with 1.36).
func refusedSchema(err error) bool {
	return strings.Contains(err.Error(), "failed to create typed patch object")
}

// namespaceGoing is why nothing can be put into a namespace.
const namespaceGoing = "its namespace is being deleted"

// notYet says why an apply should be tried again although the API refused it; empty when it should not.
func notYet(err error) string {
	switch {
	case apierrors.HasStatusCause(err, "NamespaceTerminating"):
		return namespaceGoing
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "status unknown for quota"):
		return "the quota of its namespace is not counted yet"
	case apierrors.IsNotFound(err):
		return "the place does not have its namespace or kind yet"
	}
	return ""
}

// refusal is the faults of an object that the API refuses for good; nil when the error is of another sort.
func refusal(ref blueberry.ObjectRef, err error) []blueberry.Fault {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return nil
	}
	s := status.Status()
	switch {
	case refusedSchema(err):
		return refusedFields(ref, s.Message)
	case s.Code == http.StatusUnprocessableEntity && s.Details != nil && len(s.Details.Causes) > 0:
		var out []blueberry.Fault
		for _, c := range s.Details.Causes {
			out = append(out, blueberry.Fault{Field: at(ref, c.Field), Code: "object_invalid", Message: c.Message})
		}
		return out
	case s.Code == http.StatusUnprocessableEntity, s.Code == http.StatusBadRequest, s.Code == http.StatusRequestEntityTooLarge,
		s.Code == http.StatusMethodNotAllowed:
		return []blueberry.Fault{{Field: at(ref, ""), Code: "object_invalid", Message: s.Message}}
	case s.Code == http.StatusForbidden && denialCode(s.Message) == blueberry.CodeTargetForbidden:
		return []blueberry.Fault{{Field: at(ref, ""), Code: "right_missing", Message: s.Message}}
	case s.Code == http.StatusForbidden:
		return []blueberry.Fault{{Field: at(ref, ""), Code: "object_denied", Message: s.Message}}
	}
	return nil
}

// refusedFields reads what server-side apply says of fields outside of the schema: one on the line, or a line for each.
func refusedFields(ref blueberry.ObjectRef, message string) []blueberry.Fault {
	_, list, _ := strings.Cut(message, "): ")
	var out []blueberry.Fault
	for line := range strings.Lines(strings.TrimPrefix(list, "errors:\n")) {
		if path, what, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			what, _, _ = strings.Cut(what, ", got &") // the value follows, and it may be a secret
			out = append(out, blueberry.Fault{Field: at(ref, strings.TrimPrefix(path, ".")), Code: "object_invalid", Message: what})
		}
	}
	if out == nil {
		out = append(out, blueberry.Fault{Field: at(ref, ""), Code: "object_invalid", Message: message})
	}
	return out
}

// at is the field path of a fault in an object.
func at(ref blueberry.ObjectRef, field string) string {
	if field == "" || field == "<nil>" {
		return ref.String()
	}
	return ref.String() + " " + field
}

// fieldIn is what at was given.
func fieldIn(ref blueberry.ObjectRef, field string) string {
	return strings.TrimPrefix(strings.TrimPrefix(field, ref.String()), " ")
}

// immutable reports whether the API refused a change of fields that can only be set when an object is made.
func immutable(err error) bool {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	for _, c := range status.Status().Details.Causes {
		if c.Type == metav1.CauseTypeFieldValueInvalid && strings.Contains(c.Message, "immutable") {
			return true
		}
	}
	return false
}
