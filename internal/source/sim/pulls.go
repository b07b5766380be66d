package sim

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxTitle = 255 // characters
	maxPulls = 10000
)

// pullRef is where a repository keeps the head of a pull request.
func pullRef(number int) string { return fmt.Sprintf("refs/pull/%d/head", number) }

// orders are the ways to sort pull requests.
var orders = map[string]func(a, b *pull) int{
	"":             func(a, b *pull) int { return b.Number - a.Number },
	"oldest":       func(a, b *pull) int { return a.Number - b.Number },
	"recentupdate": func(a, b *pull) int { return cmp.Or(b.Updated.Compare(a.Updated), b.Number-a.Number) },
	"leastupdate":  func(a, b *pull) int { return cmp.Or(a.Updated.Compare(b.Updated), a.Number-b.Number) },
	"recentclose":  func(a, b *pull) int { return cmp.Or(b.ClosedAt.Compare(a.ClosedAt), b.Number-a.Number) },
	"mostcomment":  func(a, b *pull) int { return cmp.Or(len(b.Comments)-len(a.Comments), b.Number-a.Number) },
	"leastcomment": func(a, b *pull) int { return cmp.Or(len(a.Comments)-len(b.Comments), b.Number-a.Number) },
	"priority":     func(a, b *pull) int { return b.Number - a.Number },
}

func listPulls(w wire, c *call) (answer, error) {
	r, err := c.repository(w.s)
	if err != nil {
		return answer{}, err
	}
	query := c.URL.Query()
	order, ok := orders[query.Get("sort")]
	if !ok {
		return answer{}, wrong("sort is none of oldest, recentupdate, recentclose, leastupdate, mostcomment, leastcomment, priority")
	}
	state := cmp.Or(query.Get("state"), "open")
	if state != "open" && state != "closed" && state != "all" {
		return answer{}, wrong("state is none of open, closed, all")
	}
	var labels []int64
	for _, text := range query["labels"] {
		for one := range strings.SplitSeq(text, ",") {
			id, err := strconv.ParseInt(one, 10, 64)
			if err != nil {
				return answer{}, wrong("labels are ids")
			}
			labels = append(labels, id)
		}
	}
	var found []*pull
	for _, p := range r.Pulls {
		has := func(id int64) bool { return slices.Contains(p.Labels, id) }
		base, poster := query.Get("base_branch"), query.Get("poster")
		if state != "all" && p.state() != state || base != "" && base != p.BaseRef || poster != "" && !strings.EqualFold(poster, p.Author) ||
			len(labels) > 0 && !slices.ContainsFunc(labels, has) {
			continue
		}
		found = append(found, p)
	}
	slices.SortStableFunc(found, order)
	a := paged(c, found)
	shown := []wirePull{}
	for _, p := range a.body.([]*pull) {
		shown = append(shown, w.pull(r, p))
	}
	a.body = shown
	return a, nil
}

func getPull(w wire, c *call) (answer, error) {
	r, p, err := c.pulled(w.s, "n")
	if err != nil {
		return answer{}, err
	}
	return answer{body: w.pull(r, p)}, nil
}

func checkTitle(title string) error {
	if !oneLine(strings.TrimSpace(title), maxTitle) {
		return wrong("[Title]: must be 1 to %d characters in one line", maxTitle)
	}
	return nil
}

func (h *Host) createPull(c *call) (answer, error) {
	var in struct {
		Head   string     `json:"head"`
		Base   string     `json:"base"`
		Title  string     `json:"title"`
		Body   string     `json:"body"`
		Labels []labelRef `json:"labels"`
	}
	if err := c.into(&in); err != nil {
		return answer{}, err
	}
	if err := checkTitle(in.Title); err != nil {
		return answer{}, err
	}
	ctx := context.WithoutCancel(c.Context())
	h.work.Lock()
	defer h.work.Unlock()
	p := &pull{Author: c.actor, Title: strings.TrimSpace(in.Title), Body: in.Body, BaseRef: in.Base, Mergeable: true}
	var id int64
	err := h.view(func(s *state) error {
		r, err := c.repository(s)
		if err != nil {
			return err
		}
		if _, err := r.labelIDs(in.Labels); err != nil {
			return err
		}
		id, p.Number = r.ID, len(r.Pulls)+1
		return p.between(s, r, in.Head)
	})
	if err != nil {
		return answer{}, err
	}
	t := tip{repository: id, number: p.Number, sha: p.HeadSHA, base: p.BaseSHA, news: true, opening: true}
	if err := h.look(ctx, &t, h.bare(p.HeadRepo)); err != nil {
		return answer{}, err
	}
	if t.mergeBase == "" {
		return answer{}, wrong("the branches have no commit in common")
	}
	p.MergeBase, p.Mergeable, p.Created, p.Updated = t.mergeBase, t.mergeable, h.now(), h.now()
	var out wirePull
	err = h.change(func(s *state) error {
		r := s.Repositories[id]
		s.user(c.actor)
		p.ID = s.id()
		p.Labels = h.useLabels(s, r, in.Labels)
		r.Pulls = append(r.Pulls, p)
		out = wire{s, h.o.URL}.pull(r, p)
		h.pullEvent(s, r, p, "pull_request", "opened", c.actor, nil)
		return nil
	})
	return answer{status: http.StatusCreated, body: out}, err
}

// between fills in from which branch a pull request comes: "topic", "mallory:topic" of a fork, or "mallory/shop-fork:topic"; and checks that it may.
func (p *pull) between(s *state, r *repository, head string) error {
	from := r
	if owner, branch, ok := strings.Cut(head, ":"); ok {
		owner, name, named := strings.Cut(owner, "/")
		from, head = nil, branch
		for _, x := range s.Repositories {
			kin := x == r || x.Parent == r.ID || x.ID == r.Parent
			if kin && strings.EqualFold(x.Owner, owner) && (!named || strings.EqualFold(x.Name, name)) && (from == nil || x.ID < from.ID) {
				from = x
			}
		}
		if from == nil {
			return missing("fork")
		}
	}
	p.HeadRepo, p.HeadRef = from.ID, head
	if p.HeadSHA = from.Branches[head]; p.HeadSHA == "" {
		return missing("branch to come from")
	}
	if len(r.Pulls) >= maxPulls {
		return wrong("there are %d pull requests, and there may be no more", maxPulls)
	}
	return p.onto(r)
}

// onto sets the commit that a pull request goes to, and checks that no other is between the same branches.
func (p *pull) onto(r *repository) error {
	if p.BaseSHA = r.Branches[p.BaseRef]; p.BaseSHA == "" {
		return missing("branch to go to")
	}
	if p.HeadRepo == r.ID && p.HeadRef == p.BaseRef {
		return wrong("Invalid PullRequest: There are no changes between the head and the base")
	}
	for _, x := range r.Pulls {
		if x.Number != p.Number && !x.Closed && x.HeadRepo == p.HeadRepo && x.HeadRef == p.HeadRef && x.BaseRef == p.BaseRef {
			return refuse(http.StatusConflict, "pull request already exists for these targets: number %d", x.Number)
		}
	}
	return nil
}

func (h *Host) changePull(c *call) (answer, error) {
	var in struct {
		Title  *string     `json:"title"`
		Body   *string     `json:"body"`
		Base   *string     `json:"base"`
		State  *string     `json:"state"`
		Labels *[]labelRef `json:"labels"`
	}
	if err := c.into(&in); err != nil {
		return answer{}, err
	}
	if in.Title != nil && *in.Title != "" {
		if err := checkTitle(*in.Title); err != nil {
			return answer{}, err
		}
	}
	if in.State != nil && *in.State != "open" && *in.State != "closed" {
		return answer{}, wrong("state is none of open, closed")
	}
	ctx := context.WithoutCancel(c.Context())
	h.work.Lock()
	defer h.work.Unlock()
	// What the pull request is to be is made beside it, so that nothing is half done.
	var was, next pull
	var id int64
	err := h.view(func(s *state) error {
		r, p, err := c.pulled(s, "n")
		if err != nil {
			return err
		}
		id, was, next = r.ID, *p, *p
		if in.Title != nil && *in.Title != "" {
			next.Title = strings.TrimSpace(*in.Title)
		}
		if in.Body != nil {
			next.Body = *in.Body
		}
		if in.State != nil {
			next.Closed = *in.State == "closed"
		}
		if in.Base != nil && *in.Base != "" {
			next.BaseRef = *in.Base
		}
		if in.Labels != nil {
			if _, err := r.labelIDs(*in.Labels); err != nil {
				return err
			}
		}
		switch {
		case p.Merged && (next.Closed != p.Closed || next.BaseRef != p.BaseRef):
			return refuse(http.StatusPreconditionFailed, "cannot change state of this pull request, it was already merged")
		case next.Closed && next.BaseRef == p.BaseRef:
			return nil
		}
		if from := s.Repositories[p.HeadRepo]; !next.Closed && from != nil {
			if next.HeadSHA = from.Branches[p.HeadRef]; next.HeadSHA == "" {
				return wrong("the branch of the pull request is gone")
			}
		}
		return next.onto(r)
	})
	if err != nil {
		return answer{}, err
	}
	if next.HeadSHA != was.HeadSHA || next.BaseSHA != was.BaseSHA {
		t := tip{repository: id, number: was.Number, sha: next.HeadSHA, base: next.BaseSHA, news: next.HeadSHA != was.HeadSHA, opening: true}
		if err := h.look(ctx, &t, h.bare(was.HeadRepo)); err != nil {
			return answer{}, err
		}
		if t.mergeBase == "" {
			return answer{}, wrong("the branches have no commit in common")
		}
		next.MergeBase, next.Mergeable = t.mergeBase, t.mergeable
	}
	var out wirePull
	err = h.change(func(s *state) error {
		r := s.Repositories[id]
		p := r.pull(was.Number)
		s.user(c.actor)
		h.amend(s, r, p, next, c.actor)
		if in.Labels != nil {
			h.label(s, r, p, h.useLabels(s, r, *in.Labels), c.actor, false)
		}
		out = wire{s, h.o.URL}.pull(r, p)
		return nil
	})
	return answer{status: http.StatusCreated, body: out}, err // 201, as Gitea
}

// amend makes a pull request like next, and tells of it. Comments and labels stay.
func (h *Host) amend(s *state, r *repository, p *pull, next pull, actor string) {
	was := *p
	p.Title, p.Body, p.Closed, p.BaseRef = next.Title, next.Body, next.Closed, next.BaseRef
	p.HeadSHA, p.BaseSHA, p.MergeBase, p.Mergeable = next.HeadSHA, next.BaseSHA, next.MergeBase, next.Mergeable
	var changes wireChanges
	if was.Title != p.Title {
		changes.Title = &wireChange{was.Title}
	}
	if was.Body != p.Body {
		changes.Body = &wireChange{was.Body}
	}
	if was.BaseRef != p.BaseRef {
		changes.Ref = &wireChange{was.BaseRef}
	}
	if changes != (wireChanges{}) {
		p.Updated = h.now()
		h.pullEvent(s, r, p, "pull_request", "edited", actor, &changes)
	}
	switch {
	case p.Closed && !was.Closed:
		p.ClosedAt, p.Updated = h.now(), h.now()
		h.pullEvent(s, r, p, "pull_request", "closed", actor, nil)
	case !p.Closed && was.Closed:
		p.ClosedAt, p.Updated = time.Time{}, h.now()
		h.pullEvent(s, r, p, "pull_request", "reopened", actor, nil)
	}
}

// pullEvent sends what happened to a pull request to the hooks of its repository.
func (h *Host) pullEvent(s *state, r *repository, p *pull, kind, action, actor string, changes *wireChanges) {
	w := wire{s, h.o.URL}
	e := wirePullEvent{Action: action, Number: p.Number, Changes: changes, PullRequest: w.pull(r, p), Repository: w.repository(r), Sender: w.user(actor)}
	if action == "synchronized" {
		e.CommitID = p.HeadSHA
	}
	h.enqueue(s, r, "pull_request", kind, action, e)
}
