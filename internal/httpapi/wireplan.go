package httpapi

import (
	"errors"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

func wirePlan(p blueberry.Plan, now time.Time) sdk.Plan {
	blockers := blockersOf(p, now)
	return sdk.Plan{
		ID: p.ID, Kind: string(p.Kind), Project: p.Project, Environment: p.Environment, EnvironmentID: p.EnvironmentID, Actor: p.Actor, Reason: p.Reason,
		Base: p.Base, Revision: p.Revision, Changes: p.Changes(), Appliable: len(blockers) == 0, Blockers: blockers,
		Inputs: list(p.Inputs, wireInput), Digest: p.Digest, Objects: list(p.Objects, wireObjectDiff), Config: list(p.Config, wireSettingChange),
		Quota: list(p.Quota, wireFit), Capacity: list(p.Capacity, wireFit),
		Policies: list(p.Policies, func(v blueberry.PolicyVerdict) sdk.PolicyVerdict { return sdk.PolicyVerdict(v) }),
		Warnings: list(p.Warnings, wireWarning),
		Lease:    sdk.PlanLease{Before: instant(p.Lease.Before), After: instant(p.Lease.After), Hours: p.Lease.Hours},
		Cost:     wirePlanCost(p.Cost), DryRun: sdk.DryRun(p.DryRun), RenderingDigest: p.RenderingDigest, KeyID: p.KeyID, Signature: p.Signature,
		CreatedAt: instant(p.CreatedAt), ExpiresAt: instant(p.ExpiresAt), AppliedAt: instant(p.AppliedAt), AppliedRevision: p.AppliedRevision,
	}
}

// blockersOf tells why a plan may not be applied, as far as the plan itself says.
func blockersOf(p blueberry.Plan, now time.Time) []string {
	out := []string{}
	switch {
	case !p.AppliedAt.IsZero():
		out = append(out, "it was applied at "+p.AppliedAt.UTC().Format(time.RFC3339))
	case p.Expired(now):
		out = append(out, "it could be applied until "+p.ExpiresAt.UTC().Format(time.RFC3339))
	}
	var e *blueberry.Error
	if errors.As(provision.Blockers(p), &e) {
		out = append(out, list(e.Fields, blueberry.Fault.String)...)
	}
	return out
}

func wireInput(i blueberry.PlanInput) sdk.PlanInput { return sdk.PlanInput(i) }

func wireFit(f blueberry.Fit) sdk.Fit {
	return sdk.Fit{Resource: f.Resource, Scope: f.Scope, Used: f.Used, Asked: f.Asked, Limit: f.Limit, Fits: f.Fits()}
}

func wireWarning(w blueberry.Warning) sdk.Warning { return sdk.Warning(w) }

func wireFault(f blueberry.Fault) sdk.FieldError { return sdk.FieldError(f) }

func wireObjectDiff(o blueberry.ObjectDiff) sdk.ObjectDiff {
	return sdk.ObjectDiff{
		APIVersion: o.APIVersion, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Component: o.Component, Action: string(o.Action),
		Checked: o.Checked, Note: o.Note, Refused: o.Refused, Fields: list(o.Fields, wireFieldDiff),
	}
}

func wireFieldDiff(f blueberry.FieldDiff) sdk.FieldDiff {
	op := "replace"
	switch {
	case !f.HasBefore:
		op = "add"
	case !f.HasAfter:
		op = "remove"
	}
	return sdk.FieldDiff{Path: f.Path, Op: op, Before: f.Before, After: f.After, Index: f.Index, Manager: f.Manager, Since: instant(f.Since)}
}

func wireHold(h blueberry.Hold) sdk.Hold {
	return sdk.Hold{Kind: h.Kind, Name: h.Name, Value: h.Value, By: h.By, Reason: h.Reason, Since: instant(h.Since)}
}
