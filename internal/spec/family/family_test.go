package family

import (
	"strings"
	"testing"
)

func TestFolders(t *testing.T) {
	t.Parallel()
	for database, want := range map[string]string{
		"eu": "eu", "EU": "+e+u", "Shop/EU": "+shop~2f+e+u", "..": "..", "a b": "a~20b", "größe": "gr~c3~b6~c3~9fe", "a@b": "a~40b",
		"a+b": "a~2bb", "a~b": "a~7eb", "a.b-c_9": "a.b-c_9", `a\b`: "a~5cb",
	} {
		if got := Folder(database); got != want {
			t.Errorf("%s is %s, not %s", database, got, want)
		}
	}
	for _, none := range []string{"EU", "a b", "+", "~2", "~zz", "~61", "+1", "~2F", "a/b", "++"} {
		if got, ok := OfFolder(none); ok {
			t.Errorf("%s is of %s", none, got)
		}
	}
}

func FuzzFolders(f *testing.F) {
	f.Add("Shop/EU")
	f.Fuzz(func(t *testing.T, database string) {
		folder := Folder(database)
		got, ok := OfFolder(folder)
		if got != database || !ok || strings.ToLower(folder) != folder || strings.ContainsAny(folder, "/\\@ *%") {
			t.Errorf("%q is %q, of %q", database, folder, got)
		}
	})
}
