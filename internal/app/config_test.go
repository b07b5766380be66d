package app_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/blueberry-idp/blueberry/internal/app"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

var update = flag.Bool("update", false, "write golden files anew")

func load(t *testing.T, file string, environ []string, args ...string) (app.Config, error) {
	t.Helper()
	fs := pflag.NewFlagSet("server", pflag.ContinueOnError)
	app.Flags(fs)
	if file != "" {
		path := filepath.Join(t.TempDir(), "blueberry.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return app.Load(app.DefaultConfig(), fs, environ)
}

func TestLaterSourcesWin(t *testing.T) {
	t.Parallel()
	c, err := load(t, "listen: 127.0.0.1:1\ndomain: file.example\nworkers: 3\ndrain_timeout: 1m\ncluster_kinds: [ClusterRole]\n",
		[]string{"BLUEBERRY_DOMAIN=env.example", "BLUEBERRY_WORKERS=4", "BLUEBERRY_URL=http://client", "BLUEBERRY_TEST_X=1", "HOME=/x"}, "--workers", "5", "--allow-local-repositories")
	if err != nil {
		t.Fatal(err)
	}
	want := app.DefaultConfig()
	want.Listen, want.Domain, want.Workers, want.DrainTimeout, want.AllowLocalRepositories, want.ClusterKinds = "127.0.0.1:1", "env.example", 5, time.Minute, true, []string{"ClusterRole"}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		file    string
		environ []string
		args    []string
		want    []string
	}{
		"nothing set":       {},
		"unknown key":       {file: "lisen: x\n", want: []string{"lisen unknown"}},
		"unknown variable":  {environ: []string{"BLUEBERRY_LISEN=x"}, want: []string{"lisen unknown"}},
		"nested key":        {file: "log:\n  level: info\n", want: []string{"log.level unknown"}},
		"wrong type":        {file: "workers: many\n", want: []string{"workers type"}},
		"wrong duration":    {environ: []string{"BLUEBERRY_DRAIN_TIMEOUT=soon"}, want: []string{"drain_timeout type"}},
		"half of TLS":       {args: []string{"--tls-cert-file", "x"}, want: []string{"tls_key_file required"}},
		"secret in the URL": {file: "gitops_remote: https://me:secret@git.example.com/x.git\n", want: []string{"gitops_remote url"}},
		"two databases":     {file: "database: postgres://x\ndatabase_file: /x\n", want: []string{"database_file exclusive"}},
		"two certificates":  {args: []string{"--tls-self-made", "--tls-cert-file", "x", "--tls-key-file", "y"}, want: []string{"tls_self_made exclusive"}},
		"nowhere to go":     {args: []string{"--redirect-listen", "127.0.0.1:80"}, want: []string{"redirect_listen forbidden"}},
		"edges": {
			file: "redirect_listen: x\ninternal_listen: y\npublic_url: https://a/b\ntrusted_proxies: [10.0.0.1]\ncors_origins: ['*']\nrate_user: -1\n",
			want: []string{"redirect_listen address", "internal_listen address", "redirect_listen forbidden", "public_url url", "trusted_proxies[0] network", "cors_origins[0] origin", "rate_user range"},
		},
		"outside": {
			file: "redis: http://x\nredis_file: /x\nkeyset_kms: gcpkms://x\nobjects: relative\nsmtp_host: mail\nsmtp_from: me\nsmtp_port: 0\nsmtp_tls: maybe\n",
			want: []string{"redis_file exclusive", "redis scheme", "keyset_kms scheme", "objects scheme", "smtp_from email", "smtp_port range", "smtp_tls enum"},
		},
		"mail without a host": {file: "smtp_from: a@b.example\n", want: []string{"smtp_from forbidden"}},
		"many":                {file: "lisen: x\nlisten: nowhere\nworkers: 0\nlog_level: loud\ntarget_driver: swarm\ndatabase: mysql://x\n", want: []string{"lisen unknown", "listen address", "database scheme", "target_driver enum", "workers range", "log_level enum"}},
	} {
		_, err := load(t, c.file, c.environ, c.args...)
		var got []string
		var e *blueberry.Error
		if errors.As(err, &e) {
			for _, f := range e.Fields {
				got = append(got, f.Field+" "+f.Code)
			}
		} else if err != nil {
			t.Errorf("%s: %v", reason, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s: the secret is in %v", reason, err)
		}
	}
}

func TestBrokenFileTellsTheLine(t *testing.T) {
	t.Parallel()
	_, err := load(t, "listen: a\n  workers: 1\n", nil)
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v does not name line 2", err)
	}
}

// TestReferenceIsCurrent: docs/guide/configuration.md is what the code says, and the sample beside it loads.
func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "guide", "configuration.md")
	if *update {
		if err := os.WriteFile(path, []byte(app.Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), app.Reference()); diff != "" {
		t.Errorf("run make generate: -committed +code\n%s", diff)
	}
}

// TestRolesAreCurrent: docs/guide/roles.md is what the code says.
func TestRolesAreCurrent(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "guide", "roles.md")
	if *update {
		if err := os.WriteFile(path, []byte(app.Roles()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(app.Roles(), string(got)); diff != "" {
		t.Errorf("docs/guide/roles.md: -code +file; run make generate\n%s", diff)
	}
}
