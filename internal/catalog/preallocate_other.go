//go:build !linux

package catalog

import "os"

// preallocate sets the file's size.
func preallocate(f *os.File, size int64) error { return f.Truncate(size) }
