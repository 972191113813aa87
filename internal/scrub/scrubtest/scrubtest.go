// Package scrubtest holds what the tests of several rooms within scrub share:
// rules in short, drill files, and what an archive says of a restored schema. It
// is never part of a drill.
package scrubtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/spec/jsonpath"
)

// Rule reads "schema.table.column transform key=value …" as a rule whose
// place in the file is its number.
func Rule(t testing.TB, line int, s string) spec.Rule {
	t.Helper()
	words := strings.Fields(s)
	parts := strings.Split(words[0], ".")
	r := spec.Rule{
		Column: spec.ColumnPattern{Schema: parts[0], Table: parts[1], Column: parts[2], Source: words[0]},
		Pos:    spec.Pos{Line: line, Column: 7},
	}
	if words[1] == "preserve" {
		r.Preserve, r.Why = true, "made for the test"
	} else {
		r.Transform = words[1]
	}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "link":
			r.Link = value
		case "locale":
			r.Locale = value
		case "each":
			r.Each = true
		case "value":
			r.Value = &value
		case "values":
			r.Values = strings.Split(value, ",")
		case "normalize":
			r.Normalize = strings.Split(value, ",")
		case "days":
			fmt.Sscan(value, &r.Days)
		case "percent":
			fmt.Sscan(value, &r.Percent)
		case "meters":
			fmt.Sscan(value, &r.Meters)
		case "bucket":
			fmt.Sscan(value, &r.Bucket)
		case "type":
			namespace, name, qualified := strings.Cut(value, ".")
			r.Type = (spec.Name{Schema: namespace, Table: name})
			if !qualified {
				r.Type = spec.Name{Table: namespace}
			}
		case "by":
			r.By = value
		case "to":
			r.To = value
		case "pattern":
			r.Pattern = value
		case "with":
			r.With = value
		default:
			t.Fatalf("rule %q: what is %s", s, key)
		}
	}
	return r
}

// Rules reads rules, one a line.
func Rules(t testing.TB, lines ...string) []spec.Rule {
	t.Helper()
	var all []spec.Rule
	for i, l := range lines {
		all = append(all, Rule(t, i+1, l))
	}
	return all
}

// JSONRule reads "$.path transform key=value …" entries as a rule by paths.
func JSONRule(t testing.TB, column string, entries ...string) spec.Rule {
	t.Helper()
	r := Rule(t, 1, column+" unused")
	r.Transform = ""
	r.Unmatched = "redact"
	r.JSON = []spec.PathRule{}
	for i, e := range entries {
		e, keys := strings.CutSuffix(e, " keys=true")
		source, rest, _ := strings.Cut(e, " ")
		path, err := jsonpath.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		r.JSON = append(r.JSON, spec.PathRule{Path: path, Keys: keys, Rule: Rule(t, i+2, "a.b.c "+rest)})
	}
	return r
}

// LoadRules reads rules as a drill file holds them.
func LoadRules(t testing.TB, lines []string) spec.Scrub {
	t.Helper()
	return LoadSection(t, "scrub:\n  rules:\n    "+strings.Join(lines, "\n    ")+"\n")
}

// LoadSection reads a scrub section.
func LoadSection(t testing.TB, section string) spec.Scrub {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drafted.yaml")
	text := "version: 1\nsource: {url: file:///none/, name: \"*.dump\", timezone: UTC}\n" +
		"expectations: {tables: [{table: public.t}]}\n" + section
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := spec.Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, section)
	}
	return d.Scrub
}

// Headers are what pg_dump writes for the tables: the leaves' of partitioned
// tables, or those of their roots.
func Headers(restored *schema.Schema, roots bool) []copytext.Header {
	var all []copytext.Header
	for _, t := range restored.Tables {
		partition := slices.ContainsFunc(t.Parents, func(p *schema.Table) bool { return p.Kind == "p" })
		if roots && partition || !roots && t.Kind == "p" {
			continue
		}
		h := copytext.Header{Schema: t.Name.Schema, Table: t.Name.Table}
		for _, c := range t.Columns {
			if !c.Generated {
				h.Columns = append(h.Columns, c.Name)
			}
		}
		all = append(all, h)
	}
	return all
}

// Names are columns as a COPY statement lists them.
func Names(columns []string) string {
	var quoted []string
	for _, c := range columns {
		quoted = append(quoted, pgx.Identifier{c}.Sanitize())
	}
	return strings.Join(quoted, ", ")
}

// Nasty has a column for everything that a proposal must respect.
const Nasty = `
	create domain mail as text check (value like '%@%');
	create domain short_mail as varchar(24) check (length(value) < 24);
	create type geo as (lat float8, lon float8);
	create type home as (street text, zip char(5), at geo, phones text[]);
	create extension hstore; create extension citext;
	create table users (id int not null, email mail not null, login varchar(20) not null, ssn char(11),
		address text, address_city varchar(8), zip char(5) not null,
		website varchar(60), iban varchar(34), card_number numeric(19), last_ip inet, device macaddr not null,
		ip_text text, phones text[] not null, born date not null, home home, homes home[],
		profile jsonb not null, profiles jsonb[], tags hstore, search tsvector not null, avatar bytea,
		scans bytea[], marks bytea[] not null, password_hash varchar(60),
		pin varchar(4) check (pin ~ '^[0-9]{4}$'), page xml not null, "E Mail" citext,
		lat float8, mobile bigint not null);
	create table orders (id int, user_email mail, by_login varchar(20), ssn char(11), contact_email text,
		shipping_address text not null);
	create table staff (badge_token uuid, office_phone varchar(30)) inherits (users);
	create table visits (visitor_email text not null, at timestamptz) partition by list (visitor_email);
	create table visits_a partition of visits for values in ('a@example.com');
	create table keys (email varchar(12) not null, note text);
	create table uses (key_email varchar(12), at date)`

// NastyKeys are the keys of Nasty, which post-data makes.
var NastyKeys = []string{
	"ALTER TABLE ONLY public.users ADD CONSTRAINT users_email UNIQUE (email);",
	"ALTER TABLE ONLY public.users ADD CONSTRAINT users_login UNIQUE (login);",
	"ALTER TABLE ONLY public.users ADD CONSTRAINT users_ssn UNIQUE (ssn);",
	"ALTER TABLE ONLY public.users ADD CONSTRAINT users_mobile UNIQUE (mobile);",
	"ALTER TABLE ONLY public.keys ADD CONSTRAINT keys_pkey PRIMARY KEY (email);",
	"ALTER TABLE ONLY public.orders " +
		"ADD CONSTRAINT orders_email FOREIGN KEY (user_email) REFERENCES public.users(email);",
	"ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_login FOREIGN KEY (by_login) REFERENCES public.users(login);",
	"ALTER TABLE ONLY public.uses ADD CONSTRAINT uses_email FOREIGN KEY (key_email) REFERENCES public.keys(email);",
}
