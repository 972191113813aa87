//go:build mage

// The targets of the restore-drill harness and, under dev:, those for its
// contributors. `go tool mage help TARGET` explains one. A target here is a few
// lines over a function that is tested; it must never judge anything itself.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/magefile/mage/mg"

	"daybefore/internal/bench"
	"daybefore/internal/develop"
	"daybefore/internal/harness"
	"daybefore/scenarios"
	//mage:import
	_ "daybefore/targets"
)

// Mage's main comes after this: a worker of the bench has no command line, and
// any other has one that Mage is to read as we do.
func init() {
	bench.BecomeWorker()
	harness.TakeArguments(harness.AllTargets)
}

// Dev is for contributors.
type Dev mg.Namespace

// Test runs all tests against real servers, and sets up what they need; -room=scrub those of one
// folder below internal, with the rooms in it, or of scenarios.
func (Dev) Test(ctx context.Context, room *string) error {
	return checkout().Test(ctx, value(room))
}

// Matrix runs the tests of wide matrices, with every cell: dev:test tries a selection.
func (Dev) Matrix(ctx context.Context) error {
	return checkout().Matrix(ctx)
}

// Test is dev:test, for one more release.
func Test(ctx context.Context) error {
	fmt.Fprintln(os.Stderr, "test is now called dev:test; the old name goes with the next release")
	return checkout().Test(ctx, "")
}

// Check looks at the code's form: gofmt, vet, staticcheck, go.mod.
func (Dev) Check(ctx context.Context) error {
	return checkout().Check(ctx)
}

// Ci is dev:check and then dev:test, which is set up meanwhile: what a change must pass.
func (Dev) Ci(ctx context.Context) error {
	return checkout().CI(ctx)
}

func checkout() develop.Checkout {
	h := harness.Open()
	return develop.Checkout{Dir: h.Dir, Stdout: h.Stdout, Stderr: h.Stderr}
}

// Release compiles bin/drill for Linux and macOS into dist/, with SHA256SUMS; the same sources and
// the same Go give the same sums.
func (Dev) Release(ctx context.Context) error {
	return checkout().Release(ctx, harness.Open(), develop.Platforms)
}

// RebuildDemo makes the demo's backups in drills/demo/backups anew.
func (Dev) RebuildDemo(ctx context.Context) error {
	return scenarios.RebuildDemo(ctx, "drills/demo", harness.Open().Log)
}

// Bench compares the drill with a restore by hand: -scale (1 is about 3 GB), -rounds (5), -kind
// (auto), -ways (by_hand,by_hand_default,usual,scrubbed,plain,watched,tunnel), -peers, -mask (sha: drills as
// on a machine whose processor lacks it).
func (Dev) Bench(ctx context.Context, scale *string, rounds *int, kind, ways *string, peers *bool,
	mask *string) error {
	return bench.Run(ctx, benchOptions(bench.Options{
		Scale: value(scale), Rounds: value(rounds), Kind: value(kind), Ways: value(ways), Peers: value(peers),
		Mask: value(mask),
	}))
}

// Growth shows how the cost of a drill grows: -scales (0.5,1,2,5,10; none leaves them out), -tables
// (1000,3000,10000; none), -rounds (1), -kind (auto).
func (Dev) Growth(ctx context.Context, scales, tables *string, rounds *int, kind *string) error {
	return bench.Growth(ctx, benchOptions(bench.Options{
		Scales: value(scales), Tables: value(tables), Rounds: value(rounds), Kind: value(kind),
	}))
}

// Overhead shows where each millisecond of the demo's drill goes, beside the same by hand: -rounds
// (7), -kind (auto).
func (Dev) Overhead(ctx context.Context, rounds *int, kind *string) error {
	return bench.Overhead(ctx, benchOptions(bench.Options{Rounds: value(rounds), Kind: value(kind)}))
}

// Filter compares the parts of the scrub with what cannot be done without: -rounds (5).
func (Dev) Filter(ctx context.Context, rounds *int) error {
	return bench.Filter(ctx, benchOptions(bench.Options{Rounds: value(rounds)}))
}

// Unpack compares how fast backups are unpacked and decrypted with the command-line tools: -scale
// (1 is files of 1 GiB), -rounds (5).
func (Dev) Unpack(ctx context.Context, scale *string, rounds *int) error {
	return bench.Unpack(ctx, benchOptions(bench.Options{Scale: value(scale), Rounds: value(rounds)}))
}

// benchOptions is o at home.
func benchOptions(o bench.Options) bench.Options {
	h := harness.Open()
	o.Dir, o.Stdout, o.Stderr, o.Log, o.Now = h.Dir, h.Stdout, h.Stderr, h.Log, h.Now
	o.Compile = h.Compile
	return o
}

// value is what a flag says, or nothing.
func value[T any](flag *T) (v T) {
	if flag != nil {
		v = *flag
	}
	return v
}
