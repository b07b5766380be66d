package cluster

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/pki"
)

const (
	rolloutsController = "rollouts-controller"
	rolloutsMetrics    = rolloutsController + "-metrics"
)

// rolloutsExtra is Argo Rollouts.
func rolloutsExtra(path string) extra {
	return extra{
		name: rollouts, path: path, ports: []string{rolloutsController, rolloutsMetrics},
		prepare: func(*cluster) error { return nil },
		stages: func(c *cluster) (first, then stage) {
			first.work = []work{{what: "set up Argo Rollouts", do: func(ctx context.Context, admin *http.Client) error {
				// It keeps notes in its namespace.
				err := c.applyObject(ctx, admin, "namespaces", object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": "argo-rollouts"}})
				if err != nil {
					return err
				}
				return c.applyDefinitions(ctx, admin, rollouts, path+".d")
			}}}
			then.components = []component{{
				name: rolloutsController, path: path, health: c.httpURL(rolloutsController) + "/healthz", client: pki.Admin, ca: pki.CA, grace: 5 * time.Second,
				flags: []string{
					"--kubeconfig=" + c.kubeconfigOf(pki.Rollouts), "--leader-elect=false",
					"--healthzPort=" + strconv.Itoa(c.ports[rolloutsController]), "--metricsPort=" + strconv.Itoa(c.ports[rolloutsMetrics]),
				},
			}}
			return first, then
		},
	}
}
