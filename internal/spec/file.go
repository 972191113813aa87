package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"daybefore/internal/spec/family"
	"daybefore/internal/spec/folder"
	"daybefore/internal/spec/tree"
)

// file is a drill file with the defaults below it, before it is checked.
type file struct {
	loader    Loader
	path      string
	data      []byte
	root      *tree.Node // with the defaults, without databases
	merged    bool       // the defaults say something
	databases *rawDatabases
	below     Mistakes // of the defaults
}

// Several are the databases of a file that the store tells. Whoever can list
// it asks it, and then calls Each.
type Several struct {
	file   file
	Drill  *Drill   // of a database that stands for all: where the store and the history are
	Source Source   // the same store; its Name is the pattern, which holds {database} once
	Except []string // databases that are not drilled
}

// loadFile gives the drills of one file, at least one.
func (l Loader) loadFile(path string, below *defaults) []Loaded {
	data, err := folder.Read(path)
	if err != nil {
		d := &mistakeList{file: path}
		d.refuse(Pos{}, folder.Readable(path, err), "read drill file: %v", err)
		return []Loaded{{Name: folder.NameOf(path), Path: path, Err: d.mistakes}}
	}
	return l.loadText(path, data, below)
}

// loadText gives the drills of what stands in a file, at least one.
func (l Loader) loadText(path string, data []byte, below *defaults) []Loaded {
	d := &mistakeList{file: path}
	all := l.drills(d, data, below)
	if len(d.mistakes) > 0 {
		d.mistakes = append(d.mistakes, below.mistakes...)
		return []Loaded{{Name: folder.NameOf(path), Path: path, Err: d.mistakes.sorted()}}
	}
	return all
}

// drills are those of the file's bytes; none if the list says what keeps them
// from being told.
func (l Loader) drills(d *mistakeList, data []byte, below *defaults) []Loaded {
	root := parse(d, "", data)
	switch {
	case len(d.mistakes) > 0:
		return nil
	case root == nil || root.Kind != tree.Mapping:
		decode(d, root, false)
		return nil
	case below.root == nil && len(below.mistakes) > 0: // what the file lacks may stand there
		d.mistakes = below.mistakes
		return nil
	}
	f := file{loader: l, path: d.file, data: data, below: below.mistakes, merged: below.root != nil}
	f.databases = readDatabases(d, root)
	f.root = tree.Over(below.root, root.Without("databases"))
	switch {
	case len(d.mistakes) > 0:
		return nil
	case f.databases == nil:
		return []Loaded{f.drill("", nil, nil)}
	}
	f.named()
	l.checker(d, d.file).databases(f.databases, f.root)
	switch {
	case len(d.mistakes) > 0:
		return nil
	case f.databases.Pattern.given():
		return []Loaded{f.several()}
	}
	return f.each(values(f.databases.names))
}

func (l Loader) checker(d *mistakeList, path string) checker {
	return checker{mistakeList: d, loader: l, folder: filepath.Dir(path)}
}

// readDatabases takes what a file says of its databases; nil if it says
// nothing.
func readDatabases(d *mistakeList, root *tree.Node) *rawDatabases {
	var raw *rawDatabases
	for _, e := range root.Keys {
		switch {
		case e.Key.Text != "databases":
		case raw != nil:
			d.refuse(e.Key.At, "keep one of them", "databases appears twice")
		default:
			raw = &rawDatabases{}
			walker{mistakeList: d}.into(e.Value, e.Key.At, reflect.ValueOf(raw).Elem(), "databases", "")
		}
	}
	return raw
}

// named lets the pattern be source.name, where that is not written.
func (f *file) named() {
	source := f.root.Find("source")
	pattern := f.databases.Pattern
	if !pattern.given() || source == nil || source.Kind != tree.Mapping ||
		source.Find("name") != nil || source.Find("parts") != nil {
		return
	}
	name := tree.Entry{Key: tree.Node{Text: "name", At: pattern.at},
		Value: &tree.Node{Text: pattern.Value, At: pattern.at}}
	f.root = tree.Over(f.root, &tree.Node{Kind: tree.Mapping, At: f.root.At, Keys: []tree.Entry{{
		Key:   tree.Node{Text: "source", At: source.At},
		Value: &tree.Node{Kind: tree.Mapping, At: source.At, Keys: []tree.Entry{name}},
	}}})
}

// several stands for databases that the store tells. Secrets and baselines may
// have the database in their names, so that they are read later.
func (f file) several() Loaded {
	alike := f
	alike.loader.WithoutSecrets = true
	alike.loader.WithoutBaseline = true
	found := alike.drill(standIn, nil, nil)
	l := Loaded{Name: folder.NameOf(f.path), Path: f.path, Err: found.Err}
	if found.Err == nil {
		l.Several = &Several{file: f, Drill: found.Drill, Source: found.Drill.Source, Except: values(f.databases.Except)}
		l.Several.Source.Name = f.databases.Pattern.Value
		l.Several.Source.Parts = nil
		l.Several.Source.Siblings = nil // they are what is asked for
	}
	return l
}

// Each gives a drill of each of these databases, in their order.
func (s *Several) Each(databases []string) []Loaded {
	d := &mistakeList{file: s.file.path}
	c := s.file.loader.checker(d, s.file.path)
	var names []text
	for _, name := range databases {
		t := text{leaf[string]{name, s.file.databases.Pattern.at}}
		c.fitTold(t)
		names = append(names, t)
	}
	c.apart(names, s.file.root)
	if len(d.mistakes) > 0 {
		return []Loaded{{Name: folder.NameOf(s.file.path), Path: s.file.path, Err: d.mistakes}}
	}
	return s.file.each(values(names))
}

// each is a drill of each of its databases.
func (f file) each(databases []string) []Loaded {
	known := slices.DeleteFunc(append(values(f.databases.Except), databases...), func(name string) bool {
		message, _ := family.Fault(name)
		return message != "" // in a pattern it would be one
	})
	var all []Loaded
	for _, name := range databases {
		var others []string
		for _, other := range known {
			if other != name && strings.Contains(other, name) {
				others = append(others, other)
			}
		}
		all = append(all, f.drill(name, others, known))
	}
	return all
}

// drill checks the file of one database, which others may be mistaken for, or
// of its only one.
func (f file) drill(database string, others, known []string) Loaded {
	d := &mistakeList{file: f.path}
	loaded := Loaded{Name: folder.NameOf(f.path), Path: f.path, Database: database}
	if !IsDrillName(loaded.Name) {
		d.refuse(Pos{Line: 1, Column: 1}, "rename the file: small letters, digits, _ and - only, and not defaults",
			"a drill is called as its file, and %s is not a valid name", shown(loaded.Name))
	}
	root := f.root
	c := f.loader.checker(d, f.path)
	if database == "" {
		c.unmarked(root)
	} else {
		loaded.Name += "@" + family.Folder(database)
		root = family.Of(root, database)
	}
	drill := c.drill(decode(d, root, false), f.siblings(), others, known)
	drill.Name = loaded.Name
	drill.SHA256 = f.digest(root, drill.Expectations.Schema)
	loaded.Notify = drill.Notify
	d.mistakes = append(d.mistakes, f.below...)
	if len(d.mistakes) > 0 {
		loaded.Err = d.mistakes.sorted()
		return loaded
	}
	loaded.Drill = drill
	loaded.Effective = root
	return loaded
}

// siblings are source.name, or source.parts, as they are written for all
// databases; nil where that is for one.
func (f file) siblings() (patterns []string) {
	source := f.root.Find("source")
	if name := source.Find("name"); name != nil {
		patterns = append(patterns, name.Text)
	}
	if parts := source.Find("parts"); parts != nil {
		for _, part := range parts.Items {
			patterns = append(patterns, part.Text)
		}
	}
	if !slices.ContainsFunc(patterns, func(p string) bool { return strings.Contains(p, family.Mark) }) {
		return nil
	}
	return patterns
}

// unmarked refuses {database} in a file that is of one alone.
func (c checker) unmarked(root *tree.Node) {
	family.Marked(root, func(path string, place *tree.Node) {
		c.refuse(place.At, "add databases: [eu, us] to the drill file, or write the name out",
			"%s holds {database}, and the drill file names no databases", path)
	})
}

// drill turns what was written into a drill; what is wrong goes to the list.
func (c checker) drill(raw *rawDrill, siblings, others, known []string) *Drill {
	drill := &Drill{Path: c.file}
	drill.Timeout = c.positive(raw.Timeout, "timeout", defaultTimeout)
	drill.Source = c.source(raw.Source)
	drill.Source.Siblings = siblings
	drill.Source.Others = others
	drill.Source.Known = known
	drill.Inventory = c.inventory(raw.Inventory, drill.Source)
	drill.Sandbox = c.sandbox(raw.Sandbox)
	drill.Restore = c.restore(raw.Restore)
	drill.Scrub = c.scrub(raw.Scrub)
	drill.Expectations = c.expectations(raw.Expectations)
	drill.LatestEvents = c.latestEvents(raw.LatestEvents)
	drill.History = c.history(raw.History, drill.Source, drill.Scrub)
	drill.KeepReports = c.keepReports(raw.Reports)
	drill.Metrics = c.metrics(raw.Metrics)
	drill.Sign = c.sign(raw.Sign)
	drill.Runbook = c.runbook(raw.Runbook, drill.Source)
	drill.Notify = c.notify(raw.Notify)
	drill.ProvenWithin = c.positive(raw.ProvenWithin, "proven_within", 0)
	drill.Expectations.Witness = c.witnesses(raw.Expectations, drill)
	c.sumFiles(raw.Expectations, drill)
	c.scrubbedTimes(raw, drill)
	c.loadedTables(raw, drill)
	return drill
}

// digest tells whether what the file says has changed, with the defaults below
// it and for its database, or the baseline, which is a part of it. Of a file
// alone it is that of its bytes.
func (f file) digest(root *tree.Node, s *Baseline) string {
	written := f.data
	if f.merged || f.databases != nil {
		written = root.YAML(nil)
	}
	h := sha256.New()
	h.Write(written)
	if s != nil && s.Structure != nil {
		structure, _ := s.Structure.JSON() // of texts alone, so it never fails
		h.Write(structure)
	}
	return hex.EncodeToString(h.Sum(nil))
}
