package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Accounts keeps users, projects with their members, service accounts, API tokens, sessions, identity providers, group rules and emergencies.
type Accounts struct {
	Record    Record
	Now       func() time.Time
	Seal      Sealer
	Mail      Mailer // nil while no mail is set up: links are then given to who asks
	PublicURL string // of the pages, without a slash at the end
	Logger    *slog.Logger
}

// Sealer encrypts what the record keeps. What is bound is needed to open it again, so that a value that was moved to another row is refused.
type Sealer interface {
	Seal(plain []byte, bound string) ([]byte, error)
	Open(sealed []byte, bound string) ([]byte, error)
}

// Mailer sends mail. An error of it may be shown to admins, so it holds no password.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Mail is one message, as plain text.
type Mail struct {
	To      []string
	Subject string
	Text    string
}

// change is what an operation tells the audit.
type change struct {
	action   string // a grant, or what else was done
	resource string
	project  string
	detail   string
	before   map[string]any
	after    map[string]any
}

func (a *Accounts) note(ctx context.Context, tx Tx, actor blueberry.Actor, c change) error {
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		At: a.Now(), Actor: actor, Action: c.action, Resource: c.resource, Project: c.project, Detail: c.detail,
		Before: blueberry.AuditFields(c.before), After: blueberry.AuditFields(c.after),
	})
}

// noteAndBump is note for what changes who may do what.
func (a *Accounts) noteAndBump(ctx context.Context, tx Tx, actor blueberry.Actor, c change) error {
	if err := a.note(ctx, tx, actor, c); err != nil {
		return err
	}
	return tx.BumpAccessEpoch(ctx)
}

// checkVersion is Conflict when a thing has moved on from the version that its reader had seen; 0 stands for whichever it has.
func checkVersion(label string, version, ifVersion int64) error {
	if ifVersion != 0 && ifVersion != version {
		return blueberry.Errorf(blueberry.PreconditionFailed, "VERSION_MOVED", "%s is at version %d, not %d: read it again", label, version, ifVersion)
	}
	return nil
}

// writeAttempts is how often an operation begins anew that lost against another writer.
const writeAttempts = 10

// update is Record.Update for writes that name the version that they have read: one that loses against another begins anew.
func (a *Accounts) update(ctx context.Context, f func(tx Tx) error) error {
	var err error
	for range writeAttempts {
		var e *blueberry.Error
		if err = a.Record.Update(ctx, f); !errors.As(err, &e) || e.Kind != blueberry.Conflict || e.Code != "VERSION_MOVED" {
			break
		}
	}
	return err
}

// checkLine is CheckText for what stands on one line, as in the subject of a mail.
func checkLine(f *blueberry.Faults, field, text string, limit int) {
	if strings.ContainsAny(text, "\n\t") {
		f.Add(field, "text", "must be one line")
		return
	}
	f.CheckText(field, text, limit)
}

// pageLimit is how many a page holds, when so many are asked for.
func pageLimit(asked int) int {
	if asked <= 0 {
		return blueberry.DefaultPageSize
	}
	return min(asked, blueberry.MaxPageSize)
}

// changed leaves only the fields that differ.
func changed(before, after map[string]any) (b, a map[string]any) {
	b, a = map[string]any{}, map[string]any{}
	for k, v := range after {
		if !reflect.DeepEqual(before[k], v) {
			b[k], a[k] = before[k], v
		}
	}
	return b, a
}

// trouble is what people may read of an error of the outside: short, on one line, without secrets.
func trouble(err error) string {
	text := blueberry.Redact(strings.Join(strings.Fields(err.Error()), " "))
	if r := []rune(text); len(r) > maxTrouble {
		text = string(r[:maxTrouble]) + "…"
	}
	return text
}

const maxTrouble = 300 // characters: what fits below a name on a page

func isNotFound(err error) bool { return errors.Is(err, blueberry.NotFound) }

func doing(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
