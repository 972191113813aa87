package harness_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"

	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

func example(name string) string { return filepath.Join(repository, "docs", "examples", name) }

// readExample reads a file of the repository, which holds no key that the shape
// does not know.
func readExample(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// gateContainer is what the init container before the migration is told.
func gateContainer(t *testing.T) []string {
	t.Helper()
	var job struct {
		Spec struct {
			Template struct {
				Spec struct {
					InitContainers []struct {
						Name string
						Args []string
					} `yaml:"initContainers"`
				}
			}
		}
	}
	text, err := os.ReadFile(example("kubernetes.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &job)
	}
	if err != nil {
		t.Fatal(err)
	}
	containers := job.Spec.Template.Spec.InitContainers
	if len(containers) != 1 || containers[0].Name != "gate" {
		t.Fatalf("%+v", job)
	}
	return containers[0].Args
}

// shop makes a place as the examples want it: bin/drill, and the demo as the
// drill shop.
func shop(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.demo(sandbox.Local)
	drills := filepath.Join(p.dir, "drills")
	program, err := os.ReadFile(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.Rename(filepath.Join(drills, "demo.yaml"), filepath.Join(drills, "shop.yaml")),
		os.Mkdir(filepath.Join(p.dir, "bin"), 0o755), os.WriteFile(filepath.Join(p.dir, "bin", "drill"), program, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// spoil cuts the newest backup off.
func (p *place) spoil() {
	p.t.Helper()
	if err := os.Truncate(filepath.Join(p.dir, "drills", "demo", "backups", "shop-20260304T031500Z.dump"), 100_000); err != nil {
		p.t.Fatal(err)
	}
}

// The commands of the examples open the gate before a good backup, and end
// with its code before a bad one.
func TestExamplesOfPipelines(t *testing.T) {
	t.Parallel()
	p := shop(t)
	gates := []struct{ name, script string }{
		{"GitHub Actions", actionScript(t, p, "github-actions.yml", "gate")},
		{"GitLab CI", componentScript(t, "gitlab-ci.yml")},
		{"Kubernetes", "bin/drill " + strings.Join(gateContainer(t), " ")},
	}
	for i, gate := range gates {
		out, code := p.job(gate.script)
		if code != 0 || !strings.Contains(out, "gate shop is open") || strings.Contains(out, "drilling now") != (i == 0) {
			t.Errorf("%s: code %d\n%s", gate.name, code, out)
		}
	}
	p.spoil()
	for _, gate := range gates {
		if out, code := p.job(gate.script); code != 10 || !strings.Contains(out, "\nError: gate shop stays shut: fail at ") {
			t.Errorf("%s: code %d\n%s", gate.name, code, out)
		}
	}
}

func TestExampleOfMake(t *testing.T) {
	t.Parallel()
	program := testneed.Program(t, "make")
	p := shop(t)
	path, err := filepath.Abs(example("Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	migrated := filepath.Join(p.dir, "migrated")
	deploy := func() (string, error) {
		cmd := exec.Command(program, "-f", path, "deploy", "MIGRATE=touch "+migrated)
		cmd.Dir = t.TempDir()
		cmd.Env = p.environ()
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := deploy(); err != nil || !strings.Contains(out, "gate shop is open") {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Remove(migrated); err != nil {
		t.Fatalf("an open gate kept it from migrating: %v", err)
	}
	p.spoil()
	if out, err := deploy(); err == nil || !strings.Contains(out, "Error 10") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(migrated); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it migrated behind a gate that is shut")
	}
}

// imageOf builds the image of the examples with the place's binary.
func imageOf(t *testing.T, p *place) (tag string) {
	t.Helper()
	tag = "daybefore-example:" + filepath.Base(filepath.Dir(p.dir))
	build := exec.Command("docker", "build", "-q", "-f", example("Dockerfile"), "-t", tag, filepath.Join(p.dir, "bin"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", tag).Run() })
	return tag
}

// contained runs the harness in a container, with the place's drill files, as an
// account that the image does not know.
func (p *place) contained(tag string, options []string, args ...string) (string, int) {
	p.t.Helper()
	run := slices.Concat([]string{"run", "--rm", "--user", "4242:4242", "--network", "none", "--cap-drop", "ALL",
		"-v", filepath.Join(p.dir, "drills") + ":/srv/drills/drills:ro"}, options, []string{tag}, args)
	cmd := exec.Command("docker", run...)
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		p.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// The image drills in its own container and beside it.
func TestExampleOfAnImage(t *testing.T) {
	t.Parallel()
	testneed.Image(t, "postgres:17")
	p := shop(t)
	p.enclosed("beside", "container\n  image: postgres:17")
	p.enclosed("shop", sandbox.Local)
	tag := imageOf(t, p)
	t.Run("local", func(t *testing.T) { drillsWithin(t, p, tag) })
	t.Run("engine", func(t *testing.T) { drillsBeside(t, p, tag) })
}

// drillsWithin looks that a container which may make namespaces drills in them,
// and that its reports are its caller's. Another one says what to do.
func drillsWithin(t *testing.T, p *place, tag string) {
	reports := filepath.Join(p.dir, "reports")
	if err := errors.Join(os.Mkdir(reports, 0o777), os.Chmod(reports, 0o777)); err != nil {
		t.Fatal(err)
	}
	kept := []string{"-v", reports + ":/srv/drills/reports"}
	open := slices.Concat(kept, []string{"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
		"--security-opt", "no-new-privileges"})
	for _, tt := range []struct {
		options, args []string
		code          int
		says          string
	}{
		{nil, []string{"drill", "-name=shop"}, 11, "docker run --security-opt seccomp=unconfined"},
		{[]string{"-e", "DRILL_HOME=/srv"}, []string{"drill"}, 11, "no drill file"},
		{open, []string{"drill", "-name=shop"}, 0, "sandbox   local, PostgreSQL 17."},
		{kept, gateContainer(t), 0, "gate shop is open"},
	} {
		out, code := p.contained(tag, tt.options, tt.args...)
		if code != tt.code || !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(tt.says), " ")) {
			t.Errorf("%v %v: code %d\n%s", tt.options, tt.args, code, out)
		}
	}
	if r := p.latest("shop"); r.Outcome != verdict.Pass || r.Sandbox.Isolation != sandbox.Enclosed || r.Sandbox.Kind != sandbox.Local {
		t.Errorf("%s: %+v", r.Outcome, r.Sandbox)
	}
	info, err := os.Stat(filepath.Join(reports, "shop", "latest.json"))
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != 4242 {
		t.Errorf("the report is another's: %v, %v", info, err)
	}
}

// drillsBeside looks that a container which is lent the engine's socket has its
// sandbox beside it, though it shares no directory with the engine's machine.
func drillsBeside(t *testing.T, p *place, tag string) {
	const socket = "/var/run/docker.sock"
	info, err := os.Stat(socket)
	if err != nil {
		testneed.Missing(t, "the engine's socket: %v", err)
	}
	lent := []string{"-v", socket + ":" + socket}
	out, code := p.contained(tag, lent, "drill", "-name=beside")
	if code != 11 || !strings.Contains(out, "let this account use the container engine") {
		t.Errorf("an account without the socket's group: code %d\n%s", code, out)
	}
	group := strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Gid))
	out, code = p.contained(tag, slices.Concat(lent, []string{"--group-add", group}), "drill", "-name=beside")
	if code != 0 || !strings.Contains(out, "sandbox   container postgres:17, PostgreSQL 17.") {
		t.Errorf("code %d\n%s", code, out)
	}
}

// enclosed makes a drill of the drill shop that is content with no less than the
// best isolation.
func (p *place) enclosed(name, kind string) {
	p.t.Helper()
	path := filepath.Join(p.dir, "drills", "shop.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	edited := strings.NewReplacer("\n  isolation: no_listener\n", "\n", "\n  kind: local\n", "\n  kind: "+kind+"\n").Replace(string(text))
	p.write("drills/"+name+".yaml", edited)
}

// cronLine is a page's line for cron that begins so, as cron hands it to sh.
func cronLine(t *testing.T, page, schedule string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(schedule) + `  (.*)$`).FindStringSubmatch(pages(t)[page])
	if line == nil || regexp.MustCompile(`(^|[^\\])%`).MatchString(line[1]) {
		t.Fatalf("%s has no line for cron, or one with a bare %%, which cron takes for the end of a line: %q", page, line)
	}
	return strings.ReplaceAll(line[1], `\%`, "%")
}

// The nightly line mails what a red drill says, and nothing else. So does the
// hourly one.
func TestExampleOfCron(t *testing.T) {
	t.Parallel()
	nightly := cronLine(t, "README.md", "0 5 * * *")
	if other := cronLine(t, "docs/nightly.md", "0 5 * * *"); other != nightly {
		t.Errorf("docs/nightly.md has another line than README.md: %s", other)
	}
	hourly := cronLine(t, "docs/nightly.md", "17 * * * *")
	p := shop(t)
	mails := filepath.Join(p.dir, "mails")
	path := filepath.Join(p.dir, "path")
	p.mailer()
	mailed := func(line, home string) string {
		cmd := exec.Command("/bin/sh", "-c", strings.ReplaceAll(line, "/srv/drills", home))
		cmd.Env = slices.Concat(os.Environ(), []string{"TMPDIR=" + p.tmp, "PATH=" + path + ":" + os.Getenv("PATH")})
		if out, err := cmd.CombinedOutput(); len(out) > 0 {
			t.Errorf("cron would mail this itself: %v\n%s", err, out)
		}
		text, err := os.ReadFile(mails)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := mailed(nightly, p.dir); text != "" || p.latest("shop").Outcome != verdict.Pass {
		t.Errorf("a green drill mailed:\n%s", text)
	}
	if text := mailed(hourly, p.dir); text != "" {
		t.Errorf("a healthy store mailed:\n%s", text)
	}
	p.spoil()
	red := mailed(nightly, p.dir)
	for _, part := range []string{"-s restore drill ops@example.com\n", "FAIL  shop: ", "\nError: shop: fail at fetch (checksum)\n"} {
		if !strings.Contains(red, part) {
			t.Errorf("a red drill mailed no %q:\n%s", part, red)
		}
	}
	for _, line := range []string{nightly, hourly} {
		before := len(red)
		red = mailed(line, filepath.Join(p.dir, "gone"))
		if !strings.Contains(red[before:], "gone") {
			t.Errorf("a folder that is gone mailed:\n%s", red[before:])
		}
	}
}
