package scenarios

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// setDumpTime writes t, as the dumping machine's local time, into the header
// of an archive in pg_dump's custom or tar format. A dump carries the clock of the
// machine that took it, and a night of the past can be had in no other way
// without turning that clock back. Nothing else in the archive depends on it.
func setDumpTime(dump []byte, t time.Time) error {
	at, err := dateOffset(dump)
	if err != nil {
		return err
	}
	fields := []int{t.Second(), t.Minute(), t.Hour(), t.Day(), int(t.Month()) - 1, t.Year() - 1900, 0}
	for i, v := range fields {
		field := dump[at+i*intLen : at+(i+1)*intLen]
		field[0] = 0 // not negative
		binary.LittleEndian.PutUint32(field[1:], uint32(v))
	}
	return nil
}

// The beginning of a custom archive, by PostgreSQL's pg_backup_archiver.c:
// magic, three bytes of version, sizes of an integer and of an offset, format,
// compression, then seconds, minutes, hours, day, month, year and daylight
// saving as integers of a sign byte and four bytes, lowest first.
const (
	dumpMagic     = "PGDMP"
	versionAt     = len(dumpMagic)
	intSizeAt     = versionAt + 3
	formatAt      = intSizeAt + 2
	compressionAt = formatAt + 1

	intLen       = 1 + 4
	customFormat = 1
	tarFormat    = 3
	dateLen      = 7 * intLen
)

// dateOffset finds where the header's date begins.
func dateOffset(dump []byte) (int, error) {
	if len(dump) < compressionAt+intLen+dateLen || !bytes.HasPrefix(dump, []byte(dumpMagic)) {
		return 0, fmt.Errorf("set the time of a dump: %d bytes without the header of a pg_dump archive", len(dump))
	}
	if dump[intSizeAt] != intLen-1 || dump[formatAt] != customFormat && dump[formatAt] != tarFormat {
		return 0, fmt.Errorf("set the time of a dump: format %d with integers of %d bytes, want %d or %d, and %d",
			dump[formatAt], dump[intSizeAt], customFormat, tarFormat, intLen-1)
	}
	major, minor := dump[versionAt], dump[versionAt+1]
	switch {
	case major == 1 && minor >= 15: // since 16: the algorithm, one byte
		return compressionAt + 1, nil
	case major == 1 && minor >= 12:
		return compressionAt + intLen, nil
	}
	return 0, fmt.Errorf("set the time of a dump: archive version %d.%d is not known", major, minor)
}
