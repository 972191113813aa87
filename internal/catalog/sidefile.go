package catalog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf16"

	"daybefore/internal/catalog/place"
	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// maxSideFile is more than a sums file of ten thousand backups holds.
const maxSideFile = 1 << 20

var sumSuffixes = []string{".sha256", ".sha256sum"}

const writeSideHint = `let the backup job write one: sha256sum "$f" > "$f.sha256"`

// beside is what the files beside a backup say of its bytes.
type beside struct {
	sum    string // SHA-256, in lower case; "" where none is told
	of     string // the file that the sum is said to be of, without folders; "" where that is not said
	file   string // the side file's name
	unread string // what is there instead of a sum that is read; "" where nothing is
	inner  bool   // the side file is named after what is in the packed backup: x.sql.sha256 beside x.sql.gz
}

// sideSum reads the SHA-256 that a side file tells of the backup; none where
// there is no side file and none is required. A side file that is there must be
// usable. One that is not is an error: it tells nothing about the backup.
func sideSum(ctx context.Context, store Store, o Object, required bool) (beside, error) {
	side, inner, others, err := findSide(ctx, store, o)
	switch {
	case err != nil:
		return beside{}, err
	case side.Name != "":
		return readSide(ctx, store, o, side)
	case inner.Name != "":
		told, err := readSide(ctx, store, Object{Name: inside(o.Name)}, inner)
		told.inner = true
		return told, err
	case len(others) == 0 && required:
		return beside{}, verdict.Failf(verdict.CodeChecksum, writeSideHint,
			"fetch %s%s: source.checksum is required, and there is no %s beside it", store.URL(), o.Name,
			path.Base(o.Name)+sumSuffixes[0])
	case required:
		return beside{}, verdict.Errorf(verdict.CodeChecksum, writeSideHint,
			"fetch %s%s: source.checksum is required, and beside it is only %s, which this version does not read",
			store.URL(), o.Name, strings.Join(others, " and "))
	}
	return beside{unread: strings.Join(others, " and ")}, nil
}

// findSide looks for the side file, for that of what is in a packed backup, and
// for what else says something of the backup's bytes, described.
func findSide(ctx context.Context, store Store, o Object) (side, inner Object, others []string, err error) {
	for s, err := range store.List(ctx, inside(o.Name)+".", strings.Contains(o.Name, "/")) {
		if err != nil {
			return Object{}, Object{}, nil, err
		}
		own, of := strings.CutPrefix(s.Name, o.Name)
		if !of {
			inner = better(inner, s, strings.TrimPrefix(s.Name, inside(o.Name)))
			continue
		}
		side = better(side, s, own)
		if kind := otherSide(strings.ToLower(own)); kind != "" {
			others = append(others, path.Base(s.Name)+" ("+kind+")")
		}
	}
	return side, inner, others, nil
}

// better is the side file that counts of two; suffix is that of the second.
func better(side, s Object, suffix string) Object {
	i := slices.Index(sumSuffixes, strings.ToLower(suffix))
	if i < 0 || side.Name != "" && i > 0 {
		return side
	}
	return s
}

// inside is what a packed backup was called before it was packed.
func inside(name string) string {
	ext := path.Ext(name)
	if slices.ContainsFunc(packed.Codecs, func(c packed.Codec) bool { return slices.Contains(c.Suffixes, ext) }) {
		return strings.TrimSuffix(name, ext)
	}
	return name
}

// otherSide says what a side file is that is not read; "" for any other file.
func otherSide(suffix string) string {
	for _, sum := range sumSuffixes { // x.dump.sha256.asc
		if rest, cut := strings.CutPrefix(suffix, sum); cut && rest != "" {
			suffix = rest
		}
	}
	return otherSides[suffix]
}

// otherSides are side files that say something of the bytes, and are not read.
var otherSides = map[string]string{
	".md5": "an MD5 sum", ".md5sum": "an MD5 sum",
	".sha1": "a SHA-1 sum", ".sha1sum": "a SHA-1 sum",
	".sha224": "a SHA-224 sum", ".sha224sum": "a SHA-224 sum",
	".sha384": "a SHA-384 sum", ".sha384sum": "a SHA-384 sum",
	".sha512": "a SHA-512 sum", ".sha512sum": "a SHA-512 sum",
	".b2": "a BLAKE2 sum", ".b2sum": "a BLAKE2 sum", ".b3": "a BLAKE3 sum", ".b3sum": "a BLAKE3 sum",
	".crc": "a CRC", ".crc32": "a CRC", ".crc32c": "a CRC", ".sfv": "a CRC", ".cksum": "a CRC",
	".xxh64": "an xxHash sum", ".xxh128": "an xxHash sum",
	".asc": "a signature", ".sig": "a signature", ".sign": "a signature", ".minisig": "a signature",
}

// readSide reads the side file of a backup.
func readSide(ctx context.Context, store Store, o, side Object) (beside, error) {
	unusable := func(format string, args ...any) error {
		return verdict.Errorf(verdict.CodeChecksum, "it tells nothing about the backup itself: "+writeSideHint,
			"fetch %s%s: %w", store.URL(), side.Name, fmt.Errorf(format, args...))
	}
	side, err := exact(ctx, store, side)
	if err != nil {
		return beside{}, err
	}
	switch {
	case side.Not == OutsideLink:
		return beside{}, verdict.Errorf(verdict.CodeChecksum, linkHint, "fetch %s%s: it is %s", store.URL(), side.Name,
			side.Not)
	case side.Not != "":
		return beside{}, unusable("it is %s, and no file with a sum", side.Not)
	case side.Size > maxSideFile || side.Size < 0 && side.Size != place.Unsized:
		return beside{}, unusable("it has %d bytes, which no side file has", side.Size)
	case side.Size == 0:
		return beside{}, unusable("it is empty: it is still being written, or what wrote it broke off")
	}
	r := reader(ctx, store, side, patient)
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxSideFile))
	if err != nil {
		return beside{}, err
	}
	l, err := parseSums(text, path.Base(o.Name))
	if err != nil {
		return beside{}, unusable("%w", err)
	}
	return beside{sum: l.sum, of: baseOf(l.name), file: path.Base(side.Name)}, nil
}

// baseOf is a path's last part, be it of Unix or of Windows.
func baseOf(name string) string {
	if name == "" {
		return ""
	}
	return path.Base(strings.ReplaceAll(name, `\`, "/"))
}

// ofAnother reports whether the side file says that its sum is of another file
// than base: one that is not base, nor what it was called while it was written.
func (b beside) ofAnother(base string) bool {
	rest := strings.TrimPrefix(b.of, base)
	switch {
	case b.of == "", b.of == "-", strings.HasPrefix(base, b.of):
		return false
	case rest != b.of && slices.Contains(packers, rest):
		return true
	}
	return !strings.Contains(b.of, base)
}

// packers are what a file is called after that was packed or encrypted.
var packers = []string{".gz", ".zst", ".zstd", ".xz", ".bz2", ".lz4", ".zip", ".gpg", ".pgp", ".age", ".enc"}

// parseSums finds the sum of the file called base. A side file with a single
// sum speaks of the backup that it lies beside, whatever it was called when
// the sum was taken; of several, the one that names it counts.
func parseSums(text []byte, base string) (sumLine, error) {
	lines, err := sumLines(text)
	if err != nil {
		return sumLine{}, err
	}
	if len(lines) == 1 {
		return lines[0], nil
	}
	found := sumLine{}
	for _, l := range lines {
		if baseOf(l.name) != base {
			continue
		}
		if found.sum != "" && found.sum != l.sum {
			return sumLine{}, fmt.Errorf("it holds two different sums of %q", base)
		}
		found = l
	}
	if found.sum == "" {
		return sumLine{}, fmt.Errorf("none of its %d sums is of %q", len(lines), base)
	}
	return found, nil
}

// sumLines are the SHA-256 sums of a side file. Sums of other kinds may stand
// beside them.
func sumLines(text []byte) ([]sumLine, error) {
	clear, err := sideText(text)
	if err != nil {
		return nil, err
	}
	var lines []sumLine
	other := ""
	for i, line := range strings.Split(lineEnds.Replace(clear), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		l, ok := parseSumLine(line)
		switch {
		case !ok:
			return nil, fmt.Errorf("line %d is no SHA-256 sum as sha256sum writes it", i+1)
		case l.kind != "":
			other = l.kind
		default:
			lines = append(lines, l)
		}
	}
	switch {
	case len(lines) == 0 && other != "":
		return nil, fmt.Errorf("it holds %s, which this version does not read, and no SHA-256 sum", other)
	case len(lines) == 0:
		return nil, errors.New("it holds no SHA-256 sum")
	}
	return lines, nil
}

// lineEnds of Windows, of old Macs and of sha256sum -z.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\n")

// signatures are how signed files begin.
var signatures = []string{"-----BEGIN PGP ", "-----BEGIN SSH SIGNATURE", "-----BEGIN PKCS7", "-----BEGIN CMS",
	"untrusted comment:"}

// sideText is a side file's text in UTF-8, without a byte order mark. PowerShell
// writes UTF-16.
func sideText(text []byte) (string, error) {
	switch {
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}), bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		text = fromUTF16(text)
	default:
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	clear := string(text)
	for _, begin := range signatures {
		if strings.HasPrefix(strings.TrimSpace(clear), begin) {
			return "", errors.New("it is signed, and this version verifies no signatures: " +
				"keep the sum alone in this file, and the signature in another")
		}
	}
	clear = strings.TrimRight(clear, "\x1a") // how DOS ends a text
	if strings.ContainsFunc(clear,
		func(r rune) bool { return r > 0 && r < ' ' && !strings.ContainsRune("\t\n\r", r) }) {
		return "", errors.New("it is binary: no sum, but a signature of it, or another file")
	}
	return clear, nil
}

func fromUTF16(text []byte) []byte {
	little := text[0] == 0xff
	var units []uint16
	for i := 2; i+1 < len(text); i += 2 {
		low, high := text[i], text[i+1]
		if !little {
			low, high = high, low
		}
		units = append(units, uint16(high)<<8|uint16(low))
	}
	return []byte(string(utf16.Decode(units)))
}

// sameSum compares two sums written in hexadecimal.
func sameSum(a, b string) bool {
	x, errX := hex.DecodeString(a)
	y, errY := hex.DecodeString(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// disagree says what it means that the sum of what was fetched is another than
// the side file's. It is no trouble, but told, where that is the unpacked
// file's and agrees.
func (b beside) disagree(doing, sum, spool, base string, ratio int64) (unpacked bool, err error) {
	is, within, broken := unpackedSum(spool, ratio)
	switch {
	case is && sameSum(within, b.sum):
		return true, nil
	case errors.Is(broken, packed.ErrTooMuch) && b.of != base:
		return false, verdict.Errorf(verdict.CodeChecksum,
			"if such backups are wanted, raise source.max_ratio; else find out what wrote this one",
			"%s: %s may tell the sum of what is in it, which was not unpacked to its end: %w", doing, b.file, broken)
	case errors.Is(broken, packed.ErrTooWide) && b.of != base:
		return false, verdict.Errorf(verdict.CodeChecksum, "compress backups without zstd --long; "+writeSideHint,
			"%s: %s may tell the sum of what is in it, which cannot be unpacked here: %w", doing, b.file, broken)
	case b.inner:
		return false, verdict.Errorf(verdict.CodeChecksum, "was it packed anew? "+writeSideHint,
			"%s: what is in it has the SHA-256 %s, and %s says %s", doing,
			cmp.Or(within, "none, since it cannot be unpacked"), b.file, b.sum)
	case b.ofAnother(base):
		return false, verdict.Errorf(verdict.CodeChecksum, "find out which file the sum was taken of: "+writeSideHint,
			"%s: its SHA-256 is %s, and %s says %s of another file, %q", doing, sum, b.file, b.sum, b.of)
	}
	said := b.sum
	if is && b.of != "" && b.of != base && strings.HasPrefix(base, b.of) {
		said += fmt.Sprintf(" of %s; unpacked, it has %s", b.of, cmp.Or(within, "none, since it cannot be unpacked"))
	}
	return false, verdict.Failf(verdict.CodeChecksum, "the backup was damaged, or changed after its sum was taken: "+
		"take a new one, and look at the disk that wrote it",
		"%s: its SHA-256 is %s, the file beside it says %s", doing, sum, said)
}
