package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// set changes one condition and reports whether it did.
func (p *Provisioner) set(e *blueberry.Environment, t blueberry.ConditionType, s blueberry.Status, reason, message string) bool {
	return blueberry.SetCondition(e.Conditions, blueberry.Condition{Type: t, Status: s, Reason: reason, Message: message}, p.Now())
}

// blocked records that a step cannot go on because of something outside, and tells it once. A new environment that is blocked for longer than
// provisioning may take has failed.
func (p *Provisioner) blocked(ctx context.Context, id string, step blueberry.ConditionType, reason string, cause error) error {
	message := userText(cause)
	_, err := p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		now := p.Now()
		was := blueberry.GetCondition(e.Conditions, step)
		code := blueberry.ConditionCode(cause)
		write := was.Status != blueberry.False || was.Reason != reason || was.Code != code
		if write { // the same cause in other words is no news
			blueberry.SetCondition(e.Conditions, blueberry.Condition{Type: step, Status: blueberry.False, Reason: reason, Code: code, Message: message}, now)
			if first := firstCause(*e, nil, now); first != nil {
				if _, err := p.tellCause(ctx, tx, e, first); err != nil {
					return false, err
				}
			}
		}
		if v := e.Judge(blueberry.Observation{}, now); v.Phase == blueberry.Failed && e.Phase != blueberry.Failed {
			write = true
			before := e.Phase
			if err := e.Move(v.Phase, v.Reason, v.Message, now); err != nil {
				return false, err
			}
			e.DeadlineAt = e.NextDeadline()
			if err := p.tellPhase(ctx, tx, *e, before); err != nil {
				return false, err
			}
		}
		if !write || was.Reason == reason || reason == blueberry.ReasonRetrying {
			return write, nil
		}
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentBlocked, blueberry.System(), fmt.Sprintf("%s waits at %s: %s", e.Name, step, message))
	})
	return err
}

// unblock tells that a step which was blocked goes on; it reports whether it was. A failure to tell is not worth losing the step.
func (p *Provisioner) unblock(ctx context.Context, tx Tx, e *blueberry.Environment, step blueberry.ConditionType) bool {
	was := blueberry.GetCondition(e.Conditions, step)
	switch was.Reason {
	case blueberry.ReasonTargetUnavailable, blueberry.ReasonRepositoryUnavailable, blueberry.ReasonRefused:
		err := p.tell(ctx, tx, *e, blueberry.EnvironmentUnblocked, blueberry.System(), fmt.Sprintf("%s goes on at %s", e.Name, step))
		return err == nil
	}
	return false
}

// userText is what of an error may be shown: all of ours, and of anything else only its kind.
func userText(err error) string {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return "something failed inside; the server's log and its list of jobs say more"
	}
	text := e.Detail
	for _, f := range e.Fields {
		if text != "" {
			text += "; "
		}
		text += f.String()
	}
	if text == "" {
		text = string(e.Kind)
	}
	return text
}

// isCode reports whether an error is ours and has the code.
func isCode(err error, code string) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && e.Code == code
}
