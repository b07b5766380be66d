package pki

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
)

// ServerTLS is for a listener of internal clients: TLS 1.3, and only with a certificate of the platform.
func ServerTLS(getCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error), ca *CA) *tls.Config {
	base := &tls.Config{
		MinVersion: tls.VersionTLS13, GetCertificate: getCertificate, NextProtos: []string{"h2", "http/1.1"}, ClientAuth: tls.RequireAndVerifyClientCert,
		SessionTicketsDisabled: true, // so that each connection proves itself anew
		ClientCAs:              x509.NewCertPool(),
	}
	base.VerifyConnection = func(s tls.ConnectionState) error { return ca.Check(context.Background(), s) }
	base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) { // roots come and go
		c := base.Clone()
		c.GetConfigForClient = nil
		c.ClientCAs, c.Time = ca.Pool(hello.Context()), ca.now
		return c, nil
	}
	return base
}

// PlainTLS is for a listener of everyone: TLS 1.3.
func PlainTLS(getCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: getCertificate, NextProtos: []string{"h2", "http/1.1"}}
}

var errNoClient = errors.New("the connection has no certificate of the platform")

// Check is nil while the certificate of a connection is to be trusted: not ended, not revoked, by a root that still stands.
func (c *CA) Check(ctx context.Context, s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return errNoClient
	}
	leaf := s.PeerCertificates[0]
	_, revoked := c.current(ctx)
	if revoked[SerialText(leaf.SerialNumber)] {
		return fmt.Errorf("the certificate %s of %s is revoked", SerialText(leaf.SerialNumber), leaf.Subject.CommonName)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: c.Pool(ctx), CurrentTime: c.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return fmt.Errorf("the certificate of %q is not to be trusted: %w", leaf.Subject.CommonName, err)
	}
	return nil
}

// Clients lets requests on only while the certificate of their connection is to be trusted: one that is revoked ends also the connections that were open.
func (c *CA) Clients(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || c.Check(r.Context(), *r.TLS) != nil {
			w.Header().Set("Connection", "close")
			http.Error(w, "the client's certificate is not to be trusted", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ClientTLS is for a client that shows a certificate which was issued to it, to a server that the pool trusts.
func ClientTLS(i Issued, servers *x509.CertPool) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(i.Certificate, i.Key)
	if err != nil {
		return nil, fmt.Errorf("read issued certificate: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: servers, Certificates: []tls.Certificate{pair}}, nil
}
