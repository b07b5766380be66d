package access_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestProvider: a secret goes in and does not come out; who speaks for an issuer stays the same.
func TestProvider(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx := t.Context()
	wish := access.ProviderWish{
		Name: "google", Kind: blueberry.ProviderOIDC, Issuer: "https://accounts.google.com", ClientID: "blueberry", ClientSecret: to("GOCSPX-very-secret"),
		Scopes: []string{"groups"}, AllowedDomains: []string{"Example.COM"},
	}
	made, err := w.PutProvider(ctx, root, wish, 0)
	if err != nil || made.Version != 1 || made.Label != "google" || made.AllowedDomains[0] != "example.com" || bytes.Contains(made.ClientSecret, []byte("very")) {
		t.Fatalf("%+v (%v)", made, err)
	}
	if plain, err := w.Seal.Open(made.ClientSecret, "identity_providers.client_secret:"+made.ID); err != nil || string(plain) != "GOCSPX-very-secret" {
		t.Errorf("it does not open: %v", err)
	}
	if _, err := w.Seal.Open(made.ClientSecret, "identity_providers.client_secret:idp_other"); err == nil {
		t.Error("it opens in another row")
	}
	wish.ClientSecret, wish.Disabled = nil, true
	w.clock.move(1e9)
	kept, err := w.PutProvider(ctx, root, wish, 1)
	if err != nil || !bytes.Equal(kept.ClientSecret, made.ClientSecret) || !kept.Disabled {
		t.Errorf("%+v (%v)", kept, err)
	}
	if e := w.audit(t)[0]; string(e.Before) != `{"disabled":false}` || string(e.After) != `{"disabled":true}` {
		t.Errorf("%s → %s", e.Before, e.After)
	}
	wish.ClientSecret = to("GOCSPX-another-secret")
	w.clock.move(1e9)
	if _, err := w.PutProvider(ctx, root, wish, 0); err != nil || string(w.audit(t)[0].After) != `{"client_secret_replaced":true}` {
		t.Errorf("%s (%v)", w.audit(t)[0].After, err)
	}
	for _, e := range w.audit(t) {
		if strings.Contains(string(e.After)+string(e.Before)+e.Detail, "secret\"") && strings.Contains(string(e.After), "GOCSPX") {
			t.Error("the secret is in the audit")
		}
	}
	stolen := wish
	stolen.Kind, stolen.Issuer = blueberry.ProviderGitHub, "https://evil.example.com"
	_, err = w.PutProvider(ctx, root, stolen, 0)
	wants(t, "another issuer would open the accounts", "invalid VALIDATION_FAILED kind:immutable issuer:immutable", err)
	wants(t, "an old version", "precondition failed VERSION_MOVED", w.DeleteProvider(ctx, root, "google", 1))
	if err := w.DeleteProvider(ctx, root, "google", 0); err != nil {
		t.Error(err)
	}
	_, err = w.Provider(ctx, root, "google")
	wants(t, "afterwards", "not found IDENTITY_PROVIDER_NOT_FOUND", err)
}

func TestProviderRefuses(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for reason, c := range map[string]struct {
		wish access.ProviderWish
		want string
	}{
		"nothing": {access.ProviderWish{}, "invalid VALIDATION_FAILED name:required kind:enum client_id:required"},
		"without TLS anyone on the way is anyone": {access.ProviderWish{Name: "a", Kind: blueberry.ProviderOIDC, ClientID: "x", Issuer: "http://id.example.com"}, "invalid VALIDATION_FAILED issuer:url"},
		"no issuer":          {access.ProviderWish{Name: "a", Kind: blueberry.ProviderOIDC, ClientID: "x", Issuer: "https://u:p@id.example.com?x=1"}, "invalid VALIDATION_FAILED issuer:url"},
		"a project id":       {access.ProviderWish{Name: "a", Kind: blueberry.ProviderFirebase, Issuer: "https://x"}, "invalid VALIDATION_FAILED issuer:pattern"},
		"GitHub needs one":   {access.ProviderWish{Name: "a", Kind: blueberry.ProviderGitHub, ClientID: "x"}, "invalid VALIDATION_FAILED client_secret:required"},
		"words and domains":  {access.ProviderWish{Name: "a", Kind: blueberry.ProviderFirebase, Issuer: "shop-1", Scopes: []string{"a b"}, AllowedDomains: []string{"example"}}, "invalid VALIDATION_FAILED scopes[0]:pattern allowed_domains[0]:pattern"},
		"one line, no label": {access.ProviderWish{Name: "a", Kind: blueberry.ProviderFirebase, Issuer: "shop-1", Label: "a\nb", ClientSecret: to("a\r\nb")}, "invalid VALIDATION_FAILED label:text client_secret:text"},
		"on this machine":    {access.ProviderWish{Name: "local", Kind: blueberry.ProviderOIDC, ClientID: "x", Issuer: "http://127.0.0.1:5556/dex"}, ""},
	} {
		_, err := w.PutProvider(t.Context(), root, c.wish, 0)
		wants(t, reason, c.want, err)
	}
}

// TestGroups: groups give roles while their provider vouches for them.
func TestGroups(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	wish := access.ProviderWish{Name: "google", Kind: blueberry.ProviderOIDC, Issuer: "https://accounts.google.com", ClientID: "x"}
	if _, err := s.PutProvider(ctx, root, wish, 0); err != nil {
		t.Fatal(err)
	}
	s.update(t, func(tx access.Tx) error {
		return tx.PutIdentity(ctx, blueberry.Identity{Provider: "google", Subject: "1", UserID: s.guest.UserID, Groups: []string{"shop-dev", "chiefs"}, LinkedAt: s.clock.now()})
	})
	secret := s.session(t, s.guest.UserID)
	if len(s.enter(t, s.gate, secret).Projects) != 0 {
		t.Error("a group without a rule gives nothing")
	}
	role, err := s.AddGroupRule(ctx, s.admin, blueberry.GroupRule{Provider: "google", Group: "shop-dev", Project: "shop", Role: blueberry.RoleDeveloper})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.AddGroupRule(ctx, s.admin, blueberry.GroupRule{Provider: "google", Group: "shop-dev", Project: "shop", Role: blueberry.RoleViewer})
	wants(t, "twice", "conflict DUPLICATE_RESOURCE", clean(err))
	_, err = s.AddGroupRule(ctx, root, blueberry.GroupRule{Provider: "nowhere", Project: "shop", Role: "boss"})
	wants(t, "each fault", "invalid VALIDATION_FAILED group:required role:enum provider:unknown", err)
	chiefs, err := s.AddGroupRule(ctx, s.chief, blueberry.GroupRule{Provider: "google", Group: "chiefs", Role: blueberry.RoleOwner})
	if err != nil {
		t.Fatal(err)
	}
	if a := s.enter(t, s.gate, secret); a.Can(blueberry.GrantAll) != nil || a.CanIn("shop", blueberry.GrantEnvironmentsCreate) != nil {
		t.Errorf("%+v", a)
	}
	visible := func(a blueberry.Actor) (ids []string) {
		all, err := s.GroupRules(ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range all {
			ids = append(ids, g.ID)
		}
		slices.Sort(ids)
		return ids
	}
	if diff := cmp.Diff([]string{role.ID}, visible(s.admin)); diff != "" {
		t.Error(diff)
	}
	if len(visible(s.chief)) != 2 {
		t.Error("owners see all")
	}
	wants(t, "hidden from an admin of a project", "not found GROUP_RULE_NOT_FOUND [*:*]", s.DeleteGroupRule(ctx, s.admin, chiefs.ID))
	wants(t, "seen by a developer", lacks("members:write"), s.DeleteGroupRule(ctx, s.developer, role.ID))
	wish.Disabled = true
	if _, err := s.PutProvider(ctx, root, wish, 0); err != nil {
		t.Fatal(err)
	}
	if a := s.enter(t, s.gate, secret); len(a.Grants)+len(a.Projects) != 0 {
		t.Errorf("a provider that is off vouches for nothing: %+v", a)
	}
	wish.Disabled = false
	if _, err := s.PutProvider(ctx, root, wish, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteGroupRule(ctx, s.admin, role.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteGroupRule(ctx, s.chief, chiefs.ID); err != nil {
		t.Fatal(err)
	}
	if a := s.enter(t, s.gate, secret); len(a.Grants)+len(a.Projects) != 0 {
		t.Errorf("the rules are gone: %+v", a)
	}
}

// clean leaves out the faults of an error.
func clean(err error) error {
	if e, ok := err.(*blueberry.Error); ok { //nolint:errorlint // for a test
		bare := *e
		bare.Fields = nil
		return &bare
	}
	return err
}

// TestAProviderThatMakesOwners: who may not make owners does not change how a provider counts people to a group that makes some.
func TestAProviderThatMakesOwners(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	wish := access.ProviderWish{Name: "google", Kind: blueberry.ProviderOIDC, Issuer: "https://accounts.google.com", ClientID: "blueberry"}
	if _, err := s.PutProvider(ctx, root, wish, 0); err != nil {
		t.Fatal(err)
	}
	keeper := s.narrowed(t, s.chief, blueberry.GrantProvidersWrite)
	put := func(f func(*access.ProviderWish)) error {
		f(&wish)
		_, err := s.PutProvider(ctx, keeper, wish, 0)
		return err
	}
	wants(t, "while it makes none", "", put(func(r *access.ProviderWish) { r.GroupsClaim = "teams" }))
	if _, err := s.AddGroupRule(ctx, root, blueberry.GroupRule{Provider: "google", Group: "chiefs", Role: blueberry.RoleOwner}); err != nil {
		t.Fatal(err)
	}
	before := wish
	for name, f := range map[string]func(*access.ProviderWish){
		"another claim":  func(r *access.ProviderWish) { r.GroupsClaim = "hobbies" },
		"another client": func(r *access.ProviderWish) { r.ClientID = "evil" },
		"another secret": func(r *access.ProviderWish) { r.ClientSecret = to("evil") },
		"other scopes":   func(r *access.ProviderWish) { r.Scopes = []string{"x"} },
		"other domains":  func(r *access.ProviderWish) { r.AllowedDomains = []string{"example.com"} },
		"sign-up":        func(r *access.ProviderWish) { r.SignUp = true },
	} {
		wants(t, name, lacks("*:*"), put(f))
		wish = before
	}
	wants(t, "another label", "", put(func(r *access.ProviderWish) { r.Label = "Google" }))
	wants(t, "off", "", put(func(r *access.ProviderWish) { r.Disabled = true }))
	wants(t, "on again", lacks("*:*"), put(func(r *access.ProviderWish) { r.Disabled = false }))
	if _, err := s.PutProvider(ctx, s.chief, wish, 0); err != nil {
		t.Errorf("an owner: %v", err)
	}
}
