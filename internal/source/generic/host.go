package generic

import (
	"net/http"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Host is anything that signs as this package says.
type Host struct{}

// Named gives the id of the delivery, and its event.
func (Host) Named(h http.Header) (id, event string) {
	return source.Once(h, "X-Blueberry-Delivery"), source.Once(h, "X-Blueberry-Event")
}

// Signed reports whether one of the secrets signed the time and the body, about now.
func (Host) Signed(h http.Header, body []byte, secrets []string, now time.Time) bool {
	at := source.Once(h, "X-Blueberry-Timestamp")
	signature := source.HexSignature(source.Once(h, "X-Blueberry-Signature"), "sha256=")
	return source.AboutNow(at, now) && source.SignedBy(secrets, signature, []byte(at+"."), body)
}

type event struct {
	Event     string `json:"event"`
	Timestamp string `json:"timestamp"`
}

type pullEvent struct {
	Data struct {
		Repository string   `json:"repository"`
		Action     string   `json:"action"`
		Number     int64    `json:"number"`
		Title      string   `json:"title"`
		URL        string   `json:"url"`
		Author     string   `json:"author"`
		Relation   string   `json:"relation"`
		Bot        bool     `json:"bot"`
		Draft      bool     `json:"draft"`
		Labels     []string `json:"labels"`
		State      string   `json:"state"`
		Head       struct {
			Ref        string `json:"ref"`
			Commit     string `json:"commit"`
			URL        string `json:"url"`
			Repository string `json:"repository"`
		} `json:"head"`
		Base struct {
			Ref        string `json:"ref"`
			Repository string `json:"repository"`
		} `json:"base"`
		UpdatedAt string `json:"updated_at"`
	} `json:"data"`
}

var (
	states    = map[string]blueberry.PullState{"open": blueberry.PullOpen, "closed": blueberry.PullClosed, "merged": blueberry.PullMerged}
	relations = map[string]blueberry.PullRelation{
		"": blueberry.RelationUnknown, "unknown": blueberry.RelationUnknown, "owner": blueberry.RelationOwner, "member": blueberry.RelationMember,
		"collaborator": blueberry.RelationCollaborator, "outsider": blueberry.RelationOutsider,
	}
)

// Read tells what a delivery says.
func (host Host) Read(h http.Header, body []byte) (source.Incoming, error) {
	var said event
	if err := source.Decode(body, &said); err != nil {
		return source.Incoming{}, err
	}
	if said.Event == "" {
		_, said.Event = host.Named(h)
	}
	switch said.Event {
	case "pull_request":
		return said.pull(body)
	case "push":
		return said.push(body)
	case "environment":
		return said.environment(body)
	case "":
		return source.Incoming{}, blueberry.Errorf(blueberry.Invalid, "DELIVERY_UNREADABLE", "event is missing")
	}
	return source.Incoming{Ping: said.Event == "ping"}, nil
}

func (e event) pull(body []byte) (source.Incoming, error) {
	var whole pullEvent
	if err := source.Decode(body, &whole); err != nil {
		return source.Incoming{}, err
	}
	var r source.Reading
	said := whole.Data
	p := blueberry.PullRequest{
		Number:     r.Number("data.number", said.Number),
		Title:      r.Title(said.Title),
		URL:        r.Address("data.url", said.URL),
		Author:     r.Text("data.author", said.Author, source.MaxName),
		Relation:   source.Choose(&r, "data.relation", said.Relation, relations),
		Bot:        said.Bot,
		Draft:      said.Draft,
		Labels:     r.Labels("data.labels", said.Labels),
		State:      source.Choose(&r, "data.state", said.State, states),
		HeadRef:    r.Text("data.head.ref", said.Head.Ref, source.MaxName),
		HeadCommit: r.Commit("data.head.commit", said.Head.Commit),
		HeadURL:    r.Address("data.head.url", said.Head.URL),
		HeadRepo:   r.Text("data.head.repository", said.Head.Repository, source.MaxName),
		BaseRepo:   r.Name("data.base.repository", said.Base.Repository),
		BaseRef:    r.Name("data.base.ref", said.Base.Ref),
		HostAt:     r.Time("data.updated_at", said.UpdatedAt),
	}
	if p.HeadRepo == "" {
		p.HeadURL = "" // of a fork that nobody names it is not known whose it is
	}
	if at := r.Time("timestamp", e.Timestamp); p.HostAt.IsZero() {
		p.HostAt = at
	}
	in := source.Incoming{
		Repository: r.Name("data.repository", said.Repository), Action: r.Text("data.action", said.Action, source.MaxName),
		Pull: &p, Reopened: said.Action == "reopened",
	}
	return r.Give(in)
}

type pushEvent struct {
	Data struct {
		Repository string `json:"repository"`
		Branch     string `json:"branch"`
		Commit     string `json:"commit"`
	} `json:"data"`
}

func (e event) push(body []byte) (source.Incoming, error) {
	var whole pushEvent
	if err := source.Decode(body, &whole); err != nil {
		return source.Incoming{}, err
	}
	var r source.Reading
	said := whole.Data
	p := blueberry.BranchPush{Branch: r.Name("data.branch", said.Branch), At: r.Time("timestamp", e.Timestamp)}
	if said.Commit != "" {
		p.Commit = r.Commit("data.commit", said.Commit)
	}
	return r.Give(source.Incoming{Repository: r.Name("data.repository", said.Repository), Pushes: []blueberry.BranchPush{p}})
}

type environmentEvent struct {
	Message string `json:"message"`
	Data    struct {
		Environment string `json:"environment"`
		Event       string `json:"event"`
		Message     string `json:"message"`
	} `json:"data"`
}

func (e event) environment(body []byte) (source.Incoming, error) {
	var whole environmentEvent
	if err := source.Decode(body, &whole); err != nil {
		return source.Incoming{}, err
	}
	var r source.Reading
	message := whole.Data.Message
	if message == "" {
		message = whole.Message
	}
	s := blueberry.EnvironmentSign{
		Environment: r.Name("data.environment", whole.Data.Environment), Event: r.Name("data.event", whole.Data.Event), Message: strings.Join(strings.Fields(r.Title(message)), " "),
		At: r.Time("timestamp", e.Timestamp),
	}
	return r.Give(source.Incoming{Action: s.Event, Sign: &s})
}
