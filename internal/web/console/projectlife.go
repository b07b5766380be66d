package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func projectLife(v *visit) (page, error) { return v.life(nil) }

func (v *visit) life(problem *sdk.Problem) (page, error) {
	p, err := v.project("/life")
	if err != nil {
		return page{}, err
	}
	if !p.MayUpdate && !p.MayQuota {
		return page{}, v.needs(p.Name, blueberry.GrantProjectsUpdate)
	}
	idle := ""
	if p.Sleep.IdleMinutes > 0 {
		idle = number(p.Sleep.IdleMinutes)
	}
	windows := make([]string, len(p.Sleep.Windows))
	for i, w := range p.Sleep.Windows {
		windows[i] = windowText(w)
	}
	a := ask{
		Title: "How its environments live", Action: p.Here, Label: "Keep it", Problem: lifeProblem(problem), Call: "PATCH /v1/projects/" + p.Name + "/life",
		What: "An environment that sleeps has no pods and keeps its data and its addresses; who opens one wakes it. This holds for environments that have no policy of their own.",
	}
	words := []string{}
	if p.MayUpdate {
		a.Inputs = append(a.Inputs,
			input{Name: "sleep.idle_minutes", Label: "Sleep after so many minutes without use", Kind: "number", Value: v.entered("sleep.idle_minutes", idle), Hint: "5 to 10080. Empty: they do not sleep for being idle."},
			input{Name: "sleep.windows", Label: "Sleep in these hours of every week", Kind: "area", Code: true, Value: v.entered("sleep.windows", strings.Join(windows, "\n")), Placeholder: "mon-fri 20:00-07:00", Hint: "One span a line: days, then from and to. An end that is not after its beginning is on the next day."},
			input{Name: "sleep.time_zone", Label: "Time zone of these hours", Value: v.entered("sleep.time_zone", p.Sleep.TimeZone), Placeholder: "Europe/Zurich", Hint: "Empty means UTC."})
		words = append(words, "idle", minutesFlag(v.entered("sleep.idle_minutes", idle)))
		words = append(words, flagged("window", strings.Split(strings.TrimSpace(strings.ReplaceAll(v.entered("sleep.windows", strings.Join(windows, "\n")), "\r", "")), "\n"))...)
		words = append(words, "time-zone", v.entered("sleep.time_zone", p.Sleep.TimeZone))
	}
	if p.MayQuota {
		a.Inputs = append(a.Inputs, input{Name: "max_pin_hours", Label: "Hours that an environment may be pinned", Kind: "number", Value: v.entered("max_pin_hours", number(p.MaxPinHours)), Hint: "A pin keeps a lease from ending. 0 is the default of 720, -1 not at all."})
		words = append(words, "pin-up-to", pinFlag(v.entered("max_pin_hours", number(p.MaxPinHours))))
	}
	r, _ := v.wantedLife(p.MayUpdate, p.MayQuota, p.Project)
	a.Body, a.CLI = jsonOf(r), command("project life "+shellWord(p.Name), words...)
	return page{Title: p.Name + ": life", Here: "/projects", Body: lifeBody(p, a)}, nil
}

// lifeProblem brings what is wrong with a window to the field of all of them.
func lifeProblem(p *sdk.Problem) *sdk.Problem {
	if p == nil {
		return nil
	}
	out := *p
	out.Errors = slices.Clone(p.Errors)
	for i, e := range out.Errors {
		if strings.HasPrefix(e.Field, "sleep.windows[") {
			out.Errors[i].Field = "sleep.windows"
		}
	}
	return &out
}

func minutesFlag(text string) string {
	if text == "" {
		return ""
	}
	return text + "m"
}

func pinFlag(text string) string {
	switch text {
	case "-1":
		return "none"
	case "", "0":
		return "0"
	}
	return text + "h"
}

// wantedLife is what a form says; only what one may set, and of the pins only what differs.
func (v *visit) wantedLife(update, quota bool, p sdk.Project) (r sdk.SetProjectLifeRequest, faults []sdk.FieldError) {
	if update && v.r.Method == http.MethodPost {
		s := sdk.SleepPolicy{IdleMinutes: wholeNumber("sleep.idle_minutes", v.entered("sleep.idle_minutes", ""), &faults), TimeZone: v.entered("sleep.time_zone", "")}
		for line := range strings.Lines(v.entered("sleep.windows", "")) {
			if strings.TrimSpace(line) == "" {
				continue
			}
			w, ok := windowOf(strings.TrimSpace(line))
			if !ok {
				faults = append(faults, sdk.FieldError{Field: "sleep.windows", Code: "pattern", Message: "has a line that is no span of a week, as mon-fri 20:00-07:00: " + strings.TrimSpace(line)})
				continue
			}
			s.Windows = append(s.Windows, w)
		}
		r.Sleep = &s
	} else if update {
		r.Sleep = &p.Sleep
	}
	if quota {
		if n := wholeNumber("max_pin_hours", v.entered("max_pin_hours", number(p.MaxPinHours)), &faults); n != p.MaxPinHours {
			r.MaxPinHours = &n
		}
	}
	return r, faults
}

func setProjectLife(v *visit) (string, error) {
	p, err := v.project("/life")
	if err != nil {
		return "", err
	}
	r, faults := v.wantedLife(p.MayUpdate, p.MayQuota, p.Project)
	if len(faults) > 0 {
		return "", again{faulty(faults), v.life}
	}
	if _, err := v.api.SetProjectLife(v.ctx, p.Name, r); err != nil {
		return "", v.formAgain(err, v.life)
	}
	return p.Here + "?done=life-set", nil
}

// sleepLines tells when the environments of a project sleep, in words.
func sleepLines(p sdk.SleepPolicy) (out []string) {
	if p.IdleMinutes > 0 {
		out = append(out, "after "+number(p.IdleMinutes)+" minutes without use")
	}
	for _, w := range p.Windows {
		out = append(out, windowText(w)+" "+cmp.Or(p.TimeZone, "UTC"))
	}
	if len(out) == 0 {
		return []string{"only when somebody says so"}
	}
	return out
}

func pinWords(hours int) string {
	switch {
	case hours < 0:
		return "not at all"
	case hours == 0:
		return "up to 720 hours, the default"
	}
	return "up to " + number(hours) + " hours"
}
