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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/supervise"
)

// TestMain makes the test binary every component: each serves its health page with the certificates and on the port that
// its flags say, and the API server also what the start asks it. It is an extra where the environment of one tells it.
func TestMain(m *testing.M) {
	name, flags := os.Getenv("ARGOCD_BINARY_NAME"), os.Args[1:]
	switch {
	case len(os.Args) > 2 && os.Args[1] == "component":
		if err := supervise.EndWithParent(time.Second); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		name, flags = os.Args[2], os.Args[3:]
	case name == "" && len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "--kubeconfig="):
		name = metricsServer
		if slices.Contains(os.Args, "--leader-elect=false") {
			name = rolloutsController
		}
	}
	if name == "" {
		os.Exit(m.Run())
	}
	if err := fakeComponent(name, flags); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// The files in the cluster's directory by which tests and components talk.
const (
	diary   = "diary"  // a line for every start and orderly end
	refusal = "refuse" // names a component that ends at once
)

func fakeComponent(name string, flags []string) error {
	dir := os.Getenv("HOME")
	if strings.HasPrefix(name, argoCD) {
		dir = filepath.Dir(filepath.Dir(dir)) // <dir>/argocd/home
	}
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
	case argoRepo, argoController:
		server.Addr = "127.0.0.1:" + values["metrics-port"]
	case argoServer:
		server.Addr = "127.0.0.1:" + values["port"]
	case argoSets:
		server.Addr = values["metrics-addr"]
	case rolloutsController:
		server.Addr = "127.0.0.1:" + values["healthzPort"]
	}
	plain := strings.HasPrefix(name, argoCD) || name == rolloutsController
	if name != apiServer && name != etcd {
		ca = ""
	}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return err
		}
		server.TLSConfig.ClientAuth, server.TLSConfig.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		server.TLSConfig.ClientCAs.AppendCertsFromPEM(pem)
	}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.Method == http.MethodPatch || r.Method == http.MethodDelete) && !strings.Contains(r.URL.Path, "/nodes/") {
			_ = write(dir, r.Method+" "+r.URL.Path+"\n") // a missing line fails the test
		}
		answer(w, r)
	})
	if err := os.WriteFile(filepath.Join(dir, name+".pid"), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return err
	}
	if err := write(dir, name+" starts\n"); err != nil {
		return err
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	failed := make(chan error, 1)
	go func() {
		if plain {
			failed <- server.ListenAndServe()
			return
		}
		failed <- server.ListenAndServeTLS(cert, key)
	}()
	select {
	case err := <-failed:
		return err
	case <-asked:
		return write(dir, name+" ends\n")
	}
}

func answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/secrets/"):
		w.WriteHeader(http.StatusNotFound)
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
