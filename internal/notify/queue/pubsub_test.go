package queue_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/notify/queue"
	"github.com/blueberry-idp/blueberry/internal/notify/sendertest"
)

var sendTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// googleKey is a key of a service account as Google Cloud gives one, and its pair.
var googleKey = sync.OnceValues(func() (string, *rsa.PrivateKey) {
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		panic(err)
	}
	js, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "blueberry@acme.iam.gserviceaccount.com", "private_key_id": "k1", "token_uri": "http://127.0.0.1:1/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		panic(err)
	}
	return string(js), pair
})

func pubSubAddress(a blueberry.SubscriptionAddress) blueberry.SubscriptionAddress {
	a.Key, _ = googleKey()
	a.To = "projects/acme/topics/events"
	return a
}

func TestPubSub(t *testing.T) {
	t.Parallel()
	sendertest.Suite{
		Open:    func(out *notify.Outbound) notify.Sender { return queue.PubSub{Outbound: out} },
		Address: pubSubAddress, Taken: `{"messageIds":["1"]}`,
	}.Run(t)
}

func TestPubSubCall(t *testing.T) {
	t.Parallel()
	r := sendertest.Open(t)
	r.Answer(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost || req.URL.Path != "/v1/projects/acme/topics/events:publish" || req.URL.RawQuery != "" {
			t.Errorf("called %s %s", req.Method, req.URL)
		}
		_, _ = io.WriteString(w, `{"messageIds":["19916711285"]}`)
	})
	res := queue.PubSub{Outbound: &notify.Outbound{AllowLocal: true}}.Send(t.Context(), sendertest.Parcel(pubSubAddress(blueberry.SubscriptionAddress{URL: r.URL + "/"})))
	if got := r.Got(); !res.OK() || len(got) != 1 {
		t.Fatalf("%+v", res)
	}
	got := r.Got()[0]
	var said struct {
		Messages []struct {
			Data       string            `json:"data"`
			Attributes map[string]string `json:"attributes"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(got.Body, &said); err != nil || len(said.Messages) != 1 {
		t.Fatalf("%s %v", got.Body, err)
	}
	data, err := base64.StdEncoding.DecodeString(said.Messages[0].Data)
	if a := said.Messages[0].Attributes; err != nil || string(data) != `{"specversion":"1.0"}` || a["content-type"] != "application/cloudevents+json" || a["ce-id"] != "evt_1" {
		t.Errorf("sent %s", got.Body)
	}
	_, pair := googleKey()
	claims := jwt.RegisteredClaims{}
	token, err := jwt.ParseWithClaims(strings.TrimPrefix(got.Header.Get("Authorization"), "Bearer "), &claims, func(*jwt.Token) (any, error) { return &pair.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience("https://pubsub.googleapis.com/"), jwt.WithTimeFunc(func() time.Time { return sendTime }), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
	if err != nil || token.Header["kid"] != "k1" || claims.Issuer != "blueberry@acme.iam.gserviceaccount.com" || claims.Subject != claims.Issuer || claims.ExpiresAt.After(sendTime.Add(time.Hour)) {
		t.Errorf("the token is %+v: %v", claims, err)
	}
}

func TestWhatATopicMeans(t *testing.T) {
	t.Parallel()
	for status, later := range map[int]bool{400: false, 401: false, 403: false, 404: false, 429: true, 500: true, 503: true} {
		r := sendertest.Open(t)
		r.Answer(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":{"message":"of acme"}}`)
		})
		res := queue.PubSub{Outbound: &notify.Outbound{AllowLocal: true}}.Send(t.Context(), sendertest.Parcel(pubSubAddress(blueberry.SubscriptionAddress{URL: r.URL})))
		if res.OK() || res.Status != status || passes(res) != later || strings.Contains(res.Why(), "acme") {
			t.Errorf("%d: %+v", status, res)
		}
	}
	r := sendertest.Open(t)
	out := &notify.Outbound{AllowLocal: true}
	if res := (queue.PubSub{Outbound: out}).Send(t.Context(), sendertest.Parcel(pubSubAddress(blueberry.SubscriptionAddress{URL: r.URL}))); res.OK() {
		t.Error("an answer without a message is taken for one of a topic")
	}
	p := sendertest.Parcel(blueberry.SubscriptionAddress{URL: r.URL, To: "projects/acme/topics/events", Key: `{"type":"service_account","private_key":"hush"}`})
	if res := (queue.PubSub{Outbound: out}).Send(t.Context(), p); !res.Refused || strings.Contains(res.Why(), "hush") {
		t.Errorf("a key that is none: %+v", res)
	}
}
