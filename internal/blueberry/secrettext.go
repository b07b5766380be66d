package blueberry

import (
	"math"
	"regexp"
	"slices"
	"strings"
)

// isReference reports whether a text stands for a value that is elsewhere.
func isReference(text string) bool {
	for _, mark := range []string{"${", "$(", "{{", "<%", "%env("} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	if len(text) > 1 && text[0] == '$' && isWord(text[1:]) {
		return true // $DB_PASSWORD
	}
	if len(text) > 2 && (text[0] == '<' && text[len(text)-1] == '>' || text[0] == '%' && text[len(text)-1] == '%') {
		return true
	}
	for _, prefix := range []string{
		"vault:", "ref+", "op://", "arn:", "env:", "file:", "secret:", "secretRef:", "ssm:", "awssm:", "gcpsm:", "azurekv:", "keyvault:", "kms:", "sops:",
		"projects/", "ENC[", "@Microsoft.KeyVault(",
		"secretKeyRef:", "configmap:", "valueFrom:", "existing:",
	} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

func isWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
	}) < 0
}

var (
	// placeholderWords are what people and charts write where a secret will be, and settings whose name only sounds like one.
	placeholderWords = []string{
		"password", "passwd", "passw0rd", "secret", "username", "string", "changeit", "required", "optional", "disabled", "enabled", "default", "internal",
		"external", "generate", "generated", "existing", "manual",
		"automatic", "strict", "plaintext", "hidden", "visible", "undefined", "unknown", "random", "custom", "managed", "inherit", "cookie", "header",
		"bearer", "basic", "digest", "scram-sha-256", "scram-sha-512",
		"bcrypt", "argon2", "argon2id", "pbkdf2", "scrypt", "sha256", "sha512", "public", "private", "service", "cluster", "always", "ifnotpresent",
		"standard", "kubernetes", "provider", "environment", "anonymous",
	}
	placeholderParts = []string{
		"changeme", "change-me", "change_me", "change me", "replaceme", "replace-me", "replace_me", "replace me", "to-be-replaced", "your-", "your_",
		"yourpassword", "yoursecret", "example", "placeholder", "dummy", "todo", "fixme",
		"insert-", "insert_", "redacted", "not-a-", "notreal", "not-real", "xxxx", "****", "....", "____", "-here", "_here", "goes here", "set-by",
		"set-via", "set-in", "provided-by", "fill-me", "fillme", "override-me", "overrideme",
	}
)

// isPlaceholder reports whether a text only says that a secret belongs here.
func isPlaceholder(text string) bool {
	low := strings.ToLower(strings.TrimSpace(text))
	if low == "" || strings.Count(low, low[:1]) == len(low) || slices.Contains(placeholderWords, low) {
		return true
	}
	return slices.ContainsFunc(placeholderParts, func(p string) bool { return strings.Contains(low, p) })
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.(pem|key|crt|cer|cert|pub|p12|pfx|jks|keystore|json|ya?ml|txt|env|conf|cfg|ini|properties|toml|xml)$`)

// isPath reports whether a text is a path or the name of a file.
func isPath(text string) bool {
	for _, prefix := range []string{"/", "./", "../", "~/"} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			return prefix != "/" || isPlainName(rest) || strings.Contains(rest, "/")
		}
	}
	return fileName.MatchString(text) || strings.Contains(text, "/") && isPlainName(text) || strings.HasPrefix(text, `C:\`)
}

// isPlainName reports whether a text is words, as names of objects, keys and classes are: letters, each word with a small number behind it or not,
// between dashes, dots and the like.
func isPlainName(text string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("-_./:, @", r) })
	if len(words) == 0 {
		return false
	}
	for _, w := range words {
		letters := strings.TrimRight(w, "0123456789")
		digits := len(w) - len(letters)
		if strings.ContainsAny(letters, "0123456789") && !isShortCode(w) || strings.IndexFunc(letters, func(r rune) bool { return !isLetterOrDigit(r) }) >= 0 {
			return false
		}
		if digits > 4 || len(letters) > 40 || caseChanges(letters) > 1+len(letters)/4 {
			return false
		}
	}
	return true
}

// isShortCode is a word such as k8s, s3, ec2a.
func isShortCode(w string) bool { return len(w) <= 4 }

func isLetterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// caseChanges counts where a lower-case letter is followed by a capital.
func caseChanges(s string) int {
	n := 0
	for i := 1; i < len(s); i++ {
		if s[i-1] >= 'a' && s[i] >= 'A' && s[i] <= 'Z' {
			n++
		}
	}
	return n
}

// isSecretName reports whether a text names an object or a key that holds a password: db-password, redis-secret.
func isSecretName(text string) bool {
	if !strings.ContainsAny(text, "-_./") || !isPlainName(text) || strings.ToLower(text) != text {
		return false
	}
	return slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("-_./", r) }), func(w string) bool {
		return slices.Contains([]string{"password", "passwd", "pass", "secret", "secrets", "token", "key", "keys", "credential", "credentials", "creds", "auth"}, w)
	})
}

func hasDigitOrCase(text string) bool {
	var lower, upper, digit bool
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z':
			lower = true
		case c >= 'A' && c <= 'Z':
			upper = true
		case c >= '0' && c <= '9':
			digit = true
		}
	}
	return digit || lower && upper
}

// Lengths of a text that may be random: a shorter one may be a name, a longer one is a document.
const (
	minRandom = 24
	maxRandom = 256
)

// isRandom reports whether a text is one word of characters as random as those of keys and tokens. Words of hexadecimal digits are left out: they are
// digests and commits. The bounds are measured: they find more than eight in ten random texts of the least length, 19 in 20 of twice that, and hardly any name.
func isRandom(text string) bool {
	if len(text) < minRandom || len(text) > maxRandom || slices.ContainsFunc(documentPrefixes, func(p string) bool { return strings.HasPrefix(text, p) }) {
		return false
	}
	body := strings.TrimRight(text, "=")
	n := countSorts(body)
	if n.other > 0 || n.hex == len(body) || 12*n.symbol > len(body)+12 {
		return false
	}
	change, share := float64(n.changes)/float64(len(body)-1), float64(n.digit)/float64(len(body))
	switch {
	case n.lower > 1 && n.upper > 1 && n.digit > 1: // of 62 characters, or base64
		return change >= 0.42 && entropy(body) >= 3.5 && 2*inWords(body) < n.lower+n.upper
	case n.symbol > 0:
		return false
	case n.lower > 1 && n.digit > 1: // of 36 characters
		return len(body) >= 28 && change >= 0.24 && share >= 0.1 && entropy(body) >= 3.5
	case n.upper > 1 && n.digit > 1: // base32
		return len(body) >= 32 && change >= 0.14 && share >= 0.05 && entropy(body) >= 3.5
	}
	return false
}

// documentPrefixes begin texts that are random and public.
var documentPrefixes = []string{"sha256-", "sha384-", "sha512-", "data:", "/"}

// sorts counts the characters of a text by sort, and how often the sort changes from one to the next.
type sorts struct{ lower, upper, digit, symbol, other, hex, changes int }

func countSorts(text string) (n sorts) {
	var last *int
	for i := range len(text) {
		c, sort := text[i], &n.other
		switch {
		case c >= 'a' && c <= 'z':
			sort = &n.lower
		case c >= 'A' && c <= 'Z':
			sort = &n.upper
		case c >= '0' && c <= '9':
			sort = &n.digit
		case strings.IndexByte("+/_-", c) >= 0:
			sort = &n.symbol
		}
		*sort++
		if sort == &n.digit || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '-' {
			n.hex++
		}
		if last != nil && last != sort {
			n.changes++
		}
		last = sort
	}
	return n
}

// inWords counts the letters that stand in words of four letters or more: a capital or none, then small letters.
func inWords(text string) int {
	total, word := 0, 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] >= 'a' && text[i] <= 'z' {
			word++
			continue
		}
		if word >= 4 {
			total += word
		}
		word = 0
		if i < len(text) && text[i] >= 'A' && text[i] <= 'Z' {
			word = 1
		}
	}
	return total
}

// entropy is that of Shannon, in bits a character.
func entropy(text string) float64 {
	var count [256]int
	for i := range len(text) {
		count[text[i]]++
	}
	bits := 0.0
	for _, c := range count {
		if c > 0 {
			p := float64(c) / float64(len(text))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
