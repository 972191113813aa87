package restore

import (
	"context"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/sqltext"
)

// foreignKey is a key between plain tables that may be checked before the last
// step: once the rows of both are in and all is built that rests on them.
//
// pg_dump's one statement would lock both tables against each other's keys for
// as long as it compares the rows. Added NOT VALID and then validated, a key
// holds that lock for a moment only, and ends as the same key.
type foreignKey struct {
	entry    archive.Entry
	from     *tableLoad
	to       tableName // the same for a key within a table
	add      string
	validate string
	remove   string // what add did
	waits    int    // for so many rows and builds
}

// keyStatement is pg_dump's (dumpConstraint in pg_dump.c).
type keyStatement struct {
	from, to tableName
	sql      string // without its semicolon
	table    string // as the statement writes it
	key      string
}

// parseKey reads ALTER TABLE ONLY s.t ADD CONSTRAINT c FOREIGN KEY (…) REFERENCES
// s.u(…), one statement and nothing else. A key that is NOT VALID is none.
func parseKey(sql string) (k keyStatement, ok bool) {
	statements := sqltext.Statements(sqltext.Tokens(sql, true))
	if len(statements) != 1 {
		return keyStatement{}, false
	}
	tokens := statements[0]
	c := sqltext.Cursor{Tokens: tokens}
	written := func(from int) string { return sql[tokens[from].Start:tokens[c.Pos-1].End] }
	if !c.Takes("alter", "table", "only") {
		return keyStatement{}, false
	}
	at := c.Pos
	k.from.schema, k.from.table = c.Qualified()
	if k.from.table == "" {
		return keyStatement{}, false
	}
	k.table = written(at)
	if !c.Takes("add", "constraint") {
		return keyStatement{}, false
	}
	at = c.Pos
	if c.Name() == "" {
		return keyStatement{}, false
	}
	k.key = written(at)
	if !c.Takes("foreign", "key") || !c.Past("references") {
		return keyStatement{}, false
	}
	k.to.schema, k.to.table = c.Qualified()
	k.sql = sql[tokens[0].Start:tokens[len(tokens)-1].End]
	return k, k.to.table != "" && !c.Contains("not", "valid")
}

// findKey adds a foreign key to those that wait, if it is one between tables
// that are loaded here, and says so as pg_dump does. Tables are found by name,
// since a script's entries know no other dependency.
func (c *scheduler) findKey(e archive.Entry, rowsOf map[int]int, byName map[tableName]*tableLoad, early map[int]bool) {
	said, ok := parseKey(e.Defn)
	from := byName[said.from]
	to := byName[said.to]
	if !ok || from == nil || to == nil {
		return
	}
	for _, d := range e.Deps {
		if _, isTable := rowsOf[d]; !isTable && !early[d] { // what waits for the last step
			return
		}
	}
	k := &foreignKey{
		entry: e, from: from, to: to.tableName,
		add:      said.sql + " NOT VALID",
		validate: "ALTER TABLE ONLY " + said.table + " VALIDATE CONSTRAINT " + said.key,
		remove:   "ALTER TABLE ONLY " + said.table + " DROP CONSTRAINT IF EXISTS " + said.key,
	}
	c.numKeys[from.entry.DumpID]++
	c.wait(k, from)
	if to != from {
		c.wait(k, to)
	}
}

// wait lets a key wait for a table's rows, and for all that is built on them.
func (c *scheduler) wait(k *foreignKey, t *tableLoad) {
	rows := t.entry.DumpID
	c.waiting[rows] = append(c.waiting[rows], k)
	k.waits++
	for _, b := range c.byTable[rows] {
		c.waiting[b.DumpID] = append(c.waiting[b.DumpID], k)
		k.waits++
	}
}

// check builds a foreign key. One that the rows break leaves no trace, so that
// the last step can try it as the dump says it.
func (c *scheduler) check(ctx context.Context, conn *pgx.Conn, k *foreignKey, said *messages) error {
	ok, err := c.try(ctx, conn, k.entry, k.add, said)
	if !ok {
		return err
	}
	ok, err = c.try(ctx, conn, k.entry, k.validate, said)
	switch {
	case err != nil:
		return err
	case ok:
		c.isBuilt(k.entry)
		return nil
	}
	_, err = conn.PgConn().Exec(ctx, k.remove).ReadAll()
	return err
}
