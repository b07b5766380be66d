package bitbucket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/source"
)

var buildStates = map[source.StatusState]string{source.StatusPending: "INPROGRESS", source.StatusSuccess: "SUCCESSFUL", source.StatusFailure: "FAILED"}

// build is the status of a build. There is one for each key and commit.
type build struct {
	Key         string `json:"key"`
	State       string `json:"state"`
	Name        string `json:"name"`
	Description string `json:"description"`
	URL         string `json:"url"`
}

// maxKey is how long the key of a build may be, in bytes.
const maxKey = 40

// key is the key of a context. One that is too long ends in digits of its digest.
func key(context string) string {
	if len(context) <= maxKey {
		return context
	}
	sum := sha256.Sum256([]byte(context))
	return strings.ToValidUTF8(context[:maxKey-17], "") + "-" + hex.EncodeToString(sum[:8])
}

// SetStatus has a commit bear the status. Bitbucket wants an address with each one: where there is none, it is that of the commit.
func (Host) SetStatus(ctx context.Context, c *source.Connection, commit string, s source.CommitStatus) error {
	at, err := repo(c)
	if err != nil {
		return err
	}
	commit = url.PathEscape(commit)
	want := build{key(s.Context), buildStates[s.State], s.Context, s.Description, s.URL}
	if isServer(c) {
		return setServerStatus(ctx, c, at, commit, want)
	}
	if want.URL == "" {
		want.URL = "https://bitbucket.org" + strings.TrimPrefix(at, "/repositories") + "/commits/" + commit
	}
	at += "/commit/" + commit + "/statuses/build"
	var there build
	_, _, err = c.Call(ctx, http.MethodGet, at+"/"+url.PathEscape(want.Key), nil, nil, &there)
	if source.HostStatus(err) == http.StatusNotFound {
		err = nil
	}
	if err != nil || there == want {
		return err
	}
	_, _, err = c.Call(ctx, http.MethodPost, at, nil, want, nil)
	return err
}

// setServerStatus is for Data Center, whose statuses have an API of their own beside the other.
func setServerStatus(ctx context.Context, c *source.Connection, at, commit string, want build) error {
	root, _, _ := strings.Cut(c.API, restAPI)
	if want.URL == "" {
		want.URL = root + at + "/commits/" + commit
	}
	statuses := *c
	statuses.API = root + "/rest/build-status/1.0"
	at = "/commits/" + commit
	var there struct {
		Values []build `json:"values"`
	}
	if _, _, err := statuses.Call(ctx, http.MethodGet, at+"?limit=100", nil, nil, &there); err != nil {
		return err
	}
	for _, x := range there.Values {
		if x == want {
			return nil
		}
	}
	_, _, err := statuses.Call(ctx, http.MethodPost, at, nil, want, nil)
	return err
}
