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

// A place is found in columns of any type: as PostGIS and GeoJSON write it in texts, in
// bytes, and in the type itself.
func TestDraftFindsPlacesInAnyType(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), `
		create type geometry;
		create function geometry_in(cstring) returns geometry as 'textin' language internal immutable strict;
		create function geometry_out(geometry) returns cstring as 'textout' language internal immutable strict;
		create type geometry (input = geometry_in, output = geometry_out, like = text);
		create table spots (id int, wkb text, doc varchar(99), raw bytea, mixed bytea, shape geometry, hexes text[]);
		insert into spots select i, '0101000020e6100000' || x || y, format('{"type": "Point", "coordinates": [%s, %s]}', 10 + i / 100.0, 50.125),
			decode('0101000000' || x || y, 'hex'), case when i = 7 then '\x0102' else decode('0101000000' || x || y, 'hex') end,
			('0101000020E6100000' || upper(x || y))::geometry, array['0101000000' || x || y]
			from generate_series(1, 40) i,
				lateral (select encode(substr(float8send(10 + i / 100.0), 8, 1) || substr(float8send(10 + i / 100.0), 7, 1) ||
					substr(float8send(10 + i / 100.0), 6, 1) || substr(float8send(10 + i / 100.0), 5, 1) || substr(float8send(10 + i / 100.0), 4, 1) ||
					substr(float8send(10 + i / 100.0), 3, 1) || substr(float8send(10 + i / 100.0), 2, 1) || substr(float8send(10 + i / 100.0), 1, 1), 'hex') x,
					'0000000000104940' y) p`); err != nil {
		t.Fatal(err)
	}
	s := situation{}
	d := s.survey(t, conn)
	s.confirmed(t, conn, d)
	for _, line := range []string{"{column: public.spots.wkb, transform: position, link: position}",
		"{column: public.spots.doc, transform: position, link: position}",
		"{column: public.spots.raw, transform: position, link: position}", "{column: public.spots.mixed, transform: set_null}",
		"{column: public.spots.shape, transform: position", "{column: public.spots.hexes, transform: position, link: position, each: true}"} {
		if !strings.Contains(d.YAML(), line) {
			t.Errorf("there is no %s in\n%s", line, d.YAML())
		}
	}
}
