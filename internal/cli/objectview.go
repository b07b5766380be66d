package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// objectName is an object as policies and people name it: "Deployment.apps default-pr-42/backend".
func objectName(o sdk.ObjectDiff) string {
	kind := o.Kind
	if group, _, ok := strings.Cut(o.APIVersion, "/"); ok {
		kind += "." + group
	}
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + name
	}
	return plainText(kind + " " + name)
}

// objects adds what becomes of each object, field by field.
func (p *picture) objects(objects []sdk.ObjectDiff) {
	if len(objects) == 0 {
		return
	}
	p.section("Objects: %s", countActions(objects))
	for _, o := range objects {
		p.object(o)
	}
	p.rest()
}

func countActions(objects []sdk.ObjectDiff) string {
	n, refused := map[string]int{}, 0
	for _, o := range objects {
		n[o.Action]++
		if o.Refused {
			refused++
		}
	}
	var parts []string
	for _, action := range []string{"create", "update", "delete"} {
		if n[action] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", n[action], action))
		}
	}
	if refused > 0 {
		parts = append(parts, fmt.Sprintf("%d refused", refused))
	}
	return strings.Join(parts, ", ")
}

func (p *picture) object(o sdk.ObjectDiff) {
	mark, c := "=", grey
	switch o.Action {
	case "create":
		mark, c = "+", green
	case "update":
		mark, c = "~", yellow
	case "delete":
		mark, c = "-", red
	}
	p.line("%s", p.paint(c, mark+" "+objectName(o)))
	switch {
	case o.Refused:
		p.words(red, "    ", "refused: "+first(o.Note, "the target gives no reason"))
	case o.Note != "":
		p.words(grey, "    ", o.Note)
	}
	for _, f := range o.Fields {
		if f.Path == "" && !p.wide {
			continue // the whole of an object that is new or goes: its headline says so
		}
		before, after := fieldSides(f)
		p.became(f.Path, before, after, "")
	}
}

// fieldSides gives the two sides of a field; nil for one that is not there.
func fieldSides(f sdk.FieldDiff) (before, after *shown) {
	if f.Op != "add" {
		before = show(f.Before)
	}
	if f.Op != "remove" {
		after = show(f.After)
	}
	return before, after
}

// driftObjects adds what differs on the target: desired → live, by whom, since when.
func (p *picture) driftObjects(now time.Time, objects []sdk.ObjectDiff) {
	for _, o := range objects {
		switch o.Action {
		case "create":
			p.line("%s", p.paint(red, "- "+objectName(o)+" is missing"))
		case "delete":
			p.line("%s", p.paint(green, "+ "+objectName(o)+" is there and not desired"))
		default:
			p.line("%s", p.paint(yellow, "~ "+objectName(o)))
		}
		if o.Note != "" {
			p.words(grey, "    ", o.Note)
		}
		for _, f := range o.Fields {
			if f.Path == "" && !p.wide {
				continue
			}
			before, after := fieldSides(f)
			p.became(f.Path, before, after, writer(now, f, p.wide))
		}
	}
	p.rest()
}

// writer says who wrote a field on the target, and when.
func writer(now time.Time, f sdk.FieldDiff, wide bool) string {
	if f.Manager == "" {
		return ""
	}
	text := "by " + f.Manager
	switch {
	case f.Since.IsZero():
	case wide:
		text += ", " + exact(f.Since)
	default:
		text += ", " + relative(now, f.Since)
	}
	return text
}
