package catalog

import (
	"regexp"
	"strings"
)

// sumLine is one line of a side file. name is "" for a bare sum; kind is "" for
// a SHA-256, else says what sum it is.
type sumLine struct{ sum, name, kind string }

var (
	bareSum = regexp.MustCompile(`^(?i:sha256:)?([0-9a-fA-F]{8,128})$`)
	gnuSum  = regexp.MustCompile(`^(\\?)([0-9a-fA-F]{8,128})[ \t]+\*?(.+)$`) // sha256sum
	// sha256, sha256sum --tag, openssl
	bsdSum   = regexp.MustCompile(`^(\\?)([A-Za-z][A-Za-z0-9/_-]*) ?\((.+)\) ?= ?([0-9a-fA-F]+)$`)
	crcSum   = regexp.MustCompile(`^[0-9]{1,10} [0-9]+ .+$`) // cksum
	sfvSum   = regexp.MustCompile(`^.+ [0-9a-fA-F]{8}$`)
	sha256In = map[string]bool{"SHA256": true, "SHA2-256": true, "SHA-256": true}
)

// kinds are sums by their number of digits. Those of SHA-256 are 64.
var kinds = map[int]string{8: "a CRC", 16: "a sum of 64 bits", 32: "an MD5 sum", 40: "a SHA-1 sum",
	56: "a SHA-224 sum", 64: "", 96: "a SHA-384 sum", 128: "a SHA-512 or BLAKE2 sum"}

var unescapeName = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")

// parseSumLine reads a line as one of the programs writes it that write sums.
func parseSumLine(line string) (sumLine, bool) {
	if m := bsdSum.FindStringSubmatch(line); m != nil {
		return bsdLine(m)
	}
	sum, name := "", ""
	if m := bareSum.FindStringSubmatch(line); m != nil {
		sum = m[1]
	} else if m := gnuSum.FindStringSubmatch(line); m != nil {
		sum, name = m[2], m[3]
		if m[1] != "" {
			name = unescapeName.Replace(name)
		}
	}
	kind, known := kinds[len(sum)]
	switch {
	case known:
		return sumLine{sum: strings.ToLower(sum), name: name, kind: kind}, true
	case crcSum.MatchString(line), sfvSum.MatchString(line):
		return sumLine{kind: "a CRC"}, true
	}
	return sumLine{}, false
}

// bsdLine reads one that names its kind.
func bsdLine(m []string) (sumLine, bool) {
	kind := strings.ToUpper(m[2])
	name := m[3]
	sum := strings.ToLower(m[4])
	if m[1] != "" {
		name = unescapeName.Replace(name)
	}
	if !sha256In[kind] {
		return sumLine{sum: sum, name: name, kind: "a sum by " + m[2]}, true
	}
	return sumLine{sum: sum, name: name}, len(sum) == 64
}
