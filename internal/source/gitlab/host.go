package gitlab

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Host is GitLab.
type Host struct{}

// Named gives the id of the delivery, and its event. The id is the same when GitLab sends it again. X-Gitlab-Webhook-UUID is not it: that names the webhook;
// nor is X-Gitlab-Event-UUID, which several deliveries share when one event caused another.
func (Host) Named(h http.Header) (id, event string) {
	if id = source.Once(h, "webhook-id"); id == "" {
		id = source.Once(h, "Idempotency-Key")
	}
	return id, source.Once(h, "X-Gitlab-Event")
}

// Signed reports whether the call holds one of the secrets, or one of them signed it about now.
func (Host) Signed(h http.Header, body []byte, secrets []string, now time.Time) bool {
	return source.TokenOf(secrets, source.Once(h, "X-Gitlab-Token")) || signed(h, body, secrets, now)
}

// maxSignatures is how many signatures one call may have; two are there while a signing token takes another's place.
const maxSignatures = 8

// signed is what https://www.standardwebhooks.com describes.
func signed(h http.Header, body []byte, secrets []string, now time.Time) bool {
	id, at := source.Once(h, "webhook-id"), source.Once(h, "webhook-timestamp")
	listed := strings.Fields(source.Once(h, "webhook-signature"))
	if id == "" || len(listed) == 0 || len(listed) > maxSignatures || !source.AboutNow(at, now) {
		return false
	}
	var signatures [][]byte
	for _, x := range listed {
		digits, isV1 := strings.CutPrefix(x, "v1,")
		if !isV1 {
			continue // another way of signing
		}
		signature, err := base64.StdEncoding.DecodeString(digits)
		if err != nil {
			return false
		}
		signatures = append(signatures, signature)
	}
	keys := make([]string, len(secrets))
	for i, secret := range secrets {
		keys[i] = secret
		if digits, coded := strings.CutPrefix(secret, "whsec_"); coded {
			if key, err := base64.StdEncoding.DecodeString(digits); err == nil {
				keys[i] = string(key)
			}
		}
	}
	return source.SignedBy(keys, signatures, []byte(id+"."+at+"."), body)
}

type project struct {
	Path string `json:"path_with_namespace"`
	URL  string `json:"git_http_url"`
}

type label struct {
	Title string `json:"title"`
}

type event struct {
	Project    project `json:"project"`
	Attributes struct {
		Action string `json:"action"`
	} `json:"object_attributes"`
}

type mergeEvent struct {
	Kind string `json:"object_kind"`
	User struct {
		ID       int64  `json:"id"`
		Username string `json:"username"`
	} `json:"user"` // who caused the event
	Project    project `json:"project"`
	Labels     []label `json:"labels"`
	Attributes struct {
		Action       string  `json:"action"`
		IID          int64   `json:"iid"`
		AuthorID     int64   `json:"author_id"`
		Title        string  `json:"title"`
		URL          string  `json:"url"`
		State        string  `json:"state"`
		Draft        bool    `json:"draft"`
		Unfinished   bool    `json:"work_in_progress"` // as older servers call it
		SourceBranch string  `json:"source_branch"`
		TargetBranch string  `json:"target_branch"`
		Source       project `json:"source"` // null when it is gone
		Target       project `json:"target"`
		Labels       []label `json:"labels"`
		UpdatedAt    string  `json:"updated_at"`
		LastCommit   struct {
			ID string `json:"id"`
		} `json:"last_commit"`
	} `json:"object_attributes"`
}

var (
	// A merge request is locked while it is being merged.
	states = map[string]blueberry.PullState{
		"opened": blueberry.PullOpen, "locked": blueberry.PullOpen, "closed": blueberry.PullClosed, "merged": blueberry.PullMerged,
	}
	bot = regexp.MustCompile(`^(project|group)_[0-9]+_bot([0-9]*|_[0-9A-Za-z]+)$`) // the user of an access token of a project or group
)

// mergeRequest is the event of them.
const mergeRequest = "Merge Request Hook"

// Read tells what a delivery says.
func (host Host) Read(h http.Header, body []byte) (source.Incoming, error) {
	var r source.Reading
	_, name := host.Named(h)
	if read, known := readers[name]; known {
		in, err := read(&r, body)
		if err != nil {
			return source.Incoming{}, err
		}
		return r.Give(in)
	}
	if name != mergeRequest {
		return other(body)
	}
	var said mergeEvent
	if err := source.Decode(body, &said); err != nil {
		return source.Incoming{}, err
	}
	source.Choose(&r, "object_kind", said.Kind, map[string]bool{"merge_request": true})
	in := source.Incoming{
		Repository: r.Name("project.path_with_namespace", said.Project.Path),
		Action:     r.Text("object_attributes.action", said.Attributes.Action, source.MaxName),
		Pull:       said.pull(&r), Reopened: said.Attributes.Action == "reopen",
	}
	return r.Give(in)
}

// other reads events that are about no merge request: they may use the same words for something else.
func other(body []byte) (source.Incoming, error) {
	var said event
	if err := source.Decode(body, &said); err != nil {
		return source.Incoming{}, err
	}
	var r source.Reading
	in := source.Incoming{
		Repository: r.Text("project.path_with_namespace", said.Project.Path, source.MaxName),
		Action:     r.Text("object_attributes.action", said.Attributes.Action, source.MaxName),
	}
	return r.Give(in)
}

// pull reads what an event says of a merge request.
func (e mergeEvent) pull(r *source.Reading) *blueberry.PullRequest {
	said := e.Attributes
	m := merge{
		at: "object_attributes.", number: said.IID, title: said.Title, url: said.URL, state: said.State, draft: said.Draft || said.Unfinished,
		source: said.Source, target: said.Target, sourceBranch: said.SourceBranch, targetBranch: said.TargetBranch, commit: said.LastCommit.ID, updatedAt: said.UpdatedAt,
	}
	if e.User.ID == said.AuthorID && said.AuthorID != 0 {
		m.author = e.User.Username
	}
	for _, x := range append(e.Labels, said.Labels...) {
		m.labels = append(m.labels, x.Title)
	}
	return m.read(r)
}
