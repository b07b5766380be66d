package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// CIHookPath is what stands behind the id of a repository where pipelines call.
const CIHookPath = "/ci"

// eventCI is the event of a call of a pipeline.
const eventCI = "ci"

// ReceiveCI takes a report that is signed by a webhook secret of the repository, whatever its host is: in the form of package generic. What becomes of the call is
// kept as a delivery, without its body. The error of one that is signed and not valid has every fault by field.
func (s *Repositories) ReceiveCI(ctx context.Context, c Call) (blueberry.Delivery, blueberry.CIReport, error) {
	d, r, err := s.proveCI(ctx, c)
	if err != nil || d.Verdict == blueberry.DeliveryRefused {
		return d, blueberry.CIReport{}, err
	}
	w, wrong := decodeCI(c.Body)
	var said blueberry.CIReport
	if wrong == nil {
		said, wrong = s.readCI(r, w)
	}
	var invalid *blueberry.Error
	if wrong != nil && !errors.As(wrong, &invalid) {
		return d, said, wrong
	}
	var out blueberry.CIReport
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			now, err := tx.Repository(ctx, r.ID)
			if err != nil {
				return err
			}
			x := d
			x.Verdict, x.Reason = blueberry.DeliveryAccepted, fmt.Sprintf("pipeline %s reported on %.12s", said.Pipeline, said.Commit)
			switch {
			case invalid != nil:
				x.Verdict, x.Reason = blueberry.DeliveryUnread, short(faultsText(invalid))
			default:
				var news bool
				if out, news, err = s.keepCI(ctx, tx, actorOf(now), now, said); err != nil {
					return err
				}
				if !news {
					x.Verdict, x.Reason = blueberry.DeliveryIgnored, "no news: what is known of the pipeline and the commit is as new"
				}
			}
			if err := tx.InsertDelivery(ctx, x); err != nil {
				return err
			}
			d.Verdict, d.Reason = x.Verdict, x.Reason
			return tx.TouchRepository(ctx, r.ID, true, d.ReceivedAt)
		})
	})
	if isCode(err, "DELIVERY_SEEN") {
		d.Verdict, d.Reason = blueberry.DeliveryDuplicate, "it came before"
		return d, blueberry.CIReport{}, s.Record.Update(ctx, func(tx Tx) error { return tx.InsertDelivery(ctx, d) })
	}
	if err == nil && invalid != nil {
		return d, out, invalid
	}
	return d, out, err
}

// proveCI finds out whether a secret of the repository has signed a call. One that none has is kept as a refused delivery; more of them than may be are not kept.
func (s *Repositories) proveCI(ctx context.Context, c Call) (blueberry.Delivery, blueberry.Repository, error) {
	r, err := s.called(ctx, c)
	if err != nil {
		return blueberry.Delivery{}, r, err
	}
	d := blueberry.Delivery{
		RepositoryID: r.ID, Project: r.Project, Host: blueberry.HostGeneric, HostID: short(Once(c.Header, "X-Blueberry-Delivery")), Event: eventCI, Headers: kept(c.Header),
		Size: int(c.Size), From: c.From, ReceivedAt: s.Now(),
	}
	d.ID = blueberry.NewID(blueberry.DeliveryID, d.ReceivedAt)
	secrets, err := s.secrets(r)
	if err != nil {
		return d, r, err
	}
	values := make([]string, len(secrets))
	for i, x := range secrets {
		values[i] = x.Value
	}
	at := Once(c.Header, "X-Blueberry-Timestamp")
	signature := HexSignature(Once(c.Header, "X-Blueberry-Signature"), "sha256=")
	why := ""
	switch {
	case c.Size > blueberry.MaxCIBody:
		why = fmt.Sprintf("it is larger than %d MiB", blueberry.MaxCIBody>>20)
	case !AboutNow(at, d.ReceivedAt) || !SignedBy(values, signature, []byte(at+"."), c.Body):
		why = "no secret of the repository that lives has signed it, about now"
	}
	switch {
	case why != "" && c.tooMany():
		return d, r, errStrangers
	case why != "":
		d, err = s.refuse(ctx, d, why)
		return d, r, err
	}
	// The time is part of what is the same once more: a pipeline may say today what it said last week, when another has said something else meanwhile.
	sum := sha256.Sum256(append([]byte(eventCI+"\n"+at+"\n"), c.Body...))
	d.Digest = hex.EncodeToString(sum[:])
	return d, r, nil
}

// decodeCI reads a body in which nothing stands that is not known.
func decodeCI(body []byte) (w CIWish, err error) {
	var faults blueberry.Faults
	if err := Decode(body, &w); err != nil {
		var e *blueberry.Error
		if !errors.As(err, &e) {
			return w, err
		}
		field, what, _ := strings.Cut(e.Detail, " ")
		if field == "body" {
			field = ""
		}
		faults.Add(field, "malformed", "%s", what)
		return w, faults.Err()
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&CIWish{}); err != nil {
		name := strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		w.Found.Add(blueberry.PlainText(name, 100), "unknown_field", "does not exist")
	}
	return w, nil
}
