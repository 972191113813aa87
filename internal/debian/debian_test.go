package testneed

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A program of its own, which needs nothing else.
func TestDebianProgram(t *testing.T) {
	t.Parallel()
	restic := Debian(t, "restic")
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init"}, {"backup", kept}, {"restore", "latest", "--target", filepath.Join(dir, "back")}} {
		cmd := exec.CommandContext(t.Context(), restic.Program(t, "restic"), append([]string{"--no-cache"}, args...)...)
		cmd.Env = append(restic.Environ(), "RESTIC_REPOSITORY="+filepath.Join(dir, "repository"), "RESTIC_PASSWORD=test")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	if back, err := os.ReadFile(filepath.Join(dir, "back", kept)); err != nil || string(back) != "kept" {
		t.Errorf("brought back %q, %v", back, err)
	}
}

// A program that needs libraries which no system has by itself.
func TestDebianLibraries(t *testing.T) {
	t.Parallel()
	ssh := Debian(t, "openssh-server")
	cmd := exec.CommandContext(t.Context(), ssh.Program(t, "sshd"), "-?")
	cmd.Env = ssh.Environ()
	out, _ := cmd.CombinedOutput() // a question for its usage ends with 1
	if !bytes.Contains(out, []byte("OpenSSH_")) || !bytes.Contains(out, []byte("usage: sshd")) {
		t.Errorf("sshd says:\n%s", out)
	}
	ldd := exec.CommandContext(t.Context(), "ldd", ssh.Program(t, "sshd"))
	ldd.Env = ssh.Environ()
	libraries, err := ldd.CombinedOutput()
	if err != nil || !bytes.Contains(libraries, []byte(ssh.Root)) || bytes.Contains(libraries, []byte("not found")) {
		t.Errorf("sshd takes no library of %s, or lacks one: %v\n%s", ssh.Root, err, libraries)
	}
}

// Whoever asks at the same time gets the same folder, and finds it complete.
func TestDebianForManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			root, err := unpacked(t.Context(), dir, "runit-helper")
			if err != nil || root != filepath.Join(dir, "runit-helper") {
				t.Errorf("unpacked in %q: %v", root, err)
				return
			}
			found, err := filepath.Glob(filepath.Join(root, "usr", "share", "doc", "runit-helper", "copyright"))
			if err != nil || len(found) != 1 {
				t.Errorf("found %q: %v", found, err)
			}
		})
	}
	group.Wait()
	left, err := filepath.Glob(filepath.Join(dir, "*.new-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What Debian does not have is no reason to skip, and leaves nothing that would
// pass for it.
func TestDebianLacksIt(t *testing.T) {
	t.Parallel()
	dir := debianCache(t) // where the lists are mostly kept from the last time
	root, err := unpacked(t.Context(), dir, "no-such-package-of-debian")
	if err == nil || !strings.Contains(err.Error(), "Unable to locate package no-such-package-of-debian") {
		t.Errorf("unpacked in %q: %v", root, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "no-such-package-of-debian*"))
	if err != nil || !slices.Equal(left, []string{filepath.Join(dir, "no-such-package-of-debian.lock")}) {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWanted(t *testing.T) {
	t.Parallel()
	plan := "Reading package lists...\n" +
		"Inst libc6 [2.36-9] (2.36-10 Debian:12.15/oldstable [amd64])\n" +
		"Inst libwrap0 (7.6.q-32 Debian:12.15/oldstable [amd64])\n" +
		"Inst libfoo:amd64 (1 Debian:12.15/oldstable [amd64])\n" +
		"Inst openssh-server (1:9.2p1-2 Debian:12.15/oldstable [amd64])\n" +
		"Conf openssh-server (1:9.2p1-2 Debian:12.15/oldstable [amd64])\n"
	for of, want := range map[string][]string{
		plan: {"openssh-server", "libwrap0", "libfoo:amd64"},
		"openssh-server is already the newest version (1:9.2p1-2).\n": {"openssh-server"},
	} {
		if got := wanted("openssh-server", of); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
