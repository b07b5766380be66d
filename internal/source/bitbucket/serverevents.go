package bitbucket

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// layout is how Data Center writes the time of an event.
const layout = "2006-01-02T15:04:05Z0700"

// serverCommented reads an event of a new comment of Data Center.
func serverCommented(r *source.Reading, body []byte, in *source.Incoming) error {
	var said struct {
		Date string `json:"date"`
		Pull struct {
			ID int64 `json:"id"`
			To struct {
				Repository repository `json:"repository"`
			} `json:"toRef"`
		} `json:"pullRequest"`
		Comment struct {
			ID     int64  `json:"id"`
			Text   string `json:"text"`
			Author struct {
				Name string `json:"name"`
				Type string `json:"type"` // "SERVICE" for programs
			} `json:"author"`
		} `json:"comment"`
	}
	if err := source.Decode(body, &said); err != nil {
		return err
	}
	in.Repository = r.Name("pullRequest.toRef.repository.slug", said.Pull.To.Repository.name(r, "pullRequest.toRef.repository"))
	in.Comment = &blueberry.PullComment{
		ID:     r.ID("comment.id", said.Comment.ID),
		Number: r.Number("pullRequest.id", said.Pull.ID),
		Author: r.Text("comment.author.name", said.Comment.Author.Name, source.MaxName),
		Bot:    said.Comment.Author.Type == "SERVICE",
		Text:   r.Lines(said.Comment.Text),
		At:     r.Time("date", said.Date, layout),
	}
	return nil
}

// serverPushed reads an event of refs that moved in Data Center.
func serverPushed(r *source.Reading, body []byte, in *source.Incoming) error {
	var said struct {
		Date       string     `json:"date"`
		Repository repository `json:"repository"`
		Changes    []struct {
			Ref struct {
				ID string `json:"id"`
			} `json:"ref"`
			To   string `json:"toHash"`
			Type string `json:"type"` // "ADD", "UPDATE" or "DELETE"
		} `json:"changes"`
	}
	if err := source.Decode(body, &said); err != nil {
		return err
	}
	in.Repository = r.Name("repository.slug", said.Repository.name(r, "repository"))
	var pushed []source.Pushed
	for _, x := range said.Changes {
		if x.Type == "DELETE" {
			x.To = ""
		}
		pushed = append(pushed, source.Pushed{Ref: x.Ref.ID, Commit: x.To})
	}
	in.Pushes = r.Pushes("changes.toHash", r.Time("date", said.Date, layout), pushed...)
	return nil
}
