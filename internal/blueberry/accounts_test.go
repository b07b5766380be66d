package blueberry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestOAuthTokenStates(t *testing.T) {
	t.Parallel()
	issued := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(d time.Duration) time.Time { return issued.Add(d) }
	const end, tick = blueberry.AccessTokenLife, time.Microsecond
	for name, tc := range map[string]struct {
		reason        string
		used, revoked time.Duration // 0 for never
		now           time.Duration
		want          blueberry.OAuthTokenState
		since         time.Duration
	}{
		"new":                    {"nobody has used it", 0, 0, 0, blueberry.OAuthIssued, 0},
		"used":                   {"the first use makes it active", time.Second, 0, time.Second, blueberry.OAuthActive, time.Second},
		"last moment":            {"it lives up to its end", time.Second, 0, end - tick, blueberry.OAuthActive, time.Second},
		"at its end":             {"exactly 3,600 s", time.Second, 0, end, blueberry.OAuthExpired, end},
		"never used, at its end": {"use does not matter", 0, 0, end, blueberry.OAuthExpired, end},
		"revoked":                {"at once", time.Second, time.Minute, time.Minute, blueberry.OAuthRevoked, time.Minute},
		"revoked, later":         {"it does not expire any more", time.Second, time.Minute, end + time.Minute, blueberry.OAuthRevoked, time.Minute},
		"revoked after its end":  {"it had expired before", time.Second, end + time.Minute, end + time.Hour, blueberry.OAuthExpired, end},
		"told for a day":         {"why it ended is told for a day", time.Second, 0, end + blueberry.EndedTokenLife - tick, blueberry.OAuthExpired, end},
		"then invalid":           {"as if it had never been", time.Second, 0, end + blueberry.EndedTokenLife, blueberry.OAuthInvalid, end + blueberry.EndedTokenLife},
		"revoked, then invalid":  {"a day after it was revoked", 0, time.Minute, time.Minute + blueberry.EndedTokenLife, blueberry.OAuthInvalid, time.Minute + blueberry.EndedTokenLife},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := blueberry.OAuthToken{IssuedAt: issued, ExpiresAt: at(end)}
			if tc.used != 0 {
				token.UsedAt = at(tc.used)
			}
			if tc.revoked != 0 {
				token.RevokedAt = at(tc.revoked)
			}
			state, since := token.State(at(tc.now))
			if state != tc.want || !since.Equal(at(tc.since)) {
				t.Errorf("%s: got %s since %s, want %s since %s", tc.reason, state, since.Sub(issued), tc.want, tc.since)
			}
			if live := token.Live(at(tc.now)); live != (tc.want == blueberry.OAuthIssued || tc.want == blueberry.OAuthActive) {
				t.Errorf("live is %v in state %s", live, state)
			}
		})
	}
}

func TestTokenWarnings(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		reason string
		left   time.Duration
		warned int
		want   int
	}{
		"far":                  {"15 days are left", 15 * day, 0, 0},
		"two weeks":            {"exactly 14 days", 14 * day, 0, 14},
		"told":                 {"once for each step", 13 * day, 14, 0},
		"three days":           {"the next step", 3 * day, 14, 3},
		"missed the first":     {"a server that was down tells the nearest", 2 * day, 0, 3},
		"one day":              {"the last", day, 3, 1},
		"told the last":        {"nothing more", time.Hour, 1, 0},
		"ended":                {"too late", 0, 3, 0},
		"one day, second time": {"14 after 3 cannot be", 4 * day, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (blueberry.APIToken{ExpiresAt: now.Add(tc.left), Warned: tc.warned}).DueWarning(now); got != tc.want {
				t.Errorf("%s: got %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
	if (blueberry.APIToken{}).DueWarning(now) != 0 {
		t.Error("a token without an end is due")
	}
	if (blueberry.APIToken{ExpiresAt: now.Add(day), RevokedAt: now}).DueWarning(now) != 0 {
		t.Error("a token that is revoked is due")
	}
}

func TestEmailsAndPasswords(t *testing.T) {
	t.Parallel()
	user := blueberry.User{Email: "ada.lovelace@example.com"}
	for name, tc := range map[string]struct {
		check func(*blueberry.Faults)
		want  string // code; empty for none
	}{
		"an address":      {func(f *blueberry.Faults) { f.CheckEmail("email", "ada@example.com") }, ""},
		"no address":      {func(f *blueberry.Faults) { f.CheckEmail("email", "") }, "required"},
		"a name with it":  {func(f *blueberry.Faults) { f.CheckEmail("email", "Ada <ada@example.com>") }, "email"},
		"two addresses":   {func(f *blueberry.Faults) { f.CheckEmail("email", "a@b.c,d@e.f") }, "email"},
		"a line break":    {func(f *blueberry.Faults) { f.CheckEmail("email", "a@b.c\r\nBcc: d@e.f") }, "email"},
		"no host":         {func(f *blueberry.Faults) { f.CheckEmail("email", "ada") }, "email"},
		"long":            {func(f *blueberry.Faults) { f.CheckEmail("email", strings.Repeat("a", 250)+"@b.de") }, "too_long"},
		"a good password": {func(f *blueberry.Faults) { f.CheckPassword("password", "blue berries on snow", user) }, ""},
		"short":           {func(f *blueberry.Faults) { f.CheckPassword("password", "elevenchars", user) }, "too_short"},
		"twelve letters":  {func(f *blueberry.Faults) { f.CheckPassword("password", "äöüßäöüßäöüq", user) }, ""},
		"one letter":      {func(f *blueberry.Faults) { f.CheckPassword("password", strings.Repeat("a", 20), user) }, "weak"},
		"one wide letter": {func(f *blueberry.Faults) { f.CheckPassword("password", strings.Repeat("ä", 20), user) }, "weak"},
		"the address":     {func(f *blueberry.Faults) { f.CheckPassword("password", "Ada.Lovelace123", user) }, "weak"},
		"too long":        {func(f *blueberry.Faults) { f.CheckPassword("password", strings.Repeat("ab", 65), user) }, "too_long"},
		"none":            {func(f *blueberry.Faults) { f.CheckPassword("password", "", user) }, "required"},
		"a zero byte":     {func(f *blueberry.Faults) { f.CheckPassword("password", "blue berries \x00 snow", user) }, "text"},
		"a grant": {func(f *blueberry.Faults) {
			f.CheckGrants("grants", []blueberry.Grant{blueberry.GrantAll, blueberry.GrantAuditRead})
		}, ""},
		"no grant": {func(f *blueberry.Faults) { f.CheckGrants("grants", []blueberry.Grant{"root:all"}) }, "unknown"},
		"a grant twice": {func(f *blueberry.Faults) {
			f.CheckGrants("grants", []blueberry.Grant{blueberry.GrantAll, blueberry.GrantAll})
		}, "duplicate"},
		"owner is of the house": {func(f *blueberry.Faults) { f.CheckProjectRole("role", blueberry.RoleOwner) }, "enum"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f blueberry.Faults
			tc.check(&f)
			switch {
			case tc.want == "" && len(f) > 0:
				t.Errorf("got %v", f)
			case tc.want != "" && (len(f) != 1 || f[0].Code != tc.want):
				t.Errorf("got %v, want %s", f, tc.want)
			}
		})
	}
}
