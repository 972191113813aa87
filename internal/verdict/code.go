package verdict

// Code names what a check looks at or what went wrong, from a fixed list that
// alerts and scripts may rely on.
type Code string

// The codes, by the stage that uses them first.
const (
	// choose
	CodeStoreUnreachable   Code = "store_unreachable"   // error: the store did not answer
	CodeCredentialsMissing Code = "credentials_missing" // error: none were found
	CodeCredentialsRefused Code = "credentials_refused" // error: the store said no
	CodeNoBackup           Code = "no_backup"           // fail: nothing matches the declared name
	CodeBackupAge          Code = "backup_age"          // warn, fail: the newest is older than declared
	CodeTimeMismatch       Code = "time_mismatch"       // fail: name and header tell different times
	CodeNotAnArchive       Code = "not_an_archive"      // fail: empty, foreign or garbage
	CodeUnsupported        Code = "unsupported"         // error: a format this harness does not read
	CodeSpec               Code = "spec"                // error: the drill file is wrong

	// fetch
	CodeTruncated        Code = "truncated"         // fail: the archive ends too early
	CodeCorrupt          Code = "corrupt"           // fail: the archive contradicts itself
	CodeChecksum         Code = "checksum"          // fail: the side file says otherwise
	CodeChangedMeanwhile Code = "changed_meanwhile" // error: the object was replaced while it was read
	CodeDatabase         Code = "database"          // fail: the header names another database
	CodeDiskSpace        Code = "disk_space"        // error: not enough room
	CodeFetch            Code = "fetch"             // error: the download broke off for good

	// sandbox
	CodeSandbox   Code = "sandbox"   // error: it did not start, or died
	CodeIsolation Code = "isolation" // error: less isolation than declared

	// restore
	CodeRestoreErrors   Code = "restore_errors"   // fail or warn: errors on stderr; error: the machine gave out
	CodeRestoreWarnings Code = "restore_warnings" // warnings on stderr
	CodeNoSchema        Code = "no_schema"        // fail: rows, and no table to load them into
	CodeRestore         Code = "restore"          // error: the restore could not go on
	CodeRoles           Code = "roles"            // warn, fail: roles that the sandbox lacks
	CodeExtensions      Code = "extensions"       // error: extensions that the image lacks
	CodeLocale          Code = "locale"           // warn: database created with another locale
	CodeRowsHeld        Code = "rows_held"        // fail: rows passed are not the rows held, or there are none at all
	CodeLeftOut         Code = "left_out"         // warn: entries of the archive that were not restored

	// scrub
	CodeUnmatched    Code = "unmatched"     // error: a column that looks sensitive and has no rule
	CodeLeak         Code = "leak"          // error: after the load, a value that looks sensitive or is known to be real
	CodeRuleUnmet    Code = "rule_unmet"    // error: a rule that meets no column
	CodeRuleUnfit    Code = "rule_unfit"    // error: a transform that the column would refuse
	CodeLargeObjects Code = "large_objects" // error: no decision about large objects
	CodeKeep         Code = "keep"          // error: more kept rows than declared
	CodeScrub        Code = "scrub"         // error: the filter failed

	// expect
	CodeTablePresent   Code = "table_present"
	CodeRowCount       Code = "row_count"
	CodeFreshness      Code = "freshness"
	CodeFailedRows     Code = "failed_rows"
	CodeLatestEvents   Code = "latest_events"   // error: the newest rows could not be shown
	CodeNoExpectations Code = "no_expectations" // error: nothing was expected, so nothing was shown

	// anywhere
	CodeInterrupted Code = "interrupted" // error: stopped by a signal
	CodeTimeout     Code = "timeout"     // error: the drill's or a check's time ran out
	CodeInternal    Code = "internal"    // error: our bug
)
