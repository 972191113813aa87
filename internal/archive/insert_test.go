package archive

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// everyType is a table with a column of every builtin type, and values that
// are hard to write.
const everyType = `
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('happy', 'it''s', E'new\nline');
CREATE TYPE s.pair AS (a int, b text);
CREATE DOMAIN s.flag AS boolean;
CREATE DOMAIN s.count AS bigint;
CREATE TABLE s.types (
  i2 smallint, i4 integer, i8 bigint, o oid, f4 real, f8 double precision, n numeric, n2 numeric(20,4), m money, b boolean,
  bi bit(5), vb bit varying, ch char(5), vc varchar, tx text, nm name, c1 "char", by bytea, dt date, t time, tz timetz, ts timestamp, tst timestamptz,
  iv interval, u uuid, ip inet, ci cidr, ma macaddr, ma8 macaddr8, pt point, li line, ls lseg, bx box, pa path, po polygon, ci2 circle,
  js json, jb jsonb, xm xml, tv tsvector, tq tsquery, ai int[], at text[], ab bool[], r4 int4range, rn numrange, rt tsrange, rtz tstzrange, rd daterange,
  jp jsonpath, ls2 pg_lsn, tid2 tid, xi xid, rc regtype, md s.mood, pr s.pair, fl s.flag, cn s.count, af float8[], an numeric[], xs txid_snapshot);
INSERT INTO s.types VALUES
 (-32768, -2147483648, -9223372036854775808, 4294967295, 'NaN', '-Infinity', 'NaN', -1.5000, '-12.34', true,
  B'10101', B'', 'a', E'a\tb', E'it''s \\ "x"\nCOPY s.types FROM stdin;\n\\.\n', 'name', 'x', '\xdeadbeef5c27', '2020-02-29', '23:59:59.999999',
    '00:00+14', '0001-01-01 BC', 'infinity',
  '-1 year 2 days', '00000000-0000-0000-0000-000000000000', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '(1.5,-2)', '{1,2,3}',
    '[(0,0),(1,1)]', '(1,1),(0,0)', '((0,0),(1,1))', '((0,0),(1,1),(2,0))', '<(0,0),1>',
  '{"a": "it''s \u00e9 \\n"}', '{"n": 1.10, "s": "\\"}', '<a b="c''d">&amp;</a>', 'a:1 ''it''''s'':2', 'a & !b', '{{1,2},{NULL,4}}',
    E'{"a,b","q\\"q","back\\\\slash",NULL,"NULL",""}', '{t,f,NULL}', '[1,5)', '(,1.5]', '[2020-01-01,)', 'empty', '[2020-01-01,2020-02-01)',
  '$.a[*] ? (@ > 1)', '16/B374D848', '(0,1)', '42', 'integer', E'new\nline', '(1,"a ""q"" \\\\ ''x''")', false, 9, '{NaN,Infinity,1e+300}', '{NaN,1.10}',
    '10:20:10,14,15'),
 (1, 2, 3, 4, 1e-20, 1e+300, 123456789012345678901234567890.123, 0, '0', false, B'00000', B'1', '', '', '', '', '', '', 'infinity', '00:00', '12:00-03:30',
   '2020-01-01 00:00:00.1', '2020-01-01 00:00+00',
  '1 mon', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '1.2.3.4', '::/0', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00', '(NaN,Infinity)', '{0,1,-1}',
    '[(1e+20,0),(1,1)]', '(1,1),(1,1)', '[(0,0)]', '((0,0))', '<(1,2),0>',
  'null', 'null', '', '', '', '{}', '{}', '{}', 'empty', 'empty', 'empty', '(,)', 'empty', '$', '0/0', '(1,2)', '0', '-', 'happy', '(,)', true, 0, '{}',
    '{}', '1:1:');
INSERT INTO s.types VALUES (0, 0, 0, 0, 0, '-0', 0.00, 0.5, '1', NULL, B'11111', B'0101010101', 'éé', 'é', U&'\0001\007f\+01F600', 'n', '\\', '\x',
  '-infinity', '24:00', '00:00', '-infinity', '-infinity', '0', NULL, NULL);
INSERT INTO s.types DEFAULT VALUES;
CREATE TABLE s.partly (a int, g int GENERATED ALWAYS AS (1) STORED, "select" text, id int GENERATED ALWAYS AS IDENTITY);
INSERT INTO s.partly VALUES (1, DEFAULT, 'x'), (NULL, DEFAULT, NULL);
CREATE TABLE s.dropped (a int, b text, c int);
INSERT INTO s.dropped VALUES (1, 'gone', 2);
ALTER TABLE s.dropped DROP COLUMN b;
CREATE TABLE s.none ();
INSERT INTO s.none DEFAULT VALUES;
INSERT INTO s.none DEFAULT VALUES;
`

// TestInsertsAreTheRows compares INSERT statements, turned into rows, with the
// rows that the same pg_dump writes for COPY.
func TestInsertsAreTheRows(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			c.Exec("postgres", everyType)
			want := map[string]string{}
			a := openScript(t, c.Dump("-d", "postgres"))
			for _, e := range a.Entries {
				if e.Desc == "TABLE DATA" {
					_, want[e.Tag], _ = strings.Cut(rowsOf(t, a, e), "\n")
				}
			}
			if len(want) != 4 || strings.Count(want["types"], "\n") != 5 {
				t.Fatalf("rows of %q", slices.Sorted(maps.Keys(want)))
			}
			for _, args := range [][]string{{"--inserts"}, {"--column-inserts"}, {"--rows-per-insert=2"},
				{"--column-inserts", "--rows-per-insert=3", "--on-conflict-do-nothing"}, {"--inserts", "--quote-all-identifiers"}} {
				if name == "17" && len(args) == 1 {
					continue // the rest is the same in all versions
				}
				a := openScript(t, c.Dump(append([]string{"-d", "postgres"}, args...)...))
				got := map[string]string{}
				for _, e := range a.Entries {
					if e.Desc == "TABLE DATA" {
						_, got[e.Tag], _ = strings.Cut(rowsOf(t, a, e), "\n")
					}
				}
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("%v: %s", args, diff)
				}
				custom := c.Dump(append([]string{"-Fc", "-d", "postgres"}, args...)...)
				b := mustOpen(t, custom)
				entries := slices.DeleteFunc(b.Entries, func(e Entry) bool { return !e.Inserts() })
				list := c.Scratch("list", UseList(entries))
				file := c.Scratch("inserts.dump", custom)
				out := c.Run(nil, "pg_restore", "-f", "-", "-L", list, file)
				spelled := map[string]string{}
				r := b.InsertReader(bytes.NewReader(out), "")
				for {
					target, err := r.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					rows, err := io.ReadAll(r)
					if err != nil {
						t.Fatal(err)
					}
					spelled[target.Table] = string(rows)
				}
				if diff := gocmp.Diff(want, spelled); diff != "" {
					t.Errorf("%v, through pg_restore: %s", args, diff)
				}
			}
		})
	}
}
