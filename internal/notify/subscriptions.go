package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Subscriptions is the operations on who is told of events, and on what was told.
type Subscriptions struct {
	Record     Record
	Seal       Sealer // of addresses and secrets
	Senders    map[blueberry.SubscriptionKind]Sender
	PublicURL  string // of the server, without a slash at its end
	AllowLocal bool   // addresses in networks of the server's own, and http
	People     People // of those who want to be told themselves
	LendAWS    bool   // queues without a key are sent to as the server itself
	AtOnce     int    // subscriptions that are told of something at the same time; 0 means as many as ask
	Now        func() time.Time

	once    sync.Once
	sending chan struct{} // holds a place for each that is being told
}

// Sealer encrypts what must not be read off the record. bound is what the value belongs to; it must be the same when it is opened.
type Sealer interface {
	Seal(plain []byte, bound string) ([]byte, error)
	Open(sealed []byte, bound string) ([]byte, error)
}

// SubscriptionWish is all that a subscription is to be.
type SubscriptionWish struct {
	Project      string // empty means the default
	Installation bool   // of the whole installation, and of no project
	Name         string
	Kind         blueberry.SubscriptionKind
	Address      blueberry.SubscriptionAddress
	Events       []string
	Quiet        blueberry.QuietHours
	Secret       string           // of a webhook; empty: one is made
	Found        blueberry.Faults // what was wrong with the request before it came here
}

// Added is a subscription with the secret of a webhook, which is told this once. Of other kinds the secret is zero.
type Added struct {
	Subscription blueberry.Subscription
	Secret       blueberry.WebhookSecret
}

// Add makes a subscription. Every fault is told at once.
func (s *Subscriptions) Add(ctx context.Context, actor blueberry.Actor, w SubscriptionWish) (Added, error) {
	faults := slices.Clone(w.Found)
	switch {
	case w.Installation && w.Project != "":
		faults.Add("project", "exclusive", "a subscription of the installation is of no project")
	case !w.Installation && w.Project == "":
		w.Project = blueberry.DefaultProject
	}
	in := w.Project
	if w.Installation {
		in = ""
	}
	if err := actor.CanIn(in, blueberry.GrantSubscriptionsWrite); err != nil {
		return Added{}, err
	}
	now := s.Now()
	sub := blueberry.Subscription{
		ID: blueberry.NewID(blueberry.SubscriptionID, now), Project: in, Name: w.Name, Kind: w.Kind, Events: w.Events, Quiet: w.Quiet,
		Endpoint: s.shown(w.Kind, w.Address), CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	s.check(&faults, sub, w.Address)
	if w.Secret != "" {
		checkSecret(&faults, sub.Kind, w.Secret)
	}
	if err := faults.Err(); err != nil {
		return Added{}, err
	}
	var secret blueberry.WebhookSecret
	if err := s.sealAddress(&sub, w.Address); err != nil {
		return Added{}, err
	}
	if sub.Kind == blueberry.SubscriptionWebhook {
		secret = newSecret(now, w.Secret)
		if err := s.sealSecrets(&sub, []blueberry.WebhookSecret{secret}); err != nil {
			return Added{}, err
		}
	}
	err := s.Record.Update(ctx, func(tx Tx) error {
		if sub.Project != "" {
			if _, err := tx.Project(ctx, sub.Project); err != nil {
				return err
			}
		}
		if err := roomFor(ctx, tx, sub); err != nil {
			return err
		}
		if err := tx.InsertSubscription(ctx, sub); err != nil {
			return err
		}
		return s.tell(ctx, tx, actor, sub, fact{event: blueberry.SubscriptionAdded, message: fmt.Sprintf("%s added subscription %s", actor.Name, sub.Name), after: fieldsOf(sub)})
	})
	if err != nil {
		return Added{}, err
	}
	return Added{withoutSecrets(sub), secret}, nil
}

func (s *Subscriptions) check(faults *blueberry.Faults, sub blueberry.Subscription, a blueberry.SubscriptionAddress) {
	faults.CheckSubscription(sub, a, s.AllowLocal)
	if _, ok := s.Senders[sub.Kind]; !ok && slices.Contains(blueberry.SubscriptionKinds(), sub.Kind) {
		faults.Add("kind", "unavailable", "%s is not set up on this server", sub.Kind)
	}
	if sub.Kind == blueberry.SubscriptionSQS && a.User == "" && !s.LendAWS {
		faults.Add("user", "required", "is needed: the id of an access key; the operator does not lend the identity of the server")
	}
}

// roomFor is an Invalid error when there are as many subscriptions as there may be.
func roomFor(ctx context.Context, tx Tx, sub blueberry.Subscription) error {
	n, err := tx.CountSubscriptions(ctx, sub.Project)
	if err != nil || n < blueberry.MaxSubscriptions {
		return err
	}
	var f blueberry.Faults
	f.Add("project", "too_many", "has %d subscriptions, at most %d are allowed: remove one, or let one tell of more events", n, blueberry.MaxSubscriptions)
	return f.Err()
}

// pagerDuty is what is shown of the address of a subscription that names none.
const pagerDuty = "https://events.pagerduty.com"

func (s *Subscriptions) shown(kind blueberry.SubscriptionKind, a blueberry.SubscriptionAddress) string {
	if kind == blueberry.SubscriptionPagerDuty && a.URL == "" {
		return pagerDuty
	}
	return a.Shown(kind)
}

// Subscription reads one.
func (s *Subscriptions) Subscription(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Subscription, error) {
	sub, err := view(ctx, s, func(tx Tx) (blueberry.Subscription, error) {
		return subscriptionFor(ctx, tx, actor, id, blueberry.GrantSubscriptionsRead)
	})
	return withoutSecrets(sub), err
}

// List reads one page, by id. An empty project means all that the actor may see.
func (s *Subscriptions) List(ctx context.Context, actor blueberry.Actor, project string, q blueberry.SubscriptionQuery) ([]blueberry.Subscription, error) {
	in, err := within(actor, project, blueberry.GrantSubscriptionsRead)
	if err != nil || (blueberry.Subscription{Project: project}).Personal() != "" { // a person is no project
		return nil, err
	}
	q.Projects = in
	list, err := view(ctx, s, func(tx Tx) ([]blueberry.Subscription, error) { return tx.Subscriptions(ctx, q) })
	for i := range list {
		list[i] = withoutSecrets(list[i])
	}
	return list, err
}

// within is the projects that a list is bounded to; nil for no bound.
func within(actor blueberry.Actor, project string, g blueberry.Grant) ([]string, error) {
	in, err := actor.Within(project, g)
	if err == nil && project != "" {
		in = []string{project}
	}
	return in, err
}

// SubscriptionChange is what is to be another one; nil leaves it.
type SubscriptionChange struct {
	Name         *string
	URL, Key, To *string // of the address
	User, Region *string
	Stream       *string
	Events       *[]string
	Quiet        *blueberry.QuietHours
	Off          *bool
	Found        blueberry.Faults
}

// Change alters a subscription. One that is switched on again sends what waited. ifVersion 0 means any.
func (s *Subscriptions) Change(ctx context.Context, actor blueberry.Actor, id string, c SubscriptionChange, ifVersion int64) (blueberry.Subscription, error) {
	return s.change(ctx, actor, id, ifVersion, func(tx Tx, sub *blueberry.Subscription) (fact, error) {
		was := *sub
		address, err := s.address(*sub)
		if err != nil {
			return fact{}, err
		}
		before := address
		c.over(sub, &address)
		sub.Endpoint = s.shown(sub.Kind, address)
		faults := slices.Clone(c.Found)
		s.check(&faults, *sub, address)
		if c.Key == nil && before.URL != address.URL && showsKey(sub.Kind) && before.Key != "" {
			faults.Add("key", "required", "is needed anew: the one that is kept is for the former address only")
		}
		if err := faults.Err(); err != nil || text(fieldsOf(was)) == text(fieldsOf(*sub)) && before == address {
			return fact{}, err
		}
		message := fmt.Sprintf("%s changed subscription %s", actor.Name, sub.Name)
		if before != address {
			message += "; it has another address"
			if err := s.sealAddress(sub, address); err != nil {
				return fact{}, err
			}
		}
		if before != address || was.Off && !sub.Off {
			sub.Health = blueberry.SubscriptionHealth{DeliveredAt: was.Health.DeliveredAt}
		}
		if err := tx.Enqueue(ctx, blueberry.JobNoticeSend, sub.ID); err != nil {
			return fact{}, err
		}
		return fact{blueberry.SubscriptionChanged, message, fieldsOf(was), fieldsOf(*sub)}, nil
	})
}

// showsKey reports whether a receiver is told the key, or what proves as much for a while. AWS is not: a call is signed for one host.
func showsKey(kind blueberry.SubscriptionKind) bool {
	switch kind {
	case blueberry.SubscriptionPagerDuty, blueberry.SubscriptionPubSub, blueberry.SubscriptionNATS:
		return true
	}
	return false
}

func (c SubscriptionChange) over(sub *blueberry.Subscription, address *blueberry.SubscriptionAddress) {
	for _, x := range []struct{ from, to *string }{
		{c.Name, &sub.Name},
		{c.URL, &address.URL},
		{c.Key, &address.Key},
		{c.To, &address.To},
		{c.User, &address.User},
		{c.Region, &address.Region},
		{c.Stream, &address.Stream},
	} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	if c.Events != nil {
		sub.Events = *c.Events
	}
	if c.Quiet != nil {
		sub.Quiet = *c.Quiet
	}
	if c.Off != nil && *c.Off != sub.Off {
		sub.Off, sub.OffWhy = *c.Off, ""
	}
}

// Rotate makes a new secret of a webhook. For a week what is sent is signed by the former one, too; one before that ends now. Conflict for other kinds.
func (s *Subscriptions) Rotate(ctx context.Context, actor blueberry.Actor, id, value string) (Added, error) {
	var faults blueberry.Faults
	if value != "" {
		checkSecret(&faults, blueberry.SubscriptionWebhook, value)
	}
	secret := newSecret(s.Now(), value)
	sub, err := s.change(ctx, actor, id, 0, func(_ Tx, sub *blueberry.Subscription) (fact, error) {
		if sub.Kind != blueberry.SubscriptionWebhook {
			return fact{}, blueberry.Errorf(blueberry.Conflict, "SUBSCRIPTION_UNSIGNED", "subscription %s is of the kind %s, which signs nothing", sub.Name, sub.Kind)
		}
		if err := faults.Err(); err != nil {
			return fact{}, err
		}
		live, err := s.secrets(*sub)
		if err != nil {
			return fact{}, err
		}
		list := []blueberry.WebhookSecret{secret}
		for _, x := range live {
			if x.EndsAt.IsZero() {
				x.EndsAt = s.Now().Add(blueberry.WebhookOverlap)
				list = append(list, x)
			}
		}
		message := fmt.Sprintf("%s made a new secret of subscription %s; the former one ends in a week", actor.Name, sub.Name)
		return fact{event: blueberry.SubscriptionChanged, message: message}, s.sealSecrets(sub, list[:min(len(list), blueberry.MaxWebhookSecrets)])
	})
	if err != nil {
		return Added{}, err
	}
	return Added{sub, secret}, nil
}

// Remove forgets a subscription with its notices. ifVersion 0 means any.
func (s *Subscriptions) Remove(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error {
	return s.Record.Update(ctx, func(tx Tx) error {
		sub, err := subscriptionFor(ctx, tx, actor, id, blueberry.GrantSubscriptionsWrite)
		if err != nil {
			return err
		}
		if err := checkVersion(sub, ifVersion); err != nil {
			return err
		}
		if err := tx.DeleteSubscription(ctx, id); err != nil {
			return err
		}
		return s.tell(ctx, tx, actor, sub, fact{event: blueberry.SubscriptionRemoved, message: fmt.Sprintf("%s removed subscription %s", actor.Name, sub.Name), before: fieldsOf(sub)})
	})
}

// writeAttempts is how often an operation begins anew that lost against another writer.
const writeAttempts = 10

// change reads a subscription, lets alter say what becomes of it and what is told, and writes it. A fact without an event says that nothing changed.
func (s *Subscriptions) change(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64, alter func(tx Tx, sub *blueberry.Subscription) (fact, error)) (out blueberry.Subscription, err error) {
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			sub, err := subscriptionFor(ctx, tx, actor, id, blueberry.GrantSubscriptionsWrite)
			if err != nil {
				return err
			}
			if err := checkVersion(sub, ifVersion); err != nil {
				return err
			}
			told, err := alter(tx, &sub)
			if out = sub; err != nil || told.event == "" {
				return err
			}
			sub.UpdatedAt = s.Now()
			if err := tx.UpdateSubscription(ctx, sub); err != nil {
				return err
			}
			sub.Version++
			out = sub
			return s.tell(ctx, tx, actor, sub, told)
		})
	})
	if err != nil {
		return blueberry.Subscription{}, err
	}
	return withoutSecrets(out), nil
}

// again calls f anew while it loses against another writer.
func again(f func() error) (err error) {
	for range writeAttempts {
		if err = f(); !isCode(err, codeMoved) || !errors.Is(err, blueberry.Conflict) {
			break
		}
	}
	return err
}

const codeMoved = "VERSION_MOVED"

func isCode(err error, code string) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && e.Code == code
}

func checkVersion(sub blueberry.Subscription, want int64) error {
	if want != 0 && want != sub.Version {
		return blueberry.Errorf(blueberry.PreconditionFailed, codeMoved, "subscription %s is at version %d, the request was made for version %d", sub.Name, sub.Version, want)
	}
	return nil
}

// subscriptionFor reads a subscription for an actor who holds the grant on it. What they may not know of is not there.
func subscriptionFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, g blueberry.Grant) (blueberry.Subscription, error) {
	sub, err := tx.Subscription(ctx, id)
	if err != nil {
		return blueberry.Subscription{}, err
	}
	if sub.Personal() != "" && g != blueberry.GrantNoticesRedrive { // it is a part of somebody's preferences, and changes with them
		return blueberry.Subscription{}, blueberry.Errorf(blueberry.NotFound, "SUBSCRIPTION_NOT_FOUND", "there is no subscription %q", id)
	}
	if err := allowed(actor, sub.Project, g, blueberry.Errorf(blueberry.NotFound, "SUBSCRIPTION_NOT_FOUND", "there is no subscription %q", id)); err != nil {
		return blueberry.Subscription{}, err
	}
	return sub, nil
}

// allowed is nil for an actor who holds the grant where a thing belongs. What is of the installation is not there for others.
func allowed(actor blueberry.Actor, project string, g blueberry.Grant, missing error) error {
	err := actor.CanOn(project, g, missing)
	if err != nil && project == "" && actor.Can(blueberry.GrantSubscriptionsRead) != nil {
		return blueberry.Hidden(missing, g)
	}
	return err
}

func view[T any](ctx context.Context, s *Subscriptions, read func(tx Tx) (T, error)) (out T, err error) {
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		out, err = read(tx)
		return err
	})
	return out, err
}

func withoutSecrets(sub blueberry.Subscription) blueberry.Subscription {
	sub.Address, sub.Secrets = nil, nil
	return sub
}

// fact is what an operation did, for its event and its audit entry. Secrets are never among the fields.
type fact struct {
	event         blueberry.EventType
	message       string
	before, after map[string]any
}

// projectOf is the project that facts about a subscription are of; empty for the installation, and for a person.
func projectOf(sub blueberry.Subscription) string {
	if sub.Personal() != "" {
		return ""
	}
	return sub.Project
}

// labelOf names a subscription in what people read.
func labelOf(sub blueberry.Subscription) string {
	if id := sub.Personal(); id != "" {
		return "the " + sub.Name + " of user " + id
	}
	return "subscription " + sub.Name
}

func (s *Subscriptions) tell(ctx context.Context, tx Tx, actor blueberry.Actor, sub blueberry.Subscription, told fact) error {
	now := s.Now()
	if err := tx.AppendEvent(ctx, blueberry.Event{Type: told.event, Project: projectOf(sub), Actor: actor.Name, Message: told.message, At: now}); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(blueberry.GrantSubscriptionsWrite), Resource: sub.ID, Project: projectOf(sub), Detail: told.message, At: now,
		Before: blueberry.AuditFields(told.before), After: blueberry.AuditFields(told.after),
	})
}

func fieldsOf(s blueberry.Subscription) map[string]any {
	return map[string]any{"name": s.Name, "kind": s.Kind, "endpoint": s.Endpoint, "events": s.Events, "quiet": s.Quiet, "off": s.Off}
}

func text(v any) string {
	js, _ := json.Marshal(v) // of texts, numbers and nouns: it cannot fail
	return string(js)
}
