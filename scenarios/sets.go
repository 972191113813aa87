package scenarios

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"daybefore/internal/verdict"
)

// brokenSets are backups of several files, or several databases, of which
// something is missing, and one that is not there yet.
func brokenSets() []Scenario {
	const missing = verdict.CodeUnfinished
	return []Scenario{
		{Name: "nothing broken, in two parts", Break: parted(nil), Want: pass},
		{"one part missing", parted(func(s *Store, globals string) error { return os.Remove(s.path(globals)) }),
			fail(verdict.StageChoose, missing)},
		{"a part of another night", parted(ofAnotherNight), fail(verdict.StageChoose, missing)},
		{Name: "nothing broken, rows in a part of their own", Break: sectioned(nil), Want: pass},
		{"the rows of another night beside the schema", sectioned(lastWeeks), fail(verdict.StageChoose, verdict.CodeTimeMismatch)},
		{"a cluster's dump without the database", since(foreignCluster), fail(verdict.StageFetch, verdict.CodeDatabase)},
		{"a newest backup that is still being written", growing, unverified(verdict.StageFetch, missing)},
	}
}

const clusterEnd = "--\n-- PostgreSQL database cluster dump complete\n--\n\n"

const globalsText = "--\n-- PostgreSQL database cluster dump\n--\n\nSET client_encoding = 'UTF8';\n" +
	"SET standard_conforming_strings = on;\n\nCREATE ROLE app;\n\n" + clusterEnd

// parted puts what all databases share beside each backup, some hours ago, and
// breaks something of the newest night's.
func parted(spoil func(s *Store, globals string) error) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		names, err := s.backups()
		if err != nil {
			return err
		}
		globals := ""
		for _, name := range names {
			globals = "globals-" + strings.TrimSuffix(strings.TrimPrefix(name, "shop-"), ".dump") + ".sql"
			if err := s.put(globals, []byte(globalsText)); err != nil {
				return err
			}
		}
		err = s.editDrill("  name: shop-{time}.dump\n", "  parts: [\"globals-{time}.sql\", \"shop-{time}.dump\"]\n")
		if err != nil {
			return err
		}
		if spoil != nil {
			if err := spoil(s, globals); err != nil {
				return err
			}
		}
		return s.settled()
	}
}

// settled makes all files old enough that nothing of them is still on its way.
func (s *Store) settled() error {
	long := time.Now().Add(-3 * time.Hour)
	files, err := filepath.Glob(s.path("*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Chtimes(file, long, long); err != nil {
			return err
		}
	}
	return nil
}

// ofAnotherNight gives the newest night's part the name of the night before that
// of all others.
func ofAnotherNight(s *Store, globals string) error {
	another := backupName(nightTimes()[0].Add(-24 * time.Hour))
	another = "globals-" + strings.TrimSuffix(strings.TrimPrefix(another, "shop-"), ".dump") + ".sql"
	return os.Rename(s.path(globals), s.path(another))
}

// sectioned lets each night's backup be its three sections, and spoils the newest
// night's rows. (By pg_dump -s and -a nothing would fill the materialized view.)
func sectioned(spoil func(rows []byte) error) Break {
	return func(ctx context.Context, b *Maker, s *Store) error {
		names, err := s.backups()
		if err != nil {
			return err
		}
		for _, section := range []string{"pre-data", "data", "post-data"} {
			dump, err := b.dump(ctx, variant{database: shopDatabase, template: goodTemplate, section: section})
			if err != nil {
				return err
			}
			if section == "data" && spoil != nil {
				dump = bytes.Clone(dump)
				if err := spoil(dump); err != nil {
					return err
				}
			}
			for _, name := range names {
				if err := s.put(section+strings.TrimPrefix(name, "shop"), dump); err != nil {
					return err
				}
			}
		}
		err = s.editDrill("  name: shop-{time}.dump\n",
			"  parts: [\"pre-data-{time}.dump\", \"data-{time}.dump\", \"post-data-{time}.dump\"]\n")
		if err != nil {
			return err
		}
		return s.settled()
	}
}

// lastWeeks makes a dump one of a week before.
func lastWeeks(dump []byte) error {
	nights := nightTimes()
	return setDumpTime(dump, nights[len(nights)-1].AddDate(0, 0, -7))
}

// foreignCluster is a dump of all databases of another instance.
func foreignCluster(_ context.Context, _ *Maker, s *Store) error {
	name, _, err := s.newest()
	if err != nil {
		return err
	}
	const begin, end = "--\n-- PostgreSQL database dump\n--\n\n", "--\n-- PostgreSQL database dump complete\n--\n\n"
	text := strings.TrimSuffix(globalsText, clusterEnd)
	for _, database := range []string{"blog", "wiki"} {
		text += fmt.Sprintf("\\connect %s\n\n%sSET client_encoding = 'UTF8';\nCREATE TABLE public.a (x integer);\n\n%s",
			database, begin, end)
	}
	return s.put(name, []byte(text+clusterEnd))
}

// growing leaves the newest backup half written, with a program at work on it.
func growing(_ context.Context, _ *Maker, s *Store) error {
	name, dump, err := s.newest()
	if err != nil {
		return err
	}
	if err := os.Remove(s.path(name) + sideSuffix); err != nil {
		return err
	}
	f, err := os.Create(s.path(name))
	if err != nil {
		return err
	}
	s.atExit = append(s.atExit, func() { _ = f.Close() })
	_, err = f.Write(dump[:len(dump)/2])
	return err
}
