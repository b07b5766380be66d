package blueberry_test

import (
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestImageParts(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	for image, want := range map[string][3]string{
		"ghcr.io/acme/web:1.2@" + digest: {"ghcr.io/acme/web", "1.2", digest},
		"ghcr.io/acme/web@" + digest:     {"ghcr.io/acme/web", "", digest},
		"host:5000/web":                  {"host:5000/web", "", ""},
		"host:5000/web:x":                {"host:5000/web", "x", ""},
		"web:x":                          {"web", "x", ""},
		"":                               {},
	} {
		repository, tag, d := blueberry.ImageParts(image)
		if got := [3]string{repository, tag, d}; got != want {
			t.Errorf("%q is %q, want %q", image, got, want)
		}
	}
}

func TestCheckDigest(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	for image, want := range map[string]string{
		"ghcr.io/acme/web:1@" + digest:           "",
		"web@" + digest:                          "",
		"web:1":                                  "image_unpinned",
		"web":                                    "image_unpinned",
		"web@sha256:" + strings.Repeat("A", 64):  "image_unpinned", // registries name digests in lower case
		"web@sha256:" + strings.Repeat("a", 40):  "image_unpinned",
		"web@sha512:" + strings.Repeat("a", 128): "image_unpinned",
		"":                                       "required",
		"-web@" + digest:                         "image",
		"web@" + digest + "\n":                   "image",
		"https://ghcr.io/web@" + digest:          "image",
		"web@" + digest + "; rm -rf / #":         "image",
		"ghcr.io/acme/web:1@" + digest + "@" + digest[:20]: "image",
	} {
		var f blueberry.Faults
		f.CheckDigest("images.web", image)
		got := ""
		if len(f) > 0 {
			got = f[0].Code
		}
		if got != want || len(f) > 1 {
			t.Errorf("%q: %v, want %q", image, f, want)
		}
	}
}

// TestCommitOf: a component runs what is named for it, else the commit of its repository, and never that of another one.
func TestCommitOf(t *testing.T) {
	t.Parallel()
	in := blueberry.Inputs{
		Source: blueberry.Source{Commit: "aaa"}, Sources: []blueberry.ComponentSource{{Name: "web", Commit: "www"}}, Commits: map[string]string{"own": "ooo"},
		Blueprint: blueberry.Blueprint{Components: []blueberry.Component{{Name: "app"}, {Name: "own"}, {Name: "side", Repository: "web"}, {Name: "lost", Repository: "gone"}}},
	}
	for i, want := range []string{"aaa", "ooo", "www", ""} {
		if got := in.CommitOf(in.Blueprint.Components[i]); got != want {
			t.Errorf("%s runs %q, want %q", in.Blueprint.Components[i].Name, got, want)
		}
	}
	own := in.ComponentCommits()
	if _, app := own["app"]; app || len(own) != 3 || own["side"] != "www" {
		t.Errorf("of their own: %v", own)
	}
	in.Head = "hhh"
	if got := in.CommitOf(in.Blueprint.Components[0]); got != "hhh" {
		t.Errorf("of a restricted environment it runs %q", got)
	}
}

func TestUsedRepositories(t *testing.T) {
	t.Parallel()
	b := blueberry.Blueprint{
		Repositories: []blueberry.SideRepository{{Name: "a"}, {Name: "b"}, {Name: "c"}},
		Components:   []blueberry.Component{{Name: "x", Repository: "c"}, {Name: "y", Repository: "a", Chart: "chart"}, {Name: "z", Repository: "a"}},
	}
	used, files := b.UsedRepositories()
	if len(used) != 2 || used[0].Name != "a" || used[1].Name != "c" || !files["a"] || files["c"] {
		t.Errorf("used %v, files of %v", used, files)
	}
	if b.NeedsSource() || !b.NeedsFiles() {
		t.Error("files of another repository are taken for those of its own")
	}
}

// TestRepositoryWithALogin: an address that holds one is refused before anything keeps it, and is not repeated.
func TestRepositoryWithALogin(t *testing.T) {
	t.Parallel()
	for url, bad := range map[string]bool{
		"https://git.example.com/a": false, "ssh://git@git.example.com/a": false, "git@git.example.com:a": false, "/srv/a": false, "https://git.example.com/a@b": false,
		"https://git.example.com/a?token=s3cr3t": true, "https://git.example.com/a#s3cr3t": true,
		"https://s3cr3t@git.example.com/a": true, "https://me:s3cr3t@git.example.com/a": true, "http://:s3cr3t@h/a": true, "ssh://git:s3cr3t@h/a": true,
	} {
		b := blueberry.Blueprint{Name: "a", Components: []blueberry.Component{{Name: "b", Image: "c:1"}}, Repositories: []blueberry.SideRepository{{Name: "x", URL: url}}}
		err := b.Check()
		if (err != nil) != bad || bad && (strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "repositories[0].url")) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
