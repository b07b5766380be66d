package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const serviceIP = "10.96.0.1"

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ensure(t *testing.T, d Dir, ip string, now time.Time) []string {
	t.Helper()
	made, err := d.Ensure(ip, now)
	if err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	return made
}

func names() (all, cluster, leafs []string) {
	all = []string{CA, FrontProxyCA, EtcdCA}
	for _, l := range leaves(serviceIP) {
		all = append(all, l.name)
		leafs = append(leafs, l.name)
		if l.authority == CA {
			cluster = append(cluster, l.name)
		}
	}
	return append(all, ServiceAccount), cluster, leafs
}

func TestEnsure(t *testing.T) {
	t.Parallel()
	all, ofCluster, leafs := names()
	for name, tc := range map[string]struct {
		reason string
		spoil  func(d Dir) error
		ip     string
		after  time.Duration
		want   []string
	}{
		"nothing": {
			reason: "what is good is not touched",
			want:   nil,
		},
		"key gone": {
			reason: "a certificate without its key is worth nothing",
			spoil:  func(d Dir) error { return os.Remove(d.Key(Admin)) },
			want:   []string{Admin},
		},
		"certificate cut off": {
			reason: "a file that cannot be read is made anew",
			spoil:  func(d Dir) error { return overwrite(d.Cert(Scheduler), "-----BEGIN CERT") },
			want:   []string{Scheduler},
		},
		"key of another": {
			reason: "a crash between key and certificate leaves a pair that does not fit",
			spoil: func(d Dir) error {
				data, err := os.ReadFile(d.Key(Admin))
				return errors.Join(err, overwrite(d.Key(Kwok), string(data)))
			},
			want: []string{Kwok},
		},
		"certificate of another user": {
			reason: "a pair that fits but names somebody else gives the wrong rights",
			spoil: func(d Dir) error {
				cert, errCert := os.ReadFile(d.Cert(Admin))
				key, errKey := os.ReadFile(d.Key(Admin))
				return errors.Join(errCert, errKey, overwrite(d.Cert(Scheduler), string(cert)), overwrite(d.Key(Scheduler), string(key)))
			},
			want: []string{Scheduler},
		},
		"authority gone": {
			reason: "what another authority signed is worth nothing to the new one; other authorities are not concerned",
			spoil:  func(d Dir) error { return os.Remove(d.Cert(CA)) },
			want:   append([]string{CA}, ofCluster...),
		},
		"another service address": {
			reason: "the API server must name the address it is asked at",
			ip:     "10.100.0.1",
			want:   []string{APIServer},
		},
		"leaves near their end": {
			reason: "authorities last longer",
			after:  leafLife - Margin + time.Minute,
			want:   leafs,
		},
		"leaves not yet near their end": {
			reason: "a kubeconfig stays good as long as it can",
			after:  leafLife - Margin - time.Hour,
			want:   nil,
		},
		"authorities near their end": {
			reason: "everything but the key of tokens, which never ends",
			after:  authorityLife - Margin + time.Minute,
			want:   slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == ServiceAccount }),
		},
		"clock before": {
			reason: "a certificate that is not valid yet is refused by everybody",
			after:  -48 * time.Hour,
			want:   slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == ServiceAccount }),
		},
		"token key spoilt": {
			reason: "without it no pod could be made",
			spoil:  func(d Dir) error { return overwrite(d.Key(ServiceAccount), "x") },
			want:   []string{ServiceAccount},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Dir(filepath.Join(t.TempDir(), "pki"))
			if diff := cmp.Diff(all, ensure(t, d, serviceIP, start)); diff != "" {
				t.Fatalf("first Ensure made (-want +got):\n%s", diff)
			}
			if tc.spoil != nil {
				if err := tc.spoil(d); err != nil {
					t.Fatal(err)
				}
			}
			ip := serviceIP
			if tc.ip != "" {
				ip = tc.ip
			}
			if diff := cmp.Diff(tc.want, ensure(t, d, ip, start.Add(tc.after))); diff != "" {
				t.Errorf("%s: second Ensure made (-want +got):\n%s", tc.reason, diff)
			}
			if made := ensure(t, d, ip, start.Add(tc.after)); made != nil {
				t.Errorf("third Ensure made %v, want nothing", made)
			}
		})
	}
}

func TestFilesAreClosed(t *testing.T) {
	t.Parallel()
	d := Dir(filepath.Join(t.TempDir(), "pki"))
	ensure(t, d, serviceIP, start)
	for _, open := range []string{d.Key(Admin), string(d)} {
		if err := os.Chmod(open, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ensure(t, d, serviceIP, start)
	err := filepath.WalkDir(string(d), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, want it closed to others", filepath.Base(path), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	ensure(t, d, serviceIP, time.Now())
	for name, tc := range map[string]struct {
		reason                     string
		server, serverCA           string
		client, clientCA, hostname string
		ok                         bool
	}{
		"administrator to the API server": {server: APIServer, serverCA: CA, client: Admin, clientCA: CA, hostname: "127.0.0.1", ok: true},
		"pod to the API server":           {server: APIServer, serverCA: CA, client: Admin, clientCA: CA, hostname: serviceIP, ok: true},
		"API server to etcd":              {server: Etcd, serverCA: EtcdCA, client: EtcdClient, clientCA: EtcdCA, hostname: "127.0.0.1", ok: true},
		"etcd to itself":                  {server: Etcd, serverCA: EtcdCA, client: Etcd, clientCA: EtcdCA, hostname: "127.0.0.1", ok: true},
		"administrator to etcd": {
			reason: "no certificate of the cluster opens the store",
			server: Etcd, serverCA: EtcdCA, client: Admin, clientCA: EtcdCA, hostname: "127.0.0.1",
		},
		"server's certificate as a client's": {
			reason: "the API server's certificate must not let anybody in as a user",
			server: APIServer, serverCA: CA, client: APIServer, clientCA: CA, hostname: "127.0.0.1",
		},
		"another host": {
			reason: "certificates name loopback only",
			server: Local, serverCA: CA, client: Admin, clientCA: CA, hostname: "192.0.2.1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := handshake(t, d, tc.server, tc.serverCA, tc.client, tc.clientCA, tc.hostname)
			if (err == nil) != tc.ok {
				t.Errorf("handshake: %v, want success %t: %s", err, tc.ok, tc.reason)
			}
		})
	}
}

func handshake(t *testing.T, d Dir, server, serverCA, client, clientCA, hostname string) error {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	done := make(chan error, 1)
	go func() {
		c := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{load(t, d, server)}, ClientCAs: pool(t, d, clientCA), ClientAuth: tls.RequireAndVerifyClientCert})
		err := c.Handshake()
		if err == nil {
			_, err = c.Write([]byte("x"))
		}
		far.Close()
		done <- err
	}()
	c := tls.Client(near, &tls.Config{Certificates: []tls.Certificate{load(t, d, client)}, RootCAs: pool(t, d, serverCA), ServerName: hostname})
	_, err := io.ReadFull(c, make([]byte, 1))
	near.Close()
	if far := <-done; err == nil {
		err = far
	}
	return err
}

func load(t *testing.T, d Dir, name string) tls.Certificate {
	t.Helper()
	c, err := tls.LoadX509KeyPair(d.Cert(name), d.Key(name))
	if err != nil {
		t.Error(err)
	}
	return c
}

func pool(t *testing.T, d Dir, name string) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	data, err := os.ReadFile(d.Cert(name))
	if err != nil || !p.AppendCertsFromPEM(data) {
		t.Errorf("read authority %s: %v", name, err)
	}
	return p
}

func overwrite(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }
