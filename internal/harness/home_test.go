package harness

import "testing"

// A folder is named as one would type it.
func TestPathsAreNamedFromHere(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/srv/drills": "drills", "/srv": ".", "/srv/a/b": "a/b", "/srvx": "/srvx", "/etc": "/etc", "drills": "drills", "../drills": "../drills",
		"/srv/..x": "..x",
	} {
		if got := near("/srv", path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
