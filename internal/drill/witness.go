package drill

import (
	"context"
	"errors"
	"io"
	"slices"

	"daybefore/internal/catalog"
	"daybefore/internal/expect"
	"daybefore/internal/scrub"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Witness hears what outside records say of the newest backup, and nothing
// else: it restores the tables that they name, and judges neither the store
// nor what else is expected.
func Witness(ctx context.Context, req Request) *verdict.Report {
	d, e := *req.Drill, req.Drill.Expectations
	d.Inventory = spec.Inventory{}
	d.Expectations = spec.Expectations{
		AsOf: e.AsOf, AsOfTime: e.AsOfTime, Roles: e.Roles, Errors: e.Errors, Warnings: e.Warnings, Timeout: e.Timeout,
		Witness: e.Witness,
	}
	req.Drill = &d
	return perform(ctx, req, (*run).hear)
}

// hear is the order of the stages where only witnesses are heard.
func (r *run) hear(ctx context.Context) error {
	for _, step := range []func(context.Context) error{r.hasWitness, r.choose, r.fetchAndStart, r.restoreWitnessed,
		r.hearWitnesses} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) hasWitness(ctx context.Context) error {
	if len(r.Drill.Expectations.Witness) > 0 {
		return nil
	}
	return r.stage(ctx, verdict.StageChoose, func(context.Context) error {
		return verdict.Errorf(verdict.CodeSpec, "declare an outside record under expectations.witness",
			"the drill file names no witness")
	})
}

// restoreWitnessed brings back the rows of the tables that witnesses name,
// scrubbed as in every drill. Post-data is left out: it tells nothing of rows.
func (r *run) restoreWitnessed(ctx context.Context) error {
	s, err := r.preData(ctx, r.roomToLoad)
	if err != nil {
		return err
	}
	plan, err := r.planScrub(ctx, s)
	if err != nil {
		return err
	}
	r.plan = plan
	others := func(schema, table string) bool {
		return plan.Excluded(schema, table) ||
			!slices.ContainsFunc(r.Drill.Expectations.Witness, func(w spec.Witness) bool {
				return plan.Related(w.Table, spec.Name{Schema: schema, Table: table})
			})
	}
	s.Reroute(plan.Moves)
	err = r.stage(ctx, verdict.StageRestore,
		func(ctx context.Context) error { return s.Data(ctx, plan.Filter, others, plan.Blame) })
	if errors.Is(err, scrub.ErrLeak) { // which alone its checks tell then
		r.keepScrub(plan)
	}
	return err
}

func (r *run) hearWitnesses(ctx context.Context) error {
	heard := r.Drill.Expectations
	heard.Roles = nil // their privileges come with post-data
	return r.stage(ctx, verdict.StageExpect, func(ctx context.Context) error {
		r.checks(expect.Run(ctx, r.connectUnder, heard, expect.Options{
			Jobs: r.jobs(), Past: r.Past, File: r.Drill.SHA256, TakenAt: r.report.Backup.TakenAt,
			TakenUntil: r.report.Backup.TakenUntil, Witnesses: r.witnesses(r.plan),
		})...)
		return ctx.Err()
	})
}

// witnesses say how outside records are read, and compared with what the plan
// made of the backup's rows.
func (r *run) witnesses(plan *scrub.Plan) expect.Witnesses {
	return expect.Witnesses{
		Now: r.Now,
		Open: func(ctx context.Context, file spec.Source, key string) (io.ReadCloser, error) {
			return catalog.OpenRecord(ctx, file, key)
		},
		Outside: func(schema, table, column string) (expect.Outside, error) {
			o, err := plan.Outside(schema, table, column)
			return expect.Outside(o), err
		},
		Keep: func(w verdict.Witness) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.report.Witnesses = append(r.report.Witnesses, w)
		},
	}
}
