package sim

import (
	"net/http"
	"strings"
)

// permissions of a collaborator, as Gitea calls them.
var permissions = map[string]string{"read": "read", "write": "write", "admin": "admin", "": "write"}

const maxCollaborators = 1000 // of a repository

// permission is what somebody may do in a repository. Of one that is not private, everybody may read.
func (r *repository) permission(name string) string {
	switch key := strings.ToLower(name); {
	case strings.EqualFold(name, r.Owner):
		return "owner"
	case r.Collaborators[key] != "":
		return r.Collaborators[key]
	case r.Private:
		return "none"
	}
	return "read"
}

// getPermission tells what somebody may do to those who run the repository, and to everybody of themselves.
func getPermission(w wire, c *call) (answer, error) {
	r, err := c.repository(w.s)
	if err != nil {
		return answer{}, err
	}
	name := c.PathValue("user")
	if c.actor == "" {
		return answer{}, refuse(http.StatusUnauthorized, "token is required")
	}
	if p := r.permission(c.actor); p != "owner" && p != "admin" && !strings.EqualFold(c.actor, name) {
		return answer{}, refuse(http.StatusForbidden, "Only admins can query all permissions, repo admins can query all repo permissions, collaborators can query only their own")
	}
	if w.s.Users[strings.ToLower(name)] == 0 {
		return answer{}, missing("user")
	}
	p := r.permission(name)
	return answer{body: map[string]any{"permission": p, "role_name": p, "user": w.user(name)}}, nil
}

// setCollaborator gives somebody a permission, in the place of the one that they had.
func (h *Host) setCollaborator(c *call) (answer, error) {
	var in struct {
		Permission string `json:"permission"`
	}
	if len(c.body) > 0 {
		if err := c.into(&in); err != nil {
			return answer{}, err
		}
	}
	name := c.PathValue("user")
	permission, known := permissions[in.Permission]
	switch {
	case !known:
		return answer{}, wrong("[Permission]: is read, write or admin")
	case !validName(name):
		return answer{}, wrong("the name of a user %s", nameRule)
	}
	return h.collaborate(c, func(s *state, r *repository) error {
		if len(r.Collaborators) >= maxCollaborators {
			return wrong("there are %d collaborators, and there may be no more", maxCollaborators)
		}
		if r.Collaborators == nil {
			r.Collaborators = map[string]string{}
		}
		r.Collaborators[strings.ToLower(s.user(name))] = permission
		return nil
	})
}

// removeCollaborator takes the permission of somebody away.
func (h *Host) removeCollaborator(c *call) (answer, error) {
	return h.collaborate(c, func(_ *state, r *repository) error {
		delete(r.Collaborators, strings.ToLower(c.PathValue("user")))
		return nil
	})
}

func (h *Host) collaborate(c *call, do func(s *state, r *repository) error) (answer, error) {
	err := h.change(func(s *state) error {
		r, err := c.repository(s)
		if err != nil {
			return err
		}
		if p := r.permission(c.actor); p != "owner" && p != "admin" {
			return refuse(http.StatusForbidden, "who runs the repository may do this")
		}
		return do(s, r)
	})
	return answer{status: http.StatusNoContent}, err
}
