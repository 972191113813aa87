package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"daybefore/internal/crypt"
	"daybefore/internal/debian"
	"daybefore/internal/machine"
	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// leastThroughput is how fast a backup is unpacked or decrypted at the least, as
// a share of what the command-line tool does with the same file.
const leastThroughput = 0.9

// unpackSize is the plain text of each file at scale 1, in bytes.
const unpackSize = 1 << 30

// packing is one way of packing a file, and the program that takes it off. Each
// command reads standard input and writes standard output.
type packing struct {
	name     string
	packages []string // Debian packages that have the programs
	pack     []string
	unpack   []string
}

// packings are the formats that people meet. pigz unpacks what gzip packed.
var packings = []packing{
	{"gzip -d", []string{"gzip"}, []string{"gzip", "-6"}, []string{"gzip", "-d"}},
	{"pigz -d", []string{"pigz"}, []string{"pigz", "-6"}, []string{"pigz", "-d"}},
	{"zstd -d", []string{"zstd"}, []string{"zstd", "-q", "-3", "-T2"}, []string{"zstd", "-q", "-d"}},
	{"lz4 -d", []string{"lz4"}, []string{"lz4", "-q"}, []string{"lz4", "-q", "-d"}},
	{"age -d", []string{"age"}, []string{"age", "-R", "age.pub"}, []string{"age", "-d", "-i", "age.key"}},
	{"gpg -d", []string{"gnupg"},
		[]string{"gpg", "--homedir", "gpg", "--batch", "--trust-model", "always", "-z", "0", "-r", gpgUser, "-e"},
		[]string{"gpg", "--homedir", "gpg", "--batch", "-q", "-d"}},
}

const gpgUser = "bench@example.invalid"

// Unpack compares how fast files are unpacked and decrypted with what the
// command-line tools need for the same file: in rounds, one after the other.
// Its error carries the process's exit code, as Run's does.
func Unpack(ctx context.Context, o Options) error {
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	if o.Rounds == 0 {
		o.Rounds = 5
	}
	dir, err := os.MkdirTemp(o.tmp, "daybefore-unpack-")
	if err != nil {
		return unmeasured(ctx, "%v", err)
	}
	defer os.RemoveAll(dir)
	u := &unpackBench{Options: o, dir: dir}
	broken, err := u.run(ctx)
	switch {
	case err != nil:
		return unmeasured(ctx, "%v", err)
	case len(broken) > 0:
		return &verdict.Exit{Code: verdict.ExitFail, Reason: "dev:unpack: below the limit: " + strings.Join(broken, "; ")}
	}
	return nil
}

type unpackBench struct {
	Options
	dir  string // of the files and keys
	size int64
	keys *crypt.Keys
	said bytes.Buffer // by the programs, for an error
}

func (u *unpackBench) run(ctx context.Context) (broken []string, err error) {
	u.size = int64(unpackSize * Scales[cmp.Or(u.Scale, defaultScale)])
	if err := u.plain(); err != nil {
		return nil, err
	}
	var rows [][]string
	for _, p := range packings {
		fmt.Fprintln(u.Stderr, "unpack:", p.name)
		row, kept, err := u.compare(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", p.name, err, u.said.String())
		}
		rows = append(rows, row)
		if !kept {
			broken = append(broken, p.name+" "+row[2])
		}
	}
	header := []string{"throughput beside", "size of file", "of the tool's, wall", "CPU of the tool's", "limit", ""}
	return broken, writeTable(u.Stdout, header, rows)
}

// plain writes rows as a dump has them: numbers, times, words and a random part,
// so that they pack to a fourth or so.
func (u *unpackBench) plain() error {
	f, err := os.Create(filepath.Join(u.dir, "plain"))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	noise := make([]byte, 12)
	written := int64(0)
	for n := 0; written < u.size; n++ {
		if n%8 == 0 {
			if _, err := rand.Read(noise); err != nil {
				return err
			}
		}
		k, err := fmt.Fprintf(w, "%d\t2026-03-%02d %02d:%02d:%02d+00\tpaid\t%d.%02d\t%s\tthe order of a customer\n", n,
			1+n%28, n%24, n%60, n*7%60, n*31%900, n*13%100, base64.StdEncoding.EncodeToString(noise))
		if err != nil {
			return err
		}
		written += int64(k)
	}
	return w.Flush()
}

// took is what one unpacking took.
type took struct{ wall, cpu float64 } // seconds

// compare packs the plain file, and unpacks it in rounds by the tool and by us.
func (u *unpackBench) compare(ctx context.Context, p packing) (row []string, kept bool, err error) {
	env, err := u.tools(ctx, p)
	if err != nil {
		return nil, false, err
	}
	file := filepath.Join(u.dir, "packed")
	if err := u.packInto(ctx, p, env, file); err != nil {
		return nil, false, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, false, err
	}
	var wall, cpu []float64
	for round := range u.Rounds {
		tool, own, err := u.round(ctx, p, env, file, round%2 == 0)
		if err != nil {
			return nil, false, err
		}
		wall = append(wall, tool.wall/own.wall)
		cpu = append(cpu, own.cpu/tool.cpu)
	}
	speed := spread(wall)
	word := "kept"
	if speed.Median < leastThroughput {
		word = "BROKEN"
	}
	size := fmt.Sprintf("%.0f MB", float64(info.Size())/1e6)
	return []string{p.name, size, speed.text("%.2f", 1), spread(cpu).text("%.2f", 1),
		fmt.Sprintf("%.2f", leastThroughput), word}, speed.Median >= leastThroughput, nil
}

// round measures both, the tool first or last.
func (u *unpackBench) round(ctx context.Context, p packing, env []string, file string, toolFirst bool) (tool, own took,
	err error) {
	byTool := func() (err error) { tool, err = u.byTool(ctx, p, env, file); return err }
	byUs := func() (err error) { own, err = u.byUs(ctx, file); return err }
	steps := []func() error{byTool, byUs}
	if !toolFirst {
		steps[0], steps[1] = steps[1], steps[0]
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return took{}, took{}, err
		}
	}
	return tool, own, nil
}

func (u *unpackBench) byTool(ctx context.Context, p packing, env []string, file string) (took, error) {
	in, err := os.Open(file)
	if err != nil {
		return took{}, err
	}
	defer in.Close()
	cmd := u.command(ctx, env, p.unpack)
	cmd.Stdin = in // and its output goes to /dev/null
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		return took{}, err
	}
	s := cmd.ProcessState
	return took{time.Since(begun).Seconds(), (s.UserTime() + s.SystemTime()).Seconds()}, nil
}

// byUs unpacks as a drill does, up to where the dump begins.
func (u *unpackBench) byUs(ctx context.Context, file string) (took, error) {
	in, err := os.Open(file)
	if err != nil {
		return took{}, err
	}
	defer in.Close()
	begun := time.Now()
	before := usedCPU(syscall.RUSAGE_SELF)
	n, err := u.drain(ctx, bufio.NewReaderSize(in, 256<<10))
	if err != nil {
		return took{}, err
	}
	if n < u.size {
		return took{}, fmt.Errorf("%d bytes came out of %d", n, u.size)
	}
	return took{time.Since(begun).Seconds(), usedCPU(syscall.RUSAGE_SELF) - before}, nil
}

func (u *unpackBench) drain(ctx context.Context, in *bufio.Reader) (int64, error) {
	head, err := in.Peek(4 << 10)
	if err != nil {
		return 0, err
	}
	if c, ok := packed.Of(head); ok {
		s, err := c.Open(in)
		if err != nil {
			return 0, err
		}
		defer s.Close()
		return drained(s)
	}
	c, ok := crypt.Of(head)
	if !ok {
		return 0, fmt.Errorf("nothing that is known, of %d bytes", len(head))
	}
	s, err := c.Open(ctx, in, u.keys)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	return drained(s)
}

// drained reads to the end, in pieces as large as a drill's.
func drained(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, make([]byte, 256<<10))
}

// tools is the environment in which the programs are found, and makes the keys.
func (u *unpackBench) tools(ctx context.Context, p packing) ([]string, error) {
	env := os.Environ()
	for _, name := range p.packages {
		if _, err := exec.LookPath(p.pack[0]); err == nil {
			continue
		}
		pkg, err := debian.Unpack(ctx, name)
		if err != nil {
			return nil, err
		}
		env = pkg.Environ()
	}
	switch p.pack[0] {
	case "age":
		return env, u.ageKeys(ctx, env)
	case "gpg":
		return env, u.gpgKeys(ctx, env)
	}
	return env, nil
}

func (u *unpackBench) ageKeys(ctx context.Context, env []string) error {
	key, err := u.command(ctx, env, []string{"age-keygen"}).Output()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(u.dir, "age.key"), key, 0o600); err != nil {
		return err
	}
	public, err := u.command(ctx, env, []string{"age-keygen", "-y", "age.key"}).Output()
	if err != nil {
		return err
	}
	u.keys, err = crypt.NewKeys(crypt.Declared{AgeIdentity: key})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(u.dir, "age.pub"), public, 0o600)
}

func (u *unpackBench) gpgKeys(ctx context.Context, env []string) error {
	if err := os.MkdirAll(filepath.Join(u.dir, "gpg"), 0o700); err != nil {
		return err
	}
	gpg := []string{"gpg", "--homedir", "gpg", "--batch", "--passphrase", ""}
	generate := slices.Concat(gpg, []string{"--quick-gen-key", gpgUser, "default", "default", "never"})
	if err := u.command(ctx, env, generate).Run(); err != nil {
		return err
	}
	export := slices.Concat(gpg, []string{"--pinentry-mode", "loopback", "--export-secret-keys", gpgUser})
	key, err := u.command(ctx, env, export).Output()
	if err != nil {
		return err
	}
	u.keys, err = crypt.NewKeys(crypt.Declared{OpenPGPKey: key})
	return err
}

func (u *unpackBench) packInto(ctx context.Context, p packing, env []string, file string) error {
	in, err := os.Open(filepath.Join(u.dir, "plain"))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := u.command(ctx, env, p.pack)
	cmd.Stdin, cmd.Stdout = in, out
	return cmd.Run()
}

// command is a program of the tools, whatever PATH this process has.
func (u *unpackBench) command(ctx context.Context, env, argv []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "env", argv...)
	cmd.Dir = u.dir
	cmd.Env = env
	cmd.Stderr = &u.said
	return cmd
}
