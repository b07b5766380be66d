package blueberry

import (
	"net/url"
	"strings"
	"time"
)

// HostAPI is how the host of a repository is spoken to, beside its credential. A repository without a credential only listens.
type HostAPI struct {
	URL          string `json:"url,omitempty"`          // of the API, without a slash at its end; empty means that of the kind of host
	User         string `json:"user,omitempty"`         // whose the token is, where hosts ask for a name beside it (Bitbucket)
	App          int64  `json:"app,omitempty"`          // id of a GitHub App, whose private key the credential is; 0: the credential is a token
	Installation int64  `json:"installation,omitempty"` // of the App on the repository; 0: it is looked up
}

// HostHealth is how speaking to the host of a repository went of late.
type HostHealth struct {
	AnsweredAt  time.Time `json:"answered_at,omitzero"`  // when a call last succeeded
	FailedAt    time.Time `json:"failed_at,omitzero"`    // since when calls fail; zero when the last one succeeded
	Message     string    `json:"message,omitempty"`     // why the last one failed, and what helps
	PausedUntil time.Time `json:"paused_until,omitzero"` // before then the host wants no calls
}

// HostSweep is how far looking for what no delivery told of has come.
type HostSweep struct {
	At     time.Time `json:"at,omitzero"`   // of the last sweep that was answered
	Mark   time.Time `json:"mark,omitzero"` // by the host's time: what changed before is known
	ETag   string    `json:"etag,omitempty"`
	Unread string    `json:"unread,omitempty"` // why some pull requests could not be read; empty when all could
	Found  int       `json:"found,omitempty"`  // pull requests, all told, that a delivery should have told of
}

// PullReport is what the host of a pull request was told of it.
type PullReport struct {
	Comment      string    `json:"comment,omitempty"`       // digest of the comment's text, or "begun" for one that may have been written; empty when there is none
	CommentID    string    `json:"comment_id,omitempty"`    // as the host calls it
	CommentAt    time.Time `json:"comment_at,omitzero"`     // when it was last written
	Commit       string    `json:"commit,omitempty"`        // whose status was set
	Status       string    `json:"status,omitempty"`        // digest of that status
	Deployment   string    `json:"deployment,omitempty"`    // digest of the state of the deployment; empty when there is none
	DeploymentID string    `json:"deployment_id,omitempty"` // as the host calls it
	Deployed     string    `json:"deployed,omitempty"`      // commit of the deployment
	ReportedAt   time.Time `json:"reported_at,omitzero"`    // when all was told
	FailedAt     time.Time `json:"failed_at,omitzero"`      // since when the host does not let us tell something of it; zero when it does
	Message      string    `json:"message,omitempty"`       // why something was not; empty when all was
}

const (
	maxHostURL  = 2048
	maxHostUser = 255
	maxHostKey  = 16 << 10
)

// CheckHostAPI notes what is wrong with how a host is to be spoken to. The credential goes to the host that Git clones from, or to the public API of the kind,
// and nowhere else; allowLocal lets it go to any, also without TLS.
func (f *Faults) CheckHostAPI(field string, kind HostKind, clone string, a HostAPI, credential string, allowLocal bool) {
	at := func(name string) string { return JoinField(field, name) }
	if (kind == HostGeneric || !kind.Git()) && (a != HostAPI{} || credential != "") {
		f.Add(field, "unsupported", "a host of kind %s is not spoken to: it has no API that is known", kind)
		return
	}
	if a.URL != "" {
		f.checkHostURL(at("url"), kind, clone, a.URL, allowLocal)
	}
	if len(a.User) > maxHostUser || strings.ContainsFunc(a.User, func(r rune) bool { return r <= ' ' || r == ':' || r == 0x7f }) {
		f.Add(at("user"), "pattern", "must hold no spaces, colons or control characters, and at most %d bytes", maxHostUser)
	}
	if a.User != "" && kind != HostBitbucket {
		f.Add(at("user"), "unsupported", "only Bitbucket asks for the name of a user beside the token")
	}
	switch {
	case a.App < 0 || a.Installation < 0:
		f.Add(at("app"), "range", "ids of a GitHub App and of its installation are above 0")
	case (a.App != 0 || a.Installation != 0) && kind != HostGitHub:
		f.Add(at("app"), "unsupported", "only GitHub has Apps")
	case a.App == 0 && a.Installation != 0:
		f.Add(at("app"), "required", "is needed beside an installation")
	}
	switch pem := strings.HasPrefix(credential, "-----BEGIN "); {
	case len(credential) > maxHostKey:
		f.Add(at("credential"), "range", "is longer than %d KiB", maxHostKey>>10)
	case a.App != 0 && credential != "" && !pem:
		f.Add(at("credential"), "pattern", "must be the private key of the App, in PEM")
	case a.App == 0 && pem:
		f.Add(at("app"), "required", "is needed: the credential is a private key, which belongs to a GitHub App")
	case !pem && strings.ContainsFunc(credential, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		f.Add(at("credential"), "pattern", "must be printable ASCII without spaces")
	}
}

func (f *Faults) checkHostURL(field string, kind HostKind, clone, address string, allowLocal bool) {
	u, err := url.Parse(address)
	switch {
	case err != nil || len(address) > maxHostURL || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(address, "/"):
		f.Add(field, "url", "must be an address as https://git.example.com/api/v1, without user, query and a slash at its end")
		return
	case u.Scheme != "https" && (u.Scheme != "http" || !allowLocal):
		f.Add(field, "url", "must begin with https://")
		return
	}
	if allowLocal {
		return
	}
	if c := cloneHost(clone); !strings.EqualFold(u.Hostname(), c) && address != publicAPI(kind, c) {
		f.Add(field, "host", "must be on %s, that the repository is cloned from: the credential goes nowhere else", c)
	}
}

// cloneHost is the host of an address that Git clones from; empty for a path.
func cloneHost(clone string) string {
	if u, err := url.Parse(clone); err == nil && u.Host != "" {
		return strings.ToLower(u.Hostname())
	}
	host, _, ok := strings.Cut(clone, ":")
	if !ok || strings.HasPrefix(clone, "/") {
		return ""
	}
	return strings.ToLower(host[strings.LastIndex(host, "@")+1:])
}

func publicAPI(kind HostKind, host string) string {
	switch {
	case kind == HostGitHub && host == "github.com":
		return "https://api.github.com"
	case kind == HostBitbucket && host == "bitbucket.org":
		return "https://api.bitbucket.org/2.0"
	}
	return ""
}

// API is the address of the API: the one that is set, or that of the kind of host; empty when neither is known, as of a repository that is a path.
func (r Repository) API() string {
	host := cloneHost(r.URL)
	switch {
	case r.HostAPI.URL != "":
		return r.HostAPI.URL
	case publicAPI(r.Host, host) != "":
		return publicAPI(r.Host, host)
	case host == "":
		return ""
	}
	base := "https://" + host
	if u, err := url.Parse(r.URL); err == nil && u.Scheme == "https" && u.Port() != "" {
		base += ":" + u.Port()
	}
	switch r.Host {
	case HostGitHub:
		return base + "/api/v3"
	case HostGitLab:
		return base + "/api/v4"
	case HostGitea:
		return base + "/api/v1"
	case HostBitbucket:
		return base + "/rest/api/1.0"
	}
	return ""
}
