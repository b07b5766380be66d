package console

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// limit is one bound of a project beside what is used, for all of its environments or for those of a kind.
type limit struct {
	Field, Name string // "kinds.preview.cpu", "CPU"
	Used, Value string
	Share       int // in percent of the limit; -1 without one
	Fault       string
}

// limitKinds are whom limits are for, by the word of the API.
var limitKinds = []option{{"", "All together"}, {"preview", "Of pull requests"}, {"ephemeral", "With a lease"}, {"standing", "Without a lease"}}

// limitsOf are the five bounds of one kind; empty for all.
func limitsOf(p sdk.Project, kind string) []limit {
	has, used, at := p.Quota.Limits, p.Used, ""
	if kind != "" {
		has, used, at = p.Quota.Kinds[kind], p.UsedByKind[kind], "kinds."+kind+"."
	}
	count := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	out := []limit{
		{Field: at + "environments", Name: "Environments", Used: strconv.FormatInt(used.Environments, 10), Value: count(has.Environments)},
		{Field: at + "cpu", Name: "CPU", Used: cmp.Or(used.CPU, "0"), Value: has.CPU},
		{Field: at + "memory", Name: "Memory", Used: cmp.Or(used.Memory, "0"), Value: has.Memory},
		{Field: at + "pods", Name: "Pods", Used: strconv.FormatInt(used.Pods, 10), Value: count(has.Pods)},
		{Field: at + "storage", Name: "Storage", Used: cmp.Or(used.Storage, "0"), Value: has.Storage},
	}
	for i := range out {
		out[i].Share = percentOf(out[i].Used, out[i].Value)
	}
	return out
}

// percentOf is how much of a limit is used, in percent; -1 without a limit.
func percentOf(used, limit string) int {
	if limit == "" {
		return -1
	}
	u, l := quantity(used), quantity(limit)
	switch {
	case l > 0:
		return int(min(u*100/l, 999))
	case u > 0:
		return 999
	}
	return 100
}

// quotaView is the form of the limits of a project.
type quotaView struct {
	projectView
	Columns   [][]limit // by kind
	Problem   *sdk.Problem
	CLI, Body string
}

func projectQuota(v *visit) (page, error) { return v.quota(nil) }

func (v *visit) quota(problem *sdk.Problem) (page, error) {
	if err := v.needs("", blueberry.GrantProjectsQuota); err != nil {
		return page{}, err
	}
	p, err := v.project("/quota")
	if err != nil {
		return page{}, err
	}
	q := quotaView{projectView: p, Problem: problem}
	for _, kind := range limitKinds {
		column := limitsOf(p.Project, kind.Value)
		for i, l := range column {
			column[i].Value, column[i].Fault = v.entered(l.Field, l.Value), faultOf(problem, l.Field)
		}
		q.Columns = append(q.Columns, column)
	}
	r, _ := v.wantedQuota(q.Columns)
	q.Body, q.CLI = jsonOf(r), quotaCommand(p.Name, q.Columns[0])
	return page{Title: p.Name + ": limits", Here: "/projects", Body: quotaBody(q)}, nil
}

// quotaCommand sets the limits for all kinds together.
func quotaCommand(name string, limits []limit) string {
	var flags, unset []string
	for _, l := range limits {
		if l.Value == "" {
			unset = append(unset, l.Field)
		}
		flags = append(flags, l.Field, l.Value)
	}
	return command("project quota "+shellWord(name), append(flags, "unset", strings.Join(unset, ","))...)
}

func (v *visit) wantedQuota(columns [][]limit) (q sdk.Quota, faults []sdk.FieldError) {
	for i, kind := range limitKinds {
		var l sdk.Limits
		count := func(x limit) *int64 {
			if x.Value == "" {
				return nil
			}
			n, err := strconv.ParseInt(x.Value, 10, 64)
			if err != nil {
				faults = append(faults, sdk.FieldError{Field: x.Field, Code: "type", Message: "must be a whole number, or empty for no limit"})
			}
			return &n
		}
		c := columns[i]
		l.Environments, l.CPU, l.Memory, l.Pods, l.Storage = count(c[0]), c[1].Value, c[2].Value, count(c[3]), c[4].Value
		switch {
		case kind.Value == "":
			q.Limits = l
		case l != sdk.Limits{}:
			if q.Kinds == nil {
				q.Kinds = map[string]sdk.Limits{}
			}
			q.Kinds[kind.Value] = l
		}
	}
	return q, faults
}

func setProjectQuota(v *visit) (string, error) {
	p, _, err := v.projectFor(blueberry.GrantProjectsRead)
	if err != nil {
		return "", err
	}
	var columns [][]limit
	for _, kind := range limitKinds {
		column := limitsOf(p, kind.Value)
		for i, l := range column {
			column[i].Value = v.entered(l.Field, "")
		}
		columns = append(columns, column)
	}
	r, faults := v.wantedQuota(columns)
	if len(faults) > 0 {
		return "", again{faulty(faults), v.quota}
	}
	var options []sdk.CallOption
	if p.Version > 0 {
		options = append(options, sdk.IfMatch(p.Version))
	}
	if _, err := v.api.SetProjectQuota(v.ctx, p.Name, r, options...); err != nil {
		return "", v.formAgain(err, v.quota)
	}
	return accessPath("projects", p.Name, "quota") + "?done=quota-set", nil
}

// limitExample is how an amount is written.
func limitExample(name string) string {
	return map[string]string{"Environments": "20", "CPU": "10 or 1500m", "Memory": "20Gi", "Pods": "40", "Storage": "100Gi"}[name]
}

func limitFault(l limit) templ.Attributes {
	if l.Fault == "" {
		return templ.Attributes{}
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": "fault-" + l.Field}
}
