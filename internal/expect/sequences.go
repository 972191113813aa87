package expect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// findSequences lists the sequences that give a column its numbers: because
// the column owns them, or by its default. One that goes round in a cycle may
// be behind, and partitions are looked at through their root.
const findSequences = `
select distinct sn.nspname, s.relname, n.nspname, c.relname, a.attname, q.seqincrement
from (
  select d.objid as sequence, d.refobjid as relation, d.refobjsubid as num
  from pg_catalog.pg_depend d
  where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and d.refobjsubid > 0 and d.deptype in ('a', 'i')
  union
  select d.refobjid, f.adrelid, f.adnum
  from pg_catalog.pg_depend d join pg_catalog.pg_attrdef f on f.oid = d.objid
  where d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
) gives
join pg_catalog.pg_sequence q on q.seqrelid = gives.sequence and not q.seqcycle
join pg_catalog.pg_class s on s.oid = gives.sequence
join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
join pg_catalog.pg_class c on c.oid = gives.relation and c.relkind in ('r', 'p') and not c.relispartition
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = gives.num
left join pg_catalog.pg_type t on t.oid = a.atttypid and t.typtype = 'd'
where coalesce(nullif(t.typbasetype, 0), a.atttypid) in (20, 21, 23, 1700) and ` + users + `
order by 1, 2, 3, 4, 5`

// sequence gives a column its numbers.
type sequence struct {
	name, column string // as a drill file writes it
	sql          string // how far it is behind; null or less than one: it is not
}

// sequencesAtOnce are asked for in one statement.
const sequencesAtOnce = 200

// sequences judges whether any of them would give a number next that stands
// in its column, or before what stands there: inserts would collide.
func sequences(rewritten func(schema, table, column string) bool) pendingCheck {
	return pendingCheck{
		Check: verdict.Check{ID: "sequences", Code: verdict.CodeSequences, Expected: "none behind its column"},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			if err := q.session.names.trust(ctx, q); err != nil {
				return err
			}
			rows, err := q.rows(ctx, findSequences)
			if err != nil {
				return fmt.Errorf("list the sequences: %w", err)
			}
			var all []sequence
			for _, row := range rows {
				// A column that the scrub rewrites says nothing about the backup.
				if schema, table, column := string(row[2]), string(row[3]),
					string(row[4]); rewritten == nil || !rewritten(schema, table, column) {
					all = append(all,
						newSequence(string(row[0]), string(row[1]), schema, table, column, string(row[5])))
				}
			}
			behind, err := askBehind(ctx, q, all)
			if err != nil {
				return err
			}
			judgeSequences(c, len(all), behind, q.session.names.several)
			return nil
		},
	}
}

func newSequence(schema, name, ofSchema, table, column, increment string) sequence {
	extreme, ahead := "max", "m - next + 1"
	if strings.HasPrefix(increment, "-") {
		extreme, ahead = "min", "next - m + 1"
	}
	return sequence{
		name:   spec.Name{Schema: schema, Table: name}.String(),
		column: spec.Name{Schema: ofSchema, Table: table}.Column(column),
		sql: fmt.Sprintf(`select %s from (select case when is_called then last_value::pg_catalog.numeric + (%s) else `+
			`last_value end, (select pg_catalog.%s(%s)::pg_catalog.numeric from %s) from %s) s(next, m)`,
			ahead, increment, extreme, pgx.Identifier{column}.Sanitize(), pgx.Identifier{ofSchema, table}.Sanitize(),
			pgx.Identifier{schema, name}.Sanitize()),
	}
}

// askBehind names the sequences that are behind, each with how far.
func askBehind(ctx context.Context, q *query, all []sequence) ([]string, error) {
	var behind []string
	for some := range slices.Chunk(all, sequencesAtOnce) {
		var each []string
		for i, s := range some {
			each = append(each, fmt.Sprintf("select %d, (%s)", i, s.sql))
		}
		rows, err := q.rows(ctx, "select i, b from (\n"+strings.Join(each, "\nunion all ")+"\n) s(i, b) where b > 0")
		if err != nil {
			return nil, fmt.Errorf("compare sequences with their columns: %w", err)
		}
		for _, row := range rows {
			var i int
			if _, err := fmt.Sscan(string(row[0]), &i); err != nil {
				return nil, fmt.Errorf("compare sequences with their columns: %w", err)
			}
			behind = append(behind, fmt.Sprintf("%s by %s (%s)", some[i].name, row[1], some[i].column))
		}
	}
	return behind, nil
}

func judgeSequences(c *verdict.Check, total int, behind []string, several func([]string) string) {
	switch {
	case total == 0:
		c.Pass("there are none")
	case len(behind) == 0:
		c.Pass(fmt.Sprintf("%d, none behind", total))
	default:
		slices.Sort(behind)
		c.Say(verdict.Fail, fmt.Sprintf("%d of %d behind", len(behind), total),
			"inserts would collide with rows that are there: setval() each after a restore, and find out "+
				"what wrote the rows without it",
			"behind their column: %s", several(behind))
	}
}
