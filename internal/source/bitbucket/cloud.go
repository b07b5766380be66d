package bitbucket

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

type cloudEnd struct {
	Branch struct {
		Name string `json:"name"`
	} `json:"branch"`
	Commit struct {
		Hash string `json:"hash"`
	} `json:"commit"`
	Repository repository `json:"repository"` // of the source: null when it is gone
}

type cloudPull struct {
	ID     int64  `json:"id"`
	Title  string `json:"title"`
	State  string `json:"state"`
	Draft  bool   `json:"draft"`
	Author struct {
		Nickname string `json:"nickname"`
	} `json:"author"`
	Source      cloudEnd `json:"source"`
	Destination cloudEnd `json:"destination"`
	UpdatedOn   string   `json:"updated_on"`
	Links       struct {
		HTML link `json:"html"`
	} `json:"links"`
}

type cloudEvent struct {
	Repository repository `json:"repository"`
	Pull       cloudPull  `json:"pullrequest"`
}

// states are those of both. What is superseded or declined cannot be merged any more.
var states = map[string]blueberry.PullState{
	"OPEN": blueberry.PullOpen, "MERGED": blueberry.PullMerged, "DECLINED": blueberry.PullClosed, "SUPERSEDED": blueberry.PullClosed,
}

func readCloud(r *source.Reading, body []byte, in *source.Incoming) error {
	var event cloudEvent
	if err := source.Decode(body, &event); err != nil {
		return err
	}
	in.Repository = r.Name("repository.full_name", event.Repository.name(r, "repository"))
	in.Pull = cloudRead(r, event.Pull)
	return nil
}

func cloudRead(r *source.Reading, said cloudPull) *blueberry.PullRequest {
	return &blueberry.PullRequest{
		Number:     r.Number("pullrequest.id", said.ID),
		Title:      r.Title(said.Title),
		URL:        r.Address("pullrequest.links.html.href", said.Links.HTML.Href),
		Author:     r.Text("pullrequest.author.nickname", said.Author.Nickname, source.MaxName),
		Relation:   blueberry.RelationUnknown,
		Draft:      said.Draft,
		State:      source.Choose(r, "pullrequest.state", said.State, states),
		HeadRef:    r.Text("pullrequest.source.branch.name", said.Source.Branch.Name, source.MaxName),
		HeadCommit: r.Abbreviated("pullrequest.source.commit.hash", said.Source.Commit.Hash),
		HeadURL:    said.Source.Repository.cloneURL(r, "pullrequest.source.repository"),
		HeadRepo:   said.Source.Repository.name(r, "pullrequest.source.repository"),
		BaseRepo:   r.Name("pullrequest.destination.repository.full_name", said.Destination.Repository.name(r, "pullrequest.destination.repository")),
		BaseRef:    r.Name("pullrequest.destination.branch.name", said.Destination.Branch.Name),
		HostAt:     r.Time("pullrequest.updated_on", said.UpdatedOn),
	}
}
