package spec

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// several loads shop.yaml of several databases.
func several(t *testing.T, blocks ...string) []Loaded {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "shop.yaml", drillFile(blocks...))
	loader := testLoader
	loader.LookupEnv = func(name string) (string, bool) {
		return testKey + name, strings.HasSuffix(name, "EU") || strings.HasSuffix(name, "US") || strings.HasSuffix(name, "1")
	}
	all, err := loader.LoadAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const ofAll = `source: {url: 's3://b/{database}/', name: 'shop-{database}-{time}.dump', time: 20060102, timezone: UTC, database: '{database}', ` +
	`decrypt: {age_identity_env: 'AGE_{database}_EU1'}}`

func TestDatabases(t *testing.T) {
	t.Parallel()
	all := several(t, "databases: [eu, US, 'Shop/EU 1']", ofAll, "scrub: {key_env: 'KEY_{database}'}",
		"inventory: {copies: ['s3://c/{database}/', {url: 's3://d/{database}/'}]}",
		`expectations: {roles: ['app_{database}'], failed_rows: [{name: a, sql: "select '{database}'::text[]", fail_if: '> 0'}]}`)
	var got []string
	for _, l := range all {
		if l.Err != nil {
			t.Fatal(l.Err)
		}
		d := l.Drill
		got = append(got, strings.Join([]string{l.Name, d.Name, l.Database, l.File(), d.Source.URL, d.Source.Name, d.Source.Database,
			fmt.Sprint(d.Source.Others), d.Source.Siblings[0], string(d.Source.Decrypt.AgeIdentity)[len(testKey):], d.Scrub.KeyEnv,
			d.Inventory.Copies[0].Source.URL, d.Inventory.Copies[1].Source.URL, d.Expectations.Roles[0], d.Expectations.FailedRows[0].SQL}, " | "))
	}
	const sql = "select '{database}'::text[]"
	const mark = "shop-{database}-{time}.dump"
	want := []string{
		"shop@eu | shop@eu | eu | shop | s3://b/eu/ | shop-eu-{time}.dump | eu | [] | " + mark +
			" | AGE_EU_EU1 | KEY_EU | s3://c/eu/ | s3://d/eu/ | app_eu | " + sql,
		"shop@+u+s | shop@+u+s | US | shop | s3://b/US/ | shop-US-{time}.dump | US | [] | " + mark +
			" | AGE_US_EU1 | KEY_US | s3://c/US/ | s3://d/US/ | app_US | " + sql,
		"shop@+shop~2f+e+u~201 | shop@+shop~2f+e+u~201 | Shop/EU 1 | shop | s3://b/Shop/EU%201/ | shop-Shop/EU 1-{time}.dump | Shop/EU 1 | [] | " + mark +
			" | AGE_SHOP_EU_1_EU1 | KEY_SHOP_EU_1 | s3://c/Shop/EU%201/ | s3://d/Shop/EU%201/ | app_Shop/EU 1 | " + sql,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A database that is added leaves the others' drills what they were.
func TestDigestOfADatabase(t *testing.T) {
	t.Parallel()
	two := several(t, "databases: [eu, us]", ofAll)
	three := several(t, "databases: [asia, eu, us]", ofAll)
	if two[0].Drill.SHA256 != three[1].Drill.SHA256 || two[0].Drill.SHA256 == two[1].Drill.SHA256 {
		t.Error(two[0].Drill.SHA256, two[1].Drill.SHA256, three[1].Drill.SHA256)
	}
}

func TestBadDatabases(t *testing.T) {
	t.Parallel()
	const own = "; give the database a drill file of its own"
	for _, c := range []struct{ databases, source, want string }{
		{"eu", "", "databases is a mapping of keys, not a single value"},
		{"[]", "", "databases is empty"},
		{"[eu, eu]", "", `databases: "eu" appears twice, first in line 4; list it once`},
		{"['']", "", `databases: "" names no database; write a database's name`},
		{"['..']", "", `databases: ".." would lead out of the folder of its backups` + own},
		{"['a/../b']", "", `databases: "a/../b" would lead out of the folder of its backups` + own},
		{"['a*']", "", `databases: "a*" would be a pattern in the names of backups` + own},
		{"['{time}']", "", `databases: "{time}" would be a pattern in the names of backups` + own},
		{"['-x']", "", `databases: "-x" would be an option of programs` + own},
		{`["a\nb"]`, "", `databases: "a\nb" holds what is no letter`},
		{"['" + strings.Repeat("x", 64) + "']", "", "is longer than a database's name can be"},
		{"[a-b, a_b]", "", `databases: "a-b" and "a_b" would share the variable of source.decrypt.age_identity_env`},
		{"[eu, us]", "source: {url: 's3://b/', name: a, timezone: UTC}",
			"databases: no key of source holds {database}, so that each drill would be of the same backup"},
		{"[eu]", "source: {url: 's3://b/', name: 'shop-{database}*.dump', timezone: UTC}", "source.name: the * beside {database} would take backups of other " +
			"databases too, such as eu-west's for eu; write {time} between them"},
		{"[eu]", "source: {url: 's3://b/', name: '*-{database}-{time}.dump', time: 20060102, timezone: UTC}", "source.name: the * beside {database}"},
		{"[eu]", "source: {url: 's3://b/', parts: ['a-{database}-{time}', 'b-{database}-*-{time}'], time: 20060102, timezone: UTC}", "source.parts: the *"},
		{"{pattern: 'shop-{time}.dump'}", "source: {url: 's3://b/', name: '{database}', timezone: UTC}", "databases.pattern holds {database} 0 times"},
		{"[eu, us]", "source: {url: 's3://b/', name: '{database}', timezone: UTC}\nnotify: {heartbeat_env: PING}",
			"notify.heartbeat_env: the pass of one database would hide from its monitor that another failed; give each a monitor of its own: heartbeat_env: " +
				"'PING_{database}'"},
		{"{except: [a]}", "", "databases.pattern is missing"},
		{"{pattern: 'shop-{database}-{time}.dump'}", "", "source.url holds {database}, and is read before the store told which there are"},
		{"{patern: 'shop-{database}'}", "", `"databases.patern" is not a key of a drill file; did you mean pattern?`},
	} {
		source := c.source
		if source == "" {
			source = ofAll
		}
		all := several(t, "databases: "+c.databases, source)
		if len(all) != 1 || all[0].Name != "shop" || all[0].Err == nil || !strings.Contains(all[0].Err.Error(), c.want) {
			t.Errorf("%s: %+v\nwanted %s", c.databases, all, c.want)
		}
	}
	alone := several(t, ofAll)
	if alone[0].Err == nil || !strings.Contains(alone[0].Err.Error(), "source.url holds {database}, and the drill file names no databases") {
		t.Error(alone[0].Err)
	}
}

// A star that cannot stand for a part of another database's name is taken.
func TestStarsBesideDatabases(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"{database}/{time}*.dump", "*/{database}/{time}.dump", "shop-{database}-{time}-*.dump", "*{time}-{database}.dump"} {
		all := several(t, "databases: [eu]", "source: {url: 's3://b/', name: '"+name+"', time: 20060102, timezone: UTC}")
		if all[0].Err != nil {
			t.Errorf("%s: %v", name, all[0].Err)
		}
	}
}

// Those are told apart whose name begins another's.
func TestDatabasesWithinOneAnother(t *testing.T) {
	t.Parallel()
	all := several(t, "databases: [eu, eu-west, us]", ofAll)
	if diff := cmp.Diff([]string{"eu-west"}, all[0].Drill.Source.Others); diff != "" || all[1].Drill.Source.Others != nil {
		t.Error(diff, all[1].Drill.Source.Others)
	}
}

// Where the store tells the databases, the file is checked before, and each of
// them after.
func TestDatabasesThatTheStoreTells(t *testing.T) {
	t.Parallel()
	all := several(t, "databases: {pattern: 'shop-{database}-{time}.dump', except: [old, 'e*u']}",
		"source: {url: 's3://b/', time: 20060102, timezone: UTC}", "scrub: {key_env: 'KEY_{database}'}")
	s := all[0].Several
	if len(all) != 1 || all[0].Err != nil || s == nil || all[0].Drill != nil {
		t.Fatalf("%+v", all)
	}
	if s.Source.Name != "shop-{database}-{time}.dump" || s.Source.Siblings != nil || !cmp.Equal(s.Except, []string{"old", "e*u"}) {
		t.Errorf("%+v", s)
	}
	each := s.Each([]string{"eu", "us", "asia"})
	if len(each) != 3 || each[0].Err != nil || each[1].Drill.Source.Name != "shop-us-{time}.dump" || each[1].Name != "shop@us" {
		t.Errorf("%+v", each)
	}
	var mistakes Mistakes
	if !errors.As(each[2].Err, &mistakes) || !strings.Contains(mistakes[0].Message, "KEY_ASIA is not set") {
		t.Error(each[2].Err)
	}
	odd := s.Each([]string{"eu", "a*b"})
	if len(odd) != 1 || odd[0].Err == nil || !strings.Contains(odd[0].Err.Error(), `"a*b", which would be a pattern`) {
		t.Errorf("%+v", odd)
	}
}
