package page

import (
	"fmt"
	"slices"
	"time"

	"daybefore/internal/report"
)

// The size of a chart in its own units. What is drawn keeps off the edges, so
// that the line is not cut.
const (
	chartWidth  = 240
	chartHeight = 56
	chartEdge   = 5
)

// chart is a line of numbers over the passes, the oldest first.
type chart struct {
	ID     string
	Title  string
	Now    string // the newest number
	Says   string // all of it in words
	Line   string // of SVG's points
	LastX  string
	LastY  string
	Single bool // one number is no line
}

// charts draws what changes from pass to pass; id makes their names in the page
// different. The passes come newest first.
func charts(id string, passes []Glance) []chart {
	var drawn []chart
	add := func(title string, of func(Glance) int64, write func(int64) string) {
		var values []int64
		for _, g := range slices.Backward(passes) {
			if n := of(g); n > 0 {
				values = append(values, n)
			}
		}
		if len(values) > 0 {
			drawn = append(drawn, draw(fmt.Sprintf("%s-%d", id, len(drawn)), title, values, write))
		}
	}
	add("Time to have the data back", func(g Glance) int64 { return g.RecoveryMS }, func(ms int64) string {
		return report.Took(time.Duration(ms) * time.Millisecond)
	})
	add("Rows", func(g Glance) int64 { return g.Rows }, report.Count)
	add("Size of the backup", func(g Glance) int64 { return g.SizeBytes }, report.Size)
	return drawn
}

func draw(id, title string, values []int64, write func(int64) string) chart {
	least, most := slices.Min(values), slices.Max(values)
	last := values[len(values)-1]
	c := chart{ID: id, Title: title, Now: write(last), Single: len(values) == 1}
	c.Says = c.Now + " at the last pass"
	if !c.Single {
		c.Says = fmt.Sprintf("%s to %s in the last %d passes, %s at the newest", write(least), write(most), len(values),
			c.Now)
	}
	for i, n := range values {
		c.LastX = place(i, len(values)-1, chartWidth)
		c.LastY = height(n, most)
		if i > 0 {
			c.Line += " "
		}
		c.Line += c.LastX + "," + c.LastY
	}
	return c
}

// place is how far from the left a number stands.
func place(i, last, width int) string {
	if last == 0 {
		return fmt.Sprint(width - chartEdge)
	}
	return fmt.Sprintf("%.1f", chartEdge+float64(i)*float64(width-2*chartEdge)/float64(last))
}

// height is how far from the top it stands. Zero is at the bottom: a chart that
// began at the least number would make every change look great.
func height(n, most int64) string {
	room := float64(chartHeight - 2*chartEdge)
	return fmt.Sprintf("%.1f", chartEdge+room*(1-float64(n)/float64(most)))
}
