package source

import (
	"net/url"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason, repository string
		local              bool // allowed
		ok                 bool
	}{
		"https":              {"the usual", "https://example.org/team/app.git", false, true},
		"http and port":      {"hosts inside a network", "http://git.internal:3000/team/app", false, true},
		"IPv6":               {"an address is a host", "http://[::1]:3000/app", false, true},
		"ssh":                {"with a user and a port", "ssh://git@example.org:2222/team/app.git", false, true},
		"scp":                {"how people write ssh", "git@example.org:team/app.git", false, true},
		"git":                {"read-only hosts", "git://example.org/app.git", false, true},
		"path":               {"allowed", "/srv/git/app", true, true},
		"file":               {"allowed", "file:///srv/git/app", true, true},
		"no path":            {"not allowed", "/srv/git/app", false, false},
		"no file":            {"not allowed", "file:///srv/git/app", false, false},
		"file host":          {"it is no path of ours", "file://example.org/app", true, false},
		"relative":           {"to what?", "../app", true, false},
		"empty":              {"nothing is asked", "", true, false},
		"password":           {"it would be in logs", "https://ada:pw@example.org/app", false, false},
		"token":              {"so would this", "https://ghp_abc@example.org/app", false, false},
		"ssh password":       {"so would this", "ssh://git:pw@example.org/app", false, false},
		"query":              {"it may hold a token", "https://example.org/app?private_token=x", false, false},
		"fragment":           {"it may hold a token", "https://example.org/app#x", false, false},
		"ext":                {"it runs a command", "ext::sh -c true", true, false},
		"ext without spaces": {"it runs a command", "ext::sh", true, false},
		"fd":                 {"it reads our files", "fd::17", true, false},
		"ftp":                {"nobody checks what comes", "ftp://example.org/app", false, false},
		"dash":               {"it is an option", "--upload-pack=touch", true, false},
		"dash host":          {"ssh takes it for an option", "ssh://-oProxyCommand=x/app", false, false},
		"dash scp host":      {"ssh takes it for an option", "-oProxyCommand=x:app", false, false},
		"dash user":          {"ssh takes it for an option", "ssh://-l@example.org/app", false, false},
		"dash scp path":      {"the host takes it for an option", "git@example.org:-x", false, false},
		"newline":            {"a credential helper takes it for another line", "https://example.org/a\nhost=other", false, false},
		"coded newline":      {"the same", "https://example.org/a%0ahost=other", false, false},
		"coded host":         {"the same", "https://example.org%0ahost/app", false, false},
		"no host":            {"there is nobody to ask", "https:///app", false, false},
		"host only":          {"a host is no repository", "https://example.org/", false, false},
		"backslash":          {"some read it as a slash", `https://example.org\@other/app`, false, false},
		"long":               {"nothing is that long", "https://example.org/" + strings.Repeat("a", 3000), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, fault := parse(c.repository, c.local); (fault == "") != c.ok {
				t.Errorf("%q: fault %q, want ok = %v, because %s", c.repository, fault, c.ok, c.reason)
			}
		})
	}
}

func TestRefName(t *testing.T) {
	t.Parallel()
	for ref, ok := range map[string]bool{
		"": true, "main": true, "feature/a-b_c.d": true, "v1.2.3": true, "refs/pull/1/head": true, "grün": true,
		"-x": false, "a..b": false, "a b": false, "a~1": false, "a^": false, "a:b": false, "a?": false, "a*": false, "a[": false, `a\b`: false,
		"a@{1}": false, "@": false, "/a": false, "a/": false, "a//b": false, ".a": false, "a/.b": false, "a.": false, "a.lock": false, "a\n": false,
		"a\x00": false, strings.Repeat("a", 256): false,
		strings.Repeat("a", 40): true, strings.Repeat("a", 64): false, "refs/heads/" + strings.Repeat("a", 64): true,
	} {
		if fault := refFault(ref); (fault == "") != ok {
			t.Errorf("%q: fault %q, want ok = %v", ref, fault, ok)
		}
	}
}

// FuzzAddress: what is accepted cannot be an option, a line break, a command or a password, and no message holds any of the address.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"https://example.org/a.git", "git@example.org:a/b", "ssh://git@h:22/x", "file:///a", "/a/b", "https://u:p@h/x", "ext::sh -c x", "a::b", "http://[::1]/x",
		"https://h/%0a", "h:x", "https://h%2f/x", "-x", "git://h/x#y", "u@[::1]:x", "ssh://h/~/x", "https:/h/x", "://", "a@b@c:d", "https://h\u2028/x",
	} {
		f.Add(s, "main")
	}
	f.Fuzz(func(t *testing.T, repository, ref string) {
		for _, local := range []bool{false, true} {
			a, err := check(repository, ref, local)
			if err != nil {
				if len(repository) > 20 && strings.Contains(err.Error(), repository) {
					t.Errorf("the address %q is echoed: %v", repository, err)
				}
				continue
			}
			if strings.HasPrefix(a.url, "-") || strings.HasPrefix(ref, "-") || strings.ContainsAny(a.url+ref, "\x00\r\n") || strings.Contains(ref, "..") {
				t.Errorf("accepted %q, %q", a.url, ref)
			}
			if a.local && (!local || a.allow != "file" || !strings.HasPrefix(a.url, "/")) {
				t.Errorf("accepted the path %q", repository)
			}
			if a.local {
				continue
			}
			if strings.HasPrefix(a.url, "/") || strings.HasPrefix(a.url, "file:") || a.allow == "" || strings.Contains(a.allow, "file") {
				t.Errorf("accepted %q with %q", a.url, a.allow)
			}
			if u, err := url.Parse(a.url); err == nil && u.Scheme != "" && u.Host != "" && u.User != nil {
				if _, has := u.User.Password(); has {
					t.Errorf("accepted a password in %q", a.url)
				}
			}
			if head, _, _ := strings.Cut(a.url, "/"); strings.Contains(head, "::") && !strings.Contains(head, "[") {
				t.Errorf("accepted the transport of %q", a.url)
			}
		}
	})
}
