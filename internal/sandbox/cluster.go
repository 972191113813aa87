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
	clusterName = "cluster.tar"
	clusterMode = 0o600 // of one that is kept
	// sealEnding is that of the file beside a kept cluster that holds its sum and
	// the password that it begins with.
	sealEnding   = ".seal"
	clusterAfter = 30 * 24 * time.Hour
)

// cachedCluster is a data directory that initdb made once for a server, as tar
// packs it. A sandbox unpacks it where it would run initdb, which takes ten
// times as long. It is packed before the server of the sandbox that made it starts, so
// that nothing of any backup is in it, and every sandbox sets a password of its
// own in its copy, first of all. Its sum is taken as it is kept, before any
// backup's code ran, and compared as it is handed out.
type cachedCluster struct {
	path     string // empty: nothing is kept
	password string // that the one which the sandbox was given begins with; empty: it was given none
	log      *slog.Logger
	progress func(string)
}

// clusterFor finds the one that suits a server, whose identity changes with
// its programs and their settings.
func clusterFor(o Options, identity ...string) cachedCluster {
	if o.Clusters == "" {
		return cachedCluster{}
	}
	name := sha256.Sum256([]byte(strings.Join(identity, "\x00") + "\x00" + string(startScript)))
	return cachedCluster{path: filepath.Join(o.Clusters, hex.EncodeToString(name[:16])+".tar"), log: o.Log,
		progress: o.Progress}
}

// hand gives the sandbox the kept cluster under to, if there is one, and an
// empty file under from for the one that it makes otherwise.
func (k *cachedCluster) hand(to, from string) error {
	if k.path == "" {
		return nil
	}
	err := k.verified(to)
	switch {
	case err == nil:
		for _, path := range []string{k.path, k.path + sealEnding} {
			now := time.Now()
			_ = os.Chtimes(path, now, now) // it is of use; at worst it is made again
		}
	case !errors.Is(err, os.ErrNotExist):
		k.log.Warn("a cluster that was kept is removed, and made anew", "err", err)
		k.progress("making a cluster anew: " + err.Error())
		if err := errors.Join(remove(to), remove(k.path), remove(k.path+sealEnding)); err != nil {
			return err
		}
	}
	return makeFile(from, nil, 0o666)
}

// verified copies the kept cluster, and makes sure that it is as it was made.
func (k *cachedCluster) verified(to string) error {
	seal, noSeal := os.ReadFile(k.path + sealEnding)
	got, err := copyOver(to, k.path, 0o644)
	if err != nil {
		return err
	}
	if noSeal != nil {
		return fmt.Errorf("the sum of %s cannot be read", k.path)
	}
	want, password, _ := strings.Cut(strings.TrimSpace(string(seal)), " ")
	if got != want || password == "" {
		return fmt.Errorf("%s is not as it was made", k.path)
	}
	k.password = password
	return nil
}

// remove removes a file that may not be there.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// take keeps the cluster that the sandbox made with a password, if it made one.
// It is called when the server has answered, and nothing else has run inside.
// What keeps it from being kept is not worth a drill.
func (k *cachedCluster) take(from, password string) {
	if k.path == "" {
		return
	}
	defer os.Remove(from)
	if info, err := os.Lstat(from); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return
	}
	if err := k.keep(from, password); err != nil {
		k.log.Debug("a cluster is not kept for later sandboxes", "err", err)
	}
}

func (k *cachedCluster) keep(from, password string) error {
	dir := filepath.Dir(k.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	fresh := filepath.Join(dir, ".new-"+randomHex(8))
	defer os.Remove(fresh)
	sum, err := copyOver(fresh, from, clusterMode)
	if err != nil {
		return err
	}
	if err := makeFile(fresh+sealEnding, []byte(sum+" "+password+"\n"), clusterMode); err != nil {
		return err
	}
	defer os.Remove(fresh + sealEnding)
	// Between the two a cluster has another's sum, and is made anew.
	if err := errors.Join(os.Rename(fresh, k.path), os.Rename(fresh+sealEnding, k.path+sealEnding)); err != nil {
		return err
	}
	return removeUnused(dir, time.Now().Add(-clusterAfter))
}

// drop forgets the kept cluster from which a server did not start: it may be
// damaged, and the next sandbox makes it anew.
func (k *cachedCluster) drop() {
	if k.password != "" {
		os.Remove(k.path)
		os.Remove(k.path + sealEnding)
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

// copyOver copies a file, and follows no link. It returns the sum of what it
// copied.
func copyOver(to, from string, mode os.FileMode) (sum string, err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), in)
	if err := errors.Join(err, out.Close()); err != nil {
		return "", fmt.Errorf("copy %s: %w", from, err)
	}
	return hex.EncodeToString(h.Sum(nil)), os.Chmod(to, mode) // whatever the umask
}
