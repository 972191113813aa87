package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/verdict"
)

// needExtensions compares the archive's extensions with the image's.
func (s *Session) needExtensions(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, "select name::text from pg_available_extensions")
	if err != nil {
		return fmt.Errorf("list the sandbox's extensions: %w", err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list the sandbox's extensions: %w", err)
	}
	missing := slices.DeleteFunc(s.archive.Extensions(), func(name string) bool { return slices.Contains(there, name) })
	missing = s.withoutProvided(missing)
	if len(missing) == 0 {
		return nil
	}
	if !s.opts.SkipMissing {
		return verdict.Errorf(verdict.CodeExtensions,
			"name an image that has them under sandbox.image, or set restore.extensions: skip",
			"restore %s: the sandbox lacks extensions that the backup needs: %s", s.archive.Database,
			strings.Join(missing, ", "))
	}
	s.skipped = true
	s.setAside(&s.lists.pre, func(e archive.Entry) bool {
		return ofExtension(e, func(name string) bool { return slices.Contains(missing, name) })
	})
	return nil
}

// setAside takes entries out of a list, to be reported.
func (s *Session) setAside(list *[]archive.Entry, unwanted func(archive.Entry) bool) {
	s.lists.leftOut = append(s.lists.leftOut, take(list, unwanted)...)
}

// saidOfAnother tells comments and privileges. Nothing rests on them.
func saidOfAnother(e archive.Entry) bool { return e.Desc == "COMMENT" || e.Desc == "ACL" }

func unquoted(name string) string {
	if len(name) < 2 || name[0] != '"' {
		return name
	}
	return strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
}

// schemaOf is the schema that an entry stands in, or is about.
func schemaOf(e archive.Entry) string {
	if e.Namespace != "" || !saidOfAnother(e) {
		return e.Namespace
	}
	if name, ok := strings.CutPrefix(e.Tag, "SCHEMA "); ok {
		return unquoted(name)
	}
	return ""
}

// takeStrays takes out of the schema's entries what is said of something in a
// schema that the archive does not make: an extension's own, which may be among
// those left out. Only when all else is restored can the server be asked.
func (s *Session) takeStrays() []archive.Entry {
	if !s.skipped {
		return nil
	}
	made := map[string]bool{"": true, "public": true}
	for _, e := range s.archive.Entries {
		if e.Desc == "SCHEMA" {
			made[e.Tag] = true
		}
	}
	return take(&s.lists.pre, func(e archive.Entry) bool { return saidOfAnother(e) && !made[schemaOf(e)] })
}

// withoutMembers leaves out what belongs to things that an extension which was
// left out would have made: privileges in its schema, the rows of its tables
// and the values of its sequences, which pg_dump writes beside CREATE EXTENSION.
// The other strays are restored.
func (s *Session) withoutMembers(ctx context.Context, strays []archive.Entry) error {
	if !s.skipped {
		return nil
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	schemas, err := readSchemas(ctx, conn)
	if err != nil {
		return fmt.Errorf("list the restored schemas of %s: %w", s.archive.Database, err)
	}
	nowhere := func(e archive.Entry) bool {
		schema := schemaOf(e)
		return schema != "" && !slices.Contains(schemas, schema)
	}
	// a script's privileges stand at its end
	for _, list := range []*[]archive.Entry{&strays, &s.lists.direct, &s.lists.post} {
		s.setAside(list, func(e archive.Entry) bool {
			return (e.Desc == "DEFAULT ACL" || saidOfAnother(e)) && nowhere(e)
		})
	}
	if err := s.withoutStrangers(ctx, conn); err != nil {
		return fmt.Errorf("look for what extensions that are left out would have made in %s: %w", s.archive.Database,
			err)
	}
	return s.restoreEntries(ctx, "pre-data-extensions", strays, 1)
}

func readSchemas(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, "select nspname::text from pg_catalog.pg_namespace")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// withoutStrangers leaves out rows and sequence values of relations that the
// archive does not make and the server does not have. Those that the archive
// makes stay: that one of them is missing is for pg_restore to tell.
func (s *Session) withoutStrangers(ctx context.Context, conn *pgx.Conn) error {
	made := map[tableName]bool{}
	for _, e := range s.archive.Entries {
		if e.Section == archive.SectionPreData {
			made[tableName{e.Namespace, e.Tag}] = true
		}
	}
	for _, list := range []*[]archive.Entry{&s.lists.rows, &s.lists.direct} {
		var err error
		s.setAside(list, func(e archive.Entry) bool {
			if err != nil || e.Desc != "TABLE DATA" && e.Desc != "SEQUENCE SET" || made[tableName{e.Namespace, e.Tag}] {
				return false
			}
			var there bool
			err = conn.QueryRow(ctx,
				"select pg_catalog.to_regclass(pg_catalog.format('%I.%I', $1::text, $2::text)) is not null",
				e.Namespace, e.Tag).Scan(&there)
			return err == nil && !there
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sameExtensions makes sure that the tables which extensions made take the rows
// that the archive has for them: those of another version may not.
func (s *Session) sameExtensions() error {
	made := map[tableName]bool{}
	for _, e := range s.archive.Entries {
		if e.Section == archive.SectionPreData {
			made[tableName{e.Namespace, e.Tag}] = true
		}
	}
	var lacking []string
	for _, t := range s.tables {
		switch {
		case made[t.tableName], made[tableName{t.entry.Namespace, t.entry.Tag}]:
		case t.kind == "":
			lacking = append(lacking, t.display())
		default:
			for _, c := range t.columns {
				if !slices.Contains(t.stored, c) {
					lacking = append(lacking, t.display()+"."+c)
				}
			}
		}
	}
	if len(lacking) == 0 || len(s.archive.Extensions()) == 0 {
		return nil
	}
	return verdict.Errorf(verdict.CodeExtensions,
		"name an image under sandbox.image that has the extensions in the versions that production has",
		"restore %s: an extension in the sandbox is of another version than production's, for the backup holds rows of "+
			"what it does not make: %s", s.archive.Database, shortList(lacking))
}
