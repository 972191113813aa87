package drill_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// What was found of values by people who tried: in texts without blanks before a
// number, behind marks that nobody sees, in pictures that only look like mail, in
// columns that are called like nothing, and positions and words that stayed.
func TestFoundValues(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	const head = `
version: 1
source: {url: "file://%s", name: "x-{time}.dump", time: 20060102T150405Z, timezone: UTC, time_tolerance: 90000h, database: %s}
expectations: {as_of: backup, tables: [{table: public.t, row_count: {min: 1}}]}
`
	const scan = "scrub: {leak_scan: {detectors: [email, phone, card, iban, ip, national_id, secret]}}\n"
	for _, tt := range []struct {
		name, sql, scrub string
		want             verdict.Outcome
		check            string // that says so
		hidden           []string
	}{
		{"cjk", `create table t (id int primary key, vermerk text);
			insert into t values (1, '请联系电话+8613812345678谢谢'), (2, '身份证号11010519491231002X已核实'), (3, '卡号4111111111111111到期'),
				(4, '账号DE89370400440532013000'), (5, '来自93.184.216.34的登录'), (6, '密钥sk_live_zq7zq7zq7zq7zq7zq7zq7zq7'), (7, '電話は+819012345678です')`,
			scan, verdict.Error, "unmatched:public.t.vermerk", nil},
		{"marks", `create table t (id int primary key, vermerk text);
			insert into t select i, U&'\202A+49 171 55' || (100000 + i) || U&'\202C' from generate_series(1, 50) i;
			insert into t select 300 + i, '+49 171 - 55' || (100000 + i) from generate_series(1, 50) i`,
			scan, verdict.Error, "unmatched:public.t.vermerk", nil},
		{"pictures", `create table t (id int primary key, picture oid); create extension pgcrypto;
			insert into t select i, lo_from_bytea(0, (select string_agg(gen_random_bytes(1000), ''::bytea) from generate_series(1, 200) g where i = i))
				from generate_series(1, 10) i;
			drop extension pgcrypto`,
			"scrub: {large_objects: preserve, rules: [{column: public.t.picture, preserve: true, why: a number}]}\n", verdict.Pass, "", nil},
		{"doubt", `create table t (id int primary key, tag text);
			insert into t values (1, 'see 11.22.33.44 there'), (2, 'nothing')`, scan, verdict.Warn, "unmatched:public.t.tag", []string{"11.22.33.44"}},
		{"people", `create table t (id int primary key, ref text);
			insert into t select i, (array['Ada','Anna','John','Mary','Peter','Laura'])[1 + i % 6] || ' ' ||
				(array['Smith','Miller','Garcia','Johnson','Brown','Wilson','Moore'])[1 + i % 7] from generate_series(1, 300) i`,
			scan + "latest_events: [{table: public.t, order_by: id, columns: [ref], limit: 3}]\n", verdict.Error, "unmatched:public.t.ref",
			[]string{"Moore", "Wilson", "Brown"}},
		{"positions",
			`create table t (id int primary key, lat double precision, lng double precision, latitude numeric(9,6), longitude numeric(9,6), bonus int);
			insert into t select l.i, l.lat, l.lng, l.lat, l.lng, 9 from (values (1, 51.477928, -0.001545), (2, 5.603717, -0.186964), (3, -0.180653, -78.467834),
				(4, 0.000009, 0.000009), (5, 52.520008, 13.404954), (6, 9.0, 7.0)) l (i, lat, lng)`, `
scrub:
  rules:
    - {column: public.t.lat, transform: position, link: home}
    - {column: public.t.lng, transform: position, link: home}
    - {column: public.t.latitude, transform: position, link: home}
    - {column: public.t.longitude, transform: position, link: home}
    - {column: public.t.bonus, transform: number}
latest_events: [{table: public.t, order_by: id, columns: [lat, lng, latitude, longitude, bonus], limit: 6}]
`, verdict.Pass, "",
			// Whole: a few digits may be those of a duration.
			[]string{"51.477928", "-0.001545", "5.603717", "78.467834", "52.520008", "13.404954", "9e-06", "0.000009"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			database := "found_" + tt.name
			source.Exec("postgres", "CREATE DATABASE "+database)
			source.Exec(database, tt.sql)
			store := t.TempDir()
			if err := os.WriteFile(filepath.Join(store, "x-20261103T030000Z.dump"), source.Dump("-Fc", database), 0o600); err != nil {
				t.Fatal(err)
			}
			r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(head, store, database)+tt.scrub))
			if r.Outcome != tt.want {
				t.Errorf("%s\n%s\n%+v", r.Outcome, worst(r), r.Checks)
			}
			if tt.check != "" && !slices.ContainsFunc(r.Checks, func(c verdict.Check) bool { return c.ID == tt.check && c.Outcome == tt.want }) {
				t.Errorf("no check says so: %+v", r.Checks)
			}
			if (tt.want == verdict.Error) != (r.Recovery == nil) {
				t.Errorf("the restore came to its end: %v", r.Recovery != nil)
			}
			told := fmt.Sprintf("%+v", r)
			for _, real := range tt.hidden {
				if strings.Contains(told, real) {
					t.Errorf("the report tells %s", real)
				}
			}
			if tt.name == "positions" {
				movedPositions(t, r)
			}
		})
	}
}

// movedPositions wants the two ways to write a place to have moved alike, and so
// far that not even the kilometer is told, and the small number at all.
func movedPositions(t *testing.T, r *verdict.Report) {
	t.Helper()
	if len(r.LatestEvents) != 1 || len(r.LatestEvents[0].Rows) != 6 {
		t.Fatalf("%+v", r.LatestEvents)
	}
	told := fmt.Sprint(r.LatestEvents[0].Rows)
	for _, real := range []string{"51.47", "-0.001", "5.60", "78.46", "52.52", "13.40", "9e-06"} {
		if strings.Contains(told, real) {
			t.Errorf("the events tell %s: %s", real, told)
		}
	}
	for _, row := range r.LatestEvents[0].Rows {
		degree := func(i int) float64 {
			f, err := strconv.ParseFloat(row[i], 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		if math.Abs(degree(0)-degree(2)) > 0.0001 || math.Abs(degree(1)-degree(3)) > 0.0001 || row[4] == "9" {
			t.Errorf("%v", row)
		}
	}
}
