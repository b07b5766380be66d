package console

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// place is somewhere to go, or something to do: the answer to what was typed into the palette.
type place struct {
	Name string `json:"name"`
	To   string `json:"to"`
	Kind string `json:"kind"` // beside the name: what it is
}

// placesOfKind is how many of one kind are given.
const placesOfKind = 6

func paletteArea() area {
	return area{Other: map[string]func(*visit) error{"GET /palette": answerPalette}}
}

func answerPalette(v *visit) error {
	found := v.places(strings.TrimSpace(v.r.URL.Query().Get("q")))
	v.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(v.w).Encode(map[string]any{"items": found})
}

// places are what fits a text, as far as who looks may see it. What cannot be read is left out: the rest is of use without it.
func (v *visit) places(text string) []place {
	out := []place{}
	low := strings.ToLower(text)
	for _, m := range menu(v) {
		if strings.Contains(strings.ToLower(m.Name), low) {
			out = append(out, place{m.Name, m.To, "page"})
		}
	}
	saved, _ := v.views("")
	for _, x := range saved {
		if strings.Contains(strings.ToLower(x.Name), low) {
			out = append(out, place{x.Name, viewPath(x), "saved view"})
		}
	}
	if text == "" || len(text) > 200 {
		return out
	}
	return slices.Concat(v.deeds(text), v.environmentPlaces(text), out, v.sourcePlaces(low), v.namedPlaces(low))
}

// deeds are verbs with the environments that the text names behind them.
func (v *visit) deeds(text string) (out []place) {
	word, name, _ := strings.Cut(text, " ")
	if name = strings.TrimSpace(name); name == "" || len(word) < 2 {
		return nil
	}
	for _, x := range verbs() {
		if !strings.HasPrefix(x.Name, strings.ToLower(word)) || !v.may("", x.Grant) {
			continue
		}
		list, err := v.api.ListEnvironments(v.ctx, sdk.EnvironmentFilter{Search: name, Sort: "name", Limit: placesOfKind})
		if err != nil {
			return out
		}
		for _, e := range list.Items {
			if v.may(e.Project, x.Grant) && x.fits(e) {
				out = append(out, place{x.Label + " " + e.Name, environmentPath(e.ID, x.Name), e.Project + " · " + string(e.Phase)})
			}
		}
	}
	return out
}

// environmentPlaces are environments that have the text in their names; of one that has just this name also what can be done with it.
func (v *visit) environmentPlaces(text string) (out []place) {
	if !v.may("", blueberry.GrantEnvironmentsRead) {
		return nil
	}
	list, err := v.api.ListEnvironments(v.ctx, sdk.EnvironmentFilter{Search: text, Sort: "name", Limit: placesOfKind})
	if err != nil {
		return nil
	}
	for _, e := range list.Items {
		out = append(out, place{e.Name, environmentPath(e.ID), e.Project + " · " + string(e.Phase)})
	}
	for _, e := range list.Items {
		if e.Name != text {
			continue
		}
		for _, x := range verbs() {
			if v.may(e.Project, x.Grant) && x.fits(e) {
				out = append(out, place{x.Label + " " + e.Name, environmentPath(e.ID, x.Name), e.Project + " · " + string(e.Phase)})
			}
		}
	}
	return out
}

// sourcePlaces are repositories and their open pull requests.
func (v *visit) sourcePlaces(low string) (out []place) {
	if !v.may("", blueberry.GrantRepositoriesRead) {
		return nil
	}
	repositories, err := v.repositories()
	if err != nil {
		return nil
	}
	for _, r := range repositories {
		if strings.Contains(strings.ToLower(r.Name), low) {
			out = append(out, place{r.Name, "/repositories/" + url.PathEscape(r.ID), "repository"})
		}
	}
	slices.SortFunc(out, func(a, b place) int { return strings.Compare(a.Name, b.Name) })
	out = out[:min(len(out), placesOfKind)]
	pulls, err := v.api.ListPulls(v.ctx, sdk.PullFilter{State: "open", Limit: 200})
	if err != nil {
		return out
	}
	n := 0
	for _, p := range pulls.Items {
		name := repositories[p.RepositoryID].Name + " #" + strconv.Itoa(p.Number)
		if n < placesOfKind && (strings.Contains(strings.ToLower(name), low) || strings.Contains(strings.ToLower(p.Title), low)) {
			n++
			out = append(out, place{name + " " + p.Title, "/pulls/" + url.PathEscape(p.ID), "pull request"})
		}
	}
	return out
}

// namedPlaces are targets, projects and blueprints.
func (v *visit) namedPlaces(low string) (out []place) {
	add := func(kind, pages, name, id string) {
		if strings.Contains(strings.ToLower(name), low) {
			out = append(out, place{name, pages + "/" + url.PathEscape(id), kind})
		}
	}
	if names, err := v.api.ListNames(v.ctx); err == nil {
		for _, t := range names.Targets {
			add("target", "/targets", t.Name, t.Name)
		}
		for _, p := range names.Projects {
			add("project", "/projects", p, p)
		}
	}
	if list, err := v.api.ListBlueprints(v.ctx, sdk.CatalogueFilter{Limit: 200}); err == nil {
		for _, b := range list.Items {
			add("blueprint", "/blueprints", b.Name, b.ID)
		}
	}
	return out
}
