package archive

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"daybefore/internal/verdict"
)

const (
	hintForeign = "look at what the backup job wrote and uploaded: this drill expects what pg_dump and pg_dumpall " +
		"write, in any format, bare or under gzip, zstd, xz, bzip2 or lz4"
	hintUnsupported = "take the backup with pg_dump or pg_dumpall, bare or under gzip, zstd, xz, bzip2 or lz4"
)

// begins reports whether head starts with magic, or ends before it could.
func begins(head []byte, magic string) bool {
	n := min(len(head), len(magic))
	return n > 0 && string(head[:n]) == magic[:n]
}

// refuse returns nil for bytes that begin as an archive, a tar or a script does, and else
// a Problem that says what they look like. A format that may hold a good
// backup is an Error, since nobody could tell; what cannot be one is a Fail.
func refuse(name, within string, head []byte) error {
	if begins(head, customMagic) || beginsTar(head) || plainDump(head) {
		return nil
	}
	if within != "" {
		name += " (unpacked from " + within + ")"
	}
	if len(head) == 0 {
		return verdict.Failf(verdict.CodeNotAnArchive,
			"the backup job failed without removing its output: look at its log and exit status",
			"read %s: it is an empty file; expected what pg_dump writes", name)
	}
	for _, k := range kinds {
		if !k.is(head) {
			continue
		}
		if k.unsupported {
			return knownKind{verdict.Errorf(verdict.CodeUnsupported, k.orHint(hintUnsupported),
				"read %s: it is %s, which is not supported by this version; expected what pg_dump writes", name, k.what)}
		}
		return knownKind{verdict.Failf(verdict.CodeNotAnArchive, k.orHint(hintForeign),
			"read %s: it is %s; expected what pg_dump writes", name, k.what)}
	}
	if dumpStatements.Match(head) && !bytes.Contains(head, []byte{0}) {
		return nil
	}
	return verdict.Failf(verdict.CodeNotAnArchive, hintForeign,
		"read %s: it is %s; expected what pg_dump writes", name, describe(head))
}

// knownKind is what refuse says where it knows what stands in a backup's place.
type knownKind struct{ error }

func (k knownKind) Unwrap() []error { return []error{k.error, errKnownKind} }

var errKnownKind = errors.New("another kind of file")

// entryKind is something that people store where a backup should be.
type entryKind struct {
	what        string
	is          func(head []byte) bool
	unsupported bool // it may hold a good backup
	hint        string
}

func (k entryKind) orHint(hint string) string {
	if k.hint != "" {
		return k.hint
	}
	return hint
}

// kinds are tried in order.
var kinds = []entryKind{
	{what: "an lzip file", is: prefix("LZIP"), unsupported: true},
	{what: "an lzop file", is: prefix("\x89LZO"), unsupported: true},
	{what: "a zip file", is: prefix("PK\x03\x04", "PK\x05\x06", "PK\x07\x08"), unsupported: true},
	{what: "a 7-Zip file", is: prefix("7z\xbc\xaf\x27\x1c"), unsupported: true},
	{what: "a file encrypted with openssl enc", is: prefix("Salted__", "U2FsdGVkX1"), unsupported: true,
		hint: "name openssl and its arguments under source.decrypt.command"},
	{what: "a custom archive that a shell converted to UTF-16 text", is: prefix("\xff\xfeP\x00G\x00D\x00M\x00P\x00"),
		hint: "PowerShell's > converts bytes to text: write dumps with pg_dump -f"},
	{what: "text in UTF-16, which psql does not read", is: utf16,
		hint: "PowerShell's > converts what programs write to UTF-16: write dumps with pg_dump -f; this one may be " +
			"converted back: iconv -f UTF-16 -t UTF-8"},
	{what: "a dump of SQLite", is: beginsAsText("pragma ")},
	{what: "an SQLite database", is: prefix("SQLite format 3\x00")},
	{what: "a MySQL or MariaDB dump", is: prefix("-- MySQL dump", "-- MariaDB dump", "/*M!999999")},
	{what: "a PDF document", is: prefix("%PDF-")},
	{what: "an ELF program", is: prefix("\x7fELF")},
	{what: "a shell script", is: prefix("#!")},
	{what: "an HTML page", is: htmlPage,
		hint: "a proxy, a login page or an error page was stored instead of the backup: look at the URL " +
			"and credentials of the upload"},
	{what: "an XML document", is: beginsAsText("<?xml", "<error"),
		hint: "an error message of the store may have been stored instead of the backup"},
	{what: "a JSON document", is: beginsAsText("{", "["),
		hint: "an error message of an API may have been stored instead of the backup"},
	{what: "nothing but zero bytes", is: func(head []byte) bool { return len(bytes.Trim(head, "\x00")) == 0 },
		hint: "the upload or the disk lost the content: compare sizes and checksums with where the backup was written"},
}

func prefix(magics ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, m := range magics {
			if bytes.HasPrefix(head, []byte(m)) {
				return true
			}
		}
		return false
	}
}

// beginsAsText tells documents by how they begin, whatever the case, after blanks.
func beginsAsText(starts ...string) func([]byte) bool {
	return func(head []byte) bool {
		head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
		head = bytes.ToLower(bytes.TrimLeft(head[:min(len(head), 1024)], " \t\r\n"))
		return utf8.Valid(head[:min(len(head), 16)]) && prefix(starts...)(head)
	}
}

func htmlPage(head []byte) bool {
	if beginsAsText("<!doctype html", "<html", "<head", "<body")(head) {
		return true
	}
	return beginsAsText("<")(head) && !beginsAsText("<?xml")(head) &&
		bytes.Contains(bytes.ToLower(head), []byte("<html"))
}

// plainDump tells pg_dump's and pg_dumpall's scripts by the comment that they
// begin with, after something else that was put there or not; a file that
// ends within the comment counts as begun.
func plainDump(head []byte) bool {
	if begins(head, "--\n"+dumpBegins) || begins(head, "--\n"+clusterBegins) {
		return true
	}
	first := head[:min(len(head), 1024)]
	return !beginsTar(head) && (bytes.Contains(first, []byte(dumpBegins)) || bytes.Contains(first, []byte(clusterBegins)))
}

// utf16 tells text in which every second byte is zero, with a byte order mark or without.
func utf16(head []byte) bool {
	if prefix("\xff\xfe", "\xfe\xff")(head) {
		return len(head) > 3 && (head[2] == 0) != (head[3] == 0)
	}
	head = head[:min(len(head), 64)&^1]
	zeros := bytes.Count(head, []byte{0})
	return len(head) > 7 && zeros == len(head)/2 && bytes.IndexByte(head, 0) < 2 &&
		printableText(bytes.ReplaceAll(head, []byte{0}, nil))
}

// dumpStatements tells a script that lacks pg_dump's first comment, or has it
// further on, by statements that only PostgreSQL's have.
var dumpStatements = regexp.MustCompile(`(?m)^(-- PostgreSQL database (cluster )?dump\r?$|\\(restrict|connect) ` +
	`|COPY [^;\n]+ FROM stdin;|SELECT pg_catalog\.` +
	`|SET (statement_timeout|lock_timeout|client_encoding|standard_conforming_strings|default_transaction_read_only` +
	`|search_path|check_function_bodies) ` +
	`|ALTER [A-Z ]+ [^;\n]+ OWNER TO |CREATE (ROLE|EXTENSION|SCHEMA|DATABASE) )`)

// scripted tells a script from a custom archive in what refuse let pass.
func scripted(head []byte) bool { return !begins(head, customMagic) }

// describe says of unknown bytes only what kind they are: they may be secret.
func describe(head []byte) string {
	head = head[:min(len(head), 512)]
	for cut := 0; cut < utf8.UTFMax && cut < len(head); cut++ {
		if printableText(head[:len(head)-cut]) {
			return "text of no known kind"
		}
	}
	return fmt.Sprintf("binary data of no known kind (its first bytes are % x)", head[:min(len(head), 4)])
}

func printableText(b []byte) bool {
	return utf8.Valid(b) && !strings.ContainsFunc(string(b), func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' || r == 0x7f
	})
}

// isConverted tells bytes that went through something that ends lines with
// CR LF: a terminal (docker exec -t), or a transfer in text mode. The table
// of contents is full of SQL, where pg_dump itself writes no CR.
func isConverted(head []byte) bool {
	const enough = 5
	n := bytes.Count(head, []byte("\n"))
	return n >= enough && n == bytes.Count(head, []byte("\r\n"))
}
