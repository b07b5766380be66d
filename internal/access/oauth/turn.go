package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// turn is one request of a client in one transaction: what the library keeps and asks for, judged by our time.
type turn struct {
	tx     Tx
	now    time.Time
	client blueberry.OAuthClient
	user   string   // on whose account; empty for the client's own
	asked  []string // scopes that a refresh asks for; empty for all that it had

	code    blueberry.OAuthToken // the code that was presented
	refresh blueberry.OAuthToken // the refresh token that was presented
	ended   int                  // tokens of a family that ended, because something was used a second time
	broke   error                // what the record failed with; the library would hide it
}

var (
	_ fosite.Storage                = (*turn)(nil)
	_ oauth2.CoreStorage            = (*turn)(nil)
	_ oauth2.TokenRevocationStorage = (*turn)(nil)
	_ pkce.PKCERequestStorage       = (*turn)(nil)
)

// kept is what a code remembers of the request that it answers.
type kept struct {
	RedirectURI     string `json:"redirect_uri,omitempty"`
	Challenge       string `json:"code_challenge,omitempty"`
	ChallengeMethod string `json:"code_challenge_method,omitempty"`
}

// fail keeps the error of the record for the one who began the transaction.
func (t *turn) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", doing, err)
	if t.broke == nil {
		t.broke = err
	}
	return err
}

// find reads a token of a kind by its signature.
func (t *turn) find(ctx context.Context, kind blueberry.OAuthTokenKind, signature string) (blueberry.OAuthToken, error) {
	if signature == "" {
		return blueberry.OAuthToken{}, fosite.ErrNotFound
	}
	found, err := t.tx.OAuthTokenByHash(ctx, kind, []byte(signature))
	if errors.Is(err, blueberry.NotFound) {
		return blueberry.OAuthToken{}, fosite.ErrNotFound
	}
	return found, t.fail("read token", err)
}

// issue keeps a new token of the family that the request is of.
func (t *turn) issue(ctx context.Context, kind blueberry.OAuthTokenKind, signature string, r fosite.Requester, life time.Duration) error {
	form := r.GetRequestForm()
	request := kept{}
	if kind == blueberry.OAuthCode {
		request = kept{
			RedirectURI: form.Get("redirect_uri"), Challenge: form.Get("code_challenge"), ChallengeMethod: form.Get("code_challenge_method"),
		}
	}
	raw, err := json.Marshal(request)
	if err != nil {
		return t.fail("keep request", err)
	}
	scopes := []string(r.GetGrantedScopes())
	if kind == blueberry.OAuthRefresh && t.refresh.ID != "" {
		scopes = t.refresh.Scopes // a refresh may narrow the access token, never what the next refresh can ask for (RFC 6749 6)
	}
	return t.fail("keep token", t.tx.InsertOAuthToken(ctx, blueberry.OAuthToken{
		Hash: []byte(signature), ID: blueberry.NewID(blueberry.TokenID, t.now), Kind: kind, Family: r.GetID(), ClientID: t.client.ID,
		UserID: r.GetSession().GetSubject(), Scopes: slices.Clone(scopes), Request: raw, IssuedAt: t.now, ExpiresAt: t.now.Add(life),
	}))
}

// requester shows a token to the library as the request that it came of.
func (t *turn) requester(of blueberry.OAuthToken) (fosite.Requester, error) {
	var request kept
	if len(of.Request) > 0 {
		if err := json.Unmarshal(of.Request, &request); err != nil {
			return nil, t.fail("read kept request", err)
		}
	}
	r := fosite.NewRequest()
	r.ID, r.RequestedAt, r.Session = of.Family, of.IssuedAt, &session{user: of.UserID}
	r.RequestedScope, r.GrantedScope = slices.Clone(of.Scopes), slices.Clone(of.Scopes)
	r.Form = url.Values{}
	for name, value := range map[string]string{
		"redirect_uri": request.RedirectURI, "code_challenge": request.Challenge, "code_challenge_method": request.ChallengeMethod,
	} {
		if value != "" {
			r.Form.Set(name, value)
		}
	}
	r.Client = client{blueberry.OAuthClient{ID: of.ClientID}}
	if of.ClientID == t.client.ID {
		r.Client = client{t.client}
	}
	return r, nil
}

// end ends every token of a family.
func (t *turn) end(ctx context.Context, family string) error {
	n, err := t.tx.RevokeFamily(ctx, family, t.now)
	if err != nil {
		return t.fail("revoke family", err)
	}
	t.ended += n
	return t.fail("bump access epoch", t.tx.BumpAccessEpoch(ctx))
}

// spend ends a token by using it.
func (t *turn) spend(ctx context.Context, hash []byte) error {
	if err := t.tx.UseOAuthToken(ctx, hash, t.now); err != nil {
		return t.fail("use token", err)
	}
	did, err := t.tx.RevokeOAuthToken(ctx, hash, t.now)
	if err == nil && !did {
		err = errors.New("the token was spent meanwhile") // it was read for this, so nobody else could
	}
	return t.fail("spend token", err)
}
