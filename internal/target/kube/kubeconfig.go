package kube

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of a kubeconfig that a person gives us.
const (
	maxKubeconfig = 1 << 20 // bytes; one with a hundred clusters has about 500 KB
	maxName       = 253     // of a cluster, user or context
)

// kubeconfig is what we read of a kubeconfig. It is read once and by this type alone: nothing that is not named here reaches a client.
type kubeconfig struct {
	Clusters       []namedCluster `json:"clusters"`
	Users          []namedUser    `json:"users"`
	Contexts       []namedContext `json:"contexts"`
	CurrentContext string         `json:"current-context"`
}

type namedCluster struct {
	Name    string `json:"name"`
	Cluster struct {
		Server        string `json:"server"`
		TLSServerName string `json:"tls-server-name"`
		Insecure      bool   `json:"insecure-skip-tls-verify"`
		CAFile        string `json:"certificate-authority"`
		CAData        []byte `json:"certificate-authority-data"`
		ProxyURL      string `json:"proxy-url"`
	} `json:"cluster"`
}

type namedUser struct {
	Name string `json:"name"`
	User struct {
		CertFile     string              `json:"client-certificate"`
		CertData     []byte              `json:"client-certificate-data"`
		KeyFile      string              `json:"client-key"`
		KeyData      []byte              `json:"client-key-data"`
		Token        string              `json:"token"`
		TokenFile    string              `json:"tokenFile"`
		As           string              `json:"as"`
		AsUID        string              `json:"as-uid"`
		AsGroups     []string            `json:"as-groups"`
		AsExtra      map[string][]string `json:"as-user-extra"`
		Username     string              `json:"username"`
		Password     string              `json:"password"`
		AuthProvider any                 `json:"auth-provider"`
		Exec         any                 `json:"exec"`
	} `json:"user"`
}

type namedContext struct {
	Name    string `json:"name"`
	Context struct {
		Cluster string `json:"cluster"`
		User    string `json:"user"`
	} `json:"context"`
}

// uploaded makes a configuration of a kubeconfig that a person gave us: it may name a server and hold a credential, but neither run a program on our server
// nor name its files. Every fault is told at once, by its field; texts of the kubeconfig are in none of them, but for names.
func uploaded(data []byte, context string) (*rest.Config, error) {
	var faults blueberry.Faults
	if len(data) > maxKubeconfig {
		faults.Add("kubeconfig", "too_long", "has %d bytes, at most %d are allowed", len(data), maxKubeconfig)
		return nil, faults.Err()
	}
	var k kubeconfig
	if bytes.IndexByte(data, 0) >= 0 || yaml.Unmarshal(data, &k) != nil { // the error may repeat what it could not read
		faults.Add("kubeconfig", "malformed", "is no kubeconfig: it cannot be read as YAML of that form")
		return nil, faults.Err()
	}
	k.check(&faults)
	if context == "" {
		context = k.CurrentContext
	}
	k.checkContext(&faults, context)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	cfg, err := clientcmd.NewNonInteractiveClientConfig(k.config(), context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err == nil {
		_, err = rest.TLSConfigFor(cfg)
	}
	if err != nil {
		faults.Add("kubeconfig", "malformed", "is not usable: the certificate authority, the client certificate or its key cannot be read, or do not belong together")
		return nil, faults.Err()
	}
	return cfg, nil
}

// check notes what may not be in any part of it, used or not: all of it is kept.
func (k kubeconfig) check(f *blueberry.Faults) {
	const noFile = "names a file: put what is in the file into %s instead"
	names := map[string]bool{}
	for i, c := range k.Clusters {
		at := fmt.Sprintf("kubeconfig.clusters[%d]", i)
		checkName(f, at, "cluster", c.Name, names)
		checkServer(f, at+".server", c.Cluster.Server)
		if c.Cluster.CAFile != "" {
			f.Add(at+".certificate-authority", "forbidden", noFile, "certificate-authority-data")
		}
		if c.Cluster.Insecure {
			f.Add(at+".insecure-skip-tls-verify", "forbidden", "lets anybody be the server: give the certificate of its authority in certificate-authority-data instead")
		}
		if c.Cluster.ProxyURL != "" {
			f.Add(at+".proxy-url", "forbidden", "is not supported: the server itself says by which proxy it goes out")
		}
	}
	for i, u := range k.Users {
		at, x := fmt.Sprintf("kubeconfig.users[%d]", i), u.User
		checkName(f, at, "user", u.Name, names)
		for _, file := range []struct{ field, value, instead string }{
			{"client-certificate", x.CertFile, "client-certificate-data"}, {"client-key", x.KeyFile, "client-key-data"}, {"tokenFile", x.TokenFile, "token"},
		} {
			if file.value != "" {
				f.Add(at+"."+file.field, "forbidden", noFile, file.instead)
			}
		}
		if x.Exec != nil {
			f.Add(at+".exec", "forbidden", "runs a program, which the server does not: use a client certificate or the token of a service account")
		}
		if x.AuthProvider != nil {
			f.Add(at+".auth-provider", "forbidden", "is not supported: use a client certificate or the token of a service account")
		}
		if x.Username != "" || x.Password != "" {
			f.Add(at+".username", "forbidden", "is not supported: use a client certificate or the token of a service account")
		}
		if x.As != "" || x.AsUID != "" || len(x.AsGroups) > 0 || len(x.AsExtra) > 0 {
			f.Add(at+".as", "forbidden", "is not supported: give the credential of the one to act as")
		}
		if strings.ContainsFunc(x.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			f.Add(at+".token", "pattern", "holds what no token has: spaces, line breaks or characters beyond ASCII")
		}
	}
	for i, c := range k.Contexts {
		checkName(f, fmt.Sprintf("kubeconfig.contexts[%d]", i), "context", c.Name, names)
	}
}

// checkName notes a name that is missing, there twice, or that shall look like another.
func checkName(f *blueberry.Faults, at, sort, name string, seen map[string]bool) {
	switch {
	case name == "":
		f.Add(at+".name", "required", "must be set")
	case len(name) > maxName:
		f.Add(at+".name", "too_long", "has %d bytes, at most %d are allowed", len(name), maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) && r != ' '
	}):
		f.Add(at+".name", "text", "holds characters that cannot be seen")
	case seen[sort+" "+name]:
		f.Add(at+".name", "taken", "is that of another %s too", sort)
	}
	seen[sort+" "+name] = true
}

func checkServer(f *blueberry.Faults, field, server string) {
	u, err := url.Parse(server)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		f.Add(field, "pattern", "must be the https:// address of an API server")
	case u.User != nil:
		f.Add(field, "forbidden", "holds a user name or password")
	case u.RawQuery != "" || u.Fragment != "":
		f.Add(field, "pattern", "must be an address without query")
	}
}

// checkContext notes when a context does not lead to a server and a credential.
func (k kubeconfig) checkContext(f *blueberry.Faults, context string) {
	if context == "" {
		f.Add("kubeconfig.current-context", "required", "must be set, or the context be named")
		return
	}
	i := slices.IndexFunc(k.Contexts, func(c namedContext) bool { return c.Name == context })
	if i < 0 {
		f.Add("kubeconfig.contexts", "unknown", "has no context %q", context)
		return
	}
	c, at := k.Contexts[i].Context, fmt.Sprintf("kubeconfig.contexts[%d]", i)
	if !slices.ContainsFunc(k.Clusters, func(x namedCluster) bool { return x.Name == c.Cluster }) {
		f.Add(at+".cluster", "unknown", "names cluster %q, which is not in the kubeconfig", c.Cluster)
	}
	u := slices.IndexFunc(k.Users, func(x namedUser) bool { return x.Name == c.User })
	if u < 0 {
		f.Add(at+".user", "unknown", "names user %q, who is not in the kubeconfig", c.User)
		return
	}
	if x := k.Users[u].User; x.Token == "" && (len(x.CertData) == 0 || len(x.KeyData) == 0) && x.Exec == nil && x.AuthProvider == nil && x.TokenFile == "" && x.CertFile == "" {
		f.Add(fmt.Sprintf("kubeconfig.users[%d]", u), "required", "holds no credential: neither a token nor a client certificate with its key")
	}
}

// config is what the client library shall see.
func (k kubeconfig) config() clientcmdapi.Config {
	out := *clientcmdapi.NewConfig()
	for _, c := range k.Clusters {
		out.Clusters[c.Name] = &clientcmdapi.Cluster{
			Server: c.Cluster.Server, TLSServerName: c.Cluster.TLSServerName, CertificateAuthorityData: c.Cluster.CAData,
		}
	}
	for _, u := range k.Users {
		out.AuthInfos[u.Name] = &clientcmdapi.AuthInfo{ClientCertificateData: u.User.CertData, ClientKeyData: u.User.KeyData, Token: u.User.Token}
	}
	for _, c := range k.Contexts {
		out.Contexts[c.Name] = &clientcmdapi.Context{Cluster: c.Context.Cluster, AuthInfo: c.Context.User}
	}
	return out
}
