package console

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// undoView asks whether an environment that was destroyed is to be made again.
type undoView struct {
	environmentView
	Until time.Time // it can be
	Late  bool
	Ask   ask
}

func undo(v *visit) (page, error) { return v.askUndo(nil) }

func (v *visit) askUndo(problem *sdk.Problem) (page, error) {
	e, err := v.environment("")
	if err != nil {
		return page{}, err
	}
	if !v.may(e.Project, blueberry.GrantEnvironmentsCreate) {
		return page{}, &sdk.Problem{Status: http.StatusForbidden, Code: "GRANT_MISSING", Detail: "to make " + e.Name + " again takes the grant " + string(blueberry.GrantEnvironmentsCreate) + " in the project " + e.Project}
	}
	u := undoView{environmentView: e}
	if !e.TerminatedAt.IsZero() {
		u.Until = e.TerminatedAt.Add(blueberry.UndoWindow)
		u.Late = !v.now.Before(u.Until)
	}
	form := v.r.PostForm
	name := typed(form, "name", e.Name)
	u.Ask = ask{
		Title: "Bring " + e.Name + " back", Label: "Bring it back", Action: environmentPath(e.ID, "undo"), Back: environmentPath(e.ID), Problem: problem,
		What: "A new environment is made of the inputs that it had last: the same blueprint, values and images. What data its volumes held is gone.",
		Inputs: []input{
			{Name: "name", Label: "Name", Value: name, Required: true, Hint: "The one that it had, unless another environment has it now."},
			{Name: "target", Label: "Target", Value: typed(form, "target", e.Target), Required: true},
			{Name: "ttl_hours", Label: "Hours of the new lease", Kind: "number", Value: form.Get("ttl_hours"), Hint: "Empty: as the blueprint says."},
		},
		CLI:  "blueberry env undo " + e.ID + " --name " + shellWord(name),
		Call: "POST /v1/archives/" + e.ID + "/undo", Body: jsonOf(sdk.UndoRequest{Name: name, Target: e.Target}),
	}
	return e.page("Bring back", page{Body: undoBody(u)}), nil
}

func doUndo(v *visit) (string, error) {
	f := v.r.PostForm
	r := sdk.UndoRequest{Name: strings.TrimSpace(f.Get("name")), Target: strings.TrimSpace(f.Get("target"))}
	var err error
	if text := strings.TrimSpace(f.Get("ttl_hours")); text != "" {
		n, wrong := strconv.Atoi(text)
		if r.TTLHours = &n; wrong != nil {
			err = &sdk.Problem{
				Status: http.StatusUnprocessableEntity, Code: "VALIDATION_FAILED", Detail: "1 field is not valid",
				Errors: []sdk.FieldError{{Field: "ttl_hours", Code: "type", Message: "must be a number of hours"}},
			}
		}
	}
	var made sdk.Environment
	if err == nil {
		made, err = v.api.UndoArchive(v.ctx, v.r.PathValue("id"), r)
	}
	var p *sdk.Problem
	if errors.As(err, &p) && (p.Status == http.StatusUnprocessableEntity || p.Status == http.StatusConflict) {
		return "", again{p, v.askUndo}
	}
	if err != nil {
		return "", err
	}
	return environmentPath(made.ID) + "?done=undo", nil
}

// takeBack is how what was just done is undone: by a form that does it at once, or by a page that asks.
type takeBack struct {
	Action string // path that a form is sent to; empty for a page
	To     string // of the page
}

// takeBackOf tells it of the page after a form; nil when there is no way back.
func takeBackOf(v *visit, done string) *takeBack {
	id := v.r.PathValue("id")
	if id == "" || !strings.HasPrefix(v.r.URL.Path, "/environments/") {
		return nil
	}
	switch back := undoes(done); {
	case back != "" && v.may("", blueberry.GrantEnvironmentsOperate):
		return &takeBack{Action: environmentPath(id, back)}
	case done == "destroy" && v.may("", blueberry.GrantEnvironmentsCreate):
		return &takeBack{To: environmentPath(id, "undo")}
	}
	return nil
}
