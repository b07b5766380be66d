package source

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of what a delivery says of a pull request, in characters.
const (
	MaxTitle   = 1000 // longer ones are cut
	MaxName    = 255  // of repositories, branches, labels, authors and actions
	MaxAddress = maxURL
	MaxLabels  = 100 // of them
)

// deliverySkew is how far the clock of a host may be from ours, and how long a call may be on its way.
const deliverySkew = 5 * time.Minute

// Once gives the value of a header that came exactly once; empty for any other.
func Once(h http.Header, name string) string {
	if values := h.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// HexSignature reads a signature in hex, behind a prefix. One that cannot be read is none.
func HexSignature(value, prefix string) [][]byte {
	digits, ok := strings.CutPrefix(value, prefix)
	signature, err := hex.DecodeString(digits)
	if !ok || err != nil || len(signature) != sha256.Size {
		return nil
	}
	return [][]byte{signature}
}

// SignedBy reports whether one of the signatures is the HMAC-SHA256 of the message, which is told in parts, by one of the secrets. Each is compared with
// each, in constant time. An empty secret signs nothing.
func SignedBy(secrets []string, signatures [][]byte, message ...[]byte) bool {
	signed := 0
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		for _, part := range message {
			mac.Write(part)
		}
		sum, live := mac.Sum(nil), min(len(secret), 1)
		for _, signature := range signatures {
			signed |= live & subtle.ConstantTimeCompare(sum, signature)
		}
	}
	return signed == 1
}

// TokenOf reports whether a token is one of the secrets. Digests are compared, in constant time, so that the time that it takes shows no length. An empty secret
// is nobody's.
func TokenOf(secrets []string, token string) bool {
	got, found := sha256.Sum256([]byte(token)), 0
	for _, secret := range secrets {
		want := sha256.Sum256([]byte(secret))
		found |= min(len(secret), 1) & subtle.ConstantTimeCompare(got[:], want[:])
	}
	return found == 1
}

// AboutNow reports whether a time, told in seconds since 1970, is at most five minutes from now.
func AboutNow(seconds string, now time.Time) bool {
	n, err := strconv.ParseInt(seconds, 10, 64)
	return err == nil && now.Sub(time.Unix(n, 0)).Abs() <= deliverySkew
}

// Payload gives the JSON of a body, which is all of it, or the field payload of a form.
func Payload(h http.Header, body []byte) ([]byte, error) {
	if kind, _, _ := mime.ParseMediaType(h.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form["payload"]) != 1 {
		return nil, unreadable("payload", "is not in the form, or not once")
	}
	return []byte(form["payload"][0]), nil
}

func unreadable(field, what string) error {
	return blueberry.Errorf(blueberry.Invalid, "DELIVERY_UNREADABLE", "%s %s", field, what)
}

// Decode reads a body that is one object of JSON, in UTF-8, in which no object has a key twice.
func Decode(body []byte, into any) error {
	if !utf8.Valid(body) {
		return unreadable("body", "is not UTF-8")
	}
	var wrong *json.UnmarshalTypeError
	switch err := json.Unmarshal(body, into); {
	case errors.As(err, &wrong) && wrong.Field != "":
		return unreadable(wrong.Field, "is of the wrong type, or too large")
	case err != nil:
		return unreadable("body", "is not an object of JSON, or nested too deep")
	}
	return distinct(body)
}

// distinct refuses keys that stand twice in an object, also in another case: which of them counts is something that readers differ in.
func distinct(body []byte) error {
	type level struct {
		seen map[string]bool // nil in a list
		key  bool            // a key is next
	}
	var levels []level
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		top := len(levels) - 1
		name, isText := token.(string)
		switch {
		case err != nil || top < 0 && token != json.Delim('{'):
			return unreadable("body", "is not an object of JSON")
		case isText && levels[top].key:
			if name = strings.ToLower(strings.ToUpper(name)); levels[top].seen[name] {
				return unreadable("body", "has a key twice")
			}
			levels[top].seen[name], levels[top].key = true, false
			continue
		case token == json.Delim('{'):
			levels = append(levels, level{map[string]bool{}, true})
			continue
		case token == json.Delim('['):
			levels = append(levels, level{})
			continue
		case token == json.Delim('}'), token == json.Delim(']'):
			levels = levels[:top]
		}
		if n := len(levels); n > 0 {
			levels[n-1].key = levels[n-1].seen != nil
		}
	}
}

// Reading checks what a delivery says, field after field, and keeps the first fault.
type Reading struct{ fault error }

// Give gives what was read, or the first fault alone.
func (r *Reading) Give(in Incoming) (Incoming, error) {
	if r.fault != nil {
		return Incoming{}, r.fault
	}
	return in, nil
}

func (r *Reading) fail(field, what string) {
	if r.fault == nil {
		r.fault = unreadable(field, what)
	}
}

// Text gives a text that may be empty.
func (r *Reading) Text(field, value string, most int) string {
	switch {
	case !printable(value):
		r.fail(field, "holds control characters")
	case utf8.RuneCountInString(value) > most:
		r.fail(field, "is longer than "+strconv.Itoa(most)+" characters")
	default:
		return value
	}
	return ""
}

// Name gives a text that may not be empty, and is as long as a name may be.
func (r *Reading) Name(field, value string) string {
	if value == "" {
		r.fail(field, "is missing")
	}
	return r.Text(field, value, MaxName)
}

// Title gives a line of text, cut where it is too long. Control characters, and those that turn a line around, are spaces in it.
func (r *Reading) Title(value string) string {
	n := 0
	return strings.Map(func(c rune) rune {
		switch n++; {
		case n > MaxTitle:
			return -1
		case unicode.IsControl(c), unicode.In(c, unicode.Zl, unicode.Zp, unicode.Bidi_Control):
			return ' '
		}
		return c
	}, value)
}

// Address gives a URL of http or https without the name of a user; it may be empty.
func (r *Reading) Address(field, value string) string {
	u, err := url.Parse(value)
	switch {
	case value == "":
		return ""
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		r.fail(field, "is no URL of http or https")
		return ""
	case u.User != nil:
		u.User = nil
		value = u.String()
	}
	return r.Text(field, value, MaxAddress)
}

// Commit gives the full name of a commit.
func (r *Reading) Commit(field, value string) string {
	if len(value) != 40 && len(value) != 64 || !hexName.MatchString(value) {
		r.fail(field, "is not the 40 or 64 hex digits of a commit")
		return ""
	}
	return strings.ToLower(value)
}

// Abbreviated is Commit for hosts that tell the first 12 digits only.
func (r *Reading) Abbreviated(field, value string) string {
	if len(value) == abbreviated && hexName.MatchString(value) {
		return strings.ToLower(value)
	}
	return r.Commit(field, value)
}

const abbreviated = 12 // digits

// Number gives the number of a pull request.
func (r *Reading) Number(field string, value int64) int {
	if value <= 0 || value > math.MaxInt32 {
		r.fail(field, "is missing, or no number of a pull request")
		return 0
	}
	return int(value)
}

// Labels gives the labels in order, each once.
func (r *Reading) Labels(field string, values []string) []string {
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	if len(values) > MaxLabels {
		r.fail(field, "are more than "+strconv.Itoa(MaxLabels))
		return nil
	}
	for _, x := range values {
		r.Name(field, x)
	}
	return values
}

// Time gives a time as RFC 3339 writes it, or in one of other layouts; it may be empty.
func (r *Reading) Time(field, value string, layouts ...string) time.Time {
	for _, layout := range append([]string{time.RFC3339}, layouts...) {
		if t, err := time.Parse(layout, value); err == nil {
			return t.UTC()
		}
	}
	if value != "" {
		r.fail(field, "is no time")
	}
	return time.Time{}
}

// Choose gives what a word of the host means.
func Choose[T any](r *Reading, field, value string, meanings map[string]T) T {
	meaning, ok := meanings[value]
	if !ok {
		r.fail(field, "is missing, or a word that is not known")
	}
	return meaning
}
