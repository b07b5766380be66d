package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type repoRuleListOptions struct{ oneRepository }

func newRepoRuleList(s *shared) *cobra.Command {
	o := &repoRuleListOptions{oneRepository{shared: s}}
	return o.command(&cobra.Command{
		Use: "list NAME", Short: "List the rules of a repository", Aliases: []string{"ls"},
		Long:    `Lists which branches of a repository have environments of their own, in the order in which the rules count. NAME is a name or an id.`,
		Example: `  blueberry repo rule list acme/shop`,
	}, o.run)
}

func (o *repoRuleListOptions) run(ctx context.Context, arg string) error {
	_, r, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	return o.print(o.rulesResult(r))
}

// rulesResult is the rules of a repository.
func (s *shared) rulesResult(r sdk.Repository) result {
	return result{value: r.Rules, names: each(r.Rules, func(x sdk.BranchRule) string { return x.Branch }), table: func(wide bool) table {
		t := table{head: []string{"BRANCH", "ENVIRONMENT", "MODE", "LEASE", "WHEN GONE"}, empty: "no rules"}
		if wide {
			t.head = append(t.head, "TARGET", "BLUEPRINT", "CONFIG SETS")
		}
		for _, x := range r.Rules {
			mode, lease, gone := first(x.Mode, "automatic"), "as long as the branch", "it goes"
			if x.Off {
				mode = "off"
			}
			if x.Hours > 0 {
				lease = strconv.Itoa(x.Hours) + "h"
			}
			if x.Keep {
				gone = "it stays"
			}
			row := []cell{plainCell(x.Branch), plainCell(x.Environment), plainCell(mode), plainCell(lease), plainCell(gone)}
			if wide {
				row = append(row, plainCell(x.Target), plainCell(x.Blueprint), plainCell(strings.Join(x.ConfigSet, ", ")))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}}
}
