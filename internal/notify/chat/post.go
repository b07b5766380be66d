package chat

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// object is JSON.
type object map[string]any

func post(ctx context.Context, o *notify.Outbound, address string, body object) blueberry.NoticeResult {
	js, err := json.Marshal(body)
	if err != nil {
		return blueberry.NoticeResult{Error: "the message is no JSON", Refused: true}
	}
	return o.Post(ctx, address, http.Header{"Content-Type": {"application/json"}}, js)
}

// apart is put between characters that would mean something together: a space that is not seen.
const apart = "\u200b"

// fit is a text escaped, and so much of it left out at its end that it has at most limit characters then: receivers refuse what is longer.
func fit(text string, limit int, escape func(string) string) string {
	out := escape(text)
	for runes := []rune(text); utf8.RuneCountInString(out) > limit; {
		runes = runes[:len(runes)*3/4]
		out = escape(string(runes)) + "…"
	}
	return out
}

// quietMentions keeps an @ from calling anybody.
func quietMentions(text string) string { return strings.ReplaceAll(text, "@", "@"+apart) }
