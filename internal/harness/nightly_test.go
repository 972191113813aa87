package harness_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"daybefore/internal/testneed"
)

// What the examples write of GitHub's workflows and actions, and no other key.
type (
	githubWorkflow struct {
		Name string
		On   struct {
			Schedule         []struct{ Cron string }
			Push             struct{ Branches []string }
			WorkflowDispatch struct{} `yaml:"workflow_dispatch"`
		}
		Concurrency any
		Permissions map[string]string
		Jobs        map[string]struct {
			Needs          string
			RunsOn         string `yaml:"runs-on"`
			TimeoutMinutes int    `yaml:"timeout-minutes"`
			Env            map[string]string
			Steps          []githubStep
		}
	}
	githubStep struct {
		ID, Name, If, Uses, Run, Shell string
		WorkingDirectory               string `yaml:"working-directory"`
		With, Env                      map[string]string
	}
	githubAction struct {
		Name, Description string
		Inputs            map[string]struct{ Description, Default string }
		Outputs           map[string]struct{ Description, Value string }
		Runs              struct {
			Using string
			Steps []githubStep
		}
	}
)

// What the examples write of GitLab's pipelines.
type (
	gitlabPipeline struct {
		Stages  []string
		Include []struct {
			Local  string
			Inputs map[string]string
		}
		Drill, Gate, Migrate gitlabJob
	}
	gitlabJob struct {
		Stage, Image, Timeout string
		Retry                 struct {
			Max       int
			ExitCodes []int `yaml:"exit_codes"`
		}
		Variables map[string]string
		Cache     struct {
			Key   string
			Paths []string
		}
		BeforeScript  []string `yaml:"before_script"`
		Script, Needs []string
		Artifacts     struct {
			When    string
			Paths   []string
			Reports struct{ JUnit string }
		}
		ResourceGroup string `yaml:"resource_group"`
		Rules         []struct{ If string }
	}
)

var githubExpression = regexp.MustCompile(`\$\{\{ *([a-z_.]+) *\}\}`)

// actionScript is what a job's step that uses the action runs, with its
// variables before it.
func actionScript(t *testing.T, p *place, workflow, job string) string {
	t.Helper()
	var w githubWorkflow
	readExample(t, example(workflow), &w)
	var action githubAction
	readExample(t, filepath.Join(repository, "action.yml"), &action)
	steps := w.Jobs[job].Steps
	i := slices.IndexFunc(steps, func(s githubStep) bool { return s.Uses == "./" })
	n := slices.IndexFunc(action.Runs.Steps, func(s githubStep) bool { return s.ID == "run" })
	if i < 0 || n < 0 {
		t.Fatalf("%s does not use the action: %+v", workflow, w)
	}
	values := map[string]string{"github.action_path": p.dir}
	for name, input := range action.Inputs {
		values["inputs."+name] = input.Default
	}
	for name, value := range steps[i].With {
		if _, known := action.Inputs[name]; !known {
			t.Errorf("%s: the action has no input %s", workflow, name)
		}
		values["inputs."+name] = value
	}
	var script strings.Builder
	for name, value := range action.Runs.Steps[n].Env {
		value = githubExpression.ReplaceAllStringFunc(value, func(s string) string { return values[githubExpression.FindStringSubmatch(s)[1]] })
		fmt.Fprintf(&script, "export %s='%s'\n", name, value)
	}
	return script.String() + action.Runs.Steps[n].Run
}

// componentScript is what the job of a pipeline that includes the component runs.
func componentScript(t *testing.T, pipeline string) string {
	t.Helper()
	var including gitlabPipeline
	readExample(t, example(pipeline), &including)
	if len(including.Include) != 1 {
		t.Fatalf("%+v", including)
	}
	text, err := os.ReadFile(filepath.Join(repository, including.Include[0].Local))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(text), "\n---\n")
	var component struct {
		Spec struct {
			Inputs map[string]struct {
				Description, Default string
				Options              []string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions([]byte(head), &component, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	given := including.Include[0].Inputs
	for name, input := range component.Spec.Inputs {
		value, there := given[name]
		if !there {
			value = input.Default
		}
		delete(given, name)
		body = strings.ReplaceAll(body, "$[[ inputs."+name+" ]]", value)
	}
	if len(given) > 0 || strings.Contains(body, "$[[") {
		t.Errorf("%s gives inputs that the component does not have, or the component uses one that it does not name: %v", pipeline, given)
	}
	var jobs map[string]gitlabJob
	if err := yaml.UnmarshalWithOptions([]byte(body), &jobs, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		return strings.Join(job.Script, "\n")
	}
	t.Fatal("the component has no job")
	return ""
}

// job runs a script as a CI job does, in the place.
func (p *place) job(script string, env ...string) (out string, code int) {
	p.t.Helper()
	cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script)
	cmd.Dir = p.dir
	cmd.Env = p.environ(append([]string{"GITHUB_OUTPUT=" + filepath.Join(p.dir, "output")}, env...)...)
	text, err := cmd.CombinedOutput()
	exit := (*exec.ExitError)(nil)
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

func (p *place) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
	return string(text)
}

// On GitHub a red night shows the line of the drill file and the report, tells
// a bad backup from one that nobody could judge, and obeys no line of a report.
func TestNightsOnGitHub(t *testing.T) {
	t.Parallel()
	p := shop(t)
	p.spoil()
	script := actionScript(t, p, "nightly/github.yml", "drill")
	summary := "GITHUB_STEP_SUMMARY=" + filepath.Join(p.dir, "summary.md")
	out, code := p.job(script, "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE="+p.dir, summary)
	annotation := regexp.MustCompile(`(?m)^::error file=drills/shop.yaml,line=([0-9]+),title=FAIL shop%3A [^:]+::`).FindStringSubmatchIndex(out)
	stopped := regexp.MustCompile(`(?m)^::stop-commands::(\w+)$`).FindStringSubmatch(out)
	if code != 10 || annotation == nil || stopped == nil {
		t.Fatalf("code %d\n%s", code, out)
	}
	again := strings.Index(out, "\n::"+stopped[1]+"::\n")
	if report := strings.Index(out, "FAIL  shop"); report < 0 || again < report || annotation[0] < again {
		t.Errorf("commands are heard too early, or never again:\n%s", out)
	}
	n, err := strconv.Atoi(out[annotation[2]:annotation[3]])
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Split(p.read("drills/shop.yaml"), "\n")[n-1]
	if !strings.HasPrefix(line, "source:") {
		t.Errorf("it leads to %q", line)
	}
	if text := p.read("summary.md"); !strings.Contains(text, "FAIL shop") {
		t.Errorf("the summary:\n%s", text)
	}
	if text := p.read("output"); text != "code=10\n" {
		t.Errorf("the step's output: %q", text)
	}
	var w githubWorkflow
	readExample(t, example("nightly/github.yml"), &w)
	for code, says := range map[string]string{"10": "A backup is bad", "11": "Nothing is known", "": "No drill ran"} {
		if out, _ := p.job(w.Jobs["drill"].Steps[2].Run, "CODE="+code); !strings.HasPrefix(out, "::error title="+says) {
			t.Errorf("%s: %q", code, out)
		}
	}
}

// A page that cannot be written is told, and what the target came to stands.
func TestASummaryThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	p := shop(t)
	nowhere := "GITHUB_STEP_SUMMARY=" + filepath.Join(p.dir, "nowhere", "summary.md")
	for i, want := range []int{0, 10} {
		if i == 1 {
			p.spoil()
		}
		out, code := p.job("bin/drill "+[]string{"inventory", "drill"}[i]+" -name=shop", "GITHUB_ACTIONS=true", nowhere)
		if code != want || !strings.Contains(out, "warning: the step's summary lacks what was drilled: open ") {
			t.Errorf("code %d, want %d\n%s", code, want, out)
		}
	}
}

// On GitLab the job says in words which red it is, and ends with that code.
func TestNightsOnGitLab(t *testing.T) {
	t.Parallel()
	p := shop(t)
	script := componentScript(t, "nightly/gitlab-ci.yml")
	p.spoil()
	if out, code := p.job(script); code != 10 || !strings.HasSuffix(out, "\n10, a backup or its store is bad\n") {
		t.Errorf("code %d\n%s", code, out)
	}
	if files, err := filepath.Glob(filepath.Join(p.dir, "reports/*/*/junit.xml")); err != nil || len(files) != 1 {
		t.Errorf("the job's artifacts: %q, %v", files, err)
	}
	p.write("drills/shop.yaml", "version: 2\n")
	if out, code := p.job(script); code != 11 || !strings.HasSuffix(out, "\n11, it could not be verified, which says nothing about the backup\n") {
		t.Errorf("code %d\n%s", code, out)
	}
}

// unit is a file of the nightly example as systemd reads it, for a place.
func unit(t *testing.T, p *place, name string) string {
	t.Helper()
	text, err := os.ReadFile(example(filepath.Join("nightly", name)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "/srv/drills", p.dir)
}

// starts is what a unit starts, as a shell reads it: systemd's $$ is a $.
func starts(t *testing.T, unit string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(unit)
	if line == nil {
		t.Fatalf("it starts nothing:\n%s", unit)
	}
	return strings.ReplaceAll(line[1], "$$", "$")
}

// systemd takes the units as they are; a red night starts the one that mails.
func TestNightsUnderSystemd(t *testing.T) {
	t.Parallel()
	program := testneed.Program(t, "systemd-analyze")
	p := shop(t)
	p.spoil()
	names := []string{"drill.service", "drill-red.service", "drill.timer"}
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	for _, name := range names {
		p.write("units/"+name, unit(t, p, name))
		args = append(args, filepath.Join(p.dir, "units", name))
	}
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	if out, code := p.job(starts(t, unit(t, p, "drill.service"))); code != 10 || !strings.Contains(out, "FAIL  shop") {
		t.Errorf("code %d\n%s", code, out)
	}
	red := strings.Replace(starts(t, unit(t, p, "drill-red.service")), "journalctl -q -o cat _SYSTEMD_INVOCATION_ID=", "echo red ", 1)
	p.mailer()
	if out, code := p.job(red, "PATH="+filepath.Join(p.dir, "path")+":"+os.Getenv("PATH"), "MONITOR_EXIT_STATUS=10", "MONITOR_INVOCATION_ID=5d2f"); code != 0 {
		t.Errorf("code %d\n%s", code, out)
	}
	if text := p.read("mails"); text != "-s restore drill: exit code 10 ops@example.com\nred 5d2f\n" {
		t.Errorf("mailed: %q", text)
	}
}

// mailer puts a program mail into the place's path/, which writes to mails.
func (p *place) mailer() {
	p.t.Helper()
	p.write("path/mail", "#!/bin/sh\n{ echo \"$@\"; cat; } >>'"+filepath.Join(p.dir, "mails")+"'\n")
	if err := os.Chmod(filepath.Join(p.dir, "path", "mail"), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

// A line of the crontab is one that cron takes, and tells the reds apart.
func TestNightsUnderCron(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(example("nightly/crontab"))
	if err != nil {
		t.Fatal(err)
	}
	p := shop(t)
	p.spoil()
	p.mailer()
	variables := filepath.Join(p.dir, "drill.env")
	p.write("drill.env", "DRILL_LOG='warn'\n")
	if err := os.Chmod(variables, 0o600); err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`^([0-9]{1,2}|\*)( +([0-9]{1,2}|\*)){4} +(\S.*)$`)
	ran := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := entry.FindStringSubmatch(line)
		if fields == nil || regexp.MustCompile(`(^|[^\\])%`).MatchString(line) {
			t.Fatalf("cron would not take %q", line)
		}
		command := strings.ReplaceAll(strings.ReplaceAll(fields[4], `\%`, "%"), "/srv/drills", p.dir)
		command = strings.ReplaceAll(command, "/etc/drill.env", variables)
		if out, code := p.job("set +e\n"+command, "PATH="+filepath.Join(p.dir, "path")+":"+os.Getenv("PATH")); code != 0 || out != "" {
			t.Errorf("cron would mail this itself, of %d:\n%s", code, out)
		}
		ran++
	}
	mails := p.read("mails")
	if ran != 1 || !strings.HasPrefix(mails, "-s restore drill: exit code 10 ops@example.com\n") || !strings.Contains(mails, "FAIL  shop") ||
		strings.Contains(mails, "level=DEBUG") { // of the place's own environment
		t.Errorf("%d lines mailed:\n%s", ran, mails)
	}
}
