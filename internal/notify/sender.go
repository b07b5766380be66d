package notify

import (
	"context"
	"log/slog"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Sender is the way to the receivers of one kind.
type Sender interface {
	// Send tries once to deliver. It returns soon after ctx has ended, and nothing of an address or a secret is in what it gives.
	Send(ctx context.Context, p Parcel) blueberry.NoticeResult
}

// Parcel is what one attempt delivers, in every form that a receiver may want.
type Parcel struct {
	ID         string // the same over all attempts: that of the event
	At         int64  // seconds since 1970, of the attempt
	Address    blueberry.SubscriptionAddress
	Secrets    []string // that live, newest first: "whsec_" and base64; of webhooks
	Event      blueberry.Event
	CloudEvent []byte            // JSON, structured mode
	Attributes map[string]string // of the CloudEvent, for brokers that have a place for them: "ce-type"
	Message    Message           // for people
}

// ByMail sends one mail for each event.
type ByMail struct {
	Mailer interface {
		Send(ctx context.Context, m Mail) error
	}
	Logger *slog.Logger // nil for none
}

// Send implements Sender.
func (b ByMail) Send(ctx context.Context, p Parcel) blueberry.NoticeResult {
	text := p.Message.Text + "\n"
	if p.Message.Link != "" {
		text += "\n" + p.Message.Link + "\n"
	}
	text += "\nA subscription of Blueberry sends this mail.\n"
	if err := b.Mailer.Send(ctx, Mail{To: []string{p.Address.To}, Subject: cut(p.Message.Title, MaxSubject), Text: text}); err != nil {
		if b.Logger != nil {
			b.Logger.WarnContext(ctx, "send a mail to a subscription", "error", err)
		}
		return blueberry.NoticeResult{Error: "the mail server of this installation did not take it: its log says why"} // who reads this is no operator
	}
	return blueberry.NoticeResult{}
}
