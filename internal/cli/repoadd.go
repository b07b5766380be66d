package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type repoAddOptions struct {
	*shared
	pullPolicyFlags
	host        hostFlags
	r           sdk.AddRepositoryRequest
	secretStdin bool
}

// hostWords are the kinds of hosts.
func hostWords() []string {
	return []string{"github", "gitlab", "gitea", "bitbucket", "generic", "argocd"}
}

func newRepoAdd(s *shared) *cobra.Command {
	o := &repoAddOptions{shared: s}
	c := &cobra.Command{
		Use: "add NAME --host HOST --url URL", Short: "Let pull requests of a repository bring their environments", Args: exactly(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		Long: `Adds a repository, and prints the URL and the secret of its webhook, which are entered at the host. From then on each pull request that the policy wants has an environment: opened makes it, pushed moves it, closed or merged removes it. The secret is not shown again.

With --credential the host is told how each environment is: by one comment that is edited in place, by the status of the commit and, where the host knows them, by a deployment; and it is asked now and then for what no delivery told of. The token needs the rights to read pull requests and to write comments, statuses and deployments. It is kept encrypted.

NAME is what the host calls the repository, as acme/shop. The server clones it by --url. A host of the kind argocd has neither pull requests nor a URL: it only tells how environments are (docs/guide/pull-requests.md), and NAME is yours to choose.`,
		Example: `  blueberry repo add acme/shop --host github --url https://github.com/acme/shop.git
  blueberry repo add acme/shop --host gitea --url https://git.example.com/acme/shop.git --base main --base 'release/*' --label preview --ttl 8h
  pass show tokens/shop | blueberry repo add acme/shop --host gitlab --url https://gitlab.com/acme/shop.git --credential -
  blueberry repo add deployer --host argocd
  pass show hooks/shop | blueberry repo add acme/shop --host generic --url https://git.example.com/acme/shop.git --secret-stdin`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.r.Host, "host", "", "kind of its host: github, gitlab, gitea (also Forgejo), bitbucket, generic or argocd")
	f.StringVar(&o.r.URL, "url", "", "URL that Git clones from")
	f.StringVar(&o.r.Project, "project", "", "project that it and its environments belong to; else the default project")
	f.BoolVar(&o.secretStdin, "secret-stdin", false, "read the webhook secret from the input, or ask for it; else the server makes one")
	o.pullPolicyFlags.flags(c, s)
	o.host.flags(c)
	must(c.RegisterFlagCompletionFunc("host", cobra.FixedCompletions(hostWords(), cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *repoAddOptions) run(ctx context.Context, name string) error {
	r := o.r
	r.Name = name
	var wrong mistakes
	wrong.add(r.Host == "", "--host is needed, which is github, gitlab, gitea, bitbucket, generic or argocd")
	wrong.add(r.URL == "" && r.Host != "argocd", "--url is needed")
	wrong.add(r.URL != "" && r.Host == "argocd", "--url is not for argocd: nothing is cloned from it")
	var err error
	r.Policy, err = o.over(r.Policy)
	r.HostAPI = o.host.over(r.HostAPI)
	wrong.add(o.secretStdin && o.host.credential == "-", "--secret-stdin and --credential - would read the same input")
	wrong.check(err)
	if err := wrong.err(); err != nil {
		return err
	}
	if r.Credential, err = o.host.read(o.shared); err != nil {
		return err
	}
	if r.Secret, err = o.webhookSecret(o.secretStdin); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	added, err := client.AddRepository(ctx, r)
	if err != nil {
		return err
	}
	o.note("added %s as %s", plainText(added.Repository.Name), plainText(added.Repository.ID))
	return o.tellSecret(added)
}

// webhookSecret is the secret that someone brings along; empty when they do not.
func (s *shared) webhookSecret(brought bool) (string, error) {
	if !brought {
		return "", nil
	}
	return s.secret("-", "webhook secret")
}
