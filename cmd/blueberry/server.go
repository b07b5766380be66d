//go:build !slim

package main

import (
	_ "time/tzdata" // sleep has time zones, and images often have none

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/internal/app"
)

func serverCommands(version string) []*cobra.Command { return app.Commands(version) }
