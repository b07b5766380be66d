package console

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func auditArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantAuditRead) {
				return nil
			}
			return []menuItem{{To: "/audit", Name: "Audit", Icon: "scroll", Group: groupAccess}}
		},
		Pages: map[string]func(*visit) (page, error){"GET /audit": auditList, "GET /audit/{id}": auditEntry, "GET /audit/verification": auditVerification},
	}
}

// auditForm is what of the audit is asked for, as it is typed.
type auditForm struct {
	Actor, Action, Resource, Project, Result, Text, Request string
	Span, From, To                                          string // "24h", or two times of UTC
}

// spans are how far back one looks.
var auditSpans = []option{{"", "Any time"}, {"1h", "Last hour"}, {"24h", "Last day"}, {"168h", "Last week"}, {"720h", "Last 30 days"}}

// typedTime is how a browser gives a time that was picked.
const typedTime = "2006-01-02T15:04"

func (f auditForm) empty() bool {
	f.Result = ""
	return f == auditForm{}
}

// address is the list with this filter and another result.
func (f auditForm) address(result string) string {
	return withQuery("/audit", "actor", f.Actor, "action", f.Action, "resource", f.Resource, "project", f.Project, "result", result, "q", f.Text, "request", f.Request, "span", f.Span, "from", f.From, "to", f.To)
}

// filter is the same for the API.
func (f auditForm) filter(now time.Time) (out sdk.AuditFilter, faults []sdk.FieldError) {
	out = sdk.AuditFilter{Actor: f.Actor, Action: f.Action, Resource: f.Resource, Project: f.Project, Result: f.Result, Search: f.Text, Request: f.Request}
	read := func(field, text string) (at time.Time) {
		if text == "" {
			return at
		}
		at, err := time.Parse(typedTime, text)
		if err != nil {
			if at, err = time.Parse("2006-01-02", text); err != nil {
				faults = append(faults, sdk.FieldError{Field: field, Code: "time", Message: "must be a time, as 2026-11-27T09:30, or a day"})
			}
		}
		return at
	}
	out.From, out.To = read("from", f.From), read("to", f.To)
	if d, err := time.ParseDuration(f.Span); err == nil && out.From.IsZero() && d > 0 {
		out.From = now.Add(-d).Truncate(time.Second)
	}
	return out, faults
}

// call is a part of the API with the filter.
func auditCall(path string, f sdk.AuditFilter) string {
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	return withQuery(path, "actor", f.Actor, "action", f.Action, "resource", f.Resource, "project", f.Project, "result", f.Result, "q", f.Search, "request", f.Request, "from", when(f.From), "to", when(f.To))
}

// flags are those of the commands that take a filter.
func (f auditForm) flags() []string {
	since := f.Span
	if f.From != "" {
		since = f.From + ":00Z"
	}
	until := ""
	if f.To != "" {
		until = f.To + ":00Z"
	}
	return []string{"actor", f.Actor, "action", f.Action, "resource", f.Resource, "project", f.Project, "result", f.Result, "search", f.Text, "request", f.Request, "since", since, "until", until}
}

// auditView is a list of what was done.
type auditView struct {
	Form     auditForm
	Items    []sdk.AuditEntry
	Projects []string
	Actions  []string
	Next     string
	Newest   string // address of the first page; empty on it
	Export   string
	List     string // the same as a call
	All      bool   // sees the whole audit
	Problem  *sdk.Problem
}

// tabs are the results, each with the same filter.
func (x auditView) tabs() []option {
	return []option{{x.Form.address(""), "Everything"}, {x.Form.address("denied"), "Denied"}, {x.Form.address("failed"), "Failed"}}
}

func auditList(v *visit) (page, error) {
	if v.who.CanSomewhere(blueberry.GrantAuditRead) != nil {
		return page{}, v.needs("", blueberry.GrantAuditRead)
	}
	q := v.r.URL.Query()
	get := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	x := auditView{
		Form: auditForm{
			Actor: get("actor"), Action: get("action"), Resource: get("resource"), Project: get("project"), Result: get("result"), Text: get("q"), Request: get("request"), Span: get("span"), From: get("from"), To: get("to"),
		},
		All: v.holds(blueberry.GrantAuditRead), Actions: auditActions(),
	}
	filter, faults := x.Form.filter(v.now)
	filter.Before = q.Get("before")
	if len(faults) > 0 {
		x.Problem = faulty(faults)
	} else {
		list, err := v.api.ListAuditEntries(v.ctx, filter)
		if isStatus(err, 422) {
			x.Problem = problemOf(err)
		} else if err != nil {
			return page{}, err
		}
		x.Items, x.Next = list.Items, following(v.r.URL, "before", list.NextBefore)
	}
	if filter.Before != "" {
		x.Newest = x.Form.address(x.Form.Result)
	}
	x.Export, x.List = auditCall("/v1/audit/export", filter), auditCall("/v1/audit", filter)
	var err error
	if x.Projects, err = v.projectsWith(blueberry.GrantAuditRead); err != nil {
		return page{}, err
	}
	return page{Title: "Audit", Here: "/audit", Body: auditBody(x)}, nil // not live: what is open to be read stays open
}

// auditActions are what can be asked for: the things, and each grant on them.
func auditActions() (out []string) {
	for _, g := range blueberry.Grants() {
		noun, _, _ := strings.Cut(string(g), ":")
		out = append(out, noun+":", string(g))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// auditEntryView is one action.
type auditEntryView struct {
	sdk.AuditEntry
	Of       option // what it was done to; without an address when there is no page of it
	Actor    option
	SeesUser bool
}

func auditEntry(v *visit) (page, error) {
	e, err := v.api.GetAuditEntry(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	x := auditEntryView{AuditEntry: e, Of: option{resourcePath(e), e.Resource}, Actor: option{"", cmp.Or(cmp.Or(e.Actor.Name, e.Actor.ID), "unknown")}}
	if e.Actor.Kind == "user" && v.holds(blueberry.GrantUsersRead) && e.Actor.ID != "" {
		x.Actor.Value = accessPath("users", e.Actor.ID)
	}
	return page{Title: cmp.Or(e.Detail, e.Action), Here: "/audit", Body: auditEntryBody(x)}, nil
}

// resourcePath is the page of what an entry is about; empty when there is none that is known by the id.
func resourcePath(e sdk.AuditEntry) string {
	kind, _, _ := strings.Cut(e.Resource, "_")
	place := map[string]string{
		blueberry.EnvironmentID: "environments", blueberry.UserID: "users", blueberry.ServiceID: "service-accounts", blueberry.ClientID: "oauth-clients", blueberry.RepositoryID: "repositories", blueberry.PullID: "pulls",
	}[kind]
	switch {
	case place != "" && strings.Contains(e.Resource, "_"):
		return accessPath(place, e.Resource)
	case e.Project != "" && e.Resource == e.Project && strings.HasPrefix(e.Action, "projects:"):
		return accessPath("projects", e.Resource)
	}
	return ""
}

// auditChange is one field, as it was and as it became.
type auditChange struct {
	Field         string
	Before, After string
	Had, Has      bool
}

// changes are the fields that an entry tells of, in order. What is no object is one field without a name.
func changes(before, after json.RawMessage) []auditChange {
	was, is := map[string]string{}, map[string]string{}
	flatten(was, "", before)
	flatten(is, "", after)
	fields := slices.Sorted(maps.Keys(was))
	fields = append(fields, slices.Collect(maps.Keys(is))...)
	slices.Sort(fields)
	var out []auditChange
	for _, f := range slices.Compact(fields) {
		c := auditChange{Field: f}
		c.Before, c.Had = was[f]
		c.After, c.Has = is[f]
		out = append(out, c)
	}
	return out
}

// flatten writes the leaves of an object by their paths.
func flatten(to map[string]string, path string, raw json.RawMessage) {
	if len(raw) == 0 || string(raw) == "null" && path == "" {
		return
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) == nil && len(fields) > 0 {
		for name, value := range fields {
			at := name
			if path != "" {
				at = path + "." + name
			}
			flatten(to, at, value)
		}
		return
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		to[path] = cmp.Or(text, `""`)
		return
	}
	var words []string
	if json.Unmarshal(raw, &words) == nil && len(words) > 0 {
		to[path] = strings.Join(words, ", ")
		return
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, raw, "", "  ") != nil {
		to[path] = string(raw)
		return
	}
	to[path] = pretty.String()
}

func auditResult(result string) shape {
	switch result {
	case "denied":
		return bad
	case "failed":
		return warn
	}
	return good
}

// actorKind is what acted, for people.
func actorKind(kind string) string {
	return cmp.Or(map[string]string{"user": "person", "token": "API token", "client": "program", "job": "the platform", "host": "person at the host of a repository"}[kind], kind)
}

// auditProofView is what a verification found.
type auditProofView struct {
	Project  string
	Projects []string
	All      bool
	Found    *sdk.AuditVerification
	Took     time.Duration
}

// auditVerification says how the audit is proven, and has the server do it when it is asked: that changes nothing, so its address can be opened again.
func auditVerification(v *visit) (page, error) {
	if v.who.CanSomewhere(blueberry.GrantAuditRead) != nil {
		return page{}, v.needs("", blueberry.GrantAuditRead)
	}
	q := v.r.URL.Query()
	x := auditProofView{Project: q.Get("project"), All: v.holds(blueberry.GrantAuditRead)}
	var err error
	if x.Projects, err = v.projectsWith(blueberry.GrantAuditRead); err != nil {
		return page{}, err
	}
	if q.Get("verify") == "now" {
		began := time.Now()
		found, err := v.api.VerifyAudit(v.ctx, sdk.AuditFilter{Project: x.Project})
		if err != nil {
			return page{}, err
		}
		x.Found, x.Took = &found, time.Since(began)
	}
	return page{Title: "Verify the audit", Here: "/audit", Body: auditProofBody(x)}, nil
}

// export is the command that exports the same.
func (x auditProofView) export() string {
	return command("audit export", "project", x.Project, "file", "audit.jsonl")
}

// verify is the command that proves it, with what an earlier look told.
func (x auditProofView) verify() string {
	out := "blueberry audit verify audit.jsonl"
	if x.Found == nil || !x.Found.Holds {
		return out
	}
	out += " --key " + x.Found.Report.SignedBy
	if x.Found.Report.Whole {
		out += fmt.Sprintf(" --head %d:%s", x.Found.Report.Head.Seq, x.Found.Report.Head.Hash)
	}
	return out
}

// faultyEntry is where the first entry that does not fit stands; empty when it cannot be named.
func faultyEntry(f *sdk.AuditFault) string {
	if f.ID == "" {
		return ""
	}
	return accessPath("audit", f.ID)
}

// actorFilter is the list of what one actor did.
func actorFilter(e sdk.AuditEntry) string {
	return (&url.URL{Path: "/audit", RawQuery: url.Values{"actor": {cmp.Or(e.Actor.ID, e.Actor.Name)}}.Encode()}).String()
}
