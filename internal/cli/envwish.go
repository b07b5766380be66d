package cli

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/blueberry-idp/blueberry/sdk"
)

// check tells what cannot be meant, before the server is asked anything.
func (o *envChangeOptions) check() error {
	alone := 0
	for _, set := range []bool{o.blueprint != "", o.from != "", o.named("path")} {
		if set {
			alone++
		}
	}
	switch {
	case alone > 1:
		return usageErrorf("--path, --blueprint and --from each name a blueprint: give one")
	case o.named("config") && (len(o.add) > 0 || len(o.drop) > 0):
		return usageErrorf("--config names the whole list, --add-config and --drop-config alter it: give one or the other")
	case o.replace && len(o.unset) > 0:
		return usageErrorf("--replace-values takes every override away; --unset is too much")
	case !o.source() && o.blueprint == "" && o.from == "" && !o.lists() && !o.values() && len(o.params) == 0 && !o.refresh && !o.named("branch") && len(o.images) == 0:
		return usageErrorf("name what is to change, as --ref, --config or --set")
	}
	for _, path := range o.unset {
		if _, err := splitPath(path); err != nil {
			return usageError{fmt.Errorf("--unset: %w", err)}
		}
	}
	return inputOnce(append(o.files, o.blueprint)...)
}

func (o *envChangeOptions) source() bool {
	return o.named("repo") || o.named("ref") || o.named("path")
}

// ifNamed is the value of a flag that was given, though it may be empty.
func (o *envChangeOptions) ifNamed(flag string, value *string) *string {
	if !o.named(flag) {
		return nil
	}
	return value
}

func (o *envChangeOptions) lists() bool {
	return o.named("config") || len(o.add) > 0 || len(o.drop) > 0
}

func (o *envChangeOptions) values() bool {
	return o.given() || len(o.unset) > 0 || o.replace
}

// wish makes of the flags what is asked of the server. Where they alter what the environment has, that is read first.
func (o *envChangeOptions) wish(ctx context.Context, client *sdk.Client, env sdk.Environment) (*wish, error) {
	w := &wish{r: sdk.ChangeEnvironmentRequest{Parameters: o.parameters(), Strict: o.strict, Reason: o.reason, Refresh: o.refresh}}
	if o.source() {
		w.r.Source = &sdk.SourceChange{Repository: o.ifNamed("repo", &o.repo), Ref: o.ifNamed("ref", &o.ref), Path: o.ifNamed("path", &o.path)}
	}
	if o.from != "" {
		w.r.BlueprintRef = &o.from
	}
	w.r.Branch = o.ifNamed("branch", &o.branch)
	var err error
	if o.blueprint != "" {
		if w.r.Blueprint, err = o.readBlueprint(o.blueprint); err != nil {
			return nil, err
		}
	}
	var has sdk.Revision
	if len(o.add) > 0 || len(o.drop) > 0 || o.values() && !o.replace || len(o.images) > 0 {
		if has, err = client.GetEnvironmentRevision(ctx, env.ID, env.Revision); err != nil {
			return nil, err
		}
		w.base = has.Number
	}
	if w.r.ConfigSets, err = o.configSets(has.ConfigSets); err != nil {
		return nil, err
	}
	w.r.Images = o.images.over(has.Images)
	if o.values() {
		w.r.Overrides, err = o.overrides(has.Overrides)
	}
	return w, err
}

// configSets is the list of references that the request names; nil leaves it as it is.
func (o *envChangeOptions) configSets(has []sdk.ConfigUse) ([]string, error) {
	if !o.lists() {
		return nil, nil
	}
	if o.named("config") {
		return slices.DeleteFunc(append([]string{}, o.config...), func(ref string) bool { return ref == "" }), nil
	}
	out := []string{}
	for _, use := range has {
		if !use.Default {
			out = append(out, use.Ref)
		}
	}
	for _, ref := range o.drop {
		n := len(out)
		out = slices.DeleteFunc(out, func(x string) bool { return x == ref || withoutVersion(x) == ref })
		if len(out) == n {
			return nil, refusedError{fmt.Errorf("config set %s is not one of those that the environment names", ref)}
		}
	}
	for _, ref := range o.add {
		i := slices.IndexFunc(out, func(x string) bool { return withoutVersion(x) == withoutVersion(ref) })
		if i < 0 {
			out = append(out, ref)
		} else {
			out[i] = ref
		}
	}
	return out, nil
}

// overrides gives all overrides that the environment is to have.
func (o *envChangeOptions) overrides(has map[string]any) (map[string]any, error) {
	below := map[string]any{}
	if !o.replace {
		if at, inexact := inexactNumber("", has); inexact {
			return nil, refusedError{fmt.Errorf("the override %s is a number too large to be read exactly here; give all overrides with --replace-values", at)}
		}
		below = merge(nil, has)
	}
	for _, path := range o.unset {
		keys, err := splitPath(path)
		if err != nil {
			return nil, usageError{err}
		}
		var found bool
		if below, found = without(below, keys); !found {
			return nil, refusedError{fmt.Errorf("the environment has no override at %s", path)}
		}
	}
	return o.merged(o.shared, below)
}

// maxExact is the largest whole number that JSON brings here unaltered.
const maxExact = 1 << 53

// inexactNumber finds a number that may not be what the server said.
func inexactNumber(at string, v any) (string, bool) {
	switch v := v.(type) {
	case float64:
		return at, v == math.Trunc(v) && math.Abs(v) > maxExact
	case map[string]any:
		for key, below := range v {
			if where, found := inexactNumber(joinPath(at, key), below); found {
				return where, true
			}
		}
	case []any:
		for i, below := range v {
			if where, found := inexactNumber(fmt.Sprintf("%s[%d]", at, i), below); found {
				return where, true
			}
		}
	}
	return "", false
}
