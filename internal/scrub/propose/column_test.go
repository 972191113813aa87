package propose

import (
	"strings"
	"testing"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
)

func TestSensitive(t *testing.T) {
	t.Parallel()
	textType := schema.Type{Schema: "pg_catalog", Name: "text", Kind: "b"}
	column := func(of, name string, typ schema.Type) *schema.Column {
		return &schema.Column{Name: name, Base: typ, SQL: typ.Name, Table: &schema.Table{Name: schema.Name{Schema: "public", Table: of}}}
	}
	for name, want := range map[string]bool{
		"email": true, "userEmail": true, "EMAIL_ADDRESS": true, "e_mail": true, "useremail": true, "email_status": false, "phone": true, "mobile2": true,
		"telefonnummer": true,
		"first_name":    true, "firstName": true, "lastname": true, "Vorname": true, "prénom": true, "straße": true, "username": true, "nick": true, "ip": true,
		"ip_address": true, "zip": true,
		"zip_code": true, "password_hash": true, "api_key": true, "apiKey": true, "access_token": true, "iban": true, "ssn": true, "date_of_birth": true,
		"dob": true, "message": true,
		"message_id": false, "message_type": false, "body": true, "comment_text": true, "note": true, "bio": true, "mot_de_passe": true, "sessionid": true,
		"macaddress": true, "apellido": true, "user_agent": true,
		"id": false, "status": false, "slug": false, "sku": false, "currency": false, "name": false, "zipped": false, "shipping": false, "recipe": false,
		"title": false, "country": false, "keyboard": false,
		"largecontent": true, "contenttype": false, "sitenotes": true, "contact": true, "contact_id": false, "contactinfo": true, "summary": true,
		"gecos": true, "poc_1_name": true, "tls_psk": true, "sess_id": true,
		"mail_host": false, "smtp_server": false, "username_attribute": false, "proxy_address": true, "company": false, "data": false, "vars": false,
	} {
		if what, _ := Sensitive(column("things", name, textType)); (what != "") != want {
			t.Errorf("%s: %q", name, what)
		}
	}
	for _, tt := range []struct {
		table, name, typ string
		want             string
	}{
		{"users", "name", "text", transform.Name}, {"staff_members", "name", "varchar", transform.Name}, {"products", "name", "text", ""},
		{"identities", "name", "text", transform.Name}, {"collected_addresses", "name", "text", transform.Name},
		{"identities", "organization", "text", transform.Company}, {"customers", "company_id", "text", ""}, {"t", "proxy_address", "text", transform.IP},
		{"t", "site_address", "text", transform.Street},
		{"session", "vars", "text", transform.Token}, {"php_sessions", "data", "text", transform.Token}, {"sessions", "data", "int4", ""},
		{"sessions", "name", "text", ""},
		{"t", "email_verified", "bool", ""}, {"t", "phone_count", "int4", ""}, {"t", "phone", "int8", transform.Number}, {"t", "phone_id", "int8", ""},
		{"t", "ssn", "numeric", transform.Number},
		{"t", "latitude", "float8", transform.Position}, {"t", "birth_date", "date", transform.DateShift}, {"t", "born_at", "timestamptz", transform.DateShift},
		{"t", "created_at", "timestamptz", ""}, {"t", "dob", "text", transform.DateShift},
		{"t", "doc", "jsonb", transform.SetNull}, {"t", "id", "uuid", ""}, {"t", "x", "bytea", transform.SetNull}, {"t", "address", "inet", transform.IP},
		{"t", "x", "macaddr", transform.MAC},
	} {
		_, got := Sensitive(column(tt.table, tt.name, schema.Type{Schema: "pg_catalog", Name: tt.typ, Kind: "b"}))
		if got != tt.want {
			t.Errorf("%s.%s %s: %q, want %q", tt.table, tt.name, tt.typ, got, tt.want)
		}
	}
	for _, tt := range []struct{ table, names string }{ // as people name them whose data have these words
		{"kunden", "vorname:first_name nachname:last_name name:name strasse:street hausnummer:text lieferadresse:street plz:postcode ort:city " +
			"telefonnummer:phone handynummer:phone email_adresse:email geburtsdatum:date_shift passwort:password bemerkungen:text beschreibung:text " +
			"ip_adresse:ip menge: preis: artikelnummer: kategorie: anzahl:"},
		{"clientes",
			"nombre:name apellidos:last_name correo:email telefono:phone móvil:phone dirección:street calle:street ciudad:city localidad:city " +
				"código_postal:postcode fecha_nacimiento:date_shift contraseña:password observaciones:text dni:text cantidad: precio: estado: categoria:"},
		{"utilisateurs",
			"prénom:first_name nom:name nom_de_famille:last_name courriel:email téléphone:phone adresse:street ville:city code_postal:postcode " +
				"date_naissance:date_shift mdp:password remarques:text quantite: prix: statut: categorie:"},
		{"utenti", "nome:name cognome:last_name indirizzo:street città:city comune:city telefono:phone cellulare:phone data_nascita:date_shift " +
			"codice_fiscale:text commenti:text quantita: prezzo: stato: categoria:"},
		{"klanten", "voornaam:first_name achternaam:last_name naam:name straat:street straatnaam:street huisnummer:text postcode:postcode woonplaats:city " +
			"plaats:city telefoonnummer:phone geboortedatum:date_shift wachtwoord:password opmerkingen:text aantal: prijs: categorie:"},
		{"klienci", "imię:first_name nazwisko:last_name ulica:street miasto:city miejscowość:city kod_pocztowy:postcode telefon:phone " +
			"data_urodzenia:date_shift hasło:password uwagi:text pesel:text ilosc: cena: kategoria: stan:"},
		{"clientes",
			"nome:name sobrenome:last_name endereço:street logradouro:street bairro:text cidade:city cep:postcode telefone:phone celular:phone " +
				"data_nascimento:date_shift senha:password cpf:text observações:text quantidade: preco: situacao: categoria:"},
		{"kunder", "förnamn:first_name efternamn:last_name namn:name adress:street gatuadress:street postnummer:postcode postort:city stad:city " +
			"telefonnummer:phone födelsedatum:date_shift lösenord:password anteckningar:text personnummer:text antal: pris: kategori:"},
		{"клієнти", "прізвище:last_name ім'я:name пошта:email телефон:phone адреса:street вулиця:street місто:city дата_народження:date_shift " +
			"пароль:password коментар:text кількість: ціна: статус: категорія:"},
	} {
		for _, pair := range strings.Fields(tt.names) {
			of, want, _ := strings.Cut(pair, ":")
			if _, got := Sensitive(column(tt.table, of, textType)); got != want {
				t.Errorf("%s.%s: %q, want %q", tt.table, of, got, want)
			}
		}
	}
	if what, _ := Sensitive(column("t", "mood", schema.Type{Schema: "public", Name: "mood", Kind: "e"})); what != "" {
		t.Errorf("an enum: %s", what)
	}
	if what, _ := Sensitive(column("t", "x", schema.Type{Schema: "public", Name: "text", Kind: "c"})); what == "" {
		t.Error("somebody's own type that is called text is not text")
	}
}
