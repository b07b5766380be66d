package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type targetGetOptions struct{ *shared }

func newTargetGet(s *shared) *cobra.Command {
	o := &targetGetOptions{s}
	return &cobra.Command{
		Use: "get NAME", Short: "Show a target, and what its environments use", Args: exactly(1), ValidArgsFunction: s.completeTargets,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *targetGetOptions) run(ctx context.Context, name string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	t, err := client.GetTarget(ctx, name)
	if err != nil {
		return err
	}
	return o.print(o.targetResult(t))
}

func (s *shared) targetResult(t sdk.Target) result {
	return result{value: t, names: []string{t.Name}, text: func(w io.Writer, _ bool) {
		line := func(name, value string) {
			if value != "" {
				fmt.Fprintf(w, "%-12s %s\n", name, plainText(value))
			}
		}
		line("name", t.Name)
		line("driver", t.Driver)
		line("domain", t.Domain)
		line("region", t.Region)
		state := t.State
		if t.Reason != "" {
			state += ": " + t.Reason
		}
		line("state", state)
		reachable := "yes"
		if !t.Reachable {
			reachable = "no: " + t.Message
		}
		line("reachable", reachable)
		line("server", first(t.Server, t.KubeconfigFile))
		line("gateway", t.Gateway)
		line("argo cd", t.Argo.Namespace)
		line("repository", t.Argo.Repository)
		line("destination", t.Argo.Destination)
		line("used", fmt.Sprintf("%d environments, %s cores, %s memory, %d pods", t.Used.Environments, first(t.Used.CPU, "0"), first(t.Used.Memory, "0"), t.Used.Pods))
		if t.Capacity != (sdk.Demand{}) {
			line("capacity", fmt.Sprintf("%s cores, %s memory, %d pods", first(t.Capacity.CPU, "0"), first(t.Capacity.Memory, "0"), t.Capacity.Pods))
		}
		if t.Configured {
			line("registered", "by the server's configuration")
		}
	}}
}
