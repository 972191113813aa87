package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/told"
)

// Prober asks the server, and changes nothing on it, what a column would say to a
// value, and where its row would go.
type Prober struct {
	Context context.Context
	Conn    *pgx.Conn
	Told    *told.Names // that a refusal may name
}

// Refusal is what the server has against a value. It is told only when its words
// are asked for: many a trial fails of which nothing is said, and to learn which
// sentences are the server's is dear. Nil is none.
type Refusal struct {
	by      string
	own     string // in the prober's words; empty where the server has some
	message string
	names   *told.Names
}

// Words say what refuses, and why; nothing of no refusal.
func (r *Refusal) Words() string {
	switch {
	case r == nil:
		return ""
	case r.own != "":
		return RefusedBy(r.by, r.own)
	}
	return RefusedBy(r.by, r.names.Sentence(r.message))
}

// RefusedBy says by what a value is refused, if that is to be said, and why;
// empty where it is not.
func RefusedBy(by, why string) string {
	if by == "" || why == "" {
		return why
	}
	return by + ": " + why
}

// Refusal is what refuses a value of the column; nil if nothing does. A nil value
// is null. The error is the connection's.
func (p Prober) Refusal(c *Column, value *string) (*Refusal, error) {
	refused, err := p.Ask(fmt.Sprintf("select ($1::%s) is null or true", c.SQL), value)
	if err != nil || refused != nil {
		return refused.of("type " + c.SQL), err
	}
	for _, check := range c.Table.Checks {
		if !slices.Contains(check.Columns, c.Number) {
			continue
		}
		refused, err := p.Ask(p.Expression(c, check), value)
		if err != nil || refused != nil {
			return refused.of("constraint " + check.Name), err
		}
	}
	return nil, nil
}

func (r *Refusal) of(by string) *Refusal {
	if r != nil {
		r.by = by
	}
	return r
}

// Expression asks a CHECK of one column for anything but false, as the server
// does; and one of several columns for true while the others are null, since
// what they will hold is not known.
func (p Prober) Expression(c *Column, k Check) string {
	var row []string
	for _, other := range c.Table.Columns {
		value := "null"
		if other == c {
			value = "$1"
		}
		row = append(row, fmt.Sprintf("%s::%s as %s", value, other.SQL, pgx.Identifier{other.Name}.Sanitize()))
	}
	wanted := "is not false"
	if len(k.Columns) > 1 {
		wanted = "is true"
	}
	return fmt.Sprintf("select (%s) %s from (select %s) as %s", k.SQL, wanted, strings.Join(row, ", "),
		pgx.Identifier{c.Table.Name.Table}.Sanitize())
}

// Ask runs a query that answers true; anything else is a refusal.
func (p Prober) Ask(sql string, value *string) (*Refusal, error) {
	tx, err := p.Conn.BeginTx(p.Context, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(context.WithoutCancel(p.Context))
	var param []byte
	if value != nil {
		param = []byte(*value)
	}
	result := p.Conn.PgConn().ExecParams(p.Context, sql, [][]byte{param}, nil, nil, nil).Read()
	var refusal *pgconn.PgError
	switch {
	case errors.As(result.Err, &refusal):
		return &Refusal{message: refusal.Message, names: p.Told}, nil
	case result.Err != nil:
		return nil, result.Err
	case len(result.Rows) != 1 || string(result.Rows[0][0]) != "t":
		return &Refusal{own: "not met"}, nil
	}
	return nil, nil
}

// Explain says why the server could not run a statement, without running it; empty
// if it could.
func (p Prober) Explain(sql string) (string, error) {
	tx, err := p.Conn.BeginTx(p.Context, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return "", err
	}
	defer tx.Rollback(context.WithoutCancel(p.Context))
	err = p.Conn.PgConn().ExecParams(p.Context, "explain "+sql, nil, nil, nil, nil).Read().Err
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return p.Told.Sentence(refusal.Message), nil
	}
	return "", err
}

// TakesAllRows reports whether each row has a partition of a table, whatever it
// holds: a default one, or all that a hash can be.
func (p Prober) TakesAllRows(t *Table) (all bool, err error) {
	err = p.Conn.QueryRow(p.Context, `
		select case k.partstrat when 'h' then coalesce((
		         select sum(1.0 / substring(pg_get_expr(c.relpartbound, c.oid) from 'modulus (\d+)')::numeric)
		           from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = k.partrelid), 0) > 0.999999
		       else k.partdefid <> 0 end
		  from pg_partitioned_table k where k.partrelid = $1`, t.OID).Scan(&all)
	return all, err
}

// Bounds is an expression that is true of the rows that a table has a partition
// for.
func (p Prober) Bounds(t *Table) (string, error) {
	var all []string
	for _, child := range t.Children {
		var one string
		err := p.Conn.QueryRow(p.Context, "select coalesce(pg_get_partition_constraintdef($1), 'false')",
			child.OID).Scan(&one)
		if err != nil {
			return "", err
		}
		all = append(all, "("+one+")")
	}
	if len(all) == 0 {
		return "false", nil
	}
	return strings.Join(all, " or "), nil
}
