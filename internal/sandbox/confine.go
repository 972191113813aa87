package sandbox

import (
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

const (
	insideStart    = "/daybefore/start"
	shareInside    = "/daybefore/share"
	insideRun      = "/daybefore/run"
	insideOut      = "/daybefore/out"
	insideData     = "/daybefore/data" // where the image has no place for data
	insidePassfile = "/tmp/daybefore-pgpass"
	containerUser  = "postgres"
	// watcherUser is nobody's account. A container's first process has it, so
	// that no program in there may stop, end or look into that which ends all.
	watcherUser = "65534:65534"

	// maxProcesses holds a fork bomb in a backup.
	maxProcesses = 2048
	minShm       = 256 * mib
	// scratch is what a container's /tmp may hold, which is memory.
	scratch = 64 * mib
	// leastPrograms is what programs beside the server may use of the memory, in
	// bytes, and partPrograms which part where that is more.
	leastPrograms = 64 * mib
	partPrograms  = 4
)

// awaitDeadline is all that a container's first process does. The kernel keeps
// signals of its own container from it, and ends all others with it. It is a
// shell, since it takes in what is left of others; a container that ends so has
// the status of timeout(1).
const awaitDeadline = `sleep "$1" & wait "$!"; exit 124`

// cell is what one of a sandbox's two containers has.
type cell struct {
	name    string
	memory  int64
	shm     int64
	mounts  []mount.Mount
	scratch map[string]string // folders in memory, with their options
}

// cells returns the server's container and that of the programs. They share
// nothing but the directory of the socket, and one cannot see what the other is
// given.
func (c *containerBox) cells(img dbImage, memory int64) (server, programs cell) {
	forPrograms := min(max(memory/partPrograms, leastPrograms), memory)
	forServer := max(memory-forPrograms, memory/2)
	tmp := fmt.Sprintf("size=%d,mode=1777", scratch)
	server = cell{
		// the default of 64 MB breaks parallel index builds
		name: c.name, memory: forServer, shm: max(minShm, forServer/4),
		mounts:  []mount.Mount{c.place(startName, true), c.place(runName, false)},
		scratch: map[string]string{"/tmp": tmp},
	}
	if !img.keepsData(img.data) {
		server.mounts = append(server.mounts, volume("", insideData, false))
	}
	programs = cell{
		name: c.programsName(), memory: forPrograms, shm: mib,
		mounts:  []mount.Mount{c.place(shareName, true), c.place(runName, true)},
		scratch: map[string]string{"/tmp": tmp},
	}
	if c.tunnel == nil {
		programs.mounts = append(programs.mounts, c.place(outName, false))
	} else {
		programs.scratch[insideOut] = tmp
	}
	for _, dir := range img.volumes {
		programs.scratch[dir] = "size=4k" // a volume would be made there, and filled from the image
	}
	return server, programs
}

// programsName is the name of the programs' container.
func (c *containerBox) programsName() string { return c.name + "-programs" }

// runVolume is the name of the volume with the socket, where this machine
// shares no directories with the engine.
func (c *containerBox) runVolume() string { return c.name + "-run" }

// place is one of the work directory's parts, as a container sees it: the
// directory itself, or a volume where the engine does not see that. What a
// volume holds is sent there, which the engine refuses if it is read only; it is
// root's, and so read only for all in there.
func (c *containerBox) place(name string, readOnly bool) mount.Mount {
	inside := path.Join(path.Dir(insideStart), name)
	switch {
	case c.tunnel == nil:
		return mount.Mount{Type: mount.TypeBind, Source: path.Join(c.work.Path(), name), Target: inside,
			ReadOnly: readOnly}
	case name == runName:
		m := volume(c.runVolume(), inside, readOnly)
		m.VolumeOptions.Labels = c.labels
		return m
	}
	return volume("", inside, false)
}

// volume is one that is made with the container; one without a name goes with it.
func volume(name, inside string, readOnly bool) mount.Mount {
	return mount.Mount{Type: mount.TypeVolume, Source: name, Target: inside, ReadOnly: readOnly,
		VolumeOptions: &mount.VolumeOptions{NoCopy: true}}
}

// keepsData reports whether a directory lies in one of the image's volumes.
func (img dbImage) keepsData(dir string) bool {
	return slices.ContainsFunc(img.volumes,
		func(v string) bool { return dir == v || strings.HasPrefix(dir, strings.TrimSuffix(v, "/")+"/") })
}

// request is for a container in which nothing runs yet but its first process.
func (c *containerBox) request(img dbImage, r cell, deadline time.Time) testcontainers.GenericContainerRequest {
	seconds := max(1, int64(math.Ceil(time.Until(deadline).Seconds())))
	return testcontainers.GenericContainerRequest{
		Logger: tclog.NewNoopLogger(),
		ContainerRequest: testcontainers.ContainerRequest{
			Image:      img.ref,
			Name:       r.name,
			Labels:     maps.Clone(c.labels), // to which testcontainers adds its own
			Entrypoint: []string{"sh", "-c", awaitDeadline, "sh", strconv.FormatInt(seconds, 10)},
			ConfigModifier: func(cfg *containertypes.Config) {
				cfg.User, cfg.WorkingDir = watcherUser, "/"
				cfg.Healthcheck = &containertypes.HealthConfig{Test: []string{"NONE"}}
			},
			HostConfigModifier: func(host *containertypes.HostConfig) { c.confine(host, r) },
		},
	}
}

// confine takes from a container everything that it does not need.
func (c *containerBox) confine(host *containertypes.HostConfig, r cell) {
	processes := int64(maxProcesses)
	host.NetworkMode = "none"
	host.AutoRemove = true
	host.ReadonlyRootfs = true
	host.CapDrop = []string{"ALL"}
	host.SecurityOpt = []string{"no-new-privileges"}
	if slices.ContainsFunc(c.engine.info.SecurityOptions,
		func(s string) bool { return strings.Contains(s, "name=selinux") }) {
		// The directories belong to the caller and keep their label.
		host.SecurityOpt = append(host.SecurityOpt, "label=disable")
	}
	host.LogConfig = containertypes.LogConfig{Type: "none"}
	host.ShmSize = r.shm
	host.Resources.Memory, host.Resources.MemorySwap = r.memory, r.memory // none beyond it
	host.Resources.PidsLimit = &processes
	host.Resources.Ulimits = []*containertypes.Ulimit{{Name: "core"}} // memory of a process is no file
	host.Mounts, host.Tmpfs = r.mounts, r.scratch
}
