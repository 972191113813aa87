package pgtext

import "bytes"

// areas are the first words of zones' names, before a slash.
var areas = map[string]struct{}{
	"africa": {}, "america": {}, "antarctica": {}, "arctic": {}, "asia": {}, "atlantic": {}, "australia": {},
	"brazil": {}, "canada": {}, "chile": {},
	"etc": {}, "europe": {}, "indian": {}, "mexico": {}, "pacific": {}, "posix": {}, "right": {}, "systemv": {},
	"us": {},
}

// zones are the names of zones that are one word.
var zones = map[string]struct{}{
	"cet": {}, "cuba": {}, "eet": {}, "egypt": {}, "eire": {}, "est": {}, "factory": {}, "gb": {}, "gmt": {},
	"greenwich": {}, "hongkong": {}, "hst": {}, "iceland": {},
	"iran": {}, "israel": {}, "jamaica": {}, "japan": {}, "kwajalein": {}, "libya": {}, "localtime": {}, "met": {},
	"mst": {}, "navajo": {}, "nz": {}, "poland": {},
	"portugal": {}, "posixrules": {}, "prc": {}, "roc": {}, "rok": {}, "singapore": {}, "turkey": {}, "uct": {},
	"universal": {}, "utc": {}, "wet": {}, "zulu": {},
	"gb-eire": {}, "nz-chat": {}, "w-su": {}, "gmt+0": {}, "gmt-0": {}, "gmt0": {},
}

// isZone reports whether a word may be a zone's name or POSIX's way to write one,
// such as est5edt: a word in which anything may stand, and an offset.
func isZone(s []byte) bool {
	end := 0
	for end < len(s) && !isDigit(s[end]) && !oneOf(s[end], "+-,") {
		end++
	}
	if end < len(s) && isPOSIX(s[end:]) {
		return true
	}
	if slash := bytes.IndexByte(s, '/'); slash >= 0 {
		_, ok := areas[string(s[:slash])]
		return ok
	}
	_, ok := zones[string(s)]
	return ok || isAbbreviation(s)
}

// isPOSIX reads what stands after the first word of POSIX's way: an offset,
// the word for summer and its offset, and what it goes by, which is not looked
// at (tzparse).
func isPOSIX(s []byte) bool {
	s, ok := afterOffset(s)
	if !ok || len(s) == 0 {
		return ok
	}
	end := 0
	for end < len(s) && !isDigit(s[end]) && !oneOf(s[end], "+-,") {
		end++
	}
	s = s[end:]
	if end == 0 {
		return false
	}
	if len(s) > 0 && s[0] != ',' {
		s, ok = afterOffset(s)
	}
	return ok && (len(s) == 0 || s[0] == ',')
}

// afterOffset is what follows an offset: hours, and minutes and seconds.
func afterOffset(s []byte) (rest []byte, ok bool) {
	const mostHours = 24*7 - 1
	if s[0] == '+' || s[0] == '-' {
		s = s[1:]
	}
	n, rest := number(s, mostHours)
	for i := 0; i < 2 && n >= 0 && len(rest) > 0 && rest[0] == ':'; i++ {
		n, rest = number(rest[1:], 60)
	}
	return rest, n >= 0
}

func isAbbreviation(s []byte) bool {
	_, ok := abbreviations[string(s)]
	return ok
}

// abbreviations are those of timezonesets/Default, in 15 to 18.
var abbreviations = map[string]struct{}{
	"acdt": {}, "acsst": {}, "acst": {}, "act": {}, "acwst": {}, "adt": {}, "aedt": {}, "aesst": {}, "aest": {},
	"aft": {}, "akdt": {}, "akst": {}, "almst": {}, "almt": {}, "amst": {}, "amt": {}, "anast": {}, "anat": {},
	"arst": {}, "art": {}, "ast": {}, "awsst": {}, "awst": {}, "azost": {}, "azot": {}, "azst": {}, "azt": {},
	"bdst": {}, "bdt": {}, "bnt": {}, "bort": {}, "bot": {}, "bra": {}, "brst": {}, "brt": {}, "bst": {},
	"btt": {}, "cadt": {}, "cast": {}, "cct": {}, "cdt": {}, "cest": {}, "cet": {}, "cetdst": {}, "chadt": {},
	"chast": {}, "chut": {}, "ckt": {}, "clst": {}, "clt": {}, "cot": {}, "cst": {}, "cxt": {}, "davt": {},
	"ddut": {}, "easst": {}, "east": {}, "eat": {}, "edt": {}, "eest": {}, "eet": {}, "eetdst": {}, "egst": {},
	"egt": {}, "est": {}, "fet": {}, "fjst": {}, "fjt": {}, "fkst": {}, "fkt": {}, "fnst": {}, "fnt": {},
	"galt": {}, "gamt": {}, "gest": {}, "get": {}, "gft": {}, "gilt": {}, "gmt": {}, "gyt": {}, "hkt": {},
	"hst": {}, "ict": {}, "idt": {}, "iot": {}, "irkst": {}, "irkt": {}, "irt": {}, "ist": {}, "jayt": {},
	"jst": {}, "kdt": {}, "kgst": {}, "kgt": {}, "kost": {}, "krast": {}, "krat": {}, "kst": {}, "lhdt": {},
	"lhst": {}, "ligt": {}, "lint": {}, "lkt": {}, "magst": {}, "magt": {}, "mart": {}, "mawt": {}, "mdt": {},
	"mest": {}, "mesz": {}, "met": {}, "metdst": {}, "mez": {}, "mht": {}, "mmt": {}, "mpt": {}, "msd": {},
	"msk": {}, "mst": {}, "must": {}, "mut": {}, "mvt": {}, "myt": {}, "ndt": {}, "nft": {}, "novst": {},
	"novt": {}, "npt": {}, "nst": {}, "nut": {}, "nzdt": {}, "nzst": {}, "nzt": {}, "omsst": {}, "omst": {},
	"pdt": {}, "pet": {}, "petst": {}, "pett": {}, "pgt": {}, "pht": {}, "pkst": {}, "pkt": {}, "pmdt": {},
	"pmst": {}, "pont": {}, "pst": {}, "pwt": {}, "pyst": {}, "pyt": {}, "ret": {}, "sadt": {}, "sast": {},
	"sct": {}, "sgt": {}, "taht": {}, "tft": {}, "tjt": {}, "tkt": {}, "tmt": {}, "tot": {}, "trut": {},
	"tvt": {}, "uct": {}, "ulast": {}, "ulat": {}, "ut": {}, "utc": {}, "uyst": {}, "uyt": {}, "uzst": {},
	"uzt": {}, "vet": {}, "vlast": {}, "vlat": {}, "volt": {}, "vut": {}, "wadt": {}, "wakt": {}, "wast": {},
	"wat": {}, "wdt": {}, "wet": {}, "wetdst": {}, "wft": {}, "wgst": {}, "wgt": {}, "xjt": {}, "yakst": {},
	"yakt": {}, "yapt": {}, "yekst": {}, "yekt": {}, "z": {}, "zulu": {},
}
