//go:build mage

package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"daybefore/internal/bench"
	"daybefore/internal/harness"
)

// Bench measures what a drill costs.
type Bench mg.Namespace

// Aliases let `bench` be a target beside `bench:overhead`: Go has no room for
// a function and a type of the same name.
var Aliases = map[string]any{"bench": Bench.Run}

// Run compares the drill with a restore by hand (`bench` for short): -scale (1 is about 3 GB), -rounds (3), -kind (auto), -ways (by_hand,usual,scrubbed,plain,watched,tunnel), -peers.
func (Bench) Run(ctx context.Context, scale *string, rounds *int, kind, ways *string, peers *bool) error {
	return bench.Run(ctx, benchOptions(bench.Options{
		Scale: value(scale), Rounds: value(rounds), Kind: value(kind), Ways: value(ways), Peers: value(peers),
	}))
}

// Overhead shows where each millisecond of the demo's drill goes, beside the same by hand: -rounds (7), -kind (auto).
func (Bench) Overhead(ctx context.Context, rounds *int, kind *string) error {
	return bench.Overhead(ctx, benchOptions(bench.Options{Rounds: value(rounds), Kind: value(kind)}))
}

// Filter compares the parts of the scrub with what cannot be done without: -rounds (5).
func (Bench) Filter(ctx context.Context, rounds *int) error {
	return bench.Filter(ctx, benchOptions(bench.Options{Rounds: value(rounds)}))
}

// Shapes drills odd archives, one through a pipe, of 10,000 tables, of one large table, of rows of 50 MB: -scale (1), -rounds (3), -kind (auto), -ways (offsets,many_tables,one_large,long_rows).
func (Bench) Shapes(ctx context.Context, scale *string, rounds *int, kind, ways *string) error {
	return bench.Shapes(ctx, benchOptions(bench.Options{Scale: value(scale), Rounds: value(rounds), Kind: value(kind), Ways: value(ways)}))
}

// Scaling restores with one worker and more, and runs ten drills at once: -scale (1), -rounds (1), -kind (auto).
func (Bench) Scaling(ctx context.Context, scale *string, rounds *int, kind *string) error {
	return bench.Scaling(ctx, benchOptions(bench.Options{Scale: value(scale), Rounds: value(rounds), Kind: value(kind)}))
}

// Checks compares the checks of 1,000 tables with psql sending the same statements: -scale (1), -rounds (5), -kind (auto).
func (Bench) Checks(ctx context.Context, scale *string, rounds *int, kind *string) error {
	return bench.Checks(ctx, benchOptions(bench.Options{Scale: value(scale), Rounds: value(rounds), Kind: value(kind)}))
}

// Inventory compares the target inventory on a bucket of many backups with a bare list by the S3 SDK: -objects (100,000), -rounds (5).
func (Bench) Inventory(ctx context.Context, objects, rounds *int) error {
	return bench.Inventory(ctx, benchOptions(bench.Options{Objects: value(objects), Rounds: value(rounds)}))
}

// benchOptions is o at home.
func benchOptions(o bench.Options) bench.Options {
	h := harness.Open()
	o.Dir, o.Stdout, o.Stderr, o.Log, o.Now = h.Dir, h.Stdout, h.Stderr, h.Log, h.Now
	return o
}
