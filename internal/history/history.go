// Package history keeps past reports below a directory, and reads them back:
// <dir>/<drill>/<run>/report.json with its other renderings, and
// <dir>/<drill>/latest.json, a copy of the newest. It judges nothing, and it
// never leaves the directory it is given.
package history

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// ReportFile is what a report is called in the folder of its run.
const ReportFile = "report.json"

const latestFile = "latest.json"

// runTime is how a run's id begins: to the second, in UTC, so that ids sort by
// time.
const runTime = "20060102T150405Z"

// NewRunID names a run that begins now, such as 20261121T031500Z-3f2a91. The tail
// tells runs of one second apart: it is the part of the second in 4096ths, so that
// they sort, and chance.
func NewRunID(now time.Time) string {
	const parts = 1 << 12
	part := now.Nanosecond() * parts / int(time.Second)
	var chance [2]byte
	_, _ = rand.Read(chance[:]) // never fails
	return fmt.Sprintf("%s-%03x%.3s", now.UTC().Format(runTime), part, hex.EncodeToString(chance[:]))
}

// checkName lets a name stand for one folder or file below another, and for
// nothing else.
func checkName(what, name string) error {
	switch {
	case name == "" || strings.HasPrefix(name, "."),
		strings.ContainsAny(name, `/\`), strings.ContainsFunc(name, unicode.IsControl), !filepath.IsLocal(name):
		return fmt.Errorf("%s %q cannot name a folder of reports: use letters, digits, _ and -", what, name)
	}
	return nil
}

// openDrill opens the folder of one drill. Nothing that is reached through it
// lies outside, whatever links stand in it. The error is fs.ErrNotExist where
// no report was ever kept.
func openDrill(dir, drill string) (*os.Root, error) {
	if err := checkName("the drill", drill); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the directory of reports: %w", nothingKept(os.Stat, dir, err))
	}
	defer root.Close()
	sub, err := root.OpenRoot(drill)
	if err != nil {
		return nil, fmt.Errorf("open the reports of %s in %s: %w", drill, dir, nothingKept(root.Stat, drill, err))
	}
	return sub, nil
}

// nothingKept takes a file in the place of a directory for what it is: no
// report can lie there.
func nothingKept(stat func(string) (fs.FileInfo, error), name string, err error) error {
	if info, statErr := stat(name); statErr == nil && !info.IsDir() {
		return fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	}
	return err
}

// makeDrill opens the folder of one drill, and makes it where there is none.
func makeDrill(dir, drill string) (*os.Root, error) {
	if err := checkName("the drill", drill); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := root.Mkdir(drill, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return root.OpenRoot(drill)
}
