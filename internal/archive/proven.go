package archive

import (
	"cmp"
	"path/filepath"
	"strings"
)

const tableOfContents = "the table of contents (definitions, owners, comments)"

// Unproven is what of the backup no checksum of its own covers, as a short
// phrase; empty if all of it is covered. gzip has a CRC-32 of all that it
// holds, zstd a checksum unless it was told to leave it out. Within an archive
// only zlib, which pg_dump calls gzip, has a sum of the rows (Adler-32, which
// pg_restore compares): its lz4 and zstd are written without.
// Files of a directory that are under gzip have its CRC-32.
func (a *Archive) Unproven() string {
	var all []string
	for _, part := range a.Parts {
		if what := part.unproven(); what != "" {
			all = append(all, what+" of "+filepath.Base(part.Path))
		}
	}
	if own := a.unproven(); a.Parts == nil && own != "" {
		all = append(all, own)
	}
	for _, script := range a.unsummed {
		all = append(all, "the whole script "+script)
	}
	return strings.Join(all, ", ")
}

// unproven is that of one file.
func (a *Archive) unproven() string {
	switch {
	case a.summed:
		return ""
	case a.Format == Plain:
		return "the whole script"
	case a.rowsSum, a.Format == Custom && a.DataCompression == string(Gzip):
		return tableOfContents
	}
	return "the rows and " + tableOfContents
}

// Packing says both compressions in one word or two: that around the archive,
// and that of the rows within: "none", "gzip", "lz4 within", "zstd around gzip".
func (h Header) Packing() string {
	outer := cmp.Or(h.Compression, None)
	inner := cmp.Or(h.DataCompression, string(None))
	switch {
	case inner == string(None):
		return string(outer)
	case outer == None:
		return inner + " within"
	}
	return string(outer) + " around " + inner
}
