package restore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/archive"
	"daybefore/internal/verdict"
)

// alterSetting is how pg_dump writes what a database, or a role in it, sets for
// its sessions (makeAlterConfigCommand in dumputils.c).
var alterSetting = regexp.MustCompile(`(?s)^ALTER (?:DATABASE ` + anyIdent + `|ROLE ` + anyIdent + ` IN DATABASE ` +
	anyIdent + `)\s+SET (` + anyIdent + `) (?:TO|=) (.*?);?\s*$`)

// anyIdent is an identifier, also one that no fold has been through.
const anyIdent = `(?:"(?:[^"]|"")+"|[^\s";.]+(?:\.[^\s";]+)?)`

// setting takes the name and the value out of such a statement.
func setting(sql string) (name, value string, ok bool) {
	m := alterSetting.FindStringSubmatch(strings.TrimSpace(sql))
	if m == nil {
		return "", "", false
	}
	return strings.ToLower(unquoted(m[1])), strings.Trim(m[2], "'"), true
}

// SettingNames are those that the database, or a role in it, sets for its
// sessions, each once.
func (s *Session) SettingNames() []string {
	var names []string
	for _, sql := range s.archive.DatabaseProperties() {
		name, _, ok := setting(sql)
		if ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// setLate are settings that come when everything is restored: they name what a
// sandbox lacks (libraries, tablespaces), take memory and processors that it
// has not, end sessions or keep them from writing. None of them changes what a
// restore makes of the rows.
var setLate = regexp.MustCompile(`^(?:(?:session|local)_preload_libraries|(?:default|temp)_tablespaces?|` +
	`default_table_access_method|(?:maintenance_|logical_decoding_)?work_mem|temp_buffers|hash_mem_multiplier|` +
	`(?:min|max)_parallel_.*|parallel_.*|.*_io_concurrency|effective_.*|jit.*|enable_.*|.*_cost|` +
	`synchronous_commit|commit_.*|.*_timeout|default_transaction_.*|session_replication_role|role|` +
	`client_min_messages|client_encoding|log_.*|debug_.*)$`)

// early tells what of the database's properties stands before its schema:
// whatever a restore with --create meets there, save what is better set late.
func (s *Session) early(ctx context.Context, conn *pgx.Conn, sql string) (bool, error) {
	if !strings.HasPrefix(sql, "ALTER ") {
		return false, nil // comments and privileges, which pg_restore grants last
	}
	name, value, ok := setting(sql)
	switch {
	case !ok:
		return true, nil
	case name != "default_text_search_config":
		return !setLate.MatchString(name), nil
	}
	// One of the backup's own is not there yet, and each session would say so.
	var there bool
	err := conn.QueryRow(ctx, "select exists ("+
		"select from pg_catalog.pg_ts_config where cfgnamespace = "+
		"'pg_catalog'::pg_catalog.regnamespace and cfgname = $1)",
		strings.TrimPrefix(value, "pg_catalog.")).Scan(&there)
	return there, err
}

// propertiesBefore gives the database, before its schema, its owner and the
// settings under which pg_restore --create would restore it. The others are
// kept for propertiesAfter.
func (s *Session) propertiesBefore(ctx context.Context, conn *pgx.Conn) error {
	for _, sql := range s.archive.DatabaseProperties() {
		now, err := s.early(ctx, conn, sql)
		switch {
		case err != nil:
			return fmt.Errorf("read the settings of database %s: %w", s.archive.Database, err)
		case strings.HasPrefix(sql, "SECURITY LABEL"): // no server takes one without the module that asked for it
			s.lists.leftOut = append(s.lists.leftOut,
				archive.Entry{Desc: "SECURITY LABEL", Tag: "DATABASE " + s.archive.Database})
		case !now:
			s.properties = append(s.properties, sql)
		default:
			if err := s.property(ctx, conn, sql); err != nil {
				return err
			}
		}
	}
	return nil
}

// propertiesAfter gives the database, once it is restored, the rest of what
// pg_restore only restores with --create.
func (s *Session) propertiesAfter(ctx context.Context) error {
	if len(s.properties) == 0 {
		return nil
	}
	conn, err := s.connect(ctx) // where names of roles and of the database are written as the dump has them
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range s.properties {
		if err := s.property(ctx, conn, sql); err != nil {
			return err
		}
	}
	return nil
}

// property runs one statement about the database. A setting that this server
// does not take says something about the server, anything else about the backup.
func (s *Session) property(ctx context.Context, conn *pgx.Conn, sql string) error {
	_, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	var refused *pgconn.PgError
	name, _, isSetting := setting(sql)
	switch {
	case err == nil:
	case !errors.As(err, &refused) || fatal(refused) != nil:
		return fmt.Errorf("restore the settings of database %s: %w", s.archive.Database, err)
	case isSetting:
		s.unset = append(s.unset, name)
		s.unsetWhy = append(s.unsetWhy, s.tell(serverError("", refused)))
	default:
		s.said.add(serverError("DATABASE PROPERTIES "+s.archive.Database, refused))
	}
	return nil
}

// settingsCheck tells which of the database's settings this server refuses.
func (s *Session) settingsCheck() *verdict.Check {
	if len(s.unset) == 0 {
		return nil
	}
	return &verdict.Check{
		ID: "database_settings", Stage: verdict.StageRestore, Code: verdict.CodeSettings, Outcome: verdict.Warn,
		Expected: "all", Observed: fmt.Sprintf("all but %d", len(s.unset)),
		Message: "the sandbox's server does not take what the backup sets for the database: " + shortList(s.unsetWhy),
		Hint: "it was restored without them; a real server need not know them either: compare its version, " +
			"locales and libraries (sandbox.image and sandbox.preload name others here)",
	}
}
