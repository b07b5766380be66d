package supervise

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTail(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"empty":           {text: "", want: nil},
		"only line ends":  {text: "\n\n", want: nil},
		"fewer":           {text: "a\nb\n", want: []string{"a", "b"}},
		"more":            {text: "a\nb\nc\nd\n", want: []string{"b", "c", "d"}},
		"no line end":     {text: "a\nb", want: []string{"a", "b"}},
		"longer than all": {text: strings.Repeat("x", tailBytes) + "\na\nb\nc", want: []string{"a", "b", "c"}},
		"long line":       {text: strings.Repeat("é", lineBytes), want: []string{strings.Repeat("é", lineBytes/2) + "…"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, Tail(file(t, tc.text), 3)); diff != "" {
				t.Errorf("Tail (-want +got):\n%s", diff)
			}
		})
	}
	if got := Tail(filepath.Join(t.TempDir(), "missing"), 3); got != nil {
		t.Errorf("Tail of a missing file: %q", got)
	}
}

func FuzzTail(f *testing.F) {
	f.Add([]byte("a\nb\r\n\x00\xff\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got := Tail(file(t, string(data)), 3)
		if len(got) > 3 {
			t.Errorf("%d lines", len(got))
		}
		for _, l := range got {
			if strings.Contains(l, "\n") || len(l) > lineBytes+len("…") {
				t.Errorf("line %q", l)
			}
		}
	})
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
