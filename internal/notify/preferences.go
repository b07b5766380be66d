package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// People knows what users may do now.
type People interface {
	// Person gives what a user may do; their name is their address. NotFound or Forbidden for one who is gone or not active.
	Person(ctx context.Context, userID string) (blueberry.Actor, error)
}

// PreferencesWish is all that somebody prefers from now on.
type PreferencesWish struct {
	Off     bool
	Events  []string
	Mail    bool
	Channel *ChannelWish // nil for none
	Quiet   blueberry.QuietHours
	Muted   []string
	Found   blueberry.Faults // what was wrong with the request before it came here
}

// ChannelWish is where a channel goes.
type ChannelWish struct {
	Kind blueberry.SubscriptionKind
	URL  string // empty: the one that is kept, of the same kind
}

// PreferencesSet is preferences with the secret of a webhook that has just been made, which is told this once.
type PreferencesSet struct {
	Preferences blueberry.Preferences
	Ways        []blueberry.Subscription // how they are told, without addresses and secrets
	Secret      blueberry.WebhookSecret
}

// self is the id of the user who asks, who must be a person: programs do not look after an account.
func self(actor blueberry.Actor) (string, error) {
	if actor.UserID != "" && (actor.Kind == blueberry.ActorUser || actor.Kind == blueberry.ActorClient && actor.Person) {
		return actor.UserID, nil
	}
	return "", blueberry.Errorf(blueberry.Forbidden, "PERSON_NEEDED", "only a person has preferences, signed in with a browser or the command line: %s is a program", actor.Name)
}

// Preferences reads what the actor prefers, and how telling them goes.
func (s *Subscriptions) Preferences(ctx context.Context, actor blueberry.Actor) (out PreferencesSet, err error) {
	id, err := self(actor)
	if err != nil {
		return out, err
	}
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		if out.Preferences, err = preferencesOf(ctx, tx, id); err != nil {
			return err
		}
		out.Ways, err = waysOf(ctx, tx, id)
		return err
	})
	return out, err
}

// waysOf reads the subscriptions of a person, without addresses and secrets.
func waysOf(ctx context.Context, tx Tx, userID string) ([]blueberry.Subscription, error) {
	list, err := tx.Subscriptions(ctx, blueberry.SubscriptionQuery{Projects: []string{userID}})
	for i := range list {
		list[i] = withoutSecrets(list[i])
	}
	return list, err
}

func preferencesOf(ctx context.Context, tx Tx, userID string) (blueberry.Preferences, error) {
	p, err := tx.Preferences(ctx, userID)
	if errors.Is(err, blueberry.NotFound) {
		return blueberry.DefaultPreferences(userID), nil
	}
	return p, err
}

// SetPreferences writes what the actor prefers, in place of all before. ifVersion 0 means any.
func (s *Subscriptions) SetPreferences(ctx context.Context, actor blueberry.Actor, w PreferencesWish, ifVersion int64) (out PreferencesSet, err error) {
	id, err := self(actor)
	if err != nil {
		return out, err
	}
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			was, err := preferencesOf(ctx, tx, id)
			if err != nil {
				return err
			}
			if ifVersion != 0 && ifVersion != was.Version {
				return blueberry.Errorf(blueberry.PreconditionFailed, codeMoved, "the preferences are at version %d, the request was made for version %d", was.Version, ifVersion)
			}
			out, err = s.prefer(ctx, tx, actor, was, w)
			return err
		})
	})
	return out, err
}

func (s *Subscriptions) prefer(ctx context.Context, tx Tx, actor blueberry.Actor, was blueberry.Preferences, w PreferencesWish) (out PreferencesSet, err error) {
	p := blueberry.Preferences{
		UserID: was.UserID, Off: w.Off, Events: w.Events, Mail: w.Mail, Quiet: w.Quiet, Muted: slices.Compact(slices.Sorted(slices.Values(w.Muted))), UpdatedAt: s.Now(), Version: was.Version,
	}
	var address blueberry.SubscriptionAddress
	moved := false // the channel has another address
	if w.Channel != nil {
		address.URL, p.Channel.Kind = w.Channel.URL, w.Channel.Kind
		if moved = w.Channel.URL != "" || w.Channel.Kind != was.Channel.Kind; moved {
			p.Channel.Endpoint = address.Shown(p.Channel.Kind)
		} else {
			p.Channel = was.Channel
		}
	}
	faults := slices.Clone(w.Found)
	faults.CheckPreferences(p, address, moved, s.AllowLocal)
	if err := faults.Err(); err != nil {
		return out, err
	}
	if err := tx.PutPreferences(ctx, p); err != nil {
		return out, err
	}
	p.Version++
	out.Preferences = p
	if out.Secret, err = s.reach(ctx, tx, p, address, moved); err != nil {
		return out, err
	}
	if out.Ways, err = waysOf(ctx, tx, p.UserID); err != nil {
		return out, err
	}
	return out, tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: "account:preferences", Resource: p.UserID, Detail: fmt.Sprintf("%s set what they are told of", actor.Name), At: p.UpdatedAt,
		Before: blueberry.AuditFields(preferred(was)), After: blueberry.AuditFields(preferred(p)),
	})
}

func preferred(p blueberry.Preferences) map[string]any {
	return map[string]any{"off": p.Off, "events": p.Events, "mail": p.Mail, "channel": p.Channel, "quiet": p.Quiet, "muted": p.Muted}
}

// reach makes the subscriptions of a person those of their preferences.
func (s *Subscriptions) reach(ctx context.Context, tx Tx, p blueberry.Preferences, address blueberry.SubscriptionAddress, moved bool) (secret blueberry.WebhookSecret, err error) {
	have, err := tx.Subscriptions(ctx, blueberry.SubscriptionQuery{Projects: []string{p.UserID}})
	if err != nil {
		return secret, err
	}
	for _, way := range []struct {
		name string
		kind blueberry.SubscriptionKind // empty: there is none
	}{{blueberry.PersonalMail, blueberry.SubscriptionMail}, {blueberry.PersonalChannel, p.Channel.Kind}} {
		at := slices.IndexFunc(have, func(x blueberry.Subscription) bool { return x.Name == way.name })
		if at >= 0 && (have[at].Kind != way.kind || way.name == blueberry.PersonalChannel && moved) { // what waited for another receiver is nothing for this one
			if err := tx.DeleteSubscription(ctx, have[at].ID); err != nil {
				return secret, err
			}
			at = -1
		}
		if way.kind == "" {
			continue
		}
		if at < 0 {
			made, err := s.personal(ctx, tx, p, way.name, way.kind, address)
			if err != nil {
				return secret, err
			}
			if made.Value != "" {
				secret = made
			}
			continue
		}
		sub := have[at]
		sub.Events, sub.Quiet, sub.Off, sub.OffWhy, sub.UpdatedAt = p.Events, p.Quiet, off(p, way.kind), "", p.UpdatedAt
		if err := errors.Join(tx.UpdateSubscription(ctx, sub), tx.Enqueue(ctx, blueberry.JobNoticeSend, sub.ID)); err != nil {
			return secret, err
		}
	}
	return secret, nil
}

func off(p blueberry.Preferences, kind blueberry.SubscriptionKind) bool {
	return p.Off || kind == blueberry.SubscriptionMail && !p.Mail
}

func (s *Subscriptions) personal(
	ctx context.Context, tx Tx, p blueberry.Preferences, name string, kind blueberry.SubscriptionKind, address blueberry.SubscriptionAddress,
) (secret blueberry.WebhookSecret, err error) {
	sub := blueberry.Subscription{
		ID: blueberry.NewID(blueberry.SubscriptionID, p.UpdatedAt), Project: p.UserID, Name: name, Kind: kind, Events: p.Events, Quiet: p.Quiet, Off: off(p, kind),
		CreatedAt: p.UpdatedAt, UpdatedAt: p.UpdatedAt, Version: 1,
	}
	if kind == blueberry.SubscriptionMail {
		address = blueberry.SubscriptionAddress{} // it is that of the account when a mail is sent
	} else {
		sub.Endpoint = p.Channel.Endpoint
	}
	if err := s.sealAddress(&sub, address); err != nil {
		return secret, err
	}
	if kind == blueberry.SubscriptionWebhook {
		secret = newSecret(p.UpdatedAt, "")
		if err := s.sealSecrets(&sub, []blueberry.WebhookSecret{secret}); err != nil {
			return secret, err
		}
	}
	return secret, tx.InsertSubscription(ctx, sub)
}

// TestPreferences tells the actor of an event that is none, now and once, by each way that is on, and gives the notices. Conflict when none is.
func (s *Subscriptions) TestPreferences(ctx context.Context, actor blueberry.Actor) (out []blueberry.Notice, err error) {
	id, err := self(actor)
	if err != nil {
		return nil, err
	}
	subs, err := view(ctx, s, func(tx Tx) ([]blueberry.Subscription, error) {
		return tx.Subscriptions(ctx, blueberry.SubscriptionQuery{Projects: []string{id}})
	})
	if err != nil {
		return nil, err
	}
	for _, sub := range subs {
		if sub.Off {
			continue
		}
		n, err := s.test(ctx, actor, sub)
		if err != nil {
			return out, err
		}
		out = append(out, n)
	}
	if len(out) == 0 {
		return nil, blueberry.Errorf(blueberry.Conflict, "NOBODY_TOLD", "no way to tell you is on: set your preferences first")
	}
	return out, nil
}

// OwnNotices reads what the actor was told themselves, the newest first.
func (s *Subscriptions) OwnNotices(ctx context.Context, actor blueberry.Actor, q blueberry.NoticeQuery) ([]blueberry.Notice, error) {
	id, err := self(actor)
	if err != nil {
		return nil, err
	}
	q.Projects = []string{id}
	list, err := view(ctx, s, func(tx Tx) ([]blueberry.Notice, error) { return tx.Notices(ctx, q) })
	for i := range list {
		list[i] = asSeen(actor, list[i])
	}
	return list, err
}

// asSeen is a notice of a person as they may see it: of a project that they may not see any more, only that there was something.
func asSeen(actor blueberry.Actor, n blueberry.Notice) blueberry.Notice {
	if e := n.Event; e.Project != "" && !reads(actor, e.Project) {
		n.Event = blueberry.Event{Seq: e.Seq, ID: e.ID, Type: e.Type, At: e.At}
	}
	return n
}

// LeaseMail tells whether an owner is to be told by mail that the lease of an environment in a project ends, and not before when; zero for at once. Who is no
// user has no preferences. One who may not see the project any more is told nothing.
func (s *Subscriptions) LeaseMail(ctx context.Context, owner, project string) (wanted bool, notBefore time.Time, err error) {
	var p blueberry.Preferences
	err = s.Record.View(ctx, func(tx Tx) error {
		id, err := tx.UserIDByLabel(ctx, owner)
		if err != nil {
			return err
		}
		p, err = preferencesOf(ctx, tx, id)
		return err
	})
	switch {
	case errors.Is(err, blueberry.NotFound):
		return true, time.Time{}, nil
	case err != nil:
		return false, time.Time{}, err
	case !p.Mail || !p.Wants(blueberry.EnvironmentLeaseEnding, project):
		return false, time.Time{}, nil
	}
	_, why, err := s.reader(ctx, p.UserID, project)
	return why == "" && err == nil, p.Quiet.Until(s.Now()), err
}

// reader is a user as an actor, or why they may not be told of an environment in a project.
func (s *Subscriptions) reader(ctx context.Context, userID, project string) (actor blueberry.Actor, why string, err error) {
	actor, err = s.People.Person(ctx, userID)
	switch {
	case errors.Is(err, blueberry.NotFound), errors.Is(err, blueberry.Forbidden):
		return actor, "the account is not active any more", nil
	case err != nil:
		return actor, "", err
	case project != "" && !reads(actor, project):
		return actor, "the person may not see the project any more", nil
	}
	return actor, "", nil
}

func reads(actor blueberry.Actor, project string) bool {
	return actor.CanIn(project, blueberry.GrantEnvironmentsRead) == nil
}

// withhold gives up a notice for a person who may not be told, or does not want to be any more: true when it did. Nothing is sent, and nobody is to blame.
func (s *Subscriptions) withhold(ctx context.Context, sub blueberry.Subscription, n blueberry.Notice) (bool, error) {
	id := sub.Personal()
	if id == "" {
		return false, nil
	}
	_, why, err := s.reader(ctx, id, n.Event.Project)
	if err != nil {
		return false, err
	}
	p, err := view(ctx, s, func(tx Tx) (blueberry.Preferences, error) { return preferencesOf(ctx, tx, id) })
	if err != nil {
		return false, err
	}
	switch {
	case why != "":
	case slices.Contains(p.Muted, n.Event.Project):
		why = "the person has muted the project"
	case n.Event.Type.Tellable() && !p.Wants(n.Event.Type, n.Event.Project): // a test is told whatever they want
		why = "the person does not want to be told of it any more"
	default:
		return false, nil
	}
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			n, err := tx.Notice(ctx, n.ID)
			if err != nil || n.State != blueberry.NoticeWaiting {
				return err
			}
			return tx.UpdateNotice(ctx, n.Withheld(why, s.Now()))
		})
	})
	if errors.Is(err, blueberry.NotFound) {
		err = nil
	}
	return true, err
}

// personalWishes reads whose environments something has happened to.
func personalWishes(ctx context.Context, tx Tx, events []blueberry.Event) ([]blueberry.PersonalWish, error) {
	var ids []string
	for _, e := range events {
		if e.EnvironmentID != "" && strings.HasPrefix(string(e.Type), "environment.") {
			ids = append(ids, e.EnvironmentID)
		}
	}
	slices.Sort(ids)
	return tx.PersonalWishes(ctx, slices.Compact(ids))
}
