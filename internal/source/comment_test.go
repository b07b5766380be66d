package source_test

import (
	"context"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// thread is one of which anybody's comments can be edited, as an administrator may.
type thread struct {
	self string
	list []source.Comment
	made int
}

func (t *thread) Self(context.Context) (string, error) { return t.self, nil }

func (t *thread) Comments(context.Context, string) ([]source.Comment, string, error) {
	return t.list, "", nil
}

func (t *thread) Edit(_ context.Context, id, text string) error {
	for i := range t.list {
		if t.list[i].ID == id {
			t.list[i].Text = text
		}
	}
	return nil
}

func (t *thread) Make(context.Context, string) (string, error) { t.made++; return "made", nil }

// TestCommentsOfOthersAreNotOurs: one with our mark is taken for ours only where the host says who we are, and that it is of us.
func TestCommentsOfOthersAreNotOurs(t *testing.T) {
	t.Parallel()
	for self, want := range map[string]string{"": "made", "bot": "made", "eve": "1"} {
		x := &thread{self: self, list: []source.Comment{{ID: "1", Author: "eve", Text: "the mark"}}}
		id, err := source.WriteComment(t.Context(), x, "", "the mark", "the mark, and how it is")
		if err != nil || id != want || (x.list[0].Text != "the mark") != (want == "1") {
			t.Errorf("as %q: %q, %v; theirs is %q", self, id, err, x.list[0].Text)
		}
	}
}
