package gitops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cgi" //nolint:gosec // Go passes no Proxy header on (CVE-2016-5386)
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	maxServed     = 16               // clients served at once: each is two or three processes
	maxAsk        = 16 << 20         // bytes of a fetch's question; GitHub's own limit is of that order
	serveDeadline = 10 * time.Minute // of one exchange with a client
)

// gitProtocol is what a client may ask for in Git-Protocol: "version=2".
var gitProtocol = regexp.MustCompile(`^[a-z0-9=:.-]{1,64}$`)

// Handler serves the repository to the stock git client over smart HTTP, below the path where it is mounted ("/git/gitops.git/...").
//
// authenticate is asked on every request, with the password of HTTP basic authentication (the user name does not matter) or a bearer token.
// An error of kind blueberry.Forbidden is answered with 403, any other *blueberry.Error but Unavailable with 401, everything else with 503.
// A push may go to any branch, but never back and never remove one. The mirror of a remote is served for reading only.
func (r *Repository) Handler(authenticate func(ctx context.Context, token string) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !r.admit(w, req, authenticate) {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second)) // a body on its way is not waited for
			return
		}
		path, push := service(req)
		switch {
		case path == "":
			http.Error(w, "not found: only the smart HTTP protocol of Git is served here", http.StatusNotFound)
			return
		case push && r.config.Remote != "":
			http.Error(w, "this is a mirror: push to the remote itself", http.StatusForbidden)
			return
		}
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(serveDeadline)) // not every writer has deadlines, and then there are none to extend
		_ = control.SetWriteDeadline(time.Now().Add(serveDeadline))
		select {
		case r.served <- struct{}{}:
			defer func() { <-r.served }()
		case <-req.Context().Done():
			return
		}
		r.serve(w, req, path, push)
	})
}

// admit answers the request itself when it may not go on.
func (r *Repository) admit(w http.ResponseWriter, req *http.Request, authenticate func(ctx context.Context, token string) error) bool {
	token := ""
	if _, password, ok := req.BasicAuth(); ok {
		token = password
	} else if scheme, bearer, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(bearer)
	}
	err := error(blueberry.Unauthenticated)
	if token != "" {
		if err = authenticate(req.Context(), token); err == nil {
			return true
		}
	}
	var known *blueberry.Error
	switch {
	case errors.Is(err, blueberry.Forbidden):
		http.Error(w, "forbidden", http.StatusForbidden)
	case token == "" || errors.As(err, &known) && known.Kind != blueberry.Unavailable || errors.Is(err, blueberry.Unauthenticated):
		w.Header().Set("WWW-Authenticate", `Basic realm="Blueberry", charset="UTF-8"`)
		http.Error(w, "an API token is needed as the password", http.StatusUnauthorized)
	default:
		// Not 401: on that, clients throw away the password they have stored.
		r.log.Error("cannot authenticate a Git client", "error", err)
		http.Error(w, "cannot authenticate now", http.StatusServiceUnavailable)
	}
	return false
}

// service finds which of the three services of the smart protocol is asked for. Nothing of the request's path reaches the file system: the
// backend gets the service's own path.
func service(req *http.Request) (path string, push bool) {
	for _, s := range []string{"/git-upload-pack", "/git-receive-pack"} {
		if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, s) {
			return s, s == "/git-receive-pack"
		}
		if req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, "/info/refs") && req.URL.Query().Get("service") == s[1:] {
			return "/info/refs", s == "/git-receive-pack"
		}
	}
	return "", false
}

func (r *Repository) serve(w http.ResponseWriter, req *http.Request, path string, push bool) {
	inner := req.Clone(req.Context())
	inner.URL.Path, inner.URL.RawPath, inner.RequestURI = path, "", ""
	inner.URL.RawQuery = ""
	if path == "/info/refs" {
		inner.URL.RawQuery = "service=" + req.URL.Query().Get("service")
	}
	// Headers become environment of the process. The credential must not, and nothing else is needed.
	inner.Header = http.Header{}
	for _, name := range []string{"Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "User-Agent"} {
		if v := req.Header.Get(name); v != "" {
			inner.Header.Set(name, v)
		}
	}
	limit := int64(maxAsk)
	if push {
		limit = r.config.MaxPushBytes
	}
	done, err := spool(w, inner, limit, r.own(""))
	if err != nil {
		r.refuseBody(w, err)
		return
	}
	defer done()
	env := append([]string{}, r.git.env...)
	env = append(env, "GIT_PROJECT_ROOT="+r.config.Dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=blueberry")
	if v := req.Header.Get("Git-Protocol"); gitProtocol.MatchString(v) {
		env = append(env, "GIT_PROTOCOL="+v)
	}
	stderr := &tail{limit: maxStderr}
	(&cgi.Handler{
		Path: filepath.Join(r.git.execPath, "git-http-backend"), Root: "/", Dir: "/", Env: env, Stderr: stderr,
		Logger: log.New(logWriter{r.log}, "", 0),
	}).ServeHTTP(w, inner)
	if len(stderr.kept) > 0 {
		r.log.Debug("git http-backend said", "service", path, "text", string(stderr.kept))
	}
}

// spool puts a body of unknown length into a file, because CGI has to be told the length. It checks the limit in any case.
func spool(w http.ResponseWriter, req *http.Request, limit int64, dir string) (done func(), err error) {
	if req.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	req.Body = http.MaxBytesReader(w, req.Body, limit)
	if req.ContentLength >= 0 {
		return func() {}, nil
	}
	f, err := os.CreateTemp(dir, ".spool-*")
	if err != nil {
		return nil, fmt.Errorf("make a file for the push: %w", err)
	}
	_ = os.Remove(f.Name()) // it lives as long as it is open, and no longer than this process
	n, err := io.Copy(f, req.Body)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("spool the push: %w", err)
	}
	req.Body, req.ContentLength, req.TransferEncoding = io.NopCloser(f), n, nil
	return func() { _ = f.Close() }, nil
}

func (r *Repository) refuseBody(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		http.Error(w, fmt.Sprintf("too large: at most %d bytes are taken at once", tooLarge.Limit), http.StatusRequestEntityTooLarge)
		return
	}
	r.log.Error("cannot take what a Git client sends", "error", err)
	http.Error(w, "cannot take this now", http.StatusServiceUnavailable)
}

// logWriter brings the lines of the cgi package into our log.
type logWriter struct{ log *slog.Logger }

func (l logWriter) Write(p []byte) (int, error) {
	l.log.Debug("git http-backend failed", "text", strings.TrimSpace(string(p)))
	return len(p), nil
}
