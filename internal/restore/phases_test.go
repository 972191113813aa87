package restore

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/archive"
)

// Between two tables that observe the workers load what lies there, large or
// not; small tables are loaded along with those that observe.
func TestPhases(t *testing.T) {
	t.Parallel()
	for layout, want := range map[string]string{
		"a b c =": "[a b c =]",
		"a O b":   "[a] (O) [b]",
		"O P b":   "(O P) [b]",
		"O b P c": "(O b P) [c]",
		"O B P c": "(O) [B] (P) [c]",
		"O = P":   "(O) [=] (P) []",
		"a b O":   "[a b] (O) []",
		"":        "[]",
	} {
		var entries, direct []archive.Entry
		var tables []*tableLoad
		observes := map[int]bool{}
		for i, word := range strings.Fields(layout) {
			e := archive.Entry{DumpID: i + 1, Tag: word}
			if word == "B" {
				e.DataSize = alone
			}
			entries = append(entries, e)
			if word == "=" {
				direct = append(direct, e)
				continue
			}
			tables = append(tables, &tableLoad{entry: e})
			observes[e.DumpID] = word == "O" || word == "P"
		}
		slices.Reverse(tables) // whose order says nothing
		var got []string
		for _, p := range phases(entries, tables, direct, func(id int) bool { return observes[id] }) {
			var names []string
			for _, t := range p.tables {
				names = append(names, t.entry.Tag)
			}
			for _, e := range p.direct {
				names = append(names, e.Tag)
			}
			around := map[bool]string{false: "[%s]", true: "(%s)"}[p.serial]
			got = append(got, fmt.Sprintf(around, strings.Join(names, " ")))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%q: %s, want %s", layout, got, want)
		}
	}
}

// What the SQL of an entry shows of calls, in the server's spelling.
func TestCallsInSQL(t *testing.T) {
	t.Parallel()
	o := &observers{calls: map[tableName]bool{{"public", "f"}: true, {`My "Schema"`, "F (x)"}: true}, unsaid: map[string]bool{"f": true, "F (x)": true}}
	for sql, want := range map[string]string{
		"CREATE INDEX f ON public.t USING btree (f);":                     "",
		"CREATE INDEX i ON public.f USING btree (id);":                    "",
		"CREATE INDEX i ON public.t USING btree (lower(f));":              "",
		"CREATE INDEX i ON public.t USING btree (other.f(id));":           "",
		"CREATE INDEX i ON public.t USING btree (public.f(id));":          "public.f",
		"CREATE INDEX i ON public.t USING btree (id) WHERE f(id);":        "f",
		`CREATE INDEX i ON t USING btree ("My ""Schema"""."F (x)"(id));`:  `My "Schema".F (x)`,
		"ALTER TABLE ONLY public.t\n    ADD CONSTRAINT f UNIQUE (f, id);": "",
	} {
		if got, _ := o.ofSQL(sql); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
	views := map[int]archive.Entry{7: {Defn: "SELECT n FROM public.v;", Deps: []int{8, 9}}, 8: {Defn: "SELECT public.f() AS n;", Deps: []int{9}}}
	for id, want := range map[int]bool{7: true, 8: true, 9: false} {
		if _, got := o.ofEntry(archive.Entry{Desc: "MATERIALIZED VIEW DATA", Deps: []int{id}}, views); got != want {
			t.Errorf("a materialized view on %d observes: %t", id, got)
		}
	}
	for _, o := range []*observers{{operators: true}, {domains: true}, {casts: true}, {classes: "c"}, {events: "e"}} {
		if _, ok := o.ofSQL("CREATE INDEX i ON t USING btree ((id OPERATOR(public.+) id)) WHERE (x)::public.d > 0;"); !ok {
			t.Errorf("%+v sees nothing", o)
		}
		if _, ok := o.ofSQL("CREATE INDEX i ON t USING btree (id) WHERE (x > 0);"); ok != (o.classes+o.events != "") {
			t.Errorf("%+v sees something", o)
		}
	}
}
