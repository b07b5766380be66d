package sdk

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// CIReceipt says what became of a report that was signed.
type CIReceipt struct {
	ID      string `json:"id"`      // of the delivery
	Verdict string `json:"verdict"` // accepted, ignored when it was no news, or duplicate
	Reason  string `json:"reason"`
	Report  string `json:"report,omitempty"` // id of the report, which takes an API token to read
}

// ReportCISigned is ReportCI without an API token: it proves itself by a webhook secret of the repository, which it signs with and does not send. The webhook is
// the address that the repository has, "https://blueberry.example.com/hooks/rep_…". A Problem of status 401 DELIVERY_REFUSED says that no secret of the
// repository has signed it, or that the clocks are more than five minutes apart.
func (c *Client) ReportCISigned(ctx context.Context, webhook, secret string, r ReportCIRequest) (CIReceipt, error) {
	u, err := url.Parse(webhook)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" {
		return CIReceipt{}, fmt.Errorf("the webhook must look like https://blueberry.example.com/hooks/rep_…")
	}
	r.Repository, r.Project = "", "" // the address names it
	body, err := json.Marshal(r)
	if err != nil {
		return CIReceipt{}, fmt.Errorf("encode report: %w", err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(at + "."))
	sum.Write(body)
	k := &call{method: http.MethodPost, query: url.Values{}, header: http.Header{}, body: json.RawMessage(body)}
	k.header.Set("X-Blueberry-Timestamp", at)
	k.header.Set("X-Blueberry-Signature", "sha256="+hex.EncodeToString(sum.Sum(nil)))
	k.header.Set("X-Blueberry-Delivery", rand.Text()) // of one that is sent again, one counts
	plain := *c
	plain.Token, plain.Tokens, plain.BaseURL = "", nil, strings.TrimSuffix(strings.TrimRight(webhook, "/"), "/ci")+"/ci"
	return fetch[CIReceipt](ctx, &plain, k)
}
