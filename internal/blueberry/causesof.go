package blueberry

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Codes of errors, and of progress, that conditions keep and causes are told by.
const (
	CodeTargetUnreachable  = "TARGET_UNREACHABLE"
	CodeTargetBusy         = "TARGET_BUSY"         // it answers, and has no time for us
	CodeTargetUnauthorized = "TARGET_UNAUTHORIZED" // it does not know our credential
	CodeTargetForbidden    = "TARGET_FORBIDDEN"    // its RBAC denies our credential a right
	CodeTargetUnreadable   = "TARGET_UNREADABLE"   // the same, of a right to list
	CodeTargetRefused      = "TARGET_REFUSED"      // a manifest is not valid
	CodeTargetValue        = "TARGET_VALUE_INVALID"
	CodeTargetDenied       = "TARGET_ADMISSION_DENIED"
	CodeTargetPodSecurity  = "TARGET_POD_SECURITY"
	CodeTargetQuota        = "TARGET_QUOTA"
	CodeTargetWebhook      = "TARGET_WEBHOOK_TIMEOUT" // an admission webhook does not answer
	CodeObjectTaken        = "OBJECT_TAKEN"
	CodeKindUnknown        = "KIND_UNKNOWN"
	CodeNamespaceGoing     = "NAMESPACE_TERMINATING"
	CodeWaveWaiting        = "WAVE_WAITING"
	CodeArgoSync           = "ARGO_SYNC_FAILED"
	CodeArgoUnreachable    = "ARGO_UNREACHABLE"
	CodeGitRefused         = "GITOPS_REMOTE_REFUSED"
	CodeGitDenied          = "GITOPS_REMOTE_AUTH"
	CodeGitMissing         = "GITOPS_REMOTE_NOT_FOUND"
	CodeGitUnreachable     = "GITOPS_REMOTE_DOWN"
)

// causeOfCode is what a code of a condition means.
type causeOfCode struct {
	cause    CauseCode
	severity Severity
	says     string // before the condition's own message
	fix      string
}

func causesOfCodes() map[string]causeOfCode {
	git := causeOfCode{CauseGitRefused, Fails, "the GitOps repository refuses the commit", "give the credential of the GitOps repository the right to push to its branch, and check the branch's protection and hooks"}
	rights := causeOfCode{CauseRightsMissing, Fails, "the target does not let Blueberry do this", "grant the right to Blueberry's account on the target; `blueberry target check NAME` prints the manifest"}
	return map[string]causeOfCode{
		CodeGitRefused: git, CodeGitDenied: git,
		CodeGitMissing:        {CauseGitRefused, Fails, "there is no GitOps repository at its address", "correct the address of the GitOps repository in the server's configuration, or create the repository"},
		CodeGitUnreachable:    {CauseGitUnreachable, Waits, "the GitOps repository does not answer", "nothing, if it comes back; else check its address and the network between"},
		CodeTargetUnreachable: {CauseTargetUnreachable, Waits, "the target does not answer", "nothing, if it comes back; else check its API server and the network between: `blueberry target check NAME`; a removal on a target that is gone for good ends by `blueberry env abandon NAME`"},
		CodeTargetBusy:        {CauseTargetUnreachable, Waits, "the target has no time for Blueberry", "nothing, if it passes; else raise the share of Blueberry's account in the target's API priority and fairness"},
		CodeTargetUnauthorized: {
			CauseCredentialExpired, Fails, "the target does not accept Blueberry's credential any more",
			"renew the credential: give the target a fresh kubeconfig or service account token",
		},
		CodeTargetForbidden: rights, CodeTargetUnreadable: rights,
		CodeTargetRefused:     {CauseManifestInvalid, Fails, "the target takes a manifest for invalid", "correct the chart or manifest of the component; `blueberry env rendering NAME` shows it as it was sent"},
		CodeTargetValue:       {CauseConfigWrong, Fails, "the target does not take a value", "correct the value: `blueberry config why NAME PATH` tells where it comes from"},
		CodeTargetDenied:      {CauseAdmissionDenied, Fails, "an admission rule of the target denies an object", "change the component so that the rule allows it, or ask the owners of the target to change the rule"},
		CodeTargetPodSecurity: {CausePodSecurity, Fails, "the pod security level of the namespace denies a pod", "set the securityContext that the level asks for in the component's values"},
		CodeTargetQuota:       {CauseQuota, Fails, "a quota of the namespace is used up", "lower replicas and resources.requests of the components, or raise the quota of the environment's size"},
		CodeTargetWebhook: {
			CauseWebhookTimeout, Waits, "an admission webhook of the target does not answer",
			"mend the webhook's own workload, or let its configuration ignore failures (failurePolicy: Ignore)",
		},
		CodeObjectTaken:     {CauseObjectTaken, Fails, "objects of the environment belong to someone else", "rename the component, or delete the object if nobody needs it"},
		CodeKindUnknown:     {CauseKindUnknown, Waits, "the target does not know a kind", "install the CustomResourceDefinition on the target (with its operator), or take the object out of the chart"},
		CodeNamespaceGoing:  {CauseNamespaceGoing, Waits, "the namespace is being deleted", "nothing, if it goes; else remove what holds it"},
		CodeWaveWaiting:     {CauseWaveWaiting, Waits, "components wait for those of an earlier wave", "mend the component that is waited for, or lower the wave of those that need not wait"},
		CodeArgoSync:        {CauseArgoSync, Fails, "Argo CD could not sync", "read the operation of the Application in Argo CD and correct the object that it names"},
		CodeArgoUnreachable: {CauseArgoUnreachable, Waits, "Argo CD does not answer", "nothing, if it comes back; else check its application controller"},
	}
}

// CausesOf tells what the conditions and the lease of an environment say by themselves, sorted: what kept its manifests from Git or from the target, and that
// its lease ends within two hours. What only the target can tell is target.Explainer's; MergeCauses brings both together.
func CausesOf(e Environment, now time.Time) []Cause {
	var out []Cause
	for _, c := range e.Conditions {
		if c.Status != False {
			continue
		}
		if found, ok := causeOfCondition(c); ok {
			out = append(out, found)
		}
	}
	if left := e.Lease.ExpiresAt.Sub(now); !e.Lease.ExpiresAt.IsZero() && left < LeaseSoon && e.Phase != Terminating && e.Phase != Terminated {
		c := Cause{Code: CauseLeaseEnding, Severity: Warns, Fix: fmt.Sprintf("extend it while it lasts: blueberry env extend %s --by 24h", e.Name)}
		c.Message = fmt.Sprintf("the lease of %s ends at %s, and the environment with it", e.Name, e.Lease.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
		c.Evidence = []Evidence{NewEvidence("lease", "ends "+e.Lease.ExpiresAt.UTC().Format(time.RFC3339), time.Time{})}
		out = append(out, c)
	}
	SortCauses(out)
	return out
}

// LeaseSoon is how long before its end a lease is told as a cause.
const LeaseSoon = 2 * time.Hour

// causeOfCondition reads a condition that is False: by its code, or, of one that was set before codes were kept, by its reason.
func causeOfCondition(c Condition) (Cause, bool) {
	means, ok := causesOfCodes()[c.Code]
	switch {
	case ok:
	case c.Type == Rendered:
		means = causeOfCode{CauseConfigWrong, Fails, "the manifests cannot be made", "correct the value: `blueberry config why NAME PATH` tells where it comes from"}
	case c.Type == Committed && c.Reason == ReasonRepositoryUnavailable:
		means = causesOfCodes()[CodeGitUnreachable]
	case c.Type == Synced && c.Reason == ReasonTargetUnavailable:
		means = causesOfCodes()[CodeTargetUnreachable]
	case c.Type == Synced && c.Reason == ReasonRefused:
		means = causesOfCodes()[CodeTargetRefused]
	default:
		return Cause{}, false
	}
	out := Cause{Code: means.cause, Severity: means.severity, Step: c.Type, Message: means.says, Fix: means.fix}
	if c.Message != "" {
		text := Redact(c.Message)
		if len(text) > maxCauseMessage {
			text = strings.ToValidUTF8(text[:maxCauseMessage], "") + "…"
		}
		out.Message += ": " + text
		out.Evidence = []Evidence{NewEvidence("condition "+string(c.Type), c.Message, c.Since)}
	}
	return out, true
}

// maxCauseMessage is how much of a condition's message a cause's sentence repeats; the evidence has more.
const maxCauseMessage = 500

// CauseOf tells what an error of a target or a repository means, as if a condition had kept it; false when it means none of the causes.
func CauseOf(step ConditionType, err error, now time.Time) (Cause, bool) {
	var e *Error
	if !errors.As(err, &e) {
		return Cause{}, false
	}
	c := Condition{Type: step, Status: False, Code: ConditionCode(err), Message: e.Error(), Since: now}
	if _, known := causesOfCodes()[c.Code]; !known {
		return Cause{}, false
	}
	return causeOfCondition(c)
}

// MergeCauses brings causes of several sources together, sorted and each told once: of two with one code and component the one that names an object is kept.
func MergeCauses(lists ...[]Cause) []Cause {
	type key struct {
		code   CauseCode
		object ObjectRef
		text   string
	}
	var out []Cause
	seen, named := map[key]bool{}, map[CauseCode]bool{}
	for _, list := range lists {
		for _, c := range list {
			named[c.Code] = named[c.Code] || c.Object != (ObjectRef{})
		}
	}
	for _, list := range lists {
		for _, c := range list {
			k := key{c.Code, c.Object, c.Message}
			if seen[k] || c.Object == (ObjectRef{}) && named[c.Code] {
				continue
			}
			seen[k] = true
			out = append(out, c)
		}
	}
	SortCauses(out)
	return out
}

// Step is the condition that a cause of this code holds up; empty for LeaseEnding.
func (c CauseCode) Step() ConditionType {
	switch c {
	case CauseConfigWrong:
		return Rendered
	case CauseGitRefused, CauseGitUnreachable:
		return Committed
	case CauseTargetUnreachable, CauseCredentialExpired, CauseRightsMissing, CauseManifestInvalid, CauseKindUnknown, CauseAdmissionDenied, CausePodSecurity,
		CauseWebhookTimeout, CauseObjectTaken, CauseArgoSync, CauseArgoUnreachable, CauseNamespaceGoing, CauseWaveWaiting:
		return Synced
	case CauseQuota, CauseNoCPU, CauseNoMemory, CauseTaint, CauseUnschedulable, CauseVolumePending, CauseNodeNotReady:
		return Scheduled
	case CauseReadiness, CauseRolloutPaused, CauseObjectFailed:
		return IsReady
	case CauseNoEndpoints, CauseIngressClass, CauseIngressAddress, CauseDNS, CauseCertificate, CauseURL:
		return Reachable
	case CauseLeaseEnding:
		return ""
	}
	return Started
}
