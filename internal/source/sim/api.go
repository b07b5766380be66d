package sim

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	maxBody   = 1 << 20 // bytes of a request to the API
	pageSize  = 30      // unless limit asks for another
	mostOnOne = 50      // page
)

// refusal is an answer that is no 2xx.
type refusal struct {
	status int
	text   string
}

func (e *refusal) Error() string { return e.text }

func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

func wrong(format string, args ...any) error {
	return refuse(http.StatusUnprocessableEntity, format, args...)
}

func missing(what string) error { return refuse(http.StatusNotFound, "there is no such %s", what) }

// call is one request to the API.
type call struct {
	*http.Request
	actor string // empty when nobody said who they are
	body  []byte
}

// answer is what a call is answered with.
type answer struct {
	status int // 0 means 200
	body   any // nil for none
	listed bool
	total  int // of what is listed, on all pages
	last   int // page
}

// into reads the body of a call. Fields that are not known are passed over, as Gitea does: it has more of them than this host.
func (c *call) into(v any) error {
	var mistyped *json.UnmarshalTypeError
	switch err := json.Unmarshal(c.body, v); {
	case errors.As(err, &mistyped) && mistyped.Field != "":
		return wrong("%s is of the wrong type", mistyped.Field)
	case err != nil:
		return wrong("the body is not an object of JSON")
	}
	return nil
}

// number reads a number of the path; what is none names nothing.
func (c *call) number(name string) int64 {
	n, err := strconv.ParseInt(c.PathValue(name), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// repository gives the repository of the path, when the caller may see it.
func (c *call) repository(s *state) (*repository, error) {
	r := s.find(c.PathValue("owner"), c.PathValue("repo"))
	if r == nil || r.Private && c.actor == "" {
		return nil, missing("repository")
	}
	return r, nil
}

// pulled gives the pull request of the path too.
func (c *call) pulled(s *state, name string) (*repository, *pull, error) {
	r, err := c.repository(s)
	if err != nil {
		return nil, nil, err
	}
	if n := c.number(name); n <= int64(len(r.Pulls)) {
		if p := r.pull(int(n)); p != nil {
			return r, p, nil
		}
	}
	return nil, nil, missing("pull request")
}

// routes are what is served.
func (h *Host) routes() {
	h.api, h.web = http.NewServeMux(), http.NewServeMux()
	const repo = "/api/v1/repos/{owner}/{repo}"
	reads := map[string]func(wire, *call) (answer, error){
		"/api/v1/version":                         getVersion,
		"/api/v1/user":                            getUser,
		"/api/v1/user/repos":                      listRepositories,
		repo:                                      getRepository,
		repo + "/pulls":                           listPulls,
		repo + "/pulls/{n}":                       getPull,
		repo + "/issues/{a}/{b}":                  getOfIssue,
		repo + "/labels":                          listLabels,
		repo + "/statuses/{ref}":                  listStatuses,
		repo + "/commits/{ref}/statuses":          listStatuses,
		repo + "/commits/{ref}/status":            getCombined,
		repo + "/hooks":                           listHooks,
		repo + "/collaborators/{user}/permission": getPermission,
		repo + "/hooks/{id}":                      getHook,
		repo + "/hooks/{id}/deliveries":           listDeliveries,
	}
	for path, f := range reads {
		h.api.Handle("GET "+path, h.read(f))
	}
	writes := map[string]func(*call) (answer, error){
		"POST /api/v1/user/repos":                       h.createRepository,
		"POST " + repo + "/forks":                       h.fork,
		"POST " + repo + "/pulls":                       h.createPull,
		"PATCH " + repo + "/pulls/{n}":                  h.changePull,
		"POST " + repo + "/pulls/{n}/merge":             h.merge,
		"POST " + repo + "/issues/{a}/{b}":              h.addToIssue,
		"PUT " + repo + "/issues/{a}/{b}":               h.setLabels,
		"PATCH " + repo + "/issues/{a}/{b}":             h.editComment,
		"DELETE " + repo + "/issues/{a}/{b}":            h.removeOfIssue,
		"DELETE " + repo + "/issues/{a}/labels/{label}": h.removeLabel,
		"POST " + repo + "/labels":                      h.createLabel,
		"POST " + repo + "/statuses/{ref}":              h.createStatus,
		"POST " + repo + "/hooks":                       h.createHook,
		"PUT " + repo + "/collaborators/{user}":         h.setCollaborator,
		"DELETE " + repo + "/collaborators/{user}":      h.removeCollaborator,
		"DELETE " + repo + "/hooks/{id}":                h.deleteHook,
	}
	for route, f := range writes {
		h.api.Handle(route, h.write(f))
	}
	h.api.Handle("/api/", h.read(func(wire, *call) (answer, error) { return answer{}, missing("thing in this API") }))
	h.api.HandleFunc("GET /sim/page.css", h.pages.style)
	h.api.HandleFunc("GET /sim/counts", h.getCounts)
	if h.o.Faults {
		h.api.HandleFunc("GET /sim/faults", h.getFaults)
		h.api.HandleFunc("POST /sim/faults", h.setFaults)
	}
	h.web.HandleFunc("GET /{$}", h.page(h.pages.home))
	h.web.HandleFunc("GET /{owner}/{repo}", h.page(h.pages.repository))
	h.web.HandleFunc("GET /{owner}/{repo}/pulls/{n}", h.page(h.pages.pull))
	h.web.HandleFunc("GET /{owner}/{repo}/info/refs", h.serveGit("/info/refs"))
	h.web.HandleFunc("POST /{owner}/{repo}/git-upload-pack", h.serveGit("/git-upload-pack"))
	h.web.HandleFunc("POST /{owner}/{repo}/git-receive-pack", h.serveGit("/git-receive-pack"))
}

// actor tells who asks: the owner, or whom the header Sudo or a user name beside the token names. authentic is false for a token that is not the one.
func (h *Host) actor(r *http.Request) (name string, authentic bool) {
	is := func(token string) bool { return subtle.ConstantTimeCompare([]byte(token), []byte(h.o.Token)) == 1 }
	name = h.o.Owner
	if user, password, ok := r.BasicAuth(); ok {
		switch {
		case is(password):
			if validName(user) {
				name = user
			}
		case !is(user): // Gitea takes the token as the user, too
			return "", false
		}
	} else if given := r.Header.Get("Authorization"); given != "" {
		scheme, token, _ := strings.Cut(given, " ")
		if !strings.EqualFold(scheme, "token") && !strings.EqualFold(scheme, "Bearer") || !is(strings.TrimSpace(token)) {
			return "", false
		}
	} else {
		return "", true
	}
	if sudo := r.Header.Get("Sudo"); sudo != "" {
		if !validName(sudo) {
			return "", false
		}
		name = sudo
	}
	return name, true
}

// read serves calls that change nothing.
func (h *Host) read(f func(wire, *call) (answer, error)) http.HandlerFunc {
	return h.call(func(c *call) (a answer, js []byte, err error) {
		err = h.view(func(s *state) error {
			if a, err = f(wire{s, h.o.URL}, c); err != nil || a.body == nil {
				return err
			}
			js, err = json.Marshal(a.body)
			return err
		})
		return a, js, err
	})
}

// write serves calls of those who have the token.
func (h *Host) write(f func(*call) (answer, error)) http.HandlerFunc {
	return h.call(func(c *call) (a answer, js []byte, err error) {
		if c.actor == "" {
			return answer{}, nil, refuse(http.StatusUnauthorized, "token is required")
		}
		if a, err = f(c); err != nil || a.body == nil {
			return a, nil, err
		}
		js, err = json.Marshal(a.body)
		return a, js, err
	})
}

// call serves a call: faults on purpose, who asks, the body, the answer.
func (h *Host) call(f func(*call) (answer, []byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.state.Totals.Requests++
		fault := h.faults.next(r.Method)
		if fault.Kind != "" {
			h.state.Totals.Faulted++
		}
		h.mu.Unlock()
		if h.spoil(w, fault) {
			return
		}
		c := &call{Request: r}
		var authentic bool
		if c.actor, authentic = h.actor(r); !authentic {
			h.refusal(w, refuse(http.StatusUnauthorized, "invalid username, password or token"))
			return
		}
		var err error
		if c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				err = refuse(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", maxBody)
			}
			h.refusal(w, err)
			return
		}
		a, js, err := f(c)
		switch {
		case fault.Kind == FaultLost:
			panic(http.ErrAbortHandler) // what was asked is done, and nobody is told
		case err != nil:
			h.refusal(w, err)
		default:
			h.answer(w, c, a, js)
		}
	}
}

func (h *Host) refusal(w http.ResponseWriter, err error) {
	var known *refusal
	if !errors.As(err, &known) {
		h.log.Error("a call failed", "error", err)
		known = &refusal{http.StatusInternalServerError, "it failed here; the log of the host says why"}
	}
	if known.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Git"`)
	}
	js, _ := json.Marshal(map[string]string{"message": known.text, "url": h.o.URL + "/api/swagger"})
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(known.status)
	_, _ = w.Write(js)
}

func (h *Host) answer(w http.ResponseWriter, c *call, a answer, js []byte) {
	header := w.Header()
	if a.listed {
		header.Set("X-Total-Count", strconv.Itoa(a.total))
		if link := h.links(c, a); link != "" {
			header.Set("Link", link)
		}
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	header.Set("Content-Type", "application/json;charset=utf-8")
	if c.Method == http.MethodGet || c.Method == http.MethodHead {
		sum := sha256.Sum256(append([]byte(header.Get("X-Total-Count")+"\n"), js...))
		etag := `"` + hex.EncodeToString(sum[:16]) + `"`
		header.Set("ETag", etag)
		if matches(c.Header.Values("If-None-Match"), etag) {
			h.mu.Lock()
			h.state.Totals.NotModified++
			h.mu.Unlock()
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_, _ = w.Write(js)
}

func matches(given []string, etag string) bool {
	for _, line := range given {
		for one := range strings.SplitSeq(line, ",") {
			if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == etag || one == "*" {
				return true
			}
		}
	}
	return false
}

// links tells the pages beside the one that is listed.
func (h *Host) links(c *call, a answer) string {
	query := c.URL.Query()
	page := max(1, atoi(query.Get("page")))
	var out []string
	add := func(rel string, n int) {
		query.Set("page", strconv.Itoa(n))
		out = append(out, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, h.o.URL, (&url.URL{Path: c.URL.Path}).EscapedPath(), query.Encode(), rel))
	}
	if page < a.last {
		add("next", page+1)
		add("last", a.last)
	}
	if page > 1 && a.last > 0 {
		add("first", 1)
		add("prev", page-1)
	}
	return strings.Join(out, ",")
}

func atoi(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// paged gives the page of all that a call asks for.
func paged[T any](c *call, all []T) answer {
	query := c.URL.Query()
	size := atoi(query.Get("limit"))
	if size <= 0 {
		size = pageSize
	}
	size = min(size, mostOnOne)
	page := max(1, atoi(query.Get("page")))
	last := (len(all) + size - 1) / size
	shown := []T{}
	if page <= last {
		shown = slices.Clone(all[(page-1)*size : min(page*size, len(all))])
	}
	return answer{body: shown, listed: true, total: len(all), last: last}
}

func getVersion(wire, *call) (answer, error) {
	return answer{body: map[string]string{"version": "1.22.0+sim"}}, nil
}

func getUser(w wire, c *call) (answer, error) {
	if c.actor == "" {
		return answer{}, refuse(http.StatusUnauthorized, "token is required")
	}
	return answer{body: w.user(c.actor)}, nil
}

// oneLine reports whether a text is of 1 to most characters, none of which is a control character.
func oneLine(text string, most int) bool {
	return text != "" && len([]rune(text)) <= most && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}
