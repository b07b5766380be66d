package source

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	maxLogLines = 50
	maxLogLine  = 500    // characters
	maxLogText  = 10_000 // of all, in characters
	maxPlanned  = 30     // objects that a plan names
	deployWaits = 10 * time.Minute
)

// do carries out a command that its writer may give.
func (s *Repositories) do(ctx context.Context, x *commanding) (carried, error) {
	switch x.c.Verb {
	case blueberry.PullHelp:
		return carried{outcome: blueberry.CommandDone, text: "this can be asked for, on a line of its own", body: verbsText()}, nil
	case blueberry.PullDeploy:
		return s.doDeploy(ctx, x)
	case blueberry.PullApprove:
		return s.doApprove(ctx, x)
	case blueberry.PullPlan:
		return s.doPlan(ctx, x)
	case blueberry.PullLogs, blueberry.PullExtend, blueberry.PullSleep, blueberry.PullWake, blueberry.PullDestroy, blueberry.PullSet:
	}
	env, err := s.living(ctx, x.p.EnvironmentID)
	if err != nil {
		return carried{}, err
	}
	if x.c.Verb == blueberry.PullDestroy && x.c.Began != "" && (env == nil || env.ID != x.c.Began) { // it is on its way out: what is there now is another one
		return destroyed(x.r.Policy.EnvironmentName(x.p.Number)), nil
	}
	if env == nil {
		return refusedBy("there is no environment; deploy makes one"), nil
	}
	actor := inTheNameOf(x.r, x.c)
	switch x.c.Verb {
	case blueberry.PullExtend:
		return s.doExtend(ctx, x, *env, actor)
	case blueberry.PullSleep:
		return doneBy(env.Name + " goes to sleep: its data, its address and its lease stay"), s.Controls.Sleep(ctx, actor, env.ID)
	case blueberry.PullWake:
		return doneBy(env.Name + " wakes"), s.Controls.Wake(ctx, actor, env.ID)
	case blueberry.PullDestroy:
		if err := s.begin(ctx, x, env.ID); err != nil {
			return carried{}, err
		}
		return destroyed(env.Name), s.Environments.Destroy(ctx, actor, env.ID)
	case blueberry.PullSet:
		return s.doSet(ctx, x, *env, actor)
	case blueberry.PullLogs:
		return s.doLogs(ctx, x, *env, actor)
	case blueberry.PullHelp, blueberry.PullDeploy, blueberry.PullApprove, blueberry.PullPlan:
	}
	return refusedBy("there is no such command"), nil
}

func destroyed(name string) carried {
	done := doneBy(name + " is being removed; deploy makes another one")
	done.review = true
	return done
}

// begin notes what a command is about to do, so that it is not done twice when this server dies meanwhile.
func (s *Repositories) begin(ctx context.Context, x *commanding, note string) error {
	c := x.c
	c.Began = note
	if err := s.Record.Update(ctx, func(tx Tx) error { return tx.UpdatePullCommand(ctx, c) }); err != nil {
		return err
	}
	x.c = c
	return nil
}

// doExtend extends the lease. Where that began before and the lease is another one now, it was done.
func (s *Repositories) doExtend(ctx context.Context, x *commanding, env blueberry.Environment, actor blueberry.Actor) (carried, error) {
	was := env.Lease.ExpiresAt
	if was.IsZero() {
		return refusedBy(env.Name + " has no lease: it stays until somebody removes it"), nil
	}
	if x.c.Began == "" {
		if err := s.begin(ctx, x, was.UTC().Format(time.RFC3339Nano)); err != nil {
			return carried{}, err
		}
	}
	if was.UTC().Format(time.RFC3339Nano) == x.c.Began {
		if err := s.Controls.Extend(ctx, actor, env.ID, x.c.Hours()); err != nil {
			return carried{}, err
		}
	}
	now, err := s.Environments.Environment(ctx, env.ID)
	if err != nil {
		return carried{}, err
	}
	until := now.Lease.ExpiresAt.UTC().Format(time.RFC1123)
	if now.Lease.ExpiresAt.UTC().Format(time.RFC3339Nano) == x.c.Began {
		return doneBy("the lease of " + env.Name + " is as long as it may be: until " + until), nil
	}
	return doneBy("the lease of " + env.Name + " lasts until " + until), nil
}

// doDeploy has the pull request looked at as if nothing was made of it yet, and waits for what becomes of it.
func (s *Repositories) doDeploy(ctx context.Context, x *commanding) (carried, error) {
	if x.c.Began != "" {
		return s.deployed(*x), nil
	}
	if x.p.State != blueberry.PullOpen {
		return refusedBy(fmt.Sprintf("the pull request is %s", x.p.State)), nil
	}
	env, err := s.living(ctx, x.p.EnvironmentID)
	if err != nil {
		return carried{}, err
	}
	c := x.c
	c.Began = "asked"
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			p, err := tx.Pull(ctx, x.p.ID)
			if err != nil {
				return err
			}
			if p.Outcome, p.Message = "", ""; env == nil {
				p.BuiltCommit = "" // the environment has ended: another one is made
			}
			p.UpdatedAt = s.Now()
			if err := tx.UpdatePull(ctx, p); err != nil {
				return err
			}
			if err := tx.UpdatePullCommand(ctx, c); err != nil {
				return err
			}
			return tx.Enqueue(ctx, blueberry.JobPullReconcile, p.ID)
		})
	})
	if err != nil {
		return carried{}, err
	}
	out := laterBy(forStep)
	out.began = c.Began
	return out, nil
}

// deployed is what became of a deploy that was asked for.
func (s *Repositories) deployed(x commanding) carried {
	switch x.p.Outcome {
	case blueberry.PullBuilt:
		return doneBy(x.p.Message)
	case blueberry.PullWaiting, blueberry.PullBlocked:
		return doneBy(fmt.Sprintf("it is %s: %s; it goes on alone", x.p.Outcome, x.p.Message))
	case blueberry.PullRefused, blueberry.PullSkipped, blueberry.PullEnded:
		return refusedBy(x.p.Message)
	}
	if s.Now().Sub(x.c.CreatedAt) > deployWaits {
		return carried{outcome: blueberry.CommandFailed, text: "it was asked for, and nothing has become of it yet"}
	}
	return laterBy(forStep)
}

// doApprove vouches for a commit as the person does whom the host calls one who runs the repository. The repository itself never does.
func (s *Repositories) doApprove(ctx context.Context, x *commanding) (carried, error) {
	who := writer(x.r, x.c, blueberry.GrantRepositoriesRead, blueberry.GrantPullsApprove)
	p, err := s.Approve(ctx, who, x.p.ID, x.c.Arguments[0], nil)
	if err != nil {
		return carried{}, err
	}
	return doneBy(fmt.Sprintf("commit %s is approved by %s: its code runs as that of members, until the next push", p.ApprovedCommit, p.ApprovedBy)), nil
}

// doPlan tells what the newest commit would make of the environment.
func (s *Repositories) doPlan(ctx context.Context, x *commanding) (carried, error) {
	env, err := s.living(ctx, x.p.EnvironmentID)
	if err != nil {
		return carried{}, err
	}
	o, err := s.look(ctx, x.r, x.p, env)
	switch {
	case err != nil:
		return carried{}, err
	case !o.wants:
		return refusedBy("it gets no environment: " + o.noted(o.why)), nil
	case x.p.Fork() && x.p.HeadURL == "":
		return refusedBy("the repository that it comes from is gone"), nil
	}
	r, p, id := x.r, x.p, ""
	r.Policy = o.policy
	w, err := s.wish(ctx, r, &p, o)
	if err != nil {
		return carried{}, err
	}
	if env != nil {
		if id = env.ID; env.Restricted != w.Restricted {
			id = "" // another one takes its place
		}
	}
	plan, blocked, err := s.Controls.Plan(ctx, inTheNameOf(x.r, x.c), id, w)
	if err != nil {
		return carried{}, err
	}
	return planned(plan, blocked, w.Commit), nil
}

// planned tells a plan in short: objects, and why it would not be let in. Values are not shown: they may be what not everybody may read.
func planned(plan blueberry.Plan, blocked error, commit string) carried {
	words := map[blueberry.ObjectAction]string{blueberry.ObjectCreated: "created", blueberry.ObjectUpdated: "changed", blueberry.ObjectDeleted: "removed"}
	counts := map[blueberry.ObjectAction]int{}
	var lines []string
	for _, o := range plan.Objects {
		word, changes := words[o.Action]
		if !changes {
			continue
		}
		counts[o.Action]++
		if len(lines) < maxPlanned {
			lines = append(lines, fmt.Sprintf("- %s: %s %s", word, plain(o.Kind), plain(o.Name)))
		}
	}
	total := counts[blueberry.ObjectCreated] + counts[blueberry.ObjectUpdated] + counts[blueberry.ObjectDeleted]
	if n := total - len(lines); n > 0 {
		lines = append(lines, fmt.Sprintf("- and %d more", n))
	}
	out := doneBy(fmt.Sprintf("%.12s would have %d objects created, %d changed, %d removed", commit, counts[blueberry.ObjectCreated], counts[blueberry.ObjectUpdated], counts[blueberry.ObjectDeleted]))
	if total == 0 {
		out.text = fmt.Sprintf("%.12s would change nothing", commit)
	}
	if blocked != nil {
		out.text += "; it would be refused"
		lines = append(lines, "- refused: "+plain(cut(messageOf(blocked), 2000)))
	}
	for i, w := range plan.Warnings {
		if i == maxFaultsTold {
			lines = append(lines, fmt.Sprintf("- and %d more warnings", len(plan.Warnings)-i))
			break
		}
		lines = append(lines, "- warning: "+plain(cut(strings.TrimPrefix(w.Field+": "+w.Message, ": "), 300)))
	}
	out.body = strings.Join(lines, "\n")
	return out
}

// doSet overrides one value.
func (s *Repositories) doSet(ctx context.Context, x *commanding, env blueberry.Environment, actor blueberry.Actor) (carried, error) {
	if env.Restricted {
		return refusedBy(env.Name + " is restricted: what it is made of is decided by the branch that its pull request goes to"), nil
	}
	keys, value := x.c.Setting()
	path := blueberry.JoinPath("", keys...)
	plan, err := s.Controls.Set(ctx, actor, env.ID, keys, value, fmt.Sprintf("%s set %s below pull request %d", writer(x.r, x.c).Name, path, x.p.Number))
	if err != nil {
		return carried{}, err
	}
	out := doneBy(fmt.Sprintf("%s is set, and revision %d of %s has it", path, plan.Revision, env.Name))
	if !plan.Changes() {
		out.text = path + " has changed nothing"
	}
	var lines []string
	for _, w := range plan.Warnings {
		if len(lines) < maxFaultsTold {
			lines = append(lines, "- warning: "+plain(cut(strings.TrimPrefix(w.Field+": "+w.Message, ": "), 300)))
		}
	}
	out.body = strings.Join(lines, "\n")
	return out, nil
}

// doLogs shows the last lines, without the secrets in them whose form or name is known.
func (s *Repositories) doLogs(ctx context.Context, x *commanding, env blueberry.Environment, actor blueberry.Actor) (carried, error) {
	component := strings.Join(x.c.Arguments, "")
	list, err := s.Controls.Logs(ctx, actor, env.ID, component, maxLogLines)
	if err != nil {
		return carried{}, err
	}
	if n := len(list) - maxLogLines; n > 0 {
		list = list[n:]
	}
	of := env.Name
	if component != "" {
		of = component + " of " + env.Name
	}
	if len(list) == 0 {
		return doneBy(of + " has written no lines"), nil
	}
	out := doneBy(fmt.Sprintf("the last %d lines of %s", len(list), of))
	out.body = fence(logText(list))
	return out, nil
}

func logText(list []LogLine) string {
	texts := make([]string, len(list))
	for i, l := range list { // first: a colour in the middle of a secret hides it from who looks for secrets
		texts[i] = strings.Map(func(r rune) rune {
			switch {
			case r == '\t' || r == '\n' || unicode.In(r, unicode.Zl, unicode.Zp):
				return ' '
			case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
				return -1
			}
			return r
		}, strings.ToValidUTF8(terminalOrders.ReplaceAllString(l.Text, ""), "\uFFFD"))
	}
	texts = strings.Split(blueberry.Redact(strings.Join(texts, "\n")), "\n")                                                                 // together: a key goes on across lines
	if len(texts) != len(list) || slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "PRIVATE KEY-----") }) { // of which the beginning may be cut off
		return "(hidden)"
	}
	var lines []string
	for i, l := range list {
		text := blueberry.RedactLines(texts[i]) // each: one of them may look like a key, and hides no other
		lines = append(lines, fmt.Sprintf("%s %s %s", l.At.UTC().Format(time.TimeOnly), l.Component, cut(text, maxLogLine)))
	}
	slices.Reverse(lines)
	room := maxLogText
	for i, line := range lines {
		if room -= len([]rune(line)) + 1; room < 0 {
			lines = append(lines[:i], "…")
			break
		}
	}
	slices.Reverse(lines)
	// No mention, whoever reads comments as they are written, and nothing by which our comments are found.
	return strings.NewReplacer("blueberry:", "blueberry:\u200b", "@", "@\u200b").Replace(strings.Join(lines, "\n"))
}

// terminalOrders are the orders to a terminal that programs write among their lines: colours, mostly.
var terminalOrders = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\^_])")
