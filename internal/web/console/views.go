package console

import (
	"errors"
	"net/url"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func viewsArea() area {
	return area{
		Pages: map[string]func(*visit) (page, error){"GET /views": savedViews, "GET /views/save": saveView},
		Posts: map[string]func(*visit) (string, error){"POST /views/save": doSaveView, "POST /views/delete": doDeleteView},
		Done:  map[string]string{"view-saved": "The view is saved. It stands above the list, and in the palette.", "view-deleted": "The view is deleted. What it listed is as it was."},
	}
}

// isPerson reports whether who looks is a person, who has preferences and views.
func (v *visit) isPerson() bool {
	return v.who.UserID != "" && (v.who.Kind == blueberry.ActorUser || v.who.Kind == blueberry.ActorClient && v.who.Person)
}

// views are the saved ones of who looks: of one page, or of all when it is empty.
func (v *visit) views(of string) ([]sdk.SavedView, error) {
	if !v.isPerson() {
		return nil, nil
	}
	found, err := v.api.ListViews(v.ctx)
	return slices.DeleteFunc(found.Items, func(x sdk.SavedView) bool { return of != "" && x.Page != of }), err
}

// viewPath is where a view is. Its page is a word, and its query was read and written by the server.
func viewPath(x sdk.SavedView) string {
	path := "/" + url.PathEscape(x.Page)
	if x.Query != "" {
		path += "?" + x.Query
	}
	return path
}

// sameQuery reports whether two queries say the same.
func sameQuery(a, b string) bool {
	x, err := url.ParseQuery(a)
	y, other := url.ParseQuery(b)
	return err == nil && other == nil && x.Encode() == y.Encode()
}

func savePath(of, query string) string {
	return "/views/save?" + url.Values{"page": {of}, "query": {query}}.Encode()
}

func savedViews(v *visit) (page, error) {
	list, err := v.api.ListViews(v.ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "Saved views", Body: viewsBody(list.Items)}, nil
}

func saveView(v *visit) (page, error) { return v.askView(v.r.URL.Query(), nil) }

func (v *visit) askView(form url.Values, problem *sdk.Problem) (page, error) {
	x := sdk.SavedView{Name: form.Get("name"), Page: form.Get("page"), Query: form.Get("query")}
	if _, err := v.views(""); err != nil {
		return page{}, err
	}
	name := x.Name
	if name == "" {
		name = "NAME"
	}
	a := ask{
		Title: "Save this view", Label: "Save", What: "Keeps the list with its filter and order under a name of yours. Nobody else sees it. A view that has the name already is replaced.",
		Action: "/views/save", Back: here(viewPath(x)), Hidden: map[string]string{"page": x.Page, "query": x.Query}, Problem: problem,
		Inputs: []input{{Name: "name", Label: "Name", Value: x.Name, Placeholder: "What failed", Required: true, Hint: "At most 60 characters."}},
		CLI:    "blueberry view save " + shellWord(name) + " --page " + shellWord(x.Page) + " --query " + shellQuoted(x.Query),
		Call:   "PUT /v1/account/views/" + url.PathEscape(name), Body: jsonOf(sdk.SaveViewRequest{Page: x.Page, Query: x.Query}),
	}
	return page{Title: "Save this view", Here: "/" + x.Page, Body: saveViewBody(a, x)}, nil
}

func doSaveView(v *visit) (string, error) {
	f := v.r.PostForm
	x, err := v.api.SaveView(v.ctx, f.Get("name"), sdk.SaveViewRequest{Page: f.Get("page"), Query: f.Get("query")})
	if f.Get("name") == "" { // there is no address for it
		err = &sdk.Problem{Status: 422, Code: "VALIDATION_FAILED", Detail: "1 field is not valid", Errors: []sdk.FieldError{{Field: "name", Code: "required", Message: "is needed"}}}
	}
	var p *sdk.Problem
	if errors.As(err, &p) && (p.Status == 422 || p.Status == 409) {
		return "", again{p, func(problem *sdk.Problem) (page, error) { return v.askView(f, problem) }}
	}
	if err != nil {
		return "", err
	}
	return doneAt(viewPath(x), "view-saved"), nil
}

func doDeleteView(v *visit) (string, error) {
	if err := v.api.DeleteView(v.ctx, v.r.PostForm.Get("name")); err != nil {
		return "", err
	}
	return "/views?done=view-deleted", nil
}

// doneAt is an address of ours that says what was done.
func doneAt(path, word string) string {
	u, err := url.Parse(path)
	if err != nil {
		return "/?done=" + word
	}
	q := u.Query()
	q.Set("done", word)
	u.RawQuery = q.Encode()
	return u.String()
}
