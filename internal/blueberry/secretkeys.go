package blueberry

import (
	"slices"
	"strings"
	"unicode"
)

// meaning is what the name of a value says of it.
type meaning int

const (
	noSecret    meaning = iota
	aPassword           // whatever stands there opens something
	aPassphrase         // the same, and it may have spaces
	aSecret             // a text chosen by a person or a machine
	aKey                // made by a machine
	aNamedThing         // "secret", "token": a secret, or the name of one
)

// minPassword is the length from which on a text under "password" is taken for one.
const minPassword = 6

// fits reports whether a text under a name of the meaning is the secret itself, not a word about it.
func (m meaning) fits(text string) bool {
	text = strings.Trim(strings.TrimSpace(text), `"'`)
	if len(text) < minPassword || isReference(text) || isPlaceholder(text) || isPath(text) || strings.Contains(text, "://") {
		return false
	}
	spaced := strings.ContainsAny(text, " \t\r\n")
	switch m {
	case aPassphrase:
		return len(text) >= 8 && !isSecretName(text)
	case aPassword:
		return !spaced && !isSecretName(text)
	case aSecret:
		return !spaced && len(text) >= 8 && !(isPlainName(text) && strings.ContainsAny(text, "-_./:"))
	case aKey, aNamedThing:
		return !spaced && len(text) >= 8 && hasDigitOrCase(text) && !isPlainName(text)
	}
	return false
}

func (m meaning) what() string {
	switch m {
	case aPassword, aPassphrase:
		return "a password"
	case aKey:
		return "a secret key"
	}
	return "a secret"
}

// meaningOf reads the name of a value in any style: dbPassword, DB_PASSWORD, db-password, --db.password. The last word decides: a PASSWORD_MIN_LENGTH is a
// length, a secretName a name.
func meaningOf(name string) meaning {
	if !mayMeanSecret(name) {
		return noSecret
	}
	words := nameWords(name)
	for len(words) > 1 && slices.Contains(fillers, words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return noSecret
	}
	last, before := words[len(words)-1], words[:len(words)-1]
	prev := ""
	if len(before) > 0 {
		prev = before[len(before)-1]
	}
	switch {
	case last == "passphrase" || last == "passphrases":
		return aPassphrase
	case strings.HasSuffix(last, "password") || strings.HasSuffix(last, "passwords") || strings.HasSuffix(last, "passwd"), last == "userpass", last == "requirepass":
		return aPassword
	case (last == "pass" || last == "pwd") && !slices.Contains(notBeforePass, prev):
		return aPassword
	case slices.ContainsFunc(before, func(w string) bool { return slices.Contains(harmless, w) }):
		return noSecret
	case last == "secret" || last == "secrets":
		switch {
		case len(before) == 0:
			return aNamedThing
		case slices.ContainsFunc(before, func(w string) bool { return slices.Contains(namesOnly, w) }):
			return noSecret
		}
		return aSecret
	case strings.HasSuffix(last, "clientsecret"), strings.HasSuffix(last, "appsecret"), strings.HasSuffix(last, "jwtsecret"):
		return aSecret
	case strings.HasSuffix(last, "token"), last == "tokens", last == "credential", last == "credentials", last == "creds", last == "bearer", last == "authorization":
		return aNamedThing
	case last == "pat" && prev != "":
		return aNamedThing
	case (last == "key" || last == "keys") && slices.Contains(secretKeys, prev):
		return aKey
	case slices.ContainsFunc(secretKeys, func(w string) bool { return len(w) > 2 && strings.HasSuffix(last, w+"key") }):
		return aKey
	}
	return noSecret
}

var (
	// fillers say how a value is written, not what it is.
	fillers = []string{
		"value", "string", "text", "plain", "plaintext", "literal", "raw", "base", "encoded", "current", "default", "primary", "secondary", "old", "new",
	}
	// namesOnly before "secret" make it the name of a Secret: tlsSecret, existingSecret, imagePullSecret.
	namesOnly = []string{
		"tls", "ssl", "pull", "image", "images", "registry", "docker", "cert", "certs", "certificate", "ca", "token", "tokens", "password", "passwords",
		"credential", "credentials", "external",
		"kube", "k8s", "kubernetes", "config", "mount", "volume", "ingress", "name", "key", "keys", "env", "object", "storage", "backup",
	}
	// harmless before any of them make it no secret.
	harmless = []string{
		"existing", "create", "use", "public", "publishable", "site", "no", "max", "min", "csrf", "id", "count", "has", "with", "enable", "disable",
		"automount", "continuation", "page", "next", "generate",
	}
	notBeforePass = []string{"", "by", "proxy", "first", "second", "multi", "single", "boarding"}
	// secretKeys before "key" make it a secret.
	secretKeys = []string{
		"api", "private", "secret", "access", "signing", "sign", "encryption", "encrypt", "decryption", "master", "auth", "shared", "service", "account",
		"storage", "license", "licence", "hmac",
		"ssh", "gpg", "pgp", "jwt", "session", "cookie", "crypto", "cipher", "deploy", "webhook", "app", "application", "admin", "root", "symmetric", "aes",
		"rsa", "client", "server", "ingest",
		"instrumentation", "subscription", "write", "unseal", "recovery", "seal", "internal",
	}
)

// mayMeanSecret is the quick look: most names hold none of these.
func mayMeanSecret(name string) bool {
	for i := 0; i+2 < len(name); i++ {
		switch name[i] | 0x20 {
		case 'p':
			if foldAt(name, i, "pass") || foldAt(name, i, "pwd") || foldAt(name, i, "pat") {
				return true
			}
		case 's':
			if foldAt(name, i, "secret") {
				return true
			}
		case 't':
			if foldAt(name, i, "token") {
				return true
			}
		case 'k':
			if foldAt(name, i, "key") {
				return true
			}
		case 'c':
			if foldAt(name, i, "cred") {
				return true
			}
		case 'b':
			if foldAt(name, i, "bearer") {
				return true
			}
		case 'a':
			if foldAt(name, i, "authorization") {
				return true
			}
		}
	}
	return false
}

// foldAt reports whether a lower-case word stands in a text at an index, in any case.
func foldAt(text string, at int, word string) bool {
	return len(text)-at >= len(word) && strings.EqualFold(text[at:at+len(word)], word)
}

// nameWords splits a name into lower-case words: at what is no letter, where a word begins in capitals, and where a capitalised word follows an acronym
// ("APIKey"). Digits are dropped.
func nameWords(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) {
			if !unicode.IsDigit(r) || i+1 == len(runes) || !unicode.IsLetter(runes[i+1]) || i == 0 || !unicode.IsLetter(runes[i-1]) {
				end()
			}
			continue
		}
		if unicode.IsUpper(r) && len(word) > 0 {
			startsWord := unicode.IsLower(word[len(word)-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if startsWord {
				end()
			}
		}
		word = append(word, r)
	}
	end()
	return words
}

// isPublicKey reports whether a name says that what stands there is known to all: a digest, an id, a certificate.
func isPublicKey(name string) bool {
	return slices.ContainsFunc(nameWords(name), func(w string) bool { return slices.Contains(publicWords, w) })
}

var publicWords = []string{
	"public", "publishable", "pub", "digest", "checksum", "checksums", "sha", "hash", "hashes", "fingerprint", "fingerprints", "integrity", "commit",
	"revision", "etag", "version", "id", "ids", "uid", "guid", "uuid",
	"thumbprint", "cert", "certs", "certificate", "certificates", "ca", "cabundle", "bundle", "crt", "site", "tag", "image", "signature", "nonce",
}
