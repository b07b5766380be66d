package bitbucket

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// WriteComment has the pull request bear one comment.
func (Host) WriteComment(ctx context.Context, c *source.Connection, number int, id, mark, text string) (string, error) {
	at, err := repo(c)
	if err != nil {
		return id, err
	}
	var t source.Thread = cloudThread{c, at, number}
	if isServer(c) {
		t = &serverThread{Connection: c, repo: at, number: number}
	}
	return source.WriteComment(ctx, t, id, mark, text)
}

// ReadComment gives a comment below the pull request.
func (Host) ReadComment(ctx context.Context, c *source.Connection, number int, id string) (source.Comment, error) {
	at, err := repo(c)
	if err != nil {
		return source.Comment{}, err
	}
	if isServer(c) {
		var said serverComment
		t := serverThread{Connection: c, repo: at, number: number}
		if _, _, err := c.Call(ctx, http.MethodGet, t.at("comments/"+url.PathEscape(id)), nil, nil, &said); err != nil {
			return source.Comment{}, err
		}
		if strconv.FormatInt(said.ID, 10) != id {
			return source.Comment{}, source.NoComment()
		}
		return source.Comment{ID: id, Author: said.Author.Name, Text: said.Text}, nil
	}
	var said cloudComment
	if _, _, err := c.Call(ctx, http.MethodGet, cloudThread{c, at, number}.comments()+"/"+url.PathEscape(id), nil, nil, &said); err != nil {
		return source.Comment{}, err
	}
	if strconv.FormatInt(said.ID, 10) != id || said.Deleted {
		return source.Comment{}, source.NoComment()
	}
	return source.Comment{ID: id, Author: said.User.UUID, Text: said.Content.Raw}, nil
}
