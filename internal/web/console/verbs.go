package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
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
	Hours       bool // asks for hours
	Done        string
	in          []sdk.Phase // in which it can be done; empty for all but the ends
	do          func(v *visit, id string) error
	call        string // of the API, below the environment
	command     string // of the CLI, with %s for the id
}

func (x verb) fits(e sdk.Environment) bool {
	if len(x.in) > 0 {
		return slices.Contains(x.in, e.Phase)
	}
	return e.Phase != sdk.Terminated && e.Phase != sdk.Terminating
}

// awake are the phases in which something runs, or should.
var awake = []sdk.Phase{sdk.Pending, sdk.Provisioning, sdk.Ready, sdk.Degraded, sdk.Updating, sdk.Failed}

var verbs = []verb{
	{
		Name: "wake", Label: "Wake", Grant: blueberry.GrantEnvironmentsOperate, What: "Its pods start again, with the data that they had. Who opens its address wakes it as well.",
		Done: "It wakes up.", in: []sdk.Phase{sdk.Sleeping}, call: "POST /wake", command: "blueberry env wake %s",
		do: func(v *visit, id string) error { _, err := v.api.WakeEnvironment(v.ctx, id); return err },
	},
	{
		Name: "extend", Label: "Extend", Grant: blueberry.GrantEnvironmentsExtend, What: "Adds hours to what is left of its lease.", Hours: true, Done: "Its lease is longer now.",
		call: "POST /extend", command: "blueberry env extend %s --ttl 24h", do: extend,
	},
	{
		Name: "refresh", Label: "Refresh", Grant: blueberry.GrantEnvironmentsUpdate, What: "Takes the newest commit of its branch, and the newest versions of the config sets that it follows. Nothing happens when there are none.",
		Done: "The newest commit and versions were taken.", in: awake, call: "POST /refresh", command: "blueberry env refresh %s",
		do: func(v *visit, id string) error { _, err := v.api.RefreshEnvironment(v.ctx, id); return err },
	},
	{
		Name: "redeploy", Label: "Redeploy", Grant: blueberry.GrantEnvironmentsOperate, What: "Applies the revision that it has once more, and has what failed tried again.",
		Done: "It is being applied again.", in: awake, call: "POST /redeploy", command: "blueberry env redeploy %s",
		do: func(v *visit, id string) error { _, err := v.api.RedeployEnvironment(v.ctx, id); return err },
	},
	{
		Name: "restart", Label: "Restart", Grant: blueberry.GrantEnvironmentsOperate, What: "Every pod is replaced by a new one, as a rolling change.", Done: "Its pods are being replaced.",
		in: awake, call: "POST /restart", command: "blueberry env restart %s",
		do: func(v *visit, id string) error {
			_, err := v.api.RestartEnvironment(v.ctx, id, sdk.RestartEnvironmentRequest{})
			return err
		},
	},
	{
		Name: "sleep", Label: "Sleep", Grant: blueberry.GrantEnvironmentsOperate, What: "No pod runs any more; data and addresses stay. Who opens its address wakes it.", Done: "It falls asleep.",
		in: awake, call: "POST /sleep", command: "blueberry env sleep %s",
		do: func(v *visit, id string) error { _, err := v.api.SleepEnvironment(v.ctx, id); return err },
	},
	{
		Name: "destroy", Label: "Destroy", Grant: blueberry.GrantEnvironmentsDelete, Danger: true,
		What: "Everything that was made for it is removed, with its data. A receipt tells of each object when it was proven gone. This cannot be undone.", Done: "It is being removed.",
		call: "DELETE", command: "blueberry env destroy %s",
		do: func(v *visit, id string) error { _, err := v.api.DestroyEnvironment(v.ctx, id); return err },
	},
}

func extend(v *visit, id string) error {
	hours, err := strconv.Atoi(strings.TrimSpace(v.r.PostForm.Get("hours")))
	if err != nil {
		return &sdk.Problem{
			Status: http.StatusUnprocessableEntity, Code: "VALIDATION_FAILED", Detail: "1 field is not valid",
			Errors: []sdk.FieldError{{Field: "hours", Code: "type", Message: "must be a number of hours"}},
		}
	}
	_, err = v.api.ExtendEnvironment(v.ctx, id, hours)
	return err
}

// ask is the form that does it with an environment.
func (x verb) ask(e sdk.Environment, hours string, problem *sdk.Problem) ask {
	method, path, _ := strings.Cut(x.call, " ")
	a := ask{
		Title: x.Label + " " + e.Name, Label: x.Label, What: x.What, Action: environmentPath(e.ID, x.Name), Back: environmentPath(e.ID), Danger: x.Danger, Problem: problem,
		CLI: fmt.Sprintf(x.command, e.ID), Call: method + " /v1/environments/" + e.ID + path,
	}
	if x.Hours {
		a.Inputs = []input{{Name: "hours", Label: "Hours", Kind: "number", Value: hours, Required: true}}
		a.Body = `{"hours": 24}`
	}
	return a
}

func (v *visit) verb() (verb, error) {
	i := slices.IndexFunc(verbs, func(x verb) bool { return x.Name == v.r.PathValue("verb") })
	if i < 0 {
		return verb{}, &sdk.Problem{Status: http.StatusNotFound, Code: "ROUTE_NOT_FOUND", Detail: "there is nothing at this path"}
	}
	return verbs[i], nil
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
	view := verbView{environmentView: e, Verb: x, Ask: x.ask(e.Environment, typed(v.r.PostForm, "hours", "24"), problem)}
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
	err = x.do(v, id)
	var p *sdk.Problem
	if errors.As(err, &p) && p.Status == http.StatusUnprocessableEntity {
		return "", again{p, func(problem *sdk.Problem) (page, error) { return v.askVerb(x, problem) }}
	}
	if err != nil {
		return "", err
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
