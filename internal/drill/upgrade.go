package drill

import (
	"fmt"

	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// ownMajor is the least version that restores the backup as it is: of the server
// that was dumped, or of the pg_dump, which writes for its own.
func (r *run) ownMajor() int { return max(r.header.ServerMajor, r.header.DumpMajor) }

// intoMajor is the version of the sandbox's server. An older one than the
// backup's would refuse what it cannot know, and say nothing of the backup.
func (r *run) intoMajor() (int, error) {
	own, into := r.ownMajor(), r.Drill.Restore.Into
	switch {
	case into == 0:
		return own, nil
	case into < own:
		return 0, verdict.Errorf(verdict.CodeSpec,
			fmt.Sprintf("write restore.into: %d or a later version, or leave it out", own),
			"restore into PostgreSQL %d: the backup is of version %d, and no older server restores it", into, own)
	}
	return into, nil
}

// rightMajor makes sure that the server is of the declared version. Another one
// that is at hand would rehearse another upgrade.
func (r *run) rightMajor(box sandbox.Box) error {
	into := r.Drill.Restore.Into
	if into == 0 || box.Info().Major() == into {
		return nil
	}
	return verdict.Errorf(verdict.CodeSandbox,
		fmt.Sprintf("pull or build the image postgres:%d (go tool mage image %d), or name one under sandbox.image; "+
			"a local server must be installed in that version", into, into),
		"restore.into asks for PostgreSQL %d, and the sandbox's server is %s", into, box.Info().ServerVersion)
}
