package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"

	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/pki"
)

// door is one listener with what it serves.
type door struct {
	name     string
	listener net.Listener
	handler  http.Handler
}

// listen opens the listener of the API, so that the address is known before anything names it.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	l, err := listen(ctx, s.Config.Listen)
	if err != nil {
		return nil, err
	}
	scheme := "http"
	switch {
	case s.Config.TLSCertFile != "":
		files, err := pki.Files(s.Config.TLSCertFile, s.Config.TLSKeyFile)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("load certificate: %w", err), l.Close())
		}
		files.Logger = s.Logger
		s.certificate = files.GetCertificate
	case s.Config.TLSSelfMade:
		made, err := pki.NewSelfMade(filepath.Join(s.Config.StateDir, "tls"), s.publicNames()...)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("make certificate: %w", err), l.Close())
		}
		fmt.Fprintf(s.Out, "The certificate is self-made; trust %s to have browsers and curl accept it.\n", made.CAFile)
		s.certificate = made.GetCertificate
	}
	if s.certificate != nil {
		l, scheme = tls.NewListener(l, pki.PlainTLS(s.certificate)), "https"
	}
	s.address = scheme + "://" + l.Addr().String()
	if host, _, err := net.SplitHostPort(l.Addr().String()); err == nil && scheme == "http" && len(s.Config.TrustedProxies) == 0 && !net.ParseIP(host).IsLoopback() {
		s.Logger.Warn("passwords and tokens travel in clear beyond this machine: set tls_cert_file, or put a proxy with TLS in front and name it in trusted_proxies")
	}
	return l, nil
}

// listenGateway opens the listener by which environments are reached, if there shall be one. It speaks as the API does.
func (s *Server) listenGateway(ctx context.Context) error {
	if s.Config.GatewayListen == "" {
		return nil
	}
	l, err := listen(ctx, s.Config.GatewayListen)
	if err != nil {
		return err
	}
	s.gatewayAddress = "http://" + l.Addr().String()
	if s.certificate != nil {
		l, s.gatewayAddress = tls.NewListener(l, pki.PlainTLS(s.certificate)), "https://"+l.Addr().String()
	}
	s.gateway = l
	return nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

// publicNames is what a self-made certificate is for beyond localhost.
func (s *Server) publicNames() []string {
	u, err := url.Parse(s.Config.PublicURL)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	return []string{u.Hostname()}
}

// doors opens the listeners beside the API's: from HTTP to HTTPS, and for internal clients.
func (s *Server) doors(ctx context.Context, api http.Handler) (out []door, err error) {
	defer func() {
		if err != nil {
			for _, d := range out {
				_ = d.listener.Close() // err is what matters
			}
		}
	}()
	if s.Config.RedirectListen != "" {
		to, err := pki.RedirectHandler(s.publicURL())
		if err != nil {
			return out, err
		}
		l, err := listen(ctx, s.Config.RedirectListen)
		if err != nil {
			return out, err
		}
		out = append(out, door{"redirect", l, to})
	}
	if s.gateway != nil {
		out = append(out, door{"wake gateway", s.gateway, s.activator})
	}
	if s.Config.InternalListen != "" {
		l, err := listen(ctx, s.Config.InternalListen)
		if err != nil {
			return out, err
		}
		get := s.certificate
		if get == nil {
			made, err := pki.NewSelfMade(filepath.Join(s.Config.StateDir, "tls"), s.publicNames()...)
			if err != nil {
				return append(out, door{listener: l}), fmt.Errorf("make certificate: %w", err)
			}
			get = made.GetCertificate
		}
		ca := s.rights.authority
		out = append(out, door{"internal", tls.NewListener(l, pki.ServerTLS(get, ca)), ca.Clients(api)})
	}
	return out, nil
}

// edge is the gateway's settings.
func (s *Server) edge() httpapi.Edge {
	c := s.Config
	limits := httpapi.LimitsPerMinute(c.RateToken, c.RateUser, c.RateAddress, c.RateSignIn)
	e := httpapi.Edge{Audit: s.rights.auditor, Limiter: s.rights.cache, Limits: limits, ProxyHeader: c.ProxyHeader, Origins: c.CORSOrigins}
	for _, text := range c.TrustedProxies {
		e.Proxies = append(e.Proxies, netip.MustParsePrefix(text)) // Load has checked it
	}
	return e
}

// serveDoor answers until ctx ends, then lets requests that run finish within the drain time-out.
func (s *Server) serveDoor(ctx context.Context, d door, draining chan struct{}, timeouts httpapi.Timeouts) error {
	srv := &http.Server{Handler: d.handler, ErrorLog: slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug)}
	timeouts.Configure(srv)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(d.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", d.name, err)
	case <-draining:
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Config.DrainTimeout)
	defer cancel()
	if err := srv.Shutdown(late); err != nil {
		return errors.Join(fmt.Errorf("drain requests of %s: %w", d.name, err), srv.Close())
	}
	return nil
}
