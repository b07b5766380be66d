package source_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// TestReadsWithALogin: what asks for a password is read with it, by those who have it and by nobody else, and the password goes to no other host.
func TestReadsWithALogin(t *testing.T) {
	t.Parallel()
	k := open(t, source.Config{})
	r := newRepository(t)
	r.write("secret.txt", "of the project")
	commit := r.commit("first")
	url, _ := web(t, filepath.Dir(r.dir), "of-the-token")
	url += "/" + filepath.Base(r.dir)
	login := source.Login{User: "blueberry", Password: "of-the-token", Scope: "rep_1"}
	tree, err := k.FetchAs(t.Context(), login, url, commit)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, tree.FS)["secret.txt"]; got != "of the project" {
		t.Errorf("read %q", got)
	}
	_ = tree.Close()
	for what, l := range map[string]source.Login{
		"anybody, although it is in the cache": {}, "another project": {User: "x", Password: "wrong", Scope: "rep_2"},
	} {
		tree, err := k.FetchAs(t.Context(), l, url, commit)
		if err == nil {
			_ = tree.Close()
		}
		if got := faults(t, err); len(got) != 1 || got[0] != "source.repository repository_auth" {
			t.Errorf("%s: %v", what, got)
		}
		if err != nil && strings.Contains(err.Error(), "of-the-token") {
			t.Errorf("%s: the error holds the password: %v", what, err)
		}
	}
	var told []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, p, ok := req.BasicAuth(); ok {
			told = append(told, p)
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer elsewhere.Close()
	redirects := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)+req.URL.String(), http.StatusFound)
	}))
	defer redirects.Close()
	if tree, err := k.FetchAs(t.Context(), login, redirects.URL+"/acme/shop", "main"); err == nil {
		_ = tree.Close()
		t.Error("read what asks for a password")
	}
	if len(told) > 0 {
		t.Errorf("another host was told %q", told)
	}
}
