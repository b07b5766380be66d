package gitlab

import (
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// readers are of the events that are about comments and branches. Tags have an event of their own.
var readers = map[string]func(r *source.Reading, body []byte) (source.Incoming, error){"Note Hook": readNote, "Push Hook": readPush}

type noteEvent struct {
	User struct {
		ID       int64  `json:"id"`
		Username string `json:"username"`
	} `json:"user"`
	Project    project `json:"project"`
	Attributes struct {
		Action    string `json:"action"` // older servers tell of new ones alone, and do not say so
		ID        int64  `json:"id"`
		Note      string `json:"note"`
		On        string `json:"noteable_type"` //nolint:misspell // as GitLab writes it
		Type      string `json:"type"`          // "DiffNote" for one at a line of code
		System    bool   `json:"system"`
		CreatedAt string `json:"created_at"`
	} `json:"object_attributes"`
	Merge struct {
		IID int64 `json:"iid"`
	} `json:"merge_request"`
}

// readNote reads an event of a note. Only a new one of a person below a merge request is one. Its author is told by number: a name may be another's tomorrow.
func readNote(r *source.Reading, body []byte) (in source.Incoming, err error) {
	var said noteEvent
	if err := source.Decode(body, &said); err != nil {
		return in, err
	}
	note := said.Attributes
	in.Repository, in.Action = r.Name("project.path_with_namespace", said.Project.Path), r.Text("object_attributes.action", note.Action, source.MaxName)
	if note.Action != "create" && note.Action != "" || note.On != "MergeRequest" || note.Type == "DiffNote" || note.System {
		return in, nil
	}
	in.Comment = &blueberry.PullComment{
		ID:         r.ID("object_attributes.id", note.ID),
		Number:     r.Number("merge_request.iid", said.Merge.IID),
		Author:     r.ID("user.id", said.User.ID),
		AuthorName: r.Text("user.username", said.User.Username, source.MaxName),
		Bot:        bot.MatchString(said.User.Username),
		Text:       r.Lines(note.Note),
		At:         r.Time("object_attributes.created_at", note.CreatedAt, "2006-01-02 15:04:05 UTC"),
	}
	return in, nil
}

type pushEvent struct {
	Ref     string  `json:"ref"`
	After   string  `json:"after"`
	Project project `json:"project"`
}

// readPush reads an event of a push. It tells no time but those of commits, which are what their authors say.
func readPush(r *source.Reading, body []byte) (in source.Incoming, err error) {
	var said pushEvent
	if err := source.Decode(body, &said); err != nil {
		return in, err
	}
	in.Repository = r.Name("project.path_with_namespace", said.Project.Path)
	in.Pushes = r.Pushes("after", time.Time{}, source.Pushed{Ref: r.Text("ref", said.Ref, maxRef), Commit: said.After})
	return in, nil
}

const maxRef = source.MaxName + len("refs/heads/")
