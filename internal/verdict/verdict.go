// Package verdict holds the nouns that every room shares: what a drill found,
// stage by stage and check by check, and what that means for the caller. It must
// never decide anything about a database, nor touch a file or a network.
package verdict

import (
	"fmt"
	"slices"
	"time"
)

// Schema is the version of the report's JSON. Keys are added, never renamed.
const Schema = 1

// Outcome is what a check, a stage or a whole drill came to.
type Outcome string

// The outcomes. Fail says one thing only: this backup would not bring the
// data back as declared. Whatever kept the drill from knowing is an Error.
const (
	Pass    Outcome = "pass"
	Warn    Outcome = "warn"
	Fail    Outcome = "fail"
	Error   Outcome = "error"
	Skipped Outcome = "skipped"
)

// worstFirst is the order in which outcomes hide one another: what is known
// to be bad is not hidden by what could not be known.
var worstFirst = []Outcome{Fail, Error, Warn, Pass, Skipped}

// Worst returns the outcome that stands for all of them; Skipped for none.
func Worst(outcomes ...Outcome) Outcome {
	for _, o := range worstFirst {
		if slices.Contains(outcomes, o) {
			return o
		}
	}
	return Skipped
}

// Names of the stages, in the order in which they begin.
const (
	StageChoose  = "choose"
	StageFetch   = "fetch"
	StageSandbox = "sandbox"
	StageRestore = "restore"
	StageScrub   = "scrub"
	StageExpect  = "expect"
)

// Report is what one drill found. It is the JSON that is kept and compared.
type Report struct {
	Schema         int       `json:"schema"`
	Drill          string    `json:"drill"`
	Run            string    `json:"run"`
	Outcome        Outcome   `json:"outcome"`
	HarnessVersion string    `json:"harness_version"`
	DrillSHA256    string    `json:"drill_sha256"`
	AsOf           string    `json:"as_of"`
	StartedAt      time.Time `json:"started_at"`
	FinishedAt     time.Time `json:"finished_at"`
	DurationMS     int64     `json:"duration_ms"`
	Backup         Backup    `json:"backup"`
	Inventory      Inventory `json:"inventory,omitzero"`
	Sandbox        Sandbox   `json:"sandbox"`
	Stages         []Stage   `json:"stages"`
	Checks         []Check   `json:"checks"`
	Tables         []Table   `json:"tables"`
	Scrub          Scrub     `json:"scrub"`
	CodeRan        []OwnCode `json:"code_ran,omitempty"`
	Messages       Messages  `json:"messages"`
	RolesCreated   []string  `json:"roles_created"`
	LatestEvents   []Events  `json:"latest_events"`
	Marks          []Mark    `json:"marks,omitempty"` // of max_regression
	Witnesses      []Witness `json:"witnesses,omitempty"`
	Recovery       *Recovery `json:"recovery,omitempty"`
	ByHand         *ByHand   `json:"by_hand,omitempty"`
	Gate           *Gate     `json:"gate,omitempty"`  // where a gate drilled
	Trend          []Trend   `json:"trend,omitempty"` // past drills that passed, newest first
	LastGood       *LastGood `json:"last_good,omitempty"`
	Controls       []string  `json:"controls,omitempty"` // what the drill file says it is evidence of
	// ProvenWithin is how long ago the last pass may be, as the drill file promises: 26h.
	ProvenWithin string     `json:"proven_within,omitempty"`
	Notified     []Notified `json:"notified,omitempty"`
	Muted        []Muted    `json:"muted,omitempty"` // when the drill began
}

// Muted is a check of which people asked not to be told for some time. It changes
// nothing about what the drill comes to.
type Muted struct {
	Check string    `json:"check"` // the check's id
	Why   string    `json:"why"`
	Who   string    `json:"who"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
}

// Notified is what somebody was told of a drill by one way, or why not.
type Notified struct {
	By   string   `json:"by"`             // such as slack (DRILL_SLACK_URL)
	Told []string `json:"told,omitempty"` // such as "fail row_count"; nothing where nothing was to be told
	Open []Open   `json:"open,omitempty"`
	// Unread: what they knew before could not be read, so that Open adds to what earlier reports say.
	Unread bool   `json:"unread,omitempty"`
	Failed string `json:"failed,omitempty"` // why they were not told all; no part of an address or a key
	Hint   string `json:"hint,omitempty"`
}

// Open is a code that somebody knows of as bad, or may know of, and of no pass since.
type Open struct {
	Code Code `json:"code"`
	// Checks are those that they were told of, and stages, with what these came to. They were told of no muted one.
	Checks map[string]Outcome `json:"checks,omitempty"`
}

// LastGood is the last drill of a newest backup that passed before this one, and
// so the backup that is known to bring the data back. A report has it only where
// the past is known.
type LastGood struct {
	Backup    string    `json:"backup"` // empty: no drill ever passed
	SizeBytes int64     `json:"size_bytes,omitempty"`
	SHA256    string    `json:"sha256,omitempty"`
	Run       string    `json:"run"`
	DrilledAt time.Time `json:"drilled_at,omitzero"`
}

// Gate is what a gate asked of a drill, and what became of it.
type Gate struct {
	Drilled string `json:"drilled"` // why an earlier report did not open it
	Within  string `json:"within"`  // an earlier one might have been so old
	Strict  bool   `json:"strict"`
	Shut    string `json:"shut"` // why it stays shut; empty: it opened
}

// Recovery is how long it took to have the data back, without what only a
// drill does. A report has it only where the restore came to its end.
type Recovery struct {
	TotalMS    int64 `json:"total_ms"` // fetch and the sections of the restore
	FetchMS    int64 `json:"fetch_ms"`
	PreDataMS  int64 `json:"pre_data_ms"`
	DataMS     int64 `json:"data_ms"`
	PostDataMS int64 `json:"post_data_ms"` // indexes, constraints, materialized views: from the last row on
}

// ByHand is what a restore without the harness needs to know beside Backup. A
// report has it only where the restore began.
type ByHand struct {
	Parts      []Part   `json:"parts"`
	Roles      []string `json:"roles,omitempty"`      // that the backup names and does not create
	Extensions []string `json:"extensions,omitempty"` // that it creates
	Settings   []string `json:"settings,omitempty"`   // names of those that the database brings
	Untold     int      `json:"untold,omitempty"`     // names of these that may not be shown, or are too many
	Cluster    bool     `json:"cluster,omitempty"`    // it creates roles itself, as pg_dumpall writes them
	Machine    Machine  `json:"machine"`
}

// Part is a file or directory of the backup, in the order of the restore.
type Part struct {
	Name   string   `json:"name"` // below the store's URL
	Format string   `json:"format"`
	Around []string `json:"around,omitempty"` // age, zstd …: what is to be taken off, from outside
	Folder bool     `json:"folder,omitempty"` // a directory of files
	// Connects says of a script that it makes its databases and connects to them itself.
	Connects bool `json:"connects,omitempty"`
}

// Machine is what the restore was measured on.
type Machine struct {
	Cores       int    `json:"cores"`
	Jobs        int    `json:"jobs"` // that restored at once
	MemoryBytes int64  `json:"memory_bytes"`
	System      string `json:"system"` // linux/amd64
}

// Trend is what a past drill said of the time to recover, and of what would
// have been lost.
type Trend struct {
	Run         string `json:"run"`
	RecoveryMS  int64  `json:"recovery_ms"`
	BackupAgeMS int64  `json:"backup_age_ms"` // when it was drilled
	SizeBytes   int64  `json:"size_bytes"`
	Rows        int64  `json:"rows,omitempty"` // of all tables together
}

// Witness is what an outside record says of the backup. Keys are told as the
// drill file allows, all others as keyed fingerprints.
type Witness struct {
	Name        string    `json:"name"`
	Table       string    `json:"table"`
	Until       time.Time `json:"until"`    // records up to then are expected
	Expected    int64     `json:"expected"` // records
	Found       int64     `json:"found"`
	Missing     int64     `json:"missing"`
	MissingKeys []string  `json:"missing_keys,omitempty"` // of a few
	MissingFrom time.Time `json:"missing_from,omitzero"`
	MissingTo   time.Time `json:"missing_to,omitzero"`
	Newer       int64     `json:"newer"` // than the backup: what a restore would lose
	NewerFrom   time.Time `json:"newer_from,omitzero"`
	NewerTo     time.Time `json:"newer_to,omitzero"`
	Damaged     int64     `json:"damaged"` // records that cannot be used
}

// Mark is the greatest value of a column: a time, or an integer that may be
// shown.
type Mark struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Newest string `json:"newest"`
}

// Backup is the backup that was drilled. Zero where none could be chosen.
type Backup struct {
	Store string `json:"store"` // URL without credentials
	Name  string `json:"name"`  // of several parts: all names, with " + " between
	// newest | named | before | random | unproven | copy N | local: what was asked for, and so which it is
	Chosen    string    `json:"chosen,omitempty"`
	ChosenWhy string    `json:"chosen_why,omitempty"` // in words; of the newest nothing
	Files     int       `json:"files,omitempty"`      // that it consists of, where these are several
	TakenAt   time.Time `json:"taken_at,omitzero"`    // UTC
	// UTC; where only its day or hour is known: when it was taken at the latest
	TakenUntil time.Time `json:"taken_until,omitzero"`
	SizeBytes  int64     `json:"size_bytes"`
	// nobody tells its size, and it was not fetched
	Unsized bool   `json:"unsized,omitempty"`
	SHA256  string `json:"sha256"` // of the file as stored; of several: of what sha256sum prints of them
	ETag    string `json:"etag"`
	// of a bucket's object: what tells it from others of this ETag
	Version string `json:"version,omitempty"`
	// verified | unpacked (the sum beside it is of the unpacked file, and agrees) | stored (no sum lies beside it, and
	// that which the store keeps agrees) | none: what was it compared with
	Checksum   string `json:"checksum,omitempty"`
	ChecksumBy string `json:"checksum_by,omitempty"` // SHA-256, SHA-512, MD5 …: by what it was verified
	Format     string `json:"format"`                // custom | plain | directory | tar
	// none | gzip | zstd | xz | bzip2 | lz4 around the archive; "lz4 within" it; "zstd around gzip"
	Compression string `json:"compression,omitempty"`
	// age | openpgp | command; absent: none; of several parts each once, with commas between, and so the key
	Encryption string `json:"encryption,omitempty"`
	// public fingerprint of the key that opened it; absent where none is told, such as with a passphrase
	Key      string `json:"key,omitempty"`
	Database string `json:"database"`
	// others that the dump of a cluster holds, besides postgres and template1; they were read to their end
	OtherDatabases []string `json:"other_databases,omitempty"`
	ServerVersion  string   `json:"server_version"`
	DumpVersion    string   `json:"dump_version,omitempty"` // pg_dump's
	Encoding       string   `json:"encoding,omitempty"`
}

// IsNewest reports whether the newest backup of the store was drilled: only
// that opens a gate, and is what later drills are compared with.
func (b Backup) IsNewest() bool { return b.Chosen == "" || b.Chosen == "newest" }

// Inventory is what the store held of backups like the one that was drilled,
// that one included.
type Inventory struct {
	Backups  int64     `json:"backups"`
	Bytes    int64     `json:"bytes"`             // of those whose sizes are told
	Unsized  int64     `json:"unsized,omitempty"` // backups whose sizes nobody tells
	NewestAt time.Time `json:"newest_at"`         // when they were taken, UTC
	OldestAt time.Time `json:"oldest_at"`
}

// Sandbox is where the backup was restored.
type Sandbox struct {
	Kind          string `json:"kind"` // container | local
	Why           string `json:"why,omitempty"`
	Warning       string `json:"warning,omitempty"` // such as a higher major version than the backup's
	Image         string `json:"image"`
	ServerVersion string `json:"server_version"`
	// Preloaded are libraries that the server loaded at its start, since extensions
	// of the backup insist on it.
	Preloaded []string `json:"preloaded,omitempty"`
	Isolation string   `json:"isolation"` // enclosed | no_network | no_listener
	// Reach says, a sentence each, what is not as wished about how the code of
	// the backup was set apart, and what it could reach.
	Reach []string `json:"reach,omitempty"`
}

// Major is the server's major version, such as 17 of 17.2 and of 17beta1; 0 where
// it cannot be read.
func (s Sandbox) Major() (major int) {
	fmt.Sscanf(s.ServerVersion, "%d", &major)
	return major
}

// Stage is one step of the drill. Stages may overlap, so that their durations
// need not add up to the report's.
type Stage struct {
	Name       string  `json:"name"`
	Outcome    Outcome `json:"outcome"`
	Code       Code    `json:"code"`
	DurationMS int64   `json:"duration_ms"`
	Message    string  `json:"message"`
	Hint       string  `json:"hint"`
}

// Check is one declared or built-in expectation and what was found. Expected,
// Observed and Message never hold an unscrubbed value.
type Check struct {
	ID       string  `json:"id"` // stable, e.g. row_count:public.users
	Stage    string  `json:"stage"`
	Code     Code    `json:"code"`
	Outcome  Outcome `json:"outcome"`
	Expected string  `json:"expected"`
	Observed string  `json:"observed"`
	Message  string  `json:"message"`
	Hint     string  `json:"hint"`
	// Columns are those that it looked for and found, as a drill file names
	// them: a later drill knows by them that one is gone.
	Columns []string `json:"columns,omitempty"`
	Change  *Change  `json:"change,omitempty"` // of a check that compares with past drills
	// Accepted is the change that a person wanted, where the check compared
	// with what that led to.
	Accepted *Accepted `json:"accepted,omitempty"`
}

// Pass says that what was found is as it should be.
func (c *Check) Pass(observed string) {
	c.Outcome = Pass
	c.Observed = observed
}

// Say fills in what was found, what it means and what to do about it.
func (c *Check) Say(outcome Outcome, observed, hint, format string, args ...any) {
	c.Outcome = outcome
	c.Observed = observed
	c.Hint = hint
	c.Message = fmt.Sprintf(format, args...)
}

// Take fills in a problem, as the check's own. What was observed before stays.
func (c *Check) Take(p *Problem) {
	c.Outcome = p.Outcome
	c.Code = p.Code
	c.Message = p.Error()
	c.Hint = p.Hint
}

// Accepted is a change that a person wanted.
type Accepted struct {
	From string    `json:"from"`
	To   string    `json:"to"`
	Why  string    `json:"why"`
	Who  string    `json:"who"`
	At   time.Time `json:"at"`
}

// Change is what a check saw become of a number or a state since past drills.
// It is what a person accepts.
type Change struct {
	// the run that it was compared with; of several, the newest; of cadence the backup before the gap
	Baseline string `json:"baseline"`
	From     string `json:"from"`
	To       string `json:"to"`
}

// Table says how many rows of a table were streamed in, and how many it holds.
// Partitions that were loaded through their root are counted at the root.
type Table struct {
	Name       string `json:"name"`
	RowsPassed int64  `json:"rows_passed"`
	RowsHeld   int64  `json:"rows_held"`
	Excluded   bool   `json:"excluded,omitempty"` // exclude_table_data
}

// Rows is how many rows the restored tables hold together.
func (r *Report) Rows() (sum int64) {
	for _, t := range r.Tables {
		sum += t.RowsHeld
	}
	return sum
}

// OwnCode is a function that the backup brings and that something in it calls,
// or a statement that it runs.
type OwnCode struct {
	Function string   `json:"function"` // with schema and arguments
	Language string   `json:"language"`
	SHA256   string   `json:"sha256"`            // of its definition in the backup, "sha256:" and 16 digits
	UsedBy   []string `json:"used_by,omitempty"` // a few
	New      bool     `json:"new,omitempty"`     // the last drill that passed did not have it so
}

// Scrub says what was rewritten on the way in.
type Scrub struct {
	Stored   bool             `json:"stored"` // true: real values reached the sandbox's disk
	Columns  []ScrubColumn    `json:"columns"`
	Kept     []ScrubKept      `json:"kept,omitempty"`
	Preserve []ScrubPreserved `json:"preserved,omitempty"`
	Passed   []ScrubPassed    `json:"passed,omitempty"`
	// fingerprint of a lasting key, behind the version of the way from it to pseudonyms: where it is another,
	// so are they; absent: the run had a key of its own
	Key string `json:"key,omitempty"`
}

// ScrubColumn counts one rule's work on one column.
type ScrubColumn struct {
	Column    string `json:"column"` // schema.table.column
	Transform string `json:"transform"`
	Link      string `json:"link,omitempty"`
	Rows      int64  `json:"rows"`     // rewritten, nulls and kept rows not counted
	NullsIn   int64  `json:"nulls_in"` // null in the archive
	NullsOut  int64  `json:"nulls_out"`
	Kept      int64  `json:"kept,omitempty"`      // left as they are by keep
	Unmatched string `json:"unmatched,omitempty"` // what it looks like, where no rule names it and unmatched decided
}

// ScrubKept counts the rows of a table that keep left as they are.
type ScrubKept struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Why   string `json:"why,omitempty"`
}

// ScrubPreserved is a column, or a part of one, that looks sensitive and is let
// through on purpose.
type ScrubPreserved struct {
	Column    string `json:"column"` // after it the field, or "at" and the path
	Why       string `json:"why"`
	LooksLike string `json:"looks_like,omitempty"` // by its name, its type or the values that were looked at
}

// Who decided that a column passes as it is.
const (
	DecidedByRule   = "rule"
	DecidedByDraft  = "draft"  // of a draft only
	DecidedByNobody = "nobody" // no rule names it
)

// ScrubPassed is a column that can hold text, or a part of one, that passes as
// it is.
type ScrubPassed struct {
	Column    string   `json:"column"` // after it the field, or "at" and the path
	Type      string   `json:"type"`
	Rows      int64    `json:"rows"`
	LooksLike []string `json:"looks_like,omitempty"` // in kind, of a sample: words, digits, codes …
	DecidedBy string   `json:"decided_by"`
	Why       string   `json:"why,omitempty"` // the rule's
}

// Messages counts what pg_restore and the server said on stderr.
type Messages struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Notices  int `json:"notices"`
}

// CellRead is how many characters of a value are read to be shown: what is
// shown was looked at as a whole.
const CellRead = 1 << 16

// Events are the newest rows of a table, as people look for them: the cells
// of columns that are scrubbed or preserved as text, all others fingerprints.
type Events struct {
	Table   string     `json:"table"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Process exit codes; 1 and 2 belong to Mage itself.
const (
	ExitOK          = 0
	ExitFail        = 10
	ExitError       = 11
	ExitInterrupted = 12
)

// Interrupted reports whether the drill was stopped by a signal.
func (r *Report) Interrupted() bool {
	return slices.ContainsFunc(r.Stages, func(s Stage) bool { return s.Code == CodeInterrupted })
}

// ExitCode is what a process that ran these drills ends with: 12 if one was
// interrupted, else 10 if any failed, else 11 if any could not verify or
// nothing was verified at all.
func ExitCode(reports ...*Report) int {
	var outcomes []Outcome
	for _, r := range reports {
		if r.Interrupted() {
			return ExitInterrupted
		}
		outcomes = append(outcomes, r.Outcome)
	}
	unverified := func(o Outcome) bool { return o != Pass && o != Warn && o != Skipped }
	switch {
	case slices.Contains(outcomes, Fail):
		return ExitFail
	case slices.ContainsFunc(outcomes, unverified), Worst(outcomes...) == Skipped:
		return ExitError
	}
	return ExitOK
}
