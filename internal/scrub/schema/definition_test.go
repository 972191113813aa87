package schema

import "testing"

func FuzzDefinitions(f *testing.F) {
	f.Add(`ALTER TABLE ONLY a."b" ADD CONSTRAINT c FOREIGN KEY (x) REFERENCES y(z);`)
	f.Add("CREATE UNIQUE INDEX i ON t USING btree (E'\\'', $a$ ; $a$, /* */ 1.5)")
	f.Fuzz(func(t *testing.T, sql string) { ParseDefinitions([]string{sql}) })
}
