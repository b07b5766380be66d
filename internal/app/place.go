package app

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/argocd"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

// openTargets puts the target of the configuration into the record, and opens every one that is there.
func (s *Server) openTargets(ctx context.Context) error {
	c, now := s.Config, time.Now()
	own := blueberry.Target{
		Name: c.Target, Driver: c.TargetDriver, Domain: c.Domain, Region: c.Region, State: blueberry.TargetActive, KubeconfigFile: c.Kubeconfig, Gateway: c.Gateway,
		Argo: blueberry.ArgoSettings{
			Namespace: c.ArgocdNamespace, KubeconfigFile: c.ArgocdKubeconfig, Repository: c.ArgocdRepository, Destination: c.ArgocdDestination,
		},
		Configured: true, CreatedAt: now, UpdatedAt: now,
	}
	if err := s.store.Update(ctx, func(tx *store.Tx) error { return tx.PutTarget(ctx, own) }); err != nil {
		return fmt.Errorf("record target %s: %w", c.Target, err)
	}
	s.fleet = &fleet.Fleet{
		Record: narrow(s.store, func(tx *store.Tx) fleet.Tx { return tx }), Seal: s.rights.keyset, Open: s.openForCheck, Running: s.running,
		Drivers: blueberry.TargetDrivers(), Own: c.Target, Now: time.Now, Logger: s.Logger,
	}
	s.places = newPlaces(s.store, s.openSealed, s.Logger)
	if err := s.places.refresh(ctx); err != nil {
		return fmt.Errorf("open targets: %w", err)
	}
	if _, err := s.places.Place(c.Target); err != nil {
		return err
	}
	return nil
}

// openSealed opens what a target of the record says. It does not talk to the target.
func (s *Server) openSealed(t blueberry.Target) (opened, error) {
	t, err := s.fleet.Unsealed(t)
	if err != nil {
		return opened{}, err
	}
	return s.openDriver(t)
}

// openForCheck opens a driver for one question about a target that may not be recorded yet.
func (s *Server) openForCheck(_ context.Context, t blueberry.Target) (fleet.Driver, error) {
	o, err := s.openDriver(t)
	if err != nil {
		return nil, err
	}
	if d, ok := o.driver.(fleet.Driver); ok {
		return d, nil // as it is, so that what else it can tell is found
	}
	return lasting{o.driver}, nil
}

// lasting is a driver that holds nothing to let go.
type lasting struct{ target.Driver }

// Close does nothing.
func (lasting) Close() {}

// openDriver opens what a target says, with its kubeconfigs in the clear.
func (s *Server) openDriver(t blueberry.Target) (opened, error) {
	switch t.Driver {
	case "sim":
		place := sim.NewPlace(simulated())
		anotherHand(place)
		return opened{driver: &sim.Driver{Place: place}, close: func() {}}, nil
	case "kube":
		d, err := kube.Open(s.kubeConfig(t.Kubeconfig, t.KubeconfigFile, t.Context))
		if err != nil {
			return opened{}, err
		}
		former := &formerArgo{open: func() (*argocd.Driver, error) { return s.openArgo(t) }}
		return opened{driver: d, former: former, close: func() { d.Close(); former.Close() }}, nil
	case "argocd":
		d, err := s.openArgo(t)
		if err != nil {
			return opened{}, err
		}
		return opened{driver: d, close: d.Close}, nil
	}
	return opened{}, blueberry.Errorf(blueberry.Invalid, "TARGET_DRIVER", "there is no driver %q", t.Driver)
}

func (s *Server) kubeConfig(data []byte, file, kubeContext string) kube.Config {
	c := kube.Config{KubeconfigData: data, Context: kubeContext, Logger: s.Logger}
	if len(data) == 0 {
		c.Kubeconfig = file
	}
	return c
}

// running is the driver that this process has open for a target.
func (s *Server) running(name string) (fleet.Asker, bool) {
	place, err := s.places.Place(name)
	if err != nil {
		return nil, false
	}
	return place.Driver, true
}

// catalogPlace is what the catalogue has to know of a target.
func (s *Server) catalogPlace(name string) catalog.Place {
	place, err := s.places.Place(name)
	if err != nil {
		return catalog.Place{} // the impact of a change is told for a place that cannot be asked
	}
	return catalog.Place{Domain: place.Domain, KubeVersion: place.KubeVersion}
}

// simulated is a small cluster with everything pulled already: quick enough to work with, slow enough to watch.
func simulated() sim.Config {
	return sim.Config{Schedule: 20 * time.Millisecond, Start: 150 * time.Millisecond, Ready: 300 * time.Millisecond}
}
