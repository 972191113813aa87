package spec

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/spec/calendar"
	"daybefore/internal/spec/folder"
	"daybefore/internal/spec/guess"
)

const (
	testKey   = "0123456789abcdef0123456789abcdef"
	reportKey = "fedcba9876543210fedcba9876543210"
	olderKey  = "89abcdef0123456789abcdef01234567"

	signingKey = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
`
)

func testEnv(name string) (string, bool) {
	value, ok := map[string]string{
		"DRILL_SCRUB_KEY": testKey,
		"SHORT_KEY":       testKey[1:],
		"DULL_KEY":        strings.Repeat("0123456", 10),
		"EMPTY_KEY":       "",
		"REPORT_KEY":      reportKey,
		"REPORT_KEYS":     " " + olderKey + " , " + reportKey + "\n",
		"SHORT_SECOND":    reportKey + "," + testKey[1:],
		"ENDS_IN_COMMA":   reportKey + ",",
		"SIGNING_KEY":     signingKey,
		"RSA_KEY":         strings.Replace(signingKey, "MC4CAQAwBQYDK2Vw", "MC4CAQAwBQYDK2Vu", 1), // x25519's, which signs nothing
		"PUSHGATEWAY":     "https://me:hunter2@push.example.com/base",
		"PUSH_NOWHERE":    "push.example.com:9091/hunter2",
	}[name]
	return value, ok
}

var testLoader = Loader{LookupEnv: testEnv}

// base is the least that a drill file may hold, a block each.
var base = []string{
	"version: 1",
	"source: {url: 'file:///backups/', name: 'shop-{time}.dump', time: 20060102T150405Z}",
	"expectations: {tables: [{table: public.users}]}",
}

// decrypts is a drill file's source with what decrypts its backups.
func decrypts(section string) string {
	return source("url: s3://b/, name: a, timezone: UTC, decrypt: " + section)
}

// drillFile is base with blocks replaced, or added, by their first key.
func drillFile(blocks ...string) string {
	all := append([]string{}, base...)
next:
	for _, block := range blocks {
		key, _, _ := strings.Cut(block, ":")
		for i := range all {
			if strings.HasPrefix(all[i], strings.TrimPrefix(key, "§")+":") {
				all[i] = block
				continue next
			}
		}
		all = append(all, block)
	}
	return strings.Join(all, "\n") + "\n"
}

// unmark takes the § out of a text and returns their places, counted from 1.
func unmark(s string) (clean string, places []Pos) {
	for {
		before, after, found := strings.Cut(s, "§")
		if !found {
			return s, places
		}
		line := before[strings.LastIndex(before, "\n")+1:]
		places = append(places, Pos{Line: strings.Count(before, "\n") + 1, Column: len([]rune(line)) + 1})
		s = before + after
	}
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func rule(body string) string { return "scrub: {rules: [" + body + "]}" }
func table(body string) string {
	return "expectations: {tables: [{table: public.users, " + body + "}]}"
}
func source(body string) string {
	return "source: {" + body + "}"
}

// badInput declares all that must be said about a drill file. A § stands right
// before each place that must be named, in the order of the messages.
type badInput struct {
	name string
	file string
	want []string
}

var badInputs = []badInput{
	// The file as a whole.
	{"empty", "§", []string{"the drill file is empty; begin with version: 1"}},
	{"only a comment", "§# nothing\n", []string{"the drill file is empty; begin with version: 1"}},
	{"a list", "§- a\n", []string{"a drill file is a mapping of keys, not a list; begin with version: 1"}},
	{"a word", "§drill\n", []string{"a drill file is a mapping of keys, not a single value; begin with version: 1"}},
	{"a quote that does not end", "version: 1\nsource: §\"a\n",
		[]string{"not valid YAML: a text in \" is not closed, or holds a wrong escape; fix the YAML here; " +
			"the rest was not looked at"}},
	{"a key after a value", "version: 1\nsource: §a: b\n", []string{"not valid YAML: a key stands where none can, or lacks its value: write key: value, " +
		"and indent the keys of a section alike; fix the YAML here; the rest was not looked at"}},
	{"a key too deep", "version: §1\n  source: a\n", []string{"not valid YAML: a key stands where none can, or lacks its value: write key: value, " +
		"and indent the keys of a section alike; fix the YAML here; the rest was not looked at"}},
	{"not YAML", "version: 1\nsource: §[\n", []string{"not valid YAML: a [ is not closed by ]; fix the YAML here; the rest was not looked at"}},
	{"a tab", "source:\n§\turl: x\n",
		[]string{"not valid YAML: a tab stands where YAML takes spaces only; fix the YAML here; the rest was not looked at"}},
	{"two documents", drillFile() + "§---\nversion: 1\n",
		[]string{"the file holds more than one document; one drill a file: move what follows --- into a file of its own"}},
	{"nothing required is there", "§§§timeout: 5m\n", []string{
		"version is missing; write version: 1",
		"source is missing; say where the backups lie and how they are named",
		"expectations is missing; a drill that expects nothing proves nothing: name a table"}},
	{"another version", drillFile("version: §2"), []string{`version: "2" is not one of its values; write 1`}},

	// Keys.
	{"unknown key", drillFile("§notifications: {}"),
		[]string{`"notifications" is not a key of a drill file; known here: version, timeout, source, inventory, sandbox, restore, scrub, expectations, ` +
			`latest_events, history, reports, metrics, sign, runbook, databases, notify, proven_within`}},
	{"misspelled key", drillFile("§time_out: 5m"), []string{`"time_out" is not a key of a drill file; did you mean timeout?`}},
	{"misspelled key below", drillFile("sandbox: {§memmory: 4GiB}"), []string{`"sandbox.memmory" is not a key of a drill file; did you mean memory?`}},
	{"misspelled key in a list", drillFile(rule("{column: a.b.c, §tranform: hash, transform: hash}")),
		[]string{`"scrub.rules.tranform" is not a key of a drill file; did you mean transform?`}},
	{"notify that tells nobody", drillFile("§notify: {when: [fail]}"),
		[]string{"notify names nobody who is told; add heartbeat_env: DRILL_HEARTBEAT_URL, or channels"}},
	{"a monitor's URL instead of a variable", drillFile("notify: {heartbeat_env: §https://hc-ping.com/x}"),
		[]string{"notify.heartbeat_env is not the name of an environment variable; write the variable's name, " +
			"such as DRILL_HEARTBEAT_URL, never the key"}},
	{"a style of no heartbeat", drillFile("notify: {heartbeat_style: §plain, channels: [{slack_env: A}]}"),
		[]string{"notify.heartbeat_style is of no heartbeat; add heartbeat_env, or remove it"}},
	{"a channel of nobody", drillFile("notify: {channels: [§{when: [fail]}]}"),
		[]string{"notify.channels: one of them tells nobody; name the way, such as slack_env: DRILL_SLACK_URL"}},
	{"two channels in one", drillFile("notify: {channels: [{slack_env: A, teams_env: §B}]}"),
		[]string{"notify.channels: one of them is both slack and teams; begin another one with -"}},
	{"a channel twice", drillFile("notify: {channels: [{slack_env: A}, {slack_env: §A}]}"),
		[]string{`notify.channels: "slack (A)" appears twice, first in line 4; keep one of them`}},
	{"a key of another channel", drillFile("notify: {channels: [{slack_env: A, from: §a@example.com}]}"),
		[]string{"notify.channels.from is for email, and this one is slack; remove it, or begin another channel with -"}},
	{"an unknown when", drillFile("notify: {channels: [{slack_env: A, when: [§failed]}]}"),
		[]string{`notify.channels.when: "failed" is not one of its values; did you mean fail?`}},
	{"an Alertmanager that is none", drillFile("notify: {channels: [{alertmanager: §am:9093}]}"),
		[]string{"notify.channels.alertmanager is not the URL of a server; write https://host, with a port where it has one"}},
	{"a password in the drill file", drillFile("notify: {channels: [{alertmanager: §https://a:secret@am}]}"),
		[]string{"notify.channels.alertmanager holds a password, which is no text for a drill file; put the whole URL into an environment variable"}},
	{"a PagerDuty that anybody reads", drillFile("notify: {channels: [{pagerduty_env: A, pagerduty_url: §http://events.example.com}]}"),
		[]string{"notify.channels.pagerduty_url lets anybody on the way read the key; write https://"}},
	{"e-mails for nobody", drillFile("notify: {channels: [{smtp_env: §A}]}"),
		[]string{"notify.channels: nobody gets the e-mails of smtp_env; add email: [ops@example.com]"}},
	{"an address that is none", drillFile("notify: {channels: [{smtp_env: A, email: [§\"a@b\\r\\nBcc: c@d\"]}]}"),
		[]string{`notify.channels.email: "a@b\r\nBcc: c@d" is not an address; write an address alone, such as ops@example.com`}},
	{"a notifier of no words", drillFile("notify: {channels: [§{command: ['']}]}"),
		[]string{`notify.channels.command names no program; write the program and its arguments, such as [notify-us, "{drill}"]`}},
	{"proven within no time", drillFile("proven_within: §0s"), []string{"proven_within: 0s is not a duration; write more than 0s or remove it"}},
	{"nothing that decrypts", drillFile(source("url: s3://b/, name: a, timezone: UTC, §decrypt: {env: [DRILL_SCRUB_KEY]}")),
		[]string{"source.decrypt names nothing that decrypts; " +
			"name a key, such as age_identity_env: DRILL_AGE_IDENTITY, or a command"}},
	{"an age identity instead of a variable", drillFile(decrypts("{age_identity_env: §AGE-SECRET-KEY-1QQ}")),
		[]string{"source.decrypt.age_identity_env is not the name of an environment variable; write the variable's name, " +
			"such as DRILL_BACKUP_KEY, never the key"}},
	{"a variable of a key that is not set", drillFile(decrypts("{openpgp_key_env: §NOT_SET}")),
		[]string{"source.decrypt.openpgp_key_env: the environment variable NOT_SET is not set; set it to what decrypts the backups"}},
	{"a key in two places", drillFile(decrypts("{age_identity_env: DRILL_SCRUB_KEY, age_identity_file: §id}")),
		[]string{"source.decrypt has age_identity_env and age_identity_file; keep one of them"}},
	{"a command and a key", drillFile(decrypts("{command: [openssl], age_identity_file: §id}")),
		[]string{"source.decrypt has a command and a key beside it, and the command gets every backup; " +
			"remove it, or the command; a command gets variables by source.decrypt.env"}},
	{"variables without a command", drillFile(decrypts("{age_identity_file: id, env: [§DRILL_SCRUB_KEY]}")),
		[]string{"source.decrypt.env is for a command, and there is none; remove it"}},
	{"a command of no words", drillFile(source("url: s3://b/, name: a, timezone: UTC, §decrypt: {command: ['']}")),
		[]string{"source.decrypt.command names no program; " +
			"write the program and its arguments, such as [gpg, --batch, --decrypt]"}},
	{"a key twice", drillFile("sandbox: {kind: auto, §kind: local}"), []string{"sandbox.kind appears twice; keep one of them"}},
	{"a section twice", drillFile() + "§version: 1\n", []string{"version appears twice; keep one of them"}},
	{"several mistakes", drillFile("sandbox:\n  kind: §docker\n  memory: §lots", "§colour: red"), []string{
		`sandbox.kind: "docker" is not one of its values; write auto, container or local`,
		`sandbox.memory: "lots" is not a size; write 512MiB, 4GiB or 10MB`,
		"\"colour\" is not a key of a drill file; known here: version, timeout, source, inventory, sandbox, restore, " +
			"scrub, expectations, latest_events, history, reports, metrics, sign, runbook, databases, notify, proven_within"}},

	// Shapes.
	{"a section without value", drillFile("§sandbox:"), []string{"sandbox has no value; give it a value or remove the key"}},
	{"an empty section", drillFile("§sandbox: {}"), []string{"sandbox is empty; fill it or remove it"}},
	{"a list for a section", drillFile("sandbox: §[auto]"), []string{"sandbox is a mapping of keys, not a list; write keys and values below it"}},
	{"a section for a value", drillFile("sandbox: {kind: §{a: b}}"), []string{"sandbox.kind is one value, not a mapping; write one value"}},
	{"a value for a list", drillFile("scrub: {exclude_table_data: §public.a}"),
		[]string{"scrub.exclude_table_data is a list, not a single value; write [a, b], or one a line with - before each"}},
	{"an empty list", drillFile("scrub: {rules: §[]}"), []string{"scrub.rules is empty; fill it or remove it"}},
	{"an empty entry", drillFile("scrub:\n  exclude_table_data:\n    - public.a\n    - §\n"),
		[]string{"scrub.exclude_table_data has no value; give it a value or remove the key"}},
	{"an empty enumerated value", drillFile("sandbox: {kind: §''}"), []string{`sandbox.kind: "" is not one of its values; write auto, container or local`}},
	{"an enumerated null", drillFile("sandbox: {§kind: }"), []string{"sandbox.kind has no value; write auto, container or local"}},
	{"transform: null", drillFile(rule("{column: a.b.c, §transform: null}")), []string{
		"scrub.rules.transform has no value; to write nulls say transform: set_null, else write " + guess.Alternatives(TransformNames())}},
	{"an alias", drillFile(rule("{column: §*.*.c, transform: hash}")),
		[]string{`scrub.rules.column: YAML reads a bare * as an alias, which drill files do not use; quote it if it is a pattern ("*.*.created_at"), else write ` +
			`the value out`}},
	{"an anchor", drillFile("sandbox: §&a {kind: auto}"), []string{"sandbox: YAML anchors and tags are not used in drill files; write the value out"}},
	{"a tag", drillFile("sandbox: {kind: §!!str auto}"), []string{"sandbox.kind: YAML anchors and tags are not used in drill files; write the value out"}},
	{"not a duration", drillFile("timeout: §6 hours"), []string{`timeout: "6 hours" is not a duration; write 90s, 45m, 6h, 7d or 1d12h`}},
	{"a duration without unit", drillFile("timeout: §45"), []string{`timeout: "45" is not a duration; write 90s, 45m, 6h, 7d or 1d12h`}},
	{"a duration the wrong way round", drillFile("timeout: §5m1h"), []string{`timeout: "5m1h" is not a duration; write 90s, 45m, 6h, 7d or 1d12h`}},
	{"a duration beyond reckoning", drillFile("timeout: §999999999d"), []string{`timeout: "999999999d" is not a duration; write 90s, 45m, 6h, 7d or 1d12h`}},
	{"no time at all", drillFile("timeout: §0s"), []string{"timeout: 0s is not a duration; write more than 0s or remove it"}},

	// source
	{"no url", drillFile("§source: {name: 'a-{time}', time: 20060102T150405Z}"), []string{"source.url is missing; " + anyPlace}},
	{"not a URL", drillFile(source("url: §/backups, name: a, timezone: UTC")), []string{"source.url is a path, not a URL; write file:///backups/"}},
	{"a relative path", drillFile(source("url: §../backups, name: a, timezone: UTC")), []string{"source.url is a path, not a URL; write file:../backups/"}},
	{"not a URL or a path", drillFile(source("url: §'hunter2', name: a, timezone: UTC")), []string{"source.url is not a URL; " + anyPlace}},
	{"credentials in the URL", drillFile(source("url: §'s3://AKIA:hunter2@bucket/', name: a, timezone: UTC")),
		[]string{"source.url holds credentials; take them out, change them, and give them in the environment"}},
	{"a query", drillFile(source("url: §'s3://bucket/?region=x', name: a, timezone: UTC")),
		[]string{"source.url holds a query or a fragment; settings such as region and endpoint are keys of source"}},
	{"another cloud's store", drillFile(source("url: §azblob://bucket/, name: a, timezone: UTC")),
		[]string{`source.url: "azblob" is not a kind of store; ` + anyPlace}},
	{"an unknown store", drillFile(source("url: §ftp://host/, name: a, timezone: UTC")),
		[]string{`source.url: "ftp" is not a kind of store; ` + anyPlace}},
	{"a folder with a host", drillFile(source("url: §file://backups/, name: a, timezone: UTC")),
		[]string{"source.url: a folder's URL names no host; write file:///dir/ for a folder of this machine, file:dir/ for one beside the drill file"}},
	{"no folder", drillFile(source("url: §'file:', name: a, timezone: UTC")), []string{"source.url names no folder; write file:///dir/ or file:dir/"}},
	{"no bucket", drillFile(source("url: §s3:///prefix/, name: a, timezone: UTC")),
		[]string{"source.url names no bucket; write s3://bucket/prefix/; another server is named by endpoint"}},
	{"a region for a folder", drillFile(source("url: file:///b/, name: a, timezone: UTC, region: §x")),
		[]string{"source.region is for s3, and the url is a folder's; remove it"}},
	{"credentials in the endpoint", drillFile(source("url: s3://b/, name: a, timezone: UTC, endpoint: §'https://me:hunter2@s3.example.com'")),
		[]string{"source.endpoint holds credentials; take them out, change them, and give them in the environment"}},
	{"an endpoint without scheme", drillFile(source("url: s3://b/, name: a, timezone: UTC, endpoint: §s3.example.com")),
		[]string{"source.endpoint is not a server's URL; write https://host:port"}},
	{"an empty name", drillFile(source("url: s3://b/, timezone: UTC, name: §''")),
		[]string{`source.name is empty; write a pattern such as "shop-{time}.dump"`}},
	{"two times in a name", drillFile(source("url: s3://b/, name: §'{time}-{time}', time: 20060102T150405Z")),
		[]string{"source.name holds {time} 2 times; keep one and write * for the other"}},
	{"a name's time without layout", drillFile(source("url: s3://b/, name: §'a-{time}', timezone: UTC")),
		[]string{"source.name holds {time}, but source.time does not say how it is written; add time: 20060102T150405Z, as 2006-01-02 15:04:05 would be written"}},
	{"a layout without a time in the name", drillFile(source("url: s3://b/, name: a, timezone: UTC, time: §20060102")),
		[]string{"source.time: source.name has no {time}; write {time} where name has the time, or remove time"}},
	{"a layout that is an example", drillFile(source("url: s3://b/, name: 'a-{time}', timezone: UTC, time: §20261121T031500Z")),
		[]string{`source.time: "20261121T031500Z" does not tell year, month and day; write how 2006-01-02 15:04:05 would stand in the name, such as ` +
			`20060102T150405Z`}},
	{"a layout in other words", drillFile(source("url: s3://b/, name: 'a-{time}', timezone: UTC, time: §YYYYMMDD")),
		[]string{`source.time: "YYYYMMDD" does not tell year, month and day; write how 2006-01-02 15:04:05 would stand in the name, such as 20060102T150405Z`}},
	{"a layout of twelve hours", drillFile(source("url: s3://b/, name: 'a-{time}', timezone: UTC, time: §20060102T030405")),
		[]string{`source.time: "20060102T030405" does not tell morning from afternoon; write 15 for the hour of 24, or 03 with PM`}},
	{"a layout without hour", drillFile(source("url: s3://b/, name: 'a-{time}', timezone: UTC, time: §20060102-0405")),
		[]string{`source.time: "20060102-0405" does not tell the hour; write how 2006-01-02 15:04:05 would stand in the name, such as 20060102T150405Z`}},
	{"a zone's abbreviation", drillFile(source("url: s3://b/, name: 'a-{time}', time: §20060102T150405MST")),
		[]string{`source.time: "20060102T150405MST" holds a zone's abbreviation, which does not tell its offset; write -0700 for the zone, or leave it out and ` +
			`say timezone`}},
	{"a time without zone", drillFile(source("url: s3://b/, name: 'a-{time}', time: §20060102T150405")),
		[]string{"source.timezone is missing: {time} has no zone; add timezone: the zone of the machine that writes the backups, such as Europe/Berlin or UTC"}},
	{"a header without zone", drillFile("§source: {url: s3://b/, name: a}"),
		[]string{"source.timezone is missing: an archive's header tells its time without a zone; add timezone: the zone of the machine that writes the " +
			"backups, such as Europe/Berlin or UTC"}},
	{"a name's time without layout and zone", drillFile("§source: {url: s3://b/, name: §'a-{time}'}"), []string{
		"source.timezone is missing: it is needed unless source.time writes the zone; add timezone: the zone of the machine that writes the backups, " +
			"such as Europe/Berlin or UTC",
		"source.name holds {time}, but source.time does not say how it is written; add time: 20060102T150405Z, as 2006-01-02 15:04:05 would be written"}},
	{"a layout in other words, and no zone", drillFile(source("url: s3://b/, name: 'a-{time}', time: §§YYYYMMDD")), []string{
		`source.time: "YYYYMMDD" does not tell year, month and day; write how 2006-01-02 15:04:05 would stand in the name, such as 20060102T150405Z`,
		"source.timezone is missing: {time} has no zone; add timezone: the zone of the machine that writes the backups, such as Europe/Berlin or UTC"}},
	{"a layout of a year", drillFile(source("url: s3://b/, name: 'a-{time}', timezone: UTC, time: §'2006'")),
		[]string{`source.time: "2006" does not tell year, month and day; write how 2006-01-02 15:04:05 would stand in the name, such as 20060102T150405Z`}},
	{"credentials and a query", drillFile(source("url: §§'s3://me:hunter2@b/?x=y', name: a, timezone: UTC")), []string{
		"source.url holds credentials; take them out, change them, and give them in the environment",
		"source.url holds a query or a fragment; settings such as region and endpoint are keys of source"}},
	{"a cadence finer than names", drillFile(source("url: s3://b/, name: 'a-{time}', timezone: UTC, time: 2006-01-02"), "inventory: {§cadence: {every: 6h}}"),
		[]string{
			"inventory.cadence can never be kept: source.time tells the day only, and a gap of 6h36m is narrower; write the hour into the names and " +
				"into source.time, or every: 1d"}},
	{"an unknown zone", drillFile(source("url: s3://b/, name: a, timezone: §Berlin")),
		[]string{`source.timezone: there is no time zone "Berlin"; write a name such as Europe/Berlin or UTC`}},
	{"this machine's zone", drillFile(source("url: s3://b/, name: a, timezone: §Local")),
		[]string{`source.timezone: "Local" is not the same zone on every machine; write a name such as Europe/Berlin or UTC`}},
	{"a checksum of neither kind", drillFile(source("url: s3://b/, name: a, timezone: UTC, checksum: §requird")),
		[]string{`source.checksum: "requird" is not one of its values; did you mean required?`}},

	{"parts without a time", drillFile(source("url: s3://b/, parts: [§a.sql, 'a-{time}.dump'], timezone: UTC, time: 20060102")),
		[]string{"source.parts: \"a.sql\" holds {time} 0 times; write {time} once: it tells which parts belong together"}},
	{"one part", drillFile(source("url: s3://b/, parts: [§'a-{time}.dump'], timezone: UTC, time: 20060102")),
		[]string{"source.parts lists one part; write it as name, or list the other parts"}},
	{"a name and parts", drillFile(source("url: s3://b/, name: §'a-{time}', parts: ['a-{time}.sql', 'a-{time}.dump'], timezone: UTC, time: 20060102")),
		[]string{"source holds name and parts; keep name for a backup of one file or folder, parts for several"}},
	{"parts of which no time is told", drillFile(source("url: s3://b/, parts: [§'a-{time}.sql', 'a-{time}.dump'], timezone: UTC")),
		[]string{"source.parts holds {time}, but source.time does not say how it is written; add time: 20060102T150405Z, as 2006-01-02 15:04:05 would be written"}},
	{"links of neither kind", drillFile(source("url: file:///b/, name: a, timezone: UTC, links: §folow")),
		[]string{`source.links: "folow" is not one of its values; did you mean follow?`}},
	{"a ratio of nothing", drillFile(source("url: file:///b/, name: a, timezone: UTC, max_ratio: §0")),
		[]string{"source.max_ratio: nothing unpacks to 0 times its size; write 200, or what the backups need, or remove it"}},
	{"a ratio that is no number", drillFile(source("url: file:///b/, name: a, timezone: UTC, max_ratio: §much")),
		[]string{`source.max_ratio: "much" is not a whole number; write digits only, such as 1000`}},

	{"a signing key that is not set", drillFile("sign: {key_env: §NOT_SET}"),
		[]string{"sign.key_env: the environment variable NOT_SET is not set; set it to what \"openssl genpkey -algorithm ed25519\" prints, the lines " +
			"of BEGIN and END too"}},
	{"a signing key that is none", drillFile("sign: {key_env: §REPORT_KEY}"),
		[]string{"sign.key_env: the environment variable REPORT_KEY does not hold an ed25519 private key in PEM (PKCS#8); set it to what " +
			"\"openssl genpkey -algorithm ed25519\" prints, the lines of BEGIN and END too"}},
	{"a private key that signs nothing", drillFile("sign: {key_env: §RSA_KEY}"),
		[]string{"sign.key_env: the environment variable RSA_KEY does not hold an ed25519 private key in PEM (PKCS#8); set it to what " +
			"\"openssl genpkey -algorithm ed25519\" prints, the lines of BEGIN and END too"}},
	{"a control twice", drillFile("sign: {key_env: SIGNING_KEY, controls: [SOC 2 A1.2, §SOC 2 A1.2 ]}"),
		[]string{`sign.controls: "SOC 2 A1.2" stands there twice; keep one of them`}},
	{"a control without a name", drillFile("sign: {key_env: SIGNING_KEY, controls: [§' ']}"),
		[]string{`sign.controls: " " is no name of a control; write its name as auditors do, such as "ISO 27001 A.8.13"`}},
	{"numbers that go nowhere", drillFile("§metrics: {textfile: ''}"),
		[]string{"metrics names nowhere that they go; name the folder under textfile, or a variable under pushgateway_env"}},
	{"a folder of somewhere", drillFile("metrics: {textfile: §node_exporter}"),
		[]string{"metrics.textfile: \"node_exporter\" is no absolute path; write the folder from / on, as the node exporter is told it"}},
	{"a Pushgateway that is not set", drillFile("metrics: {pushgateway_env: §NOT_SET}"),
		[]string{"metrics.pushgateway_env: the environment variable NOT_SET is not set; set it to the Pushgateway's URL, such as http://127.0.0.1:9091"}},
	{"a Pushgateway without a scheme", drillFile("metrics: {pushgateway_env: §PUSH_NOWHERE}"),
		[]string{"metrics.pushgateway_env: the environment variable PUSH_NOWHERE does not hold the URL of a server; " +
			"set it to the Pushgateway's URL, such as http://127.0.0.1:9091"}},
	{"a report key that is not set", drillFile("history: {key_env: §NOT_SET}"),
		[]string{"history.key_env: the environment variable NOT_SET is not set; set it to the key that earlier drills had, or before the first one to 32 " +
			"random bytes or more (openssl rand -hex 32)"}},
	{"a short report key", drillFile("history: {key_env: §SHORT_KEY}"),
		[]string{"history.key_env: the environment variable SHORT_KEY holds 31 bytes, fewer than 32; set it to 32 random bytes or more, such as the " +
			"output of: openssl rand -hex 32"}},
	{"a short second report key", drillFile("history: {key_env: §SHORT_SECOND}"),
		[]string{"history.key_env: the environment variable SHORT_SECOND holds as its key 2 31 bytes, fewer than 32; set it to 32 random bytes or more, such " +
			"as the output of: openssl rand -hex 32"}},
	{"an empty second report key", drillFile("history: {key_env: §ENDS_IN_COMMA}"),
		[]string{"history.key_env: the environment variable ENDS_IN_COMMA holds as its key 2 0 bytes, fewer than 32; set it to 32 random bytes or more, such " +
			"as the output of: openssl rand -hex 32"}},
	{"a dull report key", drillFile("history: {key_env: §DULL_KEY}"),
		[]string{"history.key_env: the environment variable DULL_KEY repeats so few different characters that it could be guessed; set it to 32 random bytes " +
			"or more, such as the output of: openssl rand -hex 32"}},
	{"a report key itself", drillFile("history: {key_env: §hunter-2}"),
		[]string{"history.key_env is not the name of an environment variable; write the variable's name, such as DRILL_REPORT_KEY, never the key"}},
	{"the scrub's key for reports", drillFile("scrub: {key_env: DRILL_SCRUB_KEY}", "history: {url: 's3://reports/', key_env: §DRILL_SCRUB_KEY}"),
		[]string{"history.key_env names the key of scrub.key_env, by which pseudonyms are made; give each a key of its own"}},
	{"no report kept", drillFile("reports: {keep: §0}"),
		[]string{"reports.keep: 0 runs cannot be kept; write 1 or more, or leave reports out to keep all"}},
	{"reports of nothing", drillFile("§reports: {}"), []string{"reports is empty; fill it or remove it"}},
	{"a history of nothing", drillFile("§history: {}"), []string{"history is empty; fill it or remove it"}},
	{"a history that is no URL", drillFile("history: §reports"), []string{"history is not a URL; " + anyPlace}},
	{"a runbook of nothing", drillFile("§runbook: {}"), []string{"runbook is empty; fill it or remove it"}},
	{"a runbook where nothing is written", drillFile("runbook: {copy_to: §gs://shop/}"),
		[]string{"runbook.copy_to: runbooks are not written to gs; write file:///dir/ or s3://bucket/prefix/"}},
	{"a history with credentials", drillFile("history: §s3://a:b@reports/"),
		[]string{"history holds credentials; take them out, change them, and give them in the environment"}},
	{"a history among the backups", drillFile(source("url: s3://b/x, name: a, timezone: UTC"), "history: §s3://b/x/"),
		[]string{"history is in the folder of the backups; give the reports a folder of their own"}},

	// inventory, sandbox, restore
	{"no age", drillFile("inventory: {§backup_age: {}}"), []string{"inventory.backup_age is empty; fill it or remove it"}},
	{"ages the wrong way round", drillFile("inventory: {backup_age: {warn_after: §13h, fail_after: 7h}}"),
		[]string{"inventory.backup_age: warn_after 13h can never be seen beside fail_after 7h; let warn_after be the shorter"}},
	{"a cadence without every", drillFile("inventory: {§cadence: {tolerance: 30m}}"),
		[]string{"inventory.cadence.every is missing; say how often a backup is taken, such as 6h"}},
	{"a cadence that is never looked at", drillFile("inventory: {§cadence: {every: 7d}, oldest_at_least: 7d}"),
		[]string{"inventory.cadence can never fail: no gap of 7d16h48m is seen in the 7d of oldest_at_least; raise oldest_at_least, or remove cadence"}},
	{"one backup at least", drillFile("inventory: {min_backups: §1}"), []string{"inventory.min_backups: 1 can never fail; write 2 or what fits, or remove it"}},
	{"no backup at least", drillFile("inventory: {min_backups: {warn_below: 7, fail_below: §0}}"),
		[]string{"inventory.min_backups: 0 can never fail; write 2 or what fits, or remove it"}},
	{"a number that is none", drillFile("inventory: {min_backups: §seven}"),
		[]string{`inventory.min_backups: "seven" is not a whole number; write digits only, such as 1000`}},
	{"a list of numbers", drillFile("inventory: {min_backups: §[7]}"),
		[]string{"inventory.min_backups is a mapping of keys, not a list; write keys and values below it"}},
	{"a limit with another key", drillFile("inventory: {min_backups: {§min: 7}}"),
		[]string{`"inventory.min_backups.min" is not a key of a drill file; known here: warn_below, fail_below`}},
	{"no size at least", drillFile("inventory: {min_size: §0B}"), []string{"inventory.min_size: 0B can never fail; write 10MiB or what fits, or remove it"}},
	{"a warning that is never seen", drillFile("inventory: {oldest_at_least: {warn_below: §7d, fail_below: 14d}}"),
		[]string{"inventory.oldest_at_least: warn_below 7d can never be seen beside fail_below 14d; let warn_below be the greater"}},
	{"no retention", drillFile("inventory: {oldest_at_least: §0s}"),
		[]string{"inventory.oldest_at_least: 0s can never fail; write 7d or what fits, or remove it"}},
	{"a collapse of all", drillFile("inventory: {collapse: {fail_percent: §100}}"),
		[]string{"inventory.collapse.fail_percent: 100 can never fail: no drop is of more than 100 %; write less than 100"}},
	{"a collapse the wrong way round", drillFile("inventory: {collapse: {warn_percent: §30, fail_percent: 30}}"),
		[]string{"inventory.collapse: warn_percent 30 can never be seen beside fail_percent 30; let warn_percent be the smaller"}},
	{"a size compared with nothing", drillFile("inventory: {size_change: {against: §mean(7), fail_percent: 50}}"),
		[]string{`inventory.size_change.against: "mean(7)" is nothing to compare with; write last, or median(7)`}},
	{"off-site of nothing", drillFile("inventory: {§off_site: {}}"), []string{"inventory.off_site is empty; fill it or remove it"}},
	{"off-site of a URL", drillFile("inventory: {off_site: {production_hosts: [§'https://db1', §'db1:5432', db2]}}"), []string{
		`inventory.off_site.production_hosts: "https://db1" is not a host's name; write a name such as db1.example.com, or an address, without a port`,
		`inventory.off_site.production_hosts: "db1:5432" is not a host's name; write a name such as db1.example.com, or an address, without a port`}},
	{"off-site twice", drillFile("inventory: {off_site: {production_hosts: [db1, §DB1]}}"),
		[]string{`inventory.off_site.production_hosts: "DB1" appears twice, first in line 4; list it once`}},
	{"a protected folder", drillFile("inventory: {protection: [§versioning]}"),
		[]string{"inventory.protection: versioning is for s3, and source.url is a folder's; remove it"}},
	{"another protection", drillFile(source("url: s3://b/, name: a, timezone: UTC"), "inventory: {protection: [§lock]}"),
		[]string{`inventory.protection: "lock" is not one of its values; write versioning or object_lock`}},
	{"a copy that is none", drillFile("inventory: {copies: [§'file:///backups']}"),
		[]string{`inventory.copies: "file:///backups" is the store itself; name another store, or remove it`}},
	{"a copy twice", drillFile("inventory: {copies: ['file:///b', {url: §'file:///b/', lag: 1h}]}"),
		[]string{`inventory.copies: "file:///b/" appears twice, first in line 4; list it once`}},
	{"a copy elsewhere", drillFile("inventory: {copies: [§'azblob://b/', {url: file:///b/, profile: §x}]}"), []string{
		"inventory.copies.url: \"azblob\" is not a kind of store; " + anyPlace,
		"inventory.copies.profile is for s3, and the url is a folder's; remove it"}},
	{"a copy's password", drillFile("inventory: {copies: [{url: §'s3://me:secret@b/'}]}"),
		[]string{"inventory.copies.url holds credentials; take them out, change them, and give them in the environment"}},
	{"an image for local", drillFile("sandbox: {kind: local, image: §'postgres:17'}"),
		[]string{"sandbox.image is for containers, and kind is local; remove it, or say kind: container"}},
	{"a version for an image", drillFile("sandbox: {image: §5}"),
		[]string{`sandbox.image: "5" is not an image's name; write an image such as postgres:17, or remove the key`}},
	{"an image with a blank", drillFile("sandbox: {image: §'postgres 17'}"),
		[]string{`sandbox.image: "postgres 17" is not an image's name; write an image such as postgres:17, or remove the key`}},
	{"a path to preload", drillFile("sandbox: {preload: [pg_cron, §../share/archive]}"),
		[]string{`sandbox.preload: "../share/archive" is not the name of a library; write a name such as pg_stat_statements`}},
	{"two libraries in one", drillFile("sandbox: {preload: [§'pg_cron,citus']}"),
		[]string{`sandbox.preload: "pg_cron,citus" is not the name of a library; write a name such as pg_stat_statements`}},
	{"a library twice", drillFile("sandbox: {preload: [citus, §citus]}"), []string{`sandbox.preload: "citus" appears twice, first in line 4; say it once`}},
	{"memory without unit", drillFile("sandbox: {memory: §4096}"), []string{`sandbox.memory: "4096" is not a size; write 512MiB, 4GiB or 10MB`}},
	{"a disk without unit", drillFile("sandbox: {disk: §4096}"), []string{`sandbox.disk: "4096" is not a size; write 512MiB, 4GiB or 10MB`}},
	{"too little disk", drillFile("sandbox: {disk: §10MB}"), []string{"sandbox.disk: 10000000 bytes are less than a server alone takes; write 256MiB or more"}},
	{"no such isolation", drillFile("sandbox: {isolation: §total}"),
		[]string{`sandbox.isolation: "total" is not one of its values; write enclosed, no_network or no_listener`}},
	{"too little memory", drillFile("sandbox: {memory: §10MB}"), []string{"sandbox.memory: no server runs in 10000000 bytes; write 64MiB or more"}},
	{"no jobs", drillFile("restore: {jobs: §0}"), []string{`restore.jobs: "0" is not a number of workers; write auto, or how many workers, such as 4`}},
	{"unknown roles", drillFile("restore: {roles: §ignore}"), []string{`restore.roles: "ignore" is not one of its values; write create or fail`}},

	// scrub
	{"a key that is not set", drillFile("scrub: {key_env: §NOT_SET}"),
		[]string{"scrub.key_env: the environment variable NOT_SET is not set; set it to 32 random bytes or more, such as the output of: openssl rand -hex 32"}},
	{"an empty key", drillFile("scrub: {key_env: §EMPTY_KEY}"),
		[]string{"scrub.key_env: the environment variable EMPTY_KEY is not set; set it to 32 random bytes or more, such as the output of: openssl rand -hex 32"}},
	{"a key of few letters", drillFile("scrub: {key_env: §DULL_KEY}"),
		[]string{"scrub.key_env: the environment variable DULL_KEY repeats so few different characters that it could be guessed; set it to 32 random bytes " +
			"or more, such as the output of: openssl rand -hex 32"}},
	{"a short key", drillFile("scrub: {key_env: §SHORT_KEY}"),
		[]string{"scrub.key_env: the environment variable SHORT_KEY holds 31 bytes, fewer than 32; set it to 32 random bytes or more, such as the " +
			"output of: openssl rand -hex 32"}},
	{"the key itself", drillFile("scrub: {key_env: §hunter-2}"),
		[]string{"scrub.key_env is not the name of an environment variable; write the variable's name, such as DRILL_SCRUB_KEY, never the key"}},
	{"a detector that is none", drillFile("scrub: {leak_scan: {detectors: [§emails]}}"),
		[]string{"scrub.leak_scan.detectors: \"emails\" is not one of its values; did you mean email?"}},
	{"a detector twice", drillFile("scrub: {leak_scan: {detectors: [iban, §iban]}}"),
		[]string{"scrub.leak_scan.detectors: \"iban\" appears twice, first in line 4; say it once"}},
	{"allowed: no expression", drillFile("scrub: {leak_scan: {allow: [§'a(']}}"),
		[]string{`scrub.leak_scan.allow: "a(" is not a regular expression; write a regular expression as RE2 does, such as '@example\.com$'`}},
	{"allowed: everything", drillFile("scrub: {leak_scan: {allow: [§'.*']}}"),
		[]string{`scrub.leak_scan.allow: ".*" allows everything; say what is allowed, such as '@example\.com$'`}},
	{"dropped twice", drillFile("scrub: {drop: [cron_jobs, §cron_jobs]}"), []string{"scrub.drop: \"cron_jobs\" appears twice, first in line 4; say it once"}},
	{"dropped: unknown", drillFile("scrub: {drop: [§triggers]}"),
		[]string{"scrub.drop: \"triggers\" is not one of its values; write subscriptions, user_mappings, foreign_servers, event_triggers or cron_jobs"}},
	{"an overlap of nothing", drillFile("scrub: {leak_scan: {source_overlap: §0}}"),
		[]string{"scrub.leak_scan.source_overlap: 0 is out of range; write 1 to 1000000, such as 10000, or remove it"}},
	{"a sample of nothing", drillFile("scrub: {leak_scan: {sample: §0%}}"),
		[]string{"scrub.leak_scan.sample: \"0%\" is neither full nor a percentage of the rows; write full, or a percentage such as 10%"}},
	{"a sample without a sign", drillFile("scrub: {leak_scan: {sample: §10}}"),
		[]string{"scrub.leak_scan.sample: \"10\" is neither full nor a percentage of the rows; write full, or a percentage such as 10%"}},
	{"unmatched ignored", drillFile("scrub: {unmatched: §ignore}"),
		[]string{"scrub.unmatched: \"ignore\" is not one of its values; write refuse, set_null or redact"}},
	{"an excluded table without schema", drillFile("scrub: {exclude_table_data: [§sessions]}"),
		[]string{`scrub.exclude_table_data: "sessions" has 1 of the 2 parts of schema.table; write schema.table, a part that holds a dot quoted "like.this"`}},
	{"a rule that does nothing", drillFile(rule("§{column: a.b.c}")),
		[]string{"scrub.rules: the rule neither transforms nor preserves; add transform: …, or preserve: true with a why"}},
	{"a rule that does both", drillFile(rule("{column: a.b.c, transform: hash, preserve: §true}")),
		[]string{"scrub.rules: transform and preserve exclude each other; keep one of them"}},
	{"preserve: false", drillFile(rule("{column: a.b.c, preserve: §false}")),
		[]string{"scrub.rules.preserve: false has no effect; write preserve: true with a why, or a transform"}},
	{"preserve: yes", drillFile(rule("{column: a.b.c, preserve: §yes, transform: hash}")), []string{
		`scrub.rules.preserve: "yes" is neither true nor false; write true or false`}},
	{"no why", drillFile(rule("§{column: a.b.c, preserve: true}")), []string{"scrub.rules: preserve: true without a why; add why: \"an amount, no identity\""}},
	{"a blank why", drillFile(rule("§{column: a.b.c, preserve: true, why: ' '}")),
		[]string{"scrub.rules: preserve: true without a why; add why: \"an amount, no identity\""}},
	{"a why of a transform", drillFile(rule("{column: a.b.c, transform: hash, why: §secret}")),
		[]string{"scrub.rules.why is for preserve; write it as a # comment"}},
	{"an unknown transform", drillFile(rule("{column: a.b.c, transform: §emial}")),
		[]string{`scrub.rules.transform: "emial" is not one of its values; did you mean email?`}},
	{"no column", drillFile(rule("§{transform: hash}")), []string{"scrub.rules.column is missing; name it as schema.table.column"}},
	{"a column of two parts", drillFile(rule("{column: §users.email, transform: hash}")),
		[]string{`scrub.rules.column: "users.email" has 2 of the 3 parts of schema.table.column; write schema.table.column, a part that holds a dot quoted ` +
			`"like.this"`}},
	{"an open quote", drillFile(rule(`{column: §'public."users.email', transform: hash}`)),
		[]string{`scrub.rules.column: "public.\"users.email" is not a name; write schema.table.column, a part that holds a dot quoted "like.this"`}},
	{"a rule twice", drillFile(rule("{column: a.b.c, transform: hash}, {column: §a.b.c, transform: text}")),
		[]string{`scrub.rules.column: "a.b.c" appears twice, first in line 4; keep one rule for it`}},
	{"a value without constant", drillFile(rule("{column: a.b.c, transform: hash, value: §x}")),
		[]string{"scrub.rules.value acts only with constant or template; remove it"}},
	{"a constant without value", drillFile(rule("{column: a.b.c, transform: §constant}")), []string{`scrub.rules: constant without a value; add value: "…"`}},
	{"a choice without values", drillFile(rule("{column: a.b.c, transform: §choice}")),
		[]string{"scrub.rules: choice without values; add values: [a, b]"}},
	{"values without a choice", drillFile(rule("{column: a.b.c, transform: hash, values: [§x, y]}")),
		[]string{"scrub.rules.values acts only with choice; remove it"}},
	{"a choice of one", drillFile(rule("{column: a.b.c, transform: choice, values: [§x]}")),
		[]string{"scrub.rules.values: one value leaves no choice; write two or more, or use constant"}},
	{"a choice that says a value twice", drillFile(rule("{column: a.b.c, transform: choice, values: [x, y, §x]}")),
		[]string{`scrub.rules.values: "x" appears twice, first in line 4; say it once`}},
	{"choices that differ under a link", drillFile(rule("{column: a.b.c, transform: choice, link: k, values: [x, y]}, " +
		"{column: a.b.d, transform: choice, link: §k, values: [y, x]}")),
		[]string{`scrub.rules: link "k" has other values elsewhere (line 4), so that equal values would part; ` +
			"use the same values under a link, or another link"}},
	{"a link of an amount", drillFile(rule("{column: a.b.c, transform: money, link: §x}")),
		[]string{"scrub.rules.link has no effect with the transform money; remove it"}},
	{"a parameter of preserve", drillFile(rule("{column: a.b.c, preserve: true, why: x, normalize: [§trim]}")),
		[]string{"scrub.rules.normalize acts only with a transform; remove it"}},
	{"each null", drillFile(rule("{column: a.b.c, transform: set_null, each: §true}")),
		[]string{"scrub.rules.each has no effect with the transform set_null; remove it"}},
	{"an unknown normalization", drillFile(rule("{column: a.b.c, transform: hash, normalize: [trim, §upper]}")),
		[]string{`scrub.rules.normalize: "upper" is not one of its values; write trim, lower or nfc`}},
	{"too many percent", drillFile(rule("{column: a.b.c, transform: number, percent: §101}")),
		[]string{"scrub.rules.percent: 101 is out of range; write more than 0 and at most 100"}},
	{"too few meters", drillFile(rule("{column: a.b.c, transform: position, meters: §999}")),
		[]string{"scrub.rules.meters: 999 is out of range; write 1000 to 1000000"}},
	{"too many meters", drillFile(rule("{column: a.b.c, transform: position, meters: §1000001}")),
		[]string{"scrub.rules.meters: 1000001 is out of range; write 1000 to 1000000"}},
	{"meters of a number", drillFile(rule("{column: a.b.c, transform: number, meters: §5000}")),
		[]string{"scrub.rules.meters acts only with position; remove it"}},
	{"one place, two distances", drillFile(rule("{column: a.b.c, transform: position, link: p}, {column: a.b.d, transform: position, meters: 9000, link: §p}")),
		[]string{`scrub.rules: link "p" has other meters elsewhere (line 4), so that one place would part; use the same meters under a link, or another link`}},
	{"no days", drillFile(rule("{column: a.b.c, transform: date_shift, days: §0}")), []string{"scrub.rules.days: 0 is out of range; write 1 to 36525"}},
	{"a bucket of one", drillFile(rule("{column: a.b.c, transform: number, bucket: §1}")), []string{"scrub.rules.bucket: 1 is out of range; write 2 or more"}},
	{"a bucket with noise", drillFile(rule("{column: a.b.c, transform: number, percent: 5, bucket: §10}")),
		[]string{"scrub.rules: bucket and percent exclude each other; keep one of them"}},
	{"truncated to what", drillFile(rule("{column: a.b.c, transform: §truncate}")),
		[]string{"scrub.rules: truncate without a to; add to: hour, day, month or year"}},
	{"truncated to a week", drillFile(rule("{column: a.b.c, transform: truncate, to: §week}")),
		[]string{`scrub.rules.to: "week" is not one of its values; write hour, day, month or year`}},
	{"a date linked to nobody", drillFile(rule("{column: a.b.c, transform: date_shift, link: §p}")),
		[]string{"scrub.rules.link: without by, a date_shift cannot be linked; add by: with the column of the same row that says who " +
			"it is about, or remove link"}},
	{"one person, two spans",
		drillFile(rule("{column: a.b.c, transform: date_shift, by: id, link: p}, {column: a.b.d, transform: date_shift, by: id, days: 3, link: §p}")),
		[]string{`scrub.rules: link "p" has other days elsewhere (line 4), so that one person's dates would part; use the same days under a link, or another link`}},
	{"an unknown locale", drillFile(rule("{column: a.b.c, transform: name, locale: §de}")),
		[]string{`scrub.rules.locale: "de" is not one of its values; write de_DE, en_US, es_ES, fr_FR, it_IT, nl_NL, pl_PL, pt_BR, sv_SE or uk_UA`}},
	{"a locale of an address", drillFile(rule("{column: a.b.c, transform: email, locale: §de_DE}")),
		[]string{"scrub.rules.locale has no effect with the transform email; remove it"}},
	{"a link of two locales", drillFile(rule("{column: a.b.c, transform: name, link: p}, {column: a.b.d, transform: name, locale: de_DE, link: §p}")),
		[]string{`scrub.rules: link "p" has another locale elsewhere (line 4), so that equal values would part; use the same locale under a link, or another link`}},
	{"by two columns", drillFile(rule("{column: a.b.c, transform: date_shift, by: §b.id}")),
		[]string{`scrub.rules.by: "b.id" has 2 of the 1 parts of column; write column, a part that holds a dot quoted "like.this"`}},
	{"replace nothing", drillFile(rule("{column: a.b.c, transform: §§replace}")),
		[]string{`scrub.rules: replace without a pattern; add pattern: "…"`, `scrub.rules: replace without a with; add with: "…", which may be empty`}},
	{"a pattern that is none", drillFile(rule("{column: a.b.c, transform: replace, with: x, pattern: §'a(b'}")),
		[]string{`scrub.rules.pattern: "a(b" is not a regular expression; write a regular expression as RE2 does: github.com/google/re2/wiki/Syntax`}},
	{"an empty pattern", drillFile(rule("{column: a.b.c, transform: replace, with: x, pattern: §''}")),
		[]string{`scrub.rules.pattern: "" is not a regular expression; write a regular expression as RE2 does: github.com/google/re2/wiki/Syntax`}},
	{"a template of nothing", drillFile(rule("{column: a.b.c, transform: template, value: §abc}")),
		[]string{"scrub.rules.value: no transform is in it; write {hash} or the like in it, or use constant"}},
	{"a transform of another tool", drillFile(rule("{column: a.b.c, transform: §mask}")),
		[]string{"scrub.rules.transform: \"mask\" is not one of its values; write " + guess.Alternatives(TransformNames())}},
	{"a locale as browsers write it", drillFile(rule("{column: a.b.c, transform: city, locale: §de-DE}")),
		[]string{"scrub.rules.locale: \"de-DE\" is not one of its values; did you mean de_DE?"}},
	{"a template that is not closed", drillFile(rule("{column: a.b.c, transform: template, value: §'x{email'}")),
		[]string{"scrub.rules.value: a { is not closed; write {{ for a brace, or close it: {hash}"}},
	{"a group that is none", drillFile(rule("{column: a.b.c, transform: replace, pattern: '(a)(?P<rest>b)', with: §'$1x ${2} ${rest} $$3'}")),
		[]string{"scrub.rules.with: $1x is not a group of the pattern; write ${1} for the first group in parentheses, $$ for a dollar sign"}},
	{"a group as sed writes it", drillFile(rule("{column: a.b.c, transform: replace, pattern: '(a)', with: §'\\1'}")),
		[]string{"scrub.rules.with: \\1 is not a group of the pattern; write ${1} for the first group in parentheses, $$ for a dollar sign"}},
	{"a group too many", drillFile(rule("{column: a.b.c, transform: replace, pattern: '(a)', with: §'${0}${2}'}")),
		[]string{"scrub.rules.with: ${2} is not a group of the pattern; write ${1} for the first group in parentheses, $$ for a dollar sign"}},
	{"a template of columns", drillFile(rule("{column: a.b.c, transform: template, value: §'x{id}'}")),
		[]string{"scrub.rules.value: {id} is not a transform that a template may hold; write {{ for a brace, and between braces email, name, first_name, " +
			"last_name, company, street, city, hash, uuid or url"}},
	{"a template with a brace", drillFile(rule("{column: a.b.c, transform: template, value: §'x} {hash}'}")),
		[]string{"scrub.rules.value: a } closes nothing; write }} for a brace"}},
	{"one link, two templates",
		drillFile(rule("{column: a.b.c, transform: template, value: 'a{hash}', link: p}, {column: a.b.d, transform: template, value: 'b{hash}', link: §p}")),
		[]string{`scrub.rules: link "p" has another value elsewhere (line 4), so that equal values would part; use one value under a link, or another link`}},
	{"a path that is none", drillFile(rule("{column: a.b.c, json: [{path: §contacts, transform: hash}]}")),
		[]string{`scrub.rules.json.path: "contacts" does not begin with $; write a path such as $.contacts[*].email, $..phone or $."a key"`}},
	{"a path with an open bracket", drillFile(rule("{column: a.b.c, json: [{path: §'$.a[1', transform: hash}]}")),
		[]string{`scrub.rules.json.path: "$.a[1" is not a path: it goes wrong at "[1"; write a path such as $.contacts[*].email, $..phone or $."a key"`}},
	{"a path twice", drillFile(rule("{column: a.b.c, json: [{path: $.a, transform: hash}, {path: §$.a, transform: text}]}")),
		[]string{`scrub.rules.json.path: "$.a" appears twice, first in line 4; keep one of them`}},
	{"a path without a transform", drillFile(rule("{column: a.b.c, json: [§{path: $.a}]}")),
		[]string{"scrub.rules.json: the rule neither transforms nor preserves; add transform: …, or preserve: true with a why"}},
	{"a path preserved without a why", drillFile(rule("{column: a.b.c, json: [§{path: $.a, preserve: true}]}")),
		[]string{`scrub.rules.json: preserve: true without a why; add why: "an amount, no identity"`}},
	{"paths and a transform", drillFile(rule("{column: a.b.c, transform: §hash, json: [{path: $.a, transform: hash}]}")),
		[]string{"scrub.rules: transform and json exclude each other; keep one of them"}},
	{"unmatched paths of no document", drillFile(rule("{column: a.b.c, transform: hash, unmatched_paths: §redact}")),
		[]string{"scrub.rules.unmatched_paths acts only with json; remove it"}},
	{"unmatched paths kept, and none named", drillFile(rule("§{column: a.b.c, unmatched_paths: §keep, why: x}")),
		[]string{"scrub.rules: the rule neither transforms nor preserves; add transform: …, or preserve: true with a why",
			"scrub.rules.unmatched_paths acts only with json; remove it"}},
	{"keys that may become one", drillFile(rule("{column: a.b.c, json: [{path: $.a, keys: true, transform: §name}]}")),
		[]string{"scrub.rules.json.keys: under name two keys of an object may become one; " +
			"use hash or another transform that keeps values apart"}},
	{"keys by a template that keeps nothing apart",
		drillFile(rule("{column: a.b.c, json: [{path: $.a, keys: true, transform: §template, value: 'k {city}'}]}")),
		[]string{"scrub.rules.json.keys: under template two keys of an object may become one; " +
			"use hash or another transform that keeps values apart"}},
	{"keys that are none", drillFile(rule("{column: a.b.c, json: [{path: $.a, keys: §false, transform: hash}]}")),
		[]string{"scrub.rules.json.keys: false has no effect; remove it"}},
	{"the keys of a path twice", drillFile(rule("{column: a.b.c, json: [{path: $.a, keys: true, transform: hash}, " +
		"{path: $.a, transform: text}, {path: §$.a, keys: true, transform: uuid}]}")),
		[]string{"scrub.rules.json.path: \"$.a\" appears twice, first in line 4; keep one of them"}},
	{"unmatched paths kept without a why", drillFile(rule("{column: a.b.c, unmatched_paths: §keep, json: [{path: $.a, transform: hash}]}")),
		[]string{`scrub.rules: unmatched_paths: keep without a why; add why: "settings, no personal data"`}},
	{"a shift in a document", drillFile(rule("{column: a.b.c, json: [{path: $.a, transform: date_shift, by: §id}]}")),
		[]string{"scrub.rules.json.by acts only on a column of its own; remove it: dates in a value move by themselves"}},
	{"a link over a path and a column",
		drillFile(rule("{column: a.b.c, json: [{path: $.a, transform: hash, link: p}]}, {column: a.b.d, transform: §email, link: p}")),
		[]string{`scrub.rules: link "p" is transformed by hash elsewhere (line 4), so that equal values would part; use one transform under a link, or another ` +
			`link`}},
	{"a type with its length", drillFile(rule("{column: a.b.c, type: §varchar(20), transform: hash}")),
		[]string{`scrub.rules.type: "varchar(20)" is more than a type's name; write the name alone, such as varchar: columns of every length are meant, and ` +
			`arrays too`}},
	{"an array's type", drillFile(rule("{column: a.b.c, type: §'text[]', transform: hash}")),
		[]string{`scrub.rules.type: "text[]" is more than a type's name; write the name alone, such as varchar: columns of every length are meant, and arrays too`}},
	{"a type of three parts", drillFile(rule("{column: a.b.c, type: §a.b.c, transform: hash}")),
		[]string{`scrub.rules.type: "a.b.c" has 3 of the 2 parts of schema.table; write schema.table, a part that holds a dot quoted "like.this"`}},
	{"a pattern twice, one of a type", drillFile(rule("{column: a.b.*, transform: hash}, {column: a.b.*, type: §'x*', transform: ip}")),
		[]string{`scrub.rules.type: "x*" has 1 of the 2 parts of schema.table; write schema.table, a part that holds a dot quoted "like.this"`}},
	{"a field of no name", drillFile(rule("{column: a.b.c, fields: [{field: §a..b, transform: hash}]}")),
		[]string{`scrub.rules.fields.field: "a..b" is not a name; write street, or home.street, a part that holds a dot quoted "like.this"`}},
	{"a field twice", drillFile(rule("{column: a.b.c, fields: [{field: a, transform: hash}, {field: §a, transform: hash}]}")),
		[]string{`scrub.rules.fields.field: "a" appears twice, first in line 4; keep one of them`}},
	{"fields and a transform", drillFile(rule("{column: a.b.c, transform: §hash, fields: [{field: a, transform: hash}]}")),
		[]string{"scrub.rules: transform and fields exclude each other; keep one of them"}},
	{"fields and paths", drillFile(rule("§{column: a.b.c, json: [{path: $.a, transform: hash}], fields: [{field: a, transform: hash}]}")),
		[]string{"scrub.rules: json and fields exclude each other; keep one of them"}},
	{"recompute and a transform", drillFile(rule("{column: a.b.c, transform: §set_null, recompute: upper(x)}")),
		[]string{"scrub.rules: transform and recompute exclude each other; keep one of them"}},
	{"recompute nothing", drillFile(rule("{column: a.b.c, recompute: §' '}")),
		[]string{"scrub.rules.recompute is empty; write SQL, such as to_tsvector('simple', full_name)"}},
	{"recompute each", drillFile(rule("{column: a.b.c, recompute: x, each: §true}")), []string{"scrub.rules.each has no effect with recompute; remove it"}},
	{"recompute a document", drillFile(rule("{column: a.b.c, recompute: §x, json: [{path: $.a, transform: hash}]}")),
		[]string{"scrub.rules: recompute excludes json and fields; keep one of them"}},
	{"one link, two transforms", drillFile(rule("{column: a.b.c, transform: email, link: p}, {column: a.b.d, transform: §hash, link: p}")),
		[]string{`scrub.rules: link "p" is transformed by email elsewhere (line 4), so that equal values would part; use one transform under a link, or another ` +
			`link`}},
	{"keep all", drillFile("scrub: {keep: [{table: a.b, match: {email: §'*'}}]}"),
		[]string{`scrub.keep.match.email keeps every row as it is; say which rows, such as "*@ourco.example"`}},
	{"keep with an empty why", drillFile("scrub: {keep: [{table: a.b, match: {email: x}, why: §' '}]}"),
		[]string{`scrub.keep.why is empty; say why, such as "our own test accounts"`}},
	{"keep without match", drillFile("scrub: {keep: [§{table: a.b}]}"),
		[]string{`scrub.keep.match is missing; say which rows, such as match: {email: "*@ourco.example"}`}},
	{"keep no rows", drillFile("scrub: {keep: [{table: a.b, match: {c: d}, max_rows: §0}]}"),
		[]string{"scrub.keep.max_rows: 0 rows can never be kept; write 1 or more, or remove the entry"}},
	{"keep a null", drillFile("scrub: {keep: [{table: a.b, match: {§c: null}}]}"),
		[]string{"scrub.keep.match.c has no value; give it a value or remove the key"}},

	// expectations
	{"nothing expected", drillFile("§expectations: {as_of: now}"),
		[]string{"expectations names no table and no query: a drill that expects nothing proves nothing; name a table under tables, " +
			"or a query under failed_rows"}},
	{"as of a day", drillFile("expectations: {as_of: §2026-11-21, tables: [{table: a.b}]}"),
		[]string{`expectations.as_of: "2026-11-21" is not a time; write backup, now, or a time such as 2026-11-21T03:15:00Z`}},
	{"fewer errors than none", drillFile("expectations: {restore: {errors: §-1}, tables: [{table: a.b}]}"),
		[]string{"expectations.restore.errors: -1 errors cannot be; write 0 or more"}},
	{"a role twice", drillFile("expectations: {roles: [app, §app], tables: [{table: a.b}]}"),
		[]string{`expectations.roles: "app" appears twice, first in line 3; list it once`}},
	{"a value for expectations", drillFile("expectations: §5"),
		[]string{"expectations is a mapping of keys, not a single value; write keys and values below it"}},
	{"a table twice", drillFile(`expectations: {tables: [{table: a.b}, {table: §'"a".b'}]}`),
		[]string{`expectations.tables.table: "\"a\".b" appears twice, first in line 3; put all that is expected of it under one entry`}},
	{"a table without schema", drillFile("expectations: {tables: [{table: §users}]}"),
		[]string{`expectations.tables.table: "users" has 1 of the 2 parts of schema.table; write schema.table, a part that holds a dot quoted "like.this"`}},
	{"a pattern of tables", drillFile(`expectations: {tables: [{table: §"public.*"}]}`),
		[]string{`expectations.tables.table: "public.*" is a pattern; name one table; quote the part if its name holds a *`}},
	{"a recovery without limit", drillFile("expectations: {§recovery_time: {}, tables: [{table: a.b}]}"),
		[]string{"expectations.recovery_time is empty; fill it or remove it"}},
	{"a recovery the wrong way round", drillFile("expectations: {recovery_time: {warn_after: §2h, fail_after: 1h}, tables: [{table: a.b}]}"),
		[]string{"expectations.recovery_time: warn_after 2h can never be seen beside fail_after 1h; let warn_after be the shorter"}},
	{"a count without numbers", drillFile(table("§row_count: {severity: warn}")),
		[]string{"expectations.tables.row_count sets no number; write min, max, between or equals"}},
	{"a count said twice", drillFile(table("§row_count: {min: 1, equals: 2}")),
		[]string{"expectations.tables.row_count: between, equals and min or max exclude one another; keep one way of saying it"}},
	{"min above max", drillFile(table("§row_count: {min: 2, max: 1}")),
		[]string{"expectations.tables.row_count: no count is at least 2 and at most 1; write the smaller one first"}},
	{"between reversed", drillFile(table("§row_count: {between: [2, 1]}")),
		[]string{"expectations.tables.row_count: no count is at least 2 and at most 1; write the smaller one first"}},
	{"between one", drillFile(table("row_count: {between: [§2]}")),
		[]string{"expectations.tables.row_count.between holds 1 numbers; write between: [least, most]"}},
	{"less than nothing", drillFile(table("row_count: {max: §-1}")), []string{"expectations.tables.row_count: no table has -1 rows; write 0 or more"}},
	{"a minimum that cannot fail", drillFile(table("row_count: {min: §0}")),
		[]string{"expectations.tables.row_count.min: 0 can never fail; write 1 or more, or remove it"}},
	{"a minimum that cannot fail beside a maximum", drillFile(table("row_count: {min: §0, max: 5}")),
		[]string{"expectations.tables.row_count.min: 0 can never fail; write 1 or more, or remove it"}},
	{"a change without limit", drillFile(table("§row_count_change: {against: last}")),
		[]string{"expectations.tables.row_count_change sets no limit; write fail_percent: 10, warn_percent or both"}},
	{"a change the wrong way round", drillFile(table("row_count_change: {warn_percent: §10, fail_percent: 10}")),
		[]string{"expectations.tables.row_count_change: warn_percent 10 can never be seen beside fail_percent 10; let warn_percent be the smaller"}},
	{"a change below nothing", drillFile(table("row_count_change: {fail_percent: §-5}")),
		[]string{"expectations.tables.row_count_change.fail_percent: no change is less than nothing; write 0 or more; direction says which way"}},
	{"a drop of more than all", drillFile(table("row_count_change: {direction: drop, fail_percent: §100}")),
		[]string{"expectations.tables.row_count_change.fail_percent: 100 can never fail: no drop is of more than 100 %; write less than 100"}},
	{"a change against the mean", drillFile(table("row_count_change: {against: §mean(7), fail_percent: 5}")),
		[]string{`expectations.tables.row_count_change.against: "mean(7)" is nothing to compare with; write last, or median(7)`}},
	{"a median of too many", drillFile(table("row_count_change: {against: §median(31), fail_percent: 5}")),
		[]string{"expectations.tables.row_count_change.against: median(31) is out of range; write median(1) to median(30)"}},
	{"more history than is looked at", drillFile(table("row_count_change: {fail_percent: 5, min_history: §31}")),
		[]string{"expectations.tables.row_count_change.min_history: 31 is out of range: so many past drills are never looked at; write 1 to 30"}},
	{"a regression without column", drillFile(table("§max_regression: {tolerance: 0s}")),
		[]string{"expectations.tables.max_regression.column is missing; name a column that only grows, such as created_at or id"}},
	{"a tolerance of neither kind", drillFile(table("max_regression: {column: id, tolerance: §-3}")),
		[]string{`expectations.tables.max_regression.tolerance: "-3" is neither a duration nor a whole number; write 0s, 90s or 6h for a time, 100 for an integer`}},
	{"a regression of a scrubbed column", drillFile(table("max_regression: {column: §seen}"), rule("{column: public.users.seen, transform: date_shift}")),
		[]string{"expectations.tables.max_regression.column: public.users.seen is scrubbed (date_shift, line 4); judge by a column that is preserved, or " +
			"preserve this one with a why"}},
	{"a change of an excluded table",
		drillFile("expectations: {tables: [{table: §public.users, row_count_change: {fail_percent: 5}}, {table: public.a}]}",
			"scrub: {exclude_table_data: ['public.*']}"),
		[]string{"expectations.tables.table: the rows of public.users are never loaded (scrub.exclude_table_data); expect no rows of it, or load them"}},
	{"a count in words", drillFile(table("row_count: {min: §1k}")),
		[]string{`expectations.tables.row_count.min: "1k" is not a whole number; write digits only, such as 1000`}},
	{"freshness without limit", drillFile(table("§freshness: {column: a}")),
		[]string{"expectations.tables.freshness sets no limit; write fail_after: 6h, warn_after or both"}},
	{"freshness without column", drillFile(table("§freshness: {fail_after: 1d}")),
		[]string{"expectations.tables.freshness.column is missing; name the column that holds the time of a row"}},
	{"freshness the wrong way round", drillFile(table("freshness: {column: a, warn_after: §6h, fail_after: 6h}")),
		[]string{"expectations.tables.freshness: warn_after 6h can never be seen beside fail_after 6h; let warn_after be the shorter"}},
	{"freshness of two types", drillFile(table("freshness: {column: a, fail_after: 6h, unit: s, timezone: §UTC}")),
		[]string{"expectations.tables.freshness: unit is for numbers, timezone for timestamps; a column is one of them; keep the one " +
			"that fits the column's type"}},
	{"freshness of a scrubbed column", drillFile(table("freshness: {column: §seen, fail_after: 6h}"), rule("{column: '*.users.s*', transform: date_shift}")),
		[]string{"expectations.tables.freshness.column: public.users.seen is scrubbed (date_shift, line 4); judge by a column that is preserved, or " +
			"preserve this one with a why"}},
	{"freshness of a column that a wider rule preserves",
		drillFile(table("freshness: {column: §seen, fail_after: 6h}"),
			rule("{column: public.users.seen, transform: hash}, {column: '*.*.seen', preserve: true, why: x}")),
		[]string{"expectations.tables.freshness.column: public.users.seen is scrubbed (hash, line 4); judge by a column that is preserved, or " +
			"preserve this one with a why"}},
	{"events by a scrubbed column",
		drillFile("latest_events: [{table: public.users, order_by: §seen, columns: [id]}]", rule("{column: public.users.seen, transform: set_null}")),
		[]string{"latest_events.order_by: public.users.seen is scrubbed (set_null, line 5); judge by a column that is preserved, or " +
			"preserve this one with a why"}},
	{"rows of an excluded table",
		drillFile("expectations: {tables: [{table: §public.users, row_count: {min: 1}}, {table: public.a}]}", "scrub: {exclude_table_data: ['public.*']}"),
		[]string{"expectations.tables.table: the rows of public.users are never loaded (scrub.exclude_table_data); expect no rows of it, or load them"}},
	{"events of an excluded table", drillFile("latest_events: [{table: §a.b, order_by: c, columns: [d]}]", "scrub: {exclude_table_data: ['a.*']}"),
		[]string{"latest_events.table: the rows of a.b are never loaded (scrub.exclude_table_data); expect no rows of it, or load them"}},
	{"a query without name", drillFile("expectations: {failed_rows: [§{sql: select 1, fail_if: '> 0'}]}"),
		[]string{"expectations.failed_rows.name is missing; name it, such as paid_without_payment"}},
	{"a query named badly", drillFile("expectations: {failed_rows: [{name: §Paid?, sql: select 1, fail_if: '> 0'}]}"),
		[]string{`expectations.failed_rows.name: "Paid?" is not a valid name; use small letters, digits and _`}},
	{"a query twice", drillFile("expectations: {failed_rows: [{name: a, sql: x, fail_if: '> 0'}, {name: §a, sql: x, fail_if: '> 0'}]}"),
		[]string{`expectations.failed_rows.name: "a" appears twice, first in line 3; give each query its own name`}},
	{"a query without condition", drillFile("expectations: {failed_rows: [§{name: a, sql: x}]}"),
		[]string{`expectations.failed_rows says neither warn_if nor fail_if; add fail_if: "> 0"`}},
	{"a condition without comparison", drillFile("expectations: {failed_rows: [{name: a, sql: x, fail_if: §5}]}"),
		[]string{`expectations.failed_rows.fail_if: "5" is not a condition; write a comparison with a count of rows, such as "> 0"`}},
	{"a condition that always holds", drillFile("expectations: {failed_rows: [{name: a, sql: x, fail_if: §'>= 0'}]}"),
		[]string{`expectations.failed_rows.fail_if: every count is >= 0; write a comparison with a count of rows, such as "> 0"`}},
	{"a condition that never holds", drillFile("expectations: {failed_rows: [{name: a, sql: x, fail_if: §'< 0'}]}"),
		[]string{`expectations.failed_rows.fail_if: no count is < 0; write a comparison with a count of rows, such as "> 0"`}},
	{"a warning that is never seen", drillFile("expectations: {failed_rows: [{name: a, sql: x, warn_if: §'> 10', fail_if: '> 0'}]}"),
		[]string{"expectations.failed_rows.warn_if can never be seen beside fail_if; let it begin earlier than fail_if, or remove it"}},
	{"an empty query", drillFile("expectations: {failed_rows: [{name: a, sql: §' ', fail_if: '> 0'}]}"),
		[]string{"expectations.failed_rows.sql is empty; write the query whose rows are to be counted"}},
	{"a witness that names a folder", drillFile(witness("url: §'s3://b/logs/', key: {id: id}, at: at")),
		[]string{"expectations.witness.url names no file; write file:///dir/events.jsonl or s3://bucket/prefix/events.jsonl"}},
	{"a witness that names a bucket", drillFile(witness("url: §'s3://b', key: {id: id}, at: at")),
		[]string{"expectations.witness.url names no file; write file:///dir/events.jsonl or s3://bucket/prefix/events.jsonl"}},
	{"a witness without a key", drillFile("expectations: {witness: [§{name: log, table: a.b, url: 's3://b/l', at: at}]}"),
		[]string{"expectations.witness.key is missing; say which field of a record tells which row, such as key: {id: event_id}"}},
	{"a witness of an empty field", drillFile(witness("url: 's3://b/l', key: {id: §''}, at: at")),
		[]string{"expectations.witness.key.id is empty; name the field of a record that holds it"}},
	{"a witness with a unit and a zone", drillFile(witness("url: 's3://b/l', key: {id: id}, at: at, unit: s, timezone: §UTC")),
		[]string{"expectations.witness: unit is for numbers, timezone for times without a zone; a field is one of them; keep the one that fits the field"}},
	{"a witness whose key is emptied",
		drillFile(witness("url: 's3://b/l', key: {mail: §m}, at: at"), rule("{column: public.events.mail, transform: set_null}")),
		[]string{"expectations.witness.key: nothing is left of public.events.mail to compare with (set_null, line 4); choose a column that is preserved, or " +
			"of which different values stay different"}},
	{"a witness that fails where nothing is missing", drillFile(witness("url: 's3://b/l', key: {id: id}, at: at, fail_if: §'< 5'")),
		[]string{`expectations.witness.fail_if: < 5 holds where nothing is missing; write "> 0", or a greater number`}},
	{"a witness of rows that are not loaded",
		drillFile("expectations: {witness: [{name: log, table: §a.b, url: 's3://b/l', key: {id: id}, at: at}]}", "scrub: {exclude_table_data: [a.b]}"),
		[]string{"expectations.witness.table: the rows of a.b are never loaded (scrub.exclude_table_data); expect no rows of it, or load them"}},
	{"a witness twice",
		drillFile("expectations: {witness: [{name: log, table: a.b, url: 's3://b/l', key: {id: id}, at: at}, {name: §log, table: a.b, url: " +
			"'s3://b/l', key: {id: id}, at: at}]}"),
		[]string{`expectations.witness.name: "log" appears twice, first in line 3; give each witness its own name`}},
	{"too many events", drillFile("latest_events: [{table: a.b, order_by: c, columns: [d], limit: §101}]"),
		[]string{"latest_events.limit: 101 is out of range; write 1 to 100"}},
	{"a relationship to no column", drillFile(table("relationships: [{column: a, references: §public.users}]")),
		[]string{`expectations.tables.relationships.references: "public.users" has 2 of the 3 parts of schema.table.column; write schema.table.column, a part ` +
			`that holds a dot quoted "like.this"`}},
	{"a relationship to a pattern", drillFile(table("relationships: [{column: a, references: §'*.users.id'}]")),
		[]string{`expectations.tables.relationships.references: "*.users.id" is a pattern; name one column; quote the part if its name holds a *`}},
	{"a relationship of no limit", drillFile(table("relationships: [{column: a, references: a.b.c, fail_if: §'>= 0'}]")),
		[]string{"expectations.tables.relationships.fail_if: every count is >= 0; write a comparison with a count of rows, such as \"> 0\""}},
	{"a relationship's warning beyond its failure", drillFile(table("relationships: [{column: a, references: a.b.c, warn_if: §'> 10', fail_if: '> 5'}]")),
		[]string{"expectations.tables.relationships.warn_if can never be seen beside fail_if; let it begin earlier than fail_if, or remove it"}},
	{"a relationship twice", drillFile(table("relationships: [{column: a, references: a.b.c}, {column: §a, references: a.d.c}]")),
		[]string{`expectations.tables.relationships.column: "a" appears twice, first in line 3; count the orphans of its other reference by failed_rows`}},
	{"a relationship scrubbed on this side",
		drillFile(table("relationships: [{column: §mail, references: a.b.c}]"), rule("{column: public.users.mail, transform: hash}")),
		[]string{"expectations.tables.relationships.column: public.users.mail is scrubbed (hash, line 4), and a.b.c is not; give both columns the same " +
			"transform and the same link, or preserve both"}},
	{"a relationship scrubbed on the other side",
		drillFile(table("relationships: [{column: mail, references: §a.b.c}]"), rule("{column: a.*.c, transform: hash}")),
		[]string{"expectations.tables.relationships.references: a.b.c is scrubbed (hash, line 4), and public.users.mail is not; give both columns the same " +
			"transform and the same link, or preserve both"}},
	{"a relationship scrubbed in two ways",
		drillFile(table("relationships: [{column: §mail, references: a.b.c}]"),
			rule("{column: a.b.c, transform: hash, link: x}, {column: public.users.mail, transform: hash}")),
		[]string{"expectations.tables.relationships: public.users.mail and a.b.c are scrubbed in different ways (lines 4 and 4); give both columns the same " +
			"transform and the same link, or preserve both"}},
	{"a relationship of nulls",
		drillFile(table("relationships: [{column: §mail, references: a.b.c}]"),
			rule("{column: a.b.c, transform: hash}, {column: public.users.mail, transform: set_null}")),
		[]string{"expectations.tables.relationships.column: public.users.mail is set to null (line 4), so that nothing of it could be an orphan; judge " +
			"a column that is not emptied"}},
	{"a relationship to rows that are not loaded",
		drillFile(table("relationships: [{column: mail, references: §a.b.c}]"), "scrub: {exclude_table_data: [a.b]}"),
		[]string{"expectations.tables.relationships.references: the rows of a.b are never loaded (scrub.exclude_table_data); expect no rows of it, or load them"}},
	{"a checksum of nothing", drillFile(table("checksum: {columns: §[]}")), []string{"expectations.tables.checksum.columns is empty; fill it or remove it"}},
	{"a catalogue that is a folder", drillFile("inventory: {catalogue: {url: §file:///srv/lists/, name: file, at: at}}"),
		[]string{"inventory.catalogue.url names no file; write file:///dir/events.jsonl or s3://bucket/prefix/events.jsonl"}},
	{"a catalogue of which nothing is compared",
		drillFile("inventory: {oldest_at_least: 7d, catalogue: {url: file:///srv/l.csv, name: file, at: at, lag: §7d}}"),
		[]string{"inventory.catalogue.lag: with 7d, nothing of the 7d of oldest_at_least is compared; write less than oldest_at_least"}},
	{"a checksum beside a folder", drillFile(table("checksum: {columns: [id], witness: {url: §file:///logs/, sum: users, at: at}}")),
		[]string{"expectations.tables.checksum.witness.url names no file; write file:///dir/events.jsonl or s3://bucket/prefix/events.jsonl"}},
	{"a checksum beside nothing", drillFile(table("checksum: {columns: [id], §witness: {url: file:///logs/sums.csv, at: at}}")),
		[]string{"expectations.tables.checksum.witness.sum is missing; name the field that holds this table's sum"}},
	{"a checksum of two clocks",
		drillFile(table("checksum: {columns: [id], witness: {url: file:///logs/sums.csv, sum: users, at: at, unit: s, timezone: §UTC}}")),
		[]string{"expectations.tables.checksum.witness: unit is for numbers, timezone for times without a zone; a field is one of them; keep " +
			"the one that fits the field"}},
	{"a checksum of what is scrubbed", drillFile(table("checksum: {columns: [id, §mail]}"), rule("{column: public.users.mail, transform: hash}")),
		[]string{"expectations.tables.checksum.columns: public.users.mail is scrubbed (hash, line 4); judge by a column that is preserved, or " +
			"preserve this one with a why"}},
	{"a canary without a value", drillFile("expectations: {§canary: {sql: select 1}}"),
		[]string{"expectations.canary.equals_env is missing; name the environment variable that holds the value"}},
	{"a canary in the drill file", drillFile("expectations: {canary: {sql: select 1, equals_env: §'b7 71'}}"),
		[]string{"expectations.canary.equals_env is not the name of an environment variable; write the variable's name, such as DRILL_CANARY, never the value"}},
	{"a canary that is not set", drillFile("expectations: {canary: {sql: select 1, equals_env: §EMPTY_KEY}}"),
		[]string{"expectations.canary.equals_env: the environment variable EMPTY_KEY is not set; set it to the value that was planted"}},
	{"a baseline that is not there", drillFile("expectations: {schema: {baseline: §/nowhere/shop.schema.json}}"),
		[]string{"expectations.schema.baseline: /nowhere/shop.schema.json is not there; write it: bin/drill baseline -name=shop"}},
	{"a baseline that is none", drillFile("expectations: {schema: {baseline: §/dev/null}}"),
		[]string{"expectations.schema.baseline: /dev/null: not a baseline: unexpected end of JSON input; take it from version control, or write " +
			"it: bin/drill baseline -name=shop"}},
	{"a baseline without a name", drillFile("expectations: {schema: {baseline: §''}}"),
		[]string{"expectations.schema.baseline is empty; write a path such as drills/shop.schema.json"}},
	{"no baseline", drillFile("expectations: {§schema: {on_added: fail}}"),
		[]string{"expectations.schema.baseline is missing; name the file, such as drills/shop.schema.json; bin/drill baseline writes it"}},
	{"a baseline of which nothing matters",
		drillFile("expectations: {§schema: {baseline: §/nowhere, on_added: ignore, on_removed: ignore, on_changed: ignore}}"), []string{
			"expectations.schema ignores every difference; let one of on_added, on_removed, on_changed warn or fail",
			"expectations.schema.baseline: /nowhere is not there; write it: bin/drill baseline -name=shop"}},
	{"new code without a word", drillFile("expectations: {§code_ran: {}, tables: [{table: a.b}]}"),
		[]string{"expectations.code_ran is empty; fill it or remove it"}},
	{"new code of a severity that is none", drillFile("expectations: {code_ran: {on_new: §error}, tables: [{table: a.b}]}"),
		[]string{`expectations.code_ran.on_new: "error" is not one of its values; write ignore, warn or fail`}},
	{"an amcheck of nothing", drillFile("expectations: {§amcheck: {heap: false}}"),
		[]string{"expectations.amcheck looks at nothing; write heap: true, indexes: true or both"}},
	{"an extension twice", drillFile("expectations: {extensions: [citext, §citext]}"),
		[]string{`expectations.extensions: "citext" appears twice, first in line 3; list it once`}},
	{"an extension without a name", drillFile("expectations: {extensions: [§'']}"), []string{"expectations.extensions is empty; write an extension's name"}},
	{"no setting's name", drillFile("expectations: {settings: {'work mem': §64MB}}"),
		[]string{`expectations.settings: "work mem" is not a setting's name; write a setting's name, such as timezone`}},
	{"no setting's name and no value", drillFile("expectations: {settings: {§'work mem': }}"),
		[]string{`expectations.settings.work mem has no value; give it a value or remove the key`}},
	{"a setting in two ways of writing", drillFile("expectations: {settings: {TimeZone: UTC, timezone: §UTC}}"),
		[]string{`expectations.settings: "UTC" appears twice, first in line 3; list it once`}},
	{"another property", drillFile("expectations: {indexes: §populated}"), []string{`expectations.indexes: "populated" is not one of its values; write valid`}},
	{"only tables that may be there", drillFile("§expectations: {unlisted_tables: ignore}"),
		[]string{"expectations names no table and no query: a drill that expects nothing proves nothing; name a table under tables, " +
			"or a query under failed_rows"}},
	{"what is not judged is weighed", drillFile("expectations: {indexes: valid, severity: {indexes: warn, materialized_views: §warn}}"),
		[]string{"expectations.severity.materialized_views: materialized views are not judged; declare it under expectations, or remove it here"}},
	{"an event's column twice", drillFile("latest_events: [{table: a.b, order_by: c, columns: [d, §d]}]"),
		[]string{`latest_events.columns: "d" appears twice, first in line 4; list it once`}},
	{"two columns that cannot be read", drillFile("latest_events: [{table: a.b, order_by: c, columns: [§'d*', §'e*']}]"), []string{
		`latest_events.columns: "d*" is a pattern; name one column; quote it if its name holds a *`,
		`latest_events.columns: "e*" is a pattern; name one column; quote it if its name holds a *`}},
	{"two tables that cannot be read", drillFile("expectations: {tables: [{table: §a}, {table: §b}]}"), []string{
		`expectations.tables.table: "a" has 1 of the 2 parts of schema.table; write schema.table, a part that holds a dot quoted "like.this"`,
		`expectations.tables.table: "b" has 1 of the 2 parts of schema.table; write schema.table, a part that holds a dot quoted "like.this"`}},
}

func TestBadInputs(t *testing.T) {
	t.Parallel()
	for _, test := range slices.Concat(badInputs, badPlaces) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			content, places := unmark(test.file)
			if len(places) != len(test.want) {
				t.Fatalf("the test marks %d places for %d messages", len(places), len(test.want))
			}
			path := write(t, t.TempDir(), "shop.yaml", content)
			drill, err := testLoader.Load(path)
			if drill != nil {
				t.Error("a drill was returned")
			}
			var want []string
			for i, message := range test.want {
				want = append(want, fmt.Sprintf("%s:%d:%d: %s", path, places[i].Line, places[i].Column, message))
			}
			mistakes, _ := errors.AsType[Mistakes](err)
			var got []string
			for _, m := range mistakes {
				got = append(got, m.Error())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNarrowerPreserve(t *testing.T) {
	t.Parallel()
	for _, rules := range []string{
		"{column: 'public.*.*', transform: hash}, {column: public.*.seen, preserve: true, why: x}",
		"{column: '*.*.s*', transform: hash}, {column: '*.*.seen', preserve: true, why: x}",
		"{column: '*.*.*', transform: hash}, {column: '*.*.s*', preserve: true, why: x}",
	} {
		file := drillFile(table("freshness: {column: seen, fail_after: 6h}"), rule(rules))
		if _, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", file)); err != nil {
			t.Errorf("%s: %v", rules, err)
		}
	}
}

// A type may be called as SQL and the messages call it.
func TestSpokenTypes(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]Name{
		"integer": {"pg_catalog", "int4"}, "timestamp with time zone": {"pg_catalog", "timestamptz"}, "Character Varying": {"pg_catalog", "varchar"},
		"inet": {"", "inet"}, "public.integer": {"public", "integer"}, `'"integer"'`: {"", "integer"},
	} {
		d, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile(rule("{column: a.b.c, type: "+written+", transform: hash}"))))
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if got := d.Scrub.Rules[0].Type; got != want {
			t.Errorf("%s: %+v, want %+v", written, got, want)
		}
	}
}

func TestBaseIsGood(t *testing.T) {
	t.Parallel()
	// Otherwise the bad inputs could be bad for another reason.
	if _, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile())); err != nil {
		t.Fatal(err)
	}
}

func TestNoSecretIsRepeated(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		drillFile(source("url: 's3://AKIA:hunter2@bucket/', name: a, timezone: UTC")),
		drillFile(source("url: 's3://AKIA:hunter2%@bucket/', name: a, timezone: UTC")),
		drillFile(source("url: 's3://b/?secret=hunter2', name: a, timezone: UTC")),
		drillFile(source("url: s3://b/, name: a, timezone: UTC, endpoint: 'ftp://me:hunter2@h'")),
		drillFile("scrub: {key_env: hunter2+AAAA}"),
	} {
		_, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", file))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", file, err)
		}
	}
	drill, err := testLoader.Load("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if shown := fmt.Sprintf(format, drill.Scrub); strings.Contains(shown, testKey) || strings.Contains(shown, fmt.Sprintf("%x", testKey)) ||
			strings.Contains(shown, "48 49 50") {
			t.Errorf("%s shows the key: %s", format, shown)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestEveryKey(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	pattern := func(s string) ColumnPattern {
		p, err := ParseColumnPattern(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	rule := func(column string, line int, r Rule) Rule {
		r.Column = pattern(column)
		r.Pos = Pos{Line: line, Column: 7}
		if r.Percent == 0 {
			r.Percent = 10
		}
		if r.Meters == 0 {
			r.Meters = 5000
		}
		if r.Days == 0 {
			r.Days = 180
		}
		return r
	}
	first := Source{
		URL: "s3://shop-backups/nightly/", Region: "eu-central-1", Endpoint: "https://s3.example.com:9000",
		PathStyle: true, Anonymous: true, Name: "shop-{time}.dump.zst", TimeLayout: "20060102T150405Z",
		Location: berlin, TimeTolerance: 2 * time.Hour, Database: "shop", Checksum: "required", Links: LinksRefuse, MaxRatio: 200,
	}
	second, third := first, first
	second.URL = "s3://shop-second/nightly/"
	third.URL, third.Region, third.Endpoint, third.PathStyle, third.Anonymous, third.Profile = "s3://shop-third/", "us-east-1", "https://s3.example.net", false,
		false, "third"
	want := &Drill{
		Name: "shop", Path: "testdata/shop.yaml", Timeout: 90 * time.Minute,
		Source: first,
		Inventory: Inventory{
			BackupAge: &Age{WarnAfter: 7 * time.Hour, FailAfter: 13 * time.Hour},
			Cadence:   &Cadence{Every: 6 * time.Hour, Tolerance: 36 * time.Minute, Severity: "fail"}, MinBackups: Least[int64]{FailBelow: 7},
			MinSize: Least[int64]{WarnBelow: 10 << 20, FailBelow: 1 << 20}, OldestAtLeast: Least[time.Duration]{FailBelow: 7 * 24 * time.Hour},
			Collapse:   &Drift{Direction: "drop", WarnPercent: ptr(15.0), FailPercent: ptr(30.0), MinHistory: 1},
			SizeChange: &Drift{Median: 7, Direction: "any", FailPercent: ptr(50.0), MinHistory: 1},
			OffSite:    &OffSite{ProductionHosts: []string{"db1.example.com", "10.0.0.5", "fd00::5"}}, Protection: []string{"versioning", "object_lock"},
			Copies: []Copy{{Name: "s3://shop-second/nightly/", Source: second}, {Name: "s3://shop-third/", Source: third, Lag: 2 * time.Hour}},
		},
		Sandbox: Sandbox{Kind: "container", Image: "postgres:17", Memory: 4 << 30, Disk: 200 << 30, Isolation: "no_network"},
		Restore: Restore{Jobs: 4, Roles: "fail", Extensions: "skip"},
		Scrub: Scrub{
			KeyEnv: "DRILL_SCRUB_KEY", Key: Key(testKey), Unmatched: "refuse", Locale: "de_DE",
			ExcludeTableData: []string{"public.sessions", "audit.*"}, ExcludePos: []Pos{{Line: 47, Column: 24}, {Line: 47, Column: 41}}, LargeObjects: "drop",
			Keep: []Keep{{Table: Name{"public", "users"}, Match: map[string]string{"email": "*@ourco.example"},
				MaxRows: 50, Set: map[string]string{"role": "admin", "level": "9"}, Why: "our staff", Pos: Pos{Line: 50, Column: 7}}},
			Rules: []Rule{
				rule("public.users.email", 55, Rule{Transform: "email", Link: "person_email", Normalize: []string{"trim", "lower"}}),
				rule("public.orders.contact_email", 56, Rule{Transform: "email", Link: "person_email"}),
				rule("public.users.full_name", 57, Rule{Transform: "name", Locale: "fr_FR"}),
				rule("public.users.phones", 58, Rule{Transform: "phone", Each: true}),
				rule("public.users.note", 59, Rule{Transform: "set_null"}),
				rule("public.users.country", 60, Rule{Transform: "constant", Value: ptr("49")}),
				rule("public.users.income", 61, Rule{Transform: "number", Percent: 2.5}),
				rule("public.users.born", 62, Rule{Transform: "date_shift", Days: 30}),
				rule("public.users.points", 63, Rule{Transform: "number"}),
				rule(`"odd.schema"."say ""hi"".*".secret`, 64, Rule{Transform: "hash"}),
				rule("public.orders.total", 65, Rule{Preserve: true, Why: "an amount, no identity"}),
				rule("*.*.created_at", 66, Rule{Preserve: true, Why: "needed by freshness"}),
			},
		},
		Expectations: Expectations{
			AsOf: "fixed", AsOfTime: time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC), Errors: ptr(int64(3)), Warnings: "ignore",
			Roles: []string{"app", "readonly"}, Timeout: 2 * time.Minute, UnlistedTables: "ignore", CodeOnNew: "ignore",
			Tables: []Table{
				{Table: Name{"public", "users"}, RowCount: &RowCount{Min: ptr(int64(1000)), Severity: "warn"}, Pos: Pos{Line: 74, Column: 7}},
				{Table: Name{"public", "orders"}, RowCount: &RowCount{Min: ptr(int64(100000)), Max: ptr(int64(5000000)), Severity: "fail"},
					Freshness: &Freshness{Column: "created_at", WarnAfter: 2 * time.Hour, FailAfter: 6 * time.Hour}, Pos: Pos{Line: 76, Column: 7}},
				{Table: Name{"public", "events"}, RowCount: &RowCount{Min: ptr(int64(1)), Max: ptr(int64(10)), Severity: "fail"},
					Freshness: &Freshness{Column: "at_local", Location: berlin, FailAfter: 24 * time.Hour, MaxFuture: 5 * time.Minute,
						Where: "kind <> 'imported'"}, Pos: Pos{Line: 79, Column: 7}},
				{Table: Name{"public", "odd.table"}, RowCount: &RowCount{Min: ptr(int64(5)), Max: ptr(int64(5)), Severity: "fail"},
					Freshness: &Freshness{Column: "at_epoch", Unit: "ms", WarnAfter: 36 * time.Hour, MaxFuture: 5 * time.Minute}, Pos: Pos{Line: 82, Column: 7}},
				{Table: Name{"public", "plain"}, Pos: Pos{Line: 85, Column: 7}},
			},
			FailedRows: []FailedRows{{
				Name:   "paid_without_payment",
				SQL:    "select id from orders o\nwhere paid and not exists (select from payments p where p.order_id = o.id)",
				WarnIf: &Condition{">", 0}, FailIf: &Condition{">", 10}, Timeout: 30 * time.Second, Pos: Pos{Line: 87, Column: 7},
			}},
		},
		LatestEvents: []LatestEvents{
			{Table: Name{"public", "orders"}, OrderBy: "created_at", Columns: []string{"id", "total", "created_at"}, Limit: 3, Pos: Pos{Line: 96, Column: 5}},
			{Table: Name{"public", "events"}, OrderBy: "at_local", Columns: []string{"kind"}, Limit: 5, Pos: Pos{Line: 97, Column: 5}},
		},
	}
	got, err := testLoader.Load("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.SHA256) != 64 {
		t.Errorf("sha256 %q", got.SHA256)
	}
	want.SHA256 = got.SHA256
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What a person puts under sign and metrics arrives, and no way of printing a
// drill shows its secrets.
func TestSignAndMetrics(t *testing.T) {
	t.Parallel()
	text := drillFile("metrics: {textfile: /var/lib/node, pushgateway_env: PUSHGATEWAY}\n" +
		"sign: {key_env: SIGNING_KEY, controls: [ISO 27001 A.8.13, 'SOC 2 A1.2']}")
	path := write(t, t.TempDir(), "shop.yaml", text)
	d, err := testLoader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Sign.Key) != ed25519.PrivateKeySize || !slices.Equal(d.Sign.Controls, []string{"ISO 27001 A.8.13", "SOC 2 A1.2"}) {
		t.Errorf("sign is %+v", d.Sign)
	}
	if string(d.Metrics.Pushgateway) != "https://me:hunter2@push.example.com/base" || d.Metrics.Textfile != "/var/lib/node" {
		t.Errorf("metrics is %+v", d.Metrics)
	}
	if said := fmt.Sprintf("%v %+v %#v %s", d, d.Sign, d.Sign, d.Metrics); strings.Contains(said, "hunter2") {
		t.Errorf("it is printed: %s", said)
	}
	inOneLine := Loader{LookupEnv: func(name string) (string, bool) {
		value, ok := testLoader.LookupEnv(name)
		return strings.ReplaceAll(value, "\n", `\n`), ok
	}}
	if again, err := inOneLine.Load(path); err != nil || !slices.Equal(again.Sign.Key, d.Sign.Key) {
		t.Errorf("a key in one line: %v", err)
	}
	without, err := Loader{LookupEnv: func(string) (string, bool) { return "", false }, WithoutSecrets: true}.Load(path)
	if err != nil || without.Sign.Key != nil || without.Metrics.Pushgateway != nil {
		t.Errorf("without secrets: %v, %v", without, err)
	}
}

// What signs reports is read where secrets are left alone too, if it is there:
// past reports are compared with, and accepted.
func TestReportKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		history string
		without bool
		want    History
	}{
		{"s3://reports/", false, History{Source: Source{URL: "s3://reports/", Links: LinksRefuse, NoKeys: true}}},
		{"{url: 's3://reports/', key_env: REPORT_KEY}", false,
			History{Source{URL: "s3://reports/", Links: LinksRefuse, NoKeys: true}, "REPORT_KEY", []Key{Key(reportKey)}}},
		{"{key_env: REPORT_KEYS}", true, History{Source{Links: LinksRefuse}, "REPORT_KEYS", []Key{Key(olderKey), Key(reportKey)}}},
		{"{key_env: NOT_SET}", true, History{Source{Links: LinksRefuse}, "NOT_SET", nil}},
	} {
		l := Loader{LookupEnv: testEnv, WithoutSecrets: c.without}
		d, err := l.Load(write(t, t.TempDir(), "shop.yaml", drillFile("history: "+c.history)))
		if err != nil {
			t.Errorf("%s: %v", c.history, err)
			continue
		}
		if diff := cmp.Diff(c.want, d.History); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.history, diff)
		}
		if said := fmt.Sprintf("%v %+v %#v %x", d.History, d.History, d.History, d.History.Keys); strings.Contains(said, reportKey[:8]) ||
			strings.Contains(said, fmt.Sprintf("%x", reportKey[:8])) {
			t.Error("a key is printed")
		}
	}
}

// Every folder of a drill is read as the source's links say.
func TestLinksHoldForEveryFolder(t *testing.T) {
	t.Parallel()
	for links, want := range map[string]string{"": LinksRefuse, ", links: refuse": LinksRefuse, ", links: follow": LinksFollow} {
		d, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile(source("url: file:///b/, name: a, timezone: UTC, max_ratio: 7"+links),
			"history: file:///h/", "inventory: {copies: ['file:///c/'], catalogue: {url: 'file:///d/x.csv', name: n, at: a, timezone: UTC}}")))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []Source{d.Source, d.History.Source, d.Inventory.Copies[0].Source, d.Inventory.Catalogue.Source} {
			if s.Links != want {
				t.Errorf("%q: %s of %s, want %s", links, s.Links, s.URL, want)
			}
		}
		if d.Source.MaxRatio != 7 {
			t.Errorf("max_ratio: %d", d.Source.MaxRatio)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	d, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile(
		table("freshness: {column: a, fail_after: 1d}"), rule("{column: a.b.c, transform: number}"))))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(d.Timeout, d.Source.Checksum, d.Source.TimeTolerance, d.Sandbox.Kind, d.Sandbox.Isolation, d.Restore, d.Scrub.Unmatched, d.Scrub.Locale,
		d.Scrub.Rules[0].Percent, d.Expectations.AsOf, d.Expectations.Warnings, d.Expectations.Timeout, d.Expectations.Tables[0].Freshness.MaxFuture,
		d.Expectations.Errors)
	want := fmt.Sprint(45*time.Minute, "if_present", 26*time.Hour, "auto", "enclosed",
		Restore{Roles: "create", Extensions: "require"}, "refuse", "en_US", 10.0, "backup",
		"warn", 5*time.Minute, 5*time.Minute, (*int64)(nil))
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for of, want := range map[string]time.Duration{
		"name: a, timezone: UTC":                                   6 * time.Hour,
		"name: 'a-{time}', time: 2006-01-02, timezone: UTC":        time.Hour,
		"name: 'a-{time}', time: 2006-01, timezone: UTC":           time.Hour,
		"name: 'a-{time}', time: '20060102Z'":                      14 * time.Hour,
		"name: 'a-{time}', time: '2006010215', timezone: UTC":      6 * time.Hour,
		"name: 'a-{time}', time: '2006010215Z'":                    26 * time.Hour,
		"name: a, timezone: UTC, time_tolerance: 2d":               48 * time.Hour,
		"name: 'a-{time}', time: '20060102Z', time_tolerance: 20m": 20 * time.Minute,
	} {
		d, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile(source("url: s3://b/, "+of))))
		if err != nil || d.Source.TimeTolerance != want {
			t.Errorf("%s: %+v, %v, want %v", of, d, err, want)
		}
	}
}

func TestFolderURLs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for written, want := range map[string]string{
		"file:///backups":        "file:///backups/",
		"file:///backups/a%20b/": "file:///backups/a%20b/",
		"file:demo/":             "file://" + dir + "/demo/",
		"file:demo":              "file://" + dir + "/demo/",
		"file:./demo/x":          "file://" + dir + "/demo/x/",
		"file://./demo/":         "file://" + dir + "/demo/",
		"file://../demo":         "file://" + filepath.Dir(dir) + "/demo/",
		"file:a%20b":             "file://" + dir + "/a%20b/",
		"file:///":               "file:///",
	} {
		d, err := testLoader.Load(write(t, dir, "shop.yaml", drillFile(source("url: '"+written+"', name: a, timezone: UTC"))))
		if err != nil {
			t.Errorf("%s: %v", written, err)
		} else if d.Source.URL != want {
			t.Errorf("%s: got %s, want %s", written, d.Source.URL, want)
		}
	}
}

func TestGoodLayouts(t *testing.T) {
	t.Parallel()
	for layout, zoned := range map[string]bool{
		"20060102T150405Z": true, "2006-01-02T15:04:05Z07:00": true, "2006-01-02_15-04-05-0700": true,
		"20060102": false, "060102-1504": false, "2006/01/02/15": false, "02 Jan 2006 03:04PM": false, "2006-002": false, "20060102-150405-UTC": true,
		"2006-01": false, "200601Z": true, "2006010215": false, "Jan-02-2006": false, "02.01.06": false, "20060102-0700": true,
	} {
		if fault := checkLayout(layout); fault != nil || calendar.TellsZone(layout) != zoned {
			t.Errorf("%s: zoned %v, %v", layout, calendar.TellsZone(layout), fault)
		}
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"testdata/absent.yaml", "testdata"} {
		_, err := Load(path)
		if mistakes, ok := errors.AsType[Mistakes](err); !ok || mistakes[0].Line != 0 || !strings.HasPrefix(err.Error(), path+": read drill file: ") {
			t.Errorf("%s: %v", path, err)
		}
	}
	huge := filepath.Join(t.TempDir(), "huge.yaml")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, folder.Most+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(huge); err == nil || !strings.Contains(err.Error(), "larger than 4 MiB") {
		t.Errorf("huge: %v", err)
	}
}

func TestDrillNames(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{"shop.yaml": true, "a-b_9.yml": true, "Shop.yaml": false, "a.b.yaml": false, "ü.yaml": false} {
		_, err := testLoader.Load(write(t, t.TempDir(), name, drillFile()))
		if good != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "b.yaml", drillFile())
	write(t, dir, "a.yml", "version: 2\n")
	write(t, dir, "b.yml", drillFile())
	write(t, dir, "c.yaml", drillFile("scrub: {key_env: NOT_SET}"))
	write(t, dir, "schema.json", "{}")
	write(t, dir, ".x.yaml", drillFile())
	if err := os.Symlink("someone@example.com.4711", filepath.Join(dir, ".#b.yaml")); err != nil { // Emacs locks b.yaml
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "d.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	all, err := Loader{LookupEnv: testEnv, WithoutSecrets: true}.LoadAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range all {
		got = append(got, fmt.Sprintf("%s %v %v", l.Name, l.Drill != nil, l.Err != nil))
	}
	if diff := cmp.Diff([]string{"a false true", "b true false", "b false true", "c true false"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if all[2].Err.Error() != fmt.Sprintf("%s:1:1: the drill b is also in %s; rename one of the files", all[2].Path, all[1].Path) {
		t.Error(all[2].Err)
	}
	if _, err := LoadAll(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent folder: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	good, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, bad := range badInputs {
		clean, _ := unmark(bad.file)
		f.Add([]byte(clean))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &mistakeList{file: "shop.yaml"}
		var found Mistakes
		for _, l := range testLoader.drills(d, data, &defaults{}) {
			of, _ := errors.AsType[Mistakes](l.Err)
			found = append(found, of...)
		}
		for _, m := range append(found, d.mistakes...) {
			if m.Line < 1 || m.Column < 1 || m.Message == "" || strings.Contains(m.Error(), testKey) {
				t.Errorf("mistake %+v", m)
			}
		}
	})
}
