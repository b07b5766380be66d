package cli

import (
	"fmt"

	"github.com/blueberry-idp/blueberry/sdk"
)

// originText names the layer that set a value: "config set shop@4".
func originText(o sdk.Origin) string {
	name := o.Name
	if o.Version > 0 {
		name = fmt.Sprintf("%s@%d", name, o.Version)
	}
	if name != "" {
		name = " " + name
	}
	switch o.Layer {
	case "config_set":
		return "config set" + name
	case "environment":
		if name == "" {
			return "override"
		}
		return "parameter" + name
	case "build":
		return "built by CI" + commitText(o.Commit)
	case "computed":
		return "computed by the platform"
	case "blueprint":
		return blueprintOrigin(o)
	}
	return o.Layer + name
}

// blueprintOrigin says which version of the catalogue it was, and which parameter or file of the blueprint.
func blueprintOrigin(o sdk.Origin) string {
	text := "blueprint"
	if o.Version > 0 {
		text += fmt.Sprintf(" version %d", o.Version)
	}
	if o.Name != "" {
		text += ", " + o.Name
	}
	return text
}

// fullOrigin also says who made it, and in which commit.
func fullOrigin(o sdk.Origin, wide bool) string {
	text := originText(o)
	if o.Author != "" {
		text += ", by " + o.Author
	}
	if o.Commit != "" {
		text += ", commit " + shortCommit(o.Commit, wide)
	}
	return text
}

// shortCommit is a commit as people write it.
func shortCommit(commit string, wide bool) string {
	if wide {
		return commit
	}
	return commit[:min(12, len(commit))]
}

// settings adds effective values that differ, with what set those that hold then.
func (p *picture) settings(changes []sdk.SettingChange) {
	if len(changes) == 0 {
		return
	}
	p.section("Config: %s", count(len(changes), "value"))
	p.settingLines(changes)
}

func (p *picture) settingLines(changes []sdk.SettingChange) {
	for _, c := range changes {
		before, after := settingSide(c.Before), settingSide(c.After)
		from := ""
		switch {
		case c.After != nil:
			from = originText(c.After.Origin)
		case c.Before != nil:
			from = originText(c.Before.Origin)
		}
		p.became(c.Path, before, after, from)
	}
	p.rest()
}

func settingSide(v *sdk.SettingValue) *shown {
	switch {
	case v == nil:
		return nil
	case v.Deleted:
		return word("deleted")
	}
	return show(v.Value)
}

// count is a number of things: "1 value", "2 values".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// commitText names the commit that something was built of, if it is known.
func commitText(commit string) string {
	if commit == "" {
		return ""
	}
	return fmt.Sprintf(" of %.12s", commit)
}
