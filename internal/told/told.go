// Package told decides which names and sentences of a restored database may be
// shown. Whoever wrote the dump has code in it, which may make a name or an
// error of any value: so a name is told if the backup's table of contents or
// the drill file holds it, and a sentence if the server's own programs do. It
// reads no row, and guesses nothing: what it does not know it does not show.
package told

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
)

// Names are those that may be told. Nil knows every name: for tests of what is
// told otherwise. Several goroutines may use one.
type Names struct {
	sensitive func(text string) bool
	sentences *Sentences
	all       bool // every name is known

	mu          sync.RWMutex
	known       map[string]struct{}
	fingerprint func(text string) string
}

// New returns names of which none is known yet. What sensitive says yes to is
// never told, whoever names it; nil: it says yes to nothing. The sentences are
// those of the server that is told of.
func New(sensitive func(text string) bool, sentences *Sentences) *Names {
	return &Names{sensitive: sensitive, sentences: sentences, known: map[string]struct{}{}}
}

// All returns names of which every one is known, as nil has them, beside the
// sentences of a server.
func All(sentences *Sentences) *Names { return &Names{sentences: sentences, all: true} }

// Others returns names of which none is known, with the same sentences.
func (n *Names) Others() *Names { return New(nil, n.spoken()) }

func (n *Names) spoken() *Sentences {
	if n == nil {
		return nil
	}
	return n.sentences
}

// Know adds names, each as a whole and word by word: of a table without its
// schema.
func (n *Names) Know(names ...string) {
	if n == nil || n.all {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		if name == "" || n.sensitive != nil && n.sensitive(name) {
			continue
		}
		n.known[name] = struct{}{}
		for word := range wordsOf(name) {
			n.known[word] = struct{}{}
		}
	}
}

// FingerprintBy gives what stands for a name that is not told.
func (n *Names) FingerprintBy(fingerprint func(text string) string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fingerprint = fingerprint
}

// Knows reports whether every part of a name, as of schema and table, is known.
// Empty parts are.
func (n *Names) Knows(parts ...string) bool {
	if n == nil || n.all {
		return true
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	return !slices.ContainsFunc(parts, func(p string) bool { return p != "" && !n.has(p) })
}

// has is Knows of one name, while the lock is held.
func (n *Names) has(name string) bool {
	if _, ok := n.known[name]; ok {
		return true
	}
	_, ok := serversOwn[name]
	return ok
}

// Tell returns a name with its parts joined by dots, or what stands for one
// that is not known.
func (n *Names) Tell(parts ...string) string {
	whole := joined(parts)
	if n.Knows(parts...) {
		return whole
	}
	return "a name that the backup does not hold" + n.mark(whole)
}

func joined(parts []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(parts), func(p string) bool { return p == "" }), ".")
}

// mark is the fingerprint that stands after words for a name which is not
// told.
func (n *Names) mark(whole string) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.fingerprint == nil {
		return ""
	}
	return " (" + n.fingerprint(whole) + ")"
}

// Instead returns what stands for a name that the backup holds and that is not
// told.
func (n *Names) Instead(name string) string { return "…" + n.mark(name) }

// Place returns words that tell where something is, in which names are among
// others, or what stands for a place that is not known.
func (n *Names) Place(text string) string {
	if n.Words(text) {
		return text
	}
	return "a place that the backup does not name" + n.mark(text)
}

// List writes names, each of several parts, in their order: at most so many
// that are known, then how many more there are, and how many of what noun says
// the backup does not name. It names none of these.
func (n *Names) List(most int, noun string, names ...[]string) string {
	var out []string
	more, unnamed, first := 0, 0, ""
	for _, parts := range names {
		switch {
		case !n.Knows(parts...):
			unnamed++
			if unnamed == 1 {
				first = n.mark(joined(parts))
			}
		case len(out) < most:
			out = append(out, joined(parts))
		default:
			more++
		}
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	switch {
	case unnamed == 1:
		out = append(out, "1 "+noun+" that the backup does not name"+first)
	case unnamed > 1:
		out = append(out, fmt.Sprintf("%d %ss that the backup does not name", unnamed, noun))
	}
	return strings.Join(out, ", ")
}

// Words reports whether every word of a text is known, such as of an entry of a
// table of contents, or of a function with its arguments.
func (n *Names) Words(text string) bool {
	if n.Knows(text) {
		return true
	}
	for word := range wordsOf(text) {
		if !n.Knows(word) && !n.Knows(strings.ToLower(word)) && !short(word) {
			return false
		}
	}
	return true
}

func wordsOf(text string) iter.Seq[string] {
	return strings.FieldsFuncSeq(text, func(r rune) bool { return !isName(r) })
}

func isName(r rune) bool {
	return r == '_' || r >= 0x80 || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
}

// short reports whether a word is a number that can be nobody's.
func short(word string) bool {
	const most = 3
	return len(word) <= most && strings.Trim(word, "0123456789") == ""
}

// serversOwn are words that no backup brings: what PostgreSQL calls its own
// schemas, types and kinds of things.
var serversOwn = setOf(`
pg_catalog information_schema pg_toast public postgres template0 template1 plpgsql sql c internal utf8 sql_ascii
libdir pgdg
access aggregate array as cast check collation column columns comment constraint conversion data database
default dictionary
domain event exclusion extension family foreign foreign_key function generated index indexes key label bounds
catalogue objects object shared setting mapping materialized language large materialized
method object operator policy primary privileges procedure publication role rule schema security sequence server
set
statistics subscription table tables tablespace template text search configuration parser transform trigger type
types
unique user mapping value values view wrapper acl blob blobs metadata properties owned by fk row class defaults
shell of on
in to for the a an and or not is no with without
any anyarray anycompatible anyelement anyenum anynonarray anyrange bigint bit boolean box bpchar bytea char
character cid
cidr circle citext cstring date daterange decimal double precision float4 float8 geography geometry hstore inet
int int2
int4 int4range int8 int8range integer interval json jsonb line lseg ltree macaddr macaddr8 money name numeric
numrange oid
path pg_lsn point polygon real record refcursor regclass regproc regtype smallint tid time timestamp timestamptz
timetz
tsquery tsrange tstzrange tsvector txid_snapshot unknown uuid varbit varchar varying vector void xid xml zone
btree hash gist gin spgist brin heap c.utf posix en_us icu libc builtin
select insert update delete truncate create drop alter grant revoke copy refresh vacuum analyze begin commit
rollback end
execute current_user session_user from where
bin lib share usr postgresql contrib so control tsearch_data dict affix stop`)

func setOf(words string) map[string]struct{} {
	all := map[string]struct{}{}
	for w := range strings.FieldsSeq(words) {
		all[w] = struct{}{}
	}
	return all
}
