package console

import (
	"fmt"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// askedText is what a component asks for: "2 pods · 500m CPU · 1Gi memory · 10Gi of volumes".
func askedText(p sdk.CostPart) string {
	var parts []string
	switch {
	case p.Pods == 1:
		parts = append(parts, "1 pod")
	case p.Pods > 1:
		parts = append(parts, fmt.Sprintf("%d pods", p.Pods))
	}
	for _, x := range []struct{ amount, of string }{{p.CPU, "CPU"}, {p.Memory, "memory"}, {p.Storage, "of volumes"}} {
		if x.amount != "" {
			parts = append(parts, x.amount+" "+x.of)
		}
	}
	if len(parts) == 0 {
		return "gone"
	}
	return strings.Join(parts, " · ")
}

// soFarText is what an environment cost, with what is to come.
func soFarText(e sdk.Environment) string {
	c := e.Cost
	if e.Phase == sdk.Terminated {
		return sdk.CentsText(c.SoFar) + " " + c.Currency + " in all"
	}
	text := sdk.CentsText(c.SoFar) + " " + c.Currency + " so far"
	if c.PerHour != "" && c.ToLeaseEnd != "" {
		text += ", " + sdk.CentsText(c.ToLeaseEnd) + " more until the lease ends"
	}
	return text
}

// unpricedText says for how long no prices held; empty for never.
func unpricedText(c *sdk.Cost) string {
	switch hours := c.UnpricedSeconds / 3600; {
	case c.UnpricedSeconds < 60:
		return ""
	case hours == 0:
		return fmt.Sprintf("For %d minutes of that no prices were set; they are in no figure.", c.UnpricedSeconds/60)
	default:
		return fmt.Sprintf("For %d hours of that no prices were set; they are in no figure.", hours)
	}
}

// hourText is what a plan makes of the cost of an hour.
func hourText(p *sdk.Plan) string {
	c := p.Cost
	switch {
	case p.Kind == "destroy":
		return fmt.Sprintf("%s %s an hour until now, nothing then", c.HourBefore, c.Currency)
	case p.Kind == "create" || c.HourBefore == c.HourAfter:
		return fmt.Sprintf("%s %s an hour", c.HourAfter, c.Currency)
	}
	return fmt.Sprintf("%s → %s %s an hour", c.HourBefore, c.HourAfter, c.Currency)
}

// changeText is by how much the cost of an hour moves: "+0.06"; empty when it does not.
func changeText(p *sdk.Plan) string {
	switch c := p.Cost; {
	case p.Kind == "create" || p.Kind == "destroy" || c.HourBefore == c.HourAfter:
		return ""
	case strings.HasPrefix(c.HourChange, "-"):
		return c.HourChange
	default:
		return "+" + c.HourChange
	}
}

// partBefore is the cost of an hour that a component had before a change; "–" for one that is new.
func partBefore(c *sdk.PlanCost, component string) string {
	for _, p := range c.PartsBefore {
		if p.Component == component {
			return p.Hour
		}
	}
	return "–"
}

// partsGone are the components that a change takes away.
func partsGone(c *sdk.PlanCost) (out []sdk.CostPart) {
	for _, was := range c.PartsBefore {
		there := false
		for _, p := range c.Parts {
			there = there || p.Component == was.Component
		}
		if !there {
			out = append(out, was)
		}
	}
	return out
}
