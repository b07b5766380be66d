package blueberry_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestKindsOfEnvironment(t *testing.T) {
	t.Parallel()
	lease := blueberry.Lease{ExpiresAt: noon}
	for reason, c := range map[string]struct {
		e    blueberry.Environment
		want blueberry.EnvironmentKind
	}{
		"of a pull request":                {blueberry.Environment{Name: "pr-42", Lease: lease}, blueberry.Preview},
		"of a pull request without lease":  {blueberry.Environment{Name: "pr-42"}, blueberry.Preview},
		"with a lease":                     {blueberry.Environment{Name: "demo", Lease: lease}, blueberry.Ephemeral},
		"without":                          {blueberry.Environment{Name: "demo"}, blueberry.Standing},
		"nearly of a pull request":         {blueberry.Environment{Name: "pr-42a"}, blueberry.Standing},
		"nearly of a pull request, before": {blueberry.Environment{Name: "my-pr-42"}, blueberry.Standing},
		"of no number":                     {blueberry.Environment{Name: "pr-"}, blueberry.Standing},
	} {
		if got := c.e.Kind(); got != c.want {
			t.Errorf("%s: %s", reason, got)
		}
	}
}

func TestQuotaFaults(t *testing.T) {
	t.Parallel()
	n := func(n int64) *int64 { return &n }
	for reason, c := range map[string]struct {
		q    blueberry.Quota
		want []string
	}{
		"none":       {blueberry.Quota{}, nil},
		"good":       {blueberry.Quota{Limits: blueberry.Limits{CPU: n(1), Environments: n(0)}, Kinds: map[blueberry.EnvironmentKind]blueberry.Limits{blueberry.Preview: {Pods: n(5)}}}, nil},
		"below zero": {blueberry.Quota{Limits: blueberry.Limits{Environments: n(-1), CPU: n(-1), Memory: n(-1), Pods: n(-1), Storage: n(-1)}}, []string{"quota.environments range", "quota.cpu range", "quota.memory range", "quota.pods range", "quota.storage range"}},
		"every kind": {blueberry.Quota{Kinds: map[blueberry.EnvironmentKind]blueberry.Limits{"zoo": {}, "all": {}, blueberry.Standing: {CPU: n(-1)}, blueberry.Preview: {CPU: n(-1)}, blueberry.Ephemeral: {CPU: n(-1)}}}, []string{"quota.kinds.all enum", "quota.kinds.ephemeral.cpu range", "quota.kinds.preview.cpu range", "quota.kinds.standing.cpu range", "quota.kinds.zoo enum"}},
	} {
		var f blueberry.Faults
		c.q.Check(&f, "quota")
		if diff := cmp.Diff(c.want, faults(f.Err())); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

func TestQuotaFit(t *testing.T) {
	t.Parallel()
	n := func(n int64) *int64 { return &n }
	use := func(environments, cpu, memory int64) blueberry.Usage {
		return blueberry.Usage{Environments: environments, Demand: blueberry.Demand{CPU: cpu, Memory: memory}}
	}
	quota := blueberry.Quota{
		Limits: blueberry.Limits{Environments: n(3), CPU: n(4000), Memory: n(100)},
		Kinds:  map[blueberry.EnvironmentKind]blueberry.Limits{blueberry.Preview: {Environments: n(1)}},
	}
	used := map[blueberry.EnvironmentKind]blueberry.Usage{blueberry.Preview: use(1, 1000, 60), blueberry.Standing: use(1, 1000, 60)}
	for reason, c := range map[string]struct {
		quota         blueberry.Quota
		kind          blueberry.EnvironmentKind
		before, after blueberry.Usage
		want          []string
	}{
		"no limits": {blueberry.Quota{}, blueberry.Preview, use(0, 0, 0), use(1, 1, 1), nil},
		"a new preview": {quota, blueberry.Preview, use(0, 0, 0), use(1, 2000, 1), []string{
			"environments of project shop: 2+1/3 true", "cpu of project shop: 2000+2000/4000 true", "memory of project shop: 120+1/100 false", "environments of preview environments of project shop: 1+1/1 false",
		}},
		"a new one of a kind without limits": {quota, blueberry.Ephemeral, use(0, 0, 0), use(1, 2001, 0), []string{
			"environments of project shop: 2+1/3 true", "cpu of project shop: 2000+2001/4000 false", "memory of project shop: 120+0/100 true",
		}},
		"less than before fits": {quota, blueberry.Standing, use(1, 1000, 60), use(1, 500, 59), []string{
			"environments of project shop: 2+0/3 true", "cpu of project shop: 2000+-500/4000 true", "memory of project shop: 120+-1/100 true",
		}},
	} {
		var got []string
		for _, f := range c.quota.Fit("shop", c.kind, used, c.before, c.after) {
			got = append(got, fmt.Sprintf("%s of %s: %d+%d/%d %v", f.Resource, f.Scope, f.Used, f.Asked, f.Limit, f.Fits()))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

func TestDemandWithoutMeasureDoesNotFit(t *testing.T) {
	t.Parallel()
	most := blueberry.Usage{Environments: 1, Demand: blueberry.Demand{CPU: math.MaxInt64, Memory: math.MaxInt64, Pods: math.MaxInt64, Storage: math.MaxInt64}}
	if got := most.Add(most); got != (blueberry.Usage{Environments: 2, Demand: most.Demand}) {
		t.Errorf("the sum is %+v", got)
	}
	if f := (blueberry.Fit{Used: 5, Asked: math.MaxInt64, Limit: 10}); f.Fits() {
		t.Error("the largest of all demands fits")
	}
	if f := (blueberry.Fit{Used: 20, Asked: 0, Limit: 10}); !f.Fits() {
		t.Error("a limit that was lowered stops growth only")
	}
}

func TestHoursOfALease(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		bounds blueberry.LeaseBounds
		asked  int
		want   int
	}{
		"the platform's own":     {blueberry.LeaseBounds{}, 0, blueberry.DefaultLeaseHours},
		"as asked":               {blueberry.LeaseBounds{Default: 4, Max: 8}, 6, 6},
		"the blueprint's":        {blueberry.LeaseBounds{Default: 4, Max: 8}, 0, 4},
		"never past the maximum": {blueberry.LeaseBounds{Max: 8}, 0, 8},
		"a maximum of more":      {blueberry.LeaseBounds{Max: 100}, 0, blueberry.DefaultLeaseHours},
	} {
		if got := c.bounds.Hours(c.asked); got != c.want {
			t.Errorf("%s: %d", reason, got)
		}
	}
}
