package program

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// ordinary are the variables that every program gets: none of them is a secret,
// and without them programs find neither each other nor their settings.
var ordinary = []string{"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LANGUAGE"}

// Ordinary reports whether every program gets a variable of this name.
func Ordinary(name string) bool {
	return slices.Contains(ordinary, name) || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "XDG_")
}

// environment is what the program gets.
func environment(c Command) []string {
	env := []string{} // nil would be all
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if Ordinary(name) || slices.Contains(c.Env, name) {
			env = append(env, pair)
		}
	}
	return append(env, c.Set...)
}

// shortest is how long a value is that is looked for in what a program says:
// a shorter one, such as "true", is no secret and stands in many words.
const shortest = 6

// secrets are the values that the program was given by name, line by line, and
// as they stand in quotes, which errors and JSON put around them.
func secrets(c Command) []string {
	var all []string
	add := func(value string) {
		for _, line := range append(strings.Split(value, "\n"), value) {
			line = strings.TrimSpace(line)
			if len(line) >= shortest {
				all = append(all, line)
				if quoted := strings.Trim(strconv.Quote(line), `"`); quoted != line {
					all = append(all, quoted)
				}
			}
		}
	}
	for _, name := range c.Env {
		if !Ordinary(name) {
			add(os.Getenv(name))
		}
	}
	for _, pair := range c.Set {
		_, value, _ := strings.Cut(pair, "=")
		add(value)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // the longest first
	return all
}
