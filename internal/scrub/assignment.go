package scrub

import (
	"context"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// Assignment is which of the loaded columns have which rule, before anybody
// asks whether the rules fit. It is what a survey of the rows is made from.
type Assignment struct{ planner *planner }

// Assign gives the columns their rules. The connection is needed for as long as
// Propose is called.
func Assign(ctx context.Context, conn *pgx.Conn, req Request) (*Assignment, error) {
	p, err := newPlanner(ctx, conn, req)
	if err != nil {
		return nil, err
	}
	if err := p.run(p.exclude, p.load, p.assign, p.scan); err != nil {
		return nil, err
	}
	return &Assignment{p}, nil
}

// Excluded reports whether the rows of a table are not to be loaded, as
// Plan.Excluded does.
func (a *Assignment) Excluded(namespace, table string) bool {
	return a.planner.Excluded(namespace, table)
}

// Rule is the column's rule; nil where it has none.
func (a *Assignment) Rule(c *schema.Column) *spec.Rule { return a.planner.assigned[c] }

// Columns counts the columns that are loaded, and those of them with a rule.
func (a *Assignment) Columns() (loaded, ruled int) {
	for _, columns := range a.planner.loaded {
		loaded += len(columns)
	}
	return loaded, len(a.planner.loadedWithRules())
}

// Scanner looks for what the drill file says.
func (a *Assignment) Scanner() detect.Scanner { return a.planner.scanner }

// ScannerFor is the scanner for the values of a column; it looks for nothing
// where they tell nothing.
func (a *Assignment) ScannerFor(c *schema.Column) detect.Scanner {
	return a.planner.scannerFor(c, a.planner.isKey(c))
}

// LocaleOf names the locale from which a rule takes words; empty if it takes
// none.
func (a *Assignment) LocaleOf(r *spec.Rule) string {
	if !transform.WritesWords(r) {
		return ""
	}
	return a.planner.localeName(r)
}

// Unruled are the loaded columns without a rule, in the order of the tables'
// names.
func (a *Assignment) Unruled() []propose.Lineage { return a.planner.unruled() }

// IsTied reports whether a foreign key ties the values of a family to another's.
func (a *Assignment) IsTied(root *schema.Column) bool {
	return len(propose.Tied(root, a.planner.fks)) > 1
}

// Propose finds a rule for each column that looks sensitive, and for what a
// foreign key ties to it. What takes no rule is preserved, with the reason. The
// error is the connection's.
func (a *Assignment) Propose(found []propose.Suspicion) ([]propose.Proposal, error) {
	return a.planner.propose(found)
}

// WayOf names what a rule does.
func WayOf(r *spec.Rule) string {
	switch {
	case r.JSON != nil:
		return documentPaths
	case r.Fields != nil:
		return compositeFields
	case r.Recompute != "":
		return recomputeName
	}
	return r.Transform
}

// Unwatch lets rows through the filters in which something looks sensitive, and
// remembers nothing of what they replace. It is for rows that are read and not
// loaded: the plan is of no use for a load then.
func (p *Plan) Unwatch() {
	p.watched = nil
	p.scanner = detect.Scanner{}
	p.rules.LeakScan.SourceOverlap = 0
}

// Encoding is that of the rows.
func (p *Plan) Encoding() copytext.Encoding { return p.encoding }

// Table is the restored table of that name; nil if there is none.
func (p *Plan) Table(namespace, name string) *schema.Table {
	return p.schema.ByName[schema.Name{Schema: namespace, Table: name}]
}

// Rule is the column's rule; nil where it has none.
func (p *Plan) Rule(c *schema.Column) *spec.Rule { return p.assigned[c] }
