package source

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// SignRows find what a sign is about.
type SignRows interface {
	// SignedEnvironments gives the environments of a project that are not terminated and that a sign can be about, two at most: the one of its name; else that of
	// its application; else those in its namespace.
	SignedEnvironments(ctx context.Context, project string, s blueberry.EnvironmentSign) ([]blueberry.Environment, error)
}

// Bounds of what a sign says, in characters.
const (
	maxSignEvent   = 100
	maxSignMessage = 500
)

// judgeSign takes over what something outside says of an environment: it stands among its events, and the environment is looked at. Who sends reaches those of
// its own project alone.
func (s *Repositories) judgeSign(ctx context.Context, tx Tx, r blueberry.Repository, sign blueberry.EnvironmentSign, d *blueberry.Delivery) error {
	found, err := tx.SignedEnvironments(ctx, r.Project, sign)
	if err != nil {
		return err
	}
	if len(found) != 1 {
		d.Verdict, d.Reason = blueberry.DeliveryIgnored, fmt.Sprintf("project %s has no environment %s", r.Project, short(named(sign)))
		if len(found) > 1 {
			d.Reason = fmt.Sprintf("more than one environment of project %s is in %s", r.Project, short(named(sign)))
		}
		return nil
	}
	e := found[0]
	message := fmt.Sprintf("%s says %s of %s/%s", r.Name, cutTo(sign.Event, maxSignEvent), e.Project, e.Name)
	if text := cutTo(sign.Message, maxSignMessage); text != "" {
		message += ": " + text
	}
	err = tx.AppendEvent(ctx, blueberry.Event{
		Type: blueberry.EnvironmentSigned, EnvironmentID: e.ID, Environment: e.Name, Project: e.Project, Actor: actorOf(r).Name, Message: message, At: d.ReceivedAt,
	})
	if err != nil {
		return err
	}
	d.Verdict, d.Reason = blueberry.DeliveryAccepted, fmt.Sprintf("%s of environment %s", short(cutTo(sign.Event, maxSignEvent)), e.Name)
	return tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID)
}

// named is what a sign calls its environment.
func named(s blueberry.EnvironmentSign) string {
	switch {
	case s.Environment != "":
		return s.Environment
	case s.Application != "":
		return "of application " + s.Application
	}
	return "in namespace " + s.Namespace
}

// cutTo is no more than n characters of a text.
func cutTo(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}
