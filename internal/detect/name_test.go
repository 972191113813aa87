package detect

import (
	"slices"
	"strings"
	"testing"
)

// TestColumn: what names of columns and tables say together.
func TestColumn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ table, columns, want string }{
		{"bookings", "guest_name employee_name customerName cardholder_name ship_to bill_to", "a person's name"},
		{"passengers", "name nombre", "a person's name"},
		{"directors", "name", "a person's name"},
		{"cast_members", "name fullname", "a person's name"},
		{"actors", "first last name", "a person's name"},
		{"pasajeros", "nombre", "a person's name"},
		{"adherents", "nom nom_adh", "a person's name"},
		{"facturas", "nombrecliente razonsocial", "a person's name"},
		{"users", "first last old_name name_key sort_name", "a person's name"},
		{"invoices", "nombre_del_cliente", "a person's name"},
		{"bookings", "traveller_name lead_guest room_guest_name sender requester", "a person's name"},
		{"audit_log", "username created_by changed_by remote_user facebook_id", "an account's name"},
		{"patients", "marital_status blood_group symptoms", "a trait of a person"},
		{"patients", "national_id mrn insurance_number num_secu passport_id", "an official number"},
		{"users", "session_id reset_code mfa_secret", "a secret"},
		{"subscriber", "ha1 ha1b", "a secret"},
		{"vehicles", "plate plate_no vin", "an official number"},
		{"patients", "ss", "an official number"},
		{"calls", "caller callee caller_name", "a person's name"},
		{"calls", "src_addr dst_addr srcaddr", "a network address"},
		{"users", "pin", "a secret"},
		{"users", "iplastlogin lastip attempt_ip", "a network address"},
		{"orders", "useremail emailaddress contactemail correo_electronico", "an e-mail address"},
		{"konten", "kontonummer", "a payment detail"},
		{"tickets", "description subject details", "free text"},
		{"kunden", "beschreibung", "free text"},

		{"products", "name title description first last namen nombre file_name table_name", ""},
		{"countries", "name code", ""},
		{"permissions", "display_name comment", ""},
		{"mail_templates", "content body", ""},
		{"tipos_documento", "nombre observaciones", ""},
		{"user_roles", "name description", ""},
		{"customer_types", "name", ""},
		{"member_levels", "name", ""},
		{"users", "us_name sender_id user_id contact_id phone_type first_name_count", ""},
		{"users", "file_name group_name last_login_type mail_notification role time_zone", ""},
		{"cities", "city zip", ""},
		{"dialog", "caller_cseq caller_sock callee_cseq caller_route_set", ""},
		{"site_stats", "ss_users ss_edits", ""},
		{"content", "content_address", ""},
		{"nodes", "ha_node ha_group plate_count template vinyl", ""},
		{"zipcodes", "zip", ""},
		{"parts", "panel formname capital membership relationship company", ""},
	} {
		for column := range strings.FieldsSeq(tt.columns) {
			if what, _ := Column(tt.table, column, Text); what != tt.want {
				t.Errorf("%s.%s: %q, want %q", tt.table, column, what, tt.want)
			}
		}
	}
}

// TestColumnsFamily: numbers and dates hold less than text.
func TestColumnsFamily(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		column          string
		family          Family
		what, transform string
	}{
		{"phone", Number, "a phone number", "number"},
		{"card_number", Number, "a card number", "card"},
		{"phone_id", Number, "", ""},
		{"card_fee", Number, "", ""},
		{"birth_date", Time, "a date of birth", "date_shift"},
		{"phone", Time, "", ""},
		{"name", Number, "", ""},
		{"latitude", Text, "a position", "position"},
	} {
		if what, transform := Column("customers", tt.column, tt.family); what != tt.what || transform != tt.transform {
			t.Errorf("%s of family %d: %q by %q, want %q by %q", tt.column, tt.family, what, transform, tt.what, tt.transform)
		}
	}
}

// TestVocabulary: a word that is not written as names are cut could never tell.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	lexicons := []lexicon{peopleWords, peopleTables, addressedWords, writtenWords, sessionWords, bankWords, pushWords,
		snmpWords, blockWords, ownWords, gradeWords, placeWords, aboutWords, aboutFirst, versionWords, amountWords, lightWords,
		joinedWords}
	for _, k := range nameKinds {
		lexicons = append(lexicons, k.words, lexicon{"": strings.Join(k.inside, " ")})
		if k.within != nil && len(k.inside) > 0 {
			t.Errorf("%s has stems that tell in any table, and words that do not", k.what)
		}
	}
	for _, l := range lexicons {
		for language, words := range l {
			for w := range strings.FieldsSeq(words) {
				parts := strings.Split(w, "_")
				if !slices.Equal(splitWords(w), parts) || len(parts) > longestPhrase {
					t.Errorf("%q: %q is cut into %q", language, w, splitWords(w))
				}
			}
		}
	}
}

func BenchmarkColumn(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Column("customer_orders", "last_shipment_description", Text)
	}
}
