package witness

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"daybefore/internal/verdict"
)

// table is CSV whose first line names the columns.
type table struct {
	csv    *csv.Reader
	budget *budget
	column map[string]int
	line   int64 // where the last record began
}

// newCSV finds the delimiter: the one by which the first line names the
// columns that are read.
func newCSV(in *bufio.Reader, o Options) (*table, error) {
	limited := &budget{r: in, left: longest}
	buffered := bufio.NewReader(limited)
	header, err := buffered.ReadSlice('\n')
	if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	for _, delimiter := range ",;\t|" {
		r := csv.NewReader(bytes.NewReader(header))
		r.Comma = delimiter
		names, err := r.Read()
		if err != nil ||
			slices.ContainsFunc(append(slices.Clone(o.Fields), o.At),
				func(f string) bool { return !slices.Contains(names, f) }) {
			continue
		}
		// The first line is read again, so that lines are counted from it.
		t := &table{csv: csv.NewReader(io.MultiReader(bytes.NewReader(slices.Clone(header)), buffered)),
			budget: limited, column: map[string]int{}}
		t.csv.Comma, t.csv.ReuseRecord = delimiter, true
		if _, err := t.csv.Read(); err != nil {
			return nil, err
		}
		for i, name := range names {
			t.column[name] = i
		}
		return t, nil
	}
	return nil, verdict.Errorf(verdict.CodeWitness, notRecords+", those of key and at among them",
		"its first line does not name the columns that the drill file asks for, and it is not a JSON object")
}

func (t *table) next() (int64, func(string) (string, error), error) {
	t.budget.left = longest
	row, err := t.csv.Read()
	var damaged *csv.ParseError
	switch {
	case errors.Is(err, errTooLong):
		return 0, nil, verdict.Errorf(verdict.CodeWitness, "is a quote left open?",
			"the record after that of line %d is longer than %d bytes", t.line, longest)
	case errors.As(err, &damaged) && errors.Is(err, csv.ErrFieldCount):
		return 0, nil, &Fault{int64(damaged.StartLine), "has more or fewer columns than the first",
			"was it cut off, or written by two at once?"}
	case errors.As(err, &damaged):
		return 0, nil, &Fault{int64(damaged.StartLine), "is no CSV: a quote stands where none may",
			"was it cut off, or written by two at once?"}
	case err != nil:
		return 0, nil, err
	}
	line, _ := t.csv.FieldPos(0)
	t.line = int64(line)
	return t.line, func(name string) (string, error) {
		if s := row[t.column[name]]; s != "" {
			return strings.Clone(s), nil // without the rest of its row
		}
		return "", errEmpty
	}, nil
}

var errTooLong = errors.New("the record is too long")

// budget ends a reader that takes too much for one record: an open quote
// would swallow all that follows.
type budget struct {
	r    io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
