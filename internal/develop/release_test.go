package develop_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"daybefore/internal/develop"
	"daybefore/internal/harness"
	"daybefore/internal/testneed"
)

// The same sources give the same bytes, wherever they lie: on this system, and
// under dev:matrix on each that there are releases for.
func TestRelease(t *testing.T) {
	t.Parallel()
	platforms := []develop.Platform{{System: runtime.GOOS, Processor: runtime.GOARCH}}
	if testneed.Matrix() {
		platforms = develop.Platforms
	}
	for _, p := range platforms {
		t.Run(p.System+" "+p.Processor, func(t *testing.T) {
			t.Parallel()
			checkRelease(t, p)
		})
	}
}

func checkRelease(t *testing.T, p develop.Platform) {
	t.Helper()
	name := strings.Join([]string{"drill", harness.Release, p.System, p.Processor}, "_")
	binary, sums := release(t, p, name)
	digest := sha256.Sum256(binary)
	if want := hex.EncodeToString(digest[:]) + "  " + name + "\n"; sums != want {
		t.Errorf("the sums are\n%swant\n%s", sums, want)
	}
	again, sumsAgain := release(t, p, name)
	if !bytes.Equal(binary, again) || sums != sumsAgain {
		t.Errorf("other bytes from the same sources: %s and then %s", sums, sumsAgain)
	}
	if got := processorOf(p.System, binary); got != p.Processor {
		t.Fatalf("no program for %v, but for %q", p, got)
	}
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"CGO_ENABLED": "0", "-trimpath": "true", "GOOS": p.System, "GOARCH": p.Processor}
	for _, s := range info.Settings {
		if value, asked := want[s.Key]; asked && value == s.Value {
			delete(want, s.Key)
		}
	}
	if len(want) > 0 || info.GoVersion != runtime.Version() {
		t.Errorf("built by %s without %v: %v", info.GoVersion, want, info.Settings)
	}
}

// processorOf is what a program of the system runs on, as Go names it; empty if it
// is none of that system.
func processorOf(system string, binary []byte) string {
	if system == "darwin" {
		file, err := macho.NewFile(bytes.NewReader(binary))
		if err != nil {
			return ""
		}
		return map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}[file.Cpu]
	}
	file, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return ""
	}
	return map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[file.Machine]
}

// changing has other sources each time it is asked.
type changing struct{ asked int }

func (c *changing) BuildName() (string, error) {
	c.asked++
	return fmt.Sprintf("1.0.0+src.%d", c.asked), nil
}

func (c *changing) CompileFor(_ context.Context, out, _, _ string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(out), 0o755), os.WriteFile(out, nil, 0o755))
}

// Binaries of different sources are no release.
func TestReleaseOfSourcesThatChange(t *testing.T) {
	t.Parallel()
	c := develop.Checkout{Dir: t.TempDir(), Stdout: io.Discard, Stderr: io.Discard}
	err := c.Release(t.Context(), &changing{}, develop.Platforms)
	if err == nil || !strings.Contains(err.Error(), "changed from 1.0.0+src.1 to 1.0.0+src.2") {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "dist", "SHA256SUMS")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there are sums: %v", err)
	}
}

// release is the binary of this name that a copy of the sources gives, and the file
// of sums.
func release(t *testing.T, p develop.Platform, name string) (binary []byte, sums string) {
	t.Helper()
	dir := t.TempDir()
	if err := testneed.CopySources("../..", dir); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	h := &harness.Home{Dir: dir, Stdout: &said, Stderr: &said}
	old := filepath.Join(dir, "dist", "drill_0.0.1_plan9_mips")
	if err := os.MkdirAll(filepath.Dir(old), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, []byte("of the last release"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := develop.Checkout{Dir: dir, Stdout: &said, Stderr: &said}
	if err := c.Release(t.Context(), h, []develop.Platform{p}); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	names, err := filepath.Glob(filepath.Join(dir, "dist", "*"))
	if err != nil || len(names) != 2 {
		t.Errorf("dist holds %q: %v", names, err)
	}
	binary, err = os.ReadFile(filepath.Join(dir, "dist", name))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "dist", "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, strings.TrimSpace(string(root))} {
		if bytes.Contains(binary, []byte(path)) {
			t.Errorf("the binary tells where it was built: %s", path)
		}
	}
	build, err := h.BuildName()
	if err != nil || !strings.HasPrefix(build, harness.Release+"+src.") {
		t.Fatalf("the sources are called %q: %v", build, err)
	}
	if _, sources, _ := strings.Cut(build, "+src."); !bytes.Contains(binary, []byte(sources)) {
		t.Errorf("the binary does not know that it is %s", build)
	}
	return binary, string(text)
}
