package sim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
)

const maxStatuses = 1000 // of a commit

var statusStates = []string{"pending", "success", "error", "failure", "warning"}

// resolve gives the commit that a branch is at, or the commit itself.
func (r *repository) resolve(ref string) string { return cmp.Or(r.Branches[ref], ref) }

func listStatuses(w wire, c *call) (answer, error) {
	r, err := c.repository(w.s)
	if err != nil {
		return answer{}, err
	}
	query, sha := c.URL.Query(), r.resolve(c.PathValue("ref"))
	state := query.Get("state")
	if state != "" && !slices.Contains(statusStates, state) {
		return answer{}, wrong("state is none of pending, success, error, failure, warning")
	}
	all := []wireStatus{}
	for _, x := range r.Statuses {
		if x.SHA == sha && (state == "" || state == x.State) {
			all = append(all, w.status(r, x))
		}
	}
	switch query.Get("sort") {
	case "oldest", "leastupdate", "leastindex":
	case "", "recentupdate", "highestindex":
		slices.Reverse(all)
	default:
		return answer{}, wrong("sort is none of oldest, recentupdate, leastupdate, leastindex, highestindex")
	}
	return paged(c, all), nil
}

func getCombined(w wire, c *call) (answer, error) {
	r, err := c.repository(w.s)
	if err != nil {
		return answer{}, err
	}
	return answer{body: w.combined(r, r.resolve(c.PathValue("ref")))}, nil
}

func (h *Host) createStatus(c *call) (answer, error) {
	var in struct {
		State       string `json:"state"`
		Target      string `json:"target_url"`
		Description string `json:"description"`
		Context     string `json:"context"`
	}
	if err := c.into(&in); err != nil {
		return answer{}, err
	}
	in.Context = cmp.Or(in.Context, "default")
	u, err := url.Parse(in.Target)
	switch {
	case !slices.Contains(statusStates, in.State):
		return answer{}, wrong("[State]: is none of pending, success, error, failure, warning")
	case !oneLine(in.Context, 255):
		return answer{}, wrong("[Context]: must be 1 to 255 characters in one line")
	case err != nil || len(in.Target) > 2048 || in.Target != "" && u.Scheme != "http" && u.Scheme != "https":
		return answer{}, wrong("[TargetURL]: is no address of http or https")
	case len([]rune(in.Description)) > 1024:
		return answer{}, wrong("[Description]: is longer than 1024 characters")
	}
	sha, id := c.PathValue("ref"), int64(0)
	if err := h.view(func(s *state) error {
		r, err := c.repository(s)
		if err == nil {
			id = r.ID
		}
		return err
	}); err != nil {
		return answer{}, err
	}
	if !shaPattern.MatchString(sha) || !h.git.hasCommit(c.Context(), h.bare(id), sha) {
		return answer{}, missing("commit")
	}
	var out wireStatus
	err = h.change(func(s *state) error {
		r, n := s.Repositories[id], 0
		for _, x := range r.Statuses {
			if x.SHA == sha {
				n++
			}
		}
		if n >= maxStatuses {
			return wrong("the commit bears %d statuses, and there may be no more", maxStatuses)
		}
		s.user(c.actor)
		x := status{
			ID: s.id(), SHA: sha, State: in.State, Context: in.Context, Description: in.Description, Target: in.Target, Creator: c.actor, Created: h.now(),
		}
		r.Statuses = append(r.Statuses, x)
		s.Totals.StatusesCreated++
		out = wire{s, h.o.URL}.status(r, x)
		return nil
	})
	return answer{status: http.StatusCreated, body: out}, err
}
