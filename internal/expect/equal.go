package expect

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// firstUserID is the first oid that initdb leaves to users (FirstNormalObjectId
// in src/include/access/transam.h).
const firstUserID = 16384

// itsOwn keeps functions that a backup wrote: f is pg_proc. Those of the server
// and, in C, of extensions come with the sandbox.
const itsOwn = `f.oid >= '16384'::pg_catalog.oid
  and not (f.prolang = (select l.oid from pg_catalog.pg_language l where l.lanname = 'c')
    and exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      and d.objid = f.oid and d.deptype = 'e'))`

// comparedBy asks of the type $1 whether code of the backup's own reads, writes
// or compares its values, or any within them, or casts between it and text; and
// for the operator that tells its values apart.
const comparedBy = `
with recursive part(typ) as (
  select $1::pg_catalog.oid
  union
  select x.typ from part p join pg_catalog.pg_type t on t.oid = p.typ cross join lateral (
    select t.typelem as typ where t.typelem <> '0'::pg_catalog.oid
    union all select t.typbasetype where t.typbasetype <> '0'::pg_catalog.oid
    union all select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid = t.oid
    union all select r.rngtypid from pg_catalog.pg_range r
      where t.typtype = 'm' and pg_catalog.to_jsonb(r) ->> 'rngmultitypid' = pg_catalog.format('%s', t.oid)
    union all select a.atttypid from pg_catalog.pg_attribute a
      where a.attrelid = t.typrelid and a.attnum > '0'::pg_catalog.int2 and not a.attisdropped) x
), family(oid) as (
  select k.opcfamily from pg_catalog.pg_opclass k join part p on p.typ = k.opcintype where k.opcdefault
  union select k.opcfamily from pg_catalog.pg_range r join part p on p.typ = r.rngtypid
    join pg_catalog.pg_opclass k on k.oid = r.rngsubopc
), called(oid) as (
  select pg_catalog.unnest(array[t.typinput, t.typoutput]::pg_catalog.oid[]) from pg_catalog.pg_type t
    join part p on p.typ = t.oid
  union select r.rngcanonical::pg_catalog.oid from pg_catalog.pg_range r join part p on p.typ = r.rngtypid
  union select m.amproc::pg_catalog.oid from pg_catalog.pg_amproc m join family on family.oid = m.amprocfamily
  union select o.oprcode::pg_catalog.oid from pg_catalog.pg_amop m join family on family.oid = m.amopfamily
    join pg_catalog.pg_operator o on o.oid = m.amopopr
  union select k.castfunc from pg_catalog.pg_cast k
    where k.castsource = $1::pg_catalog.oid and k.casttarget = '25'::pg_catalog.oid
      or k.castsource = '25'::pg_catalog.oid and k.casttarget = $1::pg_catalog.oid
)
select exists (select from called join pg_catalog.pg_proc f on f.oid = called.oid where ` + itsOwn + `),
  (select 'OPERATOR(' || pg_catalog.quote_ident(n.nspname) || '.' || o.oprname || ')'
   from pg_catalog.pg_opclass k join pg_catalog.pg_am a on a.oid = k.opcmethod and a.amname = 'btree'
   join pg_catalog.pg_amop m on m.amopfamily = k.opcfamily and m.amopstrategy = '3'::pg_catalog.int2
     and m.amoplefttype = k.opcintype and m.amoprighttype = k.opcintype
   join pg_catalog.pg_operator o on o.oid = m.amopopr join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
   where k.opcdefault and k.opcintype = $1::pg_catalog.oid limit 1)`

// ownEqual is the server's own operator, which also compares enums, arrays,
// ranges and rows of any type.
const ownEqual = "OPERATOR(pg_catalog.=)"

// compared is how values of a type are compared.
type compared struct {
	equal string // an operator
	alien bool   // code of the backup's own has a say in it
}

// comparedBy asks how values of a type are compared. Of the server's own types
// it knows without being asked, save of arrays and of casts, where they count.
func (q *query) comparedBy(ctx context.Context, t columnType, casts bool) (compared, error) {
	id, err := strconv.ParseUint(t.oid, 10, 32)
	if err == nil && id < firstUserID && !casts && !strings.HasSuffix(t.name, "[]") {
		return compared{equal: ownEqual}, nil
	}
	rows, err := q.rows(ctx, comparedBy, t.oid)
	if err != nil || len(rows) != 1 {
		return compared{}, fmt.Errorf("ask how values of the type %s are compared: %w", t.name, err)
	}
	c := compared{equal: ownEqual, alien: string(rows[0][0]) == "t"}
	if rows[0][1] != nil {
		c.equal = string(rows[0][1])
	}
	return c, nil
}

// unjudged is why nothing can be said of values that the backup's code compares.
func unjudged(code verdict.Code, name spec.Name, column string, pos spec.Pos) *verdict.Problem {
	return verdict.Errorf(code, "judge by a column of one of the server's own types",
		"%s is of a type whose values code of the backup's own compares, reads or writes, so that nothing is proven "+
			"by it (%v)",
		name.Column(column), pos)
}

// misleading asks whether the database has classes of indexes that find by the
// server's own operators, and by functions that the backup wrote: such an index
// may hide rows from whoever asks.
const misleading = `
select exists (
  select from pg_catalog.pg_amop m join pg_catalog.pg_amproc p on p.amprocfamily = m.amopfamily
  join pg_catalog.pg_proc f on f.oid = p.amproc::pg_catalog.oid
  where m.amopopr < '16384'::pg_catalog.oid and ` + itsOwn + `)`

// withoutIndexes keeps a transaction from reading by an index.
var withoutIndexes = "select " + setLocal("enable_indexscan", "off") + ", " + setLocal("enable_indexonlyscan", "off") +
	", " + setLocal("enable_bitmapscan", "off") + ", " + setLocal("enable_seqscan", "on")
