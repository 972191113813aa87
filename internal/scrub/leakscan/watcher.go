package leakscan

import (
	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
)

// Watcher looks at the values of a block that no rule names.
type Watcher struct {
	found   func(*schema.Column, detect.Hit) (ends bool)
	fields  []watchedField
	charset copytext.Charset
	decode  *copytext.Decoder
	raw     []byte
	array   copytext.ArrayRewriter
	out     []byte
	share
}

type watchedField struct {
	field   int
	column  *schema.Column
	scanner detect.Scanner
	people  *peopleCounter // nil: nobody counts names
	members *Members       // nil: values are no documents, or nobody counts names in them
}

// Rows says how the rows of a block are read, and whom findings are told.
type Rows struct {
	Charset copytext.Charset
	Decode  *copytext.Decoder
	Percent float64 // of the rows that are looked at; 0: all
	People  *People // may be nil
	// Tells reports whether a key of a document may be told.
	Tells func(key []byte) bool
	// Found reports whether the load is not to go on.
	Found func(*schema.Column, detect.Hit) (ends bool)
}

// NewWatcher is nil where there is nothing to look at: no column has a scanner.
func NewWatcher(columns []*schema.Column, scanners map[*schema.Column]detect.Scanner, rows Rows) *Watcher {
	w := &Watcher{found: rows.Found, charset: rows.Charset, decode: rows.Decode, share: share{percent: rows.Percent}}
	for i, c := range columns {
		if s, ok := scanners[c]; ok {
			f := watchedField{field: i, column: c, scanner: s, people: rows.People.counterOf(c)}
			if f.people != nil && !c.Array {
				f.members = NewMembers(rows.People, c, rows.Tells)
			}
			w.fields = append(w.fields, f)
		}
	}
	if len(w.fields) == 0 {
		return nil
	}
	return w
}

// Looked are how many values were looked at, and the columns that they are of.
func (w *Watcher) Looked() (values int64, columns []*schema.Column) {
	for _, f := range w.fields {
		columns = append(columns, f.column)
	}
	return w.rows * int64(len(w.fields)), columns
}

// Look returns ErrLeak if a value of the row, whose fields end where ends says, looks
// so sensitive that the load must not go on, once all of the row was looked at. Other errors are of the field whose
// number comes with them.
func (w *Watcher) Look(row []byte, ends []int) (field int, _ error) {
	if w.skips() {
		return 0, nil
	}
	hit, names := false, w.countsNames()
	for i := range w.fields {
		f := &w.fields[i]
		text := copytext.Field(row, ends, f.field)
		counts := names && f.people != nil && !copytext.IsNull(text)
		if len(text) < detect.Shortest && !counts {
			continue
		}
		value, err := w.value(text)
		if err != nil {
			return f.field, err
		}
		if counts {
			w.addNames(f, value)
		}
		if h, ok := f.scanner.Find(value); ok {
			hit = w.found(f.column, h) || hit
		}
	}
	if hit {
		return 0, ErrLeak
	}
	return 0, nil
}

// value is a field as text of which ASCII can be told, valid until the next.
func (w *Watcher) value(field []byte) (value []byte, err error) {
	if !copytext.Plain(field) {
		w.raw, err = w.charset.AppendUnescaped(w.raw[:0], field)
		field = w.raw
	}
	if w.charset != copytext.ASCIISafe {
		field = w.decode.Decode(field)
	}
	return field, err
}
