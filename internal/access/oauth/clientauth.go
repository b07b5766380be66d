package oauth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// proof is what a request says of the client that sends it.
type proof struct {
	id     string
	secret string
	basic  bool
}

// readProof reads it from HTTP Basic or the body, never from both (RFC 6749 2.3).
func readProof(r *http.Request, f form) (proof, *refusal) {
	if f.get("client_assertion") != "" || f.get("client_assertion_type") != "" {
		return proof{}, refuse(invalidClient, "client assertions are not supported")
	}
	p := proof{id: f.get("client_id"), secret: f.get("client_secret")}
	header := r.Header.Get("Authorization")
	if header == "" {
		if p.id == "" {
			return proof{}, refuse(invalidClient, "the request names no client")
		}
		return p, nil
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		return proof{}, &refusal{code: invalidClient, text: "a client proves itself by HTTP Basic or in the body", basic: true}
	}
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	switch {
	case errID != nil || errSecret != nil || id == "":
		return proof{}, &refusal{code: invalidClient, text: "the client's id and secret are form-encoded in HTTP Basic", basic: true}
	case p.secret != "":
		return proof{}, refuse(invalidRequest, "the client proves itself twice: by HTTP Basic and in the body")
	case p.id != "" && p.id != id:
		return proof{}, refuse(invalidRequest, "client_id is not that of HTTP Basic")
	}
	return proof{id: id, secret: secret, basic: true}, nil
}

// authenticate proves which client is asking. Whatever is wrong with it, the answer is the same.
func authenticate(ctx context.Context, tx Tx, p proof) (blueberry.OAuthClient, error) {
	refused := &refusal{code: invalidClient, text: "the client is not known, or its secret is wrong", basic: p.basic}
	c, err := tx.OAuthClient(ctx, p.id)
	if err != nil && !errors.Is(err, blueberry.NotFound) {
		return blueberry.OAuthClient{}, err
	}
	known := err == nil && !c.Disabled
	hash, formed := access.HashSecret(ClientPrefix, p.secret)
	if !formed {
		hash = make([]byte, 32)
	}
	want := c.SecretHash
	if len(want) != len(hash) {
		want = make([]byte, len(hash)) // compared all the same, so that unknown clients take as long
		known = known && c.Public
	}
	same := subtle.ConstantTimeCompare(hash, want) == 1
	switch {
	case !known:
		return blueberry.OAuthClient{}, refused
	case c.Public && p.secret != "":
		return blueberry.OAuthClient{}, refused // it has none, so whoever sends one means another client
	case c.Public:
		return c, nil
	case !formed || !same:
		return blueberry.OAuthClient{}, refused
	}
	return c, nil
}
