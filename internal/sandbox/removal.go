package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// imageFile is the file of a work directory that says from which image its
// container was made: only an account of that can remove what it left.
const imageFile = "image"

// removeWork removes a work directory: the lock at last, so that what could not
// be removed is found by the next sweep. What a container left under an account
// that is not ours is removed by that account, in another container.
func removeWork(ctx context.Context, path string) error {
	err := removeBelow(path)
	if errors.Is(err, fs.ErrPermission) {
		if e := emptyInside(ctx, path); e == nil {
			err = removeBelow(path)
		} else if !errors.Is(e, errNoContainer) {
			err = fmt.Errorf("%w; and not from inside: %w", err, e)
		}
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// removeBelow removes everything in a work directory but its lock and what
// says whose container it was.
func removeBelow(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = nil
	for _, e := range entries {
		if name := e.Name(); name != lockName && name != imageFile {
			err = errors.Join(err, removeTree(filepath.Join(path, name)))
		}
	}
	return err
}

// removeTree removes a directory with all in it, also where a mode keeps its
// owner out.
func removeTree(path string) error {
	err := os.RemoveAll(path)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			_ = os.Chmod(name, info.Mode().Perm()|0o700) // of another's: it stays, and is told
		}
		return nil
	})
	return os.RemoveAll(path)
}

// errNoContainer says that no container worked in a directory.
var errNoContainer = errors.New("no container worked here")

// emptyInside removes what a container left in the directory it could write,
// by the account that left it.
func emptyInside(ctx context.Context, path string) error {
	image, err := os.ReadFile(filepath.Join(path, imageFile))
	if err != nil {
		return errNoContainer
	}
	e, err := connectEngine(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	name := "daybefore-" + randomHex(8)
	defer func() { _ = e.remove(context.WithoutCancel(ctx), name) }()
	_, err = await(ctx, e, createTimeout, "empty a directory", func(ctx context.Context) (any, error) {
		return nil, e.empty(ctx, name, strings.TrimSpace(string(image)), path)
	}, nil)
	return err
}

// empty runs a container to its end that empties a work directory's run/.
func (e *engine) empty(ctx context.Context, name, image, path string) error {
	_, err := e.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: name,
		Config: &containertypes.Config{
			Image: image, User: containerUser, NetworkDisabled: true,
			Labels: map[string]string{
				labelOwner: owner(), labelLock: filepath.Join(path, lockName),
				labelDeadline: time.Now().Add(createTimeout).UTC().Format(time.RFC3339),
			},
			Entrypoint: []string{"sh", "-c", `chmod -R u+rwX "$1" 2>/dev/null; find "$1" -mindepth 1 -delete`, "sh", insideRun},
		},
		HostConfig: &containertypes.HostConfig{
			NetworkMode: "none", CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges", "label=disable"},
			LogConfig: containertypes.LogConfig{Type: "none"},
			Mounts:    []mount.Mount{{Type: mount.TypeBind, Source: filepath.Join(path, runName), Target: insideRun}},
		},
	})
	if err != nil {
		return err
	}
	ended := e.ContainerWait(ctx, name, client.ContainerWaitOptions{Condition: containertypes.WaitConditionNextExit})
	if _, err := e.ContainerStart(ctx, name, client.ContainerStartOptions{}); err != nil {
		return err
	}
	select {
	case <-ended.Result:
		return nil // what it could not remove is told by who looks again
	case err := <-ended.Error:
		return err
	}
}
