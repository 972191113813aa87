package expect

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/sandbox"
	known "daybefore/internal/told"
	"daybefore/internal/verdict"
)

// sqlError is a server's error without anything that a row could have put
// into it.
type sqlError struct {
	State string // SQLSTATE
	told  string // may be shown
}

func (e *sqlError) Error() string { return e.told + " (SQLSTATE " + known.State(e.State) + ")" }

// ErrBroken is what a check came to whose connection to the server broke.
var ErrBroken = verdict.Errorf(verdict.CodeSandbox,
	"run the drill again; if it comes back, look for the machine's memory",
	"the connection to the sandbox's server broke before the check had ended")

// unprepared shows the server's message, which is about the statement: with the
// names that the statement itself has, since others are those that the
// backup's code may have chosen.
func unprepared(err error, sql string, all *known.Names) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || server.Code == queryCanceled || sandbox.Broken(err) {
		return redacted(err)
	}
	names := all.Others()
	names.Know(sql)
	said := names.Sentence(server.Message)
	if said == known.Withheld {
		said = conditionName(server.Code)
	}
	return &sqlError{State: server.Code, told: said}
}

const (
	queryCanceled     = "57014"
	readOnly          = "25006"
	notYetPopulated   = "55000"
	undefinedFunction = "42883"
)

// redacted keeps of a server's error what kind it is. Other errors are the
// connection's and hold no rows.
func redacted(err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case sandbox.Broken(err):
		return ErrBroken
	case !ok:
		return err
	case server.Code == queryCanceled:
		return errTimeout
	}
	return &sqlError{State: server.Code, told: conditionName(server.Code)}
}

// conditions are names of PostgreSQL's error codes and, by two letters, of
// their classes.
var conditions = map[string]string{
	"22001":           "string data right truncation",
	"22003":           "numeric value out of range",
	"22007":           "invalid datetime format",
	"22008":           "datetime field overflow",
	"22012":           "division by zero",
	"2201B":           "invalid regular expression",
	"22P02":           "invalid text representation",
	"21000":           "more than one row returned by a subquery",
	readOnly:          "the SQL tries to change something, in a read-only transaction",
	"08001":           "no connection, such as to a foreign server, which no sandbox reaches",
	"42501":           "insufficient privilege",
	"42704":           "undefined object, such as the user mapping of a foreign table, which a drill leaves out",
	undefinedFunction: "undefined function",
	"42P01":           "undefined table",
	"53100":           "disk full",
	"53200":           "out of memory",
	"53300":           "too many connections",
	notYetPopulated:   "object not in prerequisite state, such as a materialized view that was never filled",
	"57P01":           "the server was shut down",
	"57P02":           "the server crashed",
	corruptData:       "data corrupted",
	corruptIndex:      "index corrupted",
	"P0001":           "an exception raised by a function",

	"08": "connection exception",
	"21": "cardinality violation",
	"22": "data exception",
	"23": "integrity constraint violation",
	"25": "invalid transaction state",
	"28": "authorization refused",
	"3D": "no such database",
	"40": "transaction rolled back",
	"42": "syntax error or access rule violation within a function",
	"53": "insufficient resources",
	"54": "program limit exceeded",
	"55": "object not in prerequisite state",
	"57": "operator intervention",
	"58": "system error",
	"HV": "error of a foreign data wrapper, whose server no sandbox reaches",
	"P0": "error within a PL/pgSQL function",
	"XX": "internal error of the server",
}

func conditionName(state string) string {
	if name, ok := conditions[state]; ok {
		return name
	}
	if len(state) == 5 {
		if name, ok := conditions[state[:2]]; ok {
			return name
		}
	}
	return "an error of its own"
}
