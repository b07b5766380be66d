package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envDiffOptions struct {
	*shared
	project string
}

func newEnvDiff(s *shared) *cobra.Command {
	o := &envDiffOptions{shared: s}
	c := &cobra.Command{
		Use: "diff NAME REVISION [REVISION]", Short: "Compare two revisions of an environment",
		Long: `Shows what differs between two revisions of an environment: what they are made of, their effective values with what set them, and their objects field by field. With one revision it is compared with the one that is desired now.`,
		Example: `  blueberry env diff pr-42 3 5
  blueberry env diff pr-42 3 -o json`,
		Args:              between(2, 3),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the environment")
	return c
}

func (o *envDiffOptions) run(ctx context.Context, args []string) error {
	from, err := versionArg(args[1], "revision")
	if err != nil {
		return err
	}
	to := 0
	if len(args) == 3 {
		if to, err = versionArg(args[2], "revision"); err != nil {
			return err
		}
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, args[0], true)
	if err != nil {
		return err
	}
	if to == 0 {
		to = env.Revision
	}
	diff, err := client.DiffEnvironmentRevisions(ctx, env.ID, from, to)
	if err != nil {
		return err
	}
	names := each(diff.Objects, objectName)
	return o.print(result{value: diff, names: names, text: func(w io.Writer, wide bool) {
		p := o.picture(wide)
		p.revisions(refOf(env), diff)
		p.print(w)
	}})
}

// revisions adds what differs between two revisions.
func (p *picture) revisions(name string, diff sdk.RevisionDiff) {
	text := fmt.Sprintf("%s, revision %d → %d", plainText(name), diff.From.Number, diff.To.Number)
	if len(diff.Inputs)+len(diff.Config)+len(diff.Objects) == 0 {
		p.line("%s: no difference", text)
		return
	}
	p.line("%s", text)
	p.inputChanges(diff.Inputs)
	p.settings(diff.Config)
	p.objects(diff.Objects)
}

func (p *picture) inputChanges(changes []sdk.InputChange) {
	if len(changes) == 0 {
		return
	}
	p.section("Inputs: %s", count(len(changes), "change"))
	for _, c := range changes {
		p.became(inputName(c.Kind, c.Name), p.inputValue(c.Kind, c.Before), p.inputValue(c.Kind, c.After), "")
	}
	p.rest()
}

// inputValue shows a value of an input; nil for none.
func (p *picture) inputValue(kind, value string) *shown {
	switch {
	case value == "":
		return nil
	case kind == "commit":
		return word(plainText(shortCommit(value, p.wide)))
	case strings.HasPrefix(value, digestPrefix):
		return word(plainText(digestPrefix + shortCommit(strings.TrimPrefix(value, digestPrefix), p.wide)))
	}
	return word(plainText(value))
}

const digestPrefix = "sha256:"

// inputName is an input as people name it: "config set shop".
func inputName(kind, name string) string {
	if kind == "config_set" {
		kind = "config set"
	}
	if name == "" {
		return kind
	}
	return kind + " " + name
}
