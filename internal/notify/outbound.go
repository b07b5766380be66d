package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Outbound is the way to addresses that users name. An address is judged when it is dialled, as it was resolved: what a name led to when it was looked at before
// proves nothing. Redirects are not followed, and no proxy is asked: it would dial where we may not.
type Outbound struct {
	AllowLocal bool        // networks of the server's own, too
	Trusted    *tls.Config // nil for the authorities of the system
	Now        func() time.Time

	// Lookup resolves a host to its addresses. Nil asks the system.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	once   sync.Once
	client *http.Client
}

// The time-outs, and what is read of an answer.
const (
	postTime  = 15 * time.Second
	dialTime  = 5 * time.Second
	maxAnswer = 4 << 10 // bytes
)

// errLocal is the refusal to dial.
var errLocal = errors.New("the address leads into a network of the server's own, which the operator does not allow")

// Post sends a body, and gives what the receiver answered. Nothing of the address but its host and port is in the result.
func (o *Outbound) Post(ctx context.Context, address string, header http.Header, body []byte) blueberry.NoticeResult {
	r, _ := o.Ask(ctx, address, header, body)
	return r
}

// Ask is Post for a driver that knows words of the receiver: it gives the beginning of the answer, too. None of it may be told, but what such words mean.
func (o *Outbound) Ask(ctx context.Context, address string, header http.Header, body []byte) (blueberry.NoticeResult, []byte) {
	o.once.Do(func() { o.client = o.newClient() })
	ctx, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil || !o.AllowLocal && req.URL.Scheme != "https" {
		return blueberry.NoticeResult{Error: "the address is none that can be posted to", Refused: true}, nil
	}
	for name, values := range header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("User-Agent", "Blueberry")
	res, err := o.client.Do(req)
	if err != nil {
		return failure(err), nil
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // also so that the connection can be used again
	return blueberry.NoticeResult{Status: res.StatusCode, RetryAfter: o.retryAfter(res.Header.Get("Retry-After"))}, answer
}

// Failure tells why a driver that dialled itself got no answer.
func Failure(err error) blueberry.NoticeResult { return failure(err) }

// failure tells why there was no answer. The error of the client repeats the whole address, which is a secret: only what is within is told.
func failure(err error) blueberry.NoticeResult {
	var whole *url.Error
	if errors.As(err, &whole) {
		err = whole.Err
	}
	switch {
	case errors.Is(err, errLocal):
		return blueberry.NoticeResult{Error: errLocal.Error(), Refused: true}
	case errors.Is(err, context.DeadlineExceeded):
		return blueberry.NoticeResult{Error: fmt.Sprintf("no answer within %s", postTime)}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return blueberry.NoticeResult{Error: oneLine("look up " + dns.Name + ": " + dns.Err)} // not which server of ours was asked
	}
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var handshake tls.RecordHeaderError
	if errors.As(err, &op) || errors.As(err, &certificate) || errors.As(err, &handshake) || errors.Is(err, io.EOF) {
		return blueberry.NoticeResult{Error: oneLine(err.Error())}
	}
	return blueberry.NoticeResult{Error: "the answer is none that is understood"} // what it is may be quoted in the error, and is nobody's to read
}

// retryAfter reads the header, in seconds or as a date; 0 for what is neither, and for what is over.
func (o *Outbound) retryAfter(text string) time.Duration {
	if text == "" {
		return 0
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		if !(n > 0) {
			return 0
		}
		return time.Duration(min(n, blueberry.MaxRetryAfter.Seconds()) * float64(time.Second))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	return min(max(at.Sub(now()), 0), blueberry.MaxRetryAfter)
}

// TLS is how connections are encrypted that a driver makes itself.
func (o *Outbound) TLS() *tls.Config {
	if o.Trusted != nil {
		return o.Trusted.Clone()
	}
	return &tls.Config{MinVersion: tls.VersionTLS12}
}

func (o *Outbound) newClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: o.Dial, TLSClientConfig: o.TLS(), TLSHandshakeTimeout: dialTime, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost: 2, MaxIdleConns: 50, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
		},
	}
}

// Dial connects to the first address of a host that is allowed and answers.
func (o *Outbound) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ips, err := o.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialTime, Control: o.control}
	last := errLocal
	for _, ip := range ips {
		if !o.allows(ip) {
			continue
		}
		conn, err := d.DialContext(ctx, network, net.JoinHostPort(ip.Unmap().String(), port))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

func (o *Outbound) allows(ip netip.Addr) bool { return o.AllowLocal || blueberry.PublicAddress(ip) }

// control looks at the address once more, as the socket is about to have it.
func (o *Outbound) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !o.allows(at.Addr()) {
		return errLocal
	}
	return nil
}

func (o *Outbound) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	lookup := o.Lookup
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	ips, err := lookup(ctx, host)
	if err == nil && len(ips) == 0 {
		err = errors.New("the host has no address")
	}
	return ips, err
}
