package detect

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// part is one half of the files of a corpus, which the hash of a file's content decides: what is tuned on, and what was
// put aside to be measured on.
type part struct {
	files, lines, binaries, size int64
	certain, doubtful            [kinds]int64 // lines, or whole binaries
	inBinaries                   [kinds]int64 // binaries with a certain hit
	columns, alarmed             int64        // text files taken for columns, and those that end a drill by other kinds than mail
	warned                       int64        // and those that get a warning
}

// sample holds some hits, each as likely as any other.
type sample struct {
	part, kind, sure string
	most             int
	seen             int
	shown            []string
}

func (s *sample) take(part string, h Hit, file string, text []byte) {
	wanted := s.kind == h.Kind.String() || s.kind == "any" && h.Kind != Email
	if s.most == 0 || s.part != part || !wanted || s.sure != h.Confidence.String() {
		return
	}
	s.seen++
	from, to := max(0, h.From-40), min(len(text), h.To+30)
	line := fmt.Sprintf("%v %s: %q", h.Kind, filepath.Base(file), text[from:h.From]) + fmt.Sprintf(" >>%q<< %q", text[h.From:h.To], text[h.To:to])
	if len(s.shown) < s.most {
		s.shown = append(s.shown, line)
	} else if i := rand.IntN(s.seen); i < s.most {
		s.shown[i] = line
	}
}

// TestCorpus measures on ordinary text how often the scanner alarms wrongly. It is for whoever changes the detectors, and
// reads the files below the folders of DETECT_CORPUS, which are parted as in PATH; it is skipped without.
// DETECT_CORPUS_SHOW="tuned ip doubtful 40" shows 40 hits of that part, kind and confidence; any stands for all but mail.
func TestCorpus(t *testing.T) {
	folders := os.Getenv("DETECT_CORPUS")
	if folders == "" {
		t.Skip("DETECT_CORPUS names no folder of ordinary text")
	}
	var show sample
	_, _ = fmt.Sscan(os.Getenv("DETECT_CORPUS_SHOW"), &show.part, &show.kind, &show.sure, &show.most)
	c := corpus{show: &show, parts: map[string]*part{"tuned": {}, "aside": {}}, seen: map[[sha256.Size]byte]bool{}}
	files := make(chan string)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for f := range files {
				c.read(f)
			}
		})
	}
	for _, folder := range filepath.SplitList(folders) {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				files <- path
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	close(files)
	group.Wait()
	for _, name := range []string{"tuned", "aside"} {
		c.parts[name].report(t, name)
	}
	t.Log(strings.Join(show.shown, "\n"))
}

type corpus struct {
	mu    sync.Mutex
	parts map[string]*part
	seen  map[[sha256.Size]byte]bool
	show  *sample
}

func (c *corpus) read(path string) {
	const most = 64 << 20
	content, err := os.ReadFile(path)
	if err != nil || len(content) > most {
		return
	}
	if z, err := gzip.NewReader(bytes.NewReader(content)); err == nil {
		content, err = io.ReadAll(io.LimitReader(z, most))
		if err != nil {
			return
		}
	}
	sum := sha256.Sum256(content)
	name := [...]string{"tuned", "aside"}[sum[0]&1]
	c.mu.Lock()
	again := c.seen[sum]
	c.seen[sum] = true
	c.mu.Unlock()
	if again {
		return
	}
	one := part{files: 1, size: int64(len(content))}
	take := func(h Hit, text []byte) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.show.take(name, h, path, text)
	}
	if bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0 || bytes.HasPrefix(content, []byte("%PDF")) {
		one.binary(content, take)
	} else {
		one.text(content, take)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parts[name].add(&one)
}

func (p *part) binary(content []byte, take func(Hit, []byte)) {
	p.binaries = 1
	NewScanner(All).Each(content, func(h Hit) {
		if h.Confidence == Certain {
			p.inBinaries[h.Kind] = 1
		}
		take(h, content)
	})
}

func (p *part) text(content []byte, take func(Hit, []byte)) {
	s := NewScanner(All)
	for line := range bytes.SplitSeq(content, []byte{'\n'}) {
		p.lines++
		var certain, doubtful [kinds]int64
		s.Each(line, func(h Hit) {
			if h.Confidence == Certain {
				certain[h.Kind] = 1
			} else {
				doubtful[h.Kind] = 1
			}
			take(h, line)
		})
		for k := range kinds {
			p.certain[k] += certain[k]
			p.doubtful[k] += doubtful[k] &^ certain[k]
		}
	}
	p.columns = 1
	for k := range kinds {
		if Kind(k) != Email && (p.certain[k] > 0 || p.doubtful[k] > 2) {
			p.alarmed = 1
		}
	}
	for k := range kinds {
		if p.alarmed == 0 && p.doubtful[k] > 0 {
			p.warned = 1
		}
	}
}

func (p *part) add(o *part) {
	p.files += o.files
	p.lines += o.lines
	p.binaries += o.binaries
	p.size += o.size
	p.columns += o.columns
	p.alarmed += o.alarmed
	p.warned += o.warned
	for k := range kinds {
		p.certain[k] += o.certain[k]
		p.doubtful[k] += o.doubtful[k]
		p.inBinaries[k] += o.inBinaries[k]
	}
}

func (p *part) report(t *testing.T, name string) {
	t.Logf("%s: %d files, %d MB, %d of them binary; %d lines; of %d text files as columns %d end a drill but for mail, %d warn", name,
		p.files, p.size>>20, p.binaries, p.lines, p.columns, p.alarmed, p.warned)
	var certain, doubtful int64
	for k := range kinds {
		t.Logf("  %-12s %6d lines certain, %6d doubtful, %4d binaries", k, p.certain[k], p.doubtful[k], p.inBinaries[k])
		if Kind(k) != Email {
			certain, doubtful = certain+p.certain[k], doubtful+p.doubtful[k]
		}
	}
	t.Logf("  but mail     %6d lines certain, %6d doubtful: %.2f and %.2f of 100,000", certain, doubtful,
		1e5*float64(certain)/float64(p.lines), 1e5*float64(doubtful)/float64(p.lines))
}
