package source

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// Comment is a comment below a pull request.
type Comment struct {
	ID     string
	Author string // as Thread.Self names us
	Text   string
}

// NoComment is that there is no comment below a pull request that was asked for.
func NoComment() error {
	return &HostError{Status: http.StatusNotFound, Text: "the host has no such comment below the pull request"}
}

// Thread is the comments of one pull request, as one kind of host has them. Errors are those of Connection.
type Thread interface {
	// Self is who we are; empty when the host does not tell.
	Self(ctx context.Context) (string, error)
	// Comments gives a page and the name of the next one, which is empty behind the last. The first one has the empty name.
	Comments(ctx context.Context, page string) (list []Comment, next string, err error)
	Edit(ctx context.Context, id, text string) error
	Make(ctx context.Context, text string) (id string, err error)
}

// maxCommentPages is behind how many pages of comments ours is not looked for any more.
const maxCommentPages = 100

// WriteComment does what Speaker.WriteComment says. A comment of someone else is not ours, even with the mark in it: people quote.
func WriteComment(ctx context.Context, t Thread, id, mark, text string) (string, error) {
	if id != "" {
		if err := t.Edit(ctx, id, text); !gone(err) && !Denied(err) { // another one's, since the credential changed: one of our own is made
			return id, err
		}
	}
	self, asked := "", false
	for page, n := "", 0; n < maxCommentPages; n++ {
		list, next, err := t.Comments(ctx, page)
		if err != nil {
			return id, err
		}
		for _, x := range list {
			if x.ID == id || !strings.Contains(x.Text, mark) {
				continue
			}
			if !asked {
				if self, err = t.Self(ctx); err != nil {
					return id, err
				}
				if asked = true; self == "" { // then which are ours is not to be known
					return t.Make(ctx, text)
				}
			}
			if x.Author != self {
				continue
			}
			if x.Text == text {
				return x.ID, nil
			}
			err := t.Edit(ctx, x.ID, text)
			if err == nil {
				return x.ID, nil
			}
			if !gone(err) && !Denied(err) {
				return id, err
			}
		}
		if page = next; page == "" {
			break
		}
	}
	return t.Make(ctx, text)
}

// gone reports whether the host no longer has what it was asked of.
func gone(err error) bool {
	status := HostStatus(err)
	return status == http.StatusNotFound || status == http.StatusGone
}

// paused reports whether the host wants no calls for a while.
func paused(err error) bool {
	var e *HostError
	return errors.As(err, &e) && !e.Until.IsZero()
}

// Denied reports whether the host does not let the credential do this one thing.
func Denied(err error) bool {
	status := HostStatus(err)
	return !paused(err) && (status == http.StatusForbidden || status == http.StatusNotFound)
}
