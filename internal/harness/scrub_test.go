package harness

import (
	"strings"
	"testing"

	"daybefore/internal/scrub/draft"
	"daybefore/internal/verdict"
)

// What a draft lets pass stands in front of it, not only between its rules.
func TestDraftTellsInFrontWhatPasses(t *testing.T) {
	t.Parallel()
	r := &verdict.Report{Backup: verdict.Backup{Name: "shop.dump"}}
	d := &draft.Draft{Rules: 2, Passing: []string{"public.things.serial_no: long numbers", "public.users.city: a list of words"}}
	front, _, _ := strings.Cut(drafted(d, r), "# How sure a line is")
	const want = "# Passes as it is, look at it first: public.things.serial_no: long numbers\n# Passes as it is, look at it first: " +
		"public.users.city: a list of words\n"
	if !strings.HasSuffix(front, want) {
		t.Error(front)
	}
	d.Passing = nil
	if strings.Contains(drafted(d, r), "Passes") {
		t.Error("something passes where nothing does")
	}
}
