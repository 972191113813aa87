package scrub

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/locale"
	"daybefore/internal/pgtest"
	"daybefore/internal/scrub/document"
	"daybefore/internal/spec"
	"daybefore/internal/spec/jsonpath"
	"daybefore/internal/spec/reference"
	"daybefore/internal/verdict"
)

// What a drill file may say and what there are words for are the same list,
// and rules take a locale where their transform has words.
func TestLocalesAreThoseOfTheDrillFile(t *testing.T) {
	t.Parallel()
	namespace, err := reference.Schema()
	if err != nil {
		t.Fatal(err)
	}
	type choice struct{ Enum []string }
	var shape struct {
		Properties struct {
			Scrub struct {
				Properties struct {
					Locale choice
					Rules  struct {
						Items struct{ Properties struct{ Locale choice } }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(namespace, &shape); err != nil {
		t.Fatal(err)
	}
	scrub := shape.Properties.Scrub.Properties
	for _, said := range [][]string{scrub.Locale.Enum, scrub.Rules.Items.Properties.Locale.Enum} {
		if !slices.Equal(said, locale.Locales()) {
			t.Errorf("the drill file knows %q, the lists %q", said, locale.Locales())
		}
	}
}

// wordsOf is what a plan makes of a row of two names, a street and a city.
func wordsOf(t *testing.T, p *Plan, row string) []string {
	t.Helper()
	rewrite, err := p.Filter("public", "t", []string{"name", "street", "city", "note"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := rewrite(nil, []byte(row))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(string(out), "\t")
	decode := p.encoding.NewDecoder()
	for i, f := range fields {
		fields[i] = strings.Clone(string(decode.Decode([]byte(f))))
	}
	return fields
}

const wordsDDL = "create table t (name text, street varchar(12), city text, note jsonb)"

func wordsRules(t *testing.T, locale string) []spec.Rule {
	t.Helper()
	all := rules(t, "public.t.name name"+locale, "public.t.street street"+locale, "public.t.city template value={city}/{hash}"+locale)
	path, err := jsonpath.Parse("$.name")
	if err != nil {
		t.Fatal(err)
	}
	within := oneRule(t, 4, "public.t.note name"+locale)
	within.Column = spec.ColumnPattern{}
	note := oneRule(t, 4, "public.t.note preserve")
	note.Preserve = false
	note.Why = ""
	note.JSON = []spec.PathRule{{Path: path, Rule: within}}
	note.Unmatched = document.Redact
	return append(all, note)
}

// A locale's words stand wherever a rule says so; the section's where none
// does. The same person is called the same in rows of any encoding.
func TestLocales(t *testing.T) {
	t.Parallel()
	forms := map[string]string{ // of the street, and letters of the city
		"de_DE": `^[A-ZÄÖÜ][A-Za-zäöüß -]+ ?[0-9]*$`, "en_US": `^[1-9][0-9]* [A-Z][A-Za-z ]*$`,
		"es_ES": `^(Calle|Avenida|Plaza|Paseo|Camino|Ronda|Travesía|Carretera)`,
		"fr_FR": `^[1-9][0-9]* [a-zA-Z]`, "it_IT": `^(Via|Corso|Piazza|Viale|Vicolo|Largo|Strada|Lungomare)`, "nl_NL": `^[A-Z][a-z]`,
		"pl_PL": `^ul\. \p{Lu}`, "pt_BR": `^(Rua|Avenida|Travessa|Alameda|Praça|Largo|Estrada|Rodovia)`, "sv_SE": `^[A-ZÅÄÖ][a-zåäö]`,
		"uk_UA": `^вул\. \p{Cyrillic}`,
	}
	encodings := map[string]string{"de_DE": "LATIN1", "es_ES": "LATIN9", "fr_FR": "WIN1252", "pl_PL": "LATIN2", "uk_UA": "KOI8U", "en_US": "SJIS"}
	seen := map[string]bool{}
	for _, locale := range locale.Locales() {
		t.Run(locale, func(t *testing.T) {
			_, p, checks := situation{ddl: wordsDDL, rules: wordsRules(t, " locale="+locale)}.plan(t)
			if len(checks) > 0 {
				t.Fatalf("%+v", checks)
			}
			row := "Ada Lovelace\t12 Park Lane\tParis\t" + `{"name": "Ada Lovelace"}`
			got := wordsOf(t, p, row)
			if !regexp.MustCompile(forms[locale]).MatchString(got[1]) || utf8.RuneCountInString(got[1]) > 12 || !utf8.ValidString(got[1]) {
				t.Errorf("the street became %q", got[1])
			}
			if seen[got[0]] || !strings.Contains(got[0], " ") {
				t.Errorf("the name became %q", got[0])
			}
			seen[got[0]] = true
			if city, _, _ := strings.Cut(got[2], "/"); seen[city] || city == "" {
				t.Errorf("the city became %q", got[2])
			} else {
				seen[city] = true
			}
			var inside struct{ Name string }
			if err := json.Unmarshal([]byte(got[3]), &inside); err != nil || !strings.Contains(inside.Name, " ") || strings.Contains(inside.Name, "Lovelace") {
				t.Errorf("the document became %s, %v", got[3], err)
			}
			_, section, checks := situation{ddl: wordsDDL, rules: wordsRules(t, ""), locale: locale}.plan(t)
			if len(checks) > 0 || !slices.Equal(wordsOf(t, section, row), got) {
				t.Errorf("said of the section: %q, of the rules: %q, %+v", wordsOf(t, section, row), got, checks)
			}
			_, both, _ := situation{ddl: wordsDDL, rules: wordsRules(t, " locale="+locale), locale: "uk_UA"}.plan(t)
			if !slices.Equal(wordsOf(t, both, row), got) {
				t.Errorf("said of a rule, and otherwise of the section: %q", wordsOf(t, both, row))
			}
			if encodings[locale] == "" {
				return
			}
			lines := wordsRules(t, " locale="+locale)
			if encodings[locale] == "SJIS" { // which takes no documents
				lines = append(lines[:3], oneRule(t, 4, "public.t.note set_null"))
				got[3] = `\N`
			}
			_, other, checks := situation{ddl: wordsDDL, rules: lines, encoding: encodings[locale]}.plan(t)
			if len(checks) > 0 || !slices.Equal(wordsOf(t, other, row), got) {
				t.Errorf("in %s: %q, in UTF-8: %q, %+v", encodings[locale], wordsOf(t, other, row), got, checks)
			}
		})
	}
}

// Words are refused before a row is loaded where the rows or the database
// cannot hold their letters, or where a constraint takes not all of them.
func TestWordsThatDoNotFit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ ddl, rule, encoding, want string }{
		// cut alike
		{"create table t (c text check (length(c) < 11)); create table u (c varchar(10))", "name link=n locale=de_DE;public.u.c name link=n locale=de_DE", "",
			""},
		{"create table t (c text)", "name locale=pl_PL", "LATIN1", "public.t.c gets words of pl_PL, for which LATIN1 has not all letters"},
		{"create table t (c text)", "template value={hash}-{city} locale=uk_UA", "LATIN1",
			"public.t.c gets words of uk_UA, for which LATIN1 has not all letters"},
		{"create table t (c text)", "city locale=de_DE", "SJIS", "public.t.c gets words of de_DE, for which SJIS has not all letters"},
		{"create table t (c text[])", "city locale=pl_PL each=true", "LATIN1", "public.t.c gets words of pl_PL, for which LATIN1 has not all letters"},
		{"create table t (c text check (c !~ 'ß'))", "last_name locale=de_DE", "",
			"public.t.c would refuse what last_name makes: constraint t_c_check: not met"},
		{"create table t (c text check (length(c) < 22))", "city locale=pt_BR", "", "public.t.c would refuse what city makes: constraint t_c_check: not met"},
		{"create table t (c text check (length(c) > 3))", "city locale=fr_FR", "", "public.t.c would refuse what city makes: constraint t_c_check: not met"},
		// one word becomes one
		{"create table t (c text check (c ~ '^[A-Za-z]+( [A-Za-z]+)+$'))", "name", "",
			"public.t.c would refuse what name makes: constraint t_c_check: not met"},
		{"create table t (c varchar(50))", "template value={hash}-{city} locale=pt_BR", "", "public.t.c holds 50 characters, and template makes 56"},
		{"create table t (c varchar(50) check (c ~ '^[A-Za-z ]+$'))", "city", "", ""},
		{"create table t (c text check (c !~ 'ß'))", "first_name locale=de_DE", "", ""},
		{"create table t (c text check (c ~ '^[^0-9]+$'))", "city locale=uk_UA", "", ""},
		{"create table t (c text check (c ~ '^[A-Za-zäöüÄÖÜß ]+$'))", "last_name locale=de_DE", "LATIN1", ""},
		{"create table t (c varchar(56))", "template value={hash}-{city} locale=pt_BR", "", ""},
		{"create table t (c text)", "text locale=uk_UA", "LATIN1", ""}, // without words
	} {
		_, _, checks := situation{ddl: tt.ddl, rules: rules(t, strings.Split("public.t.c "+tt.rule, ";")...), encoding: tt.encoding}.plan(t)
		if got := messages(checks); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s, %s in %s: %q", tt.ddl, tt.rule, tt.encoding, got)
		}
	}
}

func messages(checks []verdict.Check) string {
	var all []string
	for _, c := range checks {
		all = append(all, c.Message)
	}
	return strings.Join(all, "\n")
}

// A dump may be in another encoding than its database, which is what must hold
// the words in the end.
func TestWordsThatTheDatabaseCannotHold(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	name := "latin1_" + conn.Config().Database
	if _, err := conn.Exec(t.Context(), "create database "+pgx.Identifier{name}.Sanitize()+" template template0 encoding 'LATIN1' locale 'C'"); err != nil {
		t.Fatal(err)
	}
	config := conn.Config().Copy()
	config.Database = name
	latin1, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer latin1.Close(t.Context())
	for locale, want := range map[string]string{"de_DE": "", "pl_PL": "public.t.c gets words of pl_PL, for which LATIN1 has not all letters"} {
		_, checks := situation{ddl: "create table t (c text)", rules: rules(t, "public.t.c name locale="+locale)}.planOn(t, latin1)
		if got := messages(checks); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", locale, got)
		}
	}
}
