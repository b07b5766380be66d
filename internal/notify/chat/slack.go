package chat

import (
	"context"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// Slack posts to incoming webhooks.
type Slack struct{ Outbound *notify.Outbound }

// slackText is how many characters one block takes.
const slackText = 3000

// Send implements notify.Sender. What comes of an event stands in blocks of plain text, in which nothing is markup; the text beside them is what
// notifications show, and its own markup is switched off.
func (s Slack) Send(ctx context.Context, p notify.Parcel) blueberry.NoticeResult {
	m := p.Message
	plain := func(text string) object {
		return object{"type": "section", "text": object{"type": "plain_text", "text": fit(text, slackText, escapeSlack), "emoji": false}}
	}
	blocks := []object{plain(m.Title), plain(m.Text)}
	if m.Link != "" {
		blocks = append(blocks, object{"type": "context", "elements": []object{{"type": "mrkdwn", "text": "<" + escapeSlack(m.Link) + "|Open>"}}})
	}
	return post(ctx, s.Outbound, p.Address.URL, object{"text": fit(m.Title+": "+m.Text, slackText, escapeSlack), "mrkdwn": false, "blocks": blocks})
}

// escapeSlack leaves nothing that could begin a link, a mention or an entity.
func escapeSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(quietMentions(text))
}
