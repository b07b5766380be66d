package sim

import (
	"context"
	"maps"
	"slices"
)

// move is a branch that stands elsewhere than when it was last seen.
type move struct {
	branch, before, after string // commits; empty for none
	commits               []commit
}

// tip is a pull request whose branch moved, with what was found of it.
type tip struct {
	repository int64 // that the pull request goes to
	number     int
	sha        string // of the head; empty when its branch is gone
	news       bool   // the head is another one
	opening    bool   // it is not open yet, so it needs a commit in common with its base
	base       string // commit that it goes to; empty when that branch is gone
	mergeBase  string
	mergeable  bool
}

// follow brings what is known of a repository's branches, and of the pull requests from and to them, up to what the repository holds.
func (h *Host) follow(ctx context.Context, id int64, actor string) error {
	h.work.Lock()
	defer h.work.Unlock()
	return h.followed(ctx, id, actor)
}

// followed is follow for those who hold h.work.
func (h *Host) followed(ctx context.Context, id int64, actor string) error {
	heads, err := h.git.heads(ctx, h.bare(id))
	if err != nil {
		return err
	}
	moves, tips := h.moved(id, heads)
	if len(moves) == 0 {
		return nil
	}
	for i := range moves {
		if moves[i].after != "" {
			if moves[i].commits, err = h.git.log(ctx, h.bare(id), moves[i].before, moves[i].after); err != nil {
				return err
			}
		}
	}
	for i := range tips {
		if err := h.look(ctx, &tips[i], h.bare(id)); err != nil {
			return err
		}
	}
	var first string
	err = h.view(func(s *state) error {
		if r := s.Repositories[id]; len(r.Branches) == 0 && heads[r.DefaultBranch] == "" && len(heads) > 0 {
			if first = slices.Sorted(maps.Keys(heads))[0]; heads["master"] != "" {
				first = "master"
			}
		}
		return nil
	})
	if first != "" {
		_, err = h.git.run(ctx, h.bare(id), nil, nil, "symbolic-ref", "HEAD", "refs/heads/"+first)
	}
	if err != nil {
		return err
	}
	return h.change(func(s *state) error {
		r, w := s.Repositories[id], wire{s, h.o.URL}
		s.user(actor)
		r.Branches, r.Updated = heads, h.now()
		if first != "" {
			r.DefaultBranch = first
		}
		for _, m := range moves {
			if m.after == "" {
				h.enqueue(s, r, "delete", "delete", "", wireDeleteEvent{Ref: m.branch, RefType: "branch", PusherType: "user", Repository: w.repository(r), Sender: w.user(actor)})
				continue
			}
			h.enqueue(s, r, "push", "push", "", w.push(r, m, actor))
		}
		for _, t := range tips {
			h.moveTip(s, t, actor)
		}
		return nil
	})
}

// moved compares heads with the branches that are known, and finds the open pull requests that are touched.
func (h *Host) moved(id int64, heads map[string]string) (moves []move, tips []tip) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	known := h.state.Repositories[id]
	for _, branch := range slices.Sorted(maps.Keys(heads)) {
		if known.Branches[branch] != heads[branch] {
			moves = append(moves, move{branch: branch, before: known.Branches[branch], after: heads[branch]})
		}
	}
	for _, branch := range slices.Sorted(maps.Keys(known.Branches)) {
		if heads[branch] == "" {
			moves = append(moves, move{branch: branch, before: known.Branches[branch]})
		}
	}
	for _, base := range slices.Sorted(maps.Keys(h.state.Repositories)) {
		r := h.state.Repositories[base]
		for _, p := range r.Pulls {
			t := tip{repository: base, number: p.Number, sha: p.HeadSHA, base: p.BaseSHA}
			if p.HeadRepo == id {
				t.sha = heads[p.HeadRef]
			}
			if base == id {
				t.base = heads[p.BaseRef]
			}
			t.news = t.sha != p.HeadSHA
			if !p.Closed && (t.news || t.base != p.BaseSHA) {
				tips = append(tips, t)
			}
		}
	}
	return moves, tips
}

// look brings the head of a pull request into the repository that it goes to, and sees how the two go together.
func (h *Host) look(ctx context.Context, t *tip, from string) error {
	if t.sha == "" || t.base == "" {
		return nil
	}
	dir := h.bare(t.repository)
	if t.news && from != dir {
		if err := h.git.fetch(ctx, dir, from, t.sha); err != nil {
			return err
		}
	}
	var err error
	if t.mergeBase, err = h.git.mergeBase(ctx, dir, t.base, t.sha); err != nil || t.mergeBase == "" && t.opening {
		return err
	}
	if t.news {
		if _, err := h.git.run(ctx, dir, nil, nil, "update-ref", pullRef(t.number), t.sha); err != nil {
			return err
		}
	}
	if t.mergeBase == "" { // it was pushed anew from nothing; Gitea keeps such a pull request open, too
		return nil
	}
	_, t.mergeable, err = h.git.mergeTree(ctx, dir, t.base, t.sha)
	return err
}

// moveTip notes that the head or the base of a pull request moved. One whose branch is gone is closed.
func (h *Host) moveTip(s *state, t tip, actor string) {
	r := s.Repositories[t.repository]
	p := r.pull(t.number)
	if p == nil || p.Closed {
		return
	}
	if t.sha == "" || t.base == "" {
		p.Closed, p.ClosedAt, p.Updated = true, h.now(), h.now()
		h.pullEvent(s, r, p, "pull_request", "closed", actor, nil)
		return
	}
	p.HeadSHA, p.BaseSHA, p.MergeBase, p.Mergeable = t.sha, t.base, t.mergeBase, t.mergeable
	if t.news {
		p.Updated = h.now()
		h.pullEvent(s, r, p, "pull_request_sync", "synchronized", actor, nil)
	}
}
