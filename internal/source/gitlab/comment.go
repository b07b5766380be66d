package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// WriteComment has the merge request bear one note.
func (Host) WriteComment(ctx context.Context, c *source.Connection, number int, id, mark, text string) (string, error) {
	at, err := projectPath(c)
	if err != nil {
		return id, err
	}
	return source.WriteComment(ctx, thread{c, fmt.Sprintf("%s/merge_requests/%d/notes", at, number)}, id, mark, text)
}

// ReadComment gives a note below the merge request, whose author is told by number as that of an event is.
func (Host) ReadComment(ctx context.Context, c *source.Connection, number int, id string) (source.Comment, error) {
	at, err := projectPath(c)
	if err != nil {
		return source.Comment{}, err
	}
	var said note
	if _, _, err := c.Call(ctx, http.MethodGet, fmt.Sprintf("%s/merge_requests/%d/notes/%s", at, number, url.PathEscape(id)), nil, nil, &said); err != nil {
		return source.Comment{}, err
	}
	if strconv.FormatInt(said.ID, 10) != id || said.System {
		return source.Comment{}, source.NoComment()
	}
	return source.Comment{ID: id, Author: strconv.FormatInt(said.Author.ID, 10), Text: said.Body}, nil
}

type thread struct {
	*source.Connection
	notes string
}

type note struct {
	ID     int64  `json:"id"`
	Body   string `json:"body"`
	System bool   `json:"system"` // GitLab wrote it
	Author struct {
		ID       int64  `json:"id"`
		Username string `json:"username"`
	} `json:"author"`
}

// Self is the user of the token.
func (t thread) Self(ctx context.Context) (string, error) {
	var said struct {
		Username string `json:"username"`
	}
	_, _, err := t.Call(ctx, http.MethodGet, "/user", nil, nil, &said)
	if source.Denied(err) {
		return "", nil
	}
	return said.Username, err
}

func (t thread) Comments(ctx context.Context, page string) ([]source.Comment, string, error) {
	n := max(1, number(page))
	var said []note
	h, _, err := t.Call(ctx, http.MethodGet, fmt.Sprintf("%s?sort=asc&order_by=created_at&per_page=100&page=%d", t.notes, n), nil, nil, &said)
	if err != nil {
		return nil, "", err
	}
	var out []source.Comment
	for _, x := range said {
		if !x.System {
			out = append(out, source.Comment{ID: strconv.FormatInt(x.ID, 10), Author: x.Author.Username, Text: x.Body})
		}
	}
	if !source.HasNext(h) {
		return out, "", nil
	}
	return out, strconv.Itoa(n + 1), nil
}

func (t thread) Edit(ctx context.Context, id, text string) error {
	var said note
	_, _, err := t.Call(ctx, http.MethodPut, t.notes+"/"+url.PathEscape(id), nil, map[string]string{"body": text}, &said)
	return err
}

func (t thread) Make(ctx context.Context, text string) (string, error) {
	var said note
	_, _, err := t.Call(ctx, http.MethodPost, t.notes, nil, map[string]string{"body": text}, &said)
	return strconv.FormatInt(said.ID, 10), err
}
