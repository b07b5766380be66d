package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/blueberry-idp/blueberry/internal/cli"
)

const docs = "../../docs/cli"

func clientTree() *cobra.Command {
	p := at("")
	root := cli.NewRoot(p.streams(), "test")
	root.DisableAutoGenTag = true
	root.InitDefaultCompletionCmd()
	return root
}

// TestHelpIsWhatTheDocsSay holds every command's help as a page in docs/cli.
func TestHelpIsWhatTheDocsSay(t *testing.T) {
	t.Parallel()
	made := t.TempDir()
	if err := doc.GenMarkdownTree(clientTree(), made); err != nil {
		t.Fatal(err)
	}
	for _, c := range clientTree().Commands() {
		if c.IsAdditionalHelpTopicCommand() { // cobra leaves these out
			page := "## " + c.CommandPath() + "\n\n" + c.Short + "\n\n" + c.Long + "\n"
			if err := os.WriteFile(filepath.Join(made, strings.ReplaceAll(c.CommandPath(), " ", "_")+".md"), []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if *update {
		if err := os.RemoveAll(docs); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(docs, os.DirFS(made)); err != nil {
			t.Fatal(err)
		}
	}
	want, got := pages(t, docs), pages(t, made)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/cli is not what the commands say; go test ./internal/cli -update writes it (-docs +commands):\n%s", diff)
	}
}

func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range found {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = string(data)
	}
	return out
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() != "help" && c.Name() != "completion" && (c.Parent() == nil || c.Parent().Name() != "completion") {
			if c.Short == "" || strings.HasSuffix(c.Short, ".") {
				t.Errorf("%s: short help is %q", c.CommandPath(), c.Short)
			}
			for l := range strings.SplitSeq(c.Long, "\n") {
				if l != "" && c.Name() != "exit-codes" && !strings.ContainsAny(l[len(l)-1:], ".:") {
					t.Errorf("%s: a paragraph of its help is broken into lines: %q", c.CommandPath(), l)
				}
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(clientTree())
}
