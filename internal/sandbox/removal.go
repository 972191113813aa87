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

	"daybefore/internal/sandbox/emptying"
)

// imageFile is the file of a work directory that says from which image its
// container was made: only an account of that can remove what it left.
const imageFile = "image"

// removeWork removes a work directory: the lock at last, so that what could not
// be removed is found by the next sweep. What a container left under an account
// that is not ours is removed by that account, in another container.
func removeWork(ctx context.Context, path string) error {
	err := removeBelow(ctx, path)
	if errors.Is(err, fs.ErrPermission) {
		if e := emptyInside(ctx, path); e == nil {
			err = removeBelow(ctx, path)
		} else if !errors.Is(e, errNoContainer) {
			err = fmt.Errorf("%w; and not from inside: %w", err, e)
		}
	}
	if err != nil {
		return err
	}
	for _, last := range []string{imageFile, lockName, ""} { // nothing else is left
		if err := os.Remove(filepath.Join(path, last)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// removeBelow removes everything in a work directory but its lock and what
// says whose container it was.
func removeBelow(ctx context.Context, path string) error {
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = nil
	for _, e := range entries {
		if name := e.Name(); name != lockName && name != imageFile {
			err = errors.Join(err, emptying.RemoveTree(ctx, filepath.Join(path, name)))
		}
	}
	return err
}

// errNoContainer says that no container worked in a directory.
var errNoContainer = errors.New("no container worked here")

// emptyScript removes all in the directories that it is given, as an account of
// the image. Some images have tools that give whole paths to the kernel, which
// takes no more than 4096 bytes: what they leave is moved up, some levels at a
// time, until nothing is deep any more.
const emptyScript = `for dir; do
	cd "$dir" || exit
	chmod -R u+rwx . 2>/dev/null; find . -mindepth 1 -maxdepth 1 -exec rm -rf {} + 2>/dev/null
	round=0 left=
	while [ -n "$(ls -A)" ] && [ "$(ls -A)" != "$left" ]; do
		left=$(ls -A) round=$((round + 1))
		find . -maxdepth 12 -type d ! -perm -700 -exec chmod u+rwx {} \; 2>/dev/null
		find . -mindepth 12 -maxdepth 12 -type d \
			-exec sh -c 'for d; do mv -- "$d" "./.up-$0-$((n += 1))"; done' "$round-$$" {} + 2>/dev/null
		find . -mindepth 1 -maxdepth 1 -exec rm -rf {} + 2>/dev/null
	done
done`

// emptyInside removes what a container left in the directories it could write,
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

// empty runs a container to its end that empties what the containers of a work
// directory could write to.
func (e *containerEngine) empty(ctx context.Context, name, image, path string) error {
	entrypoint := []string{"sh", "-c", emptyScript, "sh"}
	var mounts []mount.Mount
	for sub, inside := range map[string]string{runName: insideRun, outName: insideOut} {
		if _, err := os.Lstat(filepath.Join(path, sub)); err != nil {
			continue // it is gone already
		}
		entrypoint = append(entrypoint, inside)
		mounts = append(mounts, mount.Mount{Type: mount.TypeBind, Source: filepath.Join(path, sub), Target: inside})
	}
	processes := int64(maxProcesses)
	_, err := e.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: name,
		Config: &containertypes.Config{
			Image: image, User: containerUser, NetworkDisabled: true,
			Labels: map[string]string{
				labelOwner: owner(), labelLock: filepath.Join(path, lockName),
				labelDeadline: time.Now().Add(createTimeout).UTC().Format(time.RFC3339),
			},
			Entrypoint: entrypoint,
		},
		HostConfig: &containertypes.HostConfig{
			NetworkMode: "none", CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges", "label=disable"},
			ReadonlyRootfs: true, Resources: containertypes.Resources{Memory: emptyMemory, PidsLimit: &processes},
			LogConfig: containertypes.LogConfig{Type: "none"}, Mounts: mounts,
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

// emptyMemory is what the removal of a deep tree may take, in bytes.
const emptyMemory = 512 * mib
