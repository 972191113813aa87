package sandbox

import (
	"context"
	"io"
	"time"
)

// readsWithin is how long it may take to read the programs.
const readsWithin = 30 * time.Second

// writeOut writes out the server, what restores, and the server's libraries but
// for its compiler.
const writeOut = `
bin=$(dirname "$(readlink -f "$(command -v postgres)")")
lib=$("$bin/pg_config" --pkglibdir 2>/dev/null) || lib=$bin/../lib
for f in "$bin/postgres" "$bin/pg_restore" "$bin/psql" "$lib"/*.so; do
	case $f in */llvmjit*) continue;; esac
	if [ -f "$f" ]; then cat "$f"; fi
done`

// readPrograms writes the files in which the server's messages stand, as the
// programs see them: code of a backup runs beside the server, and changes none.
func (b *base) readPrograms(to io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), readsWithin)
	defer cancel()
	return b.Run(ctx, Command{Args: []string{"sh", "-c", writeOut}, Stdout: to})
}
