package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"daybefore/internal/verdict"
)

// Shapes writes what the values of the columns under a rule are like, in the
// report's backup, before and after the scrub.
func Shapes(w io.Writer, r *verdict.Report, all []verdict.Shapes, o Options) error {
	p := &page{width: o.width(), color: o.Color}
	p.hanging("",
		fmt.Sprintf("%s: what the scrub makes of %s in %s", clean(r.Drill), counted(len(all), "column"),
			clean(r.Backup.Name)))
	estimated := false
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(s verdict.Shapes) bool { return s.Table != all[0].Table })
		if n < 0 {
			n = len(all)
		}
		p.shapes(all[:n])
		estimated = estimated ||
			slices.ContainsFunc(all[:n], func(s verdict.Shapes) bool { return s.Before.Estimated || s.After.Estimated })
		all = all[n:]
	}
	if estimated {
		p.blank()
		p.hanging("",
			"~ is estimated, from keyed hashes: within 3 percent, two times of three. All other counts are exact.")
	}
	if p.err != nil {
		return fmt.Errorf("render the shapes of %s: %w", r.Drill, p.err)
	}
	_, err := w.Write(p.Bytes())
	return err
}

// shapes writes those of one table.
func (p *page) shapes(all []verdict.Shapes) {
	p.heading(clean(all[0].Table) + ", " + counted(all[0].Rows, "row"))
	g := grid{indent: "  ", header: []string{"COLUMN", "STATE", "NULLS", "LENGTHS", "MEDIAN", "DIFFERENT", "MADE OF"},
		right: []int{2, 4, 5}}
	for _, s := range all {
		if s.Transform == "" {
			g.rows = append(g.rows, shapeRow(clean(s.Column), "passes", s.Rows, s.Before))
			continue
		}
		by := "by " + clean(s.Transform)
		if s.Link != "" {
			by += ", link " + clean(s.Link)
		}
		g.rows = append(g.rows, shapeRow(clean(s.Column), "before", s.Rows, s.Before),
			shapeRow(by, "after", s.Rows, s.After))
	}
	p.table(g)
}

func shapeRow(what, when string, rows int64, s verdict.Shape) []string {
	row := []string{what, when, count(s.Nulls), "", "", "", ""}
	if s.Nulls == rows {
		return row
	}
	row[3] = fmt.Sprintf("%s to %s", count(s.Shortest), count(s.Longest))
	row[4] = count(s.Median)
	if s.Shortest == s.Longest {
		row[3] = "all " + count(s.Longest)
	}
	row[5] = count(s.Different)
	if s.Estimated {
		row[5] = "~" + row[5]
	}
	row[6] = strings.Join(s.Characters.Words(), ", ")
	return row
}
