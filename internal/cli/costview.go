package cli

import (
	"fmt"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// costText says what an environment costs, in one line.
func costText(e sdk.Environment) string {
	c := e.Cost
	var parts []string
	switch {
	case e.Phase == sdk.Terminated:
		return fmt.Sprintf("%s %s in all", sdk.CentsText(c.SoFar), c.Currency)
	case c.PerHour == "":
		parts = append(parts, "no prices are set now")
	case e.Phase == sdk.Sleeping:
		parts = append(parts, fmt.Sprintf("%s %s an hour asleep, %s awake", c.PerHour, c.Currency, c.PerHourAwake))
	default:
		parts = append(parts, fmt.Sprintf("%s %s an hour", c.PerHour, c.Currency))
	}
	parts = append(parts, fmt.Sprintf("%s %s so far", sdk.CentsText(c.SoFar), c.Currency))
	if c.PerHour != "" && c.ToLeaseEnd != "" {
		parts = append(parts, fmt.Sprintf("%s more until the lease ends", sdk.CentsText(c.ToLeaseEnd)))
	}
	return strings.Join(parts, ", ")
}

// costTable is what the cost of an environment is the sum of.
func costTable(c sdk.Cost) table {
	t := table{head: []string{"COMPONENT", "PODS", "CPU", "MEMORY", "STORAGE", "AN HOUR", "ASLEEP", "SO FAR " + c.Currency}, empty: "nothing is counted"}
	for _, p := range c.Parts {
		t.rows = append(t.rows, append(askedCells(p), plainCell(p.Hour), plainCell(p.HourAsleep), plainCell(p.SoFar)))
	}
	return t
}

// askedCells are what a component asks for.
func askedCells(p sdk.CostPart) []cell {
	pods := "-"
	if p.Pods > 0 {
		pods = fmt.Sprint(p.Pods)
	}
	return []cell{plainCell(p.Component), {text: pods}, plainCell(first(p.CPU, "-")), plainCell(first(p.Memory, "-")), plainCell(first(p.Storage, "-"))}
}

// planCostText says what a plan costs, in one line.
func planCostText(plan sdk.Plan) string {
	c := plan.Cost
	text := fmt.Sprintf("%s %s an hour", c.HourAfter, c.Currency)
	switch {
	case plan.Kind == "destroy":
		return fmt.Sprintf("%s %s an hour until now, nothing then", c.HourBefore, c.Currency)
	case plan.Kind != "create" && c.HourBefore != c.HourAfter:
		change := c.HourChange
		if !strings.HasPrefix(change, "-") {
			change = "+" + change
		}
		text = fmt.Sprintf("%s → %s %s an hour (%s)", c.HourBefore, c.HourAfter, c.Currency, change)
	}
	text += fmt.Sprintf(", %s asleep", c.AsleepAfter)
	if c.ToLeaseEnd != "" {
		text += fmt.Sprintf("; at most %s until the lease ends", sdk.CentsText(c.ToLeaseEnd))
	}
	return text
}

// costs adds what the cost of a plan is the sum of.
func (p *picture) costs(plan sdk.Plan) {
	c := plan.Cost
	if c == nil || plan.Kind == "destroy" || len(c.Parts) == 0 {
		return
	}
	p.section("Cost, %s", plainText(c.Currency))
	t := table{head: []string{"COMPONENT", "PODS", "CPU", "MEMORY", "STORAGE", "AN HOUR", "ASLEEP"}}
	for _, part := range c.Parts {
		hour := part.Hour
		for _, was := range c.PartsBefore {
			if was.Component == part.Component && was.Hour != part.Hour && plan.Kind != "create" {
				hour = was.Hour + " → " + part.Hour
			}
		}
		t.rows = append(t.rows, append(askedCells(part), plainCell(hour), plainCell(part.HourAsleep)))
	}
	p.table(t)
	for _, x := range c.NotCounted {
		p.words(grey, "    ", "not counted: "+x)
	}
}
