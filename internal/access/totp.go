package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"image/png"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// The second factor by RFC 6238 as every authenticator app knows it.
const (
	totpPeriod    = 30 // seconds
	totpDigits    = 6
	totpSecret    = 20  // bytes, as RFC 4226 asks for
	totpPicture   = 256 // pixels
	recoveryBytes = 10  // 80 bits: SHA-256 is enough for what is kept
)

var (
	secretText   = base32.StdEncoding.WithPadding(base32.NoPadding)
	recoveryText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
)

func totpBound(userID string) string { return "credentials.totp_secret:" + userID }

// TOTPSetup is shown once, for an authenticator app to take over.
type TOTPSetup struct {
	Secret string // in base32, to type
	URL    string // otpauth://
	QR     []byte // URL as a PNG
}

// BeginTOTP makes a secret that counts once ConfirmTOTP saw a code of it. Conflict while a second factor is set up.
func (s *SignIn) BeginTOTP(ctx context.Context, actor blueberry.Actor) (TOTPSetup, error) {
	secret := make([]byte, totpSecret)
	if _, err := rand.Read(secret); err != nil {
		return TOTPSetup{}, fmt.Errorf("make second factor: %w", err)
	}
	sealed, err := s.Seal.Seal(secret, totpBound(actor.UserID))
	if err != nil {
		return TOTPSetup{}, fmt.Errorf("seal second factor: %w", err)
	}
	var user blueberry.User
	err = s.Record.Update(ctx, func(tx Tx) (err error) {
		if user, err = s.self(ctx, tx, actor); err != nil {
			return err
		}
		c, err := tx.Credentials(ctx, user.ID)
		if err != nil {
			return err
		}
		switch {
		case c.SecondFactor():
			return blueberry.Errorf(blueberry.Conflict, "SECOND_FACTOR_PRESENT", "a second factor is set up: remove it before another one is added")
		case c.Password == "":
			return blueberry.Errorf(blueberry.Conflict, "PASSWORD_MISSING", "a code goes with a password, and the account has none")
		}
		c.UserID, c.TOTPSecret, c.TOTPStep = user.ID, sealed, 0
		return tx.PutCredentials(ctx, c)
	})
	if err != nil {
		return TOTPSetup{}, fmt.Errorf("begin second factor: %w", err)
	}
	return setupOf(secret, user)
}

func setupOf(secret []byte, user blueberry.User) (TOTPSetup, error) {
	text := secretText.EncodeToString(secret)
	address := "otpauth://totp/" + url.PathEscape("Blueberry:"+user.Email) + "?" + strings.ReplaceAll(url.Values{
		"secret": {text}, "issuer": {"Blueberry"}, "algorithm": {"SHA1"}, "digits": {fmt.Sprint(totpDigits)}, "period": {fmt.Sprint(totpPeriod)},
	}.Encode(), "+", "%20")
	key, err := otp.NewKeyFromURL(address)
	if err != nil {
		return TOTPSetup{}, errors.New("write second factor as a URL") // the error of it would hold the secret
	}
	picture, err := key.Image(totpPicture, totpPicture)
	if err != nil {
		return TOTPSetup{}, errors.New("draw second factor")
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return TOTPSetup{}, errors.New("write second factor as a picture")
	}
	return TOTPSetup{Secret: text, URL: address, QR: b.Bytes()}, nil
}

// ConfirmTOTP has the second factor count from now on, and gives the recovery codes, which are shown once.
func (s *SignIn) ConfirmTOTP(ctx context.Context, actor blueberry.Actor, code string) ([]string, error) {
	codes, hashes := newRecoveryCodes()
	g := guardOfSelf(actor.UserID)
	err := s.proven(ctx, actor, g, "credentials:totp-added", func(tx Tx, user blueberry.User, c *blueberry.Credentials) (string, error) {
		if c.SecondFactor() || c.TOTPSecret == nil {
			return "", blueberry.Errorf(blueberry.Conflict, "SECOND_FACTOR_NOT_BEGUN", "no second factor waits for its first code")
		}
		if err := s.takeTOTP(c, code); err != nil {
			return "", err
		}
		c.TOTPConfirmedAt, c.RecoveryCodes = s.Now(), hashes
		return "added a second factor", nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// NewRecoveryCodes makes those from before worthless.
func (s *SignIn) NewRecoveryCodes(ctx context.Context, actor blueberry.Actor, code string) ([]string, error) {
	codes, hashes := newRecoveryCodes()
	err := s.proven(ctx, actor, guardOfSelf(actor.UserID), "credentials:recovery-codes-made", func(tx Tx, user blueberry.User, c *blueberry.Credentials) (string, error) {
		if err := s.needSecondFactor(c); err != nil {
			return "", err
		}
		if _, err := s.takeCode(ctx, tx, user, c, code); err != nil {
			return "", err
		}
		c.RecoveryCodes = hashes
		return "made new recovery codes", nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// RemoveTOTP takes password and code: who finds an open browser has neither.
func (s *SignIn) RemoveTOTP(ctx context.Context, actor blueberry.Actor, password, code string) error {
	g := guardOfSelf(actor.UserID)
	kept, err := s.provePassword(ctx, actor, g, "credentials:totp-removed", password)
	if err != nil {
		return err
	}
	return s.provenAfter(ctx, actor, g, "credentials:totp-removed", func(tx Tx, user blueberry.User, c *blueberry.Credentials) (string, error) {
		if c.Password != kept {
			return "", errProof
		}
		if err := s.needSecondFactor(c); err != nil {
			return "", err
		}
		if _, err := s.takeCode(ctx, tx, user, c, code); err != nil {
			return "", err
		}
		c.TOTPSecret, c.TOTPConfirmedAt, c.TOTPStep, c.RecoveryCodes = nil, time.Time{}, 0, nil
		return "removed the second factor", nil
	})
}

func (s *SignIn) needSecondFactor(c *blueberry.Credentials) error {
	if c.SecondFactor() {
		return nil
	}
	return blueberry.Errorf(blueberry.Conflict, "SECOND_FACTOR_MISSING", "no second factor is set up")
}

// takeCode uses up a code of the app, or a recovery code, and tells which of both it was. The caller writes c.
func (s *SignIn) takeCode(ctx context.Context, tx Tx, user blueberry.User, c *blueberry.Credentials, code string) (way string, err error) {
	code = strings.NewReplacer(" ", "", "-", "", "\t", "").Replace(code)
	switch {
	case code == "":
		return "", errCodeNeeded
	case len(code) == totpDigits:
		return "totp", s.takeTOTP(c, code)
	}
	h := sha256.Sum256([]byte(strings.NewReplacer("o", "0", "i", "1", "l", "1").Replace(strings.ToLower(code))))
	at := slices.IndexFunc(c.RecoveryCodes, func(kept []byte) bool { return subtle.ConstantTimeCompare(kept, h[:]) == 1 })
	if at < 0 {
		return "", errProof
	}
	c.RecoveryCodes = slices.Delete(slices.Clone(c.RecoveryCodes), at, at+1)
	return "recovery", s.audit(ctx, tx, blueberry.AuditEntry{
		Actor: personActor(user, ""), Action: "credentials:recovery-code-used", Resource: user.ID, Detail: fmt.Sprintf("used a recovery code, %d are left", len(c.RecoveryCodes)),
	})
}

// takeTOTP takes a code of the step now, before or after, if no code of that step or a later one was taken before.
func (s *SignIn) takeTOTP(c *blueberry.Credentials, code string) error {
	secret, err := s.Seal.Open(c.TOTPSecret, totpBound(c.UserID))
	if err != nil {
		return fmt.Errorf("open second factor: %w", err)
	}
	code = strings.ReplaceAll(code, " ", "")
	now := s.Now().Unix() / totpPeriod
	taken := int64(0)
	for step := now - 1; step <= now+1; step++ {
		want, err := hotp.GenerateCodeCustom(secretText.EncodeToString(secret), uint64(step), hotp.ValidateOpts{Digits: totpDigits, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return errors.New("compute a code of the second factor") // the error may hold the secret
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > c.TOTPStep && taken == 0 {
			taken = step
		}
	}
	if taken == 0 {
		return errProof
	}
	c.TOTPStep = taken
	return nil
}

// newRecoveryCodes gives the codes for people, in groups of four, and what is kept of them.
func newRecoveryCodes() (codes []string, hashes [][]byte) {
	for range blueberry.RecoveryCodeCount {
		random := make([]byte, recoveryBytes)
		_, _ = rand.Read(random) // it never fails: crypto/rand ends the process instead
		text := recoveryText.EncodeToString(random)
		h := sha256.Sum256([]byte(text))
		codes, hashes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:]), append(hashes, h[:])
	}
	return codes, hashes
}
