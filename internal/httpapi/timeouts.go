package httpapi

import (
	"cmp"
	"net/http"
	"time"
)

// Timeouts are what a client may take. Zero means the default, which the comment says.
type Timeouts struct {
	Header time.Duration // to send the head of a request, and to shake hands: 10 s
	Body   time.Duration // to send the whole body: 30 s
	Write  time.Duration // to take each 256 KiB of an answer, or what a stream or a page that is followed tells at once: 30 s
	Idle   time.Duration // between two requests on a connection: 2 min
}

// maxHeader is the most bytes of the head of a request.
const maxHeader = 64 << 10

func (t Timeouts) orDefaults() Timeouts {
	return Timeouts{
		Header: cmp.Or(t.Header, 10*time.Second), Body: cmp.Or(t.Body, 30*time.Second), Write: cmp.Or(t.Write, 30*time.Second), Idle: cmp.Or(t.Idle, 2*time.Minute),
	}
}

// Configure sets what of it a server does by itself; the rest is done by the gateway, which knows a stream from an answer.
func (t Timeouts) Configure(s *http.Server) {
	t = t.orDefaults()
	s.ReadHeaderTimeout, s.IdleTimeout, s.MaxHeaderBytes = t.Header, t.Idle, maxHeader
	s.ReadTimeout, s.WriteTimeout = 0, 0
}

// piece is how much of an answer has one time-out.
const piece = 256 << 10

// counter remembers what was answered, and cuts a client that does not take it.
type counter struct {
	http.ResponseWriter
	control *http.ResponseController // of the writer below
	timeout time.Duration            // for each piece and flush; 0 means that the route sees to it
	status  int
	bytes   int64
}

// WriteHeader notes the status.
func (c *counter) WriteHeader(status int) {
	if c.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (c *counter) Write(p []byte) (n int, err error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	for {
		part := p[n:min(len(p), n+piece)]
		c.begin()
		k, err := c.ResponseWriter.Write(part)
		n += k
		c.bytes += int64(k)
		if err != nil || n == len(p) {
			c.end()
			return n, err
		}
	}
}

// begin gives the client its time for what is written next. The clock is that of the connection, not one of ours.
func (c *counter) begin() {
	if c.timeout > 0 {
		_ = c.control.SetWriteDeadline(time.Now().Add(c.timeout)) // not every connection has one
	}
}

// end takes the deadline off, so that a route may take its time before it writes on: HTTP/2 ends a stream at its deadline, also one with nothing to write.
func (c *counter) end() {
	if c.timeout > 0 {
		_ = c.control.SetWriteDeadline(time.Time{})
	}
}

// FlushError sends what was written, which is when a client that takes nothing is felt.
func (c *counter) FlushError() error {
	c.begin()
	defer c.end()
	return c.control.Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
