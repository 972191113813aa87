package spec

import (
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/invopop/jsonschema"

	"daybefore/internal/spec/tree"
)

// DatabaseMark stands for the database in a drill file of several.
const DatabaseMark = "{database}"

// standIn is checked in the place of databases that are not known yet.
const standIn = "database"

// rawDatabases says of which databases a file makes a drill each: their names,
// or a pattern over what the store holds.
type rawDatabases struct {
	mapping
	names   []text
	Pattern text   `json:"pattern" hint:"write the backups' names, such as \"shop-{database}-{time}.dump\""`
	Except  []text `json:"except,omitempty"`
}

func (d *rawDatabases) list() *[]text { return &d.names }

// JSONSchemaExtend tells editors of the list.
func (rawDatabases) JSONSchemaExtend(s *jsonschema.Schema) {
	long := *s
	list := &jsonschema.Schema{Type: "array", Items: text{}.JSONSchema()}
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{list, &long}}
}

// Folder is a database's name as it stands in a drill's, and so in the names of
// folders and files. Small letters, digits, _ - and . stay as they are; before
// a capital letter's small form stands +; of anything else each byte is written
// as ~ and two hexadecimal digits. No two names become one, even where a file
// system takes capital letters for small ones.
func Folder(database string) string {
	var b strings.Builder
	for i := range len(database) {
		c := database[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("_-.", c) >= 0:
			b.WriteByte(c)
		case 'A' <= c && c <= 'Z':
			b.WriteByte('+')
			b.WriteByte(c - 'A' + 'a')
		default:
			b.WriteByte('~')
			b.WriteString(hex.EncodeToString([]byte{c}))
		}
	}
	return b.String()
}

// OfFolder is the database whose Folder it is. It reports whether there is one.
func OfFolder(folder string) (database string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(folder); i++ {
		length := map[byte]int{'+': 1, '~': 2}[folder[i]]
		if i+length >= len(folder) {
			return "", false
		}
		written := folder[i+1 : i+1+length]
		switch length {
		case 0:
			b.WriteByte(folder[i])
		case 1:
			b.WriteString(strings.ToUpper(written))
		default:
			octet, err := hex.DecodeString(written)
			if err != nil {
				return "", false
			}
			b.Write(octet)
		}
		i += length
	}
	return b.String(), Folder(b.String()) == folder
}

// variablePart is a database's name in the name of a variable.
func variablePart(database string) string {
	return strings.ToUpper(regexp.MustCompile(`[^A-Za-z0-9_]`).ReplaceAllString(database, "_"))
}

// escaped is a database's name in a URL.
func escaped(database string) string {
	return strings.ReplaceAll(url.PathEscape(database), "%2F", "/")
}

func asIs(database string) string { return database }

// databaseForms say in which keys {database} stands for a database, and how it
// is written there. Anywhere else, such as in SQL, it is text like any other.
var databaseForms = []struct {
	keys *regexp.Regexp
	form func(database string) string
}{
	{regexp.MustCompile(`(_env|\.env)$`), variablePart},
	{regexp.MustCompile(`(\.key_file|\.known_hosts|\.age_identity_file|\.openpgp_key_file|\.baseline)$`), Folder},
	{regexp.MustCompile(`(\.url|\.endpoint)$|^history$|^inventory\.copies$`), escaped},
	{regexp.MustCompile(`^source\.(name|parts|database|region|listing|user|exec|exec\..*|decrypt\.command)$|` +
		`\.profile$|^expectations\.roles$`), asIs},
}

// formIn is how a database is written in a key; nil where {database} is text
// like any other.
func formIn(path string) func(database string) string {
	for _, f := range databaseForms {
		if f.keys.MatchString(path) {
			return f.form
		}
	}
	return nil
}

// marked visits the texts in which {database} stands for a database.
func marked(root *tree.Node, visit func(path string, text *tree.Node)) {
	root.Change(func(path string, text *tree.Node) string {
		if strings.Contains(text.Text, DatabaseMark) && formIn(path) != nil {
			visit(path, text)
		}
		return text.Text
	})
}

// ofDatabase is the file of one of its databases.
func ofDatabase(root *tree.Node, database string) *tree.Node {
	return root.Change(func(path string, text *tree.Node) string {
		form := formIn(path)
		if form == nil {
			return text.Text
		}
		return strings.ReplaceAll(text.Text, DatabaseMark, form(database))
	})
}

// longestDatabase is that of a server's own names, in bytes.
const longestDatabase = 63

// databaseFault says why a name can be no database's here; nil if it can.
func databaseFault(name string) *unplaced {
	segments := strings.Split(name, "/")
	switch {
	case strings.TrimSpace(name) == "":
		return unplacedf("write a database's name", "a name is empty")
	case !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl):
		return unplacedf("write a database's name", "%s holds what is no letter", shown(name))
	case len(name) > longestDatabase:
		return unplacedf("write a database's name", "%s is longer than a database's name can be", shown(name))
	case strings.ContainsAny(name, "*{}"):
		return unplacedf("give the database a drill file of its own",
			"%s would be a pattern in the names of backups", shown(name))
	case strings.HasPrefix(name, "-"):
		return unplacedf("give the database a drill file of its own",
			"a program would take %s for an option", shown(name))
	case slices.Contains(segments, "."), slices.Contains(segments, ".."):
		return unplacedf("give the database a drill file of its own",
			"%s would lead out of the folder of its backups", shown(name))
	}
	return nil
}

// databases checks of which databases a file makes drills.
func (c checker) databases(raw *rawDatabases, root *tree.Node) {
	seen := unique[string]{}
	for _, t := range append(slices.Clone(raw.names), raw.Except...) {
		if fault := databaseFault(t.Value); fault != nil && t.given() {
			c.refuseUnplaced(t.at, "databases", fault)
		}
		seen.check(c, t, t.Value, "databases", "list it once")
	}
	inSource := false
	marked(root, func(path string, text *tree.Node) {
		inSource = inSource || strings.HasPrefix(path, "source.")
		if raw.Pattern.given() && beforeKnown.MatchString(path) {
			c.refuse(text.At, "write it out, or list the databases by name",
				"%s holds {database}, and is read before the store told which there are", path)
		}
	})
	if !inSource {
		c.refuse(raw.at, `write {database} into source.name, such as "shop-{database}-{time}.dump", or source.url`,
			"databases: no key of source holds {database}, so that each drill would be of the same backup")
	}
	c.once(raw.Pattern)
	c.apart(raw.names, root)
}

// beforeKnown are the keys that say where the store of backups and that of
// reports are.
var beforeKnown = regexp.MustCompile(`^history|^source\.(url|exec|listing|user|password|token|key_|known_hosts|region|` +
	`endpoint)`)

// once wants that of the pattern which tells the databases.
func (c checker) once(t text) {
	if n := strings.Count(t.Value, DatabaseMark); t.given() && n != 1 {
		c.refuse(t.at, `write it once, as in "shop-{database}-{time}.dump"`,
			"databases.pattern holds {database} %d times", n)
	}
}

// apart refuses databases that would be given the secrets of one another.
func (c checker) apart(names []text, root *tree.Node) {
	key := ""
	marked(root, func(path string, text *tree.Node) {
		if strings.HasSuffix(path, "env") {
			key = path
		}
	})
	if key == "" {
		return
	}
	of := map[string]string{}
	for _, t := range names {
		part := variablePart(t.Value)
		if before, taken := of[part]; taken && before != t.Value {
			c.refuse(t.at, "give one of them a drill file of its own",
				"databases: %s and %s would share the variable of %s", shown(before), shown(t.Value), key)
		}
		of[part] = t.Value
	}
}
