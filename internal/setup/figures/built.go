package figures

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/scrub/schema"
)

// built is what the server tells once all is built.
type built struct {
	extensions []string
	sequences  []sequence
	setTo      map[schema.Name]setting // what the backup sets sequences to
	guarded    map[columnOf]bool       // by a foreign key
	referred   map[uint32]int          // foreign keys to a table, by its OID
	keys       map[columnOf]bool       // unique by themselves
	invalid    int                     // constraints that were never validated
}

// columnOf is a column by its table's OID and its number.
type columnOf struct {
	table  uint32
	column int16
}

type sequence struct {
	schema.Name
	of columnOf
}

// setting is a sequence's place, as pg_dump writes it.
type setting struct {
	last   int64
	called bool
}

// Built asks the server for keys, sequences and extensions. The error is the
// connection's.
func (s *Survey) Built(ctx context.Context, conn *pgx.Conn, a *archive.Archive) error {
	b := &s.built
	b.guarded, b.keys, b.referred = map[columnOf]bool{}, map[columnOf]bool{}, map[uint32]int{}
	b.setTo = settings(a.Entries)
	for _, step := range []struct {
		what string
		read func(context.Context, *pgx.Conn) error
	}{
		{"foreign keys", b.readForeignKeys}, {"keys", b.readKeys}, {"sequences", b.readSequences},
		{"extensions", b.readExtensions},
	} {
		err := step.read(ctx, conn)
		if err != nil {
			return fmt.Errorf("read the %s of the restored schema: %w", step.what, err)
		}
	}
	return nil
}

func (b *built) readForeignKeys(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		select k.conrelid, k.confrelid, k.conkey from pg_constraint k where k.contype = 'f' and k.conparentid = 0`)
	if err != nil {
		return err
	}
	var from, to uint32
	var columns []int16
	_, err = pgx.ForEachRow(rows, []any{&from, &to, &columns}, func() error {
		b.referred[to]++
		for _, n := range columns {
			b.guarded[columnOf{from, n}] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return conn.QueryRow(ctx, `select count(*) from pg_constraint where not convalidated`).Scan(&b.invalid)
}

func (b *built) readKeys(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		select i.indrelid, i.indkey[0] from pg_index i
		where i.indisunique and i.indnkeyatts = 1 and i.indpred is null and i.indkey[0] > 0`)
	if err != nil {
		return err
	}
	var c columnOf
	_, err = pgx.ForEachRow(rows, []any{&c.table, &c.column}, func() error {
		b.keys[c] = true
		return nil
	})
	return err
}

// readSequences lists those that give a column its numbers, as the check of
// them does: because the column owns them, or by its default.
func (b *built) readSequences(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		select distinct sn.nspname, s.relname, gives.relation, gives.num
		from (
		  select d.objid as sequence, d.refobjid as relation, d.refobjsubid as num from pg_depend d
		  where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
		    and d.refobjsubid > 0 and d.deptype in ('a', 'i')
		  union
		  select d.refobjid, f.adrelid, f.adnum from pg_depend d join pg_attrdef f on f.oid = d.objid
		  where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
		) gives
		join pg_sequence q on q.seqrelid = gives.sequence and not q.seqcycle and q.seqincrement > 0
		join pg_class s on s.oid = gives.sequence
		join pg_namespace sn on sn.oid = s.relnamespace`)
	if err != nil {
		return err
	}
	var q sequence
	var column int32
	_, err = pgx.ForEachRow(rows, []any{&q.Schema, &q.Table, &q.of.table, &column}, func() error {
		q.of.column = int16(column)
		b.sequences = append(b.sequences, q)
		return nil
	})
	return err
}

func (b *built) readExtensions(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `select extname from pg_extension where extname <> 'plpgsql' order by 1`)
	if err != nil {
		return err
	}
	b.extensions, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return err
}

var setval = regexp.MustCompile(`, (-?\d+), (true|false)\);?\s*$`)

// settings are what an archive sets its sequences to.
func settings(entries []archive.Entry) map[schema.Name]setting {
	all := map[schema.Name]setting{}
	for _, e := range entries {
		m := setval.FindStringSubmatch(e.Defn)
		if e.Desc != "SEQUENCE SET" || m == nil {
			continue
		}
		last, err := strconv.ParseInt(m[1], 10, 64)
		if err == nil {
			all[schema.Name{Schema: e.Namespace, Table: e.Tag}] = setting{last: last, called: m[2] == "true"}
		}
	}
	return all
}

// Extensions names those of the database, save the one that each has.
func (s *Survey) Extensions() []string { return s.built.extensions }

// Unvalidated is the number of constraints that were never tried on all rows.
func (s *Survey) Unvalidated() int { return s.built.invalid }

// Referred is how many foreign keys lead to a table.
func (s *Survey) Referred(t *Table) int { return s.built.referred[t.OID] }

// Sequences says how many sequences give a column its numbers, and which of them
// are behind it; known is false where the backup does not set them all.
func (s *Survey) Sequences(tables []*Table) (count int, behind []string, known bool) {
	known = true
	largest := map[columnOf]int64{}
	for _, t := range tables {
		for _, c := range t.Columns {
			if c.IsInteger() && c.Values > 0 {
				largest[columnOf{t.OID, c.Number}] = c.Largest
			}
		}
	}
	for _, q := range s.built.sequences {
		set, told := s.built.setTo[q.Name]
		known = known && told
		next := set.last
		if set.called {
			next++
		}
		n, some := largest[q.of]
		if some && told && next <= n {
			behind = append(behind, q.Name.String())
		}
	}
	return len(s.built.sequences), behind, known
}
