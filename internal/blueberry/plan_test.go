package blueberry_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestMoved(t *testing.T) {
	t.Parallel()
	was := []blueberry.PlanInput{
		{Kind: blueberry.InputEnvironment, Value: "revision 3"},
		{Kind: blueberry.InputConfigSet, Name: "shop", Value: "3"},
		{Kind: blueberry.InputImage, Name: "backend", Value: "a:1"},
		{Kind: blueberry.InputImage, Name: "web", Value: "b:1"},
	}
	change := func(edit func(list []blueberry.PlanInput) []blueberry.PlanInput) []blueberry.PlanInput {
		return edit(slices.Clone(was))
	}
	for reason, c := range map[string]struct {
		is   []blueberry.PlanInput
		want []string
	}{
		"nothing":       {was, nil},
		"another order": {change(func(l []blueberry.PlanInput) []blueberry.PlanInput { slices.Reverse(l); return l }), nil},
		"one": {
			change(func(l []blueberry.PlanInput) []blueberry.PlanInput { l[1].Value = "4"; return l }),
			[]string{"inputs.config_set.shop: was 3 when the plan was made, and is 4 now"},
		},
		"one that is alone": {
			change(func(l []blueberry.PlanInput) []blueberry.PlanInput { l[0].Value = "revision 4"; return l }),
			[]string{"inputs.environment: was revision 3 when the plan was made, and is revision 4 now"},
		},
		"one went": {was[:3], []string{"inputs.image.web: was b:1 when the plan was made, and is not there any more"}},
		"one came": {
			append(slices.Clone(was), blueberry.PlanInput{Kind: blueberry.InputConfigSet, Name: "new", Value: "1"}),
			[]string{"inputs.config_set.new: was not there when the plan was made, and is 1 now"},
		},
		"all": {nil, []string{
			"inputs.config_set.shop: was 3 when the plan was made, and is not there any more", "inputs.environment: was revision 3 when the plan was made, and is not there any more",
			"inputs.image.backend: was a:1 when the plan was made, and is not there any more", "inputs.image.web: was b:1 when the plan was made, and is not there any more",
		}},
	} {
		var got []string
		for _, f := range blueberry.Moved(was, c.is) {
			if f.Code != "moved" {
				t.Errorf("%s: code %s", reason, f.Code)
			}
			got = append(got, f.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

// TestWhatDecidesIsSigned: a plan that differs in anything that an apply leans on has another digest or another text to be signed.
func TestWhatDecidesIsSigned(t *testing.T) {
	t.Parallel()
	plan := func(edit func(*blueberry.Plan)) blueberry.Plan {
		p := blueberry.Plan{
			ID: "pln_1", Kind: blueberry.PlanChange, Project: "shop", Environment: "pr-1", EnvironmentID: "env_1", Actor: "ada", ActorID: "tok_1", Base: 3, Revision: 4,
			Inputs:  []blueberry.PlanInput{{Kind: blueberry.InputConfigSet, Name: "a", Value: "1"}, {Kind: blueberry.InputConfigSet, Name: "b", Value: "2"}},
			Request: []byte(`{"a":1}`), RenderingDigest: "sha256:x", ExpiresAt: noon,
		}
		edit(&p)
		p.Digest = p.DigestInputs()
		return p
	}
	original := plan(func(*blueberry.Plan) {})
	for reason, edit := range map[string]func(*blueberry.Plan){
		"id":              func(p *blueberry.Plan) { p.ID = "pln_2" },
		"kind":            func(p *blueberry.Plan) { p.Kind = blueberry.PlanRollback },
		"project":         func(p *blueberry.Plan) { p.Project = "other" },
		"environment":     func(p *blueberry.Plan) { p.Environment = "pr-2" },
		"environment id":  func(p *blueberry.Plan) { p.EnvironmentID = "env_2" },
		"actor":           func(p *blueberry.Plan) { p.ActorID = "tok_2" },
		"base":            func(p *blueberry.Plan) { p.Base = 2 },
		"revision":        func(p *blueberry.Plan) { p.Revision = 5 },
		"expiry":          func(p *blueberry.Plan) { p.ExpiresAt = noon.Add(time.Microsecond) },
		"request":         func(p *blueberry.Plan) { p.Request = []byte(`{"a":2}`) },
		"rendering":       func(p *blueberry.Plan) { p.RenderingDigest = "sha256:y" },
		"value of input":  func(p *blueberry.Plan) { p.Inputs[0].Value = "9" },
		"name of input":   func(p *blueberry.Plan) { p.Inputs[0].Name = "c" },
		"kind of input":   func(p *blueberry.Plan) { p.Inputs[0].Kind = blueberry.InputImage },
		"one input less":  func(p *blueberry.Plan) { p.Inputs = p.Inputs[:1] },
		"fields run over": func(p *blueberry.Plan) { p.Project, p.Environment = `shop" "pr`, "1" },
		"inputs run over": func(p *blueberry.Plan) {
			p.Inputs = []blueberry.PlanInput{{Kind: "config_set", Name: "a", Value: "1\"\n\"config_set\" \"b\" \"2"}}
		},
	} {
		if p := plan(edit); string(p.SigningText()) == string(original.SigningText()) {
			t.Errorf("%s: the signature would hold", reason)
		}
	}
	other := plan(func(p *blueberry.Plan) { slices.Reverse(p.Inputs); p.Policies = []blueberry.PolicyVerdict{{Rule: "x"}} })
	if string(other.SigningText()) != string(original.SigningText()) {
		t.Error("the order of the inputs is no matter")
	}
	if other.Inputs[0].Name != "b" {
		t.Error("the digest has sorted the plan's own inputs")
	}
}

func TestPlanStates(t *testing.T) {
	t.Parallel()
	p := blueberry.Plan{Kind: blueberry.PlanChange, Base: 3, Revision: 3, ExpiresAt: noon}
	for reason, c := range map[string]struct{ got, want bool }{
		"not early":                   {p.Expired(noon.Add(-1)), false},
		"over at its time":            {p.Expired(noon), true},
		"no revision changes nothing": {p.Changes(), false},
		"a revision does":             {blueberry.Plan{Kind: blueberry.PlanChange, Base: 3, Revision: 4}.Changes(), true},
		"so does a first one":         {blueberry.Plan{Kind: blueberry.PlanCreate, Revision: 1}.Changes(), true},
		"so does a removal":           {blueberry.Plan{Kind: blueberry.PlanDestroy, Base: 3}.Changes(), true},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", reason, c.got)
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	held := []blueberry.Hold{{PlanInput: blueberry.PlanInput{Kind: blueberry.InputCommit, Value: "bad"}}, {PlanInput: blueberry.PlanInput{Kind: blueberry.InputConfigSet, Name: "shop", Value: "3"}}}
	for reason, c := range map[string]struct {
		input blueberry.PlanInput
		want  bool
	}{
		"the bad commit":       {blueberry.PlanInput{Kind: blueberry.InputCommit, Value: "bad"}, true},
		"a new commit":         {blueberry.PlanInput{Kind: blueberry.InputCommit, Value: "good"}, false},
		"the bad version":      {blueberry.PlanInput{Kind: blueberry.InputConfigSet, Name: "shop", Value: "3"}, true},
		"the next version":     {blueberry.PlanInput{Kind: blueberry.InputConfigSet, Name: "shop", Value: "4"}, false},
		"of another set":       {blueberry.PlanInput{Kind: blueberry.InputConfigSet, Name: "other", Value: "3"}, false},
		"another kind of word": {blueberry.PlanInput{Kind: blueberry.InputImage, Value: "bad"}, false},
	} {
		h, got := blueberry.Holds(held, []blueberry.PlanInput{{Kind: blueberry.InputTarget, Value: "x"}, c.input})
		if got != c.want || got && h.PlanInput != c.input {
			t.Errorf("%s: %v %+v", reason, got, h)
		}
	}
}
