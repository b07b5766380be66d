package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// completionTime is how long a person at a prompt may be kept waiting, unless the streams say otherwise.
const completionTime = 2 * time.Second

// completeEnvironments gives the names of environments for the first argument.
func (s *shared) completeEnvironments(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) (out []cobra.Completion, err error) {
		project, _ := c.Flags().GetString("project")
		page, err := client.ListEnvironments(ctx, sdk.EnvironmentFilter{Project: project, Search: typed, Sort: "name", Limit: 100})
		for _, e := range page.Items {
			if strings.HasPrefix(e.Name, typed) {
				out = append(out, cobra.CompletionWithDesc(e.Name, fmt.Sprintf("%s, expires %s", e.Phase, relative(s.streams.Now(), e.ExpiresAt))))
			}
		}
		return out, err
	})
}

// completeTargets gives the names of targets.
func (s *shared) completeTargets(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 && c.Parent() != nil && c.Parent().Name() == "target" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListNames(ctx)
		return each(found.Targets, func(t sdk.TargetName) cobra.Completion { return cobra.CompletionWithDesc(t.Name, t.Driver) }), err
	})
}

// completeNames completes what stands first, or a flag's value, from a list that the server gives. What goes wrong completes nothing.
func (s *shared) completeNames(c *cobra.Command, list func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error)) ([]cobra.Completion, cobra.ShellCompDirective) {
	client, err := s.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	client.Waits, client.OnRetry = []time.Duration{}, nil // it answers soon or not at all
	ctx := c.Context()
	if ctx == nil {
		ctx = context.Background() //nolint:contextcheck // cobra completes without one
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.streams.CompletionTime, completionTime))
	defer cancel()
	names, err := list(ctx, client)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// typedScope is where to look for what is typed: with "global/" before it among what is global.
func typedScope(c *cobra.Command, typed string) sdk.CatalogueFilter {
	project, _ := c.Flags().GetString("project")
	if name, global := strings.CutPrefix(typed, "global/"); global {
		return sdk.CatalogueFilter{Scope: "global", Search: name, Limit: 100}
	}
	return sdk.CatalogueFilter{Project: project, Search: typed, Limit: 100}
}

// completeConfigSets gives the names of config sets, as references.
func (s *shared) completeConfigSets(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 && c.Parent() != nil && c.Parent().Name() == "config" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListConfigSets(ctx, typedScope(c, typed))
		return each(page.Items, func(x sdk.ConfigSet) cobra.Completion {
			return cobra.CompletionWithDesc(setName(x), count(x.Latest, "version"))
		}), err
	})
}

// completeBlueprints gives the names of the catalogue's blueprints, as references.
func (s *shared) completeBlueprints(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 && c.Parent() != nil && c.Parent().Name() == "blueprint" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListBlueprints(ctx, typedScope(c, typed))
		return each(page.Items, func(x sdk.CatalogueEntry) cobra.Completion {
			return cobra.CompletionWithDesc(entryName(x), plainText(first(x.Description, count(x.Latest, "version"))))
		}), err
	})
}

// completePolicies gives the names of policies.
func (s *shared) completePolicies(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListPolicies(ctx, "")
		return each(found.Items, func(x sdk.Policy) cobra.Completion { return policyName(x) }), err
	})
}

// completeProjects gives the names of projects.
func (s *shared) completeProjects(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 && c.Parent() != nil && c.Parent().Name() == "project" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListNames(ctx)
		return found.Projects, err
	})
}

// completeArchives gives the ids of environments of which something is kept.
func (s *shared) completeArchives(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListArchives(ctx, sdk.ArchiveFilter{Limit: 100})
		return each(found.Items, func(a sdk.Archive) cobra.Completion {
			return cobra.CompletionWithDesc(a.EnvironmentID, plainText(fmt.Sprintf("%s/%s, %s", a.Project, a.Environment, a.State)))
		}), err
	})
}

// completeOrphans gives the ids of orphans.
func (s *shared) completeOrphans(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListOrphans(ctx, sdk.OrphanFilter{Limit: 100})
		return each(found.Items, func(x sdk.Orphan) cobra.Completion { return cobra.CompletionWithDesc(x.ID, plainText(x.Message)) }), err
	})
}

// completeRepositories gives the names of repositories, for the first argument or a flag.
func (s *shared) completeRepositories(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		project, _ := c.Flags().GetString("project")
		found, err := client.ListRepositories(ctx, sdk.RepositoryFilter{Project: project, Limit: 100})
		return each(found.Items, func(x sdk.Repository) cobra.Completion {
			return cobra.CompletionWithDesc(plainText(x.Name), plainText(x.Host))
		}), err
	})
}

// completePulls gives the ids of pull requests.
func (s *shared) completePulls(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListPulls(ctx, sdk.PullFilter{Limit: 100})
		return each(found.Items, func(x sdk.PullRequest) cobra.Completion {
			return cobra.CompletionWithDesc(x.ID, plainText(fmt.Sprintf("%s %d, %s", x.BaseRepository, x.Number, x.State)))
		}), err
	})
}

// completeDeliveries gives the ids of deliveries.
func (s *shared) completeDeliveries(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListDeliveries(ctx, sdk.DeliveryFilter{Limit: 100})
		return each(found.Items, func(x sdk.Delivery) cobra.Completion {
			return cobra.CompletionWithDesc(x.ID, plainText(x.Verdict+": "+x.Reason))
		}), err
	})
}

// completeSubscriptions gives the names of subscriptions, for the first argument or a flag.
func (s *shared) completeSubscriptions(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		project, _ := c.Flags().GetString("project")
		found, err := client.ListSubscriptions(ctx, sdk.SubscriptionFilter{Project: project, Limit: 100})
		return each(found.Items, func(x sdk.Subscription) cobra.Completion {
			return cobra.CompletionWithDesc(plainText(x.Name), plainText(x.Kind))
		}), err
	})
}

// completeNotices gives the ids of notices.
func (s *shared) completeNotices(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListNotices(ctx, sdk.NoticeFilter{Limit: 100})
		return each(found.Items, func(x sdk.Notice) cobra.Completion {
			return cobra.CompletionWithDesc(x.ID, plainText(x.State+": "+x.EventType))
		}), err
	})
}
