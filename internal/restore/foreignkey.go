package restore

import (
	"context"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/copytext"
)

// foreignKey is a key between plain tables that may be checked before the last
// step: once the rows of both are in and all is built that rests on them.
//
// pg_dump's one statement would lock both tables against each other's keys for
// as long as it compares the rows. Added NOT VALID and then validated, a key
// holds that lock for a moment only, and ends as the same key.
type foreignKey struct {
	entry    archive.Entry
	from     *table
	to       name // the same for a key within a table
	add      string
	validate string
	remove   string // what add did
	waits    int    // for so many rows and builds
}

// keyStatement is pg_dump's (dumpConstraint in pg_dump.c): the table, the key's
// name and the table that it refers to.
var keyStatement = regexp.MustCompile(`^ALTER TABLE ONLY (` + qualified + `)\n    ADD CONSTRAINT (` + ident + `) FOREIGN KEY \([^;]*\) REFERENCES (` + qualified + `)\([^;]*;\s*$`)

const (
	ident     = `(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")`
	qualified = ident + `\.` + ident
)

// findKey adds a foreign key to those that wait, if it is one between tables
// that are loaded here, and says so as pg_dump does. Tables are found by name,
// since a script's entries know no other dependency.
func (c *crew) findKey(e archive.Entry, rowsOf map[int]int, byName map[name]*table, early map[int]bool) {
	parts := keyStatement.FindStringSubmatch(e.Defn)
	if parts == nil || strings.Contains(e.Defn, "NOT VALID") {
		return
	}
	from, to := byName[parseName(parts[1])], byName[parseName(parts[3])]
	if from == nil || to == nil {
		return
	}
	for _, d := range e.Deps {
		if _, isTable := rowsOf[d]; !isTable && !early[d] { // what waits for the last step
			return
		}
	}
	statement := strings.TrimRight(e.Defn, "; \n")
	k := &foreignKey{
		entry: e, from: from, to: to.name,
		add:      statement + " NOT VALID",
		validate: "ALTER TABLE ONLY " + parts[1] + " VALIDATE CONSTRAINT " + parts[2],
		remove:   "ALTER TABLE ONLY " + parts[1] + " DROP CONSTRAINT IF EXISTS " + parts[2],
	}
	c.numKeys[from.entry.DumpID]++
	c.wait(k, from)
	if to != from {
		c.wait(k, to)
	}
}

// wait lets a key wait for a table's rows, and for all that is built on them.
func (c *crew) wait(k *foreignKey, t *table) {
	rows := t.entry.DumpID
	c.waiting[rows] = append(c.waiting[rows], k)
	k.waits++
	for _, b := range c.byTable[rows] {
		c.waiting[b.DumpID] = append(c.waiting[b.DumpID], k)
		k.waits++
	}
}

// parseName takes a qualified name apart.
func parseName(sql string) name {
	h, err := copytext.ParseHeader("COPY " + sql + " FROM stdin;") // which holds one too
	if err != nil {
		return name{}
	}
	return name{h.Schema, h.Table}
}

// check builds a foreign key. One that the rows break leaves no trace, so that
// the last step can try it as the dump says it.
func (c *crew) check(ctx context.Context, conn *pgx.Conn, k *foreignKey, said *messages) error {
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
