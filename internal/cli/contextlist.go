package cli

import "github.com/spf13/cobra"

type contextListOptions struct{ *shared }

func newContextList(s *shared) *cobra.Command {
	o := &contextListOptions{s}
	return &cobra.Command{
		Use: "list", Short: "List contexts", Aliases: []string{"ls"},
		Long: `Lists the servers that one has logged in at.`,
		Args: exactly(0),
		RunE: func(*cobra.Command, []string) error { return o.run() },
	}
}

// shownContext is a context as it is printed.
type shownContext struct {
	serverContext
	Current bool `json:"current"`
}

func (o *contextListOptions) run() error {
	all, err := o.contexts()
	if err != nil {
		return err
	}
	shown := each(all.Contexts, func(x serverContext) shownContext { return shownContext{x, x.Name == all.Current} })
	return o.print(result{value: shown, names: each(shown, func(x shownContext) string { return x.Name }), table: func(wide bool) table {
		t := table{head: []string{"NAME", "SERVER", "USER", "CURRENT"}, empty: "no contexts: blueberry login makes one"}
		if wide {
			t.head = append(t.head, "CREDENTIAL")
		}
		for _, x := range shown {
			row := []cell{plainCell(x.Name), plainCell(x.Server), plainCell(x.User), yesNo(x.Current)}
			if wide {
				row = append(row, plainCell(x.Store))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// completeContexts gives the names of contexts.
func (s *shared) completeContexts(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all, err := s.contexts()
	if err != nil || len(args) > 0 && c.Parent() != nil && c.Parent().Name() == "context" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return each(all.Contexts, func(x serverContext) cobra.Completion { return cobra.CompletionWithDesc(x.Name, x.Server) }), cobra.ShellCompDirectiveNoFileComp
}

// contextOf is the context of an argument, else the one that counts.
func (s *shared) contextOf(args []string) (serverContext, error) {
	if len(args) > 0 {
		s.context = args[0]
	}
	x, err := s.chosenContext()
	switch {
	case err != nil:
		return serverContext{}, err
	case x == nil:
		return serverContext{}, usageErrorf("there is no current context: blueberry login makes one")
	}
	return *x, nil
}
