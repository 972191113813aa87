package detect

import "bytes"

// shape is a token that begins with a prefix.
type shape struct {
	prefix string
	rare   int               // the byte of the prefix to look for, which is one of markers
	is     func(c byte) bool // what may follow
	least  int               // so many of it
	words  contextWords      // without one of these beside it, it is doubtful; nil for none
	plain  bool              // it may be made of letters alone
}

// shapes are the forms that vendors document for their tokens, and the hashes of crypt(3), of PostgreSQL and of web
// frameworks; the prefixes of many are collected in gitleaks' rules (config/gitleaks.toml).
var shapes = []shape{
	// clouds
	{prefix: "AKIA", rare: 1, is: isUpperOrDigit, least: 16, plain: true},
	{prefix: "ASIA", rare: 1, is: isUpperOrDigit, least: 16, plain: true},
	{prefix: "AIza", rare: 2, is: isName, least: 35}, {prefix: "GOCSPX-", rare: 6, is: isName, least: 28},
	{prefix: "ya29.", rare: 4, is: isName, least: 40}, {prefix: "LTAI", rare: 1, is: isAlnum, least: 20},
	{prefix: "dop_v1_", rare: 3, is: isLowerHex, least: 64}, {prefix: "doo_v1_", rare: 3, is: isLowerHex, least: 64},
	{prefix: "dor_v1_", rare: 3, is: isLowerHex, least: 64}, {prefix: "fo1_", rare: 3, is: isName, least: 43},
	{prefix: "HRKU-AA", rare: 4, is: isName, least: 58}, {prefix: "pul-", rare: 3, is: isLowerHex, least: 40},
	{prefix: "hvs.", rare: 3, is: isName, least: 90}, {prefix: "hvb.", rare: 3, is: isName, least: 138},
	{prefix: "dp.pt.", rare: 2, is: isAlnum, least: 43}, {prefix: "dt0c01.", rare: 6, is: isJWT, least: 89},
	{prefix: "tskey-auth-", rare: 5, is: isName, least: 40}, {prefix: "sbp_", rare: 3, is: isLowerHex, least: 40},
	{prefix: "nfp_", rare: 3, is: isAlnum, least: 36}, {prefix: "pscale_tkn_", rare: 6, is: isJWT, least: 32},
	{prefix: "pscale_pw_", rare: 6, is: isJWT, least: 32}, {prefix: "pscale_oauth_", rare: 6, is: isJWT, least: 32},
	{prefix: "pnu_", rare: 3, is: isAlnum, least: 36}, {prefix: "ico-", rare: 3, is: isAlnum, least: 32},
	// code, packages, builds
	{prefix: "ghp_", rare: 3, is: isAlnum, least: 36}, {prefix: "gho_", rare: 3, is: isAlnum, least: 36},
	{prefix: "ghu_", rare: 3, is: isAlnum, least: 36}, {prefix: "ghs_", rare: 3, is: isAlnum, least: 36},
	{prefix: "ghr_", rare: 3, is: isAlnum, least: 36}, {prefix: "github_pat_", rare: 6, is: isName, least: 22},
	{prefix: "glpat-", rare: 5, is: isName, least: 20}, {prefix: "gldt-", rare: 4, is: isName, least: 20},
	{prefix: "glptt-", rare: 5, is: isLowerHex, least: 40}, {prefix: "glrt-", rare: 4, is: isName, least: 20},
	{prefix: "glft-", rare: 4, is: isName, least: 20}, {prefix: "glsoat-", rare: 6, is: isName, least: 20},
	{prefix: "glcbt-", rare: 5, is: isName, least: 20}, {prefix: "gloas-", rare: 5, is: isName, least: 64},
	{prefix: "glagent-", rare: 7, is: isName, least: 50}, {prefix: "glimt-", rare: 5, is: isName, least: 25},
	{prefix: "glffct-", rare: 6, is: isName, least: 20}, {prefix: "GR1348941", rare: 0, is: isName, least: 20},
	{prefix: "npm_", rare: 3, is: isAlnum, least: 36}, {prefix: "pypi-AgEIcHlwaS5vcmc", rare: 4, is: isName, least: 50},
	{prefix: "rubygems_", rare: 8, is: isLowerHex, least: 48}, {prefix: "dckr_pat_", rare: 4, is: isName, least: 27},
	{prefix: "CLOJARS_", rare: 7, is: isAlnum, least: 60}, {prefix: "CCIPAT_", rare: 6, is: isName, least: 40},
	{prefix: "bkua_", rare: 4, is: isLowerHex, least: 40}, {prefix: "sgp_", rare: 3, is: isName, least: 40},
	{prefix: "sntrys_", rare: 6, is: isHash, least: 60}, {prefix: "sntryu_", rare: 6, is: isLowerHex, least: 64},
	{prefix: "glc_", rare: 3, is: isHash, least: 32}, {prefix: "glsa_", rare: 4, is: isName, least: 41},
	{prefix: "NRAK-", rare: 4, is: isAlnum, least: 27}, {prefix: "API-", rare: 3, is: isUpperOrDigit, least: 26},
	// messages, offices
	{prefix: "xoxb-", rare: 4, is: isName, least: 20}, {prefix: "xoxp-", rare: 4, is: isName, least: 20},
	{prefix: "xoxa-", rare: 4, is: isName, least: 20}, {prefix: "xoxr-", rare: 4, is: isName, least: 20},
	{prefix: "xoxs-", rare: 4, is: isName, least: 20}, {prefix: "xoxe-", rare: 4, is: isName, least: 20},
	{prefix: "xoxe.xoxp-", rare: 4, is: isName, least: 20}, {prefix: "xapp-", rare: 4, is: isName, least: 40},
	{prefix: "SG.", rare: 1, is: isJWT, least: 60}, {prefix: "SK", rare: 1, is: isHex, least: 32},
	{prefix: "key-", rare: 3, is: isLowerHex, least: 32, words: contextOf("mailgun mg")},
	{prefix: "xkeysib-", rare: 7, is: isName, least: 64}, {prefix: "lin_api_", rare: 3, is: isAlnum, least: 40},
	{prefix: "secret_", rare: 6, is: isAlnum, least: 43}, {prefix: "ntn_", rare: 3, is: isAlnum, least: 43},
	{prefix: "figd_", rare: 4, is: isName, least: 40}, {prefix: "PMAK-", rare: 4, is: isName, least: 59},
	{prefix: "ATATT3", rare: 1, is: isHash, least: 100}, {prefix: "ATCTT3", rare: 1, is: isHash, least: 100},
	{prefix: "ATBB", rare: 1, is: isAlnum, least: 32}, {prefix: "rdme_", rare: 4, is: isAlnum, least: 70},
	{prefix: "tfp_", rare: 3, is: isJWT, least: 59},
	{prefix: "AGE-SECRET-KEY-1", rare: 3, is: isUpperOrDigit, least: 58},
	{prefix: "PuTTY-User-Key-File-", rare: 5, is: isDigit, least: 1, plain: true},
	// payments, shops, shipping
	{prefix: "sk_live_", rare: 2, is: isAlnum, least: 16}, {prefix: "sk_test_", rare: 2, is: isAlnum, least: 16},
	{prefix: "rk_live_", rare: 2, is: isAlnum, least: 16}, {prefix: "rk_test_", rare: 2, is: isAlnum, least: 16},
	{prefix: "whsec_", rare: 5, is: isHash, least: 24}, {prefix: "rzp_live_", rare: 3, is: isAlnum, least: 14},
	{prefix: "shpat_", rare: 5, is: isHex, least: 32}, {prefix: "shpca_", rare: 5, is: isHex, least: 32},
	{prefix: "shppa_", rare: 5, is: isHex, least: 32}, {prefix: "shpss_", rare: 5, is: isHex, least: 32},
	{prefix: "sq0atp-", rare: 6, is: isName, least: 22}, {prefix: "sq0csp-", rare: 6, is: isName, least: 43},
	{prefix: "FLWSECK_TEST-", rare: 7, is: isName, least: 32}, {prefix: "FLWSECK-", rare: 7, is: isName, least: 32},
	{prefix: "shippo_live_", rare: 6, is: isHex, least: 40}, {prefix: "shippo_test_", rare: 6, is: isHex, least: 40},
	{prefix: "EZAK", rare: 3, is: isAlnum, least: 54}, {prefix: "duffel_live_", rare: 6, is: isName, least: 43},
	{prefix: "duffel_test_", rare: 6, is: isName, least: 43},
	{prefix: "access-production-", rare: 6, is: isName, least: 36},
	{prefix: "access-sandbox-", rare: 6, is: isName, least: 36},
	// models
	{prefix: "sk-", rare: 2, is: isName, least: 32}, {prefix: "hf_", rare: 2, is: isAlnum, least: 34, plain: true},
	{prefix: "gsk_", rare: 3, is: isAlnum, least: 50}, {prefix: "pplx-", rare: 4, is: isAlnum, least: 48},
	{prefix: "r8_", rare: 2, is: isAlnum, least: 37}, {prefix: "xai-", rare: 3, is: isAlnum, least: 70},
	{prefix: "lsv2_pt_", rare: 4, is: isName, least: 42}, {prefix: "lsv2_sk_", rare: 4, is: isName, least: 42},
	// hashes
	{prefix: "$2a$", rare: 3, is: isHash, least: 56}, {prefix: "$2b$", rare: 3, is: isHash, least: 56},
	{prefix: "$2y$", rare: 3, is: isHash, least: 56}, {prefix: "$2x$", rare: 3, is: isHash, least: 56},
	{prefix: "$argon2i$", rare: 8, is: isHash, least: 30}, {prefix: "$argon2d$", rare: 8, is: isHash, least: 30},
	{prefix: "$argon2id$", rare: 9, is: isHash, least: 30}, {prefix: "$scrypt$", rare: 7, is: isHash, least: 40},
	{prefix: "$6$", rare: 2, is: isHash, least: 80}, {prefix: "$5$", rare: 2, is: isHash, least: 40},
	{prefix: "$1$", rare: 2, is: isHash, least: 20}, {prefix: "$y$", rare: 2, is: isHash, least: 40},
	{prefix: "$gy$", rare: 3, is: isHash, least: 40}, {prefix: "$7$", rare: 2, is: isHash, least: 50},
	{prefix: "$apr1$", rare: 5, is: isHash, least: 20}, {prefix: "$P$", rare: 2, is: isHash, least: 31},
	{prefix: "$H$", rare: 2, is: isHash, least: 31}, {prefix: "$S$", rare: 2, is: isHash, least: 52},
	{prefix: "{SSHA}", rare: 1, is: isHash, least: 28}, {prefix: "SCRAM-SHA-256$", rare: 13, is: isHash, least: 60},
	{prefix: "pbkdf2_sha256$", rare: 13, is: isHash, least: 40},
	{prefix: "pbkdf2:sha256:", rare: 6, is: isHash, least: 60},
	{prefix: "scrypt:", rare: 6, is: isHash, least: 60},
}

// shapesBy holds, by the byte to look for and the one before it (0 for a word's beginning), which of shapeGroups
// to try;
// 0 for none.
var shapesBy, shapeGroups = func() (by [256]*[256]uint8, groups [][]*shape) {
	groups = make([][]*shape, 1)
	for i := range shapes {
		s := &shapes[i]
		c, before := s.prefix[s.rare], byte(0)
		if s.rare > 0 {
			before = s.prefix[s.rare-1]
		}
		if by[c] == nil {
			by[c] = new([256]uint8)
		}
		if by[c][before] == 0 {
			by[c][before] = uint8(len(groups))
			groups = append(groups, nil)
		}
		g := by[c][before]
		groups[g] = append(groups[g], s)
	}
	return by, groups
}()

// longestLeast is how much of what follows a prefix is read to judge it: a text full of prefixes is not to be
// read to its
// end for each.
const longestLeast = 150

// prefixByte is the byte before i, if it may be a prefix's; else 0.
func prefixByte(text []byte, from, i int) byte {
	if i > from && (isWord(text[i-1]) || text[i-1] == '$' || text[i-1] == '{') {
		return text[i-1]
	}
	return 0
}

// tokenAt finds the token, not before from, of whose prefix a byte stands at i.
func tokenAt(text []byte, from, i int) span {
	by := shapesBy[text[i]]
	if by == nil {
		return span{}
	}
	for _, s := range shapeGroups[by[prefixByte(text, from, i)]] {
		first := i - s.rare
		if first < from || !bytes.HasPrefix(text[first:], []byte(s.prefix)) || isWord(s.prefix[0]) &&
			!starts(text, first) {
			continue
		}
		tail := text[first+len(s.prefix):]
		n := run(tail[:min(len(tail), longestLeast)], s.is)
		if n < s.least || !s.plain && !mixed(tail[:n]) {
			continue
		}
		n += run(tail[n:], s.is)
		found := span{first, first + len(s.prefix) + n, Certain}
		if s.words != nil && !s.words.beside(text, first, found.to) {
			found.doubt = Doubtful
		}
		return found
	}
	return span{}
}

// mixed reports whether a token has letters and digits: names with dashes in them have no digit, and no masked token
// has both.
func mixed(token []byte) bool {
	letters, digits := 0, 0
	for _, c := range token {
		switch {
		case isDigit(c):
			digits++
		case isLetter(c):
			letters++
		}
	}
	return letters > 0 && digits > 0
}
