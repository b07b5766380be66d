package cli

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type pullGetOptions struct{ *shared }

func newPullGet(s *shared) *cobra.Command {
	o := &pullGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show a pull request, and what became of its environment", Args: exactly(1), ValidArgsFunction: s.completePulls,
		Long: `Shows what the host said last of a pull request, and how far its environment is.`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *pullGetOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.GetPull(ctx, id)
	if err != nil {
		return err
	}
	return o.print(o.onePull(p))
}

func (s *shared) onePull(p sdk.PullRequest) result {
	return result{value: p, names: []string{p.ID}, text: func(w io.Writer, wide bool) { s.pullFacts(p, wide).print(w) }}
}

func (s *shared) pullFacts(p sdk.PullRequest, wide bool) facts {
	var f facts
	f.add("pull request", p.BaseRepository+" "+strconv.Itoa(p.Number))
	f.add("title", p.Title)
	f.some("page", p.URL)
	f.add("author", p.Author+" ("+p.Relation+")")
	f.add("trust", trustText(p))
	f.flag("bot", p.Bot)
	f.flag("draft", p.Draft)
	f.some("labels", strings.Join(p.Labels, ", "))
	f.add("state", p.State)
	f.add("from", headText(p))
	f.add("to", p.BaseRef)
	f.add("commit", p.HeadCommit)
	f.add("outcome", first(p.Outcome, "not looked at yet"))
	f.some("why", p.Message)
	f.some("environment", p.EnvironmentID)
	f.some("built commit", p.BuiltCommit)
	f.flag("restricted", p.Restricted)
	f.some("its blueprint", map[string]string{"same": "as the branch's", "changed": "other than the branch's, and not used", "unseen": "not seen, and not used"}[p.Config])
	ciFacts(&f, p.CI)
	f.add("updated", s.when(p.UpdatedAt, wide))
	return f
}

// trustText says how far the code of a pull request is trusted, and why.
func trustText(p sdk.PullRequest) string {
	switch {
	case p.Approved:
		return p.Tier + "; " + p.ApprovedBy + " approved this commit"
	case p.ApprovedCommit != "":
		return p.Tier + "; not approved, " + p.ApprovedBy + " approved " + p.ApprovedCommit
	case p.NeedsApproval:
		return p.Tier + "; not approved"
	}
	return p.Tier
}
