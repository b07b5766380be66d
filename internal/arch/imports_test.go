package arch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/blueberry-idp/blueberry/"

// room is a part of the house: the packages at and below a path, and what they may import of ours.
type room struct {
	path    string
	may     []string // paths of rooms; a room may always import itself and what lies below it
	never   []string // packages it may not reach, even indirectly
	drivers bool     // packages below it are drivers: they import only the room itself and internal/blueberry

	beside map[string]string // a driver, and the one other driver that it is made of
}

var (
	nouns   = "internal/blueberry"
	engines = []string{
		"internal/jobs", "internal/render", "internal/gitops", "internal/target", "internal/policy", "internal/keys", "internal/objects", "internal/cache",
	}
	sql = []string{"github.com/jackc/pgx", "modernc.org/sqlite", "github.com/uptrace/bun"}
)

func rooms() []room {
	activity := func(path string) room {
		return room{path: path, may: append([]string{nouns}, engines...), drivers: true, never: append([]string{module + "internal/store", module + "internal/target/kube", "sigs.k8s.io/controller-runtime"}, sql...)}
	}
	return []room{
		{path: "sdk", never: []string{"."}},
		{path: nouns, never: []string{".", "database/sql", "net/http", "os/exec"}},
		activity("internal/provision"), activity("internal/catalog"), activity("internal/source"), activity("internal/access"),
		activity("internal/audit"), activity("internal/notify"), activity("internal/custody"), activity("internal/fleet"), activity("internal/system"),
		{path: "internal/jobs", may: []string{nouns}},
		{path: "internal/render", may: []string{nouns, "charts"}},
		{path: "internal/gitops", may: []string{nouns, "internal/render"}},
		{path: "internal/target", may: []string{nouns}, drivers: true, beside: map[string]string{
			"internal/target/argocd": "internal/target/kube", // what Argo CD applies is watched and read as on any cluster
		}},
		{path: "internal/policy", may: []string{nouns}},
		{path: "internal/keys", may: []string{nouns}},
		{path: "internal/objects", may: []string{nouns}},
		{path: "internal/cache", may: []string{nouns}},
		{path: "internal/pki", may: []string{nouns}},
		{path: "internal/store", may: []string{nouns}},
		{path: "internal/httpapi", may: []string{nouns, "sdk", "internal/provision", "internal/catalog", "internal/source", "internal/access", "internal/access/oauth", "internal/audit", "internal/custody", "internal/fleet", "internal/notify", "internal/cache", "internal/target"}},
		{path: "internal/web", may: []string{nouns, "sdk", "internal/access", "internal/access/oauth", "internal/provision"}},
		{path: "internal/cli", may: []string{"sdk"}},
		{path: "internal/activator", may: []string{nouns, "internal/provision"}},
		{path: "internal/app", may: []string{"*"}},
		{path: "internal/arch"},
		{path: "charts"},
		{path: "cmd", may: []string{"*"}},
		{path: "e2e", may: []string{"*"}},
		{path: "examples"},
		{path: "docs"},
	}
}

// families are foreign packages that only some rooms may import.
func families() map[string][]string {
	return map[string][]string{
		"k8s.io/":                    {"internal/target/kube", "internal/target/argocd", "internal/render"},
		"sigs.k8s.io/controller-":    {"internal/target/kube", "internal/target/argocd"},
		"github.com/fluxcd/":         {"internal/target/kube"},
		"helm.sh/":                   {"internal/render"},
		"github.com/jackc/pgx":       {"internal/store"},
		"modernc.org/":               {"internal/store"},
		"github.com/uptrace/bun":     {"internal/store"},
		"github.com/riverqueue/":     {"internal/jobs"},
		"github.com/spf13/cobra":     {"internal/cli", "cmd", "internal/app"},
		"charm.land/":                {"internal/cli", "cmd"},
		"github.com/danielgtaylor/":  {"internal/httpapi"},
		"github.com/prometheus/":     {"internal/app"},
		"github.com/knadh/":          {"internal/app"},
		"github.com/stretchr/":       {}, // tests only
		"github.com/google/go-cmp":   {},
		"pgregory.net/rapid":         {},
		"github.com/rogpeppe/":       {"e2e"},
		"testing/synctest":           {},
		"github.com/goccy/go-yaml":   {},
		"gopkg.in/yaml":              {},
		"github.com/santhosh-tekuri": {"internal/render"},
		"github.com/cedar-policy/":   {"internal/policy"},
		"github.com/ory/":            {"internal/access/oauth"},
		"github.com/coreos/go-oidc":  {"internal/access/oidc"},
		"golang.org/x/oauth2":        {"internal/access/oidc", "internal/access/github"},
		"github.com/go-webauthn/":    {"internal/access"},
		"github.com/golang-jwt/":     {"internal/source/github", "internal/notify/queue"},
		"github.com/pquerna/otp":     {"internal/access"},
		"golang.org/x/crypto/argon2": {"internal/access"},
		"github.com/tink-crypto/":    {"internal/keys"},
		"gocloud.dev":                {"internal/objects", "internal/keys"},
		"github.com/aws/":            {"internal/objects", "internal/keys", "internal/notify/queue"},
		"github.com/nats-io/":        {"internal/notify/queue"},
		"github.com/redis/":          {"internal/cache"},
		"github.com/wneessen/":       {"internal/notify/mail"},
		"github.com/zalando/":        {"internal/cli"},
		"github.com/a-h/templ":       {"internal/web"},
		"github.com/yuin/goldmark":   {"internal/web/docs"},
		"github.com/coder/websocket": {"internal/httpapi", "internal/cli"},
		"github.com/chromedp/":       {}, // tests only
		"github.com/johannesboyne/":  {},
		"github.com/emersion/":       {},
	}
}

type pkg struct {
	ImportPath   string
	Doc          string
	Dir          string
	Imports      []string
	Deps         []string
	TestImports  []string
	XTestImports []string
	GoFiles      []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Doc,Dir,Imports,Deps,TestImports,XTestImports,GoFiles", "./...")
	cmd.Dir = root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func root() string { return filepath.Join("..", "..") }

func below(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }

// isTestPackage: a suite or a bundle that only tests import.
func isTestPackage(path string) bool { return strings.HasSuffix(path, "test") || below(path, "e2e") }

func roomOf(path string) (room, bool) {
	for _, r := range rooms() {
		if below(path, r.path) {
			return r, true
		}
	}
	return room{}, false
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		r, ok := roomOf(path)
		if !ok {
			t.Errorf("%s is in no room; add the room to design and to this test, or move the package", path)
			continue
		}
		for _, imp := range p.Imports {
			if reason := forbidden(r, path, imp); reason != "" {
				t.Errorf("%s imports %s: %s", path, imp, reason)
			}
		}
		for _, dep := range p.Deps {
			for _, never := range r.never {
				if reaches(dep, never) && !isTestPackage(path) {
					t.Errorf("%s reaches %s, which %s never may", path, dep, r.path)
				}
			}
		}
	}
}

// reaches reports whether dep is the never package or below it; "." means any package that is not the standard library's, besides ours.
func reaches(dep, never string) bool {
	if never == "." {
		return strings.Contains(strings.SplitN(dep, "/", 2)[0], ".") && !strings.HasPrefix(dep, module)
	}
	return below(dep, strings.TrimSuffix(never, "/"))
}

func forbidden(r room, path, imp string) string {
	ours, isOurs := strings.CutPrefix(imp, module)
	if !isOurs {
		return forbiddenFamily(path, imp)
	}
	if isTestPackage(ours) && !isTestPackage(path) {
		return "packages for tests are imported by tests only"
	}
	if slices.Contains(r.may, "*") || isTestPackage(path) {
		return ""
	}
	if r.drivers && path != r.path { // a driver
		if ours == nouns || ours == r.path || ours == r.beside[path] {
			return ""
		}
		return fmt.Sprintf("a driver of %s imports only internal/blueberry and its parent room", r.path)
	}
	if below(ours, r.path) {
		return ""
	}
	for _, m := range r.may {
		if ours == m { // a room's drivers are for app alone
			return ""
		}
	}
	return fmt.Sprintf("%s may import only %v", r.path, r.may)
}

func forbiddenFamily(path, imp string) string {
	for family, places := range families() {
		if !strings.HasPrefix(imp, family) || isTestPackage(path) {
			continue
		}
		if !slices.ContainsFunc(places, func(place string) bool { return below(path, place) }) {
			return fmt.Sprintf("the family %s belongs to %v", family, places)
		}
	}
	return ""
}

func TestPackagesSayWhatTheyOwn(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestNamesOfPackages(t *testing.T) {
	t.Parallel()
	bad := []string{"util", "utils", "helper", "helpers", "common", "types", "models", "services", "manager", "base", "pkg"}
	for _, p := range list(t) {
		for part := range strings.SplitSeq(strings.TrimPrefix(p.ImportPath, module), "/") {
			if slices.Contains(bad, part) {
				t.Errorf("%s: %q says nothing about what is inside", p.ImportPath, part)
			}
		}
	}
}

// TestRulesBite proves that the rules refuse what they should.
func TestRulesBite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, imp string
		want      bool // refused
	}{
		"activity to activity":      {"internal/provision", module + "internal/source", true},
		"activity to store":         {"internal/provision", module + "internal/store", true},
		"activity to engine":        {"internal/provision", module + "internal/gitops", false},
		"activity to driver":        {"internal/provision", module + "internal/target/kube", true},
		"engine to engine":          {"internal/jobs", module + "internal/target", true},
		"gitops to render":          {"internal/gitops", module + "internal/render", false},
		"driver to parent":          {"internal/target/kube", module + "internal/target", false},
		"driver to driver":          {"internal/target/kube", module + "internal/target/sim", true},
		"driver to the one beside":  {"internal/target/argocd", module + "internal/target/kube", false},
		"and not back":              {"internal/target/kube", module + "internal/target/argocd", true},
		"fleet to provision":        {"internal/fleet", module + "internal/provision", true},
		"fleet to target":           {"internal/fleet", module + "internal/target", false},
		"driver to engine":          {"internal/target/kube", module + "internal/render", true},
		"cli to app":                {"internal/cli", module + "internal/app", true},
		"cli to nouns":              {"internal/cli", module + "internal/blueberry", true},
		"door to store":             {"internal/httpapi", module + "internal/store", true},
		"kubernetes outside":        {"internal/provision", "k8s.io/client-go/rest", true},
		"sql driver outside":        {"internal/jobs", "github.com/jackc/pgx/v5", true},
		"suite in the product":      {"internal/target/kube", module + "internal/target/targettest", true},
		"app knows all":             {"internal/app", module + "internal/target/sim", false},
		"cobra in an activity":      {"internal/access", "github.com/spf13/cobra", true},
		"assertions in the product": {"internal/store", "github.com/google/go-cmp/cmp", true},
	} {
		r, ok := roomOf(c.path)
		if !ok {
			t.Fatalf("%s: no room for %s", name, c.path)
		}
		if got := forbidden(r, c.path, c.imp) != ""; got != c.want {
			t.Errorf("%s: refused %v, want %v", name, got, c.want)
		}
	}
}
