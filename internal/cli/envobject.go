package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envObjectOptions struct {
	oneEnvironment
	desired, live bool
}

func newEnvObject(s *shared) *cobra.Command {
	o := &envObjectOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "object NAME KIND/NAME", Short: "Show an object as desired and as it is",
		Long:    `Shows the manifest of an object as the desired revision has it, and as the target holds it, without managed fields and with the values of secrets hidden.`,
		Example: `  blueberry env object pr-42 deployment.apps/backend --live`, Args: exactly(2),
	}, o.run)
	c.Flags().BoolVar(&o.desired, "desired", false, "only as desired")
	c.Flags().BoolVar(&o.live, "live", false, "only as it is")
	return c
}

func (o *envObjectOptions) run(ctx context.Context, args []string) error {
	kind, name, ok := strings.Cut(args[1], "/")
	kind = strings.ToLower(kind)
	var m mistakes
	m.add(!ok || kind == "" || name == "", "%q does not name an object: KIND/NAME, as deployment/backend", args[1])
	m.add(o.desired && o.live, "--desired and --live cannot be given together: without them it shows both")
	if err := m.err(); err != nil {
		return err
	}
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	list, err := client.ListEnvironmentObjects(ctx, env.ID)
	if err != nil {
		return err
	}
	var found *sdk.Object
	for _, x := range list.Items {
		if x.Name == name && (kindOf(x) == kind || strings.ToLower(x.Kind) == kind) {
			found = &x
			break
		}
	}
	if found == nil {
		return unknownError{fmt.Errorf("%s has no %s; blueberry env objects lists what it has", refOf(env), args[1])}
	}
	object, err := client.GetEnvironmentLiveObject(ctx, env.ID, sdk.ObjectRef{APIVersion: found.APIVersion, Kind: found.Kind, Namespace: found.Namespace, Name: found.Name})
	if err != nil {
		return err
	}
	return o.print(result{value: object, names: []string{kind + "/" + name}, text: func(w io.Writer, _ bool) {
		part := func(title, text, missing string) {
			if text == "" {
				text = "# " + missing + "\n"
			}
			if !o.desired && !o.live {
				fmt.Fprintf(w, "--- # %s\n", title)
			}
			fmt.Fprint(w, plainLines(text))
		}
		if !o.live {
			part("desired", object.Desired, "the desired revision does not have it")
		}
		if !o.desired {
			part("live", object.Live, "it is not there")
		}
	}})
}

// plainLines is plainText for a text of several lines.
func plainLines(text string) string {
	out := each(strings.Split(strings.TrimRight(text, "\n"), "\n"), plainText)
	return strings.Join(out, "\n") + "\n"
}
