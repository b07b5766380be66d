package policy

import (
	"cmp"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cedar-policy/cedar-go"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Question is a plan to be judged.
type Question struct {
	Actor       blueberry.Actor
	Action      blueberry.PlanKind
	Environment blueberry.Environment // as the plan would make it
	Inputs      blueberry.Inputs
	Demand      blueberry.Demand
	LeaseHours  int // of the lease that is asked for; 0 for none
	Manifests   []Manifest
}

// MaxVerdicts bounds the verdicts of one plan; the last one tells how many there are beyond it.
const MaxVerdicts = 200

// Judge gives a verdict for each rule that forbids something of the plan, those that deny first, then by rule and object. Policies of other projects say
// nothing. A policy or a rule that cannot be read or evaluated denies, also when the rule only warns.
func Judge(policies []blueberry.Policy, q Question) []blueberry.PolicyVerdict {
	var out []blueberry.PolicyVerdict
	var rules ruleSet
	withManifest := false
	for _, p := range policies {
		if p.Project != "" && p.Project != q.Environment.Project {
			continue
		}
		list, found := parse(p)
		if len(found) > 0 { // it was stored by a version that read more than this one
			out = append(out, blueberry.PolicyVerdict{
				Rule: p.Label(), Object: "environment " + q.Environment.Name, Denied: true, Fix: "correct the policy",
				Message: fmt.Sprintf("the policy could not be read: %s (%s)", found[0].message, found[0].at),
			})
			continue
		}
		rules = append(rules, list...)
		// The attribute can be had by its name alone. A backslash may spell it in another way.
		withManifest = withManifest || strings.Contains(p.Text, "manifest") || strings.Contains(p.Text, `\`)
	}
	if len(rules) > 0 {
		out = append(out, rules.judge(q, withManifest)...)
	}
	return bounded(out, "environment "+q.Environment.Name)
}

// ruleSet is rules whose ids are their indexes.
type ruleSet []rule

// All gives the rules to Cedar.
func (r ruleSet) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for i, x := range r {
			if !yield(cedar.PolicyID(strconv.Itoa(i)), x.policy) {
				return
			}
		}
	}
}

func (r ruleSet) byID(id cedar.PolicyID) rule {
	i, _ := strconv.Atoi(string(id)) // All made it
	return r[i]
}

func (r ruleSet) judge(q Question, withManifest bool) []blueberry.PolicyVerdict {
	var out []blueberry.PolicyVerdict
	list, fixed := subjects(q, withManifest)
	broken := map[blueberry.PolicyVerdict]int{} // by a verdict without its object: index in out
	more := map[int]int{}
	for _, s := range list {
		request := cedar.Request{Principal: actorUID(q.Actor), Action: actionUID(q.Action), Resource: s.entity.UID}
		_, told := cedar.Authorize(r, world{fixed, s.entity}, request) // the decision is always to deny, as no rule permits: what counts is who forbids
		for _, reason := range told.Reasons {
			x := r.byID(reason.PolicyID)
			out = append(out, blueberry.PolicyVerdict{Rule: x.label, Object: s.name, Denied: !x.warns, Message: x.message, Fix: x.fix})
			if v := &out[len(out)-1]; v.Message == "" {
				v.Message = "the rule forbids it"
			}
		}
		for _, e := range told.Errors {
			x := r.byID(e.PolicyID)
			v := blueberry.PolicyVerdict{Rule: x.label, Denied: true, Message: "the rule could not be evaluated: " + reason(e.Message), Fix: "correct the rule: let it name what it is about (resource is Object), or test with has first"}
			if i, ok := broken[v]; ok { // what is wrong with the rule is wrong everywhere: once is enough
				more[i]++
				continue
			}
			broken[v] = len(out)
			v.Object = s.name
			out = append(out, v)
		}
	}
	for i, n := range more {
		out[i].Object += fmt.Sprintf(" and %d more", n)
	}
	return out
}

var (
	noAttribute = regexp.MustCompile("(?s)does not have the (attribute|tag) `([^`]*)`$")
	wrongType   = regexp.MustCompile("expected [A-Za-z_ ():,`\\[\\]]+ got [A-Za-z_ ():`]+$")
)

// reason says why a rule could not be evaluated, without the values that Cedar tells: they may be anything that stands in a manifest.
func reason(message string) string {
	if m := noAttribute.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("there is no %s %q", m[1], short(m[2]))
	}
	switch {
	case strings.HasPrefix(message, "type error"):
		if types := wrongType.FindString(message); types != "" {
			return "a value is of the wrong type: " + strings.ReplaceAll(types, "`", "")
		}
		return "values of two types cannot be compared"
	case strings.HasPrefix(message, "integer overflow"):
		return "a number becomes too large"
	case strings.HasSuffix(message, "does not exist"):
		return "it names an entity that is not known"
	case strings.HasPrefix(message, "wrong number of arguments"):
		return "a function has the wrong number of arguments"
	}
	return "a function cannot read the text that it is given"
}

// bounded sorts verdicts, leaves out what is said twice and cuts what is too much.
func bounded(list []blueberry.PolicyVerdict, environment string) []blueberry.PolicyVerdict {
	slices.SortFunc(list, func(a, b blueberry.PolicyVerdict) int {
		if a.Denied != b.Denied {
			if a.Denied {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Rule, b.Rule), strings.Compare(a.Object, b.Object), strings.Compare(a.Message, b.Message), strings.Compare(a.Fix, b.Fix))
	})
	list = slices.Compact(list)
	if len(list) <= MaxVerdicts {
		return list
	}
	rest := list[MaxVerdicts-1:]
	denied := 0
	for _, v := range rest {
		if v.Denied {
			denied++
		}
	}
	last := blueberry.PolicyVerdict{Rule: "more", Object: environment, Denied: denied > 0, Message: fmt.Sprintf("%d more verdicts are not told; %d of them deny", len(rest), denied)}
	return append(list[:MaxVerdicts-1:MaxVerdicts-1], last)
}
