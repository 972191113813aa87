package scenarios

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"daybefore/internal/harness"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// All returns every scenario, in the order of a drill's stages.
func All() []Scenario {
	return slices.Concat(unbroken(), brokenFiles(), brokenFormats(), brokenCiphers(), wrongBackups(), brokenSets(),
		brokenStores(), brokenPlaces(), brokenInventories(), brokenData(), brokenDatabases(), brokenSince(),
		unfitDrills(), brokenRestores())
}

func unbroken() []Scenario {
	return []Scenario{
		{Name: "nothing broken", Want: pass},
		{Name: "nothing broken, under gzip", Break: compressed(".gz", gzipped), Want: pass},
		{Name: "nothing broken, under zstd", Break: compressed(".zst", zstded), Want: pass},
		{Name: "nothing broken, with sums of the unpacked files", Break: both(compressed(".gz", gzipped),
			unpackedSums), Want: pass},
		{Name: "nothing broken, named by the day", Break: byDay, Want: pass},
	}
}

func brokenFiles() []Scenario {
	return []Scenario{
		{"truncated by one byte", newest(func(dump []byte) []byte { return dump[:len(dump)-1] }),
			fail(verdict.StageFetch, verdict.CodeTruncated)},
		{"truncated by half", newest(func(dump []byte) []byte { return dump[:len(dump)/2] }),
			fail(verdict.StageFetch, verdict.CodeTruncated)},
		{"emptied", newest(func([]byte) []byte { return nil }), fail(verdict.StageChoose, verdict.CodeNotAnArchive)},
		{"garbage", newest(garbage), fail(verdict.StageChoose, verdict.CodeNotAnArchive)},
		{"an HTML page", newest(func([]byte) []byte { return []byte(errorPage) }),
			fail(verdict.StageChoose, verdict.CodeNotAnArchive)},
		{"an SQLite file", newest(func([]byte) []byte { return sqliteFile }),
			fail(verdict.StageChoose, verdict.CodeNotAnArchive)},
		{"a flipped byte beside a good checksum", flipped, fail(verdict.StageFetch, verdict.CodeChecksum)},
	}
}

func wrongBackups() []Scenario {
	return []Scenario{
		{"an older dump under a new name", renewed, fail(verdict.StageChoose, verdict.CodeTimeMismatch)},
		{"an older dump under the name of a later day", both(byDay, renewed), fail(verdict.StageChoose,
			verdict.CodeTimeMismatch)},
		{"two dumps of one day that nothing tells apart", both(byDay, twice), unverified(verdict.StageChoose,
			verdict.CodeSpec)},
		{"a dump of another database", dumped(variant{database: "warehouse", template: goodTemplate}),
			fail(verdict.StageFetch, verdict.CodeDatabase)},
		{"a dump of a sibling database", dumped(variant{database: "shop2", template: goodTemplate}),
			fail(verdict.StageFetch, verdict.CodeDatabase)},
		{"a dump of an empty instance", dumped(variant{database: shopDatabase, template: "template0"}),
			failedCheck(verdict.CodeTablePresent, "table_present:public.orders")},
		{"no backup newer than declared", withoutNewest(2), fail(verdict.StageChoose, verdict.CodeBackupAge)},
		{"no backup at all", withoutNewest(4), fail(verdict.StageChoose, verdict.CodeNoBackup)},
		{"another site's backups only", renamed("shop-", "berlin-"), fail(verdict.StageChoose, verdict.CodeNoBackup)},
	}
}

func brokenStores() []Scenario {
	return []Scenario{
		{"the store does not answer", silentStore, unverified(verdict.StageChoose, verdict.CodeStoreUnreachable)},
		{"the store refuses the credentials", refusingStore,
			unverified(verdict.StageChoose, verdict.CodeCredentialsRefused)},
		{"the sandbox cannot start", unstartable,
			unverified(verdict.StageSandbox, verdict.CodeSandbox)},
	}
}

// unstartable names an image that is nowhere.
func unstartable(_ context.Context, _ *Maker, s *Store) error {
	return s.editDrill(kindLine(s.kind), kindLine(sandbox.Container)+"  image: registry.example.invalid/postgres:17\n")
}

func brokenData() []Scenario {
	return []Scenario{
		{"a table missing", shopAfter("DROP TABLE public.payments"),
			failedCheck(verdict.CodeTablePresent, "table_present:public.payments")},
		{"a month's partition missing",
			both(shopAfter("DROP TABLE bot.events_2026_03"), expecting("bot.events_2026_03")),
			failedCheck(verdict.CodeTablePresent, "table_present:bot.events_2026_03")},
		{"a table emptied", shopAfter("TRUNCATE bot.messages"),
			failedCheck(verdict.CodeRowCount, "row_count:bot.messages")},
		{"half of a table's rows gone", shopAfter("DELETE FROM bot.messages WHERE id % 2 = 0"),
			failedCheck(verdict.CodeRowCount, "row_count:bot.messages")},
		{"newest rows a week old in a young file",
			shopAfter("DELETE FROM bot.messages WHERE sent_at > timestamptz '2026-02-25 03:15:00+00'"),
			failedCheck(verdict.CodeFreshness, "freshness:bot.messages")},
		// the disk that went back in time, between two backups
		{"events gone that an admin log names", shopAfter("DELETE FROM bot.events WHERE id BETWEEN 6640 AND 6669"),
			alone(verdict.CodeWitness, "witness:admin_log")},
		{"the admin log cannot be read", edited("url: file:demo/admin.jsonl", "url: file:demo/rotated.jsonl"),
			Want{Outcome: verdict.Error, Stage: verdict.StageExpect, Code: verdict.CodeWitness,
				Check: "witness:admin_log", Alone: true}},
		{"a line of the admin log damaged", damagedWitness,
			Want{Outcome: verdict.Error, Stage: verdict.StageExpect, Code: verdict.CodeWitness,
				Check: "witness:admin_log", Alone: true}},
	}
}

// damagedWitness cuts the admin log off, as a full disk does.
func damagedWitness(_ context.Context, _ *Maker, s *Store) error {
	return os.Truncate(filepath.Join(s.dir, demoName, witnessFile), 100)
}

func unfitDrills() []Scenario {
	return []Scenario{
		{"a new column that looks sensitive", shopAfter("ALTER TABLE public.people ADD COLUMN mobile_phone text"),
			unverified(verdict.StageScrub, verdict.CodeUnmatched)},
		{"a rule for a column that is gone", shopAfter("ALTER TABLE public.orders DROP COLUMN note"),
			unverified(verdict.StageScrub, verdict.CodeRuleUnmet)},
		{"a table declared in another case", edited("    - table: public.sessions #", "    - table: public.Sessions #"),
			Want{Outcome: verdict.Error, Stage: verdict.StageExpect, Code: verdict.CodeTablePresent,
				Check: "table_present:public.Sessions", Alone: true}},
		{"a file name declared with another suffix",
			edited("  name: shop-{time}.dump\n", "  name: shop-{time}.dump.gz\n"),
			unverified(verdict.StageChoose, verdict.CodeNoBackup)},
		{"two addresses that normalising makes one",
			shopAfter("INSERT INTO public.people (full_name, email, created_at, updated_at) SELECT full_name, " +
				"upper(email), created_at, updated_at FROM public.people WHERE role = 'customer' ORDER BY id LIMIT 1"),
			Want{Outcome: verdict.Error, Stage: verdict.StageScrub, Code: verdict.CodeDistinct,
				Check: "distinct:public.people.email"}},
		{"a phone number in a column of harmless name",
			shopAfter("UPDATE public.products SET title = title || ', ask +44 20 7946 0958' WHERE id = 7"),
			leaked("public.products.title")},
		{"a card number after a line break, in an array",
			shopAfter(
				`UPDATE public.products SET tags = array_append(tags, E'paid with\n4111 1111 1111 1111') WHERE id = 7`,
			), leaked("public.products.tags")},
		{"an address at a new path of a document", both(
			shopAfter("UPDATE bot.messages SET meta = meta || jsonb_build_object('to', 'ada' || chr(64) || "+
				"'example.org') WHERE id = 7"),
			edited(`meta, preserve: true, why: "the channel and a read mark, no words of people"`,
				`meta, unmatched_paths: keep, why: "marks", json: [{path: $.channel, preserve: true, why: "one of four words"}]`)),
			leaked("bot.messages.meta at $.to")},
		{"an address in a materialized view",
			shopAfter("CREATE MATERIALIZED VIEW public.mailing AS SELECT id, 'ada' || chr(64) || 'example.org' " +
				"AS line FROM public.products"), stored("public.mailing.line")},
		{"an address in a comment",
			shopAfter("COMMENT ON TABLE public.orders IS 'ask ada@example.org'"),
			stored("a comment on table public.orders")},
		{"a customer's address in a preserved jsonb",
			shopAfter("UPDATE bot.messages SET meta = meta || jsonb_build_object('to', (SELECT email FROM " +
				"public.people WHERE role = 'customer' ORDER BY id LIMIT 1)) WHERE id = 7"),
			stored("bot.messages.meta")},
	}
}

// brokenSince are backups that look well by themselves, and not beside the
// unbroken one that was drilled before.
func brokenSince() []Scenario {
	const check = "row_count_change:bot.messages"
	purged := shopAfter("DELETE FROM bot.messages WHERE id % 12 = 5")
	floorless := edited("row_count: {min: 4000}\n      # Beside", "row_count: {min: 1000}\n      # Beside")
	return []Scenario{
		{"nothing changed since a drill that passed", since(nil), pass},
		{"some of a table's rows gone since the last drill", since(purged),
			failedCheck(verdict.CodeRowCountChange, check)},
		{"a table's newest rows gone since the last drill",
			since(shopAfter("DELETE FROM bot.messages WHERE sent_at > timestamptz '2026-03-04 00:30:00+00'")),
			failedCheck(verdict.CodeMaxRegression, "max_regression:bot.messages")},
		{"a table renamed to another case since a pass", since(shopAfter(`ALTER TABLE bot.polls RENAME TO "Polls"`)),
			failedCheck(verdict.CodeTablePresent, "table_present:bot.polls")},
		{"backups under another suffix since the last drill", since(renamed(".dump", ".dmp")),
			fail(verdict.StageChoose, verdict.CodeNoBackup)},
		{"rows gone, which was accepted", accepted(purged, check), pass},
		{"more rows gone than was accepted",
			both(floorless, accepted(purged, check), shopAfter("DELETE FROM bot.messages WHERE id % 12 IN (5, 6)")),
			failedCheck(verdict.CodeRowCountChange, check)},
		{"a past report damaged", both(since(nil), damagedPast),
			Want{Outcome: verdict.Warn, Stage: verdict.StageChoose, Code: verdict.CodeHistory, Check: "history"}},
		{"the store of past reports is gone", edited("version: 1\n", "version: 1\nhistory: file:not-mounted/\n"),
			Want{Outcome: verdict.Error, Stage: verdict.StageChoose, Code: verdict.CodeHistory, Check: "history"}},
		{"an index that takes longer than what was promised",
			both(shopAfter(slowIndex), edited("expectations:\n", "expectations:\n  recovery_time: {fail_after: 5s}\n")),
			failedCheck(verdict.CodeRecoveryTime, "recovery_time")},
	}
}

// slowIndex takes longer to build than all else together to restore.
const slowIndex = `
CREATE FUNCTION public.slowly(n bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM pg_catalog.pg_sleep(case when n = 7 then 5.1 else 0 end);
    RETURN n;
END
$$;
CREATE INDEX ON public.products (public.slowly(id::bigint))`

// since drills the unbroken demo, before something is broken.
func since(br Break) Break {
	return func(ctx context.Context, b *Maker, s *Store) error {
		if err := s.drilled(ctx, b, verdict.Pass); err != nil || br == nil {
			return err
		}
		return br(ctx, b, s)
	}
}

// accepted breaks something that a drill then finds, and a person accepts.
func accepted(br Break, check string) Break {
	return func(ctx context.Context, b *Maker, s *Store) error {
		if err := since(br)(ctx, b, s); err != nil {
			return err
		}
		if err := s.drilled(ctx, b, verdict.Fail); err != nil {
			return err
		}
		return s.harness(b).Accept(ctx, harness.AcceptOptions{Name: demoName, Check: check, Why: "purged"})
	}
}

// damagedPast cuts the last report off.
func damagedPast(_ context.Context, _ *Maker, s *Store) error {
	kept, err := filepath.Glob(filepath.Join(s.home(), "reports", demoName, "*", "report.json"))
	if err != nil || len(kept) != 1 {
		return fmt.Errorf("look for the last report: %d of them, %w", len(kept), err)
	}
	return os.Truncate(kept[0], 100)
}

// stored is what is found after the load, where no filter could see it.
func stored(place string) Want {
	return Want{Outcome: verdict.Error, Stage: verdict.StageScrub, Code: verdict.CodeLeak, Check: "leak:" + place}
}

// leaked is what content tells where no rule names the place.
func leaked(place string) Want {
	return Want{Outcome: verdict.Error, Stage: verdict.StageScrub, Code: verdict.CodeUnmatched,
		Check: "unmatched:" + place}
}

func brokenRestores() []Scenario {
	strangeRole := shopAfter("CREATE ROLE reporting; GRANT SELECT ON public.products TO reporting")
	return []Scenario{
		{"a role missing, to be created", strangeRole,
			Want{Outcome: verdict.Warn, Stage: verdict.StageRestore, Code: verdict.CodeRoles, Check: "roles"}},
		{"a role missing, and that is a failure", both(strangeRole, edited("  roles: create\n", "  roles: fail\n")),
			Want{Outcome: verdict.Fail, Stage: verdict.StageRestore, Code: verdict.CodeRoles, Check: "roles"}},
		{"a function that fails for a materialized view", shopAfter(unqualifiedFunction),
			Want{Outcome: verdict.Fail, Stage: verdict.StageRestore, Code: verdict.CodeRestoreErrors,
				Check: "restore_errors"}},
		{"a damaged date that a rule replaces",
			shopAfter(damaged("integer", "date", "people", "birth_date", "2145031949")),
			fail(verdict.StageRestore, verdict.CodeCorrupt)},
		{"damaged letters that a rule replaces", shopAfter(damaged("bytea", "text", "addresses", "street", `'\xff41'`)),
			fail(verdict.StageRestore, verdict.CodeCorrupt)},
		{"a damaged document that a rule replaces", shopAfter(damagedDocument),
			fail(verdict.StageRestore, verdict.CodeCorrupt)},
		{"a CHECK that reads a table which comes later", shopAfter(checkAcross),
			Want{Outcome: verdict.Fail, Stage: verdict.StageRestore, Code: verdict.CodeRestoreErrors,
				Check: "restore_errors"}},
		{"an index that works by a privilege alone", shopAfter(indexByPrivilege),
			Want{Outcome: verdict.Fail, Stage: verdict.StageRestore, Code: verdict.CodeRestoreErrors,
				Check: "restore_errors"}},
		{"a unique index over another table's rows", shopAfter(indexAcross),
			Want{Outcome: verdict.Fail, Stage: verdict.StageRestore, Code: verdict.CodeRestoreErrors,
				Check: "restore_errors"}},
	}
}

// damaged writes a value that no server would have taken into a column of which
// the scrub leaves nothing, by calling one type the other.
func damaged(from, to, table, column, value string) string {
	return fmt.Sprintf("CREATE CAST (%[1]s AS %[2]s) WITHOUT FUNCTION; UPDATE public.%[3]s SET %[4]s = "+
		"(%[5]s::%[1]s)::%[2]s WHERE id = 7; DROP CAST (%[1]s AS %[2]s)",
		from, to, table, column, value)
}

// damagedDocument is a document that lacks its last brace.
const damagedDocument = `DROP INDEX public.people_profile; ALTER TABLE public.people ALTER profile DROP DEFAULT,
	ALTER profile TYPE json USING profile::json;
CREATE CAST (bytea AS json) WITHOUT FUNCTION; UPDATE public.people SET profile = convert_to('{"a": 1', 'UTF8')::json
	WHERE id = 7; DROP CAST (bytea AS json)`

// checkAcross is well in production. In a restore the people are not there yet:
// rows come in the order of the tables' names.
const checkAcross = `
CREATE FUNCTION public.is_known(bigint) RETURNS boolean LANGUAGE sql AS $$
	SELECT EXISTS (SELECT FROM public.people WHERE id = $1) $$;
ALTER TABLE bot.messages ADD CONSTRAINT to_somebody CHECK (public.is_known(person_id))`

// indexByPrivilege is built as the table's owner, who may use the other schema
// only once pg_restore has come to the privileges: after all indexes.
const indexByPrivilege = `
CREATE SCHEMA tools; CREATE FUNCTION tools.fold(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
GRANT USAGE ON SCHEMA tools TO app;
CREATE FUNCTION public.folded(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN tools.fold(t); END $$;
ALTER TABLE public.products OWNER TO app;
CREATE INDEX products_folded ON public.products (public.folded(title))`

// indexAcross was unique until its function was replaced. In a restore all rows
// are there when it is built; before those of the other table are, each of its
// keys is null, and no two are equal.
const indexAcross = `
CREATE FUNCTION public.title_of(bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN $1; END $$;
CREATE UNIQUE INDEX order_items_title ON public.order_items (public.title_of(order_id * 1000 + line));
CREATE OR REPLACE FUNCTION public.title_of(bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
$$ BEGIN RETURN (SELECT title FROM public.products WHERE id = 1 + $1 % 7); END $$`

// unqualifiedFunction works wherever search_path names public, as it does in
// production, and fails under the empty one of a restore.
const unqualifiedFunction = `
CREATE OR REPLACE FUNCTION public.order_sum(the_order bigint) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(sum(quantity * unit_price), 0) FROM order_items WHERE order_id = the_order);
END
$$`

var pass = Want{Outcome: verdict.Pass}

func fail(stage string, code verdict.Code) Want {
	return Want{Outcome: verdict.Fail, Stage: stage, Code: code}
}

func unverified(stage string, code verdict.Code) Want {
	return Want{Outcome: verdict.Error, Stage: stage, Code: code}
}

func failedCheck(code verdict.Code, id string) Want {
	return Want{Outcome: verdict.Fail, Stage: verdict.StageExpect, Code: code, Check: id}
}

// both breaks one thing after the other.
func both(breaks ...Break) Break {
	return func(ctx context.Context, b *Maker, s *Store) error {
		for _, br := range breaks {
			if err := br(ctx, b, s); err != nil {
				return err
			}
		}
		return nil
	}
}

// newest spoils the bytes of the newest backup. Its side file vouches for the
// spoiled bytes: the backup job wrote both.
func newest(spoil func(dump []byte) []byte) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		name, dump, err := s.newest()
		if err != nil {
			return err
		}
		return s.put(name, spoil(dump))
	}
}

// compressed puts all backups into the store under compression, and makes the
// drill look for such files.
func compressed(suffix string, compress func([]byte) ([]byte, error)) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		names, err := s.backups()
		if err != nil {
			return err
		}
		for _, name := range names {
			dump, err := os.ReadFile(s.path(name))
			if err != nil {
				return err
			}
			packed, err := compress(dump)
			if err != nil {
				return err
			}
			if err := s.put(name+suffix, packed); err != nil {
				return err
			}
		}
		return s.editDrill("  name: shop-{time}.dump\n", "  name: shop-{time}.dump"+suffix+"\n")
	}
}

func gzipped(dump []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(dump); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil { // writes the end
		return nil, err
	}
	return b.Bytes(), nil
}

func zstded(dump []byte) ([]byte, error) {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, err
	}
	return enc.EncodeAll(dump, nil), enc.Close()
}

// flipped changes one bit in the middle of the newest backup and leaves the
// side file as it was: what a disk or a line does to a file.
func flipped(_ context.Context, _ *Maker, s *Store) error {
	name, dump, err := s.newest()
	if err != nil {
		return err
	}
	dump[len(dump)/2] ^= 1
	return os.WriteFile(s.path(name), dump, 0o644)
}

// renewed gives the newest backup's name to an older dump.
func renewed(_ context.Context, _ *Maker, s *Store) error {
	names, err := s.backups()
	if err != nil {
		return err
	}
	old, err := os.ReadFile(s.path(names[0]))
	if err != nil {
		return err
	}
	return s.put(names[len(names)-1], old)
}

// byDay names the backups as most people do.
func byDay(_ context.Context, _ *Maker, s *Store) error {
	names, err := s.backups()
	if err != nil {
		return err
	}
	for _, name := range names {
		at, err := time.Parse("shop-20060102T150405Z.dump", name)
		if err != nil {
			return err
		}
		dump, err := os.ReadFile(s.path(name))
		if err != nil {
			return err
		}
		if err := errors.Join(s.remove(name), s.put(at.Format("shop-2006-01-02.dump"), dump)); err != nil {
			return err
		}
	}
	return errors.Join(s.editDrill("  name: shop-{time}.dump\n", "  name: shop-{time}*.dump\n"),
		s.editDrill("  time: 20060102T150405Z\n", "  time: 2006-01-02\n"))
}

// twice puts the newest backup into the store under another name of its day.
func twice(_ context.Context, _ *Maker, s *Store) error {
	name, dump, err := s.newest()
	if err != nil {
		return err
	}
	return s.put(strings.TrimSuffix(name, ".dump")+"-again.dump", dump)
}

// unpackedSums lets the files beside gzipped backups vouch for what is in them,
// as those do that are written before the backup is packed.
func unpackedSums(_ context.Context, _ *Maker, s *Store) error {
	names, err := s.backups()
	if err != nil {
		return err
	}
	for _, name := range names {
		inside, packed := strings.CutSuffix(name, ".gz")
		if !packed {
			continue
		}
		if err := os.Rename(s.path(inside)+sideSuffix, s.path(name)+sideSuffix); err != nil {
			return err
		}
	}
	return nil
}

// withoutNewest removes the newest n backups.
func withoutNewest(n int) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		names, err := s.backups()
		if err != nil {
			return err
		}
		if len(names) < n {
			return fmt.Errorf("remove %d backups: there are %d", n, len(names))
		}
		for _, name := range names[len(names)-n:] {
			if err := s.remove(name); err != nil {
				return err
			}
		}
		return nil
	}
}

// shopAfter puts a dump of the shop, taken after sql, in the newest's place.
func shopAfter(sql string) Break {
	return dumped(variant{database: shopDatabase, template: goodTemplate, sql: sql})
}

// dumped puts a real dump of v in the newest's place, as of its night.
func dumped(v variant) Break {
	return func(ctx context.Context, b *Maker, s *Store) error {
		names, err := s.backups()
		if err != nil {
			return err
		}
		name := names[len(names)-1]
		dump, err := b.dump(ctx, v)
		if err != nil {
			return err
		}
		return s.put(name, dump)
	}
}

// expecting makes the drill expect a table besides.
func expecting(table string) Break {
	const last = "    - table: public.sessions # must be there, and is empty on purpose\n"
	return edited(last, last+"    - table: "+table+"\n")
}

// renamed writes all backups, and what lies beside them, under other names.
func renamed(old, new string) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		files, err := os.ReadDir(s.path(""))
		for _, f := range files {
			err = errors.Join(err, os.Rename(s.path(f.Name()), s.path(strings.Replace(f.Name(), old, new, 1))))
		}
		return err
	}
}

func edited(old, new string) Break {
	return func(_ context.Context, _ *Maker, s *Store) error { return s.editDrill(old, new) }
}

// garbage is as long as the dump and means nothing.
func garbage(dump []byte) []byte {
	noise := rand.NewChaCha8([32]byte{})
	out := make([]byte, len(dump))
	noise.Read(out)
	return out
}

// errorPage is what a proxy or a file host answers instead of the file.
const errorPage = `<!DOCTYPE html>
<html><head><title>Sign in</title></head><body><h1>Your session has expired</h1></body></html>
`

// sqliteFile is a database of the other common kind.
//
//go:embed testdata/shop.sqlite
var sqliteFile []byte
