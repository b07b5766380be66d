package httpapi

import "net/http"

// secure sets the headers that every answer has. A page that needs more sets its own Content-Security-Policy.
func secure(h http.Header, id string, tls bool) {
	h["X-Request-Id"] = []string{id}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["X-Frame-Options"] = []string{"DENY"}
	// Not "no-referrer": with that a browser hides where the form of a page was sent from, and it would be taken for a foreign one.
	h["Referrer-Policy"] = []string{"same-origin"}
	h["Cross-Origin-Opener-Policy"] = []string{"same-origin"}
	h["Cross-Origin-Resource-Policy"] = []string{"same-origin"}
	h["Content-Security-Policy"] = []string{"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	h["Permissions-Policy"] = []string{"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"}
	if tls {
		h["Strict-Transport-Security"] = []string{"max-age=31536000"}
	}
}
