package pgtest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/testneed"
)

// WithExtensions returns a local image: the given one, such as postgres:17,
// with these files in the folder of its extensions, by their names (x.control,
// x--1.0.sql), and with libraries of these names that can be loaded and do
// nothing by themselves. Nothing is pulled. An image is built once for each
// content, and stays for the next test that wants the same; it adds a few
// kilobytes.
func WithExtensions(t testing.TB, image string, files map[string]string, libraries ...string) string {
	t.Helper()
	testneed.Image(t, image)
	base := docker(t, nil, "image", "inspect", "-f", "{{.Id}}", image)
	folder := docker(t, nil, "run", "--rm", "--network", "none", "--entrypoint", "pg_config", image, "--sharedir") +
		"/extension/"
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q", base, folder)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, " %q %q", name, files[name])
	}
	recipe := "FROM " + image + "\nCOPY files/ " + folder + "\n"
	for _, name := range libraries {
		fmt.Fprintf(sum, " library %q", name)
		recipe += `RUN cd "$(pg_config --pkglibdir)" && cp auto_explain.so ` + name + ".so\n"
	}
	tag := "daybefore-test-extensions:" + hex.EncodeToString(sum.Sum(nil)[:12])
	if exec.CommandContext(t.Context(), "docker", "image", "inspect", tag).Run() != nil {
		docker(t, buildContext(t, recipe, files), "build", "-q", "--network", "none", "-t", tag, "-")
	}
	return tag
}

// buildContext packs what an image is built from.
func buildContext(t testing.TB, recipe string, files map[string]string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	add := func(name, text string) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	add("Dockerfile", recipe)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		add("files/"+name, files[name])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// docker runs the engine's client and returns what it prints.
func docker(t testing.TB, stdin []byte, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Stdout = &stdout
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("docker %q: %v: %s", args[0], err, stderr.Bytes())
	}
	return strings.TrimSpace(stdout.String())
}
