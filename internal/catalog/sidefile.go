package catalog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"daybefore/internal/verdict"
)

// maxSideFile is more than a sums file of ten thousand backups holds.
const maxSideFile = 1 << 20

var sumSuffixes = []string{".sha256", ".sha256sum"}

const writeSideHint = `let the backup job write one: sha256sum "$f" > "$f.sha256"`

// sideSum reads the SHA-256 that a side file tells of the backup, in lower
// case; "" where there is no side file and none is required. A side file that
// is there must be usable: a backup job that died while writing it is no
// better than one that died while writing the backup.
func sideSum(ctx context.Context, store Store, o Object, required bool) (sum string, err error) {
	side, found, err := findSide(ctx, store, o)
	switch {
	case err != nil:
		return "", err
	case !found && required:
		return "", verdict.Failf(verdict.CodeChecksum, writeSideHint,
			"fetch %s%s: source.checksum is required, and there is no %s beside it", store.URL(), o.Name, path.Base(o.Name)+sumSuffixes[0])
	case !found:
		return "", nil
	case side.Size > maxSideFile:
		return "", verdict.Failf(verdict.CodeChecksum, writeSideHint, "fetch %s%s: it has %d bytes, too many for a side file", store.URL(), side.Name, side.Size)
	}
	r := newResumed(ctx, store, side, 0, side.Size, patient)
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	sum, err = parseSums(text, path.Base(o.Name))
	if err != nil {
		return "", verdict.Failf(verdict.CodeChecksum, writeSideHint, "fetch %s%s: %w", store.URL(), side.Name, err)
	}
	return sum, nil
}

func findSide(ctx context.Context, store Store, o Object) (side Object, found bool, err error) {
	deep := strings.Contains(o.Name, "/")
	for _, suffix := range sumSuffixes {
		for s, err := range store.List(ctx, o.Name+suffix, deep) {
			if err != nil {
				return Object{}, false, err
			}
			if s.Name == o.Name+suffix && s.Not != Folder {
				return s, true, nil
			}
		}
	}
	return Object{}, false, nil
}

var (
	bareSum = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	gnuSum  = regexp.MustCompile(`^(\\?)([0-9a-fA-F]{64})[ \t]+\*?(.+)$`)                 // sha256sum
	bsdSum  = regexp.MustCompile(`^(?:SHA256|SHA2-256) ?\((.+)\) ?= ?([0-9a-fA-F]{64})$`) // sha256 -r, sha256sum --tag, openssl
)

// sumLine is one line of a side file; name is "" for a bare sum.
type sumLine struct{ sum, name string }

// parseSums finds the sum of the file called base. A side file with a single
// sum speaks of the backup that it lies beside, whatever it was called when
// the sum was taken; of several, the one that names it counts.
func parseSums(text []byte, base string) (string, error) {
	lines, err := sumLines(text)
	if err != nil {
		return "", err
	}
	if len(lines) == 1 {
		return lines[0].sum, nil
	}
	found := ""
	for _, l := range lines {
		if path.Base(strings.ReplaceAll(l.name, `\`, "/")) != base {
			continue
		}
		if found != "" && found != l.sum {
			return "", fmt.Errorf("it holds two different sums of %q", base)
		}
		found = l.sum
	}
	if found == "" {
		return "", fmt.Errorf("none of its %d sums is of %q", len(lines), base)
	}
	return found, nil
}

func sumLines(text []byte) ([]sumLine, error) {
	var lines []sumLine
	scan := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	scan.Buffer(nil, maxSideFile+1)
	for n := 1; scan.Scan(); n++ {
		line := strings.TrimSpace(scan.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		l, ok := parseSumLine(line)
		if !ok {
			return nil, fmt.Errorf("line %d is no SHA-256 sum as sha256sum writes it", n)
		}
		lines = append(lines, l)
	}
	if err := scan.Err(); err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, errors.New("it holds no SHA-256 sum")
	}
	return lines, nil
}

var unescapeName = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")

func parseSumLine(line string) (sumLine, bool) {
	if bareSum.MatchString(line) {
		return sumLine{sum: strings.ToLower(line)}, true
	}
	if m := gnuSum.FindStringSubmatch(line); m != nil {
		name := m[3]
		if m[1] != "" {
			name = unescapeName.Replace(name)
		}
		return sumLine{sum: strings.ToLower(m[2]), name: name}, true
	}
	if m := bsdSum.FindStringSubmatch(line); m != nil {
		return sumLine{sum: strings.ToLower(m[2]), name: m[1]}, true
	}
	return sumLine{}, false
}

// sameSum compares two sums written in hexadecimal.
func sameSum(a, b string) bool {
	x, errX := hex.DecodeString(a)
	y, errY := hex.DecodeString(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
