package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
)

// Leases are extended by whoever has a link.
type Leases interface {
	// ExtendLinkInfo tells what a link would do. It changes nothing.
	ExtendLinkInfo(ctx context.Context, token string) (provision.ExtendOffer, error)
	ExtendByLink(ctx context.Context, token string) (blueberry.Environment, error)
}

const leaseTime = "Monday, 2 January 2006, 15:04 MST"

// extend asks once more: what opens links by itself, as mail scanners do, must not use them up.
func (p *Pages) extend(w http.ResponseWriter, r *http.Request) {
	link := r.URL.Query().Get("link")
	offer, err := p.Leases.ExtendLinkInfo(r.Context(), link)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	e := offer.Environment
	p.show(w, r, http.StatusOK, extendPage(passwordView{
		Title: "Keep " + e.Name, Link: link, Action: "/extend", Button: fmt.Sprintf("Extend by %d hours", offer.Hours),
		Text: fmt.Sprintf("The environment %s of project %s ends on %s. This link extends it by %d hours, once.", e.Name, e.Project, e.Lease.ExpiresAt.UTC().Format(leaseTime), offer.Hours),
	}))
}

func (p *Pages) completeExtend(w http.ResponseWriter, r *http.Request) {
	f, err := form(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	e, err := p.Leases.ExtendByLink(r.Context(), f.Get("link"))
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, messagePage(frame{Title: "Extended"}, message{
		Title: "Extended", Text: fmt.Sprintf("The environment %s now ends on %s.", e.Name, e.Lease.ExpiresAt.UTC().Format(leaseTime)), Link: "To Blueberry", To: "/",
	}))
}
