//go:build mage

// A restore-drill harness. `help` shows what to do next, `help TARGET`
// explains one target. This program has the user's targets alone, and must never
// hold what only contributors need.
package main

import (
	"daybefore/internal/harness"
	//mage:import
	_ "daybefore/targets"
)

// Mage's main comes after this, with a command line that Mage is to read as we
// do.
func init() { harness.TakeArguments(harness.UserTargets) }
