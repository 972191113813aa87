// Package spec turns a drill file into a checked value: names split, times
// parsed, defaults filled in, and all mistakes reported at once, each with its
// line and a suggested fix. It reads the drill file, the baseline that it names
// and the environment, and nothing else. It never asks a store or a server, and
// never repeats a secret.
package spec

import (
	"fmt"
	"io"
	"regexp"
	"time"

	"daybefore/internal/spec/jsonpath"
)

// Drill is a checked drill file. The values are complete: defaults are filled
// in, times parsed, names split. Only what Load returns is valid.
type Drill struct {
	Name         string // the file's base name without .yaml; of one of several databases shop@eu
	Path         string
	SHA256       string        // of what the file says, with its defaults, and of the baseline that it names
	Timeout      time.Duration // the whole drill; default 45m
	Source       Source
	Inventory    Inventory
	Sandbox      Sandbox
	Restore      Restore
	Scrub        Scrub
	Expectations Expectations
	LatestEvents []LatestEvents
	History      History
	Runbook      Runbook
	KeepReports  int // runs of this drill below reports/; 0: all
	Metrics      Metrics
	Sign         Sign
	Notify       Notify
	ProvenWithin time.Duration // it is to have passed since; 0: not declared
}

// Source says where the backups lie and how they are told apart.
type Source struct {
	// where the backups lie; relative file URLs are made absolute against the drill file's folder
	URL       string
	URLEnv    string // https: variable with the URL of one file, instead of URL
	Exec      *Exec  // a program, instead of URL; may be nil
	Region    string // s3
	Endpoint  string // s3, gs: another server's URL
	PathStyle bool   // s3
	Anonymous bool   // s3, gs: send no credentials
	Listing   string // https: file below URL that lists the backups; empty: the server's own page
	User      string // https; sftp has it in URL
	// names of variables: https and sftp, https, sftp
	PasswordEnv, TokenEnv, KeyPassphraseEnv string
	KeyFile                                 string // sftp: private key; empty: the usual ones
	KnownHosts                              string // sftp: the servers' public keys; empty: the usual files
	Insecure                                bool   // https: http to other machines too
	// s3: no key of the drill file says region and endpoint, since the backups lie elsewhere; the environment does
	NoKeys     bool
	Profile    string         // s3: of the shared configuration; empty: whatever the environment says
	Name       string         // pattern with at most one {time}; * matches anything but a slash
	Parts      []string       // patterns of what belongs together by {time}, in the order of the restore; instead of Name
	TimeLayout string         // Go layout of {time}
	Location   *time.Location // zone of {time} and of a header's time, where they have none; nil: not said
	// name against header, beside the name's own Unit; default 26h where Location is nil, else 6h; 14h and 1h for days
	TimeTolerance time.Duration
	Database      string   // the header must name it; empty: any
	Checksum      string   // required | if_present (default)
	Links         string   // of a folder, to what lies outside of it: LinksRefuse (default, and "") | LinksFollow
	MaxRatio      int64    // times its size that a compressed backup may unpack to; default DefaultMaxRatio
	Decrypt       *Decrypt // what opens encrypted backups; may be nil
	// Siblings are Name, or Parts, with {database} in them, where the drill is of one of several databases; else nil.
	Siblings []string
	// Others are databases in whose names that of this one stands, as eu does in eu-west: by Siblings their backups are
	// told apart. Usually nil.
	Others []string
	// Known are all databases of the drill file, this one too: what lies in the store of one of them is no misspelled
	// backup of this one. Nil where the drill is of none.
	Known []string
}

// What becomes of links out of a folder.
const (
	LinksRefuse = "refuse"
	LinksFollow = "follow"
)

// DefaultMaxRatio is more than dumps of real rows unpack to: gzip reaches 1000
// with one letter alone.
const DefaultMaxRatio = 200

// History is where past reports are kept besides reports/, and what proves who
// wrote them.
type History struct {
	Source        // without a URL: nowhere
	KeyEnv string // environment variable that holds the keys; empty: reports are not signed
	Keys   []Key  // the first one signs, any of them proves; nil without KeyEnv, and where secrets are left alone
}

// Metrics is where a drill's numbers go, for Prometheus.
type Metrics struct {
	Textfile       string // a folder that a node exporter reads; empty: none
	PushgatewayEnv string // environment variable with the Pushgateway's URL; empty: there is none
	Pushgateway    Key    // that URL, which may hold a password; nil without the variable, and where secrets are left alone
}

// Sign is what signs a drill's reports as evidence for others, and which
// controls they are evidence of.
type Sign struct {
	KeyEnv   string   // environment variable with the private key; empty: no evidence is made
	Key      Key      // an ed25519.PrivateKey; nil without KeyEnv, and where secrets are left alone
	Controls []string // such as ISO 27001 A.8.13
}

// Runbook says where the plan for a restore by hand goes besides reports/.
type Runbook struct{ CopyTo Source } // without a URL: nowhere

// Inventory is what the store itself is expected to hold. What is nil or zero
// is not declared.
type Inventory struct {
	BackupAge     *Age
	Cadence       *Cadence
	MinBackups    Least[int64]
	MinSize       Least[int64] // of the newest, bytes
	OldestAtLeast Least[time.Duration]
	Collapse      *Drift // of all backups' number and bytes
	SizeChange    *Drift // of the newest's bytes
	OffSite       *OffSite
	Protection    []string // Versioned, ObjectLock
	Copies        []Copy
	Catalogue     *Catalogue
}

// OffSite says which machines must not hold the store. This one never may.
type OffSite struct{ ProductionHosts []string }

// What protects the objects of a bucket.
const (
	Versioned  = "versioning"
	ObjectLock = "object_lock"
)

// Copy is another store that holds the same backups.
type Copy struct {
	Name   string        // its URL as it was written
	Source Source        // with the names and times of the drill's own
	Lag    time.Duration // a backup may be there so much later
}

// Catalogue is an outside record of the backups that the store holds.
type Catalogue struct {
	Source   Source         // its URL names one file
	Backups  Source         // the drill's own: what is a backup's name
	Name     string         // the field that holds a backup's name
	At       string         // the field that tells when it was taken
	Location *time.Location // of times that tell no zone; nil: there may be none
	Unit     string         // s | ms | us | ns: times are numbers since 1970; empty: there may be none
	Lag      time.Duration  // younger ones are not compared
}

// Cadence says how often backups are taken.
type Cadence struct {
	Every     time.Duration
	Tolerance time.Duration // default a tenth of Every
	Severity  string        // fail (default) | warn
}

// Widest is the widest gap between two backups that is no finding.
func (c Cadence) Widest() time.Duration { return c.Every + c.Tolerance }

// Least is a pair of lower limits; zero means that side is not declared.
type Least[T int64 | time.Duration] struct{ WarnBelow, FailBelow T }

// Declared reports whether there is a limit at all.
func (l Least[T]) Declared() bool { return l != Least[T]{} }

// MostPast is how many past drills a check may be compared with at most.
const MostPast = 30

// Age is a pair of limits; zero means that side is not declared.
type Age struct {
	WarnAfter time.Duration
	FailAfter time.Duration
}

// Sandbox says where to restore.
type Sandbox struct {
	Kind      string   // auto (default) | container | local
	Image     string   // empty: postgres:<major>, by the archive's header
	Memory    int64    // bytes; 0: sized to the machine
	Disk      int64    // bytes that its disk may lose while the drill runs; 0: all but what is always kept free
	Isolation string   // enclosed (default) | no_network | no_listener: the least that is good enough
	Preload   []string // libraries for shared_preload_libraries, in their order
}

// Restore says how to restore.
type Restore struct {
	Jobs       int    // 0: auto, one a core
	Roles      string // create (default) | fail
	Extensions string // require (default) | skip
	Into       int    // major version of the server to restore into; 0: the archive's own
}

// Scrub says what is rewritten on the way in, and what may pass.
type Scrub struct {
	KeyEnv           string   // environment variable that holds the key; empty: a random key for this run
	Key              Key      // its value, at least 32 bytes; nil: random
	Unmatched        string   // refuse (default) | set_null | redact
	Locale           string   // of rules that name none: language and country; default en_US
	ExcludeTableData []string // patterns schema.table
	ExcludePos       []Pos    // of each of them
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
	Why     string            // for the report; may be empty
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
	Normalize []string    // trim, lower, nfc: before hashing
	Locale    string      // of names, streets, cities and companies; empty: the scrub section's
	Each      bool        // array columns: element by element
	JSON      []PathRule  // json and jsonb columns: by path; nil where Transform or Preserve is set
	Unmatched string      // JSON: redact | refuse | keep: values that no path names
	Fields    []FieldRule // composite columns: by field; nil where Transform or Preserve is set
	// SQL over the row's columns: loaded empty, computed after the load; empty for all other rules
	Recompute string
	Value     *string  // constant: the value; template: text with {transform} in it
	Values    []string // what is made of a value is one of these, under a transform that takes them
	Percent   float64  // number, money: noise of at most so many percent; default 10
	Bucket    int64    // number: down to a multiple of it, instead of noise; 0: noise
	Meters    int      // position: at least so many meters away; default 5,000
	Days      int      // date_shift: at most so many days either way; default 180
	By        string   // date_shift: a column of the same row whose value decides the shift
	To        string   // truncate: hour, day, month, year
	Pattern   string   // replace: a regular expression, RE2
	With      string   // replace: what is put in its place, with $1 for the first group
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

// PathRule rewrites, or lets pass, values in a JSON document, or keys. Its Column is empty.
type PathRule struct {
	Path jsonpath.Path
	Keys bool // the rule is for the keys of the objects there
	Rule
}

// FieldRule rewrites, or lets pass, a field of a composite value. Its Column is
// empty.
type FieldRule struct {
	Field  []string // its name, after those of the fields that it is in
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
	Witness    []Witness
	Recovery   *Age          // how long fetching and restoring may take; nil: not declared
	Timeout    time.Duration // for each check; default 5m

	// Of the whole database.
	Extensions        []string
	Settings          []Setting // by name
	UnlistedTables    string    // ignore (default) | warn | fail
	Sequences         bool      // none is behind its column
	Indexes           bool      // all are valid
	Constraints       bool      // all are validated
	MaterializedViews bool      // all are populated
	Collations        bool      // all have the version that is noted
	Schema            *Baseline
	CodeOnNew         string // what new code of the backup's own leads to: ignore (default) | warn | fail
	Amcheck           *Amcheck
	Canary            *Canary
	// WarnOnly are the keys of those above, and of Roles, that warn instead of
	// failing.
	WarnOnly []string
}

// Setting is one that the database brings for every session.
type Setting struct{ Name, Value string }

// Table is what one table must show. That it is there at all is always a check.
type Table struct {
	Table     Name
	RowCount  *RowCount
	Freshness *Freshness

	RowCountChange *Drift
	MaxRegression  *Regression

	Relationships []Relationship
	Checksum      *Checksum
	Rebuildable   bool // it may be missing or empty

	Pos Pos
}

// Relationship says that each value of a column stands in another's too.
type Relationship struct {
	Column           string
	References       Name
	ReferencedColumn string
	WarnIf           *Condition // of how many values do not; nil: not declared
	FailIf           *Condition
	Pos              Pos
}

// Checksum says that columns hold what they held when the same backup was
// drilled before, or what an outside record says.
type Checksum struct {
	Columns []string
	Witness *SumFile // nil: past drills tell
	Pos     Pos
}

// SumFile is an outside record of a table's sums, one for each backup.
type SumFile struct {
	Source    Source         // its URL names one file
	Sum       string         // the field that holds it
	At        string         // the field that tells of which backup
	Location  *time.Location // of times that tell no zone; nil: there may be none
	Unit      string         // s | ms | us | ns: times are numbers since 1970; empty: there may be none
	Tolerance time.Duration  // how far a record's time may be from the backup's
	Pos       Pos
}

// Baseline says that the database's structure is that of a file.
type Baseline struct {
	File      string     // as written
	Path      string     // of the file
	Structure *Structure // what it holds; nil where it was not to be read
	Salt      string     // for one that is made where Structure is nil; empty: a new one
	OnAdded   string     // ignore | warn (default) | fail
	OnRemoved string     // ignore | warn | fail (default)
	OnChanged string     // ignore | warn | fail (default)
	Pos       Pos
}

// Amcheck says which of the restored files are looked at, and how deep.
type Amcheck struct {
	Heap    bool // tables and materialized views
	Indexes bool // B-trees
	Rows    bool // every row and its TOAST values too; else pages alone
}

// Canary is a value that was planted in the database, and in no other.
type Canary struct {
	SQL       string
	EqualsEnv string // environment variable
	Value     Key    // its value; nil where secrets are left alone
	Pos       Pos
}

// Ways in which a number may change.
const (
	DirectionDrop = "drop"
	DirectionRise = "rise"
	DirectionAny  = "any"
)

// Drift says how much a number may change since past drills that passed. A
// limit that is nil is not declared.
type Drift struct {
	Median      int    // of so many; 0: the last alone
	Direction   string // drop | rise | any (default)
	WarnPercent *float64
	FailPercent *float64
	MinHistory  int // with fewer it cannot be judged
}

// Regression says that the greatest value of a column must not go back.
type Regression struct {
	Column string
	Time   time.Duration // how far a time may
	IDs    int64         // how far an integer may
	Pos    Pos
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

// Witness is an outside record of what must be there.
type Witness struct {
	Name      string
	Source    Source // its URL names one file
	Table     Name
	Key       []WitnessKey   // by column
	At        string         // the field that tells when
	Location  *time.Location // of times that tell no zone; nil: there may be none
	Unit      string         // s | ms | us | ns: times are numbers since 1970; empty: there may be none
	Tolerance time.Duration  // records of the last so long before the backup are not expected
	WarnIf    *Condition     // of how many are missing; nil: not declared
	FailIf    *Condition
	Timeout   time.Duration
	Pos       Pos
}

// WitnessKey says which field of a record holds the value of a column.
type WitnessKey struct{ Column, Field string }

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
