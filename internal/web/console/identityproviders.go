package console

import (
	"cmp"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// providersView is who vouches for people.
type providersView struct {
	Items  []sdk.IdentityProvider
	MaySet bool
}

func identityProviders(v *visit) (page, error) {
	list, err := v.api.ListIdentityProviders(v.ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "Identity providers", Here: "/identity-providers", Body: providersBody(providersView{list.Items, v.holds(blueberry.GrantProvidersWrite)}), Watch: interest{Any: true}}, nil
}

func newProvider(v *visit) (page, error) { return v.newProvider(nil) }

func (v *visit) newProvider(problem *sdk.Problem) (page, error) {
	return v.providerForm(sdk.IdentityProvider{Kind: "oidc"}, true, problem)
}

func editProvider(v *visit) (page, error) { return v.editProvider(nil) }

func (v *visit) editProvider(problem *sdk.Problem) (page, error) {
	p, err := v.api.GetIdentityProvider(v.ctx, v.r.PathValue("name"))
	if err != nil {
		return page{}, err
	}
	return v.providerForm(p, false, problem)
}

func (v *visit) wantedProvider(p sdk.IdentityProvider) sdk.SetIdentityProviderRequest {
	r := sdk.SetIdentityProviderRequest{
		Kind: v.entered("kind", p.Kind), Label: v.entered("label", p.Label), Issuer: v.entered("issuer", p.Issuer), ClientID: v.entered("client_id", p.ClientID), Scopes: words(v.entered("scopes", strings.Join(p.Scopes, "\n"))),
		GroupsClaim: v.entered("groups_claim", p.GroupsClaim), AllowedDomains: words(v.entered("allowed_domains", strings.Join(p.AllowedDomains, "\n"))), SignUp: v.was("sign_up", p.SignUp), Disabled: v.was("disabled", p.Disabled),
	}
	if secret := v.entered("client_secret", ""); secret != "" {
		r.ClientSecret = &secret
	} else if v.was("no_client_secret", false) {
		r.ClientSecret = &secret
	}
	return r
}

func (v *visit) providerForm(p sdk.IdentityProvider, fresh bool, problem *sdk.Problem) (page, error) {
	if err := v.needs("", blueberry.GrantProvidersWrite); err != nil {
		return page{}, err
	}
	r := v.wantedProvider(p)
	trail := []option{{"/identity-providers", "Identity providers"}}
	a := ask{
		Title: "Set the identity provider", Action: accessPath("identity-providers", p.Name), Label: "Set it", Back: "/identity-providers", Problem: gathered(problem, "scopes", "allowed_domains"),
		What: "People sign in with the account that they have there. Only who was invited comes in, unless it lets people sign up.",
	}
	kind := input{Name: "kind", Label: "Kind", Kind: "select", Value: r.Kind, Options: []option{{"oidc", "OpenID Connect: Google, Dex, Entra, Okta, any issuer"}, {"github", "GitHub"}, {"firebase", "Firebase, Google Identity Platform"}}}
	name, title := p.Name, p.Name
	if fresh {
		a.Title, a.Label, a.Action, title = "New identity provider", "Make it", "/identity-providers", "Identity providers"
		name = v.entered("name", "")
		a.Inputs = append(a.Inputs, input{Name: "name", Label: "Name", Value: name, Required: true, Code: true, Placeholder: "google", Hint: "In addresses. It stays."}, kind)
		a.Inputs = append(a.Inputs, input{Name: "issuer", Label: "Issuer", Value: r.Issuer, Code: true, Placeholder: "https://accounts.google.com", Hint: "URL of the issuer; of Firebase the project id; of GitHub empty, or the URL of an enterprise server. It stays."})
	} else {
		a.What += " Kind and issuer stay: the accounts that are tied to it are the issuer's."
		if p.RedirectURL != "" {
			a.What += " Register " + p.RedirectURL + " there as the address to send people back to."
		}
		a.Hidden = map[string]string{"kind": p.Kind, "issuer": p.Issuer}
	}
	secret := input{Name: "client_secret", Label: "Client secret", Kind: "password", Hint: "Kept encrypted, and told to nobody."}
	if p.HasClientSecret {
		secret.Hint = "One is kept. Empty leaves it."
	}
	a.Inputs = append(a.Inputs, input{Name: "label", Label: "On the button", Value: r.Label, Placeholder: "Google"},
		input{Name: "client_id", Label: "Client id", Value: r.ClientID, Code: true, Hint: "As the provider knows this installation."}, secret)
	if p.HasClientSecret {
		a.Inputs = append(a.Inputs, input{Name: "no_client_secret", Label: "Remove the client secret that is kept", Kind: "check", Value: checked(v.was("no_client_secret", false))})
	}
	a.Inputs = append(a.Inputs, input{Name: "scopes", Label: "Scopes beyond what is needed", Value: strings.Join(r.Scopes, " "), Code: true, Placeholder: "groups"},
		input{Name: "groups_claim", Label: "Claim that lists groups", Value: r.GroupsClaim, Code: true, Placeholder: "groups"},
		input{Name: "allowed_domains", Label: "Domains of addresses that may sign up", Value: strings.Join(r.AllowedDomains, " "), Code: true, Placeholder: "example.com", Hint: "With spaces between. Empty for all."},
		input{Name: "sign_up", Label: "Someone unknown gets an account", Kind: "check", Value: checked(r.SignUp), Hint: "Else only who was invited can come in."},
		input{Name: "disabled", Label: "Disabled", Kind: "check", Value: checked(r.Disabled), Hint: "Nobody can come in by it, and its groups give nothing."})
	name = cmp.Or(name, "google")
	flags := []string{"kind", r.Kind, "label", r.Label, "issuer", r.Issuer, "client-id", r.ClientID, "groups-claim", r.GroupsClaim}
	if r.ClientSecret != nil && *r.ClientSecret != "" || fresh {
		flags = append(flags, "client-secret-file", "client-secret.txt")
	}
	flags = append(append(flags, flagged("scope", r.Scopes)...), flagged("allowed-domain", r.AllowedDomains)...)
	a.CLI = command("provider set "+shellWord(name), flags...)
	if r.SignUp {
		a.CLI += " --sign-up"
	}
	if r.Disabled {
		a.CLI += " --disabled"
	}
	if r.ClientSecret != nil && *r.ClientSecret != "" { // what was typed stands on no page again
		hidden := "…"
		r.ClientSecret = &hidden
	}
	a.Call, a.Body = "PUT /v1/identity-providers/"+name, jsonOf(r)
	if !fresh {
		trail = append(trail, option{"", p.Name})
	}
	return asked(title, "/identity-providers", trail, a), nil
}

func createProvider(v *visit) (string, error) {
	name := v.entered("name", "")
	if name == "" || strings.Contains(name, "/") {
		return "", again{faulty([]sdk.FieldError{{Field: "name", Code: "required", Message: "is needed, as google"}}), v.newProvider}
	}
	if _, err := v.api.GetIdentityProvider(v.ctx, name); err == nil {
		return "", again{faulty([]sdk.FieldError{{Field: "name", Code: "taken", Message: "is that of another identity provider"}}), v.newProvider}
	}
	if _, err := v.api.SetIdentityProvider(v.ctx, name, v.wantedProvider(sdk.IdentityProvider{})); err != nil {
		return "", v.formAgain(err, v.newProvider)
	}
	return "/identity-providers?done=provider-set", nil
}

func setProvider(v *visit) (string, error) {
	p, err := v.api.GetIdentityProvider(v.ctx, v.r.PathValue("name"))
	if err != nil {
		return "", err
	}
	if _, err := v.api.SetIdentityProvider(v.ctx, p.Name, v.wantedProvider(p), sdk.IfMatch(p.Version)); err != nil {
		return "", v.formAgain(err, v.editProvider)
	}
	return "/identity-providers?done=provider-set", nil
}

func askDeleteProvider(v *visit) (page, error) { return v.askDeleteProvider(nil) }

func (v *visit) askDeleteProvider(problem *sdk.Problem) (page, error) {
	if err := v.needs("", blueberry.GrantProvidersWrite); err != nil {
		return page{}, err
	}
	p, err := v.api.GetIdentityProvider(v.ctx, v.r.PathValue("name"))
	if err != nil {
		return page{}, err
	}
	rules, err := v.api.ListGroupRules(v.ctx)
	if err != nil {
		return page{}, err
	}
	n := 0
	for _, r := range rules.Items {
		if r.Provider == p.Name {
			n++
		}
	}
	return asked(p.Name, "/identity-providers", []option{{"/identity-providers", "Identity providers"}, {accessPath("identity-providers", p.Name), p.Name}}, ask{
		Title: "Delete the identity provider", Danger: true, Label: "Delete " + p.Name, Action: accessPath("identity-providers", p.Name, "delete"), Back: "/identity-providers", Problem: problem,
		What: "Nobody can sign in by it any more. The ties between its accounts and people here are gone, and so are its group rules (" + number(n) + ") with what they give. People stay, and come in by their other ways. This cannot be undone.",
		CLI:  command("provider delete " + shellWord(p.Name)), Call: "DELETE /v1/identity-providers/" + p.Name,
	}), nil
}

func deleteProvider(v *visit) (string, error) {
	if err := v.api.DeleteIdentityProvider(v.ctx, v.r.PathValue("name")); err != nil {
		return "", v.formAgain(err, v.askDeleteProvider)
	}
	return "/identity-providers?done=provider-deleted", nil
}

// comesIn is whom an identity provider lets in.
func comesIn(p sdk.IdentityProvider) string {
	switch {
	case !p.SignUp:
		return "only who was invited"
	case len(p.AllowedDomains) == 0:
		return "everybody with an account there"
	}
	return "everybody of " + strings.Join(p.AllowedDomains, ", ")
}

// byText is by which way a role is held.
func byText(by string) string {
	group, isGroup := strings.CutPrefix(by, "group:")
	switch {
	case isGroup:
		return "by group " + group
	case by == "member":
		return "given"
	}
	return ""
}
