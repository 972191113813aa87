package scrub

import (
	"strings"
	"testing"

	"daybefore/internal/verdict"
)

// What is made of a value from outside must be what the column holds of it.
func TestOutside(t *testing.T) {
	t.Parallel()
	s := shopSituation(t)
	s.ddl += "; create table logins (id int, token char(12), view_of text)"
	s.rules = append(s.rules, rules(t, "public.logins.token hash link=t")...)
	s.ddl = strings.Replace(s.ddl, "char(12)", "char(40)", 1)
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if _, err := conn.Exec(t.Context(), shopRows+"; insert into logins values (1, 'AbC', 'x')"); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"users", "orders", "logins"} {
		reload(t, conn, p, "public", table)
	}
	for _, c := range []struct {
		table, column, value, id string
		keeps                    bool
	}{
		{"users", "email", "user7@example.com", "7", true},
		{"users", "email", "  User11@Example.com ", "11", true},
		{"users", "email", "boss@ourco.example", "", true}, // kept as it is: Boss@OurCo.example
		{"users", "login", "login7", "7", true},
		{"users", "ref", "8f14e45f-ceea-167a-5a36-dedd4bea2543", "7", true}, // md5('7')
		{"users", "ref", "8F14E45F-CEEA-167A-5A36-DEDD4BEA2543", "", true},  // the server writes it otherwise
		{"logins", "token", "AbC", "1", false},
		{"logins", "token", "AbC   ", "1", false},
		{"logins", "token", "abc", "", false},
	} {
		o, err := p.Outside("public", c.table, c.column)
		if err != nil || o.Scrub == nil || o.Keeps != c.keeps {
			t.Fatalf("%s.%s: %+v, %v", c.table, c.column, o, err)
		}
		made, err := o.Scrub(c.value)
		if err != nil {
			t.Fatal(err)
		}
		if found := valueOf[string](t, conn, "select coalesce(string_agg(id::text, ','), '') from "+c.table+" where "+c.column+" = '"+made+"'"); found != c.id {
			t.Errorf("%s.%s %q: found in rows %q, want %q", c.table, c.column, c.value, found, c.id)
		}
		if told := o.Tell(c.value); told != p.Fingerprint(c.value) {
			t.Errorf("%s.%s %q is told", c.table, c.column, c.value)
		}
	}
	for column, want := range map[string]bool{"users.id": false, "users.plain": true, "msgs.id": false, "logins.view_of": false} {
		table, column, _ := strings.Cut(column, ".")
		o, err := p.Outside("public", table, column)
		if err != nil || o.Scrub != nil || (o.Tell("4711") == "4711") != want {
			t.Errorf("%s.%s: %+v, %v", table, column, o, err)
		}
		if told := o.Tell("ada@example.org"); strings.Contains(told, "ada") && column != "plain" {
			t.Errorf("%s.%s tells an address: %s", table, column, told)
		}
	}
	for column, why := range map[string]string{
		"users.full_name": "makes different values equal", "users.phones": "in parts", "users.secret": "makes different values equal",
		"users.nope": "no column", "nope.id": "no column", "msgs.body": "makes different values equal",
	} {
		table, column, _ := strings.Cut(column, ".")
		_, err := p.Outside("public", table, column)
		if err == nil || !strings.Contains(err.Error(), why) || verdict.AsProblem(err).Code != verdict.CodeWitness ||
			verdict.AsProblem(err).Outcome != verdict.Error {
			t.Errorf("%s.%s: %v, want %q", table, column, err, why)
		}
	}
}
