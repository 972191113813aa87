package harness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"daybefore/internal/catalog"
	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/report/page"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	runPage     = "report.html"  // of one run, beside its report.json
	allPage     = "index.html"   // of all drills, below reports/
	historyPage = "history.html" // the same of a store of past reports
)

// mostDamaged reports of a drill are named on a page.
const mostDamaged = 3

// addPage adds the page of a run to what is kept of it. Without the page the
// rest is kept all the same.
func (h *Home) addPage(files map[string][]byte, r *verdict.Report) {
	var b bytes.Buffer
	err := page.Run(&b, r)
	if err != nil {
		fmt.Fprintf(h.Stderr, "warning: %s: %v; all else of the report is kept\n", r.Drill, err)
		return
	}
	files[runPage] = b.Bytes()
}

// prune removes what is not to be kept of a drill any longer. It changes nothing
// about what the drill came to.
func (h *Home) prune(f spec.Loaded, keys []spec.Key) {
	if f.Drill == nil || f.Drill.KeepReports == 0 {
		return
	}
	// A moment on this machine, which an interrupted drill has too.
	err := history.Prune(context.Background(), h.reportsDir(), f.Name, f.Drill.KeepReports, keys...)
	if err != nil {
		fmt.Fprintf(h.Stderr, "warning: %v; the verdict stands\n", err)
	}
}

// tellPage writes the page of all drills anew, if there is something new. A target
// does so once, at its end and where it was interrupted: the page of hundreds of
// drills takes its time.
func (h *Home) tellPage() {
	if !h.kept.Swap(false) {
		return
	}
	err := h.renewPage()
	if err != nil {
		fmt.Fprintf(h.Stderr, "warning: %v; the verdict stands\n", err)
	}
}

// renewPage writes the page of all drills below reports/.
func (h *Home) renewPage() error {
	return history.Renew(h.reportsDir(), allPage, func() ([]byte, error) { return h.pageOfReports(true) })
}

// pageOfReports is the page of all drills from what is kept on this machine. It
// leads to the runs' pages if it lies beside them.
func (h *Home) pageOfReports(beside bool) ([]byte, error) {
	names, err := history.Drills(context.Background(), h.reportsDir(), nil, "")
	if err != nil {
		return nil, err
	}
	all := page.All{Made: h.Now()}
	for _, name := range names {
		runs, damaged, err := history.Glances(h.reportsDir(), name, page.Version, page.Runs, page.GlanceOf)
		if err != nil {
			all.Notes = append(all.Notes, err.Error())
		}
		if len(runs)+len(damaged) == 0 {
			continue
		}
		d := page.Drill{Name: name, Runs: runs, Notes: verdict.Few(damaged, mostDamaged)}
		if beside {
			d.Page = h.hasPage
		}
		all.Drills = append(all.Drills, d)
	}
	return written(all)
}

// written is a page's text.
func written(all page.All) ([]byte, error) {
	var b bytes.Buffer
	err := all.Write(&b)
	return b.Bytes(), err
}

// hasPage reports whether the page of a run lies below reports/: harnesses before
// 0.2 wrote none.
func (h *Home) hasPage(name, run string) bool {
	_, err := os.Stat(filepath.Join(h.reportsDir(), name, run, runPage))
	return err == nil
}

// ReportOptions say of what the page of all drills is made, and where it goes.
type ReportOptions struct {
	History string // URL of a store of past reports; empty: reports/
	To      string // a file; empty: below reports/
}

// Report writes the page of all drills anew.
func (h *Home) Report(ctx context.Context, o ReportOptions) error {
	ctx, stop := h.interruptible(ctx)
	defer stop()
	to := o.To
	var err error
	switch {
	case o.History != "":
		to = cmp.Or(to, filepath.Join(h.reportsDir(), historyPage))
		err = h.reportHistory(ctx, o.History, to)
	case to == "":
		to = filepath.Join(h.reportsDir(), allPage)
		err = h.renewPage()
	default:
		err = h.reportHere(to)
	}
	switch {
	case errors.Is(context.Cause(ctx), drill.ErrInterrupted):
		return &verdict.Exit{Code: verdict.ExitInterrupted, Reason: "report: interrupted"}
	case err != nil:
		return cannot("report: %s", advised(err))
	}
	h.tellDue(ctx, nil)
	h.Document.Written = to
	_, err = fmt.Fprintln(h.Stdout, "written:", to)
	return err
}

// advised is an error with what to do about it, where it knows.
func advised(err error) string {
	p, ok := errors.AsType[*verdict.Problem](err)
	if !ok || p.Hint == "" {
		return err.Error()
	}
	return err.Error() + "; " + p.Hint
}

// reportHere writes the page of what is kept on this machine to a file.
func (h *Home) reportHere(to string) error {
	text, err := h.pageOfReports(filepath.Dir(to) == h.reportsDir())
	if err != nil {
		return err
	}
	return writeWhole(to, text)
}

// reportHistory writes the page of a store to a file.
func (h *Home) reportHistory(ctx context.Context, url, to string) error {
	source, err := spec.HistoryAt(url)
	if err != nil {
		return fmt.Errorf("-history: %w", err)
	}
	files, _ := spec.Loader{}.LoadAll(h.drillsDir()) // where there are none, the environment says all
	keys := map[string][]spec.Key{}
	for _, f := range files {
		if f.Drill != nil && f.Drill.History.URL == source.URL {
			source = f.Drill.History.Source
			keys[f.Name] = f.Drill.History.Keys
		}
	}
	text, err := h.pageOfSource(ctx, source, keys)
	if err != nil {
		return err
	}
	return writeWhole(to, text)
}

// pageOfSource is the page of all drills of which a store keeps reports. The
// keys, by drill, are those that prove who wrote them.
func (h *Home) pageOfSource(ctx context.Context, source spec.Source, keys map[string][]spec.Key) ([]byte, error) {
	shelf, err := catalog.OpenShelf(ctx, source)
	if err != nil {
		return nil, err
	}
	defer shelf.Close()
	names, err := history.Drills(ctx, "", shelf, "")
	if err != nil {
		return nil, err
	}
	all := page.All{Made: h.Now(), From: shelf.URL()}
	for _, name := range names {
		kept, err := history.Recent(ctx, shelf, name, page.Runs, keys[name]...)
		if err != nil {
			return nil, err
		}
		all.Drills = append(all.Drills, glanced(name, kept, len(keys[name]) > 0))
	}
	return written(all)
}

// glanced is what a page shows of a drill's reports in a store. With keys, what
// none of them signed counts for nothing.
func glanced(name string, kept []history.Kept, keyed bool) page.Drill {
	d := page.Drill{Name: name}
	left := 0
	var damaged []string
	for _, k := range kept {
		switch {
		case k.Err != nil:
			damaged = append(damaged, k.Err.Error())
		case keyed && !k.Proven:
			left++
		default:
			d.Runs = append(d.Runs, page.GlanceOf(k.Report))
		}
	}
	d.Notes = verdict.Few(damaged, mostDamaged)
	if left > 0 {
		d.Notes = append(d.Notes, verdict.Count(left, "report")+" left out: not signed with the key of history.key_env")
	}
	if !keyed {
		d.Notes = append(d.Notes, "no key is known here that would tell who wrote these reports")
	}
	return d
}
