package program

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	kept       = 64 << 10 // bytes of standard error that are remembered: the last
	mostLines  = 8        // that an error shows
	mostColumn = 200      // of each
)

// words is the end of what a program writes to its standard error.
type words struct {
	from    *os.File
	secrets []string
	heard   chan struct{} // closed at the end of it

	mu   sync.Mutex
	tail []byte
	cut  bool // something before tail is forgotten
}

func listen(from *os.File, hidden []string) *words {
	w := &words{from: from, secrets: hidden, heard: make(chan struct{})}
	go w.hear()
	return w
}

// hear reads to the end, however much there is: a full pipe would stop the
// program.
func (w *words) hear() {
	defer close(w.heard)
	buf := make([]byte, 16<<10)
	for {
		n, err := w.from.Read(buf)
		w.add(buf[:n])
		if err != nil {
			return
		}
	}
}

func (w *words) add(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tail = append(w.tail, p...)
	if over := len(w.tail) - kept; over > kept { // moved now and then, not with each line
		w.tail = append(w.tail[:0], w.tail[over:]...)
		w.cut = true
	}
}

// await waits for the end, but not for what the program left behind.
func (w *words) await(d time.Duration) {
	select {
	case <-w.heard:
	case <-time.After(d):
	}
}

func (w *words) close() { _ = w.from.Close() } // it was only read

var (
	escapes = regexp.MustCompile(`\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])`)
	inURL   = regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://)[^/\s@]*@`)
	queries = regexp.MustCompile(`(://[^\s?"'<>]*\?)[^\s"'<>|]+|(\?)[\w.~%-]+=[^\s"'<>|]*`) // a signature may stand there
)

// Mask hides in a text what the program may tell of its secrets: values that it
// is given by name, as they are and in quotes, and credentials and queries of
// URLs.
func (c Command) Mask(text string) string { return mask(text, secrets(c)) }

func mask(text string, secrets []string) string {
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return queries.ReplaceAllString(inURL.ReplaceAllString(text, "$1***@"), "$1$2***")
}

// last are the last lines, joined, without control characters, values that the
// program was given as secrets, and credentials and queries of URLs.
func (w *words) last() string {
	w.mu.Lock()
	text := string(w.tail)
	cut := w.cut
	w.mu.Unlock()
	if cut {
		text = w.whole(text)
	}
	text = mask(escapes.ReplaceAllString(text, ""), w.secrets)
	return joinLast(strings.Split(text, "\n"))
}

// whole is a text without its first line, which is not whole and may begin with
// half a secret; of a line without an end it is the rest.
func (w *words) whole(text string) string {
	if _, rest, ok := strings.Cut(text, "\n"); ok {
		return rest
	}
	if len(w.secrets) > 0 {
		return text[min(len(text), len(w.secrets[0])):]
	}
	return text
}

func joinLast(lines []string) string {
	var shown []string
	for i := len(lines) - 1; i >= 0 && len(shown) < mostLines; i-- {
		if line := cleanLine(lines[i]); line != "" {
			shown = append([]string{line}, shown...)
		}
	}
	return strings.Join(shown, " | ")
}

// cleanLine is a line as a terminal would leave it standing: a progress bar
// writes over itself.
func cleanLine(line string) string {
	line = strings.TrimRight(line, "\r \t")
	line = line[strings.LastIndexByte(line, '\r')+1:]
	line = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(line, "?"))
	line = strings.TrimSpace(line)
	if runes := []rune(line); len(runes) > mostColumn {
		line = string(runes[:mostColumn]) + "..."
	}
	return line
}
