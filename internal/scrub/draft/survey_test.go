package draft

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/detect"
	"daybefore/internal/pgtest"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/scrubtest"
	"daybefore/internal/verdict"
)

const contents = `
	create extension hstore;
	create table people (id int, email text, full_name text, site text, reach text[], ip text, hardware text, pass text, session text, city text,
		blank_note text, remark text,
		profile jsonb, tags hstore, owners hstore);
	insert into people select n, 'Person.' || n || '@example.com', 'Ada Nobody ' || n, 'https://example.com/' || n, array['+49 171 23456' || 10 + n, null],
		'203.0.113.' || n, '00:1a:2b:3c:4d:' || lpad(to_hex(n), 2, '0'), '$2b$12$' || repeat('abcdefgh', 6) || lpad(n::text, 5, '0'), gen_random_uuid(),
			(array['Bern', 'Oslo'])[1 + n % 2], ' ', null,
		jsonb_build_object('contact_email', 'ada' || n || '@example.com', 'address', jsonb_build_object('street', 'A ' || n, 'zip', '1234' || n), 'level', n,
			'ada.nobody' || n, 'ada' || n || '@example.com', 'phones', jsonb_build_array('+49 171 2345678')),
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
  # people, streets and cities will be called as in en_US; locale: says otherwise, ` +
		`and knows de_DE, en_US, es_ES, fr_FR, it_IT, nl_NL, pl_PL, pt_BR, sv_SE, uk_UA
  # high: the backup holds large objects, which can be anything; the other way is preserve
  large_objects: drop
  rules:
    # *.guests
    # high: alike in 2 schemas, of which the first: named like an e-mail address, and its only value looks like one
    - {column: '*.guests.mail', transform: email, link: email, normalize: [trim, lower]}
    # medium: alike in 2 schemas, of which the first: named like free text; 1 value, 1 different
    - {column: '*.guests.remark', transform: text}
    # b.guests
    # high: named like an e-mail address, and its only value looks like one
    - {column: b.guests.extra_mail, transform: email, link: email, normalize: [trim, lower]}
    # public.nothing
    # low: named like an e-mail address; the backup has no value to look at
    - {column: public.nothing.email, transform: email, link: email, normalize: [trim, lower]}
    # low: of type jsonb; the backup has no value to look at
    - {column: public.nothing.doc, unmatched_paths: redact}
    # public.people
    # high: named like an e-mail address, and all 100 values look like one
    - {column: public.people.email, transform: email, link: email, normalize: [trim, lower]}
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
    # high: of type jsonb; 100 documents, with the keys contact_email, phones, street, zip; about 104 different keys of 100 objects at $, as values are
    - {column: public.people.profile, unmatched_paths: redact, json: [
        {path: '$..contact_email', transform: email, link: email},
        {path: '$..phones', transform: phone, link: phone},
        {path: '$..street', transform: street},
        {path: '$..zip', transform: postcode},
        {path: '$', keys: true, transform: hash}]}
    # medium: of type hstore; 100 values
    - {column: public.people.tags, transform: text}
    # high: of type hstore; 100 values, some with keys that look sensitive
    - {column: public.people.owners, transform: set_null}
    # public.things
    # high: all 100 values look like an e-mail address
    - {column: public.things.kontakt, transform: email, link: email, normalize: [trim, lower]}
    # medium: 10 of 100 values hold an e-mail address
    - {column: public.things.story, transform: text}
    # low: 3 of 100 values look like a card number
    - {column: public.things.serial_no, preserve: true, why: "long numbers, of which few look like a card's, as some do by chance"}
    # high: all 100 values look like a card number
    - {column: public.things.invoice, transform: card}
    # high: all 100 values look like an e-mail address
    - {column: public.things.seen_by, transform: email, link: email, normalize: [trim, lower]}
  # 2 columns pass as they are. Write a rule for each that is personal after all:
  #   public.people.site (text): 100 rows, codes; decided by nobody
  #   public.things.plain (text): 100 rows, words; decided by nobody
`
	want = strings.Replace(want, "otherwise,\n    and", "otherwise, and", 1) // written on two lines here, to be read
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
	for _, real := range []string{"Person", "Ada", "ada", "ada.nobody", "Bern", "example", "4111", "203.0", "guests.*Person"} {
		if regexp.MustCompile(real).MatchString(d.YAML()) {
			t.Errorf("the draft shows %s", real)
		}
	}
}

// What is worth a path is in enough documents, and what it becomes follows what
// stands there.
func TestDraftWeighsKeys(t *testing.T) {
	t.Parallel()
	key := func(documents, containers int64, e evidence) *keyEvidence {
		e.values = documents - containers
		return &keyEvidence{evidence: e, what: "a secret", transform: "token", documents: documents, containers: containers}
	}
	for _, tt := range []struct {
		name      string
		documents int64
		key       *keyEvidence
		want      string // the transform; empty: it is redacted with the rest
	}{
		{"in one of a hundred", 1000, key(10, 0, evidence{}), "token"},
		{"in fewer", 1000, key(9, 0, evidence{}), ""},
		{"in the only one", 1, key(1, 0, evidence{}), ""},
		{"in both", 2, key(2, 0, evidence{}), "token"},
		{"an object in every second", 100, key(100, 50, evidence{}), ""},
		{"an object in every tenth", 100, key(100, 10, evidence{}), "token"},
		{"addresses", 100, key(100, 0, evidence{whole: map[detect.Kind]int64{detect.Email: 90}}), "email"},
		{"some addresses", 100, key(100, 0, evidence{whole: map[detect.Kind]int64{detect.Email: 50}}), "token"},
		{"UUIDs", 100, key(100, 0, evidence{forms: [likenesses]int64{likeUUID: 100}}), "uuid"},
		{"no word that tells", 100, nil, ""},
	} {
		e := evidence{documents: tt.documents, keys: map[string]*keyEvidence{"k": tt.key}}
		got := ""
		for _, k := range e.telling() {
			got = k.Transform
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// How sure a line is follows how many values say so.
func TestDraftWeighsValues(t *testing.T) {
	t.Parallel()
	hits := func(n int64) map[detect.Kind]int64 { return map[detect.Kind]int64{detect.Card: n} }
	for _, tt := range []struct {
		name, typ  string
		e          evidence
		confidence confidence
		passes     bool
	}{
		{"twenty of one kind", "text", evidence{values: 20, hits: hits(20), whole: hits(20)}, high, false},
		{"nineteen", "text", evidence{values: 19, hits: hits(19), whole: hits(19)}, medium, false},
		{"one text in a hundred", "text", evidence{values: 1000, hits: hits(10)}, medium, false},
		{"fewer", "text", evidence{values: 1000, hits: hits(9)}, low, false},
		{"one number in five", "int8", evidence{values: 1000, hits: hits(200), whole: hits(200)}, low, false},
		{"fewer numbers", "int8", evidence{values: 1000, hits: hits(199), whole: hits(199)}, low, true},
	} {
		c := &schema.Column{Table: &schema.Table{Name: schema.Name{Schema: "public", Table: "t"}}, Name: "ref", SQL: tt.typ,
			Base: schema.Type{Schema: "pg_catalog", Name: tt.typ, Kind: "b"}}
		j := tt.e.judge(c, "", "")
		if j.confidence != tt.confidence || (j.Passes != "") != tt.passes {
			t.Errorf("%s: %s, passes %q", tt.name, j.confidence, j.Passes)
		}
	}
}

// Whatever tables and columns are called, the draft is read again, names them
// alone, and is taken.
func TestDraftOfStrangeNames(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), `create table "two
lines: {" (email text); create table "it's" ("E-Mail '" text, "phone
number" text); create table "a#b" (email text);
		create schema a; create schema b; create schema c; create table a."x*" (mail text); create table b."x*" (mail text); create table c."xy" (mail bool);
		create table a.hosts (mail text); create table b.hosts (mail text); create table c.hosts (mail bool)`); err != nil {
		t.Fatal(err)
	}
	s := situation{}
	d := s.survey(t, conn)
	s.confirmed(t, conn, d)
	if !strings.Contains(d.YAML(), "{column: a.hosts.mail,") || !strings.Contains(d.YAML(), "{column: b.hosts.mail,") {
		t.Errorf("a rule for columns that are no text: %s", d.YAML())
	}
}

// What a document's column takes decides about its paths too, and equal values
// in documents and columns stay equal.
func TestDraftOfDocuments(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(),
		`create table users (ssn text, login text, tied_to text); create table events (doc jsonb, short jsonb check (length(short ->> 'email') < 24));
		insert into users select '123-45-' || i, 'user' || i, 'user' || i from generate_series(1000, 1100) i;
		insert into events select jsonb_build_object('ssn', ssn, 'email', login || '@example.com'), jsonb_build_object('email', login || '@example.com')
			from users`); err != nil {
		t.Fatal(err)
	}
	s := situation{definitions: []string{"ALTER TABLE ONLY public.users ADD CONSTRAINT u UNIQUE (login);",
		"ALTER TABLE ONLY public.users ADD CONSTRAINT f FOREIGN KEY (tied_to) REFERENCES public.users(login);"}}
	d := s.survey(t, conn)
	want := `scrub:
  rules:
    # public.events
    # high: of type jsonb; 101 documents, with the keys email, ssn
    - {column: public.events.doc, unmatched_paths: redact, json: [
        {path: '$..email', transform: email},
        {path: '$..ssn', transform: text, link: official_number}]}
    # high: of type jsonb; 101 documents, with the keys email
    - {column: public.events.short, unmatched_paths: redact}
    # public.users
    # high: named like an official number, and all 101 values look like one
    - {column: public.users.ssn, transform: text, link: official_number}
    # medium: named like an account's name; 101 values, 101 different
    - {column: public.users.login, transform: token, link: login}
    # medium: its values are those of public.users.login, to which a foreign key ties it
    - {column: public.users.tied_to, transform: token, link: login}
`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(d.YAML(), "\n")); diff != "" {
		t.Error(diff)
	}
	s.confirmed(t, conn, d)
}

// Texts in which addresses stand are no addresses: nothing of them would become
// equal to one, so that they get no link, and take none's name.
func TestDraftLinksNoTexts(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), `create table a (header text, email text); create table b (entry text, sender text);
		insert into a select 'From: <ada' || n || '@example.com>', 'ada' || n || '@example.com' from generate_series(1, 30) n;
		insert into b select 'EMAIL:ada' || n || '@example.com;', 'ada' || n || '@example.com' from generate_series(1, 30) n`); err != nil {
		t.Fatal(err)
	}
	d := situation{}.survey(t, conn)
	for _, line := range []string{"{column: public.a.header, transform: text}", "{column: public.a.email, transform: email, link: email}",
		"{column: public.b.sender, transform: email, link: email}"} {
		if !strings.Contains(d.YAML(), line) {
			t.Errorf("%s is not in\n%s", line, d.YAML())
		}
	}
}

// A schema made to be nasty: rules that fit are found for all of it.
func TestDraftOfANastySchema(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), scrubtest.Nasty); err != nil {
		t.Fatal(err)
	}
	s := situation{definitions: scrubtest.NastyKeys, exclude: []string{"public.visits"}} // which nothing fits
	d := s.survey(t, conn)
	s.confirmed(t, conn, d)
	if !strings.Contains(d.YAML(),
		"# low: named like an e-mail address; the backup has no value to look at\n    - {column: public.users.email, transform: email, link: email}") {
		t.Error(d.YAML())
	}
}

// Where words are drafted, also within documents, and nobody chose a locale,
// the draft speaks of it.
func TestDraftSpeaksOfLocales(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(),
		`create table t (doc jsonb); insert into t select jsonb_build_object('street', 'Am Hang ' || n) from generate_series(1, 30) n`); err != nil {
		t.Fatal(err)
	}
	for locale, spoken := range map[string]bool{"": true, "en_US": true, "de_DE": false} {
		d := situation{locale: locale}.survey(t, conn)
		if section := d.YAML(); strings.Contains(section, "locale: says otherwise") != spoken || !strings.Contains(section, "transform: street") {
			t.Errorf("%q: %s", locale, section)
		}
	}
}

// The drill file's rules stay as they are: what they leave is drafted, under
// their links, and what is wrong with them is told.
func TestDraftBesideRules(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(),
		`create table users (email text, full_name text); create table orders (email text, note text); create table sessions (token text)`); err != nil {
		t.Fatal(err)
	}
	s := situation{exclude: []string{"public.sessions"},
		rules: rules(t, "public.users.email email link=person_email", "public.users.full_name preserve", "public.gone.email email")}
	d := s.survey(t, conn)
	if got, want := scrubtest.LoadSection(t, d.YAML()).Rules,
		2; len(got) != want || got[0].Link != "person_email" || got[1].Column.Source != "public.orders.note" {
		t.Errorf("%+v", got)
	}
	if notes := strings.Join(d.Notes(), "\n"); len(d.Notes()) != 1 ||
		!strings.Contains(notes, "drills/shop.yaml:3:7: public.gone.email names no column of the backup; find out why the backup lacks the table") {
		t.Error(notes)
	}
	if strings.Contains(d.YAML(), "locale") {
		t.Errorf("no words are drafted, and a locale is spoken of:\n%s", d.YAML())
	}
	if d.Ruled != 2 {
		t.Error(d.Ruled)
	}
	within := scrubtest.JSONRule(t, "public.users.doc", "$.mail email link=person_email")
	if _, err := conn.Exec(t.Context(), "alter table users add doc jsonb"); err != nil {
		t.Fatal(err)
	}
	s.rules = append(rules(t, "public.users.email preserve", "public.users.full_name preserve"), within)
	if got := scrubtest.LoadSection(t, s.survey(t, conn).YAML()).Rules; len(got) != 2 || got[0].Link != "person_email" {
		t.Errorf("%+v", got)
	}
	s.rules = append(rules(t, "public.users.email preserve", "public.users.full_name hash link=email"), within)
	s.rules[2].JSON[0].Link = ""
	if _, err := conn.Exec(t.Context(), "alter table orders add other_email text"); err != nil {
		t.Fatal(err)
	}
	if got := scrubtest.LoadSection(t, s.survey(t, conn).YAML()).Rules; len(got) != 3 || got[0].Link != "email_email" || got[2].Link != "email_email" {
		t.Errorf("the name of a link that is taken: %+v", got)
	}
}

// What stands in the schema itself is told in front, and what is no leak is not.
func TestDraftTellsOfTheSchema(t *testing.T) {
	t.Parallel()
	var d Draft
	d.AddSchema([]verdict.Check{{ID: "leak:a comment on t", Outcome: verdict.Error, Observed: "an e-mail address"},
		{ID: "leak:a comment on u", Outcome: verdict.Pass, Observed: "nothing"}, {ID: "leak_scan", Outcome: verdict.Error}})
	if notes := d.Notes(); len(notes) != 1 || !strings.HasPrefix(notes[0], "a comment on t holds an e-mail address; no rule fixes it") {
		t.Errorf("%q", notes)
	}
}

// Addresses under a link become equal where they differ by case or outer blanks,
// but not where a unique index, or the drill file's own link, holds them apart.
func TestDraftNormalizesMail(t *testing.T) {
	t.Parallel()
	const unique = "ALTER TABLE ONLY public.people ADD CONSTRAINT u UNIQUE (email);"
	for name, tt := range map[string]struct {
		people, orders string
		definitions    []string
		rules          []string
		want           bool
	}{
		"capitals":          {"('Ada@example.com'), ('bob@example.com')", "('ada@example.com')", nil, nil, true},
		"blanks":            {"('ada@example.com'), ('bob@example.com')", "(' ada@example.com')", nil, nil, true},
		"neither":           {"('ada@example.com'), ('bob@example.com')", "('ada@example.com')", nil, nil, false},
		"unique, apart":     {"('Ada@example.com'), ('bob@example.com')", "('ada@example.com')", []string{unique}, nil, true},
		"unique, two alike": {"('Ada@example.com'), ('ada@example.com')", "('ada@example.com')", []string{unique}, nil, false},
		"a link of the drill file's": {"('Ada@example.com'), ('bob@example.com')", "('ada@example.com')", nil,
			[]string{"public.orders.email email link=email"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := pgtest.DB(t)
			if _, err := conn.Exec(t.Context(), "create table people (email text); create table orders (email text); "+
				"insert into people values "+tt.people+"; insert into orders values "+tt.orders); err != nil {
				t.Fatal(err)
			}
			s := situation{definitions: tt.definitions, rules: rules(t, tt.rules...)}
			d := s.survey(t, conn)
			if got := strings.Contains(d.YAML(), "link: email, normalize: [trim, lower]}"); got != tt.want ||
				!strings.Contains(d.YAML(), "public.people.email, transform: email, link: email") {
				t.Errorf("normalized: %v\n%s", got, d.YAML())
			}
			s.confirmed(t, conn, d)
		})
	}
}
