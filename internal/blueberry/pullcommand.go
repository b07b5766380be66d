package blueberry

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PullVerb is what a command in a comment asks for.
type PullVerb string

// The verbs.
const (
	PullDeploy  PullVerb = "deploy"
	PullPlan    PullVerb = "plan"
	PullLogs    PullVerb = "logs"
	PullExtend  PullVerb = "extend"
	PullSleep   PullVerb = "sleep"
	PullWake    PullVerb = "wake"
	PullDestroy PullVerb = "destroy"
	PullApprove PullVerb = "approve"
	PullSet     PullVerb = "set"
	PullHelp    PullVerb = "help"
)

// PullVerbs lists them.
func PullVerbs() []PullVerb {
	return []PullVerb{PullDeploy, PullPlan, PullLogs, PullExtend, PullSleep, PullWake, PullDestroy, PullApprove, PullSet, PullHelp}
}

// Usage is how a command of the verb is written, and what it does.
func (v PullVerb) Usage() (form, does string) {
	switch v {
	case PullDeploy:
		return "deploy", "the newest commit once more, also after the environment has ended"
	case PullPlan:
		return "plan", "what the newest commit would change"
	case PullLogs:
		return "logs [component]", "the last 50 lines"
	case PullExtend:
		return "extend 24h", "a longer lease: hours, or days as 2d"
	case PullSleep:
		return "sleep", "the pods go; data, address and lease stay"
	case PullWake:
		return "wake", "they come back"
	case PullDestroy:
		return "destroy", "the environment goes, with a receipt"
	case PullApprove:
		return "approve <commit>", "vouch for one commit of somebody whom nobody knows, by its whole name; for maintainers"
	case PullSet:
		return "set component.path=value", "one value of the configuration"
	case PullHelp:
		return "help", "this"
	}
	return "", ""
}

// HostPermission is what a person may do in a repository, as its host says.
type HostPermission string

// The permissions, the weakest first.
const (
	HostNone  HostPermission = "none"
	HostRead  HostPermission = "read"
	HostWrite HostPermission = "write"
	HostAdmin HostPermission = "admin" // or maintain
)

// Holds reports whether a permission is as strong as another one. One that is none of them holds nothing.
func (p HostPermission) Holds(need HostPermission) bool {
	order := []HostPermission{HostNone, HostRead, HostWrite, HostAdmin}
	have, want := slices.Index(order, p), slices.Index(order, need)
	return have >= 0 && want >= 0 && have >= want
}

// Needs is what a person must hold at the host for a command of the verb. Of a repository that everybody reads, everybody holds read: that lets them ask what
// there is to ask for, and nothing else.
func (v PullVerb) Needs() HostPermission {
	switch v {
	case PullHelp:
		return HostRead
	case PullApprove:
		return HostAdmin
	case PullDeploy, PullPlan, PullLogs, PullExtend, PullSleep, PullWake, PullDestroy, PullSet:
	}
	return HostWrite
}

// PullCommandOutcome is how far a command is.
type PullCommandOutcome string

// The outcomes.
const (
	CommandPending PullCommandOutcome = "pending"
	CommandDone    PullCommandOutcome = "done"
	CommandRefused PullCommandOutcome = "refused" // its writer may not, or it asks for what cannot be
	CommandFailed  PullCommandOutcome = "failed"  // it could not be carried out in time
)

// PullCommandOutcomes lists them.
func PullCommandOutcomes() []PullCommandOutcome {
	return []PullCommandOutcome{CommandPending, CommandDone, CommandRefused, CommandFailed}
}

// PullCommand is one command in a comment below a pull request. A repository has one of a comment and a line, so that nothing is carried out twice.
type PullCommand struct {
	ID           string
	RepositoryID string
	Project      string
	PullID       string
	DeliveryID   string // that told of the comment
	CommentID    string // as the host calls it
	Line         int    // of the comment, from 1
	Author       string // as the host is asked what they may
	AuthorName   string // as people call them; empty where that is Author
	Verb         PullVerb
	Arguments    []string // of what looks like a secret, without the value
	Fault        string   // why it cannot be carried out as it is written; empty when it can
	Outcome      PullCommandOutcome
	Silent       bool   // it gets no answer
	Began        string // what was noted before it was carried out, so that it is not done twice; empty before
	Answer       string // for people, Markdown; of one that is pending, how far it is
	AnswerID     string // of the comment that answers, as the host calls it; empty before
	Answered     string // digest of what that comment says
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Who is the name of its writer for people.
func (c PullCommand) Who() string {
	if c.AuthorName != "" {
		return c.AuthorName
	}
	return c.Author
}

// Text is the command on one line, as it was written.
func (c PullCommand) Text() string {
	return strings.Join(append([]string{pullCommandWord, string(c.Verb)}, c.Arguments...), " ")
}

// PullCommandQuery asks for commands, newest first.
type PullCommandQuery struct {
	PullID    string
	CommentID string // of the pull request's repository
	Outcome   PullCommandOutcome
	Before    string // id: only older ones
	Limit     int
}

// Bounds of commands.
const (
	MaxPullCommands = 5              // of one comment that are carried out
	MaxPullHourly   = 20             // of one person below one pull request in an hour that are carried out
	MaxPullRecorded = 100            // below one pull request in an hour that are recorded
	PullCommandLife = 24 * time.Hour // how long one waits to be carried out, and how old its comment may be
	pullCommandWord = "/blueberry"
	maxPullVerb     = 32   // characters that are kept of what is no verb
	maxPullArgument = 1000 // bytes
	maxPullShown    = 200  // characters that are kept of an argument that is none
	maxPullWords    = 5    // arguments that are kept where there are too many
	maxPullIndent   = 3    // spaces before a command: with more, Markdown shows code
)

// ReadPullCommands gives the commands in a comment: the lines that begin with /blueberry outside of quotations, code and HTML comments. Their ids, and all that is
// not in the text, are left empty. Of more than MaxPullCommands the next one says so, and the others are left out.
func ReadPullCommands(text string) []PullCommand {
	var out []PullCommand
	var skip skipping
	number := 0
	for line := range strings.Lines(text) {
		number++
		if skip.over(line) {
			continue
		}
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != pullCommandWord || strings.IndexByte(line, '/') > maxPullIndent || strings.TrimLeft(line, " ")[0] != '/' {
			continue
		}
		c := readPullCommand(words[1:], strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), pullCommandWord)))
		c.Line = number
		if len(out) == MaxPullCommands {
			c.Fault = "a comment may have at most " + strconv.Itoa(MaxPullCommands) + " commands; this one and those below it were not carried out"
			return append(out, c)
		}
		out = append(out, c)
	}
	return out
}

// skipping is where in a comment a line is, as Markdown shows it.
type skipping struct {
	fence  string // that the block of code began with; empty outside of one
	hidden string // that ends what is not shown, or shown as it is: "-->", "</pre>"; empty outside
}

var (
	fenced = regexp.MustCompile("^(?:[\\s>]|[-*+]\\s|\\d{1,9}[.)]\\s)*(`{3,}|~{3,})(.*)$")
	hides  = regexp.MustCompile(`<(!--|(?:pre|script|style|textarea)(?:[\s>]|$))`)
)

// over reports whether a line holds no command because of what stands around it.
func (s *skipping) over(line string) bool {
	line = strings.TrimRight(line, "\r\n")
	if s.hidden == "" {
		if m := fenced.FindStringSubmatch(line); m != nil {
			switch {
			case s.fence == "" && (m[1][0] == '~' || !strings.Contains(m[2], "`")):
				s.fence = m[1]
				return true
			case s.fence != "" && strings.HasPrefix(m[1], s.fence) && strings.TrimSpace(m[2]) == "":
				s.fence = ""
				return true
			}
		}
		if s.fence != "" {
			return true
		}
	}
	over := s.hidden != ""
	for rest := strings.ToLower(line); ; {
		if s.hidden != "" {
			_, behind, ends := strings.Cut(rest, s.hidden)
			if !ends {
				return true
			}
			rest, s.hidden = behind, ""
			continue
		}
		at := hides.FindStringSubmatchIndex(rest)
		if at == nil {
			return over
		}
		if s.hidden = "-->"; rest[at[2]] != '!' {
			s.hidden = "</" + strings.TrimRight(rest[at[2]:at[3]], "> \t") + ">"
		}
		rest = rest[at[1]:]
	}
}

var pullComponent = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// readPullCommand reads what stands behind the word; rest is the same in one piece.
func readPullCommand(words []string, rest string) PullCommand {
	if len(words) == 0 {
		return PullCommand{Verb: PullHelp}
	}
	c := PullCommand{Verb: PullVerb(words[0]), Arguments: words[1:]}
	switch {
	case !slices.Contains(PullVerbs(), c.Verb):
		if c.Verb, c.Arguments = PullVerb(firstOf(words[0], maxPullVerb)), nil; TokenShape(words[0]) != "" {
			c.Verb = hidden
		}
		c.Fault = "there is no such command"
		return c
	case c.Verb == PullSet:
		if c.Arguments = nil; len(words) > 1 { // a value may have spaces
			c.Arguments = []string{strings.TrimSpace(strings.TrimPrefix(rest, words[0]))}
		}
	}
	if c.Fault = c.check(); c.Fault == "" {
		return c
	}
	for i, x := range c.Arguments { // what cannot be carried out is kept to be shown, and may hold what nobody may read
		if path, _, assigns := strings.Cut(x, "="); assigns {
			x = path + "=…"
		}
		c.Arguments[i] = firstOf(Redact(x), maxPullShown)
	}
	c.Arguments = c.Arguments[:min(len(c.Arguments), maxPullWords)]
	return c
}

func firstOf(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// check tells what is wrong with the arguments; empty for nothing.
func (c PullCommand) check() string {
	form, _ := c.Verb.Usage()
	least, most := 0, 0
	switch c.Verb {
	case PullLogs:
		most = 1
	case PullExtend, PullApprove, PullSet:
		least, most = 1, 1
	case PullDeploy, PullPlan, PullSleep, PullWake, PullDestroy, PullHelp:
	}
	n := len(c.Arguments)
	switch {
	case n < least || n > most:
		return "it is written as " + pullCommandWord + " " + form
	case n == 0:
		return ""
	case len(c.Arguments[0]) > maxPullArgument:
		return "it is longer than " + strconv.Itoa(maxPullArgument) + " bytes"
	}
	switch c.Verb {
	case PullLogs:
		if !pullComponent.MatchString(c.Arguments[0]) {
			return "component: is no name of one"
		}
	case PullExtend:
		if _, ok := c.hours(); !ok {
			return "hours: must be hours, as 24h, or days, as 2d: " + strconv.Itoa(MinLeaseHours) + " to " + strconv.Itoa(MaxLeaseHours) + " hours"
		}
	case PullApprove:
		var f Faults
		if f.CheckCommit("commit", c.Arguments[0]); len(f) > 0 {
			return "commit: " + f[0].Message
		}
	case PullSet:
		keys, value, wrong := c.setting()
		if wrong != "" {
			return wrong
		}
		if shape := SecretShape(JoinPath("", keys...), value); shape != "" {
			return "value: looks like " + shape + ". A secret is named by a reference, never written into a comment; who reads the comment has read it, so have it changed where it was made"
		}
	case PullDeploy, PullPlan, PullSleep, PullWake, PullDestroy, PullHelp:
	}
	return ""
}

var pullHours = regexp.MustCompile(`^([0-9]{1,4})([hd]?)$`)

// Hours is the argument of an extend without a fault: "24h", "24" or "2d".
func (c PullCommand) Hours() int {
	n, _ := c.hours()
	return n
}

func (c PullCommand) hours() (n int, ok bool) {
	m := pullHours.FindStringSubmatch(strings.Join(c.Arguments, " "))
	if m == nil {
		return 0, false
	}
	if n, _ = strconv.Atoi(m[1]); m[2] == "d" { // of at most four digits
		n *= 24
	}
	var f Faults
	f.CheckHours("hours", n)
	return n, len(f) == 0
}

// Setting is the argument of a set without a fault: the keys of the path, of which the first names a component, and the value. true, false, null and numbers
// are what they say, a text in double quotes is what stands in them, and all else is text.
func (c PullCommand) Setting() (keys []string, value any) {
	keys, value, _ = c.setting()
	return keys, value
}

func (c PullCommand) setting() (keys []string, value any, wrong string) {
	text := strings.Join(c.Arguments, " ")
	at := endOfPath(text)
	if at < 0 {
		form, _ := PullSet.Usage()
		return nil, nil, "it is written as " + pullCommandWord + " " + form
	}
	keys, ok := SplitPath(text[:at])
	switch {
	case !ok || strings.ContainsAny(bracketed.ReplaceAllString(text[:at], ""), " \t[]\"\\"):
		return nil, nil, "path: is none: keys stand between dots, and what is not a plain word in brackets and quotes; items of a list cannot be set one by one"
	case len(keys) < 2:
		return nil, nil, "path: names a component alone; a path below it is needed"
	}
	return keys, settingValue(strings.TrimSpace(text[at+1:])), ""
}

var bracketed = regexp.MustCompile(`\["(?:[^"\\]|\\.)*"\]`)

// endOfPath is where the equals sign behind a path stands, outside of quotes; -1 for nowhere.
func endOfPath(text string) int {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '=' && !quoted:
			return i
		}
	}
	return -1
}

var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// settingValue reads a value. Numbers that no computer means as one stay text: with an exponent, with a leading zero, or too large to be kept exactly.
func settingValue(text string) any {
	switch text {
	case "true", "false":
		return text == "true"
	case "null":
		return nil
	}
	if plainNumber.MatchString(text) {
		if _, err := strconv.ParseInt(text, 10, 64); err != nil && !strings.Contains(text, ".") {
			return text
		}
		return PlainNumbers(json.Number(text))
	}
	var quoted string
	if strings.HasPrefix(text, `"`) && json.Unmarshal([]byte(text), &quoted) == nil {
		return quoted
	}
	return text
}
