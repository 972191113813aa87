package setup

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"daybefore/internal/scrub"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/setup/figures"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	mostTables     = 40
	mostReferences = 40
)

// Read is what was read of one backup.
type Read struct {
	Backup verdict.Backup
	Roles  []string // that the restore had to make
	Rows   *figures.Survey
	Plan   *scrub.Plan // what becomes of each column
	Zone   *time.Location
}

// tables are those whose rows were read, without those of no use.
type tables struct {
	Read
	all        []*figures.Table
	references map[*figures.Table][]figures.Reference
	askedZone  bool
}

func (r Read) tables() *tables {
	t := &tables{Read: r, references: map[*figures.Table][]figures.Reference{}}
	for _, one := range r.Rows.Tables() {
		if one.Rows > 0 && !strings.HasPrefix(one.Name.Schema, "_timescaledb") {
			t.all = append(t.all, one)
		}
	}
	n := 0
	for _, ref := range r.Rows.References(t.all) {
		if n < mostReferences && t.alike(ref.From.Column, ref.To.Column) {
			n++
			from := slices.IndexFunc(t.all, func(one *figures.Table) bool { return one.Table == ref.From.Table })
			t.references[t.all[from]] = append(t.references[t.all[from]], ref)
		}
	}
	return t
}

// alike reports whether what the scrub makes of two columns still agrees.
func (t *tables) alike(a, b *schema.Column) bool {
	one, other := t.Plan.Rule(a), t.Plan.Rule(b)
	if one == nil || other == nil {
		return one == other
	}
	return one.Link != "" && one.Link == other.Link && one.Transform == other.Transform
}

// writeExpectations writes what the database is expected to hold, by what this
// backup holds.
func (t *tables) writeExpectations(out *text) {
	out.add("\nexpectations:")
	out.why("  ", "ages of rows are judged against the backup's own time")
	out.add("  as_of: backup")
	t.writeDatabase(out)
	listed := t.foremost()
	if len(listed) == 0 {
		return
	}
	left := len(t.all) - len(listed)
	if left > 0 {
		out.why("  ", "%d further tables hold rows", left)
		out.ask("%d further tables hold rows and are not listed: add those that matter", left)
	}
	out.add("  tables:")
	for _, one := range listed {
		t.writeTable(out, one)
	}
}

// writeDatabase writes what is expected of the database as a whole.
func (t *tables) writeDatabase(out *text) {
	if len(t.Roles) > 0 {
		out.why("  ", "the backup gives something to these, and does not make them: the server has them before a restore")
		out.ask("do all of these roles exist on the server that would replace production?")
		out.add("  roles: [%s]", list(t.Roles))
	}
	names := t.Rows.Extensions()
	if len(names) > 0 {
		out.why("  ", "what the backup makes")
		out.add("  extensions: [%s]", list(names))
	}
	t.writeSequences(out)
	n := t.Rows.Unvalidated()
	if n == 0 {
		out.why("  ", "all of them were validated")
		out.add("  constraints: valid")
	} else {
		out.ask("%s never tried on all rows (NOT VALID): validate what is to hold, then add constraints: valid",
			are(n, "constraint"))
	}
	out.why("  ", "one that is not serves no query")
	out.add("  indexes: valid")
}

func (t *tables) writeSequences(out *text) {
	count, behind, known := t.Rows.Sequences(t.all)
	switch {
	case count == 0 || !known:
		return
	case len(behind) > 0:
		out.ask("%s behind the column that it numbers, such as %s, so that inserts would collide: set them, and add "+
			"sequences: not_behind", are(len(behind), "sequence"), behind[0])
		return
	}
	out.why("  ", "%s, none behind its column", verdict.Count(int64(count), "sequence"))
	out.add("  sequences: not_behind")
}

func are(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return fmt.Sprintf("%d %ss are", n, noun)
}

func list(names []string) string {
	var all []string
	for _, n := range names {
		all = append(all, spec.YAMLText(n))
	}
	return strings.Join(all, ", ")
}

// foremost are the tables that matter most, in the order of their names: those
// that others refer to, that are written all the time, that hold most.
func (t *tables) foremost() []*figures.Table {
	all := slices.Clone(t.all)
	weight := map[*figures.Table]int64{}
	for _, one := range all {
		weight[one] = one.Rows + int64(t.Rows.Referred(one))*1000
		_, lag := t.newest(one)
		if lag >= 0 {
			weight[one] += 1_000_000
		}
		if passing(one) {
			weight[one] = 0
		}
	}
	slices.SortStableFunc(all, func(a, b *figures.Table) int { return cmp.Compare(weight[b], weight[a]) })
	all = all[:min(mostTables, len(all))]
	slices.SortFunc(all, func(a, b *figures.Table) int { return a.Compare(b.Table) })
	return all
}

var passingNames = regexp.MustCompile(
	`(?i)(?:^|_)(?:sessions?|cache\w*|queues?|jobs?|locks?|tmp|temp|tokens?|outbox)(?:_|$)`)

// passing reports whether a table is called as one whose rows come and go.
func passing(t *figures.Table) bool { return passingNames.MatchString(t.Name.Table) }

func (t *tables) writeTable(out *text, one *figures.Table) {
	name := spec.Name{Schema: one.Name.Schema, Table: one.Name.Table}.String()
	if passing(one) {
		out.why("    ", "it is called as one whose rows come and go: no floor")
		out.add("    - table: %s", spec.YAMLText(name))
		return
	}
	out.add("    - table: %s", spec.YAMLText(name))
	what := verdict.Count(one.Rows, "row")
	n := t.Rows.Referred(one)
	if n > 0 {
		what += ", referred to by " + verdict.Count(int64(n), "foreign key")
	}
	least := floor(one.Rows)
	if least > 1 {
		what += "; a floor of nine tenths, rounded down"
	}
	out.why("      ", "%s", what)
	out.add("      row_count: {min: %d}", least)
	t.writeFreshness(out, one)
	if len(t.references[one]) > 0 {
		t.writeReferences(out, t.references[one])
	}
}

func (t *tables) writeReferences(out *text, refs []figures.Reference) {
	out.why("      ", "no foreign key guards what name, type and values say")
	out.add("      relationships:")
	for _, r := range refs {
		key := "fail_if"
		if !r.Exact {
			out.why("        ", "some of its values were compared, not all: it warns")
			key = "warn_if"
		}
		out.add("        - {column: %s, references: %s, %s: '> 0'}", spec.YAMLText(spec.Dotted(r.From.Name)),
			spec.YAMLText(r.To.Dotted()), key)
	}
}
