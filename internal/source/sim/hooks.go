package sim

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

const maxHooks = 20 // of a repository

// hookEvents are what a hook may ask for. pull_request stands for all that begin with it.
var hookEvents = []string{
	"push", "pull_request", "pull_request_only", "pull_request_assign", "pull_request_label", "pull_request_milestone", "pull_request_comment",
	"pull_request_review", "pull_request_review_request", "pull_request_sync", "create", "delete", "fork", "issues", "issues_only", "issue_assign", "issue_label",
	"issue_milestone", "issue_comment", "wiki", "repository", "release", "package",
}

// wants reports whether a hook asked for what is of a kind.
func (x *hook) wants(kind string) bool {
	has := func(name string) bool { return slices.Contains(x.Events, name) }
	switch kind {
	case "push", "delete":
		return has(kind)
	case "pull_request":
		return has("pull_request") || has("pull_request_only")
	}
	return has("pull_request") || has(kind) || kind == "pull_request_comment" && has("issue_comment")
}

// hooked gives the hook of the path.
func hooked(s *state, c *call) (*repository, *hook, error) {
	if c.actor == "" {
		return nil, nil, refuse(http.StatusUnauthorized, "token is required")
	}
	r, err := c.repository(s)
	if err != nil {
		return nil, nil, err
	}
	if x := r.hook(c.number("id")); x != nil {
		return r, x, nil
	}
	return nil, nil, missing("hook")
}

func listHooks(w wire, c *call) (answer, error) {
	if c.actor == "" {
		return answer{}, refuse(http.StatusUnauthorized, "token is required")
	}
	r, err := c.repository(w.s)
	if err != nil {
		return answer{}, err
	}
	all := []wireHook{}
	for _, x := range r.Hooks {
		all = append(all, w.hook(x))
	}
	return paged(c, all), nil
}

func getHook(w wire, c *call) (answer, error) {
	_, x, err := hooked(w.s, c)
	if err != nil {
		return answer{}, err
	}
	return answer{body: w.hook(x)}, nil
}

func (h *Host) createHook(c *call) (answer, error) {
	in := struct {
		Type   string            `json:"type"`
		Config map[string]string `json:"config"`
		Events []string          `json:"events"`
		Active *bool             `json:"active"` // Gitea takes what is left out for false, and sends nothing
	}{}
	if err := c.into(&in); err != nil {
		return answer{}, err
	}
	if len(in.Events) == 0 {
		in.Events = []string{"push"} // as Gitea
	}
	u, err := url.Parse(in.Config["url"])
	switch {
	case in.Type != "gitea":
		return answer{}, wrong("Invalid hook type: this host knows gitea")
	case err != nil || len(in.Config["url"]) > 2048 || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return answer{}, wrong("config url is no address of http or https")
	case in.Config["content_type"] != "json" && in.Config["content_type"] != "form":
		return answer{}, wrong("Invalid content type: it is json or form")
	case len(in.Config["secret"]) > 255:
		return answer{}, wrong("config secret is longer than 255 bytes")
	}
	for _, name := range in.Events {
		if !slices.Contains(hookEvents, name) {
			return answer{}, wrong("there is no event %q", name)
		}
	}
	var out wireHook
	err = h.change(func(s *state) error {
		r, err := c.repository(s)
		if err != nil {
			return err
		}
		if len(r.Hooks) >= maxHooks {
			return wrong("there are %d hooks, and there may be no more", maxHooks)
		}
		x := &hook{
			ID: s.id(), URL: in.Config["url"], ContentType: in.Config["content_type"], Secret: in.Config["secret"], Events: in.Events,
			Active: in.Active == nil || *in.Active, Created: h.now(),
		}
		r.Hooks = append(r.Hooks, x)
		out = wire{s, h.o.URL}.hook(x)
		return nil
	})
	return answer{status: http.StatusCreated, body: out}, err
}

func (h *Host) deleteHook(c *call) (answer, error) {
	err := h.change(func(s *state) error {
		r, x, err := hooked(s, c)
		if err != nil {
			return err
		}
		r.Hooks = slices.DeleteFunc(r.Hooks, func(y *hook) bool { return y == x })
		return nil
	})
	return answer{status: http.StatusNoContent}, err
}

// wireDelivery is how the sending of a webhook went. Gitea has no such list in its API.
type wireDelivery struct {
	ID        string    `json:"id"`
	Event     string    `json:"event"`
	EventType string    `json:"event_type"`
	Action    string    `json:"action,omitempty"`
	State     string    `json:"state"` // waiting, delivered, failed or dropped
	Attempts  int       `json:"attempts"`
	Status    int       `json:"status,omitempty"` // of HTTP, of the last attempt that was answered
	Error     string    `json:"error,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

// listDeliveries gives the webhooks of a hook, the newest first.
func listDeliveries(w wire, c *call) (answer, error) {
	_, x, err := hooked(w.s, c)
	if err != nil {
		return answer{}, err
	}
	all := []wireDelivery{}
	for _, from := range [][]delivery{x.Results, x.Queue} {
		for _, d := range from {
			all = append(all, wireDelivery{d.ID, d.Event, d.Kind, d.Action, d.State, d.Attempts, d.Status, d.Error, d.Created, d.Ended})
		}
	}
	slices.Reverse(all)
	return paged(c, all), nil
}
