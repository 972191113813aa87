package scenarios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"daybefore/internal/verdict"
)

// brokenDatabases restore without a word, and hold all their rows.
func brokenDatabases() []Scenario { return slices.Concat(brokenObjects(), brokenContents()) }

func brokenObjects() []Scenario {
	return []Scenario{
		{"an extension that the backup does not bring",
			edited("  roles: [app, readonly]\n", "  roles: [app, readonly]\n  extensions: [citext]\n"),
			alone(verdict.CodeExtensions, "extensions:citext")},
		{"a role that lost its privileges", shopAfter("DROP OWNED BY readonly"),
			alone(verdict.CodeRoles, "roles:readonly")},
		{"a setting of the database lost", shopAfter("ALTER DATABASE shop RESET timezone"),
			alone(verdict.CodeSettings, "settings:timezone")},
		{"a table that nobody listed", shopAfter("CREATE TABLE public.refunds (id bigint)"),
			Want{Outcome: verdict.Warn, Stage: verdict.StageExpect, Code: verdict.CodeUnlistedTables,
				Check: "unlisted_tables", Alone: true}},
		{"a sequence behind its column", shopAfter("SELECT setval('public.payments_id_seq', 7)"),
			alone(verdict.CodeSequences, "sequences")},
		{"an index that is on no partition", shopAfter("CREATE INDEX events_person ON ONLY bot.events (person_id)"),
			alone(verdict.CodeIndexes, "indexes")},
		{"a constraint that was never validated",
			shopAfter("ALTER TABLE public.order_items ADD CONSTRAINT cheap CHECK (unit_price < 50) NOT VALID"),
			alone(verdict.CodeConstraints, "constraints")},
		{"a materialized view that was never filled",
			shopAfter("CREATE MATERIALIZED VIEW public.trend AS SELECT day, sum(price) FROM " +
				"public.prices_of_the_day GROUP BY day WITH NO DATA"),
			alone(verdict.CodeMaterializedViews, "materialized_views")},
		{"a column dropped", shopAfter("ALTER TABLE bot.polls DROP COLUMN updates"),
			alone(verdict.CodeSchema, "schema")},
		{"an index that pg_dump leaves out",
			shopAfter("UPDATE pg_index SET indisready = false WHERE indexrelid = 'public.payments_order'::regclass"),
			alone(verdict.CodeSchema, "schema")},
		{"a function of another body",
			shopAfter("CREATE OR REPLACE FUNCTION public.set_updated_at() RETURNS trigger LANGUAGE plpgsql AS " +
				"$$ BEGIN RETURN NEW; END $$"),
			alone(verdict.CodeSchema, "schema")},
		{"an index on a function that is not what it says", shopAfter(unsteady),
			alone(verdict.CodeAmcheck, "amcheck:indexes")},
	}
}

func brokenContents() []Scenario {
	return []Scenario{
		{"an order of somebody who is not there",
			shopAfter("UPDATE public.orders SET contact_email = 'nobody' || chr(64) || 'example.com' WHERE id = 7"),
			alone(verdict.CodeRelationships, "relationships:public.orders.contact_email")},
		{"another value in the backup that passed before",
			since(shopAfter("UPDATE public.orders SET total = total + 1 WHERE id = 7")),
			alone(verdict.CodeTableChecksum, "checksum:public.orders")},
		{"another value than was summed up in production",
			both(summedUp(0), shopAfter("UPDATE public.orders SET total = total + 1 WHERE id = 7")),
			alone(verdict.CodeTableChecksum, "checksum:public.orders")},
		{"no sum from production of this night", summedUp(-24 * time.Hour),
			Want{Outcome: verdict.Error, Stage: verdict.StageExpect, Code: verdict.CodeTableChecksum,
				Check: "checksum:public.orders", Alone: true}},
		{"operators of the backup's own before the server's",
			shopAfter(obliging +
				"; UPDATE public.orders SET contact_email = 'nobody' || chr(64) || 'example.com' WHERE id = 7"),
			failedCheck(verdict.CodeRelationships, "relationships:public.orders.contact_email")},
		{"a view that code puts in place of a table",
			shopAfter(whileRestored("ALTER TABLE public.payments RENAME TO payments_real; CREATE VIEW " +
				"public.payments AS SELECT * FROM public.payments_real;")),
			failedCheck(verdict.CodeTablePresent, "table_present:public.payments")},
		{"rows that code changes after their load",
			shopAfter(whileRestored("UPDATE public.payments SET amount = amount + 1 WHERE id = 7;")),
			alone(verdict.CodeRowsChanged, "rows_changed:public.payments")},
		{"code that was not there at the last drill", since(shopAfter(whileRestored(""))),
			Want{Outcome: verdict.Warn, Stage: verdict.StageRestore, Code: verdict.CodeCodeRan, Check: "code_ran",
				Alone: true}},
		{"a canary of this database", both(shopAfter(planted(canary)), watchful), pass},
		{"a canary of another database", both(shopAfter(planted("of-staging")), watchful),
			alone(verdict.CodeCanary, "canary")},
		{"a table missing that can be rebuilt, and its rule", both(
			edited("    - {table: public.best_customers, rebuildable: true}\n",
				"    - {table: public.best_sellers, rebuildable: true}\n"),
			edited("  rules:\n", "  rules:\n    - {column: public.best_sellers.seller, transform: name}\n")), pass},
		{"a collation of another version", both(shopAfter(collation), newest(olderCollation)),
			failedCheck(verdict.CodeCollations, "collations")},
	}
}

// summedUp puts the sum of the unbroken orders into a record of outside, as of
// so long after the backup, and makes the drill compare with it.
func summedUp(after time.Duration) Break {
	return func(ctx context.Context, b *Maker, s *Store) error {
		r, err := drill(ctx, s.home(), b.log)
		if err != nil {
			return err
		}
		for _, c := range r.Checks {
			if c.Code == verdict.CodeTableChecksum && c.Change != nil {
				line := fmt.Sprintf("taken_at,orders\n%s,%s\n", r.Backup.TakenAt.Add(after).Format(time.RFC3339),
					c.Change.To)
				if err := os.WriteFile(filepath.Join(s.dir, demoName, "sums.csv"), []byte(line), 0o644); err != nil {
					return err
				}
				return s.editDrill("checksum: {columns: [id, status, total]}",
					"checksum: {columns: [id, status, total], witness: {url: file:demo/sums.csv, "+
						"sum: orders, at: taken_at}}")
			}
		}
		return errors.New("the drill before summed up nothing")
	}
}

// alone is a failure that no other check notices.
func alone(code verdict.Code, id string) Want {
	w := failedCheck(code, id)
	w.Alone = true
	return w
}

// canaryEnv holds what is planted in the database that is meant.
const canaryEnv, canary = "DAYBEFORE_SCENARIO_CANARY", "of-production"

func planted(token string) string {
	return "CREATE TABLE public.drill_canary (token text); INSERT INTO public.drill_canary VALUES ('" + token + "')"
}

// watchful makes the drill look for the canary.
func watchful(ctx context.Context, b *Maker, s *Store) error {
	if err := os.Setenv(canaryEnv, canary); err != nil { // of one value, whoever sets it
		return err
	}
	return both(
		edited("  tables:\n    - table: public.people\n",
			"  canary: {sql: select token from public.drill_canary, equals_env: "+canaryEnv+
				"}\n  tables:\n    - table: public.drill_canary\n    - table: public.people\n"),
		edited("  rules:\n",
			"  rules:\n    - {column: public.drill_canary.token, preserve: true, why: made for the drill}\n"),
	)(ctx, b, s)
}

// obliging makes all texts equal for whoever asks under the database's
// search_path.
const obliging = `
CREATE SCHEMA obliging; CREATE FUNCTION obliging.yes(text,
  text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR obliging.= (LEFTARG = text, RIGHTARG = text, FUNCTION = obliging.yes);
ALTER DATABASE shop SET search_path = obliging, pg_catalog, public`

// whileRestored is code that a materialized view calls when it is filled, which
// in production it was before the function said so.
func whileRestored(does string) string {
	return `
CREATE FUNCTION public.later() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
CREATE MATERIALIZED VIEW public.called_later AS SELECT public.later() AS n;
CREATE OR REPLACE FUNCTION public.later() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN ` + does + ` RETURN 1; END $$`
}

// unsteady is an index that no query finds its rows by.
const unsteady = `
CREATE FUNCTION public.shelf(integer) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN md5($1::text
  || clock_timestamp()::text); END $$;
CREATE INDEX products_shelf ON public.products (public.shelf(id))`

const (
	collation = "CREATE COLLATION public.by_phone_book (provider = icu, locale = 'de-u-co-phonebk')"
	unnoted   = "locale = 'de-u-co-phonebk')"
	noted     = "locale = 'de', version='1')"
)

// olderCollation makes the dump's SQL note the version that its rows were
// sorted by, as pg_dump does for pg_upgrade alone. Both texts are of one
// length, so that the archive stays whole.
func olderCollation(dump []byte) []byte {
	return bytes.Replace(dump, []byte(unnoted), []byte(noted), 1)
}
