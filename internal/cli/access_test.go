package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestUsersOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := loggedIn(t)
	p.must(t, "project", "create", "shop", "--description", "The shop")
	link := p.must(t, "user", "create", "Grace@example.com", "--name", "Grace", "--member", "shop:developer")
	if !strings.HasPrefix(link, "https://blueberry.test/") || strings.Count(link, "\n") != 1 {
		t.Errorf("create prints %q: the link alone is expected", link)
	}
	contains(t, "the way", p.err.String(), "invited grace@example.com", "not shown again")
	contains(t, "list", p.must(t, "user", "list", "-o", "wide"), "grace@example.com", "pending_invite", "manual", "ada@example.com")
	contains(t, "get", p.must(t, "user", "get", "grace@example.com"), "Grace", "shop     developer  member")
	p.must(t, "project", "add-member", "shop", "ada@example.com", "viewer")
	contains(t, "members", p.must(t, "project", "members", "shop"), "ada@example.com", "viewer", "grace@example.com", "developer")
	usage(t, p, "ROLE", "project", "add-member", "shop", "ada@example.com")
	p.must(t, "project", "remove-member", "shop", "grace@example.com", "--yes")
	if got := p.must(t, "project", "members", "shop", "-o", "name"); got != "ada@example.com\n" {
		t.Errorf("members are %q", got)
	}
	contains(t, "update", p.must(t, "user", "update", "grace@example.com", "--name", "Grace Hopper", "--break-glass"), "Grace Hopper", "break glass")
	contains(t, "inactive", p.must(t, "user", "update", "ada@example.com", "--active"), "active")
	usage(t, p, "cannot be given together", "user", "update", "grace@example.com", "--active", "--inactive")
	usage(t, p, "name what is to change", "user", "update", "grace@example.com")
	contains(t, "invite", p.must(t, "user", "invite", "grace@example.com"), "https://blueberry.test/")
	contains(t, "completion", p.must(t, "__complete", "user", "get", "gr"), "grace@example.com\t")
	p.must(t, "user", "delete", "grace@example.com", "--yes")
	_, said := p.ends(t, cli.ExitRefused, "user", "get", "grace@example.com")
	contains(t, "refusal", said, "there is no user")
	_, said = p.ends(t, cli.ExitRefused, "user", "delete", "ada@example.com", "--yes")
	contains(t, "who was here stays", said, "inactive")
	usage(t, p, `--member "x" is not`, "user", "create", "x@example.com", "--member", "x", "--member", ":y")
	contains(t, "every fault", p.err.String(), `--member ":y"`)
	contains(t, "update of a project", p.must(t, "project", "update", "shop", "--description", "Shops"), "shop")
	p.must(t, "project", "delete", "shop", "--yes")
	reset := p.must(t, "user", "reset", "ada@example.com", "--yes")
	if !strings.HasPrefix(reset, "https://blueberry.test/") || strings.Count(reset, "\n") != 1 {
		t.Errorf("reset prints %q", reset)
	}
	_, said = p.ends(t, cli.ExitDenied, "project", "list")
	contains(t, "a reset ends what acts for the person, this command line too", said, "the login has ended")
}

func TestAPITokensOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := loggedIn(t)
	p.must(t, "service-account", "create", "ci", "--role", "developer", "--description", "Previews")
	contains(t, "service accounts", p.must(t, "service-account", "list", "-o", "wide"), "ci", "developer", "Previews")
	secret := p.must(t, "token", "create", "ci", "--service-account", "default/ci", "--role", "developer")
	if !strings.HasPrefix(secret, "blb_") || strings.Count(secret, "\n") != 1 || strings.Contains(p.err.String(), strings.TrimSpace(secret)) {
		t.Errorf("the secret is not alone: %q, %q", secret, p.err.String())
	}
	made := reads[sdk.MadeAPIToken](t, p, 0, "token", "create", "laptop", "--grant", "environments:read,projects:read", "--project", "default", "--days", "30")
	if !strings.HasPrefix(made.Secret, "blb_") || made.Token.Name != "laptop" {
		t.Errorf("-o json gives %+v", made.Token)
	}
	contains(t, "list", p.must(t, "token", "list"), "laptop", "active", "default")
	contains(t, "list of a service account", p.must(t, "token", "list", "--service-account", "default/ci"), "ci")
	contains(t, "get", p.must(t, "token", "get", "laptop"), "environments:read, projects:read", "projects")
	if got := p.must(t, "token", "rotate", "laptop", "--overlap", "2h"); got == made.Secret || !strings.HasPrefix(got, "blb_") {
		t.Errorf("rotate prints %q", got)
	}
	contains(t, "rotate's way", p.err.String(), "the one before works until")
	usage(t, p, "--yes is needed", "token", "revoke", "laptop")
	p.in, p.terminal = "n\n", true
	p.ends(t, 0, "token", "revoke", "laptop")
	contains(t, "question", p.err.String(), "This ends API token laptop", "nothing was changed")
	p.terminal = false
	p.must(t, "token", "revoke", "laptop", "--yes")
	contains(t, "revoked", p.must(t, "token", "list", "--ended"), "revoked")
	usage(t, p, "--grant or --role is needed", "token", "create", "x", "--days", "400")
	contains(t, "every fault", p.err.String(), "--days is 1 to 365")
	contains(t, "completion", p.must(t, "__complete", "token", "create", "x", "--grant", "environments:"), "environments:read\n")
	p.must(t, "service-account", "update", "ci", "--disabled")
	contains(t, "service account", p.must(t, "service-account", "get", "default/ci"), "disabled")
	p.must(t, "service-account", "delete", "ci", "--yes")
	_, said := p.ends(t, cli.ExitRefused, "service-account", "get", "ci")
	contains(t, "refusal", said, "there is no service account ci")
}

func TestOAuthClientsAndProvidersOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := loggedIn(t)
	made := reads[sdk.MadeOAuthClient](t, p, 0, "oauth-client", "create", "nightly", "--flow", "client_credentials", "--grant", "environments:read", "--project", "default")
	id := made.Client.ID
	contains(t, "list", p.must(t, "oauth-client", "list"), id, "nightly", "client_credentials", "blueberry-cli", "device_code")
	contains(t, "get", p.must(t, "oauth-client", "get", id), "environments:read", "default")
	if got := p.must(t, "oauth-client", "rotate-secret", id, "--yes"); !strings.HasPrefix(got, "blk_") || strings.TrimSpace(got) == made.Secret {
		t.Errorf("rotate-secret prints %q", got)
	}
	contains(t, "update", p.must(t, "oauth-client", "update", id, "--disabled", "--name", "night"), "disabled", "night")
	usage(t, p, "--flow is needed", "oauth-client", "create", "x")
	contains(t, "every fault", p.err.String(), "--grant is needed")
	p.must(t, "oauth-client", "delete", id, "--yes")

	p.in = "the-client-secret\n"
	args := []string{"provider", "set", "google", "--kind", "oidc", "--issuer", "https://accounts.example.com", "--client-id", "blueberry", "--client-secret-file", "-"}
	contains(t, "set", p.must(t, args...), "client secret  yes", "https://accounts.example.com")
	p.terminal, p.typed, p.in = true, "another-secret", ""
	contains(t, "set from the terminal", p.must(t, append(args[:len(args)-1:len(args)-1], "-", "--sign-up", "--allowed-domain", "example.com")...), "sign up", "example.com")
	p.terminal = false
	contains(t, "set of one flag", p.must(t, "provider", "set", "google", "--label", "Google"), "Google", "example.com", "client secret  yes")
	usage(t, p, "--kind is needed", "provider", "set", "other", "--label", "x")
	contains(t, "list", p.must(t, "provider", "list", "-o", "wide"), "google", "blueberry")
	p.must(t, "group-rule", "add", "--provider", "google", "--group", "platform", "--project", "default", "--role", "developer")
	rules := reads[[]sdk.GroupRule](t, p, 0, "group-rule", "list")
	if len(rules) != 1 {
		t.Fatalf("rules: %v", rules)
	}
	p.must(t, "group-rule", "delete", rules[0].ID, "--yes")
	p.must(t, "provider", "delete", "google", "--yes")
	for _, secret := range []string{"the-client-secret", "another-secret"} {
		if strings.Contains(p.out.String()+p.err.String(), secret) {
			t.Errorf("the secret is printed")
		}
	}
}

func TestAuditAndReviewOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := loggedIn(t)
	p.must(t, "project", "create", "shop")
	contains(t, "audit", p.must(t, "audit", "list", "--project", "shop", "--since", "1h"), "ada@example.com", "projects:")
	contains(t, "audit wide", p.must(t, "audit", "list", "-o", "wide", "--limit", "3"), "aud_", "REQUEST")
	entry := strings.TrimSpace(p.must(t, "audit", "list", "--action", "projects:create", "-o", "name"))
	contains(t, "audit entry", p.must(t, "audit", "get", entry), entry, "ada@example.com", "projects:create", "shop", "POST /v1/projects")
	p.ends(t, cli.ExitRefused, "audit", "get", "aud_none")
	usage(t, p, "--since", "audit", "list", "--since", "yesterday", "--until", "tomorrow")
	contains(t, "every fault", p.err.String(), "--until")
	contains(t, "review", p.must(t, "access", "review"), "ada@example.com", "owner on the installation by owner")
	contains(t, "roles", p.must(t, "role", "list", "-o", "wide"), "viewer", "environments:read", "owner", "*:*")
	contains(t, "sessions", p.must(t, "session", "list", "-o", "wide"), "ses_", "192.0.2.7")
	p.must(t, "session", "revoke", "--all", "--yes")
	contains(t, "no sessions", p.must(t, "session", "list"), "no sessions")
	usage(t, p, "name one session, or --all", "session", "revoke")

	file := filepath.Join(t.TempDir(), "audit.jsonl")
	p.must(t, "audit", "export", "--file", file)
	contains(t, "verify", p.must(t, "audit", "verify", file), "holds", "yes")
	contains(t, "verify's way", p.err.String(), "--key pins them")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p.in = strings.Replace(string(data), "ada@example.com", "eve@example.com", 1)
	_, said := p.ends(t, cli.ExitError, "audit", "verify", "-")
	contains(t, "a changed file", said, "does not hold: line ")
	out, _ := p.ends(t, cli.ExitError, "audit", "verify", "-", "-o", "json")
	contains(t, "a changed file in JSON", out, `"holds": false`, `"line": `)
	usage(t, p, "not SEQ:HASH", "audit", "verify", file, "--head", "x")
}

func TestKeysCertificatesAndEmergencies(t *testing.T) {
	t.Parallel()
	_, p := loggedIn(t)
	contains(t, "keys", p.must(t, "key", "list"), "NEWEST", "yes")
	contains(t, "rotate", p.must(t, "key", "rotate", "--yes"), "made key ")
	dir := t.TempDir()
	contains(t, "issue", p.must(t, "certificate", "issue", "prometheus", "--out", dir), "issued certificate ", "prometheus.pem")
	if info, err := os.Stat(filepath.Join(dir, "prometheus-key.pem")); err != nil || info.Mode() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
	_, said := p.ends(t, cli.ExitRefused, "certificate", "issue", "prometheus", "--out", dir)
	contains(t, "a second one", said, "is there already")
	contains(t, "authority", p.must(t, "certificate", "ca"), "BEGIN CERTIFICATE")
	serials := strings.Fields(p.must(t, "certificate", "list", "-o", "name"))
	if len(serials) != 1 {
		t.Fatalf("certificates: %v", serials)
	}
	p.must(t, "certificate", "revoke", serials[0], "--yes")
	p.must(t, "certificate", "rotate-ca", "--yes")
	usage(t, p, "--reason is needed", "emergency", "open", "--minutes", "90", "--yes")
	contains(t, "every fault", p.err.String(), "--minutes is 1 to 60")
	contains(t, "emergencies", p.must(t, "emergency", "list"), "no emergencies")
	_, said = p.ends(t, cli.ExitRefused, "emergency", "open", "--reason", "The shop is down", "--yes")
	contains(t, "an owner needs none", said, "would give nothing")
}

func TestOutputFormsOfAccess(t *testing.T) {
	t.Parallel()
	_, p := loggedIn(t)
	p.must(t, "service-account", "create", "ci", "--role", "viewer")
	for _, line := range []string{
		"whoami", "context list", "context show", "user list", "user get ada@example.com", "project members default", "service-account list", "service-account get ci",
		"token list", "session list", "oauth-client list", "oauth-client get blueberry-cli", "oauth-token list", "provider list", "group-rule list", "role list",
		"audit list", "access review", "emergency list", "key list", "certificate list", "certificate ca",
	} {
		args := strings.Fields(line)
		var fromJSON, fromYAML any
		if err := json.Unmarshal([]byte(p.must(t, append(args, "-o", "json")...)), &fromJSON); err != nil || fromJSON == nil {
			t.Errorf("%s -o json: %v", line, err)
		}
		if err := yaml.Unmarshal([]byte(p.must(t, append(args, "-o", "yaml")...)), &fromYAML); err != nil {
			t.Errorf("%s -o yaml: %v", line, err)
		}
		if p.must(t, append(args, "-o", "wide")...) == "" {
			t.Errorf("%s -o wide prints nothing", line)
		}
		p.must(t, append(args, "-o", "name")...)
		if p.must(t, append(args, "-q")...) == "" || p.err.String() != "" {
			t.Errorf("%s -q prints %q, and says %q on the way", line, p.out.String(), p.err.String())
		}
	}
}
