package sandbox

import (
	"io"
	"os"
	"strings"
	"syscall"
)

const (
	// serverStarts is the start script's last word in the log.
	serverStarts = "-- server starts"
	tailSize     = 4 << 10
	tailLines    = 8
)

// ownBackends are the server's processes that never quote a row or a
// statement. What sessions said is not shown.
var ownBackends = []string{"postmaster: ", "startup: ", "checkpointer: "}

// lastWords returns the last lines of a server's log that hold no data, or
// an empty string. The sandbox may write there: no link is followed.
func lastWords(path string) string {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	head := make([]byte, tailSize)
	n, _ := io.ReadFull(f, head)
	before, after, started := strings.Cut(string(head[:n]), serverStarts+"\n")
	if !started {
		return lastLines(before)
	}
	if info, err := f.Stat(); err == nil && info.Size() > tailSize {
		tail := make([]byte, tailSize)
		n, _ := f.ReadAt(tail, info.Size()-tailSize)
		_, after, _ = strings.Cut(string(tail[:n]), "\n")
	}
	return lastLines(ownLines(after))
}

// ownLines keeps the lines of the server itself, and those that continue them.
func ownLines(log string) string {
	var kept strings.Builder
	own := false
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "\t") {
			own = hasAnyPrefix(line, ownBackends)
		}
		if own {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
