package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envTopOptions struct{ oneEnvironment }

func newEnvTop(s *shared) *cobra.Command {
	o := &envTopOptions{oneEnvironment{shared: s}}
	return o.command(&cobra.Command{
		Use: "top NAME", Short: "Show what the pods of an environment use", Long: `Shows what each pod uses, beside what it asked for and what it may use at most. The cluster needs a metrics-server.`,
	}, o.run)
}

func (o *envTopOptions) run(ctx context.Context, args []string) error {
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	found, err := client.ListEnvironmentUsage(ctx, env.ID)
	if err != nil {
		return err
	}
	return o.print(result{value: found.Items, names: each(found.Items, func(u sdk.PodUsage) string { return u.Pod }), table: func(wide bool) table {
		t := table{head: []string{"COMPONENT", "POD", "CPU", "REQUEST", "LIMIT", "MEMORY", "REQUEST", "LIMIT"}, empty: "no pods"}
		if wide {
			t.head = append(t.head, "MEASURED")
		}
		for _, u := range found.Items {
			row := []cell{
				plainCell(u.Component), plainCell(u.Pod), plainCell(u.CPU), plainCell(u.CPURequest), plainCell(u.CPULimit), plainCell(u.Memory), plainCell(u.MemoryRequest),
				plainCell(u.MemoryLimit),
			}
			if wide {
				row = append(row, plainCell(exact(u.At)))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}
