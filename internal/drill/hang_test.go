package drill_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// hanging is a script that hangs once it has written what it was given.
const hanging = `cat "$1"; echo waiting for the card >&2; exec sleep 10000`

// A foreign program that hangs until the drill's time runs out is named, with
// what it was to do and its last words.
func TestAProgramThatOutlastsTheDrill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "p-20260304.dump"), []byte(head+strings.Repeat("-- more\n", 100_000)))
	put(t, filepath.Join(dir, "hang"), []byte(hanging))
	for name, c := range map[string]struct{ exec, decrypt, stage, want string }{
		"list": {`{list: [sh, "DIR/hang", /dev/null], fetch: [cat, "{name}"]}`, "",
			verdict.StageChoose, "list exec:sh/: sh had not ended"},
		"fetch": {`{list: [printf, 'p-20260304.dump\n'], fetch: [sh, "DIR/hang", "DIR/{name}"]}`, "",
			verdict.StageFetch, "read exec:printf/p-20260304.dump: sh had not ended"},
		"fetch of a known size": {`{list: [printf, 'p-20260304.dump 99999999 2026-03-04T00:00:00Z\n'], fetch: [sh, "DIR/hang", "DIR/{name}"]}`,
			"", verdict.StageFetch, "read exec:printf/p-20260304.dump: sh had not ended"},
		"decrypt": {`{list: [printf, 'p-20260304.dump\n'], fetch: [cat, "DIR/{name}"]}`,
			`  decrypt: {command: [sh, "DIR/hang", /dev/stdin]}` + "\n",
			verdict.StageFetch, "source.decrypt.command: sh had not ended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.ReplaceAll(fmt.Sprintf(hung, c.exec, c.decrypt), "DIR", dir)
			d := load(t, sandbox.Local, text)
			d.Timeout = 5 * time.Second
			r := run(t, t.Context(), d)
			for _, s := range r.Stages {
				if s.Name == c.stage && s.Outcome == verdict.Error && s.Code == verdict.CodeTimeout &&
					strings.HasPrefix(s.Message, "the drill did not end within 5s: ") && strings.Contains(s.Message, c.want) &&
					strings.HasSuffix(s.Message, "; its last words: waiting for the card") {
					return
				}
			}
			t.Errorf("%s", worst(r))
		})
	}
}

const head = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 17.0\n-- Dumped by pg_dump version 17.0\n\n"

const hung = `
version: 1
source:
  exec: %s
  name: "p-{time}.dump"
  time: "20060102"
  time_tolerance: 999999h
  timezone: UTC
%sexpectations: {tables: [{table: public.t, row_count: {equals: 1}}]}
`
