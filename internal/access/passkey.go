package access

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	maxPasskeys     = 20 // of one person
	maxPasskeyName  = 60 // characters
	maxPasskeyReply = 64 << 10
)

// passkeys gives the ceremonies for the public address. A passkey belongs to its host name, so an address that is a number has none.
func (s *SignIn) passkeys() (*webauthn.WebAuthn, error) {
	u, err := url.Parse(s.PublicURL)
	if err != nil || u.Hostname() == "" {
		return nil, blueberry.Errorf(blueberry.Conflict, "PASSKEYS_UNAVAILABLE", "passkeys need a public address, and none is set")
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil, blueberry.Errorf(blueberry.Conflict, "PASSKEYS_UNAVAILABLE",
			"passkeys need a host name in the public address, and %s is a number; for development, localhost works", u.Hostname())
	}
	required := true
	w, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "Blueberry", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: &required, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, blueberry.Errorf(blueberry.Conflict, "PASSKEYS_UNAVAILABLE", "passkeys do not work at the public address %s: %v", s.PublicURL, err)
	}
	return w, nil
}

// keyholder is a user as a ceremony sees one. The handle on the authenticator is the id, which tells nothing of the person.
type keyholder struct {
	user blueberry.User
	keys []webauthn.Credential
}

func holderOf(u blueberry.User, passkeys []blueberry.Passkey) (keyholder, error) {
	out := keyholder{user: u}
	for _, p := range passkeys {
		var c webauthn.Credential
		if err := json.Unmarshal(p.Data, &c); err != nil {
			return out, fmt.Errorf("read passkey %s: %w", p.ID, err)
		}
		out.keys = append(out.keys, c)
	}
	return out, nil
}

// WebAuthnID is the user handle.
func (k keyholder) WebAuthnID() []byte { return []byte(k.user.ID) }

// WebAuthnName is what the authenticator shows to tell accounts apart.
func (k keyholder) WebAuthnName() string { return k.user.Email }

// WebAuthnDisplayName is what it shows beside that.
func (k keyholder) WebAuthnDisplayName() string {
	if k.user.Name != "" {
		return k.user.Name
	}
	return k.user.Email
}

// WebAuthnCredentials are the passkeys.
func (k keyholder) WebAuthnCredentials() []webauthn.Credential { return k.keys }
