package tree

import "strings"

// unreadable says in our words what the YAML reader means: by words of its
// message, the first that fit.
var unreadable = []struct{ words, says string }{
	{"tab character", "a tab stands where YAML takes spaces only"},
	{`character '	'`, "a tab stands where YAML takes spaces only"},
	{"end token ']'", "a [ is not closed by ]"},
	{"end token '}'", "a { is not closed by }"},
	{"double-quoted", `a text in " is not closed, or holds a wrong escape`},
	{"single-quoted", "a text in ' is not closed; write '' for ' within it"},
	{"corresponding to", "a ] or } closes nothing"},
	{"document separator", "--- or ... stands where nothing ends"},
	{"alias", "a * begins a text without quotes; write it in quotes"},
	{"anchor", "an & begins a text without quotes; write it in quotes"},
	{"tag", "a ! begins a text without quotes; write it in quotes"},
	{"irective", "a % begins the line; write it in quotes"},
	{"reserved", "an @ or ` begins a text without quotes; write it in quotes"},
	{"sequence", "a list item (- item) stands where none can: indent all items of a list alike"},
	{"map", "a key stands where none can, or lacks its value: write key: value, and indent the keys of a section alike"},
	{"key", "a key stands where none can: write key: value, and indent the keys of a section alike"},
	{"value", "a value stands where none can: quote a text that holds a colon, and indent what belongs together alike"},
}

// yamlFault turns the YAML reader's message into a sentence for the person who
// writes the file.
func yamlFault(message string) string {
	for _, u := range unreadable {
		if strings.Contains(message, u.words) {
			return u.says
		}
	}
	return "it is neither key: value nor - item"
}
