package draft

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
)

// drafted are the rules of a draft by column, of the schema public.
func drafted(d *Draft) map[string]string {
	rules := map[string]string{}
	for _, line := range strings.Split(d.YAML(), "\n") {
		if column, rest, found := strings.Cut(strings.TrimSpace(line), ", transform: "); found {
			column = strings.TrimPrefix(column, "- {column: public.")
			rules[column] = strings.TrimRight(rest, "]}")
		}
	}
	return rules
}

// Places are found in every form that the transform takes, and move; what has as few
// digits as a size is none.
func TestDraftOfPlaces(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), `
		create table visits (id int, at_text text, seen text, coordinates text, home point, must point not null, size text, version text, shape jsonb, extra jsonb);
		insert into visits select i, 'POINT(' || a || ' ' || b || ')', b || ', ' || a, b || ',' || a, point(b, a), point(b, a), '1.5, 2.5', '1.' || i,
			jsonb_build_object('type', 'Polygon', 'coordinates', jsonb_build_array(jsonb_build_array(jsonb_build_array(a, b)))),
			jsonb_build_object('house_number', 12 + i, 'lat', b)
		from (select i, (8.123456 + i / 100.0)::float8 as a, (50.123456 - i / 100.0)::float8 as b from generate_series(1, 50) i) x`); err != nil {
		t.Fatal(err)
	}
	s := situation{}
	d := s.survey(t, conn)
	got := drafted(d)
	for _, line := range strings.Split(d.YAML(), "\n") {
		if path, rest, found := strings.Cut(strings.TrimSpace(line), ", transform: "); found && strings.HasPrefix(path, "{path: ") {
			delete(got, path)
			got[path] = strings.TrimRight(rest, "]},")
		}
	}
	want := map[string]string{
		"visits.at_text": "position, link: position", "visits.seen": "position, link: position", "visits.coordinates": "position, link: position",
		"visits.home": "position, link: position", "visits.must": "position, link: position",
		"{path: '$..coordinates'": "position, link: position", "{path: '$..house_number'": "text", "{path: '$..lat'": "position, link: position",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, d.YAML())
	}
	s.confirmed(t, conn, d)
}

// Columns that hold what a column of logins or phone numbers does become the same,
// whatever they are called; a key of phone numbers stays one, and dials.
func TestDraftOfSameValues(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), `
		create table accounts (username text, label text, motto text);
		insert into accounts select 'user' || chr(97 + i % 26) || i, 'label ' || i, 'motto' from generate_series(1, 100) i;
		create table prefs (uuid text, note text, few text, kind text, other text);
		insert into prefs select 'user' || chr(97 + i % 26) || i, 'user' || chr(97 + i % 26) || i, 'user' || chr(97 + i % 9) || i % 9, 'label ' || i,
			case when i % 2 = 0 then 'user' || chr(97 + i % 26) || i else 'x' || i end from generate_series(1, 100) i;
		create table lines (phone text);
		insert into lines select '+49 171 55512' || 10 + i from generate_series(1, 80) i;
		create table calls (target text, number_a text, size text);
		insert into calls select case when i % 2 = 0 then '+49 171 55599' else '0171 55598' end || 10 + i, '0171 55598' || 10 + i,
			i * 1000000 from generate_series(1, 80) i;
		create table talks (caller text, sender text, src_addr text, street text);
		insert into talks select 'sip:' || i || '@10.0.0.1:5060', 'Ada Smith', 'sip:' || i || '@10.0.0.1',
			'Main Street ' || i from generate_series(1, 50) i`); err != nil {
		t.Fatal(err)
	}
	s := situation{definitions: []string{
		"ALTER TABLE ONLY public.accounts ADD CONSTRAINT accounts_key UNIQUE (username);",
		"ALTER TABLE ONLY public.lines ADD CONSTRAINT lines_key PRIMARY KEY (phone);",
	}}
	d := s.survey(t, conn)
	got := drafted(d)
	want := map[string]string{
		"accounts.username": "token, link: login", "prefs.uuid": "token, link: login", "prefs.note": "token, link: login",
		"lines.phone": "permute, link: phone_permute", "calls.target": "permute, link: phone_permute",
		"talks.caller": "text", "talks.sender": "name", "talks.src_addr": "ip", "talks.street": "street",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, d.YAML())
	}
	if say := "100 of 100 different values that were sampled are those of public.accounts.username"; !strings.Contains(d.YAML(), say) {
		t.Errorf("the draft does not say: %s\n%s", say, d.YAML())
	}
	s.confirmed(t, conn, d)
}
