package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// PubSub publishes to topics of Google Cloud, by its REST API.
type PubSub struct{ Outbound *notify.Outbound }

const (
	pubSubURL      = "https://pubsub.googleapis.com"
	pubSubAudience = pubSubURL + "/" // also of its addresses for a region
	pubSubToken    = 10 * time.Minute
	pubSubSkew     = time.Minute // by which our clock may be ahead
)

type pubSubMessage struct {
	Data       []byte            `json:"data"` // in base64
	Attributes map[string]string `json:"attributes"`
}

// Send implements notify.Sender. What proves who sends is signed by the key itself, for Pub/Sub alone: no server is asked for a token, and none that the key
// names is called.
func (s PubSub) Send(ctx context.Context, p notify.Parcel) blueberry.NoticeResult {
	token, err := bearer(p)
	if err != nil {
		return refused("the key is none of a service account")
	}
	body, err := json.Marshal(map[string][]pubSubMessage{"messages": {{p.CloudEvent, p.Attributes}}})
	if err != nil {
		return refused("the event is no JSON")
	}
	address := strings.TrimSuffix(cmp.Or(p.Address.URL, pubSubURL), "/") + "/v1/" + p.Address.To + ":publish"
	r, answer := s.Outbound.Ask(ctx, address, http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}, body)
	var said struct {
		IDs []string `json:"messageIds"`
	}
	_ = json.Unmarshal(answer, &said) // what is no JSON says nothing
	switch {
	case r.OK() && len(said.IDs) == 0:
		return blueberry.NoticeResult{Error: "the answer is none of a topic"}
	case r.Status == http.StatusNotFound:
		r.Error = "there is no such topic"
	case r.Status == http.StatusForbidden:
		r.Error = "the service account may not publish to the topic"
	case r.Status == http.StatusUnauthorized:
		r.Error = "Google does not know the key"
	}
	return r
}

func bearer(p notify.Parcel) (string, error) {
	key, wrong := blueberry.ReadGoogleKey(p.Address.Key)
	if wrong != "" {
		return "", blueberry.Errorf(blueberry.Invalid, "KEY", "%s", wrong)
	}
	at := time.Unix(p.At, 0)
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": key.Email, "sub": key.Email, "aud": pubSubAudience, "iat": at.Add(-pubSubSkew).Unix(), "exp": at.Add(pubSubToken).Unix(),
	})
	token.Header["kid"] = key.KeyID
	return token.SignedString(key.Key)
}
