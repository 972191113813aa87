with mine as (select oid, nspname from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'),
relations as (select c.oid, c.relkind, mine.nspname || '.' || c.relname as name, c.relpartbound from pg_catalog.pg_class c join mine on mine.oid = c.relnamespace
	where not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')),
functions as (select p.oid, mine.nspname || '.' || p.proname as name, p.prosrc, p.prokind, p.proargdefaults, p.proconfig from pg_catalog.pg_proc p join mine on mine.oid = p.pronamespace
	where not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'))
select 'a comment on ' || coalesce(pg_catalog.pg_describe_object(classoid, objoid, objsubid), '?'), description from pg_catalog.pg_description
	where (objoid >= 16384 or classoid = 'pg_catalog.pg_largeobject'::regclass or classoid = 'pg_catalog.pg_namespace'::regclass and objoid in (select oid from mine) and description <> 'standard public schema')
	and not exists (select from pg_catalog.pg_depend d where d.classid = classoid and d.objid = objoid and d.deptype = 'e')
union all select 'a comment on a shared object', description from pg_catalog.pg_shdescription where objoid >= 16384
union all select 'the default of ' || r.name || '.' || a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
	from pg_catalog.pg_attrdef d join relations r on r.oid = d.adrelid join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
union all select 'the constraint ' || k.conname || coalesce(' of ' || r.name, ''), pg_catalog.pg_get_constraintdef(k.oid)
	from pg_catalog.pg_constraint k join mine on mine.oid = k.connamespace left join relations r on r.oid = k.conrelid where k.contype in ('c', 'x')
union all select 'the index ' || r.name, pg_catalog.pg_get_indexdef(i.indexrelid) from pg_catalog.pg_index i join relations r on r.oid = i.indexrelid where i.indpred is not null or i.indexprs is not null
union all select 'the view ' || r.name, pg_catalog.pg_get_viewdef(r.oid) from relations r where r.relkind in ('v', 'm')
union all select 'the function ' || f.name, f.prosrc from functions f
union all select 'the function ' || f.name, pg_catalog.pg_get_function_arguments(f.oid) from functions f where f.proargdefaults is not null
union all select 'the function ' || f.name, pg_catalog.pg_get_functiondef(f.oid) from functions f where f.prosrc = '' and f.prokind in ('f', 'p')
union all select 'the function ' || f.name, pg_catalog.array_to_string(f.proconfig, ' ') from functions f where f.proconfig is not null
union all select 'the default of ' || mine.nspname || '.' || t.typname, t.typdefault from pg_catalog.pg_type t join mine on mine.oid = t.typnamespace where t.typtype = 'd' and t.typdefault is not null
union all select 'the statistics ' || mine.nspname || '.' || x.stxname, pg_catalog.pg_get_statisticsobjdef(x.oid) from pg_catalog.pg_statistic_ext x join mine on mine.oid = x.stxnamespace
union all select 'the publication ' || p.pubname, pg_catalog.to_jsonb(p) ->> 'rowfilter' from pg_catalog.pg_publication_tables p where pg_catalog.to_jsonb(p) ->> 'rowfilter' is not null
union all select 'a label of ' || mine.nspname || '.' || t.typname, e.enumlabel from pg_catalog.pg_enum e join pg_catalog.pg_type t on t.oid = e.enumtypid join mine on mine.oid = t.typnamespace
union all select 'the aggregate ' || f.name, pg_catalog.concat_ws(' ', g.agginitval, g.aggminitval) from pg_catalog.pg_aggregate g join functions f on f.oid = g.aggfnoid where coalesce(g.agginitval, g.aggminitval) is not null
union all select 'the dictionary ' || mine.nspname || '.' || d.dictname, d.dictinitoption from pg_catalog.pg_ts_dict d join mine on mine.oid = d.dictnamespace where d.dictinitoption is not null
union all select 'the foreign data wrapper ' || fdwname, pg_catalog.array_to_string(fdwoptions, ' ') from pg_catalog.pg_foreign_data_wrapper where fdwoptions is not null
union all select 'the bounds of ' || r.name, pg_catalog.pg_get_expr(r.relpartbound, r.oid) from relations r where r.relpartbound is not null
union all select 'the partition key of ' || r.name, pg_catalog.pg_get_partkeydef(r.oid) from relations r join pg_catalog.pg_partitioned_table k on k.partrelid = r.oid where k.partexprs is not null
union all select 'the policy ' || p.polname || ' of ' || r.name, coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '') || ' ' || coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
	from pg_catalog.pg_policy p join relations r on r.oid = p.polrelid
union all select 'the trigger ' || g.tgname || ' of ' || r.name, pg_catalog.pg_get_triggerdef(g.oid) from pg_catalog.pg_trigger g join relations r on r.oid = g.tgrelid where not g.tgisinternal
union all select 'the rule ' || w.rulename || ' of ' || r.name, pg_catalog.pg_get_ruledef(w.oid) from pg_catalog.pg_rewrite w join relations r on r.oid = w.ev_class where w.rulename <> '_RETURN'
union all select 'the foreign table ' || r.name, pg_catalog.array_to_string(f.ftoptions, ' ') from pg_catalog.pg_foreign_table f join relations r on r.oid = f.ftrelid where f.ftoptions is not null
union all select 'the foreign table ' || r.name, pg_catalog.array_to_string(a.attfdwoptions, ' ') from pg_catalog.pg_attribute a join relations r on r.oid = a.attrelid where a.attfdwoptions is not null
union all select 'the user mapping of ' || srvname, pg_catalog.array_to_string(umoptions, ' ') from pg_catalog.pg_user_mappings where umoptions is not null
union all select 'the subscription ' || subname, subconninfo from pg_catalog.pg_subscription
union all select 'the foreign server ' || srvname, pg_catalog.array_to_string(srvoptions, ' ') from pg_catalog.pg_foreign_server where srvoptions is not null
union all select 'a setting of the database', pg_catalog.array_to_string(setconfig, ' ') from pg_catalog.pg_db_role_setting
