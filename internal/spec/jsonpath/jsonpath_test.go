package jsonpath

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]Step{
		"$": nil, "$.a": {{Key: "a"}}, "$.a-1._b": {{Key: "a-1"}, {Key: "_b"}}, "$.größe": {{Key: "größe"}},
		"$[0][*]": {{Element: true}, {Element: true, Any: true}},
		"$[12].*": {{Element: true, Index: 12}, {Any: true}}, "$..a": {{Deep: true, Key: "a"}}, "$..*": {{Deep: true, Any: true}},
		`$."a.b\"]"`: {{Key: `a.b"]`}}, `$["x y"]..""`: {{Key: "x y"}, {Deep: true}},
	} {
		got, err := Parse(path)
		if err != nil || cmp.Diff(want, got.Steps) != "" || got.String() != path {
			t.Errorf("%s: %v, %v", path, got.Steps, err)
		}
	}
	for _, bad := range []string{"", "a", "$a", "$.", "$..", "$...a", "$.a b", "$[", "$[]", "$[-1]", "$[a]", "$[1", `$."a`, `$["a"`, `$."\x"`, "$.a.",
		"$[99999999999]", "$" + strings.Repeat(".a", maxSteps+1)} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("%s is %+v", bad, got.Steps)
		}
	}
}

func FuzzPaths(f *testing.F) {
	f.Add(`$.a[0]."b"..c[*].*`)
	f.Fuzz(func(t *testing.T, s string) { Parse(s) })
}
