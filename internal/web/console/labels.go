package console

import (
	"errors"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// labelsOf reads labels, one a line.
func labelsOf(text string) (map[string]string, []sdk.FieldError) {
	var wrong []string
	out := map[string]string{}
	for _, line := range lines(text) {
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if _, twice := out[key]; !ok || key == "" || twice {
			wrong = append(wrong, line)
			continue
		}
		out[key] = value
	}
	if len(wrong) > 0 {
		return out, []sdk.FieldError{{Field: "labels", Code: "format", Message: strings.Join(wrong, ", ") + " is not key=value with a key of its own"}}
	}
	return out, nil
}

// labelFaults puts what the API says of single labels at the one field that they are typed into.
func labelFaults(err error) error {
	var p *sdk.Problem
	if !errors.As(err, &p) {
		return err
	}
	out := *p
	out.Errors = nil
	var said []string
	for _, e := range p.Errors {
		switch key, one := strings.CutPrefix(e.Field, "labels."); {
		case one:
			said = append(said, key+": "+e.Message)
		case e.Field == "labels":
			said = append(said, e.Message)
		default:
			out.Errors = append(out.Errors, e)
		}
	}
	if len(said) > 0 {
		out.Errors = append(out.Errors, sdk.FieldError{Field: "labels", Code: "labels", Message: strings.Join(said, "; ")})
	}
	return &out
}

// labelPath is the list of those that have a label.
func labelPath(line string) string { return "/environments?" + url.Values{"label": {line}}.Encode() }

const labelHint = "One a line. Words to find it again by; they change nothing of what runs."

func askLabels(v *visit, e sdk.Environment, a *ask) error {
	now := blueberry.Labels(e.Labels).Lines()
	a.Inputs = []input{{Name: "labels", Label: "Labels", Kind: "area", Code: true, Value: v.had("labels", strings.Join(now, "\n")), Placeholder: "team=checkout", Hint: labelHint}}
	if len(now) == 0 {
		e.Labels, now = map[string]string{"team": "checkout"}, []string{"team=checkout"}
	}
	for _, l := range now {
		a.CLI += " " + shellWord(l)
	}
	a.Body = jsonOf(sdk.SetLabelsRequest{Labels: e.Labels})
	return nil
}

func setLabels(v *visit, id string) error {
	labels, faults := labelsOf(v.r.PostForm.Get("labels"))
	if len(faults) > 0 {
		return faulty(faults)
	}
	_, err := v.api.SetEnvironmentLabels(v.ctx, id, labels)
	return labelFaults(err)
}
