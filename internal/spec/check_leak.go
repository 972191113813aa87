package spec

import (
	"regexp"
	"strconv"
	"strings"
)

func (c checker) leakScan(raw *rawLeakScan) LeakScan {
	if raw == nil {
		return LeakScan{}
	}
	var s LeakScan
	seen := unique[string]{}
	for _, d := range raw.Detectors {
		seen.check(c, d, d.Value, "scrub.leak_scan.detectors", "say it once")
		s.Detectors = append(s.Detectors, d.Value)
	}
	for _, a := range raw.Allow {
		if re := c.allowed(a); re != nil {
			s.Allow = append(s.Allow, re)
		}
	}
	s.Percent = c.sample(raw.Sample)
	s.SourceOverlap = int(raw.SourceOverlap.Value)
	if n := raw.SourceOverlap; n.given() && (n.Value < 1 || n.Value > mostOverlap) {
		c.refuse(n.at, "write 1 to 1000000, such as 10000, or remove it",
			"scrub.leak_scan.source_overlap: %d is out of range", n.Value)
	}
	return s
}

// mostOverlap keeps the sample in bounds that memory has.
const mostOverlap = 1_000_000

// allowed refuses what would allow everything.
func (c checker) allowed(t text) *regexp.Regexp {
	if !t.given() {
		return nil
	}
	re, err := regexp.Compile(t.Value)
	switch {
	case err != nil:
		c.refuse(t.at, `write a regular expression as RE2 does, such as '@example\.com$'`,
			"scrub.leak_scan.allow: %s is not a regular expression", shown(t.Value))
		return nil
	case re.MatchString(""):
		c.refuse(t.at, `say what is allowed, such as '@example\.com$'`, "scrub.leak_scan.allow: %s allows everything",
			shown(t.Value))
		return nil
	}
	return re
}

// sample reads full, or a percentage of the rows; 0 is full.
func (c checker) sample(t text) float64 {
	if !t.given() || t.Value == "full" {
		return 0
	}
	digits, found := strings.CutSuffix(t.Value, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if !found || err != nil || !(v > 0 && v <= 100) {
		c.refuse(t.at, "write full, or a percentage such as 10%",
			"scrub.leak_scan.sample: %s is neither full nor a percentage of the rows", shown(t.Value))
		return 0
	}
	return v
}
