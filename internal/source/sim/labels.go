package sim

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

const maxLabels = 100 // of a repository

var colour = regexp.MustCompile(`^#?[0-9a-fA-F]{6}$`)

// labelRef names a label by its id or by its name.
type labelRef struct {
	id   int64
	name string
}

// UnmarshalJSON reads a number or a text.
func (l *labelRef) UnmarshalJSON(js []byte) error {
	if len(js) > 0 && js[0] == '"' {
		return json.Unmarshal(js, &l.name)
	}
	return json.Unmarshal(js, &l.id)
}

func listLabels(w wire, c *call) (answer, error) {
	r, err := c.repository(w.s)
	if err != nil {
		return answer{}, err
	}
	all := []wireLabel{}
	for _, x := range r.Labels {
		all = append(all, w.label(r, x))
	}
	slices.SortFunc(all, func(a, b wireLabel) int { return strings.Compare(a.Name, b.Name) })
	return paged(c, all), nil
}

func (h *Host) createLabel(c *call) (answer, error) {
	var in struct {
		Name        string `json:"name"`
		Color       string `json:"color"`
		Description string `json:"description"`
	}
	if err := c.into(&in); err != nil {
		return answer{}, err
	}
	switch {
	case !oneLine(in.Name, 50):
		return answer{}, wrong("[Name]: must be 1 to 50 characters in one line")
	case !colour.MatchString(in.Color):
		return answer{}, wrong("[Color]: must be as #00aabb")
	case len(in.Description) > 200:
		return answer{}, wrong("[Description]: is longer than 200 bytes")
	}
	var out wireLabel
	err := h.change(func(s *state) error {
		r, err := c.repository(s)
		if err != nil {
			return err
		}
		if len(r.Labels) >= maxLabels {
			return wrong("there are %d labels, and there may be no more", maxLabels)
		}
		x := label{ID: s.id(), Name: in.Name, Color: strings.ToLower(strings.TrimPrefix(in.Color, "#")), Description: in.Description}
		r.Labels = append(r.Labels, x)
		out = wire{s, h.o.URL}.label(r, x)
		return nil
	})
	return answer{status: http.StatusCreated, body: out}, err
}

// labelIDs gives the ids of labels; 0 stands for a name that is not there and can be made.
func (r *repository) labelIDs(refs []labelRef) ([]int64, error) {
	var ids []int64
	made := len(r.Labels)
	for _, x := range refs {
		id := int64(0)
		for _, known := range r.Labels {
			if known.ID == x.id || x.name != "" && known.Name == x.name {
				id = known.ID
			}
		}
		switch {
		case id == 0 && x.name == "":
			return nil, missing("label")
		case id == 0 && !oneLine(x.name, 50):
			return nil, wrong("the name of a label must be 1 to 50 characters in one line")
		case id == 0:
			made++
		}
		ids = append(ids, id)
	}
	if made > maxLabels {
		return nil, wrong("there may be no more than %d labels", maxLabels)
	}
	return ids, nil
}

// useLabels gives the ids of labels that labelIDs took, in order and each once. A name that is not there is made: Gitea would want it made before.
func (h *Host) useLabels(s *state, r *repository, refs []labelRef) []int64 {
	var ids []int64
	for _, x := range refs {
		known, _ := r.labelIDs([]labelRef{x})
		if len(known) == 1 && known[0] == 0 {
			known[0] = s.id()
			r.Labels = append(r.Labels, label{ID: known[0], Name: x.name, Color: "70c24a"})
		}
		ids = append(ids, known...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// label puts labels on a pull request in place of those it has, and tells of it when they are others.
func (h *Host) label(s *state, r *repository, p *pull, ids []int64, actor string, cleared bool) {
	if slices.Equal(p.Labels, ids) {
		return
	}
	action := "label_updated"
	if cleared {
		action = "label_cleared"
	}
	p.Labels, p.Updated = ids, h.now()
	h.pullEvent(s, r, p, "pull_request_label", action, actor, nil)
}

// relabel changes the labels of the pull request in the path.
func (h *Host) relabel(c *call, f func(s *state, r *repository, p *pull) ([]int64, error), cleared bool) ([]wireLabel, error) {
	var out []wireLabel
	err := h.change(func(s *state) error {
		r, p, err := c.pulled(s, "a")
		if err != nil {
			return err
		}
		ids, err := f(s, r, p)
		if err != nil {
			return err
		}
		s.user(c.actor)
		h.label(s, r, p, ids, c.actor, cleared)
		out = wire{s, h.o.URL}.labels(r, p)
		return nil
	})
	return out, err
}

func (h *Host) given(c *call, keep bool) (answer, error) {
	var in struct {
		Labels []labelRef `json:"labels"`
	}
	if err := c.into(&in); err != nil {
		return answer{}, err
	}
	out, err := h.relabel(c, func(s *state, r *repository, p *pull) ([]int64, error) {
		if _, err := r.labelIDs(in.Labels); err != nil {
			return nil, err
		}
		ids := h.useLabels(s, r, in.Labels)
		if keep {
			ids = append(ids, p.Labels...)
		}
		slices.Sort(ids)
		return slices.Compact(ids), nil
	}, false)
	return answer{body: out}, err
}

func (h *Host) addLabels(c *call) (answer, error) { return h.given(c, true) }

func (h *Host) setLabels(c *call) (answer, error) {
	if c.PathValue("b") != "labels" {
		return answer{}, missing("thing in this API")
	}
	return h.given(c, false)
}

func (h *Host) clearLabels(c *call) (answer, error) {
	_, err := h.relabel(c, func(*state, *repository, *pull) ([]int64, error) { return nil, nil }, true)
	return answer{status: http.StatusNoContent}, err
}

func (h *Host) removeLabel(c *call) (answer, error) {
	id := c.number("label")
	_, err := h.relabel(c, func(_ *state, r *repository, p *pull) ([]int64, error) {
		if _, ok := r.label(id); !ok {
			return nil, missing("label")
		}
		return slices.DeleteFunc(slices.Clone(p.Labels), func(x int64) bool { return x == id }), nil
	}, false)
	return answer{status: http.StatusNoContent}, err
}
