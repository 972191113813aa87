package crypt

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"daybefore/internal/testneed"
)

// benchSize is how much plain text a benchmark decrypts.
const benchSize = 1 << 30

// BenchmarkBesidePrograms decrypts a file as a drill does and as its own program
// does, one after the other. x-wall and x-cpu are how often the program's time
// holds ours.
func BenchmarkBesidePrograms(b *testing.B) {
	dir := b.TempDir()
	plain := filepath.Join(dir, "plain")
	writeFile(b, plain, bytes.Repeat(dumpLike(64<<20), benchSize>>26))
	home := filepath.Join(dir, "gnupg")
	if err := os.Mkdir(home, 0o700); err != nil {
		b.Fatal(err)
	}
	gpg := []string{testneed.Debian(b, "gpg").Program(b, "gpg"), "--homedir", home, "--batch", "--yes", "--quiet",
		"--agent-program", testneed.Debian(b, "gpg-agent").Program(b, "gpg-agent"), "--pinentry-mode", "loopback",
		"--passphrase", passphrase}
	agePath := testneed.Debian(b, "age").Program(b, "age")
	id, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	identity := filepath.Join(dir, "id")
	writeFile(b, identity, []byte(id.String()+"\n"))
	openssl := []string{testneed.Program(b, "openssl"), "enc", "-aes-256-ctr", "-pbkdf2", "-pass", "pass:" + passphrase}
	join := func(args []string, more ...string) []string { return append(args[:len(args):len(args)], more...) }
	for _, c := range []struct {
		name         string
		seal, unseal []string
		keys         Declared
	}{
		{"age", []string{agePath, "-r", id.Recipient().String(), plain}, []string{agePath, "-d", "-i", identity},
			Declared{AgeIdentity: []byte(id.String())}},
		{"gpg", join(gpg, "--symmetric", "-o", "-", plain), join(gpg, "--decrypt"),
			Declared{OpenPGPPassphrase: []byte(passphrase)}},
		{"gpg-bare", join(gpg, "--symmetric", "-z", "0", "-o", "-", plain), join(gpg, "--decrypt"),
			Declared{OpenPGPPassphrase: []byte(passphrase)}},
		{"openssl", join(openssl, "-in", plain), join(openssl, "-d"),
			Declared{Command: join(openssl, "-d")}},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := filepath.Join(dir, c.name)
			seal := exec.Command(c.seal[0], c.seal[1:]...)
			out, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			seal.Stdout = out
			if err := seal.Run(); err != nil {
				b.Fatal(err)
			}
			out.Close()
			defer os.Remove(path)
			keys, err := NewKeys(c.keys)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(benchSize)
			var ours, theirs spent
			for b.Loop() {
				b.StopTimer()
				theirs.add(b, func() error { return byProgram(path, c.unseal) })
				b.StartTimer()
				ours.add(b, func() error { return byOurs(b, path, keys) })
			}
			b.ReportMetric(theirs.wall.Seconds()/ours.wall.Seconds(), "x-wall")
			b.ReportMetric(theirs.cpu.Seconds()/ours.cpu.Seconds(), "x-cpu")
			b.Logf("wall %v beside %v, CPU %v beside %v", ours.wall, theirs.wall, ours.cpu, theirs.cpu)
		})
	}
}

func writeFile(b *testing.B, path string, text []byte) {
	b.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		b.Fatal(err)
	}
}

// spent is time, and that of processors: ours and those of programs that ended.
type spent struct{ wall, cpu time.Duration }

func (s *spent) add(b *testing.B, do func() error) {
	b.Helper()
	begun, before := time.Now(), processors(b)
	if err := do(); err != nil {
		b.Fatal(err)
	}
	s.wall += time.Since(begun)
	s.cpu += processors(b) - before
}

func processors(b *testing.B) (sum time.Duration) {
	b.Helper()
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

func byProgram(path string, args []string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin = in // and to nowhere
	return cmd.Run()
}

func byOurs(b *testing.B, path string, keys *Keys) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 256<<10)
	head, err := in.Peek(64)
	if err != nil {
		return err
	}
	c, _ := keys.Of(head, true)
	s, err := c.Open(b.Context(), in, keys)
	if err != nil {
		return err
	}
	defer s.Close()
	buf := make([]byte, 256<<10) // as what unpacks reads
	for err == nil {
		_, err = s.Read(buf)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
