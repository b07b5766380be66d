package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/atomicfile"
)

const (
	// Margin is how long before its end a certificate is replaced. A cluster that runs longer than this without a restart
	// could see one end.
	Margin = 180 * 24 * time.Hour

	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 3 * 365 * 24 * time.Hour
)

// The names of the pairs; each is <name>.crt and <name>.key in the directory.
const (
	CA                = "ca"                 // signs what speaks to the API server, and the API server itself
	FrontProxyCA      = "front-proxy-ca"     // signs who may speak for others to an extension API server
	EtcdCA            = "etcd-ca"            // signs etcd and its one client; apart, so that no certificate of the cluster opens the store
	APIServer         = "apiserver"          // serves the API
	Local             = "local"              // serves the health pages of the other components
	Admin             = "admin"              // the user's
	ControllerManager = "controller-manager" //
	Scheduler         = "scheduler"          //
	Kwok              = "kwok"               //
	KubeletClient     = "kubelet-client"     // the API server asking a node for logs
	FrontProxyClient  = "front-proxy-client" // the API server asking an extension API server
	Etcd              = "etcd"               // serves etcd
	EtcdClient        = "etcd-client"        // the API server asking etcd
	ArgoCD            = "argocd"             //
	Rollouts          = "argo-rollouts"      //
	Metrics           = "metrics"            // metrics-server asking the API server and the node
	MetricsServer     = "metrics-server"     // serves the metrics API

	// ServiceAccount is the key that signs service account tokens: service-account.key and service-account.pub.
	ServiceAccount = "service-account"
)

// leaf says what a certificate that is not an authority is made from.
type leaf struct {
	name, authority, user string
	groups, hosts         []string // hosts are names or addresses; none means that it only identifies a client
}

func leaves(serviceIP string) []leaf {
	loopback := []string{"127.0.0.1", "localhost"}
	// The API server asks an extension by the name of its Service.
	metrics := append([]string{"metrics-server.kube-system.svc"}, loopback...)
	masters := []string{"system:masters"}
	return []leaf{
		{name: APIServer, authority: CA, user: "kube-apiserver", hosts: append([]string{
			serviceIP, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		}, loopback...)},
		{name: Local, authority: CA, user: "devcluster", hosts: loopback},
		{name: Admin, authority: CA, user: "devcluster-admin", groups: masters},
		// The controllers run under one identity instead of one service account each, which makes them start sooner; that
		// identity then needs what all of them need.
		{name: ControllerManager, authority: CA, user: "system:kube-controller-manager", groups: masters},
		{name: Scheduler, authority: CA, user: "system:kube-scheduler"},
		{name: Kwok, authority: CA, user: "kwok", groups: masters},
		{name: KubeletClient, authority: CA, user: "kube-apiserver-kubelet-client", groups: masters},
		{name: FrontProxyClient, authority: FrontProxyCA, user: "front-proxy-client"},
		{name: Etcd, authority: EtcdCA, user: "etcd", hosts: loopback},
		{name: EtcdClient, authority: EtcdCA, user: "kube-apiserver"},
		{name: ArgoCD, authority: CA, user: "argocd", groups: masters},
		{name: Rollouts, authority: CA, user: "argo-rollouts", groups: masters},
		{name: Metrics, authority: CA, user: "metrics-server", groups: masters},
		{name: MetricsServer, authority: CA, user: "metrics-server", hosts: metrics},
	}
}

// Dir is a directory of certificates.
type Dir string

// Cert is the path of a certificate.
func (d Dir) Cert(name string) string { return filepath.Join(string(d), name+".crt") }

// Key is the path of a private key.
func (d Dir) Key(name string) string { return filepath.Join(string(d), name+".key") }

// Public is the path of the public half of ServiceAccount.
func (d Dir) Public() string { return filepath.Join(string(d), ServiceAccount+".pub") }

// Ensure makes what is missing, unreadable, not fitting or near its end, and leaves the rest alone. It returns the names
// of the pairs that it made. serviceIP is the cluster's address of the API server.
func (d Dir) Ensure(serviceIP string, now time.Time) (made []string, err error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, fmt.Errorf("make directory of certificates: %w", err)
	}
	if err := os.Chmod(string(d), 0o700); err != nil {
		return nil, fmt.Errorf("close directory of certificates: %w", err)
	}
	authorities := map[string]*pair{}
	for _, name := range []string{CA, FrontProxyCA, EtcdCA} {
		p, err := d.load(name)
		if err != nil || !p.lasts(now) || !p.cert.IsCA {
			if p, err = d.makeAuthority(name, now); err != nil {
				return made, fmt.Errorf("make authority %s: %w", name, err)
			}
			made = append(made, name)
		}
		authorities[name] = p
	}
	for _, l := range leaves(serviceIP) {
		ca := authorities[l.authority]
		if p, err := d.load(l.name); err == nil && p.lasts(now) && p.fits(l, ca) {
			continue
		}
		if err := d.makeLeaf(l, ca, now); err != nil {
			return made, fmt.Errorf("make certificate %s: %w", l.name, err)
		}
		made = append(made, l.name)
	}
	ok, err := d.ensureServiceAccount()
	if err != nil {
		return made, fmt.Errorf("make key %s: %w", ServiceAccount, err)
	}
	if !ok {
		made = append(made, ServiceAccount)
	}
	return made, nil
}

// pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (p *pair) lasts(now time.Time) bool {
	return !now.Before(p.cert.NotBefore) && now.Add(Margin).Before(p.cert.NotAfter)
}

func (p *pair) fits(l leaf, ca *pair) bool {
	if p.cert.CheckSignatureFrom(ca.cert) != nil || p.cert.Subject.CommonName != l.user || !slices.Equal(p.cert.Subject.Organization, l.groups) {
		return false
	}
	for _, h := range l.hosts {
		if p.cert.VerifyHostname(h) != nil {
			return false
		}
	}
	return true
}

// load reads a pair, makes sure that key and certificate belong together and that the key is closed to others.
func (d Dir) load(name string) (*pair, error) {
	t, err := tls.LoadX509KeyPair(d.Cert(name), d.Key(name))
	if err != nil {
		return nil, fmt.Errorf("read pair %s: %w", name, err)
	}
	key, ok := t.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read pair %s: not an ECDSA key", name)
	}
	if err := os.Chmod(d.Key(name), 0o600); err != nil {
		return nil, fmt.Errorf("close key %s: %w", name, err)
	}
	return &pair{cert: t.Leaf, key: key}, nil
}

func (d Dir) makeAuthority(name string, now time.Time) (*pair, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "devcluster " + name},
		NotBefore:             now.Add(-time.Hour), // clocks that differ a little
		NotAfter:              now.Add(authorityLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return d.sign(name, template, key, &pair{cert: template, key: key})
}

func (d Dir) makeLeaf(l leaf, ca *pair, now time.Time) error {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: l.user, Organization: l.groups},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              earlier(now.Add(leafLife), ca.cert.NotAfter),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(l.hosts) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	if l.name == Etcd {
		// etcd also calls itself, as a peer and through its gateway, with the certificate that it serves.
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	for _, h := range l.hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	_, err = d.sign(l.name, template, key, ca)
	return err
}

// sign makes a certificate and writes the pair, the key first: a crash between the two leaves a pair that does not fit,
// which the next Ensure makes anew.
func (d Dir) sign(name string, template *x509.Certificate, key *ecdsa.PrivateKey, ca *pair) (*pair, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if err := d.writeKey(name, key); err != nil {
		return nil, err
	}
	return &pair{cert: cert, key: key}, write(d.Cert(name), "CERTIFICATE", der)
}

// ensureServiceAccount is true when the key was there already. The key never ends: a new one would make every token of
// the cluster worthless.
func (d Dir) ensureServiceAccount() (bool, error) {
	key, err := d.readServiceAccount()
	there := err == nil
	if !there {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return false, err
		}
		if err := d.writeKey(ServiceAccount, key); err != nil {
			return false, err
		}
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return false, err
	}
	return there, write(d.Public(), "PUBLIC KEY", der)
}

func (d Dir) readServiceAccount() (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(d.Key(ServiceAccount))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

func (d Dir) writeKey(name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return write(d.Key(name), "EC PRIVATE KEY", der)
}

func write(path, kind string, der []byte) error {
	return atomicfile.Write(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
