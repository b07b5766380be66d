package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

const shopValues = "web:\n  env:\n    LOG_LEVEL: debug # until the release\n"

// desk is a directory with files, and how to name them.
func desk(t *testing.T, files map[string]string) func(name string) string {
	t.Helper()
	dir := write(t, t.TempDir(), files)
	return func(name string) string { return filepath.Join(dir, name) }
}

func TestTheLifeOfAConfigSetOnTheCommandLine(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	file := desk(t, map[string]string{"shop.yaml": shopValues, "more.yaml": "web: {env: {LOG_LEVEL: info, REGION: eu}}\n", "secret.yaml": "web: {env: {TOKEN: ghp_0123456789abcdefghijABCDEFGHIJ456789}}\n", "bad.yaml": "web: [\n"})
	r.Push("https://git.test/acme/config.git", map[string]string{"shop.yaml": shopValues})

	if got := p.must(t, "config", "create", "shop", "--file", file("shop.yaml"), "--message", "first"); got != "published shop@1\n" {
		t.Errorf("create prints %q", got)
	}
	p.in = shopValues
	if got := p.must(t, "config", "create", "global/logging", "--file", "-"); got != "published global/logging@1\n" {
		t.Errorf("create of a global one prints %q", got)
	}
	if got := p.must(t, "config", "get", "shop"); got != shopValues {
		t.Errorf("get prints %q", got)
	}
	contains(t, "get -o wide", p.must(t, "config", "get", "shop", "-o", "wide"), "# shop@1, made ", "by admin: first\nweb:\n")
	v := reads[struct {
		ConfigSet sdk.ConfigSet     `json:"config_set"`
		Version   sdk.ConfigVersion `json:"version"`
	}](t, p, 0, "config", "get", "shop@1")
	if v.ConfigSet.Name != "shop" || v.Version.Number != 1 || v.Version.Content != shopValues || v.Version.Values["web"] == nil {
		t.Errorf("get -o json is %+v", v)
	}
	if got := p.must(t, "config", "get", v.ConfigSet.ID); got != shopValues {
		t.Errorf("get by id prints %q", got)
	}
	if got := p.must(t, "config", "edit", "shop", "--file", file("more.yaml"), "--message", "more"); got != "published shop@2\n" {
		t.Errorf("edit prints %q", got)
	}
	if got := p.must(t, "config", "edit", "shop", "--file", file("more.yaml")); got != "shop: no difference to version 2\n" {
		t.Errorf("an edit of nothing prints %q", got)
	}
	if got := p.must(t, "config", "restore", "shop", "1", "--message", "back"); got != "published shop@3\n" {
		t.Errorf("restore prints %q", got)
	}
	contains(t, "history", p.must(t, "config", "history", "shop"), "VERSION  WHEN", "3        ", "equal to version 1: back\n", "2        ", "  more\n")
	if got := p.must(t, "config", "history", "shop", "--limit", "1", "-o", "name"); got != "shop@3\n" {
		t.Errorf("history -o name prints %q", got)
	}
	contains(t, "diff", p.must(t, "config", "diff", "shop", "1", "2"), "shop, version 1 → 2: 2 values\n    web.env.LOG_LEVEL: debug → info\n    + web.env.REGION: eu\n")
	contains(t, "diff with the latest", p.must(t, "config", "diff", "shop", "2"), "shop, version 2 → 3: 2 values\n")
	contains(t, "diff with the one before", p.must(t, "config", "diff", "shop", "-o", "wide"), "shop, version 2 → 3", "- web: {env: {LOG_LEVEL: info, REGION: eu}}\n", "LOG_LEVEL: debug # until the release\n")
	contains(t, "diff of the first", p.must(t, "config", "diff", "global/logging"), "global/logging, version 1: 1 value\n    + web.env.LOG_LEVEL: debug\n")
	contains(t, "diff of nothing", p.must(t, "config", "diff", "shop", "1", "3"), "no difference")
	contains(t, "list", p.must(t, "config", "list"), "NAME            PROJECT  LATEST", "global/logging  -        1", "shop            default  3")
	for scope, want := range map[string]string{"project": "shop\n", "global": "global/logging\n", "all": "global/logging\nshop\n"} {
		if got := p.must(t, "config", "list", "--scope", scope, "-o", "name"); got != want {
			t.Errorf("list --scope %s prints %q", scope, got)
		}
	}
	if got := p.must(t, "config", "list", "--search", "log", "-o", "name"); got != "global/logging\n" {
		t.Errorf("list --search prints %q", got)
	}

	p.must(t, "config", "export", "shop@2", "--file", file("out.yaml"))
	data, err := os.ReadFile(file("out.yaml"))
	if err != nil || string(data) != "web: {env: {LOG_LEVEL: info, REGION: eu}}\n" {
		t.Errorf("export writes %q, %v", data, err)
	}
	contains(t, "export's way", p.err.String(), "wrote shop@2 to ")
	if got := p.must(t, "config", "export", "shop"); got != shopValues {
		t.Errorf("export prints %q", got)
	}
	if got := p.must(t, "config", "import", "new", "--repo", "https://git.test/acme/config.git", "--path", "shop.yaml"); got != "published new@1\n" {
		t.Errorf("import prints %q", got)
	}
	contains(t, "source", p.must(t, "config", "history", "new", "-o", "wide"), "https://git.test/acme/config.git, shop.yaml, at ")
	if got := p.must(t, "config", "import", "new", "--file", file("more.yaml")); got != "published new@2\n" {
		t.Errorf("a second import prints %q", got)
	}

	_, said := p.ends(t, cli.ExitRefused, "config", "edit", "shop", "--file", file("secret.yaml"))
	contains(t, "secret", said, "content.web.env.TOKEN: ")
	if strings.Contains(said, "ghp_") {
		t.Errorf("the secret is repeated: %s", said)
	}
	contains(t, "--public", p.must(t, "config", "edit", "new", "--file", file("secret.yaml"), "--public", "*.env.TOKEN"), "published new@3\n")
	contains(t, "patterns stay", p.must(t, "config", "import", "new", "--file", file("more.yaml")), "published new@4\n")
	contains(t, "patterns stay", p.must(t, "config", "edit", "new", "--file", file("secret.yaml")), "published new@5\n")

	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no file":        {[]string{"config", "create", "x"}, cli.ExitUsage, "--file is needed"},
		"version":        {[]string{"config", "create", "x@1", "--file", file("shop.yaml")}, cli.ExitUsage, "all of them are meant here"},
		"history of one": {[]string{"config", "history", "shop@1"}, cli.ExitUsage, "all of them are meant here"},
		"no version":     {[]string{"config", "get", "shop@x"}, cli.ExitUsage, "the number of a version"},
		"no reference":   {[]string{"config", "get", "a/b"}, cli.ExitUsage, "is not a reference"},
		"empty":          {[]string{"config", "get", ""}, cli.ExitUsage, "is not a reference"},
		"global project": {[]string{"config", "get", "global/shop", "--project", "x"}, cli.ExitUsage, "--project is too much"},
		"unknown":        {[]string{"config", "get", "none"}, cli.ExitRefused, "there is no config set none in project default"},
		"unknown global": {[]string{"config", "get", "shop", "--global"}, cli.ExitRefused, "there is no config set shop that is global"},
		"unknown number": {[]string{"config", "get", "shop@9"}, cli.ExitRefused, "Error:"},
		"taken":          {[]string{"config", "create", "shop", "--file", file("shop.yaml")}, cli.ExitRefused, "name: "},
		"syntax":         {[]string{"config", "create", "x", "--file", file("bad.yaml")}, cli.ExitRefused, "(line "},
		"import of none": {[]string{"config", "import", "x"}, cli.ExitUsage, "--file or --repo is needed"},
		"import of both": {[]string{"config", "import", "x", "--file", "a", "--repo", "b"}, cli.ExitUsage, "one of them"},
		"import no path": {[]string{"config", "import", "x", "--repo", "b"}, cli.ExitUsage, "--path is needed"},
		"import no repo": {[]string{"config", "import", "x", "--file", "a", "--ref", "b"}, cli.ExitUsage, "--repo is needed"},
		"restore":        {[]string{"config", "restore", "shop", "x"}, cli.ExitUsage, "is not the number of a version"},
		"editor":         {[]string{"config", "edit", "shop"}, cli.ExitUsage, "--file is needed"},
		"delete":         {[]string{"config", "delete", "shop"}, cli.ExitUsage, "--yes is needed"},
		"limit":          {[]string{"config", "history", "shop", "--limit", "0"}, cli.ExitUsage, "--limit"},
		"two versions":   {[]string{"config", "impact", "shop@1", "--with", file("shop.yaml")}, cli.ExitUsage, "both name a version"},
		"why no path":    {[]string{"config", "why", "pr-1", "a..b"}, cli.ExitUsage, "is not a path"},
	} {
		_, said := p.ends(t, tc.code, tc.args...)
		contains(t, name, said, tc.says)
	}
	p.terminal, p.in = true, "no\n"
	_, said = p.ends(t, 0, "config", "delete", "new")
	contains(t, "question", said, "This removes config set new with its 5 versions.", "[y/N]", "nothing was changed")
	p.terminal = false
	if got := p.must(t, "config", "delete", "new", "--yes"); got != "deleted new\n" {
		t.Errorf("delete prints %q", got)
	}
}

func TestWhereAValueComesFromAndWhatAnotherWouldChange(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	file := desk(t, map[string]string{"shop.yaml": shopValues, "next.yaml": "web: {env: {LOG_LEVEL: warn}}\n", "bad.yaml": "web: {replicas: many}\n"})
	p.must(t, "config", "create", "shop", "--file", file("shop.yaml"))
	p.create(t, "pr-1", "--config", "shop", "--param", "replicas=2", "--set", "web.env.AB=x")
	p.create(t, "pr-2", "--config", "shop@1")

	contains(t, "why", p.must(t, "config", "why", "pr-1", "web.env.LOG_LEVEL"), "web.env.LOG_LEVEL: debug\n  from      config set shop@1, by admin\n  replaced  info  (blueprint")
	all := p.must(t, "config", "why", "pr-1", "web.env")
	contains(t, "why of many", all, "web.env.AB: x\n  from      override", "\n\nweb.env.LOG_LEVEL: debug\n")
	contains(t, "why a parameter", p.must(t, "config", "why", "pr-1", "web.replicas"), "web.replicas: 2\n  from      parameter replicas")
	_, said := p.ends(t, cli.ExitRefused, "config", "why", "pr-1", "web.env.NONE")
	contains(t, "why of nothing", said, "revision 1 of pr-1 has no value at web.env.NONE")

	effective := p.must(t, "config", "effective", "pr-1")
	contains(t, "effective", effective, "web:\n", "    AB: x\n", "    LOG_LEVEL: debug\n", "  replicas: 2\n")
	if strings.Contains(effective, "#") {
		t.Errorf("without --origins there are comments:\n%s", effective)
	}
	for _, flag := range []string{"--origins", "--output=wide"} {
		contains(t, flag, p.must(t, "config", "effective", "pr-1", "--component", "web", flag), "    LOG_LEVEL: debug # config set shop@1\n", "  replicas: 2 # parameter replicas\n")
	}
	_, said = p.ends(t, cli.ExitRefused, "config", "effective", "pr-1", "--component", "none")
	contains(t, "no component", said, "no values of a component none")
	if e := reads[sdk.EnvironmentSettings](t, p, 0, "config", "effective", "pr-1"); e.Revision != 1 || len(e.Settings) == 0 || e.Values["web"] == nil {
		t.Errorf("effective -o json is %+v", e)
	}

	contains(t, "users", p.must(t, "config", "users", "shop"), "pr-1  default  ready  1         1        yes\n", "pr-2  default  ready  1         1        no\n")
	impact := p.must(t, "config", "impact", "shop", "--with", file("next.yaml"))
	contains(t, "impact", impact, "shop: 2 of 2 environments would change\n", "environment, as pr-1:\n", "    web.env.LOG_LEVEL: debug → warn  (config set shop", "~ ConfigMap default-pr-1/web-env\n    data.LOG_LEVEL: debug → warn\n", "Environments\n")
	if got := p.must(t, "config", "impact", "shop", "--with", file("next.yaml"), "-o", "name", "--limit", "1"); got != "pr-1\n" {
		t.Errorf("impact -o name --limit 1 prints %q", got)
	}
	contains(t, "impact of one that would be refused", p.must(t, "config", "impact", "shop", "--with", file("bad.yaml")), "refused: ")
	contains(t, "impact of nothing", p.must(t, "config", "impact", "shop@1"), "shop: 0 of 2 environments would change\n")

	_, said = p.ends(t, cli.ExitRefused, "config", "delete", "shop", "--yes")
	contains(t, "delete of one that is used", said, "pr-1", "pr-2")
	contains(t, "a plan names the version", p.must(t, "env", "get", "pr-1"), "config      shop@1\n")
}

// TestTheEditorOpensWhatIsThereAndPublishesWhatIsSaved edits with a program that does what a person would.
func TestTheEditorOpensWhatIsThereAndPublishesWhatIsSaved(t *testing.T) {
	t.Parallel()
	const good, bad = "web: {env: {LOG_LEVEL: good}}", "web: [broken"
	for name, tc := range map[string]struct {
		reason  string
		script  string // of the editor; $1 is the file, $0.d counts its runs
		in      string
		code    int
		content string // of the latest version afterwards
		says    []string
	}{
		"saved":     {"what was saved is published", `echo '` + good + ` # mine' > "$1"`, "", 0, good + " # mine\n", nil},
		"unchanged": {"nothing was altered", `true`, "", 0, shopValues, nil},
		"again":     {"a refusal is told, and mended", `if [ -e "$0.d" ]; then echo '` + good + `' > "$1"; else touch "$0.d"; echo '` + bad + `' > "$1"; fi`, "y\n", 0, good + "\n", []string{"(line ", "Edit again? [y/N]"}},
		"given up":  {"what was written is not lost", `echo '` + bad + `' > "$1"`, "n\n", cli.ExitRefused, shopValues, []string{"what you wrote is in "}},
		"broken":    {"the editor fails", `exit 3`, "", cli.ExitError, shopValues, []string{"editor "}},
		"comment":   {"comments are content", `echo '# more' >> "$1"`, "", 0, shopValues + "# more\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p := rooms(t)
			file := desk(t, map[string]string{"shop.yaml": shopValues, "editor": "#!/bin/sh\n" + tc.script + "\n"})
			if err := os.Chmod(file("editor"), 0o755); err != nil {
				t.Fatal(err)
			}
			p.must(t, "config", "create", "shop", "--file", file("shop.yaml"))
			p.env["EDITOR"], p.env["VISUAL"] = "false", file("editor")
			p.terminal, p.in = true, tc.in
			_, said := p.ends(t, tc.code, "config", "edit", "shop", "--message", "edited")
			contains(t, tc.reason, said, tc.says...)
			if at := strings.Index(said, "what you wrote is in "); at >= 0 {
				kept := strings.TrimSpace(strings.SplitN(said[at+len("what you wrote is in "):], "\n", 2)[0])
				if data, err := os.ReadFile(kept); err != nil || string(data) != bad+"\n" {
					t.Errorf("%s holds %q, %v", kept, data, err)
				}
				os.RemoveAll(filepath.Dir(kept))
			}
			p.terminal = false
			if diff := cmp.Diff(tc.content, p.must(t, "config", "get", "shop")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestContentCannotMoveTheCursor prints what someone else wrote on a terminal, and byte for byte into a pipe.
func TestContentCannotMoveTheCursor(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	content := "web: {env: {A: \"x\u200b\"}} # \u2028\n"
	p.in = content
	p.must(t, "config", "create", "shop", "--file", "-")
	if got := p.must(t, "config", "get", "shop"); got != content {
		t.Errorf("a pipe gets %q", got)
	}
	p.terminal = true
	if got := p.must(t, "config", "get", "shop"); strings.ContainsAny(got, "\u2028\x1b") {
		t.Errorf("a terminal gets %q", got)
	}
}
