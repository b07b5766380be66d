package access

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestPHC(t *testing.T) {
	t.Parallel()
	const salt, key = "c29tZXNhbHQxMjM0NTY3OA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for text, want := range map[string]bool{
		dummyPassword: true,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key: true,
		"$argon2id$v=19$m=8,t=1,p=1$" + salt + "$" + key:     true,
		"": false,
		"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + key:                      false, // not id
		"$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + key:                     false, // an old version
		"$argon2id$m=19456,t=2,p=1$" + salt + "$" + key:                          false,
		"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + key:                false, // all memory there is
		"$argon2id$v=19$m=1048577,t=2,p=1$" + salt + "$" + key:                   false,
		"$argon2id$v=19$m=19456,t=65,p=1$" + salt + "$" + key:                    false,
		"$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + key:                     false,
		"$argon2id$v=19$m=019456,t=2,p=1$" + salt + "$" + key:                    false,
		"$argon2id$v=19$m=7,t=1,p=1$" + salt + "$" + key:                         false,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$":                           false,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 90): false,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + "\n":              false,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key[:42] + "B":          false, // bits that mean nothing
		"x$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key:                    false,
		"$2y$10$abcdefghijklmnopqrstuuO1oQ3o1oQ3o1oQ3o1oQ3o1oQ3o1oQ3o":           false,
	} {
		h, err := parsePHC(text)
		if (err == nil) != want {
			t.Errorf("%q: got %v", text, err)
		}
		if err == nil && h.String() != text {
			t.Errorf("%q became %q", text, h)
		}
		if err != nil && len(text) > 20 && strings.Contains(err.Error(), text[10:20]) {
			t.Error("the error repeats the hash")
		}
	}
}

func FuzzPHC(f *testing.F) {
	f.Add(dummyPassword)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte("p"), []byte("somesalt"), 1, 8, 1, 32)))
	f.Add("$argon2id$v=19$m=9999999,t=999,p=999$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parsePHC(text)
		if err != nil {
			return
		}
		if h.String() != text {
			t.Errorf("%q became %q", text, h)
		}
		if h.memory > maxHashMemory || h.time > maxHashTime || h.lanes > maxHashLanes || h.lanes == 0 || len(h.key) > maxHashKey || len(h.key) < 16 {
			t.Errorf("%q is let through", text)
		}
	})
}

func TestCommonPasswords(t *testing.T) {
	t.Parallel()
	u := blueberry.User{Email: "grace.hopper@initech.example", Name: "Grace Hopper"}
	for password, common := range map[string]bool{
		"Password2026!":                true,
		"P@ssw0rd1234":                 true,
		"passwordpassword":             true,
		"123456789012":                 true,
		"qwertyuiop123":                true,
		"1qaz2wsx3edc4rfv":             true,
		"Summer2026!!":                 true,
		"iloveyou12345":                true,
		"letmein123456":                true,
		"abcabcabcabcabc":              true,
		"abcdefghijklmnop":             true,
		"zyxwvutsrqpo":                 true,
		"Admin1234567!":                true,
		"Welcome2026??":                true,
		"initech2026!!":                true,
		"Hopper121212!":                true,
		"blueberry2026":                true,
		"19121987 1234":                true,
		"aaaaaaaaaaab":                 true,
		"correct horse battery staple": false,
		"kT9#vw2Lq8zR":                 false,
		"violets on a wooden porch":    false,
		"ein Wal fliegt nach Oslo":     false,
		"tr4in-to-the-far-n0rth":       false,
		"d41d8cd98f00b204":             false,
		"красивый длинный пароль": false,
		"長いパスワードを使います":            false,
	} {
		var f blueberry.Faults
		CheckNewPassword(&f, "password", password, u)
		if got := len(f) == 1 && f[0].Code == "common"; got != common {
			t.Errorf("%q: got %v", password, f)
		}
	}
	var f blueberry.Faults
	CheckNewPassword(&f, "password", "short", u)
	if len(f) != 1 || f[0].Code != "too_short" {
		t.Errorf("got %v", f)
	}
}

func FuzzPieces(f *testing.F) {
	f.Add("Password2026!")
	f.Add("\xff\xfe")
	f.Fuzz(func(t *testing.T, password string) {
		if len(password) > 600 {
			return
		}
		if n := pieces(password, blueberry.User{Email: "a@b.example"}); n < 0 || n > len(password) {
			t.Errorf("%q has %d pieces", password, n)
		}
	})
}

func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/", "//evil", `/\evil`, "/%09/evil", "/a?b=//c#d", "https://evil", "/\n/evil", "/%5C%5Cevil"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if !LocalPath(path) {
			return
		}
		// What a browser makes of it: it skips tabs and line ends and takes a backslash for a slash.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(path)
		if seen != path || path[0] != '/' || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\x00 \x7f") {
			t.Errorf("%q is let through", path)
		}
	})
}

// plainSeal is no seal at all, so that the fuzzer reaches what lies behind it.
type plainSeal struct{}

func (plainSeal) Seal(plain []byte, bound string) ([]byte, error) {
	return append([]byte(bound+"\x00"), plain...), nil
}

func (plainSeal) Open(sealed []byte, bound string) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(bound+"\x00"))
	if !ok {
		return nil, errHashForm
	}
	return plain, nil
}
