package app

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

func openPlace(c Config, logger *slog.Logger) (provision.Place, error) {
	driver, err := openDriver(c, logger)
	if err != nil {
		return provision.Place{}, fmt.Errorf("open target %s: %w", c.Target, err)
	}
	return provision.Place{Target: blueberry.Target{Name: c.Target, Driver: c.TargetDriver, Domain: c.Domain}, Driver: driver}, nil
}

func openDriver(c Config, logger *slog.Logger) (target.Driver, error) {
	if c.TargetDriver == "sim" {
		return sim.Driver{Place: sim.NewPlace(simulated())}, nil
	}
	return kube.Open(kube.Config{Kubeconfig: c.Kubeconfig, Logger: logger})
}

// simulated is a small cluster with everything pulled already: quick enough to work with, slow enough to watch.
func simulated() sim.Config {
	return sim.Config{Schedule: 20 * time.Millisecond, Start: 150 * time.Millisecond, Ready: 300 * time.Millisecond}
}
