package console

import (
	"context"
	"io"
	"net/url"
	"slices"

	"github.com/a-h/templ"
)

// frame is what stands around the content of a page.
type frame struct {
	Title, Here, User string
	Theme, Density    string // as the person chose; empty for the system's, and for roomy
	Version           string
	Menu              []menuItem
	Done              string // what the last form did
	Live              string // address that tells changes; empty for a page that does not change
	At                string // path and query of the page
	Content           string // rendered
}

// menuItem is a place in the menu.
type menuItem struct{ To, Name, Icon, Group string }

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
	items = append(items, menuItem{To: "/docs", Name: "Documentation", Icon: "book", Group: groupHelp}, menuItem{To: "/account", Name: "Account", Icon: "person", Group: groupHelp})
	groups := []string{groupWork, groupCatalogue, groupOperate, groupAccess, groupHelp}
	slices.SortStableFunc(items, func(a, b menuItem) int { return slices.Index(groups, a.Group) - slices.Index(groups, b.Group) })
	return items
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
			Content: string(content), Theme: choice(v.r, themeCookie, themes), Density: choice(v.r, densityCookie, densities),
		}
		if p.Watch != (interest{}) && !v.still {
			q := v.r.URL.Query()
			q.Del("done")
			q.Set("shown", digestOf([]byte(content)))
			f.Live = (&url.URL{Path: v.r.URL.Path, RawQuery: q.Encode()}).String()
		}
		return frameAround(f).Render(ctx, w)
	})
}
