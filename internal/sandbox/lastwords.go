package sandbox

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"

	"daybefore/internal/told"
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

// firstWords returns the last lines of the log of a start at which nothing of a
// backup has run, or an empty string: all that the start script said or, once
// the server started, what the server itself did.
func firstWords(path string) string {
	log := openLog(path)
	if log == nil {
		return ""
	}
	defer log.Close()
	head := make([]byte, tailSize)
	n, _ := io.ReadFull(log, head)
	before, after, started := strings.Cut(string(head[:n]), serverStarts+"\n")
	if !started {
		return lastLines(before)
	}
	if tail, cut := tailOf(log); cut {
		after = tail
	}
	return lastLines(ownLines(after))
}

// lastWords returns what the end of a server's log says in known phrases, or an
// empty string. Code of a backup may have written any line of it: so nothing is
// told but what a server's own processes say, without what they say it of, and
// how many other lines there are.
func lastWords(path string, names *told.Names) string {
	log := openLog(path)
	if log == nil {
		return ""
	}
	defer log.Close()
	tail, _ := tailOf(log)
	var known []string
	other := 0
	for line := range strings.Lines(tail) {
		line = strings.TrimSuffix(line, "\n")
		said, ok := phrase(line, names)
		switch {
		case ok:
			known = append(known, said)
		case line != "" && line != serverStarts:
			other++
		}
	}
	known = known[max(0, len(known)-tailLines):]
	switch {
	case other == 1:
		known = append(known, "and 1 line that is not shown")
	case other > 1:
		known = append(known, fmt.Sprintf("and %d lines that are not shown", other))
	}
	return strings.Join(known, "\n")
}

// serverSays is a line that one of ownBackends writes about itself.
var serverSays = regexp.MustCompile(`^((?:postmaster|startup|checkpointer): (?:LOG|WARNING|ERROR|FATAL|PANIC):  )(.*)$`)

// phrase is a line of a server's in words that may be told; ok is false where
// there are none.
func phrase(line string, names *told.Names) (_ string, ok bool) {
	m := serverSays.FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	said := names.Sentence(m[2])
	return m[1] + said, said != told.Withheld
}

// endings are what a postmaster says of its processes and how they ended, beside
// PostgreSQL's sentences.
var endings = []string{
	"server process", "startup process", "checkpointer process", "background writer process", "walwriter process",
	"parallel worker",
	"Killed", "Terminated", "Aborted", "Segmentation fault", "Bus error", "Illegal instruction",
	"Floating point exception", "File size limit exceeded",
	"shared_preload_libraries", "max_connections", "shared_buffers", "PostgreSQL", "IPv4", "IPv6", "Unix",
}

// phraseNames are what may be told of a server that was started with libraries.
func phraseNames(preload []string) *told.Names {
	names := told.New(nil, nil)
	names.Know(endings...)
	names.Know(preload...)
	return names
}

// openLog opens the log; nil if there is none. The sandbox may write there: no
// link is followed.
func openLog(path string) *os.File {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil
	}
	return f
}

// tailOf is the end of a log, from the first line that is whole where it was
// cut.
func tailOf(log *os.File) (tail string, cut bool) {
	info, err := log.Stat()
	if err != nil {
		return "", false
	}
	from := max(0, info.Size()-tailSize)
	text := make([]byte, tailSize)
	n, _ := log.ReadAt(text, from)
	tail = string(text[:n])
	if from > 0 {
		_, tail, _ = strings.Cut(tail, "\n")
	}
	return tail, from > 0
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
