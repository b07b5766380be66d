package bitbucket

import (
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

type serverEnd struct {
	DisplayID    string     `json:"displayId"`
	LatestCommit string     `json:"latestCommit"`
	Repository   repository `json:"repository"`
}

type serverPull struct {
	ID     int64  `json:"id"`
	Title  string `json:"title"`
	State  string `json:"state"`
	Draft  bool   `json:"draft"`
	Author struct {
		User struct {
			Name string `json:"name"`
		} `json:"user"`
	} `json:"author"`
	From        serverEnd `json:"fromRef"`
	To          serverEnd `json:"toRef"`
	UpdatedDate int64     `json:"updatedDate"` // in milliseconds since 1970
	Links       struct {
		Self []link `json:"self"` // it may be one null
	} `json:"links"`
}

type serverEvent struct {
	Date string     `json:"date"`
	Pull serverPull `json:"pullRequest"`
}

// readServer reads a delivery of Data Center. A pull request that was deleted is told in the state in which it was: it is closed.
func readServer(r *source.Reading, body []byte, in *source.Incoming, deleted bool) error {
	var event serverEvent
	if err := source.Decode(body, &event); err != nil {
		return err
	}
	p := serverRead(r, event.Pull)
	p.HostAt = r.Time("date", event.Date, layout)
	if deleted {
		p.State = blueberry.PullClosed
	}
	in.Repository, in.Pull = p.BaseRepo, p
	return nil
}

// serverRead reads a pull request as lists tell it. Events tell their time in seconds: of lists, the seconds count as well.
func serverRead(r *source.Reading, said serverPull) *blueberry.PullRequest {
	p := blueberry.PullRequest{
		Number:     r.Number("pullRequest.id", said.ID),
		Title:      r.Title(said.Title),
		Author:     r.Text("pullRequest.author.user.name", said.Author.User.Name, source.MaxName),
		Relation:   blueberry.RelationUnknown,
		Draft:      said.Draft,
		State:      source.Choose(r, "pullRequest.state", said.State, states),
		HeadRef:    r.Text("pullRequest.fromRef.displayId", said.From.DisplayID, source.MaxName),
		HeadCommit: r.Commit("pullRequest.fromRef.latestCommit", said.From.LatestCommit),
		HeadURL:    said.From.Repository.cloneURL(r, "pullRequest.fromRef.repository"),
		HeadRepo:   said.From.Repository.name(r, "pullRequest.fromRef.repository"),
		BaseRepo:   r.Name("pullRequest.toRef.repository.slug", said.To.Repository.name(r, "pullRequest.toRef.repository")),
		BaseRef:    r.Name("pullRequest.toRef.displayId", said.To.DisplayID),
	}
	if said.UpdatedDate > 0 && said.UpdatedDate < latestDate {
		p.HostAt = time.Unix(said.UpdatedDate/1000, 0).UTC()
	}
	if len(said.Links.Self) > 0 {
		p.URL = r.Address("pullRequest.links.self.href", said.Links.Self[0].Href)
	}
	return &p
}

// latestDate is the year 9999, behind which times cannot be written.
const latestDate = 253_402_300_800_000 // milliseconds
