package drill_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// stored dumps a database that SQL makes, and is the drill file that finds it, up to
// its scrub section.
func stored(t *testing.T, sql, table string) string {
	t.Helper()
	source := pgtest.Server(t)
	source.Exec("postgres", sql)
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "20261121.dump"), source.Dump("-Fc", "postgres"), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("version: 1\nsource: {url: %q, name: '{time}.dump', time: '20060102', time_tolerance: 99999d, timezone: UTC, "+
		"database: postgres}\nexpectations: {tables: [{table: %s}]}\n", "file://"+store, table)
}

// drafted is the scrub section that is drafted for a drill file.
func drafted(t *testing.T, file string) string {
	t.Helper()
	d, r := drill.Draft(t.Context(), drill.Request{Drill: load(t, sandbox.Local, file), Run: "test", Now: time.Now(), Version: "test"}, nil)
	if d == nil {
		t.Fatalf("%s\n%s", r.Outcome, worst(r))
	}
	return d.YAML()
}

// drilled drills with a scrub section, and sees that no report tells of anybody.
func drilled(t *testing.T, file, section string, real ...string) *verdict.Report {
	t.Helper()
	r := run(t, t.Context(), load(t, sandbox.Local, file+section))
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, sign := range real {
		if strings.Contains(strings.ToLower(string(text)), sign) {
			t.Errorf("the report tells %s", sign)
		}
	}
	return r
}

// erred are the ids of the checks of outcome error, with their hints.
func erred(r *verdict.Report) map[string]string {
	all := map[string]string{}
	for _, c := range r.Checks {
		if c.Outcome == verdict.Error {
			all[c.ID] = c.Hint
		}
	}
	return all
}

const keyLogins = `
	create table users (id int primary key, login text not null unique, full_name text not null);
	insert into users select i, 'annazqlogin' || chr(97 + i % 26) || chr(97 + (i / 26) % 26), 'Anna Zqperson' || chr(97 + i % 26) || chr(97 + (i / 26) % 26)
		from generate_series(0, 399) i;
	create table boards (id int primary key, votes jsonb);
	insert into boards select i, jsonb_build_object('votes', jsonb_build_object('annazqlogin' || chr(97 + i % 26) || chr(97 + (i / 26) % 26), 5))
		from generate_series(0, 399) i;`

// Logins as keys of documents are drafted to become what they become in their column;
// without a rule for keys the drill ends, by their number and by source_overlap.
func TestKeysThatAreLogins(t *testing.T) {
	t.Parallel()
	file := stored(t, keyLogins, "public.boards")
	const shown = "latest_events: [{table: public.boards, order_by: id, columns: [votes], limit: 3}]\n"
	section := drafted(t, file)
	if !strings.Contains(section, "{path: '$..votes', keys: true, transform: token, link: login}") || strings.Contains(section, "zq") {
		t.Fatalf("%s", section)
	}
	if r := drilled(t, file, section+"  leak_scan: {source_overlap: 100000}\n"+shown, "zqlogin"); r.Outcome != verdict.Pass {
		t.Errorf("the draft: %s %v\n%s", r.Outcome, erred(r), worst(r))
	}
	const rules = `scrub:
  rules:
    - {column: public.boards.votes, %s}
    - {column: public.users.login, transform: token, link: login}
    - {column: public.users.full_name, transform: name}
  leak_scan: {source_overlap: %d}
`
	for name, tt := range map[string]struct {
		rule    string
		overlap int
		want    string // the check that is an error
	}{
		"many":      {"unmatched_paths: redact", 1, "unmatched:public.boards.votes (keys)"},
		"sampled":   {"unmatched_paths: redact", 100000, "leak:public.boards.votes"},
		"preserved": {`json: [{path: $.votes, keys: true, preserve: true, why: "made for the test"}]`, 100000, "leak:public.boards.votes"},
		"refused":   {`unmatched_paths: refuse, json: [{path: "$.votes.*", transform: number}]`, 1, "unmatched:public.boards.votes (keys)"},
	} {
		r := drilled(t, file, fmt.Sprintf(rules, tt.rule, tt.overlap), "zqlogin", "zqperson")
		found := erred(r)
		hint, ok := found[tt.want]
		if r.Outcome != verdict.Error || !ok {
			t.Errorf("%s: %s %v", name, r.Outcome, found)
		}
		if strings.HasPrefix(tt.want, "unmatched") && !strings.Contains(hint, "- {path: '$..votes', keys: true, transform: hash}") {
			t.Errorf("%s: %s", name, hint)
		}
	}
}

// Keys of hstores stay, and are looked for like values of any other column. What
// documents say is a name elsewhere, and no finding there.
func TestKeysOfHstores(t *testing.T) {
	t.Parallel()
	file := stored(t, `create extension hstore; create table users (login text);
		create table boards (id int, votes hstore, doc jsonb);
		insert into users select 'annazqlogin' || chr(97 + i) from generate_series(0, 9) i;
		insert into boards select row_number() over (), hstore(login, '5'), '{"quantities": 5, "kind": "quantities"}' from users`, "public.boards")
	r := drilled(t, file, `scrub:
  rules: [{column: public.boards.votes, transform: text}, {column: public.boards.doc, unmatched_paths: redact},
    {column: public.users.login, transform: token}]
  leak_scan: {source_overlap: 1000}
`, "zqlogin")
	if _, ok := erred(r)["leak:public.boards.votes"]; !ok || len(erred(r)) != 2 || r.Outcome != verdict.Error {
		t.Errorf("%s %v\n%s", r.Outcome, erred(r), worst(r))
	}
}

// What is advised for an address as a key, and for keys that tell, is taken.
func TestAdviceForKeysLeadsOut(t *testing.T) {
	t.Parallel()
	file := stored(t, `create table docs (id int primary key, k2 jsonb, k10 jsonb);
		insert into docs select i, jsonb_build_object('zz', 'q', 'anna.zq7' || i || '@kundenpost.de', 1), '{"zz": "q", "full_name": "Zqseven", "street": "Zqweg 7"}'
			from generate_series(1, 20) i`, "public.docs")
	const rules = `scrub:
  rules:
    - {column: public.docs.k2, unmatched_paths: keep, why: "switches", json: [{path: $.zz, transform: text}, {path: $.*, transform: email}%s]}
    - {column: public.docs.k10, unmatched_paths: keep, why: "switches", json: [{path: $.zz, transform: text}%s]}
`
	found := erred(drilled(t, file, fmt.Sprintf(rules, "", ""), "zq7", "zqseven", "zqweg"))
	want := map[string]string{
		"unmatched:public.docs.k2 at $ (a key)":     "{path: '$', keys: true, transform: email}",
		"unmatched:public.docs.k10 at $..full_name": "{path: $..full_name, transform: name}",
		"unmatched:public.docs.k10 at $..street":    "{path: $..street, transform: street}",
	}
	advised := map[string]string{}
	for id, line := range want {
		if !strings.Contains(found[id], "add under json: - "+line) {
			t.Errorf("%s: %q", id, found)
		}
		column, _, _ := strings.Cut(id, " ")
		advised[column] += ", " + line
	}
	taken := fmt.Sprintf(rules, advised["unmatched:public.docs.k2"], advised["unmatched:public.docs.k10"])
	if r := drilled(t, file, taken, "zq7", "zqseven", "zqweg"); r.Outcome != verdict.Pass {
		t.Errorf("%s %v\n%s\n%s", r.Outcome, erred(r), worst(r), taken)
	}
}

const kept = `
	create extension hstore;
	create table people (id int primary key, email text not null, full_name text not null, street text);
	insert into people select i, 'anna.zq7' || i || '@kundenpost.de', 'Annazq7' || i || ' Muellerzq7' || i, 'Zqallee ' || i from generate_series(1, 400) i;
	create table hist (id int primary key, h_hstore hstore, h_jsonb jsonb, js text, yml text, php text, xmlt text, b64 text, sentence text);
	insert into hist select id, hstore(array['full_name', full_name]), jsonb_build_object('was', full_name),
		'{"full_name":"' || full_name || '","n":1}', E'---\nfull_name:\n- ' || full_name || E'\n- Neu\n', 'a:1:{s:4:"name";s:20:"' || full_name || '";}',
		'<p><n>' || full_name || '</n></p>', encode(convert_to('{"full_name":"' || full_name || '"}', 'UTF8'), 'base64'),
		'called ' || full_name || ' back about the order' from people;`

// History in texts is drafted to be rewritten, and source_overlap to be looked for:
// so what no draft can tell, a name in a sentence, ends the drill.
func TestHistoryInTexts(t *testing.T) {
	t.Parallel()
	file := stored(t, kept, "public.people")
	section := drafted(t, file)
	for _, line := range []string{
		"# high: all 400 values are JSON documents, with the keys full_name\n    - {column: public.hist.js, transform: text}",
		"# medium: all 400 values are YAML documents\n    - {column: public.hist.yml, transform: text}",
		"# medium: all 400 values are documents as PHP serializes them\n    - {column: public.hist.php, transform: text}",
		"# medium: all 400 values are XML documents\n    - {column: public.hist.xmlt, transform: text}",
		"# medium: all 400 values are texts in base64\n    - {column: public.hist.b64, transform: text}",
		"public.hist.js, public.hist.yml, public.hist.php, public.hist.xmlt, public.hist.b64\n    source_overlap: 10000",
	} {
		if !strings.Contains(section, line) {
			t.Errorf("lacks %s\n%s", line, section)
		}
	}
	r := drilled(t, file, section, "zq7", "zqallee")
	found := erred(r)
	if _, ok := found["leak:public.hist.sentence"]; r.Outcome != verdict.Error || !ok || len(found) != 2 {
		t.Errorf("the draft: %s %v\n%s", r.Outcome, found, worst(r))
	}
	section = strings.Replace(section, "  rules:\n", "  rules:\n    - {column: public.hist.sentence, transform: text}\n", 1)
	if r := drilled(t, file, section, "zq7", "zqallee"); r.Outcome != verdict.Pass {
		t.Errorf("with a rule for sentences: %s %v\n%s", r.Outcome, erred(r), worst(r))
	}
}
