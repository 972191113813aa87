package harness_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// hostileEnv is the environment variable that has each stand drill the input of
// that name alone, or "all", and not only those that tell something there.
const hostileEnv = "HOSTILE"

// stand is a kind of sandbox and the account that drills in it.
type stand struct {
	name string
	kind string
	user bool // an ordinary user, else root
}

var (
	localRoot     = stand{"local as root", sandbox.Local, false}
	localUser     = stand{"local as a user", sandbox.Local, true}
	containerRoot = stand{"container as root", sandbox.Container, false}
	containerUser = stand{"container as a user", sandbox.Container, true}
	everywhere    = []stand{localRoot, localUser, containerRoot, containerUser}
)

// hostile is a backup whose author has the sandbox do what he likes. Exactly
// one of code, script and schema is there.
type hostile struct {
	name    string
	bad     bool                     // its rows are bad, and the drill file is that of bad rows
	code    string                   // of a PL/pgSQL function
	script  string                   // for a shell, which such a function runs
	schema  string                   // run in the source itself
	index   bool                     // the function is called by an index, else by a materialized view
	more    string                   // of the source's tables
	edit    func(file string) string // of the drill file; may be nil
	sandbox string                   // more of that section, such as ", memory: 1GiB"
	stands  []stand                  // where it is drilled without HOSTILE=all; nil: everywhere

	want   []verdict.Outcome // one of these
	checks map[string]verdict.Outcome
	look   func(t *testing.T, r *verdict.Report, text string) // at the report and its bytes; may be nil
}

// TestHostile drills what hostile authors wrote. Whatever a drill says of it:
// no real value is told, nothing is left, and nothing outlives the drill.
func TestHostile(t *testing.T) {
	t.Parallel()
	inputs := hostileInputs(t)
	source := newHostileSource(t)
	for _, s := range everywhere {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			var here []hostile
			for _, in := range inputs {
				if in.drilledIn(s) {
					here = append(here, in)
				}
			}
			drillHostile(t, s, source, here)
		})
	}
}

// drilledIn reports whether an input is drilled in a stand.
func (in hostile) drilledIn(s stand) bool {
	switch asked := os.Getenv(hostileEnv); asked {
	case "":
		return in.stands == nil || slices.Contains(in.stands, s)
	case "all":
		return true
	default:
		return in.name == asked
	}
}

// drillHostile drills inputs in one stand, by one command, and cleans up.
func drillHostile(t *testing.T, s stand, source *hostileSource, inputs []hostile) {
	p := newPlace(t)
	as := s.prepare(t, p)
	t.Cleanup(func() { _ = exec.Command("rm", "-rf", p.tmp).Run() }) // which may be too deep for os.RemoveAll
	mark := strings.ToLower(rand.Text())
	for _, in := range inputs {
		taken := time.Now().UTC().Format("20060102T150405Z")
		p.write("store/"+in.name+"/shop-"+taken+".dump", string(source.dump(in, mark)))
		p.write("drills/"+in.name+".yaml", in.drillFile(t, s.kind))
	}
	command := as(p, "drill")
	pr := p.startCmd(command)
	code := pr.end()
	if code != verdict.ExitFail && code != verdict.ExitError && code != verdict.ExitOK {
		t.Fatalf("ended with %d\n%s", code, pr.said())
	}
	for _, in := range inputs {
		t.Run(in.name, func(t *testing.T) { in.judge(t, p, s) })
	}
	tellsNothing(t, "what the drill wrote", pr.said())
	if said := pr.said(); len(said) > mostSaid*len(inputs) {
		t.Errorf("the drill wrote %d bytes", len(said))
	}
	cleaned := p.startCmd(as(p, "clean"))
	if code := cleaned.end(); code != 0 {
		t.Errorf("clean ended with %d\n%.2000s", code, cleaned.said())
	}
	p.nothingLeft()
	for _, pr := range marked(mark, p.tmp) {
		t.Errorf("outlives the drill: %d %.200s", pr.pid, pr.command)
	}
}

// mostSaid is what a drill may write of each input, in bytes: twice what it does.
const mostSaid = 12 << 10

// prepare makes the place one of the stand's account, and returns what runs
// the binary there as that account.
func (s stand) prepare(t *testing.T, p *place) (as func(p *place, args ...string) *exec.Cmd) {
	testneed.Root(t)
	env := []string{"HOME=" + p.dir, "DRILL_LOG=info"}
	if s.kind == sandbox.Container {
		testneed.Image(t, "postgres:15")
	} else {
		env = append(env, noDocker)
	}
	if !s.user {
		return func(p *place, args ...string) *exec.Cmd {
			cmd := exec.Command(binary(t), args...)
			cmd.Env = p.environ(env...)
			return cmd
		}
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		testneed.Missing(t, "the account nobody: %v", err)
	}
	groups := "--clear-groups"
	if s.kind == sandbox.Container {
		groups = "--groups=" + socketGroup(t)
	}
	setpriv := testneed.Program(t, "setpriv")
	return func(p *place, args ...string) *exec.Cmd {
		if args[0] == "drill" {
			p.give(nobody)
		}
		account := []string{"--reuid=" + nobody.Uid, "--regid=" + nobody.Gid, groups, "--no-new-privs"}
		cmd := exec.Command(setpriv, slices.Concat(account, []string{binary(t)}, args)...)
		cmd.Env = p.environ(env...)
		return cmd
	}
}

// judge looks at the reports of one input.
func (in hostile) judge(t *testing.T, p *place, s stand) {
	r := p.latest(in.name)
	if !slices.Contains(in.want, r.Outcome) {
		t.Errorf("%s, want one of %q\n%s", r.Outcome, in.want, findings(r))
	}
	if r.Sandbox.Kind != s.kind {
		t.Errorf("%+v", r.Sandbox)
	}
	for id, want := range in.checks {
		found := slices.IndexFunc(r.Checks, func(c verdict.Check) bool { return c.ID == id })
		if found < 0 || r.Checks[found].Outcome != want {
			t.Errorf("no %s %s\n%s", want, id, findings(r))
		}
	}
	var all strings.Builder
	err := filepath.WalkDir(filepath.Join(p.dir, "reports", in.name), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		tellsNothing(t, filepath.Base(path), string(text))
		all.Write(text)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if in.look != nil {
		in.look(t, r, all.String())
	}
	if t.Failed() || testing.Verbose() {
		t.Logf("%s\n%s", r.Outcome, findings(r))
	}
}

// findings are a report's stages and checks that are not passed.
func findings(r *verdict.Report) string {
	var b strings.Builder
	for _, s := range r.Stages {
		if s.Outcome != verdict.Pass {
			fmt.Fprintf(&b, "%s: %s %s %.400s\n", s.Name, s.Outcome, s.Code, s.Message)
		}
	}
	for _, c := range r.Checks {
		if c.Outcome != verdict.Pass && c.ID != "side_file" {
			fmt.Fprintf(&b, "  %s %s: %.300s (%.400s)\n", c.Outcome, c.ID, c.Observed, c.Message)
		}
	}
	for _, e := range r.LatestEvents {
		fmt.Fprintf(&b, "  shown %s: %.400q\n", e.Table, e.Rows)
	}
	return b.String()
}

// realValues are spellings of what is in every address of the source, and of
// what is in a column that no rule names, which is shown as fingerprints alone.
var realValues = func() (spelled []string) {
	for _, value := range []string{"real.person", "Zaphod-Quill"} {
		for _, v := range []string{value, rotated(value), backward(value)} {
			spelled = append(spelled, v, strings.ToUpper(v))
		}
		coded := hex.EncodeToString([]byte(value))
		spelled = append(spelled, coded, strings.ToUpper(coded))
		// base64 at each place within its groups of three, without the letters that
		// neighbors share.
		for i := range 3 {
			coded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + value))
			spelled = append(spelled, coded[4:len(coded)-4])
		}
	}
	return spelled
}()

func rotated(value string) string {
	return strings.Map(func(r rune) rune {
		for _, first := range "aA" {
			if r >= first && r < first+26 {
				return first + (r-first+13)%26
			}
		}
		return r
	}, value)
}

func backward(value string) string {
	letters := []rune(value)
	slices.Reverse(letters)
	return string(letters)
}

// tellsNothing wants no real value and no byte that steers a terminal in a text.
func tellsNothing(t *testing.T, what, text string) {
	t.Helper()
	for _, told := range tells(text) {
		t.Errorf("%s %s", what, told)
	}
}

// tells says what of real values, and what that steers a terminal, is in a text.
func tells(text string) (told []string) {
	for _, secret := range realValues {
		if at := strings.Index(text, secret); at >= 0 {
			told = append(told, fmt.Sprintf("tells a real value: …%q…", text[max(0, at-200):min(len(text), at+200)]))
		}
	}
	if at := strings.IndexFunc(text, steers); at >= 0 {
		told = append(told, fmt.Sprintf("steers terminals: …%q…", text[max(0, at-200):min(len(text), at+50)]))
	}
	return told
}

// TestTellsNothing shows the test's own eye values in each spelling that code
// may choose, and what it may not take for one.
func TestTellsNothing(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"real.person7@secretcorp.example", "Zaphod-Quill-7"} {
		for name, spelled := range map[string]string{
			"as it is": value, "in capitals": strings.ToUpper(value), "backward": backward(value), "rotated": rotated(value),
			"hex": hex.EncodeToString([]byte(value)), "hex in capitals": fmt.Sprintf("%X", value),
			"base64": base64.StdEncoding.EncodeToString([]byte(value)), "base64, 1 further": base64.StdEncoding.EncodeToString([]byte("a" + value)),
			"base64, 2 further": base64.RawURLEncoding.EncodeToString([]byte("ab" + value)),
		} {
			if len(tells("some "+spelled+" words")) == 0 {
				t.Errorf("%s: %q is not seen", name, spelled)
			}
		}
	}
	for _, steering := range []string{"\x1b[2J", "\a", "\u009b", "\x7f", "\u202e", "\u2066"} {
		if len(tells("some"+steering+"words")) == 0 {
			t.Errorf("%q is not seen", steering)
		}
	}
	if told := tells("a real person\twrote\r\n7265616c, and so did Zaphod"); len(told) > 0 {
		t.Errorf("%q", told)
	}
}

// steers reports whether a character does something else than to be seen.
func steers(r rune) bool {
	switch r {
	case '\n', '\t', '\r':
		return false
	}
	return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// marked lists processes whose command line has a mark, and those that have a
// directory below another one mounted: within a mount namespace of their own
// no path of theirs tells it.
func marked(mark, dir string) (found []running) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, proc := range procs {
		command, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		mounts, _ := os.ReadFile(filepath.Join(proc, "mountinfo"))
		if bytes.Contains(command, []byte(mark)) || bytes.Contains(mounts, []byte(dir+"/")) {
			pid, _ := strconv.Atoi(filepath.Base(proc))
			found = append(found, running{pid, string(bytes.ReplaceAll(command, []byte{0}, []byte{' '}))})
		}
	}
	return found
}

// hostileSource is a server in which no code of the inputs acts: its
// cluster_name is empty.
type hostileSource struct {
	*pgtest.Cluster
	t *testing.T
}

// newHostileSource starts one, with the good and the bad rows.
func newHostileSource(t *testing.T) *hostileSource {
	s := &hostileSource{Cluster: pgtest.Server(t), t: t}
	for _, base := range []string{"base", "base_bad"} {
		s.Exec("postgres", "create database "+base)
		s.Exec(base, input(t, base+".sql"))
	}
	return s
}

// dump makes the archive of an input.
func (s *hostileSource) dump(in hostile, mark string) []byte {
	base := "base"
	name := "shop_" + strings.ToLower(rand.Text())
	if in.bad {
		base = "base_bad"
	}
	s.Exec("postgres", fmt.Sprintf("create database %s template %s", name, base))
	s.Exec(name, strings.ReplaceAll(strings.ReplaceAll(in.sql(), "MARK", mark), "DATABASE", name))
	return s.Dump("-Fc", name)
}

// sql is what the author added to the tables.
func (in hostile) sql() string {
	if in.schema != "" {
		return in.more + in.schema
	}
	code := in.code
	if in.script != "" {
		code = runs(in.script)
	}
	function := fmt.Sprintf(`create function public.g() returns int language plpgsql as $x$
declare share text := current_setting('unix_socket_directories') || '/../share';
begin if current_setting('cluster_name') = '' then return 1; end if;
insert into public.said values ('ran');
%s
return 1; end $x$;
`, code)
	if in.index {
		return in.more + function + `create function public.gi(int) returns int
language plpgsql immutable as 'begin return public.g(); end';
create table public.one(id int); insert into public.one values (1); create index i on public.one (public.gi(id));`
	}
	return in.more + function + "create materialized view public.mv as select public.g();"
}

// runs is PL/pgSQL that runs a script, whose lines public.said then holds.
func runs(script string) string {
	return "execute $q$copy public.said from program $program$" + script + "$program$$q$;"
}

// drillFile is what drills the input.
func (in hostile) drillFile(t *testing.T, kind string) string {
	file := input(t, "drill.yaml")
	if in.bad {
		file = input(t, "drill_bad.yaml")
	}
	if in.edit != nil {
		file = in.edit(file)
	}
	file = strings.Replace(file, "file:store/", "file:../store/"+in.name+"/", 1)
	file = strings.Replace(file, "database: shop", "time_tolerance: 999999h", 1)
	return file + "sandbox: {kind: " + kind + in.sandbox + "}\n"
}

func input(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/hostile", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
