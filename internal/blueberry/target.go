package blueberry

import (
	"net/url"
	"regexp"
	"time"
)

// TargetState says whether a target takes environments.
type TargetState string

// The states.
const (
	TargetActive   TargetState = "active"
	TargetCordoned TargetState = "cordoned" // takes no new environments; those that are there live on
	TargetDraining TargetState = "draining" // and those with a lease are removed
)

// Target is a registered place that can hold environments.
type Target struct {
	Name   string // "local"
	Driver string // one of TargetDrivers
	Domain string // hosts of its environments end in it: "127.0.0.1.sslip.io", "localhost"
	Region string // for prices: "europe-west6"; empty when nobody said
	State  TargetState
	Reason string // why it is cordoned or draining; for people

	Kubeconfig     []byte // of its cluster; a secret. Empty: KubeconfigFile, else the server's own service account
	KubeconfigFile string // path on the server; only the server's own configuration sets it
	Context        string // of the kubeconfig; empty for its current one
	Argo           ArgoSettings
	Gateway        string  // URL that the wake gateway passes requests on to, as http://10.0.0.5:80: the address of the cluster's ingress; empty for none
	Capacity       *Demand // that people set; nil: what the target says itself

	Configured bool // it is of the server's configuration, which says driver, domain and address anew at each start
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Version    int64
}

// ArgoSettings say how an Argo CD runs the environments of a target. They stay when the target turns to another driver, so that it can be left in order.
type ArgoSettings struct {
	Namespace      string // of its Applications; empty means "argocd"
	Kubeconfig     []byte // of the cluster that Argo CD itself runs in; a secret. Empty: that of the target
	KubeconfigFile string // path on the server; only the server's own configuration sets it
	Repository     string // URL by which Argo CD reaches the GitOps repository; empty: the server's own
	Destination    string // URL by which Argo CD knows the target's cluster; empty: "https://kubernetes.default.svc"
}

// TargetDrivers lists the drivers.
func TargetDrivers() []string { return []string{"kube", "argocd", "sim"} }

// Takes reports whether the target takes new environments.
func (t Target) Takes() bool { return t.State == "" || t.State == TargetActive }

// Drains reports whether draining its target removes the environment: it lives, and has a lease that nobody has pinned.
func (e Environment) Drains() bool {
	return e.Phase != Terminating && e.Phase != Terminated && !e.Lease.ExpiresAt.IsZero() && e.Lease.PinnedBy == ""
}

// MaxTargetName is how many characters the name of a target has at most.
const MaxTargetName = 40

var domainForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// CheckDomain notes what is no domain that hosts can end in.
func (f *Faults) CheckDomain(field, domain string) {
	if len(domain) > 180 || !domainForm.MatchString(domain) {
		f.Add(field, "pattern", "%q is no domain name, as previews.example.com", domain)
	}
}

// CheckHTTP notes what is no address of an HTTP server. Credentials have no place in it.
func (f *Faults) CheckHTTP(field, address string) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		f.Add(field, "pattern", "is no address, as https://host:port")
		return
	}
	if u.User != nil {
		f.Add(field, "forbidden", "holds a user name or password")
	}
}

// TargetCheck is one thing that a target needs to do its work.
type TargetCheck struct {
	Name     string // "reach", "read Deployment.apps", "definition applications.argoproj.io"
	OK       bool
	Optional bool   // environments work without it, an ability does not
	Message  string // what is missing, and what does not work without it
	Manifest string // YAML that grants it; empty when no manifest can
}
