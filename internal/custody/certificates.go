package custody

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// usualLife is how long a certificate counts when nobody says.
const usualLife = 30 * 24 * time.Hour

// CertificateWish asks for a certificate.
type CertificateWish struct {
	Name    string
	Request []byte        // PKCS #10 of a key that the client has made, PEM; nil has one made
	Life    time.Duration // 0 means 30 days; at most 90
	Found   blueberry.Faults
}

// Certificates lists those that have not ended, the newest first.
func (c *Custody) Certificates(ctx context.Context, actor blueberry.Actor) (out []blueberry.Certificate, err error) {
	if err := actor.Can(blueberry.GrantCertificatesRead); err != nil {
		return nil, err
	}
	return out, c.Record.View(ctx, func(tx Tx) (err error) {
		out, err = tx.Certificates(ctx, c.Now())
		return err
	})
}

// IssueCertificate signs a certificate. The key, if one was made, is in this answer alone.
func (c *Custody) IssueCertificate(ctx context.Context, actor blueberry.Actor, r CertificateWish) (Issued, error) {
	if err := actor.Can(blueberry.GrantCertificatesIssue); err != nil {
		return Issued{}, err
	}
	if actor.Emergency != "" {
		e := blueberry.Errorf(blueberry.Forbidden, "EMERGENCY_GIVES_NOTHING", "in an emergency no certificate is issued: it would outlast it")
		e.Denied = blueberry.GrantAll
		return Issued{}, e
	}
	if r.Life == 0 {
		r.Life = usualLife
	}
	issued, err := c.Authority.Issue(ctx, r.Name, r.Request, r.Life)
	if err := r.Found.Merge("", err); err != nil {
		return Issued{}, err
	}
	if err := r.Found.Err(); err != nil {
		return Issued{}, err
	}
	issued.IssuedBy = actor.Name
	err = c.Record.Update(ctx, func(tx Tx) error {
		if err := tx.InsertCertificate(ctx, issued.Certificate); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			At: c.Now(), Actor: actor, Action: string(blueberry.GrantCertificatesIssue), Resource: issued.Serial,
			Detail: fmt.Sprintf("issued a certificate to %s until %s", issued.Name, issued.NotAfter.UTC().Format("2006-01-02 15:04 MST")),
		})
	})
	if err != nil {
		return Issued{}, fmt.Errorf("record certificate: %w", err) // nobody has it
	}
	return issued, nil
}

// RevokeCertificate ends a certificate: at once in this process, within seconds in others.
func (c *Custody) RevokeCertificate(ctx context.Context, actor blueberry.Actor, serial string) error {
	if err := actor.Can(blueberry.GrantCertificatesIssue); err != nil {
		return err
	}
	err := c.Record.Update(ctx, func(tx Tx) error {
		found, err := tx.Certificate(ctx, serial)
		if err != nil || !found.RevokedAt.IsZero() {
			return err
		}
		now := c.Now()
		if err := tx.RevokeCertificate(ctx, serial, actor.Name, now); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			At: now, Actor: actor, Action: string(blueberry.GrantCertificatesIssue), Resource: serial, Detail: "revoked the certificate of " + found.Name,
		})
	})
	if err != nil {
		return err
	}
	if err := c.Authority.Refresh(ctx); err != nil { // it is revoked for good, and the authority reads it again by itself
		c.Logger.WarnContext(ctx, "revocations could not be read again at once", "serial", serial, "error", err)
	}
	return nil
}

// RotateAuthority makes a new root.
func (c *Custody) RotateAuthority(ctx context.Context, actor blueberry.Actor) error {
	if err := actor.Can(blueberry.GrantKeysRotate); err != nil {
		return err
	}
	if err := c.Authority.Rotate(ctx); err != nil {
		return fmt.Errorf("rotate authority: %w", err)
	}
	return c.Record.Update(ctx, func(tx Tx) error {
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			At: c.Now(), Actor: actor, Action: string(blueberry.GrantKeysRotate), Resource: "certificate authority", Detail: "a new root signs certificates",
		})
	})
}

// Roots gives what servers and clients of mTLS trust, PEM.
func (c *Custody) Roots(ctx context.Context, actor blueberry.Actor) ([]byte, error) {
	if err := actor.Can(blueberry.GrantCertificatesRead); err != nil {
		return nil, err
	}
	return c.Authority.Roots(ctx)
}
