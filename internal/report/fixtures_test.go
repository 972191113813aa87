package report

import (
	"fmt"
	"strings"
	"time"

	"daybefore/internal/verdict"
)

// fixtures are the reports whose renderings are kept in testdata, by name.
func fixtures() map[string]*verdict.Report {
	return map[string]*verdict.Report{
		"pass": passing(), "warn": warning(), "fail": failing(), "error": unreachable(),
		"interrupted": interrupted(), "hostile": hostile(), "skipped": skipped(), "spec": misspelled(),
		"undecided": undecided(),
	}
}

var began = time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)

func passing() *verdict.Report {
	took := 2900 * time.Millisecond
	r := &verdict.Report{
		Schema: verdict.Schema, Drill: "demo", Run: "20261121T031500Z-3f2a", Outcome: verdict.Pass,
		HarnessVersion: "v0.1.0", DrillSHA256: strings.Repeat("d", 64), AsOf: "backup 2026-11-20T22:15:00Z",
		StartedAt: began, FinishedAt: began.Add(took), DurationMS: took.Milliseconds(),
		Backup: verdict.Backup{
			Store: "file:///srv/backups/shop/", Name: "shop-20261120.dump", TakenAt: began.Add(-5 * time.Hour),
			SizeBytes: 312_417, SHA256: strings.Repeat("0123456789abcdef", 4), ETag: "1-2", Checksum: "verified",
			Format: "custom", Compression: "zstd", Database: "shop", ServerVersion: "15.18", DumpVersion: "15.18", Encoding: "UTF8",
		},
		Inventory: verdict.Inventory{Backups: 28, Bytes: 8_746_210, NewestAt: began.Add(-5 * time.Hour), OldestAt: began.Add(-173 * time.Hour)},
		Sandbox: verdict.Sandbox{Kind: "container", Image: "postgres:17", ServerVersion: "17.11", Isolation: "no_network",
			Why: "Docker answers and has the image"},
		Tables: []verdict.Table{
			{Name: "public.users", RowsPassed: 2000, RowsHeld: 2000},
			{Name: "public.orders", RowsPassed: 18_431, RowsHeld: 18_431},
			{Name: "public.sessions", Excluded: true},
		},
		CodeRan: []verdict.OwnCode{
			{Function: "public.slug(text)", Language: "plpgsql", SHA256: "sha256:0123456789abcdef",
				UsedBy: []string{"INDEX public.users_slug", "VIEW public.shown"}, New: true},
			{Function: "public.touch()", Language: "plpgsql", SHA256: "sha256:fedcba9876543210", UsedBy: []string{"TRIGGER public.orders touch"}},
		},
		Recovery: &verdict.Recovery{TotalMS: 930, FetchMS: 53, PreDataMS: 120, DataMS: 600, PostDataMS: 157},
		Trend: []verdict.Trend{
			{Run: "20261120T031500Z-77aa", RecoveryMS: 910, BackupAgeMS: 5 * 3600e3, SizeBytes: 311_004},
			{Run: "20261119T031500Z-01fe", RecoveryMS: 1204, BackupAgeMS: 29 * 3600e3, SizeBytes: 309_871},
		},
		Scrub: verdict.Scrub{
			Columns: []verdict.ScrubColumn{
				{Column: "public.users.email", Transform: "email", Link: "person_email", Rows: 1980, NullsIn: 20, NullsOut: 20},
				{Column: "public.users.note", Transform: "set_null", Rows: 1200, NullsIn: 800, NullsOut: 2000},
			},
			Kept: []verdict.ScrubKept{{Table: "public.users", Rows: 3, Why: "our own accounts"}, {Table: "public.teams", Rows: 1}},
			Preserve: []verdict.ScrubPreserved{
				{Column: "public.orders.total", Why: "an amount, no identity"},
				{Column: "public.queues.mail_from", Why: "our own mailboxes", LooksLike: "an e-mail address"},
			},
			Passed: []verdict.ScrubPassed{
				{Column: "public.orders.state", Type: "text", Rows: 18_431, LooksLike: []string{"words"}, DecidedBy: verdict.DecidedByNobody},
				{Column: "public.orders.voucher", Type: "character varying(12)", Rows: 18_431, LooksLike: []string{"empty", "codes"},
					DecidedBy: verdict.DecidedByNobody},
				{Column: "public.queues.mail_from", Type: "text", Rows: 4, LooksLike: []string{"codes"}, DecidedBy: verdict.DecidedByRule,
					Why: "our own mailboxes"},
			},
		},
		LatestEvents: []verdict.Events{{
			Table: "public.orders", Columns: []string{"id", "total", "created_at"},
			Rows: [][]string{{"18431", "19.90", "2026-11-20 22:13:41+00"}, {"18430", "5.00", "2026-11-20 22:12:07+00"}},
		}},
	}
	for i, name := range []string{"choose", "fetch", "sandbox", "restore", "scrub", "expect"} {
		r.Stages = append(r.Stages, verdict.Stage{Name: name, Outcome: verdict.Pass, DurationMS: int64(i*i)*41 + 12})
	}
	for _, t := range r.Tables[:2] {
		held := fmt.Sprint(t.RowsHeld)
		r.Checks = append(r.Checks,
			verdict.Check{ID: "rows_held:" + t.Name, Stage: "restore", Code: verdict.CodeRowsHeld, Outcome: verdict.Pass, Expected: held, Observed: held})
	}
	r.Checks = append(r.Checks,
		verdict.Check{ID: "row_count:public.users", Stage: "expect", Code: verdict.CodeRowCount, Outcome: verdict.Pass, Expected: ">= 1000", Observed: "2000"},
		verdict.Check{ID: "freshness:public.orders", Stage: "expect", Code: verdict.CodeFreshness, Outcome: verdict.Pass, Expected: "<= 6h", Observed: "1m19s"},
	)
	return r
}

// looked is what is found without a drill: the store is as declared but for
// these checks.
func looked(checks ...verdict.Check) *verdict.Report {
	p := passing()
	r := &verdict.Report{
		Schema: verdict.Schema, Drill: "demo", Run: p.Run, Outcome: verdict.Pass, AsOf: p.AsOf, StartedAt: began, DurationMS: 41,
		Backup: p.Backup, Inventory: p.Inventory, Stages: p.Stages[:1],
		Checks: []verdict.Check{
			{ID: "backup_age", Stage: "choose", Code: verdict.CodeBackupAge, Outcome: verdict.Pass, Expected: "at most 7h (warn), 13h (fail) old",
				Observed: "5h old (taken 2026-11-20 22:15 UTC)"},
			{ID: "min_backups", Stage: "choose", Code: verdict.CodeMinBackups, Outcome: verdict.Pass, Expected: "at least 28 backups", Observed: "28 backups"},
		},
	}
	for _, c := range checks {
		spoil(r, c)
	}
	return r
}

// collapsing is a store that something removes backups from.
func collapsing() verdict.Check {
	return verdict.Check{
		ID: "collapse:backups", Stage: "choose", Code: verdict.CodeCollapse, Outcome: verdict.Fail,
		Expected: "at most 15 % (warn), 30 % (fail) fewer than in the last drill that passed", Observed: "28 backups (57.6 % fewer than 66 backups)",
		Message: "the store holds 28 backups: 57.6 % fewer than 66 backups, as in the last drill that passed (20261120T031500Z-11aa)",
		Hint:    "something removes backups: stop whatever prunes this store now",
	}
}

// spoil sets a stage to what one of its checks found.
func spoil(r *verdict.Report, c verdict.Check) {
	r.Checks = append(r.Checks, c)
	for i := range r.Stages {
		s := &r.Stages[i]
		if s.Name == c.Stage && verdict.Worst(s.Outcome, c.Outcome) != s.Outcome {
			s.Outcome, s.Code, s.Message, s.Hint = c.Outcome, c.Code, c.Message, c.Hint
		}
	}
	r.Outcome = verdict.Worst(r.Outcome, c.Outcome)
}

func warning() *verdict.Report {
	r := passing()
	r.RolesCreated = []string{"app", "readonly"}
	r.Gate = &verdict.Gate{Drilled: "there is no report yet", Within: "1d"}
	r.Messages = verdict.Messages{Warnings: 1, Notices: 4}
	spoil(r, verdict.Check{
		ID: "roles", Stage: "restore", Code: verdict.CodeRoles, Outcome: verdict.Warn,
		Expected: "no role beyond those declared", Observed: "app, readonly",
		Message: "the backup names roles that it does not bring along: app, readonly; they were created here, without login",
		Hint:    "a real restore needs them first: keep a `pg_dumpall --roles-only` beside the backup, and list them under expectations.roles",
	})
	spoil(r, verdict.Check{
		ID: "left_out", Stage: "restore", Code: verdict.CodeLeftOut, Outcome: verdict.Skipped, Observed: "1",
		Message: "left out on purpose: SUBSCRIPTION reports",
	})
	spoil(r, verdict.Check{
		ID: "row_count_change:public.users", Stage: "expect", Code: verdict.CodeRowCountChange, Outcome: verdict.Skipped,
		Expected: "at most 10 % fewer than in the last drill that passed", Observed: "2000 rows",
		Message: "no history yet: no earlier drill that passed says anything to compare with",
		Hint:    "nothing is wrong; later drills are compared with this one, if it passes",
		Change:  &verdict.Change{To: "2000"},
	})
	purged := &verdict.Accepted{From: "40000", To: "18431", Why: "orders before 2020 purged, ticket 812", Who: "ada@ops-1", At: began.Add(-18 * time.Hour)}
	spoil(r, verdict.Check{
		ID: "row_count_change:public.orders", Stage: "expect", Code: verdict.CodeRowCountChange, Outcome: verdict.Pass,
		Expected: "at most 10 % fewer than in the last drill that passed", Observed: "18431 rows (unchanged)",
		Change: &verdict.Change{Baseline: "20261120T031500Z-77aa", From: "18431", To: "18431"}, Accepted: purged,
	})
	return r
}

func failing() *verdict.Report {
	r := passing()
	r.Scrub.Stored = true
	r.LastGood = &verdict.LastGood{Backup: "shop-20261119.dump", Run: "20261120T031500Z-77aa", DrilledAt: began.AddDate(0, 0, -1)}
	r.Messages = verdict.Messages{Errors: 2}
	spoil(r, verdict.Check{
		ID: "restore_errors", Stage: "restore", Code: verdict.CodeRestoreErrors, Outcome: verdict.Fail,
		Expected: "<= 0", Observed: "2",
		Message: `MATERIALIZED VIEW DATA public.daily_totals: relation "rates" does not exist; ` +
			`FK CONSTRAINT public.orders_user_id_fkey: insert or update on table "orders" violates foreign key constraint "orders_user_id_fkey"`,
		Hint: "a real restore would hit the same errors; the objects named are missing or incomplete",
	})
	spoil(r, verdict.Check{
		ID: "row_count:public.orders", Stage: "expect", Code: verdict.CodeRowCount, Outcome: verdict.Warn,
		Expected: "between 100000 and 5000000", Observed: "18431", Message: "public.orders holds 81,569 rows less than the least that was declared",
	})
	spoil(r, verdict.Check{
		ID: "failed_rows:paid_without_payment", Stage: "expect", Code: verdict.CodeFailedRows, Outcome: verdict.Error,
		Expected: "<= 10", Message: `the query failed: column o.paid does not exist (SQLSTATE 42703)`, Hint: "correct its sql in drills/demo.yaml:41:7",
	})
	spoil(r, verdict.Check{
		ID: "freshness:a_schema_with_a_long_name.a_table_with_an_even_longer_name_that_goes_on.last_seen_at", Stage: "expect",
		Code: verdict.CodeFreshness, Outcome: verdict.Fail, Expected: "<= 6h", Observed: "7d 2h",
		Message: "the newest row is from 2026-11-13 20:15 UTC", Hint: "look whether the dump was taken from a replica that stopped replaying",
	})
	r.Tables[1].RowsHeld = 18_000
	r.Gate = &verdict.Gate{
		Drilled: "the store's newest backup is not the one that was drilled", Within: "1d",
		Shut: "fail at restore (restore_errors): " + r.Checks[len(r.Checks)-4].Message,
	}
	return r
}

func unreachable() *verdict.Report {
	r := &verdict.Report{
		Schema: verdict.Schema, Drill: "shop", Run: "20261121T031500Z-00ff", Outcome: verdict.Error,
		StartedAt: began, FinishedAt: began.Add(31 * time.Second), DurationMS: 31_000,
		Backup: verdict.Backup{Store: "s3://shop-backups/nightly/"}, LastGood: &verdict.LastGood{},
		Stages: []verdict.Stage{{
			Name: "choose", Outcome: verdict.Error, Code: verdict.CodeStoreUnreachable, DurationMS: 31_000,
			Message: "list s3://shop-backups/nightly/: no answer from https://s3.example.com after 4 tries: dial tcp: lookup s3.example.com: no such host",
			Hint:    "look at the network of this machine, and at source.endpoint in the drill file",
		}},
	}
	for _, name := range []string{"fetch", "sandbox", "restore", "scrub", "expect"} {
		r.Stages = append(r.Stages, verdict.Stage{Name: name, Outcome: verdict.Skipped})
	}
	return r
}

func interrupted() *verdict.Report {
	r := passing()
	r.Outcome = verdict.Error
	r.Checks = nil
	r.Tables = nil
	r.LatestEvents = nil
	r.Scrub = verdict.Scrub{}
	r.Recovery = nil
	for i := range r.Stages {
		s := &r.Stages[i]
		switch s.Name {
		case "restore":
			s.Outcome, s.Code, s.Message, s.Hint = verdict.Error, verdict.CodeInterrupted, "the drill was interrupted", "run the drill again"
		case "scrub", "expect":
			*s = verdict.Stage{Name: s.Name, Outcome: verdict.Skipped}
		}
	}
	return r
}

// evil is what a hostile backup may call a table, or hold in a cell.
const evil = "a|b`c`<script>x</script>\x1b[2J\x1b]0;owned\x07\r\nPASS  demo: all is well\u202egnp\u009b31m\xff\x00\x7f ]]> & [x](javascript:y) *b* @all"

func hostile() *verdict.Report {
	r := passing()
	r.Drill = "größe_日本語"
	r.Backup.Name, r.Backup.Database = "größe-"+evil+".dump", evil
	r.Sandbox.Why = evil
	r.LastGood = &verdict.LastGood{Backup: evil, Run: evil, DrilledAt: began}
	r.RolesCreated = []string{evil}
	r.Tables = []verdict.Table{{Name: "public." + evil, RowsPassed: 1, RowsHeld: 1}, {Name: `public."Bestellübersicht für Zürich"`, RowsPassed: 7, RowsHeld: 7}}
	r.Scrub.Columns[0].Column, r.Scrub.Preserve[0].Why = evil, evil
	r.Scrub.Passed[0].Column, r.Scrub.Passed[0].Type, r.Scrub.Preserve[1].LooksLike = evil, evil, evil
	r.LatestEvents[0] = verdict.Events{Table: evil, Columns: []string{evil, "名前"},
		Rows: [][]string{{evil, "山田 太郎"}, {"👩‍👩‍👧 e\u0301"}, {"1", "2", "one too many"}}}
	r.CodeRan = []verdict.OwnCode{{Function: evil, Language: evil, SHA256: evil, UsedBy: []string{evil}}}
	r.Stages[4].Name = evil
	spoil(r, verdict.Check{ID: evil, Stage: "expect", Code: evil, Outcome: verdict.Fail, Expected: evil, Observed: evil, Message: evil, Hint: evil})
	spoil(r, verdict.Check{ID: evil, Stage: "expect", Outcome: verdict.Pass, Expected: evil, Observed: evil,
		Accepted: &verdict.Accepted{From: evil, To: evil, Why: evil, Who: evil, At: began}})
	return r
}

func skipped() *verdict.Report {
	return &verdict.Report{
		Schema: verdict.Schema, Drill: "bot", Run: "20261121T031500Z-0001", Outcome: verdict.Skipped, StartedAt: began, FinishedAt: began,
		Stages: []verdict.Stage{{Name: "choose", Outcome: verdict.Skipped}},
	}
}

func misspelled() *verdict.Report {
	return &verdict.Report{
		Schema: verdict.Schema, Drill: "bot", Run: "20261121T031500Z-0002", Outcome: verdict.Error, StartedAt: began, FinishedAt: began,
		Stages: []verdict.Stage{{
			Name: "choose", Outcome: verdict.Error, Code: verdict.CodeSpec,
			Message: "drills/bot.yaml:3:5: source.nmae: no such key; did you mean name?\ndrills/bot.yaml:9:14: row_count.min: \"many\" is no number; " +
				"write a number such as 1000",
			Hint: "fix what is named; nothing was fetched",
		}},
	}
}

// undecided is a new database, whose scrub has no rules yet.
func undecided() *verdict.Report {
	r := passing()
	r.Outcome = verdict.Error
	r.Tables = nil
	r.Scrub = verdict.Scrub{}
	r.LatestEvents = nil
	r.Checks, r.Recovery = nil, nil
	for _, column := range []string{"users.email", "users.full_name", "users.telephone_number_of_a_relative", "orders.contact_email", "orders.note"} {
		r.Checks = append(r.Checks, verdict.Check{
			ID: "unmatched:public." + column, Stage: verdict.StageScrub, Code: verdict.CodeUnmatched, Outcome: verdict.Error,
			Message: "drills/shop.yaml: public." + column + " looks like something about a person, and has no rule",
			Hint: "add under scrub.rules or, if it holds nothing private, preserve: true and a why instead of the transform:\n- {column: public." + column +
				", transform: text}",
		})
	}
	for i := range r.Stages {
		switch r.Stages[i].Name {
		case verdict.StageScrub:
			r.Stages[i].Outcome, r.Stages[i].Code, r.Stages[i].Message = verdict.Error, verdict.CodeUnmatched, r.Checks[0].Message
		case verdict.StageExpect:
			r.Stages[i].Outcome = verdict.Skipped
		}
	}
	return r
}
