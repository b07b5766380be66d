package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// WriteComment has the pull request bear one comment.
func (Host) WriteComment(ctx context.Context, c *source.Connection, number int, id, mark, text string) (string, error) {
	at, err := repo(c)
	if err != nil {
		return id, err
	}
	return source.WriteComment(ctx, thread{c, at, number}, id, mark, text)
}

// ReadComment gives a comment below the pull request. Its address does not name that: the answer does.
func (Host) ReadComment(ctx context.Context, c *source.Connection, number int, id string) (source.Comment, error) {
	at, err := repo(c)
	if err != nil {
		return source.Comment{}, err
	}
	var said comment
	if _, _, err := c.Call(ctx, http.MethodGet, at+"/issues/comments/"+url.PathEscape(id), nil, nil, &said); err != nil {
		return source.Comment{}, err
	}
	if strconv.FormatInt(said.ID, 10) != id || !strings.HasSuffix(said.Issue, fmt.Sprintf("/issues/%d", number)) {
		return source.Comment{}, source.NoComment()
	}
	return source.Comment{ID: id, Author: said.User.Login, Text: said.Body}, nil
}

type thread struct {
	*source.Connection
	repo   string
	number int
}

type comment struct {
	ID    int64  `json:"id"`
	Body  string `json:"body"`
	Issue string `json:"issue_url"` // address of what it is below
	User  struct {
		Login string `json:"login"`
	} `json:"user"`
	App struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

// Self is the user of the token, or the App.
func (t thread) Self(ctx context.Context) (string, error) {
	if t.Access.App != 0 {
		return byApp(t.Access.App), nil
	}
	var said struct {
		Login string `json:"login"`
	}
	_, _, err := t.Call(ctx, http.MethodGet, "/user", nil, nil, &said)
	if source.Denied(err) { // a token that is no user's
		return "", nil
	}
	return said.Login, err
}

func byApp(id int64) string { return fmt.Sprintf("app/%d", id) } // no login has a slash

func (t thread) Comments(ctx context.Context, page string) ([]source.Comment, string, error) {
	n := max(1, number(page))
	var said []comment
	h, _, err := t.Call(ctx, http.MethodGet, fmt.Sprintf("%s/issues/%d/comments?per_page=100&page=%d", t.repo, t.number, n), nil, nil, &said)
	if err != nil {
		return nil, "", err
	}
	var out []source.Comment
	for _, x := range said {
		author := x.User.Login
		if t.Access.App != 0 {
			author = byApp(x.App.ID)
		}
		out = append(out, source.Comment{ID: strconv.FormatInt(x.ID, 10), Author: author, Text: x.Body})
	}
	if !source.HasNext(h) {
		return out, "", nil
	}
	return out, strconv.Itoa(n + 1), nil
}

func (t thread) Edit(ctx context.Context, id, text string) error {
	var said comment
	_, _, err := t.Call(ctx, http.MethodPatch, t.repo+"/issues/comments/"+url.PathEscape(id), nil, map[string]string{"body": text}, &said)
	return err
}

func (t thread) Make(ctx context.Context, text string) (string, error) {
	var said comment
	_, _, err := t.Call(ctx, http.MethodPost, fmt.Sprintf("%s/issues/%d/comments", t.repo, t.number), nil, map[string]string{"body": text}, &said)
	return strconv.FormatInt(said.ID, 10), err
}

// number is that of a page; 0 for the first.
func number(page string) int {
	n, _ := strconv.Atoi(page)
	return n
}
