package spec

import (
	"fmt"
	"strings"
	"time"

	"github.com/docker/go-units"
)

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
