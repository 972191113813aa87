package drill

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"daybefore/internal/verdict"
)

// What the kernel refuses is this machine's trouble, and told as that, unless a
// room knew better.
func TestOfMachine(t *testing.T) {
	t.Parallel()
	refused := func(reason error) error {
		return fmt.Errorf("write the list: %w", &fs.PathError{Op: "write", Path: "list", Err: reason})
	}
	for _, c := range []struct {
		err  error
		want verdict.Code
	}{
		{refused(syscall.ENOSPC), verdict.CodeDiskSpace},
		{refused(syscall.EDQUOT), verdict.CodeDiskSpace},
		{refused(syscall.EMFILE), verdict.CodeSandbox},
		{refused(syscall.EAGAIN), verdict.CodeSandbox},
		{refused(syscall.EROFS), verdict.CodeSandbox},
		{verdict.Failf(verdict.CodeCorrupt, "", "it is damaged: %w", syscall.EIO), verdict.CodeCorrupt},
		{errors.New("who knows"), verdict.CodeInternal},
	} {
		if p := ofMachine(c.err); p.Code != c.want || p.Hint == "" && c.want != verdict.CodeCorrupt {
			t.Errorf("%v: %s, want %s", c.err, p.Code, c.want)
		}
	}
}
