package console

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	retentionPath = "/retention"
	archivesPath  = "/archives"
	orphansPath   = "/orphans"
)

func archivePath(id string, below ...string) string {
	return strings.Join(append([]string{archivesPath, url.PathEscape(id)}, below...), "/")
}

func orphanPath(id string, below ...string) string {
	return strings.Join(append([]string{orphansPath, url.PathEscape(id)}, below...), "/")
}

func retentionArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			to, name := firstTab(v.keepTabs()), "Archives"
			if to == "" {
				return nil
			}
			if v.may("", blueberry.GrantOrphansRead) {
				name = "Archives and orphans"
			}
			return []menuItem{{To: to, Name: name, Icon: "op-archive", Group: groupOperate}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /retention": retention, "GET /archives": archives, "GET /archives/{id}": archive, "GET /archives/{id}/undo": func(v *visit) (page, error) { return v.undoForm(nil) },
			"GET /orphans": orphans, "GET /orphans/{id}": orphan, "GET /orphans/{id}/approve": func(v *visit) (page, error) { return v.approveOrphanForm(nil) },
		},
		Posts: map[string]func(*visit) (string, error){"POST /archives/{id}/undo": undoArchive, "POST /orphans/{id}/approve": approveOrphan},
		Done: map[string]string{
			"archive-undone": "It is being brought back.", "orphan-approved": "Its removal has begun.",
		},
	}
}

// keepTabs are the pages of this part that who looks may see.
func (v *visit) keepTabs() (out []option) {
	for _, t := range []struct {
		option
		grant blueberry.Grant
	}{
		{option{archivesPath, "Archives"}, blueberry.GrantEnvironmentsRead},
		{option{orphansPath, "Orphans"}, blueberry.GrantOrphansRead},
		{option{retentionPath, "Retention"}, blueberry.GrantRetentionRead},
	} {
		if v.may("", t.grant) {
			out = append(out, t.option)
		}
	}
	return out
}

// keepHere is the place in the menu that pages of this part belong to.
func (v *visit) keepHere() string { return firstTab(v.keepTabs()) }

func retention(v *visit) (page, error) {
	list, err := v.api.ListRetentionRules(v.ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "Retention", Here: v.keepHere(), Body: retentionBody(list.Items, v.keepTabs()), Watch: interest{Any: true}}, nil
}

// archivesView is what is kept of environments.
type archivesView struct {
	Filter sdk.ArchiveFilter
	Items  []sdk.Archive
	Next   string
	Tabs   []option
}

func archives(v *visit) (page, error) {
	q := v.r.URL.Query()
	l := archivesView{Tabs: v.keepTabs(), Filter: sdk.ArchiveFilter{
		Project: strings.TrimSpace(q.Get("project")), Environment: strings.TrimSpace(q.Get("environment")), State: q.Get("state"), Before: q.Get("before"), Limit: 50,
	}}
	list, err := v.api.ListArchives(v.ctx, l.Filter)
	if err != nil {
		return page{}, err
	}
	l.Items, l.Next = list.Items, following(v.r.URL, "before", list.NextBefore)
	return page{Title: "Archives", Here: v.keepHere(), Body: archivesBody(l), Watch: interest{Any: true}}, nil
}

// archiveView is what is kept of one environment.
type archiveView struct {
	sdk.Archive
	MayUndo bool
}

func (v *visit) archive() (archiveView, error) {
	a, err := v.api.GetArchive(v.ctx, v.r.PathValue("id"))
	view := archiveView{Archive: a}
	view.MayUndo = a.State == "terminated" && a.RestoredAs == "" && v.now.Before(a.UndoUntil) && v.may(a.Project, blueberry.GrantEnvironmentsCreate)
	return view, err
}

func archive(v *visit) (page, error) {
	a, err := v.archive()
	if err != nil {
		return page{}, err
	}
	return page{Title: "Archive of " + a.Environment, Here: v.keepHere(), Body: archiveBody(a), Watch: interest{Any: true}}, nil
}

// filePath is where the API gives a file of an archive.
func filePath(archive, name string) string {
	return "/v1/archives/" + url.PathEscape(archive) + "/files/" + url.PathEscape(name)
}

func (v *visit) undoForm(p *sdk.Problem) (page, error) {
	a, err := v.archive()
	if err != nil {
		return page{}, err
	}
	form := v.r.PostForm
	return asking(v.keepHere(), ask{
		Title: "Bring back " + a.Environment, Label: "Bring it back", Action: archivePath(a.EnvironmentID, "undo"), Back: archivePath(a.EnvironmentID), Problem: p,
		What: "An environment is made of the same revision. Its data is gone: what its volumes held does not come back.",
		Inputs: []input{
			{Name: "name", Label: "Name", Value: typed(form, "name", ""), Placeholder: a.Environment, Hint: "Empty: the one that it had."},
			{Name: "target", Label: "Target", Value: typed(form, "target", ""), Placeholder: a.Target, Hint: "Empty: the one that ran it."},
			{Name: "ttl_hours", Label: "Lease in hours", Kind: "number", Value: typed(form, "ttl_hours", ""), Placeholder: "24", Hint: "Empty: what its blueprint says, else 24."},
		},
		CLI: "blueberry env undo " + a.EnvironmentID, Call: "POST /v1/archives/" + a.EnvironmentID + "/undo", Body: `{"ttl_hours": 24}`,
	}, nil, option{archivesPath, "Archives"}, option{archivePath(a.EnvironmentID), a.Environment}), nil
}

func undoArchive(v *visit) (string, error) {
	var faults []sdk.FieldError
	r := sdk.UndoRequest{Name: v.said("name"), Target: v.said("target")}
	if hours := v.said("ttl_hours"); hours != "" {
		n := wholeNumber("ttl_hours", hours, &faults)
		r.TTLHours = &n
	}
	if len(faults) > 0 {
		return "", again{faulty(faults), v.undoForm}
	}
	e, err := v.api.UndoArchive(v.ctx, v.r.PathValue("id"), r)
	if err != nil {
		return "", v.formError(err, v.undoForm)
	}
	return environmentPath(e.ID) + "?done=archive-undone", nil
}

// orphansView is what scans found.
type orphansView struct {
	Filter  sdk.OrphanFilter
	Items   []sdk.Orphan
	Targets []string
	Next    string
	Tabs    []option
}

func orphans(v *visit) (page, error) {
	q := v.r.URL.Query()
	l := orphansView{Tabs: v.keepTabs(), Filter: sdk.OrphanFilter{Target: q.Get("target"), Kind: q.Get("kind"), After: q.Get("after"), Limit: 50}}
	list, err := v.api.ListOrphans(v.ctx, l.Filter)
	if err != nil {
		return page{}, err
	}
	l.Items, l.Next = list.Items, following(v.r.URL, "after", list.NextAfter)
	names, err := v.api.ListNames(v.ctx)
	if err != nil {
		return page{}, err
	}
	l.Targets = targetNames(names)
	return page{Title: "Orphans", Here: v.keepHere(), Body: orphansBody(l), Watch: interest{Any: true}}, nil
}

// orphanView is one finding.
type orphanView struct {
	sdk.Orphan
	MayRemove bool
}

func (v *visit) orphan() (orphanView, error) {
	o, err := v.api.GetOrphan(v.ctx, v.r.PathValue("id"))
	return orphanView{o, v.may("", blueberry.GrantOrphansRemove) && o.ApprovedAt.IsZero()}, err
}

func orphan(v *visit) (page, error) {
	o, err := v.orphan()
	if err != nil {
		return page{}, err
	}
	return page{Title: "Orphan on " + o.Target, Here: v.keepHere(), Body: orphanBody(o), Watch: interest{Any: true}}, nil
}

func (v *visit) approveOrphanForm(p *sdk.Problem) (page, error) {
	if err := v.who.Can(blueberry.GrantOrphansRemove); err != nil {
		return page{}, forbidden(err)
	}
	o, err := v.orphan()
	if err != nil {
		return page{}, err
	}
	what := "Everything below is deleted from target " + o.Target + ", with what it holds. This cannot be undone."
	more := objectList(o.Objects)
	if o.Kind == "record" {
		what = "The environment that the record has, and that has no objects, is removed from the record."
	}
	return asking(v.keepHere(), ask{
		Title: "Remove what was left over", Label: "Remove it", Danger: true, What: what, Action: orphanPath(o.ID, "approve"), Back: orphanPath(o.ID), Problem: p,
		CLI: "blueberry orphan approve " + o.ID, Call: "POST /v1/orphans/" + o.ID + "/approval",
	}, more, option{orphansPath, "Orphans"}, option{orphanPath(o.ID), cmp.Or(o.Env, o.Namespace, o.ID)}), nil
}

func approveOrphan(v *visit) (string, error) {
	id := v.r.PathValue("id")
	if _, err := v.api.ApproveOrphan(v.ctx, id); err != nil {
		return "", v.formError(err, v.approveOrphanForm)
	}
	return orphanPath(id) + "?done=orphan-approved", nil
}

// orphanKind says in words what was found.
func orphanKind(kind string) string {
	switch kind {
	case "objects":
		return "objects of no environment"
	case "record":
		return "an environment without objects"
	case "files":
		return "files of no environment"
	}
	return kind
}

func shapeOfOrphan(o sdk.Orphan) (shape, string) {
	switch {
	case o.ApprovedAt.IsZero():
		return warn, "waits for a decision"
	case len(o.Leftovers) > 0:
		return bad, "something stays"
	}
	return busy, "is being removed"
}

// keptFor says for how long a rule keeps things.
func keptFor(hours int) string {
	switch {
	case hours == 0:
		return "each has its own end"
	case hours%24 == 0:
		return number(hours/24) + " days"
	}
	return number(hours) + " hours"
}
