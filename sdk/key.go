package sdk

import "time"

// Key is one of the keys that encrypt what is secret in the record. Only its id is told.
type Key struct {
	ID     string `json:"id" doc:"Id of the key" example:"5f0c2a91"`
	Newest bool   `json:"newest" doc:"Whether new secrets are encrypted with it" example:"true"`
	InUse  bool   `json:"in_use" doc:"Whether something of the record is encrypted with it; one that is not will be removed" example:"true"`
}

// KeyList is every key.
type KeyList struct {
	Items []Key `json:"items" nullable:"false" doc:"Newest first"`
}

// KeyRotation is a new key. A job of the kind keys.reencrypt with its id as subject brings everything to it.
type KeyRotation struct {
	KeyID string `json:"key_id" doc:"Id of the new key" example:"5f0c2a91"`
}

// Certificate lets an internal client connect by mTLS.
type Certificate struct {
	Serial    string    `json:"serial" doc:"Serial number, hex" example:"5f0c2a91b7d34e68"`
	Name      string    `json:"name" doc:"Common name: who it is" example:"prometheus"`
	NotBefore time.Time `json:"not_before" doc:"From when it counts"`
	NotAfter  time.Time `json:"not_after" doc:"Until when it counts"`
	RevokedAt time.Time `json:"revoked_at,omitzero" doc:"When it was revoked; absent if it was not"`
	RevokedBy string    `json:"revoked_by,omitempty" doc:"Who revoked it" example:"ada@example.com"`
	IssuedBy  string    `json:"issued_by,omitempty" doc:"Who asked for it" example:"ada@example.com"`
}

// IssuedCertificate is a certificate with its key.
type IssuedCertificate struct {
	Certificate    Certificate `json:"certificate" doc:"What it says"`
	CertificatePEM string      `json:"certificate_pem" doc:"The certificate, PEM" example:"-----BEGIN CERTIFICATE-----\n…"`
	PrivateKeyPEM  string      `json:"private_key_pem,omitempty" doc:"Secret, told only here: its private key, PEM; absent when it was made elsewhere" example:"-----BEGIN PRIVATE KEY-----\n…"`
}

// IssueCertificateRequest asks for a certificate.
type IssueCertificateRequest struct {
	Name    string `json:"name" minLength:"1" maxLength:"63" pattern:"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$" doc:"Who it is" example:"prometheus"`
	Request string `json:"request,omitempty" maxLength:"16384" doc:"Certificate request (PKCS #10) of a key that the client has made, PEM; absent has one made" example:"-----BEGIN CERTIFICATE REQUEST-----\n…"`
	Days    int    `json:"days,omitempty" minimum:"1" maximum:"90" doc:"How long it counts; absent means 30" example:"30"`
}

// CertificateList is every certificate that was issued.
type CertificateList struct {
	Items []Certificate `json:"items" nullable:"false" doc:"Newest first"`
}

// CertificateAuthority is what servers and clients of mTLS trust.
type CertificateAuthority struct {
	CertificatesPEM string `json:"certificates_pem" doc:"Certificates of the platform's authority, PEM: two while it is rotated" example:"-----BEGIN CERTIFICATE-----\n…"`
}
