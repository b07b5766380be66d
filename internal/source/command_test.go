package source_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// act notes what a command did to an environment.
func (w *world) act(what, id string, actor blueberry.Actor, grant blueberry.Grant, do func(e *blueberry.Environment)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, after := w.fail(what)
	if before != nil {
		return before
	}
	e := w.envs[id]
	if err := actor.CanIn(e.Project, grant); err != nil {
		return err
	}
	w.did = append(w.did, what+" by "+actor.Name)
	do(e)
	return after
}

func (w *world) Extend(_ context.Context, actor blueberry.Actor, id string, hours int) error {
	return w.act(fmt.Sprintf("extend %d", hours), id, actor, blueberry.GrantEnvironmentsExtend, func(e *blueberry.Environment) { e.Lease = e.Lease.ExtendWithin(w.now(), hours, 72) })
}

func (w *world) Sleep(_ context.Context, actor blueberry.Actor, id string) error {
	return w.act("sleep", id, actor, blueberry.GrantEnvironmentsOperate, func(e *blueberry.Environment) { e.Phase = blueberry.Sleeping })
}

func (w *world) Wake(_ context.Context, actor blueberry.Actor, id string) error {
	return w.act("wake", id, actor, blueberry.GrantEnvironmentsOperate, func(e *blueberry.Environment) { e.Phase = blueberry.Ready })
}

func (w *world) Plan(_ context.Context, actor blueberry.Actor, id string, wish source.EnvironmentWish) (blueberry.Plan, error, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if before, _ := w.fail("plan"); before != nil {
		return blueberry.Plan{}, nil, before
	}
	if err := actor.CanIn(wish.Project, blueberry.GrantEnvironmentsPlan); err != nil {
		return blueberry.Plan{}, nil, err
	}
	w.did = append(w.did, fmt.Sprintf("plan %t %s", id != "", wish.Commit))
	plan := blueberry.Plan{Warnings: []blueberry.Warning{{Field: "overrides.web", Message: "is held"}}}
	for i := range 35 {
		plan.Objects = append(plan.Objects, blueberry.ObjectDiff{
			ObjectRef: blueberry.ObjectRef{Kind: "ConfigMap", Name: fmt.Sprintf("a_%d", i)},
			Action:    []blueberry.ObjectAction{blueberry.ObjectCreated, blueberry.ObjectUpdated, blueberry.ObjectDeleted, blueberry.ObjectUnchanged}[i%4],
		})
	}
	return plan, blueberry.Faults{{Field: "quota.cpu", Code: "quota_exceeded", Message: "too much <b>"}}.Err(), nil
}

func (w *world) Set(_ context.Context, actor blueberry.Actor, id string, keys []string, value any, reason string) (blueberry.Plan, error) {
	return blueberry.Plan{Base: 1, Revision: 2}, w.act(fmt.Sprintf("set %q=%v because %s", keys, value, reason), id, actor, blueberry.GrantEnvironmentsUpdate, func(*blueberry.Environment) {})
}

func (w *world) Logs(_ context.Context, actor blueberry.Actor, id, component string, lines int) ([]source.LogLine, error) {
	return w.lines, w.act(fmt.Sprintf("logs %q %d", component, lines), id, actor, blueberry.GrantEnvironmentsLogs, func(*blueberry.Environment) {})
}

// commanded is a house with an open pull request 7 that has an environment, and people of every permission.
func commanded(t *testing.T, s *storetest.Store, p blueberry.PullPolicy, change ...func(*blueberry.PullRequest)) (*house, *board, blueberry.Repository) {
	t.Helper()
	h, b, r := spoken(t, s, p)
	b.rights = map[string]blueberry.HostPermission{
		"adm": blueberry.HostAdmin, "wim": blueberry.HostWrite, "rob": blueberry.HostRead, "non": blueberry.HostNone,
	}
	h.send(t, r, "1", opened(7, 1, change...))
	h.work(t, 5)
	h.later(time.Minute)
	h.work(t, 5)
	for _, e := range h.world.envs {
		e.Lease = blueberry.NewLease(h.now, 24)
	}
	return h, b, r
}

// writes delivers a comment below pull request 7, and gives its id.
func (h *house) writes(t *testing.T, r blueberry.Repository, author, text string, change ...func(c *blueberry.PullComment)) (string, blueberry.Delivery) {
	t.Helper()
	h.later(10 * time.Millisecond) // commands are in the order in which their comments came
	h.mu.Lock()
	h.comments++
	id := fmt.Sprint(100 + h.comments)
	h.mu.Unlock()
	c := blueberry.PullComment{ID: id, Number: 7, Author: author, Text: text, At: h.clock()}
	for _, f := range change {
		f(&c)
	}
	if b, speaks := h.Speakers[r.Host].(*board); speaks {
		b.has(c.Number, c.ID, c.Author, c.Text)
	}
	return id, h.send(t, r, "comment "+id, said{Action: "created", Comment: &c})
}

// settled works until all has become of the commands.
func (h *house) settled(t *testing.T) {
	t.Helper()
	h.work(t, 20)
	h.later(time.Second)
}

// answers are the comments below pull request 7 but the one that tells how it is.
func (b *board) answers() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.comments[7]), func(c string) bool { return !strings.HasPrefix(c, "<!-- blueberry:cmd:") })
}

// commands are those that are kept, the oldest first, each as "verb outcome" and " silent".
func (h *house) commands(t *testing.T, r blueberry.Repository) (out []string) {
	t.Helper()
	list, err := h.Commands(t.Context(), owner, blueberry.PullCommandQuery{PullID: h.pull(t, r, 7).ID, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		text := string(c.Verb) + " " + string(c.Outcome)
		if c.Silent {
			text += " silent"
		}
		out = append(out, text)
	}
	slices.Reverse(out)
	return out
}

// audited are the entries about commands, as "result detail".
func (h *house) audited(t *testing.T) (out []blueberry.AuditEntry) {
	t.Helper()
	if err := h.store.View(t.Context(), func(tx *store.Tx) error {
		list, err := tx.Audit(t.Context(), blueberry.AuditQuery{Action: "pulls:command", Limit: 500})
		out = list
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryVerb: what each command does, who it is done by, and what is answered.
func TestEveryVerb(t *testing.T) {
	t.Parallel()
	const by = " by wim on gitea, by a comment in acme/shop"
	for text, c := range map[string]struct {
		did     string // by the world; empty for nothing
		outcome string
		answers []string
	}{
		"sleep":                                  {"sleep" + by, "sleep done", []string{"✓ **/blueberry sleep**: pr-7 goes to sleep"}},
		"wake":                                   {"wake" + by, "wake done", []string{"pr-7 wakes"}},
		"extend 24h":                             {"extend 24" + by, "extend done", []string{"the lease of pr-7 lasts until Tue, 03 Mar 2026"}},
		"destroy":                                {"", "destroy done", []string{"pr-7 is being removed"}},
		"logs":                                   {`logs "" 50` + by, "logs done", []string{"the last 2 lines of pr-7", "```text\n11:00:00 web one\n11:00:01 api PASSWORD=(hidden)\n```"}},
		"logs web":                               {`logs "web" 50` + by, "logs done", []string{"of web of pr-7"}},
		`set web.env["A.B"]=two w`:               {`set ["web" "env" "A.B"]=two w because wim on gitea set web.env["A.B"] below pull request 7` + by, "set done", []string{`web.env\["A.B"\] is set, and revision 2 of pr-7 has it`}},
		"plan":                                   {"plan true " + commit(1), "plan done", []string{"would have 9 objects created, 9 changed, 9 removed; it would be refused", "- created: ConfigMap a\\_0", "- refused: quota.cpu:\u200b too much \\<b\\>", "warning: overrides.web:\u200b is held"}},
		"help":                                   {"", "help done", []string{"| `/blueberry extend 24h` |", "| `/blueberry approve <commit>` |"}},
		"deploy":                                 {"", "deploy done", []string{"its environment was asked for with 000000000000"}},
		"approve " + commit(1):                   {"", "approve refused", []string{"it takes the permission admin in the repository, and the host says that you hold write"}},
		"explode":                                {"", "explode refused", []string{"refused: there is no such command", "| `/blueberry deploy` |"}},
		"extend 900h":                            {"", "extend refused", []string{"hours:\u200b must be hours, as 24h"}},
		"set web.env.DB_PASSWORD=hunt3r2hunt3r2": {"", "set refused", []string{"value:\u200b looks like", "web.env.DB\\_PASSWORD=…"}},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *storetest.Store) {
				h, b, r := commanded(t, s, blueberry.PullPolicy{})
				h.world.lines = []source.LogLine{
					{At: time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC), Component: "web", Text: "one"},
					{At: time.Date(2026, 3, 1, 11, 0, 1, 0, time.UTC), Component: "api", Text: "PASSWORD=hunt3r2hunt3r2"},
				}
				_, d := h.writes(t, r, "wim", "/blueberry "+text)
				if d.Verdict != blueberry.DeliveryAccepted || d.PullID == "" {
					t.Fatalf("the delivery is %s: %s", d.Verdict, d.Reason)
				}
				h.settled(t)
				if got := h.commands(t, r); !slices.Equal(got, []string{c.outcome}) {
					t.Errorf("of the command became %q, want %q", got, c.outcome)
				}
				if got := strings.Join(h.world.did, "; "); got != c.did {
					t.Errorf("done was %q, want %q", got, c.did)
				}
				got := b.answers()
				if len(got) != 1 {
					t.Fatalf("there are %d answers: %q", len(got), got)
				}
				for _, want := range c.answers {
					if !strings.Contains(got[0], want) {
						t.Errorf("the answer lacks %q:\n%s", want, got[0])
					}
				}
				if again := blueberry.ReadPullCommands(got[0]); len(again) != 0 {
					t.Errorf("the answer is read as commands: %+v\n%s", again, got[0])
				}
				if strings.Contains(got[0], "hunt3r2") {
					t.Errorf("a secret is shown:\n%s", got[0])
				}
				entries := h.audited(t)
				if len(entries) != 1 || entries[0].Actor.Kind != blueberry.ActorHost || entries[0].Actor.Name != "wim on gitea" ||
					(entries[0].Result == blueberry.AuditSucceeded) != strings.HasSuffix(c.outcome, "done") || strings.Contains(string(entries[0].After)+entries[0].Detail, "hunt3r2") {
					t.Errorf("audited is %+v", entries)
				}
			})
		})
	}
}

// TestWhoMay: what each permission at the host is good for, and who is not answered.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	verbs := map[string]blueberry.HostPermission{
		"deploy": blueberry.HostWrite, "plan": blueberry.HostWrite, "logs": blueberry.HostWrite, "extend 24h": blueberry.HostWrite, "sleep": blueberry.HostWrite,
		"wake": blueberry.HostWrite, "destroy": blueberry.HostWrite, "set web.a=1": blueberry.HostWrite, "help": blueberry.HostRead,
	}
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		for author, holds := range map[string]blueberry.HostPermission{"adm": blueberry.HostAdmin, "wim": blueberry.HostWrite, "rob": blueberry.HostRead, "non": blueberry.HostNone, "unknown": blueberry.HostNone} {
			for _, text := range slices.Sorted(maps.Keys(verbs)) {
				if text == "destroy" && holds.Holds(blueberry.HostWrite) {
					continue // TestEveryVerb does
				}
				was, did := len(b.answers()), len(h.world.did)
				h.writes(t, r, author, "/blueberry "+text)
				h.settled(t)
				list := h.commands(t, r)
				last, may := list[len(list)-1], holds.Holds(verbs[text])
				if strings.HasSuffix(last, " done") != may || !may && !strings.HasSuffix(last, "refused silent") {
					t.Errorf("%s of %s, who may %s: %s", text, author, holds, last)
				}
				if answered := len(b.answers()) > was; answered != may {
					t.Errorf("%s of %s: answered is %v", text, author, answered)
				}
				if !may && len(h.world.did) != did {
					t.Errorf("%s of %s did %q", text, author, h.world.did[did:])
				}
			}
		}
		// Of a public repository everybody may read: what they write is no answer of ours.
		was := len(b.answers())
		h.writes(t, r, "rob", "/blueberry help read this: www.evil.example/patch")
		h.settled(t)
		if list := h.commands(t, r); list[len(list)-1] != "help refused silent" || len(b.answers()) > was {
			t.Errorf("%s; %d answers more", list[len(list)-1], len(b.answers())-was)
		}
		denied := 0
		for _, e := range h.audited(t) {
			if e.Result == blueberry.AuditDenied {
				denied++
			}
		}
		if want := 8 + 9 + 9; denied != want {
			t.Errorf("%d were audited as denied, want %d", denied, want)
		}
	})
}

// TestApproveByComment: who runs the repository vouches for a commit by its whole name; it is told as theirs. Nobody else does, and the repository never.
func TestApproveByComment(t *testing.T) {
	t.Parallel()
	fork := func(p *blueberry.PullRequest) {
		p.HeadRepo, p.HeadURL, p.Author, p.Relation = "eve/shop", "https://git.example.com/eve/shop.git", "eve", blueberry.RelationOutsider
	}
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{Forks: true}, fork)
		h.writes(t, r, "adm", "/blueberry approve "+commit(1)[:12])
		h.writes(t, r, "adm", "/blueberry approve "+commit(2))
		h.writes(t, r, "wim", "/blueberry approve "+commit(1))
		h.settled(t)
		if p := h.pull(t, r, 7); p.ApprovedCommit != "" {
			t.Fatalf("approved by %s", p.ApprovedBy)
		}
		for i, want := range []string{"must be the whole name of a commit", "pull request 7 is at " + commit(1) + " now, and not at " + commit(2), "it takes the permission admin"} {
			if got := b.answers()[i]; !strings.Contains(got, want) {
				t.Errorf("the answer lacks %q:\n%s", want, got)
			}
		}
		h.writes(t, r, "adm", "/blueberry approve "+commit(1))
		h.settled(t)
		p := h.pull(t, r, 7)
		if p.ApprovedCommit != commit(1) || p.ApprovedBy != "adm on gitea" || !strings.Contains(b.answers()[3], "is approved by adm on gitea") {
			t.Errorf("approved is %q by %q:\n%s", p.ApprovedCommit, p.ApprovedBy, b.answers()[3])
		}
		if err := h.store.View(t.Context(), func(tx *store.Tx) error {
			list, err := tx.Audit(t.Context(), blueberry.AuditQuery{Action: string(blueberry.GrantPullsApprove), Result: blueberry.AuditSucceeded})
			if len(list) != 1 || list[0].Actor.Kind != blueberry.ActorHost || list[0].Actor.ID != r.ID+"/adm" {
				t.Errorf("the approval is audited as %+v", list)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		repository := blueberry.Actor{Kind: blueberry.ActorJob, ID: r.ID, Name: "repository", Projects: map[string][]blueberry.Grant{r.Project: blueberry.RoleAdmin.Grants()}}
		if _, err := h.Approve(t.Context(), repository, p.ID, commit(1), nil); !errors.Is(err, blueberry.Forbidden) {
			t.Errorf("the repository approves: %v", err)
		}
	})
}

// TestCommandsOnce: a comment that is told of twice, read again or meets a server that dies carries nothing out twice and is answered once.
func TestCommandsOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		text := "/blueberry extend 1h\nand\n/blueberry wake"
		id, d := h.writes(t, r, "wim", text)
		same := blueberry.PullComment{ID: id, Number: 7, Author: "wim", Text: text, At: h.clock()}
		if again := h.send(t, r, "another id", said{Action: "created again", Comment: &same}); again.Verdict != blueberry.DeliveryIgnored {
			t.Errorf("the same comment again is %s: %s", again.Verdict, again.Reason)
		}
		dry, err := h.Replay(t.Context(), owner, d.ID, true)
		if err != nil || dry.Delivery.Verdict != blueberry.DeliveryIgnored || dry.Pull == nil || dry.Pull.Number != 7 {
			t.Errorf("replayed dry it is %+v, %v", dry, err)
		}
		h.settled(t)
		if again, err := h.Replay(t.Context(), owner, d.ID, false); err != nil || again.Delivery.Verdict != blueberry.DeliveryIgnored {
			t.Errorf("replayed it is %+v, %v", again, err)
		}
		h.settled(t)
		if len(h.world.did) != 2 || !strings.HasPrefix(h.world.did[0], "extend 1 ") || !strings.HasPrefix(h.world.did[1], "wake ") {
			t.Errorf("done was %q", h.world.did)
		}
		got := b.answers()
		if len(got) != 1 || strings.Index(got[0], "extend 1h") > strings.Index(got[0], "**/blueberry wake**") {
			t.Errorf("answered is %q", got)
		}
		if n := h.events(t)[blueberry.PullCommanded]; n != 2 {
			t.Errorf("%d commands were told", n)
		}
		edits := b.edits
		list, err := h.Commands(t.Context(), owner, blueberry.PullCommandQuery{PullID: h.pull(t, r, 7).ID})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list { // its jobs once more
			h.enqueue("pull.command " + c.ID)
			h.settled(t)
		}
		if len(h.world.did) != 2 || b.edits != edits || len(b.answers()) != 1 {
			t.Errorf("run again they did %q and edited %d times", h.world.did, b.edits-edits)
		}
	})
}

// TestExtendIsNotDoubled: the answer of the operation is lost, and the lease is longer all the same: it is not extended again.
func TestExtendIsNotDoubled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		lost := 0
		h.world.fails = func(what string) (before, after error) {
			if what == "extend 2" && lost < 3 {
				lost++
				return nil, errors.New("the connection to the record is gone")
			}
			return nil, nil
		}
		h.writes(t, r, "wim", "/blueberry extend 2h")
		h.work(t, 2)
		h.restart()
		h.settled(t)
		if len(h.world.did) != 1 || lost != 1 || len(b.answers()) != 1 || !strings.Contains(b.answers()[0], "lasts until") {
			t.Errorf("done was %q, answered %q", h.world.did, b.answers())
		}
		h.writes(t, r, "wim", "/blueberry extend 168h\n/blueberry extend 168h")
		h.settled(t)
		if got := b.answers()[1]; !strings.Contains(got, "as long as it may be") {
			t.Errorf("of a lease that is at its bound:\n%s", got)
		}
	})
}

// TestHostDown: while the host does not say who may what, nothing is done; then all is, in order.
func TestHostDown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		down := true
		b.fails = func(string) (before, after error) {
			if down {
				return &source.HostError{Text: "the host does not answer"}, nil
			}
			return nil, nil
		}
		h.writes(t, r, "wim", "/blueberry sleep")
		h.writes(t, r, "adm", "/blueberry wake")
		for range 5 {
			h.work(t, 3)
			h.later(20 * time.Minute)
		}
		if got := h.commands(t, r); len(h.world.did) != 0 || !slices.Equal(got, []string{"sleep pending", "wake pending"}) {
			t.Fatalf("while the host is down: %q, %q", got, h.world.did)
		}
		down = false
		for range 5 {
			h.work(t, 5)
			h.later(time.Hour)
		}
		if len(h.world.did) != 2 || !strings.HasPrefix(h.world.did[0], "sleep") || len(b.answers()) != 2 {
			t.Errorf("after it is back: %q, %q", h.world.did, b.answers())
		}
		down = true
		h.writes(t, r, "wim", "/blueberry sleep")
		for range 30 {
			h.work(t, 2)
			h.later(time.Hour)
		}
		if got := h.commands(t, r); got[2] != "sleep failed" || len(h.world.did) != 2 {
			t.Errorf("of one that waited for more than a day became %q", got)
		}
	})
}

// TestHostDoesNotSay: a credential that may not ask proves nothing, and nothing is done; nor is a permission of yesterday good today.
func TestHostDoesNotSay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		b.fails = func(what string) (before, after error) {
			if what == "permission" {
				return &source.HostError{Status: http.StatusForbidden, Text: "the credential may not do this"}, nil
			}
			return nil, nil
		}
		h.writes(t, r, "adm", "/blueberry sleep")
		h.settled(t)
		b.fails = nil
		h.writes(t, r, "adm", "/blueberry sleep")
		b.mu.Lock()
		b.rights["adm"] = blueberry.HostRead // between the comment and its carrying out
		b.mu.Unlock()
		h.settled(t)
		if got := h.commands(t, r); !slices.Equal(got, []string{"sleep refused silent", "sleep refused silent"}) || len(h.world.did) != 0 || len(b.answers()) != 0 {
			t.Errorf("became %q, did %q, answered %q", got, h.world.did, b.answers())
		}
		if h.repository(t, r.ID).Health.Message != "" {
			t.Error("the host is taken for broken")
		}
	})
}

// TestCommandsAreNotTaken: of whom, and of what, nothing is kept, or nothing is done.
func TestCommandsAreNotTaken(t *testing.T) {
	t.Parallel()
	const sleep = "/blueberry sleep"
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		for reason, c := range map[string]struct {
			author, text string
			change       func(c *blueberry.PullComment)
		}{
			"no command":                 {"wim", "Nice.", nil},
			"a bot":                      {"wim", sleep, func(c *blueberry.PullComment) { c.Bot = true }},
			"nobody":                     {"", sleep, nil},
			"our own answer":             {"wim", "<!-- blueberry:cmd:1 -->\n" + sleep, nil},
			"our own comment":            {"wim", "<!-- blueberry:pul_1 -->\n" + sleep, nil},
			"our own at Bitbucket":       {"wim", "[//]: # (blueberry:cmd:1)\n\n" + sleep, nil},
			"below another pull request": {"wim", sleep, func(c *blueberry.PullComment) { c.Number = 8 }},
			"of the day before":          {"wim", sleep, func(c *blueberry.PullComment) { c.At = c.At.Add(-25 * time.Hour) }},
			"what somebody quotes":       {"wim", "> " + sleep, nil},
		} {
			if _, d := h.writes(t, r, c.author, c.text, func(x *blueberry.PullComment) {
				if c.change != nil {
					c.change(x)
				}
			}); d.Verdict != blueberry.DeliveryIgnored {
				t.Errorf("%s: the delivery is %s: %s", reason, d.Verdict, d.Reason)
			}
		}
		policy := r.Policy
		policy.NoCommands = true
		h.writes(t, r, "wim", sleep) // and the policy changes before it is carried out
		if _, err := h.Change(t.Context(), owner, r.ID, source.RepositoryChange{Policy: &policy}, 0); err != nil {
			t.Fatal(err)
		}
		if _, d := h.writes(t, r, "wim", sleep); d.Verdict != blueberry.DeliveryIgnored {
			t.Errorf("where the policy takes none, the delivery is %s: %s", d.Verdict, d.Reason)
		}
		h.settled(t)
		if got := h.commands(t, r); !slices.Equal(got, []string{"sleep refused"}) || len(h.world.did) != 0 || len(b.answers()) != 1 {
			t.Errorf("kept are %q, done was %q", got, h.world.did)
		}
		if d := h.send(t, r, "edited", said{Action: "edited"}); d.Verdict != blueberry.DeliveryIgnored {
			t.Errorf("an edited comment is %s", d.Verdict)
		}
	})
}

// TestCommandsWithoutCredential: nobody can be asked who the writer is.
func TestCommandsWithoutCredential(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		r := h.add(t, "acme/shop", blueberry.PullPolicy{})
		h.send(t, r, "1", opened(7, 1))
		h.settled(t)
		h.writes(t, r, "wim", "/blueberry destroy")
		h.settled(t)
		list, err := h.Commands(t.Context(), viewer, blueberry.PullCommandQuery{PullID: h.pull(t, r, 7).ID})
		if err != nil || len(list) != 1 || list[0].Outcome != blueberry.CommandRefused || !strings.Contains(list[0].Answer, "no credential to ask the host who you are") || h.world.ends != 0 {
			t.Errorf("kept is %+v, %v", list, err)
		}
		if _, err := h.Commands(t.Context(), stranger, blueberry.PullCommandQuery{PullID: h.pull(t, r, 7).ID}); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("a stranger lists: %v", err)
		}
		if e := h.audited(t); len(e) != 1 || e[0].Result != blueberry.AuditFailed {
			t.Errorf("audited is %+v", e)
		}
	})
}

// TestTooManyCommands: beyond twenty of one person in an hour nothing is done nor answered, and in the end nothing is kept; an hour later all is well.
func TestTooManyCommands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		for range 6 {
			h.writes(t, r, "wim", strings.Repeat("/blueberry wake\n", 4))
		}
		h.writes(t, r, "adm", "/blueberry sleep")
		h.settled(t)
		if len(h.world.did) != 21 || len(b.answers()) != 6 {
			t.Errorf("%d were done, %d answered", len(h.world.did), len(b.answers()))
		}
		for range 20 {
			h.writes(t, r, "eve", strings.Repeat("/blueberry wake\n", 5))
		}
		h.settled(t)
		if n := len(h.commands(t, r)); n != 21+1+21 {
			t.Errorf("%d are kept", n)
		}
		if n := len(h.audited(t)); n != 21+1+20+1 {
			t.Errorf("%d were audited", n)
		}
		h.writes(t, r, "adm", "/blueberry wake") // who writes on and on keeps nobody out
		h.settled(t)
		for i := range 3 {
			for range 5 {
				h.writes(t, r, fmt.Sprint("eve", i), strings.Repeat("/blueberry wake\n", 5))
			}
		}
		h.settled(t)
		if n := len(h.commands(t, r)); n != blueberry.MaxPullRecorded {
			t.Errorf("%d are kept, want %d", n, blueberry.MaxPullRecorded)
		}
		h.later(61 * time.Minute)
		h.writes(t, r, "wim", "/blueberry wake")
		h.settled(t)
		if len(h.world.did) != 23 {
			t.Errorf("after an hour %d were done", len(h.world.did))
		}
	})
}

// TestDeployAgain: an environment that ended comes back, what was refused is tried again, and the answer is one that is edited.
func TestDeployAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		h.become(t, r, 7, func(e *blueberry.Environment) { e.Phase = blueberry.Terminated })
		h.enqueue("pull.reconcile " + h.pull(t, r, 7).ID)
		h.settled(t)
		if p := h.pull(t, r, 7); p.Outcome != blueberry.PullEnded {
			t.Fatalf("it is %s", p.Outcome)
		}
		h.writes(t, r, "wim", "/blueberry deploy\n/blueberry logs")
		h.run(t.Context(), h.jobs[0])
		if got := b.answers(); len(got) != 1 || strings.Count(got[0], "working on it") != 2 {
			t.Errorf("while it is worked on, answered is %q", got)
		}
		h.settled(t)
		if got := b.answers(); len(got) != 1 || strings.Contains(got[0], "working on it") || !strings.Contains(got[0], "✓ **/blueberry deploy**") || !strings.Contains(got[0], "✓ **/blueberry logs**") {
			t.Errorf("answered is %q", got)
		}
		if len(h.world.running()) != 1 || h.world.creates != 2 {
			t.Errorf("%d run after %d creates", len(h.world.running()), h.world.creates)
		}
		h.world.fails = func(what string) (before, after error) {
			if what == "create" {
				return blueberry.Faults{{Field: "quota.cpu", Code: "quota_exceeded", Message: "2 of 2 are used"}}.Err(), nil
			}
			return nil, nil
		}
		h.writes(t, r, "wim", "/blueberry destroy\n/blueberry deploy")
		h.settled(t)
		if got := b.answers()[1]; !strings.Contains(got, "✗ **/blueberry deploy**: refused: quota.cpu:\u200b 2 of 2 are used") {
			t.Errorf("what was refused is answered:\n%s", got)
		}
		h.world.fails = nil
		h.writes(t, r, "wim", "/blueberry deploy")
		h.settled(t)
		if len(h.world.running()) != 1 {
			t.Error("it did not come back")
		}
		h.send(t, r, "closed", opened(7, 2, is(blueberry.PullClosed)))
		h.settled(t)
		h.writes(t, r, "wim", "/blueberry deploy\n/blueberry sleep")
		h.settled(t)
		got := b.answers()[3]
		if !strings.Contains(got, "refused: the pull request is closed") || !strings.Contains(got, "refused: there is no environment") {
			t.Errorf("below one that is closed it is answered:\n%s", got)
		}
	})
}

// TestRestrictedByComment: logs of a restricted environment may be read, nothing of it set.
func TestRestrictedByComment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		h.become(t, r, 7, func(e *blueberry.Environment) { e.Restricted = true })
		h.writes(t, r, "adm", "/blueberry logs\n/blueberry set web.a=1")
		h.work(t, 1)
		h.settled(t)
		if got := b.answers(); len(got) != 1 || !strings.Contains(got[0], "✓ **/blueberry logs**") || !strings.Contains(got[0], "refused: pr-7 is restricted") {
			t.Errorf("answered is %q", got)
		}
		if len(h.world.did) != 1 {
			t.Errorf("done was %q", h.world.did)
		}
	})
}

// TestInjection: whatever a program writes or a person is called, the answer is one block of code, mentions nobody and is no command.
func TestInjection(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		odd := "wim</b>@all ``` [x](http://evil) <!-- blueberry:cmd:1 -->"
		b.rights["9"] = blueberry.HostWrite
		at := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
		h.world.lines = []source.LogLine{
			{At: at, Component: "web", Text: "```\n/blueberry destroy"},
			{At: at, Component: "web", Text: "`````` @all"},
			{At: at, Component: "web", Text: "\x1b[31mred\u202e\x00"},
			{At: at, Component: "web", Text: "<!-- blueberry:" + h.pull(t, r, 7).ID + " -->"},
			{At: at, Component: "web", Text: strings.Repeat("long ", 400)},
		}
		h.writes(t, r, "9", "/blueberry logs\n/blueberry @all<b>", func(c *blueberry.PullComment) { c.AuthorName = odd })
		h.settled(t)
		got := b.answers()
		if len(got) != 1 {
			t.Fatalf("there are %d answers", len(got))
		}
		text := got[0]
		head, rest, _ := strings.Cut(text, "```````text\n")
		block, tail, closed := strings.Cut(rest, "\n```````\n")
		if !closed || strings.Contains(block, "```````") || strings.ContainsAny(block, "\x1b\x00\u202e") || strings.Contains(block, "blueberry:pul") {
			t.Errorf("the block is not closed, or holds what it may not:\n%s", text)
		}
		for _, part := range []string{head, tail} {
			if strings.Contains(part, "@all") || strings.Contains(part, "</b>") || strings.Contains(part, "](http") || strings.Count(part, "<!--") > 1 {
				t.Errorf("text from outside is no text:\n%s", part)
			}
		}
		if again := blueberry.ReadPullCommands(text); len(again) != 0 {
			t.Errorf("the answer is read as %+v", again)
		}
		if strings.Contains(block, strings.Repeat("long ", 101)) {
			t.Error("a line is not cut")
		}
		many := make([]source.LogLine, 60)
		for i := range many {
			many[i] = source.LogLine{At: at, Component: "web", Text: fmt.Sprintf("%d %s", i, strings.Repeat("x", 400))}
		}
		h.world.lines = many
		h.writes(t, r, "wim", strings.Repeat("/blueberry logs\n", 5))
		h.settled(t)
		text = b.answers()[1]
		if n := len([]rune(text)); n > 35_000 || !strings.Contains(text, "web 59 ") || strings.Contains(text, "web 9 ") {
			t.Errorf("the answer has %d characters", n)
		}
	})
}

// TestAnswersAreNotDoubled: the answer to the call that makes the comment is lost, and another server goes on.
func TestAnswersAreNotDoubled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		n := 0
		b.fails = func(what string) (before, after error) {
			if what == "comment" {
				if n++; n < 3 {
					return nil, &source.HostError{Text: "the host does not answer"}
				}
			}
			return nil, nil
		}
		h.writes(t, r, "wim", "/blueberry wake\n/blueberry sleep")
		for range 4 {
			h.work(t, 2)
			h.restart()
			h.later(2 * time.Minute)
		}
		h.settled(t)
		if got := b.answers(); len(got) != 1 || n < 3 {
			t.Errorf("after %d tries there are %d answers", n, len(got))
		}
		if len(h.world.did) != 2 {
			t.Errorf("done was %q", h.world.did)
		}
	})
}

// TestCommandsInOrder: whichever job runs first, the older command goes first, and the last of a comment alone answers.
func TestCommandsInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		h.writes(t, r, "wim", "/blueberry sleep\n/blueberry wake")
		jobs := h.jobs
		h.jobs = nil
		if len(jobs) != 2 {
			t.Fatalf("there are %q", jobs)
		}
		h.run(t.Context(), jobs[1])
		if len(h.world.did) != 0 {
			t.Fatalf("the later one went first: %q", h.world.did)
		}
		h.run(t.Context(), jobs[0])
		if len(h.world.did) != 1 || len(b.answers()) != 0 {
			t.Errorf("after the first: %q, answered %q", h.world.did, b.answers())
		}
		h.run(t.Context(), jobs[1])
		calls := b.calls
		h.run(t.Context(), jobs[0]) // it has no answer to write
		if got := b.answers(); len(h.world.did) != 2 || len(got) != 1 || b.calls != calls {
			t.Errorf("did %q, answered %q, and %d calls more", h.world.did, got, b.calls-calls)
		}
		b.mu.Lock()
		b.comments[7] = nil // as if the answer was never noted
		b.mu.Unlock()
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			return tx.SetPullAnswer(t.Context(), h.pull(t, r, 7).ID, fmt.Sprint(100+h.comments), "", "")
		}); err != nil {
			t.Fatal(err)
		}
		h.run(t.Context(), jobs[0])
		if got := b.answers(); len(got) != 0 {
			t.Errorf("the first answers as well: %q", got)
		}
		h.run(t.Context(), jobs[1])
		if got := b.answers(); len(got) != 1 {
			t.Errorf("the last answers %q", got)
		}
	})
}

// TestForgedComments: who knows the secret of the webhook sends what they like; what the host has of the comment counts, and nothing else.
func TestForgedComments(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *board, id string){
		"of somebody else":   func(b *board, id string) { b.has(7, id, "eve", "/blueberry sleep") },
		"that is not there":  func(b *board, id string) { delete(b.said, "7/"+id) },
		"of another pull":    func(b *board, id string) { delete(b.said, "7/"+id); b.has(8, id, "adm", "/blueberry sleep") },
		"of other words":     func(b *board, id string) { b.has(7, id, "adm", "looks good") },
		"of another command": func(b *board, id string) { b.has(7, id, "adm", "/blueberry wake") },
		"that is quoted":     func(b *board, id string) { b.has(7, id, "adm", "> /blueberry sleep") },
		"of another line":    func(b *board, id string) { b.has(7, id, "adm", "\n/blueberry sleep") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, b, r := commanded(t, storetest.SQLite(t), blueberry.PullPolicy{})
			id, _ := h.writes(t, r, "adm", "/blueberry sleep")
			change(b, id)
			h.settled(t)
			if got := h.commands(t, r); !slices.Equal(got, []string{"sleep refused silent"}) || len(h.world.did) != 0 || len(b.answers()) != 0 {
				t.Errorf("%q, done %q, answered %q", got, h.world.did, b.answers())
			}
			if list := h.audited(t); len(list) != 1 || list[0].Result != blueberry.AuditDenied {
				t.Errorf("audited %+v", list)
			}
		})
	}
}

// TestDestroyIsNotDoubled: the server dies when the environment is gone, and another one has its place: that stays.
func TestDestroyIsNotDoubled(t *testing.T) {
	t.Parallel()
	h, b, r := commanded(t, storetest.SQLite(t), blueberry.PullPolicy{})
	was := h.pull(t, r, 7).EnvironmentID
	h.writes(t, r, "wim", "/blueberry destroy")
	list, err := h.Commands(t.Context(), owner, blueberry.PullCommandQuery{PullID: h.pull(t, r, 7).ID})
	if err != nil {
		t.Fatal(err)
	}
	c := list[0]
	c.Began = "env_before"
	if err := h.store.Update(t.Context(), func(tx *store.Tx) error { return tx.UpdatePullCommand(t.Context(), c) }); err != nil {
		t.Fatal(err)
	}
	h.settled(t)
	if got := h.commands(t, r); !slices.Equal(got, []string{"destroy done"}) || h.world.envs[was].Phase == blueberry.Terminated || len(b.answers()) != 1 {
		t.Errorf("%q, the next one is %s, answered %q", got, h.world.envs[was].Phase, b.answers())
	}
}

// TestSecretsInLogs: a colour in the middle of a secret, a certificate beside it or a beginning that is cut off show none of it.
func TestSecretsInLogs(t *testing.T) {
	t.Parallel()
	for name, texts := range map[string][]string{
		"colours":       {"\x1b[32mPASSWORD\x1b[0m=\x1b[33mhunt3r2\x1b[0mhunt3r2"},
		"a zero":        {"PASS\x00WORD=hunt3r2hunt3r2"},
		"a certificate": {"-----BEGIN CERTIFICATE-----", "PASSWORD=hunt3r2hunt3r2"},
		"a key's end":   {"hunt3r2hunt3r2", "-----END PRIVATE KEY-----"},
	} {
		h, b, r := commanded(t, storetest.SQLite(t), blueberry.PullPolicy{})
		for _, x := range texts {
			h.world.lines = append(h.world.lines, source.LogLine{Component: "web", Text: x})
		}
		h.writes(t, r, "wim", "/blueberry logs")
		h.settled(t)
		if got := b.answers(); len(got) != 1 || strings.Contains(got[0], "hunt3r2") || !strings.Contains(got[0], "(hidden)") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// between is environments of which one is read while something else happens.
type between struct {
	source.Environments
	meanwhile func()
}

func (e *between) Environment(ctx context.Context, id string) (blueberry.Environment, error) {
	out, err := e.Environments.Environment(ctx, id)
	if do := e.meanwhile; do != nil {
		e.meanwhile = nil
		do()
	}
	return out, err
}

// TestDeployWhileItEnds: the pull request is looked at because its environment has ended, and a deploy is asked for before that is noted: it is not lost.
func TestDeployWhileItEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := commanded(t, s, blueberry.PullPolicy{})
		h.become(t, r, 7, func(e *blueberry.Environment) { e.Phase = blueberry.Terminated })
		h.writes(t, r, "wim", "/blueberry deploy")
		deploy := h.jobs[len(h.jobs)-1]
		h.Environments = &between{h.Environments, func() { h.run(t.Context(), deploy) }}
		if _, err := h.Reconcile(t.Context(), blueberry.Job{Subject: h.pull(t, r, 7).ID}); err != nil {
			t.Fatal(err)
		}
		h.settled(t)
		if got := h.commands(t, r); !slices.Equal(got, []string{"deploy done"}) || len(h.world.running()) != 1 {
			t.Errorf("%q, %d run, answered %q", got, len(h.world.running()), b.answers())
		}
	})
}
