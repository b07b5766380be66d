package source

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// connections are the hosts as they are spoken to, by the id of the repository, so that an App asks for a token once and not at each call.
type connections struct {
	mu   sync.Mutex
	open map[string]openConnection
}

type openConnection struct {
	*Connection
	version int64 // of the repository
	until   time.Time
}

// How long a connection is used, and how many there are at most. Tokens of installations last an hour.
const (
	connectionLife = 30 * time.Minute
	maxConnections = 10_000
)

func credentialBound(id string) string { return "repositories.credential:" + id }

func (s *Repositories) sealedCredential(id, credential string) ([]byte, error) {
	if credential == "" {
		return nil, nil
	}
	out, err := s.Seal.Seal([]byte(credential), credentialBound(id))
	if err != nil {
		return nil, fmt.Errorf("seal the credential of a repository: %w", err)
	}
	return out, nil
}

// credential is that of a repository; empty for none.
func (s *Repositories) credential(r blueberry.Repository) (string, error) {
	if len(r.Credential) == 0 {
		return "", nil
	}
	plain, err := s.Seal.Open(r.Credential, credentialBound(r.ID))
	if err != nil {
		return "", fmt.Errorf("open the credential of %s: %w", r.ID, err)
	}
	return string(plain), nil
}

func hostOfAPI(api string) string {
	u, err := url.Parse(api)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// connect gives the host of a repository that has a credential.
func (s *Repositories) connect(ctx context.Context, r blueberry.Repository) (*Connection, Speaker, error) {
	speaker := s.Speakers[r.Host]
	if speaker == nil || r.API() == "" {
		return nil, nil, &HostError{Text: "it is not known where the API of the host is"}
	}
	now := s.Now()
	s.connections.mu.Lock()
	known, ok := s.connections.open[r.ID]
	s.connections.mu.Unlock()
	if ok && known.version == r.Version && now.Before(known.until) {
		return known.Connection, speaker, nil
	}
	credential, err := s.credential(r)
	if err != nil {
		return nil, nil, err
	}
	c := &Connection{Client: s.Client, API: r.API(), Repository: r.Name, Access: r.HostAPI, Credential: credential, Now: s.Now}
	if err := speaker.Connect(ctx, c); err != nil {
		return nil, nil, err
	}
	s.connections.mu.Lock()
	defer s.connections.mu.Unlock()
	if s.connections.open == nil || len(s.connections.open) >= maxConnections {
		s.connections.open = map[string]openConnection{}
	}
	s.connections.open[r.ID] = openConnection{c, r.Version, now.Add(connectionLife)}
	return c, speaker, nil
}

func (s *Repositories) disconnect(id string) {
	s.connections.mu.Lock()
	defer s.connections.mu.Unlock()
	delete(s.connections.open, id)
}

// How soon a host that failed is spoken to again: half as long as it has failed, within bounds.
const (
	soonestAgain = 30 * time.Second
	latestAgain  = time.Hour
	healthEvery  = time.Minute // between two notes that all is well
)

// spoke notes how speaking to the host went, and gives when to go on. Errors that are not of the host are given back.
func (s *Repositories) spoke(ctx context.Context, r blueberry.Repository, spoken error) (time.Duration, error) {
	now, h := s.Now(), r.Health
	var e *HostError
	switch {
	case spoken == nil && h.FailedAt.IsZero() && h.PausedUntil.IsZero() && now.Sub(h.AnsweredAt) < healthEvery:
		return 0, nil
	case spoken != nil && !errors.As(spoken, &e):
		return 0, spoken
	case spoken != nil:
		s.disconnect(r.ID) // what it has may be old
	}
	err := s.Record.Update(ctx, func(tx Tx) error {
		r, err := tx.Repository(ctx, r.ID) // others have spoken meanwhile
		if err != nil {
			return ignoreGone(err)
		}
		h = r.Health
		switch {
		case e != nil && e.Until.IsZero():
			if h.Message = e.Text; h.FailedAt.IsZero() {
				h.FailedAt = now
			}
		case e != nil: // that a host is asked too often is no failure
			h.Message, h.PausedUntil = e.Text, e.Until
		case now.Before(h.PausedUntil):
			return nil
		default:
			h = blueberry.HostHealth{AnsweredAt: now}
		}
		if err := tx.SetHostHealth(ctx, r.ID, h); err != nil {
			return err
		}
		event := blueberry.Event{Project: r.Project, Actor: actorOf(r).Name, At: now}
		switch {
		case h.FailedAt.IsZero() && !r.Health.FailedAt.IsZero():
			event.Type, event.Message = blueberry.RepositoryHostBack, fmt.Sprintf("the host of %s does what it is asked again", r.Name)
		case !h.FailedAt.IsZero() && r.Health.FailedAt.IsZero():
			event.Type, event.Message = blueberry.RepositoryHostFails, fmt.Sprintf("the host of %s does not do what it is asked: %s", r.Name, h.Message)
		default:
			return nil
		}
		return tx.AppendEvent(ctx, event)
	})
	switch {
	case err != nil || e == nil:
		return 0, err
	case !e.Until.IsZero():
		return max(h.PausedUntil.Sub(now), time.Second), nil
	}
	return backOff(now.Sub(h.FailedAt)), nil
}

// backOff is in how long what has failed for some time is tried again.
func backOff(failed time.Duration) time.Duration {
	return min(max(failed/2, soonestAgain), latestAgain)
}
