package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type versionOptions struct {
	*shared
	clientOnly bool
}

func newVersion(s *shared) *cobra.Command {
	o := &versionOptions{shared: s}
	c := &cobra.Command{
		Use: "version", Short: "Show the versions of this program and of the server",
		Long: `Shows the version of this program and, if there is a server that lets it in, of the server.`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVar(&o.clientOnly, "client", false, "do not ask the server")
	return c
}

// versions is what the command prints.
type versions struct {
	Client string       `json:"client"`
	Server *sdk.Version `json:"server,omitempty"`
}

func (o *versionOptions) run(ctx context.Context) error {
	v := versions{Client: o.version}
	var asked error
	if !o.clientOnly {
		v.Server, asked = o.ask(ctx)
	}
	err := o.print(result{value: v, names: []string{v.Client}, text: func(w io.Writer, _ bool) {
		fmt.Fprintf(w, "client %s\n", v.Client)
		if v.Server != nil {
			fmt.Fprintf(w, "server %s, API %s\n", plainText(v.Server.Version), plainText(v.Server.API))
		}
	}})
	return errors.Join(err, asked)
}

func (o *versionOptions) ask(ctx context.Context) (*sdk.Version, error) {
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	server, err := client.GetVersion(ctx)
	if err != nil {
		return nil, err
	}
	return &server, nil
}
