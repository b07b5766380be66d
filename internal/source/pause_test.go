package source_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/source"
)

type answer func(r *http.Request) (*http.Response, error)

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

// TestPause: hosts tell in many ways when they want to be asked again.
func TestPause(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	h := func(pairs ...string) http.Header {
		out := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			out.Set(pairs[i], pairs[i+1])
		}
		return out
	}
	const remaining, reset, after = "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		want   time.Duration // 0: no pause
	}{
		"refused":                          {403, nil, `{"message":"no"}`, 0},
		"refused, with calls left":         {403, h(remaining, "12", reset, "1769861400"), "", 0},
		"not found, spent":                 {404, h(remaining, "0", reset, "1769861400"), "", 0},
		"spent, by a time":                 {403, h(remaining, "0", reset, "1769861400"), "", 10 * time.Minute},
		"spent, by seconds":                {429, h(remaining, "0", reset, "45"), "", 45 * time.Second},
		"spent, as GitLab says":            {429, h("RateLimit-Remaining", "0", "RateLimit-Reset", "1769861400"), "", 10 * time.Minute},
		"spent, till now":                  {403, h(remaining, "0", reset, "1769860800"), "", time.Second},
		"spent, till long ago":             {403, h(remaining, "0", reset, "1500000000"), "", time.Second},
		"spent, for years":                 {403, h(remaining, "0", reset, "9769860800"), "", time.Hour},
		"spent, nobody knows till when":    {403, h(remaining, "0"), "", time.Minute},
		"spent, till zebra":                {403, h(remaining, "0", reset, "zebra"), "", time.Minute},
		"spent, till below zero":           {403, h(remaining, "0", reset, "-5"), "", time.Minute},
		"too fast":                         {403, h(after, "30"), "", 30 * time.Second},
		"too fast, 429":                    {429, h(after, "30"), "", 30 * time.Second},
		"too fast, by a date":              {429, h(after, in(5*time.Minute)), "", 5 * time.Minute},
		"too fast, by a date that was":     {429, h(after, in(-time.Hour)), "", time.Second},
		"too fast, at once":                {429, h(after, "0"), "", time.Second},
		"too fast, for a week":             {429, h(after, "604800"), "", time.Hour},
		"too fast, below zero":             {429, h(after, "-30"), "", time.Minute},
		"too fast, beyond all numbers":     {429, h(after, "99999999999999999999"), "", time.Minute},
		"too fast, untold":                 {429, nil, "", time.Minute},
		"too fast, in words":               {403, nil, `{"message":"You have exceeded a secondary Rate Limit"}`, time.Minute},
		"the rest counts before the reset": {403, h(after, "30", remaining, "0", reset, "1769861400"), "", 30 * time.Second},
		"busy":                             {503, h(after, "90"), "", 90 * time.Second},
		"busy, untold":                     {503, nil, "rate limit", 0},
		"broken":                           {500, h(after, "90"), "", 0},
		"who is there, spent":              {401, h(remaining, "0", reset, "1769861400"), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			conn := source.Connection{API: "https://git.example.com", Now: func() time.Time { return now }, Client: &http.Client{Transport: answer(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: c.status, Header: c.header, Body: io.NopCloser(strings.NewReader(c.body))}, nil
			})}}
			_, status, err := conn.Call(t.Context(), http.MethodGet, "/x", nil, nil, nil)
			var e *source.HostError
			if !errors.As(err, &e) || status != c.status || e.Status != c.status || source.HostStatus(err) != c.status {
				t.Fatalf("status %d, %v", status, err)
			}
			var want time.Time
			if c.want > 0 {
				want = now.Add(c.want)
			}
			if !e.Until.Equal(want) || want.IsZero() == strings.Contains(e.Text, "no more calls") {
				t.Errorf("it wants no calls until %s, want %s: %s", e.Until, want, e.Text)
			}
		})
	}
}
