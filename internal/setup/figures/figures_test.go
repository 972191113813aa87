package figures

import (
	"fmt"
	"testing"
	"time"

	"daybefore/internal/archive"
	"daybefore/internal/scrub/schema"
)

func TestReadTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"2026-11-29", "2026-11-29T00:00:00Z"},
		{"2026-11-29 03:15:00", "2026-11-29T03:15:00Z"},
		{"2026-11-29 03:15:00.125+01", "2026-11-29T02:15:00Z"},
		{"2026-11-29 03:15:00-03:30", "2026-11-29T06:45:00Z"},
		{"1890-01-01 00:53:28+00:53:28", "1890-01-01T00:00:00Z"},
		{"infinity", ""}, {"-infinity", ""}, {"0044-03-15 12:00:00 BC", ""}, {"10000-01-01", ""}, {"2026-11-29 03:15:00+x", ""}, {"", ""},
	} {
		at, ok := readTime([]byte(tt.text))
		got := ""
		if ok {
			got = at.Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestMeans(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		column, table, key string
		want               bool
	}{
		{"user_id", "users", "id", true}, {"userid", "users", "id", true}, {"billing_address_id", "addresses", "id", true},
		{"category_id", "categories", "id", true}, {"hostid", "hosts", "hostid", true}, {"film_id", "film", "film_id", true},
		{"user_uuid", "users", "uuid", true}, {"id", "users", "id", false}, {"order_id", "users", "id", false}, {"grid", "users", "id", false},
	} {
		if got := means(tt.column, tt.table, tt.key); got != tt.want {
			t.Errorf("%s to %s.%s: %v", tt.column, tt.table, tt.key, got)
		}
	}
}

// tableOf makes a table of a schema by hand.
func tableOf(s *schema.Schema, oid uint32, name string, columns ...string) *schema.Table {
	t := &schema.Table{OID: oid, Name: schema.Name{Schema: "public", Table: name}, Kind: "r", ByName: map[string]*schema.Column{}}
	for i := 0; i < len(columns); i += 2 {
		c := &schema.Column{Table: t, Name: columns[i], Number: int16(i/2 + 1), Base: schema.Type{Schema: "pg_catalog", Name: columns[i+1], Kind: "b"}}
		t.Columns = append(t.Columns, c)
		t.ByName[c.Name] = c
	}
	s.Tables = append(s.Tables, t)
	s.ByName[t.Name] = t
	return t
}

// show hands rows to the survey, as a worker does.
func show(t *testing.T, s *Survey, table string, columns []string, rows ...string) {
	t.Helper()
	row, err := s.Filter("public", table, columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if out, err := row(nil, []byte(r)); err != nil || len(out) > 0 {
			t.Fatalf("%q, %v", out, err)
		}
	}
}

// Rows are counted with their partitions, the newest and largest values are kept, and what refers
// to a key is told where all of its values stand there.
func TestSurvey(t *testing.T) {
	t.Parallel()
	restored := &schema.Schema{ByName: map[schema.Name]*schema.Table{}}
	tableOf(restored, 1, "users", "id", "int4", "seen", "timestamptz")
	orders := tableOf(restored, 2, "orders", "id", "int8", "user_id", "int4", "made", "date")
	part := tableOf(restored, 3, "orders_1", "id", "int8", "user_id", "int4", "made", "date")
	part.Parents = []*schema.Table{orders}
	tableOf(restored, 4, "carts", "user_id", "int4")
	s := NewSurvey()
	s.Begin(restored, "UTF8")
	s.built = built{keys: map[columnOf]bool{{1, 1}: true, {2, 1}: true}, guarded: map[columnOf]bool{},
		sequences: []sequence{{schema.Name{Schema: "public", Table: "users_id_seq"}, columnOf{1, 1}}},
		setTo: settings([]archive.Entry{{Desc: "SEQUENCE SET", Namespace: "public", Tag: "users_id_seq",
			Defn: "SELECT pg_catalog.setval('public.users_id_seq', 3, true);\n"}})}
	show(t, s, "users", []string{"id", "seen"}, "1\t2026-11-28 01:00:00+00", "2\t\\N", "3\t2026-11-28 01:30:00+01")
	show(t, s, "orders_1", []string{"made", "user_id", "id"}, "2026-11-27\t1\t10", "infinity\t3\t7")
	show(t, s, "orders", []string{"id", "user_id", "made"}, "11\t2\t2026-11-28")
	show(t, s, "carts", []string{"user_id"}, "1", "4")
	tables := s.Tables()
	var told []string
	for _, one := range tables {
		told = append(told, fmt.Sprintf("%s %d", one.Name, one.Rows))
	}
	if got := fmt.Sprint(told); got != "[public.carts 2 public.orders 3 public.users 3]" {
		t.Error(got)
	}
	if c := tables[2].column("seen"); c.Newest.Format(time.RFC3339) != "2026-11-28T01:00:00Z" || c.Endless || c.Values != 2 {
		t.Errorf("%+v", c)
	}
	if c := tables[1].column("made"); !c.Endless || c.Newest.Format(time.DateOnly) != "2026-11-28" {
		t.Errorf("%+v", c)
	}
	refs := s.References(tables)
	if len(refs) != 1 || refs[0].From.String() != "public.orders.user_id" || refs[0].To.String() != "public.users.id" || !refs[0].Exact {
		t.Errorf("%+v", refs)
	}
	if n, behind, known := s.Sequences(tables); n != 1 || len(behind) > 0 || !known {
		t.Errorf("%d, behind %v, known %v", n, behind, known)
	}
	show(t, s, "users", []string{"id", "seen"}, "4\t\\N")
	if _, behind, _ := s.Sequences(s.Tables()); fmt.Sprint(behind) != "[public.users_id_seq]" {
		t.Errorf("behind: %v", behind)
	}
}
