package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Call is a call of a host, as it came.
type Call struct {
	Repository string // id
	Header     http.Header
	Body       []byte // empty where it was larger than a delivery may be
	Size       int64  // bytes that it had, as far as they were read
	From       string // address of the caller
	// Stranger counts a call that nobody signed; when there were too many it is false, and nothing of the call is kept. Nil counts nothing.
	Stranger func() bool
}

var errStrangers = blueberry.Errorf(blueberry.TooMany, "RATE_LIMITED", "too many calls that nobody signed")

// refusedEvery is how often it is told that deliveries of a repository are refused.
const refusedEvery = time.Hour

// tooMany counts a call that nobody signed, and reports whether there were too many of them.
func (c Call) tooMany() bool { return c.Stranger != nil && !c.Stranger() }

// Expects tells before its body is read whether there is a repository that a call is for: NotFound, or TooMany when Stranger says so.
func (s *Repositories) Expects(ctx context.Context, c Call) error {
	_, err := s.called(ctx, c)
	return err
}

func (s *Repositories) called(ctx context.Context, c Call) (blueberry.Repository, error) {
	r, err := view(ctx, s, func(tx Tx) (blueberry.Repository, error) { return tx.Repository(ctx, c.Repository) })
	if errors.Is(err, blueberry.NotFound) && c.tooMany() {
		return r, errStrangers
	}
	return r, err
}

// Receive keeps a delivery, and what follows of it, before it is answered: the verdict stands in what it gives. One that is not signed is kept without its
// body and acts on nothing. NotFound for an id of no repository: then nothing is kept. TooMany when Stranger says so.
func (s *Repositories) Receive(ctx context.Context, c Call) (blueberry.Delivery, error) {
	r, err := s.called(ctx, c)
	if err != nil {
		return blueberry.Delivery{}, err
	}
	host, ok := s.Hosts[r.Host]
	if !ok {
		return blueberry.Delivery{}, fmt.Errorf("no driver for host %s", r.Host)
	}
	d := blueberry.Delivery{
		RepositoryID: r.ID, Project: r.Project, Host: r.Host, Headers: kept(c.Header), Size: int(c.Size), From: c.From, ReceivedAt: s.Now(),
	}
	d.ID = blueberry.NewID(blueberry.DeliveryID, d.ReceivedAt)
	d.HostID, d.Event = host.Named(c.Header)
	d.HostID, d.Event = short(d.HostID), short(d.Event)
	secrets, err := s.secrets(r)
	if err != nil {
		return blueberry.Delivery{}, err
	}
	values := make([]string, len(secrets))
	for i, x := range secrets {
		values[i] = x.Value
	}
	why := ""
	switch {
	case c.Size > blueberry.MaxDelivery:
		why = fmt.Sprintf("it is larger than %d MiB", blueberry.MaxDelivery>>20)
	case !host.Signed(c.Header, c.Body, values, d.ReceivedAt):
		why = "no secret of the repository that lives has signed it"
	}
	switch {
	case why != "" && c.tooMany():
		return blueberry.Delivery{}, errStrangers
	case why != "":
		return s.refuse(ctx, d, why)
	}
	d.Digest, d.Body = digestOf(d.Event, c.Body), c.Body
	return s.take(ctx, r, host, d)
}

// digestOf is by what a delivery is known that comes again.
func digestOf(head string, body []byte) string {
	sum := sha256.Sum256(append([]byte(head+"\n"), body...))
	return hex.EncodeToString(sum[:])
}

// kept is the headers that drivers read, and what the host says of itself: neither signatures nor tokens.
func kept(h http.Header) map[string]string {
	out := map[string]string{}
	for _, name := range []string{
		"Content-Type", "User-Agent", "Idempotency-Key", "Webhook-Id", "Webhook-Timestamp", "X-GitHub-Event", "X-GitHub-Delivery", "X-GitHub-Hook-ID", "X-Gitlab-Event",
		"X-Gitlab-Instance", "X-Gitea-Event", "X-Gitea-Event-Type", "X-Gitea-Delivery", "X-Forgejo-Event", "X-Forgejo-Event-Type", "X-Forgejo-Delivery", "X-Event-Key",
		"X-Request-UUID", "X-Request-Id", "X-Hook-UUID", "X-Attempt-Number", "X-Blueberry-Event", "X-Blueberry-Delivery", "X-Blueberry-Timestamp",
	} {
		if values := h.Values(name); len(values) > 0 {
			out[name] = short(strings.Join(values, ", "))
		}
	}
	return out
}

// short is a text of a header that may be shown and kept.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	if len(s) > 255 {
		s = strings.ToValidUTF8(s[:255], "")
	}
	return s
}

// refuse keeps that a delivery came which acts on nothing.
func (s *Repositories) refuse(ctx context.Context, d blueberry.Delivery, reason string) (blueberry.Delivery, error) {
	d.Verdict, d.Reason = blueberry.DeliveryRefused, reason
	return d, s.Record.Update(ctx, func(tx Tx) error {
		r, err := tx.Repository(ctx, d.RepositoryID)
		if err != nil {
			return err
		}
		if err := tx.InsertDelivery(ctx, d); err != nil {
			return err
		}
		if err := tx.TouchRepository(ctx, r.ID, false, d.ReceivedAt); err != nil || d.ReceivedAt.Sub(r.LastRefusedAt) < refusedEvery {
			return err
		}
		message := fmt.Sprintf("a delivery of %s was refused: %s", r.Name, reason)
		return tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.DeliveryRejected, Project: r.Project, Actor: actorOf(r).Name, Message: message, At: d.ReceivedAt})
	})
}

// take keeps a delivery that is signed, and takes over what it says of a pull request.
func (s *Repositories) take(ctx context.Context, r blueberry.Repository, host Host, d blueberry.Delivery) (blueberry.Delivery, error) {
	header := http.Header{}
	for name, value := range d.Headers {
		header.Set(name, value)
	}
	in, unread := host.Read(header, d.Body)
	if in.Sign != nil { // of which the same may happen again: the time that was signed is part of what is the same once more, and a header that is not is none
		d.Digest = digestOf("sign\n"+header.Get("X-Blueberry-Timestamp"), d.Body)
	}
	var out blueberry.Delivery
	err := again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			out = d
			out.Action = short(in.Action)
			if err := s.judge(ctx, tx, r, in, unread, &out); err != nil {
				return err
			}
			if err := tx.InsertDelivery(ctx, out); err != nil {
				return err
			}
			return tx.TouchRepository(ctx, r.ID, true, d.ReceivedAt)
		})
	})
	if !isCode(err, "DELIVERY_SEEN") {
		return out, err
	}
	out = d
	out.Action, out.Verdict, out.Reason, out.Body = short(in.Action), blueberry.DeliveryDuplicate, "it came before", nil
	return out, s.Record.Update(ctx, func(tx Tx) error { return tx.InsertDelivery(ctx, out) })
}

// judge decides what becomes of a delivery, and does what follows of it in the record.
func (s *Repositories) judge(ctx context.Context, tx Tx, r blueberry.Repository, in Incoming, unread error, d *blueberry.Delivery) error {
	ignore := func(reason string) error {
		d.Verdict, d.Reason = blueberry.DeliveryIgnored, reason
		return nil
	}
	switch {
	case unread != nil:
		d.Verdict, d.Reason = blueberry.DeliveryUnread, short(unread.Error())
		return nil
	case in.Ping:
		return ignore("the host asked whether anybody is there")
	case in.Sign != nil:
		return s.judgeSign(ctx, tx, r, *in.Sign, d)
	case in.Pull == nil && in.Comment == nil && in.Pushes == nil:
		return ignore("it is about no pull request, comment or branch")
	case !strings.EqualFold(in.Repository, r.Name):
		return ignore(fmt.Sprintf("it is about repository %s, and this one is %s", short(in.Repository), r.Name))
	case in.Comment != nil:
		return s.judgeComment(ctx, tx, r, *in.Comment, d)
	case in.Pushes != nil:
		for i, x := range in.Pushes {
			if x.At.IsZero() || x.At.After(d.ReceivedAt.Add(maxAhead)) {
				in.Pushes[i].At = d.ReceivedAt
			}
		}
		return s.judgePush(ctx, tx, r, in.Pushes, d)
	}
	p, isNew, err := s.note(ctx, tx, r, in, d.ReceivedAt)
	if err != nil {
		return err
	}
	d.PullID = p.ID
	if !isNew {
		return ignore("no news: what is known of the pull request is as new")
	}
	d.Verdict, d.Reason = blueberry.DeliveryAccepted, fmt.Sprintf("pull request %d is %s at %.12s", p.Number, p.State, p.HeadCommit)
	now, err := tx.Repository(ctx, r.ID)
	if err != nil {
		return err
	}
	if err := lookBack(ctx, tx, now, p); err != nil {
		return err
	}
	return lookedAt(ctx, tx, now, p.ID)
}

// lookedAt has a pull request of which there is news looked at, and its host told: also where that brings nothing about, the new commit is to bear a status.
func lookedAt(ctx context.Context, tx Tx, r blueberry.Repository, id string) error {
	err := tx.Enqueue(ctx, blueberry.JobPullReconcile, id)
	if err == nil && len(r.Credential) > 0 {
		err = tx.Enqueue(ctx, blueberry.JobPullReport, id)
	}
	return err
}

// maxAhead is how far the clock of a host may be ahead of ours.
const maxAhead = time.Hour

// note takes over what a delivery says of a pull request, unless what is known is newer.
func (s *Repositories) note(ctx context.Context, tx Tx, r blueberry.Repository, in Incoming, at time.Time) (p blueberry.PullRequest, isNew bool, err error) {
	said := *in.Pull
	if said.HostAt.IsZero() || said.HostAt.After(at.Add(maxAhead)) { // a host whose clock is wrong shall not close the door for what comes after
		said.HostAt = at
	}
	known, err := tx.FindPull(ctx, r.ID, said.Number)
	switch {
	case errors.Is(err, blueberry.NotFound):
		said.ID, said.RepositoryID, said.Project = blueberry.NewID(blueberry.PullID, at), r.ID, r.Project
		said.CreatedAt, said.UpdatedAt, said.Version = at, at, 1
		err := tx.InsertPull(ctx, said)
		if isCode(err, "PULL_EXISTS") { // another server was faster
			err = blueberry.Errorf(blueberry.Conflict, codeMoved, "pull request %d has just been noted", said.Number)
		}
		return said, true, err
	case err != nil:
		return known, false, err
	case !known.Newer(said, in.Reopened) || known.Same(said):
		return known, false, nil
	}
	p = known.Take(said)
	p.UpdatedAt = at
	return p, true, tx.UpdatePull(ctx, p)
}

// actorOf is who acts when a repository does: a developer of its project.
func actorOf(r blueberry.Repository) blueberry.Actor {
	return blueberry.Actor{
		Kind: blueberry.ActorJob, ID: r.ID, Name: "repository " + r.Name, Projects: map[string][]blueberry.Grant{r.Project: blueberry.RoleDeveloper.Grants()},
	}
}
