package draft

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"sync"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/jsontext"
	"daybefore/internal/scrub"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/verdict"
)

var errFields = errors.New("not as many fields as columns")

// Survey looks at the rows of a backup, before there are rules for all that
// looks sensitive, and drafts these. It keeps numbers of what it is shown, and
// no value.
type Survey struct {
	*scrub.Assignment
	ctx      context.Context
	conn     *pgx.Conn
	req      scrub.Request
	encoding copytext.Encoding
	seed     maphash.Seed

	mu       sync.Mutex
	scanners []*rowScanner
}

// NewSurvey begins a survey of what is loaded. The connection is needed until
// Draft has returned.
func NewSurvey(ctx context.Context, conn *pgx.Conn, req scrub.Request) (*Survey, error) {
	assigned, err := scrub.Assign(ctx, conn, req)
	if err != nil {
		return nil, err
	}
	encoding, _ := copytext.EncodingOf(req.Encoding) // NewPlan tells of one that is not known
	return &Survey{
		Assignment: assigned, ctx: ctx, conn: conn, req: req,
		encoding: encoding, seed: maphash.MakeSeed(),
	}, nil
}

// Filter returns the function that looks at the rows under one COPY header,
// nil where there is nothing to look at. Several workers may call Filter at
// once; what it returns is for one goroutine, and appends nothing.
func (s *Survey) Filter(namespace, table string, columns []string) (func(dst, row []byte) ([]byte, error), error) {
	t := s.req.Schema.ByName[schema.Name{Schema: namespace, Table: table}]
	if t == nil { // Draft tells
		return nil, nil
	}
	l := &rowScanner{
		survey: s, table: t, columns: len(columns),
		charset: s.encoding.Charset, decode: s.encoding.NewDecoder(), scanner: s.Scanner(),
	}
	l.hstore.Key = func(quoted []byte) { l.inKey = l.inKey || l.finds(quoted) }
	for i, name := range columns {
		if c := t.ByName[name]; c != nil && (s.Rule(c) == nil || s.Rule(c).Preserve) {
			if v := s.viewOf(c, i); v != nil {
				l.views = append(l.views, v)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scanners = append(s.scanners, l)
	return l.scan, nil
}

// view is a column that is looked at.
type view struct {
	evidence
	column  *schema.Column
	field   int
	scanner detect.Scanner
}

// viewOf is nil for a column whose values tell nothing.
func (s *Survey) viewOf(c *schema.Column, field int) *view {
	v := &view{column: c, field: field, scanner: s.ScannerFor(c)}
	what, _ := propose.Sensitive(c)
	if what == "" && !v.scanner.Looks() && !c.MayHoldText() {
		return nil
	}
	return v
}

// rowScanner looks at the rows of one block.
type rowScanner struct {
	survey  *Survey
	scanner detect.Scanner // of what stands within a value
	table   *schema.Table
	columns int
	views   []*view
	charset copytext.Charset
	decode  *copytext.Decoder
	ends    []int
	raw     []byte
	array   copytext.ArrayRewriter
	hstore  copytext.HstoreRewriter
	scratch []byte
	inKey   bool
	rows    int64
}

func (l *rowScanner) scan(dst, row []byte) ([]byte, error) {
	l.rows++
	l.ends = l.charset.AppendEnds(l.ends[:0], row)
	if len(l.ends) != l.columns {
		return dst, verdict.Failf(verdict.CodeCorrupt,
			"the backup's rows are not what their header says: "+
				"take another backup, and look at how this one was stored",
			"look at %s, row %d: %w", l.table.Name, l.rows, errFields)
	}
	for _, v := range l.views {
		v.rows++
		field := copytext.Field(row, l.ends, v.field)
		if copytext.IsNull(field) {
			v.nulls++
			continue
		}
		if err := l.value(v, field); err != nil {
			return dst, verdict.Errorf(verdict.CodeScrub, "report it as a bug if the column holds what its type says",
				"look at %s, row %d: %w", v.column, l.rows, err)
		}
	}
	return dst, nil
}

// value looks at a field that is not null.
func (l *rowScanner) value(v *view, field []byte) (err error) {
	value := field
	if !copytext.Plain(field) {
		l.raw, err = l.charset.AppendUnescaped(l.raw[:0], field)
		if err != nil {
			return err
		}
		value = l.raw
	}
	if !v.column.Array {
		return l.one(v, value)
	}
	if l.charset != copytext.ASCIISafe { // braces cannot be told from letters
		v.add(value, v.scanner, l.survey.seed)
		return nil
	}
	l.scratch, err = l.array.Append(l.scratch[:0], value, v.column.Delim, func(dst, element []byte) ([]byte, error) {
		return dst, l.one(v, element)
	})
	return err
}

// one looks at a value, or at one element of an array.
func (l *rowScanner) one(v *view, value []byte) (err error) {
	base := v.column.Base
	switch {
	case base.Is("json", "jsonb"):
		l.document(v, value)
	case base.IsHstore() && l.charset == copytext.ASCIISafe:
		l.inKey = false
		l.scratch, err = l.hstore.Append(l.scratch[:0], value, func(dst, value []byte) ([]byte, error) {
			v.add(l.decode.Decode(value), l.scanner, l.survey.seed)
			return dst, nil
		})
		if l.inKey {
			v.inKeys++
		}
	default:
		decoded := l.decode.Decode(value)
		v.add(decoded, v.scanner, l.survey.seed)
		l.writes(v, decoded)
	}
	return err
}

func (l *rowScanner) finds(text []byte) bool {
	_, found := l.scanner.Find(text)
	return found
}

// document looks at the members of a document whose keys are words that tell.
// No other key is remembered: it may be somebody's.
func (l *rowScanner) document(v *view, doc []byte) {
	v.documents++
	v.values++
	v.kinds[detect.Documents]++
	if v.census == nil {
		v.census = document.NewCensus(l.survey.seed)
	}
	v.census.Count(doc)
	l.members(v, doc)
}

// members looks at those of a document.
func (l *rowScanner) members(v *view, doc []byte) {
	for key, value := range jsontext.Members(doc) {
		k := v.key(key)
		if k == nil {
			continue
		}
		if k.last != v.documents {
			k.last = v.documents
			k.documents++
		}
		if value == nil {
			k.containers++
			continue
		}
		k.add(l.decode.Decode(value), l.scanner, l.survey.seed)
	}
}

// key is what is known of a document's key; nil where it does not tell.
func (v *view) key(key []byte) *keyEvidence {
	if k, known := v.keys[string(key)]; known {
		return k
	}
	if len(v.keys) >= mostKeys || bytes.IndexByte(key, '\\') >= 0 || !jsontext.PlainKey(key) {
		return nil
	}
	what, fitting := detect.Column(v.column.Table.Name.Table, string(key), detect.Text)
	var k *keyEvidence
	if what != "" {
		k = &keyEvidence{what: what, transform: fitting}
	}
	if v.keys == nil {
		v.keys = map[string]*keyEvidence{}
	}
	v.keys[string(key)] = k
	return k
}
