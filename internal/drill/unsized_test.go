package drill_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

const named = `
version: 1
source:
  exec: {list: [printf, 'p-20260304.dump\n'], fetch: [cat, "%s/{name}"]}
  name: "p-{time}.dump"
  time: "20060102"
  time_tolerance: 999999h
  timezone: UTC
expectations: {tables: [{table: public.t, row_count: {equals: 1}}]}
`

// Where a program tells no size, the report has none until it was fetched.
func TestASizeIsToldOnceItIsKnown(t *testing.T) {
	t.Parallel()
	garbage := t.TempDir()
	put(t, filepath.Join(garbage, "p-20260304.dump"), []byte("no archive"))
	r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(named, garbage)))
	if b := r.Backup; r.Outcome != verdict.Fail || b.Name == "" || !b.Unsized || b.SizeBytes != 0 {
		t.Errorf("%s of %+v\n%s", r.Outcome, b, worst(r))
	}
	cut := t.TempDir()
	put(t, filepath.Join(cut, "p-20260304.dump"), []byte("--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (i int);\n"))
	r = run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(named, cut)))
	if b := r.Backup; r.Outcome != verdict.Fail || b.Unsized || b.SizeBytes == 0 {
		t.Errorf("%s of %+v\n%s", r.Outcome, b, worst(r))
	}
}
