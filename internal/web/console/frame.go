package console

import (
	"context"
	"io"
	"net/url"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
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

// menuItem is a part of the menu.
type menuItem struct{ To, Name, Icon string }

// menu is what a person may go to.
func menu(v *visit) []menuItem {
	items := []menuItem{{To: "/", Name: "Home", Icon: "home"}}
	if v.may("", blueberry.GrantEnvironmentsRead) {
		items = append(items, menuItem{To: "/environments", Name: "Environments", Icon: "boxes"})
	}
	if v.may("", blueberry.GrantRepositoriesRead) {
		items = append(items, menuItem{To: "/pulls", Name: "Pull requests", Icon: "pull"}, menuItem{To: "/repositories", Name: "Repositories", Icon: "inbox"})
	}
	return append(items, menuItem{To: "/docs", Name: "API reference", Icon: "book"}, menuItem{To: "/account", Name: "Account", Icon: "person"})
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
		if p.Watch != (interest{}) {
			q := v.r.URL.Query()
			q.Del("done")
			q.Set("shown", digestOf([]byte(content)))
			f.Live = (&url.URL{Path: v.r.URL.Path, RawQuery: q.Encode()}).String()
		}
		return frameAround(f).Render(ctx, w)
	})
}
