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
	Version      integer          `json:"version" mend:"write version: 1" jsonschema:"enum=1" jsonschema_description:"version of the drill file's shape"`
	Timeout      duration         `json:"timeout,omitempty" jsonschema_description:"the whole drill; past it: error (default 45m)"`
	Source       *rawSource       `json:"source" mend:"say where the backups lie and how they are named" jsonschema_description:"where the backups lie"`
	Inventory    *rawInventory    `json:"inventory,omitempty" jsonschema_description:"is the off-site store itself healthy?"`
	Sandbox      *rawSandbox      `json:"sandbox,omitempty" jsonschema_description:"where to restore"`
	Restore      *rawRestore      `json:"restore,omitempty" jsonschema_description:"how to restore"`
	Scrub        *rawScrub        `json:"scrub,omitempty" jsonschema_description:"what is rewritten on the way in, and what may pass"`
	Expectations *rawExpectations `json:"expectations" mend:"a drill that expects nothing proves nothing: name a table" jsonschema_description:"what the restored database must show"`
	LatestEvents []rawLatest      `json:"latest_events,omitempty" jsonschema_description:"newest rows shown in the report, scrubbed"`
	History      *rawHistory      `json:"history,omitempty" jsonschema_description:"where past reports are kept besides reports/, and what proves who wrote them; a URL alone is the first"`
}

// rawHistory is a store of past reports; one that is written as a URL alone
// holds reports that nobody signed.
type rawHistory struct {
	section
	URL    text `json:"url,omitempty" jsonschema_description:"file:///dir/ or s3://bucket/prefix/, reached as source is"`
	KeyEnv text `json:"key_env,omitempty" jsonschema_description:"environment variable with the key that signs reports, 32 bytes or more; several with commas between them: the first signs, any of them proves"`
}

func (h *rawHistory) short() scalar { return &h.URL }

// JSONSchemaExtend tells editors of the short form.
func (rawHistory) JSONSchemaExtend(s *jsonschema.Schema) { orShort[text](s) }

type rawSource struct {
	section
	URL           text     `json:"url" mend:"write file:///dir/ or s3://bucket/prefix/" jsonschema_description:"file:///dir/, file:dir/ (beside the drill file) or s3://bucket/prefix/"`
	Region        text     `json:"region,omitempty" jsonschema_description:"s3: the bucket's region"`
	Endpoint      text     `json:"endpoint,omitempty" jsonschema_description:"s3: URL of a server other than AWS's"`
	PathStyle     boolean  `json:"path_style,omitempty" jsonschema_description:"s3: the bucket stands in the path"`
	Anonymous     boolean  `json:"anonymous,omitempty" jsonschema_description:"s3: send no credentials"`
	Name          text     `json:"name" mend:"write a pattern such as \"shop-{time}.dump\"" jsonschema_description:"a backup's name under url; {time} at most once, * is anything but a slash"`
	Time          text     `json:"time,omitempty" jsonschema_description:"how {time} is written: Go layout of 2006-01-02 15:04:05"`
	Timezone      text     `json:"timezone,omitempty" jsonschema_description:"zone of {time} and of an archive's header, where they have none"`
	TimeTolerance duration `json:"time_tolerance,omitempty" jsonschema_description:"name and header may differ by this much, beside the day or hour that the name tells (default 6h; 26h without timezone; 1h and 14h where {time} tells a day)"`
	Database      text     `json:"database,omitempty" jsonschema_description:"the archive's header must name it"`
	Checksum      text     `json:"checksum,omitempty" jsonschema:"enum=required,enum=if_present" jsonschema_description:"a .sha256 beside each backup must be there, or is compared where it is (default if_present)"`
	Links         text     `json:"links,omitempty" jsonschema:"enum=refuse,enum=follow" jsonschema_description:"links in a folder to what lies outside of it; for every folder that the drill reads (default refuse)"`
	MaxRatio      integer  `json:"max_ratio,omitempty" jsonschema_description:"a compressed backup may unpack to so many times its size; more: error (default 200)"`
}

type rawInventory struct {
	section
	BackupAge     *rawAge             `json:"backup_age,omitempty" jsonschema_description:"how old the newest backup may be"`
	Cadence       *rawCadence         `json:"cadence,omitempty" jsonschema_description:"no wider gap between two backups of the retention"`
	MinBackups    *rawLeast[integer]  `json:"min_backups,omitempty" jsonschema_description:"so many backups at least"`
	MinSize       *rawLeast[size]     `json:"min_size,omitempty" jsonschema_description:"the newest backup's size at least, such as 10MiB"`
	OldestAtLeast *rawLeast[duration] `json:"oldest_at_least,omitempty" jsonschema_description:"the retention: the oldest backup is at least so old"`
	Collapse      *rawCollapse        `json:"collapse,omitempty" jsonschema_description:"fewer backups, or bytes, than at the last drill that passed"`
	SizeChange    *rawDrift           `json:"size_change,omitempty" jsonschema_description:"how much the newest backup's size may differ from those of past drills that passed"`
	OffSite       *rawOffSite         `json:"off_site,omitempty" jsonschema_description:"the store lies neither on production's machines nor on this one"`
	Protection    []text              `json:"protection,omitempty" jsonschema:"enum=versioning,enum=object_lock" jsonschema_description:"s3: asked of the bucket itself"`
	Copies        []rawCopy           `json:"copies,omitempty" jsonschema_description:"other stores that hold the same newest backup"`
	Catalogue     *rawCatalogue       `json:"catalogue,omitempty" jsonschema_description:"an outside record of the backups: the store holds those that it names, and no others"`
}

type rawCatalogue struct {
	section
	URL      text     `json:"url" mend:"write file:///dir/backups.jsonl or s3://bucket/prefix/backups.jsonl" jsonschema_description:"one file of JSON lines or CSV, a record for each backup, bare or under gzip or zstd; a bucket is reached as source is"`
	Name     text     `json:"name" mend:"name the field that holds a backup's name" jsonschema_description:"the field that holds a backup's name, with or without where it lies"`
	At       text     `json:"at" mend:"name the field that tells when the backup was taken" jsonschema_description:"the field that tells when it was taken"`
	Timezone text     `json:"timezone,omitempty" jsonschema_description:"of times that tell none"`
	Unit     text     `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"times are numbers since 1970"`
	Lag      duration `json:"lag,omitempty" jsonschema_description:"backups younger than that need not be in both yet (default 0s)"`
}

type rawOffSite struct {
	section
	ProductionHosts []text `json:"production_hosts" mend:"name production's machines, such as [db1.example.com]" jsonschema_description:"names or addresses of production's machines"`
}

// rawCopy is another store; one that is written as a URL alone is reached as
// the source is.
type rawCopy struct {
	section
	URL       text     `json:"url" mend:"write file:///dir/ or s3://bucket/prefix/"`
	Region    text     `json:"region,omitempty" jsonschema_description:"s3: default as under source"`
	Endpoint  text     `json:"endpoint,omitempty" jsonschema_description:"s3: default as under source"`
	PathStyle boolean  `json:"path_style,omitempty" jsonschema_description:"s3: default as under source"`
	Anonymous boolean  `json:"anonymous,omitempty" jsonschema_description:"s3: default as under source"`
	Profile   text     `json:"profile,omitempty" jsonschema_description:"s3: a profile of the shared AWS configuration with keys of its own"`
	Lag       duration `json:"lag,omitempty" jsonschema_description:"a backup may be there so much later (default 0s)"`
}

func (c *rawCopy) short() scalar { return &c.URL }

// JSONSchemaExtend tells editors of the short form.
func (rawCopy) JSONSchemaExtend(s *jsonschema.Schema) { orShort[text](s) }

// rawLeast is a lower limit; one that is written alone is fail_below.
type rawLeast[T any] struct {
	section
	WarnBelow T `json:"warn_below,omitempty"`
	FailBelow T `json:"fail_below,omitempty"`
}

func (l *rawLeast[T]) short() scalar { return any(&l.FailBelow).(scalar) }

// JSONSchemaExtend tells editors of the short form.
func (rawLeast[T]) JSONSchemaExtend(s *jsonschema.Schema) { orShort[T](s) }

type rawCadence struct {
	section
	Every     duration `json:"every" mend:"say how often a backup is taken, such as 6h" jsonschema_description:"how often a backup is taken"`
	Tolerance duration `json:"tolerance,omitempty" jsonschema_description:"how much later one may be (default: a tenth of every)"`
	Severity  text     `json:"severity,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"default fail"`
}

type rawCollapse struct {
	section
	WarnPercent number `json:"warn_percent,omitempty" jsonschema_description:"a greater loss: warn"`
	FailPercent number `json:"fail_percent,omitempty" jsonschema_description:"a greater loss: fail"`
}

type rawAge struct {
	section
	WarnAfter duration `json:"warn_after,omitempty"`
	FailAfter duration `json:"fail_after,omitempty"`
}

type rawSandbox struct {
	section
	Kind      text   `json:"kind,omitempty" jsonschema:"enum=auto,enum=container,enum=local" jsonschema_description:"default auto"`
	Image     text   `json:"image,omitempty" jsonschema_description:"default postgres:<major>, by the archive's header"`
	Memory    size   `json:"memory,omitempty" jsonschema_description:"limit, such as 4GiB"`
	Disk      size   `json:"disk,omitempty" jsonschema_description:"what its disk may lose while the drill runs, such as 200GiB; more: error (default: all but what is always kept free)"`
	Isolation text   `json:"isolation,omitempty" jsonschema:"enum=enclosed,enum=no_network,enum=no_listener" jsonschema_description:"the least that is good enough; less: error (default enclosed)"`
	Preload   []text `json:"preload,omitempty" jsonschema_description:"libraries that the server loads at its start (shared_preload_libraries), such as pg_stat_statements"`
}

type rawRestore struct {
	section
	Jobs       text `json:"jobs,omitempty" jsonschema:"pattern=^(auto|[1-9][0-9]*)$" jsonschema_description:"auto (one a core), or how many workers"`
	Roles      text `json:"roles,omitempty" jsonschema:"enum=create,enum=fail" jsonschema_description:"roles that the archive names and the sandbox lacks (default create)"`
	Extensions text `json:"extensions,omitempty" jsonschema:"enum=require,enum=skip" jsonschema_description:"extensions that the image lacks (default require)"`
}

type rawScrub struct {
	section
	KeyEnv           text         `json:"key_env,omitempty" jsonschema_description:"environment variable with the key, 32 bytes or more; absent: a random key for each run"`
	Unmatched        text         `json:"unmatched,omitempty" jsonschema:"enum=refuse,enum=set_null,enum=redact" jsonschema_description:"a column that looks sensitive by name or type and that no rule names: end the drill (default), or rewrite it; a value whose content tells ends the load whatever this says"`
	Locale           text         `json:"locale,omitempty" jsonschema:"enum=de_DE,enum=en_US,enum=es_ES,enum=fr_FR,enum=it_IT,enum=nl_NL,enum=pl_PL,enum=pt_BR,enum=sv_SE,enum=uk_UA" jsonschema_description:"whose names, streets and cities made-up values are taken from, where a rule does not say (default en_US)"`
	ExcludeTableData []text       `json:"exclude_table_data,omitempty" jsonschema_description:"tables whose rows are never loaded: schema.table, * in unquoted parts"`
	LargeObjects     text         `json:"large_objects,omitempty" jsonschema:"enum=drop,enum=preserve" jsonschema_description:"to be said where the archive has any"`
	Drop             []text       `json:"drop,omitempty" jsonschema:"enum=subscriptions,enum=user_mappings,enum=foreign_servers,enum=event_triggers,enum=cron_jobs" jsonschema_description:"what would call home and is left out of the restore (default: all of it)"`
	Keep             []rawKeep    `json:"keep,omitempty" jsonschema_description:"rows that stay as they are"`
	Rules            []rawRule    `json:"rules,omitempty"`
	LeakScan         *rawLeakScan `json:"leak_scan,omitempty" jsonschema_description:"what is looked for in the values that no rule names; without it: everything in all of them"`
}

type rawLeakScan struct {
	section
	Detectors     []text  `json:"detectors,omitempty" jsonschema:"enum=email,enum=phone,enum=card,enum=iban,enum=ip,enum=national_id,enum=secret" jsonschema_description:"default: all"`
	Allow         []text  `json:"allow,omitempty" jsonschema_description:"regular expressions (RE2): what one of them matches in what was found is no finding"`
	SourceOverlap integer `json:"source_overlap,omitempty" jsonschema_description:"so many real values of each scrubbed column are looked for in all others after the load"`
	Sample        text    `json:"sample,omitempty" jsonschema:"pattern=^(full|[0-9]+(\\.[0-9]+)?%)$" jsonschema_description:"full (default), or so many percent of the rows, such as 10%"`
}

type rawKeep struct {
	section
	Table   text            `json:"table" mend:"name the table, such as public.users"`
	Match   map[string]text `json:"match" mend:"say which rows, such as match: {email: \"*@ourco.example\"}" jsonschema_description:"column: pattern with *; all must match"`
	MaxRows integer         `json:"max_rows,omitempty" jsonschema_description:"more: error"`
	Set     map[string]text `json:"set,omitempty" jsonschema_description:"column: value, written into the kept rows"`
}

type rawRule struct {
	section
	Column text `json:"column" mend:"name it as schema.table.column" jsonschema_description:"schema.table.column, * in unquoted parts"`
	Type   text `json:"type,omitempty" jsonschema_description:"only columns of this type or domain, or arrays of it: inet, citext, public.email_address"`
	rawChange
	Each           boolean    `json:"each,omitempty" jsonschema_description:"arrays: element by element"`
	JSON           []rawPath  `json:"json,omitempty" jsonschema_description:"json and jsonb: what becomes of which values in a document; of two paths for one value the first decides"`
	UnmatchedPaths text       `json:"unmatched_paths,omitempty" jsonschema:"enum=redact,enum=refuse,enum=keep" jsonschema_description:"json: values that no path names (default redact, also without json; keep needs a why)"`
	Fields         []rawField `json:"fields,omitempty" jsonschema_description:"composite types: what becomes of which field"`
	Recompute      text       `json:"recompute,omitempty" jsonschema_description:"SQL over the row's columns: loaded empty, computed after the load"`
}

type rawField struct {
	section
	Field text `json:"field" mend:"name the field, such as street" jsonschema_description:"of a composite type; home.street: of one within it"`
	rawChange
}

// rawChange is what becomes of a value, wherever it stands.
type rawChange struct {
	Transform text    `json:"transform,omitempty" jsonschema:"enum=email,enum=name,enum=first_name,enum=last_name,enum=company,enum=street,enum=city,enum=postcode,enum=phone,enum=text,enum=hash,enum=token,enum=uuid,enum=url,enum=ip,enum=mac,enum=iban,enum=card,enum=money,enum=number,enum=date_shift,enum=truncate,enum=password,enum=replace,enum=template,enum=constant,enum=set_null"`
	Preserve  boolean `json:"preserve,omitempty" jsonschema_description:"let it pass; needs a why"`
	Why       text    `json:"why,omitempty"`
	Link      text    `json:"link,omitempty" jsonschema_description:"equal inputs under one link give equal outputs"`
	Normalize []text  `json:"normalize,omitempty" jsonschema:"enum=trim,enum=lower" jsonschema_description:"before hashing"`
	Locale    text    `json:"locale,omitempty" jsonschema:"enum=de_DE,enum=en_US,enum=es_ES,enum=fr_FR,enum=it_IT,enum=nl_NL,enum=pl_PL,enum=pt_BR,enum=sv_SE,enum=uk_UA" jsonschema_description:"name, first_name, last_name, company, street, city, template: whose words (default: the section's)"`
	Value     text    `json:"value,omitempty" jsonschema_description:"constant: the value; template: text with {transform} in it"`
	Percent   number  `json:"percent,omitempty" jsonschema_description:"number, money: noise of at most so many percent (default 10)"`
	Bucket    integer `json:"bucket,omitempty" jsonschema_description:"number: down to a multiple of it, instead of noise"`
	Days      integer `json:"days,omitempty" jsonschema_description:"date_shift: at most so many days either way (default 180)"`
	By        text    `json:"by,omitempty" jsonschema_description:"date_shift: a column of the same row, such as user_id; rows of one value of it move by the same days"`
	To        text    `json:"to,omitempty" jsonschema:"enum=hour,enum=day,enum=month,enum=year" jsonschema_description:"truncate: what is left"`
	Pattern   text    `json:"pattern,omitempty" jsonschema_description:"replace: a regular expression (RE2); what it does not find becomes text's"`
	With      text    `json:"with,omitempty" jsonschema_description:"replace: what is put in its place, with ${1} for the first group"`
}

type rawPath struct {
	section
	Path text `json:"path" mend:"name the values, such as $.contacts[*].email" jsonschema_description:"$.a, $.a[*].b, $..b, $.\"a key\", $.*"`
	rawChange
}

type rawExpectations struct {
	section
	AsOf       text              `json:"as_of,omitempty" jsonschema_description:"backup (default), now, or a time such as 2026-11-21T03:15:00Z: what ages are judged against"`
	Restore    *rawRestoreExpect `json:"restore,omitempty"`
	Roles      []text            `json:"roles,omitempty" jsonschema_description:"roles that the new server would have before a restore, and that the backup gives something to"`
	Tables     []rawTable        `json:"tables,omitempty"`
	FailedRows []rawFailedRows   `json:"failed_rows,omitempty" jsonschema_description:"queries whose rows are counted"`
	Witness    []rawWitness      `json:"witness,omitempty" jsonschema_description:"outside records (JSON lines or CSV) of what must be there"`
	Timeout    duration          `json:"timeout,omitempty" jsonschema_description:"for each check (default 5m)"`
	Recovery   *rawAge           `json:"recovery_time,omitempty" jsonschema_description:"how long fetching and restoring may take: what was promised"`

	Extensions        []text          `json:"extensions,omitempty" jsonschema_description:"that the backup must bring"`
	Settings          map[string]text `json:"settings,omitempty" jsonschema_description:"that the database must bring (ALTER DATABASE … SET), such as {timezone: UTC}"`
	UnlistedTables    text            `json:"unlisted_tables,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"tables that are neither under tables nor under scrub.exclude_table_data (default ignore)"`
	Sequences         text            `json:"sequences,omitempty" jsonschema:"enum=not_behind" jsonschema_description:"none gives a number next that its column holds already"`
	Indexes           text            `json:"indexes,omitempty" jsonschema:"enum=valid"`
	Constraints       text            `json:"constraints,omitempty" jsonschema:"enum=valid" jsonschema_description:"none is NOT VALID"`
	MaterializedViews text            `json:"materialized_views,omitempty" jsonschema:"enum=populated"`
	Collations        text            `json:"collations,omitempty" jsonschema:"enum=same_version" jsonschema_description:"the version noted in the database is the machine's"`
	Schema            *rawSchema      `json:"schema,omitempty" jsonschema_description:"tables, columns, indexes, functions …, beside a file that keeps what they were"`
	CodeRan           *rawCodeRan     `json:"code_ran,omitempty" jsonschema_description:"the backup's own code that a restore runs"`
	Amcheck           *rawAmcheck     `json:"amcheck,omitempty" jsonschema_description:"the restored files, page by page, by PostgreSQL's own amcheck"`
	Canary            *rawCanary      `json:"canary,omitempty" jsonschema_description:"a value that was planted, to tell this database from all others; it is never printed"`
	Severity          *rawSeverity    `json:"severity,omitempty" jsonschema_description:"what failing one of these is worth (default fail)"`
}

// rawSeverity says of checks of the whole database what failing them is worth.
type rawSeverity struct {
	section
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
	section
	Errors   integer `json:"errors,omitempty" jsonschema_description:"errors allowed (default 0)"`
	Warnings text    `json:"warnings,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"default warn"`
}

type rawTable struct {
	section
	Table     text          `json:"table" mend:"name the table, such as public.users" jsonschema_description:"schema.table; that it is there is always checked"`
	RowCount  *rawRowCount  `json:"row_count,omitempty"`
	Freshness *rawFreshness `json:"freshness,omitempty"`

	RowCountChange *rawDrift      `json:"row_count_change,omitempty" jsonschema_description:"how much the number of rows may change since past drills that passed"`
	MaxRegression  *rawRegression `json:"max_regression,omitempty" jsonschema_description:"the newest time or the greatest id must not go back behind the last drill that passed"`

	Relationships []rawRelationship `json:"relationships,omitempty" jsonschema_description:"each value of a column must stand in another's: orphans are counted"`
	Checksum      *rawChecksum      `json:"checksum,omitempty" jsonschema_description:"the same values as in the last drill of the same backup, or as an outside record tells"`
	Rebuildable   boolean           `json:"rebuildable,omitempty" jsonschema_description:"it may be missing or empty: it can be rebuilt"`
}

type rawRelationship struct {
	section
	Column     text `json:"column" mend:"name the column that refers to another" jsonschema_description:"nulls refer to nothing"`
	References text `json:"references" mend:"name the column that it refers to, such as public.users.id" jsonschema_description:"schema.table.column"`
	WarnIf     text `json:"warn_if,omitempty" jsonschema_description:"such as \"> 0\""`
	FailIf     text `json:"fail_if,omitempty" jsonschema_description:"such as \"> 10\" (default \"> 0\", where there is no warn_if)"`
}

type rawChecksum struct {
	section
	Columns []text      `json:"columns" mend:"list the columns" jsonschema_description:"preserved with a why"`
	Witness *rawSumFile `json:"witness,omitempty" jsonschema_description:"an outside record of the sums, to be compared with instead of past drills"`
}

type rawSumFile struct {
	section
	URL       text     `json:"url" mend:"write file:///dir/sums.jsonl or s3://bucket/prefix/sums.jsonl" jsonschema_description:"one file of JSON lines or CSV, a record for each backup, bare or under gzip or zstd; a bucket is reached as source is"`
	Sum       text     `json:"sum" mend:"name the field that holds this table's sum" jsonschema_description:"the field of a record that holds this table's sum"`
	At        text     `json:"at" mend:"name the field that tells the backup's time" jsonschema_description:"the field that tells of which backup it is"`
	Timezone  text     `json:"timezone,omitempty" jsonschema_description:"of times that tell none"`
	Unit      text     `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"times are numbers since 1970"`
	Tolerance duration `json:"tolerance,omitempty" jsonschema_description:"how far a record's time may be from the backup's (default 0s)"`
}

type rawSchema struct {
	section
	Baseline  text `json:"baseline" mend:"name the file, such as drills/shop.schema.json, and write it: mage baseline" jsonschema_description:"a file that mage baseline writes; its path counts from the folder that holds drills/"`
	OnAdded   text `json:"on_added,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"default warn"`
	OnRemoved text `json:"on_removed,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"default fail"`
	OnChanged text `json:"on_changed,omitempty" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"default fail"`
}

type rawCodeRan struct {
	section
	OnNew text `json:"on_new" mend:"write on_new: warn, fail or ignore" jsonschema:"enum=ignore,enum=warn,enum=fail" jsonschema_description:"functions that indexes, constraints, views, triggers and the like call, and that are new or changed since the last drill that passed (without code_ran: ignore, and listed)"`
}

type rawAmcheck struct {
	section
	Heap    boolean `json:"heap,omitempty" jsonschema_description:"tables and materialized views (verify_heapam; not in PostgreSQL 13)"`
	Indexes boolean `json:"indexes,omitempty" jsonschema_description:"B-trees (bt_index_check)"`
	Depth   text    `json:"depth,omitempty" jsonschema:"enum=structure,enum=rows" jsonschema_description:"rows (default): also TOAST values, and that each row is in each index; structure: pages alone"`
}

type rawCanary struct {
	section
	SQL       text `json:"sql" mend:"write a query that gives one value, such as select token from drill_canary"`
	EqualsEnv text `json:"equals_env" mend:"name the environment variable that holds the value" jsonschema_description:"environment variable with the value, to the byte"`
}

// rawDrift is how much a number may change since past drills.
type rawDrift struct {
	section
	Against     text    `json:"against,omitempty" jsonschema:"pattern=^(last|median\\([0-9]+\\))$" jsonschema_description:"drills that passed: last (default), or the median of so many, such as median(7)"`
	Direction   text    `json:"direction,omitempty" jsonschema:"enum=drop,enum=rise,enum=any" jsonschema_description:"which way is looked at (default any)"`
	WarnPercent number  `json:"warn_percent,omitempty" jsonschema_description:"a greater change: warn"`
	FailPercent number  `json:"fail_percent,omitempty" jsonschema_description:"a greater change: fail"`
	MinHistory  integer `json:"min_history,omitempty" jsonschema_description:"skipped until so many drills have passed (default 1)"`
}

type rawRegression struct {
	section
	Column    text `json:"column" mend:"name a column that only grows, such as created_at or id" jsonschema_description:"a time, or an integer that is preserved with a why"`
	Tolerance text `json:"tolerance,omitempty" jsonschema:"pattern=^((?=.)(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?|\\d+)$" jsonschema_description:"how far it may go back: 90s, 6h for a time, 100 for an integer (default not at all)"`
}

type rawRowCount struct {
	section
	Min      integer   `json:"min,omitempty"`
	Max      integer   `json:"max,omitempty"`
	Between  []integer `json:"between,omitempty" jsonschema:"minItems=2,maxItems=2" jsonschema_description:"[least, most]"`
	Equals   integer   `json:"equals,omitempty"`
	Severity text      `json:"severity,omitempty" jsonschema:"enum=warn,enum=fail" jsonschema_description:"default fail"`
}

type rawFreshness struct {
	section
	Column    text     `json:"column" mend:"name the column that holds the time of a row"`
	Timezone  text     `json:"timezone,omitempty" jsonschema_description:"needed where the column has no zone of its own (timestamp, date)"`
	Unit      text     `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"the column is a number since 1970"`
	WarnAfter duration `json:"warn_after,omitempty"`
	FailAfter duration `json:"fail_after,omitempty"`
	MaxFuture duration `json:"max_future,omitempty" jsonschema_description:"a newest row later than this: fail (default 5m)"`
	Where     text     `json:"where,omitempty" jsonschema_description:"SQL condition"`
}

type rawFailedRows struct {
	section
	Name    text     `json:"name" mend:"name it, such as paid_without_payment" jsonschema:"pattern=^[a-z0-9_]+$"`
	SQL     text     `json:"sql" mend:"write the query whose rows are to be counted"`
	WarnIf  text     `json:"warn_if,omitempty" jsonschema_description:"such as \"> 0\""`
	FailIf  text     `json:"fail_if,omitempty" jsonschema_description:"such as \"> 10\""`
	Timeout duration `json:"timeout,omitempty"`
}

type rawWitness struct {
	section
	Name      text            `json:"name" mend:"name it, such as admin_log" jsonschema:"pattern=^[a-z0-9_]+$"`
	URL       text            `json:"url" mend:"write file:///dir/events.jsonl or s3://bucket/prefix/events.jsonl" jsonschema_description:"one file of JSON lines or CSV, bare or under gzip or zstd; a bucket is reached as source is"`
	Table     text            `json:"table" mend:"name the table, such as public.events"`
	Key       map[string]text `json:"key" mend:"say which field of a record tells which row, such as key: {id: event_id}" jsonschema_description:"column: field of the record"`
	At        text            `json:"at" mend:"name the field that tells when it happened" jsonschema_description:"records up to the backup's time are expected"`
	Timezone  text            `json:"timezone,omitempty" jsonschema_description:"of times that tell none"`
	Unit      text            `json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns" jsonschema_description:"times are numbers since 1970"`
	Tolerance duration        `json:"tolerance,omitempty" jsonschema_description:"records of the last so long before the backup are not expected (default 0s)"`
	WarnIf    text            `json:"warn_if,omitempty" jsonschema_description:"of how many are missing, such as \"> 0\""`
	FailIf    text            `json:"fail_if,omitempty" jsonschema_description:"default \"> 0\", where there is no warn_if"`
	Timeout   duration        `json:"timeout,omitempty"`
}

type rawLatest struct {
	section
	Table   text    `json:"table" mend:"name the table, such as public.orders"`
	OrderBy text    `json:"order_by" mend:"name the column that tells what is newest"`
	Columns []text  `json:"columns" mend:"list the columns to show"`
	Limit   integer `json:"limit,omitempty" jsonschema:"minimum=1,maximum=100" jsonschema_description:"default 5"`
}

// later are the keys whose words are settled but that do not act yet, by the
// section they belong to.
var later = map[string][]string{
	"":       {"notify"},
	"source": {"decrypt"},
}
