package sdk

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func readAll(r io.Reader) ([]message, error) {
	in := newMessages(r)
	var out []message
	for {
		m, err := in.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, m)
	}
}

func TestStreamIsReadAsTheStandardSays(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		text   string
		want   []message
	}{
		"whole":        {"id, event and data", "id: 1\nevent: e\ndata: d\n\n", []message{{id: "1", event: "e", data: "d"}}},
		"lines":        {"data lines are joined", "data: a\ndata:b\ndata\n\n", []message{{data: "a\nb\n"}}},
		"one space":    {"one space is dropped, not two", "data:  x\n\n", []message{{data: " x"}}},
		"comment":      {"comments are nothing", ": hi\n\n:\ndata: x\n\n", []message{{data: "x"}}},
		"id stays":     {"an id holds for those behind it", "id: 7\ndata: a\n\ndata: b\n\n", []message{{id: "7", data: "a"}, {id: "7", data: "b"}}},
		"nul":          {"an id with NUL is ignored", "id: 7\x00\ndata: a\n\n", []message{{data: "a"}}},
		"endings":      {"LF, CRLF and CR", "data: a\r\n\r\ndata: b\r\rdata: c\n\n", []message{{data: "a"}, {data: "b"}, {data: "c"}}},
		"bom":          {"a mark at the start", "\ufeffdata: a\n\n", []message{{data: "a"}}},
		"half":         {"half a message at the end is none", "data: a\n\ndata: b\n", []message{{data: "a"}}},
		"retry":        {"a pause", "retry: 1500\n\n", []message{{retry: 1500 * time.Millisecond}}},
		"retry text":   {"digits only", "retry: soon\ndata: a\n\n", []message{{data: "a"}}},
		"no data":      {"an event without data is none, and leaves nothing behind", "event: e\n\ndata: a\n\n", []message{{data: "a"}}},
		"unknown":      {"other fields are ignored", "color: red\ndata: a\n\n", []message{{data: "a"}}},
		"empty stream": {"nothing", "", nil},
	} {
		for shape, r := range map[string]io.Reader{"at once": strings.NewReader(tc.text), "byte by byte": iotest.OneByteReader(strings.NewReader(tc.text))} {
			got, err := readAll(r)
			if err != nil {
				t.Errorf("%s, %s: %v", name, shape, err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(message{})); diff != "" {
				t.Errorf("%s, %s: %s (-want +got):\n%s", name, shape, tc.reason, diff)
			}
		}
	}
}

func TestStreamIsBounded(t *testing.T) {
	t.Parallel()
	line := "data: " + strings.Repeat("x", 900<<10) + "\n"
	for name, text := range map[string]string{"line": strings.Repeat("x", 2<<20), "message": strings.Repeat(line, 6) + "\n"} {
		if _, err := readAll(strings.NewReader(text)); !errors.Is(err, errMessageTooLong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add("id: 1\nevent: e\ndata: d\n\n")
	f.Add("data: a\r\n\r\ndata\r\r")
	f.Add("retry: 99999999999999999999\n\n\ufeff")
	f.Fuzz(func(t *testing.T, text string) {
		whole, err1 := readAll(strings.NewReader(text))
		parts, err2 := readAll(iotest.OneByteReader(strings.NewReader(text)))
		if (err1 == nil) != (err2 == nil) || !cmp.Equal(whole, parts, cmp.AllowUnexported(message{})) {
			t.Errorf("%q read at once gives %v, %v; byte by byte %v, %v", text, whole, err1, parts, err2)
		}
		for _, m := range whole {
			if strings.ContainsAny(m.id, "\r\n\x00") || strings.ContainsAny(m.event, "\r\n") || m.retry < 0 {
				t.Errorf("%q gives %+v", text, m)
			}
		}
	})
}
