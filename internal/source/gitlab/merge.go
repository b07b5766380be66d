package gitlab

import (
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// merge is a merge request as events and lists both tell it.
type merge struct {
	at                         string // before the names of its fields
	number                     int64
	title, url, state, author  string
	draft                      bool
	source, target             project
	sourceBranch, targetBranch string
	commit, updatedAt          string
	labels                     []string
}

// read tells what a merge request says. Events tell its time in seconds and lists more exactly: of both, the seconds count, so that a later word of one never
// stands behind an earlier one of the other.
func (said merge) read(r *source.Reading) *blueberry.PullRequest {
	p := blueberry.PullRequest{
		Number:     r.Number(said.at+"iid", said.number),
		Title:      r.Title(said.title),
		URL:        r.Address(said.at+"url", said.url),
		Author:     r.Text("user.username", said.author, source.MaxName),
		Relation:   blueberry.RelationUnknown,
		Draft:      said.draft,
		State:      source.Choose(r, said.at+"state", said.state, states),
		HeadRef:    r.Text(said.at+"source_branch", said.sourceBranch, source.MaxName),
		HeadCommit: r.Commit(said.at+"last_commit.id", said.commit),
		HeadURL:    r.Address(said.at+"source.git_http_url", said.source.URL),
		HeadRepo:   r.Text(said.at+"source.path_with_namespace", said.source.Path, source.MaxName),
		BaseRepo:   r.Name(said.at+"target.path_with_namespace", said.target.Path),
		BaseRef:    r.Name(said.at+"target_branch", said.targetBranch),
		HostAt:     r.Time(said.at+"updated_at", said.updatedAt, "2006-01-02 15:04:05 UTC").Truncate(time.Second),
		Labels:     r.Labels("labels", said.labels),
	}
	p.Bot = bot.MatchString(p.Author)
	return &p
}
