package mail_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/notify/mail"
)

const password = "pa55-of-the-mail-server"

// letter is a message as the server got it.
type letter struct {
	From string
	To   []string
	Data string
	TLS  bool
	User string
}

// office is a mail server.
type office struct {
	mu      sync.Mutex
	letters []letter
	refuse  string // recipients that are not taken
	port    int
	trusted *tls.Config
}

func (o *office) got() []letter { o.mu.Lock(); defer o.mu.Unlock(); return slices.Clone(o.letters) }

type visit struct {
	office *office
	conn   *smtp.Conn
	letter letter
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if user != "blueberry" || pass != password {
			return &smtp.SMTPError{Code: 535, Message: "no, not with " + pass} // a server that repeats what it got
		}
		v.letter.User = user
		return nil
	}), nil
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error { v.letter.From = from; return nil }

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == v.office.refuse {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody of this name"}
	}
	v.letter.To = append(v.letter.To, to)
	return nil
}

func (v *visit) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	v.letter.Data = string(b)
	_, v.letter.TLS = v.conn.TLSConnectionState()
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	v.office.letters = append(v.office.letters, v.letter)
	return nil
}

func (v *visit) Reset() { v.letter = letter{User: v.letter.User} }

func (v *visit) Logout() error { return nil }

func certificate(t *testing.T) (tls.Certificate, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// openOffice starts a server: plain, with STARTTLS, or with TLS from the start.
func openOffice(t *testing.T, mode mail.TLSMode) *office {
	t.Helper()
	o := &office{}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &visit{office: o, conn: c}, nil }))
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "localhost", true, log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.port = l.Addr().(*net.TCPAddr).Port
	if mode != mail.NoTLS {
		cert, trusted := certificate(t)
		o.trusted = trusted
		config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
		if mode == mail.ImplicitTLS {
			l = tls.NewListener(l, config)
		} else {
			s.TLSConfig, s.AllowInsecureAuth = config, false
		}
	}
	go s.Serve(l) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { s.Close() })
	return o
}

func (o *office) sender(mode mail.TLSMode) *mail.Sender {
	return &mail.Sender{
		Host: "127.0.0.1", Port: o.port, Username: "blueberry", Password: password, From: "Blueberry <blueberry@example.com>", TLS: mode, Trusted: o.trusted,
	}
}

func TestMailArrives(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		reason    string
		server    mail.TLSMode
		client    mail.TLSMode
		encrypted bool
	}{
		"starttls": {reason: "what everyone has", server: mail.StartTLS, client: mail.StartTLS, encrypted: true},
		"tls":      {reason: "from the first byte on", server: mail.ImplicitTLS, client: mail.ImplicitTLS, encrypted: true},
		"none":     {reason: "a server on this machine without TLS", server: mail.NoTLS, client: mail.NoTLS},
		"default":  {reason: "on this machine TLS is used when the server has it", server: mail.StartTLS, encrypted: true},
		"loopback": {reason: "and not when it has none", server: mail.NoTLS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t, test.server)
			m := notify.Mail{To: []string{"ada@example.com", "bob@example.com"}, Subject: "Grüße an Ada", Text: "One line.\n.\nA third, after a lone dot: ä.\n"}
			if err := o.sender(test.client).Send(t.Context(), m); err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			got := o.got()
			if len(got) != 2 {
				t.Fatalf("%s: got %d letters", test.reason, len(got))
			}
			for i, l := range got {
				if l.From != "blueberry@example.com" || !slices.Equal(l.To, m.To[i:i+1]) || l.User != "blueberry" {
					t.Errorf("%s: got %+v", test.reason, l)
				}
				if test.server != mail.ImplicitTLS && l.TLS != test.encrypted { // of the other the server's listener knows, not its session
					t.Errorf("%s: encrypted is %v", test.reason, l.TLS)
				}
				msg, err := netmail.ReadMessage(strings.NewReader(l.Data))
				if err != nil {
					t.Fatal(err)
				}
				subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
				if err != nil || subject != m.Subject {
					t.Errorf("subject %q, %v", subject, err)
				}
				if strings.Contains(l.Data, m.To[1-i]) {
					t.Errorf("%s was told of %s", m.To[i], m.To[1-i])
				}
			}
		})
	}
}

// Over a network nothing goes unencrypted, to no server that lacks TLS and to none with a certificate of someone else.
func TestNothingGoesUnencrypted(t *testing.T) {
	t.Parallel()
	m := notify.Mail{To: []string{"ada@example.com"}, Subject: "s", Text: "t"}
	plain := openOffice(t, mail.NoTLS)
	without := plain.sender(mail.StartTLS)
	without.Username, without.Password = "", "" // so that nothing but the lack of TLS is in the way
	if err := without.Send(t.Context(), m); !errors.Is(err, blueberry.Unavailable) {
		t.Errorf("without STARTTLS: got %v", err)
	}
	foreign := openOffice(t, mail.StartTLS)
	s := foreign.sender("")
	s.Trusted = nil
	if err := s.Send(t.Context(), m); !errors.Is(err, blueberry.Unavailable) {
		t.Errorf("with a certificate of nobody known: got %v", err)
	}
	if len(plain.got())+len(foreign.got()) != 0 {
		t.Error("mail went out")
	}
}

func TestWhatAServerRefusesIsTold(t *testing.T) {
	t.Parallel()
	o := openOffice(t, mail.StartTLS)
	o.refuse = "gone@example.com"
	err := o.sender(mail.StartTLS).Send(t.Context(), notify.Mail{To: []string{"gone@example.com", "ada@example.com"}, Subject: "s", Text: "t"})
	if !errors.Is(err, blueberry.Unavailable) || !strings.Contains(err.Error(), "gone@example.com") || !strings.Contains(err.Error(), "nobody of this name") {
		t.Errorf("got %v", err)
	}
	if got := o.got(); len(got) != 1 || got[0].To[0] != "ada@example.com" {
		t.Errorf("the other one got %+v", got)
	}
	wrong := o.sender(mail.StartTLS)
	wrong.Password = "not-the-password-at-all"
	if err := wrong.Send(t.Context(), notify.Mail{To: []string{"ada@example.com"}, Subject: "s", Text: "t"}); !errors.Is(err, blueberry.Unavailable) || strings.Contains(err.Error(), wrong.Password) {
		t.Errorf("a refused sign-in: got %v", err)
	}
}

func TestAServerThatIsDeadIsGivenUp(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, l := range map[string]net.Listener{"takes the connection and says nothing": silent, "is not there": closed} {
		s := &mail.Sender{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, From: "blueberry@example.com", Timeout: 50 * time.Millisecond}
		if err := s.Send(t.Context(), notify.Mail{To: []string{"ada@example.com"}, Subject: "s", Text: "t"}); !errors.Is(err, blueberry.Unavailable) {
			t.Errorf("a server that %s: got %v", name, err)
		}
	}
}

func TestNoTextBecomesAHeader(t *testing.T) {
	t.Parallel()
	o := openOffice(t, mail.NoTLS)
	for name, m := range map[string]notify.Mail{
		"subject":        {To: []string{"ada@example.com"}, Subject: "Hello\r\nBcc: eve@example.com", Text: "t"},
		"subject lf":     {To: []string{"ada@example.com"}, Subject: "Hello\nBcc: eve@example.com", Text: "t"},
		"recipient":      {To: []string{"ada@example.com\r\nBcc: eve@example.com"}, Subject: "s", Text: "t"},
		"two recipients": {To: []string{"ada@example.com, eve@example.com"}, Subject: "s", Text: "t"},
		"a command":      {To: []string{"ada@example.com>\r\nRCPT TO:<eve@example.com"}, Subject: "s", Text: "t"},
		"a name":         {To: []string{"Ada <ada@example.com>"}, Subject: "s", Text: "t"},
		"nobody":         {Subject: "s", Text: "t"},
		"no subject":     {To: []string{"ada@example.com"}, Text: "t"},
	} {
		if err := o.sender(mail.NoTLS).Send(t.Context(), m); !errors.Is(err, blueberry.Invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	s := o.sender(mail.NoTLS)
	s.From = "Blueberry <blueberry@example.com>\r\nBcc: eve@example.com"
	if err := s.Send(t.Context(), notify.Mail{To: []string{"ada@example.com"}, Subject: "s", Text: "t"}); !errors.Is(err, blueberry.Invalid) {
		t.Errorf("from: got %v", err)
	}
	text := "Hello\r\n.\r\nMAIL FROM:<eve@example.com>\r\n"
	if err := o.sender(mail.NoTLS).Send(t.Context(), notify.Mail{To: []string{"ada@example.com"}, Subject: "s", Text: text}); err != nil {
		t.Fatal(err)
	}
	got := o.got()
	if len(got) != 1 || bytes.Contains([]byte(got[0].Data), []byte("Bcc")) {
		t.Errorf("got %+v", got)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sender mail.Sender
		want   []string
	}{
		"good":        {sender: mail.Sender{Host: "smtp.example.com", From: "blueberry@example.com"}},
		"all wrong":   {sender: mail.Sender{Port: -1, TLS: "maybe", Password: "x"}, want: []string{"host", "port", "from", "tls", "username"}},
		"unencrypted": {sender: mail.Sender{Host: "smtp.example.com", From: "blueberry@example.com", TLS: mail.NoTLS}, want: []string{"tls"}},
		"here":        {sender: mail.Sender{Host: "::1", From: "blueberry@example.com", TLS: mail.NoTLS}},
	} {
		var got []string
		var e *blueberry.Error
		if errors.As(test.sender.Check(), &e) {
			for _, f := range e.Fields {
				got = append(got, f.Field)
			}
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}
