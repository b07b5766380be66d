package blueberry

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var (
	pipelineName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,99}$`)
	sha256Digest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
)

const (
	maxCIURL   = 2048
	maxCIImage = 512
	maxCITook  = 30 * 24 * time.Hour
	maxCIAhead = time.Hour // that the clock of a pipeline may be ahead
)

// PlainLine reports whether a text is one line that shows what it is: UTF-8 without control characters and without those that turn a line around.
func PlainLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, turns)
}

func turns(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// PlainText makes a text from outside one line that may be shown: what does not belong there becomes spaces, secrets of a known form are hidden, and what is
// longer than most characters is cut.
func PlainText(s string, most int) string {
	if len(s) > 8*most { // what is cut anyway is not looked at
		s = s[:8*most]
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, " "), func(r rune) bool { return turns(r) || r == ' ' }), " ")
	return cutText(Redact(s), most)
}

// CheckCIReport notes what is wrong with what a report names: not with what was read of files.
func (f *Faults) CheckCIReport(r CIReport, now time.Time) {
	f.CheckCommit("commit", r.Commit)
	f.checkLine("branch", r.Branch, false, MaxCIName)
	if !pipelineName.MatchString(r.Pipeline) {
		f.Add("pipeline", "pattern", "%q must begin with a letter or digit and hold letters, digits, spaces and . _ / -, at most 100", PlainText(r.Pipeline, 100))
	}
	f.checkCIRun("run", r.Run, now)
	if len(r.Stages) > MaxCIStages {
		f.Add("stages", "range", "has %d items, at most %d are allowed", len(r.Stages), MaxCIStages)
	}
	seen := map[string]bool{}
	for i, x := range r.Stages[:min(len(r.Stages), MaxCIStages)] {
		at := "stages[" + itoa(i) + "]"
		f.checkLine(at+".name", x.Name, true, MaxCIName)
		if seen[x.Name] {
			f.Add(at+".name", "duplicate", "%q is named twice", PlainText(x.Name, 100))
		}
		seen[x.Name] = true
		if !slices.Contains(CIStatuses(), x.Status) {
			f.Add(at+".status", "enum", "%q is not passed, failed, skipped or running", PlainText(string(x.Status), 50))
		}
		if x.Took < 0 || x.Took > maxCITook {
			f.Add(at+".seconds", "range", "must be 0 to %d", int(maxCITook.Seconds()))
		}
		f.checkCIURL(at+".url", x.URL)
	}
	if len(r.Images) > MaxCIImages {
		f.Add("images", "range", "has %d items, at most %d are allowed", len(r.Images), MaxCIImages)
	}
	for _, x := range r.Images[:min(len(r.Images), MaxCIImages)] {
		at := JoinField("images", x.Component)
		if !dnsLabel.MatchString(x.Component) || len(x.Component) > MaxComponentName {
			f.Add("images", "pattern", "%q is no name of a component", PlainText(x.Component, 100))
			continue
		}
		if len(x.Reference) > maxCIImage {
			f.Add(at, "range", "is longer than %d bytes", maxCIImage)
			continue
		}
		n := len(*f)
		if f.CheckImage(at, x.Reference); len(*f) == n && !sha256Digest.MatchString(x.Reference) {
			f.Add(at, "image_unpinned", "%q must end with its digest, as @sha256: and 64 hexadecimal digits", x.Reference)
		}
	}
}

func (f *Faults) checkCIRun(field string, r CIRun, now time.Time) {
	at := func(name string) string { return JoinField(field, name) }
	f.checkLine(at("id"), r.ID, false, MaxCIName)
	f.checkLine(at("provider"), r.Provider, false, 100)
	f.checkCIURL(at("url"), r.URL)
	if r.Number < 0 {
		f.Add(at("number"), "range", "is below 0")
	}
	for _, x := range []struct {
		name string
		at   time.Time
	}{{"started_at", r.StartedAt}, {"finished_at", r.FinishedAt}} {
		if x.at.After(now.Add(maxCIAhead)) {
			f.Add(at(x.name), "range", "is in the future")
		}
	}
	if !r.FinishedAt.IsZero() && r.FinishedAt.Before(r.StartedAt) {
		f.Add(at("finished_at"), "range", "is before started_at")
	}
}

func (f *Faults) checkCIURL(field, address string) {
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	if err != nil || len(address) > maxCIURL || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || !PlainLine(address) {
		f.Add(field, "url", "must be an address of http or https without a user, of at most %d bytes", maxCIURL)
	}
}
