package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

// quietSession is what every session is started with. Settings of a database
// or a role, which a backup brings along, override the server's command line
// but not these. None of them lets a statement or a row into the log: one
// would do, and each is there in case that another is once forgotten.
var quietSession = map[string]string{
	"log_statement":               "none",
	"log_min_messages":            "panic",
	"log_min_error_statement":     "panic",
	"log_min_duration_statement":  "-1",
	"log_min_duration_sample":     "-1",
	"log_transaction_sample_rate": "0",
	"log_error_verbosity":         "terse",
	"log_duration":                "off",
	"lc_messages":                 "C",
	"jit":                         "off",
	// A database may name a library here that the sandbox lacks, and then
	// nobody could connect to it.
	"session_preload_libraries": "",
	"local_preload_libraries":   "",
	"application_name":          "daybefore",
}

// steadySession is what would end a session of the drill, or have it write
// nothing, if a database or a role brought another value along; with the major
// version from which a server knows it. pg_restore resets some of them by its
// own first statement, which a time-out of a millisecond need not let through.
var steadySession = []struct {
	name, value string
	since       int
}{
	{"statement_timeout", "0", 0},
	{"lock_timeout", "0", 0},
	{"idle_in_transaction_session_timeout", "0", 0},
	{"idle_session_timeout", "0", 14},
	{"transaction_timeout", "0", 17},
	{"default_transaction_read_only", "off", 0},
	{"default_transaction_isolation", "read committed", 0},
	{"default_transaction_deferrable", "off", 0},
	{"session_replication_role", "origin", 0},
	{"role", "none", 0},
}

// startup is what sessions are started with on a server of this major version;
// 0: one that is not known yet, whose sessions nothing but its command line sets.
func startup(major int) map[string]string {
	params := maps.Clone(quietSession)
	for _, s := range steadySession {
		if major > 0 && major >= s.since {
			params[s.name] = s.value
		}
	}
	return params
}

// asOptions writes settings for PGOPTIONS.
func asOptions(params map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(&b, "-c %s=%s ", name, strings.NewReplacer(`\`, `\\`, " ", `\ `).Replace(params[name]))
	}
	return strings.TrimSpace(b.String())
}

// means are what the sandbox may use.
type means struct {
	memory int64 // bytes
	cores  int
	jobs   int

	preload  []string
	database string
	defaults bool // of PostgreSQL, see Options.Defaults
}

func newMeans(o Options, memory int64, cores int) means {
	return means{memory: memory, cores: cores, jobs: o.Jobs, preload: o.Preload, database: o.Database,
		defaults: o.Defaults}
}

// quietLibraries keep libraries that are preloaded from working by themselves, and
// from refusing the harness's own password. A server without the library takes
// them for settings of nobody.
var quietLibraries = [][2]string{
	{"cron.launch_active_jobs", "off"},
	{"cron.log_run", "off"},
	{"cron.log_statement", "off"},
	{"timescaledb.max_background_workers", "0"},
	{"timescaledb.telemetry_level", "off"},
	{"pg_prewarm.autoprewarm", "off"},
	{"pg_stat_statements.save", "off"},
	{"credcheck.encrypted_password_allowed", "on"},
}

// preloaded returns the settings for libraries that the server loads at its
// start. pg_cron can only be created in the one database that it is told.
func (m means) preloaded() [][2]string {
	settings := [][2]string{{"shared_preload_libraries", strings.Join(m.preload, ",")}}
	if len(m.preload) == 0 {
		return settings
	}
	settings = append(settings, quietLibraries...)
	if m.database != "" {
		settings = append(settings, [2]string{"cron.database_name", m.database})
	}
	return settings
}

// settings returns the server's command line: for a server that is thrown
// away, is reached by nobody else, and keeps no word of what it loads.
func (m means) settings(cluster, socketDir string) []string {
	settings := m.reached(cluster, socketDir)
	if !m.defaults {
		settings = append(settings, m.disposable()...)
	}
	settings = append(settings, quietLog...)
	settings = append(settings, m.preloaded()...)
	args := make([]string, 0, 2*len(settings))
	for _, s := range settings {
		args = append(args, "-c", s[0]+"="+s[1])
	}
	return args
}

// reached is how the drill gets to its server, and nobody else.
func (m means) reached(cluster, socketDir string) [][2]string {
	return [][2]string{
		{"cluster_name", cluster},
		{"listen_addresses", ""},
		{"unix_socket_directories", socketDir},
		// The container's user is not the caller; the directories around
		// the socket keep others out.
		{"unix_socket_permissions", "0777"},
		{"max_connections", fmt.Sprint(30 + 4*m.jobs)},
	}
}

// quietLog tells why a server died, and nothing that a session said.
var quietLog = [][2]string{
	{"lc_messages", "C"},
	{"logging_collector", "off"},
	{"log_destination", "stderr"},
	{"log_line_prefix", "%b: "},
	{"log_min_messages", "log"},
	{"log_min_error_statement", "panic"},
	{"log_min_duration_statement", "-1"},
	{"log_error_verbosity", "terse"},
	{"log_statement", "none"},
	{"log_checkpoints", "off"},
	{"log_timezone", "UTC"},
}

// disposable makes a server fast that is filled once and thrown away.
func (m means) disposable() [][2]string {
	// What a server loads once and reads a few times lies in the system's memory
	// anyway: more of its own costs pages that nothing has touched yet.
	shared := clamp(m.memory/4, 64*mib, 256*mib)
	maintenance := clamp(m.memory/int64(4*m.jobs), 32*mib, 2*gib)
	return [][2]string{
		{"timezone", "UTC"},

		// Nothing outlives the drill.
		{"fsync", "off"},
		{"full_page_writes", "off"},
		{"restart_after_crash", "off"}, // what a session's end took along is not known
		{"synchronous_commit", "off"},
		{"wal_level", "minimal"},
		{"max_wal_senders", "0"},
		{"archive_mode", "off"},
		{"max_wal_size", "64GB"},
		{"min_wal_size", "256MB"},
		{"checkpoint_timeout", "1d"},
		{"autovacuum", "off"},

		// Nothing starts by itself.
		{"max_logical_replication_workers", "0"},

		{"shared_buffers", kilobytes(shared)},
		{"maintenance_work_mem", kilobytes(maintenance)},
		{"work_mem", kilobytes(clamp(m.memory/int64(16*m.jobs), 4*mib, 256*mib))},
		{"random_page_cost", "1.1"}, // what was just loaded lies in memory
		{"max_worker_processes", fmt.Sprint(2 * max(m.cores, m.jobs))},
		{"max_parallel_workers", fmt.Sprint(m.cores)},
		{"max_parallel_maintenance_workers", fmt.Sprint(max(1, m.cores/m.jobs))},
		{"max_parallel_workers_per_gather", fmt.Sprint(max(1, m.cores/2))},
		{"max_locks_per_transaction", "1024"}, // ten thousand tables in one transaction
		{"jit", "off"},
	}
}

func clamp(n, low, high int64) int64 { return min(max(n, low), high) }

func kilobytes(n int64) string { return fmt.Sprintf("%dkB", n/1024) }
