package drill

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/restore"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// preload starts the sandbox anew where extensions of the backup want libraries
// loaded that the server has not: which they are is only known when the archive
// is read, and the server starts meanwhile. Extensions that the image lacks are
// left for the restore to tell.
func (r *run) preload(ctx context.Context) error {
	libraries := slices.DeleteFunc(restore.Libraries(r.archive), func(l string) bool {
		return slices.Contains(r.Drill.Sandbox.Preload, l)
	})
	if len(libraries) == 0 {
		return nil
	}
	return r.stage(ctx, verdict.StageSandbox, func(ctx context.Context) error {
		there, err := r.extensionsThere(ctx)
		if err != nil {
			return err
		}
		libraries = slices.DeleteFunc(libraries, func(l string) bool { return !slices.Contains(there, l) })
		if len(libraries) == 0 {
			return nil
		}
		return r.startWith(ctx, libraries)
	})
}

// extensionsThere are the extensions that the sandbox has, by their names, which
// for those that want a library are the library's too.
func (r *run) extensionsThere(ctx context.Context) ([]string, error) {
	conn, err := r.box.DB().Connect(ctx, "template1")
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, "select name::text from pg_catalog.pg_available_extensions")
	if err != nil {
		return nil, fmt.Errorf("list the sandbox's extensions: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// startWith replaces the sandbox by one whose server loads these libraries too.
func (r *run) startWith(ctx context.Context, libraries []string) error {
	if err := r.box.Box.Close(ctx); err != nil {
		return err
	}
	r.box.Box = nil
	var err error
	r.box.again, err = sandbox.NewWorkdir()
	if err != nil {
		return err
	}
	if err := r.start(ctx, r.box.again, libraries...); err != nil {
		return err
	}
	r.report.Sandbox.Preloaded = libraries
	return nil
}
