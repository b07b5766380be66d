package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// oneRepository is what commands about one repository share.
type oneRepository struct {
	*shared
	project string
}

// command makes a command whose one argument names the repository.
func (o *oneRepository) command(c *cobra.Command, run func(ctx context.Context, arg string) error) *cobra.Command {
	c.Args = exactly(1)
	c.ValidArgsFunction = o.completeRepositories
	c.RunE = func(c *cobra.Command, args []string) error { return run(c.Context(), args[0]) }
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the repository")
	must(c.RegisterFlagCompletionFunc("project", o.completeProjects))
	return c
}

// find gives the repository that an argument names.
func (o *oneRepository) find(ctx context.Context, arg string) (*sdk.Client, sdk.Repository, error) {
	client, err := o.client()
	if err != nil {
		return nil, sdk.Repository{}, err
	}
	r, err := findRepository(ctx, client, o.project, arg)
	return client, r, err
}

// findRepository finds a repository by id, or by its name in a project.
func findRepository(ctx context.Context, client *sdk.Client, project, arg string) (sdk.Repository, error) {
	if strings.HasPrefix(arg, "rep_") {
		return client.GetRepository(ctx, arg)
	}
	for r, err := range client.AllRepositories(ctx, sdk.RepositoryFilter{Project: project, Limit: maxPage}) {
		if err != nil || r.Name == arg {
			return r, err
		}
	}
	return sdk.Repository{}, unknownError{fmt.Errorf("there is no repository %s in project %s", arg, project)}
}

// repositoryRef names a repository on a command line: what is not of the default project by its id.
func repositoryRef(r sdk.Repository) string {
	if r.Project == defaultProject {
		return r.Name
	}
	return r.ID
}

// repositoryResult is all that is known of a repository.
func (s *shared) repositoryResult(r sdk.Repository) result {
	return result{value: r, names: []string{repositoryRef(r)}, text: func(w io.Writer, wide bool) {
		p := r.Policy
		var f facts
		f.add("name", r.Name)
		f.add("id", r.ID)
		f.add("project", r.Project)
		f.add("host", r.Host)
		f.add("url", r.URL)
		f.add("webhook", r.WebhookURL)
		f.add("host is", s.hostHealthText(r, wide))
		f.some("api", r.HostAPI.URL)
		f.add("environments", environmentsText(p))
		f.some("bases", strings.Join(p.Bases, ", "))
		f.some("labels", strings.Join(p.Labels, ", "))
		f.some("paths", strings.Join(p.Paths, ", "))
		f.some("ignored paths", strings.Join(p.PathsIgnore, ", "))
		f.flag("drafts", p.Drafts)
		f.flag("bots", p.Bots)
		f.flag("forks", p.Forks)
		f.flag("outsiders", p.Outsiders)
		f.some("gates", gatesText(p.Gates))
		if p.Hours > 0 {
			f.add("lease", strconv.Itoa(p.Hours)+"h")
		}
		f.some("target", p.Target)
		f.some("blueprint", p.Blueprint)
		f.some("config sets", strings.Join(p.ConfigSet, ", "))
		if !r.SweptAt.IsZero() {
			f.add("last sweep", fmt.Sprintf("%s; %d lost deliveries found, all told", s.when(r.SweptAt, wide), r.SweepFound))
		}
		f.some("not read", r.SweepUnread)
		for _, x := range r.Rules {
			f.add("branch "+x.Branch, ruleText(x))
		}
		f.some("branches", r.BranchesSay)
		f.add("last delivery", s.when(r.LastDeliveryAt, wide))
		f.some("last refused", s.when(r.LastRefusedAt, wide))
		f.add("added", s.when(r.CreatedAt, wide))
		f.print(w)
	}}
}

// ruleText says what a rule makes of branches.
func ruleText(x sdk.BranchRule) string {
	if x.Off {
		return "off"
	}
	return x.Environment + ", " + first(x.Mode, "automatic")
}

// environmentsText says what environments the policy of a repository makes.
func environmentsText(p sdk.PullPolicy) string {
	if p.Off {
		return "none: the policy is off"
	}
	atOnce := p.AtOnce
	if atOnce == 0 {
		atOnce = 10
	}
	return fmt.Sprintf("%sNUMBER, %d at once", first(p.Prefix, "pr-"), atOnce)
}

// tellSecret shows what the host of a repository is to be told, and where.
func (s *shared) tellSecret(a sdk.AddedRepository) error {
	return s.print(result{value: a, names: []string{repositoryRef(a.Repository)}, text: func(w io.Writer, _ bool) {
		facts{{"webhook", plainText(a.Repository.WebhookURL)}, {"secret", plainText(a.Secret)}}.print(w)
		s.note("%s", hostText(a.Repository.Host))
		s.note("The secret is not shown again; blueberry repo rotate makes a new one, and the former one then works for a week more.")
	}})
}

// hostText says where people of a host enter the webhook.
func hostText(host string) string {
	switch host {
	case "github":
		return `At GitHub, under Settings → Webhooks, add this URL and secret, with the content type application/json and the events "Pull requests", "Issue comments" and "Pushes".`
	case "gitlab":
		return `At GitLab, under Settings → Webhooks, add this URL and secret token, with the triggers "Merge request events", "Comments" and "Push events".`
	case "gitea":
		return `At Gitea or Forgejo, under Settings → Webhooks, add this target URL and secret, with the events "Pull Request", "Issue Comment" and "Push".`
	case "bitbucket":
		return `At Bitbucket, under Repository settings → Webhooks, add this URL and secret, with the triggers of pull requests, their comments included, and that of a push to the repository.`
	}
	return `Have the host POST each event to this URL, of pull requests and of pushes, with its HMAC-SHA256 by the secret in X-Blueberry-Signature and the time in X-Blueberry-Timestamp.`
}
