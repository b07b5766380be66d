package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// verb is something that one can do with an environment. It has the name that the API and the CLI give it.
type verb struct {
	Name, Label string
	Grant       blueberry.Grant
	What        string // it does, for people
	Danger      bool
	More        bool // stands behind "More", not beside the others
	Aside       bool // is offered beside what it is about, not with the others
	Done        string
	in          []sdk.Phase                                     // in which it can be done; empty for all but the ends
	when        func(e sdk.Environment) bool                    // it makes sense; nil for always
	fill        func(v *visit, e sdk.Environment, a *ask) error // adds what the form asks for; nil for nothing
	do          func(v *visit, id string) error
	call        string // of the API, below the environment
	command     string // of the CLI, with %s for the id
}

func (x verb) fits(e sdk.Environment) bool {
	switch {
	case x.when != nil && !x.when(e):
		return false
	case len(x.in) > 0:
		return slices.Contains(x.in, e.Phase)
	}
	return e.Phase != sdk.Terminated && e.Phase != sdk.Terminating
}

// awake are the phases in which something runs, or should.
var awake = []sdk.Phase{sdk.Pending, sdk.Provisioning, sdk.Ready, sdk.Degraded, sdk.Updating, sdk.Failed}

// verbs are all of them, in the order in which they are offered.
func verbs() []verb {
	return []verb{
		{
			Name: "wake", Label: "Wake", Grant: blueberry.GrantEnvironmentsOperate, What: "Its pods start again, with the data that they had. Who opens its address wakes it as well.",
			Done: "It wakes up.", in: []sdk.Phase{sdk.Sleeping}, call: "POST /wake", command: "blueberry env wake %s",
			do: func(v *visit, id string) error { _, err := v.api.WakeEnvironment(v.ctx, id); return err },
		},
		{
			Name: "extend", Label: "Extend", Grant: blueberry.GrantEnvironmentsExtend, What: "Adds hours to what is left of its lease.", when: func(e sdk.Environment) bool { return !e.ExpiresAt.IsZero() }, Done: "Its lease is longer now.",
			call: "POST /extend", command: "blueberry env extend %s --by 24h", fill: askHours, do: extend,
		},
		{
			Name: "refresh", Label: "Refresh", More: true, Grant: blueberry.GrantEnvironmentsUpdate, What: "Takes the newest commit of its branch, and the newest versions of the config sets that it follows. Nothing happens when there are none.",
			Done: "The newest commit and versions were taken.", in: awake, call: "POST /refresh", command: "blueberry env refresh %s",
			do: func(v *visit, id string) error { _, err := v.api.RefreshEnvironment(v.ctx, id); return err },
		},
		{
			Name: "redeploy", Label: "Redeploy", More: true, Grant: blueberry.GrantEnvironmentsOperate, What: "Applies the revision that it has once more, and has what failed tried again.",
			Done: "It is being applied again.", in: awake, call: "POST /redeploy", command: "blueberry env redeploy %s",
			do: func(v *visit, id string) error { _, err := v.api.RedeployEnvironment(v.ctx, id); return err },
		},
		{
			Name: "sleep", Label: "Sleep", Grant: blueberry.GrantEnvironmentsOperate, What: "No pod runs any more; data and addresses stay. Who opens its address wakes it.", Done: "It falls asleep.",
			in: awake, call: "POST /sleep", command: "blueberry env sleep %s",
			do: func(v *visit, id string) error { _, err := v.api.SleepEnvironment(v.ctx, id); return err },
		},
		{
			Name: "restart", Label: "Restart", More: true, Grant: blueberry.GrantEnvironmentsOperate, What: "Pods are replaced by new ones, as a rolling change.", Done: "Its pods are being replaced.",
			in: awake, call: "POST /restart", command: "blueberry env restart %s", fill: askRestart,
			do: func(v *visit, id string) error {
				_, err := v.api.RestartEnvironment(v.ctx, id, sdk.RestartEnvironmentRequest{Component: v.r.PostForm.Get("component")})
				return err
			},
		},
		{
			Name: "scale", Label: "Scale", More: true, Grant: blueberry.GrantEnvironmentsOperate, What: "Makes a new revision in which a component runs so many pods.", Done: "The new number of pods was asked for.",
			in: awake, call: "POST /scale", command: "blueberry env scale %s", fill: askScale, do: scale,
		},
		{
			Name: "pin", Label: "Pin", More: true, Grant: blueberry.GrantEnvironmentsExtend, What: "Keeps it for longer than a lease can last. Its project says for how long at most.", Done: "It is pinned.",
			when: func(e sdk.Environment) bool { return !e.ExpiresAt.IsZero() }, call: "POST /pin", command: "blueberry env pin %s", fill: askPin, do: pin,
		},
		{
			Name: "unpin", Label: "Unpin", More: true, Grant: blueberry.GrantEnvironmentsExtend, What: "It then ends no later than a lease that is asked for now could.", Done: "It is not pinned any more.",
			when: func(e sdk.Environment) bool { return e.Lease.PinnedBy != "" }, call: "DELETE /pin", command: "blueberry env unpin %s",
			do: func(v *visit, id string) error { _, err := v.api.UnpinEnvironment(v.ctx, id); return err },
		},
		{
			Name: "extend-link", Label: "Extend link", More: true, Grant: blueberry.GrantEnvironmentsExtend,
			What: "Makes a link that extends the lease once, for whoever opens it first, without signing in. It is shown this one time.",
			when: func(e sdk.Environment) bool { return !e.ExpiresAt.IsZero() }, call: "POST /extend-links", command: "blueberry env extend %s --by 24h --link", fill: askHours, do: extendLink,
		},
		{
			Name: "sleep-policy", Label: "Sleep policy", More: true, Grant: blueberry.GrantEnvironmentsOperate, What: "Says when it sleeps by itself. What is set here takes the place of the whole policy.",
			Done: "The sleep policy is set.", call: "PUT /sleep-policy", command: "blueberry env sleep-policy %s", fill: askSleepPolicy, do: setSleepPolicy,
		},
		{
			Name: "labels", Label: "Labels", More: true, Grant: blueberry.GrantEnvironmentsOperate, What: "Says by which words it is found again. What is typed here takes the place of all labels.",
			Done: "The labels are set.", call: "PUT /labels", command: "blueberry env label %s", fill: askLabels, do: setLabels,
		},
		{
			Name: "drift-policy", Label: "Drift policy", More: true, Grant: blueberry.GrantEnvironmentsUpdate, What: "Says what is done about what another hand alters on the target.",
			Done: "The drift policy is set.", call: "PUT /drift-policy", command: "blueberry env drift-policy %s", fill: askDriftPolicy, do: setDriftPolicy,
		},
		{
			Name: "release-hold", Label: "Release holds", Aside: true, Grant: blueberry.GrantEnvironmentsUpdate,
			What: "Lets what a rollback took away come back. If the environment follows it, that may happen at once.", Done: "It was released.",
			call: "POST /holds/release", command: "blueberry env release-hold %s", fill: askReleaseHold,
			do: func(v *visit, id string) error {
				f := v.r.PostForm
				_, err := v.api.ReleaseEnvironmentHolds(v.ctx, id, sdk.ReleaseHoldsRequest{Kind: f.Get("kind"), Name: f.Get("name"), Value: f.Get("value")})
				return err
			},
		},
		{
			Name: "abandon", Label: "Abandon", Grant: blueberry.GrantTargetsWrite, Danger: true, in: []sdk.Phase{sdk.Terminating},
			What: "Ends a removal that cannot end by itself because the cluster is gone for good. What is not proven gone may stay there for ever; the receipt names it. This cannot be undone.",
			Done: "The removal was given up. The receipt says what may be left.", call: "POST /abandon", command: "blueberry env abandon %s", fill: askAbandon,
			do: func(v *visit, id string) error {
				_, err := v.api.AbandonEnvironment(v.ctx, id, strings.TrimSpace(v.r.PostForm.Get("reason")))
				return err
			},
		},
		{
			Name: "destroy", Label: "Destroy", Grant: blueberry.GrantEnvironmentsDelete, Danger: true,
			What: "Everything that was made for it is removed. The data of its volumes is gone for good. What it was made of is kept: for 24 hours after its end it can be brought back, without that data. A receipt tells of each object when it was proven gone.", Done: "It is being removed.",
			call: "DELETE", command: "blueberry env destroy %s",
			do: func(v *visit, id string) error { _, err := v.api.DestroyEnvironment(v.ctx, id); return err },
		},
	}
}

// ask is the form that does it with an environment.
func (x verb) ask(v *visit, e sdk.Environment, problem *sdk.Problem) (ask, error) {
	method, path, _ := strings.Cut(x.call, " ")
	a := ask{
		Title: x.Label + " " + e.Name, Label: x.Label, What: x.What, Action: environmentPath(e.ID, x.Name), Back: environmentPath(e.ID), Danger: x.Danger, Problem: problem,
		CLI: fmt.Sprintf(x.command, e.ID), Call: method + " /v1/environments/" + e.ID + path,
	}
	if x.fill == nil {
		return a, nil
	}
	err := x.fill(v, e, &a)
	return a, err
}

func (v *visit) verb() (verb, error) {
	all := verbs()
	i := slices.IndexFunc(all, func(x verb) bool { return x.Name == v.r.PathValue("verb") })
	if i < 0 {
		return verb{}, &sdk.Problem{Status: http.StatusNotFound, Code: "ROUTE_NOT_FOUND", Detail: "there is nothing at this path"}
	}
	return all[i], nil
}

// verbView asks whether to do it.
type verbView struct {
	environmentView
	Verb    verb
	Ask     ask
	Objects int
}

func confirmVerb(v *visit) (page, error) {
	x, err := v.verb()
	if err != nil {
		return page{}, err
	}
	return v.askVerb(x, nil)
}

func (v *visit) askVerb(x verb, problem *sdk.Problem) (page, error) {
	e, err := v.environment("")
	if err != nil {
		return page{}, err
	}
	view := verbView{environmentView: e, Verb: x}
	if view.Ask, err = x.ask(v, e.Environment, problem); err != nil {
		return page{}, err
	}
	if x.Danger {
		list, err := v.api.ListEnvironmentObjects(v.ctx, e.ID)
		if err != nil {
			return page{}, err
		}
		for _, o := range list.Items {
			if o.GoneAt.IsZero() {
				view.Objects++
			}
		}
	}
	p := e.page(x.Label, page{Body: verbBody(view)})
	p.Watch = interest{}
	return p, nil
}

// doVerb does it, or shows the form again with what is wrong with it.
func doVerb(v *visit) (string, error) {
	x, err := v.verb()
	if err != nil {
		return "", err
	}
	id := v.r.PathValue("id")
	if err = x.do(v, id); err != nil {
		return "", v.formError(err, func(problem *sdk.Problem) (page, error) { return v.askVerb(x, problem) })
	}
	return environmentPath(id) + "?done=" + x.Name, nil
}

// doneText tells what the last form did, by the word in the address.
func doneText(word string) string {
	for _, a := range areas() {
		if text := a.Done[word]; text != "" {
			return text
		}
	}
	return ""
}

// faultOf is what is wrong with a field.
func faultOf(p *sdk.Problem, field string) string {
	if p == nil {
		return ""
	}
	for _, e := range p.Errors {
		if e.Field == field {
			return sentence(e.Message)
		}
	}
	return ""
}
