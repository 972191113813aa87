package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	lineEvery = 5 * time.Second // a log is read later, and should stay short
	drawEvery = 100 * time.Millisecond
	rateAfter = time.Second // what is seen of less says nothing
)

// Screen is where drills that run at the same time show how far they are: on a
// terminal a line each, that is drawn over and over; elsewhere a line every few
// seconds, so that short work prints nothing. It is safe for many goroutines.
type Screen struct {
	printing sync.Mutex // by Aside
	mu       sync.Mutex // of all below
	w        io.Writer
	terminal bool
	width    func() int
	shown    []*Progress
	drawn    int  // lines that stand there
	paused   bool // something else is printed
	last     time.Time
}

// NewScreen shows progress on w.
func NewScreen(w io.Writer) *Screen {
	f, ok := w.(*os.File)
	return newScreen(w, ok && term.IsTerminal(int(f.Fd())), func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return Options{}.width()
		}
		return width
	})
}

func newScreen(w io.Writer, terminal bool, width func() int) *Screen {
	return &Screen{w: w, terminal: terminal, width: width}
}

// Aside prints something else where the lines stand, which are drawn again
// below it. One is printed at a time; drills go on meanwhile, however slowly
// it is read.
func (s *Screen) Aside(show func()) {
	s.printing.Lock()
	defer s.printing.Unlock()
	s.pause(true)
	show()
	s.pause(false)
}

func (s *Screen) pause(paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if paused {
		s.draw(nil)
	}
	s.paused = paused
	s.draw(s.shown)
}

// draw puts lines in the place of those that stand there.
func (s *Screen) draw(shown []*Progress) {
	if !s.terminal || s.paused {
		return
	}
	var b strings.Builder
	for i := range s.drawn {
		if i > 0 {
			b.WriteString("\x1b[1A")
		}
		b.WriteString("\r\x1b[2K")
	}
	for i, p := range shown {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(cut(p.name+": "+p.text(), s.width()-1))
	}
	s.drawn = len(shown)
	_, _ = io.WriteString(s.w, b.String()) // who cannot see it misses no more than that
}

// Progress shows how far one drill is. A nil Progress shows nothing.
type Progress struct {
	screen *Screen
	name   string
	stage  string
	counts []amount // of the stage, in the order in which the units came
	last   time.Time
	closed bool
}

// amount is what is done of something, since it was first heard of.
type amount struct {
	unit        string
	done, total int64
	first       int64
	since       time.Time
}

// Progress is that of the drill of that name.
func (s *Screen) Progress(name string) *Progress {
	return &Progress{screen: s, name: clean(name), last: time.Now()}
}

// Update tells that of a stage so many units of total are done; total is 0
// where it is not known, and the unit empty where the stage has but begun. A
// stage may count in several units.
func (p *Progress) Update(stage string, done, total int64, unit string) {
	if p == nil {
		return
	}
	p.screen.mu.Lock()
	defer p.screen.mu.Unlock()
	if p.closed {
		return
	}
	began := p.stage == ""
	if stage != p.stage {
		p.stage, p.counts = stage, nil
	}
	if unit != "" {
		p.count(amount{unit: unit, done: done, total: total, first: done, since: time.Now()})
	}
	if began {
		p.screen.shown = append(p.screen.shown, p)
	}
	p.show(unit != "" && done == total)
}

// show writes what is known, unless that was done a moment ago. The end of a
// stage is always drawn.
func (p *Progress) show(whole bool) {
	now := time.Now()
	s := p.screen
	switch {
	case s.terminal && (whole || now.Sub(s.last) >= drawEvery):
		s.last = now
		s.draw(s.shown)
	case !s.terminal && now.Sub(p.last) >= lineEvery:
		p.last = now
		fmt.Fprintf(s.w, "%s: %s\n", p.name, p.text())
	}
}

// Close removes the line. Nothing is written afterwards, whoever calls Update.
func (p *Progress) Close() {
	if p == nil {
		return
	}
	s := p.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	p.closed = true
	for i, shown := range s.shown {
		if shown == p {
			s.shown = append(s.shown[:i:i], s.shown[i+1:]...)
			s.draw(s.shown)
			return
		}
	}
}

func (p *Progress) count(a amount) {
	for i := range p.counts {
		known := &p.counts[i]
		if known.unit == a.unit {
			known.done, known.total = a.done, a.total
			return
		}
	}
	p.counts = append(p.counts, a)
}

// text is the stage's progress in words: "fetch 1.2 GB of 3.4 GB (35 %), 120
// MB/s, 18 s left".
func (p *Progress) text() string {
	var parts []string
	for _, a := range p.counts {
		text := a.String()
		if a.total > 0 {
			text += fmt.Sprintf(" (%d %%)", percent(a.done, a.total))
		}
		parts = append(parts, text)
	}
	if len(p.counts) > 0 {
		parts = append(parts, p.counts[len(p.counts)-1].pace(time.Now())...)
	}
	return strings.TrimSpace(clean(p.stage) + " " + strings.Join(parts, ", "))
}

// pace is how fast it goes on, and how long it will go on so; nothing where
// that is not known yet.
func (a amount) pace(now time.Time) []string {
	took := now.Sub(a.since)
	done := a.done - a.first
	if took < rateAfter || done <= 0 || a.total > 0 && a.done >= a.total {
		return nil
	}
	rate := float64(done) / took.Seconds()
	parts := []string{a.words(int64(rate)) + "/s"}
	if a.total > 0 {
		left := float64(a.total-a.done) / rate * float64(time.Second)
		parts = append(parts, durationText(time.Duration(min(left, float64(1000*time.Hour))))+" left")
	}
	return parts
}

// words is so much in the amount's unit.
func (a amount) words(n int64) string {
	if a.unit == "bytes" {
		return size(n)
	}
	return count(n) + " " + clean(a.unit)
}

func (a amount) String() string {
	if a.total <= 0 {
		return a.words(a.done)
	}
	return a.words(a.done) + " of " + a.words(a.total)
}

// percent never says 100 before all is done.
func percent(done, total int64) int {
	return int(min(done, total) * 100 / total)
}
