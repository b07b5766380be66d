package access

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// MaxProviderName is how many characters the name of an identity provider has at most.
const MaxProviderName = 40

const maxProviderText = 500 // of addresses and ids: what providers themselves hand out is far shorter

// ProviderWish is all that an identity provider is to be.
type ProviderWish struct {
	Name           string
	Kind           blueberry.ProviderKind
	Label          string // empty means the name
	Issuer         string
	ClientID       string
	ClientSecret   *string // nil leaves the one that is kept; empty removes it
	Scopes         []string
	GroupsClaim    string
	AllowedDomains []string
	SignUp         bool
	Disabled       bool
	Found          blueberry.Faults // what was wrong with the request before it came here
}

// scopeWord is a scope of OAuth (RFC 6749, section 3.3); domainName one in lower case, firebaseProject the id of a project as Google gives it.
var (
	scopeWord       = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]{1,200}$`)
	domainName      = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	firebaseProject = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{2,62}$`)
)

// PutProvider makes an identity provider, or changes one. Kind and issuer of one that is there stay: the accounts that are tied to it are the issuer's, and
// another issuer would open them. A secret is kept sealed and told to nobody.
func (a *Accounts) PutProvider(ctx context.Context, actor blueberry.Actor, r ProviderWish, ifVersion int64) (blueberry.IdentityProvider, error) {
	if err := actor.Can(blueberry.GrantProvidersWrite); err != nil {
		return blueberry.IdentityProvider{}, err
	}
	if actor.Emergency != "" {
		if err := mayMakeOwners(actor); err != nil { // whoever runs the provider could come in as anyone who is tied to it
			return blueberry.IdentityProvider{}, err
		}
	}
	faults := checkProvider(&r)
	var p blueberry.IdentityProvider
	err := a.update(ctx, func(tx Tx) error {
		was, err := tx.Provider(ctx, r.Name)
		if err != nil && !isNotFound(err) {
			return err
		}
		if err := checkVersion("identity provider "+r.Name, was.Version, ifVersion); err != nil {
			return err
		}
		f := slices.Clone(faults)
		if was.Version != 0 {
			unchanging(&f, was, r)
		}
		if p, err = a.providerOf(&f, was, r); err != nil {
			return err
		}
		before, after := changed(providerFields(was), providerFields(p))
		replaced := r.ClientSecret != nil && *r.ClientSecret != ""
		if err := mayVouchForOwners(ctx, tx, actor, was, after, replaced); err != nil {
			return err
		}
		if was.Version != 0 && len(after) == 0 && !replaced {
			p = was
			return nil
		}
		if err := tx.PutProvider(ctx, p); err != nil {
			return err
		}
		p.Version++
		if was.Version == 0 {
			before = nil
		}
		if replaced {
			after["client_secret_replaced"] = true
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantProvidersWrite), resource: p.ID, detail: fmt.Sprintf("%s set identity provider %s", actor.Name, p.Name),
			before: before, after: after,
		})
	})
	if err != nil {
		return blueberry.IdentityProvider{}, err
	}
	return p, nil
}

// mayVouchForOwners refuses a change of a provider whose groups make owners, to whoever may not make some: by another claim, client or secret another group
// would count. What is shown of it, and that it is switched off, is no matter.
func mayVouchForOwners(ctx context.Context, tx Tx, actor blueberry.Actor, was blueberry.IdentityProvider, after map[string]any, replaced bool) error {
	counts := replaced
	for field, value := range after {
		counts = counts || field != "label" && (field != "disabled" || value != true)
	}
	if was.Version == 0 || !counts {
		return nil
	}
	rules, err := tx.GroupRules(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(rules, func(g blueberry.GroupRule) bool { return g.Project == "" && g.Provider == was.Name }) {
		return mayMakeOwners(actor)
	}
	return nil
}

// checkProvider brings a wish into the form that is kept and notes what is wrong with it.
func checkProvider(r *ProviderWish) blueberry.Faults {
	f := slices.Clone(r.Found)
	f.CheckName("name", r.Name, MaxProviderName)
	if r.Label == "" {
		r.Label = r.Name
	}
	checkLine(&f, "label", r.Label, blueberry.MaxPersonName)
	switch r.Kind {
	case blueberry.ProviderOIDC:
		checkIssuer(&f, r.Issuer)
	case blueberry.ProviderGitHub:
		if r.Issuer != "" {
			checkIssuer(&f, r.Issuer)
		}
	case blueberry.ProviderFirebase:
		if !firebaseProject.MatchString(r.Issuer) {
			f.Add("issuer", "pattern", "must be the id of the Firebase project")
		}
	default:
		f.Add("kind", "enum", "%q is not oidc, firebase or github", string(r.Kind))
	}
	if r.ClientID == "" && r.Kind != blueberry.ProviderFirebase {
		f.Add("client_id", "required", "is needed")
	}
	checkLine(&f, "client_id", r.ClientID, maxProviderText)
	if len(r.GroupsClaim) > blueberry.MaxPersonName {
		f.Add("groups_claim", "too_long", "has %d characters, at most %d are allowed", len(r.GroupsClaim), blueberry.MaxPersonName)
	}
	for i, s := range r.Scopes {
		if !scopeWord.MatchString(s) {
			f.Add(fmt.Sprintf("scopes[%d]", i), "pattern", "is no scope of OAuth")
		}
	}
	r.AllowedDomains = slices.Clone(r.AllowedDomains)
	for i, d := range r.AllowedDomains {
		r.AllowedDomains[i] = strings.ToLower(strings.TrimSpace(d))
		if !domainName.MatchString(r.AllowedDomains[i]) {
			f.Add(fmt.Sprintf("allowed_domains[%d]", i), "pattern", "must be a domain, as example.com")
		}
	}
	return f
}

// checkIssuer notes an address that cannot be an issuer's. Without TLS it is one on this machine.
func checkIssuer(f *blueberry.Faults, issuer string) {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		f.Add("issuer", "required", "is needed")
	case len(issuer) > maxProviderText:
		f.Add("issuer", "too_long", "has %d characters, at most %d are allowed", len(issuer), maxProviderText)
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
		f.Add("issuer", "url", "must be an https URL without user, query and fragment")
	case u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1":
		f.Add("issuer", "url", "must be an https URL: without TLS anyone on the way could come in as anyone")
	}
}

func unchanging(f *blueberry.Faults, was blueberry.IdentityProvider, r ProviderWish) {
	if r.Kind != was.Kind {
		f.Add("kind", "immutable", "stays %s: make another identity provider", was.Kind)
	}
	if r.Issuer != was.Issuer {
		f.Add("issuer", "immutable", "stays: the accounts tied to %s are those of its issuer; make another identity provider", was.Name)
	}
}

// providerOf is the provider that is to be, with its secret sealed.
func (a *Accounts) providerOf(f *blueberry.Faults, was blueberry.IdentityProvider, r ProviderWish) (blueberry.IdentityProvider, error) {
	p, now := was, a.Now()
	if was.Version == 0 {
		p = blueberry.IdentityProvider{ID: blueberry.NewID(blueberry.ProviderID, now), Name: r.Name, Kind: r.Kind, Issuer: r.Issuer, CreatedAt: now}
	}
	p.Label, p.ClientID, p.Scopes, p.GroupsClaim, p.AllowedDomains = r.Label, r.ClientID, r.Scopes, r.GroupsClaim, r.AllowedDomains
	p.SignUp, p.Disabled, p.UpdatedAt = r.SignUp, r.Disabled, now
	switch {
	case r.ClientSecret == nil:
	case *r.ClientSecret == "":
		p.ClientSecret = nil
	case len(*r.ClientSecret) > 4*maxProviderText || strings.ContainsAny(*r.ClientSecret, "\r\n\x00"):
		f.Add("client_secret", "text", "must be one line of at most %d characters", 4*maxProviderText)
	default:
		sealed, err := a.Seal.Seal([]byte(*r.ClientSecret), clientSecretBound(p.ID))
		if err != nil {
			return p, doing("seal the secret of an identity provider", err)
		}
		p.ClientSecret = sealed
	}
	if p.Kind == blueberry.ProviderGitHub && len(p.ClientSecret) == 0 {
		f.Add("client_secret", "required", "is needed: GitHub gives no token without one")
	}
	return p, f.Err()
}
