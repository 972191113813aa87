package image

import (
	"bytes"
	"context"
	_ "embed"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

//go:embed rootfs.sh
var rootfsScript string

// fill puts Debian and PostgreSQL into the empty directory root.
func (p plan) fill(ctx context.Context, root string) error {
	args := append([]string{"--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
		"sh", "-c", rootfsScript, "rootfs.sh",
		root, p.suite.name, p.suite.beside, p.mirror, strconv.Itoa(p.major), pgdata(p.major)}, p.packages...)
	said := tail{step: p.progress}
	cmd := exec.CommandContext(ctx, "unshare", args...)
	cmd.Env = rootfsEnv(os.Environ())
	cmd.Stdout, cmd.Stderr = &said, &said
	// Killing unshare kills its whole namespace, but only soon: the pipe ends
	// with the last of its processes, and the directory may not go before.
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		return commandError(ctx, "fill the root directory", err, said.String())
	}
	return nil
}

// rootfsEnv keeps of the caller's environment how to reach the mirror. The rest
// is about this machine's files (TMPDIR, PERL5LIB), and the packages' scripts,
// which inherit it, run in a root that does not have them.
func rootfsEnv(environ []string) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
		"DEBIAN_FRONTEND=noninteractive"}
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		switch strings.ToLower(name) {
		case "http_proxy", "https_proxy", "no_proxy":
			env = append(env, kv)
		}
	}
	return env
}

// stepMark begins the lines of rootfs.sh that are for people.
const stepMark = "step: "

// tail is a writer that keeps the last lines of a program's output, for the
// case that it fails, and passes its steps on. It is not for concurrent use;
// os/exec writes from one goroutine where stdout and stderr are one writer.
type tail struct {
	step    func(string) // nil: steps are lines as others
	lines   []string
	partial []byte
}

const (
	tailLines = 8
	lineBytes = 400 // of a line that is kept
)

func (t *tail) Write(b []byte) (int, error) {
	n := len(b)
	for {
		line, rest, complete := bytes.Cut(b, []byte{'\n'})
		t.partial = append(t.partial, line[:min(len(line), max(0, lineBytes-len(t.partial)))]...)
		if !complete {
			return n, nil
		}
		t.add(string(t.partial))
		t.partial, b = t.partial[:0], rest
	}
}

func (t *tail) add(line string) {
	line = strings.TrimSpace(line)
	if step, ok := strings.CutPrefix(line, stepMark); ok && t.step != nil {
		t.step(step)
		return
	}
	if line == "" || strings.HasPrefix(line, "I: ") { // debootstrap's hundreds of informations
		return
	}
	t.lines = append(t.lines, line)
	if len(t.lines) > tailLines {
		t.lines = t.lines[1:]
	}
}

func (t *tail) String() string {
	lines := t.lines
	if last := strings.TrimSpace(string(t.partial)); last != "" {
		lines = append(lines[:len(lines):len(lines)], last)
	}
	return strings.Join(lines, "; ")
}
