package debian

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

func unpack(t *testing.T, name string) Package {
	t.Helper()
	p, err := Unpack(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func program(t *testing.T, p Package, name string) string {
	t.Helper()
	path, err := p.Program(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A program of its own, which needs nothing else.
func TestDebianProgram(t *testing.T) {
	t.Parallel()
	restic := unpack(t, "restic")
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init"}, {"backup", kept}, {"restore", "latest", "--target", filepath.Join(dir, "back")}} {
		cmd := exec.CommandContext(t.Context(), program(t, restic, "restic"), append([]string{"--no-cache"}, args...)...)
		cmd.Env = append(restic.Environ(), "RESTIC_REPOSITORY="+filepath.Join(dir, "repository"), "RESTIC_PASSWORD=test")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	if back, err := os.ReadFile(filepath.Join(dir, "back", kept)); err != nil || string(back) != "kept" {
		t.Errorf("brought back %q, %v", back, err)
	}
}

// Whatever package names /lib, its files lie in /usr/lib.
func TestRootsAreMerged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, err := unpacked(t.Context(), dir, "libkeyutils1")
	if err != nil {
		t.Fatal(err)
	}
	merged, err := filepath.Glob(filepath.Join(root, "usr", "lib", "*", "libkeyutils.so.1"))
	if err != nil || len(merged) != 1 {
		t.Errorf("found %q: %v", merged, err)
	}
	if to, err := os.Readlink(filepath.Join(root, "lib")); err != nil || to != "usr/lib" {
		t.Errorf("/lib leads to %q: %v", to, err)
	}
}

// A program that needs libraries which no system has by itself.
func TestDebianLibraries(t *testing.T) {
	t.Parallel()
	ssh := unpack(t, "openssh-server")
	cmd := exec.CommandContext(t.Context(), program(t, ssh, "sshd"), "-?")
	cmd.Env = ssh.Environ()
	out, _ := cmd.CombinedOutput() // a question for its usage ends with 1
	if !bytes.Contains(out, []byte("OpenSSH_")) || !bytes.Contains(out, []byte("usage: sshd")) {
		t.Errorf("sshd says:\n%s", out)
	}
	ldd := exec.CommandContext(t.Context(), "ldd", program(t, ssh, "sshd"))
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
	dir, err := cacheDir() // where the lists are mostly kept from the last time
	if err != nil {
		t.Fatal(err)
	}
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
