package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/blueberry-idp/blueberry/sdk"
)

// receiver is a program that is told of events by webhook.
type receiver struct {
	mu     sync.Mutex
	status int
	got    []received
}

type received struct {
	header http.Header
	body   string
	status int
}

type receiverKey struct{}

// cmdReceiver starts the receiver of the story, or has it answer with another status from now on.
func cmdReceiver(ts *testscript.TestScript, _ bool, args []string) {
	r, _ := ts.Value(receiverKey{}).(*receiver)
	if len(args) > 0 {
		status, err := strconv.Atoi(args[0])
		ts.Check(err)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.status = status
		return
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{req.Header.Clone(), string(body), r.status})
		w.WriteHeader(r.status)
	}))
	r.status = http.StatusOK
	ts.Setenv("RECEIVER", srv.URL)
	ts.Defer(srv.Close)
}

// cmdReceived tells what the receiver got, a line each: status, type, id. What the secret in the file, as "subscription add -o json" told it, has not signed
// fails the story.
func cmdReceived(ts *testscript.TestScript, _ bool, args []string) {
	var added sdk.AddedSubscription
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &added))
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(added.Secret, "whsec_"))
	ts.Check(err)
	r := ts.Value(receiverKey{}).(*receiver)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.got {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", x.header.Get("webhook-id"), x.header.Get("webhook-timestamp"), x.body)
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); x.header.Get("webhook-signature") != want {
			ts.Fatalf("signed %q, want %q: %s", x.header.Get("webhook-signature"), want, x.body)
		}
		var event struct{ ID, Type string }
		ts.Check(json.Unmarshal([]byte(x.body), &event))
		_, _ = fmt.Fprintf(ts.Stdout(), "%d %s %s\n", x.status, event.Type, event.ID)
	}
}
