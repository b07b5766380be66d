package kube

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What Kubernetes says when it does not let something be made. The texts are those of the API server's own admission plugins (1.28 to 1.36).
var (
	overQuota    = regexp.MustCompile(`exceeded quota: ([^,]+), requested: (.*), used: (.*), limited: (.*)`)
	webhookCall  = regexp.MustCompile(`failed calling webhook "([^"]+)"`)
	webhookSaid  = regexp.MustCompile(`admission webhook "([^"]+)" denied the request`)
	policySaid   = regexp.MustCompile(`ValidatingAdmissionPolicy '([^']+)'`)
	userCannot   = regexp.MustCompile(`User "([^"]+)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?`)
	scalarValue  = regexp.MustCompile(`^(Invalid|Unsupported) value: [^{\[n]`)
	accountGone  = regexp.MustCompile(`serviceaccount "([^"]+)" not found`)
	podViolation = regexp.MustCompile(`violates PodSecurity "([^"]+)": (.*)`)
)

// denialCode tells from what the API says which of its rules denied something: a code of a condition; empty when it is none of those known.
func denialCode(message string) string {
	switch {
	case webhookCall.MatchString(message):
		return blueberry.CodeTargetWebhook
	case strings.Contains(message, "exceeded quota"), strings.Contains(message, "failed quota"):
		return blueberry.CodeTargetQuota
	case strings.Contains(message, "violates PodSecurity"):
		return blueberry.CodeTargetPodSecurity
	case userCannot.MatchString(message):
		return blueberry.CodeTargetForbidden
	case webhookSaid.MatchString(message), policySaid.MatchString(message), strings.Contains(message, "is forbidden: "), accountGone.MatchString(message):
		return blueberry.CodeTargetDenied
	}
	return ""
}

// refusalCode is the code of an object that the API refuses for good.
func refusalCode(err error) string {
	if code := denialCode(err.Error()); code != "" && !apierrors.IsInvalid(err) {
		return code
	}
	status := apierrors.APIStatus(nil)
	if errors.As(err, &status) && status.Status().Details != nil && apierrors.IsInvalid(err) {
		if webhookSaid.MatchString(err.Error()) || policySaid.MatchString(err.Error()) {
			return blueberry.CodeTargetDenied
		}
		for _, c := range status.Status().Details.Causes {
			if !scalarValue.MatchString(c.Message) || strings.Contains(c.Message, "immutable") {
				return blueberry.CodeTargetRefused
			}
		}
		if len(status.Status().Details.Causes) > 0 { // each is about one value that is not allowed
			return blueberry.CodeTargetValue
		}
	}
	return blueberry.CodeTargetRefused
}

// before reports whether the waterfall has the cause of one code before that of another.
func before(a, b string) bool {
	order := []string{
		blueberry.CodeTargetValue, blueberry.CodeTargetForbidden, blueberry.CodeTargetRefused, blueberry.CodeTargetDenied, blueberry.CodeTargetPodSecurity,
		blueberry.CodeTargetWebhook, blueberry.CodeTargetQuota,
	}
	return slices.Index(order, a) >= 0 && slices.Index(order, a) < slices.Index(order, b)
}

// webhookDown names the admission webhook that an API call failed at because it did not answer; empty when it failed at something else.
func webhookDown(err error) string {
	if m := webhookCall.FindStringSubmatch(err.Error()); m != nil && apierrors.IsInternalError(err) {
		return m[1]
	}
	return ""
}

// plainCall is why a webhook did not answer, without the addresses and ports in Go's texts, which change from call to call.
func plainCall(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "context deadline exceeded"), strings.Contains(text, "Client.Timeout"):
		return "no answer in time"
	case strings.Contains(text, "connection refused"):
		return "the connection is refused"
	case strings.Contains(text, "no endpoints available"):
		return "its service has no endpoints"
	case strings.Contains(text, "no such host"):
		return "its name is not known"
	case strings.Contains(text, "not found"):
		return "its service is not there"
	case strings.Contains(text, "x509:"):
		return "its certificate is not accepted"
	}
	return "the call fails"
}

// missingRight says what a message of the API's RBAC misses: "serviceaccount x may not create deployments.apps in namespace y".
func missingRight(message string) string {
	m := userCannot.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	resource := m[3]
	if m[4] != "" {
		resource += "." + m[4]
	}
	text := fmt.Sprintf("%s may not %s %s", m[1], m[2], resource)
	if m[5] != "" {
		text += " in namespace " + m[5]
	}
	return text
}

// denial is the cause of a pod that a controller is not let make, by what the API told it.
func denial(o suspect, message string) blueberry.Cause {
	c := o.cause("", blueberry.Fails, "")
	c.Evidence = []blueberry.Evidence{blueberry.NewEvidence(o.ref.String(), message, o.at)}
	code := denialCode(message)
	switch code {
	case blueberry.CodeTargetQuota:
		c.Code = blueberry.CauseQuota
		c.Message = fmt.Sprintf("a quota of the namespace allows %s no more pods", o.short())
		c.Fix = fmt.Sprintf("lower replicas or resources of component %s in the blueprint, or raise the quota", o.component)
		if m := overQuota.FindStringSubmatch(message); m != nil {
			c.Message = fmt.Sprintf("quota %s allows %s no more pods: one asks for %s, used is %s of %s", m[1], o.short(), m[2], m[3], m[4])
		}
	case blueberry.CodeTargetPodSecurity:
		c.Code, c.Message = blueberry.CausePodSecurity, fmt.Sprintf("the pod security level of the namespace denies the pods of %s", o.short())
		c.Fix = fmt.Sprintf("set the securityContext that the level asks for in the values of component %s", o.component)
		if m := podViolation.FindStringSubmatch(message); m != nil {
			c.Message = fmt.Sprintf("pod security level %s denies the pods of %s: %s", m[1], o.short(), clip(m[2]))
		}
	case blueberry.CodeTargetWebhook:
		name := webhookCall.FindStringSubmatch(message)[1]
		c.Code, c.Severity = blueberry.CauseWebhookTimeout, blueberry.Waits
		c.Message = fmt.Sprintf("admission webhook %s does not answer, so the pods of %s cannot be made", name, o.short())
		c.Fix = fmt.Sprintf("mend the workload behind webhook %s, or let its configuration ignore failures (failurePolicy: Ignore)", name)
	case blueberry.CodeTargetForbidden:
		c.Code, c.Message = blueberry.CauseRightsMissing, fmt.Sprintf("the pods of %s cannot be made: %s", o.short(), missingRight(message))
		c.Fix = "grant that right in the target's RBAC"
	case blueberry.CodeTargetDenied:
		c.Code, c.Message = blueberry.CauseAdmissionDenied, fmt.Sprintf("an admission rule denies the pods of %s: %s", o.short(), clip(afterDenied(message)))
		c.Fix = fmt.Sprintf("change component %s so that the rule allows it, or ask the owners of the target to change the rule", o.component)
		if m := webhookSaid.FindStringSubmatch(message); m != nil {
			c.Message = fmt.Sprintf("admission webhook %s denies the pods of %s: %s", m[1], o.short(), clip(afterDenied(message)))
		} else if m := accountGone.FindStringSubmatch(message); m != nil {
			c.Message = fmt.Sprintf("the pods of %s cannot be made: service account %s is not there", o.short(), m[1])
			c.Fix = fmt.Sprintf("add ServiceAccount %s to the chart, or take serviceAccountName out of it", m[1])
		}
	default:
		c.Code, c.Message = blueberry.CauseObjectFailed, fmt.Sprintf("the pods of %s cannot be made: %s", o.short(), clip(message))
		c.Fix = fmt.Sprintf("correct the pod template of component %s", o.component)
		if strings.Contains(message, "is invalid: ") {
			c.Code = blueberry.CauseManifestInvalid
		}
	}
	c.Step = c.Code.Step()
	return c
}

// afterDenied is what a rule gave as its reason.
func afterDenied(message string) string {
	for _, mark := range []string{"denied the request: ", "denied request: ", "is forbidden: "} {
		if _, after, ok := strings.Cut(message, mark); ok {
			return after
		}
	}
	return message
}

// clip keeps a sentence short; the evidence has all of it.
func clip(text string) string {
	const most = 300
	text = blueberry.Redact(strings.TrimSpace(text))
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
