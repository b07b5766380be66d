package source

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Fields of a request that faults name.
const (
	fieldRepository = "source.repository"
	fieldRef        = "source.ref"
)

// Codes of faults, for programs.
const (
	codeURL         = "repository_url"
	codeNotFound    = "repository_not_found"
	codeAuth        = "repository_auth"
	codeUnreachable = "repository_unreachable"
	codeTooLarge    = "repository_too_large"
	codePath        = "repository_path"
	codeSymlink     = "symlink_escape"
	codeRefName     = "ref_name"
	codeRefMissing  = "ref_not_found"
	codeAmbiguous   = "ref_ambiguous"
)

// Lengths: longer is no address that anything understands.
const (
	maxURL = 2048
	maxRef = 255
)

var (
	scpLike = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9._-]*@)?([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]):([^-:/].*|/.*)$`)
	sshUser = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
	host    = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$`)
	hexName = regexp.MustCompile(`^[0-9a-fA-F]+$`)
)

// address is a repository that may be asked.
type address struct {
	url   string // as git gets it
	local bool   // url is an absolute path
	allow string // the transports git may use, also when it is redirected
	login Login
}

// key names the repository in the cache. What was read with a login is not found without it.
func (a address) key() string {
	text := a.url
	if a.login != (Login{}) {
		text += "\n" + a.login.Scope
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// parse tells what is wrong with a repository's address. No message holds any of the address: there may be a password in it.
func parse(repository string, allowLocal bool) (address, string) {
	switch {
	case repository == "":
		return address{}, "must be set"
	case len(repository) > maxURL:
		return address{}, "is too long"
	case !printable(repository) || strings.ContainsAny(repository, " \\"):
		return address{}, "must not hold spaces, backslashes, line breaks or control characters"
	case strings.HasPrefix(repository, "-"):
		return address{}, "must not start with a dash"
	case filepath.IsAbs(repository):
		return localAddress(repository, allowLocal)
	}
	scheme, _, isURL := strings.Cut(repository, "://")
	if isURL && !strings.ContainsAny(scheme, ":@/") {
		return parseURL(repository, allowLocal)
	}
	m := scpLike.FindStringSubmatch(repository)
	switch {
	case strings.Contains(repository, "::"):
		return address{}, "uses a transport that is not allowed; https, http, ssh and git are"
	case m == nil:
		return address{}, "must be a URL (https, http, ssh, git) or user@host:path"
	}
	return address{url: repository, allow: "ssh"}, ""
}

func parseURL(repository string, allowLocal bool) (address, string) {
	u, err := url.Parse(repository)
	if err != nil {
		return address{}, "is not a valid URL"
	}
	if u.Scheme == "file" {
		if u.Host != "" && u.Host != "localhost" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return address{}, "must be file:// and an absolute path"
		}
		return localAddress(u.Path, allowLocal)
	}
	a := address{url: repository, allow: u.Scheme}
	password := false
	if u.User != nil {
		_, password = u.User.Password()
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "ssh" && u.Scheme != "git":
		return address{}, "uses a transport that is not allowed; https, http, ssh and git are"
	case password || u.User != nil && u.Scheme != "ssh":
		return address{}, "holds a user name, password or token, which would end in logs and process lists: leave it out"
	case u.User != nil && !sshUser.MatchString(u.User.Username()):
		return address{}, "has a user name that is not allowed"
	case !host.MatchString(u.Hostname()):
		return address{}, "must name a host"
	case strings.Trim(u.Path, "/") == "" || strings.HasPrefix(strings.TrimLeft(u.Path, "/"), "-") || !printable(u.Path):
		return address{}, "must have the path of a repository on its host"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(repository, "#"):
		return address{}, "must have no query and no fragment: they may hold a token, and git has no use for them"
	}
	if u.Scheme == "http" {
		a.allow = "http:https" // hosts redirect to the safe one
	}
	return a, ""
}

func localAddress(path string, allowed bool) (address, string) {
	switch {
	case !allowed:
		return address{}, "is a path on the server, which it does not read; push the repository to a host"
	case !filepath.IsAbs(path) || !printable(path):
		return address{}, "must be an absolute path"
	}
	return address{url: filepath.Clean(path), local: true, allow: "file"}, ""
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// refFault tells what is wrong with a ref, by the rules of git-check-ref-format.
func refFault(ref string) string {
	bad := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) }
	switch {
	case len(ref) > maxRef:
		return "is too long"
	case strings.HasPrefix(ref, "-"):
		return "must not start with a dash"
	case len(ref) == 64 && hexName.MatchString(ref): // in repositories that use SHA-1, Git takes it for a branch
		return "is the name of a commit by SHA-256, which is not supported"
	case !utf8.ValidString(ref) || strings.ContainsFunc(ref, bad) || strings.Contains(ref, "@{") || strings.Contains(ref, "..") || ref == "@":
		return "must be the name of a branch or tag, or a commit"
	}
	for part := range strings.SplitSeq(ref, "/") {
		if ref != "" && (part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.HasSuffix(part, ".lock")) {
			return "must be the name of a branch or tag, or a commit"
		}
	}
	return ""
}

// isCommit reports whether ref is a full name of a commit, and can be nothing else to Git.
func isCommit(ref string) bool {
	return len(ref) == 40 && hexName.MatchString(ref)
}

// mayAbbreviate reports whether ref may be the beginning of a commit's name. Git takes four digits; fewer than seven are an accident.
func mayAbbreviate(ref string) bool {
	return len(ref) >= 7 && len(ref) < 40 && hexName.MatchString(ref)
}

// check tells all that is wrong with a request without asking anyone.
func check(repository, ref string, allowLocal bool) (address, error) {
	var f blueberry.Faults
	a, fault := parse(repository, allowLocal)
	switch {
	case repository == "":
		f.Add(fieldRepository, "required", "%s", fault)
	case fault != "":
		f.Add(fieldRepository, codeURL, "%s", fault)
	}
	if fault := refFault(ref); fault != "" {
		f.Add(fieldRef, codeRefName, "%s", fault)
	}
	return a, f.Err()
}

// invalid is an error with one fault.
func invalid(field, code, format string, args ...any) error {
	var f blueberry.Faults
	f.Add(field, code, format, args...)
	return f.Err()
}
