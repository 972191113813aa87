package sandbox

import (
	"archive/tar"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"daybefore/internal/verdict"
)

//go:embed bridge.pl
var bridge string

// maxLog is how much of a log is fetched from a container.
const maxLog = 1 * mib

// tunnel does through the engine's own connection what is otherwise done in
// shared directories, for engines that are elsewhere: in a virtual machine,
// as Docker Desktop's, or on another host. The container has no network then
// either. It costs CPU time (3 s for 800 MB of output), so it is not the
// first choice.
type tunnel struct {
	engine   *containerEngine
	life     context.Context
	server   string // its container
	programs string // their container
	start    string // the directory on this machine whose files the server starts with
	share    string // the one whose files programs see

	mu   sync.Mutex
	sent map[string]fileState
}

func (c *containerBox) newTunnel() *tunnel {
	return &tunnel{engine: c.engine, life: c.life, server: c.name, programs: c.programsName(),
		start: c.work.start(), share: c.work.share(), sent: map[string]fileState{}}
}

type fileState struct {
	size     int64
	modified time.Time
}

// isElsewhere reports whether a socket in a directory of this machine cannot
// be reached from a container of the engine.
func (e *containerEngine) isElsewhere() bool {
	return runtime.GOOS != "linux" || !strings.HasPrefix(e.DaemonHost(), "unix://") ||
		strings.Contains(e.info.OperatingSystem, "Docker Desktop")
}

// furnish fills the directories of a container that does not run yet.
func (t *tunnel) furnish(ctx context.Context, name string) error {
	if name == t.programs {
		return t.sendShare(ctx)
	}
	err := t.send(ctx, name, insideRun, func(w *tar.Writer) error {
		return w.WriteHeader(&tar.Header{Name: logName, Mode: 0o666})
	})
	for _, file := range []string{scriptName, passwordName} {
		if err == nil {
			err = t.sendFile(ctx, name, insideStart, filepath.Join(t.start, file))
		}
	}
	if err != nil {
		return fmt.Errorf("copy into the container: %w", err)
	}
	return nil
}

// sendShare copies what is new or changed among the shared files.
func (t *tunnel) sendShare(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	entries, err := os.ReadDir(t.share)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		state := fileState{info.Size(), info.ModTime()}
		if t.sent[entry.Name()] == state {
			continue
		}
		if err := t.sendFile(ctx, t.programs, shareInside, filepath.Join(t.share, entry.Name())); err != nil {
			return fmt.Errorf("copy %s into the container: %w", entry.Name(), err)
		}
		t.sent[entry.Name()] = state
	}
	return nil
}

// sendFile copies a file, or a directory with its files, into a directory of a
// container, to be read there.
func (t *tunnel) sendFile(ctx context.Context, container, dir, name string) error {
	return t.send(ctx, container, dir, func(w *tar.Writer) error {
		return filepath.WalkDir(name, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			inside, err := filepath.Rel(filepath.Dir(name), path)
			if err != nil {
				return err
			}
			if e.IsDir() {
				return w.WriteHeader(&tar.Header{Name: filepath.ToSlash(inside) + "/", Typeflag: tar.TypeDir, Mode: 0o755})
			}
			return pack(w, path, filepath.ToSlash(inside))
		})
	})
}

// pack writes one file into a tar.
func pack(w *tar.Writer, path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.CopyN(w, f, info.Size())
	return err
}

// send streams a tar file into a directory of a container; nothing of it is
// held in memory.
func (t *tunnel) send(ctx context.Context, container, dir string, write func(*tar.Writer) error) error {
	return t.engine.going(ctx, copyTimeout, "take a file", func(ctx context.Context, beat func()) error {
		r, w := io.Pipe()
		go func() {
			tw := tar.NewWriter(w)
			w.CloseWithError(errors.Join(write(tw), tw.Close()))
		}()
		defer r.Close()
		_, err := t.engine.CopyToContainer(ctx, container,
			client.CopyToContainerOptions{DestinationPath: dir, Content: beating{r, beat}})
		return err
	})
}

// fetchLog brings the server's log here, which is told from there.
func (t *tunnel) fetchLog(ctx context.Context, to string) error {
	found, err := t.engine.CopyFromContainer(ctx, t.server,
		client.CopyFromContainerOptions{SourcePath: path.Join(insideRun, logName)})
	if err != nil {
		return err
	}
	defer found.Content.Close()
	r := tar.NewReader(found.Content)
	header, err := r.Next()
	if err == nil && header.Typeflag != tar.TypeReg {
		err = errors.New("it is not a file")
	}
	if err != nil {
		return fmt.Errorf("fetch the server's log: %w", err)
	}
	log, err := io.ReadAll(io.LimitReader(r, maxLog))
	return errors.Join(err, os.WriteFile(to, log, 0o600))
}

// dial opens a connection to the server: a socket pair, one end of which is
// joined to a program that runs where the server's socket is.
func (t *tunnel) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far, err := connPair()
	if err != nil {
		return nil, fmt.Errorf("make a tunnel to the server: %w", err)
	}
	attached, err := t.attachBridge(ctx)
	if err != nil {
		near.Close()
		far.Close()
		return nil, fmt.Errorf("make a tunnel to the server: %w", err)
	}
	go func() {
		io.Copy(attached.Conn, far)
		attached.CloseWrite()
	}()
	go func() {
		stdcopy.StdCopy(far, io.Discard, attached.Reader)
		attached.Close()
		far.Close()
	}()
	return near, nil
}

func (t *tunnel) attachBridge(ctx context.Context) (client.HijackedResponse, error) {
	// The connection lives as long as the container, not as the dialling.
	attached, _, err := t.engine.runIn(ctx, t.programs, client.ExecCreateOptions{
		User: containerUser, AttachStdin: true, AttachStdout: true, AttachStderr: true,
		Cmd: []string{"perl", "-e", bridge, path.Join(insideRun, socketName)},
	})
	return attached, err
}

// connPair returns the two ends of a socket that has no name.
func connPair() (near, far net.Conn, err error) {
	syscall.ForkLock.RLock() // a program that is started meanwhile would hold them open
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "tunnel")
		end, e := net.FileConn(f)
		f.Close()
		ends[i] = end
		err = errors.Join(err, e)
	}
	if err != nil {
		for _, end := range ends {
			if end != nil {
				end.Close()
			}
		}
		return nil, nil, err
	}
	return ends[0], ends[1], nil
}

// canBridge makes sure that the image has what the other end is made of.
func (c *containerBox) canBridge(ctx context.Context) error {
	err := c.Run(ctx, Command{Args: []string{"perl", "-MIO::Socket::UNIX", "-e", "1"}})
	if exit, ok := errors.AsType[*ExitError](err); ok {
		return verdict.Errorf(verdict.CodeSandbox,
			"use an image that has perl, as the Debian ones of postgres do, or an engine on this machine",
			"the engine is elsewhere, and the image has no perl to reach its server by: %w", exit)
	}
	return err
}
