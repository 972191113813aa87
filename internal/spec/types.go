package spec

import (
	"fmt"
	"io"
	"regexp"
	"time"
)

// Drill is a checked drill file. The values are complete: defaults are filled
// in, times parsed, names split. Only what Load returns is valid.
type Drill struct {
	Name         string // the file's base name without .yaml
	Path         string
	SHA256       string        // of the file's bytes
	Timeout      time.Duration // the whole drill; default 45m
	Source       Source
	Inventory    Inventory
	Sandbox      Sandbox
	Restore      Restore
	Scrub        Scrub
	Expectations Expectations
	LatestEvents []LatestEvents
}

// Source says where the backups lie and how they are told apart.
type Source struct {
	URL           string         // file:///dir/ or s3://bucket/prefix/; relative file URLs are made absolute against the drill file's folder
	Region        string         // s3
	Endpoint      string         // s3: another server's URL
	PathStyle     bool           // s3
	Anonymous     bool           // s3: send no credentials
	Name          string         // pattern with at most one {time}; * matches anything but a slash
	TimeLayout    string         // Go layout of {time}
	Location      *time.Location // zone of {time} and of a header's time, where they have none; nil: not said
	TimeTolerance time.Duration  // name against header; default 26h where Location is nil, else 6h
	Database      string         // the header must name it; empty: any
	Checksum      string         // required | if_present (default)
}

// Inventory is what the store itself is expected to hold.
type Inventory struct {
	BackupAge *Age
}

// Age is a pair of limits; zero means that side is not declared.
type Age struct {
	WarnAfter time.Duration
	FailAfter time.Duration
}

// Sandbox says where to restore.
type Sandbox struct {
	Kind      string // auto (default) | container | local
	Image     string // empty: postgres:<major>, by the archive's header
	Memory    int64  // bytes; 0: sized to the machine
	Isolation string // no_network | no_listener: the least that is good enough; empty: whatever the kind gives
}

// Restore says how to restore.
type Restore struct {
	Jobs       int    // 0: auto, one a core
	Roles      string // create (default) | fail
	Extensions string // require (default) | skip
}

// Scrub says what is rewritten on the way in, and what may pass.
type Scrub struct {
	KeyEnv           string   // environment variable that holds the key; empty: a random key for this run
	Key              Key      // its value, at least 32 bytes; nil: random
	Unmatched        string   // refuse (default) | set_null | redact
	ExcludeTableData []string // patterns schema.table
	LargeObjects     string   // drop | preserve; empty: must not be needed
	Drop             []string // subscriptions, user_mappings, foreign_servers, event_triggers, cron_jobs; nil: all
	Keep             []Keep
	Rules            []Rule
	LeakScan         LeakScan
}

// LeakScan says what is looked for where no rule says what becomes of a value.
// The zero value looks for everything, everywhere.
type LeakScan struct {
	Detectors []string         // nil: all
	Allow     []*regexp.Regexp // what one of them matches in what was found is no finding
	Percent   float64          // of the rows; 0: all of them
	// SourceOverlap is how many real values of each scrubbed column are looked
	// for after the load in every column that no rule rewrites; 0: none.
	SourceOverlap int
}

// Key is a secret: whatever prints it shows that it is there, never what it is.
type Key []byte

// Format implements fmt.Formatter.
func (Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "(key)") }

// MarshalText keeps it out of JSON and logs alike.
func (Key) MarshalText() ([]byte, error) { return []byte("(key)"), nil }

// Keep leaves some rows of a table as they are.
type Keep struct {
	Table   Name
	Match   map[string]string // column: pattern with *; all must match
	MaxRows int64             // more: error; 0: no limit
	Set     map[string]string // column: value, written into the kept rows
	Pos     Pos
}

// Rule rewrites, or lets pass, the columns that its pattern names.
type Rule struct {
	Column    ColumnPattern
	Type      Name   // only columns of this type or domain; without a schema of any, without a table any type
	Transform string // empty where Preserve is set
	Preserve  bool
	Why       string      // with Preserve: required
	Link      string      // equal inputs under one link give equal outputs
	Normalize []string    // trim, lower: before hashing
	Each      bool        // array columns: element by element
	JSON      []PathRule  // json and jsonb columns: by path; nil where Transform or Preserve is set
	Unmatched string      // JSON: redact | refuse | keep: values that no path names
	Fields    []FieldRule // composite columns: by field; nil where Transform or Preserve is set
	Recompute string      // SQL over the row's columns: loaded empty, computed after the load; empty for all other rules
	Value     *string     // constant: the value; template: text with {transform} in it
	Percent   float64     // number, money: noise of at most so many percent; default 10
	Bucket    int64       // number: down to a multiple of it, instead of noise; 0: noise
	Days      int         // date_shift: at most so many days either way; default 180
	By        string      // date_shift: a column of the same row whose value decides the shift
	To        string      // truncate: hour, day, month, year
	Pattern   string      // replace: a regular expression, RE2
	With      string      // replace: what is put in its place, with $1 for the first group
	Pos       Pos
}

// Names says which columns the rule names, as a drill file writes it.
func (r Rule) Names() string {
	switch {
	case r.Type == Name{}:
		return r.Column.Source
	case r.Type.Schema == "":
		return r.Column.Source + " of type " + quotePart(r.Type.Table)
	}
	return r.Column.Source + " of type " + r.Type.String()
}

// PathRule rewrites, or lets pass, values in a JSON document. Its Column is empty.
type PathRule struct {
	Path JSONPath
	Rule
}

// FieldRule rewrites, or lets pass, a field of a composite value. Its Column is
// empty.
type FieldRule struct {
	Field  []string // its name, behind those of the fields that it is in
	Source string   // as written
	Rule
}

// Name is a table's name, unquoted.
type Name struct{ Schema, Table string }

// ColumnPattern names columns; each part may hold *, unless it was quoted.
type ColumnPattern struct {
	Schema, Table, Column string
	Source                string // as written
	// literal parts are compared as they are, * and all
	LiteralSchema, LiteralTable, LiteralColumn bool
}

// What ages are judged against.
const (
	AsOfBackup = "backup" // the backup's own time
	AsOfNow    = "now"
	AsOfFixed  = "fixed" // a time that the drill file says
)

// Expectations are what the restored database must show.
type Expectations struct {
	AsOf       string    // AsOfBackup (default) | AsOfNow | AsOfFixed
	AsOfTime   time.Time // UTC, with AsOfFixed
	Roles      []string  // that the new server would have: the archive may name them without a word
	Errors     *int64    // restore errors allowed; nil: 0 (a restore with errors fails unless said otherwise)
	Warnings   string    // restore warnings: ignore | warn (default) | fail
	Tables     []Table
	FailedRows []FailedRows
	Timeout    time.Duration // for each check; default 5m
}

// Table is what one table must show. That it is there at all is always a check.
type Table struct {
	Table     Name
	RowCount  *RowCount
	Freshness *Freshness
	Pos       Pos
}

// RowCount is an inclusive range with the outcome of missing it.
type RowCount struct {
	Min, Max *int64
	Severity string // fail (default) | warn
}

// Freshness says how old the newest row may be.
type Freshness struct {
	Column    string
	Location  *time.Location // for timestamp without time zone and date
	Unit      string         // s | ms | us | ns: the column is a number since 1970
	WarnAfter time.Duration
	FailAfter time.Duration
	MaxFuture time.Duration // a newest row later than this is a fail; default 5m
	Where     string        // SQL condition
}

// FailedRows counts the rows of a query; conditions such as "> 0".
type FailedRows struct {
	Name    string
	SQL     string
	WarnIf  *Condition
	FailIf  *Condition
	Timeout time.Duration
	Pos     Pos
}

// Condition compares a count.
type Condition struct {
	Op    string // > >= < <= == !=
	Value int64
}

// LatestEvents shows the newest rows of a table in the report.
type LatestEvents struct {
	Table   Name
	OrderBy string
	Columns []string
	Limit   int // default 5
	Pos     Pos
}

// Pos is a place in the drill file, counted from 1.
type Pos struct{ Line, Column int }
