package witness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"daybefore/internal/verdict"
)

// lines are JSON objects, one a line.
type lines struct {
	scan *bufio.Scanner
	line int64
}

func newLines(in io.Reader) *lines {
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, longest)
	return &lines{scan: scan}
}

func (l *lines) next() (int64, func(string) (string, error), error) {
	for l.scan.Scan() {
		l.line++
		text := bytes.TrimSpace(l.scan.Bytes())
		if len(text) == 0 {
			continue
		}
		var object map[string]json.RawMessage
		// the decoder would replace what is no UTF-8, and so look for another key
		if text[0] != '{' || !utf8.Valid(text) || json.Unmarshal(text, &object) != nil {
			return 0, nil, &Fault{l.line, "is not a JSON object", "was it cut off, or written by two at once?"}
		}
		return l.line, func(name string) (string, error) { return scalarOf(object[name]) }, nil
	}
	if err := l.scan.Err(); errors.Is(err, bufio.ErrTooLong) {
		return 0, nil, verdict.Errorf(verdict.CodeWitness, notRecords, "line %d is longer than %d bytes", l.line+1,
			longest)
	} else if err != nil {
		return 0, nil, err
	}
	return 0, nil, io.EOF
}

var errHalf = errors.New("holds half of a character")

// scalarOf is a value as a column would be written: a number with all of its
// digits.
func scalarOf(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0:
		return "", errAbsent
	case string(raw) == "null", string(raw) == `""`:
		return "", errEmpty
	case raw[0] == '{', raw[0] == '[':
		return "", errNested
	case raw[0] != '"':
		return string(raw), nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || strings.ContainsRune(s, utf8.RuneError) &&
		!bytes.ContainsRune(raw, utf8.RuneError) {
		return "", errHalf
	}
	return s, nil
}
