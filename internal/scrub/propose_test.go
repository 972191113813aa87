package scrub

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
	"daybefore/internal/scrub/scrubtest"
	"daybefore/internal/verdict"
)

// hints are the lines that the checks say to add.
func hints(t testing.TB, checks []verdict.Check) []string {
	t.Helper()
	var all []string
	for _, c := range checks {
		if strings.HasPrefix(c.Hint, "no transform fits: ") {
			continue
		}
		_, lines, found := strings.Cut(c.Hint, "\n")
		if !found {
			t.Fatalf("no line to add: %+v", c)
		}
		all = append(all, strings.Split(lines, "\n")...)
	}
	return all
}

// What is proposed fits: it is taken with all that the columns ask for, says
// what suits, keeps keys keys and foreign keys whole.
func TestProposals(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	s := situation{ddl: scrubtest.Nasty, definitions: scrubtest.NastyKeys}
	_, checks := s.planOn(t, conn)
	got := hints(t, checks)
	want := []string{
		`- {column: public.keys.email, transform: permute, link: email_permute}`,
		`- {column: public.keys.note, transform: text}`,
		`- {column: public.orders.user_email, transform: email, link: email}`,
		`- {column: public.orders.by_login, transform: token, link: login}`,
		`- {column: public.orders.ssn, transform: permute, link: official_number}`,
		`- {column: public.orders.contact_email, transform: email, link: email}`,
		`- {column: public.orders.shipping_address, transform: street}`,
		`- {column: public.staff.office_phone, transform: permute, link: phone_permute}`,
		`- {column: public.users.email, transform: email, link: email}`,
		`- {column: public.users.login, transform: token, link: login}`,
		`- {column: public.users.ssn, transform: permute, link: official_number}`,
		`- {column: public.users.address, transform: street}`,
		`- {column: public.users.address_city, transform: city}`,
		`- {column: public.users.zip, transform: postcode}`,
		`- {column: public.users.website, transform: url}`,
		`- {column: public.users.iban, transform: iban}`,
		`- {column: public.users.card_number, transform: card}`,
		`- {column: public.users.last_ip, transform: ip, link: ip}`,
		`- {column: public.users.device, transform: mac}`,
		`- {column: public.users.ip_text, transform: ip, link: ip}`,
		`- {column: public.users.phones, transform: permute, link: phone_permute, each: true}`,
		`- {column: public.users.born, transform: date_shift}`,
		`- {column: public.users.home, fields: [{field: street, transform: street}, {field: zip, transform: postcode}, ` +
			`{field: at.lat, transform: position, link: position}, {field: at.lon, transform: position, link: position}, {field: phones, transform: set_null}]}`,
		`- {column: public.users.homes, each: true, fields: [{field: street, transform: street}, {field: zip, transform: postcode}, {field: at.lat, transform: ` +
			`position, link: position}, {field: at.lon, transform: position, link: position}, {field: phones, transform: set_null}]}`,
		`- {column: public.users.profile, unmatched_paths: redact}`,
		`- {column: public.users.profiles, each: true, unmatched_paths: redact}`,
		`- {column: public.users.tags, transform: text}`,
		`- {column: public.users.search, transform: constant, value: ''}`,
		`- {column: public.users.avatar, transform: set_null}`,
		`- {column: public.users.scans, transform: set_null}`,
		`- {column: public.users.marks, transform: hash, each: true}`,
		`- {column: public.users.password_hash, transform: password}`,
		`- {column: public.users.pin, transform: text}`,
		`- {column: public.users.page, transform: constant, value: ''}`,
		`- {column: 'public.users."E Mail"', transform: email, link: email}`,
		`- {column: public.users.lat, transform: position, link: position}`,
		`- {column: public.users.mobile, transform: permute, link: phone_permute}`,
		`- {column: public.uses.key_email, transform: permute, link: email_permute}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.rules = scrubtest.LoadRules(t, got).Rules
	_, checks = s.planOn(t, conn)
	const refused = "no transform fits: it decides which partition of public.visits a row belongs to, and there is none for all that email makes; " +
		"leave its rows out (exclude_table_data: [public.visits]), or preserve it with a why of your own"
	if len(checks) != 1 || checks[0].ID != "unmatched:public.visits.visitor_email" || checks[0].Hint != refused {
		t.Errorf("%+v", checks)
	}
}

// What a foreign key ties to a column that looks sensitive comes with it,
// though it looks like nothing itself; and where the drill file has decided for
// one side, the other follows.
func TestProposalsKeepForeignKeys(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	s := situation{
		ddl: `create table people (login text); create table visits (who text, at date); create table badges (holder text);
			create table mails (email text); create table sent (recipient_mail text); create table bounced (of_mail text, to_phone varchar(30));
				create table phones (phone varchar(30)); create table seen (username varchar(40), handle varchar(9))`,
		definitions: []string{
			"ALTER TABLE ONLY public.people ADD CONSTRAINT people_pkey PRIMARY KEY (login);",
			"ALTER TABLE ONLY public.mails ADD CONSTRAINT mails_pkey PRIMARY KEY (email);",
			"ALTER TABLE ONLY public.phones ADD CONSTRAINT phones_pkey PRIMARY KEY (phone);",
			"ALTER TABLE ONLY public.visits ADD CONSTRAINT v FOREIGN KEY (who) REFERENCES public.people(login);",
			"ALTER TABLE ONLY public.badges ADD CONSTRAINT b FOREIGN KEY (holder) REFERENCES public.visits(who);",
			"ALTER TABLE ONLY public.sent ADD CONSTRAINT s FOREIGN KEY (recipient_mail) REFERENCES public.mails(email);",
			"ALTER TABLE ONLY public.bounced ADD CONSTRAINT o FOREIGN KEY (of_mail) REFERENCES public.mails(email);",
			"ALTER TABLE ONLY public.bounced ADD CONSTRAINT p FOREIGN KEY (to_phone) REFERENCES public.phones(phone);",
		},
		rules: rules(t, "public.mails.email hash link=mail", "public.sent.recipient_mail hash link=mail", "public.phones.phone preserve"),
	}
	_, checks := s.planOn(t, conn)
	checks = slices.DeleteFunc(checks, func(c verdict.Check) bool { return c.Code != verdict.CodeUnmatched })
	got := hints(t, checks)
	want := []string{
		`- {column: public.bounced.of_mail, transform: hash, link: mail}`,
		`- {column: public.bounced.to_phone, preserve: true, why: "made for the test"}`,
		`- {column: public.people.login, transform: token, link: login}`,
		`- {column: public.visits.who, transform: token, link: login}`,
		`- {column: public.badges.holder, transform: token, link: login}`,
		`- {column: public.seen.username, transform: token, link: login}`,
		`- {column: public.seen.handle, transform: text}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.rules = append(s.rules, scrubtest.LoadRules(t, got).Rules...)
	if _, checks := s.planOn(t, conn); len(checks) > 0 {
		t.Errorf("%+v", checks)
	}
}
