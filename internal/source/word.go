package source

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// word is what the host should show of a pull request as it is now.
func (s *Repositories) word(r blueberry.Repository, p blueberry.PullRequest, env *blueberry.Environment, receipt *blueberry.Receipt, cost *blueberry.EnvironmentCost) word {
	w := word{
		mark: "<!-- blueberry:" + p.ID + " -->", number: p.Number, name: r.Policy.EnvironmentName(p.Number),
		urgent: p.Outcome == blueberry.PullEnded || p.Outcome == blueberry.PullRefused,
	}
	if r.Host == blueberry.HostBitbucket { // it shows the other as text
		w.mark = "[//]: # (blueberry:" + p.ID + ")\n"
	}
	state, line := standing(p, env)
	w.comment = w.mark + "\n" + s.comment(r, p, env, receipt, cost, line)
	if p.Outcome == blueberry.PullSkipped && env == nil {
		w.quiet = true
		return w
	}
	if w.commit = p.HeadCommit; p.Built() && len(p.BuiltCommit) > len(w.commit) {
		w.commit = p.BuiltCommit // some hosts tell the first digits only
	}
	w.status = CommitStatus{State: state, Context: "blueberry/" + p.Project, Description: cut(line, MaxStatusText), URL: addressOf(env)}
	if p.State != blueberry.PullOpen || env == nil && p.Outcome == blueberry.PullEnded {
		w.commit = "" // a commit that is merged or given up keeps the status that it had
	}
	if env != nil && env.Phase != blueberry.Terminating && env.Phase != blueberry.Terminated && p.BuiltCommit != "" && p.Outcome != blueberry.PullEnded {
		state, line := inPhase(*env) // also while the next commit waits or is refused, this one runs
		w.deployment = Deployment{
			Environment: w.name, Commit: p.BuiltCommit, Branch: p.HeadRef, State: deploymentState(state), URL: addressOf(env), LogURL: s.pageOf(env), Description: cut(line, MaxStatusText),
		}
	}
	return w
}

// standing is how a pull request stands, in one line.
func standing(p blueberry.PullRequest, env *blueberry.Environment) (StatusState, string) {
	switch {
	case p.Outcome == blueberry.PullRefused:
		return StatusFailure, "refused: " + p.Message
	case p.Outcome == blueberry.PullWaiting:
		return StatusPending, "waiting " + p.Message
	case p.Outcome == blueberry.PullBlocked:
		return StatusPending, "held up: " + p.Message
	case env == nil && p.Outcome == blueberry.PullSkipped:
		return StatusSuccess, "not made: " + p.Message
	case env == nil || p.Outcome == blueberry.PullEnded:
		return StatusSuccess, "removed: " + p.Message
	case !p.Built():
		return StatusPending, "the newest commit is about to be deployed"
	}
	return inPhase(*env)
}

// inPhase is how an environment stands, in one line.
func inPhase(env blueberry.Environment) (StatusState, string) {
	line := string(env.Phase)
	if env.Message != "" && env.Phase != blueberry.Ready {
		line += ": " + env.Message
	}
	switch env.Phase {
	case blueberry.Ready:
		return StatusSuccess, line
	case blueberry.Sleeping:
		return StatusSuccess, "sleeping: who opens its address wakes it"
	case blueberry.Degraded, blueberry.Failed:
		return StatusFailure, line
	case blueberry.Terminating, blueberry.Terminated:
		return StatusSuccess, line
	}
	return StatusPending, line
}

func deploymentState(s StatusState) DeploymentState {
	switch s {
	case StatusSuccess:
		return DeploymentSuccess
	case StatusFailure:
		return DeploymentFailure
	}
	return DeploymentPending
}

// addressOf is where an environment answers; empty while it is not.
func addressOf(env *blueberry.Environment) string {
	if env == nil || len(env.Hosts) == 0 || env.Phase == blueberry.Terminating || env.Phase == blueberry.Terminated {
		return ""
	}
	return "http://" + env.Hosts[0]
}

// pageOf is where an environment is shown; empty where the server has no address.
func (s *Repositories) pageOf(env *blueberry.Environment) string {
	if env == nil || s.PublicURL == "" {
		return ""
	}
	return s.PublicURL + "/environments/" + env.ID
}

// comment is the text that a person reads below the pull request, in Markdown. Whatever comes from outside is plain text in it.
func (s *Repositories) comment(r blueberry.Repository, p blueberry.PullRequest, env *blueberry.Environment, receipt *blueberry.Receipt, cost *blueberry.EnvironmentCost, line string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**Blueberry**: environment `%s` is %s\n", r.Policy.EnvironmentName(p.Number), plain(line))
	row := func(name, value string) { fmt.Fprintf(&b, "| %s | %s |\n", name, value) }
	switch {
	case env != nil && (env.Phase == blueberry.Terminated || env.Phase == blueberry.Terminating || p.Outcome == blueberry.PullEnded):
		if receipt != nil && !receipt.EndedAt.IsZero() {
			fmt.Fprintf(&b, "\nIts receipt: %d objects proven gone, %d left over.\n", len(receipt.Lines), len(receipt.Leftovers))
			if c := receipt.Cost; c != nil {
				fmt.Fprintf(&b, "\nIt cost %s %s.\n", c.SoFar.Cents(), c.Currency)
			}
		}
	case env != nil:
		b.WriteString("\n| | |\n|---|---|\n")
		var hosts []string
		for _, h := range env.Hosts {
			hosts = append(hosts, "<http://"+h+">")
		}
		if len(hosts) > 0 {
			row("Address", strings.Join(hosts, "<br>"))
		}
		row("Commit", "`"+p.BuiltCommit+"`")
		row("Lease", "until "+env.Lease.ExpiresAt.UTC().Format(time.RFC1123))
		if cost != nil {
			row("Cost", costLine(*cost))
		}
		row("Steps", waterfall(env.Conditions))
		if page := s.pageOf(env); page != "" {
			row("More", "[logs, timeline and what is wrong]("+page+")")
		}
	}
	return b.String()
}

// waterfall shows the steps of an environment up to the first that is not done, with its reason.
func waterfall(conditions []blueberry.Condition) string {
	var out []string
	for _, c := range conditions {
		if c.Status == blueberry.True {
			out = append(out, string(c.Type)+" ✓")
			continue
		}
		text := string(c.Type) + " …"
		if c.Status == blueberry.False {
			text = string(c.Type) + " ✗"
		}
		if c.Message != "" {
			text += " " + plain(cut(c.Message, 300))
		}
		out = append(out, text)
		break
	}
	return strings.Join(out, " → ")
}

// plain is a text that Markdown shows as it is, on one line: no markup, no link, no mention of a person.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '@':
			b.WriteString("@\u200b") // mentions nobody
		case r == ':':
			b.WriteString(":\u200b") // begins no address, which would become a link
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		case strings.ContainsRune("\\`*_{}[]()<>#+!|~&", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return linking.ReplaceAllString(b.String(), "${1}${3}\u200b${2}${4}")
}

// linking is what hosts make a link of without an address: www.example.com, and GH-1 for an issue.
var linking = regexp.MustCompile(`(?i)(www)(\.)|(gh)(-\d)`)

// cut bounds a text to some characters.
func cut(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}

// costLine is what an environment costs, in one line. It is told in cents, so that time alone does not have the comment edited all the while.
func costLine(c blueberry.EnvironmentCost) string {
	var parts []string
	if c.Priced {
		parts = append(parts, c.Now.String()+" "+c.Currency+" an hour")
	}
	parts = append(parts, c.SoFar.Cents()+" "+c.Currency+" so far")
	if c.Priced && c.Ends {
		parts = append(parts, c.ToLeaseEnd.Cents()+" "+c.Currency+" more until the lease ends")
	}
	for _, x := range c.Others {
		parts = append(parts, x.Amount.Cents()+" "+x.Currency+" before the prices were told in "+c.Currency)
	}
	return plain(strings.Join(parts, ", "))
}
