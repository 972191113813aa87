package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Drills are those whose names begin with prefix and of which something is kept
// below dir or in the store, sorted. The folder need not be there, and the store
// may be nil. With an error they are those below dir alone.
func Drills(ctx context.Context, dir string, s Store, prefix string) ([]string, error) {
	var all []string
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the directory of reports: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), prefix) && checkName("the drill", e.Name()) == nil {
			all = append(all, e.Name())
		}
	}
	if s == nil {
		return all, nil
	}
	names, err := s.Names(ctx, prefix)
	if err != nil {
		return all, err
	}
	for _, name := range names {
		parts := strings.Split(name, "/")
		if len(parts) == 3 && parts[2] == ReportFile && checkName("the drill", parts[0]) == nil {
			all = append(all, parts[0])
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
