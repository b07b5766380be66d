package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// overviewView is how one environment is.
type overviewView struct {
	environmentView
	Why        sdk.Why
	WhyProblem string // why the target could not be asked
	NoPods     string // why nothing is known of its pods
	Components []componentView
	Receipt    *sdk.Receipt
	Pull       *sdk.PullRequest
	Drift      *sdk.Drift // nil when nothing differs, or the target was not asked
	Holds      []sdk.Hold
	Wakes      []sdk.WakeEntry
	UndoUntil  time.Time // it can be brought back; zero when it cannot, or not by who looks
	RestoredAs string    // the environment that it was brought back as

	MayExtend, MayOperate, MayLogs bool
}

// componentView is one component with its pods.
type componentView struct {
	Name       string
	Wave       int
	Containers []sdk.Container
	Usage      []sdk.PodUsage
	Causes     int
}

// pods counts those of which every container is ready, and all.
func (c componentView) pods() (ready, all int) {
	whole := map[string]bool{}
	for _, x := range c.Containers {
		if _, seen := whole[x.Pod]; !seen {
			whole[x.Pod] = true
		}
		if !x.Init && !x.Ready {
			whole[x.Pod] = false
		}
	}
	for _, ok := range whole {
		if ok {
			ready++
		}
	}
	return ready, len(whole)
}

func (c componentView) restarts() (n int) {
	for _, x := range c.Containers {
		n += x.Restarts
	}
	return n
}

func (c componentView) shape(asleep bool) shape {
	switch ready, all := c.pods(); {
	case c.Causes > 0:
		return bad
	case all == 0 && asleep:
		return doze
	case all == 0:
		return idle
	case ready == all:
		return good
	}
	return busy
}

func (c componentView) word() string {
	ready, all := c.pods()
	if all == 0 {
		return "no pods"
	}
	return fmt.Sprintf("%d of %d ready", ready, all)
}

func environmentOverview(v *visit) (page, error) {
	e, err := v.environment("")
	if err != nil {
		return page{}, err
	}
	o := overviewView{environmentView: e}
	ending := e.Phase == sdk.Terminating || e.Phase == sdk.Terminated
	o.MayExtend = !ending && !e.ExpiresAt.IsZero() && v.may(e.Project, blueberry.GrantEnvironmentsExtend)
	o.MayOperate = !ending && v.may(e.Project, blueberry.GrantEnvironmentsOperate)
	o.MayLogs = v.may(e.Project, blueberry.GrantEnvironmentsLogs)
	if ending {
		receipt, err := v.api.GetEnvironmentReceipt(v.ctx, e.ID)
		if err == nil {
			o.Receipt = &receipt
		} else if !isStatus(err, http.StatusNotFound) {
			return page{}, err
		}
	}
	if e.Phase == sdk.Terminated {
		if err := v.wayBack(&o); err != nil {
			return page{}, err
		}
	} else {
		if o.Why, err = v.why(e.ID); err != nil {
			o.WhyProblem = problemText(err)
			o.Why.Steps = stepsOf(e.Conditions)
		}
	}
	if !ending {
		if err := v.overviewParts(&o); err != nil {
			return page{}, err
		}
	}
	return e.page("", page{Body: overviewBody(o)}), nil
}

// wayBack reads whether one that ended can be brought back, or was.
func (v *visit) wayBack(o *overviewView) error {
	a, err := v.api.GetArchive(v.ctx, o.ID)
	if isStatus(err, http.StatusNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.RestoredAs = a.RestoredAs; v.may(o.Project, blueberry.GrantEnvironmentsCreate) {
		o.UndoUntil = a.UndoUntil
	}
	return nil
}

// overviewParts reads what stands beside the steps of one that lives. What the target does not tell is left out: the page says already that it does not answer.
func (v *visit) overviewParts(o *overviewView) error {
	objects, err := v.api.ListEnvironmentObjects(v.ctx, o.ID)
	if err != nil {
		return err
	}
	if o.Components, err = v.components(o, objects.Items); err != nil {
		return err
	}
	if !o.Environment.Drift.Since.IsZero() {
		if d, err := v.api.GetEnvironmentDrift(v.ctx, o.ID); err == nil {
			o.Drift = &d
		}
	}
	holds, err := v.api.ListEnvironmentHolds(v.ctx, o.ID)
	if err != nil {
		return err
	}
	o.Holds = holds.Items
	if !o.Environment.Sleep.Since.IsZero() {
		ledger, err := v.api.ListEnvironmentWakes(v.ctx, o.ID, sdk.WakeWindow{Limit: 5})
		if err != nil {
			return err
		}
		o.Wakes = ledger.Items
	}
	if o.Kind == "preview" && v.may(o.Project, blueberry.GrantRepositoriesRead) {
		list, err := v.api.ListPulls(v.ctx, sdk.PullFilter{Project: o.Project, Limit: 100})
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(list.Items, func(p sdk.PullRequest) bool { return p.EnvironmentID == o.ID }); i >= 0 {
			o.Pull = &list.Items[i]
		}
	}
	return nil
}

func (v *visit) components(o *overviewView, objects []sdk.Object) ([]componentView, error) {
	var out []componentView
	find := func(name string) *componentView {
		i := slices.IndexFunc(out, func(c componentView) bool { return c.Name == name })
		if i < 0 {
			out = append(out, componentView{Name: name})
			i = len(out) - 1
		}
		return &out[i]
	}
	for _, x := range objects {
		if x.Component != "" && x.GoneAt.IsZero() && x.Wave >= 0 {
			find(x.Component).Wave = x.Wave
		}
	}
	var containers []sdk.Container
	containers, o.NoPods = v.containers(o.environmentView)
	for _, x := range containers {
		c := find(x.Component)
		c.Containers = append(c.Containers, x)
	}
	answers := o.WhyProblem == "" && (o.NoPods == "" || !o.MayLogs)
	if answers && o.Phase != sdk.Sleeping {
		ctx, cancel := v.elsewhere()
		defer cancel()
		if usage, err := v.api.ListEnvironmentUsage(ctx, o.ID); err == nil { // a target need not measure
			for _, x := range usage.Items {
				c := find(x.Component)
				c.Usage = append(c.Usage, x)
			}
		}
	}
	for _, x := range o.Why.Causes {
		if x.Component != "" && x.Severity == "failure" {
			find(x.Component).Causes++
		}
	}
	slices.SortStableFunc(out, func(a, b componentView) int {
		if a.Wave != b.Wave {
			return a.Wave - b.Wave
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, nil
}

// bar is where one step lies in the time of all of them, in parts of a hundred.
type bar struct{ X, Width, Budget float64 }

// bars lays the steps out over the time from the first begin to the last end.
func bars(steps []sdk.Step) []bar {
	var first, last time.Time
	for _, s := range steps {
		if s.Began.IsZero() {
			continue
		}
		if first.IsZero() || s.Began.Before(first) {
			first = s.Began
		}
		if end := s.Began.Add(time.Duration(s.TookMS) * time.Millisecond); end.After(last) {
			last = end
		}
	}
	out := make([]bar, len(steps))
	all := last.Sub(first).Seconds()
	if all <= 0 {
		return out
	}
	for i, s := range steps {
		if s.Began.IsZero() {
			continue
		}
		out[i].X = min(99, 100*s.Began.Sub(first).Seconds()/all)
		out[i].Width = min(100-out[i].X, max(1, 100*float64(s.TookMS)/1000/all))
		if s.BudgetMS > 0 {
			out[i].Budget = min(100-out[i].X, max(out[i].Width, 100*float64(s.BudgetMS)/1000/all))
		}
	}
	return out
}

// tenths is a number of a drawing.
func tenths(f float64) string { return fmt.Sprintf("%.1f", f) }

// qrPath is an address as the path of a drawing, with its number of squares on a side. It is empty for what cannot be drawn.
func qrPath(address string) (path string, side int) {
	code, err := qr.Encode(address, qr.M, qr.Auto)
	if err != nil {
		return "", 0
	}
	var b strings.Builder
	side = code.Bounds().Dx()
	for y := range side {
		for x := range side {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+4, y+4)
			}
		}
	}
	return b.String(), side + 8 // with the margin that readers need
}

func wakeText(w sdk.WakeEntry) string {
	if w.Asleep {
		return "fell asleep"
	}
	return "woke"
}

// usageText sums up what is used now. Amounts are told as the target gives them, so only those of one pod are shown bare.
func usageText(usage []sdk.PodUsage) string {
	if len(usage) == 0 {
		return ""
	}
	if len(usage) == 1 {
		return usage[0].CPU + " CPU, " + usage[0].Memory
	}
	var parts []string
	for _, u := range usage[:min(len(usage), 3)] {
		parts = append(parts, u.CPU+" CPU, "+u.Memory)
	}
	if n := len(usage) - 3; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(parts, "; ")
}
