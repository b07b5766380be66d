package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// maxBulk is how many environments one form may name: the most that a page of a list has.
const maxBulk = 500

// bulkLine is one environment that was chosen.
type bulkLine struct {
	ID      string
	Found   sdk.Environment // zero when it cannot be read
	Objects int             // that would go
	Why     string          // it cannot be done; empty when it can
	Problem *sdk.Problem    // what came of doing it; nil for done
}

// name is what a line calls its environment.
func (l bulkLine) name() string {
	if l.Found.Name == "" {
		return l.ID
	}
	return l.Found.Name
}

// bulkView asks whether to do something with several environments.
type bulkView struct {
	Verb        verb
	Can, Cannot []bulkLine
	Objects     int // of all that can
	Hours       string
	Typed       string // number that was typed
	Problem     *sdk.Problem
}

func (b bulkView) inputs() (out []input) {
	if b.Verb.hours() {
		out = append(out, input{Name: "hours", Label: "Hours", Kind: "number", Value: b.Hours, Required: true})
	}
	if b.Verb.Danger {
		out = append(out, input{
			Name: "count", Label: fmt.Sprintf("Type %d, the number of environments that go", len(b.Can)), Kind: "number", Value: b.Typed, Required: true,
		})
	}
	return out
}

// command is the same for a shell.
func (b bulkView) command() string {
	command := fmt.Sprintf(b.Verb.command, `"$id"`)
	if b.Verb.Danger {
		command += " --yes"
	}
	return b.loop(strings.ReplaceAll(command, "24h", hoursOr(b.Hours)+"h"))
}

// curl is the same as calls of the API.
func (b bulkView) curl() string {
	method, path, _ := strings.Cut(b.Verb.call, " ")
	body := ""
	if b.Verb.hours() {
		body = `{"hours": ` + hoursOr(b.Hours) + `}`
	}
	return b.loop(curlOf(method+" /v1/environments/$id"+path, body))
}

func (b bulkView) loop(command string) string {
	return "for id in " + strings.Join(listOf(b.Can, func(l bulkLine) string { return shellWord(l.ID) }), " ") + "; do " + command + "; done"
}

// hoursOr is a number of hours, or that of a day.
func hoursOr(s string) string {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return strconv.Itoa(n)
	}
	return "24"
}

// hours reports whether a verb asks for hours.
func (x verb) hours() bool { return x.Name == "extend" }

// inBulk reports whether a verb can be done with several environments at once: one that need not ask of each what is to become of it.
func (x verb) inBulk() bool {
	return slices.Contains([]string{"extend", "sleep", "wake", "refresh", "redeploy", "restart", "destroy"}, x.Name)
}

// bulkVerb is the verb that a form names.
func bulkVerb(name string) (verb, error) {
	all := verbs()
	i := slices.IndexFunc(all, func(x verb) bool { return x.Name == name && x.inBulk() })
	if i < 0 {
		return verb{}, &sdk.Problem{Status: http.StatusUnprocessableEntity, Code: "VERB_UNKNOWN", Detail: "there is no verb of this name for environments"}
	}
	return all[i], nil
}

func confirmBulk(v *visit) (page, error) {
	q := v.r.URL.Query()
	return v.askBulk(q.Get("verb"), q["id"], nil)
}

func (v *visit) askBulk(name string, ids []string, problem *sdk.Problem) (page, error) {
	x, err := bulkVerb(name)
	if err != nil {
		return page{}, err
	}
	b := bulkView{Verb: x, Hours: typed(v.r.PostForm, "hours", "24"), Typed: v.r.PostForm.Get("count"), Problem: problem}
	if ids = distinct(ids); len(ids) > maxBulk {
		return page{}, &sdk.Problem{Status: http.StatusUnprocessableEntity, Code: "TOO_MANY", Detail: fmt.Sprintf("at most %d environments can be named at once", maxBulk)}
	}
	for _, id := range ids {
		l, err := v.bulkLine(x, id)
		if err != nil {
			return page{}, err
		}
		if l.Why != "" {
			b.Cannot = append(b.Cannot, l)
			continue
		}
		b.Can = append(b.Can, l)
		b.Objects += l.Objects
	}
	return page{Title: x.Label + " several", Here: "/environments", Body: bulkBody(b)}, nil
}

func distinct(ids []string) (out []string) {
	for _, id := range ids {
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// bulkLine reads one environment, and says whether the verb can be done with it.
func (v *visit) bulkLine(x verb, id string) (bulkLine, error) {
	l := bulkLine{ID: id}
	e, err := v.api.GetEnvironment(v.ctx, id)
	switch {
	case isStatus(err, http.StatusNotFound) || isStatus(err, http.StatusForbidden):
		l.Why = "there is none with this id that you may see"
		return l, nil
	case err != nil:
		return l, err
	}
	l.Found = e
	switch {
	case !v.may(e.Project, x.Grant):
		l.Why = fmt.Sprintf("you may not do it in the project %s", e.Project)
	case !x.fits(e):
		l.Why = "it is " + string(e.Phase)
	case x.Danger:
		list, err := v.api.ListEnvironmentObjects(v.ctx, id)
		if err != nil {
			return l, err
		}
		for _, o := range list.Items {
			if o.GoneAt.IsZero() {
				l.Objects++
			}
		}
	}
	return l, nil
}

// doBulk does it with each environment in turn, and writes what came of it as it comes: what goes wrong with one leaves the others alone. It works without a
// script, because the page is simply not at its end before all is done.
func doBulk(v *visit) error {
	if err := v.r.ParseForm(); err != nil {
		return &sdk.Problem{Status: http.StatusBadRequest, Code: "FORM_UNREADABLE", Detail: "the form cannot be read"}
	}
	form := v.r.PostForm
	x, err := bulkVerb(form.Get("verb"))
	if err != nil {
		return err
	}
	ids := distinct(form["id"])
	if problem := bulkFaults(x, len(ids), form.Get("hours"), form.Get("count")); problem != nil {
		p, err := v.askBulk(x.Name, ids, problem)
		if err != nil {
			return err
		}
		v.write(problem.Status, frameOf(v, p))
		return nil
	}
	return v.stream(x, ids)
}

// bulkFaults is what is wrong with the form; nil for nothing.
func bulkFaults(x verb, n int, hours, count string) *sdk.Problem {
	p := &sdk.Problem{Status: http.StatusUnprocessableEntity, Code: "VALIDATION_FAILED"}
	if n == 0 {
		p.Errors = append(p.Errors, sdk.FieldError{Field: "id", Code: "required", Message: "no environment was chosen"})
	}
	if n > maxBulk {
		p.Errors = append(p.Errors, sdk.FieldError{Field: "id", Code: "too_many", Message: fmt.Sprintf("at most %d environments can be named at once", maxBulk)})
	}
	if h, err := strconv.Atoi(strings.TrimSpace(hours)); x.hours() && (err != nil || h < 1) {
		p.Errors = append(p.Errors, sdk.FieldError{Field: "hours", Code: "type", Message: "must be a number of hours"})
	}
	if x.Danger && strings.TrimSpace(count) != strconv.Itoa(n) {
		p.Errors = append(p.Errors, sdk.FieldError{Field: "count", Code: "mismatch", Message: fmt.Sprintf("must be %d, the number of environments that go", n)})
	}
	if len(p.Errors) == 0 {
		return nil
	}
	p.Detail = fmt.Sprintf("%d field(s) are not valid", len(p.Errors))
	return p
}

// bulkMark stands in the page where the lines come.
const bulkMark = "<!--bulk-->"

// stream writes the page up to its lines, each line when it is known, and the rest.
func (v *visit) stream(x verb, ids []string) error {
	var whole strings.Builder
	if err := frameOf(v, page{Title: x.Label + " several", Here: "/environments", Body: bulkProgress(x, len(ids))}).Render(v.ctx, &whole); err != nil {
		return err
	}
	head, tail, _ := strings.Cut(whole.String(), bulkMark)
	control := http.NewResponseController(v.w)
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Set("X-Accel-Buffering", "no")
	_, _ = v.w.Write([]byte(head))
	_ = control.Flush()
	var done []bulkLine
	for i, id := range ids {
		if v.ctx.Err() != nil {
			return nil //nolint:nilerr // the reader is gone: what was not begun is left as it is
		}
		l, err := v.bulkLine(x, id)
		if err == nil && l.Why == "" {
			err = x.do(v, id)
		}
		if err != nil {
			l.Problem = v.bulkProblem(err)
		}
		if err == nil && l.Why == "" {
			done = append(done, l)
		}
		_ = bulkOutcome(x, l, i+1, len(ids)).Render(v.ctx, v.w)
		_ = control.Flush()
	}
	end, after, _ := strings.Cut(tail, bulkMark)
	_, _ = v.w.Write([]byte(end))
	_ = bulkEnd(x, done, len(ids)).Render(v.ctx, v.w)
	_, _ = v.w.Write([]byte(after))
	return nil
}

// bulkProblem is what went wrong, for people; what nobody foresaw is told in the log alone.
func (v *visit) bulkProblem(err error) *sdk.Problem {
	var p *sdk.Problem
	if errors.As(err, &p) {
		return p
	}
	v.Logger.ErrorContext(v.ctx, "part of a bulk verb failed", "error", err)
	return &sdk.Problem{Status: http.StatusInternalServerError, Code: "INTERNAL", Detail: "something went wrong; the log of the server says what"}
}

// undoes is the verb that takes another one back; empty for none.
func undoes(name string) string {
	return map[string]string{"sleep": "wake", "wake": "sleep"}[name]
}
