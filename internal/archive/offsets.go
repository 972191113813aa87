package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// WriteOffsets completes the table of contents of the custom archive at a.Path
// with the places of the data blocks, which pg_dump could not write through a
// pipe and which Open has found. Otherwise each pg_restore has to read its way
// from block to block up to its own: with many large tables that costs as much
// as loading them. The file must be a copy of the backup, never the backup.
func (a *Archive) WriteOffsets() (err error) {
	for _, part := range a.Parts {
		err = errors.Join(err, part.WriteOffsets())
	}
	if a.Parts != nil {
		return err
	}
	if a.Format != Custom {
		return nil
	}
	f, err := os.OpenFile(a.Path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write the places of the rows into the archive's copy: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for i := range a.Entries {
		o := &a.Entries[i].offset
		if o.state != offsetUnknown {
			continue
		}
		if _, err := f.WriteAt(o.bytes(a.offSize), o.at); err != nil {
			return fmt.Errorf("write the places of the rows into the archive's copy: %w", err)
		}
		o.state = offsetKnown
	}
	return nil
}

// bytes is a known offset as an archive has it, least significant first.
func (o offset) bytes(size int) []byte {
	pos := binary.LittleEndian.AppendUint64(nil, uint64(o.pos))
	return append([]byte{byte(offsetKnown)}, pos[:size]...)
}
