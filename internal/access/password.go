package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"golang.org/x/crypto/argon2"
)

// The work of one hash: the first choice of the OWASP password storage cheat sheet for argon2id.
const (
	hashMemory  = 19 << 10 // KiB
	hashTime    = 2
	hashLanes   = 1
	hashSalt    = 16 // bytes
	hashKey     = 32 // bytes
	hashesAtOne = 2
)

// Bounds of what is taken from the record, so that a damaged row cannot ask for all memory.
const (
	maxHashMemory = 1 << 20 // KiB
	maxHashTime   = 64
	maxHashLanes  = 16
	maxHashKey    = 64
)

// dummyPassword is hashed against when there is nobody to compare with, so that the answer takes as much work. Nothing has this hash.
const dummyPassword = "$argon2id$v=19$m=19456,t=2,p=1$Ymx1ZWJlcnJ5IG5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

var phcForm = regexp.MustCompile(`^\$argon2id\$v=19\$m=([1-9][0-9]{0,7}),t=([1-9][0-9]{0,2}),p=([1-9][0-9]{0,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$`)

var errHashForm = errors.New("it is no argon2id hash in PHC form") // never with the text, which is nearly a secret

// PasswordSlots is SignIn.Slots as the memory of a process is planned for it.
func PasswordSlots() chan struct{} { return make(chan struct{}, hashesAtOne) }

// phc is a password hash in the PHC string format.
type phc struct {
	memory, time uint32
	lanes        uint8
	salt, key    []byte
}

func (h phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.lanes, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

func parsePHC(text string) (phc, error) {
	m := phcForm.FindStringSubmatch(text)
	if m == nil {
		return phc{}, errHashForm
	}
	var n [3]uint64
	for i := range n {
		n[i], _ = strconv.ParseUint(m[i+1], 10, 32) // the expression lets nothing else through
	}
	if n[0] > maxHashMemory || n[1] > maxHashTime || n[2] > maxHashLanes || n[0] < 8*n[2] {
		return phc{}, errHashForm
	}
	strict := base64.RawStdEncoding.Strict()
	salt, err := strict.DecodeString(m[4])
	if err != nil {
		return phc{}, errHashForm
	}
	key, err := strict.DecodeString(m[5])
	if err != nil || len(key) > maxHashKey {
		return phc{}, errHashForm
	}
	return phc{memory: uint32(n[0]), time: uint32(n[1]), lanes: uint8(n[2]), salt: salt, key: key}, nil
}

// old reports whether the hash was made with less work than a new one gets.
func (h phc) old() bool {
	return h.memory < hashMemory || h.time < hashTime || len(h.key) < hashKey || len(h.salt) < hashSalt
}

// hashPassword gives what the record keeps of a password. It waits for a slot.
func (s *SignIn) hashPassword(ctx context.Context, password string) (string, error) {
	h := phc{memory: hashMemory, time: hashTime, lanes: hashLanes, salt: make([]byte, hashSalt)}
	if _, err := rand.Read(h.salt); err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	err := s.derive(ctx, func() {
		h.key = argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.lanes, hashKey)
	})
	if err != nil {
		return "", err
	}
	return h.String(), nil
}

// isPassword compares a password with a hash that is kept, and with an empty one for as long as if there were one. Old tells that the hash is to be made anew.
func (s *SignIn) isPassword(ctx context.Context, kept, password string) (same, old bool, err error) {
	nothing := kept == ""
	if nothing {
		kept = dummyPassword
	}
	h, err := parsePHC(kept)
	if err != nil {
		return false, false, fmt.Errorf("compare password: %w", err)
	}
	err = s.derive(ctx, func() {
		key := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.lanes, uint32(len(h.key)))
		same = subtle.ConstantTimeCompare(key, h.key) == 1 && !nothing
	})
	return same, h.old(), err
}

// derive runs one hash in a slot. Who waits and goes away gives up the place.
func (s *SignIn) derive(ctx context.Context, work func()) error {
	select {
	case s.Slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	defer func() { <-s.Slots }()
	work()
	return nil
}
