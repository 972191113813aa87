package expect

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/expect/drift"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
	"daybefore/internal/witness"
)

// oneWay makes the server write values in one way, whatever the database
// brings.
const oneWay = `
select pg_catalog.set_config(s.name, s.value, true) from (values
  ('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'), ('extra_float_digits', '1'),
    ('bytea_output', 'hex')) s(name, value)`

// sumRows adds up the halves of the rows' digests, so that their order does
// not matter and their number does.
const sumRows = `
select pg_catalog.count(*), pg_catalog.sum(('x' OPERATOR(pg_catalog.||) pg_catalog.left(d,
  16))::pg_catalog.bit(64)::pg_catalog.int8),
       pg_catalog.sum(('x' OPERATOR(pg_catalog.||) pg_catalog.right(d, 16))::pg_catalog.bit(64)::pg_catalog.int8)
from (select pg_catalog.md5(row(%s)::pg_catalog.text) from %s) s(d)`

// checksum compares the values of columns with what they were when this very
// backup, by its time, was drilled before: a file that was replaced, or bytes
// that no longer say what they did.
func checksum(t spec.Table, o Options) pendingCheck {
	expected := "the same " + strings.Join(t.Checksum.Columns, ", ") + " as in the last drill of this backup"
	if w := t.Checksum.Witness; w != nil {
		expected = fmt.Sprintf("the sum of %s that the record %s tells", strings.Join(t.Checksum.Columns, ", "),
			path.Base(w.Source.URL))
	}
	return pendingCheck{
		Check: verdict.Check{ID: "checksum:" + t.Table.String(), Code: verdict.CodeTableChecksum, Expected: expected},
		judge: ofTable(t, o, func(ctx context.Context, q *query, r relation, c *verdict.Check) error {
			sum, rows, err := sumColumns(ctx, q, t, r.whose(), c, o)
			if err != nil {
				return err
			}
			c.Change = &verdict.Change{To: sum}
			if t.Checksum.Witness != nil {
				return compareSum(ctx, c, t, rows, sum, o)
			}
			judgeChecksum(c, t, rows, sum, o)
			return nil
		}),
	}
}

func sumColumns(ctx context.Context, q *query, t spec.Table, path whose, c *verdict.Check, o Options) (sum, rows string,
	err error) {
	var columns []string
	var types []columnType
	for _, column := range t.Checksum.Columns {
		of, err := fileColumn{verdict.CodeTableChecksum, "checksum.columns", t.Checksum.Pos, t.Table,
			column}.find(ctx, q, c, o)
		if err != nil {
			return "", "", err
		}
		types = append(types, of)
		if o.Shown == nil || !o.Shown(t.Table.Schema, t.Table.Table, column) {
			return "", "", verdict.Errorf(verdict.CodeTableChecksum,
				fmt.Sprintf(`add {column: %s, preserve: true, why: "…"} to scrub.rules, or take it out of checksum`,
					t.Table.Column(column)),
				"%s is to be kept in the report as a part of a checksum, and is not preserved with "+
					"a why (%v)", t.Table.Column(column), t.Checksum.Pos)
		}
		columns = append(columns, pgx.Identifier{column}.Sanitize())
	}
	if err := sumsUp(ctx, q, t, types); err != nil {
		return "", "", err
	}
	if _, err := q.rows(ctx, oneWay); err != nil {
		return "", "", fmt.Errorf("sum up %s: %w", t.Table, err)
	}
	answer, err := q.under(ctx, path, fmt.Sprintf(sumRows, strings.Join(columns, ", "), identifier(t.Table)))
	if err != nil || len(answer) != 1 {
		return "", "", verdict.Errorf(verdict.CodeTableChecksum, "look at checksum in the drill file",
			"sum up %s (%v): %w", t.Table, t.Checksum.Pos, err)
	}
	digest := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", answer[0][0], answer[0][1], answer[0][2]))
	return fmt.Sprintf("%x", digest[:8]), string(answer[0][0]), nil
}

// castsToBits asks for a cast that the backup brought between types of the
// server's own, by which halves of digests would become what it likes.
const castsToBits = `
select exists (
  select from pg_catalog.pg_cast k join pg_catalog.pg_proc f on f.oid = k.castfunc
  where k.castsource = '25'::pg_catalog.oid and k.casttarget = '1560'::pg_catalog.oid and ` + itsOwn + `)`

// sumsUp gives the Problem of a sum of which code of the backup's own decides.
func sumsUp(ctx context.Context, q *query, t spec.Table, types []columnType) error {
	alien, err := q.value(ctx, castsToBits)
	switch {
	case err != nil:
		return fmt.Errorf("ask for casts: %w", err)
	case string(alien) == "t":
		return verdict.Errorf(verdict.CodeTableChecksum,
			"drop the cast from text to bit in production, or take checksum out of the drill file",
			"the backup brings a cast from text to bit, so that a sum would be what it likes (%v)",
			t.Checksum.Pos)
	}
	for i, of := range types {
		by, err := q.comparedBy(ctx, of, false)
		switch {
		case err != nil:
			return err
		case by.alien:
			return unjudged(verdict.CodeTableChecksum, t.Table, t.Checksum.Columns[i], t.Checksum.Pos)
		}
	}
	return nil
}

func judgeChecksum(c *verdict.Check, t spec.Table, rows, sum string, o Options) {
	before, was := earlier(c, o)
	observed := rowsOfSum(rows, sum)
	switch {
	case o.Past.Problem != nil:
		c.Say(verdict.Skipped, observed, "see the check history", "not compared, since the past could not be read")
		return
	case before == nil:
		c.Say(verdict.Skipped, observed,
			"nothing is wrong; later drills of the same backup are compared with this one, if it passes",
			"no history yet: no earlier drill of this backup that passed has summed these columns")
		return
	}
	c.Change.Baseline, c.Change.From = before.Run, was
	a := o.Past.AcceptedFor(c.ID)
	switch {
	case was == sum:
		c.Pass(observed)
	case a != nil && a.To == sum && a.From == was:
		c.Pass(observed)
		c.Accepted = a.Note()
	case before.Backup.SHA256 != "" && before.Backup.SHA256 == o.SHA256:
		c.Say(verdict.Fail, observed,
			"the file is the same to the byte, so one of the two restores went wrong: a function, a default or a "+
				"machine that gives other values each time",
			"%s does not hold the %s that it held when this very file was drilled in %s", t.Table,
			strings.Join(t.Checksum.Columns, ", "), before.Run)
	default:
		c.Say(verdict.Fail, observed,
			"the file in the store was replaced since, or its bytes changed: find out who wrote it, and drill the "+
				"copy that is kept elsewhere; "+drift.AcceptHint,
			"%s does not hold the %s that it held when the backup of this time was drilled in %s", t.Table,
			strings.Join(t.Checksum.Columns, ", "), before.Run)
	}
}

// compareSum compares a sum with what an outside record tells of this backup:
// what was summed up where, and when, it was dumped.
func compareSum(ctx context.Context, c *verdict.Check, t spec.Table, rows, sum string, o Options) error {
	told, err := readSums(ctx, *t.Checksum.Witness, o)
	if err != nil {
		return fmt.Errorf("read the sums of %s (%v): %w", t.Table, t.Checksum.Witness.Pos, err)
	}
	observed := rowsOfSum(rows, sum)
	columns := strings.Join(t.Checksum.Columns, ", ")
	file := path.Base(t.Checksum.Witness.Source.URL)
	const hint = "compare the table with production, if its rows of then are still there: the backup or its restore " +
		"gave other values; or the record was summed in another snapshot than the dump's, or " +
		"otherwise than docs/witness.md says"
	switch {
	case len(told.sums) > 1:
		c.Say(verdict.Error, observed, "find out who wrote which, and leave one of them",
			"%s tells different sums of this backup (lines %d and %d)", file, told.sums[0].line, told.sums[1].line)
	case len(told.sums) == 1 && told.sums[0].sum == sum:
		c.Pass(observed)
	case len(told.sums) == 1:
		c.Say(verdict.Fail, observed, hint,
			"%s does not hold the %s that were summed up when this backup was taken: the record says %s (%s, line %d)",
			t.Table, columns, told.sums[0].sum, file, told.sums[0].line)
	case told.fault != nil:
		c.Say(verdict.Error, observed, told.fault.Hint,
			"%s tells no sum of this backup, of %s; %d of its lines cannot be used: %v", file,
			o.TakenAt.UTC().Format(toTheSecond), told.faults, told.fault)
	default:
		c.Say(verdict.Error, observed,
			"look at what writes it: there must be a record of each backup's time; where the two may differ, "+
				"set checksum.witness.tolerance",
			"%s tells no sum of this backup, of %s: %s", file, o.TakenAt.UTC().Format(toTheSecond), told.missedBy())
	}
	return nil
}

const toTheSecond = "2006-01-02 15:04:05 MST"

// toldSums are what a record of sums tells of one backup.
type toldSums struct {
	sums    []toldSum // different ones, of the time that is nearest
	near    time.Duration
	records int64
	faults  int64
	fault   *witness.Fault // the first of them
}

type toldSum struct {
	sum  string
	line int64
}

var isSum = regexp.MustCompile(`^[0-9a-f]{16}$`)

func readSums(ctx context.Context, w spec.SumFile, o Options) (toldSums, error) {
	var all toldSums
	damaged := func(f *witness.Fault) {
		all.faults++
		if all.fault == nil {
			all.fault = f
		}
	}
	options := witness.Options{Fields: []string{w.Sum}, At: w.At,
		Clock: witness.Clock{Location: w.Location, Unit: w.Unit}}
	err := o.Witnesses.each(ctx, w.Source, "checksum.witness.url", options, func(r witness.Record) error {
		all.records++
		away := o.away(r.At)
		nearer := all.records == 1 || away < all.near
		if nearer {
			all.near = away
		}
		sum := strings.ToLower(strings.TrimSpace(r.Key[0]))
		switch {
		case away > w.Tolerance:
		case !isSum.MatchString(sum): // which may be anything, and is not told
			if nearer {
				all.sums = nil
			}
			damaged(&witness.Fault{Line: r.Line, What: "holds no sum: its " + w.Sum + " is not 16 hexadecimal digits",
				Hint: "sum up as docs/witness.md says, and look at checksum.witness.sum in the drill file"})
		case nearer:
			all.sums = []toldSum{{sum, r.Line}}
		case away == all.near && !slices.ContainsFunc(all.sums, func(s toldSum) bool { return s.sum == sum }):
			all.sums = append(all.sums, toldSum{sum, r.Line})
		}
		return nil
	}, damaged)
	return all, err
}

// isOf reports whether a past drill's backup is this one: of the same time or,
// where only the day is known, on which another may have been taken, of the
// same bytes.
func (o Options) isOf(b verdict.Backup) bool {
	if o.TakenUntil.After(o.TakenAt) && (o.SHA256 == "" || b.SHA256 != o.SHA256) {
		return false
	}
	return !o.TakenAt.IsZero() && b.TakenAt.Equal(o.TakenAt)
}

// away is how far a time is from the backup's, to the second, since names tell
// no less; all of a day is the backup's time where only its day is known.
func (o Options) away(at time.Time) time.Duration {
	if at.After(o.TakenAt) && at.Before(o.TakenUntil) {
		return 0
	}
	away := at.Sub(o.TakenAt).Abs()
	if o.TakenUntil.After(o.TakenAt) {
		away = min(away, at.Sub(o.TakenUntil).Abs())
	}
	return away.Truncate(time.Second)
}

// missedBy says how far the nearest record is from the backup.
func (t toldSums) missedBy() string {
	if t.records == 0 {
		return "it holds no record"
	}
	return fmt.Sprintf("the nearest of its %d records is of %s before or after", t.records, amount.Span(t.near))
}

func rowsOfSum(rows, sum string) string { return sum + " over " + rows + " rows" }

// earlier is the last drill that passed of the same backup which summed the
// same columns, with what came out.
func earlier(c *verdict.Check, o Options) (*verdict.Report, string) {
	for _, r := range o.Past.Passing {
		if !o.isOf(r.Backup) {
			continue
		}
		if old := o.memory.of(r).checks[c.ID]; old != nil && old.Expected == c.Expected && old.Change != nil {
			return r, old.Change.To
		}
	}
	return nil, ""
}
