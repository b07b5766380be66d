package blueberry

import (
	"slices"
	"strings"
	"time"
)

// CauseCode names why an environment is not where it should be: one of CauseCodes.
type CauseCode string

// The causes that are told, in the order of the waterfall: of several, the first of the earliest step explains the rest.
const (
	// Rendered, Committed
	CauseConfigWrong       CauseCode = "ConfigWrong"       // a value is not what the chart or the target takes
	CauseGitRefused        CauseCode = "GitRefused"        // the GitOps repository refuses the push
	CauseGitUnreachable    CauseCode = "GitUnreachable"    // or does not answer
	CauseTargetUnreachable CauseCode = "TargetUnreachable" // Synced from here on
	CauseCredentialExpired CauseCode = "CredentialExpired" // the target does not know us any more
	CauseRightsMissing     CauseCode = "RightsMissing"     // RBAC of the target denies us
	CauseManifestInvalid   CauseCode = "ManifestInvalid"
	CauseKindUnknown       CauseCode = "KindUnknown" // a custom resource definition is missing
	CauseAdmissionDenied   CauseCode = "AdmissionDenied"
	CausePodSecurity       CauseCode = "PodSecurityDenied"
	CauseWebhookTimeout    CauseCode = "AdmissionWebhookTimeout"
	CauseObjectTaken       CauseCode = "ObjectTaken" // it belongs to someone else
	CauseArgoSync          CauseCode = "ArgoSyncFailed"
	CauseArgoUnreachable   CauseCode = "ArgoUnreachable"
	CauseNamespaceGoing    CauseCode = "NamespaceTerminating" // and which finalizer holds it
	CauseWaveWaiting       CauseCode = "WaveWaiting"          // for a component of an earlier wave
	CauseQuota             CauseCode = "QuotaExceeded"        // Scheduled from here on
	CauseNoCPU             CauseCode = "InsufficientCPU"
	CauseNoMemory          CauseCode = "InsufficientMemory"
	CauseTaint             CauseCode = "UntoleratedTaint"
	CauseUnschedulable     CauseCode = "Unschedulable" // any other reason of the scheduler
	CauseVolumePending     CauseCode = "VolumePending"
	CauseNodeNotReady      CauseCode = "NodeNotReady"
	CauseImageMissing      CauseCode = "ImageNotFound" // Started from here on
	CauseImageDenied       CauseCode = "ImageDenied"
	CauseImageLimited      CauseCode = "ImageRateLimited"
	CauseImagePull         CauseCode = "ImagePullFailed" // any other reason
	CauseConfigMapMissing  CauseCode = "ConfigMapMissing"
	CauseSecretMissing     CauseCode = "SecretMissing"
	CauseKeyMissing        CauseCode = "KeyMissing" // of a ConfigMap or Secret that is there
	CauseInitStuck         CauseCode = "InitContainerStuck"
	CauseOutOfMemory       CauseCode = "OutOfMemory"
	CauseCrash             CauseCode = "CrashLoop"
	CauseContainer         CauseCode = "ContainerFailed" // any other reason of the container runtime
	CauseLiveness          CauseCode = "LivenessProbeFailed"
	CauseJobFailed         CauseCode = "JobFailed"
	CauseReadiness         CauseCode = "ReadinessProbeFailed" // Ready
	CauseRolloutPaused     CauseCode = "RolloutPaused"
	CauseObjectFailed      CauseCode = "ObjectFailed" // any other object that says so itself
	CauseNoEndpoints       CauseCode = "ServiceWithoutEndpoints"
	CauseIngressClass      CauseCode = "IngressWithoutClass" // Reachable from here on
	CauseIngressAddress    CauseCode = "IngressWithoutAddress"
	CauseDNS               CauseCode = "HostNotResolved"
	CauseCertificate       CauseCode = "CertificatePending"
	CauseURL               CauseCode = "URLProbeFailed"
	CauseLeaseEnding       CauseCode = "LeaseEnding" // of no step
)

// CauseCodes lists every code in the order of the waterfall.
func CauseCodes() []CauseCode {
	return []CauseCode{
		CauseConfigWrong, CauseGitRefused, CauseGitUnreachable, CauseTargetUnreachable, CauseCredentialExpired, CauseRightsMissing, CauseManifestInvalid,
		CauseKindUnknown, CauseAdmissionDenied, CausePodSecurity, CauseWebhookTimeout, CauseObjectTaken, CauseArgoSync, CauseArgoUnreachable, CauseNamespaceGoing,
		CauseWaveWaiting, CauseQuota, CauseNoCPU, CauseNoMemory, CauseTaint, CauseUnschedulable, CauseVolumePending, CauseNodeNotReady, CauseImageMissing,
		CauseImageDenied, CauseImageLimited, CauseImagePull, CauseConfigMapMissing, CauseSecretMissing, CauseKeyMissing, CauseInitStuck, CauseOutOfMemory,
		CauseCrash, CauseContainer, CauseLiveness, CauseJobFailed, CauseReadiness, CauseRolloutPaused, CauseObjectFailed, CauseNoEndpoints, CauseIngressClass,
		CauseIngressAddress, CauseDNS, CauseCertificate, CauseURL, CauseLeaseEnding,
	}
}

// Severity says what a cause does to an environment.
type Severity string

// The severities.
const (
	Warns Severity = "warning" // told; never a failure by itself (capabilities A4)
	Waits Severity = "waiting" // may pass without anyone doing anything
	Fails Severity = "failure" // will not pass without a change
)

// Cause is one reason why an environment is not where it should be, found by rules alone: the same state gives the same cause.
type Cause struct {
	Code      CauseCode
	Severity  Severity
	Step      ConditionType // of the waterfall, that it holds up; empty for LeaseEnding
	Component string
	Object    ObjectRef // that it is about; zero for the environment as a whole
	Message   string    // what is wrong, in one sentence: "container app of pod web-1 was killed at its memory limit of 128Mi"
	Evidence  []Evidence
	Fix       string // what to do, in one sentence
}

// Evidence is what a cause was found by, word for word.
type Evidence struct {
	Source string    // "pod shop-pr-1/web-1, container app, last state", "event FailedScheduling"
	Text   string    // at most 2,000 characters
	At     time.Time // zero when not known
}

// SortCauses orders causes: failures, then what waits, then warnings; within these by the waterfall, then by component, object and message.
func SortCauses(list []Cause) {
	severity, codes := []Severity{Fails, Waits, Warns}, CauseCodes()
	slices.SortStableFunc(list, func(a, b Cause) int {
		if d := slices.Index(severity, a.Severity) - slices.Index(severity, b.Severity); d != 0 {
			return d
		}
		if d := slices.Index(codes, a.Code) - slices.Index(codes, b.Code); d != 0 {
			return d
		}
		return strings.Compare(a.Component+"\x00"+a.Object.String()+"\x00"+a.Message, b.Component+"\x00"+b.Object.String()+"\x00"+b.Message)
	})
}

// Step is one line of the waterfall: a condition with the time that it may take.
type Step struct {
	Condition
	Budget time.Duration // from the end of the step before; 0 for no bound
	Began  time.Time     // when the step before was done; zero while it is not
	Took   time.Duration // how long it took, or lasts by now; 0 while it has not begun
	Over   bool          // it lasts longer than its budget
}

// Why is the answer to why an environment is not ready, or what should be known of one that is.
type Why struct {
	Environment Environment
	Steps       []Step
	Causes      []Cause // sorted; empty when nothing is known to be wrong
	LookedAt    time.Time
}
