// Package family puts one of several databases into a drill file that is for
// all of them, and gives each a name that folders can have. It never decides
// which databases there are.
package family

import (
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"daybefore/internal/spec/tree"
)

// Mark stands for the database in a drill file of several.
const Mark = "{database}"

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

// notInVariable is what the name of a variable cannot hold.
var notInVariable = regexp.MustCompile(`[^A-Za-z0-9_]`)

// Variable is a database's name in the name of a variable.
func Variable(database string) string {
	return strings.ToUpper(notInVariable.ReplaceAllString(database, "_"))
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
	{regexp.MustCompile(`(_env|\.env)$`), Variable},
	{regexp.MustCompile(`(\.key_file|\.known_hosts|\.age_identity_file|\.openpgp_key_file|\.baseline)$`), Folder},
	{regexp.MustCompile(`(\.url|\.endpoint)$|^history$|^inventory\.copies$|^runbook\.copy_to$`), escaped},
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

// Marked visits the texts in which {database} stands for a database.
func Marked(root *tree.Node, visit func(path string, text *tree.Node)) {
	root.Change(func(path string, text *tree.Node) string {
		if strings.Contains(text.Text, Mark) && formIn(path) != nil {
			visit(path, text)
		}
		return text.Text
	})
}

// Of is the file of one of its databases.
func Of(root *tree.Node, database string) *tree.Node {
	return root.Change(func(path string, text *tree.Node) string {
		form := formIn(path)
		if form == nil {
			return text.Text
		}
		return strings.ReplaceAll(text.Text, Mark, form(database))
	})
}

// longest is a database's name by the server's own limit, in bytes.
const longest = 63

// Fault says why a name can be no database's here, and what to do; empty if it
// can.
func Fault(name string) (message, hint string) {
	const write = "write a database's name"
	const alone = "give the database a drill file of its own"
	segments := strings.Split(name, "/")
	switch {
	case strings.TrimSpace(name) == "":
		return "names no database", write
	case !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl):
		return "holds what is no letter", write
	case len(name) > longest:
		return "is longer than a database's name can be", write
	case strings.ContainsAny(name, "*{}"):
		return "would be a pattern in the names of backups", alone
	case strings.HasPrefix(name, "-"):
		return "would be an option of programs", alone
	case slices.Contains(segments, "."), slices.Contains(segments, ".."):
		return "would lead out of the folder of its backups", alone
	}
	return "", ""
}
