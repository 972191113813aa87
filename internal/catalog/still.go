package catalog

import (
	"context"
	"path/filepath"
	"strings"

	"daybefore/internal/verdict"
)

const growingHint = "run the drill later than the backup job; best let the job write under another name, and rename " +
	"the file once it is whole"

// StillWritten looks once more at a backup that turned out not to be whole:
// whether it is still being written. It returns a Problem (CodeUnfinished,
// error) if so, and nil where nothing speaks for it.
func StillWritten(ctx context.Context, store Store, b Backup) error {
	for _, p := range b.parts() {
		now, there, err := p.again(ctx, store)
		if err != nil {
			return nil // what is known of the backup is worth more
		}
		switch {
		case there && now.Size != p.Size:
			return verdict.Errorf(verdict.CodeUnfinished, growingHint,
				"%s%s is still being written: it had %d bytes when it was listed, and has %d now", store.URL(), p.Name, p.Size,
				now.Size)
		case there && now.ETag != p.ETag && p.ETag != "":
			return wasChanged(store, p.Object, "it was written to")
		}
		local, is := store.(*fileStore)
		for _, o := range p.Objects {
			if is && local.beingWritten(o.Name) {
				return verdict.Errorf(verdict.CodeUnfinished, growingHint,
					"%s%s is still being written: a program has it open to write to it", store.URL(), o.Name)
			}
		}
	}
	return nil
}

// again is a part as the store has it now.
func (p Part) again(ctx context.Context, store Store) (now Object, there bool, err error) {
	if !p.Directory() {
		return find(ctx, store, p.Name)
	}
	var files []Object
	for o, err := range store.List(ctx, p.Name+"/", true) {
		if err != nil {
			return Object{}, false, err
		}
		files = append(files, o)
	}
	b, is := Backup{Object: Object{Name: p.Name}}.directory(files)
	if !is {
		return Object{}, false, nil
	}
	b, err = b.stated(ctx, store)
	return b.parts()[0].Object, err == nil, err
}

// StoredAs looks whether the fetched bytes are those that the store holds, as
// AsStored does for each file.
func StoredAs(ctx context.Context, store Store, b Backup, s Spooled) error {
	for i, p := range b.parts() {
		for _, o := range p.Objects {
			at := s.Path
			if i < len(s.Files) {
				at = s.Files[i]
			}
			if p.Directory() {
				at = filepath.Join(at, filepath.FromSlash(strings.TrimPrefix(o.Name, p.Name+"/")))
			}
			if err := AsStored(ctx, store, o, at); err != nil {
				return err
			}
		}
	}
	return nil
}
