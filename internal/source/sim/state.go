package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// state is everything that is known beside what the repositories hold. Its form on disk is its JSON.
type state struct {
	Form         int                   `json:"form"` // of the file
	Last         int64                 `json:"last"` // id that was given away last
	Users        map[string]int64      `json:"users"`
	Repositories map[int64]*repository `json:"repositories"`
	Totals       totals                `json:"totals"`
}

type repository struct {
	ID            int64             `json:"id"`
	Owner         string            `json:"owner"`
	Name          string            `json:"name"`
	Description   string            `json:"description,omitempty"`
	Private       bool              `json:"private,omitempty"`
	Parent        int64             `json:"parent,omitempty"` // that it is a fork of
	DefaultBranch string            `json:"default_branch"`
	Branches      map[string]string `json:"branches"` // their commits, as they were last seen
	Labels        []label           `json:"labels,omitempty"`
	Pulls         []*pull           `json:"pulls,omitempty"` // number 1 first
	Statuses      []status          `json:"statuses,omitempty"`
	Hooks         []*hook           `json:"hooks,omitempty"`
	Collaborators map[string]string `json:"collaborators,omitempty"` // what they may, by name in lower case
	Created       time.Time         `json:"created"`
	Updated       time.Time         `json:"updated"`
}

type label struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Color       string `json:"color"` // six hex digits
	Description string `json:"description,omitempty"`
}

type pull struct {
	ID          int64     `json:"id"`
	Number      int       `json:"number"`
	Author      string    `json:"author"`
	Title       string    `json:"title"`
	Body        string    `json:"body,omitempty"`
	Labels      []int64   `json:"labels,omitempty"`
	Closed      bool      `json:"closed,omitempty"`
	Merged      bool      `json:"merged,omitempty"`
	HeadRepo    int64     `json:"head_repo"`
	HeadRef     string    `json:"head_ref"`
	HeadSHA     string    `json:"head_sha"`
	BaseRef     string    `json:"base_ref"`
	BaseSHA     string    `json:"base_sha"`
	MergeBase   string    `json:"merge_base"`
	Mergeable   bool      `json:"mergeable,omitempty"` // as of the last push to its branch
	MergeCommit string    `json:"merge_commit,omitempty"`
	MergedBy    string    `json:"merged_by,omitempty"`
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
	ClosedAt    time.Time `json:"closed_at,omitzero"`
	Comments    []comment `json:"comments,omitempty"`

	CommentsCreated int64 `json:"comments_created,omitempty"` // calls, all told
	CommentsEdited  int64 `json:"comments_edited,omitempty"`
}

type comment struct {
	ID      int64     `json:"id"`
	Author  string    `json:"author"`
	Body    string    `json:"body"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

type status struct {
	ID          int64     `json:"id"`
	SHA         string    `json:"sha"`
	State       string    `json:"state"`
	Context     string    `json:"context"`
	Description string    `json:"description,omitempty"`
	Target      string    `json:"target,omitempty"`
	Creator     string    `json:"creator"`
	Created     time.Time `json:"created"`
}

type hook struct {
	ID          int64      `json:"id"`
	URL         string     `json:"url"`
	ContentType string     `json:"content_type"` // json or form
	Secret      string     `json:"secret,omitempty"`
	Events      []string   `json:"events"`
	Active      bool       `json:"active"`
	Created     time.Time  `json:"created"`
	Queue       []delivery `json:"queue,omitempty"` // to be sent, the oldest first
	Results     []delivery `json:"results,omitempty"`
}

// totals are what was asked of the host, all told.
type totals struct {
	Requests        int64 `json:"requests"`
	NotModified     int64 `json:"not_modified"`
	Faulted         int64 `json:"faulted"`
	CommentsCreated int64 `json:"comments_created"`
	CommentsEdited  int64 `json:"comments_edited"`
	CommentsDeleted int64 `json:"comments_deleted"`
	StatusesCreated int64 `json:"statuses_created"`
	Delivered       int64 `json:"webhooks_delivered"`
	Failed          int64 `json:"webhooks_failed"`
	Dropped         int64 `json:"webhooks_dropped"`
	Doubled         int64 `json:"webhooks_doubled"`
	Reordered       int64 `json:"webhooks_reordered"`
}

const stateForm = 1

// load reads the state; a file that is not there is an empty one.
func load(file string) (*state, error) {
	s := &state{Form: stateForm, Users: map[string]int64{}, Repositories: map[int64]*repository{}}
	js, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return nil, fmt.Errorf("read the state: %w", err)
	}
	if err := json.Unmarshal(js, s); err != nil {
		return nil, fmt.Errorf("read the state in %s: %w", file, err)
	}
	if s.Form != stateForm {
		return nil, fmt.Errorf("read the state in %s: it is of form %d, and this program knows %d", file, s.Form, stateForm)
	}
	for _, r := range s.Repositories {
		for _, x := range r.Hooks {
			for i := range x.Queue {
				x.Queue[i].Held = time.Time{} // nothing would wake it
			}
		}
	}
	return s, nil
}

func (s *state) encode() ([]byte, error) { return json.Marshal(s) }

func (s *state) id() int64 {
	s.Last++
	return s.Last
}

// user makes sure that the name has an id.
func (s *state) user(name string) string {
	if key := strings.ToLower(name); s.Users[key] == 0 {
		s.Users[key] = s.id()
	}
	return name
}

// find gives a repository by its name, in any case, or nil.
func (s *state) find(owner, name string) *repository {
	for _, r := range s.Repositories {
		if strings.EqualFold(r.Owner, owner) && strings.EqualFold(r.Name, name) {
			return r
		}
	}
	return nil
}

// pull gives a pull request by its number, or nil.
func (r *repository) pull(number int) *pull {
	if number < 1 || number > len(r.Pulls) {
		return nil
	}
	return r.Pulls[number-1]
}

func (r *repository) hook(id int64) *hook {
	for _, x := range r.Hooks {
		if x.ID == id {
			return x
		}
	}
	return nil
}

func (r *repository) label(id int64) (label, bool) {
	for _, x := range r.Labels {
		if x.ID == id {
			return x, true
		}
	}
	return label{}, false
}

// comment finds a comment of any pull request by its id.
func (r *repository) comment(id int64) (*pull, int) {
	for _, p := range r.Pulls {
		for i := range p.Comments {
			if p.Comments[i].ID == id {
				return p, i
			}
		}
	}
	return nil, 0
}

// draft reports whether the title says that the pull request is not finished.
func (p *pull) draft() bool {
	title := strings.ToUpper(p.Title)
	return strings.HasPrefix(title, "WIP:") || strings.HasPrefix(title, "[WIP]")
}

// latest gives the newest status of each context of a commit, the newest first.
func (r *repository) latest(sha string) []status {
	var found []status
	seen := map[string]bool{}
	for i := len(r.Statuses) - 1; i >= 0; i-- {
		if x := r.Statuses[i]; x.SHA == sha && !seen[x.Context] {
			seen[x.Context] = true
			found = append(found, x)
		}
	}
	return found
}
