package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// TLSMode says how the connection is encrypted.
type TLSMode string

// The modes.
const (
	StartTLS    TLSMode = "starttls" // from the first command on; it is the default, and on loopback used if the server has it
	ImplicitTLS TLSMode = "tls"      // from the first byte on
	NoTLS       TLSMode = "none"     // on loopback only
)

// The time-outs: of one step, and of a message, however many steps a server makes of it.
const (
	StepTime    = 10 * time.Second
	MessageTime = time.Minute
)

// Sender sends mail through one server. It holds no connection in between.
type Sender struct {
	Host     string
	Port     int    // 0: 587, or 465 with ImplicitTLS
	Username string // empty: no sign-in
	Password string
	From     string // "Blueberry <blueberry@example.com>", or an address
	TLS      TLSMode
	Timeout  time.Duration // of one step; 0 for StepTime
	Trusted  *tls.Config   // nil for the authorities of the system; for servers with a certificate of one's own
}

// Check is an Invalid error with everything that is wrong with the settings, by the names that they have in the configuration.
func (s *Sender) Check() error {
	var f blueberry.Faults
	if s.Host == "" || strings.ContainsAny(s.Host, " /@\r\n") {
		f.Add("host", "host", "must be the name of the mail server")
	}
	if s.Port < 0 || s.Port > 65535 {
		f.Add("port", "port", "must be between 1 and 65535")
	}
	if a, err := netmail.ParseAddress(s.From); err != nil || !notify.PlainAddress(a.Address) || strings.ContainsAny(s.From, "\r\n") {
		f.Add("from", "email", "must be an e-mail address, with a name or without")
	}
	switch s.TLS {
	case "", StartTLS, ImplicitTLS:
	case NoTLS:
		if !loopback(s.Host) {
			f.Add("tls", "unencrypted", "can be none only for a server on this machine")
		}
	default:
		f.Add("tls", "unknown", "must be starttls, tls or none")
	}
	if s.Username == "" && s.Password != "" {
		f.Add("username", "required", "is needed with a password")
	}
	return f.Err()
}

// Send gives the message to the server, one copy for each recipient. Unavailable when any of them was not taken; the error names the recipients and may be
// shown to admins.
func (s *Sender) Send(ctx context.Context, m notify.Mail) error {
	if err := errors.Join(s.Check(), m.Check()); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, MessageTime)
	defer cancel()
	line := &line{}
	client, err := s.client(line)
	if err != nil {
		return s.failed("set up", err)
	}
	defer context.AfterFunc(ctx, line.cut)() // the library keeps to no context once it has a connection
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		line.cut() // and leaves one open that failed
		return s.failed("reach "+s.address(), err)
	}
	defer client.CloseWithSMTPClient(conn) //nolint:errcheck // what was taken is taken
	var lost []error
	for _, to := range m.To {
		msg, err := s.message(to, m)
		if err == nil {
			err = client.SendWithSMTPClient(conn, msg)
		}
		if err != nil {
			lost = append(lost, s.failed("send to "+to, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(lost...)
}

// line is the connection of one Send.
type line struct {
	mu   sync.Mutex
	conn net.Conn
	off  bool
}

func (l *line) keep(conn net.Conn, err error) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.off {
		_ = conn.Close()
		return nil, context.Canceled
	}
	l.conn = conn
	return conn, err
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off = true; l.conn != nil {
		_ = l.conn.Close()
	}
}

func (s *Sender) message(to string, m notify.Mail) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(s.From), msg.To(to)); err != nil {
		return nil, err
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no automatic answers, please
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, nil
}

func (s *Sender) port() int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.TLS == ImplicitTLS:
		return gomail.DefaultPortSSL
	}
	return gomail.DefaultPortTLS
}

func (s *Sender) address() string { return net.JoinHostPort(s.Host, fmt.Sprint(s.port())) }

func (s *Sender) client(l *line) (*gomail.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.Trusted != nil {
		config = s.Trusted.Clone()
	}
	config.ServerName = s.Host
	policy, auth := gomail.TLSMandatory, gomail.SMTPAuthAutoDiscover
	switch {
	case s.TLS == NoTLS || s.TLS == ImplicitTLS: // of the second the library need not know: it is given an encrypted connection
		policy, auth = gomail.NoTLS, gomail.SMTPAuthPlainNoEnc
	case s.TLS == "" && loopback(s.Host):
		policy, auth = gomail.TLSOpportunistic, gomail.SMTPAuthPlainNoEnc
	}
	options := []gomail.Option{
		gomail.WithPort(s.port()), gomail.WithTimeout(cmp.Or(s.Timeout, StepTime)), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(config), gomail.WithoutNoop(),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			if s.TLS == ImplicitTLS {
				return l.keep((&tls.Dialer{Config: config}).DialContext(ctx, network, address))
			}
			return l.keep((&net.Dialer{}).DialContext(ctx, network, address))
		}),
	}
	if s.Username != "" {
		options = append(options, gomail.WithSMTPAuth(auth), gomail.WithUsername(s.Username), gomail.WithPassword(s.Password))
	}
	return gomail.NewClient(s.Host, options...)
}

// failed is Unavailable with what the server said, without the password, whatever a server repeats.
func (s *Sender) failed(doing string, err error) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if s.Password != "" {
		for _, secret := range []string{
			s.Password, base64.StdEncoding.EncodeToString([]byte(s.Password)), base64.StdEncoding.EncodeToString([]byte("\x00" + s.Username + "\x00" + s.Password)),
		} {
			text = strings.ReplaceAll(text, secret, "(hidden)")
		}
	}
	return blueberry.Errorf(blueberry.Unavailable, "MAIL_NOT_SENT", "%s: %s", doing, text)
}

// loopback reports whether a host is this machine, by its name alone: what a name resolves to may change.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
