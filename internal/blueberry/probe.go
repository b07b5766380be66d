package blueberry

import (
	"fmt"
	"strings"
	"time"
)

// ProbeGrace is how long after an environment was first ready an address of it may still not answer: names and certificates take their time.
const ProbeGrace = 10 * time.Minute

// ProbeCause judges one request to an address of an environment: status is that of the answer, 0 when none came, and then failure is Go's text of why.
// firstReady is when the environment was first ready; zero while it never was, and then nothing is told. What does not answer is a warning during
// ProbeGrace, then a failure. Any answer below 500 is an answer, a demand to sign in too; 404 stays a warning, because many a program has nothing at its root.
func ProbeCause(host string, status int, failure string, firstReady, now time.Time) (Cause, bool) {
	if firstReady.IsZero() || status > 0 && status < 500 && status != 404 {
		return Cause{}, false
	}
	c := Cause{Code: CauseURL, Severity: Warns, Step: Reachable}
	if !now.Before(firstReady.Add(ProbeGrace)) {
		c.Severity = Fails
	}
	switch {
	case status == 404:
		c.Severity = Warns
		c.Message = fmt.Sprintf("%s answers 404: nothing is found at its root", host)
		c.Fix = "check the component's health path and ingress.paths in the blueprint; if the program serves nothing at /, nothing is wrong"
		c.Evidence = []Evidence{NewEvidence("probe of "+host, "404 Not Found", now)}
		return c, true
	case status > 0:
		c.Message = fmt.Sprintf("%s answers %d", host, status)
		c.Fix = "read what the program wrote: blueberry env logs NAME"
		if status == 502 || status == 503 || status == 504 {
			c.Fix = "check that the component listens on the port that the blueprint names (port), on all addresses and not only on localhost"
		}
		c.Evidence = []Evidence{NewEvidence("probe of "+host, fmt.Sprintf("status %d", status), now)}
		return c, true
	case strings.Contains(failure, "no such host") || strings.Contains(failure, "server misbehaving") || strings.Contains(failure, "lookup "):
		c.Code = CauseDNS
		c.Message = fmt.Sprintf("the name %s is not known to DNS", host)
		c.Fix = "add a DNS record for it (a wildcard of the target's domain serves all environments), or give the target a domain that resolves by itself, as localhost does"
	case strings.Contains(failure, "x509:") || strings.Contains(failure, "tls:"):
		c.Message = fmt.Sprintf("the certificate of %s is not accepted", host)
		c.Fix = "check the certificate: its issuer must be trusted and it must name the host"
	default:
		c.Message = fmt.Sprintf("%s does not answer", host)
		c.Fix = "check that the target's ingress controller runs and that its address can be reached from here"
	}
	c.Evidence = []Evidence{NewEvidence("probe of "+host, failure, now)}
	return c, true
}
