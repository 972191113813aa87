package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"daybefore/internal/verdict"
)

// mostAnnotations of one level are shown by GitHub of a step.
const mostAnnotations = 10

// Drilled is a report with the drill file that it is of.
type Drilled struct {
	Report *verdict.Report
	Source Source
}

// Annotations writes GitHub's commands that show what was found beside the line
// of the drill file that declared it: the worst first, as many as are shown.
func Annotations(w io.Writer, all []Drilled) error {
	lines := map[string][]string{}
	for _, d := range worstDrilled(all) {
		for _, f := range findings(d.Report) {
			level := annotationLevel(f.Outcome)
			if level != "" {
				lines[level] = append(lines[level], annotations(level, d, f)...)
			}
		}
	}
	for _, level := range []string{"error", "warning"} {
		found := lines[level]
		for _, line := range found[:min(len(found), mostAnnotations)] {
			_, err := io.WriteString(w, line)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func annotationLevel(o verdict.Outcome) string {
	switch o {
	case verdict.Fail, verdict.Error:
		return "error"
	case verdict.Warn:
		return "warning"
	}
	return ""
}

// worstDrilled are the drills, those that failed before all others.
func worstDrilled(all []Drilled) []Drilled {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Drilled) int {
		return cmp.Compare(rank(a.Report.Outcome), rank(b.Report.Outcome))
	})
	return all
}

// mistake is a line of what is wrong with a drill file: where, and what.
var mistake = regexp.MustCompile(`^[^:]+:(\d+):\d+: (.*)$`)

// annotations are one command for a finding; of a drill file with mistakes one
// for each.
func annotations(level string, d Drilled, f finding) (lines []string) {
	title := outcomeWord(f.Outcome) + " " + clean(d.Report.Drill) + ": " + clean(f.what)
	if f.Code == verdict.CodeSpec {
		for line := range strings.SplitSeq(f.Message, "\n") {
			at := mistake.FindStringSubmatch(line)
			if at == nil {
				continue
			}
			n, _ := strconv.Atoi(at[1])
			lines = append(lines, annotation(level, d.Source.File, n, title, clean(at[2])))
		}
	}
	if len(lines) > 0 {
		return lines
	}
	file, line := d.Source.place(f.Check)
	return []string{annotation(level, file, line, title, strings.Join(inFull(f.Check), "\n"))}
}

// annotation is one command; a line of 0 and an empty file are left out.
func annotation(level, file string, line int, title, message string) string {
	var properties []string
	if file != "" {
		properties = append(properties, "file="+property(file))
	}
	if file != "" && line > 0 {
		properties = append(properties, "line="+strconv.Itoa(line))
	}
	properties = append(properties, "title="+property(title))
	return fmt.Sprintf("::%s %s::%s\n", level, strings.Join(properties, ","), commandData(message))
}

// As GitHub's runner unescapes them.
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func commandData(s string) string { return dataEscapes.Replace(s) }
func property(s string) string    { return propertyEscapes.Replace(clean(s)) }

// Summary is the page of several drills for GitHub's step summary, in at most
// so many bytes: a table of all, then each report, the worst first, as far as
// there is room.
func Summary(all []Drilled, limit int) ([]byte, error) {
	var b bytes.Buffer
	if len(all) > 1 {
		m := &markdown{}
		m.rows(summaryRows(all))
		b.WriteString(m.b.String() + "\n")
	}
	for _, d := range worstDrilled(all) {
		var text bytes.Buffer
		err := Markdown(&text, d.Report)
		if err != nil {
			return nil, err
		}
		if b.Len()+text.Len()+len(markdownRest)+1 > limit {
			b.WriteString(markdownRest)
			break
		}
		b.Write(text.Bytes())
		b.WriteByte('\n')
	}
	if b.Len() > limit {
		return nil, fmt.Errorf("the summary has room for %s, and %s are there to be told", size(int64(limit)),
			counted(len(all), "drill"))
	}
	return b.Bytes(), nil
}

func summaryRows(all []Drilled) [][]string {
	rows := [][]string{{"Drill", "Outcome", "Backup", "Data back in"}}
	for _, d := range all {
		r := d.Report
		back := ""
		if r.Recovery != nil {
			back = tookMS(r.Recovery.TotalMS)
		}
		rows = append(rows, []string{r.Drill, badges[r.Outcome] + outcomeWord(r.Outcome), r.Backup.Name, back})
	}
	return rows
}
