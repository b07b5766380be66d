package queue_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/notify/queue"
	"github.com/blueberry-idp/blueberry/internal/notify/sendertest"
)

const natsSecret = "hush-of-nats"

// natsServer starts a real server.
func natsServer(t *testing.T, o *server.Options) *server.Server {
	t.Helper()
	o.Host, o.Port, o.NoLog, o.NoSigs, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, true, true, t.TempDir()
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not come up")
	}
	return s
}

func natsAddress(s *server.Server) blueberry.SubscriptionAddress {
	return blueberry.SubscriptionAddress{URL: "nats://" + s.Addr().String(), To: "blueberry.events"}
}

func listen(t *testing.T, s *server.Server, options ...nats.Option) (*nats.Conn, *nats.Subscription) {
	t.Helper()
	c, err := nats.Connect("nats://"+s.Addr().String(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	sub, err := c.SubscribeSync("blueberry.>")
	if err != nil || c.Flush() != nil {
		t.Fatal(err)
	}
	return c, sub
}

func send(t *testing.T, out *notify.Outbound, a blueberry.SubscriptionAddress) blueberry.NoticeResult {
	t.Helper()
	r := queue.NATS{Outbound: out}.Send(t.Context(), sendertest.Parcel(a))
	if strings.Contains(r.Why()+r.Error, natsSecret) {
		t.Errorf("the result tells a secret: %+v", r)
	}
	return r
}

var hereOnly = &notify.Outbound{AllowLocal: true}

func TestNATS(t *testing.T) {
	t.Parallel()
	s := natsServer(t, &server.Options{})
	_, sub := listen(t, s)
	if r := send(t, hereOnly, natsAddress(s)); !r.OK() {
		t.Fatalf("%+v", r)
	}
	m, err := sub.NextMsg(10 * time.Second)
	if err != nil || m.Subject != "blueberry.events" || string(m.Data) != `{"specversion":"1.0"}` || m.Header.Get("content-type") != "application/cloudevents+json" || m.Header.Get("Nats-Msg-Id") != "evt_1" {
		t.Fatalf("%+v %v", m, err)
	}
	if s.NumClients() > 2 {
		t.Errorf("%d connections are left", s.NumClients())
	}
	if r := send(t, &notify.Outbound{}, natsAddress(s)); r.OK() || !r.Refused {
		t.Errorf("a network of one's own is reached: %+v", r)
	}
	inside := &notify.Outbound{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}}
	_, port, _ := net.SplitHostPort(s.Addr().String())
	if r := send(t, inside, blueberry.SubscriptionAddress{URL: "nats://nats.example.com:" + port, To: "blueberry.events"}); r.OK() || !r.Refused {
		t.Errorf("a name leads into a network of one's own: %+v", r)
	}
}

// TestNATSKeepsToItsServers: a server that tells of others does not have them called.
func TestNATSKeepsToItsServers(t *testing.T) {
	t.Parallel()
	other, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	called := make(chan struct{}, 1)
	go func() {
		if c, err := other.Accept(); err == nil {
			_ = c.Close()
			called <- struct{}{}
		}
	}()
	liar, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer liar.Close()
	go func() {
		for {
			c, err := liar.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "INFO {\"server_id\":\"x\",\"version\":\"2.10.0\",\"headers\":true,\"max_payload\":1048576,\"connect_urls\":[%q]}\r\n", other.Addr())
			_, _ = c.Read(make([]byte, 64))
			_ = c.Close()
		}
	}()
	if r := send(t, hereOnly, blueberry.SubscriptionAddress{URL: "nats://" + liar.Addr().String(), To: "blueberry.events"}); r.OK() || r.Refused {
		t.Errorf("%+v", r)
	}
	select {
	case <-called:
		t.Error("the server that was told of is called")
	default:
	}
}

func TestNATSProofs(t *testing.T) {
	t.Parallel()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := pair.Seed()
	public, _ := pair.PublicKey()
	for name, c := range map[string]struct {
		options    server.Options
		user, key  string
		wrong, bad string
	}{
		"password": {server.Options{Username: "blueberry", Password: natsSecret}, "blueberry", natsSecret, "blueberry", natsSecret + "x"},
		"token":    {server.Options{Authorization: natsSecret}, "", natsSecret, "", natsSecret + "x"},
		"nkey":     {server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}}, "", string(seed) + "\n", "", natsSecret},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := natsServer(t, &c.options)
			a := natsAddress(s)
			a.User, a.Key = c.user, c.key
			if r := send(t, hereOnly, a); !r.OK() {
				t.Errorf("%+v", r)
			}
			a.User, a.Key = c.wrong, c.bad
			if r := send(t, hereOnly, a); r.OK() || passes(r) || r.Error != "the server does not know the key" {
				t.Errorf("with another key: %+v", r)
			}
			a.User, a.Key = "", ""
			if r := send(t, hereOnly, a); r.OK() || passes(r) {
				t.Errorf("without a key: %+v", r)
			}
		})
	}
	a := blueberry.SubscriptionAddress{URL: "nats://127.0.0.1:1", To: "blueberry.events", Key: "-----BEGIN NATS USER JWT-----\nhush-of-nats\n------END NATS USER JWT------\n"}
	if r := send(t, hereOnly, a); r.OK() || !r.Refused {
		t.Errorf("credentials without a seed: %+v", r)
	}
}

func TestNATSPermissions(t *testing.T) {
	t.Parallel()
	s := natsServer(t, &server.Options{Users: []*server.User{{
		Username: "blueberry", Password: natsSecret, Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"other.>"}}},
	}}})
	a := natsAddress(s)
	a.User, a.Key = "blueberry", natsSecret
	if r := send(t, hereOnly, a); r.OK() || passes(r) || r.Error != "the sender may not publish to the subject" {
		t.Errorf("%+v", r)
	}
	a.To = "other.events"
	if r := send(t, hereOnly, a); !r.OK() {
		t.Errorf("%+v", r)
	}
}

func TestNATSStream(t *testing.T) {
	t.Parallel()
	s := natsServer(t, &server.Options{JetStream: true})
	c, err := nats.Connect("nats://" + s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	js, err := c.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	a := natsAddress(s)
	a.Stream = "EVENTS"
	if r := send(t, hereOnly, a); r.OK() || !passes(r) || r.Error != "no stream takes the subject now" { // it is the same word while streams have no leader
		t.Errorf("without a stream: %+v", r)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: "EVENTS", Subjects: []string{"blueberry.>"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it comes twice, and is kept once
		if r := send(t, hereOnly, a); !r.OK() {
			t.Fatalf("%+v", r)
		}
	}
	info, err := js.StreamInfo("EVENTS")
	if err != nil || info.State.Msgs != 1 {
		t.Errorf("the stream has %+v: %v", info, err)
	}
	a.Stream = "OTHERS"
	if r := send(t, hereOnly, a); r.OK() || passes(r) || r.Error != "another stream takes the subject" {
		t.Errorf("of another stream: %+v", r)
	}
}

func TestNATSEncrypts(t *testing.T) {
	t.Parallel()
	certificate, trusted := certificateFor(t, "127.0.0.1")
	s := natsServer(t, &server.Options{TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}})
	a := natsAddress(s)
	a.URL = strings.Replace(a.URL, "nats://", "tls://", 1)
	if r := send(t, &notify.Outbound{AllowLocal: true, Trusted: trusted}, a); !r.OK() {
		t.Errorf("%+v", r)
	}
	if r := send(t, hereOnly, a); r.OK() || !strings.Contains(r.Error, "certificate") {
		t.Errorf("by a certificate of nobody: %+v", r)
	}
	plain := natsServer(t, &server.Options{Username: "blueberry", Password: natsSecret})
	a = natsAddress(plain)
	a.URL, a.User, a.Key = strings.Replace(a.URL, "nats://", "tls://", 1), "blueberry", natsSecret
	if r := send(t, hereOnly, a); r.OK() || r.Error != "the server does not encrypt" {
		t.Errorf("to a server without TLS: %+v", r)
	}
}

func certificateFor(t *testing.T, host string) (tls.Certificate, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nats"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(host)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// TestNATSGivesUp: a server that says nothing holds nobody up once the caller has gone.
func TestNATSGivesUp(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		if c, err := l.Accept(); err == nil {
			cancel()
			_, _ = c.Read(make([]byte, 1))
			_ = c.Close()
		}
	}()
	r := queue.NATS{Outbound: hereOnly}.Send(ctx, sendertest.Parcel(blueberry.SubscriptionAddress{URL: "nats://" + l.Addr().String(), To: "blueberry.events"}))
	if r.OK() || r.Refused {
		t.Errorf("%+v", r)
	}
	_ = l.Close()
	if r := send(t, hereOnly, blueberry.SubscriptionAddress{URL: "nats://" + l.Addr().String(), To: "blueberry.events"}); r.OK() || r.Refused || r.Error == "" {
		t.Errorf("who is not there: %+v", r)
	}
}
