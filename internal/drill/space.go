package drill

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// growth is how much larger a database is at the least than its archive:
// compressed rows unpack to three times their size or more, and indexes come
// on top. A disk with less than that has no chance; one with more may still
// fill, which then is an error too.
func growth(compression string) int64 {
	if compression == "none" {
		return 1
	}
	return 3
}

// roomToLoad looks at the sandbox's disk before the first row is loaded.
func (r *run) roomToLoad(ctx context.Context) error {
	free, err := freeSpace(ctx, r.box)
	if err != nil {
		return fmt.Errorf("look at the sandbox's disk: %w", err)
	}
	if need := r.archive.Size * growth(r.archive.DataCompression); free < need {
		return verdict.Errorf(verdict.CodeDiskSpace,
			"make room where the sandbox keeps its data, or drill on a larger machine",
			"load %s: the database needs %d MB or more, and the sandbox's disk has %d MB free", r.backup.Name, need>>20,
			free>>20)
	}
	return nil
}

// freeSpace is what the disk of the data directory has left, in bytes.
func freeSpace(ctx context.Context, box sandbox.Box) (int64, error) {
	conn, err := box.DB().Connect(ctx, "template1")
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var dir string
	if err := conn.QueryRow(ctx, "select current_setting('data_directory')").Scan(&dir); err != nil {
		return 0, err
	}
	var out bytes.Buffer
	if err := box.Run(ctx, sandbox.Command{Args: []string{"df", "-Pk", dir}, Stdout: &out, Beside: true}); err != nil {
		return 0, err
	}
	return parseDF(out.String())
}

// parseDF reads the fourth column of the last line of `df -Pk`, as POSIX has it.
func parseDF(out string) (int64, error) {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	fields := strings.Fields(lines[len(lines)-1])
	if len(lines) < 2 || len(fields) < 6 {
		return 0, fmt.Errorf("df said something unexpected (%d lines)", len(lines))
	}
	kilobytes, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("df said something unexpected: %w", err)
	}
	return kilobytes << 10, nil
}
