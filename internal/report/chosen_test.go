package report

import (
	"strings"
	"testing"

	"daybefore/internal/verdict"
)

// Only the newest is called that: of another a fault is none of production's.
func TestHeadlineTellsWhichBackup(t *testing.T) {
	t.Parallel()
	for chosen, want := range map[string]string{
		"": "the newest backup (shop", "newest": "the newest backup (shop", "named": "the chosen backup (shop", "before": "the chosen backup (shop",
		"random": "the chosen backup (shop", "unproven": "the chosen backup (shop", "copy 2": "the newest backup of copy 2 (shop",
		"local": "the backup shop-20261120.dump, a file of this machine (5h old, 312.4 KB)",
	} {
		for what, r := range map[string]*verdict.Report{"pass": passing(), "fail": failing(), "interrupted": interrupted()} {
			r.Backup.Chosen = chosen
			for by, got := range map[string]string{"drill": headline(r), "witness": witnessHeadline(r)} {
				if by == "witness" && what == "interrupted" {
					continue // it names none
				}
				if !strings.Contains(got, want) {
					t.Errorf("%s, %s of %q: %q, want %q in it", by, what, chosen, got, want)
				}
			}
		}
	}
}

// A backup that lacks a part says nothing of those beside it.
func TestHeadlineWithoutABackup(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chosen string
		code   verdict.Code
		want   string
	}{
		{"newest", verdict.CodeNoBackup, "shop: there is no backup that would bring the data back"},
		{"newest", verdict.CodeUnfinished, "shop: the newest backup is not whole"},
		{"newest", verdict.CodeNotAnArchive, "shop: the newest backup would not bring the data back as declared"},
		{"named", verdict.CodeUnfinished, "shop: the chosen backup is not whole"},
		{"copy 1", verdict.CodeNoBackup, "shop: copy 1 holds no backup that would bring the data back"},
	} {
		r := unreachable()
		r.Backup.Chosen = c.chosen
		r.Outcome = verdict.Fail
		r.Stages[0].Outcome, r.Stages[0].Code = verdict.Fail, c.code
		if got := headline(r); got != c.want {
			t.Errorf("%s, %s: %q, want %q", c.chosen, c.code, got, c.want)
		}
	}
}

func TestNothingIsSaidTwiceOrOfNothing(t *testing.T) {
	t.Parallel()
	const no = "; it opens no gate, and no later drill is compared with it"
	for b, want := range map[*verdict.Backup]string{
		{Chosen: "named"}:                                  "",
		{Chosen: "named", Name: "x"}:                       "named" + no,
		{Chosen: "named", Name: "x", ChosenWhy: "it was."}: "named: it was." + no,
		{Chosen: "newest", Name: "x"}:                      "",
	} {
		if got := chosen(*b); got != want {
			t.Errorf("%+v: %q, want %q", b, got, want)
		}
	}
	one := verdict.Inventory{Backups: 1, Bytes: 1000, OldestAt: began, NewestAt: began}
	if got, want := held(one), "1 backup, 1 KB, taken "+instant(began); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A size that nobody tells is no 0, and an empty file has one.
func TestASizeThatIsNotTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unsized bool
		bytes   int64
		want    string
	}{{true, 0, "size not told"}, {false, 0, "0 bytes"}, {false, 1000, "1 KB"}} {
		r := looked()
		r.Backup.Unsized, r.Backup.SizeBytes = c.unsized, c.bytes
		newest := storeFacts(r)[2].value
		witnessed := witnessFacts(r)[0].value
		if got := headline(r); !strings.Contains(got, "5h old, "+c.want+")") {
			t.Errorf("%q, want %q", got, c.want)
		}
		if !strings.HasSuffix(newest, ", "+c.want) || !strings.HasSuffix(witnessed, ", "+c.want) {
			t.Errorf("%q and %q, want %q", newest, witnessed, c.want)
		}
	}
	for _, c := range []struct {
		backups, unsized, bytes int64
		want                    string
	}{
		{3, 0, 1000, "3 backups, 1 KB, "}, {3, 3, 0, "3 backups, sizes not told, "}, {1, 1, 0, "1 backup, size not told, "},
		{3, 2, 1000, "3 backups, 1 KB in the 1 whose size is told, "}, {3, 1, 1000, "3 backups, 1 KB in the 2 whose sizes are told, "},
	} {
		v := verdict.Inventory{Backups: c.backups, Unsized: c.unsized, Bytes: c.bytes, OldestAt: began, NewestAt: began}
		if got := held(v); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
