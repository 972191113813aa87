package harness_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

var buildDir string // where the compiled binary lies

func TestMain(m *testing.M) {
	if os.Getenv(inARowEnv) != "" {
		os.Exit(drillInARow())
	}
	for _, name := range []string{"GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"} {
		os.Unsetenv(name) // of the job that runs these tests
	}
	os.Exit(func() int {
		var err error
		buildDir, err = os.MkdirTemp("", "harness-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(buildDir)
		if err := os.Chmod(buildDir, 0o755); err != nil { // other accounts run it too
			panic(err)
		}
		return m.Run()
	}())
}

const repository = "../.."

// build puts the compiled targets where other accounts find them too.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "drill")
	return path, testneed.CopyDrill(repository, path)
})

func binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// kinds runs a test for both sandboxes.
func kinds(t *testing.T, test func(t *testing.T, kind string)) {
	t.Parallel()
	for _, kind := range []string{sandbox.Local, sandbox.Container} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if kind == sandbox.Container {
				testneed.Image(t, "postgres:15")
			}
			test(t, kind)
		})
	}
}

// place is a folder with drills/, and a temporary directory of its own, so
// that whatever a drill leaves behind is found.
type place struct {
	t   testing.TB
	dir string
	tmp string
	env []string // for its processes
}

// newPlace makes a place without drills. Everybody may pass through it: a
// local server runs as another account.
func newPlace(t testing.TB) *place {
	t.Helper()
	top, err := os.MkdirTemp(testneed.ShortTemp(), "h-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	p := &place{t: t, dir: filepath.Join(top, "home"), tmp: filepath.Join(top, "t")}
	t.Cleanup(p.sweep)
	for _, dir := range []string{top, p.dir, p.tmp, filepath.Join(p.dir, "drills")} {
		if err := errors.Join(ignoreExist(os.Mkdir(dir, 0o711)), os.Chmod(dir, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func ignoreExist(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// demo copies the demo into the place, for one kind of sandbox.
func (p *place) demo(kind string) {
	p.t.Helper()
	if err := copyDemo(p.dir, kind); err != nil {
		p.t.Fatal(err)
	}
}

// editDemo changes the demo's drill file in the place.
func (p *place) editDemo(edit func(text string) string) {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "drills", "demo.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("drills/demo.yaml", edit(string(text)))
}

func copyDemo(dir, kind string) error {
	drills := filepath.Join(repository, "drills")
	text, err := os.ReadFile(filepath.Join(drills, "demo.yaml"))
	if err != nil {
		return err
	}
	const auto = "\n  kind: auto\n"
	if !bytes.Contains(text, []byte(auto)) {
		return errors.New("drills/demo.yaml does not say kind: auto")
	}
	text = bytes.Replace(text, []byte(auto), []byte("\n  kind: "+kind+"\n"), 1)
	to := filepath.Join(dir, "drills")
	return errors.Join(
		os.CopyFS(filepath.Join(to, "demo"), os.DirFS(filepath.Join(drills, "demo"))),
		os.WriteFile(filepath.Join(to, "demo.yaml"), text, 0o644),
	)
}

// write writes a file below the place.
func (p *place) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		p.t.Fatal(err)
	}
}

// environ is the process's, with a temporary directory of the place's own.
func (p *place) environ(more ...string) []string {
	return slices.Concat(os.Environ(), []string{"TMPDIR=" + p.tmp, "DRILL_HOME=" + p.dir, "DRILL_LOG=debug"}, p.env, more)
}

// process is the compiled binary under way.
type process struct {
	*exec.Cmd
	t      testing.TB
	stdout bytes.Buffer
	stderr tail
}

// start starts the binary.
func (p *place) start(args ...string) *process {
	p.t.Helper()
	return p.startCmd(exec.Command(binary(p.t), args...))
}

func (p *place) startCmd(cmd *exec.Cmd) *process {
	p.t.Helper()
	pr := &process{Cmd: cmd, t: p.t}
	pr.stderr.said = sync.NewCond(&pr.stderr.mu)
	if cmd.Env == nil {
		cmd.Env = p.environ()
	}
	if cmd.Dir == "" {
		cmd.Dir = p.dir
	}
	if cmd.Stdout == nil {
		cmd.Stdout = &pr.stdout
	}
	cmd.Stderr = &pr.stderr
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = cmd.Process.Kill() }) // where the test has failed before its end
	return pr
}

// end waits for the end of a process and returns its exit code.
func (pr *process) end() int {
	pr.t.Helper()
	err := pr.Wait()
	pr.stderr.close()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		pr.t.Fatal(err)
	}
	return pr.ProcessState.ExitCode()
}

// said is all that a process wrote.
func (pr *process) said() string {
	return fmt.Sprintf("stdout:\n%s\nstderr:\n%s", pr.stdout.String(), pr.stderr.String())
}

// tail keeps what a process writes, and lets others wait for it.
type tail struct {
	mu     sync.Mutex
	said   *sync.Cond
	buf    bytes.Buffer
	closed bool
}

func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.said.Broadcast()
	return w.buf.Write(b)
}

func (w *tail) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.said.Broadcast()
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// latest is the newest kept report of a drill.
func (p *place) latest(drill string) *verdict.Report {
	p.t.Helper()
	r, err := readLatest(p.dir, drill)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func readLatest(dir, drill string) (*verdict.Report, error) {
	b, err := os.ReadFile(filepath.Join(dir, "reports", drill, "latest.json"))
	if err != nil {
		return nil, err
	}
	var r verdict.Report
	return &r, json.Unmarshal(b, &r)
}

// nothingLeft fails the test if anything of a drill in this place is still
// there: files, processes, containers, or volumes that its containers had.
func (p *place) nothingLeft(volumes ...string) {
	p.t.Helper()
	left := append(files(p.t, p.tmp), settle(func() []string {
		found := surviving(volumes)
		for _, pr := range processes(p.tmp) {
			found = append(found, fmt.Sprintf("process %d: %.100s", pr.pid, pr.command))
		}
		for _, c := range p.containers() {
			found = append(found, "container "+c.id)
		}
		return found
	})...)
	for _, what := range left {
		p.t.Errorf("left behind: %s", what)
	}
}

// sweep removes what a failed test has left, so that it troubles no other.
func (p *place) sweep() {
	for _, c := range p.containers() {
		_ = exec.Command("docker", "rm", "-f", "-v", c.id).Run()
	}
	for _, pr := range processes(p.tmp) {
		_ = syscall.Kill(pr.pid, syscall.SIGKILL)
	}
	os.RemoveAll(p.tmp)
}

// settle asks what is left until that is nothing, or for so long that it will
// stay: the engine removes a volume a moment after its container.
func settle(left func() []string) (found []string) {
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		found = left()
		if len(found) == 0 || time.Now().After(end) {
			return found
		}
	}
}

func files(t testing.TB, dir string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		found = append(found, filepath.Join(dir, e.Name()))
	}
	return found
}

// running is a process of this machine.
type running struct {
	pid     int
	command string
}

// processes lists those that work below a directory or name it.
func processes(dir string) (found []running) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, proc := range procs {
		pid, err := strconv.Atoi(filepath.Base(proc))
		if err != nil || pid == os.Getpid() {
			continue
		}
		cwd, _ := os.Readlink(filepath.Join(proc, "cwd"))
		command, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		if strings.HasPrefix(cwd, dir+"/") || bytes.Contains(command, []byte(dir+"/")) {
			found = append(found, running{pid, string(bytes.ReplaceAll(command, []byte{0}, []byte{' '}))})
		}
	}
	return found
}

// container is one of a drill's, with the volumes that go with it.
type container struct {
	id      string
	volumes []string
}

// containers lists those whose lock lies below the place's temporary
// directory; none where there is no Docker.
func (p *place) containers() (found []container) {
	out, err := exec.Command("docker", "ps", "-a", "--no-trunc", "--filter", "label=daybefore.owner",
		"--format", `{{.ID}} {{.Label "daybefore.lock"}} {{.Mounts}}`).Output()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(fields) < 3 || !strings.HasPrefix(fields[1], p.tmp+"/") {
			continue
		}
		c := container{id: fields[0]}
		for mount := range strings.SplitSeq(fields[2], ",") {
			if !strings.HasPrefix(mount, "/") { // which is a directory of this machine
				c.volumes = append(c.volumes, mount)
			}
		}
		found = append(found, c)
	}
	return found
}

// volumes lists those of the place's containers.
func (p *place) volumes() (names []string) {
	for _, c := range p.containers() {
		names = append(names, c.volumes...)
	}
	return names
}

func surviving(volumes []string) (found []string) {
	for _, v := range volumes {
		if exec.Command("docker", "volume", "inspect", v).Run() == nil {
			found = append(found, "volume "+v)
		}
	}
	return found
}

// stageOf returns a stage of a report.
func stageOf(r *verdict.Report, name string) verdict.Stage {
	for _, s := range r.Stages {
		if s.Name == name {
			return s
		}
	}
	return verdict.Stage{}
}

func kill(t testing.TB, pr *process, sig syscall.Signal) {
	t.Helper()
	if err := pr.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}
