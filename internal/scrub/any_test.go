package scrub

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"daybefore/internal/copytext/pgtest"
	"daybefore/internal/spec"
)

// anyColumn is a column's type and an expression over i that gives its values.
type anyColumn struct {
	typ, values string
	each        bool
}

var anyColumns = []anyColumn{
	{typ: "text", values: "s"}, {typ: "varchar(64)", values: "left(s, 64)"}, {typ: "varchar(20)", values: "left(s, 20)"}, {typ: "char(36)", values: "left(s, 36)"}, {typ: "citext", values: "s"}, {typ: "name", values: "left(s, 15)"},
	{typ: "text[]", values: "array[s, null, s || i]", each: true}, {typ: "uuid", values: "md5(i::text)::uuid"}, {typ: "bytea", values: "convert_to(s, 'UTF8')"},
	{typ: "inet", values: "('192.0.2.' || i || '/' || i % 33)::inet"}, {typ: "cidr", values: "network(('2001:db8::' || i || '/' || i % 129)::inet)"}, {typ: "macaddr", values: "('08:00:2b:01:02:' || lpad(to_hex(i), 2, '0'))::macaddr"},
	{typ: "int2", values: "i * 300 - 32768"}, {typ: "int4", values: "i * 21474836 - 2147483648"}, {typ: "int8", values: "9223372036854775807 - i"}, {typ: "numeric(12,2)", values: "i * 99999999.99"}, {typ: "float8", values: "i * 1e300"}, {typ: "money", values: "(i * 1e14)::numeric::money"},
	{typ: "date", values: "case when i % 2 = 0 then '4714-11-24 BC'::date + i else '5874897-12-31'::date - i end"}, {typ: "timestamp", values: "case when i % 2 = 0 then '4714-11-24 BC'::timestamp + i * interval '1 hour' else '294276-12-31'::timestamp - i * interval '7 hours' end"}, {typ: "timestamptz", values: "now() - i * interval '13 hours'"},
	{typ: "int4range", values: "int4range(i, i * i)"}, {typ: "numrange", values: "numrange(-i, null)"}, {typ: "daterange", values: "daterange('2024-01-01', '2024-01-02'::date + i)"}, {typ: "tstzmultirange", values: "tstzmultirange(tstzrange(now(), now() + i * interval '1 day'))"},
	{typ: "hstore", values: "hstore(array['a', s, 'b', null])"}, {typ: "jsonb", values: "jsonb_build_object('a', s, 'n', i * 1.50, 'l', jsonb_build_array(s, null, true))"}, {typ: "json", values: "json_build_array(s, json_build_object(s || 'x', i))"}, {typ: "xml", values: "'<a/>'::xml"}, {typ: "bool", values: "i % 2 = 0"},
}

// Whatever tables, values and rules there are: either the rules are refused
// before a row is loaded, or the server takes every row, with as many nulls as
// before, and builds its keys.
func TestAnyRulesThroughServer(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	refused, taken := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		var ddl, values, checks []string
		s := situation{ddl: "create extension if not exists citext schema public; create extension if not exists hstore schema public; "}
		n := rapid.IntRange(1, 4).Draw(rt, "columns")
		for i := range n {
			c := rapid.SampledFrom(anyColumns).Draw(rt, "column")
			name := fmt.Sprintf("c%d", i)
			notNull := rapid.IntRange(0, 3).Draw(rt, "not null") == 0
			value := c.values
			if !notNull {
				value = "case when i % 5 > 0 then " + value + " end"
			}
			ddl = append(ddl, name+" "+c.typ+map[bool]string{true: " not null"}[notNull])
			values = append(values, value)
			checks = append(checks, fmt.Sprintf("count(*) - count(%s)", name))
			s.rules = append(s.rules, anyRule(rt, i, name, c))
		}
		s.ddl += "create table t (" + strings.Join(ddl, ", ") + ")"
		if rapid.Bool().Draw(rt, "unique") && !strings.Contains(s.ddl, "json ") && !strings.Contains(s.ddl, "xml") && !strings.Contains(s.ddl, "json,") && !strings.Contains(s.ddl, "json)") {
			s.definitions = []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT u UNIQUE (c0);"}
		}
		p, problems := s.planOn(t, conn)
		if len(problems) > 0 {
			refused++
			return
		}
		taken++
		word := rapid.StringN(1, 24, 80).Filter(func(s string) bool { return !strings.Contains(s, "\x00") }).Draw(rt, "word")
		insert := "insert into t select " + strings.Join(values, ", ") + " from (select i, $1::text || i as s from generate_series(1, 100) i) x"
		if _, err := conn.Exec(t.Context(), insert, pgx.QueryExecModeExec, word); err != nil {
			rt.Skip(err) // the values do not fit the type: nothing to scrub
		}
		counts := "select array[" + strings.Join(checks, ", ") + ", count(*)] from t"
		before := value[[]int64](t, conn, counts)
		reload(t, conn, p, "public", "t")
		after := value[[]int64](t, conn, counts)
		for i, r := range s.rules {
			if r.Transform == setNull {
				before[i] = after[i]
			}
		}
		if !slices.Equal(before, after) {
			rt.Fatalf("nulls and rows were %v, and are %v: %s", before, after, s.ddl)
		}
	})
	if refused == 0 || taken == 0 {
		t.Errorf("%d plans refused, %d taken: one side was not tried", refused, taken)
	}
}

func anyRule(rt *rapid.T, line int, name string, c anyColumn) spec.Rule {
	word := "x"
	r := spec.Rule{Column: spec.ColumnPattern{Schema: "public", Table: "t", Column: name, Source: "public.t." + name}, Pos: spec.Pos{Line: line + 1, Column: 1}, Each: c.each,
		Value: &word, Percent: 50, Days: 3000, Pattern: "[a-m]+", With: "-"}
	if strings.HasPrefix(c.typ, "json") && rapid.IntRange(0, 3).Draw(rt, "paths") > 0 {
		path, _ := spec.ParseJSONPath("$..*")
		r.JSON, r.Unmatched, r.Value = []spec.PathRule{{Path: path, Rule: spec.Rule{Transform: rapid.SampledFrom([]string{email, text, noise, setNull}).Draw(rt, "at path")}}}, redactUnmatched, nil
		return r
	}
	var fitting []string
	for _, n := range transformNames() {
		if t := transforms[n]; t.fits(valuesOf(typeNamed(c.typ))) {
			fitting = append(fitting, n)
		}
	}
	r.Transform = rapid.SampledFrom(fitting).Draw(rt, "transform")
	switch r.Transform {
	case template:
		*r.Value = "a {hash} {name}"
	case truncate:
		r.To = rapid.SampledFrom([]string{"hour", "day", "month", "year"}).Draw(rt, "to")
	case noise:
		r.Bucket = rapid.Int64Range(0, 1000).Draw(rt, "bucket")
	}
	if r.Transform == setNull {
		r.Each = false
	}
	return r
}

// typeNamed is a type as the catalogue has it, by the name in a definition.
func typeNamed(s string) pgType {
	s, _, _ = strings.Cut(strings.TrimSuffix(s, "[]"), "(")
	if s == "char" {
		s = "bpchar"
	}
	return pgType{"pg_catalog", s, "b"}
}

// No error of a value that is not what its type says holds the value.
func TestErrorsHoldNoValue(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	for _, c := range anyColumns {
		if strings.Contains(c.typ, "stor") || c.typ == "citext" {
			continue
		}
		for _, n := range transformNames() {
			if !transforms[n].fits(typeNamed(c.typ)) || n == constant || n == setNull || n == replace || n == template {
				continue
			}
			r := rule(t, 1, "public.t.c "+n)
			r.Each, r.To = c.each, "day"
			p, problems := situation{ddl: "create table t (c " + c.typ + ")", rules: []spec.Rule{r}}.planOn(t, conn)
			if len(problems) > 0 {
				continue
			}
			rewrite, err := p.Filter("public", "t", []string{"c"})
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{"pri-vate", "(pri-vate", "{pri-vate", `[pri-vate,)`, "2024-01-01 pri-vate", "12pri-vate"} {
				if out, err := rewrite(nil, []byte(bad)); err != nil && strings.Contains(err.Error(), "pri-vate") || strings.Contains(string(out), "pri-vate") {
					t.Errorf("%s of %s: %s, %v", n, c.typ, out, err)
				}
			}
		}
	}
}
