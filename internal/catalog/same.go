package catalog

import (
	"context"
	"strings"

	"daybefore/internal/catalog/place"
)

// Likeness is what came of comparing an object in two stores.
type Likeness struct {
	Absent bool // the second store has no such file
	Differ bool
	By     string // what was compared, for people; the sizes alone are a weak sign
	Sizes  [2]int64
}

// Same compares a backup of one store with that of another, as far as that can be
// done without reading it: by size, then by a sum that both stores or the files
// beside it tell, else by a mark that only equal objects share. Many files are
// compared by size and mark.
func Same(ctx context.Context, a, b Store, e Entry) (Likeness, error) {
	if e.Objects != nil {
		return sameSet(ctx, b, e)
	}
	return sameFile(ctx, a, b, e.Name)
}

// sameSet looks for the files of a backup in another store.
func sameSet(ctx context.Context, b Store, e Entry) (Likeness, error) {
	there := map[string]Object{}
	for o, err := range b.List(ctx, commonPrefix(e.Objects), true) {
		if err != nil {
			return Likeness{}, err
		}
		there[o.Name] = o
	}
	l := Likeness{By: "size and ETag", Sizes: [2]int64{max(e.Size, 0), 0}}
	for _, x := range e.Objects {
		y, found := there[x.Name]
		if !found {
			l.Absent = true
			continue
		}
		l.Sizes[1] += max(y.Size, 0)
		l.Differ = l.Differ || x.Size != y.Size && x.Size != place.Unsized && y.Size != place.Unsized
		if x.ETag != y.ETag || x.ETag == "" {
			l.By = "size only"
		}
	}
	if l.Differ {
		l.By = "size"
	}
	return l, nil
}

// commonPrefix is what all names begin with.
func commonPrefix(all []Object) string {
	prefix := all[0].Name
	for _, o := range all {
		for !strings.HasPrefix(o.Name, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix
}

// sameFile compares the file that two stores hold under a name.
func sameFile(ctx context.Context, a, b Store, name string) (Likeness, error) {
	x, there, err := find(ctx, a, name)
	if err != nil {
		return Likeness{}, err
	}
	if !there {
		return Likeness{}, wasChanged(a, Object{Name: name}, "it was removed")
	}
	y, found, err := find(ctx, b, name)
	if err != nil || !found {
		return Likeness{Absent: !found}, err
	}
	l := Likeness{Sizes: [2]int64{x.Size, y.Size}}
	if x.Size != y.Size && x.Size != place.Unsized && y.Size != place.Unsized {
		l.Differ, l.By = true, "size"
		return l, nil
	}
	sumsX, err := sumsOf(ctx, a, x)
	if err != nil {
		return Likeness{}, err
	}
	sumsY, err := sumsOf(ctx, b, y)
	if err != nil {
		return Likeness{}, err
	}
	l.By = "size only"
	// unlike ones may still mark the same bytes
	if x.ETag == y.ETag && x.ETag != "" && !strings.HasPrefix(x.ETag, place.Weak) {
		l.By = "size and ETag"
	}
	for _, kind := range sumKinds {
		if sumsX[kind] != "" && sumsY[kind] != "" {
			l.By, l.Differ = kind, sumsX[kind] != sumsY[kind]
			return l, nil
		}
	}
	return l, nil
}

// find looks for a file of this very name.
func find(ctx context.Context, store Store, name string) (o Object, found bool, err error) {
	for o, err := range store.List(ctx, name, strings.Contains(name, "/")) {
		if err != nil {
			return Object{}, false, err
		}
		if o.Name == name && o.Not == "" {
			o, err := exact(ctx, store, o)
			return o, err == nil, err
		}
	}
	return Object{}, false, nil
}

// sumKinds are compared in this order, the strongest first.
var sumKinds = []string{"SHA-256", "SHA-1", "CRC-64/NVME", "CRC-32C", "CRC-32", "SHA-512", "SHA-384", "SHA-224",
	"BLAKE2b", "MD5"}

// sumsOf are the sums of a file that the store, or a file beside it, tells: by
// kind, in hexadecimal.
func sumsOf(ctx context.Context, store Store, o Object) (map[string]string, error) {
	all := map[string]string{}
	told, err := sideSum(ctx, store, o, false)
	if err != nil {
		return nil, err
	}
	if s, ok := store.(*s3Store); ok {
		head, err := s.head(ctx, o)
		if err != nil {
			return nil, err
		}
		for _, sum := range headSums(head) {
			all[sum.Kind] = sum.Hex
		}
	}
	if o.Sum.Kind != "" {
		all[o.Sum.Kind] = o.Sum.Hex
	}
	if all[told.kind.title()] == "" { // the store's own is of what it holds
		all[told.kind.title()] = told.sum
	}
	return all, nil
}
