package console

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// had is what a field of a form of a verb begins with: what was typed, else what the address says, else what it has.
func (v *visit) had(name, has string) string {
	if v.r.PostForm.Has(name) {
		return v.r.PostForm.Get(name)
	}
	if q := v.r.URL.Query(); q.Has(name) {
		return q.Get(name)
	}
	return has
}

// whole reads a field that is a whole number.
func (v *visit) whole(name, of string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(v.r.PostForm.Get(name)))
	if err != nil {
		return 0, faulty([]sdk.FieldError{{Field: name, Code: "type", Message: "must be a number of " + of}})
	}
	return n, nil
}

func askHours(v *visit, _ sdk.Environment, a *ask) error {
	a.Inputs = []input{{Name: "hours", Label: "Hours", Kind: "number", Value: v.had("hours", "24"), Required: true, Hint: "1 to 168. A lease never ends later than 168 hours from now."}}
	a.Body = jsonOf(sdk.ExtendEnvironmentRequest{Hours: 24})
	return nil
}

func extend(v *visit, id string) error {
	hours, err := v.whole("hours", "hours")
	if err == nil {
		_, err = v.api.ExtendEnvironment(v.ctx, id, hours)
	}
	return err
}

// extendLink makes the link, and shows it on the page that answers: it is told this once.
func extendLink(v *visit, id string) error {
	hours, err := v.whole("hours", "hours")
	if err != nil {
		return err
	}
	link, err := v.api.CreateExtendLink(v.ctx, id, hours)
	if err != nil {
		return err
	}
	return again{nil, func(*sdk.Problem) (page, error) {
		e, err := v.environment("")
		if err != nil {
			return page{}, err
		}
		p := e.page("Extend link", page{Body: extendLinkBody(e, link)})
		p.Watch = interest{} // made anew, the page would not have it
		return p, nil
	}}
}

// runningComponents are the components of the revision that an environment should have.
func (v *visit) runningComponents(e sdk.Environment) ([]string, error) {
	r, err := v.api.GetEnvironmentRevision(v.ctx, e.ID, e.Revision)
	if err != nil || r.Blueprint == nil {
		return nil, err
	}
	var names []string
	for _, c := range r.Blueprint.Components {
		names = append(names, c.Name)
	}
	return names, nil
}

func askRestart(v *visit, e sdk.Environment, a *ask) error {
	names, err := v.runningComponents(e)
	if err != nil {
		return err
	}
	component := v.had("component", "")
	a.Inputs = []input{{Name: "component", Label: "Component", Kind: "select", Value: component, Options: append([]option{{"", "All of them"}}, optionsOf(names...)...)}}
	a.Body = jsonOf(sdk.RestartEnvironmentRequest{Component: component})
	if component != "" {
		a.CLI += " --component " + component
	}
	return nil
}

func askScale(v *visit, e sdk.Environment, a *ask) error {
	names, err := v.runningComponents(e)
	if err != nil {
		return err
	}
	r := sdk.ScaleEnvironmentRequest{Component: v.had("component", ""), Replicas: 2}
	if r.Component == "" && len(names) > 0 {
		r.Component = names[0]
	}
	a.Inputs = []input{
		{Name: "component", Label: "Component", Kind: "select", Value: r.Component, Options: optionsOf(names...), Required: true},
		{Name: "replicas", Label: "Pods", Kind: "number", Value: v.had("replicas", ""), Required: true, Hint: "1 to 100. An environment that should run nothing sleeps."},
	}
	if n, err := strconv.Atoi(v.had("replicas", "")); err == nil {
		r.Replicas = n
	}
	a.CLI += fmt.Sprintf(" --component %s --replicas %d", shellQuoted(r.Component), r.Replicas)
	a.Body = jsonOf(r)
	return nil
}

func scale(v *visit, id string) error {
	n, err := v.whole("replicas", "pods")
	if err == nil {
		_, err = v.api.ScaleEnvironment(v.ctx, id, sdk.ScaleEnvironmentRequest{Component: v.r.PostForm.Get("component"), Replicas: n})
	}
	return err
}

func askPin(v *visit, _ sdk.Environment, a *ask) error {
	a.Inputs = []input{
		{Name: "hours", Label: "Hours from now", Kind: "number", Value: v.had("hours", "336"), Required: true, Hint: "336 are two weeks."},
		{Name: "reason", Label: "Why", Value: v.had("reason", ""), Hint: "Stands in the audit, for people."},
	}
	a.CLI += " --for 336h --reason 'the customer tries it'"
	a.Body = jsonOf(sdk.PinEnvironmentRequest{Hours: 336, Reason: "the customer tries it"})
	return nil
}

func pin(v *visit, id string) error {
	hours, err := v.whole("hours", "hours")
	if err == nil {
		_, err = v.api.PinEnvironment(v.ctx, id, sdk.PinEnvironmentRequest{Hours: hours, Reason: strings.TrimSpace(v.r.PostForm.Get("reason"))})
	}
	return err
}

func askAbandon(v *visit, _ sdk.Environment, a *ask) error {
	a.Inputs = []input{{Name: "reason", Label: "Why", Value: v.had("reason", ""), Required: true, Hint: "Stands in the receipt and the audit."}}
	a.CLI += " --reason 'the cluster was deleted'"
	a.Body = jsonOf(sdk.AbandonEnvironmentRequest{Reason: "the cluster was deleted"})
	return nil
}

func askDriftPolicy(v *visit, e sdk.Environment, a *ask) error {
	var rules []string
	for _, r := range e.Drift.Ignore {
		rules = append(rules, ignoreText(r))
	}
	mode := e.Drift.Mode
	if mode == "" {
		mode = "repair"
	}
	a.Inputs = []input{
		{Name: "mode", Label: "What is done", Kind: "select", Value: v.had("mode", mode), Options: []option{{"repair", "Repair: put it back at once"}, {"report", "Report: tell it, and leave it until the next revision"}}},
		{Name: "ignore", Label: "Fields that are left to others", Kind: "area", Code: true, Value: v.had("ignore", strings.Join(rules, "\n")), Hint: "One a line, as Deployment/backend:spec.replicas. Kind and name may be *."},
	}
	a.CLI += " --mode " + mode
	for _, r := range rules {
		a.CLI += " --ignore " + shellQuoted(r)
	}
	a.Body = jsonOf(sdk.DriftPolicy{Mode: mode, Ignore: e.Drift.Ignore})
	return nil
}

func ignoreText(r sdk.DriftIgnore) string { return r.Kind + "/" + r.Name + ":" + r.Path }

func setDriftPolicy(v *visit, id string) error {
	p := sdk.DriftPolicy{Mode: v.r.PostForm.Get("mode")}
	for _, line := range lines(v.r.PostForm.Get("ignore")) {
		object, path, ok := strings.Cut(line, ":")
		kind, name, ok2 := strings.Cut(object, "/")
		if !ok || !ok2 || kind == "" || name == "" || path == "" {
			return faulty([]sdk.FieldError{{Field: "ignore", Code: "format", Message: line + " is not KIND/NAME:PATH"}})
		}
		p.Ignore = append(p.Ignore, sdk.DriftIgnore{Kind: kind, Name: name, Path: path})
	}
	_, err := v.api.SetEnvironmentDriftPolicy(v.ctx, id, p)
	return err
}

func askSleepPolicy(v *visit, e sdk.Environment, a *ask) error {
	p, rule := e.Sleep.Policy, "project"
	switch {
	case e.Sleep.Own && p.Never:
		rule = "never"
	case e.Sleep.Own:
		rule = "own"
	}
	var idle string
	if p.IdleMinutes > 0 {
		idle = number(p.IdleMinutes)
	}
	var windows []string
	for _, w := range p.Windows {
		windows = append(windows, windowText(w))
	}
	a.Inputs = []input{
		{Name: "rule", Label: "It sleeps by itself", Kind: "select", Value: v.had("rule", rule), Options: []option{{"project", "as its project says"}, {"own", "as the fields below say"}, {"never", "never"}}},
		{Name: "idle_minutes", Label: "After so many minutes without use", Kind: "number", Value: v.had("idle_minutes", idle), Hint: "5 to 10080: without a request, a change or a shell. Empty: not for that."},
		{Name: "windows", Label: "In these hours of the week", Kind: "area", Code: true, Value: v.had("windows", strings.Join(windows, "\n")), Placeholder: "mon-fri 19:00-07:00", Hint: "One a line. An end that is not after its begin is of the next day."},
		{Name: "time_zone", Label: "Time zone of these hours", Value: v.had("time_zone", p.TimeZone), Placeholder: "Europe/Zurich", Hint: "Empty: UTC."},
	}
	a.CLI += " --idle 60m --window 'mon-fri 19:00-07:00' --time-zone Europe/Zurich"
	a.Body = jsonOf(sdk.SleepPolicy{IdleMinutes: 60, Windows: []sdk.SleepWindow{{Days: week()[:5], From: "19:00", To: "07:00"}}, TimeZone: "Europe/Zurich"})
	return nil
}

func setSleepPolicy(v *visit, id string) error {
	var p sdk.SleepPolicy
	f := v.r.PostForm
	switch f.Get("rule") {
	case "never":
		p.Never = true
	case "own":
		if strings.TrimSpace(f.Get("idle_minutes")) != "" {
			n, err := v.whole("idle_minutes", "minutes")
			if err != nil {
				return err
			}
			p.IdleMinutes = n
		}
		for _, line := range lines(f.Get("windows")) {
			w, ok := windowOf(line)
			if !ok {
				return faulty([]sdk.FieldError{{Field: "windows", Code: "format", Message: line + " is not days and hours, as mon-fri 19:00-07:00"}})
			}
			p.Windows = append(p.Windows, w)
		}
		p.TimeZone = strings.TrimSpace(f.Get("time_zone"))
		if p.IdleMinutes == 0 && len(p.Windows) == 0 {
			return faulty([]sdk.FieldError{{Field: "idle_minutes", Code: "required", Message: "is needed, or hours of the week"}})
		}
	}
	_, err := v.api.SetEnvironmentSleepPolicy(v.ctx, id, p)
	return err
}

func askReleaseHold(v *visit, _ sdk.Environment, a *ask) error {
	kind, name, value := v.had("kind", ""), v.had("name", ""), v.had("value", "")
	a.Back += "/revisions"
	a.Body = jsonOf(sdk.ReleaseHoldsRequest{Kind: kind, Name: name, Value: value})
	if kind == "" {
		a.CLI += " --all"
		return nil
	}
	a.Title, a.Label = "Release "+inputName(kind, name)+" "+short(value), "Release"
	a.Hidden = map[string]string{"kind": kind, "name": name, "value": value}
	a.CLI += " " + kind + " " + shellQuoted(name)
	if value != "" {
		a.CLI += " " + shellQuoted(value)
	}
	return nil
}

// inputName names an input of a revision: its kind, and which of the kind.
func inputName(kind, name string) string {
	kind = strings.ReplaceAll(kind, "_", " ")
	if name == "" {
		return kind
	}
	return kind + " " + name
}
