package verdict

import "slices"

// Code names what a check looks at or what went wrong, from a fixed list that
// alerts and scripts may rely on.
type Code string

// AboutStore reports whether the code is about the store of backups, or about
// what the newest looks like among them: whether that one restores is another
// question, and what answers it is said first.
func (c Code) AboutStore() bool {
	return slices.Contains([]Code{CodeCadence, CodeMinBackups, CodeMinSize, CodeSizeChange, CodeOldestAtLeast,
		CodeCollapse, CodeOffSite, CodeProtection, CodeCopies, CodeCatalogue}, c)
}

// The codes, by the stage that uses them first.
const (
	// choose
	CodeStoreUnreachable   Code = "store_unreachable"   // error: the store did not answer
	CodeCredentialsMissing Code = "credentials_missing" // error: none were found
	CodeCredentialsRefused Code = "credentials_refused" // error: the store said no
	CodeHostKey            Code = "host_key"            // error: the server is not the one that is known
	CodeProgram            Code = "program"             // error: a foreign program did not do its work
	// fail: nothing matches the declared name; error: something nearly does, and no drill ever passed
	CodeNoBackup Code = "no_backup"
	// fail: something of the newest is missing; error: that may be on its way; warn, skipped: a newer one is not there as
	// a whole, or was deleted
	CodeUnfinished    Code = "unfinished"
	CodeBackupAge     Code = "backup_age"      // warn, fail: the newest is older than declared
	CodeCadence       Code = "cadence"         // warn, fail: too wide a gap between two backups
	CodeMinBackups    Code = "min_backups"     // warn, fail: fewer backups than declared
	CodeMinSize       Code = "min_size"        // warn, fail: the newest is smaller than declared
	CodeOldestAtLeast Code = "oldest_at_least" // warn, fail: the oldest is younger than the retention
	// warn, fail: fewer backups, or bytes, than at the last drill that passed
	CodeCollapse Code = "collapse"
	// warn, fail: the newest's size is not what past ones let expect
	CodeSizeChange Code = "size_change"
	// fail: the store is on production's machine, or on this one; warn: not known
	CodeOffSite    Code = "off_site"
	CodeProtection Code = "protection" // fail: the bucket does not keep what is deleted
	CodeCopies     Code = "copies"     // fail: a copy does not hold the same newest backup
	CodeCatalogue  Code = "catalogue"  // fail: the record of the backups and the store do not agree
	// warn: a past report is damaged; error: the past could not be read
	CodeHistory Code = "history"
	// error: no drill has passed for longer than promised
	CodeProvenWithin Code = "proven_within"
	CodeTimeMismatch Code = "time_mismatch"  // fail: name and header tell different times
	CodeNotAnArchive Code = "not_an_archive" // fail: empty, foreign or garbage
	CodeUnsupported  Code = "unsupported"    // error: a format this harness does not read
	CodeSpec         Code = "spec"           // error: the drill file is wrong

	// fetch
	CodeTruncated        Code = "truncated"         // fail: the archive ends too early
	CodeCorrupt          Code = "corrupt"           // fail: the archive contradicts itself
	CodeChecksum         Code = "checksum"          // fail: the side file says otherwise
	CodeDecrypt          Code = "decrypt"           // error: no key opens it, or nobody can tell whether it is whole
	CodeEncryptionKey    Code = "encryption_key"    // warn: encrypted for another key than the last that passed
	CodeScrubKey         Code = "scrub_key"         // warn: pseudonyms are others than the last that passed made
	CodeMaxRatio         Code = "max_ratio"         // error: it unpacks to more than such a file should
	CodeChangedMeanwhile Code = "changed_meanwhile" // error: the object was replaced while it was read
	// fail: the header names another database; error: one of nearly that name, and no drill ever passed with it
	CodeDatabase Code = "database"
	// warn: a name that contradicts the content, files of another dump, rows that lie open beside encrypted parts
	CodeBackupForm Code = "backup_form"
	CodeDiskSpace  Code = "disk_space" // error: not enough room
	CodeFetch      Code = "fetch"      // error: the download broke off for good

	// sandbox
	CodeSandbox   Code = "sandbox"   // error: it did not start, or died
	CodeIsolation Code = "isolation" // error: less isolation than declared

	// restore
	// fail or warn: errors on stderr; error: the machine, a rule of the scrub, or what the drill leaves out or its
	// sandbox lacks may be why
	CodeRestoreErrors   Code = "restore_errors"
	CodeRestoreWarnings Code = "restore_warnings" // warnings on stderr
	CodeNoSchema        Code = "no_schema"        // fail: rows, and no table to load them into
	CodeRestore         Code = "restore"          // error: the restore could not go on
	// warn, fail: roles that the sandbox lacks, or that the backup gives nothing to
	CodeRoles       Code = "roles"
	CodeExtensions  Code = "extensions"   // error: extensions that the image lacks; fail: that the backup lacks
	CodeLocale      Code = "locale"       // warn: database created with another locale
	CodeRowsHeld    Code = "rows_held"    // fail: rows passed are not the rows held, or there are none at all
	CodeRowsChanged Code = "rows_changed" // warn, fail: tables that are not as they were loaded
	// warn, fail: code of the backup's own that the last drill that passed had not
	CodeCodeRan  Code = "code_ran"
	CodeProvider Code = "provider" // pass: what a provider's servers add to their databases
	CodeUpgrade  Code = "upgrade"  // warn: what is otherwise in the version of restore.into
	CodeLeftOut  Code = "left_out" // warn: entries of the archive that were not restored
	// what was restored one after the other, since the order can be observed
	CodeArchiveOrder   Code = "archive_order"
	CodeOrderDependent Code = "order_dependent" // skipped: restores or not by chance, with several jobs

	// scrub
	CodeUnmatched Code = "unmatched"  // error, or warn in doubt: a column that looks sensitive and has no rule
	CodeNotLoaded Code = "not_loaded" // error: a value that is to be shown was not stored by the load
	// error, or warn in doubt: after the load, a value that looks sensitive or is known to be real
	CodeLeak Code = "leak"
	// error: a rule that meets no column; fail where the rule of a drill that passed met one
	CodeRuleUnmet Code = "rule_unmet"
	// error: a transform that the column would refuse, or that broke what post-data builds
	CodeRuleUnfit    Code = "rule_unfit"
	CodeLargeObjects Code = "large_objects" // error: no decision about large objects
	CodeKeep         Code = "keep"          // error: more kept rows than declared
	CodeDistinct     Code = "distinct"      // error: different values became one, or equal ones several
	CodeScrub        Code = "scrub"         // error: the filter failed

	// expect
	CodeTablePresent   Code = "table_present"
	CodeRowCount       Code = "row_count"
	CodeRowCountChange Code = "row_count_change"
	CodeFreshness      Code = "freshness"
	CodeRecoveryTime   Code = "recovery_time"
	CodeMaxRegression  Code = "max_regression"
	CodeFailedRows     Code = "failed_rows"
	CodeRelationships  Code = "relationships"
	CodeTableChecksum  Code = "table_checksum" // fail: other values than when the same backup was drilled before
	CodeSchema         Code = "schema"         // warn, fail: another structure than the baseline's
	CodeAmcheck        Code = "amcheck"        // fail: a damaged table or index
	CodeCanary         Code = "canary"
	CodeWitness        Code = "witness"
	CodeSettings       Code = "settings"
	CodeUnlistedTables Code = "unlisted_tables"
	CodeSequences      Code = "sequences"
	CodeIndexes        Code = "indexes"
	CodeConstraints    Code = "constraints"
	CodeCollations     Code = "collations"
	// a materialized view that was never filled
	CodeMaterializedViews Code = "materialized_views"
	CodeLatestEvents      Code = "latest_events"   // error: the newest rows could not be shown
	CodeNoExpectations    Code = "no_expectations" // error: nothing was expected, so nothing was shown

	// anywhere
	CodeInterrupted Code = "interrupted" // error: stopped by a signal
	CodeTimeout     Code = "timeout"     // error: the drill's or a check's time ran out
	CodeInternal    Code = "internal"    // error: our bug
)
