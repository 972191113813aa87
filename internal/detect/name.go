package detect

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Family is what a column's type can hold, as far as names matter.
type Family uint8

// The families whose columns a name tells something about.
const (
	Text   Family = iota
	Number        // whole or not, and money
	Time          // dates and timestamps
)

// named is a kind of sensitive value, told by the words of a column's name.
type named struct {
	what      string
	transform string   // what the mend proposes
	words     string   // each tells by itself
	phrases   []string // words that tell side by side
	inside    []string // these tell within a longer word too, as in "useremail"
	numbers   bool     // often kept in a number
	dates     bool     // kept in a date
	tables    []string // only in tables whose own name holds one of these words
	prose     bool     // "message_id" is none
	endings   []string // these tell at the end of a word too, as in "largecontent"
}

// byName is looked through in this order. Better a column too many, which
// costs a line with its why in the drill file, than one too few.
var byName = []named{
	{what: "a secret", transform: "token",
		words: "pin otp totp token tokens jwt bearer cookie cookies session sessions salt credential credentials psk",
		phrases: []string{"sess id", "api key", "api keys", "access key", "private key", "signing key",
			"encryption key", "license key", "recovery code", "recovery codes", "backup code", "backup codes",
			"security answer"},
		inside: []string{"secret", "apikey", "accesskey", "privatekey", "accesstoken", "authtoken", "sessionid"}},
	{what: "a secret", transform: "token", tables: sessionWords, words: "data vars sess sid"},
	{what: "a password", transform: "password",
		words:   "pw pwd pass senha haslo mdp parol пароль",
		phrases: []string{"mot de passe"},
		inside: []string{"password", "passwd", "passphrase", "passwort", "kennwort", "wachtwoord", "contrasena",
			"losenord", "adgangskode"}},
	{what: "an e-mail address", transform: "email",
		words:   "mail mails correo courriel пошта",
		phrases: []string{"e mail", "e mails"},
		inside:  []string{"email"}},
	{what: "a phone number", transform: "phone", numbers: true,
		words:  "tel fax mobile mobil cell handy msisdn gsm movil portable celular cellulare whatsapp",
		inside: []string{"phone", "telefon", "telefoon", "mobilnummer", "handynummer", "телефон"}},
	{what: "an IBAN", transform: "iban", words: "iban"},
	{what: "a card number", transform: "card", numbers: true,
		words:  "card cards cc pan",
		inside: []string{"creditcard", "cardnumber", "kreditkarte"}},
	{what: "a payment detail", transform: "text", numbers: true,
		words:   "bic swift cvv cvc kontonummer",
		phrases: []string{"account number", "account no", "sort code", "routing number", "bank account"}},
	{what: "an official number", transform: "text", numbers: true,
		words: "ssn nin nino dni nie nif pesel cpf cnpj bsn tin ausweis",
		phrases: []string{"tax id", "tax number", "vat id", "vat number", "national id", "social security",
			"driver license", "driving licence", "license plate", "codice fiscale"},
		inside: []string{"passport", "personnummer", "steuernummer"}},
	{what: "a date of birth", transform: "date_shift", dates: true,
		words:  "dob born bday birth nascita nacimiento naissance nascimento народження",
		inside: []string{"birthda", "dateofbirth", "geburt", "geboorte", "urodzeni", "fodelse"}},
	{what: "a first name", transform: "first_name",
		words:   "fname forename prenom voornaam imie fornamn fornavn",
		phrases: []string{"first name", "given name", "middle name"},
		inside:  []string{"firstname", "vorname"}},
	{what: "a last name", transform: "last_name",
		words: "lname familienname apellido apellidos cognome sobrenome nazwisko efternamn etternavn efternavn " +
			"prizvyshche прізвище",
		phrases: []string{"last name", "family name", "maiden name", "nom de famille"},
		inside:  []string{"lastname", "surname", "nachname", "achternaam"}},
	{what: "a person's name", transform: "name",
		words: "realname displayname recipient addressee gecos",
		phrases: []string{"full name", "display name", "legal name", "real name",
			"contact name", "contact person", "poc name", "customer name", "user name", "recipient name",
			"billing name", "shipping name", "owner name"},
		inside: []string{"fullname"}},
	{what: "a person's name", transform: "name", tables: peopleWords,
		words:   "name nom nombre nome naam namn navn imia імя",
		phrases: []string{"ім я"}},
	{what: "a company", transform: "company", tables: peopleWords, prose: true,
		words: "company organization organisation employer firma"},
	{what: "an account's name", transform: "text",
		words:   "login nick handle alias telegram skype discord twitter instagram facebook linkedin",
		phrases: []string{"screen name"},
		inside:  []string{"username", "nickname", "benutzername", "screenname"}},
	{what: "a web address", transform: "url", tables: peopleWords,
		words: "url website homepage webpage avatar"},
	{what: "a network address", transform: "ip",
		words: "ip ips ipaddr ipv",
		phrases: []string{"proxy address", "server address", "host address", "remote address", "client address",
			"peer address", "listen address", "bind address"},
		inside: []string{"ipaddress", "ipadress"}},
	{what: "a network address", transform: "mac",
		words:  "mac",
		inside: []string{"macaddr", "macadress"}},
	{what: "a device's mark", transform: "text",
		words:   "imei imsi udid fingerprint hostname",
		phrases: []string{"device id", "device token", "user agent"},
		inside:  []string{"useragent"}},
	{what: "a postcode", transform: "postcode",
		words:   "zip plz cep postnr postnummer",
		phrases: []string{"postal code", "code postal", "codigo postal", "kod pocztowy"},
		inside:  []string{"postcode", "postleitzahl", "zipcode"}},
	{what: "a city", transform: "city",
		words: "city town ort ville ciudad citta cidade miasto woonplaats plaats stad postort localidad municipio " +
			"comune miejscowosc misto місто"},
	{what: "a place", transform: "text",
		words:   "location geo gps coordinates hausnummer huisnummer bairro",
		phrases: []string{"house number", "address country", "address region", "address state"}},
	{what: "a street", transform: "street",
		words: "addr adres adresa rue calle direccion indirizzo endereco logradouro rua ulica gata gade " +
			"vulytsia адреса вулиця",
		inside: []string{"address", "adress", "street", "strasse", "straat", "anschrift"}},
	{what: "a place", transform: "text",
		words: "postal"},
	{what: "a position", transform: "number", numbers: true,
		words: "lat lon lng latitude longitude"},
	{what: "a trait of a person", transform: "text",
		words: "gender sex nationality religion ethnicity race marital geschlecht sexo genre diagnosis allergies"},
	{what: "free text", transform: "text", prose: true,
		words: "body msg content contents contact summary note notes memo bio about text subject remark remarks " +
			"feedback transcript prompt reply answer caption reason description details signature payload raw " +
			"kommentar kommentare nachricht nachrichten notiz notizen bemerkung bemerkungen anmerkung anmerkungen " +
			"beschreibung commentaire commentaires remarque remarques " +
			"comentario comentarios mensaje mensajes notas observaciones descripcion commento commenti messaggio " +
			"messaggi descrizione mensagem mensagens observacao observacoes descricao " +
			"bericht berichten opmerking opmerkingen toelichting omschrijving meddelande meddelanden anteckning " +
			"anteckningar beskrivning wiadomosc wiadomosci uwagi opis коментар опис",
		inside:  []string{"comment", "message", "freetext"},
		endings: []string{"content", "contents", "notes", "description", "contactinfo"}},
}

// neutral are last words that say: this is about the value, not the value.
var neutral = []string{"type", "kind", "status", "count", "format", "lang", "language", "locale", "mode", "enabled",
	"verified",
	"provider", "version", "template", "category", "level", "total", "limit", "size", "length", "policy", "method",
	"attribute", "host", "server", "port"}

// versions are last words of columns that hold version numbers.
var versions = []string{"version", "versions", "release", "build", "firmware"}

// neutralNumbers are last words of numbers that are keys or amounts.
var neutralNumbers = []string{"id", "ids", "num", "qty", "amount", "score", "rate", "price", "cents", "fee", "at",
	"attempts"}

// peopleWords are tables in which a "name" is a person's.
var peopleWords = []string{"user", "customer", "client", "person", "people", "member", "contact", "employee", "staff",
	"patient", "author",
	"guest", "subscriber", "account", "identity", "address", "profile", "student", "teacher", "driver", "tenant",
	"lead", "applicant", "candidate", "recipient", "sender",
	"attendee", "participant", "visitor", "player", "owner", "admin", "kunde", "kunden", "benutzer", "nutzer",
	"mitarbeiter", "mitglied", "mitglieder", "usuario", "cliente", "empleado", "funcionario", "utilisateur", "employe",
	"membre", "persona", "pessoa",
	"utente", "utenti", "clienti", "dipendente", "dipendenti", "klant", "klanten", "gebruiker", "medewerker", "klient",
	"klienci", "pracownik", "pracownicy", "uzytkownik", "uzytkownicy",
	"kund", "kunder", "anvandare", "medarbetare", "клієнт", "клієнти", "користувач", "користувачі", "працівник",
	"працівники"}

// sessionWords are tables whose rows let somebody in.
var sessionWords = []string{"session", "sess"}

// Column says what a column's values look like by its own and its table's name
// and by its type, or nothing, and which transform would suit them.
func Column(table, column string, f Family) (what, transform string) {
	words := splitWords(column)
	if len(words) == 0 || slices.Contains(neutral, words[len(words)-1]) {
		return "", ""
	}
	if f == Number && slices.Contains(neutralNumbers, words[len(words)-1]) {
		return "", ""
	}
	for _, d := range byName {
		if d.fits(f) && d.tells(words, table) {
			return d.what, d.fitting(f)
		}
	}
	return "", ""
}

func (d named) fits(f Family) bool {
	switch f {
	case Text:
		return true
	case Number:
		return d.numbers
	case Time:
		return d.dates
	}
	return false
}

// fitting is the transform to propose for a column of this family.
func (d named) fitting(f Family) string {
	switch {
	case f == Number && d.transform != "card":
		return "number"
	case f != Number && d.transform == "number":
		return "text"
	}
	return d.transform
}

func (d named) tells(words []string, table string) bool {
	if d.tables != nil && !holdsWord(table, d.tables) {
		return false
	}
	if d.prose && words[len(words)-1] == "id" {
		return false
	}
	for _, w := range words {
		if strings.Contains(" "+d.words+" ", " "+w+" ") || containsAny(w, d.inside) ||
			slices.ContainsFunc(d.endings, func(e string) bool { return strings.HasSuffix(w, e) }) {
			return true
		}
	}
	return containsAny(" "+strings.Join(words, " ")+" ", d.spaced())
}

// spaced are the phrases between blanks, so that they meet whole words only.
func (d named) spaced() []string {
	all := make([]string, len(d.phrases))
	for i, p := range d.phrases {
		all[i] = " " + p + " "
	}
	return all
}

func containsAny(s string, parts []string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(s, p) })
}

// holdsWord tells whether a name holds one of the words, or more than one of it.
func holdsWord(name string, words []string) bool {
	return slices.ContainsFunc(splitWords(name), func(w string) bool {
		for _, one := range [...]string{w, strings.TrimSuffix(w, "s"), strings.TrimSuffix(w, "es"),
			strings.TrimSuffix(w, "ies") + "y"} {
			if slices.Contains(words, one) {
				return true
			}
		}
		return false
	})
}

// splitWords cuts snake_case, camelCase and kebab-case into lower-case words
// without accents; digits end a word and are dropped.
func splitWords(s string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = word[:0]
		}
	}
	runes := []rune(norm.NFD.String(plainLetters.Replace(s)))
	for i, r := range runes {
		switch {
		case unicode.IsMark(r):
			continue
		case !unicode.IsLetter(r):
			end()
			continue
		case unicode.IsUpper(r) && startsWord(runes, i):
			end()
		}
		word = append(word, unicode.ToLower(r))
	}
	end()
	return words
}

// plainLetters replaces the letters that are more than one with a mark.
var plainLetters = strings.NewReplacer("ß", "ss", "ł", "l", "Ł", "L", "ø", "o", "Ø", "O", "æ", "ae", "Æ", "AE")

// startsWord tells for an upper-case letter whether a word begins with it: as
// in userEmail and IPAddress, not in USERID.
func startsWord(runes []rune, i int) bool {
	if i == 0 {
		return false
	}
	return unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])
}
