package scrub

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/scrubtest"
	"daybefore/internal/verdict"
)

// damageTrials is how many damaged blocks are tried of each table. DAMAGE_TRIALS=300
// makes more.
func damageTrials() int {
	if n, err := strconv.Atoi(os.Getenv("DAMAGE_TRIALS")); err == nil {
		return n
	}
	return 12
}

// Where the server refuses a table's rows for a byte that was damaged, so is
// what comes out of the filter, or the filter refuses them itself; and no rule
// is ever blamed for it. Where the server takes them, the filter does.
func TestDamageIsNoRulesFault(t *testing.T) {
	t.Parallel()
	conn, p, checks := shopSituation(t).plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if _, err := conn.Exec(t.Context(), shopRows); err != nil {
		t.Fatal(err)
	}
	chance := rand.New(rand.NewPCG(uint64(damageTrials()), 1))
	for _, table := range []string{"users", "orders", "msgs_a"} {
		d := newDamaged(t, conn, p, "public", table)
		for range damageTrials() {
			d.try(spoil(chance, d.block))
		}
		t.Logf("%s: %v", table, d.seen)
	}
}

// damaged compares what becomes of damaged rows of a table with and without
// the filter.
type damaged struct {
	t             testing.TB
	conn          *pgx.Conn
	p             *Plan
	schema, table string
	columns       []string
	block         []byte // some of its rows, as COPY writes them
	seen          map[string]int
}

func newDamaged(t testing.TB, conn *pgx.Conn, p *Plan, namespace, table string) *damaged {
	d := &damaged{t: t, conn: conn, p: p, schema: namespace, table: table, columns: p.loaded[p.schema.ByName[schema.Name{Schema: namespace, Table: table}]],
		seen: map[string]int{}}
	var out bytes.Buffer
	if _, err := conn.PgConn().CopyTo(t.Context(), &out,
		fmt.Sprintf("copy (select %s from %s limit 40) to stdout", scrubtest.Names(d.columns), pgx.Identifier{namespace, table}.Sanitize())); err != nil {
		t.Fatal(err)
	}
	d.block = out.Bytes()
	return d
}

// copy is what the server says of rows, of which it keeps none.
func (d *damaged) copy(block []byte) *pgconn.PgError {
	tx, err := d.conn.Begin(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	defer tx.Rollback(d.t.Context())
	tag, err := d.conn.PgConn().CopyFrom(d.t.Context(), bytes.NewReader(block), "copy "+target(d.schema, d.table, d.columns)+" from stdin")
	var refused *pgconn.PgError
	if err != nil && !errors.As(err, &refused) {
		d.t.Fatal(err)
	}
	if refused == nil && int(tag.RowsAffected()) != bytes.Count(block, []byte("\n")) {
		return &pgconn.PgError{Code: "22P04", Message: "a row holds the marker of the end"}
	}
	return refused
}

func (d *damaged) try(block []byte) {
	for _, k := range d.p.keeps {
		k.kept.Store(0)
		clear(k.rows)
	}
	plain := d.copy(block)
	made, err := d.filtered(block)
	problem := verdict.AsProblem(err)
	switch {
	case errors.Is(err, ErrLeak):
		d.seen["leak"]++
	case err != nil && problem.Code == verdict.CodeScrub && plain == nil: // a value that no server writes, such as 1999-1-8
		d.seen["unusual"]++
	case err != nil && problem.Code != verdict.CodeCorrupt:
		d.t.Errorf("%s: the filter blames %v, and the server says %v", d.table, err, plain)
	case err != nil && plain == nil:
		d.t.Errorf("%s: the filter refuses what the server takes: %v", d.table, err)
	case err != nil:
		d.seen["refused by the filter"]++
	default:
		d.seen[d.both(plain, d.copy(made))]++
	}
}

// both compares what the server said without and with the filter.
func (d *damaged) both(plain, scrubbed *pgconn.PgError) string {
	switch {
	case scrubbed != nil && d.p.Blame(d.schema, d.table, scrubbed) != nil:
		d.t.Errorf("%s: a rule is blamed for %v, and without rules it is %v", d.table, scrubbed, plain)
	case plain != nil && scrubbed == nil && plain.Code == "23514": // a CHECK sees pseudonyms, which the plan's checks say
		return "refused by a CHECK"
	case plain != nil && scrubbed == nil:
		d.t.Errorf("%s: nobody refuses %v", d.table, plain)
	case plain == nil && scrubbed != nil:
		d.t.Errorf("%s: only what the rules made is refused: %v", d.table, scrubbed)
	}
	if plain != nil {
		return "refused by the server"
	}
	return "legal"
}

func (d *damaged) filtered(block []byte) (made []byte, err error) {
	rewrite, err := d.p.Filter(d.schema, d.table, d.columns)
	if err != nil || rewrite == nil {
		return block, err
	}
	for line := range bytes.Lines(block) {
		made, err = rewrite(made, bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return nil, err
		}
		made = append(made, '\n')
	}
	return made, nil
}

// spoil flips, takes out or puts in a byte, of all but the last newline.
func spoil(chance *rand.Rand, block []byte) []byte {
	at := chance.IntN(len(block) - 1)
	switch chance.IntN(3) {
	case 0:
		out := bytes.Clone(block)
		out[at] ^= 1 << chance.IntN(8)
		return out
	case 1:
		return append(bytes.Clone(block[:at]), block[at+1:]...)
	}
	return append(append(bytes.Clone(block[:at]), byte(chance.IntN(256))), block[at:]...)
}
