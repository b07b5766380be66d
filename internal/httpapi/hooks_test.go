package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cache"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestWhatAHostSendsIsAnswered(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api, ctx := r.API(t), t.Context()
	added := addShop(t, c, "")
	inbox := strings.TrimPrefix(added.Repository.WebhookURL, roomstest.PublicURL)
	if want := "/hooks/" + added.Repository.ID; inbox != want {
		t.Fatalf("the webhook is %s, want it at %s", added.Repository.WebhookURL, want)
	}
	good := pullBody("acme/shop", 7, strings.Repeat("a", 40))
	padded := strings.TrimSuffix(good, "}") + `,"pad":"` + strings.Repeat("x", 1<<20) + `"}`
	with := func(body string, more ...string) http.Header {
		h := roomstest.Sign(added.Secret, body)
		for i := 0; i+1 < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return h
	}
	whole := strings.Repeat("x", blueberry.MaxDelivery)
	for _, tc := range []struct {
		reason, path, body string
		header             http.Header
		status             int
		says               string // the verdict, or the code of the problem
	}{
		{"news of a pull request", inbox, good, with(good), 202, "accepted"},
		{"a second time", inbox, good, with(good), 202, "duplicate"},
		{"neither an origin nor a session says anything", inbox, good, with(good, "Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site", "Cookie", cookie+"x"), 202, "duplicate"},
		{"no news, and larger than a form", inbox, padded, with(padded), 202, "ignored"},
		{"nothing of ours", inbox, `{"event":"star"}`, with(`{"event":"star"}`), 202, "ignored"},
		{"no JSON, as large as may be", inbox, whole, with(whole), 202, "unreadable"},
		{"a byte more", inbox, whole + "x", with(whole + "x"), 413, "BODY_TOO_LARGE"},
		{"nobody signed it", inbox, good, nil, 401, "DELIVERY_REFUSED"},
		{"nobody signed nothing", inbox, "", nil, 401, "DELIVERY_REFUSED"},
		{"another body was signed", inbox, good + " ", with(good), 401, "DELIVERY_REFUSED"},
		{"another secret", inbox, good, roomstest.Sign("not the secret of it", good), 401, "DELIVERY_REFUSED"},
		{"a host that likes pages", inbox, good, http.Header{"Accept": {"text/html"}}, 401, "DELIVERY_REFUSED"},
		{"no repository", "/hooks/rep_none", good, with(good), 404, "REPOSITORY_NOT_FOUND"},
		{"no id", "/hooks/", good, with(good), 404, "ROUTE_NOT_FOUND"},
		{"more than an id", inbox + "/x", good, with(good), 404, "ROUTE_NOT_FOUND"},
	} {
		a := send(t, api, tc.path, tc.body, tc.header)
		says := ""
		if a.StatusCode == 202 {
			says = a.said(t).Verdict
		} else {
			says = a.problem(t).Code
		}
		if a.StatusCode != tc.status || says != tc.says {
			t.Errorf("%s: %d %s, want %d %s", tc.reason, a.StatusCode, a.text, tc.status, tc.says)
		}
		if strings.Contains(a.text, added.Secret) {
			t.Errorf("%s: the answer tells the secret: %s", tc.reason, a.text)
		}
	}
	if a := ask(t, api, "GET", inbox, ""); a.StatusCode != 405 || a.problem(t).Code != "METHOD_NOT_ALLOWED" {
		t.Errorf("to read the inbox: %d %s", a.StatusCode, a.text)
	}
	var kept []string
	for d, err := range c.AllDeliveries(ctx, sdk.DeliveryFilter{Repository: added.Repository.ID, Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, d.Verdict)
		if d.Body != "" || d.BodyBase64 != "" || d.Headers != nil || d.From != "192.0.2.1" || (d.Digest == "") != (d.Verdict == "refused") {
			t.Errorf("a list tells of %s: %+v", d.Verdict, d)
		}
	}
	if diff := cmp.Diff("refused refused refused refused refused refused unreadable ignored ignored duplicate duplicate accepted", strings.Join(kept, " ")); diff != "" {
		t.Errorf("what is kept (-want +got):\n%s", diff)
	}
	state := got[sdk.Repository](t)(c.GetRepository(ctx, added.Repository.ID))
	if state.LastDeliveryAt.IsZero() || state.LastRefusedAt.IsZero() || state.Version != 1 {
		t.Errorf("the repository is %+v", state)
	}
}

// TestADeliveryIsToldAsItCame reads bodies of every sort again.
func TestADeliveryIsToldAsItCame(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api, ctx := r.API(t), t.Context()
	added := addShop(t, c, "")
	good := pullBody("acme/shop", 7, strings.Repeat("a", 40)) + "\n"
	d := got[sdk.Delivery](t)(c.GetDelivery(ctx, deliver(t, api, added, good).said(t).ID))
	if d.Body != good || d.BodyBase64 != "" || d.Size != len(good) || d.Headers["Content-Type"] != "application/json" || d.Headers["X-Blueberry-Timestamp"] == "" {
		t.Errorf("the delivery is %+v", d)
	}
	for name := range d.Headers {
		if strings.Contains(name, "Signature") {
			t.Errorf("the header %s is kept", name)
		}
	}
	odd := got[sdk.Delivery](t)(c.GetDelivery(ctx, deliver(t, api, added, "\xff\x00").said(t).ID))
	if odd.Body != "" || odd.BodyBase64 != "/wA=" || odd.Verdict != "unreadable" {
		t.Errorf("a body that is no text is %+v", odd)
	}
	p := got[sdk.PullRequest](t)(c.GetPull(ctx, d.PullID))
	if p.Number != 7 || p.Title != "Sort the basket" || p.HeadRef != "sort" || p.BaseRepository != "acme/shop" || p.Fork || p.Relation != "member" || p.State != "open" {
		t.Errorf("the pull request is %+v", p)
	}

	dry := got[sdk.ReplayedDelivery](t)(c.ReplayDelivery(ctx, d.ID, true))
	if !dry.DryRun || dry.Delivery.ID != "" || dry.Delivery.ReplayOf != d.ID || dry.Delivery.Body != "" || dry.Pull == nil || dry.Pull.ID != p.ID {
		t.Errorf("the dry run gives %+v", dry)
	}
	done := got[sdk.ReplayedDelivery](t)(c.ReplayDelivery(ctx, d.ID, false))
	if done.DryRun || done.Delivery.ID == "" || done.Delivery.ReplayOf != d.ID {
		t.Errorf("the replay gives %+v", done)
	}
	if n := len(got[sdk.DeliveryList](t)(c.ListDeliveries(ctx, sdk.DeliveryFilter{Pull: p.ID})).Items); n != 2 {
		t.Errorf("%d deliveries are about the pull request, want the first and the replay", n)
	}
	if again := got[sdk.ReplayedDelivery](t)(c.ReplayDelivery(ctx, odd.ID, true)); again.Pull != nil || again.Delivery.Verdict != "unreadable" {
		t.Errorf("a dry run of what cannot be read gives %+v", again)
	}
}

func TestAPullRequestBringsItsEnvironment(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api, ctx := r.API(t), t.Context()
	commit := r.Push(shopRepository, map[string]string{"blueberry.yaml": shopBlueprint})
	added := got[sdk.AddedRepository](t)(c.AddRepository(ctx, sdk.AddRepositoryRequest{
		Name: "acme/shop", Host: "generic", URL: shopRepository, Policy: sdk.PullPolicy{Hours: 8, Prefix: "review-"},
	}))
	d := got[sdk.Delivery](t)(c.GetDelivery(ctx, deliver(t, api, added, pullBody("acme/shop", 7, commit)).said(t).ID))
	happened(t, c, blueberry.PullBuiltEvent)
	p := got[sdk.PullRequest](t)(c.GetPull(ctx, d.PullID))
	if p.Outcome != "built" || p.BuiltCommit != commit {
		t.Errorf("the pull request is %+v", p)
	}
	if e := got[sdk.Environment](t)(c.GetEnvironment(ctx, p.EnvironmentID)); e.Name != "review-7" || e.Project != "default" {
		t.Errorf("the environment is %+v", e)
	}
	merged := strings.Replace(pullBody("acme/shop", 7, commit), `"state":"open"`, `"state":"merged"`, 1)
	deliver(t, api, added, merged).said(t)
	happened(t, c, blueberry.PullEndedEvent)
	if p := got[sdk.PullRequest](t)(c.GetPull(ctx, d.PullID)); p.Outcome != "ended" || p.State != "merged" {
		t.Errorf("afterwards the pull request is %+v", p)
	}
}

// happened waits for an event.
func happened(t *testing.T, c *sdk.Client, what blueberry.EventType) {
	t.Helper()
	for e, err := range c.WatchEvents(t.Context(), "", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == string(what) {
			return
		}
	}
}

func TestWebhookSecretsTakeEachOthersPlace(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api, ctx := r.API(t), t.Context()
	const brought = "nine purple otters asleep"
	first := got[sdk.AddedRepository](t)(c.AddRepository(ctx, sdk.AddRepositoryRequest{Name: "acme/shop", Host: "generic", URL: shopRepository, Secret: brought}))
	id := first.Repository.ID
	if first.Secret != brought || first.Repository.Version != 1 {
		t.Errorf("the answer is %+v", first)
	}
	second := ask(t, api, "POST", "/v1/repositories/"+id+"/secret", "")
	if second.StatusCode != 200 || second.Header.Get("ETag") != `"2"` || second.Header.Get("Location") != "/v1/repositories/"+id {
		t.Errorf("without a body: %d %s", second.StatusCode, second.text)
	}
	third := got[sdk.AddedRepository](t)(c.RotateRepositorySecret(ctx, id, sdk.RotateRepositorySecretRequest{}))
	if third.Secret == brought || len(third.Secret) < 32 || strings.Contains(second.text, third.Secret) {
		t.Errorf("the new secret is %q", third.Secret)
	}
	for i, tc := range []struct {
		secret string
		status int
	}{{third.Secret, 202}, {brought, 401}} {
		body := pullBody("acme/shop", i+1, strings.Repeat("a", 40))
		if a := send(t, api, "/hooks/"+id, body, roomstest.Sign(tc.secret, body)); a.StatusCode != tc.status {
			t.Errorf("secret %d of two: %d %s, want %d", i+1, a.StatusCode, a.text, tc.status)
		}
	}
	for _, path := range []string{"/v1/repositories", "/v1/repositories/" + id} {
		if a := ask(t, api, "GET", path, ""); strings.Contains(a.text, third.Secret) || strings.Contains(a.text, brought) {
			t.Errorf("%s tells a secret: %s", path, a.text)
		}
	}
}

func TestARepositoryOfTheNameIsThere(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api := r.API(t)
	addShop(t, c, "")
	const again = `{"name":"acme/shop","host":"generic","url":"https://git.test/a.git","secret":"nine purple otters asleep"}`
	for range 2 { // a body that holds a secret is not remembered under the key
		p := ask(t, api, "POST", "/v1/repositories", again, "Idempotency-Key", "k").problem(t)
		if diff := cmp.Diff([]string{"name taken"}, fieldsOf(&p)); p.Status != 409 || p.Code != "REPOSITORY_EXISTS" || diff != "" {
			t.Errorf("%d %s (-want +got):\n%s", p.Status, p.Code, diff)
		}
	}
	_, err := c.AddRepository(t.Context(), sdk.AddRepositoryRequest{Project: "none", Name: "acme/shop", Host: "generic", URL: shopRepository})
	problemOf(t, err, 404, "PROJECT_NOT_FOUND")
}

func TestListsOfRepositoriesArePaged(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api, ctx := r.API(t), t.Context()
	var last sdk.AddedRepository
	for i := range 3 {
		last = got[sdk.AddedRepository](t)(c.AddRepository(ctx, sdk.AddRepositoryRequest{
			Name: fmt.Sprintf("acme/shop-%d", i), Host: "generic", URL: shopRepository, Policy: sdk.PullPolicy{Off: true},
		}))
		deliver(t, api, last, pullBody(last.Repository.Name, 1, strings.Repeat("a", 40))).said(t)
	}
	var names []string
	for x, err := range c.AllRepositories(ctx, sdk.RepositoryFilter{Limit: 2}) {
		names = append(names, got[sdk.Repository](t)(x, err).Name)
	}
	for x, err := range c.AllPulls(ctx, sdk.PullFilter{Project: "default", Limit: 2}) {
		names = append(names, got[sdk.PullRequest](t)(x, err).HeadRepository)
	}
	want := []string{"acme/shop-0", "acme/shop-1", "acme/shop-2", "acme/shop-2", "acme/shop-1", "acme/shop-0"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	run := got[sdk.PullRequestList](t)(c.ListPulls(ctx, sdk.PullFilter{Repository: last.Repository.ID, Limit: 2}))
	if len(run.Items) != 1 || run.NextBefore != "" {
		t.Errorf("the pull requests of one repository are %+v", run)
	}
	if none := got[sdk.PullRequestList](t)(c.ListPulls(ctx, sdk.PullFilter{State: "merged"})); none.Items == nil || len(none.Items) != 0 {
		t.Errorf("those that are merged are %+v", none)
	}
}

// inbox is the operations of which only Receive is there.
type inbox struct {
	httpapi.Repositories
	receive func(source.Call) (blueberry.Delivery, error)
}

func (inbox) Expects(context.Context, source.Call) error { return nil }

func (i inbox) Receive(_ context.Context, c source.Call) (blueberry.Delivery, error) {
	return i.receive(c)
}

// perAddress is the API that lets so many calls of strangers in from one address in an hour.
func perAddress(t *testing.T, r *roomstest.Rooms, calls int) http.Handler {
	t.Helper()
	d := r.Deps()
	d.Edge.Limits, d.Edge.Limiter = httpapi.Limits{Address: perHour(calls)}, cache.NewMemory()
	api, err := httpapi.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// TestWhatIsSignedIsNeverLimited: hosts send in bursts, and do not send again. What nobody signed counts, and is not kept beyond the limit.
func TestWhatIsSignedIsNeverLimited(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	added := addShop(t, c, "")
	api := perAddress(t, r, 2)
	path := "/hooks/" + added.Repository.ID
	count := map[int]int{}
	for i := range 6 {
		body := pullBody("acme/shop", 7+i, strings.Repeat("a", 40))
		signed := call(t, api, "POST", path, body, pairs(roomstest.Sign(added.Secret, body))...)
		count[signed.StatusCode]++
		count[call(t, api, "POST", path, body).StatusCode]++
	}
	if diff := cmp.Diff(map[int]int{202: 6, 401: 2, 429: 4}, count); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	list, err := c.ListDeliveries(t.Context(), sdk.DeliveryFilter{})
	if err != nil || len(list.Items) != 8 {
		t.Errorf("%d are kept, want 6 that were signed and 2 that were not (%v)", len(list.Items), err)
	}
}

// TestWhoSendsSlowlyHoldsUpNobody: calls for no repository are answered before they are read, however many there are, and calls that break off count as those that
// nobody signed.
func TestWhoSendsSlowlyHoldsUpNobody(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	added := addShop(t, c, "")
	api := perAddress(t, r, 42)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	slowly := func(path string) (conn *net.TCPConn, status func() int) {
		t.Helper()
		to, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { to.Close() })
		fmt.Fprintf(to, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{", path)
		conn, _ = to.(*net.TCPConn)
		return conn, func() int {
			res, err := http.ReadResponse(bufio.NewReader(to), nil)
			if err != nil {
				t.Error(err)
				return 0
			}
			defer res.Body.Close()
			return res.StatusCode
		}
	}
	for i := range 40 {
		_, status := slowly([]string{"/hooks/rep_none", "/hooks/rep_none/ci"}[i%2])
		if got := status(); got != http.StatusNotFound {
			t.Fatalf("call %d for no repository is answered %d", i, got)
		}
	}
	var got []int
	for range 3 {
		conn, status := slowly("/hooks/" + added.Repository.ID)
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got = append(got, status())
	}
	if diff := cmp.Diff([]int{400, 400, 429}, got); diff != "" {
		t.Errorf("calls that break off (-want +got):\n%s", diff)
	}
	conn, status := slowly("/hooks/rep_none")
	if got := status(); got != http.StatusTooManyRequests {
		t.Errorf("one more for no repository is answered %d", got)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil { // waits for the end of the connection
		t.Error(err)
	}
	body := pullBody("acme/shop", 7, strings.Repeat("a", 40))
	if res := call(t, api, "POST", "/hooks/"+added.Repository.ID, body, pairs(roomstest.Sign(added.Secret, body))...); res.StatusCode != http.StatusAccepted {
		t.Errorf("one that is signed is answered %d", res.StatusCode)
	}
}

func pairs(h http.Header) (out []string) {
	for name := range h {
		out = append(out, name, h.Get(name))
	}
	return out
}

// TestTheInboxIsLimitedAndSaysNothingOfBodies watches the log and the audit.
func TestTheInboxIsLimitedAndSaysNothingOfBodies(t *testing.T) {
	t.Parallel()
	var calls []source.Call
	answers := []blueberry.Delivery{{ID: "dlv_1", Verdict: blueberry.DeliveryAccepted}, {ID: "dlv_2", Verdict: blueberry.DeliveryRefused, Reason: "nobody signed it"}}
	g, api := newGate(t, func(g *gate) {
		g.deps.Edge.Limits = httpapi.Limits{Address: perHour(1)}
		g.deps.Repositories = inbox{receive: func(c source.Call) (blueberry.Delivery, error) {
			calls = append(calls, c)
			switch n := len(calls); {
			case n == 3:
				return blueberry.Delivery{}, errors.New("the disk is full of hunter2")
			case n != 1 && !c.Stranger():
				return blueberry.Delivery{}, blueberry.Errorf(blueberry.TooMany, "RATE_LIMITED", "too many")
			default:
				return answers[min(n, len(answers))-1], nil
			}
		}}
	})
	var statuses []int
	for range 4 {
		a := call(t, api, "POST", "/hooks/rep_1", `{"password":"hunter2"}`, "From", "192.0.2.1:1", "X-Signature", "hunter3", "Cookie", cookie+adaSession)
		statuses = append(statuses, a.StatusCode)
	}
	if diff := cmp.Diff([]int{202, 401, 500, 429}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if len(calls) != 4 || calls[0].From != "192.0.2.1" || calls[0].Repository != "rep_1" || calls[0].Size != 22 || calls[0].Header.Get("X-Signature") != "hunter3" ||
		!bytes.Equal(calls[0].Body, []byte(`{"password":"hunter2"}`)) {
		t.Errorf("calls are %+v", calls)
	}
	if said := strings.ReplaceAll(g.log.String(), "the disk is full of hunter2", ""); strings.Contains(said, "hunter") || !strings.Contains(said, "path=/hooks/rep_1") {
		t.Errorf("the log says:\n%s", said)
	}
	if asked := g.proven(); len(asked) != 0 {
		t.Errorf("a session was to be proven: %q", asked)
	}
	want := []noted{
		{"", "hooks:create", "rep_1", "", "delivery dlv_2 is refused: nobody signed it", "denied", "POST /hooks/{id}"},
		{"", "hooks:create", "rep_1", "", "the server failed; its log says why, under the request id", "failed", "POST /hooks/{id}"},
	}
	notes := notesOf(g)
	if len(notes) < 2 {
		t.Fatalf("the audit has %v", notes)
	}
	if diff := cmp.Diff(want, notes[:2]); diff != "" {
		t.Errorf("the audit (-want +got):\n%s", diff)
	}
}
