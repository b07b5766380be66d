package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envObjectsOptions struct {
	*shared
	project string
}

func newEnvObjects(s *shared) *cobra.Command {
	o := &envObjectsOptions{shared: s}
	c := &cobra.Command{
		Use: "objects NAME", Short: "List what was made for an environment",
		Long:              `Lists every Kubernetes object of an environment. Of one that is gone it is the receipt: each object with the time it was proven gone.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the environment")
	return c
}

func (o *envObjectsOptions) run(ctx context.Context, ref string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, true)
	if err != nil {
		return err
	}
	found, err := client.ListEnvironmentObjects(ctx, env.ID)
	if err != nil {
		return err
	}
	names := make([]string, len(found.Items))
	for i, x := range found.Items {
		names[i] = kindOf(x) + "/" + x.Name
	}
	return o.print(result{value: found.Items, names: names, table: func(wide bool) table {
		t := table{head: []string{"KIND", "NAME", "COMPONENT", "WAVE", "STATE"}, empty: "no objects"}
		if wide {
			t.head = append(t.head, "NAMESPACE", "REVISION")
		}
		for _, x := range found.Items {
			state := cell{text: "exists"}
			switch {
			case !x.GoneAt.IsZero() && wide:
				state = cell{"gone " + exact(x.GoneAt), grey}
			case !x.GoneAt.IsZero():
				state = cell{"gone " + relative(o.streams.Now(), x.GoneAt), grey}
			}
			row := []cell{plainCell(kindOf(x)), plainCell(x.Name), plainCell(x.Component), plainCell(fmt.Sprint(x.Wave)), state}
			if wide {
				row = append(row, plainCell(x.Namespace), plainCell(fmt.Sprint(x.Revision)))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// kindOf is a kind as kubectl takes it: "deployment.apps".
func kindOf(x sdk.Object) string {
	kind := strings.ToLower(x.Kind)
	if group, _, ok := strings.Cut(x.APIVersion, "/"); ok {
		kind += "." + group
	}
	return kind
}
