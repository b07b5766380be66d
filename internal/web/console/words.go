package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/sdk"
)

// shape is how a state looks: the same drawing always means the same.
type shape struct{ Icon, Mood string }

var (
	good = shape{"check", "good"}
	bad  = shape{"cross", "bad"}
	warn = shape{"warn", "warn"}
	busy = shape{"turn", "busy"}
	idle = shape{"dash", "idle"}
	doze = shape{"moon", "idle"}
)

func shapeOf(p sdk.Phase) shape {
	switch p {
	case sdk.Ready:
		return good
	case sdk.Degraded:
		return warn
	case sdk.Failed:
		return bad
	case sdk.Sleeping:
		return doze
	case sdk.Terminated:
		return idle
	}
	return busy
}

func shapeOfStep(s sdk.Step) shape {
	switch {
	case s.Status == "True":
		return good
	case s.Status == "False":
		return bad
	case s.Over:
		return warn
	case !s.Began.IsZero():
		return busy
	}
	return idle
}

func shapeOfSeverity(s string) shape {
	switch s {
	case "failure":
		return bad
	case "waiting":
		return busy
	}
	return warn
}

func pressed(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

func schemeOf(theme string) string {
	if theme == "" {
		return "light dark"
	}
	return theme
}

// sentence begins with a capital and ends with a stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	r, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(r)) + s[n:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

func number(n int) string { return strconv.Itoa(n) }

// short is the first digits of a commit.
func short(commit string) string { return commit[:min(len(commit), 12)] }

// took is a span as people say it: "4.2 s", "3 min 10 s".
func took(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// repositoryName is the address of a repository without what is always the same.
func repositoryName(url string) string {
	name := strings.TrimSuffix(url, ".git")
	for _, p := range []string{"https://", "http://", "ssh://git@", "git@"} {
		name = strings.TrimPrefix(name, p)
	}
	return name
}
