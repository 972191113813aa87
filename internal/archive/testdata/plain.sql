-- A schema made to be nasty to whoever cuts its script into statements.
CREATE DATABASE plain TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c plain
CREATE ROLE plain_owner;
CREATE SCHEMA n;
CREATE TABLE n.a (id int PRIMARY KEY, v text DEFAULT 'COPY n.a FROM stdin;' CHECK (v <> E'x\\'';\n\\.\n'));
COMMENT ON TABLE n.a IS 'a comment
COPY n.a (id, v) FROM stdin;
1	not a row
\.
-- PostgreSQL database dump complete
--
\connect other
';
INSERT INTO n.a VALUES (1, E'\\.'), (2, E'\n\\.\n'), (3, E'COPY n.a FROM stdin;\n7\tx\n\\.\n'), (4, NULL), (5, E'\\N'), (6, ''), (7, E'it''s "quoted" $$ -- /* ; \\'),
  (8, E'INSERT INTO n.b VALUES (1, ''x'');'), (9, E'\b\f\n\r\t\v\x01'), (10, 'ünï');
CREATE TABLE "n"."t'able $$ ""q"" /* -- \ ;" ("c,ol) VALUES (" int, "values" text, "$$" bool);
INSERT INTO "n"."t'able $$ ""q"" /* -- \ ;" VALUES (1, 'x', true), (NULL, NULL, NULL), (3, '', false);
CREATE TABLE n.nothing ();
INSERT INTO n.nothing DEFAULT VALUES;
INSERT INTO n.nothing DEFAULT VALUES;
CREATE TABLE n.no_rows (a int);
CREATE TABLE n.gen (a int GENERATED ALWAYS AS IDENTITY, g1 int GENERATED ALWAYS AS (1 + 1) STORED, b text, g2 text GENERATED ALWAYS AS ('g') STORED);
INSERT INTO n.gen (b) VALUES ('one'), (NULL), ('three');
CREATE TABLE n.only_gen (g int GENERATED ALWAYS AS (1) STORED);
INSERT INTO n.only_gen DEFAULT VALUES;
CREATE FUNCTION n.f1() RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  EXECUTE $$ SELECT 'a;' $$;
  EXECUTE $x$COPY n.a FROM stdin;
1	x
\.
$x$;
  RETURN 'x'; -- '
END $f$;
CREATE FUNCTION n.f2(a int, b text DEFAULT ';') RETURNS int LANGUAGE sql
  BEGIN ATOMIC
    SELECT CASE WHEN a > 1 THEN 2 ELSE CASE WHEN b = ';' THEN 3 END END;
    SELECT 1;
    INSERT INTO n.a VALUES (100, 'from a body; END;');
    SELECT 2;
  END;
CREATE PROCEDURE n.p1() LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
CREATE OR REPLACE FUNCTION n.f3() RETURNS text LANGUAGE sql AS 'SELECT ''it''''s; '' || E''\\''';
CREATE FUNCTION n.f4() RETURNS text LANGUAGE plpgsql AS '
BEGIN
  RETURN ''$$ " $f$ /* '';
END';
CREATE VIEW n.v AS SELECT id, 'COPY n.a FROM stdin;' AS "a;b" FROM n.a WHERE v <> ';';
CREATE RULE r AS ON INSERT TO n.v DO INSTEAD (INSERT INTO n.a VALUES (new.id); DELETE FROM n.no_rows; NOTIFY x, 'a;b');
CREATE VIEW n.first AS SELECT NULL::int AS x;
CREATE VIEW n.second AS SELECT x FROM n.first;
CREATE OR REPLACE VIEW n.first AS SELECT 1 AS x FROM n.v WHERE false;
CREATE TYPE n.e AS ENUM ('a;', 'COPY n.a FROM stdin;', E'new\nline', '$$');
CREATE TYPE n.comp AS (x int, y text);
CREATE DOMAIN n.d AS text CHECK (VALUE <> 'x;');
CREATE AGGREGATE n.agg (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE OPERATOR n.<-> (LEFTARG = int, RIGHTARG = int, FUNCTION = int4mi);
CREATE TABLE n.parted (k n.e, v text) PARTITION BY LIST (k);
CREATE TABLE n.parted_a PARTITION OF n.parted FOR VALUES IN ('a;');
CREATE TABLE n.parted_rest PARTITION OF n.parted DEFAULT;
INSERT INTO n.parted VALUES ('a;', 'one'), ('$$', 'two');
CREATE TABLE n.child (extra text) INHERITS (n.a);
INSERT INTO n.child VALUES (50, 'child', 'more');
CREATE INDEX ON n.parted (v);
CREATE UNIQUE INDEX ON n.gen (b) WHERE b <> ';';
CREATE INDEX clustered ON n.child (id);
ALTER TABLE n.child CLUSTER ON clustered;
ALTER TABLE n.gen ADD CONSTRAINT gen_a UNIQUE (a);
ALTER TABLE n.gen REPLICA IDENTITY FULL;
ALTER TABLE n.gen ADD CONSTRAINT gen_fk FOREIGN KEY (a) REFERENCES n.gen (a);
CREATE FUNCTION n.tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON n.a FOR EACH ROW WHEN (new.v = 'x;') EXECUTE FUNCTION n.tf('a;', 'b''');
ALTER TABLE n.a ENABLE ALWAYS TRIGGER t;
CREATE MATERIALIZED VIEW n.mv AS SELECT count(*) FROM n.a;
CREATE STATISTICS n.st ON id, v FROM n.a;
CREATE PUBLICATION pub FOR TABLE n.a;
CREATE TEXT SEARCH CONFIGURATION n.ts (COPY = simple);
CREATE COLLATION n.c (LOCALE = 'C');
CREATE CAST (n.comp AS text) WITH INOUT AS ASSIGNMENT;
CREATE ACCESS METHOD am2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE FOREIGN DATA WRAPPER w OPTIONS (a 'x;y', b '''');
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE n.ft (a int OPTIONS (o ';')) SERVER s OPTIONS (p '$$');
ALTER TABLE n.a OWNER TO plain_owner;
ALTER FUNCTION n.f2(int, text) OWNER TO plain_owner;
GRANT SELECT ON n.a TO plain_owner;
COMMENT ON COLUMN n.a.v IS E'back\\slash; ''';
COMMENT ON FUNCTION n.f2(int, text) IS 'BEGIN ATOMIC;';
SELECT lo_from_bytea(777, 'COPY x FROM stdin;');
CREATE SEQUENCE n.seq;
SELECT setval('n.seq', 42);
