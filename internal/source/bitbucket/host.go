package bitbucket

import (
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// Host is Bitbucket, in its cloud and on servers of one's own.
type Host struct{}

// Named gives the id of the delivery, and its event.
func (Host) Named(h http.Header) (id, event string) {
	if id = source.Once(h, "X-Request-UUID"); id == "" {
		id = source.Once(h, "X-Request-Id")
	}
	return id, source.Once(h, "X-Event-Key")
}

// Signed reports whether one of the secrets signed the body.
func (Host) Signed(h http.Header, body []byte, secrets []string, _ time.Time) bool {
	return source.SignedBy(secrets, source.HexSignature(source.Once(h, "X-Hub-Signature"), "sha256="), body)
}

// Read tells what a delivery says. Its action is the name of the event.
func (host Host) Read(h http.Header, body []byte) (source.Incoming, error) {
	var r source.Reading
	var in source.Incoming
	var err error
	_, name := host.Named(h)
	switch name {
	case "pullrequest:created", "pullrequest:updated", "pullrequest:fulfilled", "pullrequest:rejected":
		err = readCloud(&r, body, &in)
	case "pr:opened", "pr:from_ref_updated", "pr:modified", "pr:merged", "pr:declined", "pr:deleted":
		err = readServer(&r, body, &in, name == "pr:deleted")
	case "pullrequest:comment_created":
		err = cloudCommented(&r, body, &in)
	case "pr:comment:added":
		err = serverCommented(&r, body, &in)
	case "repo:push":
		err = cloudPushed(&r, body, &in)
	case "repo:refs_changed":
		err = serverPushed(&r, body, &in)
	default:
		err = readOther(&r, body, &in)
		in.Ping = name == "diagnostics:ping" // Data Center: the button that tests the connection
	}
	in.Action = r.Text("X-Event-Key", name, source.MaxName)
	if err != nil {
		return source.Incoming{}, err
	}
	return r.Give(in)
}

// readOther reads events that are about no pull request itself, of both.
func readOther(r *source.Reading, body []byte, in *source.Incoming) error {
	var said struct {
		Repository repository `json:"repository"`
	}
	if err := source.Decode(body, &said); err != nil {
		return err
	}
	in.Repository = said.Repository.name(r, "repository")
	return nil
}

type link struct {
	Name string `json:"name"`
	Href string `json:"href"`
}

// repository is one of Cloud, or of Data Center.
type repository struct {
	FullName string `json:"full_name"` // Cloud
	Slug     string `json:"slug"`      // Data Center
	Project  struct {
		Key string `json:"key"`
	} `json:"project"`
	Links struct {
		HTML  link   `json:"html"`  // Cloud
		Clone []link `json:"clone"` // Data Center
	} `json:"links"`
}

// name is empty for a repository that is not told.
func (x repository) name(r *source.Reading, field string) string {
	if x.FullName == "" && x.Slug != "" && x.Project.Key != "" {
		return r.Text(field+".slug", x.Project.Key+"/"+x.Slug, source.MaxName)
	}
	return r.Text(field+".full_name", x.FullName, source.MaxName)
}

// cloneURL is empty where none is told that a fork can be read by. Cloud tells the address of the page; that and .git is what Git clones from.
func (x repository) cloneURL(r *source.Reading, field string) string {
	if x.Links.HTML.Href != "" {
		return r.Address(field+".links.html.href", x.Links.HTML.Href+".git")
	}
	for _, l := range x.Links.Clone {
		if l.Name == "http" || l.Name == "https" {
			return r.Address(field+".links.clone.href", l.Href)
		}
	}
	return ""
}
