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

	"golang.org/x/sync/errgroup"

	"daybefore/internal/catalog/place"
	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// maxSideFile is more than a sums file of ten thousand backups holds.
const maxSideFile = 1 << 20

const writeSideHint = `let the backup job write one: sha256sum "$f" > "$f.sha256"`

// beside is what the files beside a backup say of its bytes.
type beside struct {
	sum    string  // in lower case; "" where none is told
	kind   sumKind // of sum
	of     string  // the file that the sum is said to be of, without folders; "" where that is not said
	file   string  // the side file's name
	unread string  // what is there instead of a sum that is read; "" where nothing is
	inner  bool    // the side file is named after what is in the packed backup: x.sql.sha256 beside x.sql.gz
	stem   bool    // the side file is named without the backup's suffix: x.sha256 beside x.dump
}

// sideSum reads the sum that a side file tells of the backup, the strongest of
// several; none where there is no side file and none is required. A side file
// that is there must be usable. One that is not is an error: it tells nothing
// about the backup.
func sideSum(ctx context.Context, store Store, o Object, required bool) (beside, error) {
	f, err := findSides(ctx, store, o)
	if err != nil {
		return beside{}, err
	}
	switch {
	case f.own.Name != "":
		return readSide(ctx, store, o, f.own)
	case f.inner.Name != "":
		told, err := readSide(ctx, store, Object{Name: inside(o.Name)}, f.inner)
		told.inner = true
		return told, err
	case f.stem.Name != "":
		told, err := readSide(ctx, store, o, f.stem)
		told.stem = true
		if err == nil && (told.of == "" || !told.ofAnother(path.Base(o.Name))) {
			return told, nil
		}
		f.unread = append(f.unread, path.Base(f.stem.Name)+" (of another file)")
	}
	told, err := fromSums(ctx, store, o)
	if err != nil || told.sum != "" {
		return told, err
	}
	if told.unread != "" {
		f.unread = append(f.unread, told.unread)
	}
	switch {
	case len(f.unread) == 0 && required:
		return beside{}, verdict.Failf(verdict.CodeChecksum, writeSideHint,
			"fetch %s%s: source.checksum is required, and there is no %s beside it", store.URL(), o.Name,
			path.Base(o.Name)+kindsOfSums[0].suffixes[0])
	case required:
		return beside{}, verdict.Errorf(verdict.CodeChecksum, writeSideHint,
			"fetch %s%s: source.checksum is required, and beside it is only %s, which this version does not read",
			store.URL(), o.Name, strings.Join(f.unread, " and "))
	}
	return beside{unread: strings.Join(f.unread, " and ")}, nil
}

// sides are the files beside a backup that say something of its bytes.
type sides struct {
	own    Object   // x.dump.sha256
	inner  Object   // x.sql.sha256 beside x.sql.gz
	stem   Object   // x.sha256 beside x.dump
	unread []string // others, described
}

func findSides(ctx context.Context, store Store, o Object) (f sides, err error) {
	within := inside(o.Name)
	stem := strings.TrimSuffix(within, path.Ext(within))
	if path.Base(stem) == "" || path.Ext(within) == "" {
		stem = within
	}
	for s, err := range store.List(ctx, stem+".", strings.Contains(o.Name, "/")) {
		if err != nil {
			return sides{}, err
		}
		own, isOwn := strings.CutPrefix(s.Name, o.Name)
		inner, isInner := strings.CutPrefix(s.Name, within)
		switch {
		case isOwn:
			f.own = better(f.own, s, own)
			if kind := otherSide(strings.ToLower(own)); kind != "" {
				f.unread = append(f.unread, path.Base(s.Name)+" ("+kind+")")
			}
		case isInner:
			f.inner = better(f.inner, s, inner)
		default:
			f.stem = better(f.stem, s, strings.TrimPrefix(s.Name, stem))
		}
	}
	return f, nil
}

// better is the side file that counts of two; suffix is that of the second.
func better(side, s Object, suffix string) Object {
	i := suffixRank(suffix)
	if i < 0 {
		return side
	}
	if side.Name != "" && i >= suffixRank(path.Ext(side.Name)) {
		return side
	}
	return s
}

// suffixRank is the lower the stronger the sums are in files that end so; -1
// where they hold none that is read.
func suffixRank(suffix string) int {
	suffix = strings.ToLower(suffix)
	for i, k := range kindsOfSums {
		if j := slices.Index(k.suffixes, suffix); j >= 0 {
			return 2*i + j
		}
	}
	return -1
}

// sumsPrefixes begin the names of files that hold the sums of many.
var sumsPrefixes = []string{"SHA", "sha", "MD5", "md5", "B2", "b2", "CHECKSUM", "Checksum", "checksum"}

// sumsFiles are those in the folder of a backup that hold the sums of many, the
// strongest first. A program lists them once, if what it lists are files.
func sumsFiles(ctx context.Context, store Store, folder string) ([]Object, error) {
	exec, program := store.(*place.Exec)
	if program && !exec.ListsFiles() {
		return nil, nil
	}
	prefixes := sumsPrefixes
	_, whole := store.(place.Whole)
	if program || whole && folder == "" {
		prefixes = []string{""}
	}
	found := make([][]Object, len(prefixes))
	g, ctx := errgroup.WithContext(ctx)
	for i, prefix := range prefixes {
		g.Go(func() error {
			for o, err := range store.List(ctx, folder+prefix, folder != "") {
				if err != nil {
					return err
				}
				if path.Dir(o.Name) == path.Dir(folder+prefix) && o.Not == "" && isListed(path.Base(o.Name)) {
					found[i] = append(found[i], o)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(found...)
	sortSums(all)
	return slices.CompactFunc(all, func(a, b Object) bool { return a.Name == b.Name }), nil
}

// isListed reports whether a name is one of isSums that every place is asked for.
func isListed(base string) bool {
	asked := func(prefix string) bool { return strings.HasPrefix(base, prefix) }
	return isSums(base) && slices.ContainsFunc(sumsPrefixes, asked)
}

// sortSums puts files that hold the sums of many into an order, the strongest
// sums first.
func sortSums(all []Object) {
	rank := func(o Object) int {
		return slices.Index(sumsNames, strings.TrimSuffix(strings.ToLower(path.Base(o.Name)), ".txt"))
	}
	slices.SortFunc(all, func(a, b Object) int { return rank(a) - rank(b) })
}

// fromSums reads the sum of a backup from a file that holds those of many. One
// that does not name it may be of others.
func fromSums(ctx context.Context, store Store, o Object) (beside, error) {
	folder := ""
	if i := strings.LastIndex(o.Name, "/"); i >= 0 {
		folder = o.Name[:i+1]
	}
	files, err := sumsFiles(ctx, store, folder)
	if err != nil {
		return beside{}, err
	}
	var without []string
	for _, f := range files {
		text, err := sideBytes(ctx, store, f)
		if err != nil {
			return beside{}, err
		}
		lines, err := sumLines(text, kindByName(f.Name))
		l, of := lineOf(lines, path.Base(o.Name))
		if err == nil && of == nil && l.sum != "" {
			return beside{sum: l.sum, kind: l.kind, of: baseOf(l.name), file: path.Base(f.Name)}, nil
		}
		if of != nil {
			return beside{}, unusable(store, f, "%w", of)
		}
		without = append(without, path.Base(f.Name)+" (without a sum of it)")
	}
	return beside{unread: strings.Join(without, " and ")}, nil
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
	for _, k := range kindsOfSums { // x.dump.sha256.asc
		for _, sum := range k.suffixes {
			if rest, cut := strings.CutPrefix(suffix, sum); cut && rest != "" {
				suffix = rest
			}
		}
	}
	return otherSides[suffix]
}

// otherSides are side files that say something of the bytes, and are not read.
var otherSides = map[string]string{
	".b3": "a BLAKE3 sum", ".b3sum": "a BLAKE3 sum",
	".crc": "a CRC", ".crc32": "a CRC", ".crc32c": "a CRC", ".sfv": "a CRC", ".cksum": "a CRC",
	".xxh64": "an xxHash sum", ".xxh128": "an xxHash sum",
	".asc": "a signature", ".sig": "a signature", ".sign": "a signature", ".minisig": "a signature",
}

// unusable is the Problem of a side file that vouches for nothing.
func unusable(store Store, side Object, format string, args ...any) error {
	return verdict.Errorf(verdict.CodeChecksum, "it tells nothing about the backup itself: "+writeSideHint,
		"fetch %s%s: %w", store.URL(), side.Name, fmt.Errorf(format, args...))
}

// readSide reads the side file of a backup.
func readSide(ctx context.Context, store Store, o, side Object) (beside, error) {
	text, err := sideBytes(ctx, store, side)
	if err != nil {
		return beside{}, err
	}
	l, err := parseSums(text, path.Base(o.Name), kindByName(side.Name))
	if err != nil {
		return beside{}, unusable(store, side, "%w", err)
	}
	return beside{sum: l.sum, kind: l.kind, of: baseOf(l.name), file: path.Base(side.Name)}, nil
}

// sideBytes reads what a side file holds.
func sideBytes(ctx context.Context, store Store, side Object) ([]byte, error) {
	side, err := exact(ctx, store, side)
	if err != nil {
		return nil, err
	}
	switch {
	case side.Not == OutsideLink:
		return nil, verdict.Errorf(verdict.CodeChecksum, linkHint, "fetch %s%s: it is %s", store.URL(), side.Name,
			side.Not)
	case side.Not != "":
		return nil, unusable(store, side, "it is %s, and no file with a sum", side.Not)
	case side.Size > maxSideFile || side.Size < 0 && side.Size != place.Unsized:
		return nil, unusable(store, side, "it has %d bytes, which no side file has", side.Size)
	case side.Size == 0:
		return nil, unusable(store, side, "it is empty: it is still being written, or what wrote it broke off")
	}
	r := reader(ctx, store, side, patient)
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxSideFile+1))
	if len(text) > maxSideFile { // of an unsized one
		return nil, unusable(store, side, "it has more than %d bytes, which no side file has", maxSideFile)
	}
	return text, err
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

// parseSums finds the sum of the file called base, the strongest of several
// kinds. A side file with the sums of one file alone speaks of the backup that
// it lies beside, whatever it was called when the sum was taken; of several,
// the one that names it counts. Hint is the kind that the side file's name
// tells.
func parseSums(text []byte, base string, hint sumKind) (sumLine, error) {
	lines, err := sumLines(text, hint)
	if err != nil {
		return sumLine{}, err
	}
	if l, one := ofOne(lines); one {
		return l, nil
	}
	l, err := lineOf(lines, base)
	if err == nil && l.sum == "" {
		err = fmt.Errorf("none of its %d sums is of %q", len(lines), base)
	}
	return l, err
}

// ofOne is the strongest sum, if all are of one file: each of another kind.
func ofOne(lines []sumLine) (strongest sumLine, one bool) {
	seen := map[sumKind]bool{}
	for _, l := range lines {
		if seen[l.kind] || l.name != lines[0].name {
			return sumLine{}, false
		}
		seen[l.kind] = true
		strongest = stronger(strongest, l)
	}
	return strongest, true
}

func stronger(a, b sumLine) sumLine {
	if a.sum == "" || b.kind.rank() < a.kind.rank() {
		return b
	}
	return a
}

// lineOf is the strongest sum of the file called base; none where none is of it.
func lineOf(lines []sumLine, base string) (found sumLine, err error) {
	for _, l := range lines {
		if baseOf(l.name) != base {
			continue
		}
		if found.sum != "" && found.kind == l.kind && found.sum != l.sum {
			return sumLine{}, fmt.Errorf("it holds two different sums of %q", base)
		}
		found = stronger(found, l)
	}
	return found, nil
}

// sumLines are the sums of a side file that are read. Sums of other kinds may
// stand beside them.
func sumLines(text []byte, hint sumKind) ([]sumLine, error) {
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
		l, ok := parseSumLine(line, hint)
		switch {
		case !ok:
			return nil, fmt.Errorf("line %d is no sum as sha256sum writes it", i+1)
		case l.kind == "":
			other = l.other
		default:
			lines = append(lines, l)
		}
	}
	switch {
	case len(lines) == 0 && other != "":
		return nil, fmt.Errorf("it holds %s, which this version does not read, and no other sum", other)
	case len(lines) == 0:
		return nil, errors.New("it holds no sum")
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
	is, within, broken := unpackedSum(spool, b.kind, ratio)
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
			"%s: what is in it has the %s %s, and %s says %s", doing, b.kind,
			cmp.Or(within, "none, since it cannot be unpacked"), b.file, b.sum)
	case b.ofAnother(base):
		return false, verdict.Errorf(verdict.CodeChecksum, "find out which file the sum was taken of: "+writeSideHint,
			"%s: its %s is %s, and %s says %s of another file, %q", doing, b.kind, sum, b.file, b.sum, b.of)
	case b.stem && b.of == "":
		return false, verdict.Errorf(verdict.CodeChecksum, "find out which file the sum was taken of: "+writeSideHint,
			"%s: its %s is %s, and %s says %s, not of which file", doing, b.kind, sum, b.file, b.sum)
	}
	said := b.sum
	if is && b.of != "" && b.of != base && strings.HasPrefix(base, b.of) {
		said += fmt.Sprintf(" of %s; unpacked, it has %s", b.of, cmp.Or(within, "none, since it cannot be unpacked"))
	}
	return false, verdict.Failf(verdict.CodeChecksum, "the backup was damaged, or changed after its sum was taken: "+
		"take a new one, and look at the disk that wrote it",
		"%s: its %s is %s, the file beside it says %s", doing, b.kind, sum, said)
}
