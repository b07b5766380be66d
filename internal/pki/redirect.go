package pki

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// hostName is a DNS name as a Host header may hold it.
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// RedirectHandler sends everything to the same path by HTTPS. The address is where that is served, as "https://blueberry.example.com". Without a host, as in
// "https://:7443", it is the host that the request names, if that can be one.
func RedirectHandler(httpsAddress string) (http.Handler, error) {
	u, err := url.Parse(httpsAddress)
	if err != nil || u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is not an address as https://host or https://:port", httpsAddress)
	}
	host, port := u.Hostname(), u.Port()
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "" // as a listener on every address says it
	}
	if port == "443" {
		port = ""
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := host
		if to == "" {
			to = requestHost(r.Host)
		}
		if to == "" {
			http.Error(w, "the request names no host", http.StatusBadRequest)
			return
		}
		target := url.URL{Scheme: "https", Host: joined(to, port), Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
		if !strings.HasPrefix(target.Path, "/") {
			target.Path, target.RawPath = "/", ""
		}
		w.Header().Set("Cache-Control", "no-store") // of what a request said of itself nothing is kept for others
		w.Header().Set("Location", target.String())
		w.WriteHeader(http.StatusPermanentRedirect)
	}), nil
}

// requestHost is the host of a Host header without its port; empty for what is none.
func requestHost(text string) string {
	host := strings.ToLower(text)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
		return ip.String()
	}
	if len(host) > 253 || !hostName.MatchString(host) {
		return ""
	}
	return host
}

func joined(host, port string) string {
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
