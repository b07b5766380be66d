package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"os/exec"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/notify/sendertest"
	"github.com/blueberry-idp/blueberry/internal/notify/webhook"
)

func open(out *notify.Outbound) notify.Sender { return webhook.Sender{Outbound: out} }

func TestSender(t *testing.T) {
	t.Parallel()
	sendertest.Run(t, open)
}

// The example of the specification: what others have made for it must verify ours.
func TestSignatureOfTheStandard(t *testing.T) {
	t.Parallel()
	p := notify.Parcel{
		ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", At: 1614265330, CloudEvent: []byte(`{"test": 2432232314}`), Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
	}
	got, err := webhook.Signature(p)
	if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhatAWebhookGets(t *testing.T) {
	t.Parallel()
	r := sendertest.Open(t)
	p := sendertest.Parcel(r.Address())
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("another key that lives for a week"))
	p.Secrets = append(p.Secrets, other)
	if res := open(&notify.Outbound{AllowLocal: true}).Send(t.Context(), p); !res.OK() {
		t.Fatalf("%+v", res)
	}
	got := r.Got()[0]
	for name, want := range map[string]string{"Content-Type": "application/cloudevents+json", "Webhook-Id": p.ID, "Webhook-Timestamp": "1772366400"} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
	signatures := strings.Split(got.Header.Get("Webhook-Signature"), " ")
	if len(signatures) != 2 {
		t.Fatalf("signed %q", signatures)
	}
	for i, secret := range p.Secrets {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte("evt_1.1772366400." + string(got.Body)))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); signatures[i] != want {
			t.Errorf("signature %d is %q, want %q", i, signatures[i], want)
		}
	}
}

// verify is what the guide has people write.
const verify = `key=$(printf %s "${secret#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
printf '%s.%s.%s' "$id" "$at" "$body" | openssl dgst -sha256 -mac HMAC -macopt hexkey:"$key" -binary | base64`

func TestTheShellVerifiesASignature(t *testing.T) {
	t.Parallel()
	p := sendertest.Parcel(blueberry.SubscriptionAddress{})
	want, err := webhook.Signature(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", verify)
	cmd.Env = append(cmd.Environ(), "secret="+sendertest.Secret, "id="+p.ID, "at=1772366400", "body="+string(p.CloudEvent))
	out, err := cmd.CombinedOutput()
	if got := "v1," + strings.TrimSpace(string(out)); err != nil || got != want {
		t.Errorf("the shell has %q, %v; want %q", got, err, want)
	}
}

func TestNothingIsSentUnsigned(t *testing.T) {
	t.Parallel()
	r := sendertest.Open(t)
	for _, secrets := range [][]string{nil, {"whsec_"}, {"not-a-secret"}, {sendertest.Secret, "whsec_short"}} {
		p := sendertest.Parcel(r.Address())
		p.Secrets = secrets
		if res := open(&notify.Outbound{AllowLocal: true}).Send(t.Context(), p); res.OK() || !res.Refused || len(r.Got()) != 0 {
			t.Errorf("%q: %+v", secrets, res)
		}
	}
}
