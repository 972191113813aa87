package pgtest

import "testing"

func TestImageHasExtensionsOfItsFiles(t *testing.T) {
	t.Parallel()
	image := WithExtensions(t, "postgres:17", map[string]string{
		"made_up.control":  "comment = 'made up'\ndefault_version = '1.0'\nrelocatable = true\n",
		"made_up--1.0.sql": "create function made_up() returns text language sql as $$select 'yes'$$;\n",
	})
	c := Container(t, image)
	c.Exec("postgres", "create extension made_up")
	if got := c.Query("postgres", "select made_up()"); got != "yes" {
		t.Errorf("the extension's function says %q, want yes", got)
	}
}
