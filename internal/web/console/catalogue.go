package console

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// What pages of blueprints and of config sets have in common: to whom they belong, their versions, documents that are edited, and who uses them.

const (
	cataloguePage = 25 // of a list; for each of them is asked who uses it
	usersShown    = 50
	everyProject  = "every project" // what belongs to none
)

// mayOn reports whether who looks may do something to a thing of a project, or to one that belongs to none.
func (v *visit) mayOn(project string, g blueberry.Grant) bool { return v.who.CanIn(project, g) == nil }

// catalogueQuery is what a list of the catalogue was asked for.
type catalogueQuery struct {
	Path     string
	Filter   sdk.CatalogueFilter
	Projects []string
	Filtered bool
}

// catalogueQuery reads the query of a list of the catalogue. A list is of one project, and of what belongs to none.
func (v *visit) catalogueQuery(path string, read blueberry.Grant) (catalogueQuery, error) {
	q := v.r.URL.Query()
	out := catalogueQuery{Path: path, Filter: sdk.CatalogueFilter{Project: q.Get("project"), Scope: q.Get("scope"), Search: q.Get("q"), Cursor: q.Get("cursor"), Limit: cataloguePage}}
	var err error
	if out.Projects, err = v.projectsWith(read); err != nil {
		return out, err
	}
	out.Filtered = out.Filter.Search != "" || out.Filter.Scope != ""
	switch {
	case out.Filter.Scope == "global":
		out.Filter.Project = ""
	case out.Filter.Project == "" && len(out.Projects) > 0:
		out.Filter.Project = out.Projects[0]
		if slices.Contains(out.Projects, blueberry.DefaultProject) {
			out.Filter.Project = blueberry.DefaultProject
		}
	}
	return out, nil
}

// onward is the address of the next page of a list.
func (q catalogueQuery) onward(cursor string) string {
	if cursor == "" {
		return ""
	}
	out := url.Values{"cursor": {cursor}}
	for name, value := range map[string]string{"project": q.Filter.Project, "scope": q.Filter.Scope, "q": q.Filter.Search} {
		if value != "" {
			out.Set(name, value)
		}
	}
	return q.Path + "?" + out.Encode()
}

// ownerOf says to whom a thing of the catalogue belongs.
func ownerOf(project string) string {
	if project == "" {
		return everyProject
	}
	return project
}

// refOf is how a thing of the catalogue is named; number 0 means whatever is newest.
func refOf(project, name string, number int) string {
	if project == "" {
		name = "global/" + name
	}
	if number > 0 {
		name += "@" + strconv.Itoa(number)
	}
	return name
}

// projectFlag is how a command is told the project of a thing of the catalogue, whose name says when there is none.
func projectFlag(project string) string {
	if project == "" || project == blueberry.DefaultProject {
		return ""
	}
	return " --project " + project
}

// uses are the environments that use a thing of the catalogue, as far as a page shows them.
type uses struct {
	sdk.EnvironmentUseList
	Latest int
}

// Count is all of them, also those that may not be seen.
func (u uses) Count() int { return len(u.Items) + u.Hidden }

// Shown are the first of them.
func (u uses) Shown() []sdk.EnvironmentUse { return u.Items[:min(len(u.Items), usersShown)] }

// first are those that a page of something else shows.
func (u uses) first() []sdk.EnvironmentUse { return u.Items[:min(len(u.Items), 6)] }

// text tells how many there are.
func (u uses) text() string {
	switch u.Count() {
	case 0:
		return "none"
	case 1:
		return "1 environment"
	}
	return number(u.Count()) + " environments"
}

// rest says what more there is than what is shown.
func (u uses) rest() string {
	var out []string
	if n := len(u.Items) - usersShown; n > 0 {
		out = append(out, number(n)+" more")
	}
	if u.Hidden > 0 {
		out = append(out, number(u.Hidden)+" in projects that you may not read")
	}
	return strings.Join(out, ", and ")
}

// versionLine is a version in a list of them.
type versionLine struct {
	Number       int
	Author       string
	Message      string
	Source       sdk.Source
	RestoredFrom int
	CreatedAt    time.Time
}

// documentFault is something that is wrong with a document, and where; line 0 is nowhere in particular.
type documentFault struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Field   string `json:"field"`
	Message string `json:"message"`
	Warning bool   `json:"warning,omitempty"`
}

// inDocument is how a fault says where it is.
var inDocument = regexp.MustCompile(` ?\(line (\d+), column (\d+)\)$`)

// documentFaultOf reads where a fault is.
func documentFaultOf(e sdk.FieldError) documentFault {
	field := e.Field
	for _, p := range []string{"content", "blueprint"} {
		if field == p {
			field = ""
		}
		field = strings.TrimPrefix(field, p+".")
	}
	f := documentFault{Field: field, Message: e.Message}
	if m := inDocument.FindStringSubmatch(e.Message); m != nil {
		f.Line, _ = strconv.Atoi(m[1]) // digits only; a number that is too large is no line
		f.Column, _ = strconv.Atoi(m[2])
		f.Message = strings.TrimSuffix(e.Message, m[0])
	}
	f.Message = sentence(f.Message)
	return f
}

// documentFaults parts what is wrong into what stands in the document, and what else there is: fields of the form.
func documentFaults(p *sdk.Problem) (in []documentFault, other []sdk.FieldError) {
	if p == nil {
		return nil, nil
	}
	for _, e := range p.Errors {
		if f := documentFaultOf(e); f.Line > 0 || e.Field == "content" || strings.HasPrefix(e.Field, "content.") {
			in = append(in, f)
		} else {
			other = append(other, e)
		}
	}
	return in, other
}

// editor is a document that is edited.
type editor struct {
	Kind    string // "blueprint" or "values"
	Label   string
	Value   string
	Hint    string
	Parts   []string // names of components that values are likely to be of
	Check   string   // where a script asks what is wrong; empty for nowhere
	Faults  []documentFault
	Missing string // what is wrong as a whole
}

// faultsJSON is what is wrong, for the script.
func (e editor) faultsJSON() string {
	if len(e.Faults) == 0 {
		return ""
	}
	b, err := json.Marshal(e.Faults)
	if err != nil {
		return ""
	}
	return string(b)
}

// schemas are the addresses of what says which keys there are.
func (e editor) schemas() string {
	return asset("blueprint.schema.json") + " " + asset("web-service.schema.json")
}

// linesIn is how many rows a text area has for a document.
func linesIn(text string) string { return strconv.Itoa(min(max(strings.Count(text, "\n")+3, 16), 36)) }

// versionAsked reads the number of a version from a query or a form; 0 when it has none.
func versionAsked(q url.Values, name string) (int, error) {
	text := q.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, faulty([]sdk.FieldError{{Field: name, Code: "type", Message: "must be the number of a version"}})
	}
	return n, nil
}

// ifVersion has a write refused when the thing has changed since the form was shown.
func ifVersion(form url.Values) []sdk.CallOption {
	if n, err := strconv.ParseInt(form.Get("version"), 10, 64); err == nil && n > 0 {
		return []sdk.CallOption{sdk.IfMatch(n)}
	}
	return nil
}

// patternsOf are patterns as people type them, one a line. It is not nil: what was emptied is empty.
func patternsOf(text string) []string {
	return append([]string{}, words(text)...)
}

// answerJSON answers a question of a script.
func (v *visit) answerJSON(value any) error {
	v.w.Header().Set("Content-Type", "application/json")
	v.w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(v.w).Encode(value); err != nil {
		v.Logger.DebugContext(v.ctx, "answer was not written whole", "error", err)
	}
	return nil
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// parts are the names of components, in one text.
func (e editor) parts() string { return strings.Join(e.Parts, " ") }

// faultsBeside are the faults that neither the document nor a field of the form shows.
func faultsBeside(p *sdk.Problem, shown ...string) (out []sdk.FieldError) {
	_, other := documentFaults(p)
	for _, e := range other {
		if !slices.Contains(shown, e.Field) {
			out = append(out, e)
		}
	}
	return out
}

// sentenceStart begins with a capital.
func sentenceStart(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func usesVerb(n int) string {
	if n == 1 {
		return "uses"
	}
	return "use"
}

// ownerInput asks to whom a thing of the catalogue is to belong.
func ownerInput(projects []string, common bool, chosen, hint string) input {
	i := input{Name: "project", Label: "Belongs to", Kind: "select", Value: chosen, Options: optionsOf(projects...), Hint: hint}
	if common {
		i.Options = append(i.Options, option{everyProject, everyProject})
	}
	if i.Value == "" && slices.Contains(projects, blueberry.DefaultProject) {
		i.Value = blueberry.DefaultProject
	}
	return i
}
