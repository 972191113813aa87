//go:build mage

// The targets of the restore-drill harness. Each is a few lines over a
// package that is tested; `go tool mage -h TARGET` explains one.
package main

import (
	"context"

	"daybefore/internal/harness"
	"daybefore/scenarios"
)

// Default lists, and restores nothing.
var Default = Drills

// Drill restores the newest backup of every drill, or of -name, -parallel of them at once, and says pass or fail.
func Drill(ctx context.Context, name *string, parallel *int) error {
	return harness.Open().Drill(ctx, harness.DrillOptions{Name: value(name), Parallel: value(parallel)})
}

// Drills lists the drills with the outcome of their last run.
func Drills() error {
	return harness.Open().Drills()
}

// Gate opens only if -name's newest backup has a passing report not older than -within (24h), or passes now; -strict takes a warning for a failure.
func Gate(ctx context.Context, name, within *string, strict *bool) error {
	return harness.Open().Gate(ctx, harness.GateOptions{
		Name: value(name), Within: value(within), Strict: value(strict),
	})
}

// Scenarios breaks the demo's backup in every known way and tells which check caught it.
func Scenarios(ctx context.Context) error {
	h := harness.Open()
	_, err := scenarios.Run(ctx, h.Stdout, scenarios.Options{Home: h.Dir, Log: h.Log})
	return err
}

// RebuildDemo makes the demo's backups in drills/demo/backups anew.
func RebuildDemo(ctx context.Context) error {
	return scenarios.RebuildDemo(ctx, "drills/demo", harness.Open().Log)
}

// Clean removes what drills that were killed left behind.
func Clean(ctx context.Context) error {
	return harness.Open().Clean(ctx)
}

// Image builds the image postgres:MAJOR from Debian's packages, where none can be pulled.
func Image(ctx context.Context, major int) error {
	return harness.Open().Image(ctx, major)
}

// Build compiles bin/drill: the one binary that cron, CI and gates should run.
func Build(ctx context.Context) error {
	return harness.Open().Build(ctx)
}

// Test runs all tests against real servers, and sets up what they need.
func Test(ctx context.Context) error {
	return harness.Open().Test(ctx)
}

// Check vets the code: format, vet, staticcheck, and who may import whom.
func Check(ctx context.Context) error {
	return harness.Open().Check(ctx)
}

// value is what a flag says, or nothing.
func value[T any](flag *T) (v T) {
	if flag != nil {
		v = *flag
	}
	return v
}
