//go:build slim

package main

import "github.com/spf13/cobra"

func serverCommands(string) []*cobra.Command { return nil }
