package place

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"daybefore/internal/program"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// mostList is how long a list may be, in bytes: hundreds of thousands of backups.
const mostList = 64 << 20

// Exec is a place that a program reaches.
type Exec struct {
	name  string // the program's, without its folder
	env   []string
	words words
	idle  time.Duration // how long a program may do nothing
	doubt atomic.Pointer[string]
}

// words are what a program is told, and how its answers are read.
type words struct {
	list   func(deep bool) []string
	fetch  func(name string) []string
	read   func([]byte) (all []entry, told bool, err error)
	set    []string // variables that it gets besides
	stable bool     // a name means the same bytes for ever
}

// OpenExec is the place that a program reaches. Problem: CodeSpec where a
// variable that the program is to get is not set.
func OpenExec(e spec.Exec) (*Exec, error) {
	w, err := wordsOf(e)
	if err != nil {
		return nil, err
	}
	for _, name := range e.Env {
		if _, set := os.LookupEnv(name); !set {
			return nil, verdict.Errorf(verdict.CodeCredentialsMissing, "set it, or remove it from source.exec.env",
				"open the store: the environment variable %s, which source.exec.env names, is not set", name)
		}
	}
	return &Exec{name: filepath.Base(w.list(false)[0]), env: e.Env, words: w, idle: program.DefaultIdle}, nil
}

// URL names the program: nothing else of where the backups lie is known.
func (s *Exec) URL() string { return "exec:" + s.name + "/" }

// Close does nothing: each program ends with its reader.
func (s *Exec) Close() error { return nil }

// Place is where the program says; nobody else knows.
func (s *Exec) Place(context.Context) (Place, error) {
	return Place{What: "whatever " + s.name + " reaches"}, nil
}

// InOne is so of all: a program writes from the first byte to the last.
func (s *Exec) InOne(Object) bool { return true }

// Silence is longer than what ends the program, which then says so.
func (s *Exec) Silence() time.Duration { return 2 * s.idle }

// Doubt is why what the program wrote may be no list.
func (s *Exec) Doubt() string {
	if d := s.doubt.Load(); d != nil {
		return *d
	}
	return ""
}

func (s *Exec) command(args []string) program.Command {
	return program.Command{Args: args, Env: s.env, Set: s.words.set, Idle: s.idle}
}

// List runs the program.
func (s *Exec) List(ctx context.Context, prefix string, deep bool) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		all, err := s.list(ctx, deep)
		if err != nil {
			yield(Object{}, err)
			return
		}
		flat(all, prefix, deep, yield)
	}
}

func (s *Exec) list(ctx context.Context, deep bool) ([]Object, error) {
	doing := "list " + s.URL()
	b, err := program.Output(ctx, s.command(s.words.list(deep)), mostList)
	if err != nil {
		return nil, s.problem(ctx, doing, err)
	}
	entries, told, err := s.words.read(b)
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeProgram, listHint, "%s: what the program wrote is no list: %s; it begins %s",
			doing, s.Mask(err.Error()), beginning(b, s.Mask))
	}
	if len(entries) == 0 && !told {
		return nil, verdict.Errorf(verdict.CodeProgram, "run it by hand: where there is no backup, let it write []",
			"%s: the program ended with status 0 and wrote nothing, which may be no list", doing)
	}
	if err := tooMany(doing, len(entries)); err != nil {
		return nil, err
	}
	doubt := ""
	if !told {
		doubt = "the program wrote lines that may be names or anything else"
	}
	s.doubt.Store(&doubt)
	return s.objects(doing, entries)
}

const listHint = "let it write a name a line, lines of name size time, or JSON with name, size and time; " +
	"nothing else to its standard output"

func (s *Exec) objects(doing string, entries []entry) ([]Object, error) {
	all := objects(entries)
	for i, o := range all {
		if o.Name == "" || strings.ContainsRune(o.Name, 0) {
			return nil, verdict.Errorf(verdict.CodeProgram, listHint, "%s: entry %d has no usable name", doing, i+1)
		}
		if o.Not == "" {
			all[i].ETag = s.version(o)
		}
	}
	if err := unclean(doing, verdict.CodeProgram, all, s.Mask); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	if name := twice(all); name != "" {
		return nil, verdict.Errorf(verdict.CodeProgram, "let the list name each backup once",
			"%s: the program's list holds %s twice", doing, verdict.Printable(s.Mask(name)))
	}
	return all, nil
}

// ListsFiles reports whether the list may name other files than backups: those of
// restic and borg name snapshots.
func (s *Exec) ListsFiles() bool { return !s.words.stable }

// version marks what a name meant when it was listed.
func (s *Exec) version(o Object) string {
	if s.words.stable {
		return o.Name
	}
	return fmt.Sprintf("%s%d-%d", Weak, o.Size, max(0, o.ModTime.Unix()))
}

// Mask hides what a program may have told of its secrets.
func (s *Exec) Mask(text string) string { return s.command(nil).Mask(text) }

// beginning is what a text begins with, fit for an error. mask sees more of it,
// since a cut could leave half a secret.
func beginning(b []byte, mask func(string) string) string {
	const most, seen = 80, 64 << 10
	text := mask(string(b[:min(len(b), seen)]))
	return fmt.Sprintf("%q", text[:min(len(text), most)])
}

// ReadRange runs the program, which gives an object from its first byte on.
func (s *Exec) ReadRange(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	doing := "read " + s.URL() + o.Name
	if stop := Stopped(ctx, doing); stop != nil {
		return nil, stop
	}
	if length == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	args := s.words.fetch(o.Name)
	if i := slices.Index(args, o.Name); i > 0 && strings.HasPrefix(o.Name, "-") {
		return nil, verdict.Errorf(verdict.CodeProgram, `write a folder or -- before "{name}" in source.exec.fetch`,
			"%s: the name begins with -, so the program would take it for an option", doing)
	}
	run, err := program.Start(ctx, s.command(args))
	if err != nil {
		return nil, s.problem(ctx, doing, err)
	}
	r := &execReader{store: s, ctx: ctx, object: o, doing: doing, run: run, left: length}
	if err := r.skip(offset); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// problem says what a program's failure means.
func (s *Exec) problem(ctx context.Context, doing string, err error) error {
	stop := Stopped(ctx, doing)
	if stop != nil && !Waited(err) {
		return stop
	}
	f, ok := errors.AsType[*program.Failure](err)
	hint := "run it by hand, with no more environment than source.exec.env names"
	switch {
	case ok && f.Kind == program.Missing:
		hint = "install it where the drill runs, or write its path"
	case ok && (f.Kind == program.Stalled || f.Kind == program.Stopped):
		hint = "run it by hand: does it wait for an answer, or for a server that is not there?"
	case errors.Is(err, program.ErrTooMuch):
		hint = listHint
	}
	return verdict.Errorf(verdict.CodeProgram, hint, "%s: %w", doing, err)
}

// Waited reports whether err tells of a program that was waited for when the
// context ended.
func Waited(err error) bool {
	f, ok := errors.AsType[*program.Failure](err)
	return ok && f.Kind == program.Stopped
}

// execReader hands on what the program writes: the last byte only once it has
// ended well, and with no byte more than its list says.
type execReader struct {
	store  *Exec
	ctx    context.Context
	object Object
	doing  string
	run    *program.Running
	at     int64 // of the object
	left   int64 // of what was asked for; negative: to the end
}

// skip leaves out what was read before.
func (r *execReader) skip(offset int64) error {
	n, err := io.CopyN(io.Discard, r.run, offset)
	r.at = n
	if err == io.EOF {
		return r.short()
	}
	if err != nil {
		return r.store.problem(r.ctx, r.doing, err)
	}
	return nil
}

func (r *execReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if r.left > 0 {
		p = p[:min(int64(len(p)), r.left)]
	}
	n, err := r.run.Read(p)
	r.at += int64(n)
	if r.left > 0 {
		r.left -= int64(n)
	}
	switch {
	case err == io.EOF && r.left > 0:
		return n, r.short()
	case err == nil && r.at == r.object.Size:
		return n, r.end()
	case err != nil && err != io.EOF:
		return n, r.store.problem(r.ctx, r.doing, err)
	}
	return n, err
}

// end looks whether anything follows the last byte that the list says there is.
func (r *execReader) end() error {
	var one [1]byte
	for {
		n, err := r.run.Read(one[:])
		switch {
		case n > 0:
			return verdict.Errorf(verdict.CodeProgram, "is the list up to date, and its sizes in bytes?",
				"%s: the program writes more than the %d bytes that its list says", r.doing, r.object.Size)
		case err == io.EOF:
			return nil
		case err != nil:
			return r.store.problem(r.ctx, r.doing, err)
		}
	}
}

// short is the Problem of a program that ended well and too early.
func (r *execReader) short() error {
	return verdict.Errorf(verdict.CodeProgram, "is the list up to date, and its sizes in bytes?",
		"%s: the program ended with status 0 and wrote %d bytes, of %d that its list says", r.doing, r.at, r.object.Size)
}

func (r *execReader) Close() error { return r.run.Close() }
