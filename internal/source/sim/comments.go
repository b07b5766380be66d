package sim

import (
	"net/http"
	"strings"
	"time"
)

const maxComments = 10000 // of a pull request

// getOfIssue lists the comments or the labels of a pull request, or gives one comment: two forms of a path that overlap.
func getOfIssue(w wire, c *call) (answer, error) {
	switch {
	case c.PathValue("a") == "comments":
		return getComment(w, c)
	case c.PathValue("b") == "comments":
		return listComments(w, c)
	case c.PathValue("b") == "labels":
		r, p, err := c.pulled(w.s, "a")
		if err != nil {
			return answer{}, err
		}
		return answer{body: w.labels(r, p)}, nil
	}
	return answer{}, missing("thing in this API")
}

func (h *Host) addToIssue(c *call) (answer, error) {
	switch c.PathValue("b") {
	case "comments":
		return h.createComment(c)
	case "labels":
		return h.addLabels(c)
	}
	return answer{}, missing("thing in this API")
}

func (h *Host) removeOfIssue(c *call) (answer, error) {
	switch {
	case c.PathValue("a") == "comments":
		return h.deleteComment(c)
	case c.PathValue("b") == "labels":
		return h.clearLabels(c)
	}
	return answer{}, missing("thing in this API")
}

// listComments gives all comments of a pull request: Gitea has no pages of these.
func listComments(w wire, c *call) (answer, error) {
	r, p, err := c.pulled(w.s, "a")
	if err != nil {
		return answer{}, err
	}
	query := c.URL.Query()
	var bounds [2]time.Time
	for i, name := range []string{"since", "before"} {
		if text := query.Get(name); text != "" {
			if bounds[i], err = time.Parse(time.RFC3339, text); err != nil {
				return answer{}, wrong("%s is no time as RFC 3339 writes it", name)
			}
		}
	}
	all := []wireComment{}
	for _, x := range p.Comments {
		if !x.Updated.Before(bounds[0]) && (bounds[1].IsZero() || !x.Updated.After(bounds[1])) {
			all = append(all, w.comment(r, p, x))
		}
	}
	return answer{body: all, listed: true, total: len(all)}, nil
}

func commented(s *state, c *call) (*repository, *pull, int, error) {
	r, err := c.repository(s)
	if err != nil {
		return nil, nil, 0, err
	}
	if c.PathValue("a") == "comments" {
		if p, i := r.comment(c.number("b")); p != nil {
			return r, p, i, nil
		}
	}
	return nil, nil, 0, missing("comment")
}

func getComment(w wire, c *call) (answer, error) {
	r, p, i, err := commented(w.s, c)
	if err != nil {
		return answer{}, err
	}
	return answer{body: w.comment(r, p, p.Comments[i])}, nil
}

func (c *call) text() (string, error) {
	var in struct {
		Body string `json:"body"`
	}
	if err := c.into(&in); err != nil {
		return "", err
	}
	if strings.TrimSpace(in.Body) == "" {
		return "", wrong("[Body]: Required")
	}
	return in.Body, nil
}

func (h *Host) createComment(c *call) (answer, error) {
	text, err := c.text()
	if err != nil {
		return answer{}, err
	}
	var out wireComment
	err = h.change(func(s *state) error {
		r, p, err := c.pulled(s, "a")
		if err != nil {
			return err
		}
		if len(p.Comments) >= maxComments {
			return wrong("there are %d comments, and there may be no more", maxComments)
		}
		s.user(c.actor)
		x := comment{ID: s.id(), Author: c.actor, Body: text, Created: h.now(), Updated: h.now()}
		p.Comments, p.Updated = append(p.Comments, x), h.now()
		p.CommentsCreated++
		s.Totals.CommentsCreated++
		out = wire{s, h.o.URL}.comment(r, p, x)
		h.commentEvent(s, r, p, x, "created", c.actor, nil)
		return nil
	})
	return answer{status: http.StatusCreated, body: out}, err
}

func (h *Host) editComment(c *call) (answer, error) {
	text, err := c.text()
	if err != nil {
		return answer{}, err
	}
	var out wireComment
	err = h.change(func(s *state) error {
		r, p, i, err := commented(s, c)
		if err != nil {
			return err
		}
		s.user(c.actor)
		x := &p.Comments[i]
		p.CommentsEdited++
		s.Totals.CommentsEdited++
		if was := x.Body; was != text { // Gitea tells nobody of an edit that changes nothing
			x.Body, x.Updated, p.Updated = text, h.now(), h.now()
			h.commentEvent(s, r, p, *x, "edited", c.actor, &wireChanges{Body: &wireChange{was}})
		}
		out = wire{s, h.o.URL}.comment(r, p, *x)
		return nil
	})
	return answer{status: http.StatusOK, body: out}, err
}

func (h *Host) deleteComment(c *call) (answer, error) {
	err := h.change(func(s *state) error {
		r, p, i, err := commented(s, c)
		if err != nil {
			return err
		}
		s.user(c.actor)
		x := p.Comments[i]
		p.Comments = append(p.Comments[:i:i], p.Comments[i+1:]...)
		s.Totals.CommentsDeleted++
		h.commentEvent(s, r, p, x, "deleted", c.actor, nil)
		return nil
	})
	return answer{status: http.StatusNoContent}, err
}

func (h *Host) commentEvent(s *state, r *repository, p *pull, x comment, action, actor string, changes *wireChanges) {
	w := wire{s, h.o.URL}
	h.enqueue(s, r, "issue_comment", "pull_request_comment", action, wireCommentEvent{
		Action: action, Issue: w.issue(r, p), PullRequest: w.pull(r, p), Comment: w.comment(r, p, x), Changes: changes, Repository: w.repository(r),
		Sender: w.user(actor), IsPull: true,
	})
}
