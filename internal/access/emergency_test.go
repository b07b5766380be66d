package access_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const reason = "the owners are on a plane and production is down"

// TestEmergency: an hour as owner, before everyone's eyes, and over on the second.
func TestEmergency(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	s.Mail = s.letter
	secret := s.session(t, s.rescuer.UserID)
	before := s.enter(t, s.gate, secret)
	made, _ := s.token(t, before, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantEmergenciesOpen}})
	if before.Can(blueberry.GrantUsersWrite) == nil {
		t.Fatal("before, there is nothing to hold")
	}
	s.clock.move(time.Second)
	e, err := s.OpenEmergency(ctx, before, access.EmergencyWish{Reason: reason, Minutes: 30})
	if err != nil {
		t.Fatal(err)
	}
	during := s.enter(t, s.gate, secret)
	if during.Can(blueberry.GrantAll) != nil || during.Emergency != e.ID {
		t.Errorf("during: %+v", during)
	}
	if token := s.enter(t, s.gate, made.Secret); token.Can(blueberry.GrantUsersWrite) == nil || token.Emergency != "" {
		t.Errorf("a token gains nothing: %+v", token)
	}
	_, err = s.OpenEmergency(ctx, during, access.EmergencyWish{Reason: reason})
	wants(t, "another one", "conflict EMERGENCY_OPEN", err)
	if last := s.audit(t)[0]; last.Action != "emergencies:open" || !strings.Contains(last.Detail, reason) {
		t.Errorf("audit: %+v", last)
	}
	if !slices.Contains(s.jobs, "emergency.tell "+e.ID) {
		t.Errorf("jobs: %v", s.jobs)
	}
	if _, err := s.TellEmergency(ctx, blueberry.Job{Subject: e.ID}); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range s.letter.sent {
		told = append(told, m.To...)
		if !strings.Contains(m.Text, reason) {
			t.Errorf("%+v", m)
		}
	}
	if len(told) != 5 {
		t.Errorf("told: %v", told)
	}
	s.letter.down = errors.New("421 later")
	if _, err := s.TellEmergency(ctx, blueberry.Job{Subject: e.ID}); err == nil {
		t.Error("a mail that failed must have the job run again")
	}
	s.clock.move(30*time.Minute - time.Microsecond)
	if s.enter(t, s.gate, secret).Can(blueberry.GrantAll) != nil {
		t.Error("it ended early")
	}
	s.clock.move(time.Microsecond)
	if after := s.enter(t, s.gate, secret); after.Can(blueberry.GrantAll) == nil || after.Emergency != "" {
		t.Error("it goes on")
	}
}

// TestEmergencyLeavesNothing: nothing that it gives outlasts it.
func TestEmergencyLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	if err := s.rule(t); err != nil {
		t.Fatal(err)
	}
	program, err := s.CreateServiceAccount(ctx, root, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	bare := s.person(t, "bare@example.com", nil)
	awaited, err := s.CreateUser(ctx, root, access.NewUser{Email: "awaited@example.com", Members: []access.MemberWish{{Project: "shop", Role: blueberry.RoleViewer}}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.OpenEmergency(ctx, s.rescuer, access.EmergencyWish{Reason: reason})
	if err != nil {
		t.Fatal(err)
	}
	a := s.signedIn(t, s.rescuer.UserID)
	const nothing = "forbidden EMERGENCY_GIVES_NOTHING [*:*]"
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"make oneself owner": {func() error {
			_, err := s.UpdateUser(ctx, a, a.UserID, access.UserChange{Owner: to(true)}, 0)
			return err
		}, nothing},
		"make another one owner": {func() error {
			_, err := s.UpdateUser(ctx, a, s.guest.UserID, access.UserChange{Owner: to(true)}, 0)
			return err
		}, nothing},
		"invite an owner":    {s.invites(t, a, access.NewUser{Email: "x@example.com", Owner: true}), nothing},
		"take over an owner": {func() error { _, err := s.ResetUser(ctx, a, s.chief.UserID); return err }, nothing},
		"redirect an owner's mail": {func() error {
			_, err := s.UpdateUser(ctx, a, s.chief.UserID, access.UserChange{Email: to("x@example.com")}, 0)
			return err
		}, nothing},
		"take over a developer":         {func() error { _, err := s.ResetUser(ctx, a, s.developer.UserID); return err }, nothing},
		"come in as one who is awaited": {func() error { _, err := s.InviteUser(ctx, a, awaited.User.ID); return err }, nothing},
		"redirect a developer's mail": {func() error {
			_, err := s.UpdateUser(ctx, a, s.developer.UserID, access.UserChange{Email: to("x@example.com")}, 0)
			return err
		}, nothing},
		"invite oneself with a role": {s.invites(t, a, access.NewUser{Email: "x@example.com", Members: []access.MemberWish{{Project: "shop", Role: blueberry.RoleAdmin}}}), nothing},
		"invite one who has nothing": {s.invites(t, a, access.NewUser{Email: "x@example.com"}), ""},
		"help one who has nothing":   {func() error { _, err := s.ResetUser(ctx, a, bare.UserID); return err }, ""},
		"give oneself a role":        {s.member(t, a, "shop", a.UserID, blueberry.RoleAdmin), nothing},
		"give one's group a role":    {s.rules(t, a, blueberry.GroupRule{Provider: "google", Group: "mine", Project: "shop", Role: blueberry.RoleAdmin}), nothing},
		"make a token of everything": {s.tokenOf(t, a, access.NewToken{Name: "x", Grants: []blueberry.Grant{blueberry.GrantAll}}), lacks("*:*")},
		"make a token of a program":  {s.tokenOf(t, a, access.NewToken{Name: "x", ServiceID: program.ID}), nothing},
		"vouch for people":           {func() error { _, err := s.PutProvider(ctx, a, access.ProviderWish{Name: "mine"}, 0); return err }, nothing},
		"give another one a role":    {s.member(t, a, "shop", s.guest.UserID, blueberry.RoleDeveloper), nothing},
	} {
		t.Run(name, func(t *testing.T) { wants(t, name, c.want, c.do()) })
	}
	_, err = s.CloseEmergency(ctx, s.guest, e.ID)
	wants(t, "a stranger closes it", "not found EMERGENCY_NOT_FOUND [emergencies:read]", err)
	if _, err := s.CloseEmergency(ctx, s.chief, e.ID); err != nil {
		t.Error(err)
	}
	if s.signedIn(t, a.UserID).Can(blueberry.GrantAll) == nil {
		t.Error("an owner closed it, and it goes on")
	}
	_, err = s.CloseEmergency(ctx, s.rescuer, e.ID)
	wants(t, "to close it again", "conflict EMERGENCY_ENDED", err)
}

func TestEmergencyRefuses(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	token := s.narrowed(t, s.rescuer, blueberry.GrantEmergenciesOpen)
	for name, c := range map[string]struct {
		actor blueberry.Actor
		wish  access.EmergencyWish
		want  string
	}{
		"who may not":         {s.admin, access.EmergencyWish{Reason: reason}, lacks("emergencies:open")},
		"a token":             {token, access.EmergencyWish{Reason: reason}, "forbidden PERSON_NEEDED"},
		"an owner":            {s.chief, access.EmergencyWish{Reason: reason}, "conflict EMERGENCY_NOT_NEEDED"},
		"no reason, too long": {s.rescuer, access.EmergencyWish{Reason: "  because  ", Minutes: 61}, "invalid VALIDATION_FAILED reason:too_short minutes:range"},
		"a negative time":     {s.rescuer, access.EmergencyWish{Reason: reason, Minutes: -1}, "invalid VALIDATION_FAILED minutes:range"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.OpenEmergency(t.Context(), c.actor, c.wish)
			wants(t, name, c.want, err)
		})
	}
	if _, err := s.OpenEmergency(t.Context(), s.rescuer, access.EmergencyWish{Reason: reason}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateUser(t.Context(), s.chief, s.rescuer.UserID, access.UserChange{BreakGlass: to(false)}, 0); err != nil {
		t.Fatal(err)
	}
	if s.signedIn(t, s.rescuer.UserID).Can(blueberry.GrantAll) == nil {
		t.Error("one who may not break the glass any more keeps the power that it gave")
	}
}
