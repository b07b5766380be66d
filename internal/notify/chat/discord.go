package chat

import (
	"context"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// Discord posts to the webhooks of channels.
type Discord struct{ Outbound *notify.Outbound }

// How many characters an embed takes.
const (
	discordTitle = 256
	discordText  = 4096
)

// Send implements notify.Sender.
func (d Discord) Send(ctx context.Context, p notify.Parcel) blueberry.NoticeResult {
	embed := object{"title": fit(p.Message.Title, discordTitle, escapeMarkdown), "description": fit(p.Message.Text, discordText, escapeMarkdown)}
	if p.Message.Link != "" {
		embed["url"] = p.Message.Link
	}
	return post(ctx, d.Outbound, p.Address.URL, object{"embeds": []object{embed}, "allowed_mentions": object{"parse": []string{}}})
}

// escapeMarkdown puts a backslash before everything that means something to Discord.
func escapeMarkdown(text string) string {
	var b strings.Builder
	for _, r := range quietMentions(text) {
		if strings.ContainsRune("\\`*_~|>#-+[]()<:!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
