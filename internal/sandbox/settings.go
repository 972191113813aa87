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

// quietOptions is quietSession for PGOPTIONS.
func quietOptions() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(quietSession)) {
		fmt.Fprintf(&b, "-c %s=%s ", name, quietSession[name])
	}
	return strings.TrimSpace(b.String())
}

// machine is what the sandbox may use.
type machine struct {
	memory int64 // bytes
	cores  int
	jobs   int
}

// settings returns the server's command line: for a server that is thrown
// away, is reached by nobody else, and keeps no word of what it loads.
func (m machine) settings(cluster, socketDir string) []string {
	shared := clamp(m.memory/4, 64*mib, 2*gib)
	maintenance := clamp(m.memory/int64(4*m.jobs), 32*mib, 2*gib)
	settings := [][2]string{
		{"cluster_name", cluster},
		{"listen_addresses", ""},
		{"unix_socket_directories", socketDir},
		// The container's user is not the caller; the directories around
		// the socket keep others out.
		{"unix_socket_permissions", "0777"},
		{"max_connections", fmt.Sprint(30 + 4*m.jobs)},
		{"timezone", "UTC"},
		{"lc_messages", "C"},

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
		{"shared_preload_libraries", ""},
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

		// The log tells why a server died, and nothing that a session said.
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
	args := make([]string, 0, 2*len(settings))
	for _, s := range settings {
		args = append(args, "-c", s[0]+"="+s[1])
	}
	return args
}

func clamp(n, low, high int64) int64 { return min(max(n, low), high) }

func kilobytes(n int64) string { return fmt.Sprintf("%dkB", n/1024) }
