package access_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestCreateToken: the secret is in the answer and nowhere else.
func TestCreateToken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.clock.move(time.Second)
	made, err := s.CreateToken(t.Context(), s.developer, access.NewToken{Name: "laptop", Role: blueberry.RoleViewer, Projects: []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	k := made.Token
	if k.UserID != s.developer.UserID || !k.ExpiresAt.Equal(s.clock.now().Add(90*24*time.Hour)) || !strings.HasSuffix(made.Secret, k.Hint) || len(k.Hint) != 4 {
		t.Errorf("%+v", k)
	}
	if diff := cmp.Diff(blueberry.RoleViewer.Grants(), k.Grants); diff != "" {
		t.Error(diff)
	}
	e := s.audit(t)[0]
	if e.Action != "api-tokens:write" || e.Resource != k.ID || !strings.Contains(string(e.After), `"projects":["shop"]`) {
		t.Errorf("%+v", e)
	}
	for _, e := range s.audit(t) {
		if strings.Contains(e.Detail+string(e.Before)+string(e.After), made.Secret[4:20]) {
			t.Error("the secret is in the audit")
		}
	}
	_, err = s.CreateToken(t.Context(), s.developer, access.NewToken{
		Grants: []blueberry.Grant{"x:y", "x:y"}, Role: "boss", Projects: []string{"shop", "shop"}, Life: -1, Name: "a\nb",
	})
	wants(t, "each fault", "invalid VALIDATION_FAILED name:text grants[0]:unknown grants[1]:unknown role:exclusive projects[1]:duplicate days:range", err)
	_, err = s.CreateToken(t.Context(), s.developer, access.NewToken{})
	wants(t, "what is needed", "invalid VALIDATION_FAILED name:required grants:required", err)
}

// TestRotateToken: both secrets work until the overlap is over; what was before them does not.
func TestRotateToken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, _ := s.token(t, s.developer, access.NewToken{Role: blueberry.RoleViewer, Life: 30 * 24 * time.Hour})
	s.clock.move(20 * 24 * time.Hour)
	s.developer = s.signedIn(t, s.developer.UserID)
	second, err := s.RotateToken(t.Context(), s.developer, first.Token.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if k := second.Token; !k.ExpiresAt.Equal(s.clock.now().Add(30*24*time.Hour)) || !k.PreviousUntil.Equal(s.clock.now().Add(24*time.Hour)) || k.Warned != 0 {
		t.Errorf("%+v", k)
	}
	s.enter(t, s.gate, first.Secret)
	s.enter(t, s.gate, second.Secret)
	third, err := s.RotateToken(t.Context(), s.developer, first.Token.ID, 7*24*time.Hour, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.gate.Authenticate(t.Context(), first.Secret)
	wants(t, "the secret before the one before", unknownHere, err)
	s.enter(t, s.gate, second.Secret)
	s.enter(t, s.gate, third.Secret)
	s.clock.move(time.Hour)
	for reason, secret := range map[string]string{"the token has ended": third.Secret, "and the secret before it too": second.Secret} {
		_, err = s.gate.Authenticate(t.Context(), secret)
		wants(t, reason, unknownHere, err)
	}
	_, err = s.RotateToken(t.Context(), s.developer, first.Token.ID, 0, 0)
	wants(t, "one that has ended", "conflict API_TOKEN_ENDED", err)
	_, err = s.RotateToken(t.Context(), s.developer, first.Token.ID, 8*24*time.Hour, 366*24*time.Hour)
	wants(t, "too long", "invalid VALIDATION_FAILED overlap_hours:range days:range", err)
}

// TestWarnTokens: who has a token is warned 14, 3 and 1 days before its end, once each.
func TestWarnTokens(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	s.Mail = s.letter
	program, err := s.CreateServiceAccount(ctx, s.admin, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := s.token(t, s.developer, access.NewToken{Role: blueberry.RoleViewer, Life: 20 * 24 * time.Hour, Name: "mine"})
	its, _ := s.token(t, s.admin, access.NewToken{ServiceID: program.ID, Life: 20 * 24 * time.Hour, Name: "its"})
	revoked, _ := s.token(t, s.developer, access.NewToken{Role: blueberry.RoleViewer, Life: 20 * 24 * time.Hour})
	if err := s.RevokeToken(ctx, s.developer, revoked.Token.ID); err != nil {
		t.Fatal(err)
	}
	sweep := func() (n int) {
		t.Helper()
		before := len(s.jobs)
		for range 2 { // of two processes one does it
			if err := s.WarnTokens(ctx); err != nil {
				t.Fatal(err)
			}
		}
		return len(s.jobs) - before
	}
	day := 24 * time.Hour
	for i, c := range []struct {
		move time.Duration
		want int
	}{{6*day - time.Second, 0}, {time.Second, 2}, {day, 0}, {10 * day, 2}, {2 * day, 2}, {12 * time.Hour, 0}} {
		s.clock.move(c.move)
		if n := sweep(); n != c.want {
			t.Errorf("step %d: %d warnings, %d are expected", i, n, c.want)
		}
	}
	for _, id := range []string{mine.Token.ID, its.Token.ID, revoked.Token.ID, "tok_gone"} {
		if _, err := s.SendTokenWarning(ctx, blueberry.Job{Subject: id}); err != nil {
			t.Fatal(err)
		}
	}
	var to []string
	for _, m := range s.letter.sent {
		to = append(to, m.To...)
		if strings.Contains(m.Text, mine.Secret[:20]) || !strings.Contains(m.Text, "tok_") {
			t.Errorf("%+v", m)
		}
	}
	if diff := cmp.Diff([]string{"developer@example.com", "admin@example.com"}, to); diff != "" {
		t.Errorf("warned: -want +got\n%s", diff)
	}
}

// TestRevokeOwnOfInstallation: the token of the file is revoked by who holds everything, and does not come back by itself.
func TestRevokeOwnOfInstallation(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	file := t.TempDir() + "/admin-token"
	if _, err := s.gate.EnsureAdmin(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	all, err := s.Tokens(t.Context(), s.chief, blueberry.APITokenQuery{UserID: "*"})
	if err != nil || len(all) != 1 {
		t.Fatalf("%v (%v)", all, err)
	}
	_, err = s.RotateToken(t.Context(), s.chief, all[0].ID, 0, 0)
	wants(t, "its file would not know", "conflict API_TOKEN_OF_FILE", err)
	if err == nil || !strings.Contains(err.Error(), "then revoking this one") {
		t.Errorf("the one before goes on working, and nobody is told: %v", err)
	}
	wants(t, "who holds less", lacks("*:*"), s.RevokeToken(t.Context(), s.narrowed(t, s.chief, blueberry.GrantTokensWrite, blueberry.GrantTokensRead), all[0].ID))
	if err := s.RevokeToken(t.Context(), s.chief, all[0].ID); err != nil {
		t.Fatal(err)
	}
	if made, err := s.gate.EnsureAdmin(t.Context(), file); err != nil || made {
		t.Errorf("made %v (%v)", made, err)
	}
	if k, err := s.Token(t.Context(), s.chief, all[0].ID); err != nil || k.RevokedAt.IsZero() || k.RevokedBy != "chief@example.com" {
		t.Errorf("%+v (%v)", k, err)
	}
}
