package scenarios

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"daybefore/internal/verdict"
)

// brokenInventories hold a newest backup that restores well.
func brokenInventories() []Scenario {
	return []Scenario{
		{Name: "nothing broken, in a bucket", Break: inBucket, Want: pass},
		{Name: "nothing broken, with a second copy", Break: copied(4, nil), Want: pass},
		{"a night without a backup", without(1), storeAlone(verdict.CodeCadence, "cadence")},
		{"fewer backups than declared", both(unlisted("cadence"), without(1, 2)),
			storeAlone(verdict.CodeMinBackups, "min_backups")},
		{"the oldest backup removed too early", without(0), storeAlone(verdict.CodeOldestAtLeast, "oldest_at_least")},
		{"a newest backup smaller than declared", edited("  min_size: 50KiB\n", "  min_size: 1MiB\n"),
			storeAlone(verdict.CodeMinSize, "min_size")},
		{"a newest backup many times as large as the last", since(shopAfter(swollen)),
			storeAlone(verdict.CodeSizeChange, "size_change")},
		{"most backups deleted since the last drill", both(older(8), since(gone(8))),
			storeAlone(verdict.CodeCollapse, "collapse:backups")},
		{"most backups emptied since the last drill", since(emptied(3)),
			storeAlone(verdict.CodeCollapse, "collapse:bytes")},
		{"the store on this machine's own disk", declared("off_site: {production_hosts: [db1.example.com]}"),
			storeAlone(verdict.CodeOffSite, "off_site")},
		{"the store served by production's machine",
			both(inBucket, declared("off_site: {production_hosts: [localhost]}")),
			storeAlone(verdict.CodeOffSite, "off_site")},
		{"a bucket without versioning", both(inBucket, declared("protection: [versioning]")),
			storeAlone(verdict.CodeProtection, "protection:versioning")},
		{"a bucket without object lock", both(inBucket, declared("protection: [object_lock]")),
			storeAlone(verdict.CodeProtection, "protection:object_lock")},
		{"a copy that stopped a night ago", copied(3, nil), storeAlone(verdict.CodeCopies, "copies:"+secondURL)},
		{"a copy that was damaged", copied(4, func(dump []byte) { dump[len(dump)/2] ^= 1 }),
			storeAlone(verdict.CodeCopies, "copies:"+secondURL)},
		{"a backup gone that the catalogue names", both(catalogued(nightTimes()), unlisted("cadence"), without(2)),
			storeAlone(verdict.CodeCatalogue, "catalogue:lacking")},
		{"a catalogue that lost an entry", catalogued(nightTimes()[2:]),
			storeAlone(verdict.CodeCatalogue, "catalogue:unnamed")},
	}
}

// catalogued writes a catalogue that names the backups of these nights, and
// declares it.
func catalogued(nights []time.Time) Break {
	return func(ctx context.Context, b *Maker, s *Store) error {
		list := "file,taken_at\n"
		for _, night := range nights {
			list += fmt.Sprintf("%s,%s\n", backupName(night), night.Format(time.RFC3339))
		}
		if err := os.WriteFile(filepath.Join(s.dir, demoName, "backups.csv"), []byte(list), 0o644); err != nil {
			return err
		}
		return declared("catalogue: {url: file:demo/backups.csv, name: file, at: taken_at}")(ctx, b, s)
	}
}

// storeAlone is a failure of the store that nothing else notices.
func storeAlone(code verdict.Code, id string) Want {
	w := alone(code, id)
	w.Stage = verdict.StageChoose
	return w
}

// swollen is what a bot does that echoes itself: no row is more or less.
const swollen = "UPDATE bot.messages m SET body = (SELECT string_agg(md5(m.id::text || n), ' ') " +
	"FROM generate_series(1, 12) n)"

// declared adds a line to what is expected of the store.
func declared(line string) Break { return edited("inventory:\n", "inventory:\n  "+line+"\n") }

// unlisted takes the line of a key out of the drill file.
func unlisted(key string) Break {
	return func(_ context.Context, _ *Maker, s *Store) error { return s.editDrill("  "+key+": ", "  # "+key+": ") }
}

// without removes the backups of some nights, counted from 0.
func without(nights ...int) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		names, err := s.backups()
		if err != nil {
			return err
		}
		for _, i := range nights {
			if err := s.remove(names[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

// older adds tiny backups of as many nights before the first.
func older(n int) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		for _, name := range olderNames(n) {
			if err := s.put(name, []byte("tiny")); err != nil {
				return err
			}
		}
		return nil
	}
}

// gone removes them again.
func gone(n int) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		for _, name := range olderNames(n) {
			if err := s.remove(name); err != nil {
				return err
			}
		}
		return nil
	}
}

func olderNames(n int) []string {
	var names []string
	for i := range n {
		names = append(names, backupName(nightTimes()[0].Add(-time.Duration(i+1)*24*time.Hour)))
	}
	return names
}

// emptied cuts the oldest backups to nothing.
func emptied(n int) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		names, err := s.backups()
		if err != nil {
			return err
		}
		for _, name := range names[:n] {
			if err := s.put(name, nil); err != nil {
				return err
			}
		}
		return nil
	}
}

// The second store, as the drill file names it.
const (
	secondDir = demoName + "/second"
	secondURL = "file:" + secondDir + "/"
)

// copied makes a second store that holds the first nights, the last of them
// spoiled unless that is nil.
func copied(held int, spoil func(dump []byte)) Break {
	return func(ctx context.Context, b *Maker, s *Store) error {
		names, err := s.backups()
		if err != nil {
			return err
		}
		second := filepath.Join(s.dir, secondDir)
		if err := os.MkdirAll(second, 0o755); err != nil {
			return fmt.Errorf("make a second store: %w", err)
		}
		for i, name := range names[:held] {
			dump, err := os.ReadFile(s.path(name))
			if err != nil {
				return err
			}
			if i == held-1 && spoil != nil {
				spoil(dump)
			}
			if err := writeBackup(second, name, dump); err != nil {
				return err
			}
		}
		return declared("copies: ["+secondURL+"]")(ctx, b, s)
	}
}
