package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// endpoint answers the token endpoint in process. It may be called by many at once.
type endpoint struct {
	mu    sync.Mutex
	forms []url.Values
	serve func(n int, form url.Values) (*http.Response, error)
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.forms = append(e.forms, r.PostForm)
	n := len(e.forms)
	e.mu.Unlock()
	return e.serve(n, r.PostForm)
}

func (e *endpoint) client() *http.Client { return &http.Client{Transport: e} }

func (e *endpoint) asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.forms)
}

// issue answers with the n-th pair, good for an hour.
func issue(n int) (*http.Response, error) {
	return answer(200, fmt.Sprintf(`{"access_token":"access-%d","refresh_token":"refresh-%d","token_type":"bearer","expires_in":3600}`, n, n))
}

func refusal(status int, code string, headers ...string) (*http.Response, error) {
	return answer(status, fmt.Sprintf(`{"error":%q,"error_description":"told"}`, code), append([]string{"Content-Type", "application/json"}, headers...)...)
}

func TestAHundredGoroutinesGetOneToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{serve: func(n int, _ url.Values) (*http.Response, error) {
			time.Sleep(time.Second) // of the bubble
			return issue(n)
		}}
		source := &sdk.ClientCredentials{BaseURL: "http://server.test", ID: "cli_1", Secret: "blk_x", Scopes: []string{"environments:read", "projects:read"}, HTTPClient: e.client()}
		all := func(want string) {
			t.Helper()
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {
					if got, err := source.Token(t.Context()); got != want || err != nil {
						t.Errorf("token %q, %v; want %q", got, err, want)
					}
				})
			}
			wg.Wait()
		}
		all("access-1")
		all("access-1")
		if n := e.asked(); n != 1 {
			t.Errorf("100 goroutines asked %d times", n)
		}
		want := url.Values{"grant_type": {"client_credentials"}, "client_id": {"cli_1"}, "client_secret": {"blk_x"}, "scope": {"environments:read projects:read"}}
		if diff := cmp.Diff(want, e.forms[0]); diff != "" {
			t.Errorf("the request (-want +got):\n%s", diff)
		}
		time.Sleep(time.Hour - 32*time.Second) // 31 s before the end
		all("access-1")
		time.Sleep(2 * time.Second)
		all("access-2")
		if n := e.asked(); n != 2 {
			t.Errorf("it was renewed by %d requests", n-1)
		}
	})
}

func TestAFailedTurnLetsTheNextTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{serve: func(n int, _ url.Values) (*http.Response, error) {
			if n == 1 {
				return refusal(401, "invalid_client")
			}
			return issue(n)
		}}
		source := &sdk.ClientCredentials{BaseURL: "http://server.test", ID: "cli_1", Secret: "blk_x", HTTPClient: e.client()}
		var refused *sdk.OAuthError
		if _, err := source.Token(t.Context()); !errors.As(err, &refused) || refused.Code != "invalid_client" || strings.Contains(err.Error(), "blk_x") {
			t.Errorf("the first fails with %v", err)
		}
		if got, err := source.Token(t.Context()); got != "access-2" || err != nil {
			t.Errorf("the second gets %q, %v", got, err)
		}
	})
}

func TestAWaiterWhoLeavesStopsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		e := &endpoint{serve: func(n int, _ url.Values) (*http.Response, error) {
			<-release
			return issue(n)
		}}
		source := &sdk.ClientCredentials{BaseURL: "http://server.test", ID: "cli_1", HTTPClient: e.client()}
		ctx, cancel := context.WithCancel(t.Context())
		var left error
		var wg sync.WaitGroup
		wg.Go(func() { _, left = source.Token(ctx) }) // it begins the turn
		synctest.Wait()
		got := make(chan string, 1)
		wg.Go(func() { token, _ := source.Token(t.Context()); got <- token })
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(left, context.Canceled) {
			t.Errorf("who left got %v", left)
		}
		close(release)
		if token := <-got; token != "access-1" {
			t.Errorf("who stayed got %q", token)
		}
		wg.Wait()
		if n := e.asked(); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestTokenRequestsAreRepeatedWhereItDoesNoHarm(t *testing.T) {
	t.Parallel()
	lost := func(int, url.Values) (*http.Response, error) { return nil, errors.New("connection reset") }
	for name, tc := range map[string]struct {
		reason  string
		refresh bool
		serve   func(n int, form url.Values) (*http.Response, error)
		asked   int
		took    time.Duration
	}{
		"client, connection lost":  {"two tokens are no harm", false, lost, 3, 3 * time.Second},
		"refresh, connection lost": {"the refresh token may be used up", true, lost, 1, 0},
		"refresh, busy":            {"it was not done", true, func(int, url.Values) (*http.Response, error) { return refusal(503, "temporarily_unavailable") }, 3, 3 * time.Second},
		"refresh, too many": {"as long as it asks", true, func(n int, _ url.Values) (*http.Response, error) {
			if n == 1 {
				return refusal(429, "slow_down", "Retry-After", "7")
			}
			return issue(n)
		}, 2, 7 * time.Second},
		"refused": {"a no is final", false, func(int, url.Values) (*http.Response, error) { return refusal(400, "invalid_scope") }, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{serve: tc.serve}
				var source sdk.TokenSource = &sdk.ClientCredentials{BaseURL: "http://server.test", HTTPClient: e.client()}
				if tc.refresh {
					source = &sdk.RefreshToken{BaseURL: "http://server.test", Pair: sdk.TokenPair{Refresh: "refresh-0"}, HTTPClient: e.client()}
				}
				begin := time.Now()
				_, _ = source.Token(t.Context())
				if took := time.Since(begin); e.asked() != tc.asked || took < tc.took*4/5 || took > tc.took*6/5 {
					t.Errorf("%s: asked %d times in %s, want %d in %s", tc.reason, e.asked(), took, tc.asked, tc.took)
				}
			})
		})
	}
}

// TestARefreshedPairIsSavedBeforeItIsUsed: a program that used a pair and then died without having saved it would come back with one that the server takes
// for stolen.
func TestARefreshedPairIsSavedBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{serve: func(n int, _ url.Values) (*http.Response, error) { return issue(n) }}
		var saved []string
		full := errors.New("disk full")
		source := &sdk.RefreshToken{
			BaseURL: "http://server.test", ID: "blueberry-cli", HTTPClient: e.client(),
			Pair: sdk.TokenPair{Access: "access-0", Refresh: "refresh-0", ExpiresAt: time.Now().Add(time.Minute)},
			Save: func(p sdk.TokenPair) error {
				saved = append(saved, p.Refresh)
				if len(saved) == 1 {
					return full
				}
				return nil
			},
		}
		if got, err := source.Token(t.Context()); got != "access-0" || err != nil {
			t.Fatalf("the pair that was given is not used: %q, %v", got, err)
		}
		time.Sleep(2 * time.Minute)
		if got, err := source.Token(t.Context()); got != "" || !errors.Is(err, full) {
			t.Errorf("a pair that is not saved is used: %q, %v", got, err)
		}
		if got, err := source.Token(t.Context()); got != "access-1" || err != nil {
			t.Errorf("it is not saved again: %q, %v", got, err)
		}
		time.Sleep(2 * time.Hour)
		if got, err := source.Token(t.Context()); got != "access-2" || err != nil {
			t.Errorf("it is not refreshed again: %q, %v", got, err)
		}
		var used []string
		for _, f := range e.forms {
			used = append(used, f.Get("refresh_token"))
		}
		if diff := cmp.Diff([]string{"refresh-0", "refresh-1"}, used); diff != "" {
			t.Errorf("refresh tokens used (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"refresh-1", "refresh-1", "refresh-2"}, saved); diff != "" {
			t.Errorf("saved (-want +got):\n%s", diff)
		}
	})
}

// TestProgramsTakeTurnsAtAPair lets several programs share what is kept: each refresh token may be used once.
func TestProgramsTakeTurnsAtAPair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var kept sync.Mutex
		turn := make(chan struct{}, 1)
		pair := sdk.TokenPair{Access: "access-0", Refresh: "refresh-0", ExpiresAt: time.Now().Add(-time.Minute)}
		first, used := pair, map[string]int{}
		e := &endpoint{}
		e.serve = func(n int, form url.Values) (*http.Response, error) {
			time.Sleep(time.Second) // while the others want their turn
			kept.Lock()
			defer kept.Unlock()
			used[form.Get("refresh_token")]++
			return issue(n)
		}
		var wg sync.WaitGroup
		for range 10 {
			source := &sdk.RefreshToken{
				BaseURL: "http://server.test", Pair: first, HTTPClient: e.client(),
				Save: func(p sdk.TokenPair) error { kept.Lock(); defer kept.Unlock(); pair = p; return nil },
				Hold: func(context.Context) (sdk.TokenPair, func(), error) {
					turn <- struct{}{}
					kept.Lock()
					defer kept.Unlock()
					return pair, func() { <-turn }, nil
				},
			}
			wg.Go(func() {
				if got, err := source.Token(t.Context()); got != "access-1" || err != nil {
					t.Errorf("token %q, %v", got, err)
				}
			})
		}
		wg.Wait()
		if diff := cmp.Diff(map[string]int{"refresh-0": 1}, used); diff != "" {
			t.Errorf("refresh tokens used (-want +got):\n%s", diff)
		}
	})
}

func TestATokenThatIsNotTakenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	invalid := []string{"WWW-Authenticate", `Bearer realm="blueberry", error="invalid_token", error_description="a valid token is needed"`}
	for name, tc := range map[string]struct {
		reason string
		takes  string // the token that the server takes
		how    []string
		static bool
		calls  int
		tokens int
		done   bool
	}{
		"another is taken":      {"it was revoked before its time", "access-2", invalid, false, 2, 2, true},
		"none is taken":         {"once, not for ever", "none", invalid, false, 2, 2, false},
		"it is not the token":   {"a second factor is needed, say", "access-2", []string{"WWW-Authenticate", `Bearer realm="blueberry"`}, false, 1, 1, false},
		"there is no other one": {"an API token stays as it is", "access-2", invalid, true, 1, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &endpoint{serve: func(n int, _ url.Values) (*http.Response, error) { return issue(n) }}
			var bodies []string
			tr := &transport{serve: func(_ int, r *http.Request) (*http.Response, error) {
				body := make([]byte, r.ContentLength)
				_, _ = r.Body.Read(body)
				bodies = append(bodies, string(body)+r.Header.Get("Idempotency-Key"))
				if r.Header.Get("Authorization") != "Bearer "+tc.takes {
					return problem(401, "TOKEN_INVALID", tc.how...)
				}
				return answer(200, `{}`)
			}}
			c := client(tr)
			c.Tokens = &sdk.ClientCredentials{BaseURL: "http://server.test", HTTPClient: e.client()}
			if tc.static {
				c.Tokens = sdk.StaticToken("blb_x")
			}
			_, err := c.CreateEnvironment(t.Context(), sdk.CreateEnvironmentRequest{Name: "x"})
			if (err == nil) != tc.done || len(tr.calls) != tc.calls || e.asked() != tc.tokens {
				t.Errorf("%s: %d calls with %d tokens: %v", tc.reason, len(tr.calls), e.asked(), err)
			}
			if len(bodies) == 2 && bodies[0] != bodies[1] {
				t.Errorf("%s: the calls differ: %q", tc.reason, bodies)
			}
		})
	}
}

func TestDeviceLogin(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		answers []string // "" is a pair
		took    time.Duration
		polls   int
		code    string // of the error
	}{
		"at once":     {"the user was quick", []string{""}, 5 * time.Second, 1, ""},
		"after a bit": {"each 5 seconds", []string{"authorization_pending", "authorization_pending", ""}, 15 * time.Second, 3, ""},
		"too fast":    {"5 seconds more from then on", []string{"slow_down", "authorization_pending", ""}, 25 * time.Second, 3, ""},
		"server away": {"twice as long", []string{"lost", ""}, 15 * time.Second, 2, ""},
		"no":          {"the user said no", []string{"access_denied"}, 5 * time.Second, 1, "access_denied"},
		"nobody":      {"it ends by its time", nil, 9*time.Minute + 55*time.Second, 119, "expired_token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{serve: func(n int, form url.Values) (*http.Response, error) {
					if n == 1 {
						return answer(200, `{"device_code":"bld_x","user_code":"WDJB-MJHT","verification_uri":"http://server.test/device","expires_in":600,"interval":5}`)
					}
					if form.Get("device_code") != "bld_x" {
						return refusal(400, "invalid_grant")
					}
					say := "authorization_pending"
					if n-2 < len(tc.answers) {
						say = tc.answers[n-2]
					}
					switch say {
					case "":
						return issue(1)
					case "lost":
						return nil, errors.New("connection reset")
					}
					return refusal(400, say)
				}}
				login := &sdk.DeviceLogin{BaseURL: "http://server.test", ID: "blueberry-cli", Scopes: []string{"*:*", "offline_access"}, HTTPClient: e.client()}
				code, err := login.Start(t.Context())
				if err != nil || code.UserCode != "WDJB-MJHT" || e.forms[0].Get("scope") != "*:* offline_access" {
					t.Fatalf("start: %v, %+v", err, e.forms[0])
				}
				begin := time.Now()
				pair, err := login.Wait(t.Context(), code)
				if took := time.Since(begin); took != tc.took || e.asked()-1 != tc.polls {
					t.Errorf("%s: %d polls in %s", tc.reason, e.asked()-1, took)
				}
				var refused *sdk.OAuthError
				if tc.code == "" && (err != nil || pair.Refresh != "refresh-1") || tc.code != "" && (!errors.As(err, &refused) || refused.Code != tc.code) {
					t.Errorf("%s: %v", tc.reason, err)
				}
			})
		})
	}
}

func TestDeviceLoginIsGivenUpByItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{serve: func(n int, _ url.Values) (*http.Response, error) { return refusal(400, "authorization_pending") }}
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		_, err := (&sdk.DeviceLogin{BaseURL: "http://server.test", HTTPClient: e.client()}).Wait(ctx, sdk.DeviceCode{Interval: 5 * time.Second, ExpiresAt: time.Now().Add(time.Hour)})
		if !errors.Is(err, context.DeadlineExceeded) || e.asked() != 2 {
			t.Errorf("%d polls, %v", e.asked(), err)
		}
	})
}

func TestListsStopAtErrorsAndWhenNobodyReadsOn(t *testing.T) {
	t.Parallel()
	page := func(n int) (*http.Response, error) {
		return answer(200, fmt.Sprintf(`{"items":[{"id":"usr_%da"},{"id":"usr_%db"}],"next_cursor":"%d"}`, n, n, n))
	}
	tr := &transport{serve: func(n int, _ *http.Request) (*http.Response, error) {
		if n == 3 {
			return problem(403, "GRANT_MISSING")
		}
		return page(n)
	}}
	var ids []string
	var failed error
	for u, err := range client(tr).AllUsers(t.Context(), sdk.UserFilter{}) {
		if err != nil {
			failed = err
			continue // whoever goes on gets nothing more
		}
		ids = append(ids, u.ID)
	}
	if diff := cmp.Diff([]string{"usr_1a", "usr_1b", "usr_2a", "usr_2b"}, ids); diff != "" || failed == nil || len(tr.calls) != 3 {
		t.Errorf("%d calls, error %v (-want +got):\n%s", len(tr.calls), failed, diff)
	}
	tr = &transport{serve: func(n int, _ *http.Request) (*http.Response, error) { return page(n) }}
	for u := range client(tr).AllUsers(t.Context(), sdk.UserFilter{}) {
		if u.ID == "usr_2a" {
			break
		}
	}
	if len(tr.calls) != 2 {
		t.Errorf("%d pages are read for three users", len(tr.calls))
	}
}

func TestTokensAreKeptOutOfText(t *testing.T) {
	t.Parallel()
	pair := sdk.TokenPair{Access: "bla_secret", Refresh: "blr_secret"}
	for _, v := range []any{pair, &pair, sdk.StaticToken("blb_secret"), struct{ T sdk.TokenPair }{pair}} {
		for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(form, v); strings.Contains(text, "_secret") {
				t.Errorf("%s of %T tells it: %s", form, v, text)
			}
		}
	}
}
