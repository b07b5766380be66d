package source

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestBranchesWithoutEnd: a server that names branches for as long as it is listened to takes no more memory than git is given.
func TestBranchesWithoutEnd(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	for i := range 1000 {
		line := fmt.Sprintf("%040x refs/heads/%0200d\n", i, i)
		fmt.Fprintf(&lines, "%04x%s", len(line)+4, line)
	}
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_, err := w.Write([]byte("001e# service=git-upload-pack\n0000"))
		for err == nil && r.Context().Err() == nil {
			_, err = w.Write(lines.Bytes())
		}
	}))
	t.Cleanup(host.Close)
	g, err := findGit(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a := address{url: host.URL + "/shop.git", allow: "http"}
	_, err = g.listRefs(t.Context(), a.surroundings(), 256<<10, "--", a.url)
	f := &fetching{k: &Checkouts{config: Config{Timeout: time.Minute}}, a: a}
	if err := f.fault(err); err == nil || !bytes.Contains([]byte(err.Error()), []byte(errManyRefs.Error())) {
		t.Errorf("%v", err)
	}
}
