package sandbox

import (
	"bytes"
	"sync"
)

// maxLine is how much of a line is kept; what a program quotes can be long.
const maxLine = 256 << 10

// lineWriter hands what is written to it on, line by line.
type lineWriter struct {
	mu   sync.Mutex
	tell func(string)
	rest []byte // of a line that is not ended yet
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for {
		line, after, ended := bytes.Cut(p, []byte{'\n'})
		w.rest = append(w.rest, line[:min(len(line), maxLine-len(w.rest))]...)
		if !ended {
			return n, nil
		}
		w.flush()
		p = after
	}
}

// flush hands on the line as far as it has come.
func (w *lineWriter) flush() {
	if w.tell != nil {
		w.tell(string(bytes.TrimSuffix(w.rest, []byte{'\r'})))
	}
	w.rest = w.rest[:0]
}

// close hands on a last line that had no newline.
func (w *lineWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.flush()
	}
}
