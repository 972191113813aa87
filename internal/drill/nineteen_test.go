package drill_test

import (
	"strings"
	"testing"

	"daybefore/internal/pgtest"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// What PostgreSQL 19 refuses of older dumps is told for what it is. The rows come
// through: those of COPY, in which a backslash means what it always did.
func TestWhatNineteenRefusesOfOlderDumps(t *testing.T) {
	t.Parallel()
	if !testneed.Matrix() {
		t.Skip("tried by dev:matrix, which has an image of 19")
	}
	for name, c := range nineteenRefuses {
		t.Run(name, func(t *testing.T) {
			source := pgtest.Container(t, "postgres:18")
			source.Exec("postgres", "CREATE DATABASE old TEMPLATE template0 "+c.options)
			source.Exec("old", `CREATE TABLE t (id int, word varchar DEFAULT E'a\\b'); INSERT INTO t VALUES (1, E'c\\d');`+c.sql)
			r := run(t, t.Context(), drillInto(t, source.Dump(c.format, "old"), "into: 19"))
			if r.Outcome != c.outcome || !strings.Contains(worst(r)+checkNamed(r, c.check).Message, c.words) {
				t.Errorf("%s\n%s\n%+v", r.Outcome, worst(r), checkNamed(r, c.check))
			}
		})
	}
}

var nineteenRefuses = map[string]struct {
	options, sql, format string
	outcome              verdict.Outcome
	check, words         string
}{
	"strings with backslashes": {
		sql: `ALTER DATABASE old SET standard_conforming_strings = off`, format: "-Fc",
		outcome: verdict.Warn, check: "database_settings", words: "non-standard string literals are not supported",
	},
	"a setting that is gone": {
		sql: `ALTER DATABASE old SET escape_string_warning = off`, format: "-Fc",
		outcome: verdict.Warn, check: "database_settings", words: "escape_string_warning",
	},
	"an encoding that is gone": {
		options: "ENCODING 'MULE_INTERNAL' LOCALE 'C'", format: "-Fc",
		outcome: verdict.Error, words: "MULE_INTERNAL",
	},
}
