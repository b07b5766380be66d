package kube

import (
	"errors"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// FuzzKubeconfig looks for a kubeconfig that gets past the check and has our server run, read or trust something.
func FuzzKubeconfig(f *testing.F) {
	const head = "current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"
	for _, s := range []string{
		head + "clusters: [{name: a, cluster: {server: \"https://x\"}}]\nusers: [{name: a, user: {token: t}}]\n",
		head + "clusters: [{name: a, cluster: {server: \"https://x\", insecure-skip-tls-verify: true}}]\nusers: [{name: a, user: {exec: {command: sh}}}]\n",
		head + "clusters: [{name: a, cluster: {server: \"https://x\", certificate-authority: /ca}}]\nusers: [{name: a, user: {tokenFile: /t, token: t}}]\n",
		`{"current-context":"a","Users":[{"name":"a","user":{"token":"t","ToKenFile":"/t"}}],"clusters":[{"name":"a","cluster":{"server":"https://x"}}],"contexts":[{"name":"a","context":{"cluster":"a","user":"a"}}]}`,
		"a: &a [x]\nb: *a\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := uploaded(data, "")
		if err != nil {
			if !errors.Is(err, blueberry.Invalid) {
				t.Fatalf("got error %v, want one of kind invalid", err)
			}
			return
		}
		switch {
		case !strings.HasPrefix(cfg.Host, "https://"):
			t.Errorf("talks to %s", cfg.Host)
		case cfg.ExecProvider != nil || cfg.AuthProvider != nil:
			t.Error("runs a plugin")
		case cfg.BearerTokenFile != "" || cfg.CAFile != "" || cfg.CertFile != "" || cfg.KeyFile != "":
			t.Error("reads a file")
		case cfg.Insecure || cfg.Proxy != nil || cfg.Username != "" || cfg.Impersonate.UserName != "":
			t.Error("trusts what it should not")
		case cfg.BearerToken == "" && len(cfg.CertData) == 0:
			t.Error("has no credential")
		}
	})
}
