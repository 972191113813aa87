// Package targets is what a user can ask for: a few lines a target over what
// the harness does. bin/drill and `go tool mage` both import it. It must never
// import what only the project's own makers need.
package targets

import (
	"context"

	"daybefore/internal/harness"
	"daybefore/scenarios"
)

// Drill restores the newest backup of every drill, or of -name (names and globs:
// -name=shop,'blog*'), -parallel of them at once, and says pass or fail. Or another backup:
// -backup=NAME (or ./shop.dump, a file here), the newest -before=TIME, -pick=random or
// -pick=unproven, or the newest of the second of inventory.copies by -copy=2. -verbose prints the
// whole report.
func Drill(ctx context.Context, name *string, parallel *int, backup, before, pick *string, copy *int,
	verbose *bool) error {
	return harness.Tell("drill", func(h *harness.Home) error {
		h.Verbose = value(verbose)
		return h.Drill(ctx, harness.DrillOptions{Name: value(name), Parallel: value(parallel),
			Backup: value(backup), Before: value(before), Pick: value(pick), Copy: value(copy)})
	})
}

// Init writes drills/NAME.yaml for the backups in -url, from the newest of them, and drills it. -pattern
// says which, where a store holds several databases; -source and -sandbox give further keys of the file
// ('region: eu-west-1, path_style: true'), -heartbeat the variable of a monitor's URL, which is tried. Where
// the file is there, it prints what is new, as a patch.
func Init(ctx context.Context, name, url, pattern, source, sandbox, heartbeat *string) error {
	return harness.Tell("init", func(h *harness.Home) error {
		return h.Init(ctx, harness.InitOptions{Name: value(name), URL: value(url), Pattern: value(pattern),
			Source: value(source), Sandbox: value(sandbox), Heartbeat: value(heartbeat)})
	})
}

// Drills lists the drills, or those of -name, with the outcome of their last run.
func Drills(ctx context.Context, name *string) error {
	return harness.Tell("drills", func(h *harness.Home) error { return h.Drills(ctx, value(name)) })
}

// Validate checks the drill files, or those of -name, and nothing else: no store, no engine.
func Validate(name *string) error {
	return harness.Tell("validate", func(h *harness.Home) error { return h.Validate(value(name)) })
}

// Show prints what the drill files of all drills, or of -name, come to: with the defaults below
// them, for their database, and where each key stands.
func Show(ctx context.Context, name *string) error {
	return harness.Tell("show", func(h *harness.Home) error { return h.Show(ctx, value(name)) })
}

// Gate opens only if -name's newest backup has a passing report not older than -within
// (proven_within of the drill file, else 24h), or passes now; -strict takes a warning for a failure; -verbose prints the whole report of a drill.
func Gate(ctx context.Context, name, within *string, strict, verbose *bool) error {
	return harness.Tell("gate", func(h *harness.Home) error {
		h.Verbose = value(verbose)
		return h.Gate(ctx, harness.GateOptions{
			Name: value(name), Within: value(within), Strict: value(strict),
		})
	})
}

// Accept records that what -check found in the last report of -name was wanted, and -why: the next
// drill is compared with it.
func Accept(ctx context.Context, name, check, why *string) error {
	return harness.Tell("accept", func(h *harness.Home) error {
		return h.Accept(ctx, harness.AcceptOptions{
			Name: value(name), Check: value(check), Why: value(why),
		})
	})
}

// Mute quiets what is told of -check of -name, and -why, -until a time or for so long (7d; 30 days at
// most; now ends it). The verdict, the exit code and what the report says stay as they are.
func Mute(ctx context.Context, name, check, why, until *string) error {
	return harness.Tell("mute", func(h *harness.Home) error {
		return h.Mute(ctx, harness.MuteOptions{
			Name: value(name), Check: value(check), Why: value(why), Until: value(until),
		})
	})
}

// Inventory looks at the stores of all drills, or of -name, without fetching or restoring anything:
// in seconds, for an hourly job.
func Inventory(ctx context.Context, name *string) error {
	return harness.Tell("inventory", func(h *harness.Home) error { return h.Inventory(ctx, value(name)) })
}

// Baseline drills -name and, if it passes, writes what its database consists of for
// expectations.schema. -verbose prints the drill's whole report.
func Baseline(ctx context.Context, name *string, verbose *bool) error {
	return harness.Tell("baseline", func(h *harness.Home) error {
		h.Verbose = value(verbose)
		return h.Baseline(ctx, value(name))
	})
}

// Witness says what would be lost if -name's newest backup were restored now, by the outside
// records under expectations.witness.
func Witness(ctx context.Context, name *string) error {
	return harness.Tell("witness", func(h *harness.Home) error { return h.Witness(ctx, value(name)) })
}

// Report writes the page of all drills anew, from reports/ or from a store of past reports
// (-history=s3://shop-reports/drills/), to reports/index.html, reports/history.html or -to=PATH.
func Report(ctx context.Context, history, to *string) error {
	return harness.Tell("report", func(h *harness.Home) error {
		return h.Report(ctx, harness.ReportOptions{History: value(history), To: value(to)})
	})
}

// Verify tells whether the signed reports of -name (sign in the drill file) are intact, or which link of
// their chain is broken and how: with the public keys in -key=public.pem, or with the drill file's own.
func Verify(ctx context.Context, name, key *string) error {
	return harness.Tell("verify", func(h *harness.Home) error {
		return h.Verify(ctx, harness.VerifyOptions{Name: value(name), Key: value(key)})
	})
}

// Runbook writes reports/NAME/RECOVERY.md anew: how -name's newest backup is restored by hand, without
// this harness, from the last drill of it that passed.
func Runbook(ctx context.Context, name *string) error {
	return harness.Tell("runbook", func(h *harness.Home) error { return h.Runbook(ctx, value(name)) })
}

// Scenarios breaks the demo's backup in every known way and tells which check caught it.
func Scenarios(ctx context.Context) error {
	return harness.Tell("scenarios", func(h *harness.Home) error {
		result, err := scenarios.Run(ctx, h.Stdout, scenarios.Options{Home: h.Dir, Log: h.Log})
		for _, f := range result {
			h.Document.Scenarios = append(h.Document.Scenarios, scenarioState(f))
		}
		return err
	})
}

// scenarioState is what a scenario came to, for a program.
func scenarioState(f scenarios.Finding) harness.ScenarioState {
	s := harness.ScenarioState{Name: f.Scenario.Name, Result: string(f.Catch), TookMS: f.Took.Milliseconds()}
	if f.Err != nil {
		s.Error = f.Err.Error()
	}
	return s
}

// Help shows what to do next, by task.
func Help() error {
	return harness.Tell("help", func(h *harness.Home) error { return h.Help() })
}

// Version prints which harness this is, as its reports name it.
func Version() error {
	return harness.Tell("version", func(h *harness.Home) error { return h.Version() })
}

// Clean removes what drills that were killed left behind.
func Clean(ctx context.Context) error {
	return harness.Tell("clean", func(h *harness.Home) error { return h.Clean(ctx) })
}

// Image builds the image postgres:MAJOR, or -tag, from Debian's packages, where none can be pulled;
// -packages adds others, such as -packages=postgresql-17-pgvector.
func Image(ctx context.Context, major int, packages, tag *string) error {
	return harness.Tell("image", func(h *harness.Home) error {
		return h.Image(ctx, harness.ImageOptions{
			Major: major, Packages: value(packages), Tag: value(tag),
		})
	})
}

// Build compiles bin/drill: the one binary that cron, CI and gates should run.
func Build(ctx context.Context) error {
	return harness.Tell("build", func(h *harness.Home) error { return h.Build(ctx) })
}

// value is what a flag says, or nothing.
func value[T any](flag *T) (v T) {
	if flag != nil {
		v = *flag
	}
	return v
}
