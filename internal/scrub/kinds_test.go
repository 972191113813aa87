package scrub

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/pgtest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// What a drill file may say and what is done are the same list.
func TestTransformsAreThoseOfTheDrillFile(t *testing.T) {
	t.Parallel()
	namespace, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var shape struct {
		Properties struct {
			Scrub struct {
				Properties struct {
					Rules struct {
						Items struct {
							Properties struct {
								Transform struct{ Enum []string } `json:"transform"`
							} `json:"properties"`
						} `json:"items"`
					} `json:"rules"`
				} `json:"properties"`
			} `json:"scrub"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(namespace, &shape); err != nil {
		t.Fatal(err)
	}
	said := shape.Properties.Scrub.Properties.Rules.Items.Properties.Transform.Enum
	slices.Sort(said)
	if !slices.Equal(said, transformNames()) {
		t.Errorf("the drill file knows %q, the scrub %q", said, transformNames())
	}
	for _, n := range spec.TemplateTransforms {
		if transforms[n] == nil || transforms[n].most == 0 && transforms[n].words == nil {
			t.Errorf("a template may hold {%s}, of which nobody knows how long it becomes", n)
		}
	}
}

// What is made has its kind's form, at most the length it promises, and is
// never the value.
func TestForms(t *testing.T) {
	t.Parallel()
	forms := map[string]*regexp.Regexp{
		firstName: regexp.MustCompile(`^[A-Za-z ]+$`), lastName: regexp.MustCompile(`^[A-Za-z ]+$`), city: regexp.MustCompile(`^[A-Za-z ]+$`),
		company: regexp.MustCompile(`^[A-Za-z ]+-[A-Za-z ]+ [A-Za-z ]+$`), street: regexp.MustCompile(`^[1-9]\d{0,2} [A-Za-z ]+ [A-Za-z]+$`),
		uuid4:      regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
		webAddress: regexp.MustCompile(`^https://example\.invalid/[a-z2-7]{16}$`), tokenLike: regexp.MustCompile(`^[A-Za-z0-9]{16,}$`),
		email: shapes[email], hash128: shapes[hash128], name: regexp.MustCompile(`^[A-Za-z ]+$`),
	}
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringN(1, 60, -1).Draw(rt, "value")
		for n, form := range forms {
			out := mask(t, testKey, recipe{name: n}, value)
			if !form.MatchString(out) || out == value || mostOf(n) > 0 && len(out) > mostOf(n) {
				rt.Fatalf("%s of %q is %q", n, value, out)
			}
			limit := rapid.IntRange(1, 60).Draw(rt, "limit")
			if cut := mask(t, testKey, recipe{name: n, limit: limit}, value); transforms[n].length == 0 && (len(cut) > limit || cut == "") {
				rt.Fatalf("%s of %q cut to %d is %q", n, value, limit, cut)
			}
		}
	})
}

// mostOf is how many characters a transform makes at most; 0: it does not say.
func mostOf(transform string) int {
	if w := transforms[transform].words; w != nil {
		return w(english).Longest()
	}
	return transforms[transform].most
}

func TestCheckDigits(t *testing.T) {
	t.Parallel()
	mod97 := func(s string) int64 {
		s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
		var digits strings.Builder
		for _, c := range s[4:] + s[:4] {
			if c >= 'A' {
				fmt.Fprint(&digits, c-'A'+10)
			} else {
				digits.WriteRune(c)
			}
		}
		n, _ := new(big.Int).SetString(digits.String(), 10)
		return new(big.Int).Mod(n, big.NewInt(97)).Int64()
	}
	for _, good := range transforms[iban].samples {
		if mod97(good) != 1 {
			t.Fatalf("%s is no example of a good one", good)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		in := rapid.StringMatching(`[A-Za-z]{2}[0-9]{2}( ?[A-Za-z0-9]){11,30}`).Draw(rt, "iban")
		out := mask(t, testKey, recipe{name: iban}, in)
		if mod97(out) != 1 || out[:2] != in[:2] || len(out) != len(in) || strings.Count(out, " ") != strings.Count(in, " ") {
			rt.Fatalf("%s became %s", in, out)
		}
		number := rapid.StringMatching(`[0-9]{4}([ -]?[0-9]){8,15}`).Draw(rt, "card")
		out = mask(t, testKey, recipe{name: card}, number)
		if detect.Luhn([]byte(out)) != 0 || out[0] != number[0] || len(out) != len(number) {
			rt.Fatalf("%s became %s", number, out)
		}
	})
	for number, want := range map[string]int{"4111111111111111": 0, "378282246310005": 0, "79927398713": 0, "4111 1111 1111 1112": 1} {
		if detect.Luhn([]byte(number)) != want {
			t.Errorf("%s leaves %d", number, detect.Luhn([]byte(number)))
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	v4, v6 := regexp.MustCompile(`^10\.\d+\.\d+\.\d+$`), regexp.MustCompile(`^2001:db8:[0-9a-f:]+$`)
	for in, want := range map[string]*regexp.Regexp{
		"192.0.2.1": v4, "0.0.0.0": v4, "255.255.255.255": v4, "::1": v6, "2001:db8::": v6, "::ffff:192.0.2.1": v6,
		"192.0.2.1/24": regexp.MustCompile(`^10\.\d+\.\d+\.\d+/24$`), "2001:db8::/32": regexp.MustCompile(`^2001:db8:[0-9a-f:]+/32$`),
		"1.2.3": regexp.MustCompile(`^\d\.\d\.\d$`), "1.2.3.256": regexp.MustCompile(`^\d\.\d\.\d\.\d{3}$`), "unknown": regexp.MustCompile(`^[a-z]{7}$`),
		"192.0.2.1, 192.0.2.2": regexp.MustCompile(`^\d{3}\.\d\.\d\.\d, \d{3}\.\d\.\d\.\d$`), "1.2.3.4/33": regexp.MustCompile(`^\d\.\d\.\d\.\d/\d\d$`),
	} {
		if out := mask(t, testKey, recipe{name: ipAddress, lenient: true}, in); !want.MatchString(out) || out == in {
			t.Errorf("ip of %s is %s", in, out)
		}
	}
	for in, want := range map[string]string{"192.0.2.0/24": `^10\.\d+\.\d+\.0/24$`, "192.0.0.0/2": `^0\.0\.0\.0/2$`, "2001:db8::/32": `^2001:db8::/32$`, "192.0.2.1/32": `^10\.\d+\.\d+\.\d+/32$`} {
		if out := mask(t, testKey, recipe{name: ipAddress, network: true}, in); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("ip of the network %s is %s", in, out)
		}
	}
	if out := mask(t, testKey, recipe{name: ipAddress, lenient: true, limit: 15}, "::1"); len(out) > 15 {
		t.Errorf("%s does not fit", out)
	}
	for in, want := range map[string]string{"08:00:2b:01:02:03": `^02(:[0-9a-f]{2}){5}$`, "08002B.010203": `^02[0-9A-F]{4}\.[0-9A-F]{6}$`, "08:00:2b:01:02:03:04:05": `^02(:[0-9a-f]{2}){7}$`, "08:00": `^\d\d:\d\d$`} {
		if out := mask(t, testKey, recipe{name: macAddress, lenient: true}, in); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("mac of %s is %s", in, out)
		}
	}
}

// Everybody's password is known afterwards, whichever hash is kept.
func TestKnownPassword(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"$2a$10$abc", "$2y$12$abc", "$2b$", "plain", "pbkdf2_sha256$1$x$y"} {
		out := mask(t, testKey, recipe{name: password}, in)
		if err := bcrypt.CompareHashAndPassword([]byte(out), []byte(knownPassword)); err != nil || len(in) > 4 && in[:2] == "$2" && out[:4] != in[:4] {
			t.Errorf("%s became %s, %v", in, out, err)
		}
	}
	salt, sum, _ := strings.Cut(strings.TrimPrefix(mask(t, testKey, recipe{name: password}, "$argon2id$v=19$x"), "$argon2id$v=19$m=65536,t=3,p=4$"), "$")
	raw, err := base64.RawStdEncoding.DecodeString(salt)
	if err != nil || base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(knownPassword), raw, 3, 65536, 4, 32)) != sum {
		t.Errorf("argon2id is of another password (%v)", err)
	}
	// the server itself says what the SCRAM verifier is of
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), "create role scrub_password_test login password '"+mask(t, testKey, recipe{name: password}, "SCRAM-SHA-256$x")+"'"); err != nil {
		t.Fatal(err)
	}
	if got := value[string](t, conn, "select rolpassword from pg_authid where rolname = 'scrub_password_test'"); got != knownSCRAM {
		t.Errorf("the server took the verifier for a password: %s", got)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		in := rapid.StringMatching(`-?(0|[1-9]\d{0,30})(\.\d{1,6})?`).Draw(rt, "value")
		bucket := rapid.Uint64Range(2, 1<<63-1).Draw(rt, "bucket")
		if rapid.Bool().Draw(rt, "small") {
			bucket = bucket%1000 + 2
		}
		b, err := (&masker{}).appendBucket(nil, []byte(in), bucket)
		if err != nil {
			rt.Fatal(err)
		}
		whole, _, _ := strings.Cut(in, ".")
		n, _ := new(big.Int).SetString(whole, 10)
		want := new(big.Int).Mul(new(big.Int).Quo(n, new(big.Int).SetUint64(bucket)), new(big.Int).SetUint64(bucket))
		got, _, _ := strings.Cut(string(b), ".")
		if got != want.String() || scaleOf(string(b)) != scaleOf(in) {
			rt.Fatalf("%s in buckets of %d is %s, want %s", in, bucket, b, want)
		}
	})
	for in, want := range map[string]string{"NaN": "NaN", "-Infinity": "-Infinity", "1.5e+20": "1.5e+20", "1.5e-07": "0", "-7": "0", "-17.50": "-10.00"} {
		if got, err := (&masker{}).appendBucket(nil, []byte(in), 10); err != nil || string(got) != want {
			t.Errorf("%s became %s, %v", in, got, err)
		}
	}
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, to, want string }{
		{"2024-02-29", "year", "2024-01-01"}, {"2024-02-29", "month", "2024-02-01"}, {"2024-02-29", "hour", "2024-02-29"},
		{"2024-02-29 23:59:58.123456+05:30", "hour", "2024-02-29 23:00:00.000000+05:30"}, {"2024-02-29 23:59:58-03", "month", "2024-02-01 00:00:00-03"},
		{"2024-02-29T23:59:58Z", "day", "2024-02-29T00:00:00Z"}, {"0044-03-15 12:34:56 BC", "month", "0044-03-01 00:00:00 BC"}, {"infinity", "day", "infinity"},
		{"4714-11-24 BC", "year", "4713-01-02 BC"},
	} {
		if got := mask(t, testKey, recipe{name: truncate, to: datePrecisions[tt.to], span: spanOfDate}, tt.in); got != tt.want {
			t.Errorf("%s to the %s is %s, want %s", tt.in, tt.to, got, tt.want)
		}
	}
	for _, in := range []string{"2024-02-29 Ada", "2024-02-29, at Ada's", "born 2024", "2024-02-29 12:30 o'clock"} {
		for _, n := range []string{truncate, dateShift} {
			if out := mask(t, testKey, recipe{name: n, lenient: true, span: spanOfDate, days: 9}, in); strings.Contains(out, "Ada") || strings.Contains(out, "clock") {
				t.Errorf("%s of %q lets words through: %q", n, in, out)
			}
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"$1,234.50": `^\$[01],\d{3}\.\d\d$`, "-$5.00": `^-\$[45]\.\d\d$`, "1.234,50 EUR": `^[01]\.\d{3},\d\d EUR$`, "12 for Ada": `^\d\d [a-z]{3} [A-Z][a-z]{2}$`} {
		if out := mask(t, testKey, recipe{name: money, percent: 10, lenient: true}, in); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("money of %s is %s", in, out)
		}
	}
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	r := recipe{name: replace, pattern: regexp.MustCompile(`^(\w+)-(\d+)$`), with: []byte("${1}-0")}
	for in, want := range map[string]string{"AB-123": "^AB-0$", "Ada Lovelace": "^[A-Z][a-z]{2} [A-Z][a-z]{7}$"} {
		if out := mask(t, testKey, r, in); !regexp.MustCompile(want).MatchString(out) || strings.Contains(out, "Ada") {
			t.Errorf("%s became %s", in, out)
		}
	}
}

// kindsRows are values of every type that a transform fits, as people have them.
const kindsRows = `
	create extension if not exists citext;
	create table kinds (id int, person text,
		first_name text, last_name varchar(5), company citext, street varchar(20), city char(12), postcode varchar(10), token text, uuid uuid, uuid_text text, url text,
		ip inet, ip_cidr cidr, ip_text varchar(15), mac macaddr, mac8 macaddr8, mac_text text, iban varchar(34), card text, card_number numeric(19,0),
		money money, money_text text, money_number numeric(10,2), bucket int2, bucket_float float8, bucket_numeric numeric,
		hour timestamptz, day timestamp, month date, year text, password varchar(60), replaced text, template varchar(64), bytes bytea, born date, seen timestamptz);
	insert into kinds select i, case when i % 7 > 0 then 'P' || i % 7 end,
		'Real' || i, 'Reals', 'Real Corp ' || i, i || ' Real Street', 'Realcity', lpad(i::text, 5, '0'), 'sk_live_' || md5(i::text), md5(i::text)::uuid, md5(i::text)::uuid::text, 'https://real.example/' || i,
		case when i % 2 = 0 then ('192.0.2.' || i % 256 || '/24')::inet else ('2001:db8::' || i)::inet end, network(('192.0.2.' || i % 256 || '/' || i % 33)::inet), case when i % 2 = 0 then '192.0.2.' || i % 256 else '::1' end,
		('08:00:2b:01:02:' || lpad(to_hex(i % 256), 2, '0'))::macaddr, ('08:00:2b:01:02:03:04:' || lpad(to_hex(i % 256), 2, '0'))::macaddr8, '08-00-2B-01-02-' || lpad(upper(to_hex(i % 256)), 2, '0'),
		'DE75 5121 0800 1245 ' || lpad(i::text, 4, '0') || ' 99', '4111-1111-1111-' || lpad(i::text, 4, '0'), 4111111111110000 + i,
		(i * 12345.67)::numeric::money, i || ',00 EUR', i * 1.5, i * 16, i * 1e15 + 0.5, i * 1234567890123456789.5,
		'2024-01-01 00:30:15.5+00'::timestamptz + i * interval '11 hours', '2024-01-01 00:30:15.5'::timestamp + i * interval '11 hours', '2024-01-01'::date + i, '2024-01-01T10:00:00Z',
		'$2a$10$' || repeat('x', 53), 'INV-' || i || '-Ada', 'user' || i, decode(md5(i::text), 'hex'), '1970-01-01'::date + i, '2020-01-01'::timestamptz + i * interval '1 day' from generate_series(1, 500) i;
	create table before as table kinds;`

// What is written into a column of each type is taken by the server, and means
// what the transform says.
func TestKindsThroughServer(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	lines := []string{"first_name first_name", "last_name last_name", "company company", "street street", "city city", "postcode postcode", "token token", "uuid uuid", "uuid_text uuid", "url url",
		"ip ip", "ip_cidr ip", "ip_text ip", "mac mac", "mac8 mac", "mac_text mac", "iban iban", "card card", "card_number card", "money money", "money_text money", "money_number money percent=50",
		"bucket number bucket=100", "bucket_float number bucket=7", "bucket_numeric number bucket=1000", "hour truncate to=hour", "day truncate to=day", "month truncate to=month", "year truncate to=year",
		"password password", "replaced replace pattern=-Ada$ with=-X", "template template value=u-{hash}@{first_name}.example", "bytes hash", "born date_shift by=person link=who days=30", "seen date_shift by=person link=who days=30", "person preserve"}
	for i := range lines {
		lines[i] = "public.kinds." + lines[i]
	}
	ddl, rows, _ := strings.Cut(kindsRows, "insert into")
	s := situation{ddl: ddl, rules: rules(t, lines...), definitions: []string{"CREATE UNIQUE INDEX u ON public.kinds USING btree (token, uuid, uuid_text, url, template, bytes);"}}
	p, checks := s.planOn(t, conn)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if _, err := conn.Exec(t.Context(), "insert into"+rows); err != nil {
		t.Fatal(err)
	}
	reload(t, conn, p, "public", "kinds")
	for what, sql := range map[string]string{
		"nothing is as it was": "select bool_and(k.first_name <> b.first_name and k.last_name <> b.last_name and k.company <> b.company and k.street <> b.street and k.token <> b.token and k.uuid <> b.uuid " +
			"and k.url <> b.url and k.ip <> b.ip and k.mac <> b.mac and k.mac8 <> b.mac8 and k.mac_text <> b.mac_text and k.iban <> b.iban and k.card <> b.card and k.bytes <> b.bytes and k.password <> b.password) from kinds k join before b using (id)",
		"different stay different":        "select count(distinct token) = 500 and count(distinct uuid) = 500 and count(distinct url) = 500 and count(distinct template) = 500 and count(distinct bytes) = 500 from kinds",
		"addresses are nobody's":          "select bool_and(case family(ip) when 4 then ip << '10.0.0.0/8' and masklen(ip) = 24 else ip << '2001:db8::/32' end) from kinds",
		"networks keep their mask":        "select bool_and(masklen(k.ip_cidr) = masklen(b.ip_cidr) and (masklen(k.ip_cidr) < 8 or k.ip_cidr <<= '10.0.0.0/8')) from kinds k join before b using (id)",
		"mac addresses are local":         "select bool_and(mac::text like '02:%' and mac8::text like '02:%' and upper(mac_text) ~ '^02(-[0-9A-F]{2}){5}$') from kinds",
		"ibans keep country and form":     "select bool_and(iban ~ '^DE\\d\\d( \\d{4}){4} \\d\\d$') from kinds",
		"cards keep their form":           "select bool_and(card ~ '^4\\d{3}(-\\d{4}){3}$' and card_number between 4e15 and 5e15) from kinds",
		"amounts are near":                "select bool_and(k.money > '$0' and k.money between b.money * 0.89 and b.money * 1.11 and abs(k.money_number - b.money_number) <= b.money_number / 2) and bool_and(k.money_text ~ '^\\d+,\\d\\d EUR$') from kinds k join before b using (id)",
		"buckets are feet":                "select bool_and(k.bucket = b.bucket / 100 * 100 and k.bucket_numeric = div(b.bucket_numeric, 1000) * 1000) from kinds k join before b using (id)",
		"times are truncated":             "select bool_and(k.hour = date_trunc('hour', b.hour) and k.day = date_trunc('day', b.day) and k.month = date_trunc('month', b.month) and k.year = '2024-01-01T00:00:00Z') from kinds k join before b using (id)",
		"patterns are replaced":           "select bool_and(replaced ~ '^INV-\\d+-X$') from kinds",
		"one person's dates move as one":  "select bool_and(n = 1) from (select count(distinct k.born - b.born) n from kinds k join before b using (id) where k.person is not null group by k.person) x",
		"in two columns":                  "select bool_and(k.born - b.born = extract(day from k.seen - b.seen)) from kinds k join before b using (id) where k.person is not null",
		"persons move differently":        "select count(distinct k.born - b.born) between 4 and 6 from kinds k join before b using (id) where k.person is not null",
		"nobody's dates move one by one":  "select count(distinct k.born - b.born) > 20 from kinds k join before b using (id) where k.person is null",
		"templates are filled":            "select bool_and(template ~ '^u-[0-9a-f]{32}@[A-Za-z]+[.]example$') from kinds",
		"short columns hold what is real": "select bool_and(length(street) between 5 and 20 and length(last_name) between 1 and 5 and ip_text <> '') from kinds",
	} {
		if !value[bool](t, conn, sql) {
			t.Errorf("not so: %s", what)
		}
	}
}

// One person's dates move as one, whichever type says who it is.
func TestPersonsOfSeveralTypes(t *testing.T) {
	t.Parallel()
	s := situation{ddl: "create extension citext; create table a (who citext, d date); create table b (who text, d date); create table c (who char(9), d date)", rules: rules(t, "public.*.d date_shift by=who link=p", "public.*.who preserve")}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if _, err := conn.Exec(t.Context(), "insert into a select 'Ada' || i, '2024-01-01' from generate_series(1, 20) i; insert into b select who, d from a; insert into c select who, d from a"); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"a", "b", "c"} {
		reload(t, conn, p, "public", table)
	}
	if !value[bool](t, conn, "select count(distinct a.d) > 5 and bool_and(a.d = b.d and b.d = c.d) from a join b on a.who = b.who::citext join c on c.who::text = b.who") {
		t.Error("a person's dates moved apart")
	}
}

// Values within values: ranges, hstores, composites, domains, arrays in arrays.
func TestCompoundTypesThroughServer(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	s := situation{
		ddl: `create extension if not exists hstore; create extension if not exists citext; create type home as (street text, zip varchar(10)); create type person as (id int, full_name text, home home, born date, note text); create type labelled as (tags hstore, said text);
			create domain mail as citext check (value ~ '@'); create domain mails as mail[];
			create table t (id int, stay daterange, seen tstzrange, ages int4range, prices numrange, stays datemultirange, many int8multirange, tags hstore, who person, people person[], mail mail, mails mails, grid text[][], low_ages int4range[], labels labelled, mailed labelled[])`,
		rules: append(rules(t, "public.t.stay date_shift days=20", "public.t.seen truncate to=day", "public.t.ages number percent=50", "public.t.prices number bucket=100", "public.t.stays date_shift", "public.t.many number", "public.t.tags text",
			"public.t.mail email link=m", "public.t.mails email each link=m", "public.t.grid text each", "public.t.low_ages number each"),
			fieldsRule(t, "public.t.who", "full_name name link=n", "home.street street", "home.zip postcode", "born date_shift", "note set_null"),
			fieldsRule(t, "public.t.labels", "tags text", "said text"), each(fieldsRule(t, "public.t.mailed", "tags email", "said set_null")),
			each(fieldsRule(t, "public.t.people", "full_name name link=n", "home set_null", "born preserve", "note constant value=a,\"b"))),
	}
	p, checks := s.planOn(t, conn)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	_, err := conn.Exec(t.Context(), `insert into t select i, daterange('2024-01-01'::date + i, '2024-01-03'::date + 2 * i), case i % 3 when 0 then 'empty' when 1 then tstzrange(now(), null) else tstzrange(null, now() + i * interval '1 hour', '[]') end,
			int4range(i, i + 1 + i % 20), numrange(i, i * 20.5), ('{[2024-01-01,2024-01-05),[2024-02-01,2024-03-0' || i % 9 + 1 || ')}')::datemultirange, int8multirange(int8range(i, i + 5), int8range(i + 1000, null)),
			hstore(array['name', 'Real Name', 'null', null, 'q"\\', 'a=>"b", \\']), row(i, 'Real Name ' || i, row('1 "Real" St, \\', '10115')::home, '1990-01-01', 'note')::person,
			array[row(i, 'Real Name ' || i, null, '1990-01-01', 'x')::person, null, row(null, '', row('a', null)::home, null, null)::person], 'Real' || i || '@Example.com', array['real' || i || '@example.COM', null]::mails,
			array[array['Real', 'a"b'], array['c,d', null]], array[int4range(95, 99), int4range(99, 101), int4range(null, 5), int4range(-10, -9)],
			row(hstore(array['name', 'Real Name', 'null', null]), 'Real')::labelled, array[row(hstore('to', 'real@example.com'), 'x')::labelled] from generate_series(1, 300) i; create table before as table t`)
	if err != nil {
		t.Fatal(err)
	}
	reload(t, conn, p, "public", "t")
	for what, sql := range map[string]string{
		"ranges keep their length":       "select bool_and(upper(t.stay) - lower(t.stay) = upper(b.stay) - lower(b.stay) and t.stay <> b.stay and abs(lower(t.stay) - lower(b.stay)) <= 20) from t join before b using (id)",
		"bounds are truncated":           "select bool_and(isempty(t.seen) = isempty(b.seen) and lower_inf(t.seen) = lower_inf(b.seen) and (isempty(t.seen) or coalesce(lower(t.seen), upper(t.seen)) = date_trunc('day', coalesce(lower(b.seen), upper(b.seen))))) from t join before b using (id)",
		"numbers are near":               "select bool_and(isempty(t.ages) or lower(t.ages) <= lower(b.ages) * 1.5 + 1 and upper(t.ages) >= upper(b.ages) * 0.5 - 1) from t join before b using (id)",
		"buckets of bounds":              "select bool_and(isempty(t.prices) or lower(t.prices) % 100 = 0 and upper(t.prices) % 100 = 0) from t",
		"multiranges move as one":        "select bool_and(upper(t.stays) - lower(t.stays) = upper(b.stays) - lower(b.stays) and t.stays <> b.stays) from t join before b using (id)",
		"multiranges stay open":          "select bool_and(upper_inf(many)) from t",
		"hstores keep keys and nulls":    `select bool_and(akeys(t.tags) = akeys(b.tags) and t.tags -> 'name' ~ '^[A-Z][a-z]{3} [A-Z][a-z]{3}$' and t.tags -> 'name' <> 'Real Name' and t.tags -> 'null' is null and t.tags -> 'q"\\' ~ '^[a-z]=>"[a-z]", [\\]{2}$') from t join before b using (id)`,
		"fields are rewritten":           "select bool_and((t.who).id = id and (t.who).full_name !~ 'Real' and ((t.who).home).street !~ 'Real' and ((t.who).home).zip ~ '^\\d{5}$' and (t.who).born <> '1990-01-01' and (t.who).note is null) from t",
		"fields of arrays too":           "select bool_and(people[1].full_name = (who).full_name and people[1].home is null and people[1].born = '1990-01-01' and people[1].note = 'a,\"b' and people[2] is null and people[3].full_name = '' and people[3].note is null) from t",
		"domains over citext are linked": "select bool_and(mail = mails[1] and mails[2] is null and mail::text like '%@example.invalid') from t",
		"arrays in arrays":               "select bool_and(array_dims(t.grid) = '[1:2][1:2]' and t.grid[1][1] ~ '^[A-Z][a-z]{3}$' and t.grid[1][2] ~ '^[a-z]\"[a-z]$' and t.grid[2][2] is null) from t",
		"hstores in fields keep keys":    `select bool_and(akeys((labels).tags) = '{name,"null"}' and (labels).tags -> 'name' ~ '^[A-Z][a-z]{3} [A-Z][a-z]{3}$' and (labels).tags -> 'name' <> 'Real Name' and (labels).tags -> 'null' is null) from t`,
		"and take what is of no shape":   `select bool_and(mailed[1].tags ? 'to' and mailed[1].tags -> 'to' like '%@example.invalid') from t`,
		"bounds never cross":             "select count(*) = 300 and bool_and(array_length(low_ages, 1) = 4) from t",
	} {
		if !value[bool](t, conn, sql) {
			t.Errorf("not so: %s", what)
		}
	}
}

// What was loaded empty is computed from what was scrubbed, in leaves and under
// roots; and an expression that fails on the rows says nothing of them.
func TestRecomputeThroughServer(t *testing.T) {
	t.Parallel()
	for _, roots := range []bool{false, true} {
		s := situation{roots: roots, ddl: `create table docs (id int, full_name text, v tsvector not null, initials text, n int) partition by range (id);
			create table docs_a partition of docs for values from (0) to (50); create table docs_b partition of docs for values from (50) to (200)`,
			rules: append(rules(t, "public.docs.full_name name"), recompute(t, "public.docs.v", "to_tsvector('simple', full_name)"), recompute(t, "public.docs.initials", "left(full_name, 1)"))}
		conn, p, checks := s.plan(t)
		if len(checks) > 0 {
			t.Fatalf("%+v", checks)
		}
		if _, err := conn.Exec(t.Context(), "insert into docs select i, 'Real Name', to_tsvector('simple', 'Real Name'), 'R', i from generate_series(1, 100) i"); err != nil {
			t.Fatal(err)
		}
		leaves := []string{"docs_a", "docs_b"}
		if roots {
			leaves = []string{"docs"}
		}
		for _, leaf := range leaves {
			out := through(t, conn, p, "public", leaf)
			if bytes.Contains(out, []byte("real")) || bytes.Contains(out, []byte("Real")) {
				t.Fatal("a computed value passed")
			}
			if _, err := conn.Exec(t.Context(), "delete from "+leaf); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.PgConn().CopyFrom(t.Context(), bytes.NewReader(out), "copy "+leaf+" from stdin"); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Recompute(t.Context(), conn); err != nil || !p.Recomputes() {
			t.Fatal(err)
		}
		if !value[bool](t, conn, "select count(*) = 100 and bool_and(v = to_tsvector('simple', full_name) and initials = left(full_name, 1) and v::text !~ 'real') from docs") {
			t.Error("not computed")
		}
		for _, c := range p.Checks() {
			if c.Outcome != verdict.Pass {
				t.Errorf("%+v", c)
			}
		}
		if p.Shown("public", "docs", "initials") {
			t.Error("what is computed may come from anything, and is shown")
		}
	}
	conn, p, _ := situation{ddl: "create table t (n int, word text)", rules: []spec.Rule{recompute(t, "public.t.n", "word::int")}}.plan(t)
	if _, err := conn.Exec(t.Context(), "insert into t values (null, 'private')"); err != nil {
		t.Fatal(err)
	}
	if err := p.Recompute(t.Context(), conn); err == nil || strings.Contains(err.Error(), "private") || verdict.AsProblem(err).Code != verdict.CodeRuleUnfit {
		t.Errorf("%v", err)
	}
}

func TestGreater(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		number := rapid.StringMatching(`-?(0|[1-9]\d{0,20})(\.\d{1,4})?`)
		a, b := number.Draw(rt, "a"), number.Draw(rt, "b")
		if c := rational(a).Cmp(rational(b)); greater([]byte(a), []byte(b)) != (c > 0) && rational(a).Sign()+rational(b).Sign() != 0 {
			rt.Fatalf("%s > %s: %v", a, b, c <= 0)
		}
	})
}

// Nothing allocates per value, once the buffers have grown; replace may, where
// it finds something.
func TestTransformsAllocateNothing(t *testing.T) {
	for n, kind := range transforms {
		if n == replace {
			continue
		}
		in := []byte(slices.Concat(kind.samples, []string{"Ada Lovelace"})[0])
		m := &masker{keyed: newKeyed(testKey)}
		r := ready(recipe{name: n, percent: 10, days: 30, span: spanOfTimestamp, value: []byte("x")})
		r.parts, _, _, _ = templateOf("a {hash} {name}", english, copytext.Encoding{})
		var out []byte
		if allocs := testing.AllocsPerRun(100, func() { out, _ = m.append(out[:0], &r, in, in) }); allocs > 0 {
			t.Errorf("%s allocates %v times a value", n, allocs)
		}
	}
}

// Whatever a text holds, a transform makes something of it, and nothing that
// is as long as the value and of its letters.
func FuzzTransforms(f *testing.F) {
	for _, kind := range transforms {
		for _, s := range kind.samples {
			f.Add([]byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		m := &masker{keyed: newKeyed(testKey)}
		for n := range transforms {
			if n == setNull {
				continue
			}
			r := ready(recipe{name: n, percent: 10, days: 30, span: spanOfTimestamp, lenient: true, value: []byte("x"), pattern: regexp.MustCompile("[a-f]+"), with: []byte("y")})
			r.parts, _, _, _ = templateOf("{hash}", english, copytext.Encoding{})
			out, err := m.append([]byte("before"), &r, in, in)
			if err != nil || !bytes.HasPrefix(out, []byte("before")) || len(out) == len("before") {
				t.Fatalf("%s of %q is %q, %v", n, in, out, err)
			}
			r.lenient = false
			if out, _ := m.append([]byte("before"), &r, in, in); !bytes.HasPrefix(out, []byte("before")) {
				t.Fatalf("%s of %q is %q", n, in, out)
			}
		}
	})
}
