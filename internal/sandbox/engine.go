package sandbox

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

const (
	// removePoll is the pause while the engine removes a container by itself.
	removePoll = 20 * time.Millisecond

	// newestMajor is taken where nothing says which version is wanted.
	newestMajor = 17
	// oldestMajor is the oldest that takes the settings a sandbox needs; it
	// restores what is older, too.
	oldestMajor = 13
	imageName   = "postgres"
	defaultData = "/var/lib/postgresql/data"
)

// containerEngine is a container engine that has answered.
type containerEngine struct {
	*testcontainers.DockerClient
	info   system.Info
	silent atomic.Bool // the last request was not answered in time
}

// tameTestcontainers keeps the library silent, and its reaper off: that is a
// container with the engine's socket, and leaves an orphan where it cannot be
// reached. Sandboxes have labels and a sweep of their own.
var tameTestcontainers = sync.OnceValue(func() error {
	tclog.SetDefault(tclog.NewNoopLogger())
	return os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
})

// connectEngine looks for the engine as testcontainers does, at DOCKER_HOST or
// the usual sockets; but only there if DOCKER_HOST is set.
func connectEngine(ctx context.Context) (*containerEngine, error) {
	if err := tameTestcontainers(); err != nil {
		return nil, err
	}
	if err := aliveEngine(ctx); err != nil {
		return nil, fmt.Errorf("no Docker engine answers: %w", err)
	}
	e, err := await(ctx, nil, engineTimeout, "say what it is", func(ctx context.Context) (*containerEngine, error) {
		// The library remembers for good that the first search failed, so
		// that search must not end with this drill.
		return openEngine(context.WithoutCancel(ctx))
	}, func(e *containerEngine) { e.Close() })
	if err != nil {
		return nil, fmt.Errorf("no Docker engine answers: %w", err)
	}
	return e, nil
}

func openEngine(ctx context.Context) (*containerEngine, error) {
	cli, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := cli.Info(ctx, client.InfoOptions{})
	if err != nil {
		cli.Close()
		return nil, err
	}
	return &containerEngine{DockerClient: cli, info: answer.Info}, nil
}

// aliveEngine asks the engine that DOCKER_HOST names, or the one at the usual
// socket, for a sign of life. The library would go on from one that DOCKER_HOST
// names to any other that it finds, and a drill would run on an engine that was
// not meant; and it would wait for long for one that does not answer. Where
// DOCKER_HOST names none, whether there is any is for the library to find out.
func aliveEngine(ctx context.Context) error {
	host := os.Getenv("DOCKER_HOST")
	_, err := await(ctx, nil, signOfLife, "give a sign of life", func(ctx context.Context) (client.PingResult, error) {
		cli, err := client.New(client.FromEnv)
		if err != nil {
			return client.PingResult{}, err
		}
		defer cli.Close()
		return cli.Ping(ctx, client.PingOptions{})
	}, nil)
	switch {
	case err == nil:
		return nil
	case host != "":
		return fmt.Errorf("DOCKER_HOST is %s: %w", host, err)
	case isSilence(err) || ctx.Err() != nil:
		return err
	}
	return nil
}

// dbImage is an image of a PostgreSQL server that the engine has.
type dbImage struct {
	ref     string
	id      string // of its content
	data    string // the image's own PGDATA
	volumes []string
	why     string
	warning string
}

// findContainer returns an engine that answers and an image that it has, or
// has now pulled. The caller closes the engine.
func findContainer(ctx context.Context, o Options) (*containerEngine, dbImage, error) {
	e, err := connectEngine(ctx)
	if err != nil {
		return nil, dbImage{}, err
	}
	img, err := e.findImage(ctx, o)
	if err != nil {
		e.Close()
		return nil, dbImage{}, err
	}
	return e, img, nil
}

// findImage takes the image that is named, or that of the wanted version: as
// the engine has it, else from its registry. Else, where no image is named,
// the lowest higher version that the engine has.
func (e *containerEngine) findImage(ctx context.Context, o Options) (dbImage, error) {
	if o.Image != "" {
		return e.getImage(ctx, o.Image, o.Progress)
	}
	major := newestMajor
	if o.Major != 0 {
		major = max(o.Major, oldestMajor)
	}
	ref := imageName + ":" + strconv.Itoa(major)
	img, err := e.getImage(ctx, ref, o.Progress)
	if isSilence(err) {
		return dbImage{}, err
	}
	if err != nil {
		higher, ok := e.higherImage(ctx, major)
		if !ok {
			return dbImage{}, err
		}
		higher.why = "Docker answers, and " + higher.ref + " is here"
		higher.warning = fmt.Sprintf("restored into %s, since %s is not here and cannot be pulled", higher.ref, ref)
		return higher, nil
	}
	if 0 < o.Major && o.Major < oldestMajor {
		img.warning = fmt.Sprintf("restored into %s, the oldest that is supported, since %d is older", ref, o.Major)
	}
	return img, nil
}

// noImageError tells that an engine lacks an image and cannot pull it.
type noImageError struct {
	ref string
	err error
}

func (e *noImageError) Error() string {
	return fmt.Sprintf("Docker answers, but the image %s is not here and cannot be pulled: %v", e.ref, e.err)
}

func (e *noImageError) Unwrap() error { return e.err }

// getImage returns an image that the engine has or can pull.
func (e *containerEngine) getImage(ctx context.Context, ref string, progress func(string)) (dbImage, error) {
	img, err := e.localImage(ctx, ref)
	if err == nil {
		img.why = "Docker answers, and " + ref + " is here"
		return img, nil
	}
	if !errdefs.IsNotFound(err) {
		return dbImage{}, fmt.Errorf("look for the image %s: %w", ref, err)
	}
	progress("pulling " + ref)
	if err := e.pull(ctx, ref); err != nil {
		return dbImage{}, &noImageError{ref, err}
	}
	img, err = e.localImage(ctx, ref)
	img.why = "Docker answers, and " + ref + " was pulled"
	return img, err
}

func (e *containerEngine) localImage(ctx context.Context, ref string) (dbImage, error) {
	found, err := await(ctx, e, engineTimeout, "look at the image "+ref,
		func(ctx context.Context) (client.ImageInspectResult, error) {
			return e.ImageInspect(ctx, ref)
		}, nil)
	if err != nil {
		return dbImage{}, err
	}
	img := dbImage{ref: ref, id: found.ID, data: defaultData}
	if found.Config != nil {
		for _, env := range found.Config.Env {
			if data, ok := strings.CutPrefix(env, "PGDATA="); ok {
				img.data = data
			}
		}
		img.volumes = slices.Sorted(maps.Keys(found.Config.Volumes))
	}
	return img, nil
}

// higherImage returns the local image of the lowest version above major.
func (e *containerEngine) higherImage(ctx context.Context, major int) (dbImage, bool) {
	list, err := await(ctx, e, engineTimeout, "list its images",
		func(ctx context.Context) (client.ImageListResult, error) {
			return e.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("reference", imageName+":*")})
		}, nil)
	if err != nil {
		return dbImage{}, false
	}
	var refs []string
	for _, item := range list.Items {
		for _, ref := range item.RepoTags {
			if imageMajor(ref) > 0 {
				refs = append(refs, ref)
			}
		}
	}
	ref, ok := pick(major, refs, imageMajor)
	if !ok {
		return dbImage{}, false
	}
	img, err := e.localImage(ctx, ref)
	return img, err == nil
}

// imageMajor reads the version from a reference such as postgres:17 or
// postgres:17.2-alpine; 0 where there is none, as for postgres:latest.
func imageMajor(ref string) int {
	_, tag, _ := strings.Cut(ref, ":")
	digits := len(tag) - len(strings.TrimLeft(tag, "0123456789"))
	if rest := tag[digits:]; rest != "" && rest[0] != '.' && rest[0] != '-' {
		return 0 // 17beta1, 18rc1
	}
	major, _ := strconv.Atoi(tag[:digits])
	return major
}

func (e *containerEngine) pull(ctx context.Context, ref string) error {
	var options client.ImagePullOptions
	if _, auth, err := testcontainers.DockerImageAuth(ctx, ref); err == nil {
		options.RegistryAuth, err = authconfig.Encode(auth)
		if err != nil {
			return fmt.Errorf("encode the registry's credentials: %w", err)
		}
	}
	return e.going(ctx, pullTimeout, "pull the image "+ref, func(ctx context.Context, beat func()) error {
		answer, err := e.ImagePull(ctx, ref, options)
		if err != nil {
			return err
		}
		defer answer.Close()
		for message, err := range answer.JSONMessages(ctx) {
			beat()
			if err != nil {
				return err
			}
			if message.Error != nil {
				return message.Error
			}
		}
		return nil
	})
}

// remove removes a container with its anonymous volumes, and returns once it
// is gone, whoever removed it.
func (e *containerEngine) remove(ctx context.Context, id string) error {
	limit := removeTimeout
	if e.silent.Load() {
		limit = lastTry
	}
	_, err := await(ctx, e, limit, "remove a container",
		func(ctx context.Context) (client.ContainerRemoveResult, error) {
			return e.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		}, nil)
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	if !errdefs.IsConflict(err) {
		return fmt.Errorf("remove the container %s: %w", id, err)
	}
	for { // it is being removed
		if _, err := e.inspect(ctx, id); errdefs.IsNotFound(err) {
			return nil
		} else if isSilence(err) {
			return fmt.Errorf("wait until the container %s is gone: %w", id, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until the container %s is gone: %w", id, context.Cause(ctx))
		case <-time.After(removePoll):
		}
	}
}

// removeVolume removes a volume that has a name, once no container has it.
func (e *containerEngine) removeVolume(ctx context.Context, name string) error {
	limit := removeTimeout
	if e.silent.Load() {
		limit = lastTry
	}
	_, err := await(ctx, e, limit, "remove a volume", func(ctx context.Context) (client.VolumeRemoveResult, error) {
		return e.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
	}, nil)
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("remove the volume %s: %w", name, err)
}

func (e *containerEngine) inspect(ctx context.Context, id string) (client.ContainerInspectResult, error) {
	return await(ctx, e, engineTimeout, "look at a container",
		func(ctx context.Context) (client.ContainerInspectResult, error) {
			return e.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		}, nil)
}
