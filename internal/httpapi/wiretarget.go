package httpapi

import (
	"cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/sdk"
)

// wireTarget never tells a kubeconfig.
func wireTarget(t fleet.TargetState) sdk.Target {
	return sdk.Target{
		Name: t.Name, Driver: t.Driver, Domain: t.Domain, Reachable: t.Reachable, Message: t.Message, Region: t.Region, State: string(cmp.Or(t.State, blueberry.TargetActive)), Reason: t.Reason,
		Server: t.Server, Kubeconfig: t.HasKubeconfig, KubeconfigFile: t.KubeconfigFile, Context: t.Context, Gateway: t.Gateway,
		Argo: sdk.TargetArgo{
			Namespace: t.Argo.Namespace, Kubeconfig: t.HasArgoKubeconfig, KubeconfigFile: t.Argo.KubeconfigFile, Server: t.ArgoServer,
			Repository: t.Argo.Repository, Destination: t.Argo.Destination,
		},
		Capacity: wireDemand(t.Room), CapacitySet: t.Target.Capacity != nil, Used: wireUsage(t.Usage),
		Configured: t.Configured, CreatedAt: instant(t.CreatedAt), UpdatedAt: instant(t.UpdatedAt), Version: t.Version,
	}
}

func wireDrained(e blueberry.Environment) sdk.DrainEnvironment {
	return sdk.DrainEnvironment{ID: e.ID, Project: e.Project, Name: e.Name, Owner: e.Owner, Phase: sdk.Phase(e.Phase), ExpiresAt: instant(e.Lease.ExpiresAt)}
}

func readTargetWish(r sdk.RegisterTargetRequest, found blueberry.Faults) fleet.TargetWish {
	out := fleet.TargetWish{
		Name: r.Name, Driver: r.Driver, Domain: r.Domain, Region: r.Region, Kubeconfig: []byte(r.Kubeconfig), Context: r.Context, Gateway: r.Gateway,
		Capacity: readCapacity(r.Capacity, &found),
	}
	if a := r.Argo; a != nil {
		text := func(s *string) string {
			if s == nil {
				return ""
			}
			return *s
		}
		out.Argo = fleet.ArgoWish{
			Namespace: text(a.Namespace), Kubeconfig: []byte(text(a.Kubeconfig)), Repository: text(a.Repository), Destination: text(a.Destination),
		}
	}
	out.Found = found
	return out
}

func readTargetChange(r sdk.UpdateTargetRequest, found blueberry.Faults) fleet.TargetChange {
	secret := func(s *string) *[]byte {
		if s == nil {
			return nil
		}
		b := []byte(*s)
		return &b
	}
	out := fleet.TargetChange{
		Driver: r.Driver, Domain: r.Domain, Region: r.Region, Kubeconfig: secret(r.Kubeconfig), Context: r.Context, Gateway: r.Gateway,
		Capacity: readCapacity(r.Capacity, &found), ForgetCapacity: r.ForgetCapacity,
	}
	if r.ForgetCapacity && r.Capacity != nil {
		found.Add("forget_capacity", "exclusive", "cannot be set together with capacity")
	}
	if a := r.Argo; a != nil {
		out.Argo = fleet.ArgoChange{Namespace: a.Namespace, Kubeconfig: secret(a.Kubeconfig), Repository: a.Repository, Destination: a.Destination}
	}
	out.Found = found
	return out
}

// readCapacity notes what is no quantity.
func readCapacity(c *sdk.Capacity, found *blueberry.Faults) *blueberry.Demand {
	if c == nil {
		return nil
	}
	read := func(resource, text string) int64 {
		if text == "" {
			return 0
		}
		amount, fault := parseQuantity(resource, text)
		if fault != nil {
			found.Add("capacity."+resource, fault.Code, "%s", fault.Message)
		}
		return amount
	}
	return &blueberry.Demand{CPU: read("cpu", c.CPU), Memory: read("memory", c.Memory), Pods: c.Pods, Storage: read("storage", c.Storage)}
}
