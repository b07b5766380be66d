package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/supervise"
)

// TestMain makes the test binary every component: each serves its health page with the certificates and on the port that
// its flags say, and the API server also what the start asks it.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "component" {
		if err := fakeComponent(os.Args[2], os.Args[3:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// The files in the cluster's directory by which tests and components talk.
const (
	diary   = "diary"  // a line for every start and orderly end
	refusal = "refuse" // names a component that ends at once
)

func fakeComponent(name string, flags []string) error {
	if err := supervise.EndWithParent(time.Second); err != nil {
		return err
	}
	dir := os.Getenv("HOME")
	if who, err := os.ReadFile(filepath.Join(dir, refusal)); err == nil && string(who) == name {
		return fmt.Errorf("%s will not run today", name)
	}
	values := map[string]string{}
	for _, f := range flags {
		k, v, _ := strings.Cut(strings.TrimPrefix(f, "--"), "=")
		values[k] = v
	}
	server := &http.Server{Addr: "127.0.0.1:" + values["secure-port"], TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	cert, key, ca := values["tls-cert-file"], values["tls-private-key-file"], values["client-ca-file"]
	switch name {
	case etcd:
		u, err := url.Parse(values["listen-client-urls"])
		if err != nil {
			return err
		}
		server.Addr, cert, key, ca = u.Host, values["cert-file"], values["key-file"], values["trusted-ca-file"]
	case kwok:
		server.Addr = values["server-address"]
	}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return err
		}
		server.TLSConfig.ClientAuth, server.TLSConfig.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		server.TLSConfig.ClientCAs.AppendCertsFromPEM(pem)
	}
	server.Handler = http.HandlerFunc(answer)
	if err := os.WriteFile(filepath.Join(dir, name+".pid"), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return err
	}
	if err := write(dir, name+" starts\n"); err != nil {
		return err
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServeTLS(cert, key) }()
	select {
	case err := <-failed:
		return err
	case <-asked:
		return write(dir, name+" ends\n")
	}
}

func answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost:
		w.WriteHeader(http.StatusCreated)
	case strings.HasSuffix(r.URL.Path, "/nodes/"+nodeName):
		fmt.Fprint(w, `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`)
	}
}

func write(dir, line string) error {
	f, err := os.OpenFile(filepath.Join(dir, diary), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(line)
	return err
}
