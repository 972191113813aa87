package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/archive"
	"daybefore/internal/verdict"
)

// maintenance is the database to be in while the restored one is created: the
// archive may well bring one called postgres. For one called template1 another
// is made.
const (
	maintenance      = "template1"
	otherMaintenance = "daybefore_maintenance"
)

// outside opens a session in another database than the archive's.
func (s *Session) outside(ctx context.Context) (*pgx.Conn, error) {
	conn, err := s.box.DB().Connect(ctx, maintenance)
	if err != nil || s.archive.Database != maintenance {
		return conn, err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+otherMaintenance+" TEMPLATE template0")
	if err == nil {
		_, err = conn.Exec(ctx, "ALTER DATABASE "+maintenance+" IS_TEMPLATE false")
	}
	conn.Close(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	return s.box.DB().Connect(ctx, otherMaintenance)
}

// prepareServer makes what an archive takes for granted: extensions that can
// be created, roles, and the database itself.
func (s *Session) prepareServer(ctx context.Context) error {
	conn, err := s.outside(ctx)
	if err != nil {
		return verdict.Errorf(verdict.CodeSandbox, "the sandbox's server died or refused; run the drill again",
			"connect to the sandbox: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, step := range []func(context.Context, *pgx.Conn) error{s.needExtensions, s.createDatabase} {
		if err := step(ctx, conn); err != nil {
			return err
		}
	}
	// Roles belong to the whole cluster, and are written as the session's
	// database is: only one made in this database is found from there.
	inside, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer inside.Close(context.WithoutCancel(ctx))
	if err := s.createRoles(ctx, inside); err != nil {
		return err
	}
	return s.propertiesBefore(ctx, inside)
}

// createRoles creates the roles that the archive names and the server lacks,
// without login: owners and privileges come back, and nobody can use them.
// Those that the dump of a cluster would create it brings along.
func (s *Session) createRoles(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, "select rolname::text from pg_roles")
	if err != nil {
		return fmt.Errorf("list the sandbox's roles: %w", err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list the sandbox's roles: %w", err)
	}
	var undeclared []string
	for _, role := range s.archive.Roles() {
		if slices.Contains(there, role) {
			continue
		}
		if _, err := conn.Exec(ctx, "CREATE ROLE "+pgx.Identifier{role}.Sanitize()+" NOLOGIN"); err != nil {
			return fmt.Errorf("create the role %q in the sandbox: %w", role, err)
		}
		s.created = append(s.created, role)
		if s.providesRole(role) {
			continue
		}
		if !slices.Contains(s.opts.DeclaredRoles, role) && !slices.Contains(s.archive.ClusterRoles, role) {
			undeclared = append(undeclared, role)
		}
	}
	s.checks = append(s.checks, s.rolesCheck(undeclared))
	return nil
}

func (s *Session) rolesCheck(undeclared []string) verdict.Check {
	c := verdict.Check{
		ID: "roles", Stage: verdict.StageRestore, Code: verdict.CodeRoles, Outcome: verdict.Pass,
		Expected: "no role beyond those declared", Observed: "none",
	}
	if len(undeclared) == 0 {
		return c
	}
	c.Outcome = verdict.Fail
	c.Observed = strings.Join(undeclared, ", ")
	c.Message = "the backup names roles that it does not bring along: " + c.Observed
	c.Hint = "a real restore needs them first: keep a `pg_dumpall --roles-only` beside the backup, and list " +
		"them under expectations.roles"
	if s.opts.CreateRoles {
		c.Outcome = verdict.Warn
		c.Message += "; they were created here, without login"
	}
	return c
}

// createDatabase creates the database with the archive's own encoding and
// locale. Where the sandbox lacks the locale, the C locale of the same
// encoding serves, with a warning: sort order and index order may differ.
func (s *Session) createDatabase(ctx context.Context, conn *pgx.Conn) error {
	if !utf8.ValidString(s.archive.Database) {
		return verdict.Errorf(verdict.CodeUnsupported, "rename the database, to plain letters",
			"create the database %q: its name is written in another encoding than UTF-8, which "+
				"this version cannot make here", s.archive.Database)
	}
	if s.archive.Database == "template0" {
		return verdict.Errorf(verdict.CodeUnsupported,
			"dump another database: no one can connect to this one, which every server creates itself",
			"create the database template0: a server cannot do without its own")
	}
	name := pgx.Identifier{s.archive.Database}.Sanitize()
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name); err != nil {
		return fmt.Errorf("drop the sandbox's own database %s: %w", name, err)
	}
	declared := s.archive.DatabaseDefn()
	_, err := conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"+localeOptions(declared))
	var refused *pgconn.PgError
	if err == nil || !errors.As(err, &refused) || fatal(refused) != nil {
		return err
	}
	fallback := archive.DatabaseDefn{Encoding: declared.Encoding, Provider: "libc", Collate: "C", CType: "C"}
	if _, again := conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"+localeOptions(fallback)); again != nil {
		return verdict.Errorf(verdict.CodeRestore,
			"name an image under sandbox.image that has the backup's locale and encoding",
			"create database %s (%s): %s", name, strings.TrimSpace(localeOptions(declared)), refused.Message)
	}
	s.checks = append(s.checks, verdict.Check{
		ID: "locale", Stage: verdict.StageRestore, Code: verdict.CodeLocale, Outcome: verdict.Warn,
		Expected: strings.TrimSpace(localeOptions(declared)), Observed: strings.TrimSpace(localeOptions(fallback)),
		Message: "the sandbox lacks the backup's locale, so the database was created with the C locale: " +
			Redact(refused.Message),
		Hint: "sort order may differ from production's; an image with that locale (sandbox.image) avoids this",
	})
	return nil
}

// localeOptions writes the options of CREATE DATABASE that were declared.
func localeOptions(d archive.DatabaseDefn) string {
	var b strings.Builder
	option := func(key, value string) {
		if value != "" {
			b.WriteString(" " + key + " '" + strings.ReplaceAll(value, "'", "''") + "'")
		}
	}
	option("ENCODING", d.Encoding)
	if d.Provider != "" && d.Provider != "libc" { // before 15 there is no such option
		b.WriteString(" LOCALE_PROVIDER " + pgx.Identifier{d.Provider}.Sanitize())
	}
	option("LC_COLLATE", d.Collate)
	option("LC_CTYPE", d.CType)
	option("ICU_LOCALE", d.ICULocale)
	option("ICU_RULES", d.ICURules)
	option("BUILTIN_LOCALE", d.BuiltinLocale)
	return b.String()
}
