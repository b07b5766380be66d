package source

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Repositories is the operations on repositories, on what their hosts send, and on their pull requests.
type Repositories struct {
	Record       Record
	Seal         Sealer // of webhook secrets
	Hosts        map[blueberry.HostKind]Host
	Environments Environments
	Controls     Controls  // nil: commands in comments are refused
	Followers    Followers // nil: a push moves no environment of another repository
	Trees        Trees
	Histories    Histories                                         // nil: every file counts as changed, and branches are known from deliveries only
	Blueprints   func(content []byte) (blueberry.Blueprint, error) // reads one; nil: what it says of pull requests is not used
	Speakers     map[blueberry.HostKind]Speaker
	Client       *http.Client // for hosts; it follows no redirects
	PublicURL    string       // of the server, without a slash at its end
	AllowLocal   bool         // repositories of the server's own file system
	Now          func() time.Time

	connections connections
	strangers   atomic.Int32 // trees of outsiders that are read now
	looked      comparisons  // what pull requests change
}

// Sealer encrypts what must not be read off the record. bound is what the value belongs to; it must be the same when it is opened.
type Sealer interface {
	Seal(plain []byte, bound string) ([]byte, error)
	Open(sealed []byte, bound string) ([]byte, error)
}

// HookPath is where deliveries come in: this, and the id of a repository.
const HookPath = "/hooks/"

// WebhookURL is the address that the host of a repository is told.
func (s *Repositories) WebhookURL(id string) string { return s.PublicURL + HookPath + id }

// RepositoryWish is all that a repository is to be.
type RepositoryWish struct {
	Project string // empty means the default
	Name    string
	Host    blueberry.HostKind
	URL     string
	Secret  string // of its webhook; empty: one is made
	Policy  blueberry.PullPolicy
	Rules   []blueberry.BranchRule // of branches that have environments of their own
	HostAPI blueberry.HostAPI
	// Credential with which the host is spoken to: a token, or the private key of a GitHub App. Empty: it is not spoken to.
	Credential string
	Found      blueberry.Faults // what was wrong with the request before it came here
}

// Added is a repository with the secret of its webhook, which is told this once.
type Added struct {
	Repository blueberry.Repository
	Secret     blueberry.WebhookSecret
}

// Bounds of a webhook secret that someone brings along.
const (
	minSecret = 16
	maxSecret = 255
)

// Add registers a repository. Every fault is told at once.
func (s *Repositories) Add(ctx context.Context, actor blueberry.Actor, w RepositoryWish) (Added, error) {
	if w.Project == "" {
		w.Project = blueberry.DefaultProject
	}
	if err := actor.CanIn(w.Project, blueberry.GrantRepositoriesWrite); err != nil {
		return Added{}, err
	}
	now := s.Now()
	r := blueberry.Repository{
		ID: blueberry.NewID(blueberry.RepositoryID, now), Project: w.Project, Name: w.Name, Host: w.Host, URL: w.URL, Policy: w.Policy, Rules: w.Rules, HostAPI: w.HostAPI,
		CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	faults := slices.Clone(w.Found)
	s.check(&faults, r, w.Credential)
	if w.Secret != "" {
		checkSecret(&faults, w.Secret)
	}
	if err := faults.Err(); err != nil {
		return Added{}, err
	}
	secret := newSecret(now, w.Secret)
	var err error
	if r.Secrets, err = s.sealed(r.ID, []blueberry.WebhookSecret{secret}); err != nil {
		return Added{}, err
	}
	if r.Credential, err = s.sealedCredential(r.ID, w.Credential); err != nil {
		return Added{}, err
	}
	err = s.Record.Update(ctx, func(tx Tx) error {
		if _, err := tx.Project(ctx, r.Project); err != nil {
			return err
		}
		if err := tx.InsertRepository(ctx, r); err != nil {
			return err
		}
		if err := errors.Join(sweepSoon(ctx, tx, r), branchesSoon(ctx, tx, r)); err != nil {
			return err
		}
		return s.tell(ctx, tx, actor, r, fact{event: blueberry.RepositoryAdded, message: fmt.Sprintf("%s added repository %s", actor.Name, r.Name), after: fieldsOf(r)})
	})
	if err != nil {
		return Added{}, err
	}
	return Added{withoutSecrets(r), secret}, nil
}

func (s *Repositories) check(faults *blueberry.Faults, r blueberry.Repository, credential string) {
	faults.CheckRepository(r)
	faults.CheckHostAPI("host_api", r.Host, r.URL, r.HostAPI, credential, s.AllowLocal)
	if credential != "" && r.API() == "" && r.Host != blueberry.HostGeneric && r.Host.Git() {
		faults.Add("host_api.url", "required", "is needed: the address that Git clones from does not tell where the API is")
	}
	if _, wrong := parse(r.URL, s.AllowLocal); wrong != "" && r.Host.Git() {
		faults.Add("url", codeURL, "%s", wrong)
	}
}

func checkSecret(faults *blueberry.Faults, secret string) {
	if len(secret) < minSecret || len(secret) > maxSecret || !printable(secret) {
		faults.Add("secret", "range", "must have %d to %d characters, and no control characters", minSecret, maxSecret)
	}
}

func newSecret(now time.Time, value string) blueberry.WebhookSecret {
	if value == "" {
		var b [32]byte
		if _, err := rand.Read(b[:]); err != nil {
			panic(err) // crypto/rand never fails on a supported system
		}
		value = base64.RawURLEncoding.EncodeToString(b[:])
	}
	return blueberry.WebhookSecret{ID: blueberry.NewID(blueberry.HookSecretID, now), Value: value, CreatedAt: now}
}

// Repository reads one.
func (s *Repositories) Repository(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Repository, error) {
	r, err := s.of(ctx, actor, id, blueberry.GrantRepositoriesRead)
	return withoutSecrets(r), err
}

// List reads one page, by id. An empty project means all that the actor may see.
func (s *Repositories) List(ctx context.Context, actor blueberry.Actor, project string, q blueberry.RepositoryQuery) ([]blueberry.Repository, error) {
	in, err := within(actor, project, blueberry.GrantRepositoriesRead)
	if err != nil {
		return nil, err
	}
	q.Projects = in
	list, err := view(ctx, s, func(tx Tx) ([]blueberry.Repository, error) { return tx.Repositories(ctx, q) })
	for i := range list {
		list[i] = withoutSecrets(list[i])
	}
	return list, err
}

// within is the projects that a list is bounded to; nil for no bound.
func within(actor blueberry.Actor, project string, g blueberry.Grant) ([]string, error) {
	in, err := actor.Within(project, g)
	if err == nil && project != "" {
		in = []string{project}
	}
	return in, err
}

// RepositoryChange is what is to be another one; nil leaves it.
type RepositoryChange struct {
	URL    *string
	Policy *blueberry.PullPolicy
	Rules  *[]blueberry.BranchRule // all of them
	// HostAPI and Credential are how the host is spoken to. An empty credential: it is not any more. One that is kept is for the repository and the host that
	// it was given for: with another URL it is asked for anew.
	HostAPI    *blueberry.HostAPI
	Credential *string
	Found      blueberry.Faults
}

// Change alters a repository. A new policy counts for every pull request that is open. ifVersion 0 means any.
func (s *Repositories) Change(ctx context.Context, actor blueberry.Actor, id string, c RepositoryChange, ifVersion int64) (blueberry.Repository, error) {
	return s.change(ctx, actor, id, ifVersion, func(tx Tx, r *blueberry.Repository) (fact, error) {
		was := *r
		if c.URL != nil {
			r.URL = *c.URL
		}
		if c.Policy != nil {
			r.Policy = *c.Policy
		}
		if c.Rules != nil {
			r.Rules = slices.Clone(*c.Rules)
		}
		if c.HostAPI != nil {
			r.HostAPI = *c.HostAPI
		}
		credential, err := s.credential(was)
		if err != nil {
			return fact{}, err
		}
		if c.Credential != nil {
			credential = *c.Credential
		}
		faults := slices.Clone(c.Found)
		s.check(&faults, *r, credential)
		if c.Credential == nil && credential != "" && (hostOfAPI(was.API()) != hostOfAPI(r.API()) || bare(was.URL) != bare(r.URL)) {
			faults.Add("host_api.credential", "required", "is needed anew: the one that is kept is for %s only", was.URL)
		}
		if err := faults.Err(); err != nil || c.Credential == nil && text(fieldsOf(was)) == text(fieldsOf(*r)) {
			return fact{}, err
		}
		if c.Credential != nil {
			if r.Credential, err = s.sealedCredential(r.ID, *c.Credential); err != nil {
				return fact{}, err
			}
		}
		if err := errors.Join(sweepSoon(ctx, tx, *r), branchesSoon(ctx, tx, *r)); err != nil {
			return fact{}, err
		}
		if err := tx.Enqueue(ctx, blueberry.JobPullsReview, r.ID); err != nil {
			return fact{}, err
		}
		return fact{blueberry.RepositoryChanged, fmt.Sprintf("%s changed repository %s", actor.Name, r.Name), fieldsOf(was), fieldsOf(*r)}, nil
	})
}

// Rotate makes a new webhook secret. The former one works for a week more, so that the host can be told at leisure; one before that ends now.
func (s *Repositories) Rotate(ctx context.Context, actor blueberry.Actor, id, value string) (Added, error) {
	var faults blueberry.Faults
	if value != "" {
		checkSecret(&faults, value)
	}
	secret := newSecret(s.Now(), value)
	r, err := s.change(ctx, actor, id, 0, func(_ Tx, r *blueberry.Repository) (fact, error) {
		if err := faults.Err(); err != nil {
			return fact{}, err
		}
		live, err := s.secrets(*r)
		if err != nil {
			return fact{}, err
		}
		list := []blueberry.WebhookSecret{secret}
		for _, x := range live {
			if x.EndsAt.IsZero() {
				x.EndsAt = s.Now().Add(blueberry.WebhookOverlap)
				list = append(list, x)
			}
		}
		r.Secrets, err = s.sealed(r.ID, list[:min(len(list), blueberry.MaxWebhookSecrets)])
		return fact{event: blueberry.RepositoryChanged, message: fmt.Sprintf("%s made a new webhook secret of repository %s; the former one ends in a week", actor.Name, r.Name)}, err
	})
	return Added{r, secret}, err
}

// Remove forgets a repository with its deliveries and what is known of its pull requests. Their environments stay, until their leases end or someone destroys
// them. ifVersion 0 means any.
func (s *Repositories) Remove(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error {
	return s.Record.Update(ctx, func(tx Tx) error {
		r, err := repositoryFor(ctx, tx, actor, id, blueberry.GrantRepositoriesWrite)
		if err != nil {
			return err
		}
		if err := checkVersion(r, ifVersion); err != nil {
			return err
		}
		if err := tx.DeleteRepository(ctx, id); err != nil {
			return err
		}
		return s.tell(ctx, tx, actor, r, fact{event: blueberry.RepositoryRemoved, message: fmt.Sprintf("%s removed repository %s", actor.Name, r.Name), before: fieldsOf(r)})
	})
}

// writeAttempts is how often an operation begins anew that lost against another writer.
const writeAttempts = 10

// change reads a repository, lets alter say what becomes of it and what is told, and writes it. A fact without an event says that nothing changed.
func (s *Repositories) change(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64, alter func(tx Tx, r *blueberry.Repository) (fact, error)) (out blueberry.Repository, err error) {
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			r, err := repositoryFor(ctx, tx, actor, id, blueberry.GrantRepositoriesWrite)
			if err != nil {
				return err
			}
			if err := checkVersion(r, ifVersion); err != nil {
				return err
			}
			told, err := alter(tx, &r)
			if out = r; err != nil || told.event == "" {
				return err
			}
			r.UpdatedAt = s.Now()
			if err := tx.UpdateRepository(ctx, r); err != nil {
				return err
			}
			r.Version++
			out = r
			return s.tell(ctx, tx, actor, r, told)
		})
	})
	if err != nil {
		return blueberry.Repository{}, err
	}
	return withoutSecrets(out), nil
}

// again calls f anew while it loses against another writer.
func again(f func() error) (err error) {
	for range writeAttempts {
		if err = f(); !isCode(err, codeMoved) {
			break
		}
	}
	return err
}

const codeMoved = "VERSION_MOVED"

func isCode(err error, code string) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && e.Code == code
}

func checkVersion(r blueberry.Repository, want int64) error {
	if want != 0 && want != r.Version {
		return blueberry.Errorf(blueberry.PreconditionFailed, codeMoved, "repository %s is at version %d, the request was made for version %d", r.Name, r.Version, want)
	}
	return nil
}

// of reads a repository for an actor who holds the grant on it.
func (s *Repositories) of(ctx context.Context, actor blueberry.Actor, id string, g blueberry.Grant) (blueberry.Repository, error) {
	return view(ctx, s, func(tx Tx) (blueberry.Repository, error) { return repositoryFor(ctx, tx, actor, id, g) })
}

// repositoryFor reads a repository for an actor who holds the grant on it. What they may not know of is not there.
func repositoryFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, g blueberry.Grant) (blueberry.Repository, error) {
	r, err := tx.Repository(ctx, id)
	if err != nil {
		return blueberry.Repository{}, err
	}
	if err := actor.CanOn(r.Project, g, blueberry.Errorf(blueberry.NotFound, "REPOSITORY_NOT_FOUND", "there is no repository %q", id)); err != nil {
		return blueberry.Repository{}, err
	}
	return r, nil
}

func view[T any](ctx context.Context, s *Repositories, read func(tx Tx) (T, error)) (out T, err error) {
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		out, err = read(tx)
		return err
	})
	return out, err
}

func secretsBound(id string) string { return "repositories.secrets:" + id }

func (s *Repositories) sealed(id string, list []blueberry.WebhookSecret) ([]byte, error) {
	plain, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encode webhook secrets: %w", err)
	}
	out, err := s.Seal.Seal(plain, secretsBound(id))
	if err != nil {
		return nil, fmt.Errorf("seal webhook secrets: %w", err)
	}
	return out, nil
}

// secrets gives those of a repository that live.
func (s *Repositories) secrets(r blueberry.Repository) ([]blueberry.WebhookSecret, error) {
	plain, err := s.Seal.Open(r.Secrets, secretsBound(r.ID))
	if err != nil {
		return nil, fmt.Errorf("open webhook secrets of %s: %w", r.ID, err)
	}
	var list []blueberry.WebhookSecret
	if err := json.Unmarshal(plain, &list); err != nil {
		return nil, fmt.Errorf("decode webhook secrets of %s: %w", r.ID, err)
	}
	now := s.Now()
	return slices.DeleteFunc(list, func(x blueberry.WebhookSecret) bool { return !x.EndsAt.IsZero() && !now.Before(x.EndsAt) }), nil
}

func withoutSecrets(r blueberry.Repository) blueberry.Repository {
	r.Secrets = nil
	if len(r.Credential) > 0 {
		r.Credential = []byte{} // that there is one
	}
	return r
}

// fact is what an operation did, for its event and its audit entry. Secrets are never among the fields.
type fact struct {
	event         blueberry.EventType
	message       string
	before, after map[string]any
}

func (s *Repositories) tell(ctx context.Context, tx Tx, actor blueberry.Actor, r blueberry.Repository, told fact) error {
	now := s.Now()
	if err := tx.AppendEvent(ctx, blueberry.Event{Type: told.event, Project: r.Project, Actor: actor.Name, Message: told.message, At: now}); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(blueberry.GrantRepositoriesWrite), Resource: r.ID, Project: r.Project, Detail: told.message, At: now,
		Before: blueberry.AuditFields(told.before), After: blueberry.AuditFields(told.after),
	})
}

func fieldsOf(r blueberry.Repository) map[string]any {
	return map[string]any{"name": r.Name, "host": r.Host, "url": r.URL, "policy": r.Policy, "rules": r.Rules, "host_api": r.HostAPI, "credential": len(r.Credential) > 0}
}

func text(v any) string {
	js, _ := json.Marshal(v) // of texts, numbers and nouns: it cannot fail
	return string(js)
}
