package access_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// desk is a provider that vouches for what the test says: a code or a token stands for claims. It is the outside; the real ones are tested with the drivers.
type desk struct {
	mu     sync.Mutex
	claims map[string]access.Claims
	ask    access.ProviderAsk
	answer access.ProviderAnswer
	secret string
}

func (d *desk) Begin(_ context.Context, p blueberry.IdentityProvider, secret string, r access.ProviderAsk) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ask, d.secret = r, secret
	return "https://" + p.Name + ".example.com/authorize?state=" + r.State, nil
}

func (d *desk) Finish(_ context.Context, _ blueberry.IdentityProvider, _ string, a access.ProviderAnswer) (access.Claims, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = a
	return d.vouch(a.Code)
}

func (d *desk) IDToken(_ context.Context, _ blueberry.IdentityProvider, token, _ string) (access.Claims, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.vouch(token)
}

func (d *desk) vouch(code string) (access.Claims, error) {
	c, ok := d.claims[code]
	if !ok {
		return c, blueberry.Errorf(blueberry.Unauthenticated, "PROVIDER_ANSWER_INVALID", "no such code")
	}
	return c, nil
}

// withDesk adds a provider.
func (p *porch) withDesk(t *testing.T, name string, change func(*blueberry.IdentityProvider)) *desk {
	t.Helper()
	i := blueberry.IdentityProvider{
		ID: blueberry.NewID(blueberry.ProviderID, p.clock.now()), Name: name, Kind: blueberry.ProviderOIDC, Label: name, Issuer: "https://" + name + ".example.com", ClientID: "blueberry",
		CreatedAt: p.clock.now(), UpdatedAt: p.clock.now(),
	}
	if change != nil {
		change(&i)
	}
	sealed, err := p.Seal.Seal([]byte("client secret"), "identity_providers.client_secret:"+i.ID)
	if err != nil {
		t.Fatal(err)
	}
	i.ClientSecret = sealed
	p.update(t, func(ctx context.Context, tx access.Tx) error { return tx.PutProvider(ctx, i) })
	d, _ := p.Drivers[i.Kind].(*desk)
	if d == nil {
		d = &desk{claims: map[string]access.Claims{}}
		p.Drivers[i.Kind] = d
	}
	return d
}

// visit goes to a provider and comes back with a code.
func (p *porch) visit(t *testing.T, name string, start access.ProviderStart, code string) (access.Entered, error) {
	t.Helper()
	redirect, state, err := p.BeginProvider(t.Context(), name, start)
	if err != nil {
		return access.Entered{}, err
	}
	return p.back(t, name, redirect, state, code)
}

func (p *porch) back(t *testing.T, name, redirect, cookie, code string) (access.Entered, error) {
	t.Helper()
	u, err := url.Parse(redirect)
	if err != nil {
		t.Fatal(err)
	}
	return p.FinishProvider(t.Context(), name, access.ProviderReturn{
		Query: url.Values{"code": {code}, "state": {u.Query().Get("state")}, "iss": {"https://" + name + ".example.com"}}, State: cookie, From: from("192.0.2.1", ""),
	})
}

func claims(subject, email string, verified bool, groups ...string) access.Claims {
	return access.Claims{Subject: subject, Email: email, EmailVerified: verified, Name: "Someone", Groups: groups}
}

func (p *porch) identities(t *testing.T, userID string) (out []blueberry.Identity) {
	t.Helper()
	p.update(t, func(ctx context.Context, tx access.Tx) (err error) {
		out, err = tx.IdentitiesOf(ctx, userID)
		return err
	})
	return out
}

func TestAProviderSignsIn(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	d := p.withDesk(t, "google", nil)
	ada := p.person(t, "ada@example.com")
	me := signedIn(ada, p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")))
	d.claims["code"] = claims("1234", "Ada@Example.com", true, "b", "a", "b")
	e, err := p.visit(t, "google", access.ProviderStart{Link: &me, ReturnTo: "/account"}, "code")
	if err != nil || e.Secret != "" || e.ReturnTo != "/account" {
		t.Fatalf("linking: got %+v, %v", e, err)
	}
	want := []blueberry.Identity{{Provider: "google", Subject: "1234", UserID: ada.ID, Email: "ada@example.com", Groups: []string{"a", "b"}, LinkedAt: p.clock.now(), LastUsedAt: p.clock.now()}}
	if diff := cmp.Diff(want, p.identities(t, ada.ID)); diff != "" {
		t.Error(diff)
	}
	p.clock.add(time.Hour)
	before := p.epoch(t)
	e, err = p.visit(t, "google", access.ProviderStart{ReturnTo: "/environments?page=2"}, "code")
	if err != nil || e.Session.UserID != ada.ID || e.Session.Method != "oidc:google" || e.ReturnTo != "/environments?page=2" || !p.live(t, e.Secret) {
		t.Fatalf("signing in: got %+v, %v", e, err)
	}
	if p.epoch(t) != before {
		t.Error("the same groups as before need not be told to all")
	}
	if d.ask.RedirectURL != "https://blueberry.example.com/sign-in/google/return" || d.secret != "client secret" || len(d.ask.Verifier) < 43 || d.ask.Nonce == "" {
		t.Errorf("asked with %+v", d.ask)
	}
	if d.answer.Verifier != d.ask.Verifier || d.answer.Nonce != d.ask.Nonce || d.answer.RedirectURL != d.ask.RedirectURL || d.answer.Issuer != "https://google.example.com" {
		t.Errorf("answered with %+v", d.answer)
	}
	d.claims["code"] = claims("1234", "new@example.com", true, "a", "c")
	if _, err := p.visit(t, "google", access.ProviderStart{}, "code"); err != nil {
		t.Fatal(err)
	}
	if got := p.identities(t, ada.ID); p.epoch(t) != before+1 || got[0].Email != "new@example.com" || !cmp.Equal(got[0].Groups, []string{"a", "c"}) || p.user(t, ada.ID).Email != "ada@example.com" {
		t.Errorf("other groups: got %+v", got)
	}
	p.guess(t, 6, "ada@example.com", from("192.0.2.1", ""))
	if _, err := p.visit(t, "google", access.ProviderStart{}, "code"); err != nil {
		t.Errorf("no lock-out is in the way: %v", err)
	}
}

// Nobody takes an account over by what a provider says of an address.
func TestAnAddressLinksNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		provider func(*blueberry.IdentityProvider)
		claims   access.Claims
		want     string
	}{
		"an address that is not verified":                {nil, claims("evil", "ada@example.com", false), "IDENTITY_NOT_LINKED"},
		"a verified one":                                 {nil, claims("evil", "ada@example.com", true), "IDENTITY_NOT_LINKED"},
		"with sign-up, not verified":                     {signUp(), claims("evil", "ada@example.com", false), "IDENTITY_NOT_LINKED"},
		"with sign-up, verified":                         {signUp(), claims("evil", "ada@example.com", true), "ACCOUNT_EXISTS"},
		"with sign-up, in other letters":                 {signUp(), claims("evil", "ADA@Example.com", true), "ACCOUNT_EXISTS"},
		"with sign-up, a new address that is unverified": {signUp(), claims("evil", "eve@example.com", false), "IDENTITY_NOT_LINKED"},
		"with sign-up, no address":                       {signUp(), claims("evil", "", true), "VALIDATION_FAILED"},
		"with sign-up, of another domain":                {signUp("example.org"), claims("evil", "eve@example.com", true), "DOMAIN_NOT_ALLOWED"},
		"with sign-up, of a domain that ends alike":      {signUp("example.org"), claims("evil", "eve@notexample.org", true), "DOMAIN_NOT_ALLOWED"},
		"with sign-up, of a domain within":               {signUp("example.org"), claims("evil", "eve@example.org@example.com", true), "DOMAIN_NOT_ALLOWED"},
		"with sign-up, of the domain but unverified":     {signUp("example.org"), claims("evil", "eve@example.org", false), "DOMAIN_NOT_ALLOWED"},
		"without a subject":                              {signUp(), claims("", "eve@example.com", true), "PROVIDER_ANSWER_INVALID"},
		"with a subject that is too long":                {signUp(), claims(strings.Repeat("x", 256), "eve@example.com", true), "PROVIDER_ANSWER_INVALID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPorch(t)
			ada := p.person(t, "ada@example.com")
			d := p.withDesk(t, "google", test.provider)
			d.claims["code"] = test.claims
			if _, err := p.visit(t, "google", access.ProviderStart{}, "code"); codeOf(t, err) != test.want {
				t.Errorf("by redirect: got %v", err)
			}
			if _, err := p.IDToken(t.Context(), "google", "code", from("192.0.2.1", "")); codeOf(t, err) != test.want {
				t.Errorf("by ID token: got %v", err)
			}
			if got := p.identities(t, ada.ID); len(got) != 0 {
				t.Errorf("linked %+v", got)
			}
			if !contains(p.audited(t, "session:sign-in"), "denied anonymous") {
				t.Error("it is not in the audit")
			}
		})
	}
}

func signUp(domains ...string) func(*blueberry.IdentityProvider) {
	return func(i *blueberry.IdentityProvider) { i.SignUp, i.AllowedDomains = true, domains }
}

func TestASignUpMakesAnAccount(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	d := p.withDesk(t, "google", signUp("example.com"))
	d.claims["code"] = claims("1", "New@Example.com", true)
	e, err := p.IDToken(t.Context(), "google", "code", from("192.0.2.1", ""))
	if err != nil {
		t.Fatal(err)
	}
	u := p.user(t, e.Session.UserID)
	if u.Email != "new@example.com" || u.Owner || u.BreakGlass || u.Status != blueberry.UserActive || u.Name != "Someone" {
		t.Errorf("got %+v", u)
	}
	again, err := p.visit(t, "google", access.ProviderStart{}, "code")
	if err != nil || again.Session.UserID != u.ID {
		t.Errorf("again: got %+v, %v", again, err)
	}
	if _, err := p.visit(t, "google", access.ProviderStart{}, "unknown"); codeOf(t, err) != "PROVIDER_ANSWER_INVALID" {
		t.Errorf("a code that is none: got %v", err)
	}
	d.claims["code"] = claims("1", "new@other.example", true) // their domain is no longer one that is let in
	if _, err := p.visit(t, "google", access.ProviderStart{}, "code"); codeOf(t, err) != "DOMAIN_NOT_ALLOWED" {
		t.Errorf("got %v", err)
	}
}

func TestAnInvitationIsAcceptedByProvider(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		claims access.Claims
		want   string
	}{
		"the address, verified":     {claims("1", "Bob@example.com", true), ""},
		"the address, not verified": {claims("1", "bob@example.com", false), "INVITATION_ADDRESS"},
		"another address":           {claims("1", "eve@example.com", true), "INVITATION_ADDRESS"},
		"an account of someone":     {claims("taken", "bob@example.com", true), "IDENTITY_TAKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPorch(t)
			d := p.withDesk(t, "google", nil)
			bob, ada := p.bare(t, "bob@example.com", blueberry.UserPending), p.bare(t, "ada@example.com", blueberry.UserActive)
			p.update(t, func(ctx context.Context, tx access.Tx) error {
				return tx.PutIdentity(ctx, blueberry.Identity{Provider: "google", Subject: "taken", UserID: ada.ID})
			})
			link := p.link(t, blueberry.LinkInvite, bob.ID, time.Hour)
			d.claims["code"] = test.claims
			e, err := p.visit(t, "google", access.ProviderStart{Invite: link}, "code")
			if codeOf(t, err) != test.want {
				t.Fatalf("got %v", err)
			}
			u := p.user(t, bob.ID)
			if in := test.want == ""; in != (u.Status == blueberry.UserActive) || in && (!p.live(t, e.Secret) || e.Session.UserID != bob.ID) {
				t.Errorf("got %+v, %+v", u, e)
			}
			if _, err := p.InvitationOf(t.Context(), link); (err == nil) == (test.want == "") {
				t.Errorf("the invitation afterwards: %v", err)
			}
		})
	}
	p := newPorch(t)
	p.withDesk(t, "google", nil)
	if _, _, err := p.BeginProvider(t.Context(), "google", access.ProviderStart{Invite: "bll_nonsense"}); codeOf(t, err) != linkInvalid {
		t.Errorf("without an invitation: got %v", err)
	}
}

// The answer of a provider is worth something only in the browser that asked, once, for the provider that was asked, and not for long.
func TestAnswersThatNobodyAskedForAreRefused(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	d := p.withDesk(t, "google", signUp())
	p.withDesk(t, "other", signUp())
	d.claims["code"] = claims("1", "new@example.com", true)
	begin := func() (redirect, cookie string) {
		redirect, cookie, err := p.BeginProvider(t.Context(), "google", access.ProviderStart{})
		if err != nil {
			t.Fatal(err)
		}
		return redirect, cookie
	}
	const mismatch = "STATE_MISMATCH"
	mine, cookie := begin()
	theirs, foreign := begin()
	for name, test := range map[string]struct{ provider, redirect, cookie string }{
		"no cookie: someone signs me in as them": {"google", theirs, ""},
		"the answer of another browser":          {"google", theirs, cookie},
		"the cookie of another browser":          {"google", mine, foreign},
		"no state":                               {"google", "https://google.example.com/", cookie},
		"a cookie that is nonsense":              {"google", mine, "nonsense"},
		"a cookie that was changed":              {"google", mine, spoilt(cookie)},
	} {
		if _, err := p.back(t, test.provider, test.redirect, test.cookie, "code"); codeOf(t, err) != mismatch {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := p.back(t, "other", theirs, foreign, "code"); codeOf(t, err) != mismatch {
		t.Errorf("the answer of another provider: got %v", err)
	}
	if _, err := p.back(t, "google", mine, cookie, "code"); err != nil {
		t.Errorf("what was tried above broke the sign-in that was under way: %v", err)
	}
	if _, err := p.back(t, "google", mine, cookie, "code"); codeOf(t, err) != mismatch {
		t.Errorf("the same answer again: got %v", err)
	}
	late, old := begin()
	p.clock.add(10 * time.Minute)
	if _, err := p.back(t, "google", late, old, "code"); codeOf(t, err) != mismatch {
		t.Errorf("after ten minutes: got %v", err)
	}
	if n := len(p.audited(t, "session:sign-in")); n == 0 || n > 22 {
		t.Errorf("%d entries", n)
	}
}

func TestLinkingIsForWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	d := p.withDesk(t, "google", nil)
	ada, eve := p.person(t, "ada@example.com"), p.person(t, "eve@example.com")
	session := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", ""))
	me, her := signedIn(ada, session), signedIn(eve, p.enter(t, "eve@example.com", goodPassword, "", from("192.0.2.1", "")))
	d.claims["one"], d.claims["two"] = claims("1", "x@example.com", false), claims("2", "y@example.com", false)
	if _, err := p.visit(t, "google", access.ProviderStart{Link: &me}, "one"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.visit(t, "google", access.ProviderStart{Link: &me}, "one"); err != nil {
		t.Errorf("what is linked already: %v", err)
	}
	if _, err := p.visit(t, "google", access.ProviderStart{Link: &me}, "two"); codeOf(t, err) != "IDENTITY_PRESENT" {
		t.Errorf("a second account there: got %v", err)
	}
	if _, err := p.visit(t, "google", access.ProviderStart{Link: &her}, "one"); codeOf(t, err) != "IDENTITY_TAKEN" {
		t.Errorf("an account that is another's: got %v", err)
	}
	token := blueberry.Actor{Kind: blueberry.ActorToken, UserID: ada.ID, Credential: "tok_1"}
	if _, _, err := p.BeginProvider(t.Context(), "google", access.ProviderStart{Link: &token}); codeOf(t, err) != "SESSION_NEEDED" {
		t.Errorf("an API token: got %v", err)
	}
	if err := p.RemoveIdentity(t.Context(), me, "google"); err != nil {
		t.Error(err)
	}
	redirect, cookie, err := p.BeginProvider(t.Context(), "google", access.ProviderStart{Link: &me})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SignOut(t.Context(), session.Secret); err != nil {
		t.Fatal(err)
	}
	if _, err := p.back(t, "google", redirect, cookie, "two"); codeOf(t, err) != "SESSION_ENDED" {
		t.Errorf("who signed out meanwhile: got %v", err)
	}
}

func TestTheLastIdentityStays(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	d := p.withDesk(t, "google", signUp())
	d.claims["code"] = claims("1", "new@example.com", true)
	e, err := p.visit(t, "google", access.ProviderStart{}, "code")
	if err != nil {
		t.Fatal(err)
	}
	me := signedIn(p.user(t, e.Session.UserID), e)
	if err := p.RemoveIdentity(t.Context(), me, "google"); codeOf(t, err) != "LAST_WAY_IN" {
		t.Errorf("got %v", err)
	}
	if err := p.ChangePassword(t.Context(), me, "", goodPassword, ""); err != nil {
		t.Fatal(err)
	}
	if err := p.RemoveIdentity(t.Context(), me, "google"); err != nil {
		t.Error(err)
	}
	if err := p.RemoveIdentity(t.Context(), me, "google"); codeOf(t, err) != "IDENTITY_NOT_FOUND" {
		t.Errorf("again: got %v", err)
	}
}

func TestAProviderThatRefuses(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.withDesk(t, "google", func(i *blueberry.IdentityProvider) { i.Disabled = true })
	if _, _, err := p.BeginProvider(t.Context(), "google", access.ProviderStart{}); codeOf(t, err) != "IDENTITY_PROVIDER_NOT_FOUND" {
		t.Errorf("one that is switched off: got %v", err)
	}
	if _, err := p.IDToken(t.Context(), "google", "code", from("192.0.2.1", "")); codeOf(t, err) != "IDENTITY_PROVIDER_NOT_FOUND" {
		t.Errorf("one that is switched off: got %v", err)
	}
	if _, _, err := p.BeginProvider(t.Context(), "../admin", access.ProviderStart{}); codeOf(t, err) != "IDENTITY_PROVIDER_NOT_FOUND" {
		t.Errorf("one that is not there: got %v", err)
	}
	p.withDesk(t, "other", nil)
	for _, word := range []string{"access_denied", "<script>alert(1)</script>"} {
		redirect, cookie, err := p.BeginProvider(t.Context(), "other", access.ProviderStart{})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(redirect)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.FinishProvider(t.Context(), "other", access.ProviderReturn{Query: url.Values{"error": {word}, "state": {u.Query().Get("state")}}, State: cookie, From: from("192.0.2.1", "")})
		if codeOf(t, err) != "PROVIDER_REFUSED" || strings.Contains(err.Error(), "script") || word == "access_denied" && !strings.Contains(err.Error(), word) {
			t.Errorf("%s: got %v", word, err)
		}
	}
}

// A flood of tokens that are none fills no audit.
func TestAFloodOfTokensIsBounded(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.withDesk(t, "google", nil)
	for range 60 {
		if _, err := p.IDToken(t.Context(), "google", "nonsense", from("192.0.2.1", "")); codeOf(t, err) != "PROVIDER_ANSWER_INVALID" {
			t.Fatalf("got %v", err)
		}
	}
	if got := p.audited(t, "session:sign-in"); len(got) != 20 || !contains(got, "not noted until") {
		t.Errorf("%d entries", len(got))
	}
}

func TestOnlyLocalPathsAreReturnedTo(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.withDesk(t, "google", nil)
	for path, want := range map[string]bool{
		"/": true, "/environments?page=2#top": true, "/a/b//c": true, "/caf%C3%A9": true, "/search?q=http://example.com": true, "/%2e%2e/x": true,
		"//evil.example": false, "///evil.example": false, `/\evil.example`: false, `\\evil.example`: false, `/a\b`: false, "/\t/evil.example": false, "/%09/evil.example": false,
		"/%5cevil.example": false, "/%2fevil.example": false, "/%0d%0aSet-Cookie: a=b": false, "https://evil.example": false, "https:evil.example": false, "javascript:alert(1)": false,
		"evil.example": false, "@evil.example": false, " /x": false, "/x y": false, "/%zz": false, "\x00": false, "/" + strings.Repeat("a", 2000): false,
	} {
		if got := access.LocalPath(path); got != want {
			t.Errorf("%q: got %v", path, got)
		}
		_, _, err := p.BeginProvider(t.Context(), "google", access.ProviderStart{ReturnTo: path})
		if got := codeOf(t, err); (got == "") != want || got != "" && got != "VALIDATION_FAILED" {
			t.Errorf("%q: got %v", path, err)
		}
	}
}
