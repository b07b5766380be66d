package access

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	maxSubject   = 255 // characters, as OpenID Connect bounds it
	maxGroups    = 500
	maxGroupName = 256
)

// settle decides whose the account at a provider is. An identity is provider and subject. One that is not known becomes a user's only when that user is signed
// in and asks for it, or holds the invitation to the address that the provider verified; an equal address alone links nothing, as whoever can choose what
// the provider says of an address could take the account over.
func (s *SignIn) settle(ctx context.Context, p blueberry.IdentityProvider, claims Claims, st providerState, from From) (Entered, error) {
	claims = cleaned(claims)
	if claims.Subject == "" || len(claims.Subject) > maxSubject {
		return Entered{}, s.unsettled(ctx, p, from, blueberry.Errorf(blueberry.Unauthenticated, "PROVIDER_ANSWER_INVALID", "%s does not tell whose account it is", p.Name))
	}
	if !domainAllowed(p, claims) {
		return Entered{}, s.unsettled(ctx, p, from, blueberry.Errorf(blueberry.Forbidden, "DOMAIN_NOT_ALLOWED",
			"%s lets in only verified addresses of certain domains, and yours is none of them", p.Name))
	}
	out := Entered{ReturnTo: st.ReturnTo}
	err := s.Record.Update(ctx, func(tx Tx) error {
		now, err := s.provider(ctx, tx, p.Name) // it may have been switched off, or be another one, since it was asked
		if err != nil {
			return err
		}
		if now.ID != p.ID {
			return errState()
		}
		user, fresh, err := s.whose(ctx, tx, p, claims, st)
		if err != nil {
			return err
		}
		if err := s.keepIdentity(ctx, tx, p, claims, user, fresh); err != nil {
			return err
		}
		if st.LinkUser != "" {
			return nil
		}
		e, err := s.entry(user, from, string(p.Kind)+":"+p.Name)
		if err != nil {
			return err
		}
		e.entered.ReturnTo, out = st.ReturnTo, e.entered
		out.ReturnTo = st.ReturnTo
		return s.open(ctx, tx, e)
	})
	if err != nil {
		return Entered{}, s.unsettled(ctx, p, from, err)
	}
	return out, nil
}

// unsettled notes a refusal that has a kind of its own.
func (s *SignIn) unsettled(ctx context.Context, p blueberry.IdentityProvider, from From, err error) error {
	var e *blueberry.Error
	if errors.As(err, &e) {
		s.auditDenied(ctx, from, "session:sign-in", p.ID, "an account at "+p.Name+" was not let in: "+e.Code)
	}
	return doing("sign in by "+p.Name, err)
}

// whose finds or makes the user of an identity; fresh is how it became theirs, empty when it was.
func (s *SignIn) whose(ctx context.Context, tx Tx, p blueberry.IdentityProvider, claims Claims, st providerState) (user blueberry.User, fresh string, err error) {
	known, err := tx.Identity(ctx, p.Name, claims.Subject)
	switch {
	case err != nil && !errors.Is(err, blueberry.NotFound):
		return user, "", err
	case err == nil:
		return s.knownUser(ctx, tx, p, known, st)
	case st.LinkUser != "":
		user, err = s.self(ctx, tx, blueberry.Actor{Kind: blueberry.ActorUser, UserID: st.LinkUser, Credential: st.LinkSession})
		return user, "as its person asked for it", err
	case st.Invite != nil:
		user, err = s.invitedUser(ctx, tx, p, claims, st.Invite)
		return user, "with the invitation", err
	case p.SignUp && claims.EmailVerified:
		user, err = s.newUser(ctx, tx, claims)
		return user, "with a new account", err
	}
	return user, "", errNotLinked(p)
}

func errNotLinked(p blueberry.IdentityProvider) error {
	return blueberry.Errorf(blueberry.Unauthenticated, "IDENTITY_NOT_LINKED",
		"no account is linked to this one at %s: sign in as before and link it there, or ask for an invitation", p.Name)
}

func (s *SignIn) knownUser(ctx context.Context, tx Tx, p blueberry.IdentityProvider, known blueberry.Identity, st providerState) (blueberry.User, string, error) {
	user, err := tx.User(ctx, known.UserID)
	switch {
	case err != nil:
		return user, "", err
	case st.LinkUser != "" && st.LinkUser != user.ID, st.Invite != nil:
		return user, "", blueberry.Errorf(blueberry.Conflict, "IDENTITY_TAKEN", "this account at %s is linked to another account here", p.Name)
	case user.Status != blueberry.UserActive:
		return user, "", refused()
	}
	return user, "", nil
}

func (s *SignIn) invitedUser(ctx context.Context, tx Tx, p blueberry.IdentityProvider, claims Claims, hash []byte) (blueberry.User, error) {
	l, err := s.liveLinkByHash(ctx, tx, blueberry.LinkInvite, hash)
	if err != nil {
		return blueberry.User{}, err
	}
	user, err := s.personOfLink(ctx, tx, l)
	if err != nil {
		return user, err
	}
	if !claims.EmailVerified || claims.Email != user.Email {
		return user, blueberry.Errorf(blueberry.Conflict, "INVITATION_ADDRESS", "the invitation is for another address than the one that %s verified", p.Name)
	}
	name := ""
	if user.Name == "" {
		name = claims.Name
	}
	if err := s.accept(ctx, tx, l, user, name, "the provider "+p.Name); err != nil {
		return user, err
	}
	return tx.User(ctx, user.ID)
}

func (s *SignIn) newUser(ctx context.Context, tx Tx, claims Claims) (blueberry.User, error) {
	var faults blueberry.Faults
	if faults.CheckEmail("email", claims.Email); len(faults) > 0 {
		return blueberry.User{}, faults.Err()
	}
	now := s.Now()
	user := blueberry.User{
		ID: blueberry.NewID(blueberry.UserID, now), Email: claims.Email, Name: claims.Name, Status: blueberry.UserActive, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	switch _, err := tx.UserByEmail(ctx, claims.Email); {
	case err == nil:
		return user, blueberry.Errorf(blueberry.Conflict, "ACCOUNT_EXISTS", "there is an account with your address: sign in to it as before, and link this one there")
	case !errors.Is(err, blueberry.NotFound):
		return user, err
	}
	if err := tx.InsertUser(ctx, user); err != nil {
		return user, err
	}
	return user, s.audit(ctx, tx, blueberry.AuditEntry{
		Actor: personActor(user, ""), Action: "account:sign-up", Resource: user.ID, Detail: "made an account for " + user.Email,
		After: blueberry.AuditFields(map[string]any{"email": user.Email, "status": user.Status}),
	})
}

// keepIdentity writes what the provider told. Groups give roles, so when they changed every process is told.
func (s *SignIn) keepIdentity(ctx context.Context, tx Tx, p blueberry.IdentityProvider, claims Claims, user blueberry.User, fresh string) error {
	now := s.Now()
	all, err := tx.IdentitiesOf(ctx, user.ID)
	if err != nil {
		return err
	}
	i := blueberry.Identity{Provider: p.Name, Subject: claims.Subject, UserID: user.ID, LinkedAt: now}
	if at := slices.IndexFunc(all, func(o blueberry.Identity) bool { return o.Provider == p.Name }); at >= 0 {
		if all[at].Subject != claims.Subject {
			return blueberry.Errorf(blueberry.Conflict, "IDENTITY_PRESENT", "another account at %s is linked already: remove it first", p.Name)
		}
		i = all[at]
	}
	before := i.Groups
	i.Email, i.Groups, i.LastUsedAt = claims.Email, claims.Groups, now
	if err := tx.PutIdentity(ctx, i); err != nil {
		return err
	}
	if fresh != "" {
		if err := s.audit(ctx, tx, blueberry.AuditEntry{
			Actor: personActor(user, ""), Action: "credentials:identity-linked", Resource: user.ID, Detail: "linked an account at " + p.Name + " " + fresh,
			After: blueberry.AuditFields(map[string]any{"provider": p.Name, "email": i.Email}),
		}); err != nil {
			return err
		}
	}
	if fresh == "" && slices.Equal(before, i.Groups) {
		return nil
	}
	if !slices.Equal(before, i.Groups) {
		if err := s.audit(ctx, tx, blueberry.AuditEntry{
			Actor: personActor(user, ""), Action: "credentials:groups-changed", Resource: user.ID, Detail: "is in other groups at " + p.Name,
			Before: blueberry.AuditFields(map[string]any{"groups": before}), After: blueberry.AuditFields(map[string]any{"groups": i.Groups}),
		}); err != nil {
			return err
		}
	}
	return tx.BumpAccessEpoch(ctx)
}

// RemoveIdentity unlinks the actor's account at a provider. The last way to sign in stays.
func (s *SignIn) RemoveIdentity(ctx context.Context, actor blueberry.Actor, provider string) error {
	err := s.Record.Update(ctx, func(tx Tx) error {
		user, err := s.self(ctx, tx, actor)
		if err != nil {
			return err
		}
		w, err := s.waysOf(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if w.count() == 1 && slices.ContainsFunc(w.identities, func(i blueberry.Identity) bool { return i.Provider == provider }) {
			return errLastWay()
		}
		if err := tx.DeleteIdentity(ctx, user.ID, provider); err != nil {
			return err
		}
		return errors.Join(tx.BumpAccessEpoch(ctx), s.audit(ctx, tx, blueberry.AuditEntry{
			Actor: actor, Action: "credentials:identity-unlinked", Resource: user.ID, Detail: "unlinked the account at " + provider,
		}))
	})
	return doing("unlink account", err)
}

// cleaned bounds what came from outside. Groups are in order, so that they compare.
func cleaned(c Claims) Claims {
	c.Email, c.Name = blueberry.NormalEmail(clip(c.Email, blueberry.MaxEmail)), strings.TrimSpace(clip(c.Name, blueberry.MaxPersonName))
	groups := make([]string, 0, len(c.Groups))
	for _, g := range c.Groups {
		if g != "" && len(g) <= maxGroupName && clip(g, maxGroupName) == g {
			groups = append(groups, g)
		}
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	c.Groups = groups[:min(len(groups), maxGroups)]
	if len(c.Groups) == 0 {
		c.Groups = nil
	}
	return c
}

// domainAllowed holds at every sign-in, so that a domain that is taken off the list is shut out at once.
func domainAllowed(p blueberry.IdentityProvider, c Claims) bool {
	if len(p.AllowedDomains) == 0 {
		return true
	}
	_, domain, ok := strings.Cut(c.Email, "@")
	return ok && c.EmailVerified && slices.ContainsFunc(p.AllowedDomains, func(d string) bool { return strings.EqualFold(d, domain) })
}
