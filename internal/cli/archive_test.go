package cli_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestWhatIsKeptOfAnEnvironmentThatEnded(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	if got := p.must(t, "archive", "list"); got != "no archives\n" {
		t.Errorf("an empty list prints %q", got)
	}
	p.create(t, "pr-1")
	_, said := p.ends(t, cli.ExitRefused, "env", "receipt", "pr-1")
	contains(t, "a receipt of one that lives", said, "receipt")
	_, said = p.ends(t, cli.ExitRefused, "env", "undo", "pr-1")
	contains(t, "an undo of one that lives", said, "pr-1")
	id := reads[sdk.Environment](t, p, 0, "env", "get", "pr-1").ID
	p.must(t, "env", "destroy", "pr-1", "--yes", "--wait")
	contains(t, "receipt", p.must(t, "env", "receipt", "pr-1"), "the removal of pr-1 began ", " and was over ", "SYSTEM", "GONE AFTER", "leftovers: 0\n")
	contains(t, "receipt -o wide", p.must(t, "env", "receipt", id, "-o", "wide"), "MADE", "GONE  ")
	if got := reads[sdk.Receipt](t, p, 0, "env", "receipt", "pr-1"); got.EnvironmentID != id || len(got.Lines) == 0 {
		t.Errorf("the receipt is %+v", got)
	}
	contains(t, "list", p.must(t, "archive", "list", "--name", "pr-1", "--state", "terminated", "--project", "default"), "ID  ", "UNDO UNTIL", id+"  pr-1  default  terminated")
	contains(t, "list -o wide", p.must(t, "archive", "list", "-o", "wide"), "PURGED", "RESTORED AS")
	if got := p.must(t, "archive", "list", "-o", "name"); got != id+"\n" {
		t.Errorf("list -o name prints %q", got)
	}
	contains(t, "completion", p.must(t, "__complete", "archive", "get", ""), id+"\tdefault/pr-1, terminated\n:4\n")
	contains(t, "get", p.must(t, "archive", "get", id), "default/pr-1, terminated", "can be brought back until", "blueberry env undo "+id, "FILE", "receipt.json", "leftovers: 0")
	contains(t, "one file", p.must(t, "archive", "download", id, "receipt.json"), `"environment_id"`, id)

	dir := filepath.Join(t.TempDir(), "new", "dir")
	p.must(t, "archive", "download", id, "--to", dir)
	contains(t, "what is said on the way", p.err.String(), "wrote "+filepath.Join(dir, "receipt.json")+", ")
	for _, name := range strings.Fields(p.must(t, "archive", "get", id, "-o", "name")) {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || string(data) != p.must(t, "archive", "download", id, name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	one := t.TempDir()
	p.must(t, "archive", "download", id, "receipt.json", "--to", one)
	if found, err := os.ReadDir(one); err != nil || len(found) != 1 {
		t.Errorf("one file makes %v: %v", found, err)
	}
	_, said = p.ends(t, cli.ExitRefused, "archive", "download", id, "none", "--to", one)
	contains(t, "unknown", said, `the archive has no file "none"`)
	p.ends(t, cli.ExitRefused, "archive", "download", id, "none")
	p.ends(t, cli.ExitRefused, "archive", "get", "env_none")
	usage(t, p, "--to a directory", "archive", "download", id)
	usage(t, p, "--limit must be at least 1", "archive", "list", "--limit", "0")

	usage(t, p, `"soon" is not a length of time`, "env", "undo", "pr-1", "--ttl", "soon")
	contains(t, "undo", p.must(t, "env", "undo", "pr-1", "--ttl", "2d", "--wait"), "pr-1 is ready")
	contains(t, "what is said on the way", p.err.String(), "accepted pr-1 as env_", "expires in 48h")
	contains(t, "archive of one that came back", p.must(t, "archive", "get", id), "was brought back as env_")
	contains(t, "undo by id, under another name", p.must(t, "env", "undo", id, "--name", "pr-2", "--wait"), "pr-2 is ready")
	contains(t, "retention", p.must(t, "retention"), "RULE", "KEEPS", "LAST RUN")
	contains(t, "retention -o name", p.must(t, "retention", "-o", "name"), "archives\n")
}

// TestNoNameOfAFileLeadsOutOfTheDirectory downloads from a server that would write elsewhere.
func TestNoNameOfAFileLeadsOutOfTheDirectory(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"up": "../evil", "up in between": "logs/../../evil", "absolute": "/evil", "the directory": ".", "nothing": "", "link": "link/evil", "file link": "linked",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/files/") {
					_, _ = w.Write([]byte("evil"))
					return
				}
				answerJSON(w, 200, sdk.Archive{EnvironmentID: "env_1", Files: []sdk.ArchiveFile{{Name: "good%s.txt", Size: 4}, {Name: file, Size: 4}}})
			}))
			defer srv.Close()
			p, outside := at(srv.URL), t.TempDir()
			dir := filepath.Join(outside, "dir")
			write(t, outside, map[string]string{"elsewhere/evil": "mine", "dir/kept": "mine"})
			for to, from := range map[string]string{"elsewhere": "link", "elsewhere/evil": "linked"} {
				if err := os.Symlink(filepath.Join(outside, to), filepath.Join(dir, from)); err != nil {
					t.Fatal(err)
				}
			}
			_, said := p.ends(t, cli.ExitError, "archive", "download", "env_1", "--to", dir)
			contains(t, "message", said, "good%s.txt, 4 bytes\n", "fetch "+file+": ")
			if data, err := os.ReadFile(filepath.Join(outside, "elsewhere", "evil")); err != nil || string(data) != "mine" {
				t.Errorf("what is outside is %q: %v", data, err)
			}
			if found, err := os.ReadDir(outside); err != nil || len(found) != 2 {
				t.Errorf("outside is %v: %v", found, err)
			}
			if data, err := os.ReadFile(filepath.Join(dir, "good%s.txt")); err != nil || string(data) != "evil" {
				t.Errorf("the good file is %q: %v", data, err)
			}
		})
	}
}

func TestHalfAFileIsNotKept(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/files/") {
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		answerJSON(w, 200, sdk.Archive{EnvironmentID: "env_1", Files: []sdk.ArchiveFile{{Name: "logs/web-1/app.log", Size: 400}}})
	}))
	defer srv.Close()
	p, dir := at(srv.URL), t.TempDir()
	_, said := p.ends(t, cli.ExitError, "archive", "download", "env_1", "--to", dir)
	contains(t, "message", said, "fetch logs/web-1/app.log: read file: ")
	if _, err := os.Stat(filepath.Join(dir, "logs", "web-1", "app.log")); !os.IsNotExist(err) {
		t.Errorf("it is there: %v", err)
	}
}
