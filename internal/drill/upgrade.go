package drill

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/restore"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// ownMajor is the least version that restores the backup as it is: of the server
// that was dumped, or of the pg_dump, which writes for its own.
func (r *run) ownMajor() int { return max(r.header.ServerMajor, r.header.DumpMajor) }

// intoMajor is the version of the sandbox's server. An older one than the
// backup's would refuse what it cannot know, and say nothing of the backup.
func (r *run) intoMajor() (int, error) {
	own := r.ownMajor()
	into := r.Drill.Restore.Into
	switch {
	case into == 0:
		return own, nil
	case into < own:
		return 0, verdict.Errorf(verdict.CodeSpec,
			fmt.Sprintf("write restore.into: %d or a later version, or leave it out", own),
			"restore into PostgreSQL %d: the backup is of version %d, and no older server restores it", into, own)
	}
	return into, nil
}

// rightMajor makes sure that the server is of the declared version. Another one
// that is at hand would rehearse another upgrade.
func (r *run) rightMajor(box sandbox.Box) error {
	into := r.Drill.Restore.Into
	if into == 0 || box.Info().Major() == into {
		return nil
	}
	return verdict.Errorf(verdict.CodeSandbox,
		fmt.Sprintf("pull or build the image postgres:%d (go tool mage image %d), or name one under sandbox.image; "+
			"a local server must be installed in that version", into, into),
		"restore.into asks for PostgreSQL %d, and the sandbox's server is %s", into, box.Info().ServerVersion)
}

// rehearsed says, where the backup was restored into a later version than its
// own, what is otherwise there: it starts a server of the backup's version beside,
// for the archive does not hold what it would be compared with.
func (r *run) rehearsed(ctx context.Context) error {
	if r.Drill.Restore.Into <= r.ownMajor() {
		return nil
	}
	return r.stage(ctx, verdict.StageRestore, func(ctx context.Context) error {
		older, err := r.startOlder(ctx)
		if err != nil {
			c := r.upgrade("")
			c.Outcome = verdict.Skipped
			c.Observed = "nothing to compare with"
			c.Message = "no server of the backup's own version could be started: " + err.Error()
			c.Hint = fmt.Sprintf("go tool mage image %d builds the image, where none can be pulled", r.ownMajor())
			r.checks(c)
			return ctx.Err()
		}
		defer older.close(context.WithoutCancel(ctx))
		return r.compareWith(ctx, older)
	})
}

// upgrade is a check about an aspect of the upgrade; empty: all of it.
func (r *run) upgrade(aspect string) verdict.Check {
	id := "upgrade"
	if aspect != "" {
		id += ":" + aspect
	}
	return verdict.Check{ID: id, Stage: verdict.StageRestore, Code: verdict.CodeUpgrade, Outcome: verdict.Pass,
		Expected: fmt.Sprintf("as in PostgreSQL %d", r.ownMajor()), Observed: "the same"}
}

// startOlder starts a server of the backup's own version, without the image that
// the drill file may name for the other.
func (r *run) startOlder(ctx context.Context) (*boxState, error) {
	work, err := sandbox.NewWorkdir()
	if err != nil {
		return nil, err
	}
	older := &boxState{work: work}
	deadline, _ := ctx.Deadline()
	older.Box, err = sandbox.Start(ctx, sandbox.Options{
		Kind: r.Drill.Sandbox.Kind, Memory: r.Drill.Sandbox.Memory, Disk: r.Drill.Sandbox.Disk, Major: r.ownMajor(),
		Isolation: r.Drill.Sandbox.Isolation, Jobs: r.jobs(), Deadline: deadline, Work: work, Drill: r.Drill.Name,
		Log: r.Log, Tunnel: r.Tunnel, Clusters: r.Clusters,
	})
	if err == nil && older.Info().Major() != r.ownMajor() {
		err = fmt.Errorf("PostgreSQL %s is at hand, and %d is not", older.Info().ServerVersion, r.ownMajor())
	}
	if err != nil {
		older.close(context.WithoutCancel(ctx))
		return nil, err
	}
	return older, nil
}

// compareWith adds what is otherwise in the declared version than in the backup's.
func (r *run) compareWith(ctx context.Context, older *boxState) error {
	then, err := readVersions(ctx, older, "template1", nil)
	if err != nil {
		return err
	}
	now, err := readVersions(ctx, &r.box, r.archive.Database, append([]string{}, r.archive.Extensions()...))
	if err != nil {
		return err
	}
	extensions := r.upgrade("extensions")
	extensions.Observed = cmp.Or(changed(then.extensions, now.extensions), extensions.Observed)
	collations := r.upgrade("collations")
	if found := changed(then.collations, now.collations); found != "" {
		collations.Outcome = verdict.Warn
		collations.Observed = found
		collations.Message = "the library that sorts strings is of another version than beside " + older.Info().ServerVersion
		collations.Hint = "a restore builds all indexes anew; after pg_upgrade, REINDEX those on strings; what is " +
			"sorted may come in another order"
	}
	r.checks(extensions, collations)
	return r.compareErrors(ctx, older)
}

// compareErrors restores the schema into the older server too, where the other
// refused something, and tells what that one takes.
func (r *run) compareErrors(ctx context.Context, older *boxState) error {
	refused := r.upgrade("refused")
	if r.session.Messages().Errors == 0 {
		refused.Observed = "nothing"
		r.checks(refused)
		return nil
	}
	inside, err := r.lend(older)
	if err != nil {
		return err
	}
	before := restore.New(r.archive, older, inside, r.restoreOptions())
	if err := before.SchemaAlone(ctx); err != nil {
		refused.Outcome = verdict.Skipped
		refused.Observed = "not compared"
		refused.Message = "the older server does not take the schema either: " + verdict.AsProblem(err).Error()
		r.checks(refused)
		return ctx.Err()
	}
	if found := r.session.RefusedBeside(before); len(found) > 0 {
		const most = 5
		refused.Outcome = verdict.Warn
		refused.Observed = fmt.Sprintf("%d errors", len(found))
		refused.Message = fmt.Sprintf("PostgreSQL %d refuses what %d takes (rows were not tried there): %s",
			r.box.Info().Major(), r.ownMajor(), strings.Join(found[:min(most, len(found))], "; "))
		refused.Hint = "change it in production before the upgrade"
	}
	r.checks(refused)
	return nil
}

// lend gives the archive's files to another sandbox too.
func (r *run) lend(to *boxState) (inside string, err error) {
	if r.archive.Format == archive.Plain {
		return "", nil
	}
	const name = "archive"
	for i, file := range r.archive.Files() {
		target := archive.PartPath(to.HostPath(name), i)
		info, err := os.Stat(file.Path)
		if err != nil {
			return "", err
		}
		if info.IsDir() {
			err = os.CopyFS(target, os.DirFS(file.Path))
		} else {
			err = os.Link(file.Path, target)
		}
		if err != nil {
			return "", fmt.Errorf("hand the backup to a second sandbox: %w", err)
		}
		if err := readable(target); err != nil {
			return "", err
		}
	}
	return to.InsidePath(name), nil
}

// versions are those of what a server brings along, by name.
type versions struct{ extensions, collations map[string]string }

// readVersions asks a server for the versions of extensions, of all where none
// are named, and of the libraries that sort its strings: of those that the
// database uses, or of all of them.
func readVersions(ctx context.Context, box *boxState, database string, extensions []string) (v versions, err error) {
	conn, err := box.DB().Connect(ctx, database)
	if err != nil {
		return versions{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	v.extensions, err = pairs(ctx, conn, `select name::text, default_version::text from pg_catalog.pg_available_extensions
 where default_version is not null and ($1::text[] is null or name = any ($1))`, extensions)
	if err != nil {
		return versions{}, fmt.Errorf("read the versions of extensions: %w", err)
	}
	v.collations, err = pairs(ctx, conn, `
select case c.collprovider when 'c' then 'libc' else 'ICU' end,
       pg_catalog.max(pg_catalog.pg_collation_actual_version(c.oid))
  from pg_catalog.pg_collation c
 where c.collprovider in ('c', 'i') and pg_catalog.pg_collation_actual_version(c.oid) is not null
   and ($1::text[] is null or exists (
     select from pg_catalog.pg_attribute a join pg_catalog.pg_class r on r.oid = a.attrelid
       join pg_catalog.pg_collation used on used.oid = a.attcollation
       join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
      where r.oid >= 16384 and c.collprovider = case used.collprovider when 'd'
              then coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c')::"char" else used.collprovider end
        and (used.collprovider <> 'd' or d.datcollate not in ('C', 'POSIX')
             or coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') = 'i')
        and used.collname not in ('C', 'POSIX')))
 group by 1`, extensions)
	if err != nil {
		return versions{}, fmt.Errorf("read the versions of collations: %w", err)
	}
	return v, nil
}

func pairs(ctx context.Context, conn *pgx.Conn, sql string, args ...any) (map[string]string, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	var name, version string
	_, err = pgx.ForEachRow(rows, []any{&name, &version}, func() error {
		found[name] = version
		return nil
	})
	return found, err
}

// changed tells what is of another version now, as far as both are known.
func changed(then, now map[string]string) string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if before, ok := then[name]; ok && before != now[name] {
			found = append(found, fmt.Sprintf("%s %s, here %s", name, before, now[name]))
		}
	}
	return strings.Join(found, "; ")
}
