package spec

import "strings"

// parts are the names of what a backup consists of, where that are several.
func (c checker) parts(raw *rawSource) []string {
	const key = "source.parts"
	if len(raw.Parts) == 0 {
		return nil
	}
	if raw.Name.given() {
		c.refuse(raw.Name.at, "keep name for a backup of one file or folder, parts for several",
			"source holds name and parts")
	}
	if len(raw.Parts) == 1 {
		c.refuse(raw.Parts[0].at, "write it as name, or list the other parts", "%s lists one part", key)
	}
	var all []string
	seen := unique[string]{}
	for _, t := range raw.Parts {
		name := c.filled(t, key, `write a pattern such as "shop-{time}.dump"`)
		seen.check(c, t, t.Value, key, "list it once")
		if n := strings.Count(t.Value, timeMark); t.given() && n != 1 {
			c.refuse(t.at, "write {time} once: it tells which parts belong together", "%s: %s holds {time} %d times", key,
				shown(t.Value), n)
		}
		all = append(all, name)
	}
	return all
}
