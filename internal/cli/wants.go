package cli

import (
	"maps"

	"github.com/spf13/cobra"
)

// wantFlags say what goes into an environment besides its blueprint: config sets, parameters, overrides.
type wantFlags struct {
	config []string
	params paramFlag
	sets   values
	files  []string
	strict bool
}

func (w *wantFlags) flags(c *cobra.Command, s *shared) {
	w.params, w.sets = paramFlag{}, values{}
	f := c.Flags()
	f.StringSliceVar(&w.config, "config", nil, "config set to merge, as shop, shop@3 or global/logging; repeated, later ones lie above")
	f.Var(w.params, "param", "value of a parameter of the blueprint; true, false and numbers are taken as such, \"quoted\" text as text; repeatable")
	f.Var(setFlag{w.sets, typed}, "set", "one value above all others, as backend.env.LOG_LEVEL=debug or all.env[\"a.b\"]=1; true, false, null, numbers and \"quoted\" text as in YAML; repeatable")
	f.Var(setFlag{w.sets, func(text string) any { return text }}, "set-string", "as --set, always text")
	f.StringArrayVar(&w.files, "values", nil, "file of values above all others, YAML or JSON, by component; repeated, later ones and --set win; - reads the input")
	f.BoolVar(&w.strict, "strict", false, "refuse what would be dropped with a warning")
	must(c.RegisterFlagCompletionFunc("config", s.completeConfigSets))
	must(c.MarkFlagFilename("values", "yaml", "yml", "json"))
}

// given reports whether one of the flags is set that make an override.
func (w *wantFlags) given() bool { return len(w.sets) > 0 || len(w.files) > 0 }

// parameters are those that were named; nil for none.
func (w *wantFlags) parameters() map[string]any {
	if len(w.params) == 0 {
		return nil
	}
	return maps.Clone(w.params)
}

// merged gives the overrides: the files over what lies below, then what was set one by one; nil when there is none of them and nothing below.
func (w *wantFlags) merged(s *shared, below map[string]any) (map[string]any, error) {
	out := below
	for _, file := range w.files {
		tree, err := s.readValues(file)
		if err != nil {
			return nil, err
		}
		out = merge(out, tree)
	}
	if len(w.sets) > 0 {
		out = merge(out, w.sets)
	}
	return out, nil
}

// inputOnce refuses to read the input for two things.
func inputOnce(files ...string) error {
	n := 0
	for _, f := range files {
		if f == "-" {
			n++
		}
	}
	if n > 1 {
		return usageErrorf("the input can be read once: give - to one flag only")
	}
	return nil
}
