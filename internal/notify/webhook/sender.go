package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// Sender posts events.
type Sender struct{ Outbound *notify.Outbound }

// Send implements notify.Sender.
func (s Sender) Send(ctx context.Context, p notify.Parcel) blueberry.NoticeResult {
	signature, err := Signature(p)
	if err != nil {
		return blueberry.NoticeResult{Error: err.Error(), Refused: true}
	}
	header := http.Header{
		"Content-Type": {notify.CloudEventType}, "webhook-id": {p.ID}, "webhook-timestamp": {fmt.Sprint(p.At)}, "webhook-signature": {signature},
	}
	return s.Outbound.Post(ctx, p.Address.URL, header, p.CloudEvent)
}

// Signature is the header of a parcel: for each secret that lives "v1," and the base64 of an HMAC-SHA256 over id, time and body, with spaces between them.
func Signature(p notify.Parcel) (string, error) {
	var out []string
	for _, secret := range p.Secrets {
		key, ok := notify.SecretKey(secret)
		if !ok {
			return "", fmt.Errorf("a secret of the subscription is not in the form of one")
		}
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%d.%s", p.ID, p.At, p.CloudEvent)
		out = append(out, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if len(out) == 0 {
		return "", fmt.Errorf("no secret of the subscription lives")
	}
	return strings.Join(out, " "), nil
}
