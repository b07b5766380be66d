package bitbucket

import (
	"encoding/json"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// cloudCommented reads an event of a new comment of Cloud. One at a line of code is none.
func cloudCommented(r *source.Reading, body []byte, in *source.Incoming) error {
	var said struct {
		Repository repository `json:"repository"`
		Pull       struct {
			ID int64 `json:"id"`
		} `json:"pullrequest"`
		Comment struct {
			ID      int64 `json:"id"`
			Content struct {
				Raw string `json:"raw"`
			} `json:"content"`
			User struct { // null when they are gone
				UUID     string `json:"uuid"`
				Nickname string `json:"nickname"`
				Type     string `json:"type"`
			} `json:"user"`
			Inline    json.RawMessage `json:"inline"`
			CreatedOn string          `json:"created_on"`
		} `json:"comment"`
	}
	if err := source.Decode(body, &said); err != nil {
		return err
	}
	in.Repository = r.Name("repository.full_name", said.Repository.name(r, "repository"))
	if x := said.Comment; len(x.Inline) == 0 || string(x.Inline) == "null" {
		in.Comment = &blueberry.PullComment{
			ID:         r.ID("comment.id", x.ID),
			Number:     r.Number("pullrequest.id", said.Pull.ID),
			Author:     r.Text("comment.user.uuid", x.User.UUID, source.MaxName),
			AuthorName: r.Text("comment.user.nickname", x.User.Nickname, source.MaxName),
			Bot:        x.User.Type != "user",
			Text:       r.Lines(x.Content.Raw),
			At:         r.Time("comment.created_on", x.CreatedOn),
		}
	}
	return nil
}

type cloudRef struct {
	Name   string `json:"name"`
	Type   string `json:"type"` // "branch", "tag"
	Target struct {
		Hash string `json:"hash"`
	} `json:"target"`
}

// cloudPushed reads an event of a push of Cloud. It tells no time but those of commits, which are what their authors say.
func cloudPushed(r *source.Reading, body []byte, in *source.Incoming) error {
	var said struct {
		Repository repository `json:"repository"`
		Push       struct {
			Changes []struct {
				New *cloudRef `json:"new"` // null when it is gone
				Old *cloudRef `json:"old"` // null when it is new
			} `json:"changes"`
		} `json:"push"`
	}
	if err := source.Decode(body, &said); err != nil {
		return err
	}
	in.Repository = r.Name("repository.full_name", said.Repository.name(r, "repository"))
	var pushed []source.Pushed
	for _, x := range said.Push.Changes {
		switch {
		case x.New != nil && x.New.Type == "branch":
			pushed = append(pushed, source.Pushed{Ref: refs + x.New.Name, Commit: r.Commit("push.changes.new.target.hash", x.New.Target.Hash)})
		case x.New == nil && x.Old != nil && x.Old.Type == "branch":
			pushed = append(pushed, source.Pushed{Ref: refs + x.Old.Name})
		}
	}
	in.Pushes = r.Pushes("push.changes", time.Time{}, pushed...)
	return nil
}

// refs is before the name of a branch.
const refs = "refs/heads/"
