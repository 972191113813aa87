package image

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/testneed"
)

func TestMajors(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]int{13, 15, 17, 18, 19}, Majors()); diff != "" {
		t.Error(diff)
	}
	if _, ok := suites[16]; ok {
		t.Error("no Debian suite carries 16")
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		options Options
		want    string
	}{
		{"nothing asked for", Options{}, "no Debian suite carries PostgreSQL 0: choose one of 13, 15, 17, 18, 19"},
		{"a major between", Options{Major: 16}, "PostgreSQL 16"},
		{"an option as package", Options{Major: 17, Packages: []string{"-oDir=/"}}, `"-oDir=/" is no name of a Debian package`},
		{"a mirror on disk", Options{Major: 17, Mirror: "/srv/debian"}, "is not an http or https URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := tt.options.plan(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestObstaclesAreNamedInOneLine(t *testing.T) {
	t.Parallel()
	if err := obstacles(0, nil); err != nil {
		t.Error(err)
	}
	err := obstacles(1000, []string{"debootstrap", "docker.io"})
	want := "building a postgres image from Debian's packages: install debootstrap docker.io (Debian's names), run as root"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestRecipe holds the official image's values, letter by letter.
func TestRecipe(t *testing.T) {
	t.Parallel()
	for major, want := range map[int][]string{
		17: {"ENV LANG=en_US.utf8 PG_MAJOR=17 PGDATA=/var/lib/postgresql/data\n", "VOLUME /var/lib/postgresql/data\n"},
		18: {"ENV LANG=en_US.utf8 PG_MAJOR=18 PGDATA=/var/lib/postgresql/18/docker\n", "VOLUME /var/lib/postgresql\n"},
	} {
		want = append(want, fmt.Sprintf(":/usr/lib/postgresql/%d/bin\n", major), "STOPSIGNAL SIGINT\n")
		for _, line := range want {
			if got := (plan{major: major}).recipe(); !strings.Contains(got, line) {
				t.Errorf("%d: %s\nlacks %s", major, got, line)
			}
		}
	}
}

func TestRootfsEnvKeepsTheProxyAndNothingElse(t *testing.T) {
	t.Parallel()
	env := rootfsEnv([]string{"TMPDIR=/var/tmp/x", "http_proxy=http://proxy.example.com:3128", "NO_PROXY=example.com", "PGPASSWORD=x", "PATH=/opt"})
	want := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive",
		"http_proxy=http://proxy.example.com:3128", "NO_PROXY=example.com"}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Error(diff)
	}
}

func TestTailKeepsTheLastLinesAndPassesStepsOn(t *testing.T) {
	t.Parallel()
	var steps []string
	said := tail{step: func(s string) { steps = append(steps, s) }}
	for _, part := range []string{"one\nI: Retrieving x\ntwo\nste", "p: unpacking\n", strings.Repeat("x", 2*lineBytes), "\n3\n4\n5\n6\n7\n8\n", "E: broken"} {
		if n, err := said.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("wrote %d of %d: %v", n, len(part), err)
		}
	}
	if diff := cmp.Diff([]string{"unpacking"}, steps); diff != "" {
		t.Error(diff)
	}
	want := "two; " + strings.Repeat("x", lineBytes) + "; 3; 4; 5; 6; 7; 8; E: broken"
	if diff := cmp.Diff(want, said.String()); diff != "" {
		t.Error(diff)
	}
}

// needBuild wants all that a build wants.
func needBuild(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds an image")
	}
	testneed.Docker(t)
	testneed.Root(t)
	testneed.Program(t, "debootstrap")
}

// TestBuild goes the whole way, with a package more than the server.
func TestBuild(t *testing.T) {
	needBuild(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	tag := "daybefore-test:" + strings.ToLower(filepath.Base(temp)) + randomName()
	t.Cleanup(func() {
		if _, err := docker(context.Background(), "image", "rm", "--force", tag); err != nil {
			t.Error(err)
		}
	})
	var steps []string
	err := Build(t.Context(), Options{
		Major: 15, Tag: tag, Packages: []string{"postgresql-15-ip4r"},
		Progress: func(step string) {
			steps = append(steps, step)
			mounts, err := os.ReadFile("/proc/self/mountinfo")
			if err == nil && strings.Contains(string(mounts), temp) {
				t.Errorf("at %q something is mounted where it can outlive the build:\n%s", step, mounts)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "unpacking Debian bookworm"; !slices.Contains(steps, want) {
		t.Errorf("steps %q, want %q among them", steps, want)
	}
	wantEmpty(t, temp)

	t.Run("config", func(t *testing.T) {
		got := must(t, "image", "inspect", "--format", "{{.Architecture}} {{.Config.StopSignal}} {{.Config.Volumes}} {{.Config.Env}}", tag)
		want := runtime.GOARCH + " SIGINT map[/var/lib/postgresql/data:{}] " +
			"[PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin " +
			"LANG=en_US.utf8 PG_MAJOR=15 PGDATA=/var/lib/postgresql/data]"
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	t.Run("files", func(t *testing.T) {
		got := must(t, "run", "--rm", "--network", "none", tag, "sh", "-c", `
			stat -c '%U:%G %u:%g %a %n' /var/lib/postgresql /var/lib/postgresql/data /var/run/postgresql/
			find /etc/postgresql /var/lib/postgresql/data /var/lib/apt/lists -mindepth 1 ! -path '*/apt/lists/*'
			locale -a | grep -cE '^(C.utf8|en_US.utf8|de_DE.utf8|fr_FR.utf8)$'
			ls /usr/share/postgresql/15/extension/ip4r.control
			cat /proc/1/comm`)
		want := strings.Join([]string{
			"postgres:postgres 999:999 755 /var/lib/postgresql",
			"postgres:postgres 999:999 1777 /var/lib/postgresql/data",
			"postgres:postgres 999:999 3777 /var/run/postgresql/",
			"4",
			"/usr/share/postgresql/15/extension/ip4r.control",
			"sh",
		}, "\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("server", func(t *testing.T) {
		got := must(t, "run", "--rm", "--network", "none", "--user", "postgres", tag, "sh", "-euc", `
			initdb -U postgres >/dev/null 2>&1
			pg_ctl -w start >/dev/null
			psql -XAtq -U postgres -c 'CREATE EXTENSION ip4r' -c 'SHOW server_encoding'
			pg_ctl -w stop >/dev/null`)
		if got != "UTF8" {
			t.Errorf("encoding %q", got)
		}
	})
}

func TestBuildCanceledLeavesNothing(t *testing.T) {
	needBuild(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tag := "daybefore-test:" + randomName()
	err := Build(ctx, Options{Major: 17, Tag: tag, Progress: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	wantEmpty(t, temp)
	if there, err := Exists(t.Context(), tag); there || err != nil {
		t.Errorf("image %s is there: %v (%v)", tag, there, err)
	}
}

func TestBuildSaysWhatDebootstrapSaid(t *testing.T) {
	needBuild(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("http_proxy", "")
	err := Build(t.Context(), Options{Major: 17, Tag: "daybefore-test:" + randomName(), Mirror: "http://127.0.0.1:1/debian"})
	for _, want := range []string{"build daybefore-test:", "from Debian trixie", "fill the root directory: exit status 1", "E: Failed getting release file"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	wantEmpty(t, temp)
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := docker(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func randomName() string { return strings.ToLower(rand.Text()[:12]) }

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Errorf("left behind in the temporary directory: %v", entries)
	}
}
