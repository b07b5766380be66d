package blueberry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	encodingpem "encoding/pem"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// googleKey is a key as Google Cloud gives one, with other words where change says so.
func googleKey(t *testing.T, pair any, change map[string]string) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{
		"type": "service_account", "client_email": "blueberry@acme.iam.gserviceaccount.com", "private_key_id": "k1",
		"private_key": string(encodingpem.EncodeToMemory(&encodingpem.Block{Type: "PRIVATE KEY", Bytes: der})), "universe_domain": "googleapis.com",
	}
	maps.Copy(said, change)
	js, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	return string(js)
}

func TestTopicsAreChecked(t *testing.T) {
	t.Parallel()
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const queue, id, secret, topic, server = "https://sqs.eu-central-1.amazonaws.com/123456789012/events", "AKIAEXAMPLE123456789", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY", "projects/acme/topics/events", "tls://nats.example.com:4222"
	google := googleKey(t, pair, nil)
	for name, c := range map[string]struct {
		kind    blueberry.SubscriptionKind
		address blueberry.SubscriptionAddress
		local   bool
		want    []string
	}{
		"sqs":                        {"sqs", blueberry.SubscriptionAddress{URL: queue, User: id, Key: secret}, false, nil},
		"sqs that keeps the order":   {"sqs", blueberry.SubscriptionAddress{URL: queue + ".fifo", User: id, Key: secret, Region: "eu-central-1"}, false, nil},
		"sqs of the server":          {"sqs", blueberry.SubscriptionAddress{URL: queue}, false, nil},
		"sqs elsewhere":              {"sqs", blueberry.SubscriptionAddress{URL: "https://queues.example.com/1/events", User: id, Key: secret, Region: "eu-central-1"}, false, []string{"url host"}},
		"sqs here":                   {"sqs", blueberry.SubscriptionAddress{URL: "http://127.0.0.1:9324/1/events", User: id, Key: secret, Region: "eu-central-1"}, true, nil},
		"sqs without a region":       {"sqs", blueberry.SubscriptionAddress{URL: "http://127.0.0.1:9324/1/events", User: id, Key: secret}, true, []string{"region required"}},
		"sqs, half a key":            {"sqs", blueberry.SubscriptionAddress{URL: queue, User: id}, false, []string{"key pattern"}},
		"sqs, the other half":        {"sqs", blueberry.SubscriptionAddress{URL: queue, Key: secret}, false, []string{"user pattern"}},
		"sqs, all wrong":             {"sqs", blueberry.SubscriptionAddress{URL: "https://sqs.eu-central-1.amazonaws.com/events?x", User: "a b", Key: "a b", To: "x", Region: "Mars", Stream: "x"}, false, []string{"key pattern", "region pattern", "stream forbidden", "to forbidden", "url pattern", "user pattern"}},
		"sqs, a host that looks so":  {"sqs", blueberry.SubscriptionAddress{URL: "https://sqs.eu-central-1.amazonaws.com.example.com/123456789012/events", User: id, Key: secret, Region: "eu-central-1"}, false, []string{"url host"}},
		"pubsub":                     {"pubsub", blueberry.SubscriptionAddress{To: topic, Key: google}, false, nil},
		"pubsub of a region":         {"pubsub", blueberry.SubscriptionAddress{To: topic, Key: google, URL: "https://europe-west1-pubsub.googleapis.com"}, false, nil},
		"pubsub elsewhere":           {"pubsub", blueberry.SubscriptionAddress{To: topic, Key: google, URL: "https://pubsub.googleapis.com.example.com"}, false, []string{"url host"}},
		"pubsub here":                {"pubsub", blueberry.SubscriptionAddress{To: topic, Key: google, URL: "http://127.0.0.1:8085"}, true, nil},
		"pubsub, a path":             {"pubsub", blueberry.SubscriptionAddress{To: topic, Key: google, URL: "https://pubsub.googleapis.com/v1"}, false, []string{"url pattern"}},
		"pubsub, another name":       {"pubsub", blueberry.SubscriptionAddress{To: "projects/acme/topics/../x", Key: google}, false, []string{"to pattern"}},
		"pubsub, no key":             {"pubsub", blueberry.SubscriptionAddress{To: topic}, false, []string{"key pattern"}},
		"pubsub, a user's key":       {"pubsub", blueberry.SubscriptionAddress{To: topic, Key: googleKey(t, pair, map[string]string{"type": "authorized_user"})}, false, []string{"key pattern"}},
		"pubsub, another cloud":      {"pubsub", blueberry.SubscriptionAddress{To: topic, Key: googleKey(t, pair, map[string]string{"universe_domain": "example.com"})}, false, []string{"key pattern"}},
		"pubsub, another algorithm":  {"pubsub", blueberry.SubscriptionAddress{To: topic, Key: googleKey(t, curve, nil)}, false, []string{"key pattern"}},
		"pubsub, all wrong":          {"pubsub", blueberry.SubscriptionAddress{To: "x", Key: "{}", URL: "ftp://x", User: "x", Region: "x", Stream: "x"}, false, []string{"key pattern", "region forbidden", "stream forbidden", "to pattern", "url url", "user forbidden"}},
		"nats":                       {"nats", blueberry.SubscriptionAddress{URL: server, To: "blueberry.events"}, false, nil},
		"nats with all":              {"nats", blueberry.SubscriptionAddress{URL: server + ",tls://other.example.com", To: "a", User: "blueberry", Key: "pass", Stream: "EVENTS"}, false, nil},
		"nats, plain":                {"nats", blueberry.SubscriptionAddress{URL: "nats://nats.example.com", To: "a"}, false, []string{"url scheme"}},
		"nats, plain here":           {"nats", blueberry.SubscriptionAddress{URL: "nats://127.0.0.1:4222", To: "a"}, true, nil},
		"nats, one of one's own":     {"nats", blueberry.SubscriptionAddress{URL: server + ",tls://10.0.0.1:4222", To: "a"}, false, []string{"url local"}},
		"nats, by another way":       {"nats", blueberry.SubscriptionAddress{URL: "wss://nats.example.com", To: "a"}, true, []string{"url url"}},
		"nats, a secret in it":       {"nats", blueberry.SubscriptionAddress{URL: "tls://t0ken@nats.example.com", To: "a"}, false, []string{"url forbidden"}},
		"nats, a wildcard":           {"nats", blueberry.SubscriptionAddress{URL: server, To: "blueberry.>"}, false, []string{"to pattern"}},
		"nats, of the server itself": {"nats", blueberry.SubscriptionAddress{URL: server, To: "$SYS.REQ.SERVER.PING"}, false, []string{"to pattern"}},
		"nats, two lines":            {"nats", blueberry.SubscriptionAddress{URL: server, To: "a\r\nPUB b 1"}, false, []string{"to pattern"}},
		"nats, no password":          {"nats", blueberry.SubscriptionAddress{URL: server, To: "a", User: "blueberry"}, false, []string{"key required"}},
		"nats, all wrong":            {"nats", blueberry.SubscriptionAddress{Region: "x", Stream: "a.b"}, false, []string{"region forbidden", "stream pattern", "to pattern", "url required"}},
		"nats, too many":             {"nats", blueberry.SubscriptionAddress{URL: strings.Repeat(server+",", 5) + server, To: "a", Key: strings.Repeat("x", 17<<10)}, false, []string{"key too_long", "url too_many"}},
		"of others":                  {"webhook", blueberry.SubscriptionAddress{URL: "https://hooks.example.com", User: "x", Region: "x", Stream: "x"}, false, []string{"region forbidden", "stream forbidden", "user forbidden"}},
	} {
		var f blueberry.Faults
		f.CheckSubscription(blueberry.Subscription{Name: "ci", Kind: c.kind, Events: []string{"environment.ready"}}, c.address, c.local)
		if d := cmp.Diff(c.want, codesOf(f.Err())); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		for _, x := range f {
			for _, hidden := range []string{secret, "PRIVATE KEY", "t0ken", "pass:"} {
				if strings.Contains(x.Message, hidden) {
					t.Errorf("%s: a fault repeats a secret: %s", name, x.Message)
				}
			}
		}
	}
	for kind, want := range map[blueberry.SubscriptionKind]string{"sqs": queue, "pubsub": topic, "nats": "tls://nats.example.com:4222 a"} {
		a := map[blueberry.SubscriptionKind]blueberry.SubscriptionAddress{
			"sqs": {URL: queue, User: id, Key: secret}, "pubsub": {To: topic, Key: google}, "nats": {URL: server + ",tls://other.example.com", To: "a", Key: secret},
		}[kind]
		if got := a.Shown(kind); got != want {
			t.Errorf("of %s %q is shown", kind, got)
		}
	}
}

func TestWhatAPersonWants(t *testing.T) {
	t.Parallel()
	p := blueberry.Preferences{Events: []string{"environment.ready", "environment.lease_*"}, Mail: true, Muted: []string{"quiet"}}
	for name, c := range map[string]struct {
		event   blueberry.EventType
		project string
		want    bool
	}{
		"named":           {blueberry.EnvironmentReady, "shop", true},
		"by a pattern":    {blueberry.EnvironmentLeaseEnding, "shop", true},
		"not named":       {blueberry.EnvironmentFailed, "shop", false},
		"muted":           {blueberry.EnvironmentReady, "quiet", false},
		"of another noun": {blueberry.PullBuiltEvent, "shop", false},
	} {
		if got := p.Wants(c.event, c.project); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	p.Off = true
	if p.Wants(blueberry.EnvironmentReady, "shop") {
		t.Error("all is off, and it is wanted")
	}
}
