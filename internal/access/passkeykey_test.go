package access_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// Flags of authenticator data.
const (
	userPresent  = 0x01
	userVerified = 0x04
	attested     = 0x40
)

// authenticator is one in software: ES256, discoverable, with a sign count. What it does is what the tests want of it.
type authenticator struct {
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	count  uint32

	origin string
	rpID   string
	flags  byte
}

func newAuthenticator(t *testing.T) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	rand.Read(id)
	return &authenticator{key: key, id: id, origin: "https://blueberry.example.com", rpID: "blueberry.example.com", flags: userPresent | userVerified}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (a *authenticator) clientData(t *testing.T, kind, challenge string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (a *authenticator) data(extra byte) []byte {
	hash := sha256.Sum256([]byte(a.rpID))
	out := append(hash[:], a.flags|extra)
	return binary.BigEndian.AppendUint32(out, a.count)
}

type creationOptions struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RP        struct{ ID string }
		User      struct {
			ID, Name, DisplayName string
		}
		AuthenticatorSelection struct {
			ResidentKey, UserVerification string
		}
		ExcludeCredentials []struct{ ID string }
	}
}

// create answers navigator.credentials.create.
func (a *authenticator) create(t *testing.T, options json.RawMessage) json.RawMessage {
	t.Helper()
	var o creationOptions
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	handle, err := base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	a.handle = handle
	point, err := a.key.PublicKey.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	raw := point.Bytes() // 4, x, y
	key, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: raw[1:33], -3: raw[33:]})
	if err != nil {
		t.Fatal(err)
	}
	data := append(a.data(attested), make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(append(data, a.id...), key...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(t, map[string]any{"clientDataJSON": b64(a.clientData(t, "webauthn.create", o.PublicKey.Challenge)), "attestationObject": b64(object)})
}

// get answers navigator.credentials.get.
func (a *authenticator) get(t *testing.T, options json.RawMessage) json.RawMessage {
	t.Helper()
	var o struct {
		PublicKey struct {
			Challenge        string `json:"challenge"`
			UserVerification string
			AllowCredentials []any
		}
	}
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	if o.PublicKey.UserVerification != "required" || len(o.PublicKey.AllowCredentials) != 0 {
		t.Errorf("the options are %s", options)
	}
	a.count++
	client := a.clientData(t, "webauthn.get", o.PublicKey.Challenge)
	data, hash := a.data(0), sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(t, map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(a.handle)})
}

func (a *authenticator) answer(t *testing.T, response map[string]any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
