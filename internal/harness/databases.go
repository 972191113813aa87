package harness

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"daybefore/internal/catalog"
	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/spec/family"
	"daybefore/internal/verdict"
)

// told puts the drills of each database in the place of files whose databases
// the store tells, as far as they may be wanted. The error says that the process
// is to end.
func (h *Home) told(ctx context.Context, files []spec.Loaded, wanted string) (all []spec.Loaded, err error) {
	for _, f := range files {
		if f.Several == nil || !mayBe(wanted, f) {
			all = append(all, f)
			continue
		}
		all = append(all, h.databases(ctx, f)...)
	}
	if errors.Is(context.Cause(ctx), drill.ErrInterrupted) {
		return nil, &verdict.Exit{Code: verdict.ExitInterrupted,
			Reason: "interrupted before anything was drilled"}
	}
	h.files = map[string]spec.Loaded{}
	for _, f := range all {
		h.files[f.Name] = f
	}
	return all, nil
}

// mayBe reports whether a drill of one of the file's databases may be wanted,
// whatever they are called.
func mayBe(wanted string, f spec.Loaded) bool {
	return wanted == "" || slices.ContainsFunc(strings.Split(wanted, ","), func(pattern string) bool {
		file, _, ofOne := strings.Cut(strings.TrimSpace(pattern), "@")
		is, _ := path.Match(file, f.File()) // a glob that is none is told later
		return is || !ofOne && strings.ContainsAny(pattern, "*?[")
	})
}

// databases are a drill of each database of which the store holds backups, and
// of each that was drilled before: one that is gone fails, until the drill
// file says that it is not missed.
func (h *Home) databases(ctx context.Context, f spec.Loaded) []spec.Loaded {
	ctx, cancel := context.WithTimeout(ctx, readPastTime)
	defer cancel()
	before, unread := h.drilledBefore(ctx, f)
	found, err := catalog.Databases(ctx, f.Several.Source)
	empty := err != nil && verdict.AsProblem(err).Code == verdict.CodeNoBackup
	if err != nil && !(empty && len(before) > 0) {
		return untold(f, err)
	}
	isExcepted := func(database string) bool { return slices.Contains(f.Several.Except, database) }
	found = slices.DeleteFunc(found, isExcepted)
	before = slices.DeleteFunc(before, isExcepted)
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(found, before))))
	if len(all) == 0 {
		return untold(f, verdict.Errorf(verdict.CodeSpec, "take one out of databases.except",
			"%s: no database is left to be drilled", f.Name))
	}
	h.tellChanges(f, without(before, found), without(found, before), len(before) > 0)
	drills := f.Several.Each(all)
	if unread != nil {
		p := verdict.AsProblem(unread)
		drills = append(drills, untold(f, verdict.Errorf(verdict.CodeHistory, p.Hint,
			"past reports do not tell whether a database is missing from the store: %w", unread))...)
	}
	return drills
}

// untold is a file whose databases are not known. Those whom their drills tell are
// told of it.
func untold(f spec.Loaded, why error) []spec.Loaded {
	if f.Several != nil {
		f.Notify = f.Several.Drill.Notify
	}
	f.Several = nil
	f.Err = why
	return []spec.Loaded{f}
}

// drilledBefore are the databases of a file of which reports are kept. The
// error says why those elsewhere are not known.
func (h *Home) drilledBefore(ctx context.Context, f spec.Loaded) ([]string, error) {
	rec := h.record(ctx, f.Several.Drill)
	defer rec.close()
	names, err := history.Drills(ctx, rec.dir, rec.store, f.File()+"@")
	if rec.err != nil {
		err = rec.err
	}
	var databases []string
	for _, name := range names {
		database, ok := family.OfFolder(strings.TrimPrefix(name, f.File()+"@"))
		if ok {
			databases = append(databases, database)
		}
	}
	return databases, err
}

// tellChanges says which databases came and went since the last drills.
func (h *Home) tellChanges(f spec.Loaded, gone, fresh []string, drilled bool) {
	if len(gone) > 0 {
		fmt.Fprintf(h.Stderr, "warning: %s: the store holds no backup any more of %s, drilled before; "+
			"if that is as it should be, add to databases: except: [%[2]s]\n", f.Name, spec.YAMLTexts(gone))
	}
	if len(fresh) > 0 && drilled {
		fmt.Fprintf(h.Stderr, "%s: new in the store: %s\n", f.Name, spec.YAMLTexts(fresh))
	}
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// notLoaded says in a few words why there is nothing to be drilled.
func notLoaded(f spec.Loaded) string {
	if _, ok := errors.AsType[spec.Mistakes](f.Err); ok {
		return "its drill file has mistakes"
	}
	return "its databases are not known"
}

// onlyOnce leaves what several drills have in common, such as what is wrong
// with the defaults, to the first of them that is printed.
func onlyOnce(drills []spec.Loaded) {
	first := map[spec.Mistake]string{}
	for i, f := range drills {
		all, _ := errors.AsType[spec.Mistakes](f.Err)
		var own spec.Mistakes
		before := ""
		for _, m := range all {
			if first[m] != "" {
				before = first[m]
				continue
			}
			first[m] = f.Name
			own = append(own, m)
		}
		if before != "" {
			own = append(own, spec.Mistake{File: f.Path, Message: "it has mistakes of " + before + " too",
				Hint: "they are told there"})
			drills[i].Err = own
		}
	}
}
