package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// town is a server with people in it.
type town struct {
	*roomstest.Rooms
	url   string
	owner blueberry.Actor // with a session
	mu    sync.Mutex
	asked map[string]int // requests by path and grant type

	decided chan struct{} // closed when the person of a login by device has decided; nil for none
}

// people gives a server that one can log in at, its owner ada@example.com, and someone at a command line who has nothing yet.
func people(t testing.TB) (*town, *person) {
	t.Helper()
	w := &town{Rooms: roomstest.Open(t), asked: map[string]int{}}
	_, secret := w.Person(t, "ada@example.com", true, nil)
	owner, err := w.Gate.Authenticate(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	w.owner = owner
	mux := http.NewServeMux()
	mux.Handle("/", w.API(t))
	for pattern, h := range w.OAuth.Routes() {
		mux.Handle(pattern, h)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/oauth/") {
			w.count(r)
		}
		w.mu.Lock()
		decided := w.decided
		w.mu.Unlock()
		if r.URL.Path == "/oauth/token" && decided != nil { // the server wants five seconds between two polls: the first one is the one that counts
			select {
			case <-decided:
			case <-r.Context().Done():
			}
		}
		if r.URL.Path != "/oauth/device_authorization" {
			mux.ServeHTTP(rw, r)
			return
		}
		rec := httptest.NewRecorder() // a person of a test is quick
		mux.ServeHTTP(rec, r)
		rw.WriteHeader(rec.Code)
		_, _ = rw.Write(bytes.ReplaceAll(rec.Body.Bytes(), []byte(`"interval":5`), []byte(`"interval":1`)))
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	w.url = srv.URL
	return w, &person{env: map[string]string{"XDG_CONFIG_HOME": t.TempDir(), "HOME": "/nonexistent"}}
}

func (w *town) count(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form := regexp.MustCompile(`grant_type=(\w+)`).FindSubmatch(body)
	w.mu.Lock()
	defer w.mu.Unlock()
	key := r.URL.Path
	if form != nil {
		key += " " + string(form[1])
	}
	w.asked[key]++
}

func (w *town) times(key string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[key]
}

var userCode = regexp.MustCompile(`enter the code ([A-Z]{4}-[A-Z]{4})\n`)

// login runs a login, in which the owner says yes or no, and gives its exit code.
func (w *town) login(t testing.TB, p *person, allow bool, args ...string) int {
	t.Helper()
	p.out, p.err = buffer{}, buffer{}
	shown := make(chan string, 1)
	p.err.seen = func(text string) {
		if m := userCode.FindStringSubmatch(text); m != nil {
			select {
			case shown <- m[1]:
			default:
			}
		}
	}
	decided := make(chan struct{})
	w.mu.Lock()
	w.decided = decided
	w.mu.Unlock()
	done := make(chan int, 1)
	go func() { done <- p.types(t.Context(), append([]string{"login", "--server", w.url}, args...)...) }()
	select {
	case code := <-shown:
		if err := w.OAuth.DecideDevice(t.Context(), w.owner, code, allow); err != nil {
			t.Errorf("decide: %v", err)
		}
		close(decided)
		return <-done
	case code := <-done:
		return code
	}
}

// loggedIn gives the owner at a command line.
func loggedIn(t testing.TB) (*town, *person) {
	t.Helper()
	w, p := people(t)
	if code := w.login(t, p, true, "--context", "work"); code != 0 {
		t.Fatalf("login exits %d: %s", code, p.err.String())
	}
	p.err.seen = nil
	return w, p
}

// memoryKeyring is a keyring of a test.
type memoryKeyring struct {
	mu     sync.Mutex
	kept   map[string]string
	broken bool
}

func (k *memoryKeyring) Get(service, account string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if secret, ok := k.kept[service+" "+account]; ok {
		return secret, nil
	}
	return "", errors.New("secret not found in keyring")
}

func (k *memoryKeyring) Set(service, account, secret string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken {
		return errors.New("the keyring is locked")
	}
	k.kept[service+" "+account] = secret
	return nil
}

func (k *memoryKeyring) Delete(service, account string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, service+" "+account)
	return nil
}

// credentials gives the files of credentials.
func (p *person) credentials(t testing.TB) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.env["XDG_CONFIG_HOME"], "blueberry", "credentials", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// expire lets the access token that is kept be over, and gives the refresh token beside it.
func (p *person) expire(t testing.TB) string {
	t.Helper()
	return p.alter(t, func(pair *sdk.TokenPair) { pair.ExpiresAt = time.Now().Add(-time.Minute) })
}

// alter changes the pair of tokens that is kept, and gives its refresh token.
func (p *person) alter(t testing.TB, change func(pair *sdk.TokenPair)) string {
	t.Helper()
	files := p.credentials(t)
	if len(files) != 1 {
		t.Fatalf("credentials: %v", files)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var pair sdk.TokenPair
	if err := json.Unmarshal(data, &pair); err != nil {
		t.Fatal(err)
	}
	change(&pair)
	if data, err = json.Marshal(pair); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	return pair.Refresh
}

func TestLoginAndLogout(t *testing.T) {
	t.Parallel()
	w, p := people(t)
	_, said := p.ends(t, cli.ExitDenied, "whoami", "--server", w.url)
	contains(t, "whoami before", said, "blueberry login")
	opened := make(chan string, 1)
	p.terminal, p.browse = true, func(address string) error { opened <- address; return nil }
	if code := w.login(t, p, true); code != 0 {
		t.Fatalf("login exits %d: %s", code, p.err.String())
	}
	contains(t, "login", p.out.String(), "logged in at "+w.url+" as ada@example.com")
	contains(t, "the way", p.err.String(), "Open "+roomstest.PublicURL+"/oauth/device and enter the code")
	if address := <-opened; !strings.HasPrefix(address, roomstest.PublicURL+"/oauth/device?user_code=") {
		t.Errorf("the browser shows %s", address)
	}
	p.terminal, p.err.seen = false, nil
	for _, file := range append(p.credentials(t), filepath.Join(p.env["XDG_CONFIG_HOME"], "blueberry", "contexts.yaml")) {
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	contains(t, "whoami", p.must(t, "whoami"), "ada@example.com", "owner", "renewed by itself", w.url)
	contains(t, "whoami wide", p.must(t, "whoami", "-o", "wide"), "grants", "*:*")
	if got := p.must(t, "whoami", "-o", "name"); got != "ada@example.com\n" {
		t.Errorf("whoami -o name prints %q", got)
	}
	refresh := p.expire(t)
	contains(t, "logout", p.must(t, "logout"), "logged out of "+w.url)
	if files := p.credentials(t); len(files) != 0 {
		t.Errorf("after logout there is %v", files)
	}
	_, said = p.ends(t, cli.ExitDenied, "whoami")
	contains(t, "whoami after", said, "nobody is logged in at "+w.url)
	res, err := http.PostForm(w.url+"/oauth/token", map[string][]string{"grant_type": {"refresh_token"}, "client_id": {"blueberry-cli"}, "refresh_token": {refresh}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("after logout the refresh token gives %d", res.StatusCode)
	}
	contains(t, "logout again", p.must(t, "logout"), "nobody is logged in")
}

func TestLoginThatIsRefusedKeepsNothing(t *testing.T) {
	t.Parallel()
	w, p := people(t)
	if code := w.login(t, p, false); code != cli.ExitDenied {
		t.Errorf("exit %d", code)
	}
	contains(t, "refusal", p.err.String(), "the person said no")
	if files := p.credentials(t); len(files) != 0 {
		t.Errorf("there is %v", files)
	}
	token := filepath.Join(write(t, t.TempDir(), map[string]string{"token": "blb_wrong\n"}), "token")
	if code := w.login(t, p, true, "--token-file", token); code != cli.ExitDenied {
		t.Errorf("a token that is not valid: exit %d", code)
	}
	contains(t, "list", p.must(t, "context", "list"), "no contexts")
	usage(t, p, `--context "A B"`, "login", "--server", "ftp://x", "--context", "A B")
	contains(t, "every fault", p.err.String(), "address must look like")
}

// TestTwoProcessesDoNotEndEachOthersLogin: each refresh replaces the refresh token, and one that is used twice ends the login.
func TestTwoProcessesDoNotEndEachOthersLogin(t *testing.T) {
	t.Parallel()
	w, p := loggedIn(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		p.expire(t)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				c := exec.CommandContext(t.Context(), program, "whoami", "-o", "name")
				c.Env = []string{asCLI + "=1", "XDG_CONFIG_HOME=" + p.env["XDG_CONFIG_HOME"], "HOME=/nonexistent", "GORACE=" + os.Getenv("GORACE")}
				if out, err := c.CombinedOutput(); err != nil || string(out) != "ada@example.com\n" {
					t.Errorf("round %d: %v: %s", round, err, out)
				}
			})
		}
		all.Wait()
		if n := w.times("/oauth/token refresh_token"); n != round+1 {
			t.Errorf("after round %d there were %d refreshes", round, n)
		}
	}
}

func TestAnAccessTokenThatIsNotTakenIsReplaced(t *testing.T) {
	t.Parallel()
	w, p := loggedIn(t)
	p.alter(t, func(pair *sdk.TokenPair) { pair.Access = "bla_revoked" })
	p.must(t, "whoami")
	p.must(t, "whoami")
	if n := w.times("/oauth/token refresh_token"); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func TestALoginThatWasRevokedSaysSo(t *testing.T) {
	t.Parallel()
	_, p := loggedIn(t)
	tokens := reads[[]sdk.OAuthToken](t, p, 0, "oauth-token", "list", "--client", "blueberry-cli")
	at := slices.IndexFunc(tokens, func(x sdk.OAuthToken) bool { return x.Kind == "refresh" })
	if at < 0 {
		t.Fatal("no refresh token is listed")
	}
	p.must(t, "oauth-token", "revoke", tokens[at].ID, "--yes")
	p.expire(t)
	_, said := p.ends(t, cli.ExitDenied, "whoami")
	contains(t, "message", said, "the login has ended", "blueberry login")
}

func TestCredentialsAreInTheKeyringWhereThereIsOne(t *testing.T) {
	t.Parallel()
	w, _ := people(t)
	token := filepath.Join(write(t, t.TempDir(), map[string]string{"token": w.apiToken(t)}), "token")
	for name, tc := range map[string]struct {
		reason        string
		keyring       *memoryKeyring
		args          []string
		inRing, files int
		says          string
	}{
		"keyring":  {"it is there", &memoryKeyring{kept: map[string]string{}}, nil, 1, 0, ""},
		"insecure": {"a file was asked for", &memoryKeyring{kept: map[string]string{}}, []string{"--insecure-storage"}, 0, 1, ""},
		"broken":   {"it is there and does not work", &memoryKeyring{kept: map[string]string{}, broken: true}, nil, 0, 1, "kept in a file instead"},
		"none":     {"there is none", nil, nil, 0, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &person{env: map[string]string{"XDG_CONFIG_HOME": t.TempDir(), "HOME": "/nonexistent"}}
			if tc.keyring != nil {
				p.keyring = tc.keyring
			}
			_, said := p.ends(t, 0, append([]string{"login", "--server", w.url, "--token-file", token}, tc.args...)...)
			contains(t, tc.reason, said, tc.says)
			ring := func() int {
				if tc.keyring == nil {
					return 0
				}
				return len(tc.keyring.kept)
			}
			if ring() != tc.inRing || len(p.credentials(t)) != tc.files {
				t.Errorf("%s: %d in the keyring, files %v", tc.reason, ring(), p.credentials(t))
			}
			contains(t, "whoami", p.must(t, "whoami"), "API token laptop")
			p.must(t, "login", "--server", w.url, "--token-file", token) // the one before goes
			contains(t, "logout", p.must(t, "logout"), "still works")
			if ring() != 0 || len(p.credentials(t)) != 0 {
				t.Errorf("%s: after logout %d in the keyring, files %v", tc.reason, ring(), p.credentials(t))
			}
		})
	}
}

// apiToken makes an API token of the owner.
func (w *town) apiToken(t testing.TB) string {
	t.Helper()
	p := &person{env: map[string]string{"XDG_CONFIG_HOME": t.TempDir(), "HOME": "/nonexistent"}}
	if code := w.login(t, p, true); code != 0 {
		t.Fatalf("login exits %d: %s", code, p.err.String())
	}
	return p.must(t, "token", "create", "laptop", "--role", "viewer")
}

func TestWhichServerAndTokenCount(t *testing.T) {
	t.Parallel()
	w, p := loggedIn(t)
	other, _ := people(t)
	token := strings.TrimSpace(other.apiToken(t))
	stranger := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer blb_of_this_machine" {
			t.Errorf("a server that is not of the context is sent %q", got)
		}
		rw.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(stranger.Close)
	state := write(t, t.TempDir(), map[string]string{"admin-token": "blb_of_this_machine"})
	for name, tc := range map[string]struct {
		reason string
		env    map[string]string
		args   []string
		code   int
		says   string
	}{
		"current context":       {"nothing else is said", nil, nil, 0, w.url},
		"variables above it":    {"another server and token", map[string]string{"BLUEBERRY_URL": other.url, "BLUEBERRY_TOKEN": token}, nil, 0, other.url},
		"flag above variables":  {"--context", map[string]string{"BLUEBERRY_URL": other.url, "BLUEBERRY_TOKEN": token}, []string{"--context", "work"}, 0, w.url},
		"variable of a context": {"BLUEBERRY_CONTEXT", map[string]string{"BLUEBERRY_CONTEXT": "work"}, nil, 0, w.url},
		"no such context":       {"a slip", nil, []string{"--context", "nope"}, cli.ExitUsage, `no context "nope"`},
		"two servers":           {"which?", nil, []string{"--context", "work", "--server", other.url}, cli.ExitUsage, "is not the server of context work"},
		"another server":        {"the login is not sent there", map[string]string{"BLUEBERRY_STATE_DIR": state}, []string{"--server", stranger.URL}, cli.ExitRefused, "418"},
		"same server by flag":   {"it is that of the context", nil, []string{"--server", w.url + "/"}, 0, w.url},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &person{env: map[string]string{"XDG_CONFIG_HOME": p.env["XDG_CONFIG_HOME"], "HOME": "/nonexistent"}}
			for k, v := range tc.env {
				p.env[k] = v
			}
			out, said := p.ends(t, tc.code, append([]string{"whoami"}, tc.args...)...)
			contains(t, tc.reason, out+said, tc.says)
		})
	}
}

func TestContexts(t *testing.T) {
	t.Parallel()
	w, p := loggedIn(t)
	other, _ := people(t)
	token := filepath.Join(write(t, t.TempDir(), map[string]string{"token": other.apiToken(t)}), "token")
	p.must(t, "login", "--server", other.url, "--token-file", token, "--context", "other")
	contains(t, "list", p.must(t, "context", "list", "-o", "wide"), "work   "+w.url+"  ada@example.com  no", "other  "+other.url, "file")
	contains(t, "use", p.must(t, "context", "use", "work"), "context work is the current one")
	contains(t, "show", p.must(t, "context", "show"), w.url)
	contains(t, "show other", p.must(t, "context", "show", "other"), other.url)
	contains(t, "names", p.must(t, "__complete", "context", "use", ""), "other\t"+other.url+"\nwork\t")
	usage(t, p, "--yes is needed", "context", "delete", "other")
	p.must(t, "context", "delete", "other", "--yes")
	if diff := cmp.Diff("work\n", p.must(t, "context", "list", "-o", "name")); diff != "" || len(p.credentials(t)) != 1 {
		t.Errorf("credentials %v, contexts (-want +got):\n%s", p.credentials(t), diff)
	}
	file := filepath.Join(p.env["XDG_CONFIG_HOME"], "blueberry", "contexts.yaml")
	if err := os.WriteFile(file, []byte("contexts: {"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, said := p.ends(t, cli.ExitError, "whoami")
	contains(t, "a file that cannot be read", said, "contexts.yaml")
}
