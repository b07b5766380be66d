package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/source"
)

var deploymentStates = map[source.DeploymentState]string{
	source.DeploymentPending: "running", source.DeploymentSuccess: "success", source.DeploymentFailure: "failed", source.DeploymentInactive: "canceled",
}

type deployment struct {
	ID          int64  `json:"id"`
	SHA         string `json:"sha"`
	Status      string `json:"status"`
	Environment struct {
		Name string `json:"name"`
	} `json:"environment"`
}

// under reports whether the deployment has no end yet.
func (d deployment) under() bool { return d.Status == "created" || d.Status == "running" }

type environment struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"`
	URL   string `json:"external_url"`
}

// deploying is a deployment as it is set.
type deploying struct {
	*source.Connection
	source.Deployment
	project string
}

// SetDeployment has GitLab show a deployment in the state. What is over at GitLab does not begin again: then another deployment is made. Of one that is inactive,
// GitLab knows that its environment is stopped.
func (Host) SetDeployment(ctx context.Context, c *source.Connection, d source.Deployment) (string, error) {
	at, err := projectPath(c)
	if err != nil {
		return d.ID, err
	}
	x := deploying{c, d, at}
	there, err := x.find(ctx)
	switch {
	case err != nil:
		return d.ID, err
	case d.State == source.DeploymentInactive:
		return x.end(ctx, there)
	}
	if err := x.address(ctx); err != nil {
		return d.ID, err
	}
	want := deploymentStates[d.State]
	switch {
	case there.ID != 0 && there.Status == want:
	case there.ID == 0 || !there.under() && want == "running":
		in := map[string]any{"environment": d.Environment, "sha": d.Commit, "ref": d.Branch, "tag": false, "status": want}
		if _, _, err := c.Call(ctx, http.MethodPost, at+"/deployments", nil, in, &there); err != nil {
			return d.ID, err
		}
	default:
		if err := x.set(ctx, there.ID, want); err != nil {
			return d.ID, err
		}
	}
	return strconv.FormatInt(there.ID, 10), nil
}

func (x deploying) set(ctx context.Context, id int64, status string) error {
	_, _, err := x.Call(ctx, http.MethodPut, fmt.Sprintf("%s/deployments/%d", x.project, id), nil, map[string]string{"status": status}, nil)
	return err
}

// find gives the deployment of the id, or else the newest one of the environment and commit; its id is 0 when there is none.
func (x deploying) find(ctx context.Context) (deployment, error) {
	if x.ID != "" {
		var there deployment
		_, _, err := x.Call(ctx, http.MethodGet, x.project+"/deployments/"+url.PathEscape(x.ID), nil, nil, &there)
		if source.HostStatus(err) != http.StatusNotFound {
			return there, err
		}
	}
	all, err := x.all(ctx)
	for _, there := range all {
		if there.SHA == x.Commit {
			return there, err
		}
	}
	return deployment{}, err
}

// all gives the newest deployments of the environment, the newest first.
func (x deploying) all(ctx context.Context) ([]deployment, error) {
	var all, ours []deployment
	q := url.Values{"environment": {x.Environment}, "order_by": {"id"}, "sort": {"desc"}, "per_page": {"100"}}
	_, _, err := x.Call(ctx, http.MethodGet, x.project+"/deployments?"+q.Encode(), nil, nil, &all)
	for _, there := range all {
		if there.Environment.Name == x.Environment {
			ours = append(ours, there)
		}
	}
	return ours, err
}

func (x deploying) environment(ctx context.Context) (environment, error) {
	var all []environment
	q := url.Values{"name": {x.Environment}}
	_, _, err := x.Call(ctx, http.MethodGet, x.project+"/environments?"+q.Encode(), nil, nil, &all)
	for _, e := range all {
		if e.Name == x.Environment {
			return e, err
		}
	}
	return environment{}, err
}

// address has the environment be there, and name the address where it answers.
func (x deploying) address(ctx context.Context) error {
	e, err := x.environment(ctx)
	if err != nil || e.ID != 0 && (x.URL == "" || e.URL == x.URL) {
		return err
	}
	in := map[string]string{}
	if x.URL != "" {
		in["external_url"] = x.URL
	}
	if e.ID != 0 {
		_, _, err = x.Call(ctx, http.MethodPut, fmt.Sprintf("%s/environments/%d", x.project, e.ID), nil, in, nil)
		return err
	}
	in["name"], in["tier"] = x.Environment, "development"
	_, _, err = x.Call(ctx, http.MethodPost, x.project+"/environments", nil, in, nil)
	return err
}

// end has a deployment that runs be canceled, and its environment be stopped, unless another deployment took its place there.
func (x deploying) end(ctx context.Context, there deployment) (string, error) {
	if there.ID == 0 {
		return "", nil
	}
	id := strconv.FormatInt(there.ID, 10)
	if there.under() {
		if err := x.set(ctx, there.ID, deploymentStates[source.DeploymentInactive]); err != nil {
			return id, err
		}
	}
	all, err := x.all(ctx)
	if err != nil || len(all) > 0 && all[0].ID > there.ID {
		return id, err
	}
	e, err := x.environment(ctx)
	if err != nil || e.ID == 0 || e.State != "available" {
		return id, err
	}
	_, _, err = x.Call(ctx, http.MethodPost, fmt.Sprintf("%s/environments/%d/stop", x.project, e.ID), nil, nil, nil)
	return id, err
}
