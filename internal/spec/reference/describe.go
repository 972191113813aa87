// Package reference says what each key of a drill file is for: in the JSON
// Schema that editors read, and in the page of docs that is made from it. It
// describes the keys that spec has; it never reads a drill file, and never
// decides what one may say.
package reference

import (
	"reflect"
	"strings"
)

// described says what each key of a drill file is for: by the shape that holds
// it and the shape's field. The JSON Schema and the docs have their texts here.
var described = map[string]map[string]string{
	"rawDrill": {
		"Version":      "version of the drill file's format",
		"Timeout":      "limit for the whole drill; beyond it: error (default 45m)",
		"Source":       "where the backups are and how they are named",
		"Inventory":    "what the off-site store itself must show",
		"Sandbox":      "where to restore",
		"Restore":      "how to restore",
		"Scrub":        "what is rewritten on the way in, and what may pass",
		"Expectations": "what the restored database must show",
		"LatestEvents": "newest rows shown in the report: scrubbed and preserved columns as " +
			"text, all others as fingerprints",
		"History": "where past reports are kept besides reports/, and the key that signs them; a URL alone is url",
		"Reports": "how many past runs stay below reports/",
		"Metrics": "where the drill's numbers go, for Prometheus",
		"Sign":    "what makes each report evidence that others can verify",
		"Runbook": "where RECOVERY.md, the plan for a restore by hand, goes besides reports/",
		"Notify":  "who is told of a drill of the newest backup",
		"ProvenWithin": "how long ago the last drill that passed may be: beyond it inventory ends with an error, and the page " +
			"of all drills is red; gate's -within where none is given",
		"Databases": "one drill of each: their names, or a pattern over what the store holds; {database} stands for the " +
			"name in the other keys",
	},
	"rawDatabases": {
		"Pattern": "a backup's name with {database} in it, which matches anything but a slash; source.name, where that is " +
			"not written",
		"Except": "databases that are not drilled, and are not missed where the store no longer holds them",
	},
	"rawNotify": {
		"HeartbeatEnv": "environment variable with the URL that a monitor of jobs wants to be pinged at, such as " +
			"Healthchecks.io's",
		"HeartbeatStyle": "what the monitor understands: start, success and failure in the words of Healthchecks.io, or a " +
			"GET of the URL after a pass (default healthchecks)",
		"When": "what channels are told of, on change only: findings that fail, that are errors or warnings, the pass after " +
			"them; every tells each drill too (default fail, error, recovered)",
		"Channels": "who is told, each by one way",
		"Insecure": "allow http:// to other machines, where anybody on the way reads the secret URL and what is told",
	},
	"rawChannel": {
		"PagerDutyEnv": "environment variable with the integration key of PagerDuty's Events API v2",
		"PagerDutyURL": "server of that API (default https://events.pagerduty.com; in Europe " +
			"https://events.eu.pagerduty.com)",
		"Alertmanager":    "URL of a Prometheus Alertmanager",
		"AlertmanagerEnv": "environment variable with the same, where the URL holds a password",
		"SlackEnv":        "environment variable with the URL of an incoming webhook of Slack",
		"TeamsEnv":        "environment variable with the URL of a workflow of Teams that takes webhook requests",
		"DiscordEnv":      "environment variable with the URL of a webhook of Discord",
		"NtfyEnv":         "environment variable with the URL of a topic of ntfy: https://ntfy.sh/topic, or with https://:token@ before the host",
		"Email":           "addresses that get an e-mail",
		"SMTPEnv": "environment variable with the server of e-mails: smtp://user:password@host:587 (encrypted by " +
			"STARTTLS) or smtps://user:password@host:465",
		"From":       "address that e-mails come from (default the user of the server, where that is an address)",
		"WebhookEnv": "environment variable with a URL that gets report.json with one more key, news, by POST",
		"Command":    "program that gets the same on standard input, and its arguments; {drill} stands for the drill's name",
		"Env":        "names of environment variables that the program gets",
		"When":       "as notify.when, for this channel",
	},
	"rawReports": {
		"Keep": "number of runs that are kept; the last 30 that passed, and what is newer, stay in any case " +
			"(default all)",
	},
	"rawMetrics": {
		"Textfile": "folder that a node exporter reads (--collector.textfile.directory): daybefore_NAME.prom is written there",
		"PushgatewayEnv": "environment variable with the URL of a Pushgateway that gets the same, such as " +
			"https://user:password@push.example.com",
	},
	"rawSign": {
		"KeyEnv": "environment variable with the ed25519 private key, as openssl genpkey -algorithm ed25519 writes it",
		"Controls": "what the drill is evidence of, such as ISO 27001 A.8.13: one table of the page of all drills, and in " +
			"each signed statement",
	},
	"rawRunbook": {
		"CopyTo": "file:///dir/ or s3://bucket/prefix/, reached as source is; the file there is <drill>/RECOVERY.md, and is " +
			"replaced after each passing drill of the newest backup",
	},
	"rawHistory": {
		"URL": "file:///dir/ or s3://bucket/prefix/, reached as source is",
		"KeyEnv": "environment variable with the key that signs reports, 32 bytes or more; several, separated by " +
			"commas: the first signs, any of them verifies",
	},
	"rawSource": {
		"URL": "where the backups lie: file:///dir/, file:dir/ (relative to the drill file), s3://bucket/prefix/, " +
			"gs://bucket/prefix/, sftp://user@host/dir/, https://host/dir/ (a page that lists its files) or " +
			"https://host/file (one file)",
		"URLEnv": "https: environment variable with the URL of one file, such as a presigned one; instead of url",
		"Exec":   "program that lists and fetches the backups; instead of url",
		"Listing": "https: file below url that lists the backups: names, lines of name size time, or JSON " +
			"(default the server's own page)",
		"TokenEnv":         "https: environment variable with a bearer token",
		"User":             "https: user of basic authentication",
		"PasswordEnv":      "https and sftp: environment variable with the password",
		"KeyFile":          "sftp: private key (default the agent, ~/.ssh/config and ~/.ssh/id_*)",
		"KeyPassphraseEnv": "sftp: environment variable with the private key's passphrase",
		"KnownHosts": "sftp: file with the server's public keys (default ~/.ssh/known_hosts and " +
			"/etc/ssh/ssh_known_hosts)",
		"Insecure":  "https: allow http:// to another machine, where anybody on the way reads and changes what passes",
		"Region":    "s3: the bucket's region",
		"Endpoint":  "s3 and gs: URL of a server other than AWS's or Google's",
		"PathStyle": "s3: the bucket's name is in the path",
		"Anonymous": "s3 and gs: send no credentials",
		"Name": "pattern of a backup's name below url: {time} at most once, * matches anything but a slash; of a directory " +
			"archive the folder's",
		"Parts": "instead of name: patterns of the files and folders that are one backup, in the order of their restore; " +
			"each holds {time}, and those of one time belong together",
		"Time": "how {time} is written, as Go's reference time 2006-01-02 15:04:05; without an " +
			"hour it means the whole day",
		"Timezone": "zone of {time} and of an archive's header, where they name none",
		"TimeTolerance": "how far the name's time and the header's may differ, beyond the day or hour that the name " +
			"tells (default 6h; 26h without timezone; 1h and 14h where {time} tells a day)",
		"Database": "database that the archive's header must name",
		"Checksum": "whether a sum must be beside each backup (.sha256, SHA256SUMS and their like), or is compared where " +
			"there is one (default if_present)",
		"Links":    "links in a folder that lead out of it; for every folder that the drill reads (default refuse)",
		"MaxRatio": "how many times its size a compressed backup may unpack to; beyond it: error (default 200)",
		"Decrypt":  "what opens encrypted backups: keys of age and OpenPGP, or a command",
	},
	"rawDecrypt": {
		"AgeIdentityEnv":  "environment variable with age identities, one a line, or an SSH private key",
		"AgeIdentityFile": "file with the same, relative to the drill file; not readable by others",
		"AgePassphraseEnv": "environment variable with the passphrase of backups encrypted by age -p; opening one takes " +
			"256 MiB of memory or more",
		"OpenPGPKeyEnv":  "environment variable with an OpenPGP private key, as gpg --armor --export-secret-keys writes it",
		"OpenPGPKeyFile": "file with the same, armored or not, relative to the drill file; not readable by others",
		"OpenPGPPassphraseEnv": "environment variable with the private key's passphrase, or that of backups encrypted by " +
			"gpg --symmetric",
		"Command": "program and arguments that decrypt each backup from standard input to standard output and end with " +
			"status 0 only if all was well; nothing goes through a shell",
		"Env": "environment variables that the command gets, besides PATH, HOME and the like",
	},
	"rawExec": {
		"Preset":     "program whose words are known, instead of list and fetch",
		"Repository": "preset: the repository; rclone: the remote, such as azure:container/dir",
		"File":       "restic and borg: the backup's path in a snapshot; a folder is fetched as a tar by restic",
		"Args":       "preset: further options of the program",
		"List": "program and arguments that write the backups' names: a name a line, name size time, or JSON; " +
			"nothing goes through a shell",
		"Fetch": "program and arguments that write the backup {name} to standard output",
		"Env":   "environment variables that the program gets, besides PATH, HOME and the like",
	},
	"rawInventory": {
		"BackupAge":     "how old the newest backup may be",
		"Cadence":       "widest gap between two backups of the retention",
		"MinBackups":    "fewest backups; a number alone is fail_below",
		"MinSize":       "smallest size of the newest backup, such as 10MiB; a size alone is fail_below",
		"OldestAtLeast": "the retention: how old the oldest backup is at least; a duration alone is fail_below",
		"Collapse":      "loss of backups, or of bytes in all, since the last drill that passed",
		"SizeChange":    "how far the newest backup's size may differ from those of past drills that passed",
		"OffSite":       "the store is on none of production's machines, nor on this one",
		"Protection":    "s3: what the bucket must have, asked of the bucket itself",
		"Copies":        "other stores that hold the same newest backup; a URL alone is url",
		"Catalogue":     "outside record of the backups: the store holds those that it names, and no others",
	},
	"rawCatalogue": {
		"URL": "one file of JSON lines or CSV, a record for each backup, plain or under gzip or zstd; a " +
			"bucket is reached as source is",
		"Name":     "field with a backup's name, with or without its folder",
		"At":       "field with the time when it was taken",
		"Timezone": "zone of times that name none",
		"Unit":     "times are numbers since 1970 in this unit",
		"Lag":      "younger backups need not be in both yet (default 0s)",
	},
	"rawOffSite": {
		"ProductionHosts": "names or addresses of production's machines",
	},
	"rawCopy": {
		"URL":       "file:///dir/ or s3://bucket/prefix/",
		"Region":    "s3: default as under source",
		"Endpoint":  "s3: default as under source",
		"PathStyle": "s3: default as under source",
		"Anonymous": "s3: default as under source",
		"Profile":   "s3: profile of the shared AWS configuration with keys of its own",
		"Lag":       "how much later a backup may arrive there (default 0s)",
	},
	"rawLeast": {
		"WarnBelow": "less: warn",
		"FailBelow": "less: fail",
	},
	"rawCadence": {
		"Every":     "how often a backup is taken",
		"Tolerance": "how much later one may be (default a tenth of every)",
		"Severity":  "what a wider gap leads to (default fail)",
	},
	"rawCollapse": {
		"WarnPercent": "a greater loss: warn",
		"FailPercent": "a greater loss: fail",
	},
	"rawAge": {
		"WarnAfter": "longer: warn",
		"FailAfter": "longer: fail",
	},
	"rawSandbox": {
		"Kind": "auto: a container where Docker answers, else a throw-away cluster of the " +
			"installed server (default auto)",
		"Image":  "container image (default postgres:<major>, by the archive's header)",
		"Memory": "memory limit, such as 4GiB (default sized to the machine)",
		"Disk": "how far the sandbox's disk may fill while the drill runs, such as 200GiB; beyond it: error " +
			"(default all but a reserve)",
		"Isolation": "the least isolation that will do; less: error (default enclosed)",
		"Preload": "libraries that the server loads at its start (shared_preload_libraries), such as " +
			"pg_stat_statements; their jobs do not run",
	},
	"rawRestore": {
		"Jobs": "number of workers; auto is one a core (default auto)",
		"Roles": "roles that the archive names beyond expectations.roles: create them with a " +
			"warning, or fail (default create)",
		"Extensions": "extensions that the image lacks: error, or leave them out with what only " +
			"they make (default require)",
		"Into": "major version to restore into, such as 18: an upgrade rehearsal (default the backup's own)",
	},
	"rawScrub": {
		"KeyEnv": "environment variable with the key, 32 bytes or more (default a random key for each run)",
		"Unmatched": "a column without a rule that looks sensitive by name or type: end the drill, or rewrite " +
			"it (default refuse); a value whose content looks sensitive ends the load in any case",
		"Locale": "country whose names, streets and cities made-up values use, where a " +
			"rule names none (default en_US)",
		"ExcludeTableData": "tables whose rows are never loaded: schema.table, with * in unquoted parts",
		"LargeObjects":     "required where the archive has large objects",
		"Drop":             "what would call home and is left out of the restore (default all of it)",
		"Keep":             "rows that stay as they are",
		"Rules":            "what happens to the values of which columns; of two rules for a column the narrower one counts",
		"LeakScan":         "what is looked for in values without a rule (default everything in all of them)",
	},
	"rawLeakScan": {
		"Detectors": "detectors to run (default all)",
		"Allow":     "regular expressions (RE2): what one of them matches is no finding",
		"SourceOverlap": "number of real values of each scrubbed column that are looked for in all other " +
			"columns after the load (default 0)",
		"Sample": "share of the rows to scan, such as 10% (default full)",
	},
	"rawKeep": {
		"Table":   "schema.table",
		"Match":   "column: pattern with *; all must match",
		"MaxRows": "most rows that may match; beyond it: error",
		"Set":     "column: value, written into the kept rows",
		"Why":     "the reason why real rows may pass, for the report",
	},
	"rawRule": {
		"Column": "schema.table.column, with * in unquoted parts",
		"Type":   "only columns of this type or domain, or arrays of it, such as inet, citext or public.email_address",
		"Each":   "arrays: rewrite element by element",
		"JSON": "json and jsonb: what happens to which values of a document; of two paths " +
			"for a value the first counts",
		"UnmatchedPaths": "json: values that no path names (default redact, also without json; keep needs a why)",
		"Fields":         "composite types: what happens to which field",
		"Recompute":      "SQL over the row's columns: the column is loaded empty and computed after the load",
	},
	"rawField": {
		"Field": "field of the composite type; home.street is one within another",
	},
	"rawChange": {
		"Transform": "how the value is rewritten",
		"Preserve":  "let the value pass; needs a why",
		"Why":       "with preserve or unmatched_paths: keep: the reason why real values may pass",
		"Link":      "equal inputs under one link give equal outputs",
		"Normalize": "applied before hashing, so that values that differ only so become equal: by outer blanks, " +
			"by case, by composed and decomposed accents",
		"Locale":  "country of the words (default the section's)",
		"Value":   "constant: the value; template: text with {transform} in it",
		"Values":  "what is made of a value is one of these",
		"Percent": "noise of at most this many percent (default 10)",
		"Bucket":  "round toward zero to a multiple of this, instead of noise",
		"Meters":  "at least this many meters away, and at most twice as many (default 5000)",
		"Days":    "at most this many days either way (default 180)",
		"By":      "column of the same row, such as user_id; rows with one value of it move by the same days",
		"To":      "precision that is left",
		"Pattern": "a regular expression (RE2); a value that it does not match is rewritten as by text",
		"With":    "the replacement, with ${1} for the first group",
	},
	"rawPath": {
		"Path": "$.a, $.a[*].b, $..b, $.\"a key\", $.*",
		"Keys": "the rule is for the keys of the objects at the path, not for values: but " +
			"for keys that other paths name",
	},
	"rawExpectations": {
		"AsOf": "what ages are judged against: backup, now, or a time such as " +
			"2026-11-21T03:15:00Z (default backup)",
		"Restore": "errors and warnings that the restore may report",
		"Roles": "roles that the new server has before a restore, and to which the backup " +
			"grants or assigns something",
		"Tables":            "what each table must show",
		"FailedRows":        "queries whose rows are counted",
		"Witness":           "outside records (JSON lines or CSV) of what must be in the database",
		"Timeout":           "limit for each check (default 5m)",
		"Recovery":          "how long fetching and restoring may take: what was promised",
		"Extensions":        "extensions that the backup must create",
		"Settings":          "settings that the database must bring (ALTER DATABASE … SET), such as {timezone: UTC}",
		"UnlistedTables":    "tables that are neither under tables nor under scrub.exclude_table_data (default ignore)",
		"Sequences":         "no sequence's next number is already in its column",
		"Indexes":           "every index is valid",
		"Constraints":       "no constraint is NOT VALID",
		"MaterializedViews": "every materialized view is populated",
		"Collations":        "collation versions noted in the database are this machine's",
		"Schema":            "tables, columns, indexes, functions and more, compared with a baseline file",
		"CodeRan":           "the backup's own code that a restore runs",
		"Amcheck":           "restored files, checked page by page by PostgreSQL's amcheck",
		"Canary":            "a planted value that tells this database from all others; it is never printed",
		"Severity":          "what failing one of these checks leads to (default fail)",
	},
	"rawSeverity": {
		"Roles":             "of expectations.roles",
		"Extensions":        "of expectations.extensions",
		"Settings":          "of expectations.settings",
		"Sequences":         "of expectations.sequences",
		"Indexes":           "of expectations.indexes",
		"Constraints":       "of expectations.constraints",
		"MaterializedViews": "of expectations.materialized_views",
		"Collations":        "of expectations.collations",
	},
	"rawRestoreExpect": {
		"Errors":   "errors allowed (default 0)",
		"Warnings": "what a warning leads to (default warn)",
	},
	"rawTable": {
		"Table":          "schema.table; its presence is always checked",
		"RowCount":       "how many rows it holds",
		"Freshness":      "how old its newest row may be",
		"RowCountChange": "how far the number of rows may differ from past drills that passed",
		"MaxRegression":  "the newest time or the greatest id must not fall behind the last drill that passed",
		"Relationships":  "values of a column that must be in another table's: orphans are counted",
		"Checksum": "columns that must hold what they held in the last drill of the same backup, or " +
			"what an outside record says",
		"Rebuildable": "the table may be missing or empty, since it can be rebuilt",
	},
	"rawRelationship": {
		"Column":     "referencing column; nulls refer to nothing",
		"References": "referenced column: schema.table.column",
		"WarnIf":     "condition on the number of orphans, such as \"> 0\"",
		"FailIf":     "condition, such as \"> 10\" (default \"> 0\", where there is no warn_if)",
	},
	"rawChecksum": {
		"Columns": "columns, each preserved with a why",
		"Witness": "outside record of the sums, compared with instead of past drills",
	},
	"rawSumFile": {
		"URL": "one file of JSON lines or CSV, a record for each backup, plain or under gzip or zstd; a " +
			"bucket is reached as source is",
		"Sum":       "field with this table's sum",
		"At":        "field with the backup's time",
		"Timezone":  "zone of times that name none",
		"Unit":      "times are numbers since 1970 in this unit",
		"Tolerance": "how far a record's time may be from the backup's (default 0s)",
	},
	"rawSchema": {
		"Baseline":  "file that the target baseline writes; its path is relative to the folder that holds drills/",
		"OnAdded":   "what something new leads to (default warn)",
		"OnRemoved": "what something missing leads to (default fail)",
		"OnChanged": "what something changed leads to (default fail)",
	},
	"rawCodeRan": {
		"OnNew": "functions that indexes, constraints, views, triggers and the like call, new or changed since the " +
			"last drill that passed (without code_ran: ignore, and listed)",
	},
	"rawAmcheck": {
		"Heap":    "tables and materialized views (verify_heapam; not in PostgreSQL 13)",
		"Indexes": "B-tree indexes (bt_index_check)",
		"Depth":   "rows: also TOAST values, and that each row is in each index; structure: pages alone (default rows)",
	},
	"rawCanary": {
		"SQL":       "query that gives one value",
		"EqualsEnv": "environment variable with the value, compared to the byte",
	},
	"rawDrift": {
		"Against":     "drills that passed: last, or the median of the newest, such as median(7) (default last)",
		"Direction":   "direction of the change that counts (default any)",
		"WarnPercent": "a greater change: warn",
		"FailPercent": "a greater change: fail",
		"MinHistory":  "skipped until this many drills have passed (default 1)",
	},
	"rawRegression": {
		"Column":    "column with a time, or with an integer that is preserved with a why",
		"Tolerance": "how far it may fall back: 90s or 6h for a time, 100 for an integer (default not at all)",
	},
	"rawRowCount": {
		"Min":      "fewest rows",
		"Max":      "most rows",
		"Between":  "[fewest, most]",
		"Equals":   "exact number of rows",
		"Severity": "what another number leads to (default fail)",
	},
	"rawFreshness": {
		"Column":    "column with the time of a row",
		"Timezone":  "zone of the column; required for a timestamp without time zone and a date",
		"Unit":      "the column is a number since 1970 in this unit",
		"WarnAfter": "older: warn",
		"FailAfter": "older: fail",
		"MaxFuture": "a newest row later than this: fail (default 5m)",
		"Where":     "SQL condition on the rows",
	},
	"rawFailedRows": {
		"Name":    "name of the check",
		"SQL":     "query, run read-only",
		"WarnIf":  "condition on the number of rows, such as \"> 0\"",
		"FailIf":  "condition, such as \"> 10\"",
		"Timeout": "limit for this check (default expectations.timeout)",
	},
	"rawWitness": {
		"Name":      "name of the check",
		"URL":       "one file of JSON lines or CSV, plain or under gzip or zstd; a bucket is reached as source is",
		"Table":     "schema.table that must hold the records",
		"Key":       "column: field of the record",
		"At":        "field with the time; records up to the backup's time are expected",
		"Timezone":  "zone of times that name none",
		"Unit":      "times are numbers since 1970 in this unit",
		"Tolerance": "records of this last stretch before the backup are not expected (default 0s)",
		"WarnIf":    "condition on the number of missing records, such as \"> 0\"",
		"FailIf":    "condition (default \"> 0\", where there is no warn_if)",
		"Timeout":   "limit for this check (default expectations.timeout)",
	},
	"rawLatest": {
		"Table":   "schema.table",
		"OrderBy": "column that tells which rows are newest",
		"Columns": "columns to show",
		"Limit":   "number of rows (default 5)",
	},
}

// describe finds the text of a shape's field. All instances of a generic shape
// have one text.
func describe(shape reflect.Type, field string) string {
	name, _, _ := strings.Cut(shape.Name(), "[")
	return described[name][field]
}
