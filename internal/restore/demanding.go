package restore

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
)

// demand is what an extension wants of a restore, beside CREATE EXTENSION.
type demand struct {
	extension string
	library   string // that the server must have loaded at its start
	// functions of the extension, called once it is there and after all else
	before, after string
}

// demands are the extensions that cannot be created, or restored, like others.
// Libraries that must stand before others in shared_preload_libraries come first.
var demands = []demand{
	// https://docs.citusdata.com/en/stable/installation/multi_node_debian.html
	{extension: "citus", library: "citus"},
	// https://www.tigerdata.com/docs/self-hosted/latest/backup-and-restore/logical-backup
	{extension: "timescaledb", library: "timescaledb",
		before: "timescaledb_pre_restore", after: "timescaledb_post_restore"},
	// https://github.com/citusdata/pg_cron#setting-up-pg_cron
	{extension: "pg_cron", library: "pg_cron"},
	// https://github.com/pgaudit/pgaudit#settings
	{extension: "pgaudit", library: "pgaudit"},
	// https://github.com/aws/pg_tle/blob/main/docs/01_install.md
	{extension: "pg_tle", library: "pg_tle"},
	// https://github.com/cybertec-postgresql/pg_squeeze#installation
	{extension: "pg_squeeze", library: "pg_squeeze"},
	// https://github.com/2ndQuadrant/pglogical#usage
	{extension: "pglogical", library: "pglogical"},
}

// Libraries are those that extensions of an archive want loaded at the server's
// start, in the order in which they may stand there.
func Libraries(a *archive.Archive) (libraries []string) {
	wanted := a.Extensions()
	for _, d := range demands {
		if slices.Contains(wanted, d.extension) {
			libraries = append(libraries, d.library)
		}
	}
	return libraries
}

// prepareExtensions creates the extensions that must be told of a restore before
// anything else of the schema is there, and tells them. It takes their entries
// out of the list, and all that the archive has before them.
func (s *Session) prepareExtensions(ctx context.Context) error {
	for _, d := range s.demanding() {
		n := slices.IndexFunc(s.lists.pre, func(e archive.Entry) bool {
			return e.Desc == "EXTENSION" && e.Tag == d.extension
		})
		if n < 0 {
			continue // left out
		}
		first := slices.Clone(s.lists.pre[:n+1])
		s.lists.pre = s.lists.pre[n+1:]
		if err := s.restoreEntries(ctx, "pre-data-"+d.extension, first, 1); err != nil {
			return err
		}
		if err := s.call(ctx, d.extension, d.before); err != nil {
			return err
		}
	}
	return nil
}

// finishExtensions tells extensions that all is restored.
func (s *Session) finishExtensions(ctx context.Context) error {
	for _, d := range s.demanding() {
		if err := s.call(ctx, d.extension, d.after); err != nil {
			return err
		}
	}
	return nil
}

// demanding are the archive's extensions that want to be told of a restore.
func (s *Session) demanding() (all []demand) {
	wanted := s.archive.Extensions()
	for _, d := range demands {
		if d.before != "" && slices.Contains(wanted, d.extension) {
			all = append(all, d)
		}
	}
	return all
}

// call calls a function of an extension that takes nothing, if the extension is
// there and has it: one of that name that the backup brings is not meant.
func (s *Session) call(ctx context.Context, extension, name string) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, `
select pg_catalog.format('select %I.%I()', n.nspname, p.proname)
  from pg_catalog.pg_extension e
  join pg_catalog.pg_depend d on d.refobjid = e.oid and d.deptype = 'e'
   and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
   and d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  join pg_catalog.pg_proc p on p.oid = d.objid
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
 where e.extname = $1 and p.proname = $2 and p.pronargs = 0`, extension, name)
	if err != nil {
		return fmt.Errorf("look for %s of the extension %s: %w", name, extension, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(found) == 0 {
		return err // what could not be created is told as an error of the restore
	}
	if _, err := conn.PgConn().Exec(ctx, found[0]).ReadAll(); err != nil {
		return fmt.Errorf("call %s of the extension %s: %w", name, extension, err)
	}
	return nil
}
