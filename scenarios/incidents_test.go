package scenarios

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page about the five teams names scenarios that there are.
func TestIncidentsNameScenarios(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/incidents.md")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(line, "**") {
			continue
		}
		names := regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(cells[3], -1)
		if names == nil {
			t.Errorf("no scenario: %s", line)
		}
		for _, n := range names {
			named++
			if !slices.ContainsFunc(All(), func(s Scenario) bool { return s.Name == n[1] }) {
				t.Errorf("there is no scenario %q", n[1])
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d scenarios are named", named)
	}
}
