// Package metrics writes what a drill found as Prometheus reads it, and pushes
// it to a Pushgateway. It must never judge a backup, nor keep a drill waiting for
// long.
package metrics

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"daybefore/internal/verdict"
)

// mostTables have a series of their own: a node exporter's file is read at every
// scrape.
const mostTables = 100

// mostLabel is how long a label's value is at most, in bytes.
const mostLabel = 200

// outcomes each have a series, so that one that did not happen is 0.
var outcomes = []verdict.Outcome{verdict.Pass, verdict.Warn, verdict.Fail, verdict.Error, verdict.Skipped}

// FileName is what a drill's file is called. A node exporter reads *.prom alone.
func FileName(drill string) string { return "daybefore_" + drill + ".prom" }

// Past is what is known of earlier drills of the newest backup.
type Past struct {
	LastPass time.Time // when it ended; zero: there is none
	Unknown  bool      // it could not be read
}

// Text is what a report of a newest backup says, in Prometheus' text format.
func Text(r *verdict.Report, past Past) ([]byte, error) {
	var b bytes.Buffer
	for _, f := range families(r, past) {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			return nil, fmt.Errorf("write metrics: %w", err)
		}
	}
	return b.Bytes(), nil
}

// families are all gauges, those that have a value.
func families(r *verdict.Report, past Past) (all []*dto.MetricFamily) {
	for _, g := range slices.Concat(runGauges(r, past), backupGauges(r), findingGauges(r)) {
		if len(g.series) > 0 {
			all = append(all, g.family(r.Drill))
		}
	}
	return all
}

// gauge is one metric with its series.
type gauge struct {
	name, help, label string // label: of each series besides drill; empty: it has none
	series            []series
}

type series struct {
	label string
	value float64
}

// one is a gauge of one series; none where nothing is known.
func one(name, help string, known bool, value float64) gauge {
	g := gauge{name: name, help: help}
	if known {
		g.series = []series{{value: value}}
	}
	return g
}

// runGauges are about the run itself.
func runGauges(r *verdict.Report, past Past) []gauge {
	passed := past.LastPass
	unknown := past.Unknown
	if r.Outcome == verdict.Pass || r.Outcome == verdict.Warn {
		passed, unknown = r.FinishedAt, false
	}
	came := gauge{name: "daybefore_drill_outcome", label: "outcome",
		help: "1 for what the last drill of the newest backup came to, 0 for all else."}
	for _, o := range outcomes {
		value := 0.0
		if o == r.Outcome {
			value = 1
		}
		came.series = append(came.series, series{string(o), value})
	}
	stages := gauge{name: "daybefore_stage_duration_seconds", label: "stage",
		help: "How long each stage took; stages overlap."}
	for _, s := range r.Stages {
		if s.Outcome != verdict.Skipped {
			stages.series = append(stages.series, series{s.Name, seconds(s.DurationMS)})
		}
	}
	return []gauge{
		came,
		one("daybefore_last_run_timestamp_seconds", "When the last drill of the newest backup ended.",
			true, unix(r.FinishedAt)),
		one("daybefore_last_success_timestamp_seconds",
			"When a drill of the newest backup last ended with pass or warn; 0 for never, as far as is known.",
			!unknown, unix(passed)),
		one("daybefore_drill_duration_seconds", "How long the last drill took.", true, seconds(r.DurationMS)),
		stages,
	}
}

// backupGauges are about the backup, and the store it was in.
func backupGauges(r *verdict.Report) []gauge {
	b, store := r.Backup, r.Inventory
	chosen := b.Name != "" && !b.TakenAt.IsZero()
	recovery := verdict.Recovery{}
	if r.Recovery != nil {
		recovery = *r.Recovery
	}
	return []gauge{
		one("daybefore_recovery_seconds", "Fetch and restore of the newest backup together.", r.Recovery != nil,
			seconds(recovery.TotalMS)),
		one("daybefore_backup_taken_timestamp_seconds", "When the newest backup was taken.", chosen, unix(b.TakenAt)),
		one("daybefore_backup_age_seconds", "How old the newest backup was when it was drilled: what would have been lost.",
			chosen, r.StartedAt.Sub(b.TakenAt).Seconds()),
		one("daybefore_backup_size_bytes", "Size of the newest backup, as it is stored.", chosen && !b.Unsized,
			float64(b.SizeBytes)),
		one("daybefore_store_backups", "How many backups like it the store holds.", store != verdict.Inventory{},
			float64(store.Backups)),
		one("daybefore_store_size_bytes", "Size of all of them, as far as it is told.", store != verdict.Inventory{},
			float64(store.Bytes)),
	}
}

// findingGauges are about what was restored and checked.
func findingGauges(r *verdict.Report) []gauge {
	restored := len(r.Tables) > 0
	scrubbed := int64(0)
	for _, c := range r.Scrub.Columns {
		scrubbed += c.Rows
	}
	rows := gauge{name: "daybefore_table_rows", label: "table",
		help: fmt.Sprintf("Rows that a table holds after the restore; of more than %d tables those with the most.",
			mostTables)}
	for _, t := range largest(r.Tables) {
		rows.series = append(rows.series, series{t.Name, float64(t.RowsHeld)})
	}
	checks := gauge{name: "daybefore_checks", label: "outcome", help: "How many checks came to an outcome."}
	n := map[verdict.Outcome]int{}
	for _, c := range r.Checks {
		n[c.Outcome]++
	}
	for _, o := range outcomes {
		checks.series = append(checks.series, series{string(o), float64(n[o])})
	}
	return []gauge{
		one("daybefore_tables", "How many tables were restored.", restored, float64(len(r.Tables))),
		one("daybefore_rows", "Rows of all tables together.", restored, float64(r.Rows())),
		rows,
		one("daybefore_scrubbed_values", "Values that were replaced on the way in.", restored, float64(scrubbed)),
		checks,
	}
}

// largest are the tables that have a series, by name.
func largest(tables []verdict.Table) []verdict.Table {
	tables = slices.Clone(tables)
	slices.SortStableFunc(tables, func(a, b verdict.Table) int { return cmp.Compare(b.RowsHeld, a.RowsHeld) })
	tables = tables[:min(len(tables), mostTables)]
	slices.SortFunc(tables, func(a, b verdict.Table) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(tables, func(a, b verdict.Table) bool { return labelValue(a.Name) == labelValue(b.Name) })
}

// family is the gauge as the library writes it, with a drill's name.
func (g gauge) family(drill string) *dto.MetricFamily {
	f := &dto.MetricFamily{Name: &g.name, Help: &g.help, Type: dto.MetricType_GAUGE.Enum()}
	for _, s := range g.series {
		m := &dto.Metric{Label: []*dto.LabelPair{pair("drill", drill)}, Gauge: &dto.Gauge{Value: &s.value}}
		if g.label != "" {
			m.Label = append(m.Label, pair(g.label, s.label))
		}
		f.Metric = append(f.Metric, m)
	}
	return f
}

func pair(name, value string) *dto.LabelPair {
	value = labelValue(value)
	return &dto.LabelPair{Name: &name, Value: &value}
}

// labelValue is a name that may come from a backup, made fit for a label: not
// endless, and text.
func labelValue(s string) string {
	if len(s) > mostLabel {
		s = s[:mostLabel] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

func seconds(ms int64) float64 { return float64(ms) / 1000 }

// unix is a time as Prometheus has it; 0 for none.
func unix(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMilli()) / 1000
}
