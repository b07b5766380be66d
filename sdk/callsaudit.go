package sdk

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"
)

// ListRoles reads what each role holds.
func (c *Client) ListRoles(ctx context.Context) (RoleList, error) {
	return fetch[RoleList](ctx, c, newCall(http.MethodGet, "roles"))
}

// ListAuditEntries reads who did what, newest first.
func (c *Client) ListAuditEntries(ctx context.Context, f AuditFilter) (AuditList, error) {
	return fetch[AuditList](ctx, c, f.call("audit"))
}

// AllAuditEntries reads run after run, newest first. It ends after the first error.
func (c *Client) AllAuditEntries(ctx context.Context, f AuditFilter) iter.Seq2[AuditEntry, error] {
	return pages(f.Before, func(before string) ([]AuditEntry, string, error) {
		f.Before = before
		run, err := c.ListAuditEntries(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// GetAuditEntry reads one entry by id.
func (c *Client) GetAuditEntry(ctx context.Context, id string) (AuditEntry, error) {
	return fetch[AuditEntry](ctx, c, newCall(http.MethodGet, "audit", id))
}

// VerifyAudit has the server prove its own audit: the whole chain, or what the filter chooses. Its window does not count. Whoever does not trust the server
// uses ExportAudit and VerifyAudit.
func (c *Client) VerifyAudit(ctx context.Context, f AuditFilter) (AuditVerification, error) {
	f.Before, f.Limit = "", 0
	return fetch[AuditVerification](ctx, c, f.call("audit", "verification"))
}

// ExportAudit copies an export to w: JSON lines, oldest first, as VerifyAudit proves them. Without a filter it is the whole chain; the window of the filter
// does not count. An export that breaks off midway is an error, and what was written is worth nothing. It ends with ctx alone.
func (c *Client) ExportAudit(ctx context.Context, f AuditFilter, w io.Writer) error {
	f.Before, f.Limit = "", 0
	k := f.call("audit", "export")
	k.header.Set("Accept", "application/jsonl, application/problem+json")
	res, err := c.send(ctx, k, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		data, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what cannot be read is told by its status
		return readProblem(res, data)
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("read export: %w", outerCause(ctx, err))
	}
	return nil
}

// GetAccessReview reads who has what, and when it was last used.
func (c *Client) GetAccessReview(ctx context.Context, f ReviewFilter) (AccessReview, error) {
	k := newCall(http.MethodGet, "access-review")
	k.set("project", f.Project)
	k.setInt("unused_days", int64(f.UnusedDays))
	return fetch[AccessReview](ctx, c, k)
}

// OpenEmergency takes the power of an owner for at most an hour. Every user is told.
func (c *Client) OpenEmergency(ctx context.Context, r OpenEmergencyRequest, options ...CallOption) (Emergency, error) {
	return fetch[Emergency](ctx, c, post(r, "emergencies"), options...)
}

// ListEmergencies reads emergencies, newest first.
func (c *Client) ListEmergencies(ctx context.Context, w IDWindow) (EmergencyList, error) {
	return fetch[EmergencyList](ctx, c, w.call("emergencies"))
}

// AllEmergencies reads run after run, newest first. It ends after the first error.
func (c *Client) AllEmergencies(ctx context.Context, w IDWindow) iter.Seq2[Emergency, error] {
	return pages(w.Before, func(before string) ([]Emergency, string, error) {
		w.Before = before
		run, err := c.ListEmergencies(ctx, w)
		return run.Items, run.NextBefore, err
	})
}

// CloseEmergency gives the power back early.
func (c *Client) CloseEmergency(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "emergencies", id), options...)
}

// ListKeys reads the keys that encrypt what is secret in the record.
func (c *Client) ListKeys(ctx context.Context) (KeyList, error) {
	return fetch[KeyList](ctx, c, newCall(http.MethodGet, "keys"))
}

// RotateKeys makes a new key and begins to encrypt anew what the keys before hold.
func (c *Client) RotateKeys(ctx context.Context, options ...CallOption) (KeyRotation, error) {
	return fetch[KeyRotation](ctx, c, post(nil, "keys", "rotation"), options...)
}

// IssueCertificate makes a certificate for an internal client. The answer is the only one that tells its private key.
func (c *Client) IssueCertificate(ctx context.Context, r IssueCertificateRequest, options ...CallOption) (IssuedCertificate, error) {
	return fetch[IssuedCertificate](ctx, c, post(r, "certificates"), options...)
}

// ListCertificates reads the certificates that were issued.
func (c *Client) ListCertificates(ctx context.Context) (CertificateList, error) {
	return fetch[CertificateList](ctx, c, newCall(http.MethodGet, "certificates"))
}

// RevokeCertificate has a certificate refused from now on.
func (c *Client) RevokeCertificate(ctx context.Context, serial string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "certificates", serial), options...)
}

// GetCertificateAuthority reads what servers and clients of mTLS trust.
func (c *Client) GetCertificateAuthority(ctx context.Context) (CertificateAuthority, error) {
	return fetch[CertificateAuthority](ctx, c, newCall(http.MethodGet, "certificates", "ca"))
}

func (f AuditFilter) call(path ...string) *call {
	k := IDWindow{Before: f.Before, Limit: f.Limit}.call(path...)
	k.set("actor", f.Actor)
	k.set("action", f.Action)
	k.set("resource", f.Resource)
	k.set("project", f.Project)
	k.set("result", f.Result)
	k.set("q", f.Search)
	k.set("request", f.Request)
	k.setTime("from", f.From)
	k.setTime("to", f.To)
	return k
}

func (c *call) setTime(name string, t time.Time) {
	if !t.IsZero() {
		c.query.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}

// RotateCertificateAuthority makes a new root, which signs certificates from now on.
func (c *Client) RotateCertificateAuthority(ctx context.Context, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodPost, "certificates", "ca", "rotation"), options...)
}
