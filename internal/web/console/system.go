package console

import (
	"cmp"
	"fmt"
	"net/url"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	systemPath = "/system"
	keysPath   = "/system/keys"
)

func systemArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			to := firstTab(v.systemTabs())
			if to == "" {
				return nil
			}
			return []menuItem{{To: to, Name: "System", Icon: "op-pulse", Group: groupOperate}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /system": early(ofInstallation("System", systemPath), systemStatus), "GET /system/keys": systemKeys, "GET /system/keys/rotate": func(v *visit) (page, error) { return v.rotateKeysForm(nil) },
			"GET /system/ca/rotate": func(v *visit) (page, error) { return v.rotateAuthorityForm(nil) }, "GET /system/certificates/new": func(v *visit) (page, error) { return v.issueForm(nil) },
			"GET /system/certificates/{serial}/revoke": func(v *visit) (page, error) { return v.revokeForm(nil) },
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /system/keys/rotate": rotateKeys, "POST /system/ca/rotate": rotateAuthority, "POST /system/certificates/new": issueCertificate,
			"POST /system/certificates/{serial}/revoke": revokeCertificate,
		},
		Done: map[string]string{
			"keys-rotated": "There is a new key. A job encrypts anew what the keys before hold.", "ca-rotated": "A new root signs from now on. The one before is trusted until all that it signed has ended.",
			"certificate-revoked": "The certificate is refused within seconds.",
		},
	}
}

// systemTabs are the pages of this part that who looks may see.
func (v *visit) systemTabs() (out []option) {
	if v.may("", blueberry.GrantSystemRead) {
		out = append(out, option{systemPath, "Status"})
	}
	if v.may("", blueberry.GrantKeysRead) || v.may("", blueberry.GrantCertificatesRead) {
		out = append(out, option{keysPath, "Keys and certificates"})
	}
	return out
}

func (v *visit) systemHere() string { return firstTab(v.systemTabs()) }

// systemView is how the server is, and all that it leans on.
type systemView struct {
	sdk.SystemStatus
	Tabs []option
}

// worst are the parts that somebody should look at.
func (s systemView) worst() (out []sdk.SystemPart) {
	for _, p := range s.Parts {
		if p.State == "down" || p.State == "warning" {
			out = append(out, p)
		}
	}
	return out
}

func systemStatus(v *visit) (page, error) {
	s, err := v.api.GetSystemStatus(v.ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "System", Here: v.systemHere(), Body: systemBody(systemView{s, v.systemTabs()}), Watch: interest{Any: true}}, nil
}

func shapeOfPart(state string) (shape, string) {
	switch state {
	case "up":
		return good, "up"
	case "warning":
		return warn, "needs a look"
	case "down":
		return bad, "down"
	}
	return idle, "not set up"
}

// partPath is the page that says more of a part; empty where there is none.
func partPath(p sdk.SystemPart) string {
	switch p.Kind {
	case "target":
		return targetPath(p.Name)
	case "jobs":
		return jobsPath
	case "subscriptions":
		return subscriptionsPath
	case "repositories":
		return "/repositories"
	case "retention":
		return retentionPath
	case "keys":
		return keysPath
	}
	return ""
}

var partNames = map[string]string{
	"record": "Database", "gitops": "GitOps repository", "objects": "Object store", "keys": "Keyset", "cache": "Cache", "mail": "Mail server", "jobs": "Jobs",
	"subscriptions": "Notifications", "repositories": "Repositories", "retention": "Retention", "target": "Target",
}

func partName(p sdk.SystemPart) string {
	name := cmp.Or(partNames[p.Kind], p.Kind)
	if p.Name != "" {
		name += " " + p.Name
	}
	return name
}

// lived is how long a server runs, in whole minutes: a page that is made anew each second differs by nothing else.
func lived(s sdk.SystemStatus) string {
	d := s.At.Sub(s.StartedAt)
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// latency is how long a part took to answer, in steps that a person cares about: a live page does not flicker by a tenth of a millisecond.
func latency(ms float64) string {
	switch {
	case ms <= 0:
		return "–"
	case ms < 1:
		return "under 1 ms"
	case ms < 10:
		return "under 10 ms"
	case ms < 50:
		return "under 50 ms"
	}
	return fmt.Sprintf("%d ms", int(ms/50+0.5)*50)
}

// keysView is the keys of the record, and the certificates of internal clients.
type keysView struct {
	Keys                                     []sdk.Key
	Certificates                             []sdk.Certificate
	Authority                                string
	Tabs                                     []option
	MayKeys, MayRotate, MayCertify, MayIssue bool
	Now                                      time.Time
}

func systemKeys(v *visit) (page, error) {
	k := keysView{
		Tabs: v.systemTabs(), Now: v.now, MayKeys: v.may("", blueberry.GrantKeysRead), MayRotate: v.may("", blueberry.GrantKeysRotate),
		MayCertify: v.may("", blueberry.GrantCertificatesRead), MayIssue: v.may("", blueberry.GrantCertificatesIssue),
	}
	if !k.MayKeys && !k.MayCertify {
		return page{}, forbidden(v.who.Can(blueberry.GrantKeysRead))
	}
	if k.MayKeys {
		list, err := v.api.ListKeys(v.ctx)
		if err != nil {
			return page{}, err
		}
		k.Keys = list.Items
	}
	if k.MayCertify {
		list, err := v.api.ListCertificates(v.ctx)
		if err != nil {
			return page{}, err
		}
		k.Certificates = list.Items
		ca, err := v.api.GetCertificateAuthority(v.ctx)
		if err != nil {
			return page{}, err
		}
		k.Authority = ca.CertificatesPEM
	}
	return page{Title: "Keys and certificates", Here: v.systemHere(), Body: keysBody(k)}, nil
}

func (v *visit) rotateKeysForm(p *sdk.Problem) (page, error) {
	if err := v.who.Can(blueberry.GrantKeysRotate); err != nil {
		return page{}, forbidden(err)
	}
	return asking(v.systemHere(), ask{
		Title: "Rotate the keys", Label: "Make a new key", Action: keysPath + "/rotate", Back: keysPath, Problem: p,
		What: "New secrets are encrypted with the new key from now on, and a job encrypts anew what the keys before hold. Nothing stops meanwhile. Back the keyset file up afterwards: without it the record's secrets cannot be read.",
		CLI:  "blueberry key rotate", Call: "POST /v1/keys/rotation",
	}, nil, option{systemPath, "System"}, option{keysPath, "Keys and certificates"}), nil
}

func rotateKeys(v *visit) (string, error) {
	if _, err := v.api.RotateKeys(v.ctx); err != nil {
		return "", v.formError(err, v.rotateKeysForm)
	}
	return keysPath + "?done=keys-rotated", nil
}

func (v *visit) rotateAuthorityForm(p *sdk.Problem) (page, error) {
	if err := v.who.Can(blueberry.GrantKeysRotate); err != nil {
		return page{}, forbidden(err)
	}
	return asking(v.systemHere(), ask{
		Title: "Rotate the authority", Label: "Make a new root", Action: systemPath + "/ca/rotate", Back: keysPath, Problem: p,
		What: "A new root signs from now on. The one before stays trusted until everything that it signed has ended; clients need the new one in time.",
		CLI:  "blueberry certificate rotate-ca", Call: "POST /v1/certificates/ca/rotation",
	}, nil, option{systemPath, "System"}, option{keysPath, "Keys and certificates"}), nil
}

func rotateAuthority(v *visit) (string, error) {
	if err := v.api.RotateCertificateAuthority(v.ctx); err != nil {
		return "", v.formError(err, v.rotateAuthorityForm)
	}
	return keysPath + "?done=ca-rotated", nil
}

func (v *visit) issueForm(p *sdk.Problem) (page, error) {
	if err := v.who.Can(blueberry.GrantCertificatesIssue); err != nil {
		return page{}, forbidden(err)
	}
	form := v.r.PostForm
	return asking(v.systemHere(), ask{
		Title: "Issue a certificate", Label: "Issue it", What: "For an internal client that connects by mTLS. What it may do by it is what a server lets a client of the name do.",
		Action: systemPath + "/certificates/new", Back: keysPath, Problem: p,
		Inputs: []input{
			{Name: "name", Label: "Name", Value: typed(form, "name", ""), Placeholder: "prometheus", Required: true, Hint: "Who it is."},
			{Name: "days", Label: "Days", Kind: "number", Value: typed(form, "days", "30"), Hint: "How long it counts, at most 90."},
			{Name: "request", Label: "Certificate request", Kind: "area", Code: true, Rows: 6, Value: typed(form, "request", ""), Hint: "PKCS #10, PEM, of a key that the client has made. Empty: a key is made, and shown once."},
		},
		CLI: "blueberry certificate issue prometheus --out certificates", Call: "POST /v1/certificates", Body: `{"name": "prometheus", "days": 30}`,
	}, nil, option{systemPath, "System"}, option{keysPath, "Keys and certificates"}), nil
}

func issueCertificate(v *visit) (string, error) {
	var faults []sdk.FieldError
	r := sdk.IssueCertificateRequest{Name: v.said("name"), Days: wholeNumber("days", v.said("days"), &faults), Request: v.said("request")}
	if len(faults) > 0 {
		return "", again{faulty(faults), v.issueForm}
	}
	c, err := v.api.IssueCertificate(v.ctx, r)
	if err != nil {
		return "", v.formError(err, v.issueForm)
	}
	what := "The certificate. Its private key stayed where it was made."
	if c.PrivateKeyPEM != "" {
		what = "The certificate and its private key. Nothing shows the key again: hand both to the client, and keep no copy."
	}
	return "", once(v.systemHere(), shownOnce{
		Title: "Certificate of " + c.Certificate.Name, What: what, Name: "Certificate", Secret: c.CertificatePEM + c.PrivateKeyPEM, On: option{keysPath, "To the certificates"},
	})
}

func (v *visit) revokeForm(p *sdk.Problem) (page, error) {
	if err := v.who.Can(blueberry.GrantCertificatesIssue); err != nil {
		return page{}, forbidden(err)
	}
	serial := v.r.PathValue("serial")
	return asking(v.systemHere(), ask{
		Title: "Revoke certificate " + serial, Label: "Revoke it", Danger: true, Action: systemPath + "/certificates/" + url.PathEscape(serial) + "/revoke", Back: keysPath, Problem: p,
		What: "It is refused within seconds, on every server and on connections that are open. This cannot be undone.",
		CLI:  "blueberry certificate revoke " + serial, Call: "DELETE /v1/certificates/" + serial,
	}, nil, option{systemPath, "System"}, option{keysPath, "Keys and certificates"}), nil
}

func revokeCertificate(v *visit) (string, error) {
	if err := v.api.RevokeCertificate(v.ctx, v.r.PathValue("serial")); err != nil {
		return "", v.formError(err, v.revokeForm)
	}
	return keysPath + "?done=certificate-revoked", nil
}

// shapeOfCertificate is whether one counts, in a shape and a word.
func shapeOfCertificate(c sdk.Certificate, now time.Time) (shape, string) {
	switch {
	case !c.RevokedAt.IsZero():
		return bad, "revoked"
	case now.After(c.NotAfter):
		return idle, "ended"
	case c.NotAfter.Sub(now) < 7*24*time.Hour:
		return warn, "ends soon"
	}
	return good, "counts"
}
