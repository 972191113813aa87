package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/report"
	"daybefore/internal/setup"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// InitOptions say what the first drill of a database is made from. What is empty
// is asked for at a terminal.
type InitOptions struct {
	URL     string // of the store
	Name    string // of the drill
	Pattern string // source.name, where the store holds several kinds of backups
	Source  string // further keys of source, as YAML
	Sandbox string // keys of sandbox, as YAML
	// Heartbeat is the variable with the URL of a monitor of jobs.
	Heartbeat string
}

// Init writes the drill file of a database, from its newest backup and the store
// that it lies in, and drills it. Of a drill file that is there it prints what is
// new in the backup, as a patch, and writes nothing.
func (h *Home) Init(ctx context.Context, o InitOptions) error {
	err := h.fillIn(&o)
	if err != nil {
		return err
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	defer h.tellPage()
	file := h.drillFile(o.Name)
	_, err = os.Lstat(file)
	if err == nil {
		return h.renew(ctx, o, file)
	}
	src := setup.Source{URL: o.URL, Source: o.Source, Sandbox: o.Sandbox}
	d, err := src.Drill(file, nil)
	if err != nil {
		return h.cannotInit(o.Name, err)
	}
	held, err := setup.Look(ctx, d.Source)
	if err != nil {
		return h.cannotInit(o.Name, err)
	}
	for i, line := range held.Lines() {
		h.say(strings.Repeat("  ", min(i, 1)), line)
	}
	chosen, err := h.choosePattern(held, o)
	if err != nil {
		return h.cannotInit(o.Name, err)
	}
	h.tellOthers(held, chosen, o)
	err = h.askKey(&src, chosen)
	if err != nil {
		return h.cannotInit(o.Name, err)
	}
	return h.firstDrill(ctx, setup.Draft{Source: src, Chosen: chosen, Path: file, Heartbeat: o.Heartbeat})
}

// drillFile is the file of a drill; a .yml where that is there.
func (h *Home) drillFile(name string) string {
	name, _, _ = strings.Cut(name, "@") // of one of several databases
	file := filepath.Join(h.drillsDir(), name+".yaml")
	yml := filepath.Join(h.drillsDir(), name+".yml")
	_, err := os.Lstat(yml)
	if err == nil {
		return yml
	}
	return file
}

// firstDrill drafts the drill file from the newest backup, writes and drills it.
func (h *Home) firstDrill(ctx context.Context, made setup.Draft) error {
	file := made.Path
	name := strings.TrimSuffix(filepath.Base(file), ".yaml")
	d, err := made.Source.Drill(file, made.Chosen)
	if err != nil {
		return h.cannotInit(name, err)
	}
	section, read, r := h.readBackup(ctx, d)
	if section == nil {
		for i, s := range r.Stages {
			r.Stages[i].Message, r.Stages[i].Hint = setup.InOptions(s.Message), setup.InOptions(s.Hint)
		}
		return h.couldNot("draft the drill file of "+name, r)
	}
	made.Name, made.Scrub, made.Read, made.Now = name, section, read, h.Now()
	text, questions, err := made.File()
	if err == nil {
		err = spec.Loader{WithoutSecrets: true}.Check(file, []byte(text))
	}
	if err == nil {
		err = h.writeNew(file, text)
	}
	if err != nil {
		return h.cannotInit(name, err)
	}
	fmt.Fprintln(h.Stdout)
	h.say("written: ", fmt.Sprintf("%s, from %s of %s in %s", file, verdict.Count(section.Rows, "row"),
		verdict.Count(section.Tables, "table"), verdict.Printable(read.Backup.Name)))
	fmt.Fprintln(h.Stdout)
	h.Document.Written = file
	h.Document.Questions = questions
	loaded, err := h.loadOne(ctx, "init", name, spec.Loader{})
	if err != nil {
		return err
	}
	h.testHeartbeat(ctx, loaded)
	drilled := h.drillOne(ctx, loaded, report.NewScreen(h.Stderr), func(*verdict.Report) {})
	h.tellQuestions(file, questions)
	h.tellNext(name, drilled.Outcome)
	return h.conclude([]*verdict.Report{drilled})
}

// readBackup reads the newest backup for a draft.
func (h *Home) readBackup(ctx context.Context, d *spec.Drill) (*setup.Section, setup.Read, *verdict.Report) {
	h.sweep(ctx)
	progress := report.NewScreen(h.Stderr).Progress(d.Name)
	defer progress.Close()
	now := h.Now()
	return setup.ReadBackup(ctx, drill.Request{
		Drill: d, Run: history.NewRunID(now), Now: now, Version: version(), Log: h.Log, Tunnel: h.Tunnel,
		Clusters: h.Clusters, Progress: progress.Update,
	})
}

// renew prints what is new in the newest backup of a drill that is there.
func (h *Home) renew(ctx context.Context, o InitOptions, file string) error {
	f, err := h.loadOne(ctx, "init", o.Name, spec.Loader{})
	if err != nil {
		return err
	}
	if f.Err != nil {
		fmt.Fprintln(h.Stderr, f.Err)
		return cannot("init %s: %s is there, and cannot be taken as it is: %s", o.Name, file, notLoaded(f))
	}
	if o.URL != "" && !sameURL(o.URL, f.Drill.Source.URL) {
		return cannot("init %s: %s is there, and drills another store; give another -name, or leave -url out to see what "+
			"is new in its newest backup", o.Name, file)
	}
	section, read, r := h.readBackup(ctx, f.Drill)
	if section == nil {
		return h.couldNot("look for what is new in "+o.Name, r)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		return h.cannotInit(o.Name, err)
	}
	after := setup.More(string(before), f.Drill, section, read)
	unnamed := setup.Unnamed(string(before), section)
	nothing := "nothing"
	if len(unnamed) > 0 {
		h.tellUnnamed(file, unnamed)
		nothing = "nothing else"
	}
	if after == string(before) {
		_, err = fmt.Fprintf(h.Stdout, "%s is there and stays; %s holds %s that it lacks\n", file, read.Backup.Name, nothing)
		return err
	}
	list := replaced(f)
	if list != "" {
		return cannot("init %s: %s stand in the defaults, and a list in %s would replace them: %s prints the rules that "+
			"are missing", o.Name, list, file, command("scrub:draft -name="+o.Name))
	}
	err = spec.Loader{WithoutSecrets: true}.Check(file, []byte(after))
	if err != nil {
		return cannot("init %s: %s writes its rules or tables within braces, into which no line can be put: "+
			"%s prints the rules that it lacks", o.Name, file, command("scrub:draft -name="+o.Name))
	}
	fmt.Fprintf(h.Stderr, "%s is there and stays. What it lacks, as a patch:\n", file)
	patch := diff.Diff(file, before, file, []byte(after))
	h.Document.Patch = string(patch)
	_, err = h.Stdout.Write(patch)
	return err
}

// tellUnnamed tells of columns that nobody may have thought of.
func (h *Home) tellUnnamed(file string, columns []string) {
	const most = 10
	fmt.Fprintf(h.Stderr, "No line of %s names these, which look harmless and pass as they are:\n", file)
	for _, column := range verdict.Few(columns, most) {
		fmt.Fprintln(h.Stderr, "  "+column)
	}
	fmt.Fprintln(h.Stderr, "Write a rule for each that is personal after all.")
}

// replaced names a list of the defaults that one in the drill file would replace;
// empty if there is none.
func replaced(f spec.Loaded) string {
	for _, list := range [][]string{{"scrub", "rules"}, {"expectations", "tables"}} {
		found := f.Effective.Find(list[0]).Find(list[1])
		if found != nil && found.At.File != "" {
			return strings.Join(list, ".")
		}
	}
	return ""
}

// sameURL reports whether two URLs name one store.
func sameURL(a, b string) bool {
	return strings.TrimSuffix(storeURL(a), "/") == strings.TrimSuffix(storeURL(b), "/")
}

// writeNew writes a file that is not there; whole, or not at all.
func (h *Home) writeNew(file, text string) error {
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err != nil {
		return err
	}
	err = placeWhole(file, []byte(text), os.Link) // which replaces nothing
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s was written meanwhile: it stays as it is", file)
	}
	return err
}

// cannotInit says why no drill file was made.
func (h *Home) cannotInit(name string, err error) error {
	var several *setup.Several
	if errors.As(err, &several) {
		return h.tellSeveral(name, several)
	}
	wrong, ok := errors.AsType[setup.Refused](err)
	if ok {
		fmt.Fprintln(h.Stderr, wrong)
		return cannot("init %s: no drill can be made of this; nothing was written", name)
	}
	p := verdict.AsProblem(err)
	code := verdict.ExitError
	if p.Outcome == verdict.Fail {
		code = verdict.ExitFail
	}
	hint := ""
	if p.Hint != "" && p.Code != verdict.CodeInternal {
		hint = "; " + p.Hint
	}
	return &verdict.Exit{Code: code, Reason: setup.InOptions(fmt.Sprintf("init %s: %v%s", name, p, hint))}
}

// tellSeveral names the kinds of backups that a store holds, each with the line
// that drills it.
func (h *Home) tellSeveral(name string, s *setup.Several) error {
	fmt.Fprintln(h.Stderr, "Each is a drill of its own. Say which this one is of:")
	for _, f := range s.Found[:min(mostNames, len(s.Found))] {
		fmt.Fprintf(h.Stderr, "  -pattern=%s\n", shell(f.Name))
	}
	together(h.Stderr, s.Found)
	return cannot("init %s: %v", name, s)
}

// tellOthers says how the other databases of a store get drills of their own.
func (h *Home) tellOthers(held *setup.Holdings, chosen *setup.Found, o InitOptions) {
	others := held.Others(chosen)
	if len(others) == 0 {
		return
	}
	for _, f := range others {
		line := "init -url=" + shell(o.URL) + " -pattern=" + shell(f.Name) + " -name="
		fmt.Fprintf(h.Stdout, "  a drill of its own: %s\n", command(line+f.DrillName()))
	}
	together(h.Stdout, append(others, chosen))
}

// together says how one drill file is for all databases of a store.
func together(w io.Writer, found []*setup.Found) {
	pattern := setup.Together(found)
	if pattern == "" {
		fmt.Fprint(w, "  one file for several, where their names are alike: databases:, in\n  docs/many-databases.md\n")
		return
	}
	fmt.Fprintf(w, "  one file for all of them (docs/many-databases.md):\n    databases: {pattern: %s}\n",
		spec.YAMLText(pattern))
}

// tellQuestions prints what a person should look at.
func (h *Home) tellQuestions(file string, questions []setup.Question) {
	if len(questions) == 0 {
		return
	}
	h.say("", "Look at these lines of "+file+", which asks the same at its end:")
	for _, q := range questions {
		h.say(fmt.Sprintf("  line %d: ", q.Line), q.Text)
	}
	fmt.Fprintln(h.Stdout)
}

// tellNext prints what to do after a first drill that came to an outcome.
func (h *Home) tellNext(name string, o verdict.Outcome) {
	again := command("drill -name=" + name)
	fmt.Fprintln(h.Stdout, "Next:")
	if o != verdict.Pass && o != verdict.Warn {
		fmt.Fprintf(h.Stdout, "  first    do what stands behind -> above, and drill again:\n%s\n", again)
	}
	fmt.Fprintf(h.Stdout, `  key      under scrub write key_env: DRILL_SCRUB_KEY, so that pseudonyms stay
           the same from night to night
  nightly  for the crontab; docs/nightly.md has others, and where keys lie:
0 5 * * *  cd %s && %s
  gate     before a deployment:
%s && ./migrate up
`, shell(h.absolute()), again, command("gate -name="+name))
}

// say writes a text after a label, as wide as the terminal. Commands, which are
// there to be copied, are written as they are.
func (h *Home) say(label, text string) {
	err := report.Hanging(h.Stdout, h.terminal(), label, text)
	if err != nil {
		h.Log.Warn("write to standard output", "err", err)
	}
}

func (h *Home) absolute() string {
	dir, err := filepath.Abs(h.Dir)
	if err != nil {
		return h.Dir
	}
	return dir
}
