package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// asked is a page that is one form.
func asked(title, here string, trail []option, a ask) page {
	return page{Title: title + ": " + a.Title, Here: here, Body: askedBody(title, trail, a)}
}

// formAgain shows a form again with what is wrong with it: also when what it was about changed meanwhile.
func (v *visit) formAgain(err error, form func(*sdk.Problem) (page, error)) error {
	if isStatus(err, http.StatusPreconditionFailed) {
		var p *sdk.Problem
		errors.As(err, &p)
		fresh := *p
		fresh.Detail = "somebody changed it meanwhile. What stands here is what you typed; send it again to have it so"
		return again{&fresh, form}
	}
	return v.formError(err, form)
}

// needs is nil for who holds a grant in a project, else what the API would answer; empty for the installation.
func (v *visit) needs(project string, g blueberry.Grant) error {
	return lacking(v.who.CanIn(project, g))
}

// lacking is the refusal of who lacks a grant, as the API would give it; nil when err is.
func lacking(err error) error {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return err
	}
	status := http.StatusForbidden
	if errors.Is(err, blueberry.NotFound) {
		status = http.StatusNotFound
	}
	return &sdk.Problem{Status: status, Code: e.Code, Detail: e.Detail}
}

// holds reports whether who looks holds a grant on the installation.
func (v *visit) holds(g blueberry.Grant) bool { return v.who.Can(g) == nil }

// projectsWith are the projects in which who looks holds a grant, by name.
func (v *visit) projectsWith(g blueberry.Grant) ([]string, error) {
	all, in := v.who.Where(g)
	if !all {
		return in, nil
	}
	names, err := v.api.ListNames(v.ctx)
	if err == nil && len(names.Projects) == 0 {
		names.Projects = []string{blueberry.DefaultProject}
	}
	return names.Projects, err
}

// following is the address of the page of a list that begins at a cursor of a name; empty behind the last.
func following(at *url.URL, name, cursor string) string {
	if cursor == "" {
		return ""
	}
	q := at.Query()
	for _, x := range []string{"done", "shown", "before", "after", "cursor"} {
		q.Del(x)
	}
	q.Set(name, cursor)
	return at.Path + "?" + q.Encode()
}

// accessPath is an address of parts, each of which may hold anything.
func accessPath(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// withQuery is an address with what is asked for; what is empty is left out.
func withQuery(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// shellWord is a text as one word of a shell, quoted if it has to be.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._-/:=") == "" && !strings.HasPrefix(s, "-") {
		return s
	}
	return shellQuoted(s)
}

// command is a command of a shell: words, then flags with their values. A flag without a value is left out.
func command(words string, flags ...string) string {
	out := "blueberry " + words
	for i := 0; i+1 < len(flags); i += 2 {
		if flags[i+1] != "" {
			out += " --" + flags[i] + " " + shellWord(flags[i+1])
		}
	}
	return out
}

// each gives a flag once for each value.
func flagged(name string, values []string) (out []string) {
	for _, x := range values {
		out = append(out, name, x)
	}
	return out
}

// was is whether a box is set: as it was sent, or as it is.
func (v *visit) was(name string, is bool) bool {
	if v.r.Method == http.MethodPost {
		return v.r.PostForm.Get(name) == "yes"
	}
	return is
}

// entered is what was typed into a field, without what stands around it; or else what it had.
func (v *visit) entered(name, had string) string {
	return strings.TrimSpace(typed(v.r.PostForm, name, had))
}

// wholeNumber reads a number that was typed; empty is 0.
func wholeNumber(field, text string, faults *[]sdk.FieldError) int {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		*faults = append(*faults, sdk.FieldError{Field: field, Code: "type", Message: "must be a whole number"})
	}
	return n
}

// gathered brings faults of the members of a list to the field that they were typed into: "grants[2]" to "grants".
func gathered(p *sdk.Problem, fields ...string) *sdk.Problem {
	if p == nil {
		return nil
	}
	out := *p
	out.Errors = slices.Clone(p.Errors)
	for i, e := range out.Errors {
		name, _, inList := strings.Cut(e.Field, "[")
		if inList && slices.Contains(fields, name) {
			out.Errors[i].Field = name
		}
	}
	return &out
}

var projectRoles = []string{"admin", "maintainer", "developer", "viewer"}

// roleOptions are the roles of a project, with what each is for.
func roleOptions() []option {
	return []option{
		{"viewer", "viewer: reads"},
		{"developer", "developer: makes environments"},
		{"maintainer", "maintainer: also blueprints, config"},
		{"admin", "admin: also members, audit"},
	}
}

// isCode reports whether the API said no by a code.
func isCode(err error, code string) bool {
	var p *sdk.Problem
	return errors.As(err, &p) && p.Code == code
}

// problemOf is what the API said.
func problemOf(err error) *sdk.Problem {
	var p *sdk.Problem
	errors.As(err, &p)
	return p
}
