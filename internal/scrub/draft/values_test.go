package draft

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
)

// The draft looks at values: people's names whatever the column is called, positions,
// and few different words, of which none is in the draft. A doubtful value or two are
// no reason for a rule.
func TestDraftLooksAtValues(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	const first = "(array['Ada','Anna','John','Mary','Peter','Laura'])[1 + i % 6]"
	const last = "(array['Smith','Miller','Garcia','Johnson','Brown','Wilson','Moore'])[1 + i % 7]"
	if _, err := conn.Exec(t.Context(), `
		create table members (id int, ref text, byline text, signed text, full_name text, few text, crew text[], pair text,
			gender text, marital text check (marital in ('single', 'married')), religion text not null, note text, salary int, notes text);
		insert into members select i, `+first+` || ' ' || `+last+`, `+last+` || ', ' || `+first+`, 'Dr. ' || `+first+` || ' ' || `+last+`,
			`+first+` || ' ' || `+last+`, case when i < 6 then `+first+` || ' ' || `+last+` end, array[`+first+` || ' ' || `+last+`],
			case when i < 3 then `+first+` || ' ' || `+last+` end, (array['male','female','diverse'])[1 + i % 3], (array['single','married'])[1 + i % 2],
			(array['none','catholic','jewish'])[1 + i % 3], (array['ok','HIV positive','VIP'])[1 + i % 3], i % 10, 'note ' || i from generate_series(1, 600) i;
		create table homes (id int, lat float8, lng numeric(9,6), latitude int, longitude numeric, lon text, label text, origin text);
		insert into homes select i, 51.477928 + i / 100.0, -0.001545 - i / 100.0, 1000 + i, 4000000 + i, '51.4779' || i, case when i < 3 then 'see 11.22.33.44' end,
			case when i < 4 then 'see 11.22.33.44' end from generate_series(1, 100) i`); err != nil {
		t.Fatal(err)
	}
	s := situation{}
	d := s.survey(t, conn)
	got := map[string]string{}
	for _, line := range strings.Split(d.YAML(), "\n") {
		if column, rest, found := strings.Cut(strings.TrimSpace(line), ", transform: "); found {
			got[strings.TrimPrefix(column, "- {column: public.")] = strings.TrimSuffix(rest, "}")
		}
	}
	want := map[string]string{
		"members.ref": "name, link: name", "members.byline": "name, link: name", "members.signed": "name, link: name", "members.full_name": "name, link: name",
		"members.few": "name, link: name", "members.crew": "name, link: name, each: true",
		"members.gender": `choice, values: ["A", "B", "C"]`, "members.marital": `choice, values: ["single", "married"]`,
		"members.religion": `choice, values: ["A", "B", "C"]`, "members.note": `choice, values: ["A", "B", "C"]`,
		"members.salary": `choice, values: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]`, "members.notes": "text",
		"homes.lat": "position, link: position", "homes.lng": "position, link: position", "homes.latitude": "number", "homes.longitude": "number",
		"homes.lon": "position, link: position", "homes.origin": "text",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, d.YAML())
	}
	for _, real := range []string{"HIV", "diverse", "catholic", "Ada", "51.4", "11.22"} {
		if strings.Contains(d.YAML(), real) {
			t.Errorf("the draft shows %s", real)
		}
	}
	for _, surer := range []string{"# low: 5 of 5 different values look like a person's name", "42 of 42 different values look like a person's name",
		"named like a person's name; 600 values, 42 different, and 42 of 42"} {
		if !strings.Contains(d.YAML(), surer) {
			t.Errorf("the draft does not say: %s\n%s", surer, d.YAML())
		}
	}
}
