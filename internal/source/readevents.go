package source

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of what a delivery says of comments and branches.
const (
	MaxComment = 4000 // characters of a comment
	MaxPushed  = 1000 // branches of one delivery
	branches   = "refs/heads/"
)

// ID gives the number by which a host calls something, in digits.
func (r *Reading) ID(field string, value int64) string {
	if value <= 0 {
		r.fail(field, "is missing, or no number of one")
		return ""
	}
	return strconv.FormatInt(value, 10)
}

// Lines gives a text of several lines. Of one that is too long the lines are left that are whole, for half of a command is another command. Control characters
// but tabs, and those that turn a line around, are spaces in it.
func (r *Reading) Lines(value string) string {
	value = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(value)
	if utf8.RuneCountInString(value) > MaxComment {
		value = string([]rune(value)[:MaxComment])
		value = value[:strings.LastIndexByte(value, '\n')+1]
	}
	return strings.Map(func(c rune) rune {
		if c != '\n' && c != '\t' && (unicode.IsControl(c) || unicode.In(c, unicode.Zl, unicode.Zp, unicode.Bidi_Control)) {
			return ' '
		}
		return c
	}, value)
}

// Moment gives a time that is told in seconds since 1970; none where that is nothing.
func (r *Reading) Moment(field string, seconds int64) time.Time {
	switch {
	case seconds < 0 || seconds >= latestMoment:
		r.fail(field, "is no time")
		return time.Time{}
	case seconds == 0:
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// latestMoment is the year 9999, behind which times cannot be written.
const latestMoment = 253_402_300_800 // seconds

// Pushed is what a push did to one ref.
type Pushed struct {
	Ref    string // the whole name: "refs/heads/main"
	Commit string // that it is at; empty, or of zeros, when it is gone
}

// Pushes gives what a push did to branches: nothing for tags and other refs. Field names what the host has of the commits.
func (r *Reading) Pushes(field string, at time.Time, pushed ...Pushed) []blueberry.BranchPush {
	if len(pushed) > MaxPushed {
		r.fail(field, "is there for more than "+strconv.Itoa(MaxPushed)+" branches")
		return nil
	}
	var out []blueberry.BranchPush
	for _, x := range pushed {
		name, isBranch := strings.CutPrefix(x.Ref, branches)
		if !isBranch {
			continue
		}
		p := blueberry.BranchPush{Branch: r.Name("ref", name), At: at}
		if strings.Trim(x.Commit, "0") != "" {
			p.Commit = r.Commit(field, x.Commit)
		}
		out = append(out, p)
	}
	return out
}
