package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Local opens a file, or the folder of a directory archive, of this machine as
// the backup of a drill file, whatever that says of where backups lie. Its time
// is that of its name, if that is written as source.name, else of its header,
// else of when it was last written. The caller closes the store. Problems: those
// of Choose; CodeSpec if there is no such file.
func Local(ctx context.Context, file string, src spec.Source, peek PeekFunc) (Store, Backup, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, Backup{}, err
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, Backup{}, verdict.Errorf(verdict.CodeSpec,
			"a backup of the store is named without ./ before it, as the store names it", "there is no file %s", file)
	}
	dir := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Dir(file)) + "/"}
	store, err := openFile(&dir, spec.Source{URL: dir.String(), Links: spec.LinksFollow})
	if err != nil {
		return nil, Backup{}, err
	}
	s := search{store: store, peek: peek}
	b, err := s.local(ctx, filepath.Base(file), src)
	if err != nil {
		return nil, Backup{}, errors.Join(err, store.Close())
	}
	return store, b, nil
}

func (s *search) local(ctx context.Context, name string, src spec.Source) (Backup, error) {
	b := Backup{Object: Object{Name: name}, TimeFrom: FromHeader, Why: "it was named, a file of this machine"}
	for o, err := range s.store.List(ctx, name, false) {
		if err != nil {
			return b, err
		}
		if o.Name == name {
			b.Object = o
		}
	}
	p := namePattern{source: name, before: name, location: zoneOr(src.Location)}
	s.patterns = []namePattern{p}
	if b.Not == Folder {
		all, err := s.withContents(ctx, p, []Backup{b})
		if err != nil {
			return b, err
		}
		if len(all) == 0 || all[0].Parts == nil {
			return b, s.noArchive(ctx, name)
		}
		b = all[0]
	}
	if err := s.usable(b); err != nil {
		return b, err
	}
	err := s.localTime(ctx, &b, src)
	b.All = []Entry{b.Entry()}
	return b, err
}

// noArchive is the Problem of a folder that was named and is no directory
// archive: it says what is there instead.
func (s *search) noArchive(ctx context.Context, folder string) error {
	const most = 3
	var names []string
	count := 0
	for o, err := range s.store.List(ctx, folder+"/", true) {
		if err != nil {
			return err
		}
		count++
		if count <= most {
			names = append(names, verdict.Printable(strings.TrimPrefix(o.Name, folder+"/")))
		}
	}
	holds := "it is empty"
	if count > 0 {
		holds = "it holds " + strings.Join(names, ", ")
	}
	if count > most {
		holds += fmt.Sprintf(" and %d more", count-most)
	}
	return verdict.Errorf(verdict.CodeSpec,
		"name one file, or the folder of one directory archive; to drill the newest of a folder, or parts, write the "+
			"folder as source.url", "%s%s/ is a folder, and no directory archive (pg_dump -Fd): it has no %s; %s",
		s.store.URL(), folder, tocName, holds)
}

// localTime finds out when a file of this machine was taken.
func (s *search) localTime(ctx context.Context, b *Backup, src spec.Source) error {
	ps, err := newPatterns(src)
	if err != nil {
		return err
	}
	for _, p := range ps {
		p.before = p.before[strings.LastIndex(p.before, "/")+1:]
		taken, ok, err := p.match(b.Name)
		if ok && err == nil && p.timed {
			b.TakenAt = taken
			b.Until = p.until(taken)
			b.TimeFrom = FromName
			return nil
		}
	}
	one := []Backup{*b}
	err = peekAll(ctx, s.store, one, zoneOr(src.Location), s.peek, "it is the file that was named")
	switch {
	case err == nil:
		*b = one[0]
		return nil
	case outcome(err) == verdict.Fail, verdict.AsProblem(err).Code != verdict.CodeSpec:
		return err
	}
	b.TakenAt = b.ModTime.UTC()
	b.Until = b.ModTime.UTC()
	b.TimeFrom = FromFile
	return nil
}
