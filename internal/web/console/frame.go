package console

import (
	"context"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

// frame is what stands around the content of a page.
type frame struct {
	Title, Here, User string
	Theme, Density    string // as the person chose; empty for the system's, and for roomy
	Version           string
	Menu              []menuItem
	Done              string // what the last form did
	Undo              *takeBack
	Live              string // address that tells changes; empty for a page that does not change
	At                string // path and query of the page
	Content           string // rendered
}

// menuItem is a place in the menu.
type menuItem struct {
	To, Name, Icon, Group string
	Key                   string // letter that goes there after g; empty: the first one of its name that is free
}

// Groups of the menu, in the order in which it shows them. The first has no heading.
const (
	groupWork      = ""
	groupCatalogue = "Catalogue"
	groupOperate   = "Operations"
	groupAccess    = "Access"
	groupHelp      = "You"
)

// menu is what a person may go to.
func menu(v *visit) (items []menuItem) {
	for _, a := range areas() {
		if a.Menu != nil {
			items = append(items, a.Menu(v)...)
		}
	}
	items = append(items, menuItem{To: "/docs", Name: "Documentation", Icon: "book", Group: groupHelp, Key: "d"}, menuItem{To: "/account", Name: "Account", Icon: "person", Group: groupHelp, Key: "a"})
	groups := []string{groupWork, groupCatalogue, groupOperate, groupAccess, groupHelp}
	slices.SortStableFunc(items, func(a, b menuItem) int { return slices.Index(groups, a.Group) - slices.Index(groups, b.Group) })
	giveKeys(items)
	return items
}

// giveKeys gives a letter to each place that has none.
func giveKeys(items []menuItem) {
	taken := map[string]bool{}
	for _, m := range items {
		taken[m.Key] = true
	}
	for i := range items {
		for _, r := range strings.ToLower(items[i].Name) + "abcdefghijklmnopqrstuvwxyz" {
			if key := string(r); items[i].Key == "" && r >= 'a' && r <= 'z' && !taken[key] {
				items[i].Key, taken[key] = key, true
			}
		}
	}
}

// commonKeys are those of every page, beside those of the menu. The script knows them by the same words.
var commonKeys = []option{
	{"Ctrl K", "go anywhere, or do something: “sleep pr-42”"},
	{"/", "search on this page"},
	{"j k", "next and previous row"},
	{"o", "open the row"},
	{"x", "choose the row"},
	{"n", "new, where something can be made"},
	{"Esc", "close, or leave a field"},
	{"?", "these keys"},
}

// frameOf puts a page into its frame. The content is rendered first, so that the page says by a digest what it shows.
func frameOf(v *visit, p page) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		content, err := templ.ToGoHTML(ctx, p.Body)
		if err != nil {
			return err
		}
		f := frame{
			Title: p.Title, Here: p.Here, User: v.who.Name, Version: v.Version, Menu: menu(v), Done: doneText(v.r.URL.Query().Get("done")), At: v.r.URL.RequestURI(),
			Undo: takeBackOf(v, v.r.URL.Query().Get("done")), Content: string(content), Theme: choice(v.r, themeCookie, themes), Density: choice(v.r, densityCookie, densities),
		}
		if p.Watch != (interest{}) && !v.still {
			q := ownQuery(v)
			q.Set("shown", digestOf([]byte(content)))
			f.Live = (&url.URL{Path: v.r.URL.Path, RawQuery: q.Encode()}).String()
		}
		return frameAround(f).Render(ctx, w)
	})
}
