// Package runbook writes RECOVERY.md: how the backup of a drill that passed is
// restored by hand, with the field's own programs and without this harness. It
// takes a report and a drill file, and never a store, a server or a secret.
package runbook

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"
	"time"

	"daybefore/internal/program"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Name is what the page is called wherever it lies.
const Name = "RECOVERY.md"

// Input is what a page is made of.
type Input struct {
	Report *verdict.Report // of a drill that passed
	Drill  *spec.Drill
	// Fetch gives the words of source.exec that write a file of this name to
	// standard output; nil where there is no source.exec.
	Fetch func(name string) ([]string, error)
}

//go:embed recovery.md.tmpl
var layout string

var page = template.Must(template.New(Name).Funcs(template.FuncMap{
	"plain": report.Escape, "sh": shellBlock, "names": names,
}).Parse(layout))

// Write writes the page. A report from before there was such a page is refused.
func Write(w io.Writer, in Input) error {
	if in.Report.ByHand == nil || len(in.Report.ByHand.Parts) == 0 {
		return fmt.Errorf("the report of run %s does not tell how its backup is restored by hand", in.Report.Run)
	}
	p := &plan{Input: in, by: in.Report.ByHand}
	fetch, err := p.fetch()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	err = page.Execute(&b, map[string]any{
		"Drill": in.Drill.Name, "Facts": p.facts(), "Losses": p.losses(), "Told": p.told(), "Keys": p.keys(),
		"Roles": p.roles(), "Extensions": p.by.Extensions, "Preloaded": in.Report.Sandbox.Preloaded,
		"Settings": p.by.Settings, "Untold": p.by.Untold, "Cluster": p.by.Cluster, "Declared": in.Drill.Expectations.Settings,
		"Prepare": p.prepare(), "Begin": p.begin(), "Fetch": fetch, "Sums": p.sums(), "Open": p.open(),
		"MakeRoles": p.makeRoles(), "Restore": p.restore(), "Check": p.checks(),
		"First": p.first(), "Others": p.others(), "Rebuildable": p.rebuildable(), "Steps": p.steps(),
		"Machine": p.machine(),
	})
	if err != nil {
		return fmt.Errorf("write %s of %s: %w", Name, in.Drill.Name, err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// plan is a page under way.
type plan struct {
	Input
	by *verdict.ByHand
}

// fact is a line of a table.
type fact struct{ What, Says string }

// facts say which backup the page is about, and which drill proved it.
func (p *plan) facts() []fact {
	r, b := p.Report, p.Report.Backup
	all := []fact{
		{"Backup", b.Name}, {"Lies in", b.Store}, {"Taken", takenAt(b)}, {"Size", report.Size(b.SizeBytes)},
		{"SHA-256", b.SHA256}, {"Format", b.Format}, {"Compression", b.Compression}, {"Encryption", b.Encryption},
		{"Key that opens it", b.Key}, {"Database", p.database()},
		{"Dumped from PostgreSQL", b.ServerVersion}, {"Dumped by pg_dump", b.DumpVersion},
		{"Encoding", b.Encoding}, {"Restored by the drill on PostgreSQL", r.Sandbox.ServerVersion},
		{"Proven", report.PlainTime(r.FinishedAt) + ", run " + r.Run + ": " + report.Word(r.Outcome)},
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.Says == "" })
}

func takenAt(b verdict.Backup) string {
	switch {
	case b.TakenAt.IsZero():
		return ""
	case b.TakenUntil.After(b.TakenAt):
		return "between " + report.PlainTime(b.TakenAt) + " and " + report.PlainTime(b.TakenUntil)
	}
	return report.PlainTime(b.TakenAt)
}

// database is what the restored database is called.
func (p *plan) database() string {
	for _, name := range []string{p.Report.Backup.Database, p.Drill.Source.Database} {
		if name != "" {
			return name
		}
	}
	return p.Drill.Name
}

// losses say what a restore of this backup lacks.
func (p *plan) losses() []string {
	b := p.Report.Backup
	var all []string
	if !b.TakenAt.IsZero() {
		all = append(all, fmt.Sprintf("What was written after %s. When it was drilled it was %s old.", takenAt(b),
			report.Age(p.Report.StartedAt.Sub(b.TakenAt))))
	}
	for _, w := range p.Report.Witnesses {
		text := fmt.Sprintf("%s, an outside record of %s, knew then of %s newer than the backup", w.Name, w.Table,
			report.Counted(int(w.Newer), "record"))
		if w.Newer > 0 && !w.NewerFrom.IsZero() {
			text += ", from " + report.Instant(w.NewerFrom) + " to " + report.Instant(w.NewerTo)
		}
		text += fmt.Sprintf(", and of %d missing in it. To write them again, begin with that record", w.Missing)
		if url := p.recordURL(w.Name); url != "" {
			text += ": " + url
		}
		all = append(all, text+".")
	}
	if p.excluded() {
		all = append(all, "Nothing of tables under scrub.exclude_table_data: the drill left their rows out, and a "+
			"restore by hand brings them, unproven.")
	}
	return all
}

// told are those whom the drill tells, and of what.
func (p *plan) told() (all []string) {
	n := p.Drill.Notify
	for _, c := range n.Channels {
		all = append(all, c.Name()+": "+strings.Join(c.When, ", "))
	}
	if n.HeartbeatEnv != "" {
		all = append(all, "heartbeat ("+n.HeartbeatEnv+"): a monitor, which alarms when a drill did not run")
	}
	return all
}

func (p *plan) recordURL(name string) string {
	for _, w := range p.Drill.Expectations.Witness {
		if w.Name == name {
			return w.Source.URL
		}
	}
	return ""
}

func (p *plan) excluded() bool {
	return slices.ContainsFunc(p.Report.Tables, func(t verdict.Table) bool { return t.Excluded })
}

// steps say how long each step took.
func (p *plan) steps() []fact {
	t := p.Report.Recovery
	if t == nil {
		return nil
	}
	return []fact{
		{"Fetch, compare, decrypt and unpack", took(t.FetchMS)}, {"Roles, schema", took(t.PreDataMS)},
		{"Rows", took(t.DataMS)}, {"Indexes, keys, materialized views", took(t.PostDataMS)}, {"Together", took(t.TotalMS)},
	}
}

func took(ms int64) string { return report.Took(time.Duration(ms) * time.Millisecond) }

// machine says what the steps were measured on.
func (p *plan) machine() string {
	m := p.by.Machine
	return fmt.Sprintf("%s, %s, %s of memory, %s at once, in a %s sandbox", m.System, report.Counted(m.Cores, "core"),
		report.Size(m.MemoryBytes), report.Counted(m.Jobs, "job"), p.Report.Sandbox.Kind)
}

// shellBlock is a fenced block of commands. Its fence is longer than any within.
func shellBlock(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	text := strings.Join(lines, "\n")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "sh\n" + text + "\n" + fence
}

// names are written in one line of a page.
func names(list []string) string {
	var all []string
	for _, name := range list {
		all = append(all, report.Escape(name))
	}
	return strings.Join(all, ", ")
}

// note is a comment between commands, of one line.
func note(format string, args ...any) string {
	return "# " + report.Clean(fmt.Sprintf(format, args...))
}

// line joins words that a shell takes as they are.
func line(words ...string) string {
	var all []string
	for _, w := range words {
		all = append(all, program.ShellWord(w))
	}
	return strings.Join(all, " ")
}
