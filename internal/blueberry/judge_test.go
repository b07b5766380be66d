package blueberry_test

import (
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	object := func(h blueberry.Health) []blueberry.ObjectState {
		return []blueberry.ObjectState{{ObjectRef: blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, Health: h, Message: "0 of 1"}}
	}
	healthy := blueberry.Observation{Objects: object(blueberry.HealthCurrent), Workloads: []blueberry.WorkloadState{{Component: "web", Wanted: 1, Scheduled: 1, Started: 1, Ready: 1}}}
	starting := blueberry.Observation{Objects: object(blueberry.HealthInProgress), Workloads: []blueberry.WorkloadState{{Component: "web", Wanted: 1, Scheduled: 1}}}
	broken := starting
	broken.Workloads = []blueberry.WorkloadState{{Component: "web", Wanted: 1, Scheduled: 1, Failure: blueberry.Failure{Reason: "ImagePullBackOff", Message: "no such image", Hard: true}}}
	missing := blueberry.Observation{Objects: object(blueberry.HealthMissing)}
	env := func(p blueberry.Phase) blueberry.Environment {
		e := blueberry.Environment{Phase: p, PhaseSince: noon, CreatedAt: noon, Revision: 1, Synced: 1, Reason: "Before", Conditions: blueberry.NewConditions(noon)}
		if p == blueberry.Ready {
			blueberry.SetCondition(e.Conditions, blueberry.Condition{Type: blueberry.IsReady, Status: blueberry.False}, noon)
		}
		return e
	}
	refused := env(blueberry.Provisioning)
	refused.Synced = 0
	blueberry.SetCondition(refused.Conditions, blueberry.Condition{Type: blueberry.Synced, Status: blueberry.False, Reason: blueberry.ReasonRefused, Message: "denied"}, noon)
	late := env(blueberry.Provisioning) // the target was down at first
	blueberry.SetCondition(late.Conditions, blueberry.Condition{Type: blueberry.Synced, Status: blueberry.True}, noon.Add(time.Hour))
	lagging := env(blueberry.Ready) // its pods are ready, its endpoints follow
	lagging.PhaseSince = noon.Add(-24 * time.Hour)
	blueberry.SetCondition(lagging.Conditions, blueberry.Condition{Type: blueberry.IsReady, Status: blueberry.True}, noon.Add(-time.Hour))
	blueberry.SetCondition(lagging.Conditions, blueberry.Condition{Type: blueberry.Reachable, Status: blueberry.False}, noon)
	part := healthy // one object is gone, what runs runs
	part.Objects = append(part.Objects, blueberry.ObjectState{ObjectRef: blueberry.ObjectRef{Kind: "ConfigMap", Name: "more"}, Health: blueberry.HealthMissing})
	unknown := healthy
	unknown.Objects = append(object(blueberry.HealthCurrent), blueberry.ObjectState{ObjectRef: blueberry.ObjectRef{Kind: "Widget", Name: "odd"}, Health: blueberry.HealthUnknown})
	warned := blueberry.Observation{Objects: []blueberry.ObjectState{{Health: blueberry.HealthCurrent, Warning: "no address"}}}
	stuck := env(blueberry.Updating)
	stuck.Synced = 0
	newer := env(blueberry.Updating) // a second update, an hour after the first
	blueberry.RenewConditions(newer.Conditions, noon.Add(time.Hour))
	behind := env(blueberry.Provisioning)
	behind.Synced = 0

	for reason, c := range map[string]struct {
		e      blueberry.Environment
		o      blueberry.Observation
		after  time.Duration
		want   blueberry.Phase
		why    string
		lookAt time.Duration // 0: never by time alone
	}{
		"healthy is ready":                              {env(blueberry.Provisioning), healthy, time.Second, blueberry.Ready, "Ready", 0},
		"healthy but an older revision is not ready":    {behind, healthy, time.Second, blueberry.Provisioning, "InProgress", blueberry.ReadinessGrace},
		"starting stays":                                {env(blueberry.Provisioning), starting, time.Minute, blueberry.Provisioning, "InProgress", blueberry.ReadinessGrace},
		"broken within the grace stays":                 {env(blueberry.Provisioning), broken, blueberry.ReadinessGrace - 1, blueberry.Provisioning, "InProgress", blueberry.ReadinessGrace},
		"broken after the grace fails":                  {env(blueberry.Provisioning), broken, blueberry.ReadinessGrace, blueberry.Failed, "ImagePullBackOff", 0},
		"slow after the grace is no failure":            {env(blueberry.Provisioning), starting, time.Hour, blueberry.Provisioning, "InProgress", blueberry.ProvisionBudget},
		"refused within the grace stays":                {refused, missing, time.Minute, blueberry.Provisioning, "InProgress", blueberry.ReadinessGrace},
		"refused after the grace fails":                 {refused, missing, blueberry.ReadinessGrace, blueberry.Failed, "Refused", 0},
		"nothing is stuck in provisioning":              {env(blueberry.Provisioning), starting, blueberry.ProvisionBudget, blueberry.Failed, "ProvisioningTimeout", 0},
		"a ready one that lost a pod stays for a while": {env(blueberry.Ready), starting, time.Minute, blueberry.Ready, "NotReadyYet", blueberry.ReadinessGrace},
		"a ready one that is gone stays for a while":    {env(blueberry.Ready), missing, time.Minute, blueberry.Ready, "NotReadyYet", blueberry.ReadinessGrace},
		"then it is degraded":                           {env(blueberry.Ready), broken, blueberry.ReadinessGrace, blueberry.Degraded, "ImagePullBackOff", 0},
		"degraded recovers":                             {env(blueberry.Degraded), healthy, time.Hour, blueberry.Ready, "Ready", 0},
		"degraded stays":                                {env(blueberry.Degraded), starting, time.Hour, blueberry.Degraded, "Before", 0},
		"failed recovers":                               {env(blueberry.Failed), healthy, time.Hour, blueberry.Ready, "Ready", 0},
		"the grace begins when the target has it all":   {late, broken, time.Hour + time.Minute, blueberry.Provisioning, "InProgress", time.Hour + blueberry.ReadinessGrace},
		"endpoints that lag are given their time":       {lagging, starting, time.Second, blueberry.Ready, "NotReadyYet", blueberry.ReadinessGrace},
		"nothing observed is not healthy":               {env(blueberry.Provisioning), blueberry.Observation{}, time.Second, blueberry.Provisioning, "InProgress", blueberry.ReadinessGrace},
		"an object that is missing is a warning":        {env(blueberry.Ready), part, time.Hour, blueberry.Ready, "Warning", 0},
		"all of them missing is not":                    {env(blueberry.Ready), missing, time.Hour, blueberry.Degraded, "NotReady", 0},
		"a state that is not known is a warning":        {env(blueberry.Provisioning), unknown, time.Second, blueberry.Ready, "Ready", 0},
		"an Ingress without an address is a warning":    {env(blueberry.Provisioning), warned, time.Second, blueberry.Ready, "Ready", 0},
		"an update may take its time":                   {env(blueberry.Updating), starting, time.Minute, blueberry.Updating, "NotReadyYet", blueberry.ReadinessGrace},
		"an update that breaks something degrades":      {env(blueberry.Updating), broken, blueberry.ReadinessGrace, blueberry.Degraded, "ImagePullBackOff", 0},
		"nothing is stuck in an update":                 {stuck, blueberry.Observation{}, blueberry.ProvisionBudget, blueberry.Failed, "UpdateTimeout", 0},
		"an update with warnings waits for its end":     {env(blueberry.Updating), part, time.Hour, blueberry.Updating, "Warning", blueberry.ProvisionBudget},
		"a newer revision has its own time":             {newer, part, blueberry.ProvisionBudget, blueberry.Updating, "Warning", time.Hour + blueberry.ProvisionBudget},
		"terminating is not judged":                     {env(blueberry.Terminating), missing, time.Hour, blueberry.Terminating, "Before", 0},
	} {
		v := c.e.Judge(c.o, noon.Add(c.after))
		var lookAt time.Duration
		if !v.LookAt.IsZero() {
			lookAt = v.LookAt.Sub(noon)
		}
		if v.Phase != c.want || v.Reason != c.why || lookAt != c.lookAt {
			t.Errorf("%s: %s %s look at %v, want %s %s %v", reason, v.Phase, v.Reason, lookAt, c.want, c.why, c.lookAt)
		}
	}
}

func TestConditionsOfAnObservation(t *testing.T) {
	t.Parallel()
	o := blueberry.Observation{
		Objects: []blueberry.ObjectState{{Health: blueberry.HealthCurrent}},
		Workloads: []blueberry.WorkloadState{
			{Component: "a", Wanted: 2, Scheduled: 2, Started: 2, Ready: 2, Services: 1, Reachable: 1},
			{Component: "b", Wanted: 1, Scheduled: 1, Failure: blueberry.Failure{Reason: "CrashLoopBackOff", Message: "exit 1", Hard: true}},
		},
	}
	want := map[blueberry.ConditionType][2]string{
		blueberry.Scheduled: {"True", "Complete"}, blueberry.Started: {"False", "CrashLoopBackOff"}, blueberry.IsReady: {"False", "CrashLoopBackOff"}, blueberry.Reachable: {"True", "Complete"},
	}
	for _, c := range o.Conditions() {
		if w := want[c.Type]; string(c.Status) != w[0] || c.Reason != w[1] {
			t.Errorf("%s: %s %s %q, want %v", c.Type, c.Status, c.Reason, c.Message, w)
		}
	}
}

func TestConditionsBeforeAnythingIsThere(t *testing.T) {
	t.Parallel()
	if got := (blueberry.Observation{}).Conditions(); got != nil {
		t.Errorf("nothing was looked at, yet %+v", got)
	}
	o := blueberry.Observation{Objects: []blueberry.ObjectState{{Health: blueberry.HealthMissing}}}
	for _, c := range o.Conditions() {
		if c.Status != blueberry.False || c.Message != "1 of 1 objects are not there" {
			t.Errorf("%s is %s: %s", c.Type, c.Status, c.Message)
		}
	}
}
