package spec

import "strconv"

// The major versions that a sandbox can be of: the oldest that takes its
// settings, and one that is far from coming.
const (
	oldestInto = 13
	newestInto = 30
)

// into is the major version to restore into; 0 where none is declared.
func (c checker) into(t text) int {
	if !t.given() {
		return 0
	}
	n, err := strconv.Atoi(t.Value)
	if err != nil || n < oldestInto || n > newestInto {
		c.refuse(t.at, "write a major version of PostgreSQL, such as 18; the oldest is 13",
			"restore.into: %s is not a major version that a sandbox can be of", shown(t.Value))
	}
	return n
}
