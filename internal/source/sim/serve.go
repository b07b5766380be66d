package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cgi" //nolint:gosec // Go passes no Proxy header on (CVE-2016-5386)
	"os"
	"regexp"
	"strings"
	"time"
)

const (
	maxServed     = 16               // Git clients served at once: each is two or three processes
	maxAsk        = 16 << 20         // bytes of a fetch's question
	maxPush       = 256 << 20        // bytes of a push
	serveDeadline = 10 * time.Minute // of one exchange with a client
)

// gitProtocol is what a client may ask for in Git-Protocol: "version=2".
var gitProtocol = regexp.MustCompile(`^[a-z0-9=:.-]{1,64}$`)

// serveGit answers one of the three services of the smart protocol. Nothing of the request's path reaches the file system.
func (h *Host) serveGit(service string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked := service
		if service == "/info/refs" {
			if asked = "/" + r.URL.Query().Get("service"); asked != "/git-upload-pack" && asked != "/git-receive-pack" {
				http.Error(w, "only the smart HTTP protocol of Git is served here", http.StatusNotFound)
				return
			}
		}
		push := asked == "/git-receive-pack"
		actor, authentic := h.actor(r)
		var id int64
		_ = h.view(func(s *state) error {
			if repo := s.find(r.PathValue("owner"), strings.TrimSuffix(r.PathValue("repo"), ".git")); repo != nil && (actor != "" || !repo.Private) {
				id = repo.ID
			}
			return nil
		})
		switch {
		case !authentic || actor == "" && (push || id == 0):
			h.challenge(w)
			return
		case id == 0:
			http.Error(w, "there is no such repository", http.StatusNotFound)
			return
		}
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(serveDeadline)) // not every writer has deadlines, and then there are none to extend
		_ = control.SetWriteDeadline(time.Now().Add(serveDeadline))
		select {
		case h.served <- struct{}{}:
			defer func() { <-h.served }()
		case <-r.Context().Done():
			return
		}
		if service != "/git-receive-pack" {
			h.backend(w, r, id, service)
			return
		}
		// The answer waits until the pull requests have followed: what a client does next finds them as they are.
		late := &lateWriter{header: http.Header{}}
		h.backend(late, r, id, service)
		if err := h.follow(context.WithoutCancel(r.Context()), id, actor); err != nil {
			h.log.Error("cannot follow a push", "repository", id, "error", err)
			http.Error(w, "the push is in the repository, and its pull requests could not follow; they will at the next push or start", http.StatusInternalServerError)
			return
		}
		maps.Copy(w.Header(), late.header)
		w.WriteHeader(late.status)
		_, _ = w.Write(late.body.Bytes())
	}
}

func (h *Host) challenge(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Git", charset="UTF-8"`)
	http.Error(w, "the token is needed as the password", http.StatusUnauthorized)
}

// lateWriter keeps an answer.
type lateWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (l *lateWriter) Header() http.Header { return l.header }

func (l *lateWriter) WriteHeader(status int) {
	if l.status == 0 {
		l.status = status
	}
}

func (l *lateWriter) Write(p []byte) (int, error) {
	l.WriteHeader(http.StatusOK)
	return l.body.Write(p)
}

func (h *Host) backend(w http.ResponseWriter, r *http.Request, id int64, service string) {
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath, inner.RequestURI = service, "", ""
	inner.URL.RawQuery = ""
	if service == "/info/refs" {
		inner.URL.RawQuery = "service=" + r.URL.Query().Get("service")
	}
	// Headers become environment of the process. The credential must not, and nothing else is needed.
	inner.Header = http.Header{}
	for _, name := range []string{"Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "User-Agent"} {
		if v := r.Header.Get(name); v != "" {
			inner.Header.Set(name, v)
		}
	}
	limit := int64(maxAsk)
	if service == "/git-receive-pack" {
		limit = maxPush
	}
	done, err := spool(w, inner, limit, h.o.Dir)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, fmt.Sprintf("too large: at most %d bytes are taken at once", tooLarge.Limit), http.StatusRequestEntityTooLarge)
			return
		}
		h.log.Error("cannot take what a Git client sends", "error", err)
		http.Error(w, "cannot take this now", http.StatusServiceUnavailable)
		return
	}
	defer done()
	env := append([]string{}, h.git.env...)
	env = append(env, "GIT_PROJECT_ROOT="+h.bare(id), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=sim")
	if v := r.Header.Get("Git-Protocol"); gitProtocol.MatchString(v) {
		env = append(env, "GIT_PROTOCOL="+v)
	}
	(&cgi.Handler{
		Path: h.git.backend, Root: "/", Dir: "/", Env: env, Stderr: logWriter{h.log}, Logger: log.New(logWriter{h.log}, "", 0),
	}).ServeHTTP(w, inner)
}

// spool puts a body of unknown length into a file, because CGI has to be told the length. It checks the limit in any case.
func spool(w http.ResponseWriter, r *http.Request, limit int64, dir string) (done func(), err error) {
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if r.ContentLength >= 0 {
		return func() {}, nil
	}
	f, err := os.CreateTemp(dir, ".spool-*")
	if err != nil {
		return nil, fmt.Errorf("make a file for the push: %w", err)
	}
	_ = os.Remove(f.Name()) // it lives as long as it is open, and no longer than this process
	n, err := io.Copy(f, r.Body)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("spool the push: %w", err)
	}
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(f), n, nil
	return func() { _ = f.Close() }, nil
}

// logWriter brings lines of git into our log.
type logWriter struct{ log *slog.Logger }

func (l logWriter) Write(p []byte) (int, error) {
	l.log.Debug("git http-backend said", "text", strings.TrimSpace(string(p)))
	return len(p), nil
}
