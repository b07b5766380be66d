package httpapi

import (
	"net/http"
	"net/netip"
	"strings"
)

// The headers in which proxies tell for whom they ask.
const (
	HeaderXForwardedFor = "X-Forwarded-For"
	HeaderForwarded     = "Forwarded" // RFC 7239
)

// maxHops is how many hops are read; nobody has so many proxies of their own.
const maxHops = 32

// addresses finds out where a request comes from.
type addresses struct {
	proxies   []netip.Prefix
	forwarded bool // read Forwarded
}

func (a addresses) trusts(hop netip.Addr) bool {
	for _, p := range a.proxies {
		if p.Contains(hop) {
			return true
		}
	}
	return false
}

// client is the address of the client, and whether it speaks TLS to us or to a proxy that is trusted. What a client writes about itself is never believed:
// going back from the connection, the first hop that is not trusted is the client, as the trusted hop after it saw it.
func (a addresses) client(r *http.Request) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, r.TLS != nil // a unix socket, or a test
	}
	at := plain(peer.Addr())
	if len(a.proxies) == 0 || !a.trusts(at) {
		return at, r.TLS != nil
	}
	hops, secure := xForwarded(r.Header)
	if a.forwarded {
		hops, secure = forwarded(r.Header[HeaderForwarded])
	}
	for i := len(hops) - 1; i >= 0 && a.trusts(at); i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			break
		}
		at = hop
	}
	return at, secure || r.TLS != nil
}

// plain is the one form of an address: IPv4 as such, and without a zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// network is what is counted as one client: an IPv4 address, or the /64 that one subscriber of IPv6 has.
func network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, _ := a.Prefix(64) // 64 is in range
	return p.Addr()
}

// xForwarded gives the last hops of X-Forwarded-For in their order, and whether the last proxy was asked by TLS.
func xForwarded(h http.Header) (hops []string, secure bool) {
	for _, line := range h[HeaderXForwardedFor] {
		for hop := range strings.SplitSeq(line, ",") {
			hops = append(hops, strings.TrimSpace(hop))
		}
	}
	if protos := h["X-Forwarded-Proto"]; len(protos) > 0 {
		last := protos[len(protos)-1]
		last = last[strings.LastIndexByte(last, ',')+1:]
		secure = strings.EqualFold(strings.TrimSpace(last), "https")
	}
	return hops[max(0, len(hops)-maxHops):], secure
}

// forwarded gives the last hops of Forwarded in their order; one that names no client is empty. A line whose quotes do not end says nothing at all: a client
// may have begun them, so that they swallow what a proxy has added.
func forwarded(lines []string) (hops []string, secure bool) {
	for _, line := range lines {
		elements, ok := unquotedSplit(line, ',')
		if !ok {
			elements = []string{""}
		}
		for _, element := range elements {
			hop := ""
			secure = false
			pairs, _ := unquotedSplit(element, ';') // its quotes end, as those of the line do
			for _, pair := range pairs {
				name, value, _ := strings.Cut(pair, "=")
				value = unquote(strings.TrimSpace(value))
				switch strings.ToLower(strings.TrimSpace(name)) {
				case "for":
					hop = value
				case "proto":
					secure = strings.EqualFold(value, "https")
				}
			}
			hops = append(hops, hop)
		}
	}
	return hops[max(0, len(hops)-maxHops):], secure
}

// unquotedSplit splits where sep stands outside of quotes. It reports false for quotes that do not end.
func unquotedSplit(text string, sep byte) (out []string, ok bool) {
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == sep && !quoted:
			out = append(out, text[from:i])
			from = i + 1
		}
	}
	return append(out, text[from:]), !quoted
}

func unquote(text string) string {
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		return text[1 : len(text)-1] // an address holds nothing that would be escaped
	}
	return text
}

// parseHop reads an address with or without a port: "192.0.2.1", "192.0.2.1:4711", "[2001:db8::1]", "[2001:db8::1]:4711", "2001:db8::1".
func parseHop(text string) (netip.Addr, bool) {
	text = unquote(text)
	if at, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); err == nil {
		return plain(at), true
	}
	if at, err := netip.ParseAddrPort(text); err == nil {
		return plain(at.Addr()), true
	}
	return netip.Addr{}, false
}
