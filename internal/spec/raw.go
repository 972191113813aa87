package spec

import "github.com/invopop/jsonschema"

// The shapes of a drill file as it is written. A key without omitempty is
// required; an enum tag lists what may be said, a later tag what a later
// version will accept. The decoder and the JSON Schema both read them.

// section is a mapping's place in the file.
type section struct{ at Pos }

func (s *section) place(at Pos) { s.at = at }

type rawDrill struct {
	section
	Version      integer          `json:"version" mend:"write version: 1" jsonschema:"enum=1" jsonschema_description:"version of the drill file's format"`
	Timeout      duration         `json:"timeout,omitempty" jsonschema_description:"limit for the whole drill; beyond it: error (default 45m)"`
	Source       *rawSource       `json:"source" mend:"say where the backups lie and how they are named" jsonschema_description:"where the backups are and how they are named"`
	Inventory    *rawInventory    `json:"inventory,omitempty" jsonschema_description:"what the off-site store itself must show"`
	Sandbox      *rawSandbox      `json:"sandbox,omitempty" jsonschema_description:"where to restore"`
	Restore      *rawRestore      `json:"restore,omitempty" jsonschema_description:"how to restore"`
	Scrub        *rawScrub        `json:"scrub,omitempty" jsonschema_description:"what is rewritten on the way in, and what may pass"`
	Expectations *rawExpectations `json:"expectations" mend:"a drill that expects nothing proves nothing: name a table" jsonschema_description:"what the restored database must show"`
	LatestEvents []rawLatest      `json:"latest_events,omitempty" jsonschema_description:"newest rows shown in the report: scrubbed and preserved columns as text, all others as fingerprints"`
	History      *rawHistory      `json:"history,omitempty" jsonschema_description:"where past reports are kept besides reports/, and the key that signs them; a URL alone is url"`
}

// rawHistory is a store of past reports; one that is written as a URL alone
// holds reports that nobody signed.
type rawHistory struct {
	section
	URL    text `json:"url,omitempty" jsonschema_description:"file:///dir/ or s3://bucket/prefix/, reached as source is"`
	KeyEnv text `json:"key_env,omitempty" jsonschema_description:"environment variable with the key that signs reports, 32 bytes or more; several, separated by commas: the first signs, any of them verifies"`
}

func (h *rawHistory) short() scalar { return &h.URL }

// JSONSchemaExtend tells editors of the short form.
func (rawHistory) JSONSchemaExtend(s *jsonschema.Schema) { orShort[text](s) }

type rawSource struct {
	section
	URL           text     `json:"url" mend:"write file:///dir/ or s3://bucket/prefix/" jsonschema_description:"file:///dir/, file:dir/ (relative to the drill file) or s3://bucket/prefix/"`
	Region        text     `json:"region,omitempty" jsonschema_description:"s3: the bucket's region"`
	Endpoint      text     `json:"endpoint,omitempty" jsonschema_description:"s3: URL of a server other than AWS's"`
	PathStyle     boolean  `json:"path_style,omitempty" jsonschema_description:"s3: the bucket's name is in the path"`
	Anonymous     boolean  `json:"anonymous,omitempty" jsonschema_description:"s3: send no credentials"`
	Name          text     `json:"name" mend:"write a pattern such as \"shop-{time}.dump\"" jsonschema_description:"pattern of a backup's name below url: {time} at most once, * matches anything but a slash"`
	Time          text     `json:"time,omitempty" jsonschema_description:"how {time} is written, as Go's reference time 2006-01-02 15:04:05; without an hour it means the whole day"`
	Timezone      text     `json:"timezone,omitempty" jsonschema_description:"zone of {time} and of an archive's header, where they name none"`
	TimeTolerance duration `json:"time_tolerance,omitempty" jsonschema_description:"how far the name's time and the header's may differ, beyond the day or hour that the name tells (default 6h; 26h without timezone; 1h and 14h where {time} tells a day)"`
	Database      text     `json:"database,omitempty" jsonschema_description:"database that the archive's header must name"`
	Checksum      text     `json:"checksum,omitempty" jsonschema:"enum=required,enum=if_present" jsonschema_description:"whether a .sha256 must be beside each backup, or is compared where there is one (default if_present)"`
	Links         text     `json:"links,omitempty" jsonschema:"enum=refuse,enum=follow" jsonschema_description:"links in a folder that lead out of it; for every folder that the drill reads (default refuse)"`
	MaxRatio      integer  `json:"max_ratio,omitempty" jsonschema_description:"how many times its size a compressed backup may unpack to; beyond it: error (default 200)"`
}

type rawInventory struct {
	section
	BackupAge     *rawAge             `json:"backup_age,omitempty" jsonschema_description:"how old the newest backup may be"`
	Cadence       *rawCadence         `json:"cadence,omitempty" jsonschema_description:"widest gap between two backups of the retention"`
	MinBackups    *rawLeast[integer]  `json:"min_backups,omitempty" jsonschema_description:"fewest backups; a number alone is fail_below"`
	MinSize       *rawLeast[size]     `json:"min_size,omitempty" jsonschema_description:"smallest size of the newest backup, such as 10MiB; a size alone is fail_below"`
	OldestAtLeast *rawLeast[duration] `json:"oldest_at_least,omitempty" jsonschema_description:"the retention: how old the oldest backup is at least; a duration alone is fail_below"`
	Collapse      *rawCollapse        `json:"collapse,omitempty" jsonschema_description:"loss of backups, or of bytes in all, since the last drill that passed"`
	SizeChange    *rawDrift           `json:"size_change,omitempty" jsonschema_description:"how far the newest backup's size may differ from those of past drills that passed"`
	OffSite       *rawOffSite         `json:"off_site,omitempty" jsonschema_description:"the store is on none of production's machines, nor on this one"`
	Protection    []text              `json:"protection,omitempty" jsonschema:"enum=versioning,enum=object_lock" jsonschema_description:"s3: what the bucket must have, asked of the bucket itself"`
	Copies        []rawCopy           `json:"copies,omitempty" jsonschema_description:"other stores that hold the same newest backup; a URL alone is url"`
	Catalogue     *rawCatalogue       `json:"catalogue,omitempty" jsonschema_description:"outside record of the backups: the store holds those that it names, and no others"`
}

type rawCatalogue struct {
	section
	URL      text     `json:"url" mend:"write file:///dir/backups.jsonl or s3://bucket/prefix/backups.jsonl" jsonschema_description:"one file of JSON lines or CSV, a record for each backup, plain or under gzip or zstd; a bucket is reached as source is"`
	Name     text     `json:"name" mend:"name the field that holds a backup's name" jsonschema_description:"field with a backup's name, with or without its folder"`
	At       text     `json:"at" mend:"name the field that tells when the backup was taken" jsonschema_description:"field with the time when it was taken"`
	Timezone text     `json:"timezone,omitempty" jsonschema_description:"zone of times that name none"`
	Unit     text     `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"times are numbers since 1970 in this unit"`
	Lag      duration `json:"lag,omitempty" jsonschema_description:"younger backups need not be in both yet (default 0s)"`
}

type rawOffSite struct {
	section
	ProductionHosts []text `json:"production_hosts" mend:"name production's machines, such as [db1.example.com]" jsonschema_description:"names or addresses of production's machines"`
}

// rawCopy is another store; one that is written as a URL alone is reached as
// the source is.
type rawCopy struct {
	section
	URL       text     `json:"url" mend:"write file:///dir/ or s3://bucket/prefix/" jsonschema_description:"file:///dir/ or s3://bucket/prefix/"`
	Region    text     `json:"region,omitempty" jsonschema_description:"s3: default as under source"`
	Endpoint  text     `json:"endpoint,omitempty" jsonschema_description:"s3: default as under source"`
	PathStyle boolean  `json:"path_style,omitempty" jsonschema_description:"s3: default as under source"`
	Anonymous boolean  `json:"anonymous,omitempty" jsonschema_description:"s3: default as under source"`
	Profile   text     `json:"profile,omitempty" jsonschema_description:"s3: profile of the shared AWS configuration with keys of its own"`
	Lag       duration `json:"lag,omitempty" jsonschema_description:"how much later a backup may arrive there (default 0s)"`
}

func (c *rawCopy) short() scalar { return &c.URL }

// JSONSchemaExtend tells editors of the short form.
func (rawCopy) JSONSchemaExtend(s *jsonschema.Schema) { orShort[text](s) }

// rawLeast is a lower limit; one that is written alone is fail_below.
type rawLeast[T any] struct {
	section
	WarnBelow T `json:"warn_below,omitempty" jsonschema_description:"less: warn"`
	FailBelow T `json:"fail_below,omitempty" jsonschema_description:"less: fail"`
}

func (l *rawLeast[T]) short() scalar { return any(&l.FailBelow).(scalar) }

// JSONSchemaExtend tells editors of the short form.
func (rawLeast[T]) JSONSchemaExtend(s *jsonschema.Schema) { orShort[T](s) }

type rawCadence struct {
	section
	Every     duration `json:"every" mend:"say how often a backup is taken, such as 6h" jsonschema_description:"how often a backup is taken"`
	Tolerance duration `json:"tolerance,omitempty" jsonschema_description:"how much later one may be (default a tenth of every)"`
	Severity  text     `json:"severity,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"what a wider gap leads to (default fail)"`
}

type rawCollapse struct {
	section
	WarnPercent number `json:"warn_percent,omitempty" jsonschema_description:"a greater loss: warn"`
	FailPercent number `json:"fail_percent,omitempty" jsonschema_description:"a greater loss: fail"`
}

type rawAge struct {
	section
	WarnAfter duration `json:"warn_after,omitempty" jsonschema_description:"longer: warn"`
	FailAfter duration `json:"fail_after,omitempty" jsonschema_description:"longer: fail"`
}

type rawSandbox struct {
	section
	Kind      text   `json:"kind,omitempty" jsonschema:"enum=auto,enum=container,enum=local" jsonschema_description:"auto: a container where Docker answers, else a throw-away cluster of the installed server (default auto)"`
	Image     text   `json:"image,omitempty" jsonschema_description:"container image (default postgres:<major>, by the archive's header)"`
	Memory    size   `json:"memory,omitempty" jsonschema_description:"memory limit, such as 4GiB (default sized to the machine)"`
	Disk      size   `json:"disk,omitempty" jsonschema_description:"how far the sandbox's disk may fill while the drill runs, such as 200GiB; beyond it: error (default all but a reserve)"`
	Isolation text   `json:"isolation,omitempty" jsonschema:"enum=enclosed,enum=no_network,enum=no_listener" jsonschema_description:"the least isolation that will do; less: error (default enclosed)"`
	Preload   []text `json:"preload,omitempty" jsonschema_description:"libraries that the server loads at its start (shared_preload_libraries), such as pg_stat_statements; their jobs do not run"`
}

type rawRestore struct {
	section
	Jobs       text `json:"jobs,omitempty" jsonschema:"pattern=^(auto|[1-9][0-9]*)$" jsonschema_description:"number of workers; auto is one a core (default auto)"`
	Roles      text `json:"roles,omitempty" jsonschema:"enum=create,enum=fail" jsonschema_description:"roles that the archive names beyond expectations.roles: create them with a warning, or fail (default create)"`
	Extensions text `json:"extensions,omitempty" jsonschema:"enum=require,enum=skip" jsonschema_description:"extensions that the image lacks: error, or leave them out with what only they make (default require)"`
}

type rawScrub struct {
	section
	KeyEnv           text         `json:"key_env,omitempty" jsonschema_description:"environment variable with the key, 32 bytes or more (default a random key for each run)"`
	Unmatched        text         `json:"unmatched,omitempty" jsonschema:"enum=refuse,enum=set_null,enum=redact" jsonschema_description:"a column without a rule that looks sensitive by name or type: end the drill, or rewrite it (default refuse); a value whose content looks sensitive ends the load in any case"`
	Locale           text         `json:"locale,omitempty" jsonschema:"enum=de_DE,enum=en_US,enum=es_ES,enum=fr_FR,enum=it_IT,enum=nl_NL,enum=pl_PL,enum=pt_BR,enum=sv_SE,enum=uk_UA" jsonschema_description:"country whose names, streets and cities made-up values use, where a rule names none (default en_US)"`
	ExcludeTableData []text       `json:"exclude_table_data,omitempty" jsonschema_description:"tables whose rows are never loaded: schema.table, with * in unquoted parts"`
	LargeObjects     text         `json:"large_objects,omitempty" jsonschema:"enum=drop,enum=preserve" jsonschema_description:"required where the archive has large objects"`
	Drop             []text       `json:"drop,omitempty" jsonschema:"enum=subscriptions,enum=user_mappings,enum=foreign_servers,enum=event_triggers,enum=cron_jobs" jsonschema_description:"what would call home and is left out of the restore (default all of it)"`
	Keep             []rawKeep    `json:"keep,omitempty" jsonschema_description:"rows that stay as they are"`
	Rules            []rawRule    `json:"rules,omitempty" jsonschema_description:"what happens to the values of which columns; of two rules for a column the narrower one counts"`
	LeakScan         *rawLeakScan `json:"leak_scan,omitempty" jsonschema_description:"what is looked for in values without a rule (default everything in all of them)"`
}

type rawLeakScan struct {
	section
	Detectors     []text  `json:"detectors,omitempty" jsonschema:"enum=email,enum=phone,enum=card,enum=iban,enum=ip,enum=national_id,enum=secret" jsonschema_description:"detectors to run (default all)"`
	Allow         []text  `json:"allow,omitempty" jsonschema_description:"regular expressions (RE2): what one of them matches is no finding"`
	SourceOverlap integer `json:"source_overlap,omitempty" jsonschema_description:"number of real values of each scrubbed column that are looked for in all other columns after the load (default 0)"`
	Sample        text    `json:"sample,omitempty" jsonschema:"pattern=^(full|[0-9]+(\\.[0-9]+)?%)$" jsonschema_description:"share of the rows to scan, such as 10% (default full)"`
}

type rawKeep struct {
	section
	Table   text            `json:"table" mend:"name the table, such as public.users" jsonschema_description:"schema.table"`
	Match   map[string]text `json:"match" mend:"say which rows, such as match: {email: \"*@ourco.example\"}" jsonschema_description:"column: pattern with *; all must match"`
	MaxRows integer         `json:"max_rows,omitempty" jsonschema_description:"most rows that may match; beyond it: error"`
	Set     map[string]text `json:"set,omitempty" jsonschema_description:"column: value, written into the kept rows"`
}

type rawRule struct {
	section
	Column text `json:"column" mend:"name it as schema.table.column" jsonschema_description:"schema.table.column, with * in unquoted parts"`
	Type   text `json:"type,omitempty" jsonschema_description:"only columns of this type or domain, or arrays of it, such as inet, citext or public.email_address"`
	rawChange
	Each           boolean    `json:"each,omitempty" jsonschema_description:"arrays: rewrite element by element"`
	JSON           []rawPath  `json:"json,omitempty" jsonschema_description:"json and jsonb: what happens to which values of a document; of two paths for a value the first counts"`
	UnmatchedPaths text       `json:"unmatched_paths,omitempty" jsonschema:"enum=redact,enum=refuse,enum=keep" jsonschema_description:"json: values that no path names (default redact, also without json; keep needs a why)"`
	Fields         []rawField `json:"fields,omitempty" jsonschema_description:"composite types: what happens to which field"`
	Recompute      text       `json:"recompute,omitempty" jsonschema_description:"SQL over the row's columns: the column is loaded empty and computed after the load"`
}

type rawField struct {
	section
	Field text `json:"field" mend:"name the field, such as street" jsonschema_description:"field of the composite type; home.street is one within another"`
	rawChange
}

// rawChange is what becomes of a value, wherever it stands.
type rawChange struct {
	Transform text    `json:"transform,omitempty" enum:"transforms" jsonschema_description:"how the value is rewritten"`
	Preserve  boolean `json:"preserve,omitempty" jsonschema_description:"let the value pass; needs a why"`
	Why       text    `json:"why,omitempty" jsonschema_description:"with preserve or unmatched_paths: keep: the reason why real values may pass"`
	Link      text    `json:"link,omitempty" jsonschema_description:"equal inputs under one link give equal outputs"`
	Normalize []text  `json:"normalize,omitempty" jsonschema:"enum=trim,enum=lower" jsonschema_description:"applied before hashing, so that values that differ only so become equal"`
	Locale    text    `json:"locale,omitempty" jsonschema:"enum=de_DE,enum=en_US,enum=es_ES,enum=fr_FR,enum=it_IT,enum=nl_NL,enum=pl_PL,enum=pt_BR,enum=sv_SE,enum=uk_UA" jsonschema_description:"country of the words (default the section's)"`
	Value     text    `json:"value,omitempty" jsonschema_description:"constant: the value; template: text with {transform} in it"`
	Values    []text  `json:"values,omitempty" jsonschema_description:"what is made of a value is one of these"`
	Percent   number  `json:"percent,omitempty" jsonschema_description:"noise of at most this many percent (default 10)"`
	Bucket    integer `json:"bucket,omitempty" jsonschema_description:"round toward zero to a multiple of this, instead of noise"`
	Days      integer `json:"days,omitempty" jsonschema_description:"at most this many days either way (default 180)"`
	By        text    `json:"by,omitempty" jsonschema_description:"column of the same row, such as user_id; rows with one value of it move by the same days"`
	To        text    `json:"to,omitempty" jsonschema:"enum=hour,enum=day,enum=month,enum=year" jsonschema_description:"precision that is left"`
	Pattern   text    `json:"pattern,omitempty" jsonschema_description:"a regular expression (RE2); a value that it does not match is rewritten as by text"`
	With      text    `json:"with,omitempty" jsonschema_description:"the replacement, with ${1} for the first group"`
}

type rawPath struct {
	section
	Path text `json:"path" mend:"name the values, such as $.contacts[*].email" jsonschema_description:"$.a, $.a[*].b, $..b, $.\"a key\", $.*"`
	rawChange
}

type rawExpectations struct {
	section
	AsOf       text              `json:"as_of,omitempty" jsonschema_description:"what ages are judged against: backup, now, or a time such as 2026-11-21T03:15:00Z (default backup)"`
	Restore    *rawRestoreExpect `json:"restore,omitempty" jsonschema_description:"errors and warnings that the restore may report"`
	Roles      []text            `json:"roles,omitempty" jsonschema_description:"roles that the new server has before a restore, and to which the backup grants or assigns something"`
	Tables     []rawTable        `json:"tables,omitempty" jsonschema_description:"what each table must show"`
	FailedRows []rawFailedRows   `json:"failed_rows,omitempty" jsonschema_description:"queries whose rows are counted"`
	Witness    []rawWitness      `json:"witness,omitempty" jsonschema_description:"outside records (JSON lines or CSV) of what must be in the database"`
	Timeout    duration          `json:"timeout,omitempty" jsonschema_description:"limit for each check (default 5m)"`
	Recovery   *rawAge           `json:"recovery_time,omitempty" jsonschema_description:"how long fetching and restoring may take: what was promised"`

	Extensions        []text          `json:"extensions,omitempty" jsonschema_description:"extensions that the backup must create"`
	Settings          map[string]text `json:"settings,omitempty" jsonschema_description:"settings that the database must bring (ALTER DATABASE … SET), such as {timezone: UTC}"`
	UnlistedTables    text            `json:"unlisted_tables,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"tables that are neither under tables nor under scrub.exclude_table_data (default ignore)"`
	Sequences         text            `json:"sequences,omitempty" jsonschema:"enum=not_behind" jsonschema_description:"no sequence's next number is already in its column"`
	Indexes           text            `json:"indexes,omitempty" jsonschema:"enum=valid" jsonschema_description:"every index is valid"`
	Constraints       text            `json:"constraints,omitempty" jsonschema:"enum=valid" jsonschema_description:"no constraint is NOT VALID"`
	MaterializedViews text            `json:"materialized_views,omitempty" jsonschema:"enum=populated" jsonschema_description:"every materialized view is populated"`
	Collations        text            `json:"collations,omitempty" jsonschema:"enum=same_version" jsonschema_description:"collation versions noted in the database are this machine's"`
	Schema            *rawSchema      `json:"schema,omitempty" jsonschema_description:"tables, columns, indexes, functions and more, compared with a baseline file"`
	CodeRan           *rawCodeRan     `json:"code_ran,omitempty" jsonschema_description:"the backup's own code that a restore runs"`
	Amcheck           *rawAmcheck     `json:"amcheck,omitempty" jsonschema_description:"restored files, checked page by page by PostgreSQL's amcheck"`
	Canary            *rawCanary      `json:"canary,omitempty" jsonschema_description:"a planted value that tells this database from all others; it is never printed"`
	Severity          *rawSeverity    `json:"severity,omitempty" jsonschema_description:"what failing one of these checks leads to (default fail)"`
}

// rawSeverity says of checks of the whole database what failing them is worth.
type rawSeverity struct {
	section
	Roles             text `json:"roles,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"of expectations.roles"`
	Extensions        text `json:"extensions,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"of expectations.extensions"`
	Settings          text `json:"settings,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"of expectations.settings"`
	Sequences         text `json:"sequences,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"of expectations.sequences"`
	Indexes           text `json:"indexes,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"of expectations.indexes"`
	Constraints       text `json:"constraints,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"of expectations.constraints"`
	MaterializedViews text `json:"materialized_views,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"of expectations.materialized_views"`
	Collations        text `json:"collations,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"of expectations.collations"`
}

type rawRestoreExpect struct {
	section
	Errors   integer `json:"errors,omitempty" jsonschema_description:"errors allowed (default 0)"`
	Warnings text    `json:"warnings,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"what a warning leads to (default warn)"`
}

type rawTable struct {
	section
	Table     text          `json:"table" mend:"name the table, such as public.users" jsonschema_description:"schema.table; its presence is always checked"`
	RowCount  *rawRowCount  `json:"row_count,omitempty" jsonschema_description:"how many rows it holds"`
	Freshness *rawFreshness `json:"freshness,omitempty" jsonschema_description:"how old its newest row may be"`

	RowCountChange *rawDrift      `json:"row_count_change,omitempty" jsonschema_description:"how far the number of rows may differ from past drills that passed"`
	MaxRegression  *rawRegression `json:"max_regression,omitempty" jsonschema_description:"the newest time or the greatest id must not fall behind the last drill that passed"`

	Relationships []rawRelationship `json:"relationships,omitempty" jsonschema_description:"values of a column that must be in another table's: orphans are counted"`
	Checksum      *rawChecksum      `json:"checksum,omitempty" jsonschema_description:"columns that must hold what they held in the last drill of the same backup, or what an outside record says"`
	Rebuildable   boolean           `json:"rebuildable,omitempty" jsonschema_description:"the table may be missing or empty, since it can be rebuilt"`
}

type rawRelationship struct {
	section
	Column     text `json:"column" mend:"name the column that refers to another" jsonschema_description:"referencing column; nulls refer to nothing"`
	References text `json:"references" mend:"name the column that it refers to, such as public.users.id" jsonschema_description:"referenced column: schema.table.column"`
	WarnIf     text `json:"warn_if,omitempty" jsonschema_description:"condition on the number of orphans, such as \"> 0\""`
	FailIf     text `json:"fail_if,omitempty" jsonschema_description:"condition, such as \"> 10\" (default \"> 0\", where there is no warn_if)"`
}

type rawChecksum struct {
	section
	Columns []text      `json:"columns" mend:"list the columns" jsonschema_description:"columns, each preserved with a why"`
	Witness *rawSumFile `json:"witness,omitempty" jsonschema_description:"outside record of the sums, compared with instead of past drills"`
}

type rawSumFile struct {
	section
	URL       text     `json:"url" mend:"write file:///dir/sums.jsonl or s3://bucket/prefix/sums.jsonl" jsonschema_description:"one file of JSON lines or CSV, a record for each backup, plain or under gzip or zstd; a bucket is reached as source is"`
	Sum       text     `json:"sum" mend:"name the field that holds this table's sum" jsonschema_description:"field with this table's sum"`
	At        text     `json:"at" mend:"name the field that tells the backup's time" jsonschema_description:"field with the backup's time"`
	Timezone  text     `json:"timezone,omitempty" jsonschema_description:"zone of times that name none"`
	Unit      text     `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"times are numbers since 1970 in this unit"`
	Tolerance duration `json:"tolerance,omitempty" jsonschema_description:"how far a record's time may be from the backup's (default 0s)"`
}

type rawSchema struct {
	section
	Baseline  text `json:"baseline" mend:"name the file, such as drills/shop.schema.json, and write it: mage baseline" jsonschema_description:"file that the target baseline writes; its path is relative to the folder that holds drills/"`
	OnAdded   text `json:"on_added,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"what something new leads to (default warn)"`
	OnRemoved text `json:"on_removed,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"what something missing leads to (default fail)"`
	OnChanged text `json:"on_changed,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"what something changed leads to (default fail)"`
}

type rawCodeRan struct {
	section
	OnNew text `json:"on_new" mend:"write on_new: warn, fail or ignore" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"functions that indexes, constraints, views, triggers and the like call, new or changed since the last drill that passed (without code_ran: ignore, and listed)"`
}

type rawAmcheck struct {
	section
	Heap    boolean `json:"heap,omitempty" jsonschema_description:"tables and materialized views (verify_heapam; not in PostgreSQL 13)"`
	Indexes boolean `json:"indexes,omitempty" jsonschema_description:"B-tree indexes (bt_index_check)"`
	Depth   text    `json:"depth,omitempty" jsonschema:"enum=structure,enum=rows" jsonschema_description:"rows: also TOAST values, and that each row is in each index; structure: pages alone (default rows)"`
}

type rawCanary struct {
	section
	SQL       text `json:"sql" mend:"write a query that gives one value, such as select token from drill_canary" jsonschema_description:"query that gives one value"`
	EqualsEnv text `json:"equals_env" mend:"name the environment variable that holds the value" jsonschema_description:"environment variable with the value, compared to the byte"`
}

// rawDrift is how much a number may change since past drills.
type rawDrift struct {
	section
	Against     text    `json:"against,omitempty" jsonschema:"pattern=^(last|median\\([0-9]+\\))$" jsonschema_description:"drills that passed: last, or the median of the newest, such as median(7) (default last)"`
	Direction   text    `json:"direction,omitempty" jsonschema:"enum=drop,enum=rise,enum=any" jsonschema_description:"direction of the change that counts (default any)"`
	WarnPercent number  `json:"warn_percent,omitempty" jsonschema_description:"a greater change: warn"`
	FailPercent number  `json:"fail_percent,omitempty" jsonschema_description:"a greater change: fail"`
	MinHistory  integer `json:"min_history,omitempty" jsonschema_description:"skipped until this many drills have passed (default 1)"`
}

type rawRegression struct {
	section
	Column    text `json:"column" mend:"name a column that only grows, such as created_at or id" jsonschema_description:"column with a time, or with an integer that is preserved with a why"`
	Tolerance text `json:"tolerance,omitempty" jsonschema:"pattern=^((?=.)(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?|\\d+)$" jsonschema_description:"how far it may fall back: 90s or 6h for a time, 100 for an integer (default not at all)"`
}

type rawRowCount struct {
	section
	Min      integer   `json:"min,omitempty" jsonschema_description:"fewest rows"`
	Max      integer   `json:"max,omitempty" jsonschema_description:"most rows"`
	Between  []integer `json:"between,omitempty" jsonschema:"minItems=2,maxItems=2" jsonschema_description:"[fewest, most]"`
	Equals   integer   `json:"equals,omitempty" jsonschema_description:"exact number of rows"`
	Severity text      `json:"severity,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"what another number leads to (default fail)"`
}

type rawFreshness struct {
	section
	Column    text     `json:"column" mend:"name the column that holds the time of a row" jsonschema_description:"column with the time of a row"`
	Timezone  text     `json:"timezone,omitempty" jsonschema_description:"zone of the column; required for a timestamp without time zone and a date"`
	Unit      text     `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"the column is a number since 1970 in this unit"`
	WarnAfter duration `json:"warn_after,omitempty" jsonschema_description:"older: warn"`
	FailAfter duration `json:"fail_after,omitempty" jsonschema_description:"older: fail"`
	MaxFuture duration `json:"max_future,omitempty" jsonschema_description:"a newest row later than this: fail (default 5m)"`
	Where     text     `json:"where,omitempty" jsonschema_description:"SQL condition on the rows"`
}

type rawFailedRows struct {
	section
	Name    text     `json:"name" mend:"name it, such as paid_without_payment" jsonschema:"pattern=^[a-z0-9_]+$" jsonschema_description:"name of the check"`
	SQL     text     `json:"sql" mend:"write the query whose rows are to be counted" jsonschema_description:"query, run read-only"`
	WarnIf  text     `json:"warn_if,omitempty" jsonschema_description:"condition on the number of rows, such as \"> 0\""`
	FailIf  text     `json:"fail_if,omitempty" jsonschema_description:"condition, such as \"> 10\""`
	Timeout duration `json:"timeout,omitempty" jsonschema_description:"limit for this check (default expectations.timeout)"`
}

type rawWitness struct {
	section
	Name      text            `json:"name" mend:"name it, such as admin_log" jsonschema:"pattern=^[a-z0-9_]+$" jsonschema_description:"name of the check"`
	URL       text            `json:"url" mend:"write file:///dir/events.jsonl or s3://bucket/prefix/events.jsonl" jsonschema_description:"one file of JSON lines or CSV, plain or under gzip or zstd; a bucket is reached as source is"`
	Table     text            `json:"table" mend:"name the table, such as public.events" jsonschema_description:"schema.table that must hold the records"`
	Key       map[string]text `json:"key" mend:"say which field of a record tells which row, such as key: {id: event_id}" jsonschema_description:"column: field of the record"`
	At        text            `json:"at" mend:"name the field that tells when it happened" jsonschema_description:"field with the time; records up to the backup's time are expected"`
	Timezone  text            `json:"timezone,omitempty" jsonschema_description:"zone of times that name none"`
	Unit      text            `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"times are numbers since 1970 in this unit"`
	Tolerance duration        `json:"tolerance,omitempty" jsonschema_description:"records of this last stretch before the backup are not expected (default 0s)"`
	WarnIf    text            `json:"warn_if,omitempty" jsonschema_description:"condition on the number of missing records, such as \"> 0\""`
	FailIf    text            `json:"fail_if,omitempty" jsonschema_description:"condition (default \"> 0\", where there is no warn_if)"`
	Timeout   duration        `json:"timeout,omitempty" jsonschema_description:"limit for this check (default expectations.timeout)"`
}

type rawLatest struct {
	section
	Table   text    `json:"table" mend:"name the table, such as public.orders" jsonschema_description:"schema.table"`
	OrderBy text    `json:"order_by" mend:"name the column that tells what is newest" jsonschema_description:"column that tells which rows are newest"`
	Columns []text  `json:"columns" mend:"list the columns to show" jsonschema_description:"columns to show"`
	Limit   integer `json:"limit,omitempty" jsonschema:"minimum=1,maximum=100" jsonschema_description:"number of rows (default 5)"`
}

// later are the keys whose words are settled but that do not act yet, by the
// section they belong to.
var later = map[string][]string{
	"":       {"notify"},
	"source": {"decrypt"},
}
