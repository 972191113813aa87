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

// Prober asks the server, in read-only transactions, what a column would say
// to a value.
type Prober struct {
	Context context.Context
	Conn    *pgx.Conn
	Told    *told.Names // that a refusal may name
}

// Refusal says in words what refuses a value of the column; empty if nothing
// does. A nil value is null. The error is the connection's.
func (p Prober) Refusal(c *Column, value *string) (string, error) {
	why, err := p.Ask(fmt.Sprintf("select ($1::%s) is null or true", c.SQL), value)
	if err != nil || why != "" {
		return RefusedBy("type "+c.SQL, why), err
	}
	for _, check := range c.Table.Checks {
		if !slices.Contains(check.Columns, c.Number) {
			continue
		}
		why, err := p.Ask(p.Expression(c, check), value)
		if err != nil || why != "" {
			return RefusedBy("constraint "+check.Name, why), err
		}
	}
	return "", nil
}

// RefusedBy says by what a value is refused, and why; empty where it is not.
func RefusedBy(by, why string) string {
	if why == "" {
		return ""
	}
	return by + ": " + why
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
func (p Prober) Ask(sql string, value *string) (string, error) {
	tx, err := p.Conn.BeginTx(p.Context, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return "", err
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
		return p.Told.Sentence(refusal.Message), nil
	case result.Err != nil:
		return "", result.Err
	case len(result.Rows) != 1 || string(result.Rows[0][0]) != "t":
		return "not met", nil
	}
	return "", nil
}
