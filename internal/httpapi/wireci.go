package httpapi

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/sdk"
)

func ciWish(b sdk.ReportCIRequest, found blueberry.Faults) source.CIWish {
	w := source.CIWish{
		Commit: b.Commit, Branch: b.Branch, Pipeline: b.Pipeline, Run: source.CIRunWish(b.Run), Images: b.Images, Found: found,
		Stages: list(b.Stages, func(x sdk.CIStage) source.CIStageWish { return source.CIStageWish(x) }),
	}
	for _, f := range b.Files {
		w.Files = append(w.Files, source.CIFileWish(f))
	}
	return w
}

func wireCIReport(r blueberry.CIReport) sdk.CIReport {
	out := sdk.CIReport{
		ID: r.ID, RepositoryID: r.RepositoryID, Project: r.Project, Commit: r.Commit, Branch: r.Branch, Pipeline: r.Pipeline,
		Run: sdk.CIRun{
			ID: r.Run.ID, Number: r.Run.Number, URL: r.Run.URL, Provider: r.Run.Provider, StartedAt: instant(r.Run.StartedAt), FinishedAt: instant(r.Run.FinishedAt),
		},
		Stages: list(r.Stages, func(x blueberry.CIStage) sdk.CIStage {
			return sdk.CIStage{Name: x.Name, Status: string(x.Status), Seconds: x.Took.Seconds(), URL: x.URL}
		}),
		Images: map[string]string{}, Tests: list(r.Tests, wireTests), Coverage: list(r.Coverage, wireCoverage), Scans: list(r.Scans, wireScan), Lints: list(r.Lints, wireScan),
		SBOMs: list(r.SBOMs, func(x blueberry.CISBOM) sdk.CISBOM {
			return sdk.CISBOM{Job: x.Job, Format: x.Format, Digest: x.Digest, Components: x.Components}
		}),
		CreatedAt: instant(r.CreatedAt), UpdatedAt: instant(r.UpdatedAt), Version: r.Version,
	}
	for _, x := range r.Images {
		out.Images[x.Component] = x.Reference
	}
	return out
}

func wireTests(x blueberry.CITests) sdk.CITests {
	out := sdk.CITests{Job: x.Job, Suites: x.Suites, Passed: x.Passed, Failed: x.Failed, Errors: x.Errors, Skipped: x.Skipped, Seconds: x.Took.Seconds()}
	for _, f := range x.Failures {
		out.Failures = append(out.Failures, sdk.CIFailure(f))
	}
	return out
}

func wireCoverage(x blueberry.CICoverage) sdk.CICoverage {
	return sdk.CICoverage{Job: x.Job, Covered: x.Covered, Total: x.Total, Percent: x.Percent()}
}

func wireFinding(x blueberry.Finding) sdk.Finding {
	return sdk.Finding{ID: x.ID, Severity: string(x.Severity), Package: x.Package, Installed: x.Installed, Fixed: x.Fixed, Location: x.Location, Title: x.Title}
}

func wireScan(x blueberry.CIScan) sdk.CIScan {
	out := sdk.CIScan{Job: x.Job, Tool: x.Tool, Counts: sdk.FindingCounts(x.Counts)}
	for _, f := range x.Findings {
		out.Findings = append(out.Findings, wireFinding(f))
	}
	return out
}

// wirePullCI sums up what CI says of a pull request, without findings and failures.
func wirePullCI(s source.CIStanding) sdk.PullCI {
	t := s.Totals
	out := sdk.PullCI{Summary: t.Line(), Reports: list(s.Reports, func(r blueberry.CIReport) sdk.CIReport {
		x := wireCIReport(r)
		for i := range x.Tests {
			x.Tests[i].Failures = nil
		}
		for _, scans := range [][]sdk.CIScan{x.Scans, x.Lints} {
			for i := range scans {
				scans[i].Findings = nil
			}
		}
		return x
	})}
	if t.Tested {
		tests := wireTests(t.Tests)
		out.Tests = &tests
	}
	if t.Measured {
		coverage := wireCoverage(t.Coverage)
		out.Coverage = &coverage
	}
	if t.Scanned {
		counts := sdk.FindingCounts(t.Scan)
		out.Scan = &counts
	}
	if t.Linted {
		counts := sdk.FindingCounts(t.Lint)
		out.Lint = &counts
	}
	out.Gates = list(s.Gates, func(g blueberry.Gate) sdk.CIGate {
		gate := sdk.CIGate{Name: g.Name, State: string(g.State), Message: g.Message}
		for _, x := range g.Excepted {
			gate.Excepted = append(gate.Excepted, sdk.ExceptedFinding{
				Finding: wireFinding(x.Finding), ExceptionID: x.Exception.ID, By: x.Exception.CreatedBy, Until: instant(x.Exception.Until),
			})
		}
		return gate
	})
	return out
}
