package sandbox

import (
	"context"
	"errors"
	"strings"
	"testing"

	"daybefore/internal/verdict"
)

// TestStarved lets the kernel end a session that wants more memory than its
// container may have, and looks that the drill is told what to do.
func TestStarved(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Kind: Container, Image: "postgres:17", Memory: 96 * mib})
	conn, err := b.DB().Connect(t.Context(), "postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for range 8 {
		// Text that is held in the session, piece by piece until it is ended.
		_, err = conn.Exec(t.Context(),
			"DO $$ DECLARE held text[]; BEGIN FOR i IN 1 .. 40 LOOP held[i] := repeat(i || '-', 30000000); END LOOP; END $$")
		if err != nil {
			break
		}
	}
	p, ok := errors.AsType[*verdict.Problem](b.Why(t.Context(), err))
	if !ok || p.Code != verdict.CodeSandbox || p.Hint != moreMemory || !strings.Contains(p.Error(), "for want of memory") {
		t.Errorf("%v: %+v", err, p)
	}
}
