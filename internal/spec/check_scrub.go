package spec

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"daybefore/internal/spec/guess"
	"daybefore/internal/spec/jsonpath"
)

// defaultLocale has the longest lists of words.
const defaultLocale = "en_US"

// A key that is shorter, in bytes, or made of fewer different ones could be
// guessed. A random one has more: of 32 hexadecimal digits, one in 28 million
// has not.
const (
	minKey      = 32
	minKeyBytes = 8
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (c checker) scrub(raw *rawScrub) Scrub {
	if raw == nil {
		return Scrub{Unmatched: "refuse", Locale: defaultLocale}
	}
	s := Scrub{
		KeyEnv:       raw.KeyEnv.Value,
		Key:          c.key(raw.KeyEnv),
		Unmatched:    raw.Unmatched.or("refuse"),
		Locale:       raw.Locale.or(defaultLocale),
		LargeObjects: raw.LargeObjects.Value,
		LeakScan:     c.leakScan(raw.LeakScan),
	}
	dropped := unique[string]{}
	for _, t := range raw.Drop {
		dropped.check(c, t, t.Value, "scrub.drop", "say it once")
		s.Drop = append(s.Drop, t.Value)
	}
	for _, t := range raw.ExcludeTableData {
		s.ExcludeTableData, s.ExcludePos = append(s.ExcludeTableData, c.excluded(t)), append(s.ExcludePos, t.at)
	}
	tables := unique[string]{}
	for _, k := range raw.Keep {
		s.Keep = append(s.Keep, c.keep(k))
		tables.check(c, k.Table, s.Keep[len(s.Keep)-1].Table.String(), "scrub.keep.table",
			"put all of its columns under one match")
	}
	columns := unique[string]{}
	links := map[string]rawChange{}
	for _, r := range raw.Rules {
		s.Rules = append(s.Rules, c.rule(r))
		columns.check(c, r.Column, r.Column.Value+"\x00"+r.Type.Value, "scrub.rules.column", "keep one rule for it")
		c.oneTransform(r.rawChange, s.Locale, links)
		for _, p := range r.JSON {
			c.oneTransform(p.rawChange, s.Locale, links)
		}
		for _, f := range r.Fields {
			c.oneTransform(f.rawChange, s.Locale, links)
		}
	}
	return s
}

func distinct(s string) map[byte]bool {
	seen := map[byte]bool{}
	for i := range len(s) {
		seen[s[i]] = true
	}
	return seen
}

func (c checker) excluded(t text) string {
	if t.given() {
		if _, fault := nameParts(t.Value, "schema.table"); fault != nil {
			c.refuseUnplaced(t.at, "scrub.exclude_table_data", fault)
		}
	}
	return t.Value
}

func (c checker) keep(raw rawKeep) Keep {
	k := Keep{
		Table:   c.name(raw.Table, "scrub.keep.table"),
		Match:   c.columnTexts(raw.Match, "scrub.keep.match"),
		MaxRows: raw.MaxRows.Value,
		Set:     c.columnTexts(raw.Set, "scrub.keep.set"),
		Why:     strings.TrimSpace(c.filled(raw.Why, "scrub.keep.why", `say why, such as "our own test accounts"`)),
		Pos:     raw.at,
	}
	if raw.MaxRows.given() && raw.MaxRows.Value < 1 {
		c.refuse(raw.MaxRows.at, "write 1 or more, or remove the entry",
			"scrub.keep.max_rows: %d rows can never be kept", raw.MaxRows.Value)
	}
	for _, column := range slices.Sorted(maps.Keys(raw.Match)) {
		if pattern := raw.Match[column]; pattern.given() && strings.Trim(pattern.Value, "*") == "" {
			c.refuse(pattern.at, `say which rows, such as "*@ourco.example"`,
				"scrub.keep.match.%s keeps every row as it is", column)
		}
	}
	return k
}

// columnTexts reads {column: text}; columns may be quoted as elsewhere.
func (c checker) columnTexts(raw map[string]text, key string) map[string]string {
	if raw == nil {
		return nil
	}
	texts := make(map[string]string, len(raw))
	for _, written := range slices.Sorted(maps.Keys(raw)) {
		if !raw[written].given() { // refused already
			continue
		}
		column, fault := parseColumn(written)
		if fault != nil {
			c.refuseUnplaced(raw[written].at, key, fault)
		}
		texts[column] = raw[written].Value
	}
	return texts
}

func (c checker) rule(raw rawRule) Rule {
	if raw.redactsAll() {
		raw.JSON = []rawPath{}
	}
	r := c.change(raw.rawChange, raw.at, "scrub.rules")
	r.Each = raw.Each.Value
	if raw.Column.given() {
		pattern, err := ParseColumnPattern(raw.Column.Value)
		if f, ok := err.(*unplaced); ok {
			c.refuseUnplaced(raw.Column.at, "scrub.rules.column", f)
		}
		r.Column = pattern
	}
	r.Type = c.typeName(raw.Type)
	r.Recompute = c.filled(raw.Recompute, "scrub.rules.recompute",
		"write SQL, such as to_tsvector('simple', full_name)")
	c.ways(raw)
	fields := unique[string]{}
	for _, f := range raw.Fields {
		r.Fields = append(r.Fields, c.field(f))
		fields.check(c, f.Field, f.Field.Value, "scrub.rules.fields.field", "keep one of them")
	}
	byTransform := raw.JSON == nil && raw.Fields == nil && !raw.Recompute.given()
	if t, _ := TransformNamed(raw.Transform.Value); raw.Each.given() && byTransform && !t.takes("each") {
		c.refuse(raw.Each.at, "remove it", "scrub.rules.each %s", idle(raw.Transform.Value, "each"))
	}
	paths := unique[string]{}
	keys := unique[string]{}
	if raw.JSON != nil {
		r.JSON = []PathRule{}
	}
	for _, p := range raw.JSON {
		r.JSON = append(r.JSON, c.path(p))
		once := paths
		if p.Keys.Value { // beside a rule for the values there
			once = keys
		}
		once.check(c, p.Path, p.Path.Value, "scrub.rules.json.path", "keep one of them")
	}
	if raw.JSON != nil {
		r.Unmatched = raw.UnmatchedPaths.or("redact")
	} else if raw.UnmatchedPaths.given() {
		c.refuse(raw.UnmatchedPaths.at, "remove it", "scrub.rules.unmatched_paths acts only with json")
	}
	return r
}

// redactsAll tells a rule for documents that names no path: whatever they hold
// is redacted.
func (r rawRule) redactsAll() bool {
	return r.UnmatchedPaths.Value == "redact" && r.JSON == nil && r.Fields == nil &&
		!r.Transform.given() && !r.Preserve.given() && !r.Recompute.given()
}

// spoken are the names that SQL has for types which PostgreSQL's catalog, by
// which rules know them, calls otherwise.
var spoken = map[string]string{
	"smallint": "int2", "integer": "int4", "int": "int4", "bigint": "int8", "decimal": "numeric", "real": "float4",
	"float": "float8", "double precision": "float8",
	"boolean": "bool", "character varying": "varchar", "character": "bpchar", "char": "bpchar", "bit varying": "varbit",
	"timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp",
	"time with time zone": "timetz", "time without time zone": "time",
}

// typeName reads a type's name, with its schema or without.
func (c checker) typeName(t text) Name {
	if !t.given() {
		return Name{}
	}
	if name, ok := spoken[strings.ToLower(t.Value)]; ok {
		return Name{Schema: "pg_catalog", Table: name}
	}
	if strings.ContainsAny(t.Value, "([") {
		c.refuse(t.at, "write the name alone, such as varchar: columns of every length are meant, and arrays too",
			"scrub.rules.type: %s is more than a type's name", shown(t.Value))
		return Name{}
	}
	if parts, fault := nameParts(t.Value, "type"); fault == nil && !strings.Contains(t.Value, "*") {
		return Name{Table: parts[0].text}
	}
	return c.name(t, "scrub.rules.type")
}

// change reads what becomes of a value; key is the section it stands in.
func (c checker) change(raw rawChange, at Pos, key string) Rule {
	r := Rule{
		Transform: raw.Transform.Value,
		Preserve:  raw.Preserve.Value,
		Why:       strings.TrimSpace(raw.Why.Value),
		Link:      c.filled(raw.Link, key+".link", "name it, such as person_email, or remove the key"),
		Normalize: c.normalize(raw.Normalize, key),
		Locale:    raw.Locale.Value,
		Value:     raw.Value.pointer(),
		Values:    c.values(raw.Values, key),
		Percent:   raw.Percent.or(10),
		Meters:    int(raw.Meters.or(defaultMeters)),
		Days:      int(raw.Days.or(180)),
		Bucket:    raw.Bucket.Value,
		By:        c.column(raw.By, key+".by"),
		To:        raw.To.Value,
		Pattern:   raw.Pattern.Value,
		With:      raw.With.Value,
		Pos:       at,
	}
	c.parameters(raw, key)
	return r
}

func (c checker) field(raw rawField) FieldRule {
	const key = "scrub.rules.fields"
	f := FieldRule{Rule: c.change(raw.rawChange, raw.at, key), Source: raw.Field.Value}
	for rest, more := raw.Field.Value, raw.Field.given(); more; {
		var part namePart
		var ok bool
		part, rest, more, ok = nextPart(rest)
		if !ok {
			c.refuse(raw.Field.at, `write street, or home.street, a part that holds a dot quoted "like.this"`,
				"%s.field: %s is not a name", key, shown(raw.Field.Value))
			break
		}
		f.Field = append(f.Field, part.text)
	}
	c.oneWay(raw.rawChange, raw.at, key)
	c.notBy(raw.By, key)
	return f
}

// notBy: what is read of a row at once has no other column.
func (c checker) notBy(by text, key string) {
	if by.given() {
		c.refuse(by.at, "remove it: dates in a value move by themselves", "%s.by acts only on a column of its own", key)
	}
}

func (c checker) path(raw rawPath) PathRule {
	const key = "scrub.rules.json"
	p := PathRule{Rule: c.change(raw.rawChange, raw.at, key), Keys: raw.Keys.Value}
	if raw.Path.given() {
		path, err := jsonpath.Parse(raw.Path.Value)
		if fault, is := errors.AsType[*jsonpath.Fault](err); is {
			c.refuse(raw.Path.at, fault.Hint, "%s.path: %s", key, fault.Message)
		}
		p.Path = path
	}
	c.oneWay(raw.rawChange, raw.at, key)
	c.notBy(raw.By, key)
	c.keys(raw, key)
	return p
}

// keys wants a transform under which no two keys of an object become one.
func (c checker) keys(raw rawPath, key string) {
	t, known := TransformNamed(raw.Transform.Value)
	keepsApart := t.Apart || t.Name == "template" && templateKeepsApart(raw.Value.Value)
	switch {
	case raw.Keys.given() && !raw.Keys.Value:
		c.refuse(raw.Keys.at, "remove it", "%s.keys: false has no effect", key)
	case raw.Keys.given() && known && !keepsApart:
		c.refuse(raw.Transform.at, "use hash or another transform that keeps values apart",
			"%s.keys: under %s two keys of an object may become one", key, t.Name)
	}
}

func (c checker) normalize(raw []text, key string) []string {
	var steps []string
	seen := unique[string]{}
	for _, t := range raw {
		seen.check(c, t, t.Value, key+".normalize", "say it once")
		steps = append(steps, t.Value)
	}
	return steps
}

func (c checker) values(raw []text, key string) []string {
	if len(raw) == 0 {
		return nil
	}
	var all []string
	for _, t := range raw {
		if t.given() && slices.Contains(all, t.Value) {
			c.refuse(t.at, "say it once", "%s.values: %s appears twice, first in line %d",
				key, shown(t.Value), raw[slices.Index(all, t.Value)].at.Line)
		}
		all = append(all, t.Value)
	}
	if len(raw) == 1 {
		c.refuse(raw[0].at, "write two or more, or use constant", "%s.values: one value leaves no choice", key)
	}
	return all
}

// ways wants a rule to say one thing: what becomes of a value, or of the
// values in a document.
func (c checker) ways(raw rawRule) {
	if raw.JSON == nil && raw.Fields == nil && !raw.Recompute.given() {
		c.oneWay(raw.rawChange, raw.at, "scrub.rules")
		return
	}
	within := "json"
	switch {
	case raw.Recompute.given():
		within = "recompute"
	case raw.JSON == nil:
		within = "fields"
	}
	keeps := raw.UnmatchedPaths.Value == "keep"
	switch {
	case raw.Transform.given():
		c.refuse(raw.Transform.at, "keep one of them", "scrub.rules: transform and %s exclude each other", within)
	case raw.Preserve.given():
		c.refuse(raw.Preserve.at, "keep one of them", "scrub.rules: preserve and %s exclude each other", within)
	case raw.JSON != nil && raw.Fields != nil:
		c.refuse(raw.at, "keep one of them", "scrub.rules: json and fields exclude each other")
	case raw.Recompute.given() && (raw.JSON != nil || raw.Fields != nil):
		c.refuse(raw.Recompute.at, "keep one of them", "scrub.rules: recompute excludes json and fields")
	case raw.Recompute.given() && raw.Each.given():
		c.refuse(raw.Each.at, "remove it", "scrub.rules.each has no effect with recompute")
	case keeps && strings.TrimSpace(raw.Why.Value) == "":
		c.refuse(raw.UnmatchedPaths.at, `add why: "settings, no personal data"`,
			"scrub.rules: unmatched_paths: keep without a why")
	case !keeps && raw.Why.given():
		c.refuse(raw.Why.at, "write it as a # comment", "scrub.rules.why is for preserve and unmatched_paths: keep")
	}
}

// oneWay wants a value to be rewritten or to pass, not both and not neither.
func (c checker) oneWay(raw rawChange, at Pos, key string) {
	switch {
	case raw.Preserve.given() && !raw.Preserve.Value:
		c.refuse(raw.Preserve.at, "write preserve: true with a why, or a transform", "%s.preserve: false has no effect",
			key)
	case raw.Preserve.given() && raw.Transform.given():
		c.refuse(raw.Preserve.at, "keep one of them", "%s: transform and preserve exclude each other", key)
	case !raw.Preserve.given() && !raw.Transform.given():
		c.refuse(at, "add transform: …, or preserve: true with a why", "%s: the rule neither transforms nor preserves",
			key)
	case raw.Preserve.given() && strings.TrimSpace(raw.Why.Value) == "":
		c.refuse(at, `add why: "an amount, no identity"`, "%s: preserve: true without a why", key)
	case raw.Transform.given() && raw.Why.given():
		c.refuse(raw.Why.at, "write it as a # comment", "%s.why is for preserve", key)
	}
}

// parameters refuses those that would not act under the rule's transform,
// those that are missing, and those whose value makes no sense.
func (c checker) parameters(raw rawChange, key string) {
	for _, p := range []struct {
		key string
		at  Pos
	}{
		{"link", raw.Link.at},
		{"normalize", firstPlace(raw.Normalize)},
		{"locale", raw.Locale.at},
		{"value", raw.Value.at},
		{"values", firstPlace(raw.Values)},
		{"percent", raw.Percent.at},
		{"bucket", raw.Bucket.at},
		{"meters", raw.Meters.at},
		{"days", raw.Days.at},
		{"by", raw.By.at},
		{"to", raw.To.at},
		{"pattern", raw.Pattern.at},
		{"with", raw.With.at},
	} {
		if t, _ := TransformNamed(raw.Transform.Value); p.at.Line > 0 && !t.takes(p.key) {
			c.refuse(p.at, "remove it", "%s.%s %s", key, p.key, idle(raw.Transform.Value, p.key))
		}
	}
	c.needed(raw, key)
	c.ranges(raw, key)
}

// idle says why a key does not act: with which transforms it would, where
// those are few.
func idle(transform, key string) string {
	const few = 4
	used := slices.Sorted(slices.Values(transformsWith(key)))
	switch {
	case 0 < len(used) && len(used) <= few:
		return "acts only with " + guess.Alternatives(used)
	case transform == "":
		return "acts only with a transform"
	}
	return "has no effect with the transform " + transform
}

// needed refuses a transform without what it cannot do without.
func (c checker) needed(raw rawChange, key string) {
	given := map[string]bool{
		"value": raw.Value.given(), "values": len(raw.Values) > 0, "to": raw.To.given(), "pattern": raw.Pattern.given(),
		"with": raw.With.given(),
	}
	t, _ := TransformNamed(raw.Transform.Value)
	for _, p := range t.Needs {
		if !given[p.Key] {
			c.refuse(raw.Transform.at, "add "+p.Key+": "+p.Example, "%s: %s without %s", key, t.Name, p.named())
		}
	}
}

// Meters of a position: fewer would leave a house in its street, more leave the map.
const (
	defaultMeters = 5000
	leastMeters   = 1000
	mostMeters    = 1_000_000
)

func (c checker) ranges(raw rawChange, key string) {
	const mostDays = 36525 // a century
	switch {
	case raw.Percent.given() && (raw.Percent.Value <= 0 || raw.Percent.Value > 100):
		c.refuse(raw.Percent.at, "write more than 0 and at most 100", "%s.percent: %v is out of range", key,
			raw.Percent.Value)
	case raw.Percent.given() && raw.Bucket.given():
		c.refuse(raw.Bucket.at, "keep one of them", "%s: bucket and percent exclude each other", key)
	case raw.Bucket.given() && raw.Bucket.Value < 2:
		c.refuse(raw.Bucket.at, "write 2 or more", "%s.bucket: %d is out of range", key, raw.Bucket.Value)
	case raw.Meters.given() && (raw.Meters.Value < leastMeters || raw.Meters.Value > mostMeters):
		c.refuse(raw.Meters.at, "write 1000 to 1000000", "%s.meters: %d is out of range", key, raw.Meters.Value)
	case raw.Days.given() && (raw.Days.Value < 1 || raw.Days.Value > mostDays):
		c.refuse(raw.Days.at, "write 1 to 36525", "%s.days: %d is out of range", key, raw.Days.Value)
	case raw.Transform.Value == "date_shift" && raw.Link.given() && !raw.By.given():
		c.refuse(raw.Link.at, "add by: with the column of the same row that says who it is about, or remove link",
			"%s.link: without by, a date_shift cannot be linked", key)
	}
	if raw.Pattern.given() {
		c.pattern(raw.Pattern, key)
		c.groups(raw, key)
	}
	if raw.Transform.Value == "template" && raw.Value.given() {
		if _, fault := templateParts(raw.Value.Value); fault != nil {
			c.refuseUnplaced(raw.Value.at, key+".value", fault)
		}
	}
}

func (c checker) pattern(t text, key string) {
	const hint = "write a regular expression as RE2 does: github.com/google/re2/wiki/Syntax"
	if _, err := regexp.Compile(t.Value); err != nil || t.Value == "" {
		c.refuse(t.at, hint, "%s.pattern: %s is not a regular expression", key, shown(t.Value))
	}
}

// reference is what Go's regular expressions take for a group's name or number
// in what is put in the place of a match: as long as it can be, so that $1x is
// the group 1x.
var reference = regexp.MustCompile(`\$\$|\$\{(\w+)\}|\$(\w+)|(\\[0-9])`)

// groups refuses a reference to a group that the pattern lacks: nothing would
// stand in its place.
func (c checker) groups(raw rawChange, key string) {
	pattern, err := regexp.Compile(raw.Pattern.Value)
	if err != nil || !raw.With.given() {
		return
	}
	for _, m := range reference.FindAllStringSubmatch(raw.With.Value, -1) {
		group := m[1] + m[2]
		if n, err := strconv.Atoi(group); m[3] == "" &&
			(group == "" || err == nil && n <= pattern.NumSubexp() || pattern.SubexpIndex(group) >= 0) {
			continue
		}
		c.refuse(raw.With.at, "write ${1} for the first group in parentheses, $$ for a dollar sign",
			"%s.with: %s is not a group of the pattern", key, m[0])
	}
}

func firstPlace(texts []text) Pos {
	if len(texts) == 0 {
		return Pos{}
	}
	return texts[0].at
}

// oneTransform refuses a link under which equal inputs would give different
// outputs.
func (c checker) oneTransform(r rawChange, locale string, links map[string]rawChange) {
	if !r.Link.given() || !r.Transform.given() {
		return
	}
	first, ok := links[r.Link.Value]
	if !ok {
		links[r.Link.Value] = r
		return
	}
	const hint = "use one transform under a link, or another link"
	switch {
	case first.Transform.Value != r.Transform.Value:
		c.refuse(r.Transform.at, hint,
			"scrub.rules: link %s is transformed by %s elsewhere (line %d), so that equal values would part",
			shown(r.Link.Value), first.Transform.Value, first.Transform.at.Line)
	case first.Value.Value != r.Value.Value:
		c.refuse(r.Link.at, "use one value under a link, or another link",
			"scrub.rules: link %s has another value elsewhere (line %d), so that equal values would part",
			shown(r.Link.Value), first.Link.at.Line)
	case !slices.EqualFunc(first.Values, r.Values, func(a, b text) bool { return a.Value == b.Value }):
		c.refuse(r.Link.at, "use the same values under a link, or another link",
			"scrub.rules: link %s has other values elsewhere (line %d), so that equal values would part",
			shown(r.Link.Value), first.Link.at.Line)
	case first.Locale.or(locale) != r.Locale.or(locale):
		c.refuse(r.Link.at, "use the same locale under a link, or another link",
			"scrub.rules: link %s has another locale elsewhere (line %d), so that equal values would part",
			shown(r.Link.Value), first.Link.at.Line)
	case first.Meters.or(defaultMeters) != r.Meters.or(defaultMeters):
		c.refuse(r.Link.at, "use the same meters under a link, or another link",
			"scrub.rules: link %s has other meters elsewhere (line %d), so that one place would part",
			shown(r.Link.Value), first.Link.at.Line)
	case first.Days.or(180) != r.Days.or(180):
		c.refuse(r.Link.at, "use the same days under a link, or another link",
			"scrub.rules: link %s has other days elsewhere (line %d), so that one person's dates would part",
			shown(r.Link.Value), first.Link.at.Line)
	}
}

// unique remembers where something was said first.
type unique[K comparable] map[K]Pos

// check refuses what was said before. The zero key stands for what could not
// be read: that is told already, and equals nothing.
func (u unique[K]) check(c checker, t text, key K, what, hint string) {
	if unread := *new(K); !t.given() || key == unread {
		return
	}
	if first, ok := u[key]; ok {
		c.refuse(t.at, hint, "%s: %s appears twice, first in line %d", what, shown(t.Value), first.Line)
		return
	}
	u[key] = t.at
}
