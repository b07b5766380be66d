package source

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// PullPage is one page of a host's list of pull requests, the newest change first.
type PullPage struct {
	Unchanged bool   // it is the one that the etag was given with
	ETag      string // empty for hosts that have none
	Pulls     []json.RawMessage
	Next      string // name of the next page; empty behind the last
}

// Collect reads pages until one has a pull request that changed before since, and gives those that changed later. Of each page, all are read: hosts that put
// some of them in another order are not trusted to have none behind the first old one. read gives a blueberry.Error for what is no pull request: it is
// left out, and told in Changes.Unread, so that one that somebody made unreadable does not hold up the others.
func Collect(
	ctx context.Context, since time.Time, etag string, list func(ctx context.Context, page, etag string) (PullPage, error),
	read func(ctx context.Context, js []byte) (blueberry.PullRequest, error),
) (Changes, error) {
	var out Changes
	seen := map[int]bool{} // one that changes meanwhile moves to the front, and the last of a page to the next
	for name, total := "", 0; ; {
		page, err := list(ctx, name, etag)
		switch {
		case err != nil:
			return Changes{}, err
		case page.Unchanged && name == "":
			return Changes{Unchanged: true, ETag: etag}, nil
		case name == "":
			out.ETag = page.ETag
		}
		etag = ""
		old := len(page.Pulls) == 0
		var unread *blueberry.Error
		for _, js := range page.Pulls {
			if total++; total > MaxSwept {
				out.More = true
				return out, nil
			}
			p, err := read(ctx, js)
			switch {
			case errors.As(err, &unread):
				out.Unread = "a pull request could not be read: " + unread.Detail
			case err != nil:
				return Changes{}, err
			case p.HostAt.IsZero():
				out.Unread = "a pull request could not be read: it has no time"
			case p.HostAt.Before(since):
				old = true
			case !seen[p.Number]:
				seen[p.Number] = true
				out.Pulls = append(out.Pulls, p)
			}
		}
		if name = page.Next; old || name == "" {
			return out, nil
		}
	}
}

// ReadPull reads one pull request of a list by a driver's function, as strictly as a delivery.
func ReadPull[P any](js []byte, read func(r *Reading, said P) *blueberry.PullRequest) (blueberry.PullRequest, error) {
	var said P
	if err := Decode(js, &said); err != nil {
		return blueberry.PullRequest{}, err
	}
	var r Reading
	in, err := r.Give(Incoming{Pull: read(&r, said)})
	if err != nil {
		return blueberry.PullRequest{}, err
	}
	return *in.Pull, nil
}
