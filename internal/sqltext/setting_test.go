package sqltext

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSetting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sql     string
		want    Setting
		creates string // of search_path
	}{
		{"SET a.b = 'x';", Setting{Name: "a.b", Value: "x", List: []string{"x"}}, ""},
		{"set Work_Mem to 1", Setting{Name: "work_mem", Value: "1", List: []string{"1"}}, ""},
		{"SET TIME ZONE 'UTC'", Setting{Name: "timezone", Value: "UTC", List: []string{"UTC"}}, ""},
		{"SET SESSION AUTHORIZATION DEFAULT", Setting{Name: "session authorization"}, ""},
		{"SET search_path = \"$user\", s, t", Setting{Name: "search_path", Value: "$user", List: []string{"$user", "s", "t"}}, "s"},
		{"SET search_path TO DEFAULT", Setting{Name: "search_path"}, "public"},
		{"SELECT pg_catalog.set_config('search_path', '', false);", Setting{Name: "search_path", List: []string{""}}, ""},
		{"SELECT * FROM pg_catalog.set_config('search_path', 'a, b', false);",
			Setting{Name: "search_path", Value: "a, b", List: []string{"a", "b"}}, "a"},
		{"RESET ROLE", Setting{Name: "role", Reset: true}, ""},
		{"DISCARD ALL;", Setting{Name: "all", Reset: true}, ""},
	} {
		got, ok := ParseSetting(Tokens(c.sql, true))
		if diff := cmp.Diff(c.want, got); diff != "" || !ok {
			t.Errorf("%s: %v %s", c.sql, ok, diff)
		}
		if in := got.Path().Creates(); got.Name == "search_path" && in != c.creates {
			t.Errorf("%s: creates in %q, want %q", c.sql, in, c.creates)
		}
	}
	for _, sql := range []string{"", "SET", "SET x", "SET LOCAL x = 1", "SET TRANSACTION READ ONLY", "SET 'x' = 1", "RESET", "DISCARD TEMP", "SELECT 1",
		"UPDATE a SET b = 1"} {
		if got, ok := ParseSetting(Tokens(sql, true)); ok {
			t.Errorf("%s: %+v", sql, got)
		}
	}
}
