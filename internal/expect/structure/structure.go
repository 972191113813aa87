// Package structure reads what a database consists of, as a baseline keeps it:
// names, kinds and definitions. It judges nothing, and never keeps a literal of
// a definition: a fingerprint stands for it.
package structure

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"

	"daybefore/internal/spec"
)

// SQL lists what users made, partitions aside, which come and go with
// their months: a key; what it is; a text that only a fingerprint may stand
// for; and a definition in the server's words, of which literals are left out.
const SQL = `
with
extended(class, id) as (select d.classid, d.objid from pg_catalog.pg_depend d where d.deptype = 'e'),
schemas(oid, name) as (
  select n.oid, pg_catalog.quote_ident(n.nspname) from pg_catalog.pg_namespace n
  where n.nspname <> 'information_schema' and n.nspname not like 'pg\_%'),
relations(oid, kind, name, schema) as (
  select c.oid, c.relkind, s.name || '.' || pg_catalog.quote_ident(c.relname), s.name
  from pg_catalog.pg_class c join schemas s on s.oid = c.relnamespace
  where not c.relispartition and not exists (select from extended e
    where e.class = 'pg_catalog.pg_class'::pg_catalog.regclass and e.id = c.oid))
select 'schema ' || s.name, '', null, null from schemas s
where not exists (select from extended e where e.class = 'pg_catalog.pg_namespace'::pg_catalog.regclass
  and e.id = s.oid)
union all
select 'extension ' || pg_catalog.quote_ident(e.extname), '', null, null from pg_catalog.pg_extension e
union all
select case r.kind when 'v' then 'view ' when 'm' then 'materialized view ' when 'f' then 'foreign table '
  else 'table ' end || r.name,
       pg_catalog.concat_ws(', ', case r.kind when 'p' then 'partitioned' end, case c.relpersistence when 'u'
         then 'unlogged' end,
         'owner ' || pg_catalog.pg_get_userbyid(c.relowner),
         case when c.relrowsecurity then 'row security' end, case when c.relforcerowsecurity then 'forced' end),
       null,
       case r.kind when 'p' then pg_catalog.pg_get_partkeydef(c.oid) when 'v' then pg_catalog.pg_get_viewdef(c.oid)
         when 'm' then pg_catalog.pg_get_viewdef(c.oid) end
from relations r join pg_catalog.pg_class c on c.oid = r.oid where r.kind in ('r', 'p', 'f', 'v', 'm')
union all
select 'column ' || r.name || '.' || pg_catalog.quote_ident(a.attname),
       pg_catalog.concat_ws(', ', pg_catalog.format_type(a.atttypid, a.atttypmod), case when a.attnotnull
         then 'not null' end,
         case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
         case a.attgenerated when 's' then 'generated' when 'v' then 'generated, virtual' else case when a.atthasdef
           then 'has a default' end end,
         'collation ' || (select pg_catalog.quote_ident(l.collname) from pg_catalog.pg_collation l
           join pg_catalog.pg_type t on t.oid = a.atttypid
                          where l.oid = a.attcollation and l.oid <> t.typcollation)),
       null, (select pg_catalog.pg_get_expr(f.adbin, f.adrelid) from pg_catalog.pg_attrdef f
         where f.adrelid = a.attrelid and f.adnum = a.attnum)
from relations r join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
where r.kind in ('r', 'p', 'f')
union all
select 'constraint ' || coalesce(r.name, d.name) || '.' || pg_catalog.quote_ident(k.conname),
       pg_catalog.concat_ws(', ', case k.contype when 'c' then 'check' when 'f' then 'foreign key' when 'p'
         then 'primary key' when 'u' then 'unique' when 'x' then 'exclusion' end,
         case when not k.convalidated then 'not valid' end, case when k.condeferrable then 'deferrable' end),
       null, pg_catalog.pg_get_constraintdef(k.oid)
from pg_catalog.pg_constraint k
left join relations r on r.oid = k.conrelid
left join lateral (select s.name || '.' || pg_catalog.quote_ident(t.typname) from pg_catalog.pg_type t
  join schemas s on s.oid = t.typnamespace
                   where t.oid = k.contypid and not exists (select from extended e
                     where e.class = 'pg_catalog.pg_type'::pg_catalog.regclass and e.id = t.oid)) d(name) on true
where k.contype in ('c', 'f', 'p', 'u', 'x') and coalesce(r.name, d.name) is not null
  and (k.conparentid = 0 or k.contype in ('p', 'u'))
union all
select 'index ' || r.name || '.' || pg_catalog.quote_ident(c.relname),
       pg_catalog.concat_ws(', ', m.amname, case when i.indisunique then 'unique' end, case when not i.indisvalid
         then 'not valid' end),
       null, pg_catalog.pg_get_indexdef(i.indexrelid)
from pg_catalog.pg_index i join relations r on r.oid = i.indrelid join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_am m on m.oid = c.relam
where not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid
  and k.contype in ('p', 'u', 'x'))
union all
select 'trigger ' || r.name || '.' || pg_catalog.quote_ident(t.tgname),
       case t.tgenabled when 'O' then '' when 'D' then 'disabled' when 'R' then 'on replicas' when 'A'
         then 'always' end, null, pg_catalog.pg_get_triggerdef(t.oid)
from pg_catalog.pg_trigger t join relations r on r.oid = t.tgrelid where not t.tgisinternal
union all
select 'policy ' || r.name || '.' || pg_catalog.quote_ident(p.polname),
       pg_catalog.concat_ws(', ', case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert'
         when 'w' then 'update' when 'd' then 'delete' end,
         case when not p.polpermissive then 'restrictive' end),
       null, pg_catalog.concat_ws(' check ', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
         pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
from pg_catalog.pg_policy p join relations r on r.oid = p.polrelid
union all
select 'sequence ' || r.name,
       pg_catalog.concat_ws(', ', pg_catalog.format_type(q.seqtypid, null), case when q.seqincrement <> 1
         then pg_catalog.concat('by ', q.seqincrement) end, case when q.seqcycle then 'cycle' end), null, null
from relations r join pg_catalog.pg_sequence q on q.seqrelid = r.oid
union all
select 'function ' || s.name || '.' || pg_catalog.quote_ident(f.proname) || '('
  || pg_catalog.pg_get_function_identity_arguments(f.oid) || ')',
       pg_catalog.concat_ws(', ', case f.prokind when 'p' then 'procedure' when 'a' then 'aggregate' when 'w'
         then 'window' end,
         case when f.prokind <> 'p' then 'returns ' || pg_catalog.pg_get_function_result(f.oid) end, l.lanname,
         case f.provolatile when 'i' then 'immutable' when 's' then 'stable' end, case when f.proisstrict
           then 'strict' end, case when f.prosecdef then 'security definer' end),
       nullif(pg_catalog.concat_ws(' ', f.prosrc, f.probin), ''), $body
from pg_catalog.pg_proc f join schemas s on s.oid = f.pronamespace join pg_catalog.pg_language l on l.oid = f.prolang
where not exists (select from extended e where e.class = 'pg_catalog.pg_proc'::pg_catalog.regclass and e.id = f.oid)
union all
select 'type ' || s.name || '.' || pg_catalog.quote_ident(t.typname),
       case t.typtype
         when 'e' then pg_catalog.concat('enum, ', (select pg_catalog.count(*) from pg_catalog.pg_enum m
           where m.enumtypid = t.oid), ' labels')
         when 'd' then pg_catalog.concat_ws(', ', 'domain over ' || pg_catalog.format_type(t.typbasetype,
           t.typtypmod), case when t.typnotnull then 'not null' end, case when t.typdefault is not null
             then 'has a default' end)
         when 'c' then (select 'composite (' || pg_catalog.string_agg(pg_catalog.quote_ident(a.attname) || ' '
           || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum) || ')'
                        from pg_catalog.pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0
                          and not a.attisdropped)
         when 'r' then 'range of ' || (select pg_catalog.format_type(g.rngsubtype, null) from pg_catalog.pg_range g
           where g.rngtypid = t.oid)
         else 'base' end,
       (select pg_catalog.string_agg(m.enumlabel, ',' order by m.enumsortorder) from pg_catalog.pg_enum m
         where m.enumtypid = t.oid), t.typdefault
from pg_catalog.pg_type t join schemas s on s.oid = t.typnamespace
where t.typtype in ('e', 'd', 'c', 'r', 'b') and (t.typrelid = 0 or exists (select from pg_catalog.pg_class c
  where c.oid = t.typrelid and c.relkind = 'c'))
  and not exists (select from pg_catalog.pg_type a where a.typarray = t.oid)
  and not exists (select from extended e where e.class = 'pg_catalog.pg_type'::pg_catalog.regclass and e.id = t.oid)`

// sqlBody stands for $body. It is that of a function whose body is parsed when
// it is made, which 13 does not have.
const sqlBody = "pg_catalog.pg_get_function_sqlbody(f.oid)"

// Rows asks a database.
type Rows = func(ctx context.Context, sql string, args ...string) ([][][]byte, error)

// Read reads what the database of a server of this version consists of, 170002
// for 17.2. Names in definitions are whole, whatever search_path the database
// brings; salt is the fingerprints'.
func Read(ctx context.Context, version int, ask Rows, salt string) (*spec.Structure, error) {
	body := sqlBody
	if version < 140000 {
		body = "null"
	}
	if _, err := ask(ctx, "select pg_catalog.set_config('search_path', '', true)"); err != nil {
		return nil, fmt.Errorf("read the database's structure: %w", err)
	}
	rows, err := ask(ctx, strings.Replace(SQL, "$body", body, 1))
	if err != nil {
		return nil, fmt.Errorf("read the database's structure: %w", err)
	}
	s := spec.NewStructure(version/10000, salt)
	for _, row := range rows {
		key := string(row[0])
		is := string(row[1])
		if row[2] != nil {
			is = strings.TrimSpace(is + " " + fingerprint(salt, string(row[2])))
		}
		s.Objects[key] = is
		if row[3] != nil {
			s.Definitions[key] = definition(key, string(row[3]), salt)
		}
	}
	return s, nil
}

// fingerprint stands for a text: 64 bits by a salt, so that equal texts of one
// baseline are told as equal and no other.
func fingerprint(salt, text string) string {
	h := hmac.New(sha256.New, []byte(salt))
	h.Write([]byte(text))
	return fmt.Sprintf("#%x", h.Sum(nil)[:8])
}

// NewSalt is one that no other baseline has.
func NewSalt() string { return rand.Text() }

// definition is the server's text without what may be a value of somebody: a
// fingerprint reports whether that has changed. Of views, which are long, it
// stands for all.
func definition(key, text, salt string) string {
	bare, whole := outline(text)
	switch {
	case strings.HasPrefix(key, "view "), strings.HasPrefix(key, "materialized view "),
		strings.HasPrefix(key, "function "):
		return fingerprint(salt, text)
	case whole:
		return bare
	}
	return bare + " " + fingerprint(salt, text)
}

// outline takes the literals out of an SQL expression, whole if there were
// none: quoted ones save the names of relations, and numbers of more than
// three digits.
func outline(sql string) (bare string, whole bool) {
	const fewDigits = 3
	var b strings.Builder
	whole = true
	for len(sql) > 0 {
		n := tokenLength(sql)
		token, rest := sql[:n], sql[n:]
		c := token[0]
		switch {
		case c == '\'' && len(token) > len("''") && !strings.HasPrefix(rest, "::regclass"):
			token, whole = "'…'", false
		case isDigit(c) && len(token) > fewDigits:
			token, whole = "…", false
		}
		b.WriteString(token)
		sql = rest
	}
	return b.String(), whole
}

// tokenLength is that of a quoted text or name, a number, a word, or of
// anything else one character. Servers write a quote within quotes twice.
func tokenLength(sql string) int {
	word := func(c byte) bool { return c == '_' || c >= 0x80 || isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }
	c := sql[0]
	switch {
	case c == '\'' || c == '"':
		end := strings.IndexByte(sql[1:], c)
		if end < 0 {
			return len(sql)
		}
		return end + 2
	case isDigit(c):
		return lengthOf(sql, func(c byte) bool { return isDigit(c) || c == '.' })
	case word(c):
		return lengthOf(sql, word)
	}
	return 1
}

func lengthOf(s string, is func(byte) bool) int {
	for i := range len(s) {
		if !is(s[i]) {
			return i
		}
	}
	return len(s)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
