package spec

import (
	"regexp"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"daybefore/internal/spec/family"
	"daybefore/internal/spec/tree"
)

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

// databases checks of which databases a file makes drills.
func (c checker) databases(raw *rawDatabases, root *tree.Node) {
	seen := unique[string]{}
	for _, t := range raw.names {
		c.fit(t)
	}
	for _, t := range append(slices.Clone(raw.names), raw.Except...) { // which may name what cannot be drilled
		seen.check(c, t, t.Value, "databases", "list it once")
	}
	inSource := false
	family.Marked(root, func(path string, place *tree.Node) {
		inSource = inSource || strings.HasPrefix(path, "source.")
		if raw.Pattern.given() && beforeKnown.MatchString(path) {
			c.refuse(place.At, "write it out, or list the databases by name",
				"%s holds {database}, and is read before the store told which there are", path)
		}
	})
	if !inSource {
		c.refuse(raw.at, `write {database} into source.name, such as "shop-{database}-{time}.dump", or source.url`,
			"databases: no key of source holds {database}, so that each drill would be of the same backup")
	}
	c.heartbeats(raw, root)
	c.once(raw.Pattern)
	if !raw.Pattern.given() {
		c.alone(root)
	}
	c.apart(raw.names, root)
}

// heartbeats refuses one monitor of all databases: the pass of one would hide
// that another failed.
func (c checker) heartbeats(raw *rawDatabases, root *tree.Node) {
	env := root.Find("notify").Find("heartbeat_env")
	if env == nil || strings.Contains(env.Text, family.Mark) || !raw.Pattern.given() && len(raw.names) == 1 {
		return
	}
	c.refuse(env.At, "give each a monitor of its own: heartbeat_env: '"+env.Text+"_{database}'",
		"notify.heartbeat_env: the pass of one database would hide from its monitor that another failed")
}

// fit refuses what can be no database's name here.
func (c checker) fit(t text) {
	message, hint := family.Fault(t.Value)
	if message != "" {
		c.refuse(t.at, hint, "databases: %s %s", shown(t.Value), message)
	}
}

// fitTold is fit of a database that the store told.
func (c checker) fitTold(t text) {
	message, _ := family.Fault(t.Value)
	if message != "" {
		c.refuse(t.at, "name it under databases.except; if it is one, give it a drill file of its own",
			"databases.pattern: the store holds a backup of %s, which %s", shown(t.Value), message)
	}
}

// beforeKnown are the keys that say where the store of backups and that of
// reports are.
var beforeKnown = regexp.MustCompile(`^history|` +
	`^source\.(url|exec|listing|user|password|token|key_|known_hosts|region|endpoint)`)

// once wants that of the pattern which tells the databases.
func (c checker) once(t text) {
	if n := strings.Count(t.Value, family.Mark); t.given() && n != 1 {
		c.refuse(t.at, `write it once, as in "shop-{database}-{time}.dump"`,
			"databases.pattern holds {database} %d times", n)
	}
}

// alone refuses names of backups in which a star may stand for a part of another
// database's name: that of eu would take those of eu-west, which nobody listed.
func (c checker) alone(root *tree.Node) {
	family.Marked(root, func(path string, place *tree.Node) {
		if path != "source.name" && path != "source.parts" {
			return
		}
		for part := range strings.SplitSeq(strings.ReplaceAll(place.Text, timeMark, "/"), "/") {
			if strings.Contains(part, family.Mark) && strings.Contains(part, "*") {
				c.refuse(place.At, "write {time} between them, or give each database a folder, as in '{database}/*.dump'",
					"%s: the * beside {database} would take backups of other databases too, such as eu-west's for eu", path)
			}
		}
	})
}

// apart refuses databases that would be given the secrets of one another.
func (c checker) apart(names []text, root *tree.Node) {
	key := ""
	family.Marked(root, func(path string, text *tree.Node) {
		if strings.HasSuffix(path, "env") {
			key = path
		}
	})
	if key == "" {
		return
	}
	of := map[string]string{}
	for _, t := range names {
		part := family.Variable(t.Value)
		if before, taken := of[part]; taken && before != t.Value {
			c.refuse(t.at, "give one of them a drill file of its own",
				"databases: %s and %s would share the variable of %s", shown(before), shown(t.Value), key)
		}
		of[part] = t.Value
	}
}
