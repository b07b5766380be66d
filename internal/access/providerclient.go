package access

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Bounds of what is asked of a provider. An answer of one has a few kilobytes.
const (
	providerTimeout   = 10 * time.Second
	providerBytes     = 1 << 20
	providerRedirects = 3
)

// ProviderClient is the HTTP client that drivers speak to providers with: bounded in time and size. It follows a few redirects of what is only read, and none
// to another scheme; what is sent, a code or a secret, goes to the address that was set and nowhere else. Private addresses are fine: providers are hosted
// next door, too.
func ProviderClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = providerTimeout
	transport.MaxResponseHeaderBytes = 64 << 10
	return &http.Client{Timeout: providerTimeout, Transport: boundedTransport{transport}, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		switch {
		case len(via) > providerRedirects:
			return errors.New("too many redirects")
		case via[0].Method != http.MethodGet:
			return http.ErrUseLastResponse
		case r.URL.Scheme != via[0].URL.Scheme:
			return fmt.Errorf("a redirect leads from %s to %s", via[0].URL.Scheme, r.URL.Scheme)
		}
		return nil
	}}
}

// boundedTransport cuts off answers that are too large, with an error.
type boundedTransport struct{ next http.RoundTripper }

// RoundTrip sends a request.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, providerBytes)
	}
	return resp, err
}

// Drain reads what is left of an answer, within the bounds, so that its connection can be used again, and closes it.
func Drain(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, body) // what is wrong with the rest does not matter
	_ = body.Close()
}
