package detect

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// writing is a sensitive value as somebody wrote it: value is the part of the text that a hit of the kind must touch.
type writing struct {
	kind        Kind
	text, value string
}

// contexts are texts that a value stands in, with blanks around it or without, in scripts with words and without.
var contexts = []string{"%s", "请联系%s谢谢", "電話は%sです", "전화%s로", "см. %s, пожалуйста", "so: %s.", "\u202a%s\u202c",
	"\u00a0%s\u00a0",
	"\u200f%s\u200f", "（%s）", "<b>%s</b>", `{"v":"%s"}`, "a;%s;b", "“%s”"}

// spaces part groups of digits as people and programs write them.
var spaces = []string{" ", "\u00a0", "\u202f", "\u2009", "\u3000"}

// dashes do too.
var dashes = []string{"-", "\u2010", "\u2011", "\u2013", "\u2212"}

func in(kind Kind, within []string, values ...string) (all []writing) {
	for _, v := range values {
		for _, c := range within {
			all = append(all, writing{kind, strings.ReplaceAll(c, "%s", v), v})
		}
	}
	return all
}

func whole(kind Kind, values ...string) []writing { return in(kind, []string{"%s"}, values...) }

// parted is a value whose groups, parted by blanks, are parted otherwise.
func parted(kind Kind, value string, by ...string) (all []writing) {
	for _, b := range by {
		v := strings.ReplaceAll(value, " ", b)
		all = append(all, whole(kind, v)...)
	}
	return all
}

// fullWidth is an ASCII text as East Asian input methods write it.
func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r + 0xfee0
		}
		return r
	}, s)
}

// digitsFrom writes a text's digits with those of a script, of which zero is given.
func digitsFrom(zero rune, s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return zero + r - '0'
		}
		return r
	}, s)
}

func phoneWritings() []writing {
	all := in(Phone, contexts, "+8613812345678", "+49 171 5512345")
	all = append(all, parted(Phone, "+49 171 5512345", append(append([]string{".", "/", " - ", " – ", ") "}, spaces...), dashes...)...)...)
	all = append(all, whole(Phone, "+4915123456789", "+1 (617) 555-0148", "+1.6175550148", "+1-617-555-0148", "+1 617.555.0148",
		"+44 (0)20 7946 0958", "+44(0)20 7946 0958", "+49 (0) 171 5512345", "+33 1 23 45 67 89", "+33 (0)1.23.45.67.89", "+7 (495) 123-45-67",
		"+380 44 123 45 67", "+55 (11) 91234-5678", "+91-98765-43210", "+90 (532) 555 12 34", "+354 411 2000", "+298 311111", "+372 5123 4567",
		"+86 138 1234 5678", "+81-90-1234-5678", "+34 612 34 56 78", "+39 06 1234 5678", "+31 (0)6-12345678", "+48 601 234 567", "+420 601 123 456",
		"(617) 555-0148", "(617)555-0148", "(617) 555 0148", "tel:+49-171-5512345", "tel:+4917155123456;ext=7", "+44 20 7946 0958 ext. 12",
		fullWidth("+4917155123456"), fullWidth("+49")+"171"+fullWidth("55123456"), "+"+digitsFrom('٠', "966501234567"), "+"+digitsFrom('۰', "989121234567"),
		"+49\u200b171\u200b5512345", "+49 171 55\u00ad12345", "\u2066+49 171 5512345\u2069")...)
	return append(all, in(Phone, []string{"Tel. %s", "phone: %s", "Telefon %s", "Fax: %s", "mobile=%s", `{"phone":"%s"}`},
		"0049 171 5512345", "00491715512345", "617-555-0148", "617.555.0148", "1-617-555-0148", "(030) 1234567", "030/1234567", "0171 5512345",
		"01 23 45 67 89")...)
}

func cardWritings() []writing {
	all := in(Card, contexts, "4111111111111111", "4111 1111 1111 1111")
	all = append(all, parted(Card, "4111 1111 1111 1111", append(append([]string{"."}, spaces...), dashes...)...)...)
	all = append(all, parted(Card, "3782 822463 10005", "-", "\u00a0", "\u2011")...)
	return append(all, whole(Card, "4012888888881881", "5555555555554444", "2223003122003222", "378282246310005", "371449635398431",
		"6011111111111117", "30569309025904", "36227206271667", "38520000023237", "3566002020360505", "3530111333300000",
		"6200000000000005", "6205500000000000004", "6759649826438453", "2200770239097761", "3056 930902 5904", "no. 6011-1111-1111-1117",
		"4111 1111 1111 1111 12/27 123", "<pan>4111111111111111</pan>", `{"pan":4111111111111111}`, "CC#4111111111111111", "card=4111-1111-1111-1111;",
		"4111\t1111\t1111\t1111", fullWidth("4111111111111111"), fullWidth("4111 1111 1111 1111"), digitsFrom('٠', "4111111111111111"),
		"4111\u200b1111\u200b1111\u200b1111")...)
}

// ibanStructures are of the IBAN registry: what stands behind the check digits, n digits, a capitals, c either.
const ibanStructures = `
	AD8n12c AE19n AL8n16c AT16n AZ4a20c BA16n BE12n BG4a6n8c BH4a14c BI23n BR23n1a1c BY4c4n16c CH5n12c CR18n CY8n16c CZ20n DE18n DJ23n DK14n DO4c20n EE16n
	EG25n ES20n FI14n FK2a12n FO14n FR10n11c2n GB4a14n GE2a16n GI4a15c GL14n GR7n16c GT24c HN4a20n HR17n HU24n IE4a14n IL19n IQ4a15n IS22n IT1a10n12c
	JO4a4n18c KW4a22c KZ3n13c LB4n20c LC4a24c LI5n12c LT16n LU3n13c LV4a13c LY21n MC10n11c2n MD20c ME18n MK3n10c2n MN16n MR23n MT4a5n18c MU4a19n3a NI4a20n
	NL4a10n NO11n OM3n16c PK4a16c PL24n PS4a21c PT21n QA4a21c RO4a16c RS18n RU14n15c SA2n18c SC4a20n3a SD14n SE20n SI15n SK20n SM1a10n12c SO19n ST21n
	SV4a20n TL19n TN20n TR6n16c UA6n19c VA18n VG4a16n XK16n YE4a4n18c`

// sampleIBAN is a valid one of a structure.
func sampleIBAN(t testing.TB, structure string, random *rand.Rand) string {
	b := []byte(structure[:2] + "00")
	for rest := structure[2:]; rest != ""; {
		var n int
		var kind rune
		if _, err := fmt.Sscanf(rest, "%d%c", &n, &kind); err != nil {
			t.Fatalf("%q: %v", structure, err)
		}
		rest = rest[strings.IndexRune(rest, kind)+1:]
		if kind == 'c' {
			kind = 'b' // banks use digits mostly
		}
		for range n {
			b = append(b, sampleByte(byte(kind), random))
		}
	}
	check := 98 - IBANRest(b)
	b[2], b[3] = byte('0'+check/10), byte('0'+check%10)
	return string(b)
}

func sampleByte(kind byte, random *rand.Rand) byte {
	const digits, upper, lower = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
	from := map[byte]string{'n': digits, 'a': upper, 'b': strings.Repeat(digits, 12) + upper, 'c': digits + upper,
		'h': digits + "abcdef", 'l': digits + lower, 'A': digits + lower + upper}[kind]
	return from[random.IntN(len(from))]
}

func grouped(iban, by string) string {
	var b strings.Builder
	for i := range len(iban) {
		if i > 0 && i%4 == 0 {
			b.WriteString(by)
		}
		b.WriteByte(iban[i])
	}
	return b.String()
}

func ibanWritings(t testing.TB) []writing {
	random := rand.New(rand.NewPCG(1, 2))
	all := in(IBAN, contexts, "DE89370400440532013000", "DE89 3704 0044 0532 0130 00")
	all = append(all, parted(IBAN, "DE89 3704 0044 0532 0130 00", append(append([]string{"."}, spaces...), dashes...)...)...)
	for _, s := range strings.Fields(ibanStructures) {
		iban := sampleIBAN(t, s, random)
		all = append(all, whole(IBAN, iban, grouped(iban, " "), strings.ToLower(iban))...)
	}
	return append(all, whole(IBAN, "IBAN:DE89370400440532013000", "iban=nl91abna0417164300", "IBAN: GB82-WEST-1234-5698-7654-32", "GB82 WEST 1234 5698 7654 32",
		fullWidth("DE89370400440532013000"), "FR1420041010050500013M02606")...)
}

func addressWritings() []writing {
	all := in(IP, contexts, "93.184.216.34", "2001:db8::8a2e:370:7334")
	all = append(all, whole(IP, "203.0.113.7", "203.0.113.7:443", "203.0.113.7/24", "[203.0.113.7]", "/203.0.113.7:51234", "from /203.0.113.7:51234 closed",
		"http://203.0.113.7/x", "ssh ada@203.0.113.7", "X-Forwarded-For: 203.0.113.7, 198.51.100.2", "from 203.0.113.7 port 22", `{"ip":"203.0.113.7"}`,
		"ip=203.0.113.7", "host: 203.0.113.7", "client 203.0.113.7 denied", "login from 203.0.113.7", "remote_addr=203.0.113.7;",
		`203.0.113.7 - - [10/Oct/2025:13:55:36 -0700] "GET / HTTP/1.1" 200 2326`, "Received: from mx (mx [203.0.113.7])", "192.168.1.17", "peer 10.3.0.12",
		"::ffff:203.0.113.7", "[::ffff:203.0.113.7]:443", "::ffff:cb00:7107", "2001:db8::1", "[2001:db8::1]:443", "2001:db8::/32", "2a00:1450:4001:81b::200e",
		"fe80::1%eth0", "fe80::1ff:fe23:4567:890a", "fd12:3456:789a::1", "from 2a02::5", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:DB8::A:1",
		"64:ff9b::203.0.113.7", "00:1A:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e", "mac address 001a.2b3c.4d5e", "mac=00:1A:2b:3c:4d:5e",
		fullWidth("203.0.113.7"), "203.0.113.7\u200b", "sip:203.0.113.7:5060", "sip:203.0.113.7", "<sip:ada@203.0.113.7:5060;lr>", "ip:203.0.113.7",
		"udp:203.0.113.7:5060")...)
	for _, sip := range []string{"sip:user@1.2.3.4:5060", "sip:1.2.3.4:5060", "<sip:1.2.3.4:5060;transport=udp>"} { // small numbers, as a version's
		all = append(all, writing{IP, sip, "1.2.3.4"})
	}
	return all
}

func mailWritings() []writing {
	all := in(Email, contexts, "ada.lovelace@example.com")
	return append(all, whole(Email, "ADA@EXAMPLE.COM", "ada+shop@mail.example.co.uk", "o'brien@example.com",
		"ada_l@example.photography", "ada@xn--bcher-kva.example",
		"müller@bücher.example", "ada@mail.example.co.jp", "mailto:ada@example.com?subject=x", "Ada Lovelace <ada@example.com>",
		"ada@example.com,bob@example.com",
		"ada%40example.com", "https://x.example/in?to=ada%40example.com&n=2", "http://ada@example.com/", "https://ada@example.com", "ada@example.com。",
		"ada＠example.com", fullWidth("ada@example.com"), "ada@example\u200b.com", "ada\u00ad@example.com", "ada@exam\u00adple.com", "ada@example.com\u00a0",
		"иван@почта.рф", "ada@intranet.local", "ada@example.com...", "(ada@example.com)", "user=ada@example.com&x=1",
		"ada-l@example.de", "1234@qq.com", "a@b.de")...)
}

func officialWritings() []writing {
	all := in(NationalID, contexts, "11010519491231002X", "756.9217.0769.85")
	all = append(all, in(NationalID, []string{"ssn %s", "SSN: %s", "social security number %s", `{"ssn":"%s"}`}, "078-05-1120", "078 05 1120", "078–05–1120",
		"078\u201105\u20111120", "078\u00a005\u00a01120")...)
	all = append(all, in(NationalID, []string{"NI number %s", "nino: %s"}, "AB123456C", "AB 12 34 56 C", "ab123456c", "AB-12-34-56-C")...)
	all = append(all, in(NationalID, []string{"DNI %s", "dni: %s", "NIF %s"}, "12345678Z", "12345678-Z", "12345678z", "12.345.678-Z")...)
	all = append(all, in(NationalID, []string{"NIE %s"}, "X1234567L", "X-1234567-L", "x1234567l")...)
	all = append(all, in(NationalID, []string{"CPF %s", "cpf: %s"}, "111.444.777-35", "11144477735")...)
	all = append(all, in(NationalID, []string{"personnummer %s"}, "811218-9876", "8112189876", "198112189876")...)
	return append(all, whole(NationalID, "078-05-1120", "111.444.777-35", "AB123456C", "12345678Z", "X1234567L", "RSSMRA85T10A562S", "rssmra85t10a562s",
		"1 84 12 76 451 089 46", "184127645108946", "1\u00a084\u00a012\u00a076\u00a0451\u00a0089\u00a046", "131052-308T",
		"131052-308t", "131052–308T", "756 9217 0769 85",
		"811218-9876", "19811218-9876", "811218+9876", "93.05.18-223.61", "93.05.18–223.61", "11010519491231002x", "110105 19491231 002X",
		fullWidth("11010519491231002X"), "PESEL 44051401359", "pesel: 02070803628", "BSN 111222333", "burgerservicenummer: 123456782",
		"SIN 046 454 286", "SIN: 046-454-286",
		"CPR 211062-5629", "CURP BOXW310820HNERXN09", "BOXW310820HNERXN09", "850712-1234568", "Steuer-ID 86 095 742 719", "Aadhaar 2341 2341 2346",
		"fødselsnummer 15021951940", "rodné číslo 710319/2745", "RUT 12.345.678-5", "HKID A123456(3)", "NRIC S1234567D", "codice fiscale RSSMRA85T10A562S")...)
}

// tokens are the forms that vendors document: what a token begins with, and what follows (kinds of sampleByte). They are
// facts from the vendors' pages and from the rules of gitleaks, where both have them.
var tokens = []struct{ prefix, form string }{
	{"AKIA", "16c"}, {"ASIA", "16c"}, {"AIza", "35A"}, {"GOCSPX-", "28A"}, {"ya29.", "60A"}, // AWS, Google
	{"ghp_", "36A"}, {"gho_", "36A"}, {"ghu_", "36A"}, {"ghs_", "36A"}, {"ghr_", "36A"}, {"github_pat_", "22A_59A"}, // GitHub
	{"glpat-", "20A"}, {"gldt-", "20A"}, {"glptt-", "40h"}, {"glrt-", "20A"}, {"glft-", "20A"}, {"glsoat-", "20A"}, // GitLab
	{"glcbt-", "2A_20A"}, {"gloas-", "64A"}, {"glagent-", "50A"}, {"glimt-", "25A"}, {"GR1348941", "20A"},
	{"xoxb-", "12n-12n-24A"}, {"xoxp-", "12n-12n-12n-32A"}, {"xapp-", "1n-11c-13n-64h"}, {"xoxe-", "1n-146c"}, // Slack
	{"xoxe.xoxp-", "1n-163c"},
	{"sk_live_", "24A"}, {"sk_test_", "24A"}, {"rk_live_", "24A"}, {"rk_test_", "24A"}, {"whsec_", "32A"}, // Stripe
	{"sk-", "20AT3BlbkFJ20A"}, {"sk-proj-", "74A"}, {"sk-svcacct-", "74A"}, {"sk-ant-api03-", "93AAA"}, {"gsk_", "52A"}, // models
	{"hf_", "34A"}, {"pplx-", "48A"}, {"r8_", "37A"}, {"xai-", "80A"},
	{"npm_", "36A"}, {"pypi-AgEIcHlwaS5vcmc", "60A"}, {"rubygems_", "48h"}, {"dckr_pat_", "27A"}, {"CLOJARS_", "60l"}, // registries
	{"dop_v1_", "64h"}, {"doo_v1_", "64h"}, {"dor_v1_", "64h"}, {"LTAI", "20A"}, {"fo1_", "43A"}, {"HRKU-AA", "58A"}, // clouds
	{"hvs.", "95A"}, {"hvb.", "140A"}, {"dp.pt.", "43A"}, {"dt0c01.", "24c.64c"}, {"pul-", "40h"}, {"tskey-auth-", "12A-32A"},
	{"shpat_", "32h"}, {"shpca_", "32h"}, {"shppa_", "32h"}, {"shpss_", "32h"}, {"sq0atp-", "22A"}, {"sq0csp-", "43A"}, // shops
	{"rzp_live_", "14A"}, {"shippo_live_", "40h"}, {"EZAK", "54A"}, {"FLWSECK_TEST-", "32h-X"}, {"access-production-", "8h-4h-4h-4h-12h"},
	{"SG.", "22A.43A"}, {"key-", "32h"}, {"xkeysib-", "64h-16A"}, {"SK", "32h"}, {"", "32h-us14"}, // mail and messages
	{"lin_api_", "40A"}, {"secret_", "43A"}, {"ntn_", "11n35A"}, {"pat", "14A.64h"}, {"figd_", "40A"}, {"PMAK-", "24h-34h"}, {"ATATT3", "186A"}, // teams
	{"sntrys_eyJpYXQiO", "80A"}, {"sntryu_", "64h"}, {"glc_", "60A"}, {"glsa_", "32A_8h"}, {"NRAK-", "27c"}, {"pscale_tkn_", "43A"}, {"sbp_", "40h"},
	{"pnu_", "36A"}, {"sgp_", "40h"}, {"AGE-SECRET-KEY-1", "58c"}, {"API-", "26c"}, {"lsv2_pt_", "32h_10h"}, {"nfp_", "36A"}, {"rdme_", "70l"}, {"ico-", "32A"},
	{"duffel_live_", "43A"}, {"tfp_", "59A"}, {"CCIPAT_", "22A_40h"}, {"bkua_", "40h"}, {"ATCTT3", "186A"}, {"ATBB", "32A"},
	{"$2a$10$", "53A"}, {"$2b$12$", "53A"}, {"$2y$10$", "53A"}, {"$2x$10$", "53A"}, {"$argon2id$v=19$m=65536,t=3,p=4$", "22A$43A"}, // hashes
	{"$6$", "16A$86A"}, {"$5$", "16A$43A"}, {"$1$", "8A$22A"}, {"$y$j9T$", "22A$43A"}, {"$7$", "60A"}, {"$apr1$", "8A$22A"}, {"$P$B", "30A"}, {"$H$9", "30A"},
	{"$S$D", "51A"}, {"$scrypt$ln=16,r=8,p=1$", "22A$43A"}, {"{SSHA}", "32A"}, {"SCRAM-SHA-256$4096:", "22A==$43A=:43A="},
	{"pbkdf2_sha256$600000$", "22A$43A="}, {"bcrypt_sha256$$2b$12$", "53A"}, {"argon2$argon2id$v=19$m=102400,t=2,p=8$", "22A$43A"},
	{"pbkdf2:sha256:600000$", "16A$64h"},
	{"scrypt:32768:8:1$", "16A$128h"},
}

// sampleToken is a token of a form.
func sampleToken(prefix, form string, random *rand.Rand) string {
	b := []byte(prefix)
	n := 0
	for i := range len(form) {
		c := form[i]
		switch {
		case isDigit(c) && (n > 0 || c != '0'):
			n = 10*n + int(c-'0')
		case n > 0 && strings.IndexByte("nachlA", c) >= 0:
			for range n {
				b = append(b, sampleByte(c, random))
			}
			n = 0
		default:
			for n > 0 { // digits of the form itself
				b, n = append(b, []byte(fmt.Sprint(n))...), 0
			}
			b = append(b, c)
		}
	}
	if n > 0 {
		b = append(b, []byte(fmt.Sprint(n))...)
	}
	return string(b)
}

func secretWritings() []writing {
	random := rand.New(rand.NewPCG(3, 4))
	all := in(Secret, contexts, "sk_live_"+strings.Repeat("zq7", 8), "AKIA"+"IOSFODNN7EXAMPLE")
	for _, tt := range tokens {
		token := sampleToken(tt.prefix, tt.form, random)
		text := "token: " + token
		switch tt.prefix {
		case "key-", "SK", "", "secret_", "ATBB", "LTAI": // of short prefixes, which their vendor's name makes certain
			text = "mailgun twilio mailchimp notion postgres crates square bitbucket alibaba key: " + token
		}
		all = append(all, writing{Secret, token, token}, writing{Secret, text, token})
	}
	return append(all, whole(Secret, "-----BEGIN RSA "+"PRIVATE KEY-----", "-----BEGIN OPENSSH "+"PRIVATE KEY-----", "-----BEGIN "+"PRIVATE KEY-----",
		"-----BEGIN PGP "+"PRIVATE KEY BLOCK-----", "-----BEGIN ENCRYPTED "+"PRIVATE KEY-----", "PuTTY-User-Key-File-3: ssh-ed25519",
		jwtSample, "Bearer "+jwtSample,
		"postgres://app:s3cret@db1/shop", "https://ada:s3cret@host.example/x", "redis://:s3cret@cache:6379/0", "Authorization: Basic ZGVwbG95OnMzY3JldA==",
		"authorization: bearer abcdefGHIJKL0123", "host=db user=app password=s3cret.x7", "Server=db;User Id=app;Pwd=s3cret;", "PGPASSWORD=s3cret.x7 psql -h db",
		"DefaultEndpointsProtocol=https;AccountName=x;AccountKey="+strings.Repeat("aB3/", 21)+"ab==",
		"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPx"+"RfiCYEXAMPLEKEY", `{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPx`+`RfiCYEXAMPLEKEY"}`,
		"https://hooks.slack.com/services/"+"T07HG8343/B30K45H578E/"+strings.Repeat("kH2v", 6),
		"https://discord.com/api/webhooks/"+"1759288123/"+strings.Repeat("kH2v", 17),
		"6120478391:AA"+strings.Repeat("x1y", 11), "MTk4NjIyNDgzNDcxOTI1MjQ4"+".Cl2FMQ."+"ZnCjm1XVW7vRze4b7Cq4se7kKWs")...)
}

// writings are ordinary ways to write the seven kinds.
func writings(t testing.TB) []writing {
	return slices.Concat(mailWritings(), phoneWritings(), cardWritings(), ibanWritings(t), addressWritings(), officialWritings(), secretWritings())
}

// meets reports how sure the scanner is of a hit of the kind that touches the value.
func (w writing) meets(s Scanner) (found bool, best Confidence) {
	from := strings.Index(w.text, w.value)
	to := from + len(w.value)
	best = Doubtful
	s.Each([]byte(w.text), func(h Hit) {
		if h.Kind == w.kind && h.From < to && h.To > from {
			found = true
			best = min(best, h.Confidence)
		}
	})
	return found, best
}

// Every ordinary writing is found; -v says how many of each kind, and how many of them without doubt.
func TestRecall(t *testing.T) {
	t.Parallel()
	s := NewScanner(All)
	var all, found, certain [kinds]int
	var missed bytes.Buffer
	for _, w := range writings(t) {
		all[w.kind]++
		ok, best := w.meets(s)
		switch {
		case !ok:
			fmt.Fprintf(&missed, "%s: %+q\n", w.kind, w.text)
			continue
		case best == Certain:
			certain[w.kind]++
		}
		found[w.kind]++
	}
	total, seen, sure := 0, 0, 0
	for k := range kinds {
		t.Logf("%-12s %3d writings, %3d found, %3d of them certain", k, all[k], found[k], certain[k])
		total, seen, sure = total+all[k], seen+found[k], sure+certain[k]
	}
	t.Logf("all          %3d writings, %3d found, %3d of them certain", total, seen, sure)
	if sure < total*19/20 {
		t.Errorf("%d of %d are certain", sure, total)
	}
	if missed.Len() > 0 {
		t.Errorf("missed:\n%s", missed.String())
	}
}
