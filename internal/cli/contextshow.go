package cli

import (
	"io"

	"github.com/spf13/cobra"
)

type contextShowOptions struct{ *shared }

func newContextShow(s *shared) *cobra.Command {
	o := &contextShowOptions{s}
	return &cobra.Command{
		Use: "show [NAME]", Short: "Show a context, else the one that counts",
		Args:              atMost(1),
		ValidArgsFunction: s.completeContexts,
		RunE:              func(_ *cobra.Command, args []string) error { return o.run(args) },
	}
}

func (o *contextShowOptions) run(args []string) error {
	x, err := o.contextOf(args)
	if err != nil {
		return err
	}
	return o.print(result{value: x, names: []string{x.Name}, text: func(w io.Writer, _ bool) {
		var f facts
		f.add("name", x.Name)
		f.add("server", x.Server)
		f.add("user", x.User)
		f.add("credential", map[string]string{inKeyring: "in the keyring", inFile: "in " + o.credentialFile(x.Key), "": "none: nobody is logged in"}[x.Store])
		f.print(w)
	}})
}
