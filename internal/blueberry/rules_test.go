package blueberry_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestPhaseTable(t *testing.T) {
	t.Parallel()
	legal := map[blueberry.Phase][]blueberry.Phase{
		blueberry.Pending:      {blueberry.Provisioning, blueberry.Failed, blueberry.Terminating},
		blueberry.Provisioning: {blueberry.Ready, blueberry.Updating, blueberry.Failed, blueberry.Terminating},
		blueberry.Ready:        {blueberry.Degraded, blueberry.Updating, blueberry.Sleeping, blueberry.Failed, blueberry.Terminating},
		blueberry.Degraded:     {blueberry.Ready, blueberry.Updating, blueberry.Sleeping, blueberry.Failed, blueberry.Terminating},
		blueberry.Updating:     {blueberry.Ready, blueberry.Degraded, blueberry.Sleeping, blueberry.Failed, blueberry.Terminating},
		blueberry.Sleeping:     {blueberry.Ready, blueberry.Updating, blueberry.Failed, blueberry.Terminating},
		blueberry.Failed:       {blueberry.Ready, blueberry.Updating, blueberry.Terminating},
		blueberry.Terminating:  {blueberry.Terminated},
		blueberry.Terminated:   nil,
	}
	for _, from := range blueberry.Phases() {
		for _, to := range blueberry.Phases() {
			if got, want := from.Can(to), slices.Contains(legal[from], to); got != want {
				t.Errorf("%s to %s: %v, want %v", from, to, got, want)
			}
		}
	}
}

func TestMoveRefusesWhatTheTableRefuses(t *testing.T) {
	t.Parallel()
	e := blueberry.Environment{Name: "pr-1", Phase: blueberry.Terminated, PhaseSince: noon}
	err := e.Move(blueberry.Ready, "X", "x", noon.Add(time.Hour))
	if !errors.Is(err, blueberry.Conflict) || e.Phase != blueberry.Terminated || e.PhaseSince != noon || e.Reason != "" {
		t.Errorf("moved to %+v with %v", e, err)
	}
}

func TestNewEnvironmentTellsEveryFault(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		r    blueberry.EnvironmentRequest
		want []string // field code
	}{
		"good":                  {blueberry.EnvironmentRequest{Project: "default", Name: "pr-42", Hours: 24}, nil},
		"longest lease":         {blueberry.EnvironmentRequest{Project: "default", Name: "pr-42", Hours: 168}, nil},
		"lease of nothing":      {blueberry.EnvironmentRequest{Project: "default", Name: "pr-42", Hours: 0}, []string{"ttl_hours range"}},
		"lease too long":        {blueberry.EnvironmentRequest{Project: "default", Name: "pr-42", Hours: 169}, []string{"ttl_hours range"}},
		"everything wrong":      {blueberry.EnvironmentRequest{Project: "De", Name: "-x", Hours: -1}, []string{"project pattern", "name pattern", "ttl_hours range"}},
		"name of a digit":       {blueberry.EnvironmentRequest{Project: "default", Name: "4you", Hours: 1}, []string{"name pattern"}},
		"name with a dash last": {blueberry.EnvironmentRequest{Project: "default", Name: "a-", Hours: 1}, []string{"name pattern"}},
		"name too long":         {blueberry.EnvironmentRequest{Project: "default", Name: strings.Repeat("a", 41), Hours: 1}, []string{"name too_long"}},
		"no name":               {blueberry.EnvironmentRequest{Project: "default", Hours: 1}, []string{"name required"}},
		"a name with a newline": {blueberry.EnvironmentRequest{Project: "default", Name: "pr-1\n", Hours: 1}, []string{"name pattern"}},
	} {
		_, err := blueberry.NewEnvironment(c.r, noon)
		if diff := cmp.Diff(c.want, faults(err)); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

// faults gives the faults of an error as "field code".
func faults(err error) []string {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return nil
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.Field+" "+f.Code)
	}
	return out
}

func TestNamesFit(t *testing.T) {
	t.Parallel()
	namespace := blueberry.Namespace(strings.Repeat("p", blueberry.MaxProjectName), strings.Repeat("n", blueberry.MaxEnvironmentName))
	label, _, _ := strings.Cut(blueberry.Host(strings.Repeat("c", blueberry.MaxComponentName), strings.Repeat("n", blueberry.MaxEnvironmentName), "localhost"), ".")
	if len(namespace) > 63 || len(label) > 63 {
		t.Errorf("namespace of %d and host label of %d characters; a DNS label holds 63", len(namespace), len(label))
	}
}

func TestBlueprintFaults(t *testing.T) {
	t.Parallel()
	web := func(name string) blueberry.Component { return blueberry.Component{Name: name, Image: "acme/app:1"} }
	for reason, c := range map[string]struct {
		b    blueberry.Blueprint
		want []string
	}{
		"good":            {blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{web("backend"), {Name: "db", Chart: "charts/db"}}}, nil},
		"empty":           {blueberry.Blueprint{}, []string{"name required", "components required"}},
		"two of one name": {blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{web("a"), web("b"), web("a")}}, []string{"components[2].name duplicate"}},
		"reserved name":   {blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{web("environment")}}, []string{"components[0].name reserved"}},
		"all at once": {blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{
			{Name: "Web", Image: "acme/app", Port: 70000, Health: "ok", Wave: 100},
			{Name: "db", Chart: "../db", Image: "x:1"},
			{Name: "k", Kustomization: "/etc", Values: map[string]any{"a": 1}},
			{Name: "both", Chart: "a", Kustomization: "b"},
		}}, []string{
			"components[0].name pattern", "components[0].wave range", "components[0].image image_unpinned", "components[0].port range", "components[0].health pattern",
			"components[1].chart path", "components[1].image forbidden", "components[2].kustomization path", "components[2].values forbidden", "components[3] exclusive",
		}},
	} {
		if diff := cmp.Diff(c.want, faults(c.b.Check())); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

func TestImageReferences(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("0a", 32)
	for image, want := range map[string]string{
		"nginx:1.27": "", "ghcr.io/acme/app:v1": "", "localhost:5000/app:x": "", "app" + digest: "", "a/b/c:1" + digest: "",
		"nginx": "image_unpinned", "localhost:5000/app": "image_unpinned", "": "required",
		"ghcr.io/UPPER:1": "image", "app:": "image", " app:1": "image", "app:1 ": "image", "app:1\n": "image", "-app:1": "image", "app@sha256:zz": "image", "http://x/y:1": "image",
	} {
		var f blueberry.Faults
		f.CheckImage("image", image)
		got := ""
		if len(f) > 0 {
			got = f[0].Code
		}
		if got != want {
			t.Errorf("%q: %q, want %q", image, got, want)
		}
	}
}

func TestLease(t *testing.T) {
	t.Parallel()
	l := blueberry.NewLease(noon, 2)
	for reason, c := range map[string]struct {
		got, want any
	}{
		"not early by a nanosecond": {l.Expired(noon.Add(2*time.Hour - 1)), false},
		"over at its time":          {l.Expired(noon.Add(2 * time.Hour)), true},
		"no lease never ends":       {blueberry.Lease{}.Expired(noon), false},
		"extend adds to the rest":   {l.Extend(noon.Add(time.Hour), 3).ExpiresAt, noon.Add(5 * time.Hour)},
		"extend is capped from now": {l.Extend(noon.Add(time.Hour), 168).ExpiresAt, noon.Add(169 * time.Hour)},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", reason, c.got, c.want)
		}
	}
}

func TestIDsSortByTime(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 100 {
		ids = append(ids, blueberry.NewID(blueberry.EnvironmentID, noon.Add(time.Duration(i)*time.Millisecond)))
	}
	if !slices.IsSorted(ids) || !blueberry.HasIDPrefix(ids[0], "env") || blueberry.HasIDPrefix("env_x", "env") {
		t.Errorf("ids %v", ids[:3])
	}
}

func TestErrorsHaveKinds(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("read environment: %w", blueberry.Errorf(blueberry.NotFound, "ENVIRONMENT_NOT_FOUND", "no environment %s", "env_1"))
	if !errors.Is(err, blueberry.NotFound) || errors.Is(err, blueberry.Conflict) {
		t.Errorf("kind of %v", err)
	}
	var f blueberry.Faults
	if rest := f.Merge("blueprint", blueberry.Faults{{Field: "components[0].image"}, {Field: "[0]"}}.Err()); rest != nil || f[0].Field != "blueprint.components[0].image" || f[1].Field != "blueprint[0]" {
		t.Errorf("merged %v, rest %v", f, rest)
	}
	if rest := f.Merge("x", err); !errors.Is(rest, blueberry.NotFound) {
		t.Errorf("an error that is no fault must come back, got %v", rest)
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	reader := blueberry.Actor{Name: "ci", Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead}}
	if err := reader.Can(blueberry.GrantEnvironmentsRead); err != nil {
		t.Error(err)
	}
	if err := reader.Can(blueberry.GrantEnvironmentsCreate); !errors.Is(err, blueberry.Forbidden) || !strings.Contains(err.Error(), "environments:create") {
		t.Errorf("refusal must name the grant: %v", err)
	}
	if err := blueberry.System().Can(blueberry.GrantJobsRetry); err != nil {
		t.Error(err)
	}
}

func TestConditionSinceMovesWithStatusOnly(t *testing.T) {
	t.Parallel()
	list := blueberry.NewConditions(noon)
	later := noon.Add(time.Minute)
	set := func(s blueberry.Status, reason string, at time.Time) (bool, time.Time) {
		changed := blueberry.SetCondition(list, blueberry.Condition{Type: blueberry.Synced, Status: s, Reason: reason}, at)
		return changed, blueberry.GetCondition(list, blueberry.Synced).Since
	}
	if changed, since := set(blueberry.Unknown, "Waiting", later); !changed || since != noon {
		t.Errorf("another reason: changed %v since %v", changed, since)
	}
	if changed, since := set(blueberry.True, "Complete", later); !changed || since != later {
		t.Errorf("another status: changed %v since %v", changed, since)
	}
	if changed, _ := set(blueberry.True, "Complete", later.Add(time.Hour)); changed {
		t.Error("the same again must not be a change")
	}
}
