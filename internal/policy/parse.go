package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cedar-policy/cedar-go"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of one policy. They keep what a rule costs near its length: the parser and the evaluator call themselves for everything that is nested.
const (
	maxRules   = 200  // of one policy
	maxWords   = 5000 // of one rule: a list of a thousand registries has 2,000
	maxNesting = 50   // brackets and ifs in one another
	maxChain   = 20   // names in "has a.b.c", which stands for that many tests of that many names
	maxPattern = 500  // bytes of the pattern of a like: it is tried at every byte of a text
	maxFaults  = 50   // told of one policy
)

// rule is one statement of a policy, ready to be evaluated.
type rule struct {
	policy  *cedar.Policy
	label   string // "default/images#by-digest"
	warns   bool
	message string
	fix     string
}

// finding is one fault of a policy's text.
type finding struct {
	at            token
	code, message string
}

// parse reads every rule of a policy, and tells every fault.
func parse(p blueberry.Policy) ([]rule, []finding) {
	if !utf8.ValidString(p.Text) {
		return nil, []finding{{token{line: 1, column: 1}, "encoding", "is not UTF-8"}}
	}
	list := statements(tokenize(p.Text))
	if len(list) == 0 {
		return nil, []finding{{token{line: 1, column: 1}, "required", "holds no rule"}}
	}
	if len(list) > maxRules {
		return nil, []finding{{list[maxRules][0], "too_many", fmt.Sprintf("has %d rules, at most %d are allowed", len(list), maxRules)}}
	}
	var rules []rule
	var found []finding
	seen := map[string]bool{}
	for i, words := range list {
		faults := inspect(words)
		if !slices.ContainsFunc(faults, func(f finding) bool { return f.code != "unknown" }) { // else the parser would tell the same, or not survive it
			r, more := read(p.Text, words)
			faults = append(faults, more...)
			if r.label == "" {
				r.label = strconv.Itoa(i + 1)
			} else if seen[r.label] {
				faults = append(faults, finding{words[0], "duplicate", fmt.Sprintf("@id(%q) is the id of another rule too", r.label)})
			}
			seen[r.label] = true
			r.label = p.Label() + "#" + r.label
			rules = append(rules, r)
		}
		found = append(found, faults...)
	}
	slices.SortStableFunc(found, func(a, b finding) int { return a.at.offset - b.at.offset })
	return rules, found
}

// read parses one statement. The label of the rule is its id alone.
func read(text string, words []token) (rule, []finding) {
	first, last := words[0], words[len(words)-1]
	list, err := cedar.NewPolicyListFromBytes("", []byte(text[first.offset:last.offset+len(last.text)]))
	if err != nil {
		return rule{}, []finding{explain(words, err)}
	}
	if len(list) != 1 {
		return rule{}, []finding{{first, "syntax", "is not one rule"}}
	}
	p := list[0]
	var faults []finding
	note := func(code, format string, args ...any) {
		faults = append(faults, finding{first, code, fmt.Sprintf(format, args...)})
	}
	if p.Effect() == cedar.Permit {
		note("permit", "permits: rules forbid; what none forbids is allowed")
	}
	r := rule{policy: p}
	annotations := p.Annotations()
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		value := string(annotations[key])
		switch key {
		case "id":
			var f blueberry.Faults
			if f.CheckName("", value, maxID); len(f) > 0 {
				note("id", "@id: %s", f[0].Message)
			} else {
				r.label = value
			}
		case "message", "fix":
			if n := utf8.RuneCountInString(value); n == 0 || n > maxMessage {
				note("length", "@%s has %d characters, must have 1 to %d", key, n, maxMessage)
			}
		case "warn":
			r.warns = true
			if value != "" {
				note("warn", `@warn takes no text: @warn or @warn("")`)
			}
		default:
			note("annotation", "@%s is unknown; there are @id, @message, @fix and @warn", key)
		}
	}
	r.message, r.fix = string(annotations["message"]), string(annotations["fix"])
	return r, faults
}

// Bounds of annotations, in characters.
const (
	maxID      = 40
	maxMessage = 500
)

// position is how the parser tells where it stopped: at the word after the wrong one, for most of its faults.
var position = regexp.MustCompile(`<input>:([0-9]+):([0-9]+)(?s:.*?): (?s)(.*)$`)

var (
	gotWant = regexp.MustCompile(`(?s)^(exact )?got (.*) want (.*)$`)
	ofWord  = regexp.MustCompile(`^(unexpected effect|expected |unexpected token|invalid primary)`)
)

// explain makes a finding of an error of the parser.
func explain(words []token, err error) finding {
	m := position.FindStringSubmatch(err.Error())
	if m == nil {
		return finding{words[0], "syntax", "is not Cedar: " + short(err.Error())}
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	if line += words[0].line - 1; line == words[0].line {
		column += words[0].column - 1
	}
	last := words[len(words)-1]
	at, ended := last, true
	before := last
	for i, w := range words {
		if w.line == line && w.column == column {
			at, ended = w, false
			before = words[max(0, i-1)]
			break
		}
	}
	if got := gotWant.FindStringSubmatch(m[3]); got != nil {
		switch {
		case got[1] != "" && got[2] != "":
			at = before
		case ended:
			return finding{last, "syntax", fmt.Sprintf("ends where %q belongs", got[3])}
		}
		return finding{at, "syntax", fmt.Sprintf("has %q where %q belongs", short(at.text), got[3])}
	}
	if ofWord.MatchString(m[3]) {
		if strings.HasPrefix(m[3], "unexpected effect") {
			return finding{before, "syntax", fmt.Sprintf("has %q where \"forbid\" belongs", short(before.text))}
		}
		return finding{before, "syntax", fmt.Sprintf("has %q where it does not belong", short(before.text))}
	}
	return finding{at, "syntax", short(m[3])}
}

// short cuts a text to what a message may quote.
func short(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
