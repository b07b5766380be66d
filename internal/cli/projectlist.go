package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type projectListOptions struct {
	*shared
	limitFlags
	search string
}

func newProjectList(s *shared) *cobra.Command {
	o := &projectListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List projects, and what they use", Aliases: []string{"ls"},
		Long:    `Lists every project with what its environments use and, behind a slash, the limits of its quota.`,
		Example: `  blueberry project list -o wide`,
		Args:    exactly(0),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().StringVar(&o.search, "search", "", "only with this text in the name")
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *projectListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListProjects(ctx)
	if err != nil {
		return err
	}
	projects := cut(o.shared, o.limitFlags, slices.DeleteFunc(found.Items, func(p sdk.Project) bool { return !strings.Contains(p.Name, o.search) }))
	names := each(projects, func(p sdk.Project) string { return p.Name })
	return o.print(result{value: projects, names: names, table: func(wide bool) table {
		t := table{head: []string{"NAME", "ENVIRONMENTS", "CPU", "MEMORY", "PODS", "STORAGE"}, empty: "no projects"}
		if wide {
			t.head = append(t.head, "CREATED")
		}
		for _, p := range projects {
			row := []cell{plainCell(p.Name)}
			for _, r := range resources(p.Used, p.Quota.Limits) {
				text := r.used
				if r.limit != "" {
					text += "/" + r.limit
				}
				row = append(row, plainCell(text))
			}
			if wide {
				row = append(row, plainCell(exact(p.CreatedAt)))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// resource is what is used of something, and how much may be.
type resource struct {
	name, used, limit string // a limit that is empty is none
}

func resources(u sdk.Usage, l sdk.Limits) []resource {
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	return []resource{
		{"environments", strconv.FormatInt(u.Environments, 10), number(l.Environments)},
		{"cpu", first(u.CPU, "0"), l.CPU},
		{"memory", first(u.Memory, "0"), l.Memory},
		{"pods", strconv.FormatInt(u.Pods, 10), number(l.Pods)},
		{"storage", first(u.Storage, "0"), l.Storage},
	}
}
