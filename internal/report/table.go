package report

import (
	"bytes"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

const (
	gap       = 2 // columns between cells
	narrowest = 8 // a column of less cannot be read
)

// surplusReset is what tablewriter adds to a line that holds colors, after
// its padding; painted cells end their colors themselves.
const surplusReset = "\x1b[0m"

// grid is a header with rows below.
type grid struct {
	indent string
	header []string
	rows   [][]string
	right  []int // the columns that hold numbers
}

// even gives all rows as many cells as the longest has: a report that was
// written by others may hold ragged ones.
func (g *grid) even() {
	columns := len(g.header)
	for _, row := range g.rows {
		columns = max(columns, len(row))
	}
	fill := func(row []string) []string { return slices.Concat(row, make([]string, columns-len(row))) }
	g.header = fill(g.header)
	g.rows = slices.Clone(g.rows)
	for i, row := range g.rows {
		g.rows[i] = fill(row)
	}
}

// table writes a grid with every cell in full: what is too wide is wrapped
// within its column.
func (p *page) table(g grid) {
	g.even()
	widths, fits := g.fit(p.width)
	if !fits {
		p.records(g)
		return
	}
	var b bytes.Buffer
	t := tablewriter.NewTable(&b, plain(len(g.header), g.right)...)
	t.Header(wrapped(g.header, widths))
	for _, row := range g.rows {
		p.note(t.Append(wrapped(row, widths)))
	}
	p.note(t.Render())
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSuffix(strings.TrimRight(g.indent+line, " \n"), surplusReset)
		p.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func (p *page) note(err error) {
	if p.err == nil {
		p.err = err
	}
}

// plain is a table without lines, whose cells are left as they are.
func plain(columns int, right []int) []tablewriter.Option {
	align := make(tw.Alignment, columns)
	for i := range align {
		align[i] = tw.AlignLeft
		if slices.Contains(right, i) {
			align[i] = tw.AlignRight
		}
	}
	cell := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{PerColumn: align},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: strings.Repeat(" ", gap), Overwrite: true}},
	}
	return []tablewriter.Option{
		tablewriter.WithConfig(tablewriter.Config{Header: cell, Row: cell}),
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
	}
}

// fit gives the columns' widths: their own where there is room, else the
// widest give way first.
func (g *grid) fit(width int) (widths []int, fits bool) {
	widths = make([]int, len(g.header))
	sum := 0
	for i := range widths {
		widths[i] = twwidth.Width(g.header[i])
		for _, row := range g.rows {
			widths[i] = max(widths[i], twwidth.Width(row[i]))
		}
		sum += widths[i]
	}
	room := width - len(g.indent) - gap*(len(widths)-1)
	for ; sum > room; sum-- {
		widest := slices.Index(widths, slices.Max(widths))
		if widths[widest] <= narrowest {
			return nil, false
		}
		widths[widest]--
	}
	return widths, true
}

// wrapped breaks each cell into the lines of its column. A painted cell, one
// short word, is never wider than its column.
func wrapped(row []string, widths []int) []string {
	out := make([]string, len(row))
	for i, cell := range row {
		out[i] = cell
		if twwidth.Width(cell) > widths[i] {
			out[i] = strings.Join(wrap(cell, widths[i]), "\n")
		}
	}
	return out
}

// records writes what has too many columns for a table as one line a value.
func (p *page) records(g grid) {
	for i, row := range g.rows {
		if i > 0 {
			p.blank()
		}
		for j, cell := range row {
			p.hanging(g.indent+g.header[j]+": ", cell)
		}
	}
}
