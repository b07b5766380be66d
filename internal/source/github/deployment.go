package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// task tells our deployments from those of others in an environment of the same name.
const task = "deploy:blueberry"

var deploymentStates = map[source.DeploymentState]string{
	source.DeploymentPending: "in_progress", source.DeploymentSuccess: "success", source.DeploymentFailure: "failure", source.DeploymentInactive: "inactive",
}

type deployment struct {
	ID          int64  `json:"id"`
	SHA         string `json:"sha"`
	Task        string `json:"task"`
	Environment string `json:"environment"`
}

type deploymentStatus struct {
	ID          int64  `json:"id,omitempty"`
	State       string `json:"state"`
	Description string `json:"description"`
	URL         string `json:"environment_url,omitempty"`
	LogURL      string `json:"log_url,omitempty"`
}

// SetDeployment has GitHub show a deployment in the state. Nothing is made only to be inactive.
func (Host) SetDeployment(ctx context.Context, c *source.Connection, d source.Deployment) (string, error) {
	at, err := repo(c)
	if err != nil {
		return d.ID, err
	}
	at += "/deployments"
	if d.ID != "" {
		if err := setState(ctx, c, at, d.ID, d); source.HostStatus(err) != http.StatusNotFound {
			return d.ID, err
		}
	}
	id, err := findDeployment(ctx, c, at, d)
	if err != nil || id == "" && d.State == source.DeploymentInactive {
		return "", err
	}
	if id == "" {
		var made deployment
		in := map[string]any{
			"ref": d.Commit, "task": task, "environment": d.Environment, "description": d.Description, "auto_merge": false, "required_contexts": []string{},
			"transient_environment": true, "production_environment": false,
		}
		_, status, err := c.Call(ctx, http.MethodPost, at, nil, in, &made)
		if err == nil && made.ID == 0 {
			err = &source.HostError{Status: status, Text: "the host made no deployment"}
		}
		if err != nil {
			return "", err
		}
		id = strconv.FormatInt(made.ID, 10)
	}
	return id, setState(ctx, c, at, id, d)
}

// findDeployment gives the id of ours for the environment and commit; empty for none.
func findDeployment(ctx context.Context, c *source.Connection, at string, d source.Deployment) (string, error) {
	var there []deployment
	q := url.Values{"environment": {d.Environment}, "sha": {d.Commit}, "task": {task}, "per_page": {"100"}}
	if _, _, err := c.Call(ctx, http.MethodGet, at+"?"+q.Encode(), nil, nil, &there); err != nil {
		return "", err
	}
	for _, x := range there {
		if x.Environment == d.Environment && x.SHA == d.Commit && x.Task == task {
			return strconv.FormatInt(x.ID, 10), nil
		}
	}
	return "", nil
}

// setState gives a deployment the state, unless its newest one is the same.
func setState(ctx context.Context, c *source.Connection, at, id string, d source.Deployment) error {
	at = fmt.Sprintf("%s/%s/statuses", at, url.PathEscape(id))
	var there []deploymentStatus
	if _, _, err := c.Call(ctx, http.MethodGet, at+"?per_page=100", nil, nil, &there); err != nil {
		return err
	}
	want := deploymentStatus{State: deploymentStates[d.State], Description: d.Description, URL: d.URL, LogURL: d.LogURL}
	var newest deploymentStatus
	for _, x := range there {
		if x.ID > newest.ID {
			newest = x
		}
	}
	if newest.ID = 0; newest == want {
		return nil
	}
	_, _, err := c.Call(ctx, http.MethodPost, at, nil, struct {
		deploymentStatus
		AutoInactive bool `json:"auto_inactive"`
	}{want, true}, nil)
	return err
}
