package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	lineEvery = 5 * time.Second // a log is read later, and should stay short
	drawEvery = 100 * time.Millisecond
)

// Progress shows how far long work is: a bar where a terminal is attached, a
// line every few seconds elsewhere, so that short work prints nothing. It is
// safe for many goroutines, and a nil Progress shows nothing.
type Progress struct {
	mu       sync.Mutex
	w        io.Writer
	name     string
	terminal bool
	bar      *progressbar.ProgressBar // that is drawn now
	stage    string
	counts   []amount // of the stage, in the order in which the units came
	last     time.Time
	closed   bool
}

type amount struct {
	unit        string
	done, total int64
}

// NewProgress shows the progress of the drill of that name on w.
func NewProgress(w io.Writer, name string) *Progress {
	f, ok := w.(*os.File)
	return newProgress(w, name, ok && term.IsTerminal(int(f.Fd())))
}

func newProgress(w io.Writer, name string, terminal bool) *Progress {
	return &Progress{w: w, name: clean(name), last: time.Now(), terminal: terminal}
}

// Update tells that of a stage so many units of total are done; total is 0
// where it is not known. A stage may count in several units.
func (p *Progress) Update(stage string, done, total int64, unit string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if stage != p.stage {
		p.clear()
		p.stage, p.counts = stage, nil
	}
	p.count(amount{unit, done, total})
	p.show(done == total)
}

// show writes what is known, unless that was done a moment ago. The end of a
// bar is always drawn.
func (p *Progress) show(whole bool) {
	every := lineEvery
	if p.terminal {
		every = drawEvery
	}
	now := time.Now()
	if now.Sub(p.last) < every && (!p.terminal || !whole) {
		return
	}
	p.last = now
	if p.terminal {
		p.draw()
		return
	}
	fmt.Fprintf(p.w, "%s: %s\n", p.name, p.text())
}

// Close removes the bar. Nothing is written afterwards, whoever calls Update.
func (p *Progress) Close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.closed = true
}

func (p *Progress) count(a amount) {
	for i := range p.counts {
		if p.counts[i].unit == a.unit {
			p.counts[i] = a
			return
		}
	}
	p.counts = append(p.counts, a)
}

// text is the stage's progress in words: "fetch 1.2 GB of 3.4 GB (35 %)".
func (p *Progress) text() string {
	var parts []string
	for _, a := range p.counts {
		text := a.String()
		if a.total > 0 && !p.terminal { // a bar has it already
			text += fmt.Sprintf(" (%d %%)", percent(a.done, a.total))
		}
		parts = append(parts, text)
	}
	return clean(p.stage) + " " + strings.Join(parts, ", ")
}

func (a amount) String() string {
	show := func(n int64) string { return count(n) + " " + clean(a.unit) }
	if a.unit == "bytes" {
		show = size
	}
	if a.total <= 0 {
		return show(a.done)
	}
	return show(a.done) + " of " + show(a.total)
}

// percent never says 100 before all is done.
func percent(done, total int64) int {
	return int(float64(min(done, total)) / float64(total) * 100)
}

func (p *Progress) newBar(total int64) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1 // a spinner
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(p.w),
		progressbar.OptionSetWidth(20),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetSpinnerChangeInterval(0), // else a goroutine of its own draws
		progressbar.OptionSpinnerType(14),
		progressbar.OptionUseANSICodes(true),
	)
}

func (p *Progress) draw() {
	a := p.counts[0]
	if p.bar == nil {
		p.bar = p.newBar(a.total)
	}
	p.bar.Describe(p.name + ": " + p.text())
	_ = p.bar.Set64(a.done)
}

func (p *Progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}
