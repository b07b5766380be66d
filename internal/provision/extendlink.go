package provision

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// extendClaim is what an extend link says. It names the end of the lease that it extends: when that moves, the link is dead, and so it works once.
type extendClaim struct {
	Environment string              `json:"e"`
	Hours       int                 `json:"h"`
	Ends        int64               `json:"t"` // microseconds
	ActorKind   blueberry.ActorKind `json:"k"`
	ActorID     string              `json:"i"`
	ActorName   string              `json:"n"`
	UserID      string              `json:"u,omitempty"`
	KeyID       string              `json:"s"` // of the key that signed it
}

// extendText comes before what is signed, so that a signature of something else is never one of a link.
const extendText = "blueberry extend link v1\n"

// maxExtendToken is longer than any token of ours.
const maxExtendToken = 2048

// ExtendOffer is what an extend link would do.
type ExtendOffer struct {
	Environment blueberry.Environment
	Hours       int
	Ends        time.Time // of the lease then
}

// ExtendLink makes a link by which anyone who has it extends the lease once by the hours, until the lease ends. What it does is done in the actor's name.
func (p *Provisioner) ExtendLink(ctx context.Context, actor blueberry.Actor, id string, hours int) (blueberry.ExtendLink, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsExtend); err != nil {
		return blueberry.ExtendLink{}, err
	}
	var faults blueberry.Faults
	faults.CheckHours("hours", hours)
	if err := faults.Err(); err != nil {
		return blueberry.ExtendLink{}, err
	}
	var link blueberry.ExtendLink
	return link, p.Record.Update(ctx, func(tx Tx) error {
		e, err := tx.Environment(ctx, id)
		if err != nil {
			return err
		}
		if link, err = p.extendLink(ctx, tx, actor, e, hours); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			Actor: actor, Action: string(blueberry.GrantEnvironmentsExtend), Resource: e.ID, Project: e.Project, At: p.Now(),
			Detail: fmt.Sprintf("%s made a link that extends the lease of %s by %d hours, once, until %s", actor.Name, e.Name, hours, endText(e.Lease)),
		})
	})
}

// extendLink makes a link. The policies are asked now as well, for the longest lease that it can come to: a link that could not work is not made.
func (p *Provisioner) extendLink(ctx context.Context, tx Tx, actor blueberry.Actor, e blueberry.Environment, hours int) (blueberry.ExtendLink, error) {
	if err := p.leaseLives(e); err != nil {
		return blueberry.ExtendLink{}, err
	}
	if e.Lease.ExpiresAt.IsZero() {
		return blueberry.ExtendLink{}, blueberry.Errorf(blueberry.Conflict, "LEASE_ENDLESS", "%s has no lease that could be extended", e.Name)
	}
	rev, most, err := leaseBound(ctx, tx, e)
	if err != nil {
		return blueberry.ExtendLink{}, err
	}
	if err := p.leaseAllowed(ctx, tx, actor, e, rev, e.Lease.ExtendWithin(p.Now(), hours, most)); err != nil {
		return blueberry.ExtendLink{}, err
	}
	claim := extendClaim{Environment: e.ID, Hours: hours, Ends: e.Lease.ExpiresAt.UnixMicro(), ActorKind: actor.Kind, ActorID: actor.ID, ActorName: actor.Name, UserID: actor.UserID}
	token, err := p.signExtend(claim)
	if err != nil {
		return blueberry.ExtendLink{}, err
	}
	return blueberry.ExtendLink{URL: p.PublicURL + "/extend?link=" + token, Hours: hours, ExpiresAt: e.Lease.ExpiresAt}, nil
}

func (p *Provisioner) signExtend(claim extendClaim) (string, error) {
	claim.KeyID, _ = p.Signer.Sign([]byte(extendText)) // which key it is stands in what is signed
	for range 3 {
		body, err := json.Marshal(claim)
		if err != nil {
			return "", fmt.Errorf("encode link: %w", err)
		}
		keyID, signature := p.Signer.Sign(append([]byte(extendText), body...))
		if keyID == claim.KeyID {
			return base64.RawURLEncoding.EncodeToString(body) + "." + base64.RawURLEncoding.EncodeToString(signature), nil
		}
		claim.KeyID = keyID // the key was rotated in between
	}
	return "", errors.New("sign link: the key changes all the time")
}

// errExtendLink says no more of a link than that it does not work.
func errExtendLink() error {
	return blueberry.Errorf(blueberry.NotFound, "LINK_INVALID", "this link does not work, or does not work any more")
}

// readExtend reads a token, if it is one of ours, with the environment that it is for.
func readExtend(ctx context.Context, tx Tx, token string) (claim extendClaim, e blueberry.Environment, err error) {
	head, tail, ok := strings.Cut(token, ".")
	body, err1 := base64.RawURLEncoding.Strict().DecodeString(head)
	signature, err2 := base64.RawURLEncoding.Strict().DecodeString(tail)
	if !ok || len(token) > maxExtendToken || err1 != nil || err2 != nil || json.Unmarshal(body, &claim) != nil {
		return claim, e, errExtendLink()
	}
	public, err := tx.SigningKey(ctx, claim.KeyID)
	switch {
	case errors.Is(err, blueberry.NotFound):
		return claim, e, errExtendLink()
	case err != nil:
		return claim, e, fmt.Errorf("read key of link: %w", err)
	case len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, append([]byte(extendText), body...), signature):
		return claim, e, errExtendLink()
	}
	if e, err = tx.Environment(ctx, claim.Environment); errors.Is(err, blueberry.NotFound) {
		return claim, e, errExtendLink()
	}
	return claim, e, err
}

// extendable tells why a link of ours does not work any more.
func (p *Provisioner) extendable(claim extendClaim, e blueberry.Environment) error {
	if err := p.leaseLives(e); err != nil {
		return err
	}
	if e.Lease.ExpiresAt.UnixMicro() != claim.Ends {
		return blueberry.Errorf(blueberry.Conflict, "LINK_USED", "the lease of %s has moved since this link was made; it ends at %s", e.Name, endText(e.Lease))
	}
	return nil
}

// ExtendLinkInfo tells what a link would do. It changes nothing.
func (p *Provisioner) ExtendLinkInfo(ctx context.Context, token string) (ExtendOffer, error) {
	return view(ctx, p, func(tx Tx) (ExtendOffer, error) {
		claim, e, err := readExtend(ctx, tx, token)
		if err != nil {
			return ExtendOffer{}, err
		}
		if err := p.extendable(claim, e); err != nil {
			return ExtendOffer{}, err
		}
		_, most, err := leaseBound(ctx, tx, e)
		if err != nil {
			return ExtendOffer{}, err
		}
		return ExtendOffer{Environment: e, Hours: claim.Hours, Ends: e.Lease.ExtendWithin(p.Now(), claim.Hours, most).ExpiresAt}, nil
	})
}

// maker is who made a link, if they may still do what it does. A link of the platform itself is the owner's.
func (p *Provisioner) maker(ctx context.Context, claim extendClaim, e blueberry.Environment) (blueberry.Actor, error) {
	actor := blueberry.Actor{Kind: claim.ActorKind, ID: claim.ActorID, Name: claim.ActorName, UserID: claim.UserID}
	if actor.Kind == blueberry.ActorJob || p.Standing == nil {
		return actor, nil
	}
	now, err := p.Standing(ctx, actor)
	if err == nil {
		err = now.CanIn(e.Project, blueberry.GrantEnvironmentsExtend)
	}
	if errors.Is(err, blueberry.Forbidden) || errors.Is(err, blueberry.NotFound) {
		return actor, blueberry.Errorf(blueberry.Conflict, "LINK_WITHDRAWN", "%s, who made this link, may not extend the lease of %s any more", claim.ActorName, e.Name)
	}
	actor.Grants, actor.Projects = now.Grants, now.Projects
	return actor, err
}

// ExtendByLink extends the lease that a link is for, once, in the name of who made the link: what they may, and what policies let them do, is asked again.
func (p *Provisioner) ExtendByLink(ctx context.Context, token string) (blueberry.Environment, error) {
	var claim extendClaim
	e, err := view(ctx, p, func(tx Tx) (e blueberry.Environment, err error) {
		claim, e, err = readExtend(ctx, tx, token)
		return e, err
	})
	if err != nil {
		return blueberry.Environment{}, err
	}
	actor, err := p.maker(ctx, claim, e)
	if err != nil {
		return blueberry.Environment{}, err
	}
	return p.change(ctx, e.ID, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if err := p.extendable(claim, *e); err != nil {
			return false, err
		}
		rev, most, err := leaseBound(ctx, tx, *e)
		if err != nil {
			return false, err
		}
		after := e.Lease.ExtendWithin(p.Now(), claim.Hours, most)
		if after == e.Lease {
			return false, nil // as much is left as there can be
		}
		if err := p.leaseAllowed(ctx, tx, actor, *e, rev, after); err != nil {
			return false, err
		}
		return true, p.extended(ctx, tx, e, actor, after, " by a link")
	})
}
