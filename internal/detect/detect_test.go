package detect

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// found are all that a scanner finds in a text, as "kind:what".
func found(s Scanner, text string) []string {
	all := []string{}
	rest := []byte(text)
	for {
		h, ok := s.Find(rest)
		if !ok {
			return all
		}
		all = append(all, h.Kind.String()+":"+string(rest[h.From:h.To]))
		copy(rest[h.From:h.To], bytes.Repeat([]byte(" "), h.To-h.From))
	}
}

// jwtSample is RFC 7519's own.
const jwtSample = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." +
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ." +
	"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

// Secrets are written in two parts, so that no scanner of repositories takes
// them for real ones.
var sensitiveTexts = []struct{ text, want string }{
	{"ada@example.com", "email:ada@example.com"},
	{"write to Ada.L+x@mail.example.co.uk.", "email:Ada.L+x@mail.example.co.uk"},
	{"<müller@bücher.example>", "email:müller@bücher.example"},
	{`{"to":"ada@example.com","n":1}`, "email:ada@example.com"},
	{"mailto:ada@example.com", "email:ada@example.com"},
	{"x y@z ada@example.com", "email:ada@example.com"},
	{"+4915123456789", "phone:+4915123456789"},
	{"call +44 20 7946 0958 now", "phone:+44 20 7946 0958"},
	{"tel:+1(555)010-9999", "phone:+1(555)010-9999"},
	{"office (617) 555-0148, ask", "phone:(617) 555-0148"},
	{"(617)555-0148", "phone:(617)555-0148"},
	{"https://x.example/in?to=ada%40example.com&n=2", "email:to=ada%40example.com"},
	{"https://x.example/u/ada@example.com", "email://x.example/u/ada@example.com"},
	{"4111111111111111", "card:4111111111111111"},
	{"paid with 4111 1111 1111 1111 123", "card:4111 1111 1111 1111"},
	{"2024 4111-1111-1111-1111", "card:4111-1111-1111-1111"},
	{"2024 5555555555554444.", "card:5555555555554444"},
	{"3782 822463 10005", "card:3782 822463 10005"},
	{"no 6011111111111117, he said", "card:6011111111111117"},
	{"DE89370400440532013000", "iban:DE89370400440532013000"},
	{"to GB82 WEST 1234 5698 7654 32, please", "iban:GB82 WEST 1234 5698 7654 32"},
	{"iban=nl91abna0417164300", "iban:nl91abna0417164300"},
	{"from 203.0.113.7:443", "ip:203.0.113.7"},
	{"http://203.0.113.7/x", "ip:203.0.113.7"},
	{"(2001:db8::8a2e:370:7334)", "ip:2001:db8::8a2e:370:7334"},
	{"2001:db8:0:0:1:0:0:1", "ip:2001:db8:0:0:1:0:0:1"},
	{"at 00:1A:2b:3c:4d:5e", "ip:00:1A:2b:3c:4d:5e"},
	{"ssn 078-05-1120", "national_id:078-05-1120"},
	{"111.444.777-35", "national_id:111.444.777-35"},
	{"AB123456C", "national_id:AB123456C"},
	{"12345678Z", "national_id:12345678Z"},
	{"X1234567L", "national_id:X1234567L"},
	{"RSSMRA85T10A562S", "national_id:RSSMRA85T10A562S"},
	{"1 84 12 76 451 089 46", "national_id:1 84 12 76 451 089 46"},
	{"131052-308T", "national_id:131052-308T"},
	{"756.9217.0769.85", "national_id:756.9217.0769.85"},
	{"811218-9876", "national_id:811218-9876"},
	{"93.05.18-223.61", "national_id:93.05.18-223.61"},
	{"11010519491231002X", "national_id:11010519491231002X"},
	{"key AKIA" + "IOSFODNN7EXAMPLE", "secret:AKIA" + "IOSFODNN7EXAMPLE"},
	{"ghp_" + strings.Repeat("a1", 18), "secret:ghp_" + strings.Repeat("a1", 18)},
	{"token=xoxb-" + "123456789012-abcdefABCDEF", "secret:xoxb-" + "123456789012-abcdefABCDEF"},
	{"Bearer " + jwtSample, "secret:" + jwtSample},
	{"it is " + jwtSample + ".", "secret:" + jwtSample},
	{"eyJ-" + jwtSample, "secret:eyJ-" + jwtSample},
	{"-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE", "secret:-----BEGIN RSA " + "PRIVATE KEY"},
	{"$2b$12$" + strings.Repeat("abcdefgh", 6) + "abcde", "secret:$2b$12$" + strings.Repeat("abcdefgh", 6) + "abcde"},
	{"$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub", "secret:$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub"},
	{"postgres://app:s3cret@db1/shop", "secret:://app:s3cret@"},
	{"redis://:s3cret@cache:6379/0", "secret:://:s3cret@"},
	{`{"dsn":"amqp:\/\/app:s3cret@mq\/pay"}`, `secret::\/\/app:s3cret@`},
	{"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPx" + "RfiCYEXAMPLEKEY", "secret:secret_access_key = wJalrXUtnFEMI/K7MDENG/bPx" + "RfiCYEXAMPLEKEY"},
	{`{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPx` + `RfiCYEXAMPLEKEY"}`, `secret:SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPx` + `RfiCYEXAMPLEKEY`},
	{"bot 6120478391:AA" + strings.Repeat("x1y", 11), "secret:6120478391:AA" + strings.Repeat("x1y", 11)},
	{"https://hooks.slack.com/services/" + "T07HG8343/B30K45H578E/" + strings.Repeat("kH2v", 6),
		"secret:://hooks.slack.com/services/" + "T07HG8343/B30K45H578E/" + strings.Repeat("kH2v", 6)},
	{"https://discord.com/api/webhooks/" + "1759288123/" + strings.Repeat("kH2v", 17),
		"secret:://discord.com/api/webhooks/" + "1759288123/" + strings.Repeat("kH2v", 17)},
	{"GOCSPX-" + strings.Repeat("a1b2", 7), "secret:GOCSPX-" + strings.Repeat("a1b2", 7)},
	{"sk_live_" + strings.Repeat("4eC3", 6), "secret:sk_live_" + strings.Repeat("4eC3", 6)},
}

func TestFinds(t *testing.T) {
	t.Parallel()
	all := NewScanner(All)
	for _, tt := range sensitiveTexts {
		if got := found(all, tt.text); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%q: found %q, want %q", tt.text, got, tt.want)
		}
		// The same within longer text, and not within a longer word.
		what := tt.want[strings.IndexByte(tt.want, ':')+1:]
		long := "Grüße, " + strings.Repeat("lorem ipsum ", 40) + what + " " + strings.Repeat("dolor ", 40)
		if got := found(all, long); len(got) != 1 || !strings.Contains(got[0], what) && what[0] != ':' {
			t.Errorf("%q in longer text: found %q", what, got)
		}
	}
}

// Some secrets are told by what stands beside them.
func TestFindsByTheWordsBeside(t *testing.T) {
	t.Parallel()
	all := NewScanner(All)
	for _, tt := range []struct{ text, want string }{
		{"host=db port=5432 user=app password=s3cret.x7 dbname=shop", "secret:password=s3cret.x7"},
		{"Server=db;User Id=app;Pwd=s3cret;", "secret:Pwd=s3cret"},
		{"Authorization: Basic ZGVwbG95OnMzY3JldA==", "secret:Basic ZGVwbG95OnMzY3JldA=="},
		{`{"Authorization": "Bearer abcdefGHIJKL0123"}`, "secret:Bearer abcdefGHIJKL0123"},
	} {
		if got := found(all, "so: "+tt.text+" and"); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%q: found %q, want %q", tt.text, got, tt.want)
		}
	}
}

// What stands before a hit of a kind that is looked for earlier is told too.
func TestEachTellsAll(t *testing.T) {
	t.Parallel()
	text := []byte("+4915123456789 or ada@example.com, bob@example.com from 203.0.113.7")
	var got []string
	NewScanner(All, regexp.MustCompile("^bob@")).Each(text, func(h Hit) { got = append(got, string(text[h.From:h.To])) })
	if strings.Join(got, " ") != "ada@example.com +4915123456789 203.0.113.7" {
		t.Errorf("%q", got)
	}
}

// Four numbers in a column of versions are no address.
func TestNamed(t *testing.T) {
	t.Parallel()
	for column, want := range map[string]int{"version": 0, "appVersion": 0, "release": 0, "version_note": 1, "peer": 1} {
		if got := found(NewScanner(All).Named(column), "7.2.0.118"); len(got) != want {
			t.Errorf("%s: %q", column, got)
		}
	}
}

func TestFindsNothing(t *testing.T) {
	t.Parallel()
	all := NewScanner(All)
	for _, text := range []string{
		"", "a", "hello", "a@b", "@handle", "user@", "@example.com", "logo@2x.png", "git@github.com:x/y.git", "abcd@example.invalid", "3 @ 4.50 each",
		"2024-05-01 03:15:00+00", "2024-05-01T03:15:00.123456Z", "+1 234", "+0123456789", "(617) 555-01-48-A", "(617) 555-0148-2", "(117) 555-0148",
		"(617) 155-0148", "f(617) 5-0148", "20%4050", "100%40", "ada%40host",
		"ssh://deploy@host.example/x", "https://x-access-token:$GITHUB_TOKEN@github.com/practice/app", "postgres://report@db1.example:5432/shop",
		"redis://cache.example:6379/0", "host=db user=app passfile=/run/x", "password=secret1", "user=app password=$PASSWORD dbname=x", "Pwd={0};Server=db",
		"aws_secret_access_key = ${SECRET}", "secret_access_key: see the vault", "6120478391:A", "12345:AA" + strings.Repeat("x1y", 11),
		"6120478391:AA" + strings.Repeat("x1y", 12),
		"https://hooks.slack.com/services/", "https://hooks.example/services/T0/B0/" + strings.Repeat("kH2v", 6), "Authorization: Bearer $TOKEN",
		"Authorization: Basic (see the vault)", "1+4915123456789", "C++20", "+1234567890123456",
		"4111111111111112", "41111111111111111", "a4111111111111111", "1717171717171", "0000000000000000", "1234567890123456", "20240501123456",
		"order-4111111111111111-x",
		"6fa459ea-ee8a-3ca4-894e-db77e160355e", "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"+44 no20 7946B058 nlw", "DE89370400440532013001", "DE8937040044053201300", "XX89370400440532013000", "ADE89370400440532013000",
		"Mozilla/5.0 (X11; Linux) Chrome/91.0.4472.124 Safari/537.36 Edge/1.2.3.4", "v1.2.3.4", "1.2.3", "256.1.1.1", "1.2.3.4.5", "127.0.0.1", "0.0.0.0",
		"255.255.255.0",
		"std::vector", "select 1::int", "a::b", "::1", "12:30:45:99", "10:20", "03:15:00:00:00",
		"000-12-3456", "666-12-3456", "987-65-4321", "078-00-1120", "1078-05-1120", "111.444.777-36", "12345678A", "QQ123456C", "131052-308U", "811218-9875",
		"555-010-9999",
		"AKIA", "AKIAshort", "xoxb-1", "eyJhbGciOiJIUzI1NiJ9", "-----BEGIN PUBLIC KEY-----", "$2b$12$short", "https://example.com/a:b",
		"http://localhost:8080/x@y", "ghp_short", "$100.00 and $200",
		"SKU-12345678", "2026-03-04", "19.99", "-12345.678", "1e10", "{1,2,3}", "{\"channel\": \"web\", \"read\": true}",
	} {
		if got := found(all, text); len(got) > 0 {
			t.Errorf("%q: found %q", text, got)
		}
	}
}

func TestAllowAndSet(t *testing.T) {
	t.Parallel()
	s := NewScanner(Of(Email), regexp.MustCompile(`@ourco\.example$`))
	if got := found(s, "4111111111111111 boss@ourco.example ada@example.com"); len(got) != 1 || got[0] != "email:ada@example.com" {
		t.Errorf("found %q", got)
	}
	if set, err := Named("email", "iban"); err != nil || set != Of(Email, IBAN) {
		t.Errorf("Named: %v, %v", set, err)
	}
	if _, err := Named("emails"); err == nil {
		t.Error("an unknown detector was taken")
	}
	if set, err := Named(Names()...); err != nil || set != All {
		t.Errorf("all names: %b, %v", set, err)
	}
}

// A text that is made to be read again from each of its places is read in one
// go: at 1 MB, this test would not end otherwise.
func TestFindsInOneGo(t *testing.T) {
	t.Parallel()
	s := NewScanner(All, regexp.MustCompile(`.`)) // what is allowed is passed over, and the search goes on
	const size = 1 << 20
	for _, tt := range []struct{ begin, again, end string }{
		{again: "password="}, {again: "pwd=x;"}, {again: "-eyJ"}, {again: "eyJ."}, {again: "eyJhbGci.ey"}, {again: ".eyJ-----"}, {again: "://a:b"},
		{again: "://a:b@"}, {again: `"uthorization":`}, {again: `:" `},
		{again: "1:AA"}, {again: "://hooks.slack.com/services/T"}, {again: "secret_access_key="}, {again: "-----BEGIN "}, {again: "$6$"}, {again: "sk-"},
		{again: "glpat-"}, {again: "github_pat_"}, {again: "xoxb-"},
		{again: "a@"}, {again: "@a"}, {again: "a%40"}, {again: "a@b.de "}, {again: "a%40b.de ", end: "a@b.de"}, {again: "a@b.de ", end: "a%40b.de"},
		{begin: "a@", again: "b."}, {again: "@:"},
		{again: "+1"}, {again: "+1 "}, {again: "+4915123456789 ", end: "(617) 555-0148"}, {again: "(617) 555-0148 ", end: "+4915123456789"}, {again: "("},
		{again: "DE12"}, {again: "DE12 "}, {again: "4111 "}, {again: "4111-"}, {again: "1"},
		{again: "1."}, {again: "1:"}, {again: "1.2.3."}, {again: "::"}, {again: "a:"}, {again: "1.2.3.4 "}, {again: "AAAAAA"}, {again: "99-99-"},
		{again: "sk_live_" + strings.Repeat("4eC3", 6) + " ", end: "://a:b@"}, {again: "://a:b@ ", end: "-eyJ"}, {again: jwtSample + " "},
		{again: jwtSample + "-"}, {again: "Authorization: Basic ZGVwbG95OnMzY3JldA== "},
		{again: "1\u00a0"}, {again: "12\u00a03–4"}, {again: "１"}, {again: "＋"}, {again: "a＠"}, {again: "٣ "}, {again: "0049 171 "},
		{again: "0"}, {again: "(0"},
		{again: "212-555-"}, {again: "aaaa.bbbb."}, {again: "00-1A-"}, {again: "MTk4.Cl2FMQ."}, {again: "pat1."}, {again: "xoxe."}, {again: "AA-99-"},
		{again: "A1"},
		{again: "1.2.3.4 from "}, {again: "fe80::1 "}, {again: "\x00\xffa@b.de"}, {again: "DE89-"}, {again: "4111.1111."},
	} {
		text := []byte(tt.begin + strings.Repeat(tt.again, size/len(tt.again)) + tt.end)
		if h, ok := s.Find(text); ok {
			t.Errorf("%q again and again: %+v", tt.again, h)
		}
	}
}

// A sign that is met far away, or nowhere, is looked for once, however many hits
// of other signs there are.
func TestSeeksOnce(t *testing.T) {
	t.Parallel()
	for _, place := range []span{{at: 900, to: 910}, {at: 900, to: 910, doubt: Doubtful}, {}} {
		var f finding
		looked := 0
		for from := range 900 {
			found := f.seek('x', nil, from, func([]byte, int, byte) span { looked++; return place })
			if found != place {
				t.Errorf("%+v became %+v", place, found)
			}
		}
		if looked != 1 {
			t.Errorf("%+v was looked for %d times", place, looked)
		}
	}
	f := finding{first: 5, last: 9}
	if found := f.seek('x', nil, 6, func([]byte, int, byte) span { return span{at: 7, to: 8} }); found != (span{at: 7, to: 8}) {
		t.Errorf("%+v is what stands behind 6", found)
	}
}

// What is found lies in the text, and is found again with no more than what stands beside it.
func FuzzFind(f *testing.F) {
	for _, tt := range sensitiveTexts {
		f.Add([]byte(tt.text))
	}
	f.Add([]byte("+++...:::---___$$$@@@0123"))
	all := NewScanner(All)
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		h, ok := all.Find(text)
		if !bytes.Equal(before, text) {
			t.Fatal("the text was changed")
		}
		if !ok {
			return
		}
		if h.From < 0 || h.From >= h.To || h.To > len(text) {
			t.Fatalf("%q: %+v", text, h)
		}
		// What says that it is one may stand beside it.
		near := text[max(0, h.From-reachBefore):min(len(text), h.To+reachBehind)]
		if _, again := NewScanner(Of(h.Kind)).Find(near); !again && h.Kind != Secret && utf8.Valid(text) {
			t.Fatalf("%q: %q alone is no %s", text, near, h.Kind)
		}
	})
}

// cleanRows are rows as a shop's tables have them, without a hit.
var cleanRows = func() [][]byte {
	words := strings.Fields("The parcel arrived on Monday and the box was open so I would like to return it please find the order number below thanks a lot " +
		"kind regards from the whole team")
	var rows [][]byte
	for i := range 64 {
		var b strings.Builder
		for j := range 30 {
			b.WriteString(words[(i*7+j*5)%len(words)])
			b.WriteByte(" .,-"[(i+j)%4])
		}
		rows = append(rows,
			[]byte("SKU-"+strings.Repeat("7", i%9)+"\tshipped\thttps://example.com/p/"+words[i%20]+"/1842\t"+b.String()+"\t2026-03-04 03:15:00.123+00\tDE"))
	}
	return rows
}()

func BenchmarkFind(b *testing.B) {
	s := NewScanner(All)
	size := 0
	for _, r := range cleanRows {
		size += len(r)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, row := range cleanRows {
			for field := range bytes.SplitSeq(row, []byte{'\t'}) {
				if h, ok := s.Find(field); ok {
					b.Fatal(h)
				}
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	s := NewScanner(All)
	n := testing.AllocsPerRun(20, func() {
		for _, row := range cleanRows {
			if h, ok := s.Find(row); ok {
				t.Fatalf("%+v in %q", h, row)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
