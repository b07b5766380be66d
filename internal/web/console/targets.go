package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

const targetsPath = "/targets"

func targetPath(name string, below ...string) string {
	return strings.Join(append([]string{targetsPath, url.PathEscape(name)}, below...), "/")
}

func targetsArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantTargetsRead) {
				return nil
			}
			return []menuItem{{To: targetsPath, Name: "Targets", Icon: "op-target", Group: groupOperate}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /targets": early(ofInstallation("Targets", targetsPath), targets), "GET /register-target": func(v *visit) (page, error) { return v.registerForm(nil) },
			"GET /targets/{name}": early(ofInstallation("Target", targetsPath), target), "GET /targets/{name}/checks": early(ofInstallation("Checks of a target", targetsPath), targetChecks),
			"GET /targets/{name}/update": func(v *visit) (page, error) { return v.updateTargetForm(nil) },
			"GET /targets/{name}/{verb}": func(v *visit) (page, error) { return v.targetVerbForm(nil) },
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /register-target": registerTarget, "POST /targets/{name}/update": updateTarget, "POST /targets/{name}/{verb}": doTargetVerb,
		},
		Done: map[string]string{
			"target-registered": "The target is registered. These are its checks.", "target-updated": "The target was changed.", "target-cordon": "It takes no new environments now.",
			"target-uncordon": "It takes environments again.", "target-drain": "The drain has begun.", "target-scan": "The scan has begun; what it finds stands under Orphans.", "target-delete": "The target was removed.",
		},
	}
}

// targetsView is the places that hold environments.
type targetsView struct {
	Items    []sdk.Target
	MayWrite bool
}

func targets(v *visit) (page, error) {
	list, err := v.api.ListTargets(v.ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "Targets", Here: targetsPath, Body: targetsBody(targetsView{list.Items, v.may("", blueberry.GrantTargetsWrite)}), Watch: interest{Any: true}}, nil
}

// targetView is one target.
type targetView struct {
	sdk.Target
	MayWrite, MayScan bool
	Checks            *sdk.TargetCheckList // on the page of checks
}

func (v *visit) target() (targetView, error) {
	t, err := v.api.GetTarget(v.ctx, v.r.PathValue("name"))
	return targetView{Target: t, MayWrite: v.may("", blueberry.GrantTargetsWrite), MayScan: v.may("", blueberry.GrantOrphansRead)}, err
}

func target(v *visit) (page, error) {
	t, err := v.target()
	if err != nil {
		return page{}, err
	}
	return page{Title: t.Name, Here: targetsPath, Body: targetBody(t), Watch: interest{Any: true}}, nil
}

// targetChecks looks at what a target needs. It is not live: each look asks the cluster for every right.
func targetChecks(v *visit) (page, error) {
	t, err := v.target()
	if err != nil {
		return page{}, err
	}
	checks, err := v.api.ListTargetChecks(v.ctx, t.Name)
	if err != nil {
		return page{}, err
	}
	t.Checks = &checks
	return page{Title: t.Name + " checks", Here: targetsPath, Body: targetChecksBody(t)}, nil
}

// targetFields are the fields of a target, as the API names them, with what it has.
func (v *visit) targetFields(t *sdk.Target) []input {
	typedOr := func(name, had string) string { return typed(v.r.PostForm, name, had) }
	has := sdk.Target{Driver: "kube"}
	kubeHint := "With the credential in it. It is kept encrypted and never shown again. Empty: the server's own service account, in its own cluster."
	argoHint := "Only for Argo CD in another cluster than the target."
	if t != nil {
		has = *t
		kubeHint, argoHint = "Empty leaves the one that is kept, if there is one. It is never shown.", "Empty leaves the one that is kept, if there is one."
	}
	capacity := has.Capacity
	if t != nil && !has.CapacitySet {
		capacity = sdk.Demand{}
	}
	pods := ""
	if capacity.Pods > 0 {
		pods = fmt.Sprint(capacity.Pods)
	}
	fields := []input{
		{
			Name: "driver", Label: "Driver", Kind: "select", Value: typedOr("driver", has.Driver), Hint: "kube applies by itself; argocd leaves it to an Argo CD; sim only plays.",
			Options: optionsOf("kube", "argocd", "sim"),
		},
		{Name: "domain", Label: "Domain", Value: typedOr("domain", has.Domain), Placeholder: "apps.example.com", Required: true, Hint: "Hosts of its environments end in it."},
		{Name: "kubeconfig", Label: "Kubeconfig", Kind: "area", Code: true, Rows: 6, Hint: kubeHint},
		{Name: "context", Label: "Context", Value: typedOr("context", has.Context), Hint: "Of the kubeconfig; empty for its current one."},
		{Name: "argo.namespace", Label: "Namespace of Argo CD", Value: typedOr("argo.namespace", has.Argo.Namespace), Hint: "Only for the driver argocd, as the three below. Empty: argocd."},
		{Name: "argo.repository", Label: "Repository as Argo CD sees it", Value: typedOr("argo.repository", has.Argo.Repository), Hint: "Empty: the server's own address."},
		{Name: "argo.destination", Label: "Cluster as Argo CD sees it", Value: typedOr("argo.destination", has.Argo.Destination), Hint: "Empty: the cluster that it runs in."},
		{Name: "argo.kubeconfig", Label: "Kubeconfig of the cluster of Argo CD", Kind: "area", Code: true, Rows: 3, Hint: argoHint},
		{Name: "gateway", Label: "Gateway", Value: typedOr("gateway", has.Gateway), Placeholder: "http://10.0.0.5:80", Hint: "The address of its ingress, that the wake gateway passes requests on to."},
	}
	if t != nil && t.Configured {
		fields = nil // the server's configuration says these anew at each start
	}
	return append(fields,
		input{Name: "region", Label: "Region", Value: typedOr("region", has.Region), Placeholder: "europe-west6", Hint: "Where it is, for prices."},
		input{Name: "capacity.cpu", Label: "Cores", Value: typedOr("capacity.cpu", capacity.CPU), Placeholder: "16", Hint: "That its environments may use together. Empty, as all below: what the target says itself."},
		input{Name: "capacity.memory", Label: "Memory", Value: typedOr("capacity.memory", capacity.Memory), Placeholder: "64Gi"},
		input{Name: "capacity.pods", Label: "Pods", Kind: "number", Value: typedOr("capacity.pods", pods), Placeholder: "220"},
		input{Name: "capacity.storage", Label: "Storage", Value: typedOr("capacity.storage", capacity.Storage), Placeholder: "500Gi"},
	)
}

// capacitySaid is the capacity that was typed; nil for none.
func (v *visit) capacitySaid(faults *[]sdk.FieldError) *sdk.Capacity {
	c := sdk.Capacity{
		CPU: v.said("capacity.cpu"), Memory: v.said("capacity.memory"), Storage: v.said("capacity.storage"), Pods: int64(wholeNumber("capacity.pods", v.said("capacity.pods"), faults)),
	}
	if c == (sdk.Capacity{}) {
		return nil
	}
	return &c
}

func (v *visit) registerForm(p *sdk.Problem) (page, error) {
	if err := v.who.Can(blueberry.GrantTargetsWrite); err != nil {
		return page{}, forbidden(err)
	}
	name := input{Name: "name", Label: "Name", Value: typed(v.r.PostForm, "name", ""), Required: true, Hint: "Lower-case letters, digits and dashes."}
	return asking(targetsPath, ask{
		Title: "Register a target", Label: "Register it", Action: "/register-target", Back: targetsPath, Problem: p, Inputs: append([]input{name}, v.targetFields(nil)...),
		What: "A place that can hold environments. What it lacks is found right after, and stops nothing.",
		CLI:  "blueberry target add eu --kubeconfig eu.yaml --domain apps.example.com", Call: "POST /v1/targets", Body: `{"name": "eu", "driver": "kube", "domain": "apps.example.com"}`,
	}, nil, option{targetsPath, "Targets"}), nil
}

func registerTarget(v *visit) (string, error) {
	var faults []sdk.FieldError
	r := sdk.RegisterTargetRequest{
		Name: v.said("name"), Driver: v.said("driver"), Domain: v.said("domain"), Region: v.said("region"), Kubeconfig: v.r.PostForm.Get("kubeconfig"), Context: v.said("context"),
		Gateway: v.said("gateway"), Capacity: v.capacitySaid(&faults), Argo: v.argoSaid(sdk.TargetArgo{}),
	}
	if len(faults) > 0 {
		return "", again{faulty(faults), v.registerForm}
	}
	t, err := v.api.RegisterTarget(v.ctx, r)
	if err != nil {
		return "", v.formError(err, v.registerForm)
	}
	return targetPath(t.Target.Name, "checks") + "?done=target-registered", nil
}

// argoSaid is what was typed about an Argo CD that is not what the target has; nil for nothing.
func (v *visit) argoSaid(has sdk.TargetArgo) *sdk.ArgoRequest {
	a := sdk.ArgoRequest{Namespace: v.another("argo.namespace", has.Namespace), Repository: v.another("argo.repository", has.Repository), Destination: v.another("argo.destination", has.Destination)}
	if x := v.r.PostForm.Get("argo.kubeconfig"); strings.TrimSpace(x) != "" {
		a.Kubeconfig = &x
	}
	if a == (sdk.ArgoRequest{}) {
		return nil
	}
	return &a
}

func (v *visit) updateTargetForm(p *sdk.Problem) (page, error) {
	if err := v.who.Can(blueberry.GrantTargetsWrite); err != nil {
		return page{}, forbidden(err)
	}
	t, err := v.target()
	if err != nil {
		return page{}, err
	}
	fields := v.targetFields(&t.Target)
	if t.CapacitySet {
		fields = append(fields, input{Name: "forget_capacity", Label: "Let the target say itself what it holds", Kind: "check", Value: typed(v.r.PostForm, "forget_capacity", "")})
	}
	what := "Another driver takes over every environment without touching what runs. Another domain counts from the next revision of each environment on."
	if t.Configured {
		what = "The configuration of the server says its driver, domain and address anew at each start: change them there."
	}
	return asking(targetsPath, ask{
		Title: "Change target " + t.Name, Label: "Change it", What: what, Action: targetPath(t.Name, "update"), Back: targetPath(t.Name), Problem: p, Inputs: fields,
		Hidden: map[string]string{"version": fmt.Sprint(t.Version)},
		CLI:    "blueberry target update " + t.Name + " --region europe-west6", Call: "PATCH /v1/targets/" + t.Name, Body: `{"region": "europe-west6"}`,
	}, nil, option{targetsPath, "Targets"}, option{targetPath(t.Name), t.Name}), nil
}

func updateTarget(v *visit) (string, error) {
	t, err := v.target()
	if err != nil {
		return "", err
	}
	var faults []sdk.FieldError
	r := sdk.UpdateTargetRequest{
		Driver: v.another("driver", t.Driver), Domain: v.another("domain", t.Domain), Region: v.another("region", t.Region), Context: v.another("context", t.Context),
		Gateway: v.another("gateway", t.Gateway), Argo: v.argoSaid(t.Argo), ForgetCapacity: v.said("forget_capacity") == "yes",
	}
	if x := v.r.PostForm.Get("kubeconfig"); strings.TrimSpace(x) != "" {
		r.Kubeconfig = &x
	}
	if r.Capacity = v.capacitySaid(&faults); r.ForgetCapacity || r.Capacity == nil || t.CapacitySet && sdk.Demand(*r.Capacity) == t.Capacity {
		r.Capacity = nil
	}
	if len(faults) > 0 {
		return "", again{faulty(faults), v.updateTargetForm}
	}
	if _, err := v.api.UpdateTarget(v.ctx, t.Name, r, v.matching()...); err != nil {
		return "", v.formError(err, v.updateTargetForm)
	}
	return targetPath(t.Name) + "?done=target-updated", nil
}

// targetVerbForm asks whether to do something with a target.
func (v *visit) targetVerbForm(p *sdk.Problem) (page, error) {
	word := v.r.PathValue("verb")
	t, err := v.target()
	if err != nil {
		return page{}, err
	}
	a := ask{Action: targetPath(t.Name, word), Back: targetPath(t.Name), Problem: p, Call: "POST /v1/targets/" + t.Name + "/" + word, CLI: "blueberry target " + word + " " + t.Name}
	reason := input{Name: "reason", Label: "Reason", Value: typed(v.r.PostForm, "reason", ""), Required: true, Placeholder: "its nodes are replaced", Hint: "People see it when they ask for an environment there."}
	grant, more := blueberry.GrantTargetsWrite, templ.Component(nil)
	switch word {
	case "cordon":
		a.Title, a.Label, a.What = "Cordon "+t.Name, "Cordon it", "It takes no new environments; those that are there live on."
		a.Inputs, a.Body = []input{reason}, `{"reason": "its nodes are replaced"}`
		a.CLI += ` --reason "its nodes are replaced"`
	case "uncordon":
		a.Title, a.Label, a.What = "Uncordon "+t.Name, "Uncordon it", "It takes environments again. A drain that goes on ends."
	case "drain":
		a.Title, a.Label, a.Danger, a.Inputs, a.Body = "Drain "+t.Name, "Drain it", true, []input{reason}, `{"reason": "the cluster is given up"}`
		a.What = "It takes no new environments, and the environments below that have a lease are removed, with their data. Within a day each can be brought back on another target from its archive."
		a.CLI += ` --reason "the cluster is given up"`
		if v.may("", grant) {
			plan, err := v.api.DrainTarget(v.ctx, t.Name, sdk.DrainTargetRequest{Plan: true})
			if err != nil {
				return page{}, err
			}
			more = drainPlan(plan)
		}
	case "scan":
		grant = blueberry.GrantOrphansRead
		a.Title, a.Label, a.What = "Scan "+t.Name, "Scan it", "Looks for what is on it and in no record, and the reverse. Nothing is removed."
	case "delete":
		a.Title, a.Label, a.Danger, a.Call, a.CLI = "Remove target "+t.Name, "Remove it", true, "DELETE /v1/targets/"+t.Name, "blueberry target remove "+t.Name
		a.What = "The platform forgets it, with its kubeconfig. Nothing on it is touched."
		a.Hidden, more = map[string]string{"version": fmt.Sprint(t.Version)}, deleteBlocks(t.Target)
	default:
		return page{}, nothingThere()
	}
	if err := v.who.Can(grant); err != nil {
		return page{}, forbidden(err)
	}
	return asking(targetsPath, a, more, option{targetsPath, "Targets"}, option{targetPath(t.Name), t.Name}), nil
}

func doTargetVerb(v *visit) (string, error) {
	name, word, reason := v.r.PathValue("name"), v.r.PathValue("verb"), v.said("reason")
	to := targetPath(name)
	var err error
	switch word {
	case "cordon":
		_, err = v.api.CordonTarget(v.ctx, name, sdk.CordonTargetRequest{Reason: reason})
	case "uncordon":
		_, err = v.api.UncordonTarget(v.ctx, name)
	case "drain":
		_, err = v.api.DrainTarget(v.ctx, name, sdk.DrainTargetRequest{Reason: reason})
	case "scan":
		err, to = v.api.ScanTarget(v.ctx, name), "/orphans?target="+url.QueryEscape(name)+"&done=target-scan"
		if err == nil {
			return to, nil
		}
	case "delete":
		err, to = v.api.DeleteTarget(v.ctx, name, v.matching()...), targetsPath
	default:
		err = nothingThere()
	}
	if err != nil {
		return "", v.formError(err, v.targetVerbForm)
	}
	return to + "?done=target-" + word, nil
}

func nothingThere() error {
	return &sdk.Problem{Status: http.StatusNotFound, Code: "ROUTE_NOT_FOUND", Detail: "there is nothing at this path"}
}

// forbidden is the refusal of a rule, as the API tells it.
func forbidden(err error) error {
	p := &sdk.Problem{Status: http.StatusForbidden, Code: "FORBIDDEN", Detail: "you lack the right to do this"}
	var e *blueberry.Error
	if errors.As(err, &e) {
		p.Code, p.Detail = e.Code, e.Detail
	}
	return p
}

func shapeOfTarget(t sdk.Target) (shape, string) {
	switch {
	case !t.Reachable:
		return bad, "cannot be reached"
	case t.State == "active":
		return good, "active"
	}
	return warn, t.State
}

// sharesOf is what the environments of a target use of it.
func sharesOf(t sdk.Target) []share {
	podsOf := ""
	if t.Capacity.Pods > 0 {
		podsOf = fmt.Sprint(t.Capacity.Pods)
	}
	return []share{
		shareOf("Cores", t.Used.CPU, t.Capacity.CPU), shareOf("Memory", t.Used.Memory, t.Capacity.Memory),
		shareOf("Pods", fmt.Sprint(t.Used.Pods), podsOf), shareOf("Storage", t.Used.Storage, t.Capacity.Storage),
	}
}

// missing are the checks that did not go well: needed ones first.
func missing(list []sdk.TargetCheck) (needed, optional []sdk.TargetCheck) {
	for _, c := range list {
		switch {
		case c.OK:
		case c.Optional:
			optional = append(optional, c)
		default:
			needed = append(needed, c)
		}
	}
	return needed, optional
}

// manifestOf is all that would grant what is missing, as one file.
func manifestOf(list []sdk.TargetCheck) string {
	var out []string
	for _, c := range list {
		if m := strings.TrimSpace(c.Manifest); !c.OK && m != "" {
			out = append(out, m)
		}
	}
	return strings.Join(out, "\n---\n")
}

// passed are the checks that went well.
func passed(list []sdk.TargetCheck) (out []sdk.TargetCheck) {
	for _, c := range list {
		if c.OK {
			out = append(out, c)
		}
	}
	return out
}
