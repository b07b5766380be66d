package access

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// errLink says no more of a link than that it does not work.
func errLink() error {
	return blueberry.Errorf(blueberry.NotFound, "LINK_INVALID", "this link does not work, or does not work any more: ask for a new one")
}

// liveLink reads the link of a secret, if it is of the kind and works.
func (s *SignIn) liveLink(ctx context.Context, tx Tx, kind blueberry.LinkKind, secret string) (blueberry.Link, error) {
	hash, ok := HashSecret(LinkPrefix, secret)
	if !ok {
		return blueberry.Link{}, errLink()
	}
	return s.liveLinkByHash(ctx, tx, kind, hash)
}

func (s *SignIn) liveLinkByHash(ctx context.Context, tx Tx, kind blueberry.LinkKind, hash []byte) (blueberry.Link, error) {
	l, err := tx.LinkByHash(ctx, hash)
	switch {
	case err != nil && !errors.Is(err, blueberry.NotFound):
		return l, fmt.Errorf("read link: %w", err)
	case err != nil || l.Kind != kind || !l.Live(s.Now()):
		return blueberry.Link{}, errLink()
	}
	return l, nil
}

// useLink uses it up. Of two who do at once, the second is told that it does not work any more.
func (s *SignIn) useLink(ctx context.Context, tx Tx, l blueberry.Link) error {
	err := tx.UseLink(ctx, l.ID, s.Now())
	if errors.Is(err, blueberry.Conflict) || errors.Is(err, blueberry.NotFound) {
		return errLink()
	}
	return err
}

// userOfLink reads the person that a link is for.
func (s *SignIn) userOfLink(ctx context.Context, tx Tx, kind blueberry.LinkKind, secret string) (blueberry.Link, blueberry.User, error) {
	l, err := s.liveLink(ctx, tx, kind, secret)
	if err != nil {
		return l, blueberry.User{}, err
	}
	u, err := s.personOfLink(ctx, tx, l)
	return l, u, err
}

// personOfLink gives no one who may not use it: an invitation is for those who were never in, a reset for those who are.
func (s *SignIn) personOfLink(ctx context.Context, tx Tx, l blueberry.Link) (blueberry.User, error) {
	u, err := tx.User(ctx, l.UserID)
	switch {
	case errors.Is(err, blueberry.NotFound):
		return u, errLink()
	case err != nil:
		return u, fmt.Errorf("read user of link: %w", err)
	case l.Kind == blueberry.LinkInvite && u.Status != blueberry.UserPending, l.Kind == blueberry.LinkReset && u.Status != blueberry.UserActive:
		return blueberry.User{}, errLink()
	}
	return u, nil
}

// chosen checks the password that the person of a link chose, after what else was wrong, and makes its hash and the session that it opens.
func (s *SignIn) chosen(ctx context.Context, found blueberry.Faults, password string, u blueberry.User, from From, method string) (hashed string, e entry, err error) {
	CheckNewPassword(&found, "password", password, u)
	if err := found.Err(); err != nil {
		return "", e, err
	}
	if hashed, err = s.hashPassword(ctx, typed(password)); err != nil {
		return "", e, err
	}
	e, err = s.entry(u, from, method)
	return hashed, e, err
}

// linkAddress is where a person goes with the secret of a link.
func linkAddress(publicURL string, kind blueberry.LinkKind, secret string) string {
	page := map[blueberry.LinkKind]string{blueberry.LinkSetup: "setup", blueberry.LinkInvite: "invitation", blueberry.LinkReset: "reset"}[kind]
	return publicURL + "/" + page + "?link=" + secret
}
