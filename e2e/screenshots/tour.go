package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// tour is the way of docs/guide/tour.md.
type tour struct {
	ctx       context.Context //nolint:containedctx // of the browser
	out, home string
	server    *installation.Server
	head      string // commit of the example
}

// stop is one page of the tour: how one comes to it, and the name of its pictures.
type stop struct {
	name  string
	steps []step
}

// walk goes the whole way.
func (t tour) walk(setup string) error {
	content := chromedp.WaitVisible(chromedp.CSS("#content"))
	to := func(path string) step { return chromedp.Steps(chromedp.Navigate(t.home+path), content) }
	if err := t.stops(deskWidth, deskHeight,
		stop{"setup", []step{chromedp.Navigate(setup), enter("email", email)}},
		stop{"", []step{enter("password", password), press("Make the account"), see("Nothing runs yet")}},
	); err != nil {
		return err
	}
	ids, err := t.fill()
	if err != nil {
		return fmt.Errorf("fill the server: %w", err)
	}
	pull, err := t.fillPulls()
	if err != nil {
		return fmt.Errorf("fill the server: %w", err)
	}
	level := chromedp.SetValue(chromedp.CSS(`select[name="parameter.log_level"]`), "debug")
	runs := see("Everything asked for runs")
	if err := t.stops(deskWidth, deskHeight,
		stop{"plan", []step{to("/environments/new"), enter("repository", repository), press("Read it"), enter("name", "search"), press("Plan it"), see("created")}},
		stop{"environment", []step{press("Make it"), see("It was asked for"), runs}},
		stop{"objects", []step{follow("Objects"), see("Deployment")}},
		stop{"config", []step{follow("Config"), see("backend.env.LOG_LEVEL")}},
		stop{"change", []step{follow("Overview"), follow("Change"), see("Overrides"), level, press("Plan it"), see("backend.env.LOG_LEVEL")}},
		stop{"revisions", []step{press("Change it"), see("The change was asked for"), runs, follow("Revisions"), see("changed"), press("Compare"), see("From revision 1 to 2")}},
		stop{"home", []step{to("/"), see("search")}}, // with one of one's own
		stop{"environments", []step{to("/environments"), see("search")}},
		stop{"receipt", []step{follow("search"), follow("Destroy"), see("gone for good"), press("Destroy"), see("are proven gone")}},
		stop{"pull", []step{to("/pulls/" + pull), see("ready")}},
	); err != nil {
		return err
	}
	return t.stops(phoneWidth, phoneHeight, stop{"phone-home", []step{to("/")}}, stop{"phone-environment", []step{to("/environments/" + ids["checkout"])}})
}

// stops goes from one to the next in a window of a size.
func (t tour) stops(width, height int64, stops ...stop) error {
	if err := chromedp.Do(t.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		return err
	}
	for _, s := range stops {
		if err := chromedp.Do(t.ctx, s.steps...); err != nil {
			return fmt.Errorf("come to %q: %w", s.name, err)
		}
		if s.name == "" {
			continue
		}
		if err := t.take(s.name); err != nil {
			return err
		}
	}
	return nil
}

// fill makes environments to look at, and gives their ids by name.
func (t tour) fill() (map[string]string, error) {
	ids := map[string]string{}
	for _, name := range []string{"main", "pr-41", "pr-42", "checkout", "load-test"} {
		e, err := t.server.Client.CreateEnvironment(t.ctx, sdk.CreateEnvironmentRequest{Name: name, Source: &sdk.Source{Repository: repository}})
		if err != nil {
			return nil, err
		}
		if _, err := t.server.WaitPhase(t.ctx, e.ID, sdk.Ready); err != nil {
			return nil, err
		}
		ids[name] = e.ID
	}
	if _, err := t.server.Client.SleepEnvironment(t.ctx, ids["load-test"]); err != nil {
		return nil, err
	}
	_, err := t.server.WaitPhase(t.ctx, ids["load-test"], sdk.Sleeping)
	return ids, err
}

// junit is what a test tool wrote.
const junit = `<testsuite name="checkout" tests="120"><testcase name="adds an item"/><testcase name="keeps the order"/></testsuite>`

// fillPulls adds the repository with a pull request that CI has reported on, and gives the id of that.
func (t tour) fillPulls() (string, error) {
	added, err := t.server.Client.AddRepository(t.ctx, sdk.AddRepositoryRequest{Name: "acme/shop", Host: "generic", URL: repository, Policy: sdk.PullPolicy{Gates: sdk.PullGates{Tests: true}}})
	if err != nil {
		return "", err
	}
	if _, err := t.server.Client.ReportCI(t.ctx, sdk.ReportCIRequest{
		Repository: added.Repository.ID, Commit: t.head, Branch: "topic", Stages: []sdk.CIStage{{Name: "lint", Status: "passed"}, {Name: "test", Status: "passed"}, {Name: "build", Status: "passed"}},
		Files: []sdk.CIFile{{Kind: "junit", Name: "checkout.xml", Content: junit}},
	}); err != nil {
		return "", err
	}
	status, answer, err := t.server.Deliver(t.ctx, added.Repository, added.Secret, installation.PullEvent{Number: 43, Action: "opened", Commit: t.head, At: time.Now()}.Body())
	if err != nil || status != http.StatusAccepted {
		return "", fmt.Errorf("the delivery is answered by %d %s: %w", status, answer, err)
	}
	list, err := t.server.Client.ListPulls(t.ctx, sdk.PullFilter{Repository: added.Repository.ID})
	if err != nil {
		return "", err
	}
	if len(list.Items) == 0 {
		return "", errors.New("the delivery made no pull request")
	}
	return list.Items[0].ID, nil
}
