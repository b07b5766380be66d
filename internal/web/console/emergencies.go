package console

import (
	"net/url"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

const emergenciesPath = "/emergencies"

func emergenciesArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantEmergenciesRead) && !v.may("", blueberry.GrantEmergenciesOpen) {
				return nil
			}
			return []menuItem{{To: emergenciesPath, Name: "Emergencies", Icon: "op-glass", Group: groupOperate}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /emergencies": emergencies, "GET /emergencies/open": func(v *visit) (page, error) { return v.openEmergencyForm(nil) },
			"GET /emergencies/{id}/close": func(v *visit) (page, error) { return v.closeEmergencyForm(nil) },
		},
		Posts: map[string]func(*visit) (string, error){"POST /emergencies/open": openEmergency, "POST /emergencies/{id}/close": closeEmergency},
		Done: map[string]string{
			"emergency-opened": "You have the power of an owner now. Every user is told.", "emergency-closed": "The power was given back.",
		},
	}
}

// emergenciesView is who took the power of an owner.
type emergenciesView struct {
	Items            []sdk.Emergency
	Names            map[string]string // of users, by id
	Next             string
	MayRead, MayOpen bool
	Own              string // id of the user who looks
}

func emergencies(v *visit) (page, error) {
	l := emergenciesView{MayRead: v.may("", blueberry.GrantEmergenciesRead), MayOpen: v.mayOpenEmergency(), Own: v.who.UserID, Names: map[string]string{}}
	if !l.MayRead && v.who.Can(blueberry.GrantEmergenciesOpen) != nil {
		return page{}, forbidden(v.who.Can(blueberry.GrantEmergenciesRead))
	}
	if l.MayRead {
		list, err := v.api.ListEmergencies(v.ctx, sdk.IDWindow{Before: v.r.URL.Query().Get("before"), Limit: 50})
		if err != nil {
			return page{}, err
		}
		l.Items, l.Next = list.Items, following(v.r.URL, "before", list.NextBefore)
	}
	for _, e := range l.Items {
		if _, known := l.Names[e.UserID]; known || v.who.Can(blueberry.GrantUsersRead) != nil {
			continue
		}
		l.Names[e.UserID] = e.UserID
		if u, err := v.api.GetUser(v.ctx, e.UserID); err == nil { // else the id stands for them
			l.Names[e.UserID] = u.Email
		}
	}
	return page{Title: "Emergencies", Here: emergenciesPath, Body: emergenciesBody(l), Watch: interest{Any: true}}, nil
}

// mayOpenEmergency reports whether an emergency would give who looks anything: owners have all of it, and programs may not.
func (v *visit) mayOpenEmergency() bool {
	return v.who.Kind == blueberry.ActorUser && v.who.Can(blueberry.GrantEmergenciesOpen) == nil && v.who.Can(blueberry.GrantAll) != nil
}

func (v *visit) openEmergencyForm(p *sdk.Problem) (page, error) {
	if err := v.who.Can(blueberry.GrantEmergenciesOpen); err != nil {
		return page{}, forbidden(err)
	}
	form := v.r.PostForm
	return asking(emergenciesPath, ask{
		Title: "Take the power of an owner", Label: "Take it, and tell everybody", Danger: true, Action: emergenciesPath + "/open", Back: emergenciesPath, Problem: p,
		What: "For at most an hour you may do everything. Every user is told by mail that you took it and why, and all that you do stands in the audit under this emergency. Your API tokens gain nothing.",
		Inputs: []input{
			{Name: "reason", Label: "Reason", Kind: "area", Rows: 3, Required: true, Value: typed(form, "reason", ""), Placeholder: "The shop is down and its admin cannot be reached", Hint: "Every user reads it. At least 10 letters."},
			{Name: "minutes", Label: "Minutes", Kind: "number", Value: typed(form, "minutes", "60"), Hint: "1 to 60."},
		},
		CLI: `blueberry emergency open --reason "The shop is down and its admin cannot be reached" --minutes 30`, Call: "POST /v1/emergencies",
		Body: `{"reason": "The shop is down and its admin cannot be reached", "minutes": 30}`,
	}, nil, option{emergenciesPath, "Emergencies"}), nil
}

func openEmergency(v *visit) (string, error) {
	var faults []sdk.FieldError
	r := sdk.OpenEmergencyRequest{Reason: v.said("reason"), Minutes: wholeNumber("minutes", v.said("minutes"), &faults)}
	if len(faults) > 0 {
		return "", again{faulty(faults), v.openEmergencyForm}
	}
	if _, err := v.api.OpenEmergency(v.ctx, r); err != nil {
		return "", v.formError(err, v.openEmergencyForm)
	}
	return emergenciesPath + "?done=emergency-opened", nil
}

func (v *visit) closeEmergencyForm(p *sdk.Problem) (page, error) {
	id := v.r.PathValue("id")
	return asking(emergenciesPath, ask{
		Title: "End the emergency", Label: "Give the power back", Action: emergenciesPath + "/" + url.PathEscape(id) + "/close", Back: emergenciesPath, Problem: p,
		What: "What it gave ends at once.", CLI: "blueberry emergency close " + id, Call: "DELETE /v1/emergencies/" + id,
	}, nil, option{emergenciesPath, "Emergencies"}), nil
}

func closeEmergency(v *visit) (string, error) {
	if err := v.api.CloseEmergency(v.ctx, v.r.PathValue("id")); err != nil {
		return "", v.formError(err, v.closeEmergencyForm)
	}
	if v.may("", blueberry.GrantEmergenciesRead) {
		return emergenciesPath + "?done=emergency-closed", nil
	}
	return "/?done=emergency-closed", nil
}
