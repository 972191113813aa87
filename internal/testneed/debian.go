package testneed

import (
	"context"
	"testing"
	"time"

	"daybefore/internal/debian"
)

const unpackTimeout = 10 * time.Minute // of downloads, for one package

// Unpacked is a Debian package that lies in the user's cache folder. Nothing of
// it is installed. So an sshd, which wants an account of its own from root, is
// run by somebody else.
type Unpacked struct {
	debian.Package
}

// Debian unpacks a package, as debian.Unpack does. One that cannot be had fails
// the test, wherever it runs.
func Debian(t testing.TB, name string) Unpacked {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), unpackTimeout)
	defer cancel()
	p, err := debian.Unpack(ctx, name)
	if err != nil {
		t.Fatalf("the Debian package %s cannot be had: %v", name, err)
	}
	return Unpacked{p}
}

// Program is the path of one of the package's programs.
func (u Unpacked) Program(t testing.TB, name string) string {
	t.Helper()
	path, err := u.Package.Program(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
