package scrub

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/scrubtest"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// through sends a table's rows out of the server and through the plan's
// filter; what comes out is COPY text, a row a line.
func through(t testing.TB, conn *pgx.Conn, p *Plan, namespace, table string) []byte {
	t.Helper()
	out, err := tryThrough(t, conn, p, namespace, table)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryThrough(t testing.TB, conn *pgx.Conn, p *Plan, namespace, table string) ([]byte, error) {
	t.Helper()
	columns := p.loaded[p.schema.ByName[schema.Name{Schema: namespace, Table: table}]]
	rewrite, err := p.Filter(namespace, table, columns)
	if err != nil {
		return nil, err
	}
	var in, out bytes.Buffer
	if _, err := conn.PgConn().CopyTo(t.Context(), &in,
		"copy (select "+scrubtest.Names(columns)+" from "+pgx.Identifier{namespace, table}.Sanitize()+") to stdout"); err != nil {
		t.Fatal(err)
	}
	for row := range bytes.Lines(in.Bytes()) {
		line := bytes.TrimSuffix(row, []byte("\n"))
		if rewrite != nil {
			line, err = rewrite(nil, line)
			if err != nil {
				return nil, err
			}
		}
		out.Write(append(line, '\n'))
	}
	return out.Bytes(), nil
}

func target(namespace, table string, columns []string) string {
	if len(columns) == 0 {
		return pgx.Identifier{namespace, table}.Sanitize()
	}
	return pgx.Identifier{namespace, table}.Sanitize() + " (" + scrubtest.Names(columns) + ")"
}

// reload empties the table and loads what came through.
func reload(t testing.TB, conn *pgx.Conn, p *Plan, namespace, table string) {
	t.Helper()
	if err := reloadIn(t, conn, p, "UTF8", namespace, table); err != nil {
		t.Fatal(err)
	}
}

// reloadIn is reload with the rows in an encoding; the error is the filter's
// or of the server, which refuses them.
func reloadIn(t testing.TB, conn *pgx.Conn, p *Plan, encoding, namespace, table string) error {
	t.Helper()
	exec(t, conn, "set client_encoding = "+encoding)
	defer exec(t, conn, "set client_encoding = UTF8")
	out, err := tryThrough(t, conn, p, namespace, table)
	if err != nil {
		return err
	}
	only := "only "
	if p.schema.ByName[schema.Name{Schema: namespace, Table: table}].Kind == "p" {
		only = ""
	}
	exec(t, conn, "delete from "+only+pgx.Identifier{namespace, table}.Sanitize())
	_, err = conn.PgConn().CopyFrom(t.Context(), bytes.NewReader(out),
		"copy "+target(namespace, table, p.loaded[p.schema.ByName[schema.Name{Schema: namespace, Table: table}]])+" from stdin")
	return err
}

func valueOf[T any](t testing.TB, conn *pgx.Conn, sql string) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

const shop = `
	create table users (id int, email text, login varchar(40), full_name varchar(30), phone text, phones text[], note text, ref uuid, born date, seen timestamptz,
		balance numeric(12,2), visits int2, secret text not null, role text, plain text, pad char(20), initials text generated always as (left(full_name, 1)) stored);
	create table orders (id int, contact text, total numeric(10,2));
	create table msgs (id int, at date, body text) partition by range (at);
	create table msgs_a partition of msgs for values from ('2024-01-01') to ('2025-01-01');
	create table msgs_b partition of msgs for values from ('2025-01-01') to ('2026-01-01');
	create table empty (); insert into empty default values;`

const shopRows = `
	insert into users select i, case when i % 10 = 0 then null when i % 10 = 1 then '  User' || i || '@Example.com ' else 'user' || i || '@example.com' end,
		'login' || i,
		'Real Person' || i, '+49 171 ' || i, array['0171-' || i, null, 'tab' || chr(9) || '{"' || chr(92)], E'line\tone\nand ' || repeat('x', i % 100)
			|| ' \\ C:\\new', md5(i::text)::uuid,
		case i when 2 then 'infinity' when 3 then '0044-03-15 BC' else date '1970-01-01' + i end, now() - i * interval '1 hour', i * 1.25 - 100, i % 32000,
			'secret' || i, 'user',
		E'\\N\t' || i, 'pad' || i from generate_series(1, 2000) i;
	insert into users (id, email, full_name, secret, role, plain) values (5001, 'Boss@OurCo.example', 'Boss Kept', 'kept secret', 'user', 'p'), (5002, '', '',
		'', null, '');
	insert into orders select i, 'USER' || i || '@example.com', i * 3.5 from generate_series(1, 2000) i; insert into orders values (5001, 'boss@ourco.example', 1);
	insert into msgs select i, date '2024-01-01' + i % 700, 'hello ' || i from generate_series(1, 1000) i;`

func shopSituation(t testing.TB) situation {
	return situation{
		ddl: shop,
		definitions: []string{"ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);",
			"ALTER TABLE ONLY public.users ADD CONSTRAINT users_email_key UNIQUE (email);",
			"ALTER TABLE ONLY public.users ADD CONSTRAINT users_login_key UNIQUE (login);"},
		rules: rules(t, "public.users.email email link=person normalize=trim,lower", "public.orders.contact email link=person", "public.users.login hash",
			"public.users.full_name name",
			"public.users.phone* phone", "public.users.phones phone each", "public.users.note text", "public.users.ref hash",
			"public.users.born date_shift days=30", "public.users.seen date_shift",
			"public.users.balance number percent=20", "public.users.visits number", "public.users.secret constant value=a\\b", "public.users.pad text",
			"public.msgs.body text", "public.users.plain preserve"),
		keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "users"}, Match: map[string]string{"email": "*@ourco.example"}, MaxRows: 1,
			Set: map[string]string{"role": "admin"}}},
	}
}

// A whole shop goes through the filter and back into the server.
func TestThroughServer(t *testing.T) {
	t.Parallel()
	conn, p, checks := shopSituation(t).plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if _, err := conn.Exec(t.Context(),
		shopRows+"create table before as table users; create table orders_before as table orders; create table msgs_before as table msgs"); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"users", "orders", "msgs_a", "msgs_b", "empty"} {
		reload(t, conn, p, "public", table)
	}
	for what, sql := range map[string]string{
		"every row is back": "select count(*) = 2002 from users",
		"emails are pseudonyms, and apart": "select count(distinct email) = 1801 and count(*) filter (where email like '%@example.invalid') = 1800 " +
			"from users where email <> ''",
		"nulls stay null":   "select count(*) = 200 from users join before b using (id) where users.email is null and b.email is null",
		"empty stays empty": "select email = '' and full_name = '' and secret = 'a\\b' from users where id = 5002",
		"links join, whatever case and blanks": "select count(*) = 1801 from users u join orders o on o.id = u.id and o.contact = u.email or u.id = 5001 " +
			"and o.id = 5001 where lower(o.contact) = lower(u.email)",
		"the kept row stays, and is an admin": "select email = 'Boss@OurCo.example' and full_name = 'Boss Kept' and secret = 'kept secret' and role = " +
			"'admin' from users where id = 5001",
		"a kept value stays where it is linked": "select contact = 'boss@ourco.example' from orders where id = 5001",
		"logins are hashes, all different":      "select count(distinct login) = 2000 and bool_and(login ~ '^[0-9a-f]{32}$') from users where login is not null",
		"uuids are valid and others": "select count(distinct u.ref) = 2000 and bool_and(u.ref <> b.ref) from users u join before b using " +
			"(id) where u.ref is not null",
		"names are nobody's": "select bool_and(full_name !~ 'Real|Person' and full_name like '% %' and length(full_name) <= " +
			"30) from users where id < 5000",
		"a generated column follows": "select bool_and(initials = left(full_name, 1)) from users where id < 5000",
		"phones keep their form": "select bool_and(u.phone <> b.phone and regexp_replace(u.phone, '\\d', '0', 'g') = regexp_replace(b.phone, " +
			"'\\d', '0', 'g')) from users u join before b using (id) where u.id > 100 and u.id < 5000",
		"arrays keep nulls and length": "select bool_and(array_length(phones, 1) = 3 and phones[2] is null and phones[1] like '0%-%' and phones[3] " +
			"~ E'^[a-z]{3}\\t[{]\"\\\\\\\\$') from users where id < 5000",
		"no array element is as it was": "select bool_and(u.phones[1] <> b.phones[1]) from users u join before b using (id) " +
			"where u.id > 100 and u.id < 5000",
		"texts keep length and blanks": "select bool_and(length(u.note) = length(b.note) and u.note <> b.note and u.note like " +
			"E'____\\t___\\n%\\\\\\\\%') from users u join before b using (id) where u.id < 5000",
		"dates moved by up to 30 days": "select bool_and(u.born <> b.born and abs(u.born - b.born) <= 30) from users u join before b using (id) " +
			"where u.id > 2 and u.id < 5000",
		"infinity stays": "select born = 'infinity' from users where id = 2",
		"times of day stay": "select bool_and(u.seen::time = b.seen::time and abs(extract(epoch from u.seen - b.seen)) <= 180 * 86400.0) " +
			"from users u join before b using (id) where u.id < 5000",
		"amounts are near, signs stay": "select bool_and(sign(u.balance) = sign(b.balance) and abs(u.balance - b.balance) <= abs(b.balance) * 0.2 + " +
			"0.01) and count(*) filter (where u.balance = b.balance) < 200 from users u join before b using (id) where u.id < 5000",
		"preserved stays to the byte": "select bool_and(u.plain = b.plain) from users u join before b using (id)",
		"a constant is written":       "select bool_and(secret = 'a\\b') from users where id < 5000",
		"partitions are reached": "select count(*) = 1000 and bool_and(m.body <> b.body and m.body ~ '^[a-z]{5} \\d+$') from msgs m " +
			"join msgs_before b using (id)",
	} {
		if !valueOf[bool](t, conn, sql) {
			t.Errorf("not so: %s", what)
		}
	}

	want := verdict.Scrub{Key: transform.KeyFingerprint(testKey), Kept: []verdict.ScrubKept{{Table: "public.users", Rows: 1}}, Columns: []verdict.ScrubColumn{
		{Column: "public.msgs.body", Transform: "text", Rows: 1000},
		{Column: "public.orders.contact", Transform: "email", Link: "person", Rows: 2000, Kept: 1},
		{Column: "public.users.balance", Transform: "number", Rows: 2000, NullsIn: 2, NullsOut: 2},
		{Column: "public.users.email", Transform: "email", Link: "person", Rows: 1801, NullsIn: 200, NullsOut: 200, Kept: 1},
	}}
	got := p.Report()
	got.Passed = nil // see TestPassedAndKept
	shown := map[string]bool{}
	for _, c := range want.Columns {
		shown[c.Column] = true
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreSliceElements(func(c verdict.ScrubColumn) bool { return !shown[c.Column] })); diff != "" {
		t.Error(diff)
	}
	for _, c := range p.Checks() {
		if c.Outcome != verdict.Pass {
			t.Errorf("%+v", c)
		}
	}
	if p.Duration() <= 0 {
		t.Error("no time was spent")
	}
}

func TestChecksAfterLoad(t *testing.T) {
	t.Parallel()
	_, p, _ := shopSituation(t).plan(t)
	unmet := 0
	for _, c := range p.Checks() {
		if c.Code == verdict.CodeRuleUnmet && c.Outcome == verdict.Error {
			unmet++
		}
	}
	if unmet != 15 {
		t.Errorf("%d rules met no rows, want all 15", unmet)
	}
}

func TestKeepHasALimit(t *testing.T) {
	t.Parallel()
	conn, p, checks := shopSituation(t).plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if _, err := conn.Exec(t.Context(),
		"insert into users (id, email, secret) select i, 'staff@ourco.example', 's3cret' from generate_series(1, 3) i"); err != nil {
		t.Fatal(err)
	}
	_, err := tryThrough(t, conn, p, "public", "users")
	problem := verdict.AsProblem(err)
	if err == nil || problem.Code != verdict.CodeKeep || problem.Outcome != verdict.Error || strings.Contains(err.Error(), "staff@") {
		t.Errorf("two rows too many: %v", err)
	}
	for _, c := range p.Checks() {
		if c.Code == verdict.CodeKeep && c.Outcome != verdict.Error {
			t.Errorf("%+v", c)
		}
	}
}

// Rows that are not what the header says, and values that are not what the
// type says, are errors that name the place and hold no value.
func TestBadRows(t *testing.T) {
	t.Parallel()
	_, p, checks := situation{ddl: "create table t (email text, tags text[], n int, at date)",
		rules: rules(t, "public.t.email email", "public.t.tags text each", "public.t.n number", "public.t.at date_shift")}.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	columns := []string{"email", "tags", "n", "at"}
	for _, tt := range []struct {
		row  string
		code verdict.Code
		says string
	}{
		{"private\t{}\t1", verdict.CodeCorrupt, "row 2: not as many fields"},
		{"private\t{}\t1\t2024-01-01\t", verdict.CodeCorrupt, "row 2: not as many fields"},
		{"", verdict.CodeCorrupt, "row 2"},
		{`private` + "\t{}\t1\t2024-01-01\\", verdict.CodeCorrupt, "inside an escape"},
		{"a\tprivate\t1\t2024-01-01", verdict.CodeCorrupt, "row 2, column tags: a value that is not a valid array"},
		{"a\t{}\tprivate\t2024-01-01", verdict.CodeCorrupt, "row 2, column n: a value that is not a valid integer"},
		{"a\t{}\t1\tprivate", verdict.CodeCorrupt, "row 2, column at: a value that is not a valid date"},
	} {
		rewrite, err := p.Filter("public", "t", columns)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rewrite(nil, []byte("a\t{}\t1\t2024-01-01")); err != nil {
			t.Fatal(err)
		}
		_, err = rewrite(nil, []byte(tt.row))
		if err == nil || verdict.AsProblem(err).Code != tt.code || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "public.t") ||
			strings.Contains(err.Error(), "private") {
			t.Errorf("%q: %v", tt.row, err)
		}
	}
	if _, err := p.Filter("public", "t", columns[:3]); err == nil {
		t.Error("other columns than planned")
	}
	if _, err := p.Filter("public", "other", nil); err == nil {
		t.Error("a table that was not planned")
	}
}

func TestPassesAsItIs(t *testing.T) {
	t.Parallel()
	_, p, _ := situation{ddl: "create table t (id int); create table nothing ()"}.plan(t)
	for table, columns := range map[string][]string{"t": {"id"}, "nothing": nil} {
		if rewrite, err := p.Filter("public", table, columns); rewrite != nil || err != nil {
			t.Errorf("%s: a filter, %v", table, err)
		}
	}
}

func TestShownAndFingerprint(t *testing.T) {
	t.Parallel()
	_, p, _ := shopSituation(t).plan(t)
	for column, want := range map[string]bool{"public.users.plain": true, "public.users.id": false, "public.users.email": false, "public.orders.contact": false,
		"public.msgs.body": true, "public.msgs_a.body": true, "public.msgs.at": false, "public.nope.x": false, "public.users.nope": false,
		"public.users.initials": false} {
		parts := strings.Split(column, ".")
		if p.Shown(parts[0], parts[1], parts[2]) != want {
			t.Errorf("%s shown: %v", column, !want)
		}
	}
	a, b := p.Fingerprint("x"), p.Fingerprint("x")
	if a != b || len(a) != 2*transform.FingerprintSize || a == p.Fingerprint("y") {
		t.Errorf("fingerprints %s, %s", a, b)
	}
}

// An archive in another encoding gives the same pseudonyms, and bytes that the
// encoding can hold.
func TestEncodings(t *testing.T) {
	t.Parallel()
	ddl := "create table t (email text, note text, plain text)"
	lines := rules(t, "public.t.email email link=e", "public.t.note text", "public.t.plain preserve")
	_, utf8Plan, _ := situation{ddl: ddl, rules: lines}.plan(t)
	first := func(p *Plan, row string) string {
		rewrite, err := p.Filter("public", "t", []string{"email", "note", "plain"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := rewrite(nil, []byte(row))
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for _, tt := range []struct{ encoding, value, encoded string }{
		{"LATIN1", "müller", "m\xfcller"}, {"WIN1252", "müller€", "m\xfcller\x80"}, {"SJIS", "ソ表A\\", "\x83\x5c\x95\x5cA\\\\"},
		{"GBK", "誠A", "\xd5\x5cA"}, {"BIG5", "功A", "\xa5\x5cA"}, {"EUC_JP", "日本", "\xc6\xfc\xcb\xdc"}, {"KOI8R", "Я", "\xf1"},
	} {
		_, p, checks := situation{ddl: ddl, rules: lines, encoding: tt.encoding}.plan(t)
		if len(checks) > 0 {
			t.Fatalf("%s: %+v", tt.encoding, checks)
		}
		utf8Row := string(copytext.AppendEscaped(nil, []byte(tt.value)))
		want := strings.Split(first(utf8Plan, utf8Row+"\tx\ty"), "\t")
		got := strings.Split(first(p, tt.encoded+"\t"+tt.encoded+"\t"+tt.encoded), "\t")
		if len(got) != 3 || got[0] != want[0] || copytext.HasHighBytes(got[1]) || got[2] != tt.encoded {
			t.Errorf("%s: %q, as UTF-8 %q", tt.encoding, got, want)
		}
	}
}

// Bytes that an encoding gives no meaning stay apart.
func TestBytesWithoutMeaning(t *testing.T) {
	t.Parallel()
	e, _ := copytext.EncodingOf("WIN1252")
	d := e.NewDecoder()
	a := string(d.Decode([]byte("x\x81")))
	if b := string(d.Decode([]byte("x\x8d"))); a == b {
		t.Errorf("both are %q", a)
	}
}

func TestCitextAndChar(t *testing.T) {
	t.Parallel()
	n := transform.NormalOf(&schema.Column{Base: schema.Type{Schema: "public", Name: "citext", Kind: "b"}}, &spec.Rule{})
	if !n.Lower {
		t.Error("citext compares without case")
	}
	_, p, checks := situation{ddl: "create table a (email char(40)); create table b (email text)", rules: rules(t, "*.*.email email link=e")}.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	out := map[string]string{}
	for table, row := range map[string]string{"a": "x@example.com" + strings.Repeat(" ", 27), "b": "x@example.com"} {
		rewrite, err := p.Filter("public", table, []string{"email"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := rewrite(nil, []byte(row))
		if err != nil {
			t.Fatal(err)
		}
		out[table] = string(b)
	}
	if out["a"] != out["b"] {
		t.Errorf("blanks of char(40) tell values apart: %v", out)
	}
}

func TestWorkers(t *testing.T) {
	t.Parallel()
	_, p, _ := shopSituation(t).plan(t)
	var wg sync.WaitGroup
	const workers, rows = 4, 1000
	for range workers {
		wg.Go(func() {
			rewrite, err := p.Filter("public", "orders", []string{"id", "contact", "total"})
			if err != nil {
				t.Error(err)
				return
			}
			var out []byte
			for i := range rows {
				out, err = rewrite(out[:0], fmt.Appendf(nil, "%d\tuser%d@example.com\t1.00", i, i))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, c := range p.Report().Columns {
		if c.Column == "public.orders.contact" && c.Rows != workers*rows {
			t.Errorf("%d rows counted", c.Rows)
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	conn, p, _ := situation{ddl: "create table t (x text)"}.plan(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	x := "x"
	_, _, err := NewPlan(ctx, conn, Request{Schema: p.schema, Headers: []Header{{1, copytext.Header{Schema: "public", Table: "t", Columns: []string{"x"}}}},
		Rules: spec.Scrub{Rules: []spec.Rule{{Column: spec.ColumnPattern{Schema: "public", Table: "t", Column: "x"}, Transform: transform.Constant,
			Value: &x}}}})
	if err == nil {
		t.Error("a plan without answers from the server")
	}
	if _, err := schema.Read(ctx, conn); err == nil {
		t.Error("a catalog without a server")
	}
}

// realisticRow is one of a users table: seven of its columns are scrubbed.
func realisticRow(t testing.TB) (func(dst, row []byte) ([]byte, error), []byte) {
	t.Helper()
	s := shopSituation(t)
	_, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	rewrite, err := p.Filter("public", "users", p.loaded[p.schema.ByName[schema.Name{Schema: "public", Table: "users"}]])
	if err != nil {
		t.Fatal(err)
	}
	return rewrite,
		[]byte("1042\tAda.Lovelace@Example.com\tadal\tAda Lovelace\t+44 20 7946 0000\t{\"020 7946\",NULL,555}\tsome note that\\nruns over two lines and says " +
			"something longer than a digest\t" +
			"c4ca4238-a0b9-2382-0dcc-509a6f75849b\t1815-12-10\t2026-11-20 03:15:00.123456+00\t1250.75\t42\thunter2\tuser\tplain\tpad                 ")
}

func TestNoAllocations(t *testing.T) {
	rewrite, row := realisticRow(t)
	var out []byte
	var err error
	work := func() {
		out, err = rewrite(out[:0], row)
		if err != nil {
			t.Fatal(err)
		}
	}
	work()
	if n := testing.AllocsPerRun(1000, work); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func BenchmarkRow(b *testing.B) {
	rewrite, row := realisticRow(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(row)))
	var out []byte
	for b.Loop() {
		out, _ = rewrite(out[:0], row)
	}
}
