package harness

import (
	"errors"
	"fmt"
	"io"
	"os"

	"daybefore/internal/evidence"
	"daybefore/internal/history"
	"daybefore/internal/setup"
	"daybefore/internal/verdict"
)

// jsonOption asks any target for a document.
const jsonOption = "json"

// asDocument is whether it was asked for, which TakeArguments finds out before
// anything runs.
var asDocument bool

// Document is what a target says under -json: one JSON value, alone on standard
// output, whatever happened. Keys are added, never renamed; a target has those
// of its own only.
type Document struct {
	Schema         int    `json:"schema"`
	Target         string `json:"target,omitempty"` // absent: the command line was not understood
	HarnessVersion string `json:"harness_version"`
	ExitCode       int    `json:"exit_code"`
	Reason         string `json:"reason"` // why it did not end with 0

	Reports   []*verdict.Report   `json:"reports,omitempty"`   // as report.json has them
	Gates     []GateAnswer        `json:"gates,omitzero"`      // of gate, one of each database
	Drills    []DrillState        `json:"drills,omitzero"`     // of drills
	Files     []FileState         `json:"files,omitzero"`      // of validate
	Shown     []ShownDrill        `json:"shown,omitempty"`     // of show
	Accepted  *history.Acceptance `json:"accepted,omitempty"`  // of accept
	Evidence  []EvidenceState     `json:"evidence,omitzero"`   // of verify, one of each database
	Muted     *verdict.Muted      `json:"muted,omitempty"`     // of mute
	Baseline  *BaselineState      `json:"baseline,omitempty"`  // of baseline
	Draft     *DraftText          `json:"draft,omitempty"`     // of scrub:draft
	Shapes    []ColumnShapes      `json:"shapes,omitzero"`     // of scrub:show
	Removed   []string            `json:"removed,omitzero"`    // of clean
	Scenarios []ScenarioState     `json:"scenarios,omitempty"` // of scenarios
	Built     string              `json:"built,omitempty"`     // of build a path, of image a tag
	Targets   []TargetState       `json:"targets,omitempty"`   // of help
	Written   string              `json:"written,omitempty"`   // of init, report and runbook: a file
	Questions []setup.Question    `json:"questions,omitempty"` // of init
	Patch     string              `json:"patch,omitempty"`     // of init, where the file was there
	Due       []DueDrill          `json:"due,omitempty"`       // of drill, drills, inventory and report: other drills
}

// Tell runs a target in this process's home. Under -json what it came to is one
// document on standard output, and its words go to standard error. A job of
// GitHub's is told what failed besides.
func Tell(target string, run func(*Home) error) error {
	h := Open()
	h.Document.Target = target
	rearm := h.disarm()
	err := run(h)
	rearm()
	h.tellGitHub()
	err = h.lastLine(err)
	if !asDocument {
		return err
	}
	return h.Document.write(os.Stdout, err)
}

// write writes the document of a target that ended with err, and returns how
// the process ends.
func (d Document) write(w io.Writer, err error) error {
	d.Schema = verdict.Schema
	d.HarnessVersion = version()
	if err != nil {
		d.ExitCode = 1
		d.Reason = err.Error()
	}
	exit := (*verdict.Exit)(nil)
	if errors.As(err, &exit) {
		d.ExitCode = exit.Code
	}
	text, unwritten := verdict.Encode(d, "  ")
	if unwritten == nil {
		_, unwritten = w.Write(text)
	}
	switch {
	case unwritten == nil:
		return err
	case err == nil:
		return cannot("write the document that -json asks for: %v", unwritten)
	}
	return &verdict.Exit{Code: d.ExitCode, Reason: fmt.Sprintf("%v; nor could it be written as JSON: %v", err, unwritten)}
}

// GateAnswer is whether a gate is open.
type GateAnswer struct {
	Drill string `json:"drill"`
	Open  bool   `json:"open"`
	// Drilled is why no earlier report opened it, so that it drilled; empty: one did.
	Drilled string `json:"drilled"`
	Shut    string `json:"shut"` // why it stays shut
}

// DrillState is a drill, and what its last run came to.
type DrillState struct {
	Drill string          `json:"drill"`
	File  string          `json:"file"`
	Last  *verdict.Report `json:"last"` // null: it never ran
	Note  string          `json:"note"` // what is wrong with its file or its last report
}

// FileState is a drill file, and its mistakes.
type FileState struct {
	Drill    string        `json:"drill"`
	File     string        `json:"file"`
	Mistakes []FileMistake `json:"mistakes"` // none: it is valid
}

// FileMistake is one thing that is wrong with a drill file.
type FileMistake struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1; 0: it could not be read
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// EvidenceState is whether what is kept of a drill is what was signed.
type EvidenceState struct {
	Drill  string           `json:"drill"`
	Intact bool             `json:"intact"`
	Chains []evidence.Chain `json:"chains"` // one of each machine
	Faults []evidence.Fault `json:"faults"` // which links are broken, and how
}

// BaselineState is a baseline that was written.
type BaselineState struct {
	File    string   `json:"file"`
	Objects int      `json:"objects"`
	First   bool     `json:"first"`   // there was none before
	Changes []string `json:"changes"` // since the one before
}

// DraftText is a scrub section to be reviewed.
type DraftText struct {
	Backup  string `json:"backup"`
	YAML    string `json:"yaml"` // as it is printed
	Tables  int    `json:"tables"`
	Rows    int64  `json:"rows"`
	Columns int    `json:"columns"` // that have no rule in the drill file, and those that have
	Rules   int    `json:"rules"`   // that are proposed
}

// ColumnShapes is what the values of a column are like, before the scrub and
// after it.
type ColumnShapes struct {
	Column    string      `json:"column"`    // schema.table.column
	Transform string      `json:"transform"` // empty: it passes as it is
	Link      string      `json:"link"`
	Rows      int64       `json:"rows"`
	Before    ColumnShape `json:"before"`
	After     ColumnShape `json:"after"`
}

// ColumnShape counts values that are not null; lengths are in characters.
type ColumnShape struct {
	Nulls      int64    `json:"nulls"`
	Shortest   int      `json:"shortest"`
	Median     int      `json:"median"`
	Longest    int      `json:"longest"`
	Different  int64    `json:"different"`
	Estimated  bool     `json:"estimated"` // Different is, within a few percent
	Characters []string `json:"characters"`
}

// ScenarioState is a broken backup, and whether its drill noticed.
type ScenarioState struct {
	Name   string `json:"name"`
	Result string `json:"result"` // caught | caught by another | MISSED | FALSE ALARM | not run
	Error  string `json:"error"`  // why it was not run
	TookMS int64  `json:"took_ms"`
}

// TargetState is a target, and the names of its options.
type TargetState struct {
	Target  string   `json:"target"`
	Options []string `json:"options"`
}
