package console

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// reviewView is who has what.
type reviewView struct {
	sdk.AccessReview
	Tabs     []option
	Filter   reviewFilter
	Projects []string
}

type reviewFilter struct {
	Project, Text, Days string
	Unused              bool
}

// days is after how many days without use something counts as unused; 0 means as the server has it.
func (f reviewFilter) days() int {
	n, err := strconv.Atoi(f.Days)
	if err != nil {
		return 0
	}
	return n
}

// query is the filter as an address has it.
func (f reviewFilter) query(path string) string {
	return withQuery(path, "project", f.Project, "q", f.Text, "days", f.Days, "unused", checked(f.Unused))
}

// call is the filter as the API has it, which does not choose by text.
func (f reviewFilter) call() string {
	return withQuery("/v1/access-review", "project", f.Project, "unused_days", f.Days)
}

func (f reviewFilter) command() string {
	out := command("access review", "project", f.Project, "unused-days", f.Days)
	if f.Unused {
		out += " --unused"
	}
	return out
}

func (v *visit) reviewed() (r sdk.AccessReview, f reviewFilter, err error) {
	q := v.r.URL.Query()
	f = reviewFilter{Project: q.Get("project"), Text: strings.TrimSpace(q.Get("q")), Days: strings.TrimSpace(q.Get("days")), Unused: q.Get("unused") == "yes"}
	if r, err = v.api.GetAccessReview(v.ctx, sdk.ReviewFilter{Project: f.Project, UnusedDays: f.days()}); err != nil {
		return r, f, err
	}
	leaves := func(unused bool, texts ...string) bool {
		return f.Unused && !unused || !strings.Contains(strings.ToLower(strings.Join(texts, "\n")), strings.ToLower(f.Text))
	}
	r.Users = slices.DeleteFunc(r.Users, func(u sdk.UserReview) bool { return leaves(u.Unused, u.User.Email, u.User.Name, holdingsText(u.Roles)) })
	r.ServiceAccounts = slices.DeleteFunc(r.ServiceAccounts, func(s sdk.ServiceAccountReview) bool {
		return leaves(s.Unused, s.ServiceAccount.Project+"/"+s.ServiceAccount.Name, s.ServiceAccount.Role)
	})
	r.APITokens = slices.DeleteFunc(r.APITokens, func(t sdk.APITokenReview) bool {
		return leaves(t.Unused, t.Of, t.Token.Name, strings.Join(t.Token.Grants, " "))
	})
	r.OAuthClients = slices.DeleteFunc(r.OAuthClients, func(c sdk.OAuthClientReview) bool {
		return leaves(c.Unused, c.Client.Name, strings.Join(c.Client.Grants, " "))
	})
	return r, f, nil
}

func accessReview(v *visit) (page, error) {
	r, f, err := v.reviewed()
	if err != nil {
		return page{}, err
	}
	x := reviewView{AccessReview: r, Filter: f, Tabs: v.rolesTabs()}
	if x.Projects, err = v.projectsWith(blueberry.GrantProjectsRead); err != nil {
		return page{}, err
	}
	return page{Title: "Who has what", Here: "/roles", Body: reviewBody(x)}, nil // each look is noted in the audit, so it is not live
}

func holdingText(h sdk.Holding) string {
	return h.Role + " in " + cmp.Or(h.Project, "the installation")
}

func holdingsText(all []sdk.Holding) string {
	texts := make([]string, len(all))
	for i, h := range all {
		texts[i] = holdingText(h) + " by " + h.By
	}
	return strings.Join(texts, "; ")
}

// accessReviewCSV gives the same for a spreadsheet, one line for each who has something.
func accessReviewCSV(v *visit) error {
	r, f, err := v.reviewed()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	rows := [][]string{{"kind", "id", "who", "state", "holds", "projects", "last_used_at", "unused"}}
	for _, u := range r.Users {
		rows = append(rows, []string{"user", u.User.ID, u.User.Email, u.User.Status, holdingsText(u.Roles), "", when(u.User.LastSeenAt), yesOrNo(u.Unused)})
	}
	for _, s := range r.ServiceAccounts {
		state := "enabled"
		if s.ServiceAccount.Disabled {
			state = "disabled"
		}
		rows = append(rows, []string{"service_account", s.ServiceAccount.ID, s.ServiceAccount.Project + "/" + s.ServiceAccount.Name, state, s.ServiceAccount.Role, s.ServiceAccount.Project, when(s.LastUsedAt), yesOrNo(s.Unused)})
	}
	for _, t := range r.APITokens {
		rows = append(rows, []string{"api_token", t.Token.ID, t.Of + " " + t.Token.Name, "", strings.Join(t.Token.Grants, " "), strings.Join(t.Token.Projects, " "), when(t.Token.LastUsedAt), yesOrNo(t.Unused)})
	}
	for _, c := range r.OAuthClients {
		rows = append(rows, []string{"oauth_client", c.Client.ID, c.Client.Name, "", strings.Join(c.Client.Grants, " "), strings.Join(c.Client.Projects, " "), when(c.Client.LastUsedAt), yesOrNo(c.Unused)})
	}
	for _, row := range rows {
		for i, x := range row {
			row[i] = noFormula(x)
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+strings.Trim("access-review-"+f.Project, "-")+`.csv"`)
	_, err = v.w.Write(out.Bytes())
	if err != nil {
		v.Logger.DebugContext(v.ctx, "review was not written whole", "error", err)
	}
	return nil
}

// noFormula keeps a spreadsheet from taking a text of somebody for a formula.
func noFormula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
