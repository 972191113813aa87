package setup

import (
	"cmp"
	"context"
	"strings"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/scrub/draft"
	"daybefore/internal/setup/figures"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Section is a drafted scrub section.
type Section = draft.Draft

// ReadBackup reads the newest backup once: for the scrub's draft, and for what may be
// expected. The draft is nil where something kept it from being made, as the report
// says.
func ReadBackup(ctx context.Context, req drill.Request) (*Section, Read, *verdict.Report) {
	rows := figures.NewSurvey()
	section, report := drill.Draft(ctx, req, rows)
	if section == nil {
		return nil, Read{}, report
	}
	return section, Read{
		Backup: report.Backup, Roles: report.RolesCreated, Rows: rows, Plan: section.Plan,
		Zone: cmp.Or(req.Drill.Source.Location, time.UTC),
	}, report
}

// Draft is what a drill file is written from.
type Draft struct {
	Name   string
	Path   string // where it is to stand, beside defaults that lie below it
	Source Source
	Chosen *Found
	Scrub  *Section
	Read   Read
	Now    time.Time
	// Heartbeat is the variable with the URL of a monitor of jobs; empty: there is none.
	Heartbeat string
}

// File is the drill file, with the questions that stand at its end. Problem:
// CodeSpec, where -source or -sandbox cannot be read.
func (d *Draft) File() (string, []Question, error) {
	t := &text{}
	t.why("", "The drill of %s, from %s: %s of %s. Review it; each line stands below its reason.", d.Name,
		d.Read.Backup.Name, verdict.Count(d.Scrub.Rows, "row"), verdict.Count(d.Scrub.Tables, "table"))
	t.why("", "All keys: docs/drill-file.md.")
	t.add("version: 1\n")
	err := d.Source.write(t, d.Chosen, d.Read.Backup.Database)
	if err != nil {
		return "", nil, err
	}
	writeInventory(t, d.Chosen.Pattern, d.Now)
	err = d.Source.writeSandbox(t)
	if err != nil {
		return "", nil, err
	}
	d.writeScrub(t, spec.DefaultRules(d.Path))
	d.Read.tables().writeExpectations(t)
	if d.Heartbeat != "" {
		t.add("")
		t.why("", "The monitor whose URL the variable holds misses a drill that does not run.")
		t.add("notify: {heartbeat_env: %s}", d.Heartbeat)
	}
	return t.finish(), t.questions, nil
}

// writeScrub writes the section, with what the defaults say in the list that it
// has, and asks about what it is not sure of.
func (d *Draft) writeScrub(t *text, rules []string) {
	section := withRules(d.Scrub.YAML(), rules)
	if section == "" {
		return
	}
	t.add("")
	begin := len(t.lines) + 1
	if !strings.HasPrefix(section, "scrub:") { // no rule, but columns that pass, in comments
		t.add("# No column looks sensitive, by its name, its type or its content.")
	}
	t.add("%s", section)
	for _, note := range d.Scrub.Notes() {
		t.askAt(begin, "%s", note)
	}
	t.askAbout(begin)
}

// withRules is a section whose list of rules, if it has one, begins with others:
// what stands in the defaults alone would be replaced by it.
func withRules(section string, rules []string) string {
	const list = "  rules:\n"
	before, after, listed := strings.Cut(section, list)
	if !listed || len(rules) == 0 {
		return section
	}
	return before + list + "    # as in the defaults, whose list this one replaces\n" +
		strings.Join(rules, "\n") + "\n" + after
}

// mostAsked are the questions of one kind.
const mostAsked = 5

// askAbout asks about the lines of the scrub section that are there already.
func (t *text) askAbout(begin int) {
	var low []int
	preserved := 0
	for i := begin - 1; i < len(t.lines); i++ {
		line := strings.TrimSpace(t.lines[i])
		switch {
		case strings.HasPrefix(line, "# low: "):
			low = append(low, i+2)
		case strings.Contains(line, ", preserve: true, ") && preserved < mostAsked:
			preserved++
			t.askAt(i+1, "it looked sensitive, and was judged harmless: may it pass?")
		case strings.HasPrefix(line, "source_overlap: "):
			t.askAt(i+1, "where columns without a rule hold real values of others, the drill is refused: rewrite them; "+
				"where the values are the product's own words, preserve their source, or remove leak_scan")
		case strings.HasPrefix(line, "# ") && strings.Contains(line, " as they are. Write a rule"),
			strings.HasPrefix(line, "# ") && strings.Contains(line, " as it is. Write a rule"):
			t.askAt(i+1, "is any of these personal after all?")
		}
	}
	if len(low) > 0 {
		t.askAt(low[0], "it and %d more rules are marked low: little says that these are personal; preserve what is not, "+
			"with a why", len(low)-1)
	}
}
