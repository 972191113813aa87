package leakscan

import "bytes"

// RowWriter hands on the rows of COPY text, which may come in pieces.
type RowWriter struct {
	Row  func(row []byte) error
	rest []byte
	Err  error // row's
}

func (w *RowWriter) Write(b []byte) (int, error) {
	n := len(b)
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			w.rest = append(w.rest, b...)
			return n, nil
		}
		row := b[:i]
		if len(w.rest) > 0 {
			w.rest = append(w.rest, row...)
			row = w.rest
		}
		w.Err = w.Row(row)
		if w.Err != nil {
			return 0, w.Err
		}
		w.rest, b = w.rest[:0], b[i+1:]
	}
}
