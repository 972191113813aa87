package expect

import (
	"context"
	"fmt"
	"io"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Witnesses say how outside records are read and compared.
type Witnesses struct {
	Open    func(ctx context.Context, file spec.Source, key string) (io.ReadCloser, error) // key: of the drill file
	Outside func(schema, table, column string) (Outside, error)
	Now     time.Time // no record is of a later time
	// Keep is told what each witness came to, from several goroutines.
	Keep func(verdict.Witness)
}

// Outside is how a value that did not come with the backup is compared with a
// column, and told.
type Outside struct {
	Scrub func(value string) (string, error) // nil: the column holds it as it is
	Keeps bool                               // with Scrub: some rows hold it as it is besides
	Tell  func(value string) string
}

// What a batch of keys holds at most before the server is asked for them, and
// how many are told.
const (
	mostKeys     = 50_000
	mostKeyBytes = 4 << 20
	mostTold     = 5
	mostUnfit    = 100 // more, and the field is another's
)

// witnessed judges whether what an outside record names is there. The record
// is read as a stream, of any length.
func witnessed(w spec.Witness, o Options) pendingCheck {
	until := o.TakenAt.Add(-w.Tolerance)
	return pendingCheck{
		Check: verdict.Check{ID: "witness:" + w.Name, Code: verdict.CodeWitness,
			Expected: fmt.Sprintf("its records up to %s in %s, %s missing", until.UTC().Format(minute), w.Table,
				limitText(w.WarnIf, w.FailIf))},
		timeout: w.Timeout,
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			r, err := findRelation(ctx, q, w.Table)
			if err != nil || !beThere(c, w.Table, r, "whose rows the witness "+w.Name+" names", o) {
				return err
			}
			h := witnessCheck{spec: w, session: q.session, timeout: q.timeout, path: r.whose(),
				found: verdict.Witness{Name: w.Name, Table: w.Table.String(), Until: until.UTC()}}
			h.columns, err = witnessColumns(ctx, q, w, c, o)
			if err != nil {
				return err
			}
			if err := h.hear(ctx, o.Witnesses); err != nil {
				return fmt.Errorf("read the witness %s (%v): %w", w.Name, w.Pos, err)
			}
			if o.Witnesses.Keep != nil {
				o.Witnesses.Keep(h.found)
			}
			if h.path == theirs {
				q.tellPath(c, o)
			}
			h.judge(c)
			return nil
		},
	}
}

// witnessColumn is a column of the key.
type witnessColumn struct {
	Outside
	name  string
	typ   string // without a length, as a cast can name it
	equal string // the operator that compares its values
}

func witnessColumns(ctx context.Context, q *query, w spec.Witness, check *verdict.Check, o Options) ([]witnessColumn,
	error) {
	var all []witnessColumn
	for _, k := range w.Key {
		of, err := fileColumn{verdict.CodeWitness, "witness.key", w.Pos, w.Table, k.Column}.find(ctx, q, check, o)
		if err != nil {
			return nil, err
		}
		by, err := q.comparedBy(ctx, of, true)
		switch {
		case err != nil:
			return nil, err
		case by.alien:
			return nil, unjudged(verdict.CodeWitness, w.Table, k.Column, w.Pos)
		}
		c := witnessColumn{name: k.Column, equal: by.equal}
		c.Outside, err = o.Witnesses.Outside(w.Table.Schema, w.Table.Table, k.Column)
		if err != nil {
			return nil, err
		}
		// Without a modifier of -1 it would be char(1) for every char(n).
		typ, err := q.value(ctx, "select pg_catalog.format_type($1::pg_catalog.oid, -1)", of.oid)
		if err != nil {
			return nil, fmt.Errorf("ask for the type of %s: %w", w.Table.Column(k.Column), err)
		}
		c.typ = string(typ)
		all = append(all, c)
	}
	return all, nil
}
