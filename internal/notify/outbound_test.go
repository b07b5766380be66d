package notify_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// resolves has every name lead to these addresses.
func resolves(ips ...string) func(context.Context, string) ([]netip.Addr, error) {
	return func(context.Context, string) ([]netip.Addr, error) {
		var out []netip.Addr
		for _, ip := range ips {
			out = append(out, netip.MustParseAddr(ip))
		}
		return out, nil
	}
}

// Nothing is dialled in a network of the server's own, however its address is written and whatever a name resolves to.
func TestNoAddressOfOnesOwnIsDialled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		host string
		ips  []string // what names resolve to
	}{
		"loopback":                     {host: "127.0.0.1"},
		"loopback 6":                   {host: "[::1]"},
		"unspecified":                  {host: "0.0.0.0"},
		"unspecified 6":                {host: "[::]"},
		"10/8":                         {host: "10.1.2.3"},
		"172.16/12":                    {host: "172.31.255.255"},
		"192.168/16":                   {host: "192.168.0.1"},
		"metadata":                     {host: "169.254.169.254"},
		"mapped":                       {host: "[::ffff:127.0.0.1]"},
		"mapped in hex":                {host: "[::ffff:7f00:1]"},
		"mapped metadata":              {host: "[::ffff:169.254.169.254]"},
		"by NAT64":                     {host: "[64:ff9b::127.0.0.1]"},
		"by 6to4":                      {host: "[2002:7f00:1::]"},
		"link-local":                   {host: "[fe80::1]"},
		"unique local":                 {host: "[fd12::1]"},
		"multicast":                    {host: "224.0.0.251"},
		"multicast 6":                  {host: "[ff02::1]"},
		"decimal":                      {host: "2130706433", ips: []string{"127.0.0.1"}},
		"hex":                          {host: "0x7f000001", ips: []string{"127.0.0.1"}},
		"octal":                        {host: "0177.0.0.1", ips: []string{"127.0.0.1"}},
		"short":                        {host: "127.1", ips: []string{"127.0.0.1"}},
		"name":                         {host: "hooks.example.com", ips: []string{"127.0.0.1"}},
		"name of a private one":        {host: "hooks.example.com", ips: []string{"10.0.0.7"}},
		"name of a mapped one":         {host: "hooks.example.com", ips: []string{"::ffff:10.0.0.7"}},
		"name of many":                 {host: "hooks.example.com", ips: []string{"127.0.0.1", "::1", "fd00::1", "169.254.169.254"}},
		"name of a metadata service 6": {host: "metadata.example.com", ips: []string{"fd00:ec2::254"}},
		"with a dot":                   {host: "127.0.0.1.", ips: []string{"127.0.0.1"}},
		"shared":                       {host: "100.100.100.200"},
		"with a user":                  {host: "hooks.example.com@127.0.0.1"},
	} {
		o := &notify.Outbound{Lookup: resolves(c.ips...)}
		r := o.Post(t.Context(), "https://"+c.host+":1/secret", nil, nil)
		if r.OK() || !r.Refused || !strings.Contains(r.Error, "network of the server's own") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// A name that led outside when it was looked at, and leads inside when it is dialled.
func TestANameThatChangesItsMind(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	var reached atomic.Int32
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(srv.Close)
	o := &notify.Outbound{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		if asked.Add(1)%2 == 1 {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("::1")}, nil
	}}
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	for range 4 {
		if r := o.Post(t.Context(), "https://rebind.example.com:"+port+"/", nil, nil); !r.Refused {
			t.Errorf("%+v", r)
		}
	}
	if reached.Load() != 0 {
		t.Error("it was reached")
	}
}

// Who redirects into a network of the server's own gets nobody there; a receiver that is allowed to be here redirects to nobody either.
func TestARedirectIntoOnesOwnNetwork(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(inside.Close)
	outside := httptest.NewServer(http.RedirectHandler(inside.URL+"/latest/meta-data", http.StatusTemporaryRedirect))
	t.Cleanup(outside.Close)
	o := &notify.Outbound{AllowLocal: true}
	if r := o.Post(t.Context(), outside.URL, nil, []byte("{}")); r.OK() || r.Status != 307 || reached.Load() != 0 || !strings.Contains(r.Why(), "redirects are not followed") {
		t.Errorf("%+v, reached %d times", r, reached.Load())
	}
}

func TestOutsideOnlyTLSIsSpoken(t *testing.T) {
	t.Parallel()
	o := &notify.Outbound{Lookup: resolves("127.0.0.1")}
	for _, address := range []string{"http://hooks.example.com/", "ftp://hooks.example.com/", "gopher://x", "://", "", "https://", "file:///etc/passwd"} {
		if r := o.Post(t.Context(), address, nil, nil); r.OK() || r.Status != 0 {
			t.Errorf("%q: %+v", address, r)
		}
	}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	if r := (&notify.Outbound{AllowLocal: true}).Post(t.Context(), srv.URL+"/secret", nil, nil); r.OK() || !strings.Contains(r.Error, "certificate") || strings.Contains(r.Error, "secret") {
		t.Errorf("a certificate of nobody: %+v", r)
	}
}

func TestRetryAfterIsRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"-1":                            0,
		"NaN":                           0,
		"Inf":                           blueberry.MaxRetryAfter,
		"1e400":                         0,
		"1":                             time.Second,
		"0.25":                          250 * time.Millisecond, // Discord's
		"90":                            90 * time.Second,
		"999999999999":                  blueberry.MaxRetryAfter,
		"soon":                          0,
		now.Format(http.TimeFormat):     0,
		"Sun, 01 Mar 2026 12:02:00 GMT": 2 * time.Minute,
		"Sun, 01 Mar 2026 11:00:00 GMT": 0,
		"Sun, 01 Mar 2027 12:00:00 GMT": blueberry.MaxRetryAfter,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", text)
			w.WriteHeader(503)
		}))
		o := &notify.Outbound{AllowLocal: true, Now: func() time.Time { return now }}
		if r := o.Post(t.Context(), srv.URL, nil, nil); r.RetryAfter != want || r.Status != 503 {
			t.Errorf("%q: %+v, want %s", text, r, want)
		}
		srv.Close()
	}
}

// A receiver that never ends its answer holds nobody up.
func TestAnEndlessAnswer(t *testing.T) {
	t.Parallel()
	const most = 64 << 20 // what lies in buffers on the way is far less
	var sent atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for sent.Load() < most {
			n, err := fmt.Fprint(w, strings.Repeat("x", 1<<16))
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}))
	r := (&notify.Outbound{AllowLocal: true}).Post(t.Context(), srv.URL, nil, nil)
	srv.Close() // waits for the handler
	if !r.OK() || sent.Load() >= most {
		t.Errorf("%+v, after %d bytes", r, sent.Load())
	}
}
