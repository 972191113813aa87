package detect

// lexicon is words of names by language. Words that tell only side by side
// have _ between them.
type lexicon map[string]string

// nameKind is a kind of sensitive value and the words that tell it.
type nameKind struct {
	what      string
	transform string   // what a draft proposes
	words     lexicon  // each tells, wherever it stands in a name
	inside    []string // stems that tell within a longer word too, as in "useremail", in any table
	within    *context // only there
	alone     bool     // only if the name's other words are the table's, a person's or of no weight
	numbers   bool     // often kept in a number
	dates     bool     // kept in a date
	prose     bool     // not in tables of the product's own words
	places    bool     // not in lists of places
}

// context is where words of a kind tell: in tables whose names hold one of
// these words, or in a column's name beside one of them.
type context struct {
	tables, beside []lexicon
}

var (
	ofPeople    = context{tables: []lexicon{peopleWords, peopleTables}, beside: []lexicon{peopleWords}}
	inPeople    = context{tables: []lexicon{peopleWords, peopleTables}}
	ofAddresses = context{tables: []lexicon{addressedWords}}
	ofTexts     = context{tables: []lexicon{writtenWords}}
	ofVisits    = context{tables: []lexicon{addressedWords, writtenWords, peopleWords, peopleTables}}
	ofSessions  = context{tables: []lexicon{sessionWords}}
	ofBanks     = context{tables: []lexicon{bankWords}, beside: []lexicon{bankWords}}
	ofPush      = context{tables: []lexicon{pushWords}}
	ofSNMP      = context{tables: []lexicon{snmpWords}}
	ofBlocks    = context{tables: []lexicon{blockWords}}
)

// nameKinds is in the order of preference where words of several kinds stand
// in a name.
var nameKinds = []nameKind{
	{what: "a secret", transform: "token",
		words: lexicon{
			"en": "otp totp token tokens jwt bearer salt credential credentials psk sid nonce session_id sess_id " +
				"session_key api_key api_keys access_key private_key signing_key encryption_key license_key " +
				"secure_key log_key server_key hmac_key webservice_key webservices_key activation_key security_key " +
				"recovery_code recovery_codes backup_code backup_codes auth_code authorization_code verification_code " +
				"confirmation_code activation_code login_code reset_code security_code security_question " +
				"security_answer snmp_community",
			"de": "geheimnis zugangscode sicherheitscode",
			"es": "clave_secreta",
			"fr": "jeton",
			"it": "chiave_privata chiave_segreta",
			"nl": "geheim",
			"pl": "klucz_prywatny",
			"pt": "chave_privada",
			"sv": "hemlighet",
			"uk": "токен секрет",
		},
		inside: []string{"secret", "apikey", "accesskey", "privatekey", "accesstoken", "authtoken", "authcode",
			"sessionid"}},
	{what: "a secret", transform: "token", alone: true,
		// ha and ha_b are ha1 and ha1b without digits: digests of passwords (HTTP digest, SIP).
		words: lexicon{"en": "pin cookie cookies session sessions ha ha_b"}},
	{what: "a secret", transform: "token", within: &ofSessions, alone: true,
		words: lexicon{"en": "id data vars sess sid key value"}},
	{what: "a secret", transform: "token", within: &ofPush, words: lexicon{"en": "auth key p"}},
	{what: "a secret", transform: "token", within: &ofSNMP, words: lexicon{"en": "community"}},
	{what: "a password", transform: "password",
		words: lexicon{
			"en": "pw pwd pass",
			"es": "clave",
			"fr": "mdp mot_de_passe motdepasse",
			"pl": "haslo",
			"pt": "senha",
			"sv": "losen",
			"uk": "parol пароль",
		},
		inside: []string{"password", "passwd", "passphrase", "passwort", "kennwort", "wachtwoord", "contrasena",
			"losenord", "adgangskode", "passord"}},
	{what: "an e-mail address", transform: "email",
		words: lexicon{
			"en": "mail mails e_mail e_mails email_id mail_id mailbox sendto send_to mail_to reply_to bcc local_part",
			"es": "correo correos",
			"fr": "courriel courriels",
			"it": "posta_elettronica",
			"nb": "epost",
			"pl": "poczta",
			"sv": "epost e_post",
			"uk": "poshta пошта",
		},
		inside: []string{"email", "mailadres", "emailadr", "mailadr"}},
	{what: "a phone number", transform: "phone", numbers: true,
		words: lexicon{
			"en": "tel fax mobile cell cellphone msisdn gsm whatsapp pager dial_number call_number area_code",
			"de": "mobil handy rufnummer durchwahl",
			"es": "movil portable celular telf tlf",
			"fr": "portable telecopie",
			"it": "cellulare recapito",
			"nl": "mobiel gsm_nummer telefoonnr",
			"nb": "tlf mobilnr",
			"pl": "komorka komorkowy tel_kom",
			"pt": "celular fone",
			"sv": "mobil mobilnr tfn",
			"uk": "telefon телефон мобільнии",
		},
		inside: []string{"phone", "telefon", "telefoon", "telephon", "mobilnummer", "handynummer", "телефон"}},
	{what: "an IBAN", transform: "iban", words: lexicon{"en": "iban"}, inside: []string{"codiceiban"}},
	{what: "a card number", transform: "card", numbers: true,
		words:  lexicon{"en": "card cards cc pan", "es": "tarjeta", "pl": "karta_platnicza", "pt": "cartao"},
		inside: []string{"creditcard", "cardnumber", "kreditkarte"}},
	{what: "a payment detail", transform: "text", numbers: true,
		words: lexicon{
			"en": "bic swift cvv cvc account_number account_no sort_code routing_number " +
				"routing_no bank_account bank_code",
			"de": "kontonummer konto_nr blz bankleitzahl bankverbindung",
			"es": "numero_cuenta cuenta_bancaria cuenta_corriente",
			"fr": "rib compte_bancaire numero_compte",
			"it": "conto_corrente coordinate_bancarie",
			"nl": "rekeningnummer rekeningnr rekening_nr bankrekening",
			"pl": "nrb numer_konta nr_konta rachunek nr_bankowy numer_rachunku",
			"pt": "conta_bancaria numero_conta chave_pix",
			"sv": "kontonr bankkonto bankgiro plusgiro clearingnummer",
			"uk": "rakhunok рахунок",
		},
		inside: []string{"kontonummer"}},
	{what: "a payment detail", transform: "text", within: &ofBanks, alone: true, numbers: true,
		words: lexicon{
			"en": "account number", "de": "konto nummer", "es": "cuenta cta numero", "fr": "compte numero",
			"it": "conto numero", "nl": "rekening nummer", "pl": "konto numer", "pt": "conta numero agencia",
			"sv": "konto nummer",
		}},
	{what: "an official number", transform: "text", numbers: true,
		words: lexicon{
			"en": "ssn nin nino ein tin tax_id tax_ids tax_number tax_no vat_id vat_number vat_no national_id " +
				"national_number identity_number passport_id license_id id_number id_card identity_card personal_id " +
				"personal_number social_security driver_license drivers_license driver_licence " +
				"driving_licence driving_license " +
				"license_number licence_number license_plate number_plate plate plates vin passport_no npi mrn nhs_number " +
				"insurance_number insurance_no insurance_id policy_number social_insurance",
			"de": "ausweis ausweisnummer steuernummer steuer_nr steuer_id ustid ust_id sozialversicherung " +
				"sozialversicherungsnummer kfz_kennzeichen kennzeichen",
			"es": "dni nie nif cif cifnif nif_cif cif_nif curp cedula cuit cuil",
			"fr": "siret siren nir tva_intra num_secu numero_securite_sociale carte_identite",
			"it": "codice_fiscale cod_fiscale codicefiscale codfisc cf_piva partita_iva piva p_iva",
			"nb": "personnr fodselsnummer",
			"nl": "bsn burgerservicenummer btw btw_nummer rijbewijs kvk_nummer",
			"pl": "pesel nip regon nr_dowodu dowod nr_prawa_jazdy numer_dowodu",
			"pt": "cpf cnpj cpf_cnpj rg nis cnh nif",
			"sv": "personnummer personnr orgnr organisationsnummer samordningsnummer",
			"uk": "ipn edrpou іпн єдрпоу",
		},
		inside: []string{"passport", "personnummer", "steuernummer", "burgerservicenummer", "nationalid"}},
	{what: "an official number", transform: "text", within: &ofPeople, alone: true, numbers: true,
		words: lexicon{
			"en": "license licence document document_number id_document", "es": "documento rfc", "fr": "ine",
			"it": "documento", "pl": "ten icn", "pt": "documento identidade",
		}},
	{what: "an official number", transform: "text", within: &inPeople, alone: true, numbers: true,
		words: lexicon{"en": "ss"}},
	{what: "a date of birth", transform: "date_shift", dates: true, numbers: true,
		words: lexicon{
			"en": "dob born bday birth",
			"de": "gebdatum geb_datum gebdat",
			"es": "nacimiento fecha_nac fec_nac",
			"fr": "naissance date_naiss date_nais lieu_nais ddn ne_le",
			"it": "nascita nato_il",
			"nb": "fodt",
			"pl": "urodzenia urodz data_ur",
			"pt": "nascimento data_nasc dt_nasc nasc dt_nascimento",
			"sv": "fodd",
			"uk": "narodzhennya народження",
		},
		inside: []string{"birthda", "dateofbirth", "geburt", "geboorte", "urodzeni", "fodelse", "fodsels", "birthplace",
			"nascita", "nascimento"}},
	{what: "a first name", transform: "first_name",
		words: lexicon{
			"en": "fname mname forename forenames first_name given_name given_names middle_name middle_initial initials",
			"de": "rufname vornamen",
			"es": "primer_nombre segundo_nombre nombre_pila",
			"fr": "prenom prenoms",
			"it": "nome_battesimo",
			"nb": "fornavn",
			"nl": "voornaam voornamen voorletters roepnaam tussenvoegsel",
			"pl": "imie imiona",
			"pt": "primeiro_nome",
			"sv": "fornamn",
			"uk": "po_batkovi побатькові",
		},
		inside: []string{"firstname", "givenname", "middlename", "vorname", "voornaam"}},
	{what: "a last name", transform: "last_name",
		words: lexicon{
			"en": "lname surname last_name family_name maiden_name",
			"de": "familienname geburtsname zuname",
			"es": "apellido apellidos",
			"fr": "nom_de_famille nom_famille nom_jeune_fille nom_naissance",
			"it": "cognome",
			"nb": "etternavn",
			"nl": "geslachtsnaam familienaam meisjesnaam voorvoegsel",
			"pl": "nazwisko nazwiska",
			"pt": "sobrenome apelido",
			"sv": "efternamn",
			"uk": "prizvyshche прізвище",
		},
		inside: []string{"lastname", "surname", "familyname", "nachname", "achternaam"}},
	{what: "a person's name", transform: "name",
		words: lexicon{
			"en": "recipient recipients addressee gecos" +
				" legal_name " +
				"poc_name recipient_name billing_name shipping_name ship_name ship_to bill_to sold_to deliver_to attn " +
				"attention_of attendee attendees passenger cardholder card_holder account_holder committer author " +
				"authors reviewer signer signatory signed_by witness beneficiary payee payer insured spouse husband " +
				"next_of_kin emergency_contact salesperson sales_rep contact_person mother_name father_name " +
				"pay_to other_name installer_name preferred_name " +
				"former_name birth_name from_name to_name sender senders requester requestor assignee reporter " +
				"organizer organiser speaker invitee invitees consignee consignor traveller traveler policy_holder " +
				"policyholder maiden lead_guest",
			"de": "kontoinhaber empfaenger empfanger absender ansprechpartner sachbearbeiter bearbeiter verfasser " +
				"unterzeichner inhaber",
			"es": "destinatario remitente titular pasajero autor firmante razon_social " +
				"persona_contacto nombre_completo " +
				"nombre_apellidos administrador responsable",
			"fr": "raison_sociale destinataire expediteur titulaire passager auteur " +
				"signataire interlocuteur nom_prenom " +
				"nom_complet nom_mere nom_pere responsable",
			"it": "destinatario mittente intestatario titolare passeggero autore " +
				"ragione_sociale referente nome_cognome " +
				"nominativo nome_completo",
			"nb": "mottaker avsender forfatter",
			"nl": "ontvanger afzender rekeninghouder contactpersoon auteur",
			"pl": "odbiorca nadawca posiadacz pasazer autor imie_nazwisko osoba_kontaktowa",
			"pt": "destinatario remetente titular passageiro autor razao_social nome_completo " +
				"nome_mae nome_pai nome_social",
			"sv": "mottagare avsandare kontoinnehavare kontaktperson forfattare",
			"uk": "pib піб отримувач автор",
		},
		inside: []string{"authorname"}},
	{what: "a person's name", transform: "name", alone: true,
		words: lexicon{"en": "caller callee"}}, // caller_cseq is a counter
	{what: "a person's name", transform: "name", prose: true,
		words:  lexicon{"en": "displayname display_name full_name real_name"},
		inside: []string{"fullname", "realname"}},
	{what: "a person's name", transform: "name", within: &ofPeople, alone: true,
		words: lexicon{
			"en": "name names fn cn nm first last middle family given",
			"de": "name namen bezeichnung",
			"es": "nombre nombres",
			"fr": "nom noms",
			"it": "nome nomi",
			"nb": "navn",
			"nl": "naam namen",
			"pl": "nazwa",
			"pt": "nome nomes nm",
			"sv": "namn",
			"uk": "imia imya nazva імя ім_я назва",
		}},
	{what: "a company", transform: "company", within: &ofPeople, prose: true, alone: true,
		words: lexicon{
			"en": "company organization organisation employer", "de": "firma arbeitgeber", "es": "empresa",
			"fr": "societe entreprise", "it": "azienda ditta", "nl": "bedrijf", "pl": "firma", "pt": "empresa",
			"sv": "foretag",
		}},
	{what: "a network address", transform: "ip", numbers: true,
		words: lexicon{"en": "ip ips ipaddr ipv proxy_address server_address host_address remote_address remote_addr " +
			"client_address client_addr src_addr dst_addr src_address dst_address peer_address peer_addr listen_address " +
			"bind_address forwarded_for login_host " +
			"calling_station framed_prefix framed_ip delegated_prefix"},
		inside: []string{"ipaddress", "ipadress"}},
	{what: "a network address", transform: "ip", within: &ofBlocks,
		words: lexicon{"en": "address range_start range_end hex"}},
	{what: "a network address", transform: "mac",
		words:  lexicon{"en": "mac"},
		inside: []string{"macaddr", "macadress"}},
	{what: "an account's name", transform: "text",
		words: lexicon{
			"en": "login nick handle jid acct telegram skype discord twitter instagram facebook linkedin " +
				"snapchat googleplus jabber icq msn openid open_id screen_name user_name " +
				"login_id login_name user_login " +
				"user_nicename social_networks social_media security_name http_user remote_user " +
				"db_user src_user smtp_user " +
				"ftp_user mail_user created_user updated_user google_id apple_id facebook_id " +
				"twitter_id telegram_id discord_id linkedin_id github_id microsoft_id chat_id " +
				"assigned_to created_by updated_by " +
				"modified_by changed_by deleted_by performed_by placed_by booked_by " +
				"reported_by submitted_by requested_by " +
				"reviewed_by approved_by entered_by uploaded_by",
			"de": "benutzer nutzername anmeldename",
			"es": "usuario nombre_usuario",
			"fr": "identifiant pseudo nom_utilisateur utilisateur",
			"it": "utente nome_utente",
			"nb": "brukernavn",
			"nl": "gebruikersnaam",
			"pl": "uzytkownik",
			"pt": "usuario nome_usuario",
			"sv": "anvandarnamn",
			"uk": "логін",
		},
		inside: []string{"username", "nickname", "benutzername", "screenname", "socialnetwork", "socialmedia",
			"jabberid"}},
	{what: "an account's name", transform: "text", alone: true,
		words: lexicon{"en": "user"}},
	{what: "an account's name", transform: "text", within: &ofPeople, words: lexicon{"en": "alias"}},
	{what: "a web address", transform: "url", within: &ofPeople, alone: true,
		words: lexicon{
			"en": "url website web web_site homepage home_page webpage blog avatar avatar_url photo_url portfolio",
			"de": "webseite", "es": "sitio_web pagina_web", "fr": "site_web", "it": "sito sito_web",
			"sv": "hemsida",
		}},
	{what: "a device's mark", transform: "text",
		words: lexicon{"en": "imei imsi udid fingerprint hostname device_id device_token user_agent comment_agent " +
			"browser_agent"},
		inside: []string{"useragent"}},
	{what: "a postcode", transform: "postcode", places: true, numbers: true,
		words: lexicon{
			"en": "zip pcode postal_code post_code mail_code zip_code",
			"de": "plz",
			"es": "codigo_postal codpostal cod_postal cpostal apartado",
			"fr": "code_postal codepostal",
			"it": "codice_postale",
			"nb": "postnr",
			"nl": "postcd",
			"pl": "kod_pocztowy kod_poczt",
			"pt": "cep codigo_postal",
			"sv": "postnr",
			"uk": "індекс",
		},
		inside: []string{"postcode", "postleitzahl", "zipcode", "postnummer", "codpostal", "codepostal", "codigopostal",
			"kodpocztowy"}},
	{what: "a postcode", transform: "postcode", places: true, within: &ofAddresses, alone: true,
		words: lexicon{"fr": "cp", "it": "cap", "es": "cp"}},
	{what: "a city", transform: "city", places: true,
		words: lexicon{
			"en": "city town locality",
			"de": "ort wohnort stadt ortschaft",
			"es": "ciudad localidad municipio poblacion",
			"fr": "ville commune",
			"it": "citta comune",
			"nb": "poststed by_navn",
			"nl": "woonplaats plaats stad gemeente",
			"pl": "miasto miejscowosc poczta",
			"pt": "cidade municipio localidade",
			"sv": "postort",
			"uk": "misto місто",
		}},
	{what: "a place", transform: "text", places: true, numbers: true,
		words: lexicon{
			"en": "geo gps coordinates house_number house_no street_number address_country address_region " +
				"address_state box_no unit_no po_box building_number post_office",
			"de": "hausnummer hausnr haus_nr wohnung postfach",
			"es": "colonia barrio",
			"fr": "lieu_dit",
			"it": "civico numero_civico frazione",
			"nl": "huisnummer busnummer huisnr toevoeging",
			"pl": "nr_domu nr_mieszkania numer_domu numer_budynku nr_budynku numer_mieszkania",
			"pt": "bairro numero_casa complemento nr_residencia",
			"sv": "husnummer",
			"uk": "будинок квартира",
		},
		inside: []string{"hausnummer", "huisnummer", "housenumber", "postoffice"}},
	{what: "a place", transform: "text", within: &ofVisits, places: true, words: lexicon{"en": "location"}},
	{what: "a place", transform: "text", within: &ofAddresses, alone: true, places: true, numbers: true,
		words: lexicon{
			"en": "house flat apartment building line line_one line_two line_three other", "es": "numero",
			"pt": "numero",
			"it": "interno", "pl": "numer",
		}},
	{what: "a street", transform: "street", places: true,
		words: lexicon{
			"en": "addr",
			"de": "adresse anschrift lieferadresse gasse",
			"es": "calle direccion domicilio",
			"fr": "adresse rue domicile voie",
			"it": "indirizzo",
			"nb": "adresse gateadresse",
			"nl": "adres straat",
			"pl": "adres ulica",
			"pt": "rua endereco logradouro morada",
			"sv": "adress gata gatuadress gade",
			"uk": "vulytsia adresa адреса вулиця",
		},
		inside: []string{"address", "adress", "street", "strasse", "straat", "anschrift", "adres"}},
	{what: "a street", transform: "street", within: &ofAddresses, alone: true, places: true,
		words: lexicon{"it": "via", "es": "via"}},
	{what: "a place", transform: "text", words: lexicon{"en": "postal"}, places: true},
	{what: "a position", transform: "position", numbers: true, places: true,
		words: lexicon{"en": "lat lon lng latitude longitude geolat geolong geolon"}},
	{what: "a trait of a person", transform: "text", numbers: true,
		words: lexicon{
			"en": "gender sex nationality religion ethnicity race marital marital_status " +
				"diagnosis allergies ethnoracial " +
				"disability blood_type blood_group pronouns smoker symptoms medication medications " +
				"medical_history sexual_orientation occupation demographics salary monthly_income " +
				"annual_income wage homeless",
			"de": "geschlecht familienstand konfession staatsangehoerigkeit gehalt beruf religionszugehoerigkeit",
			"es": "sexo genero estado_civil nacionalidad salario sueldo",
			"fr": "sexe nationalite etat_civil situation_familiale salaire",
			"it": "sesso nazionalita stato_civile stipendio",
			"nl": "geslacht geslachtsaanduiding nationaliteit burgerlijke_staat",
			"pl": "plec narodowosc stan_cywilny",
			"pt": "sexo genero estado_civil nacionalidade salario raca",
			"sv": "civilstand",
			"uk": "стать",
		},
		inside: []string{"geschlecht"}},
	{what: "a trait of a person", transform: "text", within: &ofPeople, alone: true, numbers: true,
		words: lexicon{"en": "genre income", "fr": "genre"}},
	{what: "free text", transform: "text", within: &ofPeople, alone: true, words: lexicon{"en": "cv references"}},
	{what: "free text", transform: "text", prose: true,
		words: lexicon{
			"en": "body msg contact note notes memo bio about remark remarks feedback transcript prompt " +
				"payload raw vcard resume biography testimonial complaint dictation " +
				"cover_letter special_requests delivery_instructions content contents text txt summary",
			"de": "kommentar kommentare nachricht nachrichten notiz notizen bemerkung " +
				"bemerkungen anmerkung anmerkungen " +
				"vermerk verwendungszweck lebenslauf",
			"es": "contacto comentario comentarios mensaje mensajes nota notas observacion observaciones",
			"fr": "commentaire commentaires remarque remarques observation observations",
			"it": "contatto commento commenti messaggio messaggi nota annotazioni osservazioni",
			"nb": "melding merknad kommentar",
			"nl": "bericht berichten opmerking opmerkingen toelichting",
			"pl": "wiadomosc wiadomosci uwagi komentarz tresc",
			"pt": "contato comentario comentarios mensagem mensagens observacao observacoes obs recado",
			"sv": "meddelande meddelanden anteckning anteckningar kommentar",
			"uk": "коментар примітка повідомлення",
		},
		inside: []string{"comment", "message", "freetext", "content", "contactinfo", "notes",
			"freeform"}},
	{what: "free text", transform: "text", within: &ofTexts, prose: true,
		words: lexicon{
			"en": "description details detail subject info information html xml data reason " +
				"caption headers reply answer " +
				"statement signature",
			"de": "beschreibung betreff", "es": "descripcion asunto detalle", "fr": "description objet",
			"it": "descrizione oggetto", "nb": "beskrivelse", "nl": "omschrijving onderwerp", "pl": "opis temat",
			"pt": "descricao assunto", "sv": "beskrivning amne", "uk": "опис тема",
		}},
}

// peopleWords are the tables whose rows are people, and those whom a name may
// be of.
var peopleWords = lexicon{
	"en": "user customer client person people member contact employee staff patient author guest subscriber " +
		"student teacher driver tenant applicant candidate recipient sender attendee " +
		"participant visitor player owner admin administrator passenger director actor actress artist " +
		"musician composer writer singer parent mother father guardian child children pupil professor " +
		"instructor coach doctor physician nurse practitioner insured beneficiary payee payer holder cardholder " +
		"signer witness resident citizen inhabitant voter donor volunteer worker manager supervisor officer " +
		"representative salesperson buyer purchaser borrower debtor creditor spouse husband wife relative friend " +
		"follower creator reviewer assignee technician speaker trainer trainee learner referee athlete pilot captain " +
		"cashier clerk caller callee inmate prisoner offender suspect victim respondent signatory " +
		"kin",
	"de": "kunde kunden benutzer nutzer mitarbeiter mitglied mitglieder person personen ansprechpartner schueler " +
		"schuler lehrer patient patienten patientenliste teilnehmer gast gaeste autor autoren " +
		"fahrer bewerber angestellte " +
		"kontakt kontakte empfaenger absender mieter eigentuemer student studenten anwender professor assistent",
	"es": "usuario cliente empleado persona contacto agente proveedor pasajero alumno profesor paciente autor autores " +
		"conductor miembro socio huesped propietario inquilino trabajador vendedor comprador titular pasajeros " +
		"director directores actor actores",
	"fr": "utilisateur client employe membre personne contact adherent eleve professeur enseignant patient auteur " +
		"passager conducteur locataire proprietaire salarie etudiant acteur realisateur fournisseur responsable " +
		"mere pere adherents",
	"it": "utente utenti cliente clienti dipendente dipendenti persona persone contatto contatti referente referenti " +
		"anagrafica anagrafiche paziente pazienti studente studenti socio soci autore autori passeggero passeggeri " +
		"conducente attore attori regista registi fornitore fornitori agente agenti docente docenti",
	"nb": "kunde kunder person personer medlem medlemmer ansatt ansatte bruker brukere pasient elev elever",
	"nl": "klant klanten gebruiker gebruikers medewerker medewerkers persoon personen lid leden patient leerling " +
		"leerlingen docent werknemer werknemers contactpersoon bewoner bewoners natuurlijkpersoon acteur acteurs",
	"pl": "klient klienci pracownik pracownicy uzytkownik uzytkownicy osoba osoby pacjent pacjenci uczen uczniowie " +
		"czlonek czlonkowie pasazer pasazerowie autor autorzy aktor aktorzy kontrahent kontrahenci student studenci " +
		"nauczyciel administrator",
	"pt": "usuario cliente funcionario pessoa membro contato aluno professor paciente autor autores passageiro " +
		"motorista fornecedor socio empregado colaborador hospede mae pai ator atores diretor diretores",
	"sv": "kund kunder anvandare medarbetare person personer medlem medlemmar medlemsregister patient patienter elev " +
		"elever anstalld anstallda forfattare skadespelare regissor",
	"uk": "клієнт клієнти користувач користувачі працівник працівники особа особи пацієнт пацієнти учень " +
		"студент",
}

// peopleTables are further tables whose rows are people; in a column's own name
// these words say little.
var peopleTables = lexicon{
	"en": "account identity address profile lead cast crew agent principal mailbox vcard addressbook",
}

// addressedWords are the tables whose rows have an address.
var addressedWords = lexicon{
	"en": "address user customer client person member contact employee patient account supplier vendor location " +
		"company branch site",
	"de": "adresse adressen kunde kunden mitglied mitglieder lieferant lieferanten",
	"es": "direccion direcciones cliente contacto proveedor usuario empresa",
	"fr": "adresse client adherent membre fournisseur societe",
	"it": "indirizzo indirizzi cliente clienti fornitore fornitori anagrafica anagrafiche sede sedi azienda",
	"pl": "adres adresy klient klienci",
	"pt": "endereco enderecos cliente usuario fornecedor pessoa empresa",
}

// writtenWords are the tables of what people write of themselves and of others.
var writtenWords = lexicon{
	"en": "ticket issue task incident complaint request case appointment visit encounter diagnosis treatment claim " +
		"message mail email comment note journal review inquiry enquiry question answer " +
		"application conversation chat post " +
		"reply feedback correspondence letter attachment vacation calendar event meeting alert mailing archive " +
		"spool refund cancellation absence leave patient user customer client person contact employee member interview " +
		"caldav",
	"de": "anfrage beschwerde termin nachricht nachrichten vorgang kunde kunden mitglied mitglieder brief",
	"es": "mensaje incidencia cita cliente contacto queja",
	"fr": "message demande reclamation client adherent cotisation",
	"it": "messaggio messaggi richiesta appuntamento cliente clienti",
	"nl": "bericht berichten klacht afspraak klant klanten zaak zaken",
	"pl": "wiadomosc wiadomosci zgloszenie klient klienci",
	"pt": "mensagem mensagens chamado reclamacao consulta cliente",
	"sv": "meddelande arende kund kunder",
	"uk": "повідомлення звернення клієнти",
}

// sessionWords are the tables whose rows let somebody in.
var sessionWords = lexicon{"en": "session sess bosh"}

// bankWords are the tables of bank accounts.
var bankWords = lexicon{
	"en": "bank rib mandate sepa", "de": "bankverbindung bankkonto", "es": "banco cuentasbco banca cuentasbcocli",
	"fr": "banque", "it": "banca banche", "pl": "bank rachunek", "pt": "banco contas",
}

// pushWords, snmpWords and blockWords are tables in which short words tell.
var (
	pushWords  = lexicon{"en": "push subscription"}
	snmpWords  = lexicon{"en": "snmp"}
	blockWords = lexicon{"en": "ipblocks ip_changes ipblock ban"}
)

// ownWords are the tables of the product's own words, and of lists to choose
// from: names and texts in them are nobody's. What is left of l10n and i18n
// without digits is n.
var ownWords = lexicon{
	"en": "type class kind category role permission template preset translation language currency country unit " +
		"tax group privilege menu lookup setting config term terms n localization tag option enum " +
		"announcement update lang state module theme plugin feature version release label catalog property definition " +
		"right scope policy rule",
	"de": "typ art kategorie rolle gruppe waehrung land einstellung vorlage",
	"es": "tipo categoria rol permiso estado pais moneda grupo plantilla",
	"fr": "categorie pays devise groupe modele",
	"it": "tipo tipi categoria categorie ruolo ruoli stato nazione nazioni gruppo",
	"nl": "soort categorie groep land",
	"pl": "typ kategoria rola grupa kraj",
	"pt": "tipo categoria permissao permissoes situacao grupo",
	"sv": "typ kategori roll grupp",
}

// gradeWords are tables of what people are or have, not of people.
var gradeWords = lexicon{"en": "status level plan tier segment grade rank list log"}

// placeWords are the tables that list places, nobody's.
var placeWords = lexicon{
	"en": "city town country state region province district territory zipcode zip postcode street building borough",
	"de": "ort orte land laender bundesland", "es": "ciudad pais provincia", "fr": "ville pays region",
	"it": "citta comune comuni provincia", "nl": "gemeente plaats", "pl": "miasto miasta kraj",
	"pt": "cidade estado pais",
}

// aboutWords are last words, and last phrases, that say: this is about the value, not
// the value. A content_address is where a text is kept.
var aboutWords = lexicon{
	"en": "id ids uuid guid type kind status count format lang language locale mode enabled verified provider version " +
		"template category level total limit size length policy method attribute host server " +
		"port encoding notification " +
		"notifications required visibility visible hidden flag flags option options scheme algorithm expiry expires " +
		"expiration validity changed style styles color model pattern field column domain " +
		"charset timezone period interval " +
		"quota sha md checksum preference preferences filter tag path dir directory folder file filename " +
		"mime ext extension css theme icon image delimiter separator prefix suffix regexp " +
		"regex wildcard mask query sql " +
		"script command module title default min max precision width height rows cols incoterms modem " +
		"content_address",
}

// aboutFirst are first words that say so.
var aboutFirst = lexicon{
	"en": "is has can allow show hide enable use need pref attr attribute type auto force require requires max min " +
		"count",
	"es": "tipo", "fr": "type", "it": "tipo", "pt": "tipo",
}

// versionWords are last words of columns that hold version numbers.
var versionWords = lexicon{"en": "version versions release build firmware"}

// amountWords are last words of numbers that are keys or amounts.
var amountWords = lexicon{"en": "id ids num qty amount score rate price cents fee at attempts"}

// joinedWords say nothing, and are known only so that words that are run
// together can be taken apart.
var joinedWords = lexicon{
	"en": "code file table column form page host domain server report order item product web site",
}

// lightWords are of no weight beside others.
var lightWords = lexicon{
	"en": "last first previous prev old new current main primary secondary other alt second " +
		"third my own real full home " +
		"work private public mobile personal office business default failed login logins " +
		"signup sign up in of the to from " +
		"by at on for date time created updated normalized lower raw encrypted hashed hash " +
		"temp temporary reset tmp one " +
		"two three number no nr id remote int internal key sort search phonetic soundex",
	"de": "des der von privat dienstlich letzte",
	"es": "de del la el", "fr": "de du la le", "it": "di del della", "pt": "de do da",
}
