package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestNilProgress(t *testing.T) {
	t.Parallel()
	var p *Progress
	p.Update("fetch", 1, 2, "bytes")
	p.Close()
}

// Away from a terminal: a line every few seconds, none for short work.
func TestProgressLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := NewScreen(&b).Progress("shop\x1b")
		for i := range int64(11) {
			p.Update("fetch", (i+1)*100_000_000, 1_100_000_000, "bytes")
			time.Sleep(time.Second)
		}
		p.Update("load", 1234, 0, "rows")
		time.Sleep(4 * time.Second)
		p.Update("load", 20_431, 0, "rows")
		p.Update("load", 5_000_000, 0, "bytes")
		time.Sleep(5 * time.Second)
		p.Update("load", 1_020_431, 0, "rows")
		p.Close()
		time.Sleep(time.Minute)
		p.Update("load", 2_020_431, 0, "rows")
		const want = `shop\x1b: fetch 600 MB of 1.1 GB (54 %), 100 MB/s, 5.0 s left
shop\x1b: fetch 1.1 GB of 1.1 GB (100 %)
shop\x1b: load 20,431 rows, 4,799 rows/s
shop\x1b: load 1,020,431 rows, 5 MB
`
		if got := b.String(); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

func TestShortWorkPrintsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := NewScreen(&b).Progress("demo")
		for i := range int64(100) {
			p.Update("fetch", i+1, 100, "bytes")
			time.Sleep(29 * time.Millisecond)
		}
		p.Close()
		if b.Len() > 0 {
			t.Errorf("%q", b.String())
		}
	})
}

// On a terminal: one line that is drawn over and over, and is gone at the end.
func TestProgressBar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := newScreen(&b, true, func() int { return 80 }).Progress("shop")
		for i := range int64(50) {
			p.Update("fetch", (i+1)*2_000_000, 100_000_000, "bytes")
			time.Sleep(50 * time.Millisecond)
		}
		for i := range int64(10) {
			p.Update("load", i*1000, 0, "rows")
			p.Update("load", i*30_000, 0, "bytes")
			time.Sleep(time.Second)
		}
		p.Close()
		drawn := b.Len()
		p.Update("load", 99_999, 0, "rows")
		p.Close()
		if b.Len() != drawn {
			t.Errorf("written after Close: %q", b.String()[drawn:])
		}
		text := b.String()
		for _, want := range []string{"fetch 50 MB of 100 MB", "load 9,000 rows, 240 KB", "(100 %)", ", 40 MB/s, 1.2 s left\r", ", 25 KB/s\r"} {
			if !strings.Contains(text, want) {
				t.Errorf("never shown: %q in %q", want, text)
			}
		}
		if strings.Contains(text, "\n") {
			t.Errorf("the bar moved on to another line: %q", text)
		}
		if left := onScreen(text); left != "" {
			t.Errorf("left on the line: %q", left)
		}
	})
}

var erase = regexp.MustCompile("\x1b\\[2?K")

// onScreen is what a terminal's line shows in the end.
func onScreen(text string) string {
	all := erase.Split(text, -1)
	last := all[len(all)-1]
	return strings.TrimSpace(last[strings.LastIndexByte(last, '\r')+1:])
}

func TestProgressFromManySides(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{false, true} {
		p := newScreen(io.Discard, terminal, func() int { return 40 }).Progress("shop")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := range int64(500) {
					p.Update(fmt.Sprint("stage ", i%3), n, 400, "bytes") // more than all, too
				}
			})
		}
		wg.Go(p.Close)
		wg.Wait()
		p.Close()
	}
}

// Drills that run at the same time have a line each, and what is printed
// meanwhile stands above them.
func TestProgressOfSeveral(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		s := newScreen(&b, true, func() int { return 30 })
		shop, blog := s.Progress("shop"), s.Progress("blog")
		shop.Update("fetch", 1, 4, "bytes")
		time.Sleep(time.Second)
		blog.Update("expect", 0, 0, "")
		s.Aside(func() { b.WriteString("PASS  bot\n") })
		shop.Update("fetch", 4, 4, "bytes")
		time.Sleep(time.Second)
		shop.Update("a stage with a name that is too long for it", 0, 0, "")
		if got, want := screenful(b.String()), "PASS  bot|shop: a stage with a name th…|blog: expect"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		shop.Close()
		if got := screenful(b.String()); got != "PASS  bot|blog: expect" {
			t.Errorf("%q", got)
		}
		blog.Close()
		if got := screenful(b.String()); got != "PASS  bot|" {
			t.Errorf("%q", got)
		}
	})
}

// screenful is what a terminal shows, its lines with | between.
func screenful(text string) string {
	lines := []string{""}
	at := 0
	for text != "" {
		up, rest, ok := strings.Cut(text, "\x1b[1A")
		switch {
		case ok && up == "":
			at, text = at-1, rest
		case strings.HasPrefix(text, "\r\x1b[2K"):
			lines, text = lines[:at+1], strings.TrimPrefix(text, "\r\x1b[2K")
			lines[at] = ""
		case text[0] == '\n':
			lines, at, text = append(lines, ""), at+1, text[1:]
		default:
			lines[at] += text[:1]
			text = text[1:]
		}
	}
	return strings.Join(lines, "|")
}
