package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// pairOf is a certificate and key of a new name as PEM, by one authority.
func pairOf(t *testing.T, s *SelfMade) (cert, key []byte) {
	t.Helper()
	pair, err := s.sign(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err = encodeKey(pair.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return encodeCertificate(pair.Leaf.Raw), key
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCertificateIsReloadedUnderConnections changes the files while a server runs, also by halves.
func TestCertificateIsReloadedUnderConnections(t *testing.T) {
	t.Parallel()
	dir, c, own := t.TempDir(), newClock(), selfMade(t)
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	cert1, key1 := pairOf(t, own)
	cert2, key2 := pairOf(t, own)
	write(t, certFile, cert1)
	write(t, keyFile, key1)
	var said bytes.Buffer
	r, err := Files(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	r.Now, r.Logger = c.now, slog.New(slog.NewTextHandler(&said, nil))
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	srv.TLS = PlainTLS(r.GetCertificate)
	srv.StartTLS()
	defer srv.Close()
	srv.TLS.Certificates = nil
	seen := func(h *http.Client) string {
		t.Helper()
		res, err := h.Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return string(encodeCertificate(res.TLS.PeerCertificates[0].Raw))
	}
	fresh := func() *http.Client { return client(t, &tls.Config{RootCAs: poolOf(t, own.CAFile)}) }
	open := fresh()
	for _, step := range []struct {
		what string
		do   func()
		want []byte
	}{
		{"at first", func() {}, cert1},
		{"certificate without its key", func() { write(t, certFile, cert2) }, cert1},
		{"half a key", func() { write(t, keyFile, key2[:len(key2)/2]) }, cert1},
		{"both", func() { write(t, keyFile, key2) }, cert2},
		{"files gone", func() { os.Remove(certFile); os.Remove(keyFile) }, cert2},
		{"empty", func() { write(t, certFile, nil); write(t, keyFile, nil) }, cert2},
		{"back", func() { write(t, certFile, cert1); write(t, keyFile, key1) }, cert1},
	} {
		step.do()
		c.pass(lookEvery)
		if got := seen(fresh()); got != string(step.want) {
			t.Errorf("%s: another certificate is shown", step.what)
		}
		if got := seen(open); got != string(cert1) {
			t.Errorf("%s: the open connection was cut", step.what)
		}
	}
	if n := strings.Count(said.String(), "certificate reloaded"); n != 2 {
		t.Errorf("%d reloads are logged, want 2:\n%s", n, said.String())
	}
	if !strings.Contains(said.String(), "the one before goes on") {
		t.Errorf("the log does not tell of the broken pair:\n%s", said.String())
	}
}

func TestFilesMustWorkAtTheStart(t *testing.T) {
	t.Parallel()
	dir, own := t.TempDir(), selfMade(t)
	cert, _ := pairOf(t, own)
	_, key := pairOf(t, own)
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	if _, err := Files(certFile, keyFile); err == nil {
		t.Error("no files are taken for a pair")
	}
	write(t, certFile, cert)
	write(t, keyFile, key)
	if _, err := Files(certFile, keyFile); err == nil {
		t.Error("the key of another certificate is taken")
	}
}

func TestRequestsOfClients(t *testing.T) {
	t.Parallel()
	ca := newCA(t, &secrets{}, newClock(), &revocations{})
	request := func(key any) []byte {
		der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{"evil.test"}}, key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: blockRequest, Bytes: der})
	}
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	forged := request(p256)
	block, _ := pem.Decode(forged)
	block.Bytes[len(block.Bytes)-1] ^= 1
	for name, tc := range map[string]struct {
		request []byte
		ok      bool
	}{
		"P-256": {request(p256), true}, "Ed25519": {request(ed), true}, "RSA 2048": {request(rsa2048), true}, "P-224": {request(p224), false},
		"forged": {pem.EncodeToMemory(block), false}, "garbage": {[]byte("-----BEGIN"), false}, "empty": {[]byte{}, false},
		"a key": {func() []byte { b, _ := encodeKey(p256); return b }(), false},
	} {
		i, err := ca.Issue(t.Context(), "worker", tc.request, time.Hour)
		if (err == nil) != tc.ok {
			t.Errorf("%s: error is %v, want one: %v", name, err, !tc.ok)
		}
		if err != nil {
			if !errors.Is(err, blueberry.Invalid) {
				t.Errorf("%s: error is %v, want a fault", name, err)
			}
			continue
		}
		leaf, err := parseCertificate(i.Certificate)
		if err != nil || len(leaf.DNSNames) > 0 || leaf.Subject.CommonName != "worker" || leaf.IsCA || i.Key != nil {
			t.Errorf("%s: the certificate takes over more than the key: %v %+v", name, err, leaf.Subject)
		}
	}
}

// FuzzPEM reads anything without falling over, and never repeats it in an error.
func FuzzPEM(f *testing.F) {
	key, err := newKey()
	if err != nil {
		f.Fatal(err)
	}
	text, _ := encodeKey(key)
	cert, err := signRoot("x", key, time.Now(), time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{nil, text, encodeCertificate(cert.Raw), []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), []byte("-----BEGIN CERTIFICATE REQUEST-----")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, a := parseCertificate(text)
		_, b := parseKey(text)
		_, c := parseRequest(text)
		for _, err := range []error{a, b, c} {
			if err != nil && len(text) > 60 && strings.Contains(err.Error(), string(text[20:60])) {
				t.Errorf("the error repeats the text: %v", err)
			}
		}
	})
}
