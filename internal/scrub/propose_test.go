package scrub

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// mends are the lines that the checks say to add.
func mends(t testing.TB, checks []verdict.Check) []string {
	t.Helper()
	var all []string
	for _, c := range checks {
		_, lines, found := strings.Cut(c.Hint, "\n")
		if !found {
			t.Fatalf("no line to add: %+v", c)
		}
		all = append(all, strings.Split(lines, "\n")...)
	}
	return all
}

// loadRules reads rules as a drill file holds them.
func loadRules(t testing.TB, lines []string) spec.Scrub {
	t.Helper()
	return loadScrub(t, "scrub:\n  rules:\n    "+strings.Join(lines, "\n    ")+"\n")
}

// loadScrub reads a scrub section.
func loadScrub(t testing.TB, section string) spec.Scrub {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drafted.yaml")
	text := "version: 1\nsource: {url: file:///none/, name: \"*.dump\", timezone: UTC}\nexpectations: {tables: [{table: public.t}]}\n" + section
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := spec.Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, section)
	}
	return d.Scrub
}

// nasty has a column for everything that a proposal must respect.
const nasty = `
	create domain mail as text check (value like '%@%');
	create domain short_mail as varchar(24) check (length(value) < 24);
	create type geo as (lat float8, lon float8);
	create type home as (street text, zip char(5), at geo, phones text[]);
	create extension hstore; create extension citext;
	create table users (id int not null, email mail not null, login varchar(20) not null, ssn char(11), address text, address_city varchar(8), zip char(5) not null,
		website varchar(60), iban varchar(34), card_number numeric(19), last_ip inet, device macaddr not null, ip_text text, phones text[] not null, born date not null, home home, homes home[],
		profile jsonb not null, profiles jsonb[], tags hstore, search tsvector not null, avatar bytea, scans bytea[], marks bytea[] not null, password_hash varchar(60), pin varchar(4) check (pin ~ '^[0-9]{4}$'), page xml not null, "E Mail" citext,
		lat float8, mobile bigint not null);
	create table orders (id int, user_email mail, by_login varchar(20), ssn char(11), contact_email text, shipping_address text not null);
	create table staff (badge_token uuid, office_phone varchar(30)) inherits (users);
	create table visits (visitor_email text not null, at timestamptz) partition by list (visitor_email);
	create table visits_a partition of visits for values in ('a@example.com');
	create table keys (email varchar(12) not null, note text);
	create table uses (key_email varchar(12), at date)`

var nastyKeys = []string{
	"ALTER TABLE ONLY public.users ADD CONSTRAINT users_email UNIQUE (email);",
	"ALTER TABLE ONLY public.users ADD CONSTRAINT users_login UNIQUE (login);",
	"ALTER TABLE ONLY public.users ADD CONSTRAINT users_ssn UNIQUE (ssn);",
	"ALTER TABLE ONLY public.users ADD CONSTRAINT users_mobile UNIQUE (mobile);",
	"ALTER TABLE ONLY public.keys ADD CONSTRAINT keys_pkey PRIMARY KEY (email);",
	"ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_email FOREIGN KEY (user_email) REFERENCES public.users(email);",
	"ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_login FOREIGN KEY (by_login) REFERENCES public.users(login);",
	"ALTER TABLE ONLY public.uses ADD CONSTRAINT uses_email FOREIGN KEY (key_email) REFERENCES public.keys(email);",
}

// What is proposed fits: it is taken with all that the columns ask for, says
// what suits, keeps keys keys and foreign keys whole.
func TestProposals(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	s := situation{ddl: nasty, definitions: nastyKeys}
	_, checks := s.planOn(t, conn)
	got := mends(t, checks)
	want := []string{
		`- {column: public.keys.email, preserve: true, why: "no transform fits: it holds 12 characters, and email makes 32"}`,
		`- {column: public.keys.note, transform: text}`,
		`- {column: public.orders.user_email, transform: email, link: email}`,
		`- {column: public.orders.by_login, transform: token, link: login}`,
		`- {column: public.orders.ssn, transform: text}`,
		`- {column: public.orders.contact_email, transform: email, link: email}`,
		`- {column: public.orders.shipping_address, transform: street}`,
		`- {column: public.staff.office_phone, transform: phone, link: phone}`,
		`- {column: public.users.email, transform: email, link: email}`,
		`- {column: public.users.login, transform: token, link: login}`,
		`- {column: public.users.ssn, transform: set_null}`,
		`- {column: public.users.address, transform: street}`,
		`- {column: public.users.address_city, transform: city}`,
		`- {column: public.users.zip, transform: postcode}`,
		`- {column: public.users.website, transform: url}`,
		`- {column: public.users.iban, transform: iban}`,
		`- {column: public.users.card_number, transform: card}`,
		`- {column: public.users.last_ip, transform: ip, link: ip}`,
		`- {column: public.users.device, transform: mac}`,
		`- {column: public.users.ip_text, transform: ip, link: ip}`,
		`- {column: public.users.phones, transform: phone, link: phone, each: true}`,
		`- {column: public.users.born, transform: date_shift}`,
		`- {column: public.users.home, fields: [{field: street, transform: street}, {field: zip, transform: postcode}, {field: at.lat, transform: number}, {field: at.lon, transform: number}, {field: phones, transform: set_null}]}`,
		`- {column: public.users.homes, each: true, fields: [{field: street, transform: street}, {field: zip, transform: postcode}, {field: at.lat, transform: number}, {field: at.lon, transform: number}, {field: phones, transform: set_null}]}`,
		`- {column: public.users.profile, unmatched_paths: redact}`,
		`- {column: public.users.profiles, each: true, unmatched_paths: redact}`,
		`- {column: public.users.tags, transform: text}`,
		`- {column: public.users.search, transform: constant, value: ''}`,
		`- {column: public.users.avatar, transform: set_null}`,
		`- {column: public.users.scans, transform: set_null}`,
		`- {column: public.users.marks, transform: hash, each: true}`,
		`- {column: public.users.password_hash, transform: password}`,
		`- {column: public.users.pin, transform: text}`,
		`- {column: public.users.page, transform: constant, value: ''}`,
		`- {column: 'public.users."E Mail"', transform: email, link: email}`,
		`- {column: public.users.lat, transform: number}`,
		`- {column: public.users.mobile, preserve: true, why: "no transform fits: it is part of users_mobile, and number may make two values one"}`,
		`- {column: public.uses.key_email, preserve: true, why: "no transform fits: it holds 12 characters, and email makes 32"}`,
		`- {column: public.visits.visitor_email, preserve: true, why: "no transform fits: it decides which partition of public.visits a row belongs to"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.rules = loadRules(t, got).Rules
	if _, checks := s.planOn(t, conn); len(checks) > 0 {
		t.Errorf("%+v", checks)
	}
}

// What a foreign key ties to a column that looks sensitive comes with it,
// though it looks like nothing itself; and where the drill file has decided for
// one side, the other follows.
func TestProposalsKeepForeignKeys(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	s := situation{
		ddl: `create table people (login text); create table visits (who text, at date); create table badges (holder text);
			create table mails (email text); create table sent (recipient_mail text); create table bounced (of_mail text, to_phone varchar(30)); create table phones (phone varchar(30)); create table seen (username varchar(40), handle varchar(9))`,
		definitions: []string{
			"ALTER TABLE ONLY public.people ADD CONSTRAINT people_pkey PRIMARY KEY (login);", "ALTER TABLE ONLY public.mails ADD CONSTRAINT mails_pkey PRIMARY KEY (email);",
			"ALTER TABLE ONLY public.phones ADD CONSTRAINT phones_pkey PRIMARY KEY (phone);",
			"ALTER TABLE ONLY public.visits ADD CONSTRAINT v FOREIGN KEY (who) REFERENCES public.people(login);", "ALTER TABLE ONLY public.badges ADD CONSTRAINT b FOREIGN KEY (holder) REFERENCES public.visits(who);",
			"ALTER TABLE ONLY public.sent ADD CONSTRAINT s FOREIGN KEY (recipient_mail) REFERENCES public.mails(email);", "ALTER TABLE ONLY public.bounced ADD CONSTRAINT o FOREIGN KEY (of_mail) REFERENCES public.mails(email);",
			"ALTER TABLE ONLY public.bounced ADD CONSTRAINT p FOREIGN KEY (to_phone) REFERENCES public.phones(phone);",
		},
		rules: rules(t, "public.mails.email hash link=mail", "public.sent.recipient_mail hash link=mail", "public.phones.phone preserve"),
	}
	_, checks := s.planOn(t, conn)
	checks = slices.DeleteFunc(checks, func(c verdict.Check) bool { return c.Code != verdict.CodeUnmatched })
	got := mends(t, checks)
	want := []string{
		`- {column: public.bounced.of_mail, transform: hash, link: mail}`,
		`- {column: public.bounced.to_phone, preserve: true, why: "made for the test"}`,
		`- {column: public.people.login, transform: token, link: login}`,
		`- {column: public.visits.who, transform: token, link: login}`,
		`- {column: public.badges.holder, transform: token, link: login}`,
		`- {column: public.seen.username, transform: token, link: login}`,
		`- {column: public.seen.handle, transform: text}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.rules = append(s.rules, loadRules(t, got).Rules...)
	if _, checks := s.planOn(t, conn); len(checks) > 0 {
		t.Errorf("%+v", checks)
	}
}
