package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// sumLine is one line of a side file. name is "" for a bare sum; kind is "" for
// a sum that is not read, of which other says what it is.
type sumLine struct {
	sum, name string
	kind      sumKind
	other     string
}

var (
	bareSum = regexp.MustCompile(`^(?:(?i:(sha256|sha512|md5)):)?([0-9a-fA-F]{8,128})$`)
	gnuSum  = regexp.MustCompile(`^(\\?)([0-9a-fA-F]{8,128})[ \t]+\*?(.+)$`) // sha256sum
	// sha256, sha256sum --tag, openssl
	bsdSum = regexp.MustCompile(`^(\\?)([A-Za-z][A-Za-z0-9/_-]*) ?\((.+)\) ?= ?([0-9a-fA-F]+)$`)
	crcSum = regexp.MustCompile(`^[0-9]{1,10} [0-9]+ .+$`) // cksum
	sfvSum = regexp.MustCompile(`^.+ [0-9a-fA-F]{8}$`)
)

// unreadKinds are sums that are not read, by their number of digits.
var unreadKinds = map[int]string{8: "a CRC", 16: "a sum of 64 bits"}

var unescapeName = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")

// parseSumLine reads a line as one of the programs writes it that write sums.
// Hint is the kind that the file's name tells, for sums of as many digits.
func parseSumLine(line string, hint sumKind) (sumLine, bool) {
	if m := bsdSum.FindStringSubmatch(line); m != nil {
		return bsdLine(m)
	}
	sum, name := "", ""
	if m := bareSum.FindStringSubmatch(line); m != nil {
		sum = m[2]
	} else if m := gnuSum.FindStringSubmatch(line); m != nil {
		sum, name = m[2], m[3]
		if m[1] != "" {
			name = unescapeName.Replace(name)
		}
	}
	l := sumLine{sum: strings.ToLower(sum), name: name, kind: kindByLength(len(sum), hint), other: unreadKinds[len(sum)]}
	switch {
	case l.kind != "" || l.other != "":
		return l, true
	case crcSum.MatchString(line), sfvSum.MatchString(line):
		return sumLine{other: "a CRC"}, true
	}
	return sumLine{}, false
}

// kindByLength is the kind of a sum of so many digits; "" for none that is read.
func kindByLength(digits int, hint sumKind) sumKind {
	first := sumKind("")
	for _, k := range kindsOfSums {
		if digits != 2*k.bytes {
			continue
		}
		if k.kind == hint {
			return hint
		}
		if first == "" {
			first = k.kind
		}
	}
	return first
}

// kindByName is the kind that a side file's name tells; "" for none.
func kindByName(name string) sumKind {
	name = strings.ToLower(name)
	for _, k := range kindsOfSums {
		if slices.ContainsFunc(k.suffixes, func(s string) bool { return strings.Contains("."+name, s) }) {
			return k.kind
		}
	}
	return ""
}

// bsdLine reads one that names its kind.
func bsdLine(m []string) (sumLine, bool) {
	kind := strings.ToUpper(m[2])
	l := sumLine{sum: strings.ToLower(m[4]), name: m[3]}
	if m[1] != "" {
		l.name = unescapeName.Replace(l.name)
	}
	for _, k := range kindsOfSums {
		if slices.Contains(k.tags, kind) {
			l.kind = k.kind
			return l, len(l.sum) == 2*k.bytes
		}
	}
	l.other = "a sum by " + m[2]
	return l, true
}

// sumsNames are what files are called that hold the sums of many, in lower case.
var sumsNames = []string{"sha256sums", "sha512sums", "b2sums", "sha1sums", "md5sums", "sha256sum", "sha512sum",
	"checksums", "checksum", "checksums.sha256", "checksums.md5"}

// isSums reports whether a file is called as one that holds the sums of many.
func isSums(base string) bool {
	return slices.Contains(sumsNames, strings.TrimSuffix(strings.ToLower(base), ".txt"))
}
