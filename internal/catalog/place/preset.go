package place

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// wordsOf are what a program is told: as the drill file says, or by a preset.
func wordsOf(e spec.Exec) (words, error) {
	switch e.Preset {
	case "":
		return words{
			list:  func(bool) []string { return e.List },
			fetch: func(name string) []string { return named(e.Fetch, name) },
			read:  parseList,
		}, nil
	case spec.PresetRestic:
		return restic(e), nil
	case spec.PresetBorg:
		return borg(e), nil
	case spec.PresetRclone:
		return rclone(e), nil
	}
	return words{}, verdict.Errorf(verdict.CodeSpec, "write restic, borg or rclone, or list and fetch",
		"open the store: source.exec.preset %q is not known", e.Preset)
}

// FetchWords are the program and its arguments that write a backup of this name to
// standard output.
func FetchWords(e spec.Exec, name string) ([]string, error) {
	w, err := wordsOf(e)
	if err != nil {
		return nil, err
	}
	return w.fetch(name), nil
}

// named puts a backup's name into arguments.
func named(args []string, name string) []string {
	all := make([]string, len(args))
	for i, a := range args {
		all[i] = strings.ReplaceAll(a, "{name}", name)
	}
	return all
}

// snapshotTime is how the name of a snapshot begins: its time in UTC, and after
// an underscore what its program calls it.
const snapshotTime = "20060102T150405Z"

func snapshotName(at time.Time, id string) string { return at.UTC().Format(snapshotTime) + "_" + id }

func snapshotID(name string) string {
	_, id, _ := strings.Cut(name, "_")
	return id
}

// restic keeps files in snapshots: restic backup shop.dump, or --stdin. It is
// asked without a lock, which a key that may only read cannot write.
func restic(e spec.Exec) words {
	base := []string{"restic", "--no-lock"}
	if e.Repository != "" {
		base = append(base, "--repo", e.Repository)
	}
	base = append(base, e.Args...)
	file := path.Join("/", e.File)
	return words{
		list:   func(bool) []string { return slices.Concat(base, []string{"snapshots", "--json"}) },
		fetch:  func(name string) []string { return slices.Concat(base, []string{"dump", snapshotID(name), file}) },
		read:   func(b []byte) ([]entry, bool, error) { return resticSnapshots(b, file) },
		stable: true,
	}
}

// resticSnapshots are those that can hold the file.
func resticSnapshots(b []byte, file string) ([]entry, bool, error) {
	all, told, err := parseList(b)
	if err != nil || !told {
		return all, told, cmpErr(err, "restic wrote no JSON")
	}
	var kept []entry
	for _, e := range all {
		paths, _ := e.fields["paths"].([]any)
		if !slices.ContainsFunc(paths, func(p any) bool { return holds(fmt.Sprint(p), file) }) {
			continue
		}
		id, _ := e.fields["short_id"].(string)
		at, err := snapshotAt(e, "time")
		if id == "" || err != nil {
			return nil, true, cmpErr(err, "a snapshot has no short_id")
		}
		kept = append(kept, entry{name: snapshotName(at, id), size: Unsized, time: at})
	}
	return kept, true, nil
}

// holds reports whether a path is that of a file, or of a folder around it.
func holds(folder, file string) bool {
	folder = path.Join("/", folder)
	return folder == file || strings.HasPrefix(file, strings.TrimSuffix(folder, "/")+"/")
}

func snapshotAt(e entry, field string) (time.Time, error) {
	text, _ := e.fields[field].(string)
	at, ok := parseTime(text)
	if !ok {
		return time.Time{}, fmt.Errorf("the snapshot %s tells no time in %s", e.name, field)
	}
	return at, nil
}

func cmpErr(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return errors.New(otherwise)
}

// borg keeps files in archives. It writes their times without a zone, in that
// of its environment.
func borg(e spec.Exec) words {
	base := append([]string{"borg"}, e.Args...)
	return words{
		list: func(bool) []string {
			args := slices.Concat(base, []string{"list", "--json"})
			if e.Repository != "" {
				args = append(args, e.Repository)
			}
			return args
		},
		fetch: func(name string) []string {
			return slices.Concat(base, []string{"extract", "--stdout", e.Repository + "::" + snapshotID(name),
				strings.TrimPrefix(e.File, "/")})
		},
		read:   borgArchives,
		set:    []string{"TZ=UTC"},
		stable: true,
	}
}

func borgArchives(b []byte) ([]entry, bool, error) {
	all, told, err := parseList(b)
	if err != nil || !told {
		return all, told, cmpErr(err, "borg wrote no JSON")
	}
	for i, e := range all {
		at, err := snapshotAt(e, "start")
		if err != nil {
			return nil, true, err
		}
		all[i] = entry{name: snapshotName(at, e.name), size: Unsized, time: at}
	}
	return all, true, nil
}

// rclone reaches forty kinds of places as folders of files.
func rclone(e spec.Exec) words {
	base := append([]string{"rclone"}, e.Args...)
	return words{
		list: func(deep bool) []string {
			args := slices.Concat(base, []string{"lsjson"})
			if deep {
				args = append(args, "--recursive")
			}
			return append(args, "--", e.Repository)
		},
		fetch: func(name string) []string {
			return slices.Concat(base, []string{"cat", "--", below(e.Repository, name)})
		},
		read: func(b []byte) ([]entry, bool, error) {
			all, told, err := parseList(b)
			if err != nil || !told {
				return all, told, cmpErr(err, "rclone wrote no JSON")
			}
			return all, true, nil
		},
	}
}

// below is a file in a remote, which ends in a colon or in a folder.
func below(remote, name string) string {
	if strings.HasSuffix(remote, ":") || strings.HasSuffix(remote, "/") {
		return remote + name
	}
	return remote + "/" + name
}
