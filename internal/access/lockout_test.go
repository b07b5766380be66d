package access_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	failed = "SIGN_IN_FAILED"
	locked = "SIGN_IN_LOCKED"
)

// guess fails n times and tells how the last one ended.
func (p *porch) guess(t *testing.T, n int, email string, f access.From) (last string) {
	t.Helper()
	for range n {
		last = p.try(t, email, otherPassword, "", f)
	}
	return last
}

func (p *porch) retryAfter(t *testing.T, email string, f access.From) time.Duration {
	t.Helper()
	_, err := p.Password(t.Context(), access.PasswordAttempt{Email: email, Password: goodPassword, From: f})
	var e *blueberry.Error
	if codeOf(t, err) != locked || !asError(err, &e) || e.Kind != blueberry.TooMany {
		t.Fatalf("it is not locked: %v", err)
	}
	return e.RetryAfter
}

// From 15 minutes a pause doubles with every five failures more, to a day.
func TestTheLockOutGrows(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	stranger := from("192.0.2.1", "")
	var pauses []time.Duration
	for range 9 {
		if got := p.guess(t, 5, "ada@example.com", stranger); got != failed {
			t.Fatalf("a fifth failure: got %q", got)
		}
		pause := p.retryAfter(t, "ada@example.com", stranger)
		pauses = append(pauses, pause)
		p.clock.add(pause - time.Microsecond)
		if got := p.try(t, "ada@example.com", goodPassword, "", stranger); got != locked {
			t.Fatalf("before its end: got %q", got)
		}
		p.clock.add(time.Microsecond)
	}
	m := time.Minute
	if d := cmp.Diff([]time.Duration{15 * m, 30 * m, 60 * m, 120 * m, 240 * m, 480 * m, 960 * m, 1440 * m, 1440 * m}, pauses); d != "" {
		t.Error(d)
	}
	p.enter(t, "ada@example.com", goodPassword, "", stranger) // and a success forgets all of it
	p.guess(t, 5, "ada@example.com", stranger)
	if got := p.retryAfter(t, "ada@example.com", stranger); got != 15*m {
		t.Errorf("after a success the pause is %s", got)
	}
	if n := len(p.audited(t, "session:locked")); n != 10 {
		t.Errorf("%d entries of 10 lock-outs", n)
	}
}

func TestFailuresAreForgottenAfterADay(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	stranger := from("192.0.2.1", "")
	p.guess(t, 4, "ada@example.com", stranger)
	p.clock.add(24 * time.Hour)
	if got := p.guess(t, 4, "ada@example.com", stranger); got != failed {
		t.Errorf("got %q", got)
	}
	if got := p.try(t, "ada@example.com", goodPassword, "", stranger); got != "" {
		t.Errorf("got %q", got)
	}
}

// An attacker who hammers an account from many addresses locks strangers out of it, and never the browser that its person used before.
func TestNobodyLocksOutAnother(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada := p.person(t, "ada@example.com")
	device := p.enter(t, "ada@example.com", goodPassword, "", from("203.0.113.7", "")).Device
	p.update(t, func(ctx context.Context, tx access.Tx) error { // so that a hundred guesses take no work
		c, err := tx.Credentials(ctx, ada.ID)
		c.Password = cheap(goodPassword)
		return orError(err, tx.PutCredentials(ctx, c))
	})
	for i := range 25 {
		if got := p.guess(t, 4, "ada@example.com", from(fmt.Sprintf("198.51.%d.9", i), "")); got != failed {
			t.Fatalf("network %d: got %q", i, got)
		}
	}
	for _, address := range []string{"198.51.200.1", "203.0.113.7", "2001:db8::1"} {
		if got := p.try(t, "ada@example.com", goodPassword, "", from(address, "")); got != locked {
			t.Errorf("a stranger at %s after 100 failures: got %q", address, got)
		}
	}
	for name, address := range map[string]string{"at home": "203.0.113.7", "on a journey": "192.0.2.99", "in the network of the attacker": "198.51.3.9"} {
		if got := p.try(t, "ada@example.com", goodPassword, "", from(address, device)); got != "" {
			t.Errorf("the known device %s: got %q", name, got)
		}
	}
	p.clock.add(time.Hour)
	if got := p.try(t, "ada@example.com", goodPassword, "", from("203.0.113.200", "")); got != "" {
		t.Errorf("a stranger an hour later: got %q", got)
	}
	if n := len(p.audited(t, "session:locked")); n != 1 {
		t.Errorf("%d entries of one lock-out", n)
	}
}

// A known device that fails is locked for itself, and for nobody else.
func TestAKnownDeviceCountsForItself(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	p.person(t, "eve@example.com")
	laptop := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")).Device
	phone := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")).Device
	hers := p.enter(t, "eve@example.com", goodPassword, "", from("192.0.2.1", "")).Device
	p.guess(t, 5, "ada@example.com", from("192.0.2.1", laptop))
	if got := p.try(t, "ada@example.com", goodPassword, "", from("198.51.100.1", laptop)); got != locked {
		t.Errorf("the device from elsewhere: got %q", got)
	}
	for name, device := range map[string]string{"another device": phone, "no device": ""} {
		if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.1", device)); got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	p.guess(t, 5, "ada@example.com", from("192.0.2.1", hers))
	if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")); got != locked {
		t.Errorf("a device of someone else must count as a stranger: got %q", got)
	}
	if got := p.try(t, "eve@example.com", goodPassword, "", from("192.0.2.1", hers)); got != "" {
		t.Errorf("eve: got %q", got)
	}
}

// Everything of a device cookie that is not of this server and this person is as good as none.
func TestADeviceCookieCannotBeMade(t *testing.T) {
	t.Parallel()
	p, other := newPorch(t), newPorch(t)
	p.person(t, "ada@example.com")
	other.person(t, "ada@example.com")
	real := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")).Device
	foreign := other.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")).Device
	p.guess(t, 5, "ada@example.com", from("192.0.2.1", ""))
	for name, device := range map[string]string{
		"none": "", "nonsense": "nonsense", "of another server": foreign, "changed": real[:len(real)-1] + "A" + real[len(real)-1:], "cut": real[:len(real)-4],
		"huge": strings.Repeat("A", 1<<16), "not base64": "%%%",
	} {
		if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.1", device)); got != locked {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.1", real)); got != "" {
		t.Errorf("the real one: got %q", got)
	}
	p.clock.add(access.DeviceLife)
	p.guess(t, 5, "ada@example.com", from("192.0.2.1", real))
	if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")); got != locked {
		t.Errorf("a cookie that is too old must count as a stranger: got %q", got)
	}
}

// One browser is known of the last five people who used it.
func TestABrowserIsKnownOfSeveral(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	device := ""
	for i := range 6 {
		email := fmt.Sprintf("p%d@example.com", i)
		p.person(t, email)
		device = p.enter(t, email, goodPassword, "", from("192.0.2.1", device)).Device
	}
	for i := range 6 {
		email := fmt.Sprintf("p%d@example.com", i)
		p.guess(t, 5, email, from(fmt.Sprintf("198.51.%d.1", i), ""))
		want := ""
		if i == 0 {
			want = locked // the first one was forgotten
		}
		if got := p.try(t, email, goodPassword, "", from(fmt.Sprintf("198.51.%d.1", i), device)); got != want {
			t.Errorf("%s: got %q, want %q", email, got, want)
		}
	}
}

// A list of leaked passwords, tried one by one at many accounts, is stopped for its network, and neither for others nor for those who are known.
func TestStuffingIsStopped(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	device := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")).Device
	for i := range 20 {
		email := fmt.Sprintf("p%d@example.com", i)
		p.person(t, email)
		if got := p.guess(t, 1, email, from(fmt.Sprintf("192.0.2.%d", i), "")); got != failed {
			t.Fatalf("failure %d: got %q", i+1, got)
		}
	}
	if got := p.retryAfter(t, "ada@example.com", from("192.0.2.200", "")); got != time.Hour {
		t.Errorf("the pause is %s", got)
	}
	for name, f := range map[string]access.From{"another network": from("198.51.100.1", ""), "a known device in the network": from("192.0.2.1", device)} {
		if got := p.try(t, "ada@example.com", goodPassword, "", f); got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	p.clock.add(time.Hour)
	if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.200", "")); got != "" {
		t.Errorf("an hour later: got %q", got)
	}
}

// In an office everyone comes from one address, and most get their password right.
func TestSuccessesLockNobody(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	for i := range 16 { // with the four failures below they are twenty attempts
		email := fmt.Sprintf("p%d@example.com", i)
		p.person(t, email)
		p.enter(t, email, goodPassword, "", from("192.0.2.1", ""))
	}
	p.guess(t, 4, "p1@example.com", from("192.0.2.1", ""))
	p.enter(t, "p2@example.com", goodPassword, "", from("192.0.2.1", ""))
	if got := p.guess(t, 1, "p1@example.com", from("192.0.2.1", "")); got != failed {
		t.Errorf("got %q", got)
	}
	if got := p.try(t, "p1@example.com", goodPassword, "", from("192.0.2.1", "")); got != locked {
		t.Errorf("the success of one resets the failures of another: got %q", got)
	}
}

// The failures of an hour are counted, not those of all times.
func TestTheWindowIsAnHour(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	for i := range 30 {
		email := fmt.Sprintf("p%d@example.com", i)
		p.person(t, email)
		if got := p.guess(t, 1, email, from("192.0.2.1", "")); got != failed {
			t.Fatalf("failure %d: got %q", i+1, got)
		}
		if i == 14 {
			p.clock.add(time.Hour)
		}
	}
}

func TestAddressesOfOneNetworkAreOne(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		one, two string
		same     bool
	}{
		"IPv4":          {"192.0.2.1", "192.0.2.254", true},
		"IPv4 next":     {"192.0.2.1", "192.0.3.1", false},
		"IPv6":          {"2001:db8:1:2::1", "2001:db8:1:ffff::9", true},
		"IPv6 next":     {"2001:db8:1::1", "2001:db8:2::1", false},
		"IPv4 in IPv6":  {"::ffff:192.0.2.1", "192.0.2.9", true},
		"with a zone":   {"fe80::1%eth0", "fe80::2%eth1", true},
		"not addresses": {"", "pipe", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPorch(t)
			p.person(t, "ada@example.com")
			p.guess(t, 5, "ada@example.com", from(test.one, ""))
			if got := p.try(t, "ada@example.com", goodPassword, "", from(test.two, "")) == locked; got != test.same {
				t.Errorf("locked is %v", got)
			}
		})
	}
}

// While it is locked a flood leaves nothing in the audit, and tells the gateway that there is nothing to note.
func TestAFloodIsOneEntry(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	p.guess(t, 200, "ada@example.com", from("192.0.2.1", ""))
	if n := len(p.audited(t, "session:")); n != 6 {
		t.Errorf("%d entries of 5 failures and a lock-out", n)
	}
	call := &blueberry.Call{}
	_, err := p.Password(blueberry.WithCall(t.Context(), call), access.PasswordAttempt{Email: "ada@example.com", Password: otherPassword, From: from("192.0.2.1", "")})
	if codeOf(t, err) != locked || !call.Noted() {
		t.Errorf("got %v, noted %v", err, call.Noted())
	}
}
