package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// clusterName is the file of a made cluster, which a new sandbox is given
	// or gives.
	clusterName  = "cluster.tar"
	clusterMode  = 0o600 // of one that is kept
	clusterAfter = 30 * 24 * time.Hour
)

// kept is a data directory that initdb made once for a server, as tar packs it.
// A sandbox unpacks it where it would run initdb, which takes ten times as
// long. It is packed before the server of the sandbox that made it starts, so
// that nothing of any backup is in it, and every sandbox sets a password of its
// own in its copy.
type kept struct {
	path  string // empty: nothing is kept
	given bool   // it was there, and the sandbox has it
	log   *slog.Logger
}

// keptCluster finds the one that suits a server, whose identity changes with
// its programs and their settings.
func keptCluster(o Options, identity ...string) kept {
	if o.Clusters == "" {
		return kept{}
	}
	name := sha256.Sum256([]byte(strings.Join(identity, "\x00") + "\x00" + string(startScript)))
	return kept{path: filepath.Join(o.Clusters, hex.EncodeToString(name[:16])+".tar"), log: o.Log}
}

// hand gives the sandbox the kept cluster under to, if there is one, and an
// empty file under from for the one that it makes otherwise.
func (k *kept) hand(to, from string) error {
	if k.path == "" {
		return nil
	}
	if err := copyOver(to, k.path, 0o644); err == nil {
		k.given = true
		now := time.Now()
		_ = os.Chtimes(k.path, now, now) // it is of use; at worst it is made again
	} else if !errors.Is(err, os.ErrNotExist) {
		k.log.Debug("a cluster that was made earlier is of no use", "err", err)
		_ = os.Remove(to)
	}
	return makeFile(from, nil, 0o666)
}

// take keeps the cluster that the sandbox made, if it made one. It is called
// when the server has answered, and nothing else has run inside. What keeps it
// from being kept is not worth a drill.
func (k *kept) take(from string) {
	if k.path == "" {
		return
	}
	defer os.Remove(from)
	if info, err := os.Lstat(from); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return
	}
	if err := k.keep(from); err != nil {
		k.log.Debug("a cluster is not kept for later sandboxes", "err", err)
	}
}

func (k *kept) keep(from string) error {
	dir := filepath.Dir(k.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	fresh := filepath.Join(dir, ".new-"+randomHex(8))
	defer os.Remove(fresh)
	if err := copyOver(fresh, from, clusterMode); err != nil {
		return err
	}
	if err := os.Rename(fresh, k.path); err != nil {
		return err
	}
	return removeUnused(dir, time.Now().Add(-clusterAfter))
}

// drop forgets the kept cluster from which a server did not start: it may be
// damaged, and the next sandbox makes it anew.
func (k *kept) drop() {
	if k.given {
		os.Remove(k.path)
	}
}

// removeUnused removes the clusters of servers that are not used any more, and
// what was begun and not ended.
func removeUnused(dir string, before time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, gone := e.Info()
		if gone == nil && info.Mode().IsRegular() && info.ModTime().Before(before) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// copyOver copies a file, and follows no link.
func copyOver(to, from string, mode os.FileMode) (err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return os.Chmod(to, mode) // whatever the umask
}
