package catalog

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"daybefore/internal/spec/guess"
	"daybefore/internal/verdict"
)

// NearError tells that no file matches source.name, while files are there that
// would, were they written in another case, with other separators or another
// suffix, or with the time in another zone. Where no drill ever passed, the
// drill file may be what is wrong.
type NearError struct {
	Name  string // of one of them
	Meant string // a source.name that would match it; empty: not known
	err   error
}

func (e *NearError) Error() string { return e.err.Error() }
func (e *NearError) Unwrap() error { return e.err }

// Hint says what to correct in the drill file.
func (e *NearError) Hint() string {
	if e.Meant == "" {
		return fmt.Sprintf("did you mean files such as %q? then correct source.name, source.time and source.timezone: "+
			"names are compared to the letter", e.Name)
	}
	return fmt.Sprintf("did you mean source.name: %q? names are compared to the letter", e.Meant)
}

// suffixes end the names of dumps: of any format, packed and encrypted.
const suffixes = `(?:\.(?:dump|dmp|pgdump|pgd|pg|sql|psql|custom|fc|backup|bak|out` +
	`|gz|gzip|tgz|zst|zstd|bz2|xz|lz4|lzma|zip|7z|age|gpg|pgp|enc|aes|crypt))`

// separated may stand between any two parts of a name.
const separated = `[-_. :+,~@]*`

// zones may follow a time, where {time} tells none or another.
const zones = `(?:z|utc|gmt|[-+]\d\d:?(?:\d\d)?` +
	`|(?:c|e|m|p|ac|ae|aw|nz)[sd]t|(?:c|e|w)e(?:s)?t|bst|ist|msk|jst|kst|sgt|hkt|sast)?`

// elements are those of Go's reference time, the longer ones first.
var elements = regexp.MustCompile(`2006|January|Jan|Monday|Mon|(?:Z|-)07(?::00:00|0000|:00|00)?|[.,]0+|[.,]9+` +
	`|002|__2|06|01|02|_2|03|04|05|15|PM|pm|1|2|3|4|5`)

// written are patterns of how an element is written.
var written = map[string]string{
	"2006":    `\d{4}`,
	"January": `[a-z]{3,9}`, "Jan": `[a-z]{3}`, "Monday": `[a-z]{6,9}`, "Mon": `[a-z]{3}`,
	"002": `\d{3}`, "__2": `\d{1,3}`, "_2": `\d{1,2}`, "PM": `[ap]m`, "pm": `[ap]m`,
	"1": `\d{1,2}`, "2": `\d{1,2}`, "3": `\d{1,2}`, "4": `\d{1,2}`, "5": `\d{1,2}`,
}

var (
	ending    = regexp.MustCompile(`(?i)` + suffixes + `+$`)
	zoneFirst = regexp.MustCompile(`(?i)^(?:z|utc|gmt)\b`)
)

// nearPattern matches names that fit source.name but for what NearError says;
// its group is the time.
func (p namePattern) nearPattern() *regexp.Regexp {
	before := p.before
	after := zoneFirst.ReplaceAllString(ending.ReplaceAllString(p.after, ""), "")
	if !p.timed {
		before = ending.ReplaceAllString(before, "")
	}
	said := loosely(before)
	if p.timed {
		said += separated + "(" + looseTime(p.layout) + ")" + loosely(after)
	}
	some := "*"
	if strings.HasSuffix(cmp.Or(after, before), "*") && !(p.timed && after == "") {
		some = "+" // a star matches all but these
	}
	re, err := regexp.Compile(`(?i)^` + said + separated + suffixes + some + `$`)
	if err != nil { // what is quoted is no pattern
		return nil
	}
	return re
}

// loosely is a pattern of a text of source.name, in which only letters, digits
// and folders count.
func loosely(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '*':
			b.WriteString(`[^/]*`)
		case strings.ContainsRune("-_. :+,~@", r):
			b.WriteString(separated)
		default:
			b.WriteString(separated + regexp.QuoteMeta(string(r)))
		}
	}
	return b.String()
}

// looseTime is a pattern of a time: its numbers as the layout has them, with
// any separators, in any zone.
func looseTime(layout string) string {
	const between = `[-_. :+,~@]*t?[-_. :+,~@]*`
	var parts []string
	for _, e := range elements.FindAllString(layout, -1) {
		switch {
		case strings.HasPrefix(e, "Z07"), strings.HasPrefix(e, "-07"): // below
		case e[0] == '.' || e[0] == ',':
			parts = append(parts, `(?:[.,]?\d+)?`)
		case written[e] != "":
			parts = append(parts, written[e])
		default:
			parts = append(parts, `\d{2}`)
		}
	}
	text := strings.Join(parts, between)
	if strings.Contains(layout, "/") { // of folders
		text = strings.ReplaceAll(text, `[-_.`, `[-/_.`)
	}
	return text + separated + zones
}

// near is a file that fits but for its writing; nil: there is none. A backup of
// another database of the drill file, such as us beside eu, is nothing that
// could be meant.
func (p namePattern) near(name string, re *regexp.Regexp) *NearError {
	if re == nil || isSideFile(name) || matchesAny(p.known, name) {
		return nil
	}
	at := re.FindStringSubmatchIndex(name)
	if at == nil {
		return p.misspelled(name)
	}
	meant := name
	if p.timed {
		meant = name[:at[2]] + timeMark + name[at[3]:]
	}
	e := &NearError{Name: name}
	like := p
	like.before, like.after, _ = strings.Cut(meant, timeMark)
	if _, ok, err := like.match(name); ok && err == nil && (p.timed || !strings.Contains(p.source, "*")) {
		e.Meant = meant
	}
	return e
}

// misspelled is a file whose name is source.name but for a few letters before or
// after the time; nil: it is not.
func (p namePattern) misspelled(name string) *NearError {
	if !p.timed || strings.Contains(p.source, "*") {
		return nil
	}
	re, err := regexp.Compile(`(?i)` + looseTime(p.layout))
	if err != nil {
		return nil
	}
	at := re.FindStringIndex(name)
	if at == nil {
		return nil
	}
	near := func(meant, there string) bool {
		another := guess.Near(meant, there) // shop and shops may well be two databases
		return meant == there || !another && guess.Nearest(meant, []string{there}) != ""
	}
	before, after := name[:at[0]], name[at[1]:]
	if !near(p.before, before) || !near(p.after, after) {
		return nil
	}
	return &NearError{Name: name, Meant: before + timeMark + after}
}

// noMatch is the Problem of a store in which nothing matches; near may be nil.
func (p namePattern) noMatch(url, found string, near *NearError) error {
	failed := verdict.Failf(verdict.CodeNoBackup, "correct source.name, or find out where the backup job writes",
		"choose a backup in %s: none matches %q; found%s", url, p.source, found)
	if near == nil {
		return failed
	}
	near.err = failed.Err
	failed.Err = near
	failed.Hint = "find out what the backup job changed; or " + near.Hint()
	return failed
}
