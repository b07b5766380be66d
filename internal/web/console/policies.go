package console

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

const policiesPath = "/policies"

func policyPath(id string, below ...string) string {
	return strings.Join(append([]string{policiesPath, url.PathEscape(id)}, below...), "/")
}

func policiesArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantPoliciesRead) {
				return nil
			}
			return []menuItem{{To: policiesPath, Name: "Policies", Icon: "op-rules", Group: groupOperate}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /policies": policies, "GET /policies/new": func(v *visit) (page, error) { return v.createPolicyForm(nil, false) }, "GET /policies/{id}": policyOne,
			"GET /policies/{id}/edit": func(v *visit) (page, error) { return v.editPolicyForm(nil, false) }, "GET /policies/{id}/delete": func(v *visit) (page, error) { return v.deletePolicyForm(nil) },
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /policies/new": createPolicy, "POST /policies/{id}/edit": editPolicy, "POST /policies/{id}/delete": deletePolicy,
		},
		Done: map[string]string{
			"policy-created": "The policy judges every plan from now on.", "policy-edited": "The policy was changed. It judges every plan from now on.", "policy-deleted": "The policy was deleted.",
		},
	}
}

// policiesView is the policies that one may see.
type policiesView struct {
	Items    []sdk.Policy
	Project  string
	Projects []string
	MayWrite bool
}

func policies(v *visit) (page, error) {
	l := policiesView{Project: v.r.URL.Query().Get("project"), MayWrite: v.may("", blueberry.GrantPoliciesWrite)}
	var err error
	if l.Projects, err = v.projectsWith(blueberry.GrantPoliciesRead); err != nil {
		return page{}, err
	}
	list, err := v.api.ListPolicies(v.ctx, l.Project)
	if err != nil {
		return page{}, err
	}
	l.Items = list.Items
	return page{Title: "Policies", Here: policiesPath, Body: policiesBody(l), Watch: interest{Any: true}}, nil
}

// policyView is one policy.
type policyView struct {
	sdk.Policy
	MayWrite bool
}

func (v *visit) policy() (policyView, error) {
	p, err := v.api.GetPolicy(v.ctx, v.r.PathValue("id"))
	return policyView{p, v.mayWritePolicy(p)}, err
}

func (v *visit) mayWritePolicy(p sdk.Policy) bool {
	if p.Installation {
		return v.who.Can(blueberry.GrantPoliciesWrite) == nil
	}
	return v.may(p.Project, blueberry.GrantPoliciesWrite)
}

func policyOne(v *visit) (page, error) {
	p, err := v.policy()
	if err != nil {
		return page{}, err
	}
	return page{Title: "Policy " + p.Name, Here: policiesPath, Body: policyBody(p), Watch: interest{Any: true}}, nil
}

// policyExample is what a new policy begins with: it warns, and stops nobody.
const policyExample = `@message("the image has no digest")
@fix("name the image by its digest")
@warn("")
forbid (principal, action, resource is Image)
unless { resource.by_digest };
`

// rulesInput is the field of the rules.
func rulesInput(text string) input {
	return input{
		Name: "text", Label: "Rules", Kind: "area", Code: true, Rows: 16, Required: true, Value: text,
		Hint: "Cedar. Rules forbid; what none forbids is allowed. @message says what is wrong, @fix what to do, and with @warn a rule only warns.",
	}
}

func (v *visit) createPolicyForm(p *sdk.Problem, sound bool) (page, error) {
	if err := v.who.CanSomewhere(blueberry.GrantPoliciesWrite); err != nil {
		return page{}, forbidden(err)
	}
	form := v.r.PostForm
	return asking(policiesPath, ask{
		Title: "Create a policy", Label: "Create it", What: "It judges every plan from the moment that it is made. Check it first: a rule that forbids too much stops everybody.",
		Action: policiesPath + "/new", Back: policiesPath, Problem: p,
		Inputs: []input{
			{Name: "name", Label: "Name", Value: typed(form, "name", ""), Placeholder: "images", Required: true, Hint: "Lower-case letters, digits and dashes."},
			v.projectChoice(blueberry.GrantPoliciesWrite, "Whose plans it judges."), rulesInput(typed(form, "text", policyExample)),
		},
		CLI: "blueberry policy create images --file images.cedar", Call: "POST /v1/policies", Body: `{"name": "images", "text": "forbid (principal, action, resource is Image) unless { resource.by_digest };"}`,
	}, policyCheck(sound), option{policiesPath, "Policies"}), nil
}

func createPolicy(v *visit) (string, error) {
	r := sdk.CreatePolicyRequest{Project: v.said("project"), Name: v.said("name"), Text: v.policyText()}
	if r.Project == wholeInstallation {
		r.Project, r.Installation = "", true
	}
	if v.said("do") == "check" {
		return "", v.checkPolicy(r, v.createPolicyForm)
	}
	p, err := v.api.CreatePolicy(v.ctx, r)
	if err != nil {
		return "", v.formError(err, func(p *sdk.Problem) (page, error) { return v.createPolicyForm(p, false) })
	}
	return policyPath(p.ID) + "?done=policy-created", nil
}

// policyText is the rules that were typed, with the line ends of a file.
func (v *visit) policyText() string {
	return strings.ReplaceAll(v.r.PostForm.Get("text"), "\r\n", "\n")
}

// checkPolicy has rules checked, and shows the form again with what is wrong with them, or that nothing is.
func (v *visit) checkPolicy(r sdk.CreatePolicyRequest, form func(p *sdk.Problem, sound bool) (page, error)) error {
	err := v.api.CheckPolicy(v.ctx, r)
	if err != nil {
		return v.formError(err, func(p *sdk.Problem) (page, error) { return form(p, false) })
	}
	return again{nil, func(*sdk.Problem) (page, error) { return form(nil, true) }}
}

func (v *visit) editPolicyForm(p *sdk.Problem, sound bool) (page, error) {
	x, err := v.policy()
	if err != nil {
		return page{}, err
	}
	if !x.MayWrite {
		return page{}, forbidden(v.who.CanIn(x.Project, blueberry.GrantPoliciesWrite))
	}
	return asking(policiesPath, ask{
		Title: "Change policy " + x.Name, Label: "Change it", What: "The new rules judge every plan from then on. What was applied before stays.", Action: policyPath(x.ID, "edit"),
		Back: policyPath(x.ID), Problem: p, Inputs: []input{rulesInput(typed(v.r.PostForm, "text", x.Text))}, Hidden: map[string]string{"version": fmt.Sprint(x.Version)},
		CLI: "blueberry policy edit " + x.Name + " --file " + x.Name + ".cedar" + x.flags(), Call: "PUT /v1/policies/" + x.ID,
		Body: `{"text": "forbid (principal, action, resource is Image) unless { resource.by_digest };"}`,
	}, policyCheck(sound), option{policiesPath, "Policies"}, option{policyPath(x.ID), x.Name}), nil
}

// flags say to a command whose policy it is.
func (x policyView) flags() string {
	switch {
	case x.Installation:
		return " --installation"
	case x.Project != blueberry.DefaultProject:
		return " --project " + x.Project
	}
	return ""
}

func editPolicy(v *visit) (string, error) {
	x, err := v.policy()
	if err != nil {
		return "", err
	}
	if v.said("do") == "check" {
		return "", v.checkPolicy(sdk.CreatePolicyRequest{Project: x.Project, Installation: x.Installation, Name: x.Name, Text: v.policyText()}, v.editPolicyForm)
	}
	if _, err := v.api.UpdatePolicy(v.ctx, x.ID, sdk.UpdatePolicyRequest{Text: v.policyText()}, v.matching()...); err != nil {
		return "", v.formError(err, func(p *sdk.Problem) (page, error) { return v.editPolicyForm(p, false) })
	}
	return policyPath(x.ID) + "?done=policy-edited", nil
}

func (v *visit) deletePolicyForm(p *sdk.Problem) (page, error) {
	x, err := v.policy()
	if err != nil {
		return page{}, err
	}
	if !x.MayWrite {
		return page{}, forbidden(v.who.CanIn(x.Project, blueberry.GrantPoliciesWrite))
	}
	return asking(policiesPath, ask{
		Title: "Delete policy " + x.Name, Label: "Delete it", Danger: true, What: "What it forbids is allowed from then on. Its rules below are lost; keep them first if they may be needed again.",
		Action: policyPath(x.ID, "delete"), Back: policyPath(x.ID), Problem: p, Hidden: map[string]string{"version": fmt.Sprint(x.Version)},
		CLI: "blueberry policy delete " + x.Name + x.flags(), Call: "DELETE /v1/policies/" + x.ID,
	}, rulesShown(x.Text), option{policiesPath, "Policies"}, option{policyPath(x.ID), x.Name}), nil
}

func deletePolicy(v *visit) (string, error) {
	if err := v.api.DeletePolicy(v.ctx, v.r.PathValue("id"), v.matching()...); err != nil {
		return "", v.formError(err, v.deletePolicyForm)
	}
	return policiesPath + "?done=policy-deleted", nil
}
