package place

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"daybefore/internal/verdict"
)

// A list of backups, as programs and files write it: JSON, lines of name size
// time, or names.

// entry is one line of a list.
type entry struct {
	name   string
	size   int64 // Unsized where it is not told
	time   time.Time
	folder bool
	fields map[string]any // of JSON
}

// parseList reads a list. told is false where nothing but names stands there:
// then whatever a program says may be taken for one.
func parseList(b []byte) (all []entry, told bool, err error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	trimmed := bytes.TrimSpace(b)
	switch string(trimmed) {
	case "":
		return nil, false, nil
	case "null": // an empty list, as some programs write it
		return nil, true, nil
	}
	if trimmed[0] == '[' || trimmed[0] == '{' {
		all, err = parseJSON(trimmed)
		return all, true, err
	}
	return parseLines(string(b))
}

// parseJSON reads an array, an object with one array, or a value a line.
func parseJSON(b []byte) ([]entry, error) {
	var all []entry
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	for {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("it begins as JSON and is none: %w", err)
		}
		list, err := listOf(v)
		if err != nil {
			return nil, err
		}
		for _, item := range list {
			e, err := jsonEntry(item)
			if err != nil {
				return nil, fmt.Errorf("entry %d: %w", len(all)+1, err)
			}
			all = append(all, e)
		}
	}
}

// listOf is the list in a value: itself, its one member that is a list of
// objects, or the value alone.
func listOf(v any) ([]any, error) {
	if list, ok := v.([]any); ok {
		return list, nil
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is JSON, and neither a list nor an object")
	}
	if _, object := pick(fields, nameFields); object {
		return []any{v}, nil
	}
	var lists [][]any
	for _, member := range fields {
		if list, ok := member.([]any); ok {
			lists = append(lists, list)
		}
	}
	if len(lists) != 1 {
		return nil, fmt.Errorf("it is a JSON object with %d lists, of which none is known to be that of the backups",
			len(lists))
	}
	return lists[0], nil
}

// Names of fields, as programs write them, the more telling ones first.
var (
	nameFields = []string{"path", "name", "key", "filename", "file", "archive", "backup_name", "backup_id", "id"}
	sizeFields = []string{"size", "bytes", "length", "size_bytes", "contentlength"}
	timeFields = []string{"time", "modtime", "mod_time", "mtime", "modified", "last_modified", "lastmodified", "updated",
		"start_time", "starttime", "start", "begin_time", "date", "created", "end_time"}
)

// pick is the first of these fields that an object has, in whatever case.
func pick(fields map[string]any, names []string) (any, bool) {
	for _, name := range names {
		for key, v := range fields {
			if strings.EqualFold(key, name) && v != nil && v != "" {
				return v, true
			}
		}
	}
	return nil, false
}

func jsonEntry(item any) (entry, error) {
	if name, ok := item.(string); ok {
		return entry{name: name, size: Unsized}, nil
	}
	fields, ok := item.(map[string]any)
	if !ok {
		return entry{}, errors.New("it is neither a name nor an object")
	}
	e := entry{size: Unsized, fields: fields}
	v, _ := pick(fields, nameFields)
	switch name := v.(type) {
	case string:
		e.name = name
	case json.Number:
		e.name = name.String()
	default:
		return entry{}, fmt.Errorf("it has no name: none of the fields %s", strings.Join(nameFields, ", "))
	}
	if v, ok := pick(fields, sizeFields); ok {
		size, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		if err != nil {
			return entry{}, fmt.Errorf("%q has the size %v, which is none", e.name, v)
		}
		e.size = max(size, Unsized) // rclone writes -1 of what it does not know
	}
	if v, ok := pick(fields, timeFields); ok {
		e.time, _ = parseTime(fmt.Sprint(v)) // it is only shown
	}
	for _, key := range []string{"isdir", "is_dir"} {
		if v, ok := pick(fields, []string{key}); ok && v == true {
			e.folder = true
		}
	}
	if v, _ := pick(fields, []string{"type"}); v == "directory" || v == "dir" || v == "folder" {
		e.folder = true
	}
	return e, nil
}

// sized is a line with a size and a time after the name.
var sized = regexp.MustCompile(`^(.*\S)[ \t]+([0-9]+)[ \t]+([0-9][0-9TZ:.,+ -]*)$`)

// parseLines reads names, a line each; lines of name size time only if all are.
func parseLines(text string) (all []entry, told bool, err error) {
	var names, full []entry
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		names = append(names, entry{name: line, size: Unsized})
		if e, ok := fullLine(line); ok {
			full = append(full, e)
		}
	}
	if len(full) == len(names) {
		return full, true, nil
	}
	return names, false, nil
}

func fullLine(line string) (entry, bool) {
	m := sized.FindStringSubmatch(line)
	if m == nil {
		return entry{}, false
	}
	size, err := strconv.ParseInt(m[2], 10, 64)
	at, ok := parseTime(m[3])
	return entry{name: m[1], size: size, time: at}, err == nil && ok
}

// timeLayouts are how programs write times; without a zone they are taken for
// UTC.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04",
	"2006-01-02T15:04:05.999999999-0700", "20060102T150405Z", "2006-01-02", time.RFC1123, time.RFC1123Z,
	"2006-Jan-02 15:04:05", "02-Jan-2006 15:04:05", "02-Jan-2006 15:04", "2006-01-02 15:04:05Z"}

// parseTime reads a time in one of the layouts, or seconds since 1970.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 1e8 || seconds > 1e11 { // 1973 to 5138
		return time.Time{}, false
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true
}

// objects are a list's entries as objects, each name once.
func objects(all []entry) []Object {
	var list []Object
	for _, e := range all {
		o := Object{Name: e.name, Size: e.size, ModTime: e.time}
		if name, slash := strings.CutSuffix(e.name, "/"); slash || e.folder {
			o = Object{Name: name, Not: Folder}
		}
		if !isDots(o.Name) {
			list = append(list, o)
		}
	}
	return list
}

// isDots reports whether a name is that of the folder itself, or of the one
// around it.
func isDots(name string) bool {
	clean := path.Clean(name)
	return name != "" && (clean == "." || clean == "..")
}

// mostNames is how many names are taken of a place that may make them up.
const mostNames = 1_000_000

// tooMany is the Problem of a list that is too long to be one of backups, or nil.
func tooMany(doing string, names int) error {
	if names <= mostNames {
		return nil
	}
	return verdict.Errorf(verdict.CodeStoreUnreachable,
		"let source name a folder, or a list, that holds little else than backups", "%s: there are more than %d names",
		doing, mostNames)
}

// unclean is the Problem of a list with a name that does not lead below the
// store, or that another name may mean too; nil if all are fit. mask hides what is
// secret in a name.
func unclean(doing string, code verdict.Code, all []Object, mask func(string) string) error {
	for _, o := range all {
		if o.Name != path.Clean(o.Name) || path.IsAbs(o.Name) || strings.HasPrefix(o.Name, "../") {
			return verdict.Errorf(code, "let it write names below one folder, such as nightly/shop.dump: without a / or ./ "+
				"before them, without // and ..; a program is told the folder by fetch, such as "+
				`[cat, "/backups/{name}"]`,
				"%s: the list holds the name %q", doing, verdict.Printable(mask(o.Name)))
		}
	}
	return nil
}

// twice is a name that a sorted list holds twice; "" for none.
func twice(all []Object) string {
	for i := 1; i < len(all); i++ {
		if all[i].Name == all[i-1].Name {
			return all[i].Name
		}
	}
	return ""
}
