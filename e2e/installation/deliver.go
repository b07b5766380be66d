package installation

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// PullEvent is what a generic host says of a pull request of acme/shop.
type PullEvent struct {
	Number        int
	Action, State string // State empty means "open"
	Draft         bool
	Commit        string
	At            time.Time // when that was so
}

// Body is the event as the host sends it.
func (e PullEvent) Body() []byte {
	if e.State == "" {
		e.State = "open"
	}
	body, err := json.Marshal(map[string]any{"event": "pull_request", "data": map[string]any{
		"repository": "acme/shop", "action": e.Action, "number": e.Number, "title": "A change", "author": "ada", "draft": e.Draft, "state": e.State,
		"head": map[string]string{"ref": "topic", "commit": e.Commit, "repository": "acme/shop"},
		"base": map[string]string{"ref": "main", "repository": "acme/shop"}, "updated_at": e.At.UTC().Format(time.RFC3339Nano),
	}})
	if err != nil {
		panic(err) // texts and numbers can be encoded
	}
	return body
}

// Deliver sends a body to the inbox of a repository, signed with a secret, and gives the answer.
func (s *Server) Deliver(ctx context.Context, to sdk.Repository, secret string, body []byte) (status int, answer []byte, err error) {
	hook, err := url.Parse(to.WebhookURL)
	if err != nil {
		return 0, nil, fmt.Errorf("read the address of the webhook: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+hook.Path, bytes.NewReader(body)) // the server may listen elsewhere by now
	if err != nil {
		return 0, nil, fmt.Errorf("make a delivery: %w", err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(append([]byte(at+"."), body...))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Blueberry-Timestamp", at)
	req.Header.Set("X-Blueberry-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("deliver: %w", err)
	}
	defer res.Body.Close()
	if answer, err = io.ReadAll(res.Body); err != nil {
		return 0, nil, fmt.Errorf("read the answer to a delivery: %w", err)
	}
	return res.StatusCode, answer, nil
}
