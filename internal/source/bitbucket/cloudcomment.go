package bitbucket

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// cloudThread is the comments of a pull request of Cloud.
type cloudThread struct {
	*source.Connection
	repo   string
	number int
}

type cloudUser struct {
	UUID string `json:"uuid"`
}

type cloudComment struct {
	ID      int64 `json:"id"`
	Deleted bool  `json:"deleted"` // it stays in lists, and cannot be edited
	Content struct {
		Raw string `json:"raw"`
	} `json:"content"`
	User cloudUser `json:"user"`
}

func (t cloudThread) comments() string {
	return fmt.Sprintf("%s/pullrequests/%d/comments", t.repo, t.number)
}

// Self is the user of the token, where the token may read that: it needs no such right for anything else.
func (t cloudThread) Self(ctx context.Context) (string, error) {
	var said cloudUser
	_, _, err := t.Call(ctx, http.MethodGet, "/user", nil, nil, &said)
	if source.Denied(err) || source.HostStatus(err) == http.StatusUnauthorized { // a token that just read the comments
		return "", nil
	}
	return said.UUID, err
}

func (t cloudThread) Comments(ctx context.Context, page string) ([]source.Comment, string, error) {
	n := max(1, number(page))
	var said struct {
		Values []cloudComment `json:"values"`
		Next   string         `json:"next"`
	}
	if _, _, err := t.Call(ctx, http.MethodGet, fmt.Sprintf("%s?pagelen=100&page=%d", t.comments(), n), nil, nil, &said); err != nil {
		return nil, "", err
	}
	var out []source.Comment
	for _, x := range said.Values {
		if !x.Deleted {
			out = append(out, source.Comment{ID: strconv.FormatInt(x.ID, 10), Author: x.User.UUID, Text: x.Content.Raw})
		}
	}
	if said.Next == "" {
		return out, "", nil
	}
	return out, strconv.Itoa(n + 1), nil
}

// content is a comment as it is written.
func content(text string) any { return map[string]any{"content": map[string]string{"raw": text}} }

func (t cloudThread) Edit(ctx context.Context, id, text string) error {
	var said cloudComment
	_, _, err := t.Call(ctx, http.MethodPut, t.comments()+"/"+url.PathEscape(id), nil, content(text), &said)
	return err
}

func (t cloudThread) Make(ctx context.Context, text string) (string, error) {
	var said cloudComment
	_, _, err := t.Call(ctx, http.MethodPost, t.comments(), nil, content(text), &said)
	return strconv.FormatInt(said.ID, 10), err
}

// number is that of a page, or of its first value; 0 for the first.
func number(page string) int {
	n, _ := strconv.Atoi(page)
	return n
}
