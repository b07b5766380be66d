package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/sdk"
)

// input is one field of a form. Its fault is looked up by its name in what the API said.
type input struct {
	Name, Label string
	Kind        string // of an input element, or "number", "area", "select", "check"; empty for text
	Value       string // for a "check": "yes" for one that is set
	Hint        string // shown when there is no fault
	Placeholder string
	Required    bool
	Focus       bool     // what is typed goes there first
	Code        bool     // is shown in letters of one width
	Rows        int      // of an "area"
	Complete    string   // what a browser may fill in: "current-password", "one-time-code"; empty for nothing, and a new one for a password
	Options     []option // of a "select"
	Fault       string   // beside what the problem of the form says; empty for none
}

// option is a value that can be chosen.
type option struct{ Value, Name string }

// optionsOf are values whose names are the same.
func optionsOf(values ...string) (out []option) {
	for _, x := range values {
		out = append(out, option{x, x})
	}
	return out
}

// ask is a form that says what it does before it is sent. Every one of them is an operation of the API with the same name.
type ask struct {
	Title   string // "Add a target"
	What    string // it does, for people; for what destroys also what is lost
	Action  string // path that the form is sent to
	Label   string // of the button; the title when empty
	Back    string // path to return to
	Danger  bool
	Hidden  map[string]string
	Inputs  []input
	Problem *sdk.Problem // what is wrong with what was typed; nil for nothing
	CLI     string       // the same as a command
	Call    string       // the same as a call: "POST /v1/targets", "DELETE /v1/targets/t1"
	Body    string       // of the call, as JSON; empty for none
}

// curlOf is a call of the API for a shell: "POST /v1/targets" with a body of JSON.
func curlOf(call, body string) string {
	method, path, _ := strings.Cut(call, " ")
	out := "curl"
	if method != http.MethodGet {
		out += " -X " + method
	}
	out += ` -H "Authorization: Bearer $BLUEBERRY_TOKEN"`
	if body != "" {
		out += ` -H 'Content-Type: application/json' -d ` + shellQuoted(body)
	}
	return out + ` "$BLUEBERRY_URL` + path + `"`
}

// shellQuoted is a text as one word of a shell.
func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// faultFor is what is wrong with a field of a form.
func faultFor(i input, p *sdk.Problem) string {
	if i.Fault != "" {
		return sentence(i.Fault)
	}
	return faultOf(p, i.Name)
}

// others are the faults that no field of the form shows.
func (a ask) others() (out []sdk.FieldError) {
	if a.Problem == nil {
		return nil
	}
	shown := map[string]bool{}
	for _, i := range a.Inputs {
		shown[i.Name] = true
	}
	for _, e := range a.Problem.Errors {
		if !shown[e.Field] {
			out = append(out, e)
		}
	}
	return out
}

// typed gives back what was typed into a field, or else what it had.
func typed(form url.Values, name, had string) string {
	if form.Has(name) {
		return form.Get(name)
	}
	return had
}

// kindOf is the type of an input element. A number is a text of digits: what a browser takes for none it would not send, so nobody could say what is wrong with it.
func kindOf(i input) string {
	if i.Kind == "" || i.Kind == "number" {
		return "text"
	}
	return i.Kind
}

func modeOf(i input) string {
	if i.Kind == "number" {
		return "numeric"
	}
	return ""
}

func completionOf(i input) string {
	if i.Complete != "" {
		return i.Complete
	}
	if i.Kind == "password" {
		return "new-password"
	}
	return "off"
}

func labelOf(a ask) string {
	if a.Label == "" {
		return a.Title
	}
	return a.Label
}

// describedBy ties a field to what stands below it.
func describedBy(i input, p *sdk.Problem) templ.Attributes {
	switch {
	case faultFor(i, p) != "":
		return templ.Attributes{"aria-invalid": "true", "aria-describedby": "fault-" + i.Name, "autofocus": true} // browsers take the first one
	case i.Focus && p == nil && i.Hint != "":
		return templ.Attributes{"aria-describedby": "hint-" + i.Name, "autofocus": true}
	case i.Focus && p == nil:
		return templ.Attributes{"autofocus": true}
	case i.Hint != "":
		return templ.Attributes{"aria-describedby": "hint-" + i.Name}
	}
	return templ.Attributes{}
}

// jsonOf is the body of a call, to be shown.
func jsonOf(body any) string {
	b, err := json.Marshal(body)
	if err != nil {
		return ""
	}
	return string(b)
}
