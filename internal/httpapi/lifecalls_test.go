package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/sdk"
)

// tokenOf is the secret in an extend link.
func tokenOf(t *testing.T, link string) string {
	t.Helper()
	_, token, ok := strings.Cut(link, "link=")
	if !ok {
		t.Fatalf("the link %q holds no secret", link)
	}
	return token
}

// dialPlain asks an exec target in plain HTTP, and gives the problem that answers.
func dialPlain(ctx context.Context, c *sdk.Client, address string, header http.Header) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http"+strings.TrimPrefix(address, "ws"), nil)
	if err != nil {
		return err
	}
	req.Header = header
	res, err := c.HTTPClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return &sdk.Problem{Status: res.StatusCode, Code: http.StatusText(res.StatusCode)}
}

// everyLifeCall is everyCall for how environments live and end, and for targets. A call that the story gives no ground is refused with the code that it names.
func everyLifeCall(t *testing.T, c *sdk.Client) {
	t.Helper()
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("pr-life"))).ID
	ready(t, c, env)
	link := tokenOf(t, got[sdk.ExtendLink](t)(c.CreateExtendLink(ctx, env, 2)).URL)
	for _, call := range []struct {
		operation, code string
		do              func() error
	}{
		{"get-environment-why", "", func() error { return second(c.GetEnvironmentWhy(ctx, env)) }},
		{"list-environment-timeline", "", func() error {
			return second(c.ListEnvironmentTimeline(ctx, env, sdk.TimelineFilter{Limit: 5, Kinds: []string{"event"}}))
		}},
		{"read-environment-logs", "", func() error {
			s, err := c.Logs(ctx, env, sdk.LogQuery{Component: "web", Tail: 3})
			if err != nil {
				return err
			}
			for _, err := range s.Lines(ctx) {
				return err
			}
			return nil
		}},
		{"list-environment-containers", "", func() error { return second(c.ListEnvironmentContainers(ctx, env)) }},
		{"get-environment-live-object", "", func() error {
			return second(c.GetEnvironmentLiveObject(ctx, env, sdk.ObjectRef{APIVersion: "v1", Kind: "ConfigMap", Namespace: "default-pr-life", Name: "web-env"}))
		}},
		{"list-environment-usage", "", func() error { return second(c.ListEnvironmentUsage(ctx, env)) }},
		{"exec-environment", "Upgrade Required", func() error {
			address, header, err := c.ExecTarget(ctx, env, sdk.ExecOptions{Component: "web", Command: []string{"sh", "-c", "true"}, TTY: true})
			if err != nil {
				return err
			}
			return dialPlain(ctx, c, address, header)
		}},
		{"get-environment-receipt", "RECEIPT_NOT_FOUND", func() error { return second(c.GetEnvironmentReceipt(ctx, env)) }},
		{"abandon-environment", "ENVIRONMENT_LIVES", func() error { return second(c.AbandonEnvironment(ctx, env, "the cluster was deleted")) }},
		{"pin-environment", "", func() error {
			return second(c.PinEnvironment(ctx, env, sdk.PinEnvironmentRequest{Hours: 200, Reason: "a demo"}))
		}},
		{"unpin-environment", "", func() error { return second(c.UnpinEnvironment(ctx, env)) }},
		{"get-extend-link", "LINK_USED", func() error { return second(c.GetExtendLink(ctx, link)) }},
		{"use-extend-link", "LINK_USED", func() error { return second(c.UseExtendLink(ctx, link)) }},
		{"restart-environment", "", func() error {
			return second(c.RestartEnvironment(ctx, env, sdk.RestartEnvironmentRequest{Component: "web"}))
		}},
		{"scale-environment", "", func() error {
			return second(c.ScaleEnvironment(ctx, env, sdk.ScaleEnvironmentRequest{Component: "web", Replicas: 2}))
		}},
		{"redeploy-environment", "", func() error { return second(c.RedeployEnvironment(ctx, env)) }},
		{"sleep-environment", "", func() error { return second(c.SleepEnvironment(ctx, env)) }},
		{"wake-environment", "", func() error { return second(c.WakeEnvironment(ctx, env)) }},
		{"set-environment-sleep-policy", "", func() error { return second(c.SetEnvironmentSleepPolicy(ctx, env, sdk.SleepPolicy{IdleMinutes: 60})) }},
		{"set-environment-labels", "", func() error { return second(c.SetEnvironmentLabels(ctx, env, map[string]string{"team": "shop"})) }},
		{"list-environment-wakes", "", func() error { return second(c.ListEnvironmentWakes(ctx, env, sdk.WakeWindow{Limit: 3})) }},
		{"set-project-life", "", func() error {
			hours := 400
			return second(c.SetProjectLife(ctx, "default", sdk.SetProjectLifeRequest{MaxPinHours: &hours}))
		}},
		{"list-archives", "", func() error { return second(c.ListArchives(ctx, sdk.ArchiveFilter{State: "terminated"})) }},
		{"get-archive", "ARCHIVE_NOT_FOUND", func() error { return second(c.GetArchive(ctx, env)) }},
		{"download-archive-file", "ARCHIVE_NOT_FOUND", func() error { return c.DownloadArchiveFile(ctx, env, "logs/web-1/app.log", &bytes.Buffer{}) }},
		{"undo-archive", "UNDO_TOO_EARLY", func() error { return second(c.UndoArchive(ctx, env, sdk.UndoRequest{})) }},
		{"list-targets", "", func() error { return second(c.ListTargets(ctx)) }},
		{"list-names", "", func() error { return second(c.ListNames(ctx)) }},
		{"register-target", "", func() error {
			return second(c.RegisterTarget(ctx, sdk.RegisterTargetRequest{Name: "spare", Driver: "sim", Domain: "spare.test"}))
		}},
		{"get-target", "", func() error { return second(c.GetTarget(ctx, "spare")) }},
		{"update-target", "", func() error {
			return second(c.UpdateTarget(ctx, "spare", sdk.UpdateTargetRequest{Capacity: &sdk.Capacity{CPU: "4", Pods: 10}}))
		}},
		{"list-target-checks", "", func() error { return second(c.ListTargetChecks(ctx, "spare")) }},
		{"cordon-target", "", func() error {
			return second(c.CordonTarget(ctx, "spare", sdk.CordonTargetRequest{Reason: "new nodes"}))
		}},
		{"uncordon-target", "", func() error { return second(c.UncordonTarget(ctx, "spare")) }},
		{"drain-target", "", func() error { return second(c.DrainTarget(ctx, "spare", sdk.DrainTargetRequest{Plan: true})) }},
		{"delete-target", "", func() error { return c.DeleteTarget(ctx, "spare") }},
		{"scan-target", "", func() error { return c.ScanTarget(ctx, "local") }},
		{"set-prices", "", func() error {
			return second(c.SetPrices(ctx, sdk.SetPricesRequest{Currency: "EUR", CPUHour: "0.031"}))
		}},
		{"list-prices", "", func() error { return second(c.ListPrices(ctx)) }},
		{"remove-prices", "", func() error { return c.RemovePrices(ctx, "") }},
		{"list-orphans", "", func() error { return second(c.ListOrphans(ctx, sdk.OrphanFilter{Target: "local"})) }},
		{"get-orphan", "ORPHAN_NOT_FOUND", func() error { return second(c.GetOrphan(ctx, "orp_none")) }},
		{"approve-orphan", "ORPHAN_NOT_FOUND", func() error { return second(c.ApproveOrphan(ctx, "orp_none")) }},
		{"list-retention-rules", "", func() error { return second(c.ListRetentionRules(ctx)) }},
		{"get-system-status", "", func() error { return second(c.GetSystemStatus(ctx)) }},
		{"destroy-environment", "", func() error { return second(c.DestroyEnvironment(ctx, env)) }},
	} {
		err := call.do()
		var p *sdk.Problem
		if call.code == "" && err != nil || call.code != "" && (!errors.As(err, &p) || p.Code != call.code) {
			t.Errorf("%s: %v (%+v), want %q", call.operation, err, p, call.code)
		}
	}
}
