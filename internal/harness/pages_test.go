package harness_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/harness"
	"daybefore/internal/sandbox"
)

// pages are all that people read, by their path in the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "reports/*.md"} {
		paths, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.ToSlash(filepath.Join(filepath.Dir(pattern), filepath.Base(path)))] = string(text)
		}
	}
	return all
}

var (
	link    = regexp.MustCompile(`\]\(([^):#]*)(?:#([^)]*))?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are what a page's headings are linked by.
func anchors(page string) (found []string) {
	for _, h := range heading.FindAllStringSubmatch(page, -1) {
		found = append(found, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return found
}

func TestLinksOfThePagesLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for name, text := range all {
		for _, l := range link.FindAllStringSubmatch(text, -1) {
			target := name
			if l[1] != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), l[1]))
			}
			if _, err := os.Stat(filepath.Join(repository, target)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if l[2] != "" && !slices.Contains(anchors(all[target]), l[2]) {
				t.Errorf("%s: %s has no heading %q", name, target, l[2])
			}
		}
	}
}

// The first page is read in a minute, and no paragraph is a wall.
func TestPagesAreShort(t *testing.T) {
	t.Parallel()
	const mostWords = 500
	const widest = 620
	all := pages(t)
	first := all["README.md"]
	if n := len(strings.Fields(first)); n > mostWords || strings.Contains(first, "|---") {
		t.Errorf("README.md has %d words, or a table", n)
	}
	for name, text := range all {
		for i, line := range strings.Split(text, "\n") {
			if len([]rune(line)) > widest && !strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d has %d columns", name, i+1, len([]rune(line)))
			}
		}
	}
}

// Every command of the pages is one that the harness understands.
func TestCommandsOfThePagesAreUnderstood(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?ms)^```\\w*\n(.*?)^```$")
	command := regexp.MustCompile(`(?:go tool mage|\./bin/drill) ([a-z][^#>&|)\n]*)`)
	quoted := regexp.MustCompile(`"[^"]*"`)
	found := 0
	for name, text := range pages(t) {
		for _, b := range block.FindAllStringSubmatch(text, -1) {
			for _, c := range command.FindAllStringSubmatch(b[1], -1) {
				found++
				args := strings.Fields(quoted.ReplaceAllString(c[1], "text"))
				if _, err := harness.AllTargets.Arguments(args, func(string) string { return "" }); err != nil {
					t.Errorf("%s: %q: %v", name, c[1], err)
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d commands were found", found)
	}
}

// The page of targets has a row for each that a user needs, with its options.
func TestThePageOfTargetsIsWhole(t *testing.T) {
	t.Parallel()
	rows := regexp.MustCompile("(?m)^\\| `([^ `]+)([^`]*)`").FindAllStringSubmatch(pages(t)["docs/targets.md"], -1)
	told := map[string]string{}
	for _, row := range rows {
		told[row[1]] = row[2]
	}
	for _, target := range harness.UserTargets {
		options, there := told[target.Name]
		delete(told, target.Name)
		if !there {
			t.Errorf("docs/targets.md has no row for %s", target.Name)
			continue
		}
		for _, o := range target.Options {
			if !strings.Contains(options, "-"+o.Name) {
				t.Errorf("docs/targets.md: %s lacks -%s", target.Name, o.Name)
			}
		}
	}
	for name := range told {
		t.Errorf("docs/targets.md has %s, which is no target", name)
	}
}

// The report that the first page shows is what the demo's drill says when it
// finds half of what was declared.
func TestExampleOfAReport(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.demo(sandbox.Local)
	p.editDemo(func(text string) string {
		before, after, _ := strings.Cut(text, "table: bot.messages\n")
		after = strings.Replace(after, "row_count: {min: 4000}", "row_count: {min: 9000}", 1)
		return before + "table: bot.messages\n" + after
	})
	drill := p.start("drill")
	if code := drill.end(); code != 10 {
		t.Fatalf("ended with %d\n%s", code, drill.said())
	}
	took := regexp.MustCompile(` +[0-9.]+ m?s\b`)
	said := took.ReplaceAllString(drill.stdout.String(), " TOOK")
	_, sample, _ := strings.Cut(pages(t)["README.md"], "\n```\n")
	sample, _, _ = strings.Cut(sample, "\n```\n")
	for line := range strings.SplitSeq(took.ReplaceAllString(sample, " TOOK"), "\n") {
		if line != "…" && !strings.Contains(said, line) {
			t.Errorf("a report does not say %q:\n%s", line, said)
		}
	}
}

// The workflow runs the two commands of the first page, and what the project's own
// CI runs at once.
func TestTheWorkflowRunsTheCommands(t *testing.T) {
	t.Parallel()
	workflow, err := os.ReadFile(filepath.Join(repository, ".github", "workflows", "ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, commands, _ := strings.Cut(pages(t)["README.md"], "## Two commands\n```\n")
	commands, _, _ = strings.Cut(commands, "```")
	own, err := os.ReadFile(filepath.Join(repository, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^go tool mage .*$`).FindAllString(string(own), -1)
	if !slices.Equal(found, []string{"go tool mage dev:ci"}) {
		t.Errorf(".ci/run runs %q", found)
	}
	commands += "go tool mage dev:check\ngo tool mage dev:test\n"
	for line := range strings.Lines(commands) {
		command, _, _ := strings.Cut(line, "#")
		command = strings.TrimSpace(command)
		if !strings.Contains(string(workflow), "run: "+command+"\n") {
			t.Errorf("the workflow does not run %q", command)
		}
	}
}
