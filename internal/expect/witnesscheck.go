package expect

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
	"daybefore/internal/witness"
)

// witnessCheck compares the records of one witness with the rows of its table.
type witnessCheck struct {
	spec    spec.Witness
	columns []witnessColumn
	path    whose // under which the table is read
	session *session
	timeout time.Duration

	batch  []witness.Record
	bytes  int // of the batch's keys
	unfit  int
	faults []*witness.Fault // the first of them
	found  verdict.Witness
}

func (h *witnessCheck) hear(ctx context.Context, w Witnesses) error {
	options := witness.Options{At: h.spec.At, Clock: witness.Clock{Location: h.spec.Location, Unit: h.spec.Unit}}
	for _, k := range h.spec.Key {
		options.Fields = append(options.Fields, k.Field)
	}
	err := w.each(ctx, h.spec.Source, "witness.url", options, func(r witness.Record) error { return h.take(ctx, r) },
		h.damaged)
	if err != nil {
		return err
	}
	return h.flush(ctx)
}

// each reads a file's records, one after another, and tells of those that
// cannot be used.
func (w Witnesses) each(ctx context.Context, from spec.Source, key string, o witness.Options,
	take func(witness.Record) error, damaged func(*witness.Fault)) error {
	file, err := w.Open(ctx, from, key)
	if err != nil {
		return err
	}
	defer file.Close()
	o.Name = path.Base(from.URL)
	o.Now = w.Now.Add(witness.ClockGrace)
	return witness.Each(file, o, take, damaged)
}

func (h *witnessCheck) damaged(f *witness.Fault) {
	h.found.Damaged++
	if len(h.faults) < mostTold {
		h.faults = append(h.faults, f)
	}
}

func (h *witnessCheck) take(ctx context.Context, r witness.Record) error {
	if r.At.After(h.found.Until) {
		h.found.Newer++
		widen(&h.found.NewerFrom, &h.found.NewerTo, r.At)
		return nil
	}
	h.batch = append(h.batch, r)
	for _, k := range r.Key {
		h.bytes += len(k)
	}
	if len(h.batch) < mostKeys && h.bytes < mostKeyBytes {
		return nil
	}
	return h.flush(ctx)
}

// widen makes a span hold a moment too.
func widen(from, to *time.Time, at time.Time) {
	if from.IsZero() || at.Before(*from) {
		*from = at
	}
	if at.After(*to) {
		*to = at
	}
}

// flush asks the server for the keys of the batch.
func (h *witnessCheck) flush(ctx context.Context) error {
	batch, err := h.fitting(ctx, h.batch)
	if err != nil {
		return err
	}
	missing, err := h.missing(ctx, batch, true)
	if err != nil {
		return err
	}
	if h.keepsSome() && len(missing) > 0 {
		missing, err = h.missing(ctx, missing, false)
		if err != nil {
			return err
		}
	}
	h.found.Expected += int64(len(batch))
	h.found.Missing += int64(len(missing))
	h.found.Found = h.found.Expected - h.found.Missing
	for _, r := range missing {
		widen(&h.found.MissingFrom, &h.found.MissingTo, r.At)
		if len(h.found.MissingKeys) < mostTold {
			h.found.MissingKeys = append(h.found.MissingKeys, h.tell(r))
		}
	}
	h.batch, h.bytes = h.batch[:0], 0
	return nil
}

func (h *witnessCheck) keepsSome() bool {
	for _, c := range h.columns {
		if c.Keeps {
			return true
		}
	}
	return false
}

// tell says which record is missing: by its line, and what may be shown.
func (h *witnessCheck) tell(r witness.Record) string {
	var parts []string
	for i, c := range h.columns {
		parts = append(parts, c.name+" "+printable(c.Tell(r.Key[i])))
	}
	return fmt.Sprintf("line %d: %s", r.Line, strings.Join(parts, ", "))
}

// fitting lets the server read the keys as its columns do, and write them as
// it would: a uuid in capitals is the same. What is no value of its column's
// type is a damaged record, and found by halving.
func (h *witnessCheck) fitting(ctx context.Context, batch []witness.Record) ([]witness.Record, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	var rows [][][]byte
	err := h.session.transaction(ctx, h.timeout, func(ctx context.Context, q *query) (err error) {
		rows, err = q.rows(ctx,
			"select "+h.each(", ",
				func(c witnessColumn, key string) string { return "(" + key + ")::pg_catalog.text" })+
				" from "+h.source()+" order by k.n", h.arrays(batch)...)
		return err
	})
	var refused *sqlError
	switch {
	case errors.As(err, &refused) && strings.HasPrefix(refused.State, "22") && len(batch) == 1:
		h.damaged(&witness.Fault{Line: batch[0].Line, What: "holds a key that is no value of its column's type",
			Hint: "look at what wrote it, and at witness.key in the drill file"})
		h.unfit++
		if h.unfit > mostUnfit {
			return nil, verdict.Errorf(verdict.CodeWitness,
				"correct witness.key in the drill file: it is {column: field of the record}",
				"more than %d records hold a key that is no value of its column's type", mostUnfit)
		}
		return nil, nil
	case errors.As(err, &refused) && strings.HasPrefix(refused.State, "22"):
		half := len(batch) / 2
		first, err := h.fitting(ctx, batch[:half])
		if err != nil {
			return nil, err
		}
		second, err := h.fitting(ctx, batch[half:])
		return append(first, second...), err
	case err != nil:
		return nil, err
	case len(rows) != len(batch):
		return nil, fmt.Errorf("the server gave %d rows for %d keys", len(rows), len(batch))
	}
	for i, row := range rows {
		for j, text := range row {
			batch[i].Key[j] = string(text)
		}
	}
	return batch, nil
}

// missing gives the records of which the table has no row: as the scrub would
// have rewritten them, or as they are.
func (h *witnessCheck) missing(ctx context.Context, batch []witness.Record, scrubbed bool) ([]witness.Record, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	keys := batch
	if scrubbed {
		var err error
		keys, err = h.scrub(batch)
		if err != nil {
			return nil, err
		}
	}
	same := h.each(" and ", func(c witnessColumn, key string) string {
		return "t." + pgx.Identifier{c.name}.Sanitize() + " " + c.equal + " " + key
	})
	sql := "select k.n from " + h.source() + " where not exists (select from " + identifier(h.spec.Table) +
		" t where " + same + ") order by k.n"
	var all []witness.Record
	err := h.session.transaction(ctx, h.timeout, func(ctx context.Context, q *query) error {
		rows, err := q.under(ctx, h.path, sql, h.arrays(keys)...)
		if err != nil {
			return fmt.Errorf("look for its keys in %s: %w", h.spec.Table, err)
		}
		for _, row := range rows {
			n, err := strconv.Atoi(string(row[0]))
			if err != nil || n < 1 || n > len(batch) {
				return fmt.Errorf("look for its keys in %s: the server names one that was not asked for", h.spec.Table)
			}
			all = append(all, batch[n-1])
		}
		return nil
	})
	return all, err
}

// scrub gives the batch with its keys as the scrub would have rewritten them.
func (h *witnessCheck) scrub(batch []witness.Record) ([]witness.Record, error) {
	out := make([]witness.Record, len(batch))
	for i, r := range batch {
		out[i] = r
		out[i].Key = slices.Clone(r.Key)
		for j, c := range h.columns {
			if c.Scrub == nil {
				continue
			}
			made, err := c.Scrub(r.Key[j])
			if err != nil {
				return nil, err
			}
			out[i].Key[j] = made
		}
	}
	return out, nil
}

// source is the batch as the rows k, numbered by n.
func (h *witnessCheck) source() string {
	var arrays, names []string
	for i := range h.columns {
		arrays = append(arrays, fmt.Sprintf("pg_catalog.unnest($%d::pg_catalog.text[])", i+1))
		names = append(names, fmt.Sprintf("k%d", i+1))
	}
	return "rows from (" + strings.Join(arrays, ", ") + ") with ordinality as k(" + strings.Join(names, ", ") + ", n)"
}

// each writes something of each column and its value in a row of source.
func (h *witnessCheck) each(separator string, write func(c witnessColumn, key string) string) string {
	var all []string
	for i, c := range h.columns {
		all = append(all, write(c, fmt.Sprintf("k.k%d::%s", i+1, c.typ)))
	}
	return strings.Join(all, separator)
}

var inArray = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// arrays are the keys, column by column, as array literals.
func (h *witnessCheck) arrays(batch []witness.Record) []string {
	all := make([]string, len(h.columns))
	for i := range h.columns {
		var b strings.Builder
		for n, r := range batch {
			b.WriteString([]string{`{"`, `","`}[min(n, 1)])
			_, _ = inArray.WriteString(&b, r.Key[i]) // a builder takes all
		}
		all[i] = b.String() + `"}`
	}
	return all
}

// judge says what was found. That something is missing is known whatever
// could not be read besides; that nothing is missing is not.
func (h *witnessCheck) judge(c *verdict.Check) {
	w, f := h.spec, h.found
	observed := fmt.Sprintf("%d of %d missing, %d newer", f.Missing, f.Expected, f.Newer)
	switch {
	case w.FailIf != nil && w.FailIf.Holds(f.Missing):
		c.Say(verdict.Fail, observed, h.lost(), "%s", h.missed())
	case f.Damaged > 0:
		c.Say(verdict.Error, fmt.Sprintf("%d unusable, %s", f.Damaged, observed), h.faults[0].Hint, "%s", h.unusable())
	case f.Expected+f.Newer == 0:
		c.Say(verdict.Error, "no record", "look at what writes it: an empty record proves nothing",
			"the witness %s holds no record", w.Name)
	case f.Expected == 0:
		c.Say(verdict.Skipped, observed, "nothing that it names had happened when the backup was taken: is that right?",
			"not judged: no record of the witness %s is as old as the backup, %d are newer", w.Name, f.Newer)
	case w.WarnIf != nil && w.WarnIf.Holds(f.Missing):
		c.Say(verdict.Warn, observed, h.lost(), "%s", h.missed())
	default:
		c.Pass(observed)
	}
}

func (h *witnessCheck) missed() string {
	f := h.found
	keys := strings.Join(f.MissingKeys, "; ")
	if more := f.Missing - int64(len(f.MissingKeys)); more > 0 {
		keys += fmt.Sprintf("; and %d more", more)
	}
	when := f.MissingFrom.Format(minute)
	if to := f.MissingTo.Format(minute); to != when {
		when += " to " + to
	}
	text := fmt.Sprintf("%s lacks %d of the %d records of the witness %s, of %s: %s", f.Table, f.Missing, f.Expected,
		f.Name, when, keys)
	if f.Damaged > 0 {
		text += ". Besides, " + h.unusable()
	}
	return text
}

func (h *witnessCheck) unusable() string {
	var lines []string
	for _, f := range h.faults {
		lines = append(lines, f.Error())
	}
	if more := h.found.Damaged - int64(len(lines)); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("%d of the lines of the witness %s cannot be used: %s", h.found.Damaged, h.spec.Name,
		strings.Join(lines, "; "))
}

// lost says why records may be missing.
func (h *witnessCheck) lost() string {
	const justBefore = 10 * time.Minute
	hint := "look these lines up, and their rows in production: what is there was never in this backup (a disk that " +
		"went back in time, another database, an older copy); what is gone there too was deleted"
	if age := h.found.Until.Sub(h.found.MissingFrom); age < justBefore {
		hint = fmt.Sprintf("all of them are of the last %s: if the time in the backup's name is when the dump ended, "+
			"set witness.tolerance; else %s", amount.Span(age), hint)
	}
	return hint
}
