package hosttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Way is one way in which a host signs.
type Way struct {
	Name   string
	Sign   func(secret string, at time.Time, body []byte) http.Header
	Header string // that holds the signature
	Prefix string // of the signature; empty for none
	Hex    bool   // what follows is in hex
	Token  bool   // the signature is the secret, and does not cover the body
	Stamp  string // header of the time; empty for ways that tell none
}

// Signatures holds a host to what it may take for signed.
func Signatures(t *testing.T, host source.Host, ways ...Way) {
	t.Helper()
	const secret, other = "correct-horse-battery", "staple-correct-horse"
	now := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	body := []byte(`{"hello":"world"}`)
	for _, w := range ways {
		edit := func(change func(h http.Header)) http.Header {
			h := w.Sign(secret, now, body)
			change(h)
			return h
		}
		value := w.Sign(secret, now, body).Get(w.Header)
		set := func(value string) http.Header { return edit(func(h http.Header) { h.Set(w.Header, value) }) }
		type call struct {
			header  http.Header
			body    []byte
			secrets []string
			want    bool
		}
		calls := map[string]call{
			"right":                  {w.Sign(secret, now, body), body, []string{secret}, true},
			"second of two":          {w.Sign(secret, now, body), body, []string{other, secret}, true},
			"first of two":           {w.Sign(secret, now, body), body, []string{secret, other}, true},
			"beside an empty secret": {w.Sign(secret, now, body), body, []string{"", secret}, true},
			"wrong":                  {w.Sign(other, now, body), body, []string{secret}, false},
			"beginning of a secret":  {w.Sign(secret[:10], now, body), body, []string{secret}, false},
			"empty secret":           {w.Sign("", now, body), body, []string{""}, false},
			"no secrets":             {w.Sign(secret, now, body), body, nil, false},
			"no headers":             {http.Header{}, body, []string{secret}, false},
			"missing":                {edit(func(h http.Header) { h.Del(w.Header) }), body, []string{secret}, false},
			"empty":                  {set(""), body, []string{secret}, false},
			"doubled":                {edit(func(h http.Header) { h.Add(w.Header, value) }), body, []string{secret}, false},
			"doubled, second right":  {edit(func(h http.Header) { h[http.CanonicalHeaderKey(w.Header)] = []string{"x", value} }), body, []string{secret}, false},
			"joined":                 {set(value + ", " + value), body, []string{secret}, false},
			"cut":                    {set(value[:len(value)-2]), body, []string{secret}, false},
			"body and more":          {w.Sign(secret, now, body), append(slices.Clone(body), '\n'), []string{secret}, w.Token},
			"no body":                {w.Sign(secret, now, body), nil, []string{secret}, w.Token},
		}
		for i := range body {
			changed := slices.Clone(body)
			changed[i] ^= 1
			calls["body altered at "+string(rune('a'+i))] = call{w.Sign(secret, now, body), changed, []string{secret}, w.Token}
		}
		if w.Prefix != "" {
			calls["prefix missing"] = call{set(strings.TrimPrefix(value, w.Prefix)), body, []string{secret}, false}
			calls["other prefix"] = call{set("x" + value), body, []string{secret}, false}
		}
		if w.Hex {
			calls["upper case"] = call{set(w.Prefix + strings.ToUpper(strings.TrimPrefix(value, w.Prefix))), body, []string{secret}, true}
			calls["no hex"] = call{set(w.Prefix + strings.Repeat("zz", 32)), body, []string{secret}, false}
		}
		if w.Stamp != "" {
			for name, at := range map[string]time.Duration{"old": -5 * time.Minute, "new": 5 * time.Minute} {
				calls["as "+name+" as it may be"] = call{w.Sign(secret, now.Add(at), body), body, []string{secret}, true}
				calls["too "+name] = call{w.Sign(secret, now.Add(at+at/300), body), body, []string{secret}, false}
			}
			calls["of 1970"] = call{w.Sign(secret, time.Unix(0, 0), body), body, []string{secret}, false}
			calls["of the end of time"] = call{w.Sign(secret, time.Unix(math.MaxInt64, 0), body), body, []string{secret}, false}
			calls["another time"] = call{w.Sign(secret, now, body), body, []string{secret}, false}
			calls["another time"].header.Set(w.Stamp, "1769851801")
			calls["no time"] = call{edit(func(h http.Header) { h.Del(w.Stamp) }), body, []string{secret}, false}
			calls["two times"] = call{edit(func(h http.Header) { h.Add(w.Stamp, h.Get(w.Stamp)) }), body, []string{secret}, false}
			calls["time in words"] = call{edit(func(h http.Header) { h.Set(w.Stamp, "now") }), body, []string{secret}, false}
		}
		for name, c := range calls {
			t.Run(w.Name+"/"+name, func(t *testing.T) {
				if got := host.Signed(c.header, c.body, c.secrets, now); got != c.want {
					t.Errorf("signed is %v, want %v", got, c.want)
				}
			})
		}
	}
}

// Delivery is a delivery of testdata, and what it says.
type Delivery struct {
	File  string
	Event string // as the header calls it
	Want  source.Incoming
}

// Says is a delivery that is read.
func Says(file, event string, want source.Incoming) Delivery { return Delivery{file, event, want} }

// Suite is a host with its deliveries.
type Suite struct {
	Host       source.Host
	Event      string // header that names the event
	Deliveries []Delivery
}

func (s Suite) header(event string) http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	if event != "" {
		h.Set(s.Event, event)
	}
	return h
}

// First is the suite with the delivery of the file as its first.
func (s Suite) First(t *testing.T, file string) Suite {
	t.Helper()
	i := slices.IndexFunc(s.Deliveries, func(d Delivery) bool { return d.File == file })
	if i < 0 {
		t.Fatalf("no delivery %s", file)
	}
	s.Deliveries = s.Deliveries[i:]
	return s
}

func load(t testing.TB, file string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", file+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Read holds the host to what its deliveries say, and every file of testdata to be among them.
func (s Suite) Read(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		if !slices.ContainsFunc(s.Deliveries, func(d Delivery) bool { return d.File == name }) {
			t.Errorf("%s is not read", f)
		}
	}
	for _, d := range s.Deliveries {
		t.Run(d.File, func(t *testing.T) {
			got, err := s.Host.Read(s.header(d.Event), load(t, d.File))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(d.Want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Fault is a delivery with one value that nobody should send.
type Fault struct {
	Path  string // of the value: "pull_request.number"; "labels.0.name" of the first in a list
	Value any
	Field string // that the fault names; empty means the path
}

// stranger is a text that no fault may repeat.
const stranger = "zebra"

// Faults holds the host to refusing the first of its deliveries with each of the faults, and with each of the fields in another type.
func (s Suite) Faults(t *testing.T, fields []string, faults ...Fault) {
	for _, f := range fields {
		faults = append(faults, Fault{f, map[string]any{stranger: stranger}, ""}, Fault{f, []any{[]any{stranger}}, ""})
	}
	good := s.Deliveries[0]
	for _, f := range faults {
		var body map[string]any
		d := json.NewDecoder(bytes.NewReader(load(t, good.File)))
		d.UseNumber()
		if err := d.Decode(&body); err != nil {
			t.Fatal(err)
		}
		put(t, body, strings.Split(f.Path, "."), f.Value)
		if f.Field == "" {
			f.Field = regexp.MustCompile(`\.[0-9]+`).ReplaceAllString(f.Path, "")
		}
		js, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		s.refused(t, f.Path+" is "+short(f.Value), f.Field, js)
	}
}

func short(v any) string {
	js, _ := json.Marshal(v)
	return string(js[:min(len(js), 40)])
}

// put sets a value, or takes it away where it is nil.
func put(t *testing.T, at any, path []string, value any) {
	t.Helper()
	switch parent := at.(type) {
	case map[string]any:
		if len(path) > 1 {
			put(t, parent[path[0]], path[1:], value)
			return
		}
		if _, known := parent[path[0]]; !known {
			t.Fatalf("the delivery has no %s", path[0])
		}
		if parent[path[0]] = value; value == nil {
			delete(parent, path[0])
		}
	case []any:
		put(t, parent[0], path[1:], value)
	default:
		t.Fatalf("nothing is at %v", path)
	}
}

// Hostile holds the host to refusing what is no whole JSON, or JSON that two readers read differently.
func (s Suite) Hostile(t *testing.T) {
	body := bytes.TrimSpace(load(t, s.Deliveries[0].File))
	for i := range body {
		s.refused(t, "cut", "", body[:i])
	}
	with := func(more string) []byte { return append([]byte(`{`+more+`,`), body[1:]...) }
	for name, js := range map[string][]byte{
		"empty": {}, "null": []byte("null"), "list": []byte("[]"), "text": []byte(`"zebra"`), "number": []byte("1"), "no JSON": []byte("<zebra/>"),
		"garbage behind": append(slices.Clone(body), "zebra"...), "two objects": append(slices.Clone(body), body...),
		"a key twice":                  with(`"zebra":1,"zebra":2`),
		"a key twice, in another case": with(`"zebra":1,"ZEBRA":2`),
		"a key twice, below":           with(`"a":[{"zebra":{},"b":[1],"zebra":2}]`),
		"a key twice, by folding":      with(`"kzebra":1,"` + "\u212a" + `zebra":2`),
		"a key twice, escaped":         with(`"zebra":1,"\u007aebra":2`),
		"no UTF-8":                     with("\"a\":\"zebra\xff\""), "a byte order mark": append([]byte("\ufeff"), body...), "UTF-16": []byte("{\x00}\x00"),
		"deep lists":        with(`"zebra":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000)),
		"deep objects":      with(`"a":` + strings.Repeat(`{"zebra":`, 20000) + "1" + strings.Repeat("}", 20000)),
		"control character": with("\"zebra\":\"\n\""), "no number": with(`"zebra":NaN`),
	} {
		s.refused(t, name, "", js)
	}
	if _, err := s.Host.Read(s.header(s.Deliveries[0].Event), with(`"zebra":[{"a":1},{"a":1},{"a":{"a":[]}}],"horse":1e400`)); err != nil {
		t.Errorf("what is not known must be passed over: %v", err)
	}
}

func (s Suite) refused(t *testing.T, name, field string, body []byte) {
	t.Helper()
	got, err := s.Host.Read(s.header(s.Deliveries[0].Event), body)
	var e *blueberry.Error
	switch {
	case err == nil:
		t.Errorf("%s: it was read", name)
	case !errors.As(err, &e) || e.Code != "DELIVERY_UNREADABLE" || !errors.Is(err, blueberry.Invalid):
		t.Errorf("%s: the error is %v", name, err)
	case !strings.HasPrefix(e.Detail, field+" ") && field != "":
		t.Errorf("%s: %q does not name %s", name, e.Detail, field)
	case strings.Contains(e.Detail, stranger) || len(e.Detail) > 150:
		t.Errorf("%s: %q repeats what was sent", name, e.Detail)
	case got.Pull != nil || got.Comment != nil || got.Pushes != nil:
		t.Errorf("%s: something was given beside the fault", name)
	}
}

// Fuzz holds what the host reads of anything to be sound.
func (s Suite) Fuzz(f *testing.F) {
	for _, d := range s.Deliveries {
		f.Add(d.Event, load(f, d.File))
	}
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		for _, kind := range []string{"application/json", "application/x-www-form-urlencoded"} {
			h := s.header(event)
			h.Set("Content-Type", kind)
			s.Host.Named(h)
			s.Host.Signed(h, body, []string{"secret"}, time.Time{})
			in, err := s.Host.Read(h, body)
			if err != nil {
				continue
			}
			texts := map[string]int{in.Repository: source.MaxName, in.Action: source.MaxName}
			if p := in.Pull; p != nil {
				for _, x := range append(p.Labels, p.Author, p.HeadRef, p.BaseRef, p.HeadRepo, p.BaseRepo) {
					texts[x] = source.MaxName
				}
				texts[p.URL], texts[p.HeadURL], texts[p.Title] = source.MaxAddress, source.MaxAddress, source.MaxTitle
				sound(t, in.Repository, *p)
			}
			if c := in.Comment; c != nil {
				texts[c.ID], texts[c.Author], texts[c.AuthorName] = source.MaxName, source.MaxName, source.MaxName
				commented(t, in, *c)
			}
			if s := in.Sign; s != nil {
				for _, x := range []string{s.Environment, s.Application, s.Namespace, s.Event} {
					texts[x] = source.MaxName
				}
				texts[s.Message] = 7 * source.MaxName
				if s.Environment+s.Application+s.Namespace == "" || s.Event == "" {
					t.Errorf("a sign was read of nothing: %+v", *s)
				}
			}
			for _, p := range in.Pushes {
				texts[p.Branch] = source.MaxName
				if in.Repository == "" || p.Branch == "" || p.Commit != "" && !commit.MatchString(p.Commit) {
					t.Errorf("of %q a push was read: %+v", in.Repository, p)
				}
			}
			for x, most := range texts {
				if !utf8.ValidString(x) || utf8.RuneCountInString(x) > most || strings.ContainsFunc(x, unicode.IsControl) {
					t.Errorf("%q was read", x)
				}
			}
		}
	})
}

// commented holds a comment that was read to be sound.
func commented(t *testing.T, in source.Incoming, c blueberry.PullComment) {
	t.Helper()
	switch {
	case in.Pull != nil || in.Pushes != nil || in.Repository == "":
		t.Errorf("a comment of %q was read beside something else", in.Repository)
	case c.ID == "" || c.Number <= 0:
		t.Errorf("comment %q of pull request %d", c.ID, c.Number)
	case !utf8.ValidString(c.Text) || utf8.RuneCountInString(c.Text) > source.MaxComment:
		t.Errorf("a text of %d bytes", len(c.Text))
	case strings.ContainsFunc(c.Text, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }):
		t.Errorf("%q has control characters", c.Text)
	}
}

var (
	commit   = regexp.MustCompile(`^([0-9a-f]{12}|[0-9a-f]{40}|[0-9a-f]{64})$`)
	cloneURL = regexp.MustCompile(`^(?i:https?)://[^/?#@]+([/?#]|$)`)
)

func sound(t *testing.T, repository string, p blueberry.PullRequest) {
	t.Helper()
	switch {
	case p.Number <= 0 || p.Number > math.MaxInt32:
		t.Errorf("number %d", p.Number)
	case !commit.MatchString(p.HeadCommit):
		t.Errorf("commit %q", p.HeadCommit)
	case repository == "" || p.BaseRepo == "" || p.BaseRef == "":
		t.Errorf("it goes nowhere: %q, %q, %q", repository, p.BaseRepo, p.BaseRef)
	case p.State != blueberry.PullOpen && p.State != blueberry.PullClosed && p.State != blueberry.PullMerged:
		t.Errorf("state %q", p.State)
	case p.Relation == "":
		t.Error("no relation")
	case len(p.Labels) > source.MaxLabels || !slices.IsSorted(p.Labels) || len(slices.Compact(slices.Clone(p.Labels))) != len(p.Labels):
		t.Errorf("labels %q", p.Labels)
	case p.HeadURL != "" && !cloneURL.MatchString(p.HeadURL):
		t.Errorf("clone URL %q", p.HeadURL)
	}
}
