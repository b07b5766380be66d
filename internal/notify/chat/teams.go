package chat

import (
	"context"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// Teams posts adaptive cards to workflows ("When a Teams webhook request is received").
type Teams struct{ Outbound *notify.Outbound }

// Send implements notify.Sender. What comes of an event stands in text runs, in which no Markdown is read.
func (t Teams) Send(ctx context.Context, p notify.Parcel) blueberry.NoticeResult {
	run := func(text, weight string) object {
		return object{"type": "RichTextBlock", "inlines": []object{{"type": "TextRun", "text": escapeCard(text), "weight": weight}}}
	}
	card := object{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"body": []object{run(p.Message.Title, "Bolder"), run(p.Message.Text, "Default")},
	}
	if p.Message.Link != "" {
		card["actions"] = []object{{"type": "Action.OpenUrl", "title": "Open", "url": p.Message.Link}}
	}
	attachment := object{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}
	return post(ctx, t.Outbound, p.Address.URL, object{"type": "message", "attachments": []object{attachment}})
}

// escapeCard keeps a text from calling functions of cards, {{DATE(…)}} and ${…}, and from naming anybody.
func escapeCard(text string) string {
	return strings.NewReplacer("{", "{"+apart, "$", "$"+apart, "<at", "<"+apart+"at").Replace(quietMentions(text))
}
