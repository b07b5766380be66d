package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/custody"
	"github.com/blueberry-idp/blueberry/sdk"
)

// keyrings are the routes of the keys that encrypt the record, and of certificates for internal clients.
type keyrings struct {
	keys         Keys
	certificates Certificates
}

func (h keyrings) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-keys", Method: http.MethodGet, Path: "/v1/keys", Tags: []string{tagInstallation},
		Summary: "List keys", Description: "Those that encrypt what is secret in the record. Only their ids are told.",
	}, h.listKeys)
	register(r, huma.Operation{
		OperationID: "rotate-keys", Method: http.MethodPost, Path: "/v1/keys/rotation", Tags: []string{tagInstallation}, DefaultStatus: http.StatusAccepted,
		Summary: "Rotate keys", Description: "Makes a new key, and a job of the kind keys.reencrypt that encrypts anew what the keys before hold. Nothing stops meanwhile.",
	}, h.rotateKeys)
	register(r, huma.Operation{
		OperationID: "issue-certificate", Method: http.MethodPost, Path: "/v1/certificates", Tags: []string{tagInstallation}, DefaultStatus: http.StatusCreated,
		Metadata: gathers(), Summary: "Issue a certificate",
		Description: "For an internal client that connects by mTLS. With a request in the body the private key stays where it was made; else one is made, and nothing ever shows it again.",
	}, h.issue)
	r.example(http.MethodPost, "/v1/certificates", sdk.IssueCertificateRequest{Name: "prometheus", Days: 30})
	register(r, huma.Operation{
		OperationID: "list-certificates", Method: http.MethodGet, Path: "/v1/certificates", Tags: []string{tagInstallation},
		Summary: "List certificates", Description: "Those that were issued to internal clients, newest first.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "revoke-certificate", Method: http.MethodDelete, Path: "/v1/certificates/{serial}", Tags: []string{tagInstallation}, DefaultStatus: http.StatusNoContent,
		Summary: "Revoke a certificate", Description: "It is refused within seconds, on every server and on connections that are open.",
	}, h.revoke)
	register(r, huma.Operation{
		OperationID: "get-certificate-authority", Method: http.MethodGet, Path: "/v1/certificates/ca", Tags: []string{tagInstallation},
		Summary: "Read the certificate authority", Description: "What clients of mTLS are signed by. While it is rotated these are two.",
	}, h.authority)
	register(r, huma.Operation{
		OperationID: "rotate-certificate-authority", Method: http.MethodPost, Path: "/v1/certificates/ca/rotation", Tags: []string{tagInstallation},
		DefaultStatus: http.StatusNoContent, Summary: "Rotate the certificate authority",
		Description: "A new root signs from now on. The one before stays trusted until everything that it signed has ended; clients need the new one in time.",
	}, h.rotateAuthority)
}

func (h keyrings) listKeys(ctx context.Context, _ *struct{ strict }) (*answer[sdk.KeyList], error) {
	found, err := h.keys.Keys(ctx, actorOf(ctx))
	return answered(found, err, func(found []custody.KeyState) sdk.KeyList {
		return sdk.KeyList{Items: list(found, func(k custody.KeyState) sdk.Key { return sdk.Key{ID: k.ID, Newest: k.Newest, InUse: k.InUse} })}
	})
}

func (h keyrings) rotateKeys(ctx context.Context, _ *onceInput) (*answer[sdk.KeyRotation], error) {
	id, err := h.keys.RotateKeys(ctx, actorOf(ctx))
	return answered(id, err, func(id string) sdk.KeyRotation { return sdk.KeyRotation{KeyID: id} })
}

func (h keyrings) rotateAuthority(ctx context.Context, _ *onceInput) (*nothing, error) {
	return &nothing{}, h.certificates.RotateAuthority(ctx, actorOf(ctx))
}

func wireCertificate(c blueberry.Certificate) sdk.Certificate {
	return sdk.Certificate{
		Serial: c.Serial, Name: c.Name, NotBefore: instant(c.NotBefore), NotAfter: instant(c.NotAfter), RevokedAt: instant(c.RevokedAt), RevokedBy: c.RevokedBy,
		IssuedBy: c.IssuedBy,
	}
}

type issueInput struct {
	strict
	OnceHeader
	Body body[sdk.IssueCertificateRequest]
}

func (h keyrings) issue(ctx context.Context, in *issueInput) (*answer[sdk.IssuedCertificate], error) {
	b := in.Body.Value
	w := custody.CertificateWish{Name: b.Name, Life: days(b.Days), Found: in.Body.unknown}
	if b.Request != "" {
		w.Request = []byte(b.Request)
	}
	c, err := h.certificates.IssueCertificate(ctx, actorOf(ctx), w)
	return answered(c, inDays(err), func(c custody.Issued) sdk.IssuedCertificate {
		return sdk.IssuedCertificate{Certificate: wireCertificate(c.Certificate), CertificatePEM: string(c.PEM), PrivateKeyPEM: string(c.Key)}
	})
}

func (h keyrings) list(ctx context.Context, _ *struct{ strict }) (*answer[sdk.CertificateList], error) {
	found, err := h.certificates.Certificates(ctx, actorOf(ctx))
	return answered(found, err, func(found []blueberry.Certificate) sdk.CertificateList {
		return sdk.CertificateList{Items: list(found, wireCertificate)}
	})
}

type certificateBySerial struct {
	strict
	Serial string `path:"serial" maxLength:"64" doc:"Serial number of the certificate" example:"5f0c2a91b7d34e68"`
}

func (h keyrings) revoke(ctx context.Context, in *certificateBySerial) (*nothing, error) {
	return &nothing{}, h.certificates.RevokeCertificate(ctx, actorOf(ctx), in.Serial)
}

func (h keyrings) authority(ctx context.Context, _ *struct{ strict }) (*answer[sdk.CertificateAuthority], error) {
	pem, err := h.certificates.Roots(ctx, actorOf(ctx))
	return answered(pem, err, func(pem []byte) sdk.CertificateAuthority {
		return sdk.CertificateAuthority{CertificatesPEM: string(pem)}
	})
}

// inDays gives a fault of a life the name of the field that asks for it.
func inDays(err error) error {
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Invalid {
		return err
	}
	out := *e
	out.Fields = slices.Clone(e.Fields)
	for i := range out.Fields {
		if out.Fields[i].Field == "life" {
			out.Fields[i].Field = "days"
		}
	}
	return &out
}

// days is so many days. Beyond what any operation allows it stays there, so that a number which is far too large does not become a small one.
func days(n int) time.Duration { return time.Duration(max(min(n, mostDays), -1)) * day }

const mostDays = 10_000
