package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
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
	h.tellNext(name, file, questions)
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
		return h.cannotInit(o.Name, f.Err)
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
	if after == string(before) {
		_, err = fmt.Fprintf(h.Stdout, "%s is there and stays; %s holds nothing that it lacks\n", file, read.Backup.Name)
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
	var all spec.Mistakes
	if errors.As(err, &all) {
		fmt.Fprintln(h.Stderr, all)
		return cannot("init %s: what the options say is no drill", name)
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
	return &verdict.Exit{Code: code, Reason: fmt.Sprintf("init %s: %v%s", name, p, hint)}
}

// tellSeveral names the kinds of backups that a store holds, each with the line
// that drills it.
func (h *Home) tellSeveral(name string, s *setup.Several) error {
	fmt.Fprintln(h.Stderr, "Each is a drill of its own. Say which this one is of:")
	for _, f := range s.Found[:min(mostNames, len(s.Found))] {
		fmt.Fprintf(h.Stderr, "  -pattern=%s\n", shell(f.Name))
	}
	return cannot("init %s: %v", name, s)
}

// tellOthers says how the other databases of a store get drills of their own.
func (h *Home) tellOthers(held *setup.Holdings, chosen *setup.Found, o InitOptions) {
	for _, f := range held.Others(chosen) {
		line := "init -url=" + shell(o.URL) + " -pattern=" + shell(f.Name) + " -name="
		fmt.Fprintf(h.Stdout, "  a drill of its own: %s\n", command(line+f.DrillName()))
	}
}

// tellNext prints what a person should look at, and do.
func (h *Home) tellNext(name, file string, questions []setup.Question) {
	if len(questions) > 0 {
		h.say("", "Look at these lines of "+file+", which asks the same at its end:")
		for _, q := range questions {
			h.say(fmt.Sprintf("  line %d: ", q.Line), q.Text)
		}
		fmt.Fprintln(h.Stdout)
	}
	fmt.Fprintf(h.Stdout, `Next:
  key      under scrub write key_env: DRILL_SCRUB_KEY, so that pseudonyms stay
           the same from night to night
  nightly  0 5 * * *  cd %s && %s
  gate     %s && ./migrate up
`, shell(h.absolute()), command("drill -name="+name), command("gate -name="+name+" -within=24h"))
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

// fillIn asks for what is missing, and refuses what cannot be.
func (h *Home) fillIn(o *InitOptions) error {
	if o.Name == "" && o.URL == "" {
		o.URL = h.ask("Where are the backups (s3://bucket/prefix/, gs://, sftp://, https://, or a folder)?", "")
	}
	if o.Name == "" && o.URL != "" {
		o.Name = h.ask("What shall the drill be called?", nameFor(o.URL))
	}
	if o.Name == "" {
		return cannot("init: -name is missing, and there is no terminal to ask at: write %s",
			command("init -url=s3://shop-backups/nightly/ -name=shop"))
	}
	file, _, _ := strings.Cut(o.Name, "@") // of one of several databases
	switch {
	case file == "defaults":
		return cannot("init -name=%s: drills/defaults.yaml holds what all drills share; call the drill otherwise",
			shell(o.Name))
	case !spec.IsDrillName(file):
		return cannot("init -name=%s: a drill's name holds small letters, digits, _ and - only", shell(o.Name))
	}
	_, err := os.Lstat(h.drillFile(o.Name))
	switch {
	case err == nil:
		return nil // the file says where its backups are
	case file != o.Name:
		return cannot("init -name=%s: there is no %s yet; leave @ and what follows out",
			shell(o.Name), h.drillFile(o.Name))
	}
	if o.URL == "" {
		o.URL = h.ask("Where are the backups (s3://bucket/prefix/, gs://, sftp://, https://, or a folder)?", "")
	}
	if o.URL == "" {
		return cannot("init %s: -url is missing, and there is no terminal to ask at: write %s", o.Name,
			command("init -url=s3://shop-backups/nightly/ -name="+o.Name))
	}
	o.URL = storeURL(o.URL)
	return nil
}

// storeURL makes a URL of a folder's path, as a person at a shell gives one.
func storeURL(given string) string {
	if strings.Contains(given, ":") {
		return given
	}
	dir, err := filepath.Abs(given)
	if err != nil {
		return given
	}
	return "file://" + strings.TrimSuffix(filepath.ToSlash(dir), "/") + "/"
}

// nameFor is what a drill of a store may be called: as its last folder that names
// more than when.
func nameFor(url string) string {
	common := []string{"", ".", "backups", "backup", "nightly", "daily", "dumps", "db", "postgres", "prod"}
	dir := strings.TrimSuffix(url, "/")
	for range 3 {
		base := strings.Trim(strings.ToLower(path.Base(dir)), "-_")
		base = strings.TrimSuffix(strings.TrimSuffix(base, "-backups"), "-backup")
		if !slices.Contains(common, base) && spec.IsDrillName(base) {
			return base
		}
		dir = path.Dir(dir)
	}
	return ""
}

// choosePattern is the pattern to be drilled; a person is asked where nothing decides.
func (h *Home) choosePattern(held *setup.Holdings, o InitOptions) (*setup.Found, error) {
	chosen, err := held.Choose(o.Name, o.Pattern)
	var several *setup.Several
	if !errors.As(err, &several) || h.Answers == nil {
		return chosen, err
	}
	for i, f := range several.Found {
		fmt.Fprintf(h.Stderr, "  %d  %s\n", i+1, verdict.Printable(f.Name))
	}
	n, bad := strconv.Atoi(h.ask("Which of them (a number)?", "1"))
	if bad != nil || n < 1 || n > len(several.Found) {
		return nil, several
	}
	return several.Found[n-1], nil
}

// askKey asks for the key of encrypted backups, where none is declared.
func (h *Home) askKey(src *setup.Source, chosen *setup.Found) error {
	key := chosen.KeyWanted()
	if key == "" || strings.Contains(src.Source, "decrypt") {
		return nil
	}
	variable := h.ask("The backups are encrypted. Which environment variable holds the key (its name)?", "")
	if variable == "" {
		return verdict.Errorf(verdict.CodeDecrypt, fmt.Sprintf("put the key into an environment variable, and add "+
			"-source='decrypt: {%s: ITS_NAME}'", key), "look into %s: %w", verdict.Printable(chosen.Newest.Name), chosen.Err)
	}
	src.Source = strings.TrimPrefix(src.Source+", decrypt: {"+key+": "+variable+"}", ", ")
	return nil
}

// ask asks a person at a terminal; it is otherwise where nobody is there, or says nothing.
func (h *Home) ask(line, otherwise string) string {
	if h.Answers == nil {
		return ""
	}
	if otherwise != "" {
		line += " [" + otherwise + "]"
	}
	fmt.Fprint(h.Stderr, line+" ")
	answer, err := bufio.NewReader(oneByte{h.Answers}).ReadString('\n')
	answer = strings.TrimSpace(answer)
	if answer == "" && err == nil {
		return otherwise
	}
	return answer
}

// oneByte reads no further than it is asked to: what follows answers the next question.
type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }
