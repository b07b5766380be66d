package app

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSimHost: the host tells where it is, takes the token that it keeps, and is there again with the same one.
func TestSimHost(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "host")
	once := func(name string, want int) string {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		out, tell := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			o := &simHostOptions{listen: "127.0.0.1:0", dir: dir, owner: "acme", json: true}
			err := o.run(ctx, tell, io.Discard)
			_ = tell.CloseWithError(err)
			ended <- err
		}()
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			URL, API, Owner string
			TokenFile       string `json:"token_file"`
		}
		if err := json.Unmarshal([]byte(line), &said); err != nil || said.API != said.URL+"/api/v1" || said.Owner != "acme" {
			t.Fatalf("it tells %s (%v)", line, err)
		}
		token, err := os.ReadFile(said.TokenFile)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPost, said.API+"/user/repos", strings.NewReader(`{"name":"`+name+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "token "+strings.TrimSpace(string(token)))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("a repository is answered %d, want %d", res.StatusCode, want)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
		return string(token)
	}
	first := once("shop", http.StatusCreated)
	if second := once("shop", http.StatusConflict); second != first {
		t.Error("the token is another one at the second start")
	}
	if info, err := os.Stat(filepath.Join(dir, "token")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token is kept as %v (%v)", info, err)
	}
}
