package drill_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
)

// A draft is made from all rows, and the scrub measured on them, of which none
// reaches any file that the server wrote; what the schema itself holds is told, since no rule fixes it.
func TestDraftAndShowStoreNothing(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", planted+`COMMENT ON TABLE people IS 'ask ada@example.com'; SELECT lo_from_bytea(0, 'planted-mail-1@example.com')`)
	values := plantedValues(t, source)
	for name, options := range map[string][]string{"archive": {"-Fc"}, "script": {"-Fp"}, "inserts": {"-Fc", "--inserts"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			if err := os.WriteFile(filepath.Join(store, "20261121.dump"), source.Dump(append(options, "postgres")...), 0o600); err != nil {
				t.Fatal(err)
			}
			d := load(t, sandbox.Local,
				fmt.Sprintf("version: 1\nsource: {url: %q, name: '{time}.dump', time: '20060102', time_tolerance: 99999d, timezone: UTC, database: "+
					"postgres}\nexpectations: {tables: [{table: public.people}]}\n", "file://"+store))
			f := newFinder(t, values)
			draft, r := drill.Draft(t.Context(), drill.Request{Drill: d, Run: "test", Now: time.Now(), Version: "test",
				Inspect: func(ctx context.Context, box sandbox.Box) { f.files(ctx, box) }}, nil)
			if draft == nil {
				t.Fatalf("%s\n%s", r.Outcome, worst(r))
			}
			if found := f.names(values, true); len(found) > 0 {
				t.Errorf("%d real values lie in the sandbox, such as %q", len(found), found[0])
			}
			const email = "# high: named like an e-mail address, and all 200 values look like one\n    - {column: public.people.email, " +
				"transform: email, link: email}"
			if draft.Rows != 200 || !strings.Contains(draft.YAML(), email) || strings.Contains(draft.YAML(), "planted") {
				t.Errorf("%d rows\n%s", draft.Rows, draft.YAML())
			}
			d = load(t, sandbox.Local,
				strings.NewReplacer(`name: "*.dump"`, `name: "{time}.dump", time: "20060102", time_tolerance: 99999d, database: postgres`, "scrub:\n",
					"scrub:\n  large_objects: drop\n").Replace(plantedDrill(store, true)))
			shapes, r := drill.Shapes(t.Context(), drill.Request{Drill: d, Run: "test", Now: time.Now(), Version: "test",
				Inspect: func(ctx context.Context, box sandbox.Box) { f.files(ctx, box) }})
			if found := f.names(values, true); len(found) > 0 || len(shapes) != 12 || shapes[0].Column != "email" || shapes[0].Before.Different != 200 ||
				shapes[0].After.Longest != 32 {
				t.Errorf("%s\n%s%d real values lie in the sandbox; %+v", r.Outcome, worst(r), len(found), shapes)
			}
			if notes := strings.Join(draft.Notes(), "\n"); len(draft.Notes()) != 1 ||
				!strings.Contains(notes, "a comment on table public.people holds an e-mail address") || strings.Contains(notes, "ada@") {
				t.Errorf("notes: %s", notes)
			}
		})
	}
}
