package drill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/archive"
	"daybefore/internal/catalog"
	"daybefore/internal/program"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// boxState is the drill's place on this machine: its private directory and
// the sandbox in it.
type boxState struct {
	work  *sandbox.Workdir
	again *sandbox.Workdir // of a second sandbox, which took the place of the first; else nil
	sandbox.Box
}

func (b *boxState) close(ctx context.Context) error {
	var err error
	if b.Box != nil {
		err = b.Box.Close(ctx)
	}
	for _, work := range []*sandbox.Workdir{b.again, b.work} { // each may be nil
		if e := work.Close(); err == nil {
			err = e
		}
	}
	return err
}

// fetchAndStart fetches the backup while the sandbox starts. A backup that is
// found to be bad ends the start; a sandbox that does not start does not end
// the fetching: what is known to be bad is worth more than what cannot be
// known.
func (r *run) fetchAndStart(ctx context.Context) error {
	var err error
	r.box.work, err = sandbox.NewWorkdir()
	if err != nil {
		return r.stage(ctx, verdict.StageSandbox, func(context.Context) error { return err })
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var both errgroup.Group
	both.Go(func() error {
		defer r.recovered()
		err := r.stage(ctx, verdict.StageFetch, r.fetch)
		if err != nil {
			stop(errBadBackup)
		}
		return err
	})
	both.Go(func() error {
		defer r.recovered()
		return r.stage(ctx, verdict.StageSandbox, func(ctx context.Context) error { return r.start(ctx, r.box.work) })
	})
	err = both.Wait()
	if err == nil && (r.archive == nil || r.box.Box == nil) {
		err = errors.New("a stage ended early") // after a panic, which is reported
	}
	if err != nil {
		return err
	}
	return r.preload(ctx)
}

// fetch brings the backup here, and makes sure that it is whole and the one
// that was declared.
func (r *run) fetch(ctx context.Context) error {
	spooled, err := catalog.Fetch(ctx, r.store, r.backup, catalog.FetchOptions{
		Dir:      r.box.work.Spool(),
		Checksum: r.Drill.Source.Checksum,
		MaxRatio: r.Drill.Source.MaxRatio,
		Progress: func(done, total int64) { r.Progress(verdict.StageFetch, done, total, "bytes") },
	})
	if err != nil && verdict.AsProblem(err).Outcome == verdict.Fail {
		return cmp.Or(catalog.StillWritten(ctx, r.store, r.backup), err)
	}
	if err != nil {
		return err
	}
	b := &r.report.Backup
	b.SHA256 = spooled.SHA256
	b.SizeBytes = spooled.Size
	b.Unsized = false
	b.Checksum = compared(spooled)
	b.ChecksumBy = cmp.Or(spooled.Compared, spooled.Kept)
	err = r.open(ctx, spooled)
	if spooled.Doubt != nil && (err == nil || verdict.AsProblem(err).Outcome != verdict.Fail) {
		return spooled.Doubt // else it is bad by itself, whatever a side file says
	}
	return err
}

// open reads what was fetched to its end.
func (r *run) open(ctx context.Context, spooled catalog.Spooled) (err error) {
	o := archive.Options{
		Name: r.backup.Name, Dir: r.box.work.Spool(), Database: r.Drill.Source.Database,
		MaxRatio: r.Drill.Source.MaxRatio, Keys: r.keys,
	}
	if len(spooled.Files) > 1 {
		r.archive, err = archive.OpenParts(ctx, spooled.Files, o)
	} else {
		r.archive, err = archive.Open(ctx, spooled.Path, o)
	}
	if err != nil {
		var other *archive.OtherDatabaseError
		if errors.As(err, &other) {
			return r.misnamed(other.Wanted, other.Held, verdict.AsProblem(err))
		}
		return r.asStored(ctx, spooled, err)
	}
	r.proof(spooled)
	r.noted()
	r.judgeKey()
	r.report.Backup.Encoding = r.archive.Encoding
	want := r.Drill.Source.Database
	if r.archive.Database == "" { // a plain dump of one database names none
		r.archive.Database = cmp.Or(want, unnamed)
		return nil
	}
	if want != "" && r.archive.Database != want {
		return r.misnamed(want, []string{r.archive.Database},
			verdict.Failf(verdict.CodeDatabase,
				"the backup job dumps another database than declared under source.database",
				"%s is a dump of database %q, expected %q", r.backup.Name, r.archive.Database, want))
	}
	return nil
}

// noted tells what somebody should know of the backup as it was found, and which
// other databases it holds.
func (r *run) noted() {
	b := &r.report.Backup
	b.Format = string(r.archive.Format)
	b.Compression = r.archive.Packing()
	b.Encryption = r.archive.Encryption
	b.Key = r.archive.Key
	b.OtherDatabases = slices.Clone(r.archive.Others)
	for _, n := range r.archive.Notes {
		r.checks(verdict.Check{ID: n.ID, Stage: verdict.StageFetch, Code: verdict.CodeBackupForm, Outcome: verdict.Warn,
			Expected: cmp.Or(n.Expected, "a backup whose files say what they are"), Observed: cmp.Or(n.Observed, "another"),
			Message: n.Message, Hint: n.Hint})
	}
}

// asStored is why a backup cannot be read: its own fault only if what came is
// what the store holds, and nobody is writing it.
func (r *run) asStored(ctx context.Context, s catalog.Spooled, err error) error {
	if verdict.AsProblem(err).Outcome != verdict.Fail || s.ChecksumVerified || s.Kept != "" {
		return err
	}
	return cmp.Or(catalog.StoredAs(ctx, r.store, r.backup, s), catalog.StillWritten(ctx, r.store, r.backup), err)
}

// compared is what the fetched bytes were compared with.
func compared(s catalog.Spooled) string {
	switch {
	case s.ChecksumVerified:
		return "verified"
	case s.Unpacked:
		return "unpacked"
	case s.Kept != "":
		return "stored"
	}
	return "none"
}

// proof says what vouches for the bytes, where it is no sum of them: which of
// them nothing vouches for is no fault, and is told.
func (r *run) proof(s catalog.Spooled) {
	c := verdict.Check{ID: "side_file", Stage: verdict.StageFetch, Code: verdict.CodeChecksum,
		Expected: "a sum beside the backup that agrees"}
	unproven := r.archive.Unproven()
	switch {
	case s.Doubt != nil, s.ChecksumVerified, unproven == "" && s.Unread == "" && s.Partly == "" && !s.Unpacked:
		return
	case s.Unpacked:
		c.Outcome, c.Observed = verdict.Pass, "the sum is of the unpacked file, and agrees"
		r.checks(c)
		return
	}
	c.Outcome, c.Observed, c.Message = verdict.Skipped, "none", "no sum was compared"
	if s.Kept != "" {
		c.Message += " but the " + s.Kept + " that the store keeps, which says nothing of what was before it was stored"
	}
	if s.Unread != "" {
		c.Observed = s.Unread
		c.Message += ": this version does not read " + s.Unread
	}
	if s.Partly != "" {
		c.Observed = s.Partly
		c.Message = "not all was compared: " + s.Partly
		if s.Unread != "" {
			c.Message += ", and this version does not read " + s.Unread
		}
	}
	if unproven != "" {
		c.Message += "; " + when(s) + "damage to " + unproven + " would not be noticed"
	}
	c.Hint = "let the backup job write one: " + writeSums(r.backup)
	r.checks(c)
}

// when says which damage would not be noticed, where it is not any.
func when(s catalog.Spooled) string {
	if s.Kept != "" {
		return "earlier "
	}
	return ""
}

// writeSums is how a shell writes the sums that a fetch looks for, where the
// files lie: one beside each file, and one file for all of a directory archive.
func writeSums(b catalog.Backup) string {
	parts := b.Parts
	if parts == nil {
		parts = []catalog.Part{{Object: b.Object, Objects: []catalog.Object{b.Object}}}
	}
	var commands []string
	for _, p := range parts {
		name := path.Base(p.Name)
		if p.Directory() {
			commands = append(commands, "(cd "+program.ShellWord(name)+" && LC_ALL=C sha256sum * > SHA256SUMS)")
			continue
		}
		commands = append(commands, "sha256sum "+program.ShellWord(name)+" > "+program.ShellWord(name+".sha256"))
	}
	return strings.Join(commands, " && ")
}

// unnamed is what a database is called that neither the dump nor the drill
// file names.
const unnamed = "restored"

// start starts the sandbox for the header's versions in a work directory, with
// more libraries than the drill file names.
func (r *run) start(ctx context.Context, work *sandbox.Workdir, libraries ...string) error {
	d := r.Drill
	major, err := r.intoMajor()
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	box, err := sandbox.Start(ctx, sandbox.Options{
		Kind: d.Sandbox.Kind, Image: d.Sandbox.Image, Memory: d.Sandbox.Memory, Disk: d.Sandbox.Disk,
		Isolation: d.Sandbox.Isolation,
		Preload:   slices.Concat(d.Sandbox.Preload, libraries),
		Database:  cmp.Or(r.header.Database, d.Source.Database, unnamed),
		Major:     major, Jobs: r.jobs(),
		Deadline: deadline, Work: work, Drill: d.Name, Log: r.Log,
		Tunnel: r.Tunnel, Clusters: r.Clusters,
	})
	r.box.Box = box
	if err != nil {
		return err
	}
	r.report.Sandbox = box.Info()
	return r.rightMajor(box)
}

// handOver puts the archive where the sandbox's programs can read it. A plain
// dump stays where it is: its rows are read here.
func (r *run) handOver() (inside string, err error) {
	if r.archive.Format == archive.Plain {
		return "", nil
	}
	if err := r.archive.WriteOffsets(); err != nil { // into our own copy: it was fetched
		return "", err
	}
	const name = "archive"
	for i, file := range r.archive.Files() {
		to := archive.PartPath(r.box.HostPath(name), i)
		if err := os.Rename(file.Path, to); err != nil {
			return "", fmt.Errorf("hand %s to the sandbox: %w", filepath.Base(file.Path), err)
		}
		file.Path = to
		if err := readable(to); err != nil {
			return "", err
		}
	}
	r.archive.Path = r.box.HostPath(name)
	return r.box.InsidePath(name), nil
}

// readable lets the sandbox's programs read a file, or a directory's files.
func readable(path string) error {
	return filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}
