// Package amount is how people write durations and sizes: 1d12h, 10MiB. It must
// never know what is measured.
package amount

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
)

var durationUnits = []struct {
	name string
	unit time.Duration
}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// Duration reads whole numbers of days, hours, minutes and seconds, each
// unit at most once and the greatest first. A day is 24 hours.
func Duration(s string) (total time.Duration, ok bool) {
	rest := s
	for _, u := range durationUnits {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || !strings.HasPrefix(rest[digits:], u.name) {
			continue
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil || n > int64((math.MaxInt64-total)/u.unit) {
			return 0, false
		}
		total += time.Duration(n) * u.unit
		rest = rest[digits+len(u.name):]
	}
	return total, rest == "" && s != ""
}

var sizeUnits = map[string]int64{
	"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

// Bytes reads a size: 512MiB, 10MB, 0B.
func Bytes(s string) (bytes int64, ok bool) {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	unit, known := sizeUnits[strings.TrimPrefix(s[digits:], " ")]
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	if err != nil || !known || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

// Span writes a duration as a drill file does, to the second: 1d12h, 45m, 0s.
func Span(d time.Duration) string {
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	d = d.Round(time.Second)
	for _, u := range durationUnits {
		if n := d / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.unit
		}
	}
	if b.Len() == 0 || b.String() == "-" {
		return "0s"
	}
	return b.String()
}

// Size writes a number of bytes as a drill file does, to four digits: 10MiB.
func Size(n int64) string { return units.BytesSize(float64(n)) }
