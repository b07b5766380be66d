package bitbucket

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// serverThread is the comments of a pull request of Data Center. They are listed among all that happened to it.
type serverThread struct {
	*source.Connection
	repo   string
	number int
	self   string
}

type serverComment struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"`
	Text    string `json:"text"`
	Author  struct {
		Name string `json:"name"`
	} `json:"author"`
}

func (t *serverThread) at(what string) string {
	return fmt.Sprintf("%s/pull-requests/%d/%s", t.repo, t.number, what)
}

// Self is the user of the token, as a header of answers names them.
func (t *serverThread) Self(context.Context) (string, error) { return t.self, nil }

func (t *serverThread) Comments(ctx context.Context, page string) ([]source.Comment, string, error) {
	var said struct {
		Values []struct {
			Action  string        `json:"action"`
			Comment serverComment `json:"comment"`
		} `json:"values"`
		serverPage
	}
	h, _, err := t.Call(ctx, http.MethodGet, t.at("activities")+fmt.Sprintf("?limit=100&start=%d", number(page)), nil, nil, &said)
	if err != nil {
		return nil, "", err
	}
	if name := h.Get("X-AUSERNAME"); name != "" {
		if name, err := url.QueryUnescape(name); err == nil {
			t.self = name
		}
	}
	var out []source.Comment
	for _, x := range said.Values {
		if x.Action == "COMMENTED" && x.Comment.ID != 0 {
			out = append(out, source.Comment{ID: strconv.FormatInt(x.Comment.ID, 10), Author: x.Comment.Author.Name, Text: x.Comment.Text})
		}
	}
	return out, said.next(), nil
}

// Edit names the version that it edits; Data Center refuses another.
func (t *serverThread) Edit(ctx context.Context, id, text string) error {
	at := t.at("comments/" + url.PathEscape(id))
	var there serverComment
	if _, _, err := t.Call(ctx, http.MethodGet, at, nil, nil, &there); err != nil || there.Text == text {
		return err
	}
	_, _, err := t.Call(ctx, http.MethodPut, at, nil, map[string]any{"text": text, "version": there.Version}, &there)
	return err
}

func (t *serverThread) Make(ctx context.Context, text string) (string, error) {
	var said serverComment
	_, _, err := t.Call(ctx, http.MethodPost, t.at("comments"), nil, map[string]string{"text": text}, &said)
	return strconv.FormatInt(said.ID, 10), err
}

// serverPage is what a list of Data Center says of its pages.
type serverPage struct {
	IsLast bool `json:"isLastPage"`
	Next   int  `json:"nextPageStart"`
}

func (p serverPage) next() string {
	if p.IsLast || p.Next <= 0 {
		return ""
	}
	return strconv.Itoa(p.Next)
}
