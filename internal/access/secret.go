package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"hash/crc32"
	"strings"
)

// Prefixes of secrets, one for each kind, so that a leaked one is found by a scan and none is ever taken for another.
const (
	TokenPrefix   = "blb_" // API tokens
	SessionPrefix = "bls_" // sessions
	LinkPrefix    = "bll_" // one-time links
	AccessPrefix  = "bla_" // OAuth access tokens
)

// Form of a secret: a prefix of 4 characters, 32 random bytes as base64url, "_", and a checksum of what is before.
const (
	prefixLength   = 4
	randomLength   = 43
	checksumLength = 6
	bodyLength     = prefixLength + randomLength
	secretLength   = bodyLength + 1 + checksumLength
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// NewSecret makes a secret of the kind and the hash that the record keeps of it.
func NewSecret(prefix string) (secret string, hash []byte) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // it never fails: crypto/rand ends the process instead
	body := prefix + base64.RawURLEncoding.EncodeToString(random[:])
	sum := checksum(body)
	secret = body + "_" + string(sum[:])
	return secret, hashOf(secret)
}

// HashSecret gives the hash that the record keeps of a secret. It is false for what has not the form of the kind: prefix, length and checksum. That makes
// nothing valid; it keeps typing errors and noise from the record. An admin token from before there were checksums has the form of an API token too.
func HashSecret(prefix, secret string) (hash []byte, ok bool) {
	if !wellFormed(prefix, secret) {
		return nil, false
	}
	return hashOf(secret), true
}

// hashOf is what the record keeps. A secret has 256 bits of its own, so a fast hash is enough.
func hashOf(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

func wellFormed(prefix, secret string) bool {
	if len(prefix) != prefixLength || !strings.HasPrefix(secret, prefix) || len(secret) < bodyLength {
		return false
	}
	for i := prefixLength; i < bodyLength; i++ {
		if c := secret[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	if len(secret) == bodyLength {
		return prefix == TokenPrefix
	}
	if len(secret) != secretLength || secret[bodyLength] != '_' {
		return false
	}
	sum := checksum(secret[:bodyLength])
	return secret[bodyLength+1:] == string(sum[:])
}

// checksum is the CRC-32 of a text in base 62.
func checksum(body string) (out [checksumLength]byte) {
	var b [bodyLength]byte // on the stack: this runs at every request
	n := crc32.ChecksumIEEE(b[:copy(b[:], body)])
	for i := checksumLength - 1; i >= 0; i-- {
		out[i] = base62[n%62]
		n /= 62
	}
	return out
}
