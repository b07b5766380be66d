package blueberry_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// shop is a blueprint of two components that take values and one that does not.
func shop(edit func(*blueberry.Blueprint)) blueberry.Blueprint {
	b := blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "backend", Image: "acme/app:1"}, {Name: "db", Chart: "db"}, {Name: "extras", Kustomization: "extras"}}}
	edit(&b)
	return b
}

func TestPartsOfABlueprint(t *testing.T) {
	t.Parallel()
	low, high := 1.0, 5.0
	parameter := func(p blueberry.Parameter) blueberry.Blueprint {
		if p.Name == "" {
			p.Name = "p"
		}
		if p.Sets == nil {
			p.Sets = []string{"backend.p"}
		}
		return shop(func(b *blueberry.Blueprint) { b.Parameters = []blueberry.Parameter{p} })
	}
	sets := func(paths ...string) blueberry.Blueprint { return parameter(blueberry.Parameter{Sets: paths}) }
	for reason, c := range map[string]struct {
		b    blueberry.Blueprint
		want []string
	}{
		"a web-service without image": {shop(func(b *blueberry.Blueprint) { b.Components[0].Image = "" }), nil},
		"a score file":                {shop(func(b *blueberry.Blueprint) { b.Components[0] = blueberry.Component{Name: "api", Score: "score.yaml"} }), nil},
		"a score file outside": {shop(func(b *blueberry.Blueprint) {
			b.Components[0] = blueberry.Component{Name: "api", Score: "../score.yaml", Port: 80}
		}), []string{"components[0].score path", "components[0].port forbidden"}},
		"chart and score":       {shop(func(b *blueberry.Blueprint) { b.Components[1].Score = "s" }), []string{"components[1] exclusive"}},
		"a component named all": {shop(func(b *blueberry.Blueprint) { b.Components[1].Name = "all" }), []string{"components[1].name reserved"}},

		"a good parameter": {parameter(blueberry.Parameter{Name: "log_level-2", Default: "info", Enum: []any{"info", "debug"}, Sets: []string{"all.env.LEVEL", `db["a.b"].c`}}), nil},
		"parameters of every type": {shop(func(b *blueberry.Blueprint) {
			b.Parameters = []blueberry.Parameter{
				{Name: "a", Type: "string", Pattern: "[a-z]+", Default: "x", Sets: []string{"backend.a"}},
				{Name: "b", Type: "integer", Min: &low, Max: &high, Default: int64(3), Sets: []string{"backend.b"}},
				{Name: "c", Type: "number", Default: 0.5, Sets: []string{"backend.c"}},
				{Name: "d", Type: "boolean", Default: false, Sets: []string{"backend.d"}},
			}
		}), nil},
		"a wrong name":              {parameter(blueberry.Parameter{Name: "Level"}), []string{"parameters[0].name pattern"}},
		"an unknown type":           {parameter(blueberry.Parameter{Type: "list"}), []string{"parameters[0].type enum"}},
		"a pattern of a number":     {parameter(blueberry.Parameter{Type: "integer", Pattern: "x"}), []string{"parameters[0].pattern pattern"}},
		"a pattern that is none":    {parameter(blueberry.Parameter{Pattern: "("}), []string{"parameters[0].pattern pattern"}},
		"a default of another type": {parameter(blueberry.Parameter{Type: "boolean", Default: "true"}), []string{"parameters[0].default type"}},
		"a default out of the list": {parameter(blueberry.Parameter{Default: "x", Enum: []any{"a"}}), []string{"parameters[0].default enum"}},
		"a list of another type":    {parameter(blueberry.Parameter{Enum: []any{"a", 1}}), []string{"parameters[0].enum[1] type"}},
		"bounds that leave nothing": {parameter(blueberry.Parameter{Type: "integer", Min: &high, Max: &low}), []string{"parameters[0].min range"}},
		"bounds of a text":          {parameter(blueberry.Parameter{Max: &high}), []string{"parameters[0] exclusive"}},
		"two of one name, one path": {shop(func(b *blueberry.Blueprint) {
			b.Parameters = []blueberry.Parameter{{Name: "a", Sets: []string{"backend.a"}}, {Name: "a", Sets: []string{"backend.a"}}}
		}), []string{"parameters[1].name duplicate", "parameters[1].sets[0] duplicate"}},
		"too many":            {shop(func(b *blueberry.Blueprint) { b.Parameters = make([]blueberry.Parameter, 51) }), []string{"parameters too_many"}},
		"sets nothing":        {shop(func(b *blueberry.Blueprint) { b.Parameters = []blueberry.Parameter{{Name: "a"}} }), []string{"parameters[0].sets required"}},
		"paths that are none": {sets("backend", "", ".a", "backend.", "backend..a", "backend[0]"), []string{"parameters[0].sets[0] path", "parameters[0].sets[1] path", "parameters[0].sets[2] path", "parameters[0].sets[3] path", "parameters[0].sets[4] path", "parameters[0].sets[5] path"}},
		"paths of nobody":     {sets("web.a", "extras.a", "backend.list[0].a", `backend["x[1]"]`), []string{"parameters[0].sets[0] unknown", "parameters[0].sets[1] path", "parameters[0].sets[2] path"}},
		"patterns of fields": {shop(func(b *blueberry.Blueprint) {
			b.Fields = blueberry.FieldClasses{Required: []string{"backend.env.A", "a..b"}, Forbidden: []string{"*.resources", ""}, Public: []string{"**.a.**.b.**"}}
		}), []string{"fields.required[1] pattern", "fields.forbidden[1] pattern", "fields.public[0] pattern"}},
		"too many patterns": {shop(func(b *blueberry.Blueprint) { b.Fields.Public = make([]string, 101) }), []string{"fields.public too_many"}},
		"computed paths in order": {shop(func(b *blueberry.Blueprint) {
			b.Computed = map[string]string{"z.a": "", "b.a": "", "backend.url": "x", "m": ""}
		}), []string{"computed[b.a] unknown", "computed[m] path", "computed[z.a] unknown"}},
		"services": {shop(func(b *blueberry.Blueprint) {
			b.Services = []blueberry.ServiceSlot{{Name: "db", Kind: "postgres", Size: "1Gi"}, {Name: "db", Kind: "oracle"}, {Name: "X", Kind: "redis"}}
		}), []string{"services[1].name duplicate", "services[1].kind enum", "services[2].name pattern"}},
		"egress": {shop(func(b *blueberry.Blueprint) {
			b.Egress = []blueberry.Egress{{CIDR: "10.0.0.0/8", Ports: []int{443}}, {CIDR: "10.1.2.3/8"}, {CIDR: "example.com", Ports: []int{0, 65536}}, {CIDR: "fd00::/8"}}
		}), []string{"egress[1].cidr cidr", "egress[2].cidr cidr", "egress[2].ports[0] range", "egress[2].ports[1] range"}},
		"config sets": {shop(func(b *blueberry.Blueprint) {
			b.ConfigSets = []blueberry.ConfigRef{{Name: "a"}, {Global: true, Name: "a"}, {Name: "a", Version: 3}}
			b.ConfigUpdates = "never"
		}), []string{"configSets[2] duplicate", "configUpdates enum"}},
		"leases":             {shop(func(b *blueberry.Blueprint) { b.Lease = blueberry.LeaseBounds{Default: 200, Max: 100} }), []string{"lease.default range", "lease.default range"}},
		"a lease below zero": {shop(func(b *blueberry.Blueprint) { b.Lease = blueberry.LeaseBounds{Default: -1, Max: -1} }), []string{"lease.default range", "lease.max range"}},
	} {
		if diff := cmp.Diff(c.want, faults(c.b.Check())); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

func TestParametersOfARequest(t *testing.T) {
	t.Parallel()
	low, high := 1.0, 5.0
	b := blueberry.Blueprint{Parameters: []blueberry.Parameter{
		{Name: "text", Pattern: "[a-z]+", Default: "x"},
		{Name: "level", Enum: []any{"info", "debug"}},
		{Name: "count", Type: "integer", Min: &low, Max: &high, Required: true, Default: 1},
		{Name: "ratio", Type: "number", Max: &high},
		{Name: "on", Type: "boolean", Required: true},
		{Name: "size", Type: "integer", Enum: []any{1, int64(1) << 60}},
	}}
	for reason, c := range map[string]struct {
		values object
		want   []string
	}{
		"good":                       {object{"on": true, "text": "abc", "level": "debug", "count": 5, "ratio": 0.5}, nil},
		"numbers of any type":        {object{"on": true, "count": json.Number("3"), "ratio": 3, "size": 1.0}, nil},
		"nothing chosen":             {nil, []string{"parameters.on required"}},
		"null of what is required":   {object{"on": nil, "count": nil, "text": nil}, []string{"parameters.count required", "parameters.on required"}},
		"of other types":             {object{"on": "true", "text": 1, "level": []any{"info"}, "count": 1.5, "ratio": "x", "size": object{}}, []string{"parameters.count type", "parameters.level type", "parameters.on type", "parameters.ratio type", "parameters.size type", "parameters.text type"}},
		"out of bounds":              {object{"on": true, "count": 6, "ratio": 5.1, "text": "ABC", "level": "trace"}, []string{"parameters.count range", "parameters.level enum", "parameters.ratio range", "parameters.text pattern"}},
		"a pattern is of all of it":  {object{"on": true, "text": "abc1"}, []string{"parameters.text pattern"}},
		"a pattern is of every line": {object{"on": true, "text": "abc\n1"}, []string{"parameters.text pattern"}},
		"numbers without end":        {object{"on": true, "count": math.Inf(1), "ratio": math.NaN()}, []string{"parameters.count type", "parameters.ratio type"}},
		"nearly a large number":      {object{"on": true, "size": int64(1)<<60 + 1}, []string{"parameters.size enum"}},
		"unknown ones":               {object{"on": true, "zoo": 1, "alpha": 1}, []string{"parameters.alpha unknown", "parameters.zoo unknown"}},
	} {
		f := blueberry.Faults{{Field: "z", Code: "first"}}
		b.CheckParameters(&f, "parameters", c.values)
		if diff := cmp.Diff(append([]string{"z first"}, c.want...), faults(f.Err())); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
	var f blueberry.Faults
	(blueberry.Blueprint{}).CheckParameters(&f, "parameters", object{"a": 1})
	if len(f) != 1 || f[0].Message != "the blueprint has no such parameter; it has none" {
		t.Errorf("faults %v", f)
	}
}

func TestAccessToABlueprint(t *testing.T) {
	t.Parallel()
	ada := blueberry.Actor{Name: "ada"}
	for reason, c := range map[string]struct {
		access blueberry.BlueprintAccess
		want   bool
	}{
		"everyone":                     {blueberry.BlueprintAccess{}, true},
		"the project":                  {blueberry.BlueprintAccess{Projects: []string{"x", "shop"}}, true},
		"another project":              {blueberry.BlueprintAccess{Projects: []string{"x"}}, false},
		"the actor":                    {blueberry.BlueprintAccess{Actors: []string{"ada"}}, true},
		"another actor":                {blueberry.BlueprintAccess{Actors: []string{"bob"}}, false},
		"the actor in another project": {blueberry.BlueprintAccess{Actors: []string{"ada"}, Projects: []string{"x"}}, false},
		"another actor in the project": {blueberry.BlueprintAccess{Actors: []string{"bob"}, Projects: []string{"shop"}}, false},
		"the actor and the project":    {blueberry.BlueprintAccess{Actors: []string{"ada"}, Projects: []string{"shop"}}, true},
	} {
		if got := c.access.Allows(ada, "shop"); got != c.want {
			t.Errorf("%s: %v", reason, got)
		}
	}
}

func TestComponents(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		c    blueberry.Component
		want string
	}{
		"an image":        {blueberry.Component{Image: "a:1"}, "web-service true "},
		"nothing":         {blueberry.Component{}, "web-service true "},
		"a chart":         {blueberry.Component{Chart: "c"}, "helm true c"},
		"a kustomization": {blueberry.Component{Kustomization: "k"}, "kustomize false k"},
		"a score file":    {blueberry.Component{Score: "s"}, "score true s"},
	} {
		if got := fmt.Sprintf("%s %v %s", c.c.Kind(), c.c.TakesValues(), c.c.Path()); got != c.want {
			t.Errorf("%s: %s", reason, got)
		}
		if got := (blueberry.Blueprint{Components: []blueberry.Component{{}, c.c}}).NeedsSource(); got != (c.c.Path() != "") {
			t.Errorf("%s: needs a source: %v", reason, got)
		}
	}
}

func TestPolicyLabels(t *testing.T) {
	t.Parallel()
	if got := (blueberry.Policy{Name: "images"}).Label(); got != "installation/images" {
		t.Error(got)
	}
	if got := (blueberry.Policy{Project: "shop", Name: "images"}).Label(); got != "shop/images" {
		t.Error(got)
	}
}
