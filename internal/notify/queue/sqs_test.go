package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/notify/queue"
	"github.com/blueberry-idp/blueberry/internal/notify/sendertest"
)

const (
	accessKey = "AKIAEXAMPLE123456789"
	secretKey = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
	sent      = `{"MessageId":"3c1b2f4e-0000-4000-8000-000000000000","MD5OfMessageBody":"x"}`
)

func sqsAddress(a blueberry.SubscriptionAddress) blueberry.SubscriptionAddress {
	a.User, a.Region = accessKey, "eu-central-1"
	return a
}

func TestSQS(t *testing.T) {
	t.Parallel()
	sendertest.Suite{
		Open:    func(out *notify.Outbound) notify.Sender { return queue.SQS{Outbound: out} },
		Address: sqsAddress, Taken: sent,
	}.Run(t)
}

// sqsCall is the one call that a queue got of a parcel.
func sqsCall(t *testing.T, s queue.SQS, path string) (sendertest.Got, map[string]any) {
	t.Helper()
	r := sendertest.Open(t)
	r.Answer(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost || req.URL.Path != "/" || req.URL.RawQuery != "" {
			t.Errorf("called %s %s", req.Method, req.URL)
		}
		_, _ = io.WriteString(w, sent)
	})
	a := blueberry.SubscriptionAddress{URL: r.URL + path, User: accessKey, Key: secretKey, Region: "eu-central-1"}
	if s.Own != nil {
		a.User, a.Key = "", ""
	}
	if res := s.Send(t.Context(), sendertest.Parcel(a)); !res.OK() {
		t.Fatalf("%+v", res)
	}
	got := r.Got()[0]
	var m map[string]any
	if err := json.Unmarshal(got.Body, &m); err != nil || m["QueueUrl"] != a.URL {
		t.Fatalf("%s %v", got.Body, err)
	}
	return got, m
}

func TestSQSCall(t *testing.T) {
	t.Parallel()
	s := queue.SQS{Outbound: &notify.Outbound{AllowLocal: true}}
	got, m := sqsCall(t, s, "/123456789012/events")
	if h := got.Header; h.Get("X-Amz-Target") != "AmazonSQS.SendMessage" || h.Get("Content-Type") != "application/x-amz-json-1.0" || h.Get("X-Amz-Date") != "20260301T120000Z" {
		t.Errorf("headers are %v", h)
	}
	const scope = "AWS4-HMAC-SHA256 Credential=" + accessKey + "/20260301/eu-central-1/sqs/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-target, Signature="
	if a := got.Header.Get("Authorization"); !strings.HasPrefix(a, scope) || len(a) != len(scope)+64 || strings.Contains(a, secretKey) {
		t.Errorf("signed as %s", a)
	}
	if m["MessageBody"] != `{"specversion":"1.0"}` || m["MessageGroupId"] != nil || m["MessageDeduplicationId"] != nil {
		t.Errorf("sent %v", m)
	}
	attributes, _ := m["MessageAttributes"].(map[string]any)
	if kind, _ := attributes["content-type"].(map[string]any); kind["StringValue"] != "application/cloudevents+json" || kind["DataType"] != "String" {
		t.Errorf("attributes are %v", attributes)
	}
	_, fifo := sqsCall(t, s, "/123456789012/events.fifo")
	if fifo["MessageGroupId"] != "env_1" || fifo["MessageDeduplicationId"] != "evt_1" {
		t.Errorf("a queue that keeps the order gets %v", fifo)
	}
}

type own struct{ err error }

func (o own) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "ASIAOFTHESERVER12345", SecretAccessKey: secretKey, SessionToken: "session"}, o.err
}

func TestTheIdentityOfTheServerIsNotLent(t *testing.T) {
	t.Parallel()
	r := sendertest.Open(t)
	a := blueberry.SubscriptionAddress{URL: r.URL + "/123456789012/events", Region: "eu-central-1"}
	out := &notify.Outbound{AllowLocal: true}
	if res := (queue.SQS{Outbound: out}).Send(t.Context(), sendertest.Parcel(a)); !res.Refused || len(r.Got()) != 0 {
		t.Errorf("without a key: %+v, %d calls", res, len(r.Got()))
	}
	if res := (queue.SQS{Outbound: out, Own: own{errors.New("secret role")}}).Send(t.Context(), sendertest.Parcel(a)); res.OK() || res.Refused || strings.Contains(res.Error, "role") || len(r.Got()) != 0 {
		t.Errorf("without an identity: %+v, %d calls", res, len(r.Got()))
	}
	got, _ := sqsCall(t, queue.SQS{Outbound: out, Own: own{}}, "/123456789012/events")
	if got.Header.Get("X-Amz-Security-Token") != "session" || !strings.Contains(got.Header.Get("Authorization"), "ASIAOFTHESERVER12345") {
		t.Errorf("lent, but signed as %v", got.Header)
	}
}

func TestWhatAQueueMeans(t *testing.T) {
	t.Parallel()
	for code, c := range map[string]struct {
		status int
		passes bool // it may be taken later
	}{
		"com.amazonaws.sqs#QueueDoesNotExist":                {400, false},
		"QueueDoesNotExist":                                  {400, false},
		"com.amazon.coral.service#AccessDeniedException":     {400, false},
		"com.amazonaws.sqs#RequestThrottled":                 {400, true},
		"com.amazon.coral.availability#ThrottlingException":  {400, true},
		"com.amazonaws.sqs#OverLimit":                        {403, true},
		"com.amazonaws.sqs#KmsThrottled":                     {400, true},
		"com.amazonaws.sqs#QueueDeletedRecently":             {400, true},
		"com.amazonaws.sqs#InvalidMessageContents":           {400, false},
		"com.amazon.coral.service#InvalidSignatureException": {403, false},
		"com.amazon.coral.service#ExpiredTokenException":     {403, true},
		"SomethingElse": {400, false},
		"Unavailable":   {503, true},
		"":              {500, true},
	} {
		r := sendertest.Open(t)
		r.Answer(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "of account 123456789012"})
		})
		a := blueberry.SubscriptionAddress{URL: r.URL + "/123456789012/events", User: accessKey, Key: secretKey, Region: "eu-central-1"}
		res := queue.SQS{Outbound: &notify.Outbound{AllowLocal: true}}.Send(t.Context(), sendertest.Parcel(a))
		if res.OK() || passes(res) != c.passes || strings.Contains(res.Why(), "account") {
			t.Errorf("%s: %+v", code, res)
		}
	}
	r := sendertest.Open(t)
	r.Answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>welcome</html>") })
	a := blueberry.SubscriptionAddress{URL: r.URL + "/123456789012/events", User: accessKey, Key: secretKey, Region: "eu-central-1"}
	if res := (queue.SQS{Outbound: &notify.Outbound{AllowLocal: true}}).Send(t.Context(), sendertest.Parcel(a)); res.OK() {
		t.Error("a page is taken for a queue")
	}
}

// passes reports whether a notice with such a result is tried for a day, and not given up after three attempts.
func passes(r blueberry.NoticeResult) bool {
	n := blueberry.NewNotice(blueberry.Subscription{}, blueberry.Event{}, sendTime)
	for range 3 {
		n = n.After(blueberry.NoticeAttempt{At: sendTime}, r)
	}
	return n.State == blueberry.NoticeWaiting
}
