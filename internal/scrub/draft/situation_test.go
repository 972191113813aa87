package draft

import (
	"bytes"
	"testing"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/pgtest"
	"daybefore/internal/scrub"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/scrubtest"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var rules = scrubtest.Rules

// situation is a restored pre-data, and what a drill file says about it.
type situation struct {
	definitions     []string
	rules           []spec.Rule
	exclude         []string
	largeObjects    bool
	locale          string
	largeObjectRule string
}

func (s situation) request(restored *schema.Schema) scrub.Request {
	req := scrub.Request{
		Schema: restored, Definitions: s.definitions, File: "drills/shop.yaml", LargeObjects: s.largeObjects,
		Rules: spec.Scrub{
			Key: bytes.Repeat([]byte("test"), transform.KeySize), Rules: s.rules, ExcludeTableData: s.exclude,
			Locale: s.locale, LargeObjects: s.largeObjectRule,
		},
	}
	for i, h := range scrubtest.Headers(restored, false) {
		req.Headers = append(req.Headers, scrub.Header{DumpID: i, Header: h})
	}
	return req
}

// rowsOf are a table's rows as COPY writes them, without those of its children.
func rowsOf(t testing.TB, conn *pgx.Conn, h scrub.Header) [][]byte {
	t.Helper()
	var rows bytes.Buffer
	query := "copy (select " + scrubtest.Names(h.Columns) + " from only " + pgx.Identifier{h.Schema, h.Table}.Sanitize() + ") to stdout"
	if _, err := conn.PgConn().CopyTo(t.Context(), &rows, query); err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for row := range bytes.Lines(rows.Bytes()) {
		all = append(all, bytes.TrimSuffix(row, []byte("\n")))
	}
	return all
}

func read(t testing.TB, conn *pgx.Conn) *schema.Schema {
	t.Helper()
	restored, err := schema.Read(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return restored
}

// survey shows all rows of all tables to a survey, and drafts.
func (s situation) survey(t testing.TB, conn *pgx.Conn) *Draft {
	t.Helper()
	req := s.request(read(t, conn))
	survey, err := NewSurvey(t.Context(), conn, req)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range req.Headers {
		if survey.Excluded(h.Schema, h.Table) {
			continue
		}
		look, err := survey.Filter(h.Schema, h.Table, h.Columns)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rowsOf(t, conn, h) {
			if out, err := look(nil, row); err != nil || len(out) > 0 {
				t.Fatalf("%d bytes came out: %v", len(out), err)
			}
		}
	}
	d, err := survey.Draft()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// confirmed plans with a draft's rules and sends all rows through.
func (s situation) confirmed(t testing.TB, conn *pgx.Conn, d *Draft) {
	t.Helper()
	section := scrubtest.LoadSection(t, d.YAML())
	s.rules = append(s.rules, section.Rules...)
	s.largeObjectRule = section.LargeObjects
	req := s.request(read(t, conn))
	p, checks, err := scrub.NewPlan(t.Context(), conn, req)
	if err != nil || len(checks) > 0 {
		t.Fatalf("%v, %+v\n%s", err, checks, d.YAML())
	}
	for _, h := range req.Headers {
		if p.Excluded(h.Schema, h.Table) {
			continue
		}
		rewrite, err := p.Filter(h.Schema, h.Table, h.Columns)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rowsOf(t, conn, h) {
			if rewrite == nil {
				break
			}
			if _, err := rewrite(nil, row); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range p.Checks() {
		if c.Outcome != verdict.Pass {
			t.Errorf("%+v", c)
		}
	}
}
