package expect

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const namesake = `
create extension citext;
create schema app; create schema y2026;
create table "Customer" (id int primary key, "Name" text, created timestamptz, total_2026_10 int);
insert into "Customer" values (1, 'a', '2026-11-21 03:00+00', 1);
create table orders (id int primary key, customer_id int references "Customer"); insert into orders values (1, 1);
create table app.invoices (id int); create table y2026.bills (id int);
create table events_2026_10 (id int); create table people (id int); create table "app.odd" (id int);
create view latest as select * from orders;
create role near_app; create role near_app2; grant select on orders to near_app, near_app2;
alter database namesake set work_mem = '64MB';`

// passed is a drill of the night before, of another drill file than today's.
func passed(change func(*verdict.Report)) history.Past {
	return history.Past{Passing: []*verdict.Report{night(1, change)}}
}

// A name that is not there: what a drill that passed had is lost; what is near
// to one that is there may be the drill file's mistake; all else is lost too.
func testAbsent(t *testing.T, s server) {
	connect := s.database(t, "namesake", namesake)
	const file = "0ddf11e"
	unread := history.Past{Problem: verdict.Errorf(verdict.CodeHistory, "mount it", "the disk is gone")}
	had := func(id string) history.Past {
		return passed(func(r *verdict.Report) { r.Checks = []verdict.Check{{ID: id, Outcome: verdict.Pass}} })
	}
	sameFile := func(id string, outcome verdict.Outcome) history.Past {
		return passed(func(r *verdict.Report) {
			r.DrillSHA256 = file
			r.Checks = []verdict.Check{{ID: id, Outcome: outcome}}
		})
	}
	column := func(name string) history.Past {
		return passed(func(r *verdict.Report) { r.Checks = []verdict.Check{{ID: "another", Columns: []string{name}}} })
	}
	customer := func(key string) string { return `{table: 'public."Customer"', ` + key + `}` }
	for _, c := range []struct {
		name, block string
		past        history.Past
		outcome     verdict.Outcome
		says        string // in message and hint, line by line
	}{
		{"case", tables("{table: public.customer}"), history.Past{}, verdict.Error,
			"public.customer is not in the restored database; something with a similar name exists\ndid you mean public.Customer?"},
		{"case, past unread", tables("{table: public.customer}"), unread, verdict.Error,
			"whether it ever was there cannot be known\ndid you mean public.Customer?"},
		{"case, seen before", tables("{table: public.customer}"), had("table_present:public.customer"), verdict.Fail,
			"was there in the last drill that passed with it (1d-ago)\naccept it:\nbin/drill accept"},
		{"case, restored before and not listed", tables("{table: public.customer}"),
			passed(func(r *verdict.Report) { r.Tables = []verdict.Table{{Name: "public.customer"}} }), verdict.Fail, "(1d-ago)"},
		{"case, another seen before", tables("{table: public.customer}"), had("table_present:public.orders"), verdict.Error,
			"no drill that passed had it\ndid you mean"},
		{"plural", tables("{table: public.order}"), history.Past{}, verdict.Error, "did you mean public.orders?"},
		{"irregular plural", tables("{table: public.person}"), history.Past{}, verdict.Error, "did you mean public.people?"},
		{"of a view", tables("{table: public.Latest}"), history.Past{}, verdict.Error, "did you mean public.latest?"},
		{"schema", tables("{table: public.invoices}"), history.Past{}, verdict.Error, "did you mean app.invoices?"},
		{"schema of another year", tables("{table: y2025.bills}"), history.Past{}, verdict.Fail, "a table of this name is in another schema (y2026)"},
		{"quotes", tables("{table: app.odd}"), history.Past{}, verdict.Error, `did you mean public."app.odd"?`},
		{"another month", tables("{table: public.events_2026_11}"), history.Past{}, verdict.Fail,
			"is not in the restored database\nthe backup does not bring it"},
		{"a typo", tables("{table: public.custmer}"), history.Past{}, verdict.Fail, "the backup does not bring it\ndid you mean public.Customer?"},
		{"both are listed", tables("{table: public.order}", "{table: public.orders}"), history.Past{}, verdict.Fail, "the backup does not bring it"},

		{"freshness", tables(customer("freshness: {column: Created, fail_after: 1d}")), history.Past{}, verdict.Error,
			"there is no column public.Customer.Created (drill file, line 6)\ndid you mean created? correct freshness.column"},
		{"freshness, far", tables(customer("freshness: {column: nope, fail_after: 1d}")), history.Past{}, verdict.Error,
			"there is no column public.Customer.nope"},
		{"freshness, seen before", tables(customer("freshness: {column: Created, fail_after: 1d}")), column("public.Customer.Created"), verdict.Fail,
			"any more: it was there in the last drill that passed with it (1d-ago)"},
		{"freshness, the same file", tables(customer("freshness: {column: Created, fail_after: 1d}")), sameFile("freshness:public.Customer", verdict.Warn),
			verdict.Fail, "any more"},
		{"freshness, the same file skipped it", tables(customer("freshness: {column: Created, fail_after: 1d}")),
			sameFile("freshness:public.Customer", verdict.Skipped), verdict.Error, "there is no column"},
		{"freshness, of another column before", tables(customer("freshness: {column: Created, fail_after: 1d}")), had("freshness:public.Customer"),
			verdict.Error, "there is no column"},
		{"max_regression, marked before", tables(customer("max_regression: {column: Created}")),
			passed(func(r *verdict.Report) { r.Marks = []verdict.Mark{{Table: "public.Customer", Column: "Created"}} }), verdict.Fail, "any more"},
		{"max_regression, another month", tables(customer("max_regression: {column: total_2026_11}")), history.Past{}, verdict.Error,
			"there is no column public.Customer.total_2026_11"},
		{"checksum", tables(customer("checksum: {columns: [name]}")), history.Past{}, verdict.Error,
			"there is no column public.Customer.name\ndid you mean Name?"},
		{"relationship", tables(`{table: public.orders, relationships: [{column: Customer_ID, references: 'public."Customer".id'}]}`), history.Past{},
			verdict.Error, "did you mean customer_id?"},
		{"relationship, the other side", tables(`{table: public.orders, relationships: [{column: customer_id, references: 'public."Customer".ID'}]}`),
			history.Past{}, verdict.Error, "there is no column public.Customer.ID\ndid you mean id?"},
		{"relationship, the other table", tables("{table: public.orders, relationships: [{column: customer_id, references: public.customers.id}]}"),
			history.Past{}, verdict.Error,
			"public.customers (which public.orders.customer_id references) does not exist\ndid you mean public.Customer?"},
		{"relationship, the other table seen before", tables("{table: public.orders, relationships: [{column: customer_id, references: public.customers.id}]}"),
			sameFile("relationships:public.orders.customer_id", verdict.Pass), verdict.Fail, "(1d-ago)"},
		{"witness", witnessOf("public.order", "id"), history.Past{}, verdict.Error,
			"public.order (whose rows the witness log names) does not exist or cannot be read\ndid you mean public.orders?"},
		{"witness, heard before", witnessOf("public.order", "id"), passed(func(r *verdict.Report) { r.Witnesses = []verdict.Witness{{Table: "public.order"}} }),
			verdict.Fail, "(1d-ago)"},
		{"witness, column", witnessOf("public.orders", "ID"), history.Past{}, verdict.Error, "did you mean id? correct witness.key"},

		{"extension", "expectations: {timeout: 20s, extensions: [CITEXT]}", history.Past{}, verdict.Error, "did you mean citext?"},
		{"role", "expectations: {timeout: 20s, roles: [Near_App], indexes: valid}", history.Past{}, verdict.Error, "did you mean near_app?"},
		{"role, seen before", "expectations: {timeout: 20s, roles: [Near_App], indexes: valid}", had("roles:Near_App"), verdict.Fail,
			"was there in the last drill"},
		{"role of another number", "expectations: {timeout: 20s, roles: [near_app3], indexes: valid}", history.Past{}, verdict.Fail,
			"was the dump taken with --no-owner"},
		{"setting", "expectations: {timeout: 20s, settings: {work_mems: 64MB}}", history.Past{}, verdict.Error,
			"the restored database does not set work_mems\ndid you mean work_mem?"},
		{"setting, seen before", "expectations: {timeout: 20s, settings: {work_mems: 64MB}}", had("settings:work_mems"), verdict.Fail, "(1d-ago)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := Options{AsOf: asOf, Past: c.past, File: file}
			o.Witnesses.Open = func(context.Context, spec.Source, string) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader("")), nil
			}
			o.Witnesses.Outside = func(string, string, string) (Outside, error) { return Outside{}, nil }
			got := worstOf(Run(t.Context(), connect, drill(t, c.block).Expectations, o))
			if got.Outcome != c.outcome || len(got.Code) == 0 {
				t.Errorf("%s, want %s: %+v", got.Outcome, c.outcome, got)
			}
			for says := range strings.SplitSeq(c.says, "\n") {
				if !strings.Contains(got.Message+"\n"+got.Hint, says) {
					t.Errorf("%q is not in %q, %q", says, got.Message, got.Hint)
				}
			}
		})
	}
	t.Run("latest events", func(t *testing.T) {
		t.Parallel()
		wanted := drill(t,
			tables("{table: public.orders}")+
				"latest_events: [{table: public.Orders, order_by: id, columns: [id]}, {table: public.orders, order_by: ID, columns: [id]}]").LatestEvents
		for _, c := range []struct {
			past history.Past
			want verdict.Outcome
		}{
			{history.Past{}, verdict.Error},
			{passed(func(r *verdict.Report) { r.DrillSHA256 = file }), verdict.Fail},
			{passed(func(r *verdict.Report) {
				r.LatestEvents = []verdict.Events{{Table: "public.Orders"}, {Table: "public.orders", Columns: []string{"ID"}}}
			}), verdict.Fail},
		} {
			_, found := LatestEvents(t.Context(), connect, wanted, Cells{},
				Options{Past: c.past, File: file, Shown: func(string, string, string) bool { return true }})
			for _, got := range found {
				if got.Outcome != c.want {
					t.Errorf("%+v, want %s", got, c.want)
				}
			}
			if len(found) != 2 {
				t.Errorf("%d of 2 are told: %+v", len(found), found)
			}
		}
	})
	t.Run("what was there is kept for the next", func(t *testing.T) {
		t.Parallel()
		e := drill(t, tables(customer("freshness: {column: created, fail_after: 1d}"),
			`{table: public.orders, relationships: [{column: customer_id, references: 'public."Customer".id'}]}`)).Expectations
		var columns []string
		for _, c := range Run(t.Context(), connect, e, Options{AsOf: asOf}) {
			columns = append(columns, c.Columns...)
		}
		if got := fmt.Sprint(columns); got != "[public.Customer.created public.orders.customer_id public.Customer.id]" {
			t.Error(got)
		}
	})
}

// worstOf is the check that says the worst.
func worstOf(checks []verdict.Check) (worst verdict.Check) {
	for _, c := range checks {
		if worst.Outcome == "" || verdict.Worst(worst.Outcome, c.Outcome) != worst.Outcome {
			worst = c
		}
	}
	return worst
}

func witnessOf(table, column string) string {
	return "expectations:\n  timeout: 20s\n  witness:\n    - {name: log, url: 'file:///log', table: " + table + ", key: {" + column + ": id}, at: at}\n"
}

// A thousand tables that are not there, beside a thousand others, take no time
// that a person notices.
func BenchmarkNear(b *testing.B) {
	var all []spec.Name
	for i := range 1000 {
		all = append(all, spec.Name{Schema: "public", Table: fmt.Sprintf("a_table_of_some_length_%d", i)})
	}
	for b.Loop() {
		for _, n := range all {
			if n.Near(spec.Name{Schema: "public", Table: "a_tables_of_some_lengths"}) {
				b.Fatal(n)
			}
		}
		newLookup(nil).elsewhere(spec.Name{Schema: "public", Table: "a_tables_of_some_lengths"}, all)
	}
}
