package spec

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	topLevel  = regexp.MustCompile(`^\w`)
)

// Every snippet of the pages is a drill file, or sections or rules of one.
func TestSnippetsOfThePagesLoad(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]string{"DRILL_SIGNING_KEY": signingKey, "DRILL_PUSHGATEWAY_URL": "http://127.0.0.1:9091"}
	loader := Loader{LookupEnv: func(name string) (string, bool) { return cmp.Or(of[name], testKey), true }}
	found := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			found++
			path := write(t, t.TempDir(), "shop.yaml", snippetFile(block[1]))
			for _, l := range loader.loadFile(path, &defaults{}) {
				if l.Err != nil {
					t.Errorf("%s: %v\n%s", filepath.Base(page), l.Err, block[1])
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d snippets were found", found)
	}
}

// snippetFile is the base with a snippet's sections in place of its own; one
// that begins with a list holds rules of the scrub.
func snippetFile(snippet string) string {
	if strings.HasPrefix(snippet, "- ") {
		return drillFile("scrub:\n  rules:\n    " + strings.ReplaceAll(snippet, "\n", "\n    "))
	}
	blocks := []string{source("url: 's3://shop-backups/nightly/', name: 'shop-{time}.dump', time: 20060102T150405Z, timezone: UTC")}
	for _, line := range strings.SplitAfter(snippet, "\n") {
		if topLevel.MatchString(line) {
			blocks = append(blocks, "")
		}
		blocks[len(blocks)-1] += line
	}
	return drillFile(blocks...)
}
