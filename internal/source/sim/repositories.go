package sim

import (
	"context"
	"maps"
	"net/http"
	"slices"
)

const maxRepositories = 1000

func listRepositories(w wire, c *call) (answer, error) {
	if c.actor == "" {
		return answer{}, refuse(http.StatusUnauthorized, "token is required")
	}
	all := []wireRepository{}
	for _, id := range slices.Sorted(maps.Keys(w.s.Repositories)) {
		all = append(all, w.repository(w.s.Repositories[id]))
	}
	return paged(c, all), nil
}

func getRepository(w wire, c *call) (answer, error) {
	r, err := c.repository(w.s)
	if err != nil {
		return answer{}, err
	}
	return answer{body: w.repository(r)}, nil
}

func (h *Host) createRepository(c *call) (answer, error) {
	var in struct {
		Name          string `json:"name"`
		Description   string `json:"description"`
		Private       bool   `json:"private"`
		AutoInit      bool   `json:"auto_init"`
		DefaultBranch string `json:"default_branch"`
	}
	if err := c.into(&in); err != nil {
		return answer{}, err
	}
	if in.DefaultBranch == "" {
		in.DefaultBranch = "main"
	}
	switch {
	case !validName(in.Name):
		return answer{}, wrong("[Name]: %s", nameRule)
	case !validBranch(in.DefaultBranch):
		return answer{}, wrong("[DefaultBranch]: is no name of a branch")
	case len(in.Description) > 2048:
		return answer{}, wrong("[Description]: is longer than 2048 bytes")
	}
	return h.add(c, &repository{Owner: c.actor, Name: in.Name, Description: in.Description, Private: in.Private, DefaultBranch: in.DefaultBranch}, http.StatusCreated,
		func(ctx context.Context, dir string) error {
			if err := h.git.init(ctx, dir, in.DefaultBranch); err != nil || !in.AutoInit {
				return err
			}
			return h.git.readme(ctx, dir, in.DefaultBranch, "# "+in.Name+"\n", c.actor, h.now())
		})
}

func (h *Host) fork(c *call) (answer, error) {
	var in struct {
		Organization string `json:"organization"`
		Name         string `json:"name"`
	}
	if len(c.body) > 0 {
		if err := c.into(&in); err != nil {
			return answer{}, err
		}
	}
	var made *repository
	err := h.view(func(s *state) error {
		parent, err := c.repository(s)
		if err != nil {
			return err
		}
		made = &repository{
			Owner: c.actor, Name: parent.Name, Description: parent.Description, Private: parent.Private, Parent: parent.ID, DefaultBranch: parent.DefaultBranch,
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	if in.Organization != "" {
		made.Owner = in.Organization
	}
	if in.Name != "" {
		made.Name = in.Name
	}
	if !validName(made.Owner) || !validName(made.Name) {
		return answer{}, wrong("names of owner and repository %s", nameRule)
	}
	return h.add(c, made, http.StatusAccepted, func(ctx context.Context, dir string) error {
		if err := h.git.init(ctx, dir, made.DefaultBranch); err != nil {
			return err
		}
		_, err := h.git.run(ctx, dir, nil, []string{"GIT_ALLOW_PROTOCOL=file"}, "fetch", "--quiet", "--no-write-fetch-head", h.bare(made.Parent),
			"refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*")
		return err
	})
}

// add makes a repository: first on disk, then known.
func (h *Host) add(c *call, r *repository, code int, fill func(ctx context.Context, dir string) error) (answer, error) {
	ctx := context.WithoutCancel(c.Context())
	h.work.Lock()
	defer h.work.Unlock()
	err := h.change(func(s *state) error {
		switch {
		case s.find(r.Owner, r.Name) != nil:
			return refuse(http.StatusConflict, "the repository with the same name already exists")
		case len(s.Repositories) >= maxRepositories:
			return wrong("there are %d repositories, and there may be no more", maxRepositories)
		}
		r.ID = s.id()
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	if err := fill(ctx, h.bare(r.ID)); err != nil {
		return answer{}, err
	}
	if r.Branches, err = h.git.heads(ctx, h.bare(r.ID)); err != nil {
		return answer{}, err
	}
	r.Created, r.Updated = h.now(), h.now()
	var out wireRepository
	err = h.change(func(s *state) error {
		s.user(r.Owner)
		s.user(c.actor)
		s.Repositories[r.ID] = r
		out = wire{s, h.o.URL}.repository(r)
		return nil
	})
	return answer{status: code, body: out}, err
}
