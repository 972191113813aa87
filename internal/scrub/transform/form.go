package transform

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"daybefore/internal/scrub/schema"
)

// PlainForm is a value of a column in one of the forms in which a server, dumps
// of any version and filters write it, as far as the most bytes that are shown.
func PlainForm(c *schema.Column, value []byte, most int) []byte {
	switch {
	case c.Array:
		return beginning(value, most)
	case c.Base.Is("bpchar"):
		return bytes.TrimRight(beginning(value, most), " ")
	case c.Base.Is("bool"):
		return value[:min(len(value), 1)]
	case c.Base.Is("uuid"):
		return bytes.ToLower(value)
	case c.Base.Is("inet"):
		return bytes.TrimSuffix(bytes.TrimSuffix(value, []byte("/32")), []byte("/128"))
	case c.Base.Is("numeric"), c.Base.Is("time"), c.Base.Is("timestamp"):
		return trimFraction(value)
	case c.Base.Is("float4"):
		return shortest(value, 32)
	case c.Base.Is("float8"):
		return shortest(value, 64)
	case c.Base.Is("timestamptz"):
		return instant(value)
	}
	return beginning(value, most)
}

// beginning is as much of a text as is read to be shown.
func beginning(value []byte, most int) []byte {
	if len(value) <= most {
		return value
	}
	return CutTo(value, 0, most)
}

// trimFraction is a number, or a time, without zeros at the end of its fraction.
func trimFraction(value []byte) []byte {
	if !bytes.ContainsRune(value, '.') || bytes.ContainsRune(value, ' ') && bytes.HasSuffix(value, []byte("BC")) {
		return value
	}
	return bytes.TrimSuffix(bytes.TrimRight(value, "0"), []byte("."))
}

func shortest(value []byte, size int) []byte {
	f, err := strconv.ParseFloat(string(value), size)
	if err != nil {
		return value
	}
	return strconv.AppendFloat(nil, f, 'g', -1, size)
}

// instant is a point in time, whatever zone it was written in; one that is out
// of Go's sight stays as it is.
func instant(value []byte) []byte {
	text := string(value)
	zone := "-07"
	if at := max(strings.LastIndexByte(text, '+'), strings.LastIndexByte(text, '-')); at > 0 {
		zone += []string{"", ":00", ":00:00"}[min(strings.Count(text[at:], ":"), 2)]
	}
	when, err := time.Parse("2006-01-02 15:04:05.999999999"+zone, text)
	if err != nil {
		return value
	}
	return strconv.AppendInt(nil, when.UnixMicro(), 10)
}
