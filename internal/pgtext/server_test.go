package pgtext_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"daybefore/internal/pgtest"
	"daybefore/internal/pgtext"
)

// kind is a type with values that a server writes or takes, from which others
// are made by chance.
type kind struct {
	sql    string
	typ    *pgtext.Type
	since  int // major version
	values []string
	wrong  []string // that every server refuses
	loose  int      // of 1,000 values that are refused by the server, so many may be accepted here
}

func base(name string) *pgtext.Type { return pgtext.Base(name, -1) }

func kinds() []kind {
	numeric := func(precision, scale int32) *pgtext.Type {
		return pgtext.Base("numeric", (precision<<16|scale&0x7ff)+4)
	}
	pair := pgtext.Composite([]*pgtext.Type{base("int4"), base("text"), base("date")})
	return []kind{
		{sql: "boolean", typ: base("bool"),
			values: []string{"t", "f", "true", " FALSE ", "yes", "no", "on", "off", "1", "0"},
			wrong:  []string{"", "o", "2", "truee", "tf"}},
		{sql: "smallint", typ: base("int2"),
			values: []string{"0", "-32768", "32767", " 12 ", "+7"},
			wrong:  []string{"", "32768", "-32769", "1.5", "0 1", "-", "1e2"}},
		{sql: "integer", typ: base("int4"),
			values: []string{"0", "-2147483648", "2147483647", "12345"},
			wrong:  []string{"2147483648", "12a", "--1", "1,000"}},
		{sql: "bigint", typ: base("int8"),
			values: []string{"-9223372036854775808", "9223372036854775807", "42"},
			wrong:  []string{"9223372036854775808", "99999999999999999999999"}},
		{sql: "oid", typ: base("oid"), values: []string{"0", "4294967295", "16384", "-1"}, wrong: []string{"4294967296", "x"}},
		{sql: "numeric", typ: base("numeric"),
			values: []string{"0", "-0", "1e400", "123.4500", "NaN", ".5", "5.", "-1.5e-10", "1e-400"},
			wrong:  []string{"", ".", "1e", "1.2.3", "1e200000", "0.5e-20000"}},
		{sql: "numeric", since: 14, typ: base("numeric"), values: []string{"Infinity", "-inf"}},
		{sql: "numeric(5,2)", typ: numeric(5, 2),
			values: []string{"0", "999.99", "-999.99", "999.994", "1.005", "NaN", "0.00001", "1e2"},
			wrong:  []string{"1000", "999.995", "1e3", "Infinity"}},
		{sql: "numeric(3,3)", typ: numeric(3, 3), values: []string{"0.999", ".0", "0.9994", "-0.5"}, wrong: []string{"1", "0.9995"}},
		{sql: "numeric(4,0)", typ: numeric(4, 0), values: []string{"9999", "9999.4", "0.4", "12"}, wrong: []string{"9999.5", "10000"}},
		{sql: "numeric(3,-2)", since: 15, typ: numeric(3, -2), values: []string{"99949", "49", "50", "1234"}, wrong: []string{"99950", "100000"}},
		{sql: "real", typ: base("float4"),
			values: []string{"0", "1.5", "-3.4e38", "NaN", "Infinity", "-Infinity", "1e-45", "0e999", "123456789012345678"},
			wrong:  []string{"1e39", "1e-60", "", "e5"}},
		{sql: "double precision", typ: base("float8"),
			values: []string{"0", "1.7976931348623157e+308", "-5e-324", "NaN", "inf", "3.14", "0x1F", "-0"},
			wrong:  []string{"1e309", "1e-400", "1.5x", "1e"}},
		{sql: "money", typ: base("money"),
			values: []string{"$1,234.50", "-$5.00", "$0.00", "($12.30)", "92233720368547758.07", "$ 5", ""},
			wrong:  []string{"$1,2x4.50", "$1\t2", "%1"}, loose: 400},
		{sql: "date", typ: base("date"),
			values: []string{"2024-02-29", "0044-03-15 BC", "infinity", "-infinity", "5874897-12-31", "4713-01-01 BC", "1999-01-08", "January 8, 1999",
				"1999-Jan-08", "08-Jan-1999", "19990108",
				"1999.008", "J2451187", "epoch", "12/25/1999", "0001-01-01"},
			wrong: []string{"", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-32", "0000-01-01", "2024-1x-01", "202-01", "5874898-01-01", "2024-01-0a"},
			loose: 5},
		{sql: "timestamp", typ: base("timestamp"),
			values: []string{"2024-02-29 12:34:56", "2024-02-29 12:34:56.789012", "294276-12-31 23:59:59.999999", "4713-01-01 00:00:00 BC", "infinity",
				"2024-01-01 24:00:00", "2024-01-01T10:00", "2024-01-01",
				"20240101T101112", "2024-01-01 10:00 PM", "2024-01-01 10:00:60"},
			wrong: []string{"2024-02-30 00:00:00", "2024-01-01 25:00:00", "2024-01-01 24:00:01", "294277-01-01 00:00:00", "2024-01-01 12:60:00", "10:00"},
			loose: 10},
		{sql: "timestamptz", typ: base("timestamptz"),
			values: []string{"2024-02-29 12:34:56+00", "2024-02-29 12:34:56.5-03:30", "1800-01-01 00:00:00+00:53:28", "2024-01-01 10:00:00 Europe/Berlin",
				"2024-01-01 10:00 CEST", "2024-01-01T10:00:00Z",
				"294276-12-31 23:59:59.999999+00", "4713-01-01 00:00:00+00 BC", "-infinity"},
			wrong: []string{"2024-01-01 00:00:00+16", "2024-01-01 00:00:00+00:60", "2024-01-01 10:00 Qqqt"}, loose: 40},
		{sql: "time", typ: base("time"),
			values: []string{"00:00:00", "24:00:00", "12:34:56.789", "101112", "10:00 AM", "10:00:60", "1011"},
			wrong:  []string{"24:00:01", "25:00", "12:60:00", "", "12"}, loose: 20},
		{sql: "timetz", typ: base("timetz"),
			values: []string{"12:34:56+01", "24:00:00-15:59", "00:00:00.000001+00:53:28", "10:00:00Z"},
			wrong:  []string{"12:34:56+16", "12:34:56+"}, loose: 40},
		{sql: "interval", typ: base("interval"),
			values: []string{"1 year 2 mons -3 days +04:05:06.789", "00:00:00", "-00:00:01", "178000000 years", "1 mon", "@ 1 hour ago", "P1Y2M3DT4H5M6S",
				"1-2", "5", "1.5 days", "-1 days +02:03:00",
				"10 weeks", "3 days 04:05"}, wrong: []string{"", "x", "1 xday", "1 day 1 day", "1 y 2 y", "04:61:00"}, loose: 15},
		{sql: "uuid", typ: base("uuid"),
			values: []string{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"},
			wrong:  []string{"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g"}},
		{sql: "json", typ: base("json"),
			values: documents,
			wrong:  []string{"", "{", `{"a" 1}`, `{"a":1,}`, `[1,]`, "tru", `"\x"`, "01", `{"a":1}}`, "\"\x01\"", "nan", "-"}},
		{sql: "jsonb", typ: base("jsonb"), values: documents, wrong: []string{"", `"\u0000"`, `"\ud800"`, `"\udc00"`, `"\ud83dx"`, "1e200000", "[1,2"}},
		{sql: "inet", typ: base("inet"),
			values: []string{"192.168.1.5", "10.0.0.0/8", "2001:db8::1/64", "::", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "10.1/16", "fe80::1"},
			wrong:  []string{"", "192.168.1", "256.1.1.1", "1.2.3.4/33", "1:2:3", "::1::2", "2001:db8::/129"}},
		{sql: "cidr", typ: base("cidr"),
			values: []string{"10.0.0.0/8", "192.168.100.128/25", "2001:db8::/32", "10.1", "10", "::1/128", "2001:4f8:3:ba::/64"},
			wrong:  []string{"10.0.0.1/8", "2001:db8::1/32", "10.0.0.0/33"}},
		{sql: "macaddr", typ: base("macaddr"),
			values: []string{"08:00:2b:01:02:03", "08-00-2b-01-02-03", "08002b:010203", "08002b-010203", "0800.2b01.0203", "0800-2b01-0203", "08002b010203"},
			wrong:  []string{"", "08:00:2b:01:02", "08:00:2b:01:02:0g", "08:00:2b:01:02:03:04"}, loose: 15},
		{sql: "macaddr8", typ: base("macaddr8"),
			values: []string{"08:00:2b:01:02:03:04:05", "08002b0102030405", "08-00-2b-01-02-03", "0800.2b01.0203.0405"},
			wrong:  []string{"", "08:00:2b:01:02", "08:00-2b:01:02:03"}},
		{sql: "bytea", typ: base("bytea"),
			values: []string{`\xdeadbeef`, `\x`, `abc\\def\000`, "", `\x de ad`},
			wrong:  []string{`\xabc`, `\xzz`, `\400`, `a\b`, `\`}},
		{sql: "bit(4)", typ: pgtext.Base("bit", 4), values: []string{"1010", "b0000", "xf"}, wrong: []string{"101", "10101", "1012", ""}},
		{sql: "varbit(6)", typ: pgtext.Base("varbit", 6), values: []string{"101", "", "111111", "B01"}, wrong: []string{"1111111", "2"}},
		{sql: "varchar(5)", typ: pgtext.Base("varchar", 9), values: []string{"abc", "äöü€x", "abcde   ", ""}, wrong: []string{"abcdef", "äöü€xy"}},
		{sql: "char(5)", typ: pgtext.Base("bpchar", 9), values: []string{"abc", "äöü€x", "abcde   ", ""}, wrong: []string{"abcdef"}},
		{sql: "text", typ: pgtext.Text(), values: []string{"abc", ""}},
		{sql: "mood", typ: pgtext.Enum([]string{"sad", "so so", "glücklich"}),
			values: []string{"sad", "so so", "glücklich"},
			wrong:  []string{"", "Sad", "sad "}},
		{sql: "integer[]", typ: pgtext.Array(base("int4"), ','),
			values: []string{"{1,2,NULL}", "{}", "[2:3]={1,2}", "{{1,2},{3,4}}", `{"1"}`, "[0:0][-1:0]={{1,2}}"},
			wrong:  []string{"", "{1,2", "{1,,2}", "{1,x}", "{{1,2},{3}}", "{1}}", "[1:3]={1,2}", "1"}, loose: 10},
		{sql: "text[]", typ: pgtext.Array(base("text"), ','),
			values: []string{`{a,"b c",NULL,"NULL","q\"uote","back\\slash",""}`, `{{a,b},{"{",","}}`},
			wrong:  []string{`{"a}`, `{a"b"}`, `{a,}`}, loose: 20},
		{sql: "date[]", typ: pgtext.Array(base("date"), ','),
			values: []string{`{2024-01-01,"0044-03-15 BC",infinity}`},
			wrong:  []string{"{2024-13-01}"}, loose: 5},
		{sql: "pair", typ: pair,
			values: []string{`(1,"a b",2024-01-01)`, "(,,)", `(1,"q""x\\",)`},
			wrong:  []string{"", "(1,a)", "(1,a,2024-01-01,)", "(x,a,)", "(1,a,2024-13-01)"}},
		{sql: "pair[]", typ: pgtext.Array(pair, ','), values: []string{`{"(1,\"a b\",2024-01-01)","(,,)"}`}, wrong: []string{`{"(1,a)"}`}, loose: 5},
		{sql: "int4range", typ: pgtext.Range(base("int4")),
			values: []string{"[1,5)", "empty", "(,)", "[3,3]", "(,7]", "[-5,2)"},
			wrong:  []string{"", "[5,1)", "[1,2,3)", "[1,x)", "1,2"}},
		{sql: "daterange", typ: pgtext.Range(base("date")),
			values: []string{"[2024-01-01,2024-02-01)", "[2024-01-01,)", `["0044-03-15 BC",infinity]`},
			wrong:  []string{"[2024-02-01,2024-01-01)", "[2024-13-01,)"}, loose: 80},
		{sql: "tsrange", typ: pgtext.Range(base("timestamp")),
			values: []string{`["2024-01-01 00:00:00","2024-02-01 12:00:00")`},
			wrong:  []string{`["2024-02-01 12:00:00","2024-01-01 00:00:00")`}, loose: 120},
		{sql: "numrange", typ: pgtext.Range(base("numeric")), values: []string{"[1.5,2.5)", "(,1e3]"}, wrong: []string{"[x,)"}, loose: 90},
		{sql: "int4multirange", since: 14, typ: pgtext.Multirange(base("int4")),
			values: []string{"{[1,5),[7,9)}", "{}", "{empty}", "{(,)}"},
			wrong:  []string{"", "{[1,5)", "{[5,1)}", "{1}"}, loose: 5},
		{sql: "hstore", typ: pgtext.Hstore(),
			values: []string{`"a"=>"b", "c"=>NULL`, "", `a=>1,b=>2`, `"q\"x"=>"back\\slash"`},
			wrong:  []string{"a", `"a"=>`, `"a">"b"`, `"a"=>"b`}},
	}
}

var documents = []string{
	`{"a": 1, "b": [true, false, null], "a": -0.5e+10}`, `"täxt \u00e4 \ud83d\ude00 \" \\ \/ \b\f\n\r\t"`, "1", " [ ] ", "{}", "1e400", "-0",
	`{"deep": {"er": [[[]]]}}`, "null", `[1.25E-3, "x"]`,
}

// Every value that a server takes is accepted, whatever became of it by chance;
// and hardly any that it refuses.
func TestAgainstServers(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *pgtest.Cluster{
		"installed": pgtest.Server,
		"18":        func(t testing.TB) *pgtest.Cluster { return pgtest.Container(t, "postgres:18") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			agree(t, start(t))
		})
	}
}

// rounds is how many values are made of each legal one. PGTEXT_ROUNDS=1000 makes
// a quarter of a million.
var rounds = 15

func init() {
	if n, err := strconv.Atoi(os.Getenv("PGTEXT_ROUNDS")); err == nil {
		rounds = n
	}
}

const setUp = `create extension hstore; create type mood as enum ('sad', 'so so', 'glücklich'); create type pair as (a int, b text, c date);
	create function taken(kind text, vals text[]) returns text language plpgsql as $$
	declare v text; result text := '';
	begin
		execute 'create temp table probe (v ' || kind || ')';
		foreach v in array vals loop
			begin
				execute format('insert into probe values (%L)', v);
				result := result || 't';
			exception when others then result := result || 'f';
			end;
		end loop;
		drop table probe;
		return result;
	end $$;`

func agree(t *testing.T, c *pgtest.Cluster) {
	c.Exec("postgres", setUp)
	major, err := strconv.Atoi(c.Query("postgres", "select current_setting('server_version_num')::int / 10000"))
	if err != nil {
		t.Fatal(err)
	}
	r := pgtext.NewReader(pgtext.Server{Major: major})
	chance := rand.New(rand.NewPCG(uint64(rounds), uint64(major)))
	var asked []kind
	var values [][]string
	var sql strings.Builder
	sql.WriteString("set client_min_messages = error;\n")
	for _, k := range kinds() {
		if major < k.since {
			continue
		}
		all := k.chosen(chance)
		asked = append(asked, k)
		values = append(values, all)
		fmt.Fprintf(&sql, "select taken(%s, array[%s]);\n", literal(k.sql), literals(all))
	}
	for i, line := range strings.Split(c.Query("postgres", sql.String()), "\n") {
		asked[i].compare(t, r, values[i], line)
	}
}

func literals(values []string) string {
	var all []string
	for _, v := range values {
		all = append(all, literal(v))
	}
	return strings.Join(all, ",")
}

func literal(v string) string {
	return "E'" + strings.NewReplacer(`'`, `''`, `\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(v) + "'"
}

// chosen are the values of the table, and what becomes of the legal ones.
func (k kind) chosen(chance *rand.Rand) []string {
	values := slices.Concat(k.values, k.wrong)
	for _, v := range k.values {
		for range rounds {
			values = append(values, spoiled(chance, v))
		}
	}
	return values
}

// compare looks at what a server took: a t or an f for each value.
func (k kind) compare(t *testing.T, r *pgtext.Reader, values []string, taken string) {
	if len(taken) != len(values) {
		t.Fatalf("%s of %d: %d values, and %q", k.sql, r.Major, len(values), taken)
	}
	refused := 0
	passed := []string{}
	for i, v := range values {
		takes := taken[i] == 't'
		accepted := r.Accepts(k.typ, []byte(v))
		legal, wrong := i < len(k.values), i >= len(k.values) && i < len(k.values)+len(k.wrong)
		switch {
		case legal && !takes, wrong && takes:
			t.Errorf("%s of %d: %q is not what the table of the test says", k.sql, r.Major, v)
		case takes && !accepted:
			t.Errorf("%s of %d: the server takes %q, which is refused here", k.sql, r.Major, v)
		case wrong && accepted:
			t.Errorf("%s of %d: %q is accepted here", k.sql, r.Major, v)
		case !takes:
			refused++
			if accepted {
				passed = append(passed, v)
			}
		}
	}
	if len(passed) > 0 {
		t.Logf("%s of %d: %d of %d that the server refuses are accepted: %q", k.sql, r.Major, len(passed), refused, passed[:min(len(passed), 12)])
	}
	if 1000*len(passed) > k.loose*refused+2000 {
		t.Errorf("%s of %d: %d of %d that the server refuses are accepted, about %d in 1,000 are foreseen", k.sql, r.Major, len(passed), refused, k.loose)
	}
}

// spoiled changes a value at one or two places.
func spoiled(chance *rand.Rand, v string) string {
	b := []byte(v)
	for range 1 + chance.IntN(2) {
		at := chance.IntN(len(b) + 1)
		c := likely[chance.IntN(len(likely))]
		switch chance.IntN(4) {
		case 0:
			b = append(b[:at], append([]byte{c}, b[at:]...)...)
		case 1:
			if at < len(b) {
				b = append(b[:at], b[at+1:]...)
			}
		case 2:
			if at < len(b) {
				b[at] = c
			}
		default:
			if at < len(b) {
				b[at] ^= 1 << chance.IntN(7)
			}
		}
	}
	return strings.ToValidUTF8(strings.ReplaceAll(string(b), "\x00", "0"), "?")
}

const likely = `0123456789 -+.,:/eExXtTzZaAbBfFpPuUnN_"\{}[]()=$'` + "\t"

// A reader allocates nothing for a value.
func TestAllocatesNothing(t *testing.T) {
	r := pgtext.NewReader(pgtext.Server{Major: 15})
	for _, k := range kinds() {
		for _, v := range k.values {
			value := []byte(v)
			if n := testing.AllocsPerRun(20, func() { r.Accepts(k.typ, value) }); n > 0 {
				t.Errorf("%s: %g allocations for %q", k.sql, n, v)
			}
		}
	}
}

func FuzzAccepts(f *testing.F) {
	all := kinds()
	for i, k := range all {
		for _, v := range k.values {
			f.Add(i, v)
		}
	}
	r := pgtext.NewReader(pgtext.Server{Major: 17})
	f.Fuzz(func(t *testing.T, i int, v string) {
		k := all[uint(i)%uint(len(all))]
		before := fmt.Sprintf("%q", v)
		value := []byte(v)
		first := r.Accepts(k.typ, value)
		if again := r.Accepts(k.typ, value); first != again || fmt.Sprintf("%q", value) != before {
			t.Errorf("%s: %s was %t, then %t", k.sql, before, first, again)
		}
	})
}
