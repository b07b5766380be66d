package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/blueberry-idp/blueberry/sdk"
)

// reference names a config set or a blueprint of the catalogue: "shop", "shop@3", "global/shop", or an id.
type reference struct {
	name    string // or id
	global  bool
	version int // 0 means the latest
}

// parseReference reads a reference; the server judges names.
func parseReference(text string) (reference, error) {
	var r reference
	name, version, versioned := strings.Cut(text, "@")
	r.name, r.global = strings.CutPrefix(name, "global/")
	if versioned && version != "latest" {
		n, err := strconv.ParseUint(version, 10, 31)
		if err != nil || n == 0 {
			return r, usageErrorf("%q is not a reference: behind the @ stands the number of a version", text)
		}
		r.version = int(n)
	}
	if r.name == "" || strings.Contains(r.name, "/") {
		return r, usageErrorf("%q is not a reference: name, name@3 or global/name", text)
	}
	return r, nil
}

// withoutVersion gives a reference that follows the latest version.
func withoutVersion(ref string) string {
	name, _, _ := strings.Cut(ref, "@")
	return name
}

// scopeFlags say whose config set or blueprint is meant.
type scopeFlags struct {
	project string
	global  bool
}

func (sc *scopeFlags) flags(f *pflag.FlagSet, thing string) {
	f.StringVar(&sc.project, "project", "", "project of the "+thing+"; else the default project")
	f.BoolVar(&sc.global, "global", false, "the "+thing+" that belongs to no project, as global/NAME")
}

func (sc *scopeFlags) parse(text string) (reference, error) {
	r, err := parseReference(text)
	r.global = r.global || sc.global
	if err == nil && r.global && sc.project != "" {
		return r, usageErrorf("what is global belongs to no project: --project is too much")
	}
	return r, err
}

// unversioned reads a reference of a whole config set or blueprint.
func (sc *scopeFlags) unversioned(text string) (reference, error) {
	r, err := sc.parse(text)
	if err == nil && strings.Contains(text, "@") {
		return r, usageErrorf("%q names one version; all of them are meant here", text)
	}
	return r, err
}

func (sc *scopeFlags) filter(r reference) sdk.CatalogueFilter {
	f := sdk.CatalogueFilter{Project: sc.project, Scope: "project", Search: r.name, Limit: maxPage}
	if r.global {
		f.Scope = "global"
	}
	return f
}

// where says, of something that was not found, where it was looked for.
func (sc *scopeFlags) where(r reference) string {
	if r.global {
		return "that is global"
	}
	return "in project " + first(sc.project, defaultProject)
}

// findConfigSet finds the config set that a reference names.
func (sc *scopeFlags) findConfigSet(ctx context.Context, client *sdk.Client, r reference) (sdk.ConfigSet, error) {
	if strings.HasPrefix(r.name, "cfg_") {
		return client.GetConfigSet(ctx, r.name)
	}
	for set, err := range client.AllConfigSets(ctx, sc.filter(r)) {
		if err != nil || set.Name == r.name {
			return set, err
		}
	}
	return sdk.ConfigSet{}, unknownError{fmt.Errorf("there is no config set %s %s", r.name, sc.where(r))}
}

// findBlueprint finds the blueprint of the catalogue that a reference names.
func (sc *scopeFlags) findBlueprint(ctx context.Context, client *sdk.Client, r reference) (sdk.CatalogueEntry, error) {
	if strings.HasPrefix(r.name, "bpt_") {
		return client.GetBlueprint(ctx, r.name)
	}
	for entry, err := range client.AllBlueprints(ctx, sc.filter(r)) {
		if err != nil || entry.Name == r.name {
			return entry, err
		}
	}
	return sdk.CatalogueEntry{}, unknownError{fmt.Errorf("there is no blueprint %s %s in the catalogue", r.name, sc.where(r))}
}

// unknownError is a refusal of this side: nothing has the name.
type unknownError struct{ err error }

func (e unknownError) Error() string { return e.err.Error() }
func (e unknownError) Unwrap() error { return refusedError(e) }

// refText writes the name of what may be global, as references name it.
func refText(global bool, name string, version int) string {
	if global {
		name = "global/" + name
	}
	if version > 0 {
		name += "@" + strconv.Itoa(version)
	}
	return name
}

// versionArg reads the number of a version or of a revision.
func versionArg(text, thing string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0, usageErrorf("%q is not the number of a %s", text, thing)
	}
	return int(n), nil
}
