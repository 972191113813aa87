package scrub

import (
	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
)

// watcher looks at the values of a block that no rule names.
type watcher struct {
	found   func(*schema.Column, detect.Kind)
	fields  []watchedField
	charset copytext.Charset
	decode  *copytext.Decoder
	raw     []byte
	share
}

type watchedField struct {
	field   int
	column  *schema.Column
	scanner detect.Scanner
}

// newWatcher is nil where there is nothing to look at: no column has a scanner.
func newWatcher(columns []*schema.Column, scanners map[*schema.Column]detect.Scanner, percent float64, encoding copytext.Encoding, decode *copytext.Decoder, found func(*schema.Column, detect.Kind)) *watcher {
	w := &watcher{found: found, charset: encoding.Charset, decode: decode, share: share{percent: percent}}
	for i, c := range columns {
		if s, ok := scanners[c]; ok {
			w.fields = append(w.fields, watchedField{i, c, s})
		}
	}
	if len(w.fields) == 0 {
		return nil
	}
	return w
}

// looked are how many values were looked at, and the columns that they are of.
func (w *watcher) looked() (values int64, columns []*schema.Column) {
	for _, f := range w.fields {
		columns = append(columns, f.column)
	}
	return w.rows * int64(len(w.fields)), columns
}

// look returns ErrLeak if a value of the row, whose fields end where ends says, looks
// sensitive, once all of the row was looked at. Other errors are of the field whose
// number comes with them.
func (w *watcher) look(row []byte, ends []int) (field int, _ error) {
	if w.skips() {
		return 0, nil
	}
	hit := false
	for i := range w.fields {
		f := &w.fields[i]
		from := 0
		if f.field > 0 {
			from = ends[f.field-1] + 1
		}
		text := row[from:ends[f.field]]
		if len(text) < detect.Shortest {
			continue
		}
		value, err := w.value(text)
		if err != nil {
			return f.field, err
		}
		if h, ok := f.scanner.Find(value); ok {
			hit = true
			w.found(f.column, h.Kind)
		}
	}
	if hit {
		return 0, ErrLeak
	}
	return 0, nil
}

// value is a field as text of which ASCII can be told, valid until the next.
func (w *watcher) value(field []byte) (value []byte, err error) {
	if !copytext.Plain(field) {
		w.raw, err = w.charset.AppendUnescaped(w.raw[:0], field)
		field = w.raw
	}
	if w.charset != copytext.ASCIISafe {
		field = w.decode.Decode(field)
	}
	return field, err
}
