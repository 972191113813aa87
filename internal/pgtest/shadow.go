package pgtest

// Shadow is SQL that makes a schema evil with a thing of the same name for all
// that a server's own schema holds: operators, functions, aggregates and types,
// and casts between the server's own types and text. Whoever uses one of them
// meets an exception, in a session where evil.armed is on, and in every one of
// a server that has a cluster_name, as a sandbox has.
const Shadow = `
create schema evil;
create function evil.spring() returns bool language plpgsql stable as $f$ begin
  if pg_catalog.current_setting('cluster_name') operator(pg_catalog.<>) ''
     or coalesce(pg_catalog.current_setting('evil.armed', true), 'off') operator(pg_catalog.=) 'on' then
    raise exception 'a trap was sprung';
  end if;
  return true;
end $f$;
do $do$
declare
  x record; shape text; made int := 0;
  trap constant text := ' language plpgsql immutable as ''begin perform evil.spring(); return null; end''';
begin
  for x in select distinct on (args, result) pg_catalog.format_type(a, null) || coalesce(', '
    || pg_catalog.format_type(b, null), '') as args,
             pg_catalog.format_type(r, null) as result
           from (select nullif(oprleft, 0) as l, oprright as b0, oprresult as r from pg_catalog.pg_operator
             where oprnamespace = 11) o
           cross join lateral (select coalesce(l, b0) as a, case when l is not null then b0 end as b) p loop
    begin
      execute pg_catalog.format('create function evil.%I(%s) returns %s %s', 'op_' || x.result, x.args, x.result, trap);
    exception when others then null; end;
  end loop;
  for x in select oprname, nullif(oprleft, 0) as l, oprright as b, oprresult as r from pg_catalog.pg_operator
    where oprnamespace = 11 loop
    begin
      execute pg_catalog.format('create operator evil.%s (%s rightarg = %s, function = evil.%I)', x.oprname,
        coalesce('leftarg = ' || pg_catalog.format_type(x.l, null) || ',', ''), pg_catalog.format_type(x.b, null),
          'op_' || pg_catalog.format_type(x.r, null));
      made := made + 1;
    exception when others then null; end;
  end loop;
  if made < 500 then raise exception 'only % operators could be shadowed', made; end if;
  made := 0;
  for x in select proname, pg_catalog.pg_get_function_identity_arguments(oid) as args,
    pg_catalog.pg_get_function_result(oid) as result
           from pg_catalog.pg_proc p where pronamespace = 11 and prokind = 'f' and not proretset
             and (proname in (select proname from pg_catalog.pg_proc where pronamespace = 11 and provolatile <> 'i')
                  or proname ~ '^(left|right|lower|upper|md5|substr|strpos|split_part|to_char|isfinite|date_part'
                    '|extract|quote_ident|timezone|array_|row_to|to_json|format|concat|replace|length)') loop
    begin
      execute pg_catalog.format('create function evil.%I(%s) returns %s %s', x.proname, x.args, x.result, trap);
      made := made + 1;
    exception when others then null; end;
  end loop;
  if made < 300 then raise exception 'only % functions could be shadowed', made; end if;
  for x in select proname, pg_catalog.pg_get_function_identity_arguments(oid) as args,
    pg_catalog.pg_get_function_result(oid) as result
           from pg_catalog.pg_proc p where pronamespace = 11 and prokind = 'a' and pronargs = 1 loop
    begin
      execute pg_catalog.format('create function evil.%I(%s, %s) returns %s %s', 'agg_' || x.proname, x.result,
        x.args, x.result, trap);
      execute pg_catalog.format('create aggregate evil.%I(%s) (sfunc = evil.%I, stype = %s)', x.proname, x.args,
        'agg_' || x.proname, x.result);
    exception when others then null; end;
  end loop;
  create function evil.counts(bigint) returns bigint language plpgsql immutable
    as 'begin perform evil.spring(); return null; end';
  create aggregate evil.count(*) (sfunc = evil.counts, stype = bigint, initcond = '0');
  for x in select t.oid, t.typname from pg_catalog.pg_type t where t.typnamespace = 11 and t.typtype = 'b'
    and t.typelem = 0 and t.typname not like '\_%' loop
    begin
      execute pg_catalog.format('create domain evil.%I as pg_catalog.%I check (evil.spring())', x.typname, x.typname);
    exception when others then null; end;
  end loop;
  made := 0;
  for x in select s.oid as source, d.oid as target from pg_catalog.pg_type s join pg_catalog.pg_type d on (s.oid = 25
    or d.oid = 25) and s.oid <> d.oid
           where s.typnamespace = 11 and d.typnamespace = 11 and s.typtype = 'b' and d.typtype = 'b'
             and not exists (select from pg_catalog.pg_cast c where c.castsource = s.oid and c.casttarget = d.oid) loop
    begin
      execute pg_catalog.format('create function evil.%I(%s) returns %s %s', 'to_'
        || pg_catalog.format_type(x.target, null),
        pg_catalog.format_type(x.source, null), pg_catalog.format_type(x.target, null), trap);
      execute pg_catalog.format('create cast (%s as %s) with function evil.%I(%1$s)',
        pg_catalog.format_type(x.source, null),
        pg_catalog.format_type(x.target, null), 'to_' || pg_catalog.format_type(x.target, null));
      made := made + 1;
    exception when others then null; end;
  end loop;
  if made < 50 then raise exception 'only % casts could be made', made; end if;
end $do$;
`
