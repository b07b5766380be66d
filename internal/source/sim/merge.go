package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// mergeOptions has both ways in which Gitea has spelled its names; they differ in case alone for one of them.
type mergeOptions struct {
	Do           string `json:"Do"`
	Title        string `json:"MergeTitleField"`
	TitleNewer   string `json:"merge_title_field"`
	Message      string `json:"MergeMessageField"`
	MessageNewer string `json:"merge_message_field"`
	Head         string `json:"head_commit_id"`
	DeleteBranch bool   `json:"delete_branch_after_merge"`
}

func (h *Host) merge(c *call) (answer, error) {
	var in mergeOptions
	if err := c.into(&in); err != nil {
		return answer{}, err
	}
	if in.Do != "merge" && in.Do != "squash" && in.Do != "fast-forward-only" {
		return answer{}, wrong("[Do]: this host knows merge, squash and fast-forward-only")
	}
	ctx := context.WithoutCancel(c.Context())
	h.work.Lock()
	defer h.work.Unlock()
	var id int64
	var p pull
	err := h.view(func(s *state) error {
		r, found, err := c.pulled(s, "n")
		if err != nil {
			return err
		}
		id, p = r.ID, *found
		switch {
		case p.Merged:
			return refuse(http.StatusMethodNotAllowed, "The PR is already merged")
		case p.Closed:
			return missing("open pull request")
		case p.draft():
			return refuse(http.StatusMethodNotAllowed, "Work in progress PRs cannot be merged")
		case in.Head != "" && in.Head != p.HeadSHA:
			return refuse(http.StatusConflict, "head out of date")
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	commit, err := h.merged(ctx, id, p, in, c.actor)
	if err != nil {
		return answer{}, err
	}
	err = h.change(func(s *state) error {
		r := s.Repositories[id]
		now := r.pull(p.Number)
		s.user(c.actor)
		now.Closed, now.Merged, now.MergedBy, now.MergeCommit, now.ClosedAt, now.Updated = true, true, c.actor, commit, h.now(), h.now()
		h.pullEvent(s, r, now, "pull_request", "closed", c.actor, nil)
		return nil
	})
	if err == nil && in.DeleteBranch && p.HeadRepo == id {
		_, err = h.git.run(ctx, h.bare(id), nil, nil, "update-ref", "-d", "refs/heads/"+p.HeadRef, p.HeadSHA)
	}
	return answer{status: http.StatusOK}, errors.Join(err, h.followed(ctx, id, c.actor))
}

// merged puts the commits of a pull request on its base, and gives the commit that the base is at then.
func (h *Host) merged(ctx context.Context, id int64, p pull, in mergeOptions, actor string) (string, error) {
	dir := h.bare(id)
	if p.MergeBase == p.HeadSHA {
		return p.BaseSHA, nil // it is there, from a merge of which nobody was told
	}
	message := cmp.Or(in.Title, in.TitleNewer, fmt.Sprintf("Merge pull request '%s' (#%d) from %s into %s", p.Title, p.Number, p.HeadRef, p.BaseRef))
	if text := cmp.Or(in.Message, in.MessageNewer); text != "" {
		message += "\n\n" + text
	}
	to := p.HeadSHA
	if in.Do == "fast-forward-only" {
		if p.MergeBase != p.BaseSHA {
			return "", refuse(http.StatusConflict, "the base has commits of its own, so it cannot be fast-forwarded")
		}
	} else {
		tree, ok, err := h.git.mergeTree(ctx, dir, p.BaseSHA, p.HeadSHA)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", refuse(http.StatusConflict, "there are conflicts between the branches")
		}
		parents := []string{p.BaseSHA, p.HeadSHA}
		if in.Do == "squash" {
			parents = parents[:1]
		}
		if to, err = h.git.commit(ctx, dir, tree, strings.ToValidUTF8(message, "")+"\n", actor, h.now(), parents...); err != nil {
			return "", err
		}
	}
	if _, err := h.git.run(ctx, dir, nil, nil, "update-ref", "refs/heads/"+p.BaseRef, to, p.BaseSHA); err != nil {
		h.log.Info("cannot move the base of a pull request", "error", err)
		return "", refuse(http.StatusConflict, "the base has moved meanwhile: ask again")
	}
	return to, nil
}
