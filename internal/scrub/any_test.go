package scrub

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"daybefore/internal/jsontext"
	"daybefore/internal/locale"
	"daybefore/internal/pgtest"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/spec/jsonpath"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// anyColumn is a column's type and an expression that gives its values: over i,
// the row's number, and s, a text that no other row or column has.
type anyColumn struct {
	typ, values string
	each        bool
}

var anyColumns = []anyColumn{
	{typ: "text", values: "s"}, {typ: "varchar(64)", values: "left(s, 64)"}, {typ: "varchar(20)", values: "left(s, 20)"},
	{typ: "char(36)", values: "left(s, 36)"}, {typ: "citext", values: "s"}, {typ: "name", values: "left(s, 15)"},
	{typ: "text[]", values: "array[s, null, s || i]", each: true}, {typ: "text[][]", values: `array[[s, ''], [null, '\"' || s]]`, each: true},
	{typ: "int4[]", values: "array[i, null, -i]", each: true}, {typ: "uuid", values: "md5(i::text)::uuid"}, {typ: "bytea", values: "convert_to(s, 'UTF8')"},
	{typ: "inet", values: "('192.0.2.' || i || '/' || i % 33)::inet"}, {typ: "cidr", values: "network(('2001:db8::' || i || '/' || i % 129)::inet)"},
	{typ: "macaddr", values: "('08:00:2b:01:02:' || lpad(to_hex(i), 2, '0'))::macaddr"},
	{typ: "int2", values: "i * 300 - 32768"}, {typ: "int4", values: "i * 21474836 - 2147483648"}, {typ: "int8", values: "9223372036854775807 - i"},
	{typ: "numeric(12,2)", values: "i * 99999999.99"}, {typ: "float8", values: "i * 1e300"}, {typ: "money", values: "(i * 1e14)::numeric::money"},
	{typ: "date", values: "case when i % 2 = 0 then '4714-11-24 BC'::date + i else '5874897-12-31'::date - i end"},
	{typ: "timestamp",
		values: "case when i % 2 = 0 then '4714-11-24 BC'::timestamp + i * interval '1 hour' else '294276-12-31'::timestamp - i * interval '7 hours' end"},
	{typ: "timestamptz", values: "now() - i * interval '13 hours'"},
	{typ: "int4range", values: "int4range(i, i * i)"}, {typ: "numrange", values: "numrange(-i, null)"},
	{typ: "daterange", values: "daterange('2024-01-01', '2024-01-02'::date + i)"},
	{typ: "tstzmultirange", values: "tstzmultirange(tstzrange(now(), now() + i * interval '1 day'))"},
	{typ: "hstore", values: `hstore(array['a', s, 'b', null, 'c "=>', 'x' || s])`}, {typ: "hstore", values: `hstore(array['"', '"' || s || '\'])`},
	{typ: "text[]", values: "array[s, '\"', '\\', '{', ',']", each: true},
	{typ: "jsonb", values: "jsonb_build_object('a', s, 'n', i * 1.50, 'l', jsonb_build_array(s, null, true))"},
	{typ: "json", values: "json_build_array(s, json_build_object(s || '@x', s))"},
	{typ: "pair", values: "row(s, i, row(s, '2024-01-01'::date + i)::part)::pair"},
	{typ: "xml", values: "'<a/>'::xml"}, {typ: "bool", values: "i % 2 = 0"},
}

// anyKeys are columns that another table references.
var anyKeys = []anyColumn{{typ: "text", values: "s"}, {typ: "varchar(64)", values: "left(s, 64)"}, {typ: "citext", values: "s"},
	{typ: "char(60)", values: "left(s, 60)"}, {typ: "uuid", values: "md5(i::text)::uuid"}}

// anyWords are what an encoding of rows can write.
var anyWords = []struct {
	encoding string
	words    *rapid.Generator[string]
}{
	{"UTF8", rapid.StringN(0, 24, 80).Filter(func(s string) bool { return !strings.Contains(s, "\x00") })},
	{"UTF8", rapid.StringOf(rapid.RuneFrom([]rune(`\\\\"'{},()=> NULL.` + "\t\n\r\v\b\f"))).Filter(shorter)},
	{"LATIN1", rapid.StringOf(rapid.RuneFrom([]rune("aB7 äöüßÿ\\\t\n\""))).Filter(shorter)},
	{"SJIS", rapid.StringOf(rapid.RuneFrom([]rune("aB7 ソ表能\t\n\""))).Filter(shorter)},
	{"GBK", rapid.StringOf(rapid.RuneFrom([]rune("aB7 誠功\\\t\n"))).Filter(shorter)},
}

func shorter(s string) bool { return len(s) < 40 }

const anyRows = 60

// anyTable is a table of any columns, of which the first is the key k.
type anyTable struct {
	name    string
	columns []anyColumn
}

func (a anyTable) column(i int) string { return fmt.Sprintf("%c", 'k'+i) }

// mark is what all texts of a column begin with, followed by the row's number.
func (a anyTable) mark(i int) string { return "Qz" + a.name + a.column(i) }

// fill creates the table with its rows; the error is of values that do not fit
// their type.
func (a anyTable) fill(rt *rapid.T, t testing.TB, conn *pgx.Conn, key string, words []string) error {
	ddl := []string{"id int"}
	values := []string{"i"}
	for i, c := range a.columns {
		value := fmt.Sprintf("(select %s from (values (i, '%s' || lpad(i::text, 5, '0') || 'Tv' || ($1::text[])[1 + i %% $2::int])) v(i, s))", c.values,
			a.mark(i))
		if i == 0 && key != "" {
			value = key
		}
		null := " not null"
		if rapid.IntRange(0, 3).Draw(rt, "nullable") > 0 {
			null, value = "", "case when i % 5 > 0 then "+value+" end"
		}
		ddl = append(ddl, a.column(i)+" "+c.typ+null)
		values = append(values, value)
	}
	if _, err := conn.Exec(t.Context(), "create table "+a.name+" ("+strings.Join(ddl, ", ")+")"); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Exec(t.Context(), fmt.Sprintf("insert into %s select %s from generate_series(1, %d) i", a.name, strings.Join(values, ", "), anyRows),
		pgx.QueryExecModeExec, words, len(words))
	return err
}

// texts are a column's values as COPY writes them, which a cast to text may
// not, by the order of id.
func (a anyTable) texts(t testing.TB, conn *pgx.Conn, expression, from string) []*string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "select case when num_nulls("+expression+") = 0 then concat("+expression+") end from "+from+" order by id",
		pgx.QueryExecModeExec)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[*string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Whatever tables, values and rules there are: either the rules are refused
// before a row is loaded, or the server holds every row, as many nulls as
// before, and in each place what the transform meant; keys, foreign keys,
// unique indexes and exclusion constraints that the backup met are built; and
// no real value of a scrubbed column is anywhere.
func TestAnyRulesThroughServer(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(),
		`create schema extensions; create extension citext schema extensions; create extension hstore schema extensions; create extension btree_gist schema `+
			`extensions; set search_path = public, extensions`); err != nil {
		t.Fatal(err)
	}
	refused, taken := 0, 0
	enough := 40 // of rapid's hundred, each of which keeps the server busy
	if testneed.Matrix() {
		enough = math.MaxInt
	}
	failed := false
	rapid.Check(t, func(rt *rapid.T) {
		if refused+taken >= enough && !failed { // what failed is tried again until it is small
			return
		}
		passed := false
		defer func() { failed = failed || !passed }()
		if _, err := conn.Exec(t.Context(),
			"drop schema public cascade; create schema public; create type part as (s text, d date); create type pair as (s text, n numeric, part part)"); err != nil {
			t.Fatal(err)
		}
		w := rapid.SampledFrom(anyWords).Draw(rt, "encoding")
		written := rapid.SliceOfN(w.words, 1, 12).Draw(rt, "words")
		key := rapid.SampledFrom(anyKeys).Draw(rt, "key")
		p := anyTable{name: "p", columns: []anyColumn{key}}
		q := anyTable{name: "q", columns: []anyColumn{key}}
		reference := "(select k from p where p.id = i / 2)"
		if key.typ != "uuid" && rapid.Bool().Draw(rt, "written otherwise") {
			q.columns[0] = rapid.SampledFrom(anyKeys[:4]).Draw(rt, "referencing key")
			reference = "(select ' ' || upper(left(k::text, 58)) from p where p.id = i / 2)"
		}
		for _, a := range []*anyTable{&p, &q} {
			for range rapid.IntRange(1, 3).Draw(rt, "columns") {
				a.columns = append(a.columns, rapid.SampledFrom(anyColumns).Draw(rt, "column"))
			}
		}
		if err := cmp.Or(p.fill(rt, t, conn, "", written), q.fill(rt, t, conn, reference, written)); err != nil {
			passed = true
			rt.Skip(err) // there is nothing to scrub
		}
		s := situation{encoding: w.encoding, rules: append(anyKeyRules(rt, key), append(anyRules(rt, p), anyRules(rt, q)...)...),
			definitions: anyConstraints(rt, t, conn),
			scan:        spec.LeakScan{Detectors: []string{"iban"}}} // any words may look like an address
		if rapid.IntRange(0, 3).Draw(rt, "keep") == 0 {
			s.keep = []spec.Keep{{Table: spec.Name{Schema: "public", Table: "p"}, Match: map[string]string{"k": "qzpk00007*"}}}
		}
		plan, problems := s.planHere(t, conn)
		if len(problems) > 0 {
			refused++
			s.rules = preserved(s.rules, problems) // what is left may fit
			plan, problems = s.planHere(t, conn)
			if len(problems) > 0 {
				passed = true
				return
			}
		}
		taken++
		anyLoad(rt, t, conn, plan, s, p, q)
		passed = true
	})
	if refused == 0 || taken == 0 {
		t.Errorf("%d plans refused, %d taken: one side was not tried", refused, taken)
	}
	t.Logf("%d plans refused, %d taken", refused, taken)
}

// anyConstraints are those that the rows meet, as post-data builds them.
func anyConstraints(rt *rapid.T, t testing.TB, conn *pgx.Conn) []string {
	var met []string
	wanted := rapid.SliceOfN(rapid.Bool(), 5, 5).Draw(rt, "constraints")
	for i, sql := range []string{
		"ALTER TABLE ONLY public.p ADD CONSTRAINT p_k UNIQUE (k);", "ALTER TABLE ONLY public.q ADD CONSTRAINT q_k FOREIGN KEY (k) REFERENCES public.p(k);",
		"CREATE UNIQUE INDEX p_l ON public.p USING btree (l);", "CREATE UNIQUE INDEX q_ml ON public.q USING btree (m, l) WHERE (id > 3);",
		"ALTER TABLE ONLY public.q ADD CONSTRAINT q_x EXCLUDE USING gist (l WITH =);",
	} {
		if _, err := conn.Exec(t.Context(), sql); err == nil && (wanted[i] || i < 2) {
			met = append(met, sql)
		}
	}
	anyDrop(t, conn)
	return met
}

// preserved are the rules with those let pass that a problem is about.
func preserved(before []spec.Rule, problems []verdict.Check) []spec.Rule {
	before = slices.Clone(before)
	for i, r := range before {
		if slices.ContainsFunc(problems, func(c verdict.Check) bool { return strings.HasSuffix(c.ID, ":"+r.Column.Source) }) {
			before[i] = spec.Rule{Column: r.Column, Pos: r.Pos, Preserve: true, Why: "made for the test"}
		}
	}
	return before
}

func anyDrop(t testing.TB, conn *pgx.Conn) {
	if _, err := conn.Exec(t.Context(),
		`alter table q drop constraint if exists q_k; alter table p drop constraint if exists p_k; drop index if exists p_l; drop index if exists q_ml; alter `+
			`table q drop constraint if exists q_x`); err != nil {
		t.Fatal(err)
	}
}

// anyKeyRules are for both sides of a reference, mostly such as hold it.
func anyKeyRules(rt *rapid.T, key anyColumn) []spec.Rule {
	var fitting []string
	for _, n := range []string{transform.Email, transform.Hash, transform.Token, transform.UUID, transform.URL, transform.Template, transform.Name} {
		if transform.Fits(n, typeNamed(key.typ)) {
			fitting = append(fitting, n)
		}
	}
	word := "a {hash} {name}"
	r := spec.Rule{Transform: rapid.SampledFrom(fitting).Draw(rt, "key transform"), Link: "k", Value: &word,
		Normalize: rapid.SampledFrom([][]string{nil, {"trim"}, {"trim", "lower"}}).Draw(rt, "normalize"),
		Locale:    rapid.SampledFrom(locale.Locales()).Draw(rt, "locale")}
	var all []spec.Rule
	switch rapid.IntRange(0, 7).Draw(rt, "key rules") {
	case 0:
		return nil
	case 1:
		r.Link = ""
	case 2:
		return append(all, anyPlace(r, 1, "q", "k"))
	}
	return append(all, anyPlace(r, 1, "p", "k"), anyPlace(r, 2, "q", "k"))
}

func anyPlace(r spec.Rule, line int, table, column string) spec.Rule {
	r.Column = spec.ColumnPattern{Schema: "public", Table: table, Column: column, Source: "public." + table + "." + column}
	r.Pos = spec.Pos{Line: line, Column: 1}
	return r
}

func anyRules(rt *rapid.T, a anyTable) []spec.Rule {
	var all []spec.Rule
	for i, c := range a.columns[1:] {
		all = append(all, anyPlace(anyRule(rt, c), 10+i, a.name, a.column(i+1)))
	}
	return all
}

func anyRule(rt *rapid.T, c anyColumn) spec.Rule {
	word := "x"
	r := spec.Rule{Value: &word, Percent: 50, Days: 3000, Pattern: "[a-m]+", With: "-", Each: c.each}
	kind := rapid.IntRange(0, 7).Draw(rt, "kind of rule")
	switch {
	case kind == 0:
		return spec.Rule{Preserve: true, Why: "made for the test"}
	case strings.HasPrefix(c.typ, "json") && kind > 1:
		path, _ := jsonpath.Parse("$")
		return spec.Rule{JSON: []spec.PathRule{{Path: path,
			Rule: spec.Rule{Transform: rapid.SampledFrom([]string{transform.Email, transform.Text, transform.Number, transform.SetNull, transform.Token,
				transform.Name}).Draw(rt, "at path"), Percent: 50, Locale: rapid.SampledFrom(locale.Locales()).Draw(rt, "locale")}}},
			Unmatched: document.Redact}
	case c.typ == "pair" && kind > 1:
		field := func(name string, transforms ...string) spec.FieldRule {
			return spec.FieldRule{Field: strings.Split(name, "."), Source: name,
				Rule: spec.Rule{Transform: rapid.SampledFrom(transforms).Draw(rt, name), Value: &word, Percent: 50, Days: 300,
					Normalize: []string{"trim", "lower"}, Locale: rapid.SampledFrom(locale.Locales()).Draw(rt, "locale")}}
		}
		return spec.Rule{Fields: []spec.FieldRule{field("s", transform.Email, transform.Text, transform.SetNull, transform.Constant, transform.Token),
			field("n", transform.Number), field("part.s", transform.Text, transform.Name), field("part.d", transform.DateShift, transform.SetNull)}}
	}
	var fitting []string
	for _, n := range transform.Names() {
		if transform.Fits(n, typeNamed(c.typ)) {
			fitting = append(fitting, n)
		}
	}
	r.Transform = rapid.SampledFrom(fitting).Draw(rt, "transform")
	if kind > 5 && slices.Contains(fitting, transform.Text) { // what keeps quotes, so that they must be written again
		r.Transform = transform.Text
	}
	r.Locale = rapid.SampledFrom(locale.Locales()).Draw(rt, "locale")
	switch r.Transform {
	case transform.Template:
		word = "a {hash} {name}"
	case transform.Truncate:
		r.To = rapid.SampledFrom([]string{"hour", "day", "month", "year"}).Draw(rt, "to")
	case transform.Number:
		r.Bucket = rapid.Int64Range(0, 1000).Draw(rt, "bucket")
	case transform.SetNull:
		r.Each = false
	}
	return r
}

// typeNamed is a type as the catalog has it, by the name in a definition.
func typeNamed(s string) schema.Type {
	s, _, _ = strings.Cut(strings.TrimSuffix(strings.TrimSuffix(s, "[]"), "[]"), "(")
	if s == "char" {
		s = "bpchar"
	}
	return schema.Type{Schema: "pg_catalog", Name: s, Kind: "b"}
}

// anyLoad loads both tables through the plan, and holds the server's rows
// against what was meant.
func anyLoad(rt *rapid.T, t testing.TB, conn *pgx.Conn, plan *Plan, s situation, tables ...anyTable) {
	if _, err := conn.Exec(t.Context(), "create schema before; create table before.p as table p; create table before.q as table q"); err != nil {
		t.Fatal(err)
	}
	defer conn.Exec(t.Context(), "drop schema before cascade")
	for _, a := range tables {
		if err := reloadIn(t, conn, plan, s.encoding, "public", a.name); err != nil {
			rt.Fatal(err)
		}
	}
	for _, c := range distinctOf(t, conn, plan, "") {
		if c.Outcome != verdict.Pass {
			rt.Fatalf("%+v", c)
		}
	}
	for _, c := range plan.Checks() {
		if c.Outcome != verdict.Pass {
			rt.Fatalf("%+v", c)
		}
	}
	for _, sql := range s.definitions {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			rt.Fatalf("%s: %v", sql, err)
		}
	}
	var everything strings.Builder
	for _, a := range tables {
		for i := range a.columns {
			for _, v := range a.texts(t, conn, a.column(i), "public."+a.name) {
				if v != nil {
					everything.WriteString(*v + "\n")
				}
			}
		}
	}
	for _, a := range tables {
		kept := map[int]bool{}
		if len(s.keep) > 0 && a.name == "p" {
			for i, k := range a.texts(t, conn, "k", "before.p") {
				kept[i] = k != nil && strings.HasPrefix(*k, "Qzpk00007")
			}
		}
		for i := range a.columns {
			c := plan.schema.ByName[schema.Name{Schema: "public", Table: a.name}].ByName[a.column(i)]
			a.compare(rt, t, conn, plan, c, kept)
			if r := plan.assigned[c]; !changes(r) || r.Transform == transform.Replace {
				continue
			}
			for row := range anyRows {
				if value := fmt.Sprintf("%s%05dTv", a.mark(i), row+1); row+1 != 7 && strings.Contains(everything.String(), value) {
					rt.Fatalf("%s under %+v: %s is still there", c, plan.assigned[c], value)
				}
			}
		}
	}
}

// compare holds each value of a column, and each within it, against what its
// rule makes of it here.
func (a anyTable) compare(rt *rapid.T, t testing.TB, conn *pgx.Conn, plan *Plan, c *schema.Column, kept map[int]bool) {
	made := plan.recipes[c]
	within := meaning{plan: plan, mask: transform.NewMasker(plan.key)}
	link := ""
	if r := plan.assigned[c]; r != nil {
		link = r.Link
	}
	for _, part := range within.parts(c, made, link) {
		before := a.texts(t, conn, part.expression, "before."+a.name)
		after := a.texts(t, conn, part.expression, "public."+a.name)
		if len(before) != anyRows || len(after) != anyRows {
			rt.Fatalf("%s: %d rows became %d", a.name, len(before), len(after))
		}
		meant := make([]*string, anyRows)
		for i := range before {
			meant[i] = before[i]
			if !kept[i] {
				meant[i] = part.of(before[i])
			}
		}
		if err := conn.QueryRow(t.Context(),
			"select array(select case when num_nulls(x) = 0 then concat(x::"+part.typ+") end from unnest($1::text[]) with ordinality u(x, n) order by n)",
			pgx.QueryExecModeExec, meant).Scan(&meant); err != nil {
			rt.Fatalf("%s under %+v: what was meant is refused: %v", c, plan.assigned[c], err)
		}
		for i := range meant {
			if (meant[i] == nil) != (after[i] == nil) || meant[i] != nil && *meant[i] != *after[i] {
				rt.Fatalf("%s, %s, row %d, under %+v: %q is to become %q, and the server holds %q", c, part.expression, i+1, plan.assigned[c], orNull(before[i]),
					orNull(meant[i]), orNull(after[i]))
			}
		}
	}
}

func orNull(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

// meaning says what rules mean, without COPY and its quoting.
type meaning struct {
	plan *Plan
	mask *transform.Masker
}

// valuePart is a part of a column's values, by an expression over the row, that is
// written as a type.
type valuePart struct {
	expression, typ string
	of              func(*string) *string
}

func (m meaning) parts(c *schema.Column, made *change, link string) []valuePart {
	quoted := pgx.Identifier{c.Name}.Sanitize()
	switch {
	case made == nil:
		return []valuePart{{quoted, c.SQL, func(s *string) *string { return s }}}
	case made.document != nil:
		return []valuePart{{quoted + "::jsonb", "jsonb", m.document(made.document)}}
	case made.composite != nil:
		return m.fields("("+quoted+")", c, made.composite)
	case c.Base.IsHstore() && made.name != transform.Constant && made.effect != transform.Clears:
		return []valuePart{{"hstore_to_jsonb(" + quoted + ")", "jsonb", m.nested(made, link)}}
	case m.plan.assigned[c].Each:
		return []valuePart{{"to_jsonb(" + quoted + "::text[])", "jsonb", m.nested(made, link)}}
	}
	return []valuePart{{quoted, c.SQL, func(s *string) *string { return m.value(made, link, s) }}}
}

func (m meaning) fields(within string, c *schema.Column, made *compositeRecipe) []valuePart {
	var all []valuePart
	for i, f := range c.Fields {
		expression := within + "." + pgx.Identifier{f.Name}.Sanitize()
		rule := made.fields[i]
		switch {
		case rule.made == nil:
		case rule.made.composite != nil:
			all = append(all, m.fields("("+expression+")", f, rule.made.composite)...)
		default:
			all = append(all, valuePart{expression, f.SQL, func(s *string) *string { return m.value(rule.made, rule.link, s) }})
		}
	}
	return all
}

// value is what becomes of one value.
func (m meaning) value(made *change, link string, s *string) *string {
	switch {
	case made.effect == transform.Clears:
		return nil
	case s == nil:
		return nil
	}
	value := []byte(*s)
	normalized := m.mask.Normalize(made.Recipe, value)
	for _, g := range m.plan.keptInLink(link) {
		if g.Match(normalized) {
			return s
		}
	}
	if len(normalized) == 0 && made.name != transform.Constant {
		return s
	}
	out, err := m.mask.Append(nil, made.Recipe, value, normalized)
	if err != nil {
		panic(err)
	}
	decoded := string(m.plan.encoding.NewDecoder().Decode(out))
	return &decoded
}

// nested is what becomes of all texts in what the server wrote as JSON.
func (m meaning) nested(made *change, link string) func(*string) *string {
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			return *m.value(made, link, &v)
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		}
		return v
	}
	return m.json(walk)
}

func (m meaning) json(walk func(any) any) func(*string) *string {
	return func(s *string) *string {
		if s == nil {
			return nil
		}
		d := json.NewDecoder(strings.NewReader(*s))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			panic(err)
		}
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		if err := e.Encode(walk(v)); err != nil {
			panic(err)
		}
		text := out.String()
		return &text
	}
}

// document is what becomes of all texts, numbers and keys of a document whose
// one path names all of it.
func (m meaning) document(d *document.Recipe) func(*string) *string {
	made := byTransform(d.Paths[0].Made)
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			return *m.value(made, "", &v)
		case json.Number:
			return m.number(made, []byte(v))
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			out := map[string]any{}
			for k := range v {
				key := k
				if !jsontext.PlainKey([]byte(k)) {
					key = string(m.mask.AppendWord(nil, made.Recipe, []byte(k)))
				}
				out[key] = walk(v[k])
			}
			return out
		}
		return v
	}
	if made.effect == transform.Clears {
		return m.json(func(any) any { return nil })
	}
	return m.json(walk)
}

func (m meaning) number(made *change, value []byte) any {
	switch made.name {
	case transform.Text:
		return json.Number(m.mask.AppendDigits(nil, made.Recipe, value))
	case transform.Number:
		out, err := m.mask.AppendNumber(nil, made.Recipe, value)
		if err != nil {
			panic(err)
		}
		return json.Number(out)
	}
	s := string(value)
	return *m.value(made, "", &s)
}

// No error of a value that is not what its type says holds the value.
func TestErrorsHoldNoValue(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	for _, c := range anyColumns {
		if strings.Contains(c.typ, "stor") || c.typ == "citext" || c.typ == "pair" {
			continue
		}
		for _, n := range transform.Names() {
			if !transform.Fits(n, typeNamed(c.typ)) || n == transform.Constant || n == transform.SetNull || n == transform.Replace || n == transform.Template {
				continue
			}
			r := oneRule(t, 1, "public.t.c "+n)
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
