package hosttest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// always answers every call with the same text: a list with it alone where a list is asked for.
type always struct{ js []byte }

func (a always) RoundTrip(r *http.Request) (*http.Response, error) {
	js := a.js
	if strings.Contains(r.URL.Path, "_requests") || strings.HasSuffix(r.URL.Path, "/pulls") {
		js = append(append([]byte("["), js...), ']')
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(js))}, nil
}

// FuzzPulls holds what a driver reads of a list of pull requests to be sound, whatever the host answers.
func FuzzPulls(f *testing.F, speaker source.Speaker, repository string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, js []byte) {
		c := &source.Connection{Client: &http.Client{Transport: always{js}}, API: "https://git.example.com/api", Repository: repository, Credential: "secret", Now: time.Now}
		if err := speaker.Connect(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		got, err := speaker.Changed(t.Context(), c, time.Time{}, "")
		if err != nil && len(got.Pulls) > 0 {
			t.Error("pull requests were given beside an error")
		}
		for _, p := range got.Pulls {
			sound(t, repository, p)
			for _, x := range append(p.Labels, p.Author, p.HeadRef, p.BaseRef, p.HeadRepo, p.BaseRepo, p.URL, p.HeadURL, p.Title) {
				if !utf8.ValidString(x) || strings.ContainsFunc(x, unicode.IsControl) {
					t.Errorf("%q was read", x)
				}
			}
		}
	})
}
