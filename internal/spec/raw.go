package spec

import (
	"reflect"

	"github.com/invopop/jsonschema"
)

// The shapes of a drill file as it is written. A key without omitempty is
// required; an enum says what may be said, or names a list of enumerations. The
// decoder and the JSON Schema both read them.

// mapping is a mapping's place in the file.
type mapping struct{ at Pos }

func (s *mapping) place(at Pos) { s.at = at }

// Shape is the type that a drill file is decoded into. Its fields' tags name
// the keys.
func Shape() reflect.Type { return reflect.TypeFor[rawDrill]() }

type rawDrill struct {
	mapping
	Version      integer          `json:"version" hint:"write version: 1" jsonschema:"enum=1"`
	Timeout      duration         `json:"timeout,omitempty"`
	Source       *rawSource       `json:"source" hint:"say where the backups lie and how they are named"`
	Inventory    *rawInventory    `json:"inventory,omitempty"`
	Sandbox      *rawSandbox      `json:"sandbox,omitempty"`
	Restore      *rawRestore      `json:"restore,omitempty"`
	Scrub        *rawScrub        `json:"scrub,omitempty"`
	Expectations *rawExpectations `json:"expectations" hint:"a drill that expects nothing proves nothing: name a table"`
	LatestEvents []rawLatest      `json:"latest_events,omitempty"`
	History      *rawHistory      `json:"history,omitempty"`
	Reports      *rawReports      `json:"reports,omitempty"`
	Metrics      *rawMetrics      `json:"metrics,omitempty"`
	Sign         *rawSign         `json:"sign,omitempty"`
	Runbook      *rawRunbook      `json:"runbook,omitempty"`
	Databases    *rawDatabases    `json:"databases,omitempty"`
	Notify       *rawNotify       `json:"notify,omitempty"`
	ProvenWithin duration         `json:"proven_within,omitempty"`
}

type rawReports struct {
	mapping
	Keep integer `json:"keep" hint:"write how many runs are to be kept, such as 90"`
}

type rawMetrics struct {
	mapping
	Textfile       text `json:"textfile,omitempty"`
	PushgatewayEnv text `json:"pushgateway_env,omitempty"`
}

type rawSign struct {
	mapping
	KeyEnv   text   `json:"key_env" hint:"name the environment variable that holds the key, such as DRILL_SIGNING_KEY"`
	Controls []text `json:"controls,omitempty"`
}

type rawRunbook struct {
	mapping
	CopyTo text `json:"copy_to" hint:"name a folder, such as s3://shop-reports/runbooks/ or file:///srv/runbooks/"`
}

// rawHistory is a store of past reports; one that is written as a URL alone
// holds reports that nobody signed.
type rawHistory struct {
	mapping
	URL    text `json:"url,omitempty"`
	KeyEnv text `json:"key_env,omitempty"`
}

func (h *rawHistory) short() scalar { return &h.URL }

// JSONSchemaExtend tells editors of the short form.
func (rawHistory) JSONSchemaExtend(s *jsonschema.Schema) { orShort[text](s) }

type rawSource struct {
	mapping
	URL         text     `json:"url,omitempty"`
	URLEnv      text     `json:"url_env,omitempty"`
	Exec        *rawExec `json:"exec,omitempty"`
	Region      text     `json:"region,omitempty"`
	Endpoint    text     `json:"endpoint,omitempty"`
	PathStyle   boolean  `json:"path_style,omitempty"`
	Anonymous   boolean  `json:"anonymous,omitempty"`
	Listing     text     `json:"listing,omitempty"`
	User        text     `json:"user,omitempty"`
	PasswordEnv text     `json:"password_env,omitempty"`
	TokenEnv    text     `json:"token_env,omitempty"`
	KeyFile     text     `json:"key_file,omitempty"`
	// of KeyFile
	KeyPassphraseEnv text        `json:"key_passphrase_env,omitempty"`
	KnownHosts       text        `json:"known_hosts,omitempty"`
	Insecure         boolean     `json:"insecure,omitempty"`
	Name             text        `json:"name,omitempty"`
	Parts            []text      `json:"parts,omitempty"`
	Time             text        `json:"time,omitempty"`
	Timezone         text        `json:"timezone,omitempty"`
	TimeTolerance    duration    `json:"time_tolerance,omitempty"`
	Database         text        `json:"database,omitempty"`
	Checksum         text        `json:"checksum,omitempty" jsonschema:"enum=required,enum=if_present"`
	Links            text        `json:"links,omitempty" jsonschema:"enum=refuse,enum=follow"`
	MaxRatio         integer     `json:"max_ratio,omitempty"`
	Decrypt          *rawDecrypt `json:"decrypt,omitempty"`
}

type rawInventory struct {
	mapping
	BackupAge     *rawAge             `json:"backup_age,omitempty"`
	Cadence       *rawCadence         `json:"cadence,omitempty"`
	MinBackups    *rawLeast[integer]  `json:"min_backups,omitempty"`
	MinSize       *rawLeast[size]     `json:"min_size,omitempty"`
	OldestAtLeast *rawLeast[duration] `json:"oldest_at_least,omitempty"`
	Collapse      *rawCollapse        `json:"collapse,omitempty"`
	SizeChange    *rawDrift           `json:"size_change,omitempty"`
	OffSite       *rawOffSite         `json:"off_site,omitempty"`
	Protection    []text              `json:"protection,omitempty" jsonschema:"enum=versioning,enum=object_lock"`
	Copies        []rawCopy           `json:"copies,omitempty"`
	Catalogue     *rawCatalogue       `json:"catalogue,omitempty"`
}

type rawCatalogue struct {
	mapping
	URL      text     `json:"url" hint:"write file:///dir/backups.jsonl or s3://bucket/prefix/backups.jsonl"`
	Name     text     `json:"name" hint:"name the field that holds a backup's name"`
	At       text     `json:"at" hint:"name the field that tells when the backup was taken"`
	Timezone text     `json:"timezone,omitempty"`
	Unit     text     `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns"`
	Lag      duration `json:"lag,omitempty"`
}

type rawOffSite struct {
	mapping
	ProductionHosts []text `json:"production_hosts" hint:"name production's machines, such as [db1.example.com]"`
}

// rawCopy is another store; one that is written as a URL alone is reached as
// the source is.
type rawCopy struct {
	mapping
	URL       text     `json:"url" hint:"write file:///dir/ or s3://bucket/prefix/"`
	Region    text     `json:"region,omitempty"`
	Endpoint  text     `json:"endpoint,omitempty"`
	PathStyle boolean  `json:"path_style,omitempty"`
	Anonymous boolean  `json:"anonymous,omitempty"`
	Profile   text     `json:"profile,omitempty"`
	Lag       duration `json:"lag,omitempty"`
}

func (c *rawCopy) short() scalar { return &c.URL }

// JSONSchemaExtend tells editors of the short form.
func (rawCopy) JSONSchemaExtend(s *jsonschema.Schema) { orShort[text](s) }

// rawLeast is a lower limit; one that is written alone is fail_below.
type rawLeast[T any] struct {
	mapping
	WarnBelow T `json:"warn_below,omitempty"`
	FailBelow T `json:"fail_below,omitempty"`
}

func (l *rawLeast[T]) short() scalar { return any(&l.FailBelow).(scalar) }

// JSONSchemaExtend tells editors of the short form.
func (rawLeast[T]) JSONSchemaExtend(s *jsonschema.Schema) { orShort[T](s) }

type rawCadence struct {
	mapping
	Every     duration `json:"every" hint:"say how often a backup is taken, such as 6h"`
	Tolerance duration `json:"tolerance,omitempty"`
	Severity  text     `json:"severity,omitempty" jsonschema:"enum=warn,enum=fail"`
}

type rawCollapse struct {
	mapping
	WarnPercent number `json:"warn_percent,omitempty"`
	FailPercent number `json:"fail_percent,omitempty"`
}

type rawAge struct {
	mapping
	WarnAfter duration `json:"warn_after,omitempty"`
	FailAfter duration `json:"fail_after,omitempty"`
}

type rawSandbox struct {
	mapping
	Kind      text   `json:"kind,omitempty" jsonschema:"enum=auto,enum=container,enum=local"`
	Image     text   `json:"image,omitempty"`
	Memory    size   `json:"memory,omitempty"`
	Disk      size   `json:"disk,omitempty"`
	Isolation text   `json:"isolation,omitempty" jsonschema:"enum=enclosed,enum=no_network,enum=no_listener"`
	Preload   []text `json:"preload,omitempty"`
}

type rawRestore struct {
	mapping
	Jobs       text `json:"jobs,omitempty" jsonschema:"pattern=^(auto|[1-9][0-9]*)$"`
	Roles      text `json:"roles,omitempty" jsonschema:"enum=create,enum=fail"`
	Extensions text `json:"extensions,omitempty" jsonschema:"enum=require,enum=skip"`
	Into       text `json:"into,omitempty" jsonschema:"pattern=^[1-9][0-9]$"`
}

type rawScrub struct {
	mapping
	KeyEnv           text         `json:"key_env,omitempty"`
	Unmatched        text         `json:"unmatched,omitempty" jsonschema:"enum=refuse,enum=set_null,enum=redact"`
	Locale           text         `json:"locale,omitempty" enum:"locales"`
	ExcludeTableData []text       `json:"exclude_table_data,omitempty"`
	LargeObjects     text         `json:"large_objects,omitempty" jsonschema:"enum=drop,enum=preserve"`
	Drop             []text       `json:"drop,omitempty" enum:"drop"`
	Keep             []rawKeep    `json:"keep,omitempty"`
	Rules            []rawRule    `json:"rules,omitempty"`
	LeakScan         *rawLeakScan `json:"leak_scan,omitempty"`
}

type rawLeakScan struct {
	mapping
	Detectors     []text  `json:"detectors,omitempty" enum:"detectors"`
	Allow         []text  `json:"allow,omitempty"`
	SourceOverlap integer `json:"source_overlap,omitempty"`
	Sample        text    `json:"sample,omitempty" jsonschema:"pattern=^(full|[0-9]+(\\.[0-9]+)?%)$"`
}

type rawKeep struct {
	mapping
	Table   text            `json:"table" hint:"name the table, such as public.users"`
	Match   map[string]text `json:"match" hint:"say which rows, such as match: {email: \"*@ourco.example\"}"`
	MaxRows integer         `json:"max_rows,omitempty"`
	Set     map[string]text `json:"set,omitempty"`
	Why     text            `json:"why,omitempty"`
}

type rawRule struct {
	mapping
	Column text `json:"column" hint:"name it as schema.table.column"`
	Type   text `json:"type,omitempty"`
	rawChange
	Each           boolean    `json:"each,omitempty"`
	JSON           []rawPath  `json:"json,omitempty"`
	UnmatchedPaths text       `json:"unmatched_paths,omitempty" jsonschema:"enum=redact,enum=refuse,enum=keep"`
	Fields         []rawField `json:"fields,omitempty"`
	Recompute      text       `json:"recompute,omitempty"`
}

type rawField struct {
	mapping
	Field text `json:"field" hint:"name the field, such as street"`
	rawChange
}

// rawChange is what becomes of a value, wherever it stands.
type rawChange struct {
	Transform text    `json:"transform,omitempty" enum:"transforms"`
	Preserve  boolean `json:"preserve,omitempty"`
	Why       text    `json:"why,omitempty"`
	Link      text    `json:"link,omitempty"`
	Normalize []text  `json:"normalize,omitempty" jsonschema:"enum=trim,enum=lower,enum=nfc"`
	Locale    text    `json:"locale,omitempty" enum:"locales"`
	Value     text    `json:"value,omitempty"`
	Values    []text  `json:"values,omitempty"`
	Percent   number  `json:"percent,omitempty"`
	Bucket    integer `json:"bucket,omitempty"`
	Meters    integer `json:"meters,omitempty"`
	Days      integer `json:"days,omitempty"`
	By        text    `json:"by,omitempty"`
	To        text    `json:"to,omitempty" jsonschema:"enum=hour,enum=day,enum=month,enum=year"`
	Pattern   text    `json:"pattern,omitempty"`
	With      text    `json:"with,omitempty"`
}

type rawPath struct {
	mapping
	Path text    `json:"path" hint:"name the values, such as $.contacts[*].email"`
	Keys boolean `json:"keys,omitempty"`
	rawChange
}

type rawExpectations struct {
	mapping
	AsOf       text              `json:"as_of,omitempty"`
	Restore    *rawRestoreExpect `json:"restore,omitempty"`
	Roles      []text            `json:"roles,omitempty"`
	Tables     []rawTable        `json:"tables,omitempty"`
	FailedRows []rawFailedRows   `json:"failed_rows,omitempty"`
	Witness    []rawWitness      `json:"witness,omitempty"`
	Timeout    duration          `json:"timeout,omitempty"`
	Recovery   *rawAge           `json:"recovery_time,omitempty"`

	Extensions        []text          `json:"extensions,omitempty"`
	Settings          map[string]text `json:"settings,omitempty"`
	UnlistedTables    text            `json:"unlisted_tables,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail"`
	Sequences         text            `json:"sequences,omitempty" jsonschema:"enum=not_behind"`
	Indexes           text            `json:"indexes,omitempty" jsonschema:"enum=valid"`
	Constraints       text            `json:"constraints,omitempty" jsonschema:"enum=valid"`
	MaterializedViews text            `json:"materialized_views,omitempty" jsonschema:"enum=populated"`
	Collations        text            `json:"collations,omitempty" jsonschema:"enum=same_version"`
	Schema            *rawSchema      `json:"schema,omitempty"`
	CodeRan           *rawCodeRan     `json:"code_ran,omitempty"`
	Amcheck           *rawAmcheck     `json:"amcheck,omitempty"`
	Canary            *rawCanary      `json:"canary,omitempty"`
	Severity          *rawSeverity    `json:"severity,omitempty"`
}

// rawSeverity says of checks of the whole database what failing them is worth.
type rawSeverity struct {
	mapping
	Roles             text `json:"roles,omitempty" jsonschema:"enum=warn,enum=fail"`
	Extensions        text `json:"extensions,omitempty" jsonschema:"enum=warn,enum=fail"`
	Settings          text `json:"settings,omitempty" jsonschema:"enum=warn,enum=fail"`
	Sequences         text `json:"sequences,omitempty" jsonschema:"enum=warn,enum=fail"`
	Indexes           text `json:"indexes,omitempty" jsonschema:"enum=warn,enum=fail"`
	Constraints       text `json:"constraints,omitempty" jsonschema:"enum=warn,enum=fail"`
	MaterializedViews text `json:"materialized_views,omitempty" jsonschema:"enum=warn,enum=fail"`
	Collations        text `json:"collations,omitempty" jsonschema:"enum=warn,enum=fail"`
}

type rawRestoreExpect struct {
	mapping
	Errors   integer `json:"errors,omitempty"`
	Warnings text    `json:"warnings,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail"`
}

type rawTable struct {
	mapping
	Table     text          `json:"table" hint:"name the table, such as public.users"`
	RowCount  *rawRowCount  `json:"row_count,omitempty"`
	Freshness *rawFreshness `json:"freshness,omitempty"`

	RowCountChange *rawDrift      `json:"row_count_change,omitempty"`
	MaxRegression  *rawRegression `json:"max_regression,omitempty"`

	Relationships []rawRelationship `json:"relationships,omitempty"`
	Checksum      *rawChecksum      `json:"checksum,omitempty"`
	Rebuildable   boolean           `json:"rebuildable,omitempty"`
}

type rawRelationship struct {
	mapping
	Column     text `json:"column" hint:"name the column that refers to another"`
	References text `json:"references" hint:"name the column that it refers to, such as public.users.id"`
	WarnIf     text `json:"warn_if,omitempty"`
	FailIf     text `json:"fail_if,omitempty"`
}

type rawChecksum struct {
	mapping
	Columns []text      `json:"columns" hint:"list the columns"`
	Witness *rawSumFile `json:"witness,omitempty"`
}

type rawSumFile struct {
	mapping
	URL       text     `json:"url" hint:"write file:///dir/sums.jsonl or s3://bucket/prefix/sums.jsonl"`
	Sum       text     `json:"sum" hint:"name the field that holds this table's sum"`
	At        text     `json:"at" hint:"name the field that tells the backup's time"`
	Timezone  text     `json:"timezone,omitempty"`
	Unit      text     `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns"`
	Tolerance duration `json:"tolerance,omitempty"`
}

type rawSchema struct {
	mapping
	Baseline  text `json:"baseline" hint:"name the file, such as drills/shop.schema.json; bin/drill baseline writes it"`
	OnAdded   text `json:"on_added,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail"`
	OnRemoved text `json:"on_removed,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail"`
	OnChanged text `json:"on_changed,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail"`
}

type rawCodeRan struct {
	mapping
	OnNew text `json:"on_new" hint:"write on_new: warn, fail or ignore" jsonschema:"enum=ignore,enum=warn,enum=fail"`
}

type rawAmcheck struct {
	mapping
	Heap    boolean `json:"heap,omitempty"`
	Indexes boolean `json:"indexes,omitempty"`
	Depth   text    `json:"depth,omitempty" jsonschema:"enum=structure,enum=rows"`
}

type rawCanary struct {
	mapping
	SQL       text `json:"sql" hint:"write a query that gives one value, such as select token from drill_canary"`
	EqualsEnv text `json:"equals_env" hint:"name the environment variable that holds the value"`
}

// rawDrift is how much a number may change since past drills.
type rawDrift struct {
	mapping
	Against     text    `json:"against,omitempty" jsonschema:"pattern=^(last|median\\([0-9]+\\))$"`
	Direction   text    `json:"direction,omitempty" jsonschema:"enum=drop,enum=rise,enum=any"`
	WarnPercent number  `json:"warn_percent,omitempty"`
	FailPercent number  `json:"fail_percent,omitempty"`
	MinHistory  integer `json:"min_history,omitempty"`
}

type rawRegression struct {
	mapping
	Column    text `json:"column" hint:"name a column that only grows, such as created_at or id"`
	Tolerance text `json:"tolerance,omitempty" jsonschema:"pattern=^((?=.)(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?|\\d+)$"`
}

type rawRowCount struct {
	mapping
	Min      integer   `json:"min,omitempty"`
	Max      integer   `json:"max,omitempty"`
	Between  []integer `json:"between,omitempty" jsonschema:"minItems=2,maxItems=2"`
	Equals   integer   `json:"equals,omitempty"`
	Severity text      `json:"severity,omitempty" jsonschema:"enum=warn,enum=fail"`
}

type rawFreshness struct {
	mapping
	Column    text     `json:"column" hint:"name the column that holds the time of a row"`
	Timezone  text     `json:"timezone,omitempty"`
	Unit      text     `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns"`
	WarnAfter duration `json:"warn_after,omitempty"`
	FailAfter duration `json:"fail_after,omitempty"`
	MaxFuture duration `json:"max_future,omitempty"`
	Where     text     `json:"where,omitempty"`
}

type rawFailedRows struct {
	mapping
	Name    text     `json:"name" hint:"name it, such as paid_without_payment" jsonschema:"pattern=^[a-z0-9_]+$"`
	SQL     text     `json:"sql" hint:"write the query whose rows are to be counted"`
	WarnIf  text     `json:"warn_if,omitempty"`
	FailIf  text     `json:"fail_if,omitempty"`
	Timeout duration `json:"timeout,omitempty"`
}

type rawWitness struct {
	mapping
	Name      text            `json:"name" hint:"name it, such as admin_log" jsonschema:"pattern=^[a-z0-9_]+$"`
	URL       text            `json:"url" hint:"write file:///dir/events.jsonl or s3://bucket/prefix/events.jsonl"`
	Table     text            `json:"table" hint:"name the table, such as public.events"`
	Key       map[string]text `json:"key" hint:"say which field of a record tells which row, such as key: {id: event_id}"`
	At        text            `json:"at" hint:"name the field that tells when it happened"`
	Timezone  text            `json:"timezone,omitempty"`
	Unit      text            `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns"`
	Tolerance duration        `json:"tolerance,omitempty"`
	WarnIf    text            `json:"warn_if,omitempty"`
	FailIf    text            `json:"fail_if,omitempty"`
	Timeout   duration        `json:"timeout,omitempty"`
}

type rawLatest struct {
	mapping
	Table   text    `json:"table" hint:"name the table, such as public.orders"`
	OrderBy text    `json:"order_by" hint:"name the column that tells what is newest"`
	Columns []text  `json:"columns" hint:"list the columns to show"`
	Limit   integer `json:"limit,omitempty" jsonschema:"minimum=1,maximum=100"`
}
