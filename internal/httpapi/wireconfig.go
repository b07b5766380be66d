package httpapi

import (
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/sdk"
)

func wireOrigin(o blueberry.Origin) sdk.Origin {
	return sdk.Origin{Layer: string(o.Layer), Name: o.Name, Version: o.Version, Author: o.Author, Commit: o.Commit}
}

func wireSetting(s blueberry.Setting) sdk.Setting {
	return sdk.Setting{
		Path: s.Path, Value: s.Value, Deleted: s.Deleted, Origin: wireOrigin(s.Origin),
		Shadows: list(s.Shadows, func(x blueberry.Shadow) sdk.Shadow { return sdk.Shadow{Value: x.Value, Origin: wireOrigin(x.Origin)} }),
	}
}

func wireSettingChange(c blueberry.SettingChange) sdk.SettingChange {
	return sdk.SettingChange{Path: c.Path, Before: wireSettingValue(c.Before), After: wireSettingValue(c.After)}
}

func wireSettingValue(s *blueberry.Setting) *sdk.SettingValue {
	if s == nil {
		return nil
	}
	return &sdk.SettingValue{Value: s.Value, Deleted: s.Deleted, Origin: wireOrigin(s.Origin)}
}

// settingsAt gives the settings at a path and below it, and the one that the path leads into.
func settingsAt(settings []blueberry.Setting, path []string) []blueberry.Setting {
	if len(path) == 0 {
		return settings
	}
	var out []blueberry.Setting
	for _, s := range settings {
		keys, ok := blueberry.SplitPath(s.Path)
		if n := min(len(keys), len(path)); ok && slices.Equal(keys[:n], path[:n]) {
			out = append(out, s)
		}
	}
	return out
}

// tree makes of settings the values that they are the leaves of.
func tree(settings []blueberry.Setting) map[string]any {
	out := map[string]any{}
	for _, s := range settings {
		keys, ok := blueberry.SplitPath(s.Path)
		if !ok || s.Deleted {
			continue
		}
		at := out
		for _, key := range keys[:len(keys)-1] {
			below, ok := at[key].(map[string]any)
			if !ok {
				below = map[string]any{}
				at[key] = below
			}
			at = below
		}
		at[keys[len(keys)-1]] = s.Value
	}
	return out
}

func wireConfigSet(s blueberry.ConfigSet) sdk.ConfigSet {
	return sdk.ConfigSet{
		ID: s.ID, Project: s.Project, Global: s.Project == "", Name: s.Name, Latest: s.Latest, CreatedAt: instant(s.CreatedAt), UpdatedAt: instant(s.UpdatedAt),
		Version: s.Version,
	}
}

func wireConfigVersion(v blueberry.ConfigVersion) sdk.ConfigVersion {
	return sdk.ConfigVersion{
		ConfigSetID: v.SetID, Number: v.Number, Author: v.Author, Message: v.Message, Source: wireSource(v.Source), RestoredFrom: v.RestoredFrom,
		Content: string(v.Content), Digest: v.Digest, Values: v.Values, Public: v.Public, CreatedAt: instant(v.CreatedAt),
	}
}

func wireConfigEdited(e catalog.ConfigEdited) sdk.EditedConfigSet {
	return sdk.EditedConfigSet{ConfigSet: wireConfigSet(e.Set), Version: wireConfigVersion(e.Version), Unchanged: e.Unchanged}
}

func wireConfigDiff(d catalog.ConfigDiff) sdk.ConfigDiff {
	out := sdk.ConfigDiff{To: wireConfigVersion(d.To), Changes: list(d.Settings, wireSettingChange)}
	if d.From.Number > 0 {
		from := wireConfigVersion(d.From)
		out.From = &from
	}
	return out
}

func wireUse(u blueberry.ConfigUser) sdk.EnvironmentUse {
	return sdk.EnvironmentUse{
		EnvironmentID: u.EnvironmentID, Project: u.Project, Name: u.Name, Phase: sdk.Phase(u.Phase), Revision: u.Revision, Number: u.Number, Follows: u.Follow,
	}
}

func wireUses(u catalog.Users) sdk.EnvironmentUseList {
	return sdk.EnvironmentUseList{Items: list(u.Items, wireUse), Hidden: u.Hidden}
}

func wireImpact(i catalog.Impact) sdk.ConfigImpact {
	return sdk.ConfigImpact{
		ConfigSet: wireConfigSet(i.Set), Total: i.Total, Hidden: i.Hidden, Change: i.Change, NextCursor: i.Next,
		Groups: list(i.Groups, func(g catalog.ImpactGroup) sdk.ImpactGroup {
			return sdk.ImpactGroup{
				Environments: g.Environments, Example: wireUse(g.Example), Settings: list(g.Settings, wireSettingChange),
				Objects: list(g.Objects, wireObjectDiff), Note: g.Note, Faults: list(g.Faults, wireFault), Warnings: list(g.Warnings, wireWarning),
			}
		}),
		Items: list(i.Page, func(e catalog.ImpactedEnvironment) sdk.ImpactedEnvironment {
			return sdk.ImpactedEnvironment{EnvironmentUse: wireUse(e.ConfigUser), Group: e.Group, Pins: e.Pins}
		}),
	}
}

func wireCatalogueEntry(e blueberry.CatalogueEntry) sdk.CatalogueEntry {
	return sdk.CatalogueEntry{
		ID: e.ID, Project: e.Project, Global: e.Project == "", Name: e.Name, Description: e.Description, Latest: e.Latest, CreatedAt: instant(e.CreatedAt),
		UpdatedAt: instant(e.UpdatedAt), Version: e.Version,
	}
}

// wireCatalogueVersion leaves out the blueprint of one that was read without.
func wireCatalogueVersion(v blueberry.CatalogueVersion) sdk.CatalogueVersion {
	out := sdk.CatalogueVersion{
		BlueprintID: v.EntryID, Number: v.Number, Author: v.Author, Message: v.Message, Source: wireSource(v.Source), Content: string(v.Content),
		Digest: v.Digest, CreatedAt: instant(v.CreatedAt),
	}
	if v.Blueprint.Name != "" {
		b := wireBlueprint(v.Blueprint)
		out.Blueprint = &b
	}
	return out
}

func wirePolicy(p blueberry.Policy) sdk.Policy {
	return sdk.Policy{
		ID: p.ID, Project: p.Project, Installation: p.Project == "", Name: p.Name, Text: p.Text, Author: p.Author, CreatedAt: instant(p.CreatedAt),
		UpdatedAt: instant(p.UpdatedAt), Version: p.Version,
	}
}
