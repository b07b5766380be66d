package provision_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// hostBot is who acts for a repository.
var hostBot = blueberry.Actor{
	Kind: blueberry.ActorJob, ID: "rep_1", Name: "repository acme/shop", Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleDeveloper.Grants()},
}

const trustedBlueprint = `name: shop
components: [{name: web, values: {env: {LEVEL: info, DB_PASSWORD: {secretRef: db/password}}}}]
computed: {web.image: "registry.example.com/shop:${commit}"}
egress: [{cidr: 0.0.0.0/0}]
services: [{name: db, kind: postgres}]
lease: {default: 48, max: 100}
`

func headCommit(digit string) string { return strings.Repeat(digit, 40) }

// outsider makes a restricted environment as a pull request does.
func (h *house) outsider(t *testing.T, name, head string) blueberry.Environment {
	t.Helper()
	repository, ref := shopRepository, "refs/heads/main"
	e, err := h.Create(t.Context(), hostBot, provision.CreateRequest{
		Name: name, Hours: 24, Restricted: true, Wish: provision.Wish{Repository: &repository, Ref: &ref, Head: &head},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h.until(t, e.ID, phase(blueberry.Ready))
}

// tight tells what a restricted environment holds that it must not, or has lost.
func (h *house) tight(t *testing.T, id, head string) {
	t.Helper()
	e := h.get(t, id)
	rev, err := h.Revision(t.Context(), admin, id, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	for _, f := range rev.Rendering.Files {
		text += string(f.Content)
	}
	for _, word := range []string{"secretKeyRef", "secretRef", "allow-egress", "0.0.0.0/0", "automountServiceAccountToken: true", "serviceAccountName"} {
		if strings.Contains(text, word) {
			t.Errorf("revision %d has %s", rev.Number, word)
		}
	}
	for _, word := range []string{"image: registry.example.com/shop:" + head + "\n", `pods: "10"`, "default-deny", "automountServiceAccountToken: false"} {
		if !strings.Contains(text, word) {
			t.Errorf("revision %d has no %s", rev.Number, word)
		}
	}
	if left := e.Lease.ExpiresAt.Sub(h.clock.now()); !e.Restricted || left > blueberry.RestrictedLeaseHours*time.Hour || e.Lease.PinnedBy != "" {
		t.Errorf("restricted %t, %s are left, pinned by %q", e.Restricted, left, e.Lease.PinnedBy)
	}
}

// TestRestrictedToItsEnd: whatever is done to a restricted environment, by whomever, it stays one.
func TestRestrictedToItsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		ctx := t.Context()
		base := h.code.push(trustedBlueprint)
		head := headCommit("a")
		e := h.outsider(t, "pr-7", head)
		h.tight(t, e.ID, head)
		if got := e.Lease.ExpiresAt.Sub(e.CreatedAt); got != 8*time.Hour || e.Source.Commit != base {
			t.Errorf("a lease of %s, configured by %s", got, e.Source.Commit)
		}
		h.publish(t, "shop", "web: {env: {API_TOKEN: {secretRef: api/token}}}\n")
		sets := []string{"shop"}
		step := func(what string, want int, do func() error) {
			t.Helper()
			if err := do(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if e = h.get(t, e.ID); e.Revision != want {
				t.Errorf("%s: revision %d, want %d", what, e.Revision, want)
			}
			h.tight(t, e.ID, head)
		}
		change := func(actor blueberry.Actor, w provision.Wish) func() error {
			return func() error {
				_, err := h.Change(ctx, actor, e.ID, provision.ChangeRequest{Wish: w})
				return err
			}
		}
		step("a config set with a secret", 2, change(admin, provision.Wish{ConfigSets: &sets}))
		step("overrides with a secret", 3, change(admin, provision.Wish{Overrides: map[string]any{"web": map[string]any{"envFrom": []any{map[string]any{"secret": "payments"}}, "replicas": 9}}}))
		h.code.push(strings.Replace(trustedBlueprint, "LEVEL: info", "LEVEL: debug", 1))
		step("a refresh", 4, func() error { _, err := h.Refresh(ctx, admin, e.ID); return err })
		repository, ref := shopRepository, "refs/heads/main"
		head = headCommit("b")
		step("a push", 5, change(hostBot, provision.Wish{Repository: &repository, Ref: &ref, Head: &head}))
		head = headCommit("a")
		step("a rollback", 6, func() error { _, err := h.Rollback(ctx, admin, e.ID, provision.RollbackRequest{Number: 4}); return err })
		h.clock.add(7 * time.Hour)
		step("an extension", 6, func() error { _, err := h.Extend(ctx, admin, e.ID, 100, 0); return err })
		if left := e.Lease.ExpiresAt.Sub(h.clock.now()); left != 8*time.Hour {
			t.Errorf("%s are left after an extension", left)
		}
		h.clock.add(3 * time.Hour)
		token := h.link(t, e.ID, 24)
		if offer, err := h.ExtendLinkInfo(ctx, token); err != nil || offer.Ends.Sub(h.clock.now()) != 8*time.Hour {
			t.Errorf("a link offers %s: %v", offer.Ends, err)
		}
		step("a link", 6, func() error { _, err := h.ExtendByLink(ctx, token); return err })
		h.until(t, e.ID, synced(6))
		h.destroy(t, e.ID)
		again, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{Hours: 24})
		if err != nil {
			t.Fatal(err)
		}
		h.tight(t, again.ID, head)
		other, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{Name: "other", Hours: 24})
		if err != nil {
			t.Fatal(err)
		}
		h.tight(t, other.ID, head)
	})
}

// TestRestrictedIsDenied: a shell, a pin and another source are refused to everybody, and told.
func TestRestrictedIsDenied(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	h.code.push(trustedBlueprint)
	e := h.outsider(t, "pr-7", headCommit("a"))
	if n := h.told(t, e.ID)[blueberry.EnvironmentRestricted]; n != 1 {
		t.Errorf("what was left out was told %d times", n)
	}
	for what, do := range map[string]func() error{
		"shell": func() error {
			_, err := h.Shell(ctx, admin, e.ID, target.ShellRequest{Command: []string{"env"}})
			return err
		},
		"pin": func() error { _, err := h.Pin(ctx, admin, e.ID, 20, "", 0); return err },
	} {
		before := h.told(t, e.ID)[blueberry.EnvironmentDenied]
		if err := do(); !errors.Is(err, blueberry.Forbidden) || refusedWith(err) != "ENVIRONMENT_RESTRICTED" {
			t.Errorf("%s: %v", what, err)
		}
		if n := h.told(t, e.ID)[blueberry.EnvironmentDenied]; n != before+1 {
			t.Errorf("%s was told %d times", what, n-before)
		}
	}
	denied := 0
	h.mu.Lock()
	for _, a := range h.audit {
		if a.Result == blueberry.AuditDenied && a.Resource == e.ID {
			denied++
			if strings.Contains(a.Detail, "db/password") || a.Action == string(blueberry.GrantEnvironmentsCreate) && !strings.Contains(a.Detail, "DB_PASSWORD") {
				t.Errorf("the audit says %q", a.Detail)
			}
		}
	}
	h.mu.Unlock()
	if denied != 3 {
		t.Errorf("%d denials are in the audit", denied)
	}
	other, path, name, ref := "https://git.example.com/eve/shop.git", "evil.yaml", "evil", "refs/heads/evil"
	evil := headCommit("e")
	_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Repository: &other, Ref: &ref, Head: &evil}})
	if got := faultsOf(err); !slices.Contains(got, "source.repository restricted") || !slices.Contains(got, "source.ref restricted") || !slices.Contains(got, "head restricted") {
		t.Errorf("another repository: %v", err)
	}
	for what, w := range map[string]provision.Wish{
		"source.path":   {Path: &path},
		"blueprint":     {Blueprint: &blueberry.Blueprint{Name: "evil", Components: []blueberry.Component{web}}},
		"blueprint_ref": {Catalogue: &name},
	} {
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: w}); !slices.Contains(faultsOf(err), what+" restricted") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := h.get(t, e.ID); got.Revision != 1 {
		t.Errorf("revision %d", got.Revision)
	}
}

// TestHeadIsAValue: only restricted environments run a commit that is not their configuration's, and nothing but the digits of one can be named.
func TestHeadIsAValue(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.code.push(trustedBlueprint)
	repository := shopRepository
	for _, head := range []string{"", "main", "a:b", headCommit("A"), headCommit("a")[1:], headCommit("a") + "\n", headCommit("a")[:39] + "\"", "$(id)", "${domain}", "{{ .Values }}"} {
		_, err := h.Create(t.Context(), hostBot, provision.CreateRequest{Name: "pr-7", Restricted: true, Wish: provision.Wish{Repository: &repository, Head: &head}})
		if !slices.Contains(faultsOf(err), "head pattern") {
			t.Errorf("%q: %v", head, err)
		}
	}
	head := headCommit("a")
	_, err := h.Create(t.Context(), admin, provision.CreateRequest{Name: "pr-7", Wish: provision.Wish{Repository: &repository, Head: &head}})
	if diff := cmp.Diff([]string{"head forbidden"}, faultsOf(err)); diff != "" {
		t.Error(diff)
	}
}

// TestRestrictedAndClusterKinds: what the project may create for the whole cluster, a restricted environment of it may not.
func TestRestrictedAndClusterKinds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.code.pushFiles(map[string]string{
		"blueberry.yaml":       "name: shop\ncomponents: [{name: rights, kustomization: k}]\n",
		"k/kustomization.yaml": "resources: [role.yaml]\n",
		"k/role.yaml":          "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\nrules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n",
	})
	h.mayCreate(t, "ClusterRole")
	repository := shopRepository
	if _, err := h.Create(t.Context(), admin, provision.CreateRequest{Name: "open", Wish: provision.Wish{Repository: &repository}}); err != nil {
		t.Fatalf("the project may not create it at all: %v", err)
	}
	_, err := h.Create(t.Context(), hostBot, provision.CreateRequest{Name: "pr-7", Restricted: true, Wish: provision.Wish{Repository: &repository}})
	if got := faultsOf(err); len(got) != 1 || !strings.HasSuffix(got[0], " cluster_kind") {
		t.Errorf("%v", err)
	}
}

// mayCreate lets the project create kinds of the whole cluster.
func (h *house) mayCreate(t *testing.T, kinds ...string) {
	t.Helper()
	if err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		p, err := tx.Project(t.Context(), blueberry.DefaultProject)
		if err != nil {
			return err
		}
		p.ClusterKinds = kinds
		return tx.PutProject(t.Context(), p)
	}); err != nil {
		t.Fatal(err)
	}
}
