package kube_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
)

const goodKubeconfig = `apiVersion: v1
kind: Config
current-context: main
clusters:
- name: main
  cluster: {server: "https://127.0.0.1:6443"}
contexts:
- name: main
  context: {cluster: main, user: robot, namespace: default}
users:
- name: robot
  user: {token: sup3r-s3cret}
`

// faultsOf gives the fields of what is wrong.
func faultsOf(t testing.TB, err error) []string {
	t.Helper()
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Invalid || len(e.Fields) == 0 {
		t.Fatalf("got error %v, want invalid with fields", err)
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.Field)
	}
	slices.Sort(out)
	return out
}

func TestAKubeconfigOfAPersonIsChecked(t *testing.T) {
	t.Parallel()
	certificate, key := clientCertificate(t, time.Now().Add(time.Hour))
	_, other := clientCertificate(t, time.Now().Add(time.Hour))
	data := base64.StdEncoding.EncodeToString
	user := func(fields string) string {
		return strings.Replace(goodKubeconfig, "{token: sup3r-s3cret}", "{"+fields+"}", 1)
	}
	cluster := func(fields string) string {
		return strings.Replace(goodKubeconfig, `{server: "https://127.0.0.1:6443"}`, "{"+fields+"}", 1)
	}
	for name, c := range map[string]struct {
		config  string
		context string
		want    []string
		reason  string
	}{
		"good":                 {goodKubeconfig, "", nil, "a server and a token are all it takes"},
		"named context":        {strings.Replace(goodKubeconfig, "current-context: main\n", "", 1), "main", nil, "the context is named beside it"},
		"client certificate":   {user("client-certificate-data: " + data(certificate) + ", client-key-data: " + data(key)), "", nil, "it is there as data"},
		"exec":                 {user("exec: {apiVersion: client.authentication.k8s.io/v1, command: sh}"), "", []string{"kubeconfig.users[0].exec"}, "it would run on our server"},
		"exec in other case":   {user("token: x, Exec: {command: sh}"), "", []string{"kubeconfig.users[0].exec"}, "nor by another spelling"},
		"auth provider":        {user("auth-provider: {name: gcp}"), "", []string{"kubeconfig.users[0].auth-provider"}, "it would run code of ours"},
		"token file":           {user("tokenFile: /var/run/secrets/token"), "", []string{"kubeconfig.users[0].tokenFile"}, "it would read our file"},
		"certificate files":    {user("client-certificate: a.crt, client-key: /etc/a.key"), "", []string{"kubeconfig.users[0].client-certificate", "kubeconfig.users[0].client-key"}, "both, at once"},
		"authority file":       {cluster(`server: "https://x", certificate-authority: /etc/ca.crt`), "", []string{"kubeconfig.clusters[0].certificate-authority"}, "it would read our file"},
		"insecure":             {cluster(`server: "https://x", insecure-skip-tls-verify: true`), "", []string{"kubeconfig.clusters[0].insecure-skip-tls-verify"}, "anybody could be the server"},
		"plain http":           {cluster(`server: "http://x"`), "", []string{"kubeconfig.clusters[0].server"}, "the token would go in clear"},
		"no server":            {cluster(`server: ""`), "", []string{"kubeconfig.clusters[0].server"}, "there is nothing to talk to"},
		"credentials in a URL": {cluster(`server: "https://a:b@x"`), "", []string{"kubeconfig.clusters[0].server"}, "URLs are told in errors"},
		"proxy":                {cluster(`server: "https://x", proxy-url: "socks5://y"`), "", []string{"kubeconfig.clusters[0].proxy-url"}, "our traffic is not theirs to lead"},
		"impersonation":        {user("token: x, as: admin"), "", []string{"kubeconfig.users[0].as"}, "it hides who acts"},
		"password":             {user("username: a, password: b, token: c"), "", []string{"kubeconfig.users[0].username"}, "Kubernetes has no such thing any more"},
		"line in a token":      {user(`token: "a\nb"`), "", []string{"kubeconfig.users[0].token"}, "a header would break"},
		"no credential":        {user(""), "", []string{"kubeconfig.users[0]"}, "nobody would be asking"},
		"key of another":       {user("client-certificate-data: " + data(certificate) + ", client-key-data: " + data(other)), "", []string{"kubeconfig"}, "they do not belong together"},
		"authority is none":    {cluster(`server: "https://x", certificate-authority-data: ` + data([]byte("nothing"))), "", []string{"kubeconfig"}, "it holds no certificate"},
		"unknown context":      {goodKubeconfig, "other", []string{"kubeconfig.contexts"}, "there is none of that name"},
		"no context":           {strings.Replace(goodKubeconfig, "current-context: main\n", "", 1), "", []string{"kubeconfig.current-context"}, "nobody said which"},
		"context to nowhere":   {strings.Replace(goodKubeconfig, "cluster: main, user: robot", "cluster: a, user: b", 1), "", []string{"kubeconfig.contexts[0].cluster", "kubeconfig.contexts[0].user"}, "both are missing"},
		"a name twice":         {goodKubeconfig + "- name: robot\n  user: {token: other}\n", "", []string{"kubeconfig.users[1].name"}, "which of them is meant"},
		"a name that hides":    {strings.ReplaceAll(goodKubeconfig, "robot", `"ro\u202ebot"`), "", []string{"kubeconfig.users[0].name"}, "it looks like another"},
		"unused exec":          {goodKubeconfig + "- name: more\n  user: {exec: {command: sh}}\n", "", []string{"kubeconfig.users[1].exec"}, "all of it is kept"},
		"no YAML":              {"{sup3r-s3cret", "", []string{"kubeconfig"}, "it cannot be read"},
		"a list":               {"[sup3r-s3cret]", "", []string{"kubeconfig"}, "it is no kubeconfig"},
		"too long":             {goodKubeconfig + strings.Repeat("#", 1<<20), "", []string{"kubeconfig"}, "nobody has so many clusters"},
	} {
		d, err := kube.Open(kube.Config{KubeconfigData: []byte(c.config), Context: c.context})
		if d != nil {
			t.Cleanup(d.Close)
		}
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: got error %v, want none: %s", name, err, c.reason)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: was taken, want fault at %v: %s", name, c.want, c.reason)
			continue
		}
		if diff := cmp.Diff(c.want, faultsOf(t, err)); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, c.reason, diff)
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error tells the token: %v", name, err)
		}
	}
}
