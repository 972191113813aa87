// Package draft writes a scrub section for a person to review, from what the rows
// of a backup look like, and measures what a section's rules make of them. It
// decides nothing, which is scrub's: no row that it is shown is loaded. Of what it
// is shown it keeps numbers, and no value.
package draft

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/detect"
	"daybefore/internal/locale"
	"daybefore/internal/scrub"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/sketch"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Draft is a scrub section to be reviewed.
type Draft struct {
	Tables  int   // whose rows were read
	Rows    int64 // that were read
	Columns int   // that are loaded
	Rules   int   // that are proposed
	Ruled   int   // columns for which the drill file has a rule

	Passed  []verdict.ScrubPassed // what passes as it is, by these rules and those of the drill file
	Passing []string              // proposed rules that let a column pass that looks sensitive, each with its why

	Plan *scrub.Plan // by the drill file's rules and those proposed; with Left, not to be used

	largeObjects bool
	history      []string // columns of texts that hold documents, where source_overlap is to be proposed
	english      bool     // words are drafted, and no locale was chosen
	lines        []string
	left         []verdict.Check
	undecided    []string // columns for which no rule fits, each with what to do
}

// confidence is how sure it is that a column holds what it seems to.
type confidence string

const (
	high   confidence = "high"
	medium confidence = "medium"
	low    confidence = "low"
	none   confidence = "" // it does not
)

// judged is a suspicion with what it rests on.
type judged struct {
	propose.Suspicion
	confidence
	reason  string
	history bool           // texts that hold documents
	values  *sketch.Sketch // different ones; nil unless others may hold the same
}

// Draft proposes rules for all that looks sensitive and has none, from the
// rows that were seen until now: call it when no function of Filter is running
// any more. The error is the connection's.
func (s *Survey) Draft() (*Draft, error) {
	d := &Draft{largeObjects: s.req.LargeObjects && s.req.Rules.LargeObjects == ""}
	d.Columns, d.Ruled = s.Columns()
	d.countRows(s.scanners)
	all := s.judge()
	var found []propose.Suspicion
	for _, j := range all {
		found = append(found, j.Suspicion)
		if j.history && s.req.Rules.LeakScan.SourceOverlap == 0 {
			d.history = append(d.history, j.Root.Dotted())
		}
	}
	proposed, err := s.Propose(found)
	if err != nil {
		return nil, err
	}
	folded := s.fold(proposed)
	d.write(all, folded)
	d.english = slices.ContainsFunc(folded, func(m foldedRule) bool { return s.LocaleOf(m.Rule) == locale.Default })
	req := s.req
	req.Rules.Rules = slices.Clone(req.Rules.Rules)
	for _, f := range folded {
		if f.Refused == "" {
			req.Rules.Rules = append(req.Rules.Rules, *f.Rule)
			d.Rules++
		}
	}
	if d.largeObjects {
		req.Rules.LargeObjects = "drop"
	}
	if len(d.history) > 0 {
		req.Rules.LeakScan.SourceOverlap = draftedOverlap
	}
	d.Plan, d.left, err = scrub.NewPlan(s.ctx, s.conn, req)
	if err == nil {
		d.Passed = s.passed(d.Plan, proposed)
	}
	d.left = slices.DeleteFunc(d.left, func(c verdict.Check) bool { // those are told as undecided
		return slices.ContainsFunc(proposed,
			func(m propose.Proposal) bool { return m.Refused != "" && c.ID == "unmatched:"+m.Root.String() })
	})
	return d, err
}

func (d *Draft) countRows(scanners []*rowScanner) {
	seen := map[*schema.Table]bool{}
	for _, l := range scanners {
		seen[l.table] = true
		d.Rows += l.rows
	}
	d.Tables = len(seen)
}

// judge finds what looks sensitive, by name, type and content.
func (s *Survey) judge() []judged {
	byRoot := s.byRoot()
	var all []judged
	for _, f := range s.Unruled() {
		e := byRoot[f.Root]
		if e == nil {
			e = &evidence{}
		}
		what, fitting := f.Sensitive()
		j := e.judge(f.Root, what, fitting)
		j.Lineage = f
		j.Varies, j.Folds = e.mail.varies(f.Root), e.mail.folds()
		if j.What != "" {
			all = append(all, j)
		}
	}
	all = s.ruleSame(all, byRoot)
	s.ruleKeys(all, byRoot)
	return all
}

// judge weighs what a name or type tells against the values.
func (e *evidence) judge(c *schema.Column, what, fitting string) judged {
	if what == "" {
		e.weigh()
	}
	kind, whole, hits := e.leading()
	names, sampled, people := e.namesOf()
	documented, how := e.documented()
	byName := judged{
		Suspicion:  propose.Suspicion{What: what, Transform: fitting},
		confidence: medium, reason: named(c, what),
	}
	switch {
	case what != "" && e.values == 0:
		byName.confidence = low
		byName.reason += "; the backup has no value to look at"
		return byName
	case c.Family() == schema.Opaque && c.Base.IsBytes() && e.values > 0 && e.forms[likePlace] == e.values:
		return e.asPlaces(byName)
	case c.Family() == schema.Opaque:
		return e.judgeOpaque(c, byName)
	case nearlyAll(whole, e.values):
		return e.wholly(c, byName, kind, whole)
	case c.Family() == schema.Textual && e.areNumbersToDial():
		return e.toDial(byName, whole)
	case c.Family() == schema.Textual && nearlyAll(e.forms[likePlace], e.values):
		return e.asPlaces(byName)
	case what == "" && c.Family() == schema.Textual && documented > 0:
		return e.asHistory(byName, documented, how)
	case what == "" && people != none && c.Family() == schema.Textual:
		return judged{
			Suspicion:  propose.Suspicion{What: detect.PersonWords, Transform: transform.Name},
			confidence: people, reason: nameShare(names, sampled) + " " + detect.PersonWords,
		}
	case what == "" && hits == 0:
		return judged{}
	case what == "" && c.Family() == schema.Numeric:
		return e.numbersByChance(hits)
	case what == "":
		return e.partly(hits)
	}
	return e.byName(c, byName)
}

func nameShare(names, sampled int) string {
	return fmt.Sprintf("%d of %d different values look like", names, sampled)
}

func named(c *schema.Column, what string) string {
	switch {
	case what == "":
		return ""
	case c.Family() == schema.Opaque:
		return "of type " + c.SQL
	}
	return "named like " + what
}

// wholly: the values themselves are of one kind, whatever the name says.
func (e *evidence) wholly(c *schema.Column, byName judged, kind detect.Kind, whole int64) judged {
	const enough = 20
	j := judged{confidence: medium,
		Suspicion: propose.Suspicion{What: kind.Words(), Transform: propose.TransformFor(kind)}}
	switch f := e.likeness(); f {
	case likeHash:
		j.What = "a password"
		fallthrough
	case likeMAC:
		j.Transform = likenessTransform[f]
	}
	if byName.What == j.What || whole >= enough {
		j.confidence = high
	}
	j.reason = ofValues(whole, e.values, "look") + " like "
	switch byName.What {
	case "":
		j.reason += j.What
	case j.What:
		j.reason = byName.reason + ", and " + j.reason + "one"
	default:
		j.reason = byName.reason + ", but " + j.reason + j.What
	}
	return j
}

// toDial: phone numbers, of which some tell by themselves.
func (e *evidence) toDial(byName judged, whole int64) judged {
	j := judged{Suspicion: propose.Suspicion{What: detect.Phone.Words(), Transform: transform.Phone}, confidence: high}
	j.reason = ofValues(whole, e.values, "look") + " like " + j.What + ", and nearly all are written as one"
	if byName.What != "" {
		j.reason = byName.reason + "; " + j.reason
	}
	return j
}

// asPlaces: a latitude and a longitude in one text.
func (e *evidence) asPlaces(byName judged) judged {
	j := judged{Suspicion: propose.Suspicion{What: "a position", Transform: transform.Position}, confidence: high}
	j.reason = ofValues(e.forms[likePlace], e.values, "look") + " like " + j.What
	if byName.What != "" {
		j.reason = byName.reason + "; " + j.reason
	}
	return j
}

// numbersByChance: one in ten of all long numbers passes a card's test.
func (e *evidence) numbersByChance(hits int64) judged {
	const some = 5
	j := judged{Suspicion: propose.Suspicion{What: detect.Card.Words(), Transform: transform.Number}, confidence: low,
		reason: ofValues(hits, e.values, "look") + " like " + detect.Card.Words()}
	if hits*some < e.values {
		j.Passes = "long numbers, of which few look like a card's, as some do by chance"
	}
	return j
}

// partly: texts in which something stands.
func (e *evidence) partly(hits int64) judged {
	j := judged{Suspicion: propose.Suspicion{Transform: transform.Text, Within: true}, confidence: medium}
	var kinds []string
	for _, k := range detect.Kinds() {
		if e.hits[k] > 0 {
			kinds = append(kinds, k.Words())
		}
	}
	j.What = kinds[0]
	if hits*100 < e.values {
		j.confidence = low
	}
	j.reason = ofValues(hits, e.values, "hold") + " " + strings.Join(kinds, " or ")
	return j
}

// byName: only the name tells what the values are, and they may tell their form.
func (e *evidence) byName(c *schema.Column, j judged) judged {
	const few, many = 12, 100
	n, exact := e.different.Count()
	n = min(n, e.values) // an estimate may be above what can be
	about := "about "
	if exact {
		about = ""
	}
	j.reason += fmt.Sprintf("; %s, %s%d different", verdict.Count(e.values, "value"), about, n)
	f := e.likeness()
	switch {
	case f != noLikeness && f != likeIP && likenessTransform[f] != j.Transform:
		j.Transform = likenessTransform[f]
		fallthrough
	case f != noLikeness:
		j.confidence = high
		j.reason += ", nearly all of them " + likenessWords[f]
	case j.Transform == transform.Position && c.Family() == schema.Numeric && e.degrees < e.values:
		j.Transform = transform.Number
		j.reason += ", not all of them degrees"
	case n <= few && e.values >= many && (j.Transform == transform.Text || j.Transform == transform.Number):
		j.confidence = low
		j.Transform = transform.Choice
		j.Few = int(n)
		j.reason += ": perhaps a list of words, which their shape or size would tell"
	case n <= few && e.values >= many:
		j.confidence = low
		j.reason += ": perhaps a list of words"
	case transform.WritesWords(&spec.Rule{Transform: j.Transform}) && e.areCodes():
		j.Transform = transform.Text
		j.reason += ", nearly all of them with signs or digits that no such words have"
	case j.What == detect.PersonWords:
		e.confirmNames(&j)
	}
	return j
}

// confirmNames is surer of a column named like one of names, where its values are.
func (e *evidence) confirmNames(j *judged) {
	if names, sampled, sure := e.namesOf(); sure == medium {
		j.confidence = high
		j.reason += ", and " + nameShare(names, sampled) + " one"
	}
}

// judgeOpaque looks into what holds other values.
func (e *evidence) judgeOpaque(c *schema.Column, j judged) judged {
	switch {
	case e.documents > 0:
		j.reason += "; " + verdict.Count(e.documents, "document")
		j.Keys = e.telling()
		var names []string
		for _, k := range j.Keys {
			names = append(names, k.Name)
		}
		if len(names) > 0 {
			j.confidence = high
			j.reason += ", with the keys " + strings.Join(names, ", ")
		}
	case c.Base.IsAddress(), c.Base.IsMAC():
		j.confidence = high
		fallthrough
	default:
		j.reason += "; " + verdict.Count(e.values, "value")
	}
	if e.inKeys > 0 { // which stay as they are
		j.Transform, j.confidence = transform.SetNull, high
		j.reason += ", some with keys that look sensitive"
	}
	return j
}

// telling are the keys to name: words that tell, in so many documents that the
// next backup will have them too. All else in a document is redacted.
func (e *evidence) telling() []propose.DocumentKey {
	const few, percent = 2, 1
	var all []propose.DocumentKey
	for name, k := range e.keys {
		if k == nil || k.documents < few || 100*k.documents < percent*e.documents ||
			!nearlyAll(k.documents-k.containers, k.documents) {
			continue
		}
		out := propose.DocumentKey{Name: name, What: k.what, Transform: k.transform}
		if kind, whole, _ := k.leading(); nearlyAll(whole, k.values) {
			out.What = kind.Words()
			out.Transform = propose.TransformFor(kind)
		}
		f := k.likeness()
		switch {
		case f != noLikeness:
			out.Transform = likenessTransform[f]
		case k.aboutPlaces() && k.areDegrees():
			out.Transform = transform.Position
		}
		all = append(all, out)
	}
	slices.SortFunc(all, func(a, b propose.DocumentKey) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ofValues says how many of the values do something.
func ofValues(n, of int64, do string) string {
	switch {
	case n == 1 && of == 1:
		return "its only value " + do + "s"
	case n == of:
		return fmt.Sprintf("all %d values %s", n, do)
	case n == 1:
		return fmt.Sprintf("1 of %d values %ss", of, do)
	}
	return fmt.Sprintf("%d of %d values %s", n, of, do)
}

// foldedRule is a proposal for one column, or for its like in several schemas.
type foldedRule struct {
	propose.Proposal
	schemas int // that the rule is for; 0: one
}

// fold writes one rule for the same column of the same table in several
// schemas, where no other column is of its pattern.
func (s *Survey) fold(all []propose.Proposal) []foldedRule {
	type place struct{ table, column, rule string }
	alike := map[place]int{}
	placeOf := func(m *propose.Proposal) place {
		r := *m.Rule
		r.Column = spec.ColumnPattern{}
		return place{m.Root.Table.Name.Table, m.Root.Name, r.YAML("")}
	}
	for i := range all {
		alike[placeOf(&all[i])]++
	}
	done := map[place]bool{}
	var folded []foldedRule
	for i := range all {
		m := foldedRule{Proposal: all[i]}
		at := placeOf(&all[i])
		n := alike[at]
		if n > 1 && n == s.tablesWith(at.table, at.column) && !strings.Contains(at.table+at.column, "*") {
			if done[at] {
				continue
			}
			done[at] = true
			m.Rule.Column, _ = spec.ParseColumnPattern("*." + spec.Dotted(at.table, at.column)) // which is one
			m.schemas = n
		}
		folded = append(folded, m)
	}
	return folded
}

// tablesWith counts the tables of a name, in any schema, that have a column.
func (s *Survey) tablesWith(name, column string) (n int) {
	for _, t := range s.req.Schema.Tables {
		if t.Name.Table == name && t.ByName[column] != nil {
			n++
		}
	}
	return n
}

// write makes the lines of the proposals, each below its reason.
func (d *Draft) write(all []judged, proposed []foldedRule) {
	reasons := map[*schema.Column]judged{}
	for _, j := range all {
		reasons[j.Root] = j
	}
	table := ""
	for _, m := range byTable(proposed) {
		if m.Rule.Preserve {
			d.Passing = append(d.Passing, oneLine(fmt.Sprintf("%s: %s", m.Rule.Column, m.Rule.Why)))
		}
		if name := patternTable(m.Rule.Column); name != table {
			table = name
			d.lines = append(d.lines, "    # "+name)
		}
		j, ok := reasons[m.Root]
		if !ok {
			j.confidence = reasons[m.Equals].confidence
			j.reason = fmt.Sprintf("its values are those of %s, to which a foreign key ties it", m.Equals)
		}
		if m.schemas > 1 {
			j.reason = fmt.Sprintf("alike in %d schemas, of which the first: %s", m.schemas, j.reason)
		}
		d.lines = append(d.lines, fmt.Sprintf("    # %s: %s", j.confidence, oneLine(j.reason)))
		if m.Refused != "" {
			undecided := oneLine(fmt.Sprintf("%s: %s", m.Rule.Column, m.Undecided()))
			d.undecided = append(d.undecided, undecided)
			d.lines = append(d.lines, "    # NO RULE, so that a drill is refused: "+undecided)
			continue
		}
		d.lines = append(d.lines, "    "+m.Rule.YAML("\n        "))
	}
}

// byTable has the rules of each table stand together, where its first one does.
func byTable(proposed []foldedRule) []foldedRule {
	first := map[string]int{}
	for i, m := range proposed {
		if name := patternTable(m.Rule.Column); first[name] == 0 {
			first[name] = i + 1
		}
	}
	sorted := slices.Clone(proposed)
	slices.SortStableFunc(sorted, func(a, b foldedRule) int {
		return cmp.Compare(first[patternTable(a.Rule.Column)], first[patternTable(b.Rule.Column)])
	})
	return sorted
}

func patternTable(p spec.ColumnPattern) string {
	if p.LiteralSchema || p.Schema != "*" {
		return oneLine(spec.Dotted(p.Schema, p.Table))
	}
	return oneLine("*." + spec.Dotted(p.Table))
}

// oneLine keeps a comment one, whatever a name holds.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Notes are what a person has to see to besides: columns for which no rule
// fits, what is wrong with the drill file's own rules, and what no rule can fix.
// Each is a line.
func (d *Draft) Notes() []string {
	all := slices.Clone(d.undecided)
	for _, c := range d.left {
		hint, _, _ := strings.Cut(c.Hint, "\n")
		all = append(all, oneLine(cmp.Or(c.Message, c.Observed)+"; "+hint))
	}
	return all
}

// AddSchema takes in what Aftermath found in a database without rows: what the
// schema itself holds.
func (d *Draft) AddSchema(found []verdict.Check) {
	for _, c := range found {
		if place, ok := strings.CutPrefix(c.ID, "leak:"); ok && c.Outcome == verdict.Error {
			c.Message = place + " holds " + c.Observed
			c.Hint = "no rule fixes it: remove it from the schema " +
				"or, if it is not personal data, let scrub.leak_scan.allow match it"
			d.left = append(d.left, c)
		}
	}
}

const dropObjects = "  # high: the backup holds large objects, which can be anything; the other way is preserve\n" +
	"  large_objects: drop\n"

// YAML is the section, without the rules that the drill file has.
func (d *Draft) YAML() string {
	var b strings.Builder
	if d.Rules > 0 || d.largeObjects || len(d.history) > 0 {
		b.WriteString("scrub:\n")
	}
	d.writeLocale(&b)
	d.writeLargeObjects(&b)
	if d.Rules > 0 {
		b.WriteString("  rules:\n")
	}
	d.writeLines(&b)
	d.writeOverlap(&b)
	return b.String()
}

// Additions are what YAML is, to stand below the rules of a drill file: without the
// heads, which that has, and with the rules first.
func (d *Draft) Additions() string {
	var b strings.Builder
	d.writeLines(&b)
	d.writeLargeObjects(&b)
	d.writeOverlap(&b)
	return b.String()
}

func (d *Draft) writeLocale(b *strings.Builder) {
	if d.english {
		b.WriteString("  # people, streets and cities will be called as in " + locale.Default +
			"; locale: says otherwise, and knows " + strings.Join(locale.Locales(), ", ") + "\n")
	}
}

func (d *Draft) writeLargeObjects(b *strings.Builder) {
	if d.largeObjects {
		b.WriteString(dropObjects)
	}
}

func (d *Draft) writeLines(b *strings.Builder) {
	for _, line := range append(slices.Clone(d.lines), d.passedLines()...) {
		b.WriteString(line + "\n")
	}
}

func (d *Draft) writeOverlap(b *strings.Builder) {
	if len(d.history) > 0 {
		fmt.Fprintf(b, "  leak_scan:\n    # %s\n    source_overlap: %d\n",
			oneLine("real values are looked for everywhere, since texts hold documents: "+
				strings.Join(d.history, ", ")),
			draftedOverlap)
	}
}
