package scenarios

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"daybefore/internal/s3test"
)

// Maker is what the scenarios of one run share: one server that holds the
// demo's database, whose variants are made from template copies of it, and
// one S3 server's program. Each is made when it is first needed.
type Maker struct {
	home, work string
	kind       string // of all sandboxes; empty: the demo's own
	log        *slog.Logger

	mu     sync.Mutex // the server's: a database must be called shop to be dumped under that name
	server *dumpServer
	dumps  map[variant][]byte

	s3Once sync.Once
	s3Path string
	s3Err  error
}

// variant is a database to be dumped: a copy of a template, changed by sql.
type variant struct {
	database, template, sql string
	format                  string // of pg_dump; empty: custom
	section                 string // of it that alone is dumped; empty: all
}

// goodTemplate is the name under which the unbroken shop waits to be copied.
const goodTemplate = "good"

const closeTime = 10 * time.Second

func newMaker(o Options, work string) *Maker {
	return &Maker{home: o.Home, work: work, kind: o.Kind, log: o.Log, dumps: map[variant][]byte{}}
}

// close removes the server, whatever has ended the run.
func (b *Maker) close() {
	if b.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if err := b.server.close(ctx); err != nil {
		b.log.Warn("remove the scenarios' server", "err", err)
	}
}

// dump returns a real dump of v, taken in the demo's newest night.
func (b *Maker) dump(ctx context.Context, v variant) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if dump, ok := b.dumps[v]; ok {
		return dump, nil
	}
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	dump, err := b.make(ctx, v)
	if err != nil {
		return nil, err
	}
	b.dumps[v] = dump
	return dump, nil
}

// open starts the server and fills the template.
func (b *Maker) open(ctx context.Context) error {
	if b.server != nil {
		return nil
	}
	s, err := startServer(ctx, b.kind, b.log)
	if err != nil {
		return err
	}
	if err := fillTemplate(ctx, s, filepath.Join(b.home, drillsDir, demoName)); err != nil {
		s.close(context.WithoutCancel(ctx))
		return err
	}
	b.server = s
	return nil
}

func fillTemplate(ctx context.Context, s *dumpServer, dir string) error {
	demo, err := openShop(ctx, s, dir)
	if err != nil {
		return err
	}
	for _, night := range nightTimes() {
		if err := demo.live(ctx, night); err != nil {
			return err
		}
	}
	return s.exec(ctx, maintenance, "ALTER DATABASE "+shopDatabase+" RENAME TO "+goodTemplate)
}

// make creates v's database, dumps it and drops it again.
func (b *Maker) make(ctx context.Context, v variant) (dump []byte, err error) {
	create := fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s OWNER app", v.database, v.template)
	if err := b.server.exec(ctx, maintenance, create); err != nil {
		return nil, err
	}
	defer func() {
		if dropErr := b.server.exec(context.WithoutCancel(ctx), maintenance, "DROP DATABASE "+v.database); err == nil {
			err = dropErr
		}
	}()
	settings := fmt.Sprintf("ALTER DATABASE %s SET timezone = 'UTC'; ", v.database) // they are no part of a template
	if err := b.server.exec(ctx, v.database, settings+v.sql); err != nil {
		return nil, err
	}
	all := nightTimes()
	return b.server.dump(ctx, v, all[len(all)-1])
}

// s3Program returns the S3 server's program, built once.
func (b *Maker) s3Program(ctx context.Context) (program string, err error) {
	b.s3Once.Do(func() { b.s3Path, b.s3Err = s3test.Binary(ctx, b.home) })
	return b.s3Path, b.s3Err
}
