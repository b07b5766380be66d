package gitea

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Host is Gitea, or Forgejo.
type Host struct{}

// Named gives the id of the delivery, and its event.
func (Host) Named(h http.Header) (id, event string) {
	for _, name := range []string{"X-Gitea-", "X-Forgejo-"} {
		if event = source.Once(h, name+"Event"); event != "" {
			return source.Once(h, name+"Delivery"), event
		}
	}
	return "", ""
}

// Signed reports whether one of the secrets signed the payload. The first kind of signature that is there counts.
func (Host) Signed(h http.Header, body []byte, secrets []string, _ time.Time) bool {
	payload, err := source.Payload(h, body)
	if err != nil {
		return false
	}
	for _, kind := range []struct{ header, prefix string }{{"X-Gitea-Signature", ""}, {"X-Forgejo-Signature", ""}, {"X-Hub-Signature-256", "sha256="}} {
		if h.Get(kind.header) != "" {
			return source.SignedBy(secrets, source.HexSignature(source.Once(h, kind.header), kind.prefix), payload)
		}
	}
	return false
}

type repository struct {
	FullName string `json:"full_name"`
	CloneURL string `json:"clone_url"`
}

type event[P any] struct {
	Action     string     `json:"action"`
	Repository repository `json:"repository"`
	Pull       P          `json:"pull_request"`
}

type pull struct {
	Number  int64  `json:"number"`
	State   string `json:"state"`
	Merged  bool   `json:"merged"`
	Title   string `json:"title"`
	HTMLURL string `json:"html_url"`
	Draft   bool   `json:"draft"` // older servers know the title alone
	User    struct {
		Login string `json:"login"`
	} `json:"user"`
	Labels []struct {
		Name string `json:"name"`
	} `json:"labels"`
	Head struct {
		Ref  string     `json:"ref"`
		SHA  string     `json:"sha"`
		Repo repository `json:"repo"` // null when it is gone
	} `json:"head"`
	Base struct {
		Ref  string     `json:"ref"`
		Repo repository `json:"repo"`
	} `json:"base"`
	UpdatedAt string `json:"updated_at"`
}

var (
	states = map[string]blueberry.PullState{"open": blueberry.PullOpen, "closed": blueberry.PullClosed}

	// isPull has the events that are about a pull request itself. Reviews and comments change nothing of it.
	isPull = map[string]bool{
		"pull_request": true, "pull_request_assign": true, "pull_request_label": true, "pull_request_milestone": true, "pull_request_sync": true,
		"pull_request_review_request": true,
	}
)

// Read tells what a delivery says.
func (host Host) Read(h http.Header, body []byte) (source.Incoming, error) {
	body, err := source.Payload(h, body)
	if err != nil {
		return source.Incoming{}, err
	}
	var said event[pull]
	var r source.Reading
	_, name := host.Named(h)
	if read, known := readers[name]; known {
		in, err := read(&r, body)
		if err != nil {
			return source.Incoming{}, err
		}
		return r.Give(in)
	}
	if isPull[name] {
		err = source.Decode(body, &said)
	} else {
		var other event[json.RawMessage] // what it says of a pull request is not looked at
		err = source.Decode(body, &other)
		said.Action, said.Repository = other.Action, other.Repository
	}
	if err != nil {
		return source.Incoming{}, err
	}
	in := source.Incoming{
		Repository: r.Text("repository.full_name", said.Repository.FullName, source.MaxName), Action: r.Text("action", said.Action, source.MaxName),
	}
	if isPull[name] {
		in.Pull, in.Reopened = read(&r, said.Pull), in.Action == "reopened"
		r.Name("repository.full_name", in.Repository)
	}
	return r.Give(in)
}

func read(r *source.Reading, said pull) *blueberry.PullRequest {
	p := blueberry.PullRequest{
		Number:     r.Number("pull_request.number", said.Number),
		Title:      r.Title(said.Title),
		URL:        r.Address("pull_request.html_url", said.HTMLURL),
		Author:     r.Text("pull_request.user.login", said.User.Login, source.MaxName),
		Relation:   blueberry.RelationUnknown,
		Draft:      said.Draft || unfinished(said.Title),
		State:      source.Choose(r, "pull_request.state", said.State, states),
		HeadRef:    r.Text("pull_request.head.ref", said.Head.Ref, source.MaxName),
		HeadCommit: r.Commit("pull_request.head.sha", said.Head.SHA),
		HeadURL:    r.Address("pull_request.head.repo.clone_url", said.Head.Repo.CloneURL),
		HeadRepo:   r.Text("pull_request.head.repo.full_name", said.Head.Repo.FullName, source.MaxName),
		BaseRepo:   r.Name("pull_request.base.repo.full_name", said.Base.Repo.FullName),
		BaseRef:    r.Name("pull_request.base.ref", said.Base.Ref),
		HostAt:     r.Time("pull_request.updated_at", said.UpdatedAt),
	}
	if strings.HasPrefix(said.Head.Ref, "refs/") { // no branch: who may only read pushes it so (AGit), or its branch is gone
		p.HeadRepo = ""
	}
	if said.Merged {
		p.State = blueberry.PullMerged
	}
	var labels []string
	for _, x := range said.Labels {
		labels = append(labels, x.Name)
	}
	p.Labels = r.Labels("pull_request.labels", labels)
	return &p
}

// unfinished reports whether a title begins as that of a draft does, where the server was not told other words.
func unfinished(title string) bool {
	title = strings.ToUpper(title)
	return strings.HasPrefix(title, "WIP:") || strings.HasPrefix(title, "[WIP]")
}
