package scrub

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"daybefore/internal/copytext/pgtest"
	"daybefore/internal/verdict"
)

// survey shows all rows of all tables to a survey, and drafts.
func (s situation) survey(t testing.TB, conn *pgx.Conn) *Draft {
	t.Helper()
	cat, err := ReadCatalogue(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	survey, err := NewSurvey(t.Context(), conn, s.request(cat))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range s.headers(cat) {
		if survey.Excluded(h.Schema, h.Table) {
			continue
		}
		look, err := survey.Filter(h.Schema, h.Table, h.Columns)
		if err != nil {
			t.Fatal(err)
		}
		var rows bytes.Buffer
		only := "only "
		if cat.byName[tableName{h.Schema, h.Table}].kind == "p" {
			only = ""
		}
		if _, err := conn.PgConn().CopyTo(t.Context(), &rows, "copy (select "+names(h.Columns)+" from "+only+pgx.Identifier{h.Schema, h.Table}.Sanitize()+") to stdout"); err != nil {
			t.Fatal(err)
		}
		for row := range bytes.Lines(rows.Bytes()) {
			if out, err := look(nil, bytes.TrimSuffix(row, []byte("\n"))); err != nil || len(out) > 0 {
				t.Fatalf("%d bytes came out: %v", len(out), err)
			}
		}
	}
	d, err := survey.Draft()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// confirmed plans with a draft's rules and sends all rows through.
func (s situation) confirmed(t testing.TB, conn *pgx.Conn, d *Draft) {
	t.Helper()
	cat, err := ReadCatalogue(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	section := loadScrub(t, d.YAML())
	s.rules = append(s.rules, section.Rules...)
	s.largeObjectRule = section.LargeObjects
	p, checks, err := NewPlan(t.Context(), conn, s.request(cat))
	if err != nil || len(checks) > 0 {
		t.Fatalf("%v, %+v\n%s", err, checks, d.YAML())
	}
	for _, h := range s.headers(cat) {
		if !p.Excluded(h.Schema, h.Table) {
			through(t, conn, p, h.Schema, h.Table)
		}
	}
	for _, c := range p.Checks() {
		if c.Outcome != verdict.Pass {
			t.Errorf("%+v", c)
		}
	}
}

const contents = `
	create extension hstore;
	create table people (id int, email text, full_name text, site text, reach text[], ip text, hardware text, pass text, session text, city text, blank_note text, remark text,
		profile jsonb, tags hstore, owners hstore);
	insert into people select n, 'Person.' || n || '@example.com', 'Ada Nobody ' || n, 'https://example.com/' || n, array['+49 171 23456' || 10 + n, null],
		'203.0.113.' || n, '00:1a:2b:3c:4d:' || lpad(to_hex(n), 2, '0'), '$2b$12$' || repeat('abcdefgh', 6) || lpad(n::text, 5, '0'), gen_random_uuid(), (array['Bern', 'Oslo'])[1 + n % 2], ' ', null,
		jsonb_build_object('contact_email', 'ada' || n || '@example.com', 'address', jsonb_build_object('street', 'A ' || n, 'zip', '1234' || n), 'level', n, 'ada.nobody' || n, 'ada' || n || '@example.com', 'phones', jsonb_build_array('+49 171 2345678')),
		hstore('k', 'ada' || n || '@example.com'), hstore('ada' || n || '@example.com', 'v')
		from generate_series(1, 100) n;
	create table things (id int, kontakt text, story text, serial_no bigint, invoice numeric(19), plain text, seen_by text);
	insert into things select n, 'Ada+' || n || '@example.com', case when n % 10 = 0 then 'write to ada' || n || '@example.com' else 'nothing here' end,
		1000000000000000 + n * 7919, 4111111111111111, 'a thing', 'Person.' || n || '@example.com' from generate_series(1, 100) n;
	update things set serial_no = 4111111111111111 where id < 4;
	create table nothing (email text, doc jsonb);
	create schema a; create schema b; create table a.guests (mail text, remark text); create table b.guests (mail text, remark text, extra_mail text);
	insert into a.guests values ('ada@example.com', 'x'); insert into b.guests values ('bob@example.com', 'x', 'eve@example.com');`

// What a column is proposed to become follows what it holds, and says so; the
// draft is taken by the plan, and its rows pass.
func TestDraftLooksAtContents(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), contents); err != nil {
		t.Fatal(err)
	}
	s := situation{largeObjects: true}
	d := s.survey(t, conn)
	want := `scrub:
  # high: the backup holds large objects, which can be anything; the other way is preserve
  large_objects: drop
  rules:
    # *.guests
    # high: alike in 2 schemas, of which the first: named like an e-mail address, and its only value looks like one
    - {column: '*.guests.mail', transform: email, link: email}
    # medium: alike in 2 schemas, of which the first: named like free text; 1 value, 1 different
    - {column: '*.guests.remark', transform: text}
    # b.guests
    # high: named like an e-mail address, and its only value looks like one
    - {column: b.guests.extra_mail, transform: email, link: email}
    # public.nothing
    # low: named like an e-mail address; the backup has no value to look at
    - {column: public.nothing.email, transform: email, link: email}
    # low: of type jsonb; the backup has no value to look at
    - {column: public.nothing.doc, unmatched_paths: redact}
    # public.people
    # high: named like an e-mail address, and all 100 values look like one
    - {column: public.people.email, transform: email, link: email}
    # medium: named like a person's name; 100 values, 100 different
    - {column: public.people.full_name, transform: name}
    # high: all 100 values look like a phone number
    - {column: public.people.reach, transform: phone, link: phone, each: true}
    # high: named like a network address, and all 100 values look like one
    - {column: public.people.ip, transform: ip}
    # high: all 100 values look like a network address
    - {column: public.people.hardware, transform: mac}
    # high: named like a password, and all 100 values look like one
    - {column: public.people.pass, transform: password}
    # high: named like a secret; 100 values, 100 different, nearly all of them UUIDs
    - {column: public.people.session, transform: uuid}
    # low: named like a city; 100 values, 2 different: perhaps a list of words
    - {column: public.people.city, transform: city}
    # low: named like free text; the backup has no value to look at
    - {column: public.people.blank_note, transform: text}
    # low: named like free text; the backup has no value to look at
    - {column: public.people.remark, transform: text}
    # high: of type jsonb; 100 documents, with the keys contact_email, phones, street, zip
    - {column: public.people.profile, unmatched_paths: redact, json: [
        {path: '$..contact_email', transform: email, link: email},
        {path: '$..phones', transform: phone, link: phone},
        {path: '$..street', transform: street},
        {path: '$..zip', transform: postcode}]}
    # medium: of type hstore; 100 values
    - {column: public.people.tags, transform: text}
    # high: of type hstore; 100 values, some with keys that look sensitive
    - {column: public.people.owners, transform: set_null}
    # public.things
    # high: all 100 values look like an e-mail address
    - {column: public.things.kontakt, transform: email, link: email}
    # medium: 10 of 100 values hold an e-mail address
    - {column: public.things.story, transform: text}
    # low: 3 of 100 values look like a card number
    - {column: public.things.serial_no, preserve: true, why: "long numbers, of which few look like a card's, as some do by chance"}
    # high: all 100 values look like a card number
    - {column: public.things.invoice, transform: card}
    # high: all 100 values look like an e-mail address
    - {column: public.things.seen_by, transform: email, link: email}
`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(d.YAML(), "\n")); diff != "" {
		t.Error(diff)
	}
	if want := []string{"public.things.serial_no: long numbers, of which few look like a card's, as some do by chance"}; !slices.Equal(d.Passing, want) {
		t.Errorf("%q pass", d.Passing)
	}
	if d.Rows != 202 || d.Columns != 29 || len(d.Notes()) != 0 {
		t.Errorf("%d rows, %d columns, %q", d.Rows, d.Columns, d.Notes())
	}
	s.confirmed(t, conn, d)
	for _, real := range []string{"Person", "Ada", "ada", "nobody", "Bern", "example", "4111", "203.0", "guests.*Person"} {
		if regexp.MustCompile(real).MatchString(d.YAML()) {
			t.Errorf("the draft shows %s", real)
		}
	}
}

// A schema made to be nasty: rules that fit are found for all of it.
func TestDraftOfANastySchema(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), nasty); err != nil {
		t.Fatal(err)
	}
	s := situation{definitions: nastyKeys}
	d := s.survey(t, conn)
	s.confirmed(t, conn, d)
	if !strings.Contains(d.YAML(), "# low: named like an e-mail address; the backup has no value to look at\n    - {column: public.users.email, transform: email, link: email}") {
		t.Error(d.YAML())
	}
}

// The drill file's rules stay as they are: what they leave is drafted, under
// their links, and what is wrong with them is told.
func TestDraftBesideRules(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), `create table users (email text, full_name text); create table orders (email text, note text); create table sessions (token text)`); err != nil {
		t.Fatal(err)
	}
	s := situation{exclude: []string{"public.sessions"}, rules: rules(t, "public.users.email email link=person_email", "public.users.full_name preserve", "public.gone.email email")}
	d := s.survey(t, conn)
	if got, want := loadScrub(t, d.YAML()).Rules, 2; len(got) != want || got[0].Link != "person_email" || got[1].Column.Source != "public.orders.note" {
		t.Errorf("%+v", got)
	}
	if notes := strings.Join(d.Notes(), "\n"); len(d.Notes()) != 1 || !strings.Contains(notes, "drills/shop.yaml:3:7: public.gone.email names no column of the backup; correct the name") {
		t.Error(notes)
	}
	if d.Ruled != 2 {
		t.Error(d.Ruled)
	}
}

func TestSketch(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 7, sketchSize - 1, sketchSize, sketchSize + 1, 20_000} {
		var a, b, both sketch
		step := ^uint64(0)/uint64(max(n, 1)) | 1
		for i := range n {
			h := uint64(i) * step
			for range 3 {
				a.add(h)
			}
			if i%2 == 0 {
				b.add(h)
			}
		}
		both.join(&b)
		both.join(&a)
		for name, s := range map[string]*sketch{"one": &a, "joined": &both} {
			got, exact := s.count()
			if exact != (n <= sketchSize) || exact && got != int64(n) || max(got-int64(n), int64(n)-got) > int64(n)/50 || len(s.kept) > sketchSize {
				t.Errorf("%s of %d: %d, exactly: %v", name, n, got, exact)
			}
		}
	}
}

func TestEachMember(t *testing.T) {
	t.Parallel()
	var got []string
	eachMember([]byte(`{"a": "x\"y", "b" : [ "c", "d:"], "e": {"f": -1.5e3, "g": null}, "h": [{"i": [[7]]}], "j": "k\\"}`), func(key, value []byte) {
		got = append(got, fmt.Sprintf("%s=%s", key, value))
	})
	if diff := cmp.Diff([]string{`a=x\"y`, "b=c", "e=", "f=-1.5e3", "h=", "i=7", `j=k\\`}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", `"`, `"a`, `"a\`, `{"a":`, `{"a": "`, `{"a": [`, "[1, 2]", "null"} {
		eachMember([]byte(bad), func(_, _ []byte) {})
	}
}
