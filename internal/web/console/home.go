package console

import (
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// homeView is what a person sees first.
type homeView struct {
	Name     string
	Mine     []sdk.Environment
	Troubled []sdk.Environment // failed or degraded, of anybody
	Ending   []sdk.Environment // whose lease ends soon
	Recent   []sdk.Event       // newest first
	Total    bool              // there is any environment
}

// soon is when a lease counts as ending.
const soon = 24 * time.Hour

// homeRows is how many lines each list of the first page has.
const homeRows = 8

func homeArea() area {
	return area{
		Menu:  func(*visit) []menuItem { return []menuItem{{To: "/", Name: "Home", Icon: "home"}} },
		Pages: map[string]func(*visit) (page, error){"GET /{$}": home},
	}
}

func home(v *visit) (page, error) {
	h := homeView{Name: v.who.Name}
	lists := []struct {
		to     *[]sdk.Environment
		filter sdk.EnvironmentFilter
	}{
		{&h.Mine, sdk.EnvironmentFilter{Owner: v.who.Name, Limit: homeRows}},
		{&h.Troubled, sdk.EnvironmentFilter{Phases: []sdk.Phase{sdk.Failed, sdk.Degraded}, Sort: "-updated_at", Limit: homeRows}},
		{&h.Ending, sdk.EnvironmentFilter{Sort: "expires_at", Limit: homeRows}},
	}
	for _, l := range lists {
		found, err := v.api.ListEnvironments(v.ctx, l.filter)
		if err != nil {
			return page{}, err
		}
		*l.to = found.Items
		h.Total = h.Total || len(found.Items) > 0
	}
	h.Ending = slices.DeleteFunc(h.Ending, func(e sdk.Environment) bool {
		return e.ExpiresAt.IsZero() || e.ExpiresAt.Sub(v.now) > soon || e.Phase == sdk.Terminating
	})
	_, newest, err := v.Events(v.ctx, -1)
	if err != nil {
		return page{}, err
	}
	events, err := v.api.ListEvents(v.ctx, sdk.EventFilter{After: max(newest-recentSpan, 0), Limit: recentSpan})
	if err != nil {
		return page{}, err
	}
	h.Recent = events.Items
	slices.Reverse(h.Recent)
	h.Recent = h.Recent[:min(len(h.Recent), 2*homeRows)]
	return page{Title: "Home", Here: "/", Body: homeBody(h), Watch: interest{Any: true}}, nil
}

// recentSpan is how many of the newest events are looked through for those that one may see.
const recentSpan = 200
