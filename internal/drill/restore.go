package drill

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/copytext"
	"daybefore/internal/expect"
	"daybefore/internal/restore"
	"daybefore/internal/sandbox"
	"daybefore/internal/scrub"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func (r *run) jobs() int {
	if n := r.Drill.Restore.Jobs; n > 0 {
		return n
	}
	return runtime.NumCPU()
}

// drill is the order of the stages. What is shown comes last: checks may call
// what the backup brings, and nothing of it runs after the last look.
func (r *run) drill(ctx context.Context) error {
	for _, step := range []func(context.Context) error{r.choose, r.fetchAndStart, r.restore, r.rehearsed, r.expect,
		r.show} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// restore brings the archive back in steps, with the scrub decided between
// the schema and the first row. Whatever ends it early, what was found until
// then is in the report.
func (r *run) restore(ctx context.Context) error {
	s, err := r.preData(ctx, r.roomToLoad)
	if s == nil {
		return err
	}
	r.codeRan()
	r.keepByHand(s)
	defer r.keepRestore(s)
	if err != nil {
		return err
	}
	if err := r.stage(ctx, verdict.StageRestore,
		func(ctx context.Context) error { return r.findLost(ctx, false) }); err != nil {
		return err
	}
	plan, err := r.planScrub(ctx, s)
	if errors.Is(err, errUndecided) || errors.Is(err, errLost) {
		return errors.Join(err, r.expectTables(ctx))
	}
	if err != nil {
		return err
	}
	s.Reroute(plan.Moves)
	err = r.stage(ctx, verdict.StageRestore,
		func(ctx context.Context) error { return s.Data(ctx, plan.Filter, plan.Excluded, plan.Blame) })
	if errors.Is(err, scrub.ErrLeak) {
		r.lookOn(ctx, s, plan)
	}
	if err != nil {
		plan.Ended()
	}
	r.keepScrub(plan)
	if err != nil {
		return err
	}
	if plan.Leaked() { // only all values together told
		return r.stage(ctx, verdict.StageScrub, func(context.Context) error { return errLeaked })
	}
	return r.afterLoad(ctx, s, plan)
}

// afterLoad counts what was loaded, and restores what rests on it.
func (r *run) afterLoad(ctx context.Context, s *restore.Session, plan *scrub.Plan) error {
	merged := r.distinct(ctx)
	counted := merged != nil || plan.NeedsRecompute()
	if counted { // before anything else writes rows, or the drill ends
		err := r.stage(ctx, verdict.StageRestore, func(ctx context.Context) (err error) {
			r.report.Tables, err = s.Count(ctx)
			return err
		})
		if err := errors.Join(merged, err); err != nil {
			return err
		}
		if err := r.stage(ctx, verdict.StageScrub,
			func(ctx context.Context) error { return r.recompute(ctx, s, plan) }); err != nil {
			return err
		}
	}
	return r.stage(ctx, verdict.StageRestore, func(ctx context.Context) error {
		if err := r.build(ctx, s, counted); err != nil {
			return err
		}
		r.keepRecovery(s.Took())
		return r.blameRules(ctx, s, plan)
	})
}

// build restores the post-data, and counts unless that is done.
func (r *run) build(ctx context.Context, s *restore.Session, counted bool) (err error) {
	if counted {
		return s.PostData(ctx)
	}
	r.report.Tables, err = s.CountAndBuild(ctx)
	return err
}

// blameRules looks, where the restore met errors that were not declared, which
// of them may be owed to what a rule made of the rows, beside those that the
// restore explains by itself. Where all of them are, nothing is known of the
// backup, and there is no more to judge.
func (r *run) blameRules(ctx context.Context, s *restore.Session, plan *scrub.Plan) error {
	if !s.Failing() {
		return nil
	}
	conn, err := r.box.DB().Connect(ctx, s.Database())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := plan.Unbuilt(ctx, conn)
	if err != nil {
		return err
	}
	r.checks(found...)
	var objects []string
	for _, c := range found {
		objects = append(objects, strings.TrimPrefix(c.ID, "rule_unfit:"))
	}
	if s.Explain(objects) {
		return errUnbuilt
	}
	return nil
}

// lookOn looks for all that is like what ended the load, so that one report
// names every place. What keeps it from some of them leaves those that are
// known, which are enough to refuse.
func (r *run) lookOn(ctx context.Context, s *restore.Session, plan *scrub.Plan) {
	begun := time.Now()
	err := plan.LookOn(func(filter restore.Filter) error { return s.Look(ctx, filter, nil) })
	r.keep(verdict.StageScrub, time.Since(begun), nil)
	if err != nil {
		r.Log.Debug("not all rows were looked at", "drill", r.Drill.Name, "err", err)
	}
}

// preData restores what must stand before rows can be loaded, or read, if
// ready has nothing against it.
func (r *run) preData(ctx context.Context, ready func(context.Context) error) (*restore.Session, error) {
	err := r.stage(ctx, verdict.StageRestore, func(ctx context.Context) error {
		inside, err := r.handOver()
		if err != nil {
			return err
		}
		r.names = r.namesToTell()
		r.withheld = r.withheldNames()
		r.ownCode = r.archive.OwnCode(r.queries()...)
		r.session = restore.New(r.archive, r.box, inside, r.restoreOptions())
		if err := ready(ctx); err != nil {
			return err
		}
		return r.session.PreData(ctx)
	})
	return r.session, err
}

// show looks at what no filter saw, and shows the newest rows, both as they
// are at one moment, after all that can run code of the backup's own. What
// the look finds ends the drill, so that the sandbox is removed before anybody
// looks at it.
func (r *run) show(ctx context.Context) error {
	var moment *still
	err := r.stage(ctx, verdict.StageScrub, func(ctx context.Context) (err error) {
		moment, err = r.standStill(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer moment.close(ctx)
	err = r.stage(ctx, verdict.StageExpect, func(ctx context.Context) error {
		r.checks(r.session.Recount(ctx, moment.connect, r.ownCode != "")...)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if err := r.scanLeaks(ctx, moment); err != nil {
		return err
	}
	return r.stage(ctx, verdict.StageExpect, func(ctx context.Context) error { return r.latestEvents(ctx, moment) })
}

// scanLeaks looks at what no filter saw; where code of the backup's own could
// run since the load, at all that was looked at before.
func (r *run) scanLeaks(ctx context.Context, moment *still) error {
	return r.stage(ctx, verdict.StageScrub, func(ctx context.Context) error {
		found, err := r.lookAgain(ctx, moment)
		if err != nil {
			return r.byOwnCode(err)
		}
		r.checks(found...)
		if slices.ContainsFunc(found, func(c verdict.Check) bool { return c.Outcome == verdict.Error }) {
			return errLeaked
		}
		return nil
	})
}

// lookAgain is what was found of what was restored, at last.
func (r *run) lookAgain(ctx context.Context, moment *still) ([]verdict.Check, error) {
	found, err := r.plan.Aftermath(ctx, moment.connect, r.jobs(), r.session.Again)
	if err != nil || r.ownCode == "" {
		return found, err
	}
	again, err := r.plan.Distinct(ctx, moment.connect, r.jobs())
	bad := slices.DeleteFunc(again, func(c verdict.Check) bool { return c.Outcome != verdict.Error })
	return append(found, bad...), err
}

// byOwnCode says of what the server refused, where code of the backup's own may
// have changed tables or is run by reading them, that it may be why.
func (r *run) byOwnCode(err error) error {
	if r.ownCode == "" || len(serverErrors(err)) == 0 || sandbox.Broken(err) {
		return err
	}
	return verdict.Errorf(verdict.CodeLeak,
		"nothing is known of the backup: look what its own code does to what is restored, first "+r.ownCode,
		"what was restored could not be looked at after the backup's own code had run: %w", err)
}

func (r *run) restoreOptions() restore.Options {
	d := r.Drill
	o := restore.Options{
		Jobs:          r.jobs(),
		DeclaredRoles: d.Expectations.Roles,
		CreateRoles:   d.Restore.Roles != "fail",
		SkipMissing:   d.Restore.Extensions == "skip",
		LargeObjects:  d.Scrub.LargeObjects == "preserve",
		Drop:          d.Scrub.Drop,
		Warnings:      d.Expectations.Warnings,
		Names:         r.names,
		Progress: func(rows, bytes int64) {
			r.Progress("load", rows, 0, "rows")
			r.Progress("load", bytes, 0, "bytes")
		},
	}
	if d.Expectations.Errors != nil {
		o.AllowedErrors = *d.Expectations.Errors
	}
	return o
}

func (r *run) keepRestore(s *restore.Session) {
	r.checks(s.Checks()...)
	r.report.Messages = s.Messages()
	r.report.RolesCreated = s.RolesCreated()
}

// planScrub decides what happens to every column, before any row is loaded.
func (r *run) planScrub(ctx context.Context, s *restore.Session) (plan *scrub.Plan, err error) {
	err = r.stage(ctx, verdict.StageScrub, func(ctx context.Context) error {
		conn, err := r.box.DB().Connect(ctx, s.Database())
		if err != nil {
			return err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		req, err := r.scrubRequest(ctx, conn)
		if err != nil {
			return err
		}
		var undecided []verdict.Check
		plan, undecided, err = scrub.NewPlan(ctx, conn, req)
		if err != nil {
			return err
		}
		r.names.FingerprintBy(plan.Fingerprint)
		r.checks(r.gone(undecided)...)
		r.lost.rules = plan.Unjudged()
		switch {
		case len(undecided) > 0:
			return errUndecided
		case r.lost.someOf(req.Headers):
			return errLost
		}
		return nil
	})
	return plan, err
}

// scrubRequest is what the scrub is planned from, once pre-data is restored.
func (r *run) scrubRequest(ctx context.Context, conn *pgx.Conn) (req scrub.Request, err error) {
	req = scrub.Request{Rules: r.Drill.Scrub, File: r.Drill.Path, Encoding: r.archive.Encoding, Lost: r.lost.tables,
		OwnCode: r.ownCode != "", Names: r.names, LatestEvents: r.Drill.LatestEvents}
	for _, t := range r.Drill.Expectations.Tables {
		if t.Rebuildable {
			req.Rebuildable = append(req.Rebuildable, t.Table)
		}
	}
	req.Schema, err = schema.Read(ctx, conn)
	if err != nil {
		return req, err
	}
	fillFrom(&req, r.session.Headers(), r.archive.Entries)
	return req, nil
}

// fillFrom gives the scrub what the archive knows and the restored schema
// does not yet: which rows there are, and what post-data will ask of them.
func fillFrom(req *scrub.Request, headers map[int]copytext.Header, entries []archive.Entry) {
	for _, e := range entries {
		switch e.Desc {
		case "TABLE DATA":
			if h, ok := headers[e.DumpID]; ok {
				req.Headers = append(req.Headers, scrub.Header{DumpID: e.DumpID, Header: h})
			}
		case "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "INDEX", "MATERIALIZED VIEW DATA":
			req.Definitions = append(req.Definitions, e.Defn)
		case "BLOBS":
			req.LargeObjects = true
		}
	}
}

// keepScrub adds what the scrub did, however far the load came.
func (r *run) keepScrub(plan *scrub.Plan) {
	r.plan = plan
	r.report.Scrub = plan.Report()
	r.judgeScrubKey()
	r.checks(plan.Checks()...)
	r.keep(verdict.StageScrub, plan.Duration(), nil)
}

// distinct looks, before keys are built on it, whether what was different
// stayed so: a key that the scrub broke is no failure of the backup.
func (r *run) distinct(ctx context.Context) error {
	return r.stage(ctx, verdict.StageScrub, func(ctx context.Context) error {
		found, err := r.plan.Distinct(ctx, r.connect, r.jobs())
		if err != nil {
			return err
		}
		r.checks(found...)
		if slices.ContainsFunc(found, func(c verdict.Check) bool { return c.Outcome == verdict.Error }) {
			return errMerged
		}
		return nil
	})
}

// recompute fills what was loaded empty, before post-data looks at it.
func (r *run) recompute(ctx context.Context, s *restore.Session, plan *scrub.Plan) error {
	conn, err := r.box.DB().Connect(ctx, s.Database())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return plan.Recompute(ctx, conn)
}

// expect looks whether what came back is as declared.
func (r *run) expect(ctx context.Context) error {
	return r.stage(ctx, verdict.StageExpect, func(ctx context.Context) error {
		if err := r.findLost(ctx, true); err != nil {
			return err
		}
		found := r.lost.without(expect.Run(ctx, r.connectUnder, r.lost.judgeable(r.Drill.Expectations), expect.Options{
			AsOf: r.asOf, AsOfUntil: r.asOfUntil, Jobs: r.jobs(), Held: r.session.Held, Brought: r.session.Brought,
			LeftEmpty: r.session.LeftEmpty,
			Past:      r.Past, File: r.Drill.SHA256, Mark: r.mark, Shown: r.plan.Shown,
			Excluded: r.plan.Excluded, Rewritten: r.plan.Rewritten, Agree: r.plan.Agree, Structure: r.Request.Structure,
			TakenAt: r.report.Backup.TakenAt, TakenUntil: r.report.Backup.TakenUntil, SHA256: r.report.Backup.SHA256,
			Witnesses: r.witnesses(r.plan), Names: r.names, Made: r.archive.Kinds(),
		}))
		r.checks(r.gone(found)...)
		r.judged = found
		if slices.ContainsFunc(found, brokeOff) {
			return expect.ErrBroken // the sandbox knows why
		}
		return ctx.Err()
	})
}

// brokeOff tells a check whose connection to the server broke.
func brokeOff(c verdict.Check) bool { return c.Code == verdict.CodeSandbox }

// latestEvents shows the newest rows, and says what was not judged.
func (r *run) latestEvents(ctx context.Context, moment *still) error {
	wanted := r.lost.showable(r.Drill.LatestEvents)
	events, trouble := expect.LatestEvents(ctx, moment.connectToShow, wanted,
		expect.Cells{Fingerprint: r.plan.Fingerprint, Vouch: r.plan.Vouch},
		expect.Options{Shown: r.plan.Shown, Past: r.Past, File: r.Drill.SHA256})
	r.report.LatestEvents = events
	r.checks(trouble...)
	if slices.ContainsFunc(trouble, brokeOff) {
		return expect.ErrBroken
	}
	r.keepLost(len(r.judged) + len(wanted))
	if !r.lost.some() &&
		!slices.ContainsFunc(r.judged, func(c verdict.Check) bool { return c.Outcome != verdict.Skipped }) {
		return verdict.Errorf(verdict.CodeNoExpectations, "declare under expectations what must come back",
			"nothing was expected of the restored database, so nothing is proven")
	}
	return ctx.Err()
}

// expectTables looks, where the scrub refused to begin, for what is bad about
// the backup whatever the scrub would have done: a rule may have met no column
// because the backup lacks the whole table or its rows, and that is a failure
// which the rule's error must not hide. Of a table whose rows the backup lacks
// all that is expected can be judged; of any other only that it is there.
func (r *run) expectTables(ctx context.Context) error {
	return r.stage(ctx, verdict.StageExpect, func(ctx context.Context) error {
		present := spec.Expectations{Timeout: r.Drill.Expectations.Timeout}
		for _, t := range r.lost.judgeable(r.Drill.Expectations).Tables {
			if r.madeLater(t.Table) {
				continue
			}
			stays, err := r.staysEmpty(ctx, t.Table)
			if err != nil {
				return err
			}
			if !stays {
				t = spec.Table{Table: t.Table, Pos: t.Pos}
			}
			present.Tables = append(present.Tables, t)
		}
		found := expect.Run(ctx, r.connectUnder, present, expect.Options{
			AsOf: r.asOf, AsOfUntil: r.asOfUntil, Jobs: r.jobs(), Past: r.Past, File: r.Drill.SHA256, Unfilled: true,
			Made: r.archive.Kinds(),
		})
		r.checks(found...)
		r.keepLost(len(found))
		if err := ctx.Err(); err != nil {
			return err
		}
		return errUnloaded
	})
}

// family gives a table with all that inherits from it, at any depth, and
// whether rows get into each only under its own name or, through a partitioned
// table, that of another of them. For a partition it gives nothing: rows may
// come through its root.
const family = `
with recursive family(oid) as (
  select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2 and not c.relispartition
  union select i.inhrelid from pg_catalog.pg_inherits i join family f on f.oid = i.inhparent)
select n.nspname::pg_catalog.text, c.relname::pg_catalog.text, c.relkind in ('r', 'p')
from family f join pg_catalog.pg_class c on c.oid = f.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace`

// staysEmpty reports whether no restore would bring any row into the table,
// since the archive holds none for it. Where that cannot be known it says no.
func (r *run) staysEmpty(ctx context.Context, table spec.Name) (bool, error) {
	conn, err := r.connect(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, family, table.Schema, table.Table)
	if err != nil {
		return false, fmt.Errorf("look for what inherits from %s: %w", table, err)
	}
	var schema, name string
	var plain bool
	found, stays := false, true
	_, err = pgx.ForEachRow(rows, []any{&schema, &name, &plain}, func() error {
		found = true
		stays = stays && plain && r.archive.Makes(schema, name) && !r.archive.HoldsRowsOf(schema, name)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("look for what inherits from %s: %w", table, err)
	}
	return found && stays, nil
}

// madeLater reports whether post-data makes the table: a view that groups by a
// primary key needs the key first.
func (r *run) madeLater(name spec.Name) bool {
	return slices.ContainsFunc(r.archive.Entries, func(e archive.Entry) bool {
		return e.Section == archive.SectionPostData && e.Namespace == name.Schema && e.Tag == name.Table &&
			(e.Desc == "VIEW" || e.Desc == "MATERIALIZED VIEW")
	})
}

func (r *run) connect(ctx context.Context) (*pgx.Conn, error) {
	return r.box.DB().Connect(ctx, r.archive.Database)
}

// connectUnder opens a session that sees the database as whoever uses it does:
// under its own settings.
func (r *run) connectUnder(ctx context.Context) (*pgx.Conn, error) {
	return r.box.DB().ConnectUnder(ctx, r.archive.Database)
}
