package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// imageFlag collects images that CI built: component → reference, empty for one that is to go.
type imageFlag map[string]string

func (i *imageFlag) flag(f *pflag.FlagSet) {
	*i = imageFlag{}
	f.Var(i, "image", "image that CI built of the commit of a component, with its digest, as backend=ghcr.io/acme/backend@sha256:…; empty takes it away; repeatable")
}

// Set takes one.
func (i *imageFlag) Set(text string) error {
	component, image, ok := strings.Cut(text, "=")
	if !ok || component == "" {
		return usageErrorf("%q is no component with its image, as backend=ghcr.io/acme/backend@sha256:…", text)
	}
	(*i)[component] = image
	return nil
}

// String gives what was set.
func (i *imageFlag) String() string {
	if i == nil {
		return ""
	}
	var out []string
	for _, component := range slices.Sorted(maps.Keys(*i)) {
		out = append(out, component+"="+(*i)[component])
	}
	return strings.Join(out, ",")
}

// Type is what the help calls the value.
func (i *imageFlag) Type() string { return "component=image" }

// over gives the images of an environment with those that were named in place of theirs; nil when none was.
func (i *imageFlag) over(has map[string]string) map[string]string {
	if len(*i) == 0 {
		return nil
	}
	out := map[string]string{}
	maps.Copy(out, has)
	maps.Copy(out, *i)
	maps.DeleteFunc(out, func(_, image string) bool { return image == "" })
	return out
}
