package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestLogsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	p.create(t, "pr-1")
	ref := target.Ref{Project: "default", Environment: "pr-1", Namespace: blueberry.Namespace("default", "pr-1")}
	now := time.Now().UTC()
	for i, text := range []string{"one", "\x1b[31mERROR\x1b[0m two\x1b]0;title\x07", "three"} {
		if err := r.Place.Write(ref, target.LogLine{At: now.Add(time.Duration(i-3) * time.Minute), Component: "web", Pod: fmt.Sprintf("web-%d", i), Container: "web", Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.must(t, "env", "logs", "pr-1"); got != "web-0/web one\nweb-1/web ERROR two]0;title\nweb-2/web three\n" {
		t.Errorf("logs prints %q", got)
	}
	if got := p.must(t, "env", "logs", "pr-1", "--pod", "web-2", "--container", "web"); got != "three\n" {
		t.Errorf("logs of one container prints %q", got)
	}
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"search":    {[]string{"--search", "ERR"}, "web-1/web ERROR two]0;title\n"},
		"since":     {[]string{"--since", "90s"}, "web-2/web three\n"},
		"until":     {[]string{"--until", now.Add(-150 * time.Second).Format(time.RFC3339)}, "web-0/web one\n"},
		"component": {[]string{"--component", "none"}, ""},
		"previous":  {[]string{"--previous"}, ""},
	} {
		if got := p.must(t, append([]string{"env", "logs", "pr-1"}, tc.args...)...); got != tc.want {
			t.Errorf("%s prints %q", name, got)
		}
	}
	contains(t, "--timestamps", p.must(t, "env", "logs", "pr-1", "--timestamps"), now.Add(-time.Minute).Format("2006-01-02T15:04:05.000Z")+" web-2/web three\n")
	lines := strings.Split(strings.TrimSpace(p.must(t, "env", "logs", "pr-1", "-o", "json")), "\n")
	var l sdk.LogLine
	if err := json.Unmarshal([]byte(lines[1]), &l); err != nil || len(lines) != 3 || l.Text != "\x1b[31mERROR\x1b[0m two\x1b]0;title\x07" || l.Pod != "web-1" {
		t.Errorf("-o json gives %d lines, the second %+v: %v", len(lines), l, err)
	}
	usage(t, p, "cannot be given together", "env", "logs", "pr-1", "-f", "--previous")
	usage(t, p, "as lines or as JSON", "env", "logs", "pr-1", "-o", "yaml")
	usage(t, p, `--since: "soon" is neither`, "env", "logs", "pr-1", "--since", "soon", "--tail", "-1")
	_, said := p.ends(t, cli.ExitRefused, "env", "logs", "none")
	contains(t, "unknown", said, "there is no environment none")
}

// logServer answers with what a test says, one answer after the other.
func logServer(t *testing.T, answers ...func(w http.ResponseWriter, r *http.Request)) *person {
	t.Helper()
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/logs"):
			answers[min(int(n.Add(1)), len(answers))-1](w, r)
		default:
			answerJSON(w, 200, sdk.Environment{ID: "env_1", Project: "default", Name: "pr-1"})
		}
	}))
	t.Cleanup(srv.Close)
	return at(srv.URL)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	if status >= 400 {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func tells(lines ...string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jsonl")
		for _, l := range lines {
			fmt.Fprintln(w, l)
		}
	}
}

func logOf(second int, text string) string {
	return fmt.Sprintf(`{"at":"2026-03-01T12:00:%02dZ","pod":"web-1","container":"app","text":%q}`, second, text)
}

func TestLogsThatFollowAreTakenUpWhereTheyBroke(t *testing.T) {
	t.Parallel()
	since := make(chan string, 1)
	p := logServer(t, tells(logOf(1, "one"), logOf(2, "two")), func(w http.ResponseWriter, r *http.Request) {
		since <- r.URL.Query().Get("since")
		tells(logOf(1, "one"), logOf(2, "two"), logOf(2, "more"), logOf(3, "three"), `{"heartbeat":true}`, `{"end":true}`)(w, r)
	})
	if got := p.must(t, "env", "logs", "env_1", "-f"); got != "web-1/app one\nweb-1/app two\nweb-1/app more\nweb-1/app three\n" {
		t.Errorf("logs -f prints %q", got)
	}
	if got := <-since; got != "2026-03-01T11:59:57Z" {
		t.Errorf("it is taken up at %q", got)
	}
	contains(t, "what is said on the way", p.err.String(), "next try in")
}

func TestLogsThatEndTooSoonAreAnError(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, answer string
		code           int
		says           string
	}{
		"cut":     {"the end is missing", logOf(1, "one"), cli.ExitUnreachable, "ended before all was told"},
		"half":    {"a line is cut", logOf(1, "one") + "\n" + `{"at":"2026`, cli.ExitUnreachable, "did not answer"},
		"problem": {"the target went away", logOf(1, "one") + "\n" + `{"problem":{"status":503,"code":"X","title":"x","detail":"the target does not answer"}}`, cli.ExitServer, "the target does not answer"},
	} {
		p := logServer(t, tells(tc.answer))
		out, said := p.ends(t, tc.code, "env", "logs", "env_1", "-o", "json")
		contains(t, tc.reason, said, tc.says)
		if strings.Count(out, "\n") != 1 || !strings.Contains(out, `"text":"one"`) {
			t.Errorf("%s: it prints %q", name, out)
		}
	}
}
