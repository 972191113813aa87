package archive

import "testing"

func TestNamesThatContradict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, around string
		format       Format
		noted        bool
	}{
		{"shop-2026.sql.gz", "gzip", Plain, false},
		{"shop-2026.SQL.GZ", "gzip", Plain, false},
		{"shop.gz", "zstd", Plain, true},
		{"shop.sql.gz", "", Plain, true},
		{"shop.sql.gz.zst", "zstd around gzip", Plain, false},
		{"shop.sql.gz.zst", "zstd", Plain, true},
		{"shop.sql", "gzip", Plain, false}, // pg_dump -Z
		{"shop.dump", "", Plain, false},
		{"shop.dump", "", Custom, false},
		{"shop.dump", "", Tar, false},
		{"shop.sql", "", Custom, true},
		{"shop.tar.gz", "gzip", Tar, false},
		{"shop.tgz", "gzip", Tar, false},
		{"shop.tgz", "gzip", Custom, true},
		{"shop.tar.xz", "xz", Custom, true},
		{"shop.dump.zst.age", "age around zstd", Custom, false},
		{"shop.dump.zst.age", "zstd", Custom, true},
		{"shop.sql.gpg", "openpgp", Plain, false},
		{"shop.sql.gpg", "age", Plain, true},
		{"shop.sql.enc", "command", Plain, false},
		{"shop.sql.gpg", "command", Plain, false},
		{"shop.sql.enc", "", Plain, true},
		{"shop-2026.03.04", "gzip", Custom, false},
		{"shop", "", Plain, false},
		{"shop.backup", "", Plain, false},
	} {
		a := &Archive{Header: Header{Format: c.format}}
		a.noteName("a/"+c.name, c.around)
		if (len(a.Notes) > 0) != c.noted {
			t.Errorf("%s, %s in %q: %+v", c.name, c.format, c.around, a.Notes)
		}
	}
}
