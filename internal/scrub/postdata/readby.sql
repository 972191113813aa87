with recursive reads(view, relation, attribute) as (
  select w.ev_class, d.refobjid, d.refobjsubid from pg_catalog.pg_rewrite w
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  where w.rulename = '_RETURN'),
within(relation, attribute) as (
  select r.relation, r.attribute from reads r join pg_catalog.pg_class c on c.oid = r.view
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2
  union select r.relation, r.attribute from within w join reads r on r.view = w.relation)
select w.relation, a.attname::pg_catalog.text from within w
  join pg_catalog.pg_attribute a on a.attrelid = w.relation and a.attnum = w.attribute where a.attnum > 0
order by w.relation, a.attnum
