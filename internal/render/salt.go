package render

import (
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// salt stands in for time and chance. A chart that asks for either is rendered twice, with another salt; what differs would differ each time, and is
// refused. What a chart asks for and does not use (a random default beside a given password) does no harm.
type salt struct {
	second bool // the second of the two renderings
	asked  bool // the templates asked for time or chance
}

// pick gives the answer of this rendering.
func pick[T any](s *salt, first, second T) T {
	s.asked = true
	if s.second {
		return second
	}
	return first
}

func (s *salt) now() time.Time {
	return pick(s, time.Date(2025, time.March, 3, 4, 5, 6, 0, time.UTC), time.Date(2036, time.November, 28, 21, 53, 49, 0, time.UTC))
}

// certificate has the fields of what Helm's certificate functions return.
type certificate struct{ Cert, Key string }

func (s *salt) functions() template.FuncMap {
	text := func(n int, first, second string) (string, error) {
		if n < 0 || n > maxString {
			return "", limitf("asks for a random text of %d characters", n)
		}
		return strings.Repeat(pick(s, first, second), n), nil
	}
	random := func(first, second string) func(int) (string, error) {
		return func(n int) (string, error) { return text(n, first, second) }
	}
	secret := func(...any) string { return pick(s, "c2FsdC1vbmU=", "c2FsdC10d28=") }
	cert := func(...any) certificate {
		name := pick(s, "one", "two")
		return certificate{Cert: "certificate " + name, Key: "key " + name}
	}
	out := template.FuncMap{
		"now":          s.now,
		"ago":          s.ago,
		"randAlphaNum": random("a", "B"),
		"randAlpha":    random("a", "B"),
		"randAscii":    random("a", "B"),
		"randNumeric":  random("1", "2"),
		"randBytes":    random("AAAA", "////"),
		"randInt": func(low, high int) (int, error) {
			if high <= low {
				return 0, fmt.Errorf("no number is from %d to below %d", low, high)
			}
			return pick(s, low, high-1), nil
		},
		"shuffle": func(text string) string {
			r := []rune(text)
			for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
				r[i], r[j] = r[j], r[i]
			}
			return pick(s, text, string(r))
		},
		"uuidv4": func() string {
			return pick(s, "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-9222-222222222222")
		},
	}
	for _, name := range []string{"bcrypt", "htpasswd", "encryptAES", "genPrivateKey"} {
		out[name] = secret
	}
	for _, name := range []string{"genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey"} {
		out[name] = cert
	}
	s.addDates(out)
	return out
}

// addDates replaces the functions on dates that read the clock for what they do not know, or the machine's time zone.
func (s *salt) addDates(out template.FuncMap) {
	format, _ := sprig.TxtFuncMap()["dateInZone"].(func(string, any, string) string)
	round, _ := sprig.TxtFuncMap()["durationRound"].(func(any) string)
	inZone := func(layout string, date any, zone string) string {
		switch date.(type) {
		case time.Time, *time.Time, int64, int, int32:
		default:
			date = s.now()
		}
		return format(layout, date, zone)
	}
	out["date"] = func(layout string, date any) string { return inZone(layout, date, "UTC") }
	out["dateInZone"], out["date_in_zone"] = inZone, inZone
	out["htmlDate"] = func(date any) string { return inZone(time.DateOnly, date, "UTC") }
	out["htmlDateInZone"] = func(date any, zone string) string { return inZone(time.DateOnly, date, zone) }
	out["toDate"] = func(layout, text string) time.Time { t, _ := time.Parse(layout, text); return t }
	out["mustToDate"] = time.Parse
	out["durationRound"] = func(d any) string {
		if t, ok := d.(time.Time); ok {
			d = int64(s.now().Sub(t))
		}
		return round(d)
	}
}

func (s *salt) ago(date any) string {
	t := s.now()
	switch date := date.(type) {
	case time.Time:
		t = date
	case int64:
		t = time.Unix(date, 0)
	case int:
		t = time.Unix(int64(date), 0)
	}
	return s.now().Sub(t).Round(time.Second).String()
}
