// Package page renders what drills found as HTML: a page for each run, and one of
// all drills. A page is one file that loads nothing and runs nothing. It must
// never judge a backup, nor let a name or value of one become markup.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"

	"daybefore/internal/report"
	"daybefore/internal/verdict"
)

//go:embed style.css
var style string

//go:embed parts.html
var partsText string

//go:embed run.html
var runText string

//go:embed all.html
var allText string

// policy lets a page use its own style sheet, and nothing else. It stands in the
// page, since nobody's server sends it.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'"
}()

var (
	parts   = template.Must(template.New("parts").Funcs(words).Parse(partsText))
	runPage = template.Must(template.Must(parts.Clone()).New("run").Parse(runText))
	allPage = template.Must(template.Must(parts.Clone()).New("all").Parse(allText))
)

// words are what the templates call.
var words = template.FuncMap{
	"style":   func() template.CSS { return template.CSS(style) },
	"policy":  func() string { return policy },
	"word":    report.Word,
	"sign":    func(o verdict.Outcome) string { return signs[o] },
	"class":   class,
	"instant": report.PlainTime,
	"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"count":   report.Count,
	"counted": report.Counted,
	"stage":   func(name string) string { return stageWords[name] },
}

// signs stand beside the words of outcomes, so that none is told by its color
// alone.
var signs = map[verdict.Outcome]string{
	verdict.Pass: "✓", verdict.Warn: "!", verdict.Fail: "✗", verdict.Error: "?", verdict.Skipped: "–",
}

// class is an outcome's class in the style sheet, also of one that nobody knows.
func class(o verdict.Outcome) string {
	if _, known := signs[o]; known {
		return string(o)
	}
	return string(verdict.Error)
}

// stageWords say what the stages do, for who never saw a drill.
var stageWords = map[string]string{
	verdict.StageChoose:  "finds the backup and looks at its store",
	verdict.StageFetch:   "downloads the backup and reads it whole",
	verdict.StageSandbox: "starts an empty database, shut off from everything",
	verdict.StageRestore: "loads the backup into it",
	verdict.StageScrub:   "replaces what is personal",
	verdict.StageExpect:  "checks what came back",
}

// render writes a page wholly or not at all.
func render(w io.Writer, t *template.Template, data any) error {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return fmt.Errorf("render the page %s: %w", t.Name(), err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
