package bench

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/sandbox"
)

// Dump describes the archive that every way restores.
type Dump struct {
	Scale         string           `json:"scale"`
	Recipe        string           `json:"recipe"` // hash of what made the database
	Kind          string           `json:"kind"`   // of sandbox
	Image         string           `json:"image,omitempty"`
	ServerVersion string           `json:"server_version"`
	Compression   string           `json:"compression"`
	DatabaseBytes int64            `json:"database_bytes"`
	ArchiveBytes  int64            `json:"archive_bytes"`
	SHA256        string           `json:"sha256"`
	Rows          map[string]int64 `json:"rows"`
	Columns       int              `json:"columns"`
	Scrubbed      int              `json:"scrubbed_columns"`
}

// dumped is a Dump that lies in the cache.
type dumped struct {
	Dump
	archive string
}

const (
	databaseName    = "bench"
	maintenance     = "template1" // a cluster that is kept has no other
	archiveName     = "bench.dump"
	fingerprintName = "fingerprint.json"
	generateTime    = 6 * time.Hour
)

// dump returns the dump of a database, from the cache if it is the very same,
// else made anew. A server is started either way: it tells which kind and
// version the ways will have, and leaves the cluster that drills unpack, so that
// the first of them does not make it.
func (o Options) dump(ctx context.Context, r recipe) (_ *dumped, err error) {
	w, err := sandbox.NewWorkdirIn(o.tmp)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	box, err := sandbox.Start(ctx, sandbox.Options{
		Kind: o.Kind, Jobs: runtime.NumCPU(), Deadline: time.Now().Add(generateTime), Work: w, Drill: "bench",
		Log: o.Log, Clusters: clusters(o.Cache)})
	if err != nil {
		return nil, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		err = errors.Join(err, box.Close(ctx))
	}()
	info := box.Info()
	want := Dump{Scale: r.scale, Kind: info.Kind, Image: info.Image, ServerVersion: info.ServerVersion,
		Recipe:  hash(r.text),
		Columns: r.columns, Scrubbed: r.scrubbed}
	dir := filepath.Join(o.Cache, r.scale+"-"+info.ServerVersion)
	if d, err := cached(dir, want); err == nil {
		return d, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(o.Stderr, "making the database anew: %v\n", err)
	}
	return o.generate(ctx, w, box, dir, r, want)
}

// clusters is where clusters are kept that were made once, beside the dumps.
func clusters(cache string) string { return filepath.Join(cache, "clusters") }

// cached returns the dump in dir if it is what is wanted, to the last byte.
// Reading all of it also brings it into memory, so that no way of the first
// round waits for the disk.
func cached(dir string, want Dump) (*dumped, error) {
	text, err := os.ReadFile(filepath.Join(dir, fingerprintName))
	if err != nil {
		return nil, err
	}
	d := dumped{archive: filepath.Join(dir, archiveName)}
	if err := json.Unmarshal(text, &d.Dump); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, fingerprintName), err)
	}
	if d.Recipe != want.Recipe || d.ServerVersion != want.ServerVersion || d.Scale != want.Scale {
		return nil, fmt.Errorf("the dump in %s was made by another version", dir)
	}
	sum, err := hashFile(d.archive)
	if err != nil {
		return nil, err
	}
	if sum != d.SHA256 {
		return nil, fmt.Errorf("%s is not what was written there", d.archive)
	}
	d.Kind, d.Image, d.Columns, d.Scrubbed = want.Kind, want.Image, want.Columns, want.Scrubbed
	return &d, nil
}

// generate makes the database in box and leaves its dump in dir. Until it is
// whole everything lies in the work directory, which is swept if this process
// is killed.
func (o Options) generate(ctx context.Context, w *sandbox.Workdir, box sandbox.Box, dir string, r recipe,
	d Dump) (*dumped, error) {
	fmt.Fprintf(o.Stderr, "making the database %s: once, then its dump is kept in %s\n", r.scale, o.Cache)
	if err := fillDatabase(ctx, box, r, &d); err != nil {
		return nil, err
	}
	fmt.Fprintf(o.Stderr, "dumping %s\n", inGiB(d.DatabaseBytes))
	spooled := filepath.Join(w.Spool(), archiveName)
	if err := takeDump(ctx, box, spooled, &d); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	out := &dumped{Dump: d, archive: filepath.Join(dir, archiveName)}
	if err := os.RemoveAll(filepath.Join(dir, fingerprintName)); err != nil {
		return nil, err
	}
	if err := move(spooled, out.archive); err != nil {
		return nil, err
	}
	return out, writeJSON(filepath.Join(dir, fingerprintName), d)
}

func fillDatabase(ctx context.Context, box sandbox.Box, r recipe, d *Dump) error {
	if err := execute(ctx, box, maintenance, 1, createDatabase); err != nil {
		return err
	}
	d.Rows = r.rows
	for _, step := range r.steps {
		if err := execute(ctx, box, databaseName, step.jobs, step.statements...); err != nil {
			return err
		}
	}
	conn, err := box.DB().Connect(ctx, databaseName)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return conn.QueryRow(ctx, "select pg_database_size(current_database())").Scan(&d.DatabaseBytes)
}

const createDatabase = "create database " + databaseName + " template template0 encoding 'UTF8' locale 'C'"

// execute runs statements over several connections, each as soon as one is free.
func execute(ctx context.Context, box sandbox.Box, database string, jobs int, statements ...string) error {
	work, ctx := errgroup.WithContext(ctx)
	next := make(chan string, len(statements))
	for _, s := range statements {
		next <- s
	}
	close(next)
	for range min(jobs, len(statements)) {
		work.Go(func() error {
			conn, err := box.DB().ConnectUnder(ctx, database)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for s := range next {
				if _, err := conn.PgConn().Exec(ctx, s).ReadAll(); err != nil {
					return fmt.Errorf("%.60s …: %w", s, err)
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// takeDump writes a custom archive: to a file in the sandbox first, so that it
// holds offsets.
func takeDump(ctx context.Context, box sandbox.Box, to string, d *Dump) error {
	d.Compression = "zstd"
	if major(d.ServerVersion) < 16 {
		d.Compression = "gzip"
	}
	dump := []string{"pg_dump", "-Fc", "-d", databaseName}
	if d.Compression == "zstd" {
		dump = append(dump, "--compress=zstd")
	}
	var said []string
	hear := func(line string) { said = append(said, line) }
	err := box.Run(ctx, sandbox.Command{Args: append(dump, "-f", archiveName), Stderr: hear})
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.Join(said, "; "))
	}
	stream, err := box.Stream(ctx, sandbox.Command{Args: []string{"cat", archiveName}, Stderr: hear})
	if err != nil {
		return err
	}
	defer stream.Close()
	// Everybody may read it, since the sandbox's account must.
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	sum := sha256.New()
	d.ArchiveBytes, err = io.Copy(io.MultiWriter(f, sum), stream)
	d.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return errors.Join(err, stream.Wait(), f.Close())
}

// move renames a file, also to another file system.
func move(from, to string) error {
	err := os.Rename(from, to)
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	if err := copyFile(from, to+".part"); err != nil {
		return errors.Join(err, os.Remove(to+".part"))
	}
	return os.Rename(to+".part", to)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// writeJSON writes a file at once or not at all.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	part := path + ".part"
	if err := os.WriteFile(part, append(text, '\n'), 0o644); err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	return os.Rename(part, path)
}

// major is the first number of a version; 0 where there is none.
func major(version string) int {
	digits, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(cmp.Or(digits, "0"))
	return n
}
