package sdk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// RefreshToken is a TokenSource for a program that a user let in. Each refresh replaces the refresh token too, and a server that sees one that was replaced
// takes it for stolen and ends all of them. So the new pair is saved before it is used, and programs that share a pair must take turns by Hold. Set BaseURL,
// ID, Pair and Save; it is not changed after its first use.
type RefreshToken struct {
	BaseURL string // of the server
	ID      string // of the OAuth client
	Secret  string // its secret; empty for a public client
	Pair    TokenPair

	// Save keeps a new pair. What it returns an error for is saved again before anything else, and not used.
	Save func(TokenPair) error
	// Hold, if set, keeps other programs from refreshing until release is called, and gives the pair as it is kept now: another may have refreshed it.
	Hold func(ctx context.Context) (kept TokenPair, release func(), err error)

	HTTPClient *http.Client

	cache  tokenCache
	begin  sync.Once
	pair   TokenPair // the newest one that is known; only a turn of the cache touches it, and they are one behind the other
	toSave bool      // pair could not be saved so far
	failed string    // access token that was rejected
	mu     sync.Mutex
}

// Token gives an access token that is good for a while.
func (s *RefreshToken) Token(ctx context.Context) (string, error) {
	s.begin.Do(func() {
		s.pair = s.Pair
		if s.Pair.Access != "" {
			s.cache.mu.Lock()
			defer s.cache.mu.Unlock()
			s.cache.access, s.cache.endsAt = s.Pair.Access, s.Pair.ExpiresAt
			if !s.Pair.ExpiresAt.IsZero() {
				s.cache.renewAt = s.Pair.ExpiresAt.Add(-tokenMargin)
			}
		}
	})
	return s.cache.token(ctx, s.refresh)
}

// Reject drops an access token that the server no longer takes.
func (s *RefreshToken) Reject(token string) {
	s.mu.Lock()
	s.failed = token
	s.mu.Unlock()
	s.cache.reject(token)
}

func (s *RefreshToken) refresh(ctx context.Context) (TokenPair, error) {
	if s.Hold != nil {
		kept, release, err := s.Hold(ctx)
		if err != nil {
			return TokenPair{}, fmt.Errorf("take turns with other programs: %w", err)
		}
		defer release()
		if !s.toSave {
			if s.good(kept) && kept.Access != s.pair.Access { // another has refreshed it
				s.pair = kept
				return kept, nil
			}
			s.pair = kept
		}
	}
	if !s.toSave {
		next, err := s.app().pair(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.pair.Refresh}}, false)
		if err != nil {
			return TokenPair{}, err
		}
		if next.Refresh == "" {
			next.Refresh = s.pair.Refresh // a server need not rotate
		}
		s.pair, s.toSave = next, true
	}
	if s.Save != nil {
		if err := s.Save(s.pair); err != nil {
			return TokenPair{}, fmt.Errorf("save the new pair of tokens: %w", err)
		}
	}
	s.toSave = false
	return s.pair, nil
}

// good reports whether a pair that another program saved can be used as it is.
func (s *RefreshToken) good(p TokenPair) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.Access != "" && p.Access != s.failed && !expiresSoon(p)
}

// Revoke ends the refresh token at the server, and with it all that came of it.
func (s *RefreshToken) Revoke(ctx context.Context) error {
	pair := s.Pair
	if s.Hold != nil {
		kept, release, err := s.Hold(ctx)
		if err != nil {
			return fmt.Errorf("take turns with other programs: %w", err)
		}
		defer release()
		pair = kept
	}
	form := url.Values{"token": {pair.Refresh}, "token_type_hint": {"refresh_token"}}
	if pair.Refresh == "" {
		form = url.Values{"token": {pair.Access}, "token_type_hint": {"access_token"}}
	}
	return s.app().repeated(ctx, "/oauth/revoke", form, nil, true)
}

func (s *RefreshToken) app() oauthApp {
	return oauthApp{baseURL: s.BaseURL, id: s.ID, secret: s.Secret, http: s.HTTPClient}
}
