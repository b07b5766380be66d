package source

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Login is with what Git reads a repository over HTTP that asks for a password. The zero value is to read it as anybody.
type Login struct {
	User, Password string
	Scope          string // whose it is: what was read with a login is given to nobody of another scope
}

// nowhere are the surroundings of a git that speaks with no repository.
func nowhere() []string { return []string{"GIT_ALLOW_PROTOCOL="} }

// helper tells git the login by its environment: it is in no file and in no list of processes.
const loginHelper = `!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$BLUEBERRY_GIT_USER" "$BLUEBERRY_GIT_PASSWORD"; }; f`

// surroundings are those of a git that speaks with the repository. The login is for the host of the address: one to which it redirects is not told.
func (a address) surroundings() []string {
	out := []string{"GIT_ALLOW_PROTOCOL=" + a.allow}
	u, err := url.Parse(a.url)
	if a.login == (Login{}) || err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return out
	}
	return append(out, "BLUEBERRY_GIT_USER="+a.login.User, "BLUEBERRY_GIT_PASSWORD="+a.login.Password,
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=credential."+u.Scheme+"://"+u.Host+".helper", "GIT_CONFIG_VALUE_0="+loginHelper)
}

// Tree reads a repository for a project: with the credential that the project has for it, or as anybody. Errors are those of Checkouts.Fetch.
func (s *Repositories) Tree(ctx context.Context, project, repository, ref string) (*Tree, error) {
	if s.Trees == nil {
		return nil, blueberry.Errorf(blueberry.Unavailable, "SOURCES_MISSING", "this server reads no repositories")
	}
	login, err := s.login(ctx, project, repository)
	if err != nil {
		return nil, err
	}
	return s.Trees.FetchAs(ctx, login, repository, ref)
}

// login is that of a repository that the project has, with a credential, at the address. What its host refuses is read as anybody; Unavailable when it does not answer.
func (s *Repositories) login(ctx context.Context, project, repository string) (Login, error) {
	u, err := url.Parse(repository)
	if err != nil || u.Scheme != "https" && (u.Scheme != "http" || !s.AllowLocal) {
		return Login{}, nil //nolint:nilerr // an address that says nothing is told of by the one who reads it
	}
	for after := ""; ; {
		list, err := view(ctx, s, func(tx Tx) ([]blueberry.Repository, error) {
			return tx.Repositories(ctx, blueberry.RepositoryQuery{Projects: []string{project}, After: after, Limit: blueberry.MaxPageSize})
		})
		if err != nil {
			return Login{}, err
		}
		for _, r := range list {
			after = r.ID
			if len(r.Credential) == 0 || bare(r.URL) != bare(repository) {
				continue
			}
			c, speaker, err := s.connect(ctx, r)
			var refused *HostError
			switch {
			case errors.As(err, &refused) && refused.Until.IsZero() && refused.Status/100 == 4: // it says no, and will say so
				return Login{}, nil
			case errors.As(err, &refused):
				return Login{}, blueberry.Errorf(blueberry.Unavailable, "SOURCE_UNREACHABLE", "repository %s cannot be read now: %s", r.Name, refused.Text)
			case err != nil:
				return Login{}, err
			}
			user, password := speaker.CloneAs(c)
			return Login{User: user, Password: password, Scope: r.ID}, nil
		}
		if len(list) < blueberry.MaxPageSize {
			return Login{}, nil
		}
	}
}

// bare is an address without what hosts do not tell apart.
func bare(repository string) string {
	return strings.TrimSuffix(strings.TrimSuffix(repository, "/"), ".git")
}
