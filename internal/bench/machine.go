package bench

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"
)

// Machine is where was measured.
type Machine struct {
	CPU           string `json:"cpu"`
	Cores         int    `json:"cores"`
	MemoryBytes   int64  `json:"memory_bytes"`
	OS            string `json:"os"`
	Kernel        string `json:"kernel"`
	Go            string `json:"go"`
	Engine        string `json:"engine,omitempty"` // version of the container engine
	StorageDriver string `json:"storage_driver,omitempty"`
	CgroupVersion string `json:"cgroup_version,omitempty"`
	Load          string `json:"load"` // 1, 5 and 15 minutes, when the bench began

	dockerRoot string // where the engine keeps its data
}

// String is a line for people.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s, kernel %s, Docker %s (%s), %s; load when it began: %s",
		cmp.Or(m.CPU, m.OS), m.Cores, inGiB(m.MemoryBytes), m.Kernel, cmp.Or(m.Engine, "none"), m.StorageDriver,
		m.Go, m.Load)
}

const engineTime = 10 * time.Second

func describeMachine(ctx context.Context) Machine {
	m := Machine{CPU: cpuModel(), Cores: runtime.NumCPU(), MemoryBytes: memory(),
		OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return m
	}
	defer engine.Close()
	answer, err := engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		return m
	}
	m.Engine, m.StorageDriver, m.CgroupVersion = answer.Info.ServerVersion, answer.Info.Driver,
		answer.Info.CgroupVersion
	m.dockerRoot = answer.Info.DockerRootDir
	return m
}

// field is the first value of a key in a file of "key : value" lines; empty
// where there is none.
func field(path, key string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
