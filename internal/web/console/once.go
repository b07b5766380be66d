package console

import (
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// shownOnce is a secret that an answer told, and that nothing tells again.
type shownOnce struct {
	Title  string // "The token is made"
	What   string // to do with it, and who may see it
	Name   string // of the secret: "Token", "Link of the invitation"
	Secret string
	Use    option   // a line of a shell that uses it, and what is shown of that line; empty for none
	On     option   // where to go on
	Trail  []option // where this is
}

// once tells a secret in answer to a form.
func once(here string, x shownOnce) error {
	return answerOnce(page{Title: x.Title, Here: here, Body: onceBody(x)})
}

// answerOnce shows a page in answer to a form, and never at an address: what stands on it is told this one time.
func answerOnce(p page) error {
	return again{nil, func(*sdk.Problem) (page, error) { return p, nil }}
}

// tokenTold is what the making or the rotation of an API token tells.
func tokenTold(title string, made sdk.MadeAPIToken, trail []option, on option) shownOnce {
	what := "Keep it where the program reads its secrets, and nowhere else. It works until " + momentText(made.Token.ExpiresAt) + "."
	if until := made.Token.PreviousUntil; !until.IsZero() {
		what += " The secret before works until " + momentText(until) + "."
	}
	return shownOnce{
		Title: title, What: what, Name: "API token", Secret: made.Secret, On: on, Trail: trail,
		Use: option{"export BLUEBERRY_TOKEN=" + made.Secret, "export BLUEBERRY_TOKEN=…"},
	}
}

func momentText(t time.Time) string { return t.UTC().Format("Mon, 2 Jan 2006 15:04 MST") }
