package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// FuzzClientAddress: whatever stands in the headers, a client that is not trusted is the address of its connection, and one behind a proxy is what the proxy has
// added, however what is before it looks.
func FuzzClientAddress(f *testing.F) {
	for _, seed := range []string{"", "192.0.2.1", "for=192.0.2.1", `for="[2001:db8::1]:1";proto=https, for=_x`, `for=198.51.100.1;x="`, `for=198.51.100.1;x="\`, "10.0.0.1, 10.0.0.2", ",,;;==", "[::1", "1.2.3.4%en0", "::ffff:10.0.0.1"} {
		f.Add(seed)
	}
	peer, client, ours := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.1"), []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	ask := func(a addresses, from string, h http.Header) netip.Addr {
		got, _ := a.client(&http.Request{RemoteAddr: from, Header: h})
		return got
	}
	f.Fuzz(func(t *testing.T, said string) {
		for name, added := range map[string]string{HeaderXForwardedFor: "192.0.2.1", HeaderForwarded: "for=192.0.2.1"} {
			a := addresses{proxies: ours, forwarded: name == HeaderForwarded}
			if got := ask(a, "192.0.2.1:1", http.Header{name: {said}}); got != client {
				t.Errorf("%s %q of one who is not trusted makes %s", name, said, got)
			}
			if got := ask(a, "10.0.0.1:1", http.Header{name: {said, added}}); got != client {
				t.Errorf("%s %q and a line of the proxy make %s", name, said, got)
			}
			if got := ask(a, "10.0.0.1:1", http.Header{name: {said + ", " + added}}); got != client && got != peer {
				t.Errorf("%s %q and what the proxy adds to it make %s", name, said, got)
			}
		}
	})
}

func TestFloodIsBounded(t *testing.T) {
	t.Parallel()
	f, now, written := newFlood(), time.Unix(1e9, 0), 0
	for i := range 3 * floodKeys {
		a := netip.AddrFrom4([4]byte{192, byte(i >> 16), byte(i >> 8), byte(i)})
		if f.first(floodKey{a, 401}, blueberry.AuditEntry{}, now) {
			written++
		}
	}
	if len(f.seen) > floodKeys+1 || written != len(f.seen) {
		t.Errorf("%d addresses are kept and %d entries were written, want about %d", len(f.seen), written, floodKeys)
	}
	if out := f.ended(now.Add(floodWindow)); len(out) != 1 || !strings.Contains(out[0].Detail, fmt.Sprint(2*floodKeys-1)) {
		t.Errorf("%d entries count what was not written, want one for all", len(out))
	}
	f.ended(now.Add(2 * floodWindow))
	f.ended(now.Add(3 * floodWindow))
	if len(f.seen) != 0 || f.due.Load() != 0 {
		t.Errorf("%d addresses are kept for ever", len(f.seen))
	}
}

// deadlines is a connection that notes its deadlines.
type deadlines struct {
	*httptest.ResponseRecorder
	set []bool // whether there is one
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set = append(d.set, !t.IsZero())
	return nil
}

// TestOnlyWhatIsBeingWrittenHasADeadline: HTTP/2 ends a stream at its deadline also when nothing is being written, and events may be rarer than that.
func TestOnlyWhatIsBeingWrittenHasADeadline(t *testing.T) {
	t.Parallel()
	below := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	c := &counter{ResponseWriter: below, control: http.NewResponseController(below), timeout: time.Second}
	n, err := c.Write(make([]byte, 2*piece+1))
	if n != 2*piece+1 || err != nil || c.bytes != int64(n) || below.Body.Len() != n {
		t.Fatalf("wrote %d of %d bytes, counted %d: %v", below.Body.Len(), n, c.bytes, err)
	}
	if want := []bool{true, true, true, false}; !slices.Equal(below.set, want) {
		t.Errorf("deadlines %v, want one for each piece and none at the end", below.set)
	}
	below.set = nil
	if err := http.NewResponseController(c).Flush(); err != nil || !below.Flushed {
		t.Fatalf("not flushed: %v", err)
	}
	if want := []bool{true, false}; !slices.Equal(below.set, want) {
		t.Errorf("deadlines %v, want one for what is flushed and none after it", below.set)
	}
}

func TestActionsAreNamedByTheirRoute(t *testing.T) {
	t.Parallel()
	for route, want := range map[string]string{
		"POST /v1/environments": "environments:create", "DELETE /v1/environments/{id}": "environments:delete", "PATCH /v1/environments/{id}": "environments:update",
		"POST /v1/environments/{id}/extend": "environments:extend", "PUT /v1/projects/{name}/quota": "projects:quota-update",
		"DELETE /v1/projects/{name}/members/{id}": "projects:members-delete", "POST /oauth/token": "oauth:token", "POST /{$}": "request:post", "": "request:post",
	} {
		method, _, _ := strings.Cut(route, " ")
		if method == "" {
			method = "POST"
		}
		r := httptest.NewRequestWithContext(context.Background(), method, "/", nil)
		if got := actionOf(r, &exchange{route: route}); got != want {
			t.Errorf("%s is %s, want %s", route, got, want)
		}
	}
}
