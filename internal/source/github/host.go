package github

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Host is GitHub.
type Host struct{}

// Named gives the id of the delivery, and its event.
func (Host) Named(h http.Header) (id, event string) {
	return source.Once(h, "X-GitHub-Delivery"), source.Once(h, "X-GitHub-Event")
}

// Signed reports whether one of the secrets signed the body.
func (Host) Signed(h http.Header, body []byte, secrets []string, _ time.Time) bool {
	return source.SignedBy(secrets, source.HexSignature(source.Once(h, "X-Hub-Signature-256"), "sha256="), body)
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
	Number   int64  `json:"number"`
	State    string `json:"state"`
	Merged   bool   `json:"merged"`
	MergedAt string `json:"merged_at"` // in lists, which do not say merged
	Title    string `json:"title"`
	HTMLURL  string `json:"html_url"`
	Draft    bool   `json:"draft"`
	User     struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"user"`
	Association string `json:"author_association"`
	Labels      []struct {
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
	states    = map[string]blueberry.PullState{"open": blueberry.PullOpen, "closed": blueberry.PullClosed}
	relations = map[string]blueberry.PullRelation{
		"OWNER": blueberry.RelationOwner, "MEMBER": blueberry.RelationMember, "COLLABORATOR": blueberry.RelationCollaborator,
		"": blueberry.RelationUnknown,
	}
)

// pullRequest is the event of them.
const pullRequest = "pull_request"

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
	if name == pullRequest {
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
		Repository: r.Text("repository.full_name", said.Repository.FullName, source.MaxName), Action: r.Text("action", said.Action, source.MaxName), Ping: name == "ping",
	}
	if name == pullRequest {
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
		Relation:   blueberry.RelationOutsider,
		Bot:        said.User.Type == "Bot",
		Draft:      said.Draft,
		State:      source.Choose(r, "pull_request.state", said.State, states),
		HeadRef:    r.Text("pull_request.head.ref", said.Head.Ref, source.MaxName),
		HeadCommit: r.Commit("pull_request.head.sha", said.Head.SHA),
		HeadURL:    r.Address("pull_request.head.repo.clone_url", said.Head.Repo.CloneURL),
		HeadRepo:   r.Text("pull_request.head.repo.full_name", said.Head.Repo.FullName, source.MaxName),
		BaseRepo:   r.Name("pull_request.base.repo.full_name", said.Base.Repo.FullName),
		BaseRef:    r.Name("pull_request.base.ref", said.Base.Ref),
		HostAt:     r.Time("pull_request.updated_at", said.UpdatedAt),
	}
	if relation, known := relations[said.Association]; known {
		p.Relation = relation
	}
	if said.Merged || said.MergedAt != "" {
		p.State = blueberry.PullMerged
	}
	var labels []string
	for _, x := range said.Labels {
		labels = append(labels, x.Name)
	}
	p.Labels = r.Labels("pull_request.labels", labels)
	return &p
}
