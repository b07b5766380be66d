package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// completionTime is how long a person at a prompt may be kept waiting.
const completionTime = 2 * time.Second

// completing gives a client that answers soon or not at all, and says nothing.
func (s *shared) completing(ctx context.Context) (*sdk.Client, context.Context, context.CancelFunc, error) {
	client, err := s.client()
	if err != nil {
		return nil, ctx, func() {}, err
	}
	client.Waits, client.OnRetry = []time.Duration{}, nil
	if ctx == nil {
		ctx = context.Background() //nolint:contextcheck // cobra completes without one
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	return client, ctx, cancel, nil
}

// completeEnvironments gives the names of environments for the first argument.
func (s *shared) completeEnvironments(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	client, ctx, cancel, err := s.completing(c.Context())
	defer cancel()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	project, _ := c.Flags().GetString("project")
	page, err := client.ListEnvironments(ctx, sdk.EnvironmentFilter{Project: project, Search: typed, Sort: "name", Limit: 100})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, e := range page.Items {
		if strings.HasPrefix(e.Name, typed) {
			out = append(out, cobra.CompletionWithDesc(e.Name, fmt.Sprintf("%s, expires %s", e.Phase, relative(s.streams.Now(), e.ExpiresAt))))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeTargets gives the names of targets.
func (s *shared) completeTargets(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	client, ctx, cancel, err := s.completing(c.Context())
	defer cancel()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found, err := client.ListTargets(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, t := range found.Items {
		out = append(out, cobra.CompletionWithDesc(t.Name, t.Driver))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
