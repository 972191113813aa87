-- The back office of a made-up group of surgeries: a sign-in, a small CRM,
-- patients, invoices, a shop, and what the operators keep. A name in double braces
-- stands for a value of planted.tsv: the planted secret in one twin, its
-- look-alike in the other. All else is the same in both, and no secret. With
-- :json after the name the value is escaped as JSON wants it, with :php as
-- PHP writes JSON.

CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION postgres_fdw;

CREATE SCHEMA auth;
CREATE SCHEMA crm;
CREATE SCHEMA clinic;
CREATE SCHEMA billing;
CREATE SCHEMA ops;
CREATE SCHEMA audit;
CREATE SCHEMA web;
CREATE SCHEMA legacy;
CREATE SCHEMA reporting;
COMMENT ON SCHEMA crm IS 'owner: {{comment_schema}}';

CREATE DOMAIN public.email_address AS citext CHECK (VALUE ~ '@');
CREATE DOMAIN public.free_text AS text;
CREATE DOMAIN public.text_list AS text[];
CREATE DOMAIN public.reply_to AS text
    DEFAULT '{{domain_default}}'
    CONSTRAINT reply_to_not_old CHECK (VALUE <> '{{domain_check}}');
COMMENT ON DOMAIN public.reply_to IS 'fallback line {{comment_domain}}';
CREATE TYPE public.inetrange AS RANGE (subtype = inet);
CREATE TYPE crm.postal AS (street text, zip text, city text, country character(2));
CREATE TYPE crm.reference AS (a text, b text, weight integer);
COMMENT ON TYPE crm.reference IS 'sample: ({{comment_type}},,1)';
CREATE TYPE ops.pager AS ENUM ('none', 'primary', '{{enum_label}}');

-- what the fill below chooses by
CREATE FUNCTION public.digits(n bigint, what text, size integer) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
    SELECT substr(translate(md5(what || n) || md5(n || what), 'abcdef', '271828'), 1, size)
$$;

-- auth

CREATE TABLE auth.users (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login          citext NOT NULL UNIQUE,
    email          public.email_address NOT NULL,
    full_name      text NOT NULL,
    phone          text,
    password_hash  text,
    last_login_ip  inet,
    recovery       text,
    locale         text NOT NULL DEFAULT 'de-AT',
    created_at     timestamp with time zone NOT NULL DEFAULT '2026-01-05 08:00+00'
);
COMMENT ON COLUMN auth.users.locale IS 'a BCP 47 tag, since 7.2.0';

INSERT INTO auth.users (login, email, full_name, phone, password_hash, last_login_ip, recovery) VALUES
    ('mkovac', '{{user1_email}}', '{{user1_full_name}}', '{{user1_phone}}', '{{user1_password_hash}}', '{{user1_ip}}', NULL),
    ('tlind', '{{user2_email}}', 'Front desk', NULL, NULL, NULL, NULL),
    ('{{login_email}}', 'user3@example.invalid', 'Reception', NULL, NULL, NULL, '{{recovery_email}}'),
    ('{{login_phone}}', 'user4@example.invalid', 'Laboratory', NULL, NULL, NULL, NULL);
INSERT INTO auth.users (login, email, full_name, created_at)
SELECT 'agent-' || n, 'user' || n || '@example.invalid', 'Agent ' || n, timestamptz '2026-01-05 08:00+00' + n * interval '7 hours'
FROM generate_series(5, 60) AS n;

CREATE TABLE auth.sessions (
    id          uuid PRIMARY KEY,
    user_id     bigint NOT NULL REFERENCES auth.users (id),
    ip_address  text,
    token       text,
    user_agent  text,
    state       jsonb NOT NULL DEFAULT '{}',
    seen_at     timestamp with time zone NOT NULL
);
INSERT INTO auth.sessions (id, user_id, ip_address, token, user_agent, state, seen_at)
SELECT md5('session' || n)::uuid, 1 + n % 60,
       CASE n WHEN 7 THEN '{{session_ip4}}' WHEN 9 THEN '{{session_ip6}}' END,
       CASE n WHEN 8 THEN '{{session_token}}' END,
       CASE n % 3
           WHEN 0 THEN 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36'
           WHEN 1 THEN 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0.6099.129 Edg/120.0.2210.91'
           ELSE 'okhttp/4.12.0 practice-app/7.2.0.118 (build 10.0.19045.3803)' END,
       CASE n WHEN 11 THEN '{"page": "/login", "seen": [{"from": "{{session_state_ip:json}}"}]}'::jsonb
              ELSE jsonb_build_object('page', '/orders/' || public.digits(n, 'page', 9), 'csrf', md5('csrf' || n), 'tz', '+02:00') END,
       timestamptz '2026-02-01 06:00+00' + n * interval '11 minutes'
FROM generate_series(1, 120) AS n;

CREATE TABLE auth.api_keys (
    id       bigint PRIMARY KEY,
    user_id  bigint REFERENCES auth.users (id),
    label    text NOT NULL,
    secret   text,
    sample   text
);
INSERT INTO auth.api_keys VALUES
    (1, 1, 'calendar', '{{api_secret_1}}', NULL),
    (2, 1, 'billing', NULL, 'see page 12'),
    (3, 2, 'mirror', NULL, 'curl -u "{{api_sample_curl}}"'),
    (4, 2, 'docs', NULL, 'curl -H "Authorization: Bearer $TOKEN" https://docs.example/v2/items');

CREATE TABLE auth.oauth_clients (
    id      integer PRIMARY KEY,
    config  jsonb NOT NULL,
    owners  citext[] NOT NULL DEFAULT '{}'
);
INSERT INTO auth.oauth_clients VALUES
    (1, '{"provider": "maps", "flow": {"id": "practice-app", "value": "{{oauth_google_secret:json}}"}}', '{root,"{{oauth_owner}}"}'),
    (2, '{"provider": "lab", "jwk": {"pem": "{{oauth_pem:json}}"}}', '{root}'),
    (3, '{"provider": "sso", "jwk": {"pem": "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7n0tS3cr3tAtA11\n-----END PUBLIC KEY-----"}}', '{root,ci}');

-- crm

CREATE TABLE crm.contacts (
    id        bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    kind      text NOT NULL DEFAULT 'lead' CHECK (kind <> '{{check_kind}}'),
    nick      text NOT NULL,
    host      text,
    mailto    text GENERATED ALWAYS AS (nick || '@' || host) STORED,
    remark    character varying(200) DEFAULT '{{default_remark}}',
    channels  jsonb NOT NULL DEFAULT '{}',
    tags      text[] NOT NULL DEFAULT '{}',
    attrs     hstore,
    home      crm.reference,
    links     crm.reference[],
    matter    public.free_text,
    aliases   public.text_list,
    reply     public.reply_to DEFAULT NULL
);
COMMENT ON TABLE crm.contacts IS 'imported by {{comment_table_contacts}}';
COMMENT ON COLUMN crm.contacts.matter IS 'for example: call {{comment_column_matter}} first';
COMMENT ON CONSTRAINT contacts_kind_check ON crm.contacts IS 'see {{comment_constraint}}';

INSERT INTO crm.contacts (nick, remark)
SELECT 'lead-' || n, 'slot ' || n || ', ticket 2026-' || lpad(n::text, 5, '0') || ', part ' || public.digits(n, 'part', 3) || '-' || public.digits(n, 'of', 4)
FROM generate_series(1, 80) AS n;
UPDATE crm.contacts SET channels = jsonb_build_object('score', id * 1.25, 'ref', md5('ref' || id), 'geo', jsonb_build_array(48.20849 + id * 0.001, 16.37208)),
    tags = ARRAY['wave' || id % 4, '@team', '+1', '#' || id], attrs = hstore('build', '7.2.' || id || '.1180'),
    links = ARRAY[ROW('ISBN', '978-3-16-148410-0', id)::crm.reference], aliases = ARRAY['c' || id, 'org.practice.crm@' || id],
    remark = nullif(remark, 'slot 0');
UPDATE crm.contacts SET nick = split_part('{{generated_email}}', '@', 1), host = split_part('{{generated_email}}', '@', 2) WHERE id = 3;
UPDATE crm.contacts SET remark = 'evenings only, {{remark_phone}}' WHERE id = 4;
UPDATE crm.contacts SET channels = '{"primary": "{{channel_email:json}}"}' WHERE id = 5;
UPDATE crm.contacts SET channels = '{"a": {"b": {"c": ["x", "{{channel_phone:json}}"]}}}' WHERE id = 6;
UPDATE crm.contacts SET channels = '[[[{"k": [{"v": [{"w": "{{channel_iban:json}}"}]}]}]]]' WHERE id = 7;
UPDATE crm.contacts SET channels = '{"votes": {"{{channel_key_email:json}}": 3}}' WHERE id = 8;
UPDATE crm.contacts SET tags = '{vip,"{{tag_email}}"}' WHERE id = 9;
UPDATE crm.contacts SET tags = '{"+2 more",late}' WHERE id = 10;
UPDATE crm.contacts SET attrs = 'desk=>"{{hstore_phone}}"' WHERE id = 11;
UPDATE crm.contacts SET attrs = 'seen=>7, from=>"{{hstore_ip}}"' WHERE id = 12;
UPDATE crm.contacts SET attrs = '"{{hstore_key_email}}"=>yes' WHERE id = 13;
UPDATE crm.contacts SET home = ROW('after six', '{{composite_phone}}', 2) WHERE id = 14;
UPDATE crm.contacts SET home = ROW('a@', NULL, 1) WHERE id = 15;
UPDATE crm.contacts SET links = ARRAY[ROW('a', 'b', 1), ROW('bank', '{{composite_array_iban}}', 2)]::crm.reference[] WHERE id = 16;
UPDATE crm.contacts SET links = ARRAY[ROW('say "hi"', 'to {{composite_array_email}}', 2)]::crm.reference[] WHERE id = 17;
UPDATE crm.contacts SET matter = 'new papers: {{domain_nie}}' WHERE id = 18;
UPDATE crm.contacts SET matter = 'writes as before' WHERE id = 19;
UPDATE crm.contacts SET aliases = ARRAY['kiki', '{{domain_array_email}}'] WHERE id = 20;

CREATE TABLE crm.notes (
    id          bigint PRIMARY KEY,
    contact_id  bigint REFERENCES crm.contacts (id),
    body        text NOT NULL
);
COMMENT ON TABLE crm.notes IS 'what was said on the phone';
INSERT INTO crm.notes VALUES
    (1, 1, 'Prefers mail: {{note_email}}, never before nine.'),
    (2, 2, 'Rang from {{note_phone_intl}} about the invoice.'),
    (3, 3, 'Office in Boston {{note_phone_us}} (ask for the desk).'),
    (4, 4, 'Wants to pay with {{note_card_spaces}}, end of month.'),
    (5, 5, 'Old card was {{note_card_dashes}}; do not use.'),
    (6, 6, 'Refund to {{note_iban_spaces}} please.'),
    (7, 7, 'Bank details changed, now {{note_iban_compact}}.'),
    (8, 8, 'Blocked after 40 attempts from {{note_ip4}}.'),
    (9, 9, 'Same from {{note_ip6}}, twice.'),
    (10, 10, 'Gave social security number {{note_ssn}} over the phone.'),
    (11, 11, 'NI number {{note_nino}} confirmed.'),
    (12, 12, 'Documento {{note_dni}}, caduca pronto.'),
    (13, 13, 'CF {{note_codice_fiscale}} sulla ricetta.'),
    (14, 14, repeat('The patient was seen again and is doing well. ', 120) || 'Copy to {{note_long_email}}. ' || repeat('Nothing else was said that day. ', 90)),
    (15, 15, E'account\t{{note_tab_iban}}\tsince May'),
    (16, 16, E'forwarded:\n{{note_line_email}}\nwrote yesterday'),
    (17, 17, 'Partner pasted {{note_aws_key}} into the chat, rotate it.'),
    (18, 18, 'Link that works: https://app.practice.example/in?t={{note_jwt}}'),
    (19, 19, 'AHV {{note_ahv}}, Kanton Bern.'),
    (20, 20, 'Personnummer {{note_personnummer}}.'),
    (21, 21, 'CPF {{note_cpf}} informado.'),
    (22, 22, 'Numéro de sécu {{note_nir}}.'),
    (23, 23, 'He uses {{note_amex}} abroad.'),
    (24, 24, 'SMS to the number on file failed.'),
    (25, 25, '<b>@</b>'),
    (26, 26, '身份证 {{note_cn_id}} 已核对');
INSERT INTO crm.notes
SELECT n, 1 + n % 80, CASE n % 12
    WHEN 0 THEN 'Parcel 00340434' || public.digits(n, 'parcel', 12) || ' is late, order 2026-' || public.digits(n, 'order', 8) || '.'
    WHEN 1 THEN 'Ticket #' || public.digits(n, 'ticket', 10) || ': invoice 4000-' || n || '-2026-' || public.digits(n, 'inv', 2) || ' paid.'
    WHEN 2 THEN 'Commit ' || md5('commit' || n) || md5(n::text)::varchar(8) || ' fixed it in v7.2.' || n || '.4.'
    WHEN 3 THEN 'Meet at 48.2' || public.digits(n, 'lat', 5) || ', 16.3' || public.digits(n, 'lon', 5) || ' at 2026-03-04T10:15:00+0100.'
    WHEN 4 THEN '@desk please look, cc @' || 'front-' || n || '. Ratio 3:1, +20 % on last year, +3/-1.'
    WHEN 5 THEN 'Spare part 415-5550-' || lpad(n::text, 3, '0') || ' or 800-12-4455-7, see page 212 of 555.'
    WHEN 6 THEN 'Class com.practice.Mailer@' || substr(md5('hash' || n), 1, 8) || ' threw, see log.'
    WHEN 7 THEN 'Machine 00:1A:2B is on 7.0.' || n || ', was 2024.1.300.7; restart at 12:30:45.123456.'
    WHEN 8 THEN 'ISBN 978-3-16-148410-0, DOI 10.1000/182, RFC 4122, ISO 27001:2022.'
    WHEN 9 THEN 'Case ' || md5('case' || n)::uuid || ' closed.'
    WHEN 10 THEN 'Snowflake 1759288' || public.digits(n, 'flake', 11) || ', epoch 17' || public.digits(n, 'epoch', 11) || '.'
    ELSE 'Nothing new. E-mail sent, phone busy, card declined, password reset by link.' END
FROM generate_series(27, 400) AS n;

CREATE TABLE crm.companies (
    id       integer PRIMARY KEY,
    title    text NOT NULL,
    address  crm.postal,
    site     text
);
COMMENT ON COLUMN crm.companies.site IS 'https://, no trailing slash';
INSERT INTO crm.companies VALUES
    (1, 'Lindenhof', ROW('{{company_street}}', '{{company_zip}}', '{{company_city}}', 'AT'), 'https://lindenhof.example'),
    (2, 'Nordbad', NULL, 'https://nordbad.example/?v=3.11.0'),
    (3, 'Seewinkel', NULL, NULL);

CREATE TABLE crm.campaigns (
    id          integer PRIMARY KEY,
    title       text NOT NULL,
    groups      text[] NOT NULL DEFAULT '{}',
    template    xml
);
INSERT INTO crm.campaigns VALUES
    (1, 'spring', '{{"north","{{nested_array_email_1}}"},{"south","south@2"}}', NULL),
    (2, 'summer', '{}', '<mail to="{{xml_email}}"><p>Hello</p></mail>'),
    (3, 'autumn', '{{{"a"},{"{{deep_array_phone}}"}}}', '<mail><call>{{xml_phone}}</call></mail>'),
    (4, 'winter', '{all}', '<mail xmlns="urn:practice:mail:1.0.3"><p>4 &lt; 5, 3@2</p></mail>');

CREATE TABLE crm.imports (
    id       bigint PRIMARY KEY,
    file     text NOT NULL,
    raw      bytea,
    payload  text
);
INSERT INTO crm.imports VALUES
    (1, 'leads-1.csv', convert_to(E'id;name\n4;{{bytea_email}}\n', 'UTF8'), NULL),
    (2, 'sepa.xml', convert_to('<IBAN>{{bytea_iban}}</IBAN>', 'UTF8'), NULL),
    (3, 'charge.log', convert_to('charged {{bytea_card}} ok', 'UTF8'), NULL),
    (4, 'id_ed25519', convert_to('{{bytea_pem}}', 'UTF8'), NULL),
    (5, 'leads-2.csv', NULL, '17,active,"a@b",2026-01-04'),
    (6, 'leads-3.csv', NULL, '18;active;{{csv_phone}};2026-01-04'),
    (7, 'leads-4.csv', NULL, '19|active|{{csv_card}}|2026-01-04'),
    (8, 'logo.png', decode('89504e470d0a1a0a0000000d4948445200000010000000100806000000', 'hex'), 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAA'),
    (9, 'dump.csv', NULL, '20,active,' || md5('row') || ',4000123412341234,2026-01-04');

-- clinic

CREATE TABLE clinic.patients (
    id                 bigint PRIMARY KEY,
    first_name         text NOT NULL,
    last_name          text NOT NULL,
    birth_date         date,
    ssn                text,
    pesel              text,
    bsn                text,
    mobile             text,
    emergency_phone    text,
    street             text,
    postal_code        text,
    city               text,
    blood              text NOT NULL DEFAULT 'unknown',
    chart              text NOT NULL
);
COMMENT ON TABLE clinic.patients IS 'test patient: {{comment_table_patients}}';
INSERT INTO clinic.patients
SELECT n, 'Given' || n, 'Family' || n, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'unknown', 'CH-' || public.digits(n, 'chart', 10)
FROM generate_series(1, 70) AS n;
UPDATE clinic.patients SET first_name = '{{patient1_first_name}}', last_name = '{{patient1_last_name}}', birth_date = '{{patient1_birth_date}}', ssn = '{{patient1_ssn}}',
    mobile = '{{patient1_mobile}}', street = '{{patient1_street}}', postal_code = '{{patient1_postal_code}}', city = '{{patient1_city}}' WHERE id = 11;
UPDATE clinic.patients SET pesel = '{{patient2_pesel}}' WHERE id = 12;
UPDATE clinic.patients SET bsn = '{{patient3_bsn}}', emergency_phone = '{{patient3_emergency_phone}}' WHERE id = 13;

CREATE TABLE clinic.appointments (
    id          bigint NOT NULL,
    patient_id  bigint NOT NULL REFERENCES clinic.patients (id),
    at          timestamp with time zone NOT NULL,
    remark      text,
    meta        jsonb,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE clinic.appointments_2026_01 PARTITION OF clinic.appointments FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-02-01 00:00+00');
CREATE TABLE clinic.appointments_2026_02 PARTITION OF clinic.appointments FOR VALUES FROM ('2026-02-01 00:00+00') TO ('2026-03-01 00:00+00');
CREATE TABLE clinic.appointments_rest PARTITION OF clinic.appointments DEFAULT;
COMMENT ON TABLE clinic.appointments_rest IS 'whoever finds rows here calls {{comment_partition}}';
INSERT INTO clinic.appointments
SELECT n, 1 + n % 70, timestamptz '2026-01-02 07:00+00' + n * interval '9 hours',
       CASE n WHEN 20 THEN 'call back {{appointment_phone}}' WHEN 100 THEN 'mail result to {{appointment_email}}' WHEN 199 THEN 'HETU {{appointment_hetu}}'
              ELSE 'room ' || n % 9 || ', slot ' || n || ', bill 12/' || public.digits(n, 'bill', 7) END,
       CASE n WHEN 21 THEN '{"via": {"peer": "{{appointment_ip:json}}"}}'::jsonb WHEN 101 THEN '{"cc": ["@lab"]}'::jsonb
              ELSE jsonb_build_object('ms', 1767339000000 + n, 'etag', md5('etag' || n)) END
FROM generate_series(1, 200) AS n;

CREATE TABLE clinic.tenants (
    id      integer NOT NULL,
    tenant  text NOT NULL
) PARTITION BY LIST (tenant);
CREATE TABLE clinic.tenants_old PARTITION OF clinic.tenants FOR VALUES IN ('{{partition_bound}}');
CREATE TABLE clinic.tenants_rest PARTITION OF clinic.tenants DEFAULT;
INSERT INTO clinic.tenants SELECT n, 'surgery-' || n FROM generate_series(1, 9) AS n;

CREATE TABLE clinic.visits (
    id       bigint PRIMARY KEY,
    details  json,
    history  jsonb[]
);
INSERT INTO clinic.visits
SELECT n, json_build_object('n', n, 'weight', 61.500 + n, 'device', 'scale-2.' || n || '.0.1-rc'), ARRAY[jsonb_build_object('step', n, 'id', md5('step' || n)::uuid)]
FROM generate_series(1, 60) AS n;
UPDATE clinic.visits SET details = '{"kin": "\u002B{{visit_escaped_phone}}"}' WHERE id = 8;
UPDATE clinic.visits SET details = '{"html": "\u003cb\u003e{{visit_escaped_email:json}}\u003c/b\u003e"}' WHERE id = 9;
UPDATE clinic.visits SET details = '{"form": [{"q": 12, "a": "123-45-678"}]}' WHERE id = 10;
UPDATE clinic.visits SET details = '{"deposit": {"n": {{visit_card_number}}}}' WHERE id = 11;
UPDATE clinic.visits SET history = ARRAY['{"to": "{{visit_history_email:json}}"}', '{"x": 1}']::jsonb[] WHERE id = 12;
UPDATE clinic.visits SET history = ARRAY['{"x": 1}', '["from", "1.2.3"]']::jsonb[] WHERE id = 13;
UPDATE clinic.visits SET history = ARRAY['{"form": {"a": {"b": "{{visit_history_belgian:json}}"}}}']::jsonb[] WHERE id = 14;

CREATE TABLE clinic.documents (
    id       bigint PRIMARY KEY,
    title    text NOT NULL,
    scan     oid,
    content  bytea,
    search   tsvector
);
INSERT INTO clinic.documents VALUES
    (1, 'referral', lo_from_bytea(70001, convert_to(repeat('x', 2035) || ' write {{lo_email_at_page}} today', 'UTF8')), NULL, NULL),
    (2, 'mandate', lo_from_bytea(70002, convert_to('SEPA mandate {{lo_iban}}', 'UTF8')), NULL, NULL),
    (3, 'key', lo_from_bytea(70003, convert_to(E'backup of the mirror\n{{lo_pem}}\n', 'UTF8')), NULL, NULL),
    (4, 'receipt', lo_from_bytea(70004, convert_to('paid with {{lo_card}}', 'UTF8')), NULL, NULL),
    (5, 'letter', lo_from_bytea(70005, convert_to('please call at +10 degrees', 'UTF8')), NULL, NULL),
    (6, 'form', lo_from_bytea(70006, convert_to('box 4: 123-45-678', 'UTF8')), NULL, NULL),
    (7, 'archive', lo_from_bytea(70007, convert_to(repeat('Nothing of note happened here. ', 12000) || '{{lo_long_email}}', 'UTF8')), NULL, NULL),
    (8, 'script', lo_from_bytea(70008, convert_to(E'#!/bin/sh\nexport T={{lo_token}}\n', 'UTF8')), NULL, NULL),
    (9, 'manual', lo_from_bytea(70009, convert_to('Version 4.2.0, part 415-5550-132, order 4000123412341234', 'UTF8')), NULL, NULL),
    (10, 'long', NULL, convert_to(repeat('Seen and signed. ', 500) || '{{bytea_long_email}}' || repeat(' Seen again. ', 400), 'UTF8'), NULL),
    (11, 'words', NULL, NULL, to_tsvector('simple', 'write to {{tsvector_email}} about results'));
COMMENT ON LARGE OBJECT 70002 IS 'sent by {{comment_large_object}}';

-- billing

CREATE TABLE billing.accounts (
    id            bigint PRIMARY KEY,
    holder_name   text,
    iban          text,
    card_number   text,
    tax_id        text,
    c1            text,
    c2            text,
    c3            text,
    ref           text GENERATED ALWAYS AS (c1 || c2 || c3) STORED,
    currency      character(3) NOT NULL DEFAULT 'EUR'
);
COMMENT ON COLUMN billing.accounts.currency IS 'ISO 4217';
INSERT INTO billing.accounts (id, c1, c2, c3)
SELECT n, 'AC', lpad(n::text, 2, '0'), public.digits(n, 'account', 18) FROM generate_series(1, 50) AS n;
UPDATE billing.accounts SET holder_name = '{{account1_holder_name}}', iban = '{{account1_iban}}', card_number = '{{account1_card}}', tax_id = '{{account1_tax_id}}' WHERE id = 4;
UPDATE billing.accounts SET tax_id = '{{account2_tax_id}}' WHERE id = 5;
UPDATE billing.accounts SET c1 = substr('{{generated_iban}}', 1, 2), c2 = substr('{{generated_iban}}', 3, 2), c3 = substr('{{generated_iban}}', 5) WHERE id = 7;

CREATE TABLE billing.invoices (
    id      bigint PRIMARY KEY,
    number  text NOT NULL UNIQUE,
    total   numeric(12,2) NOT NULL,
    lines   jsonb NOT NULL
);
INSERT INTO billing.invoices
SELECT n, 'R-2026-' || public.digits(n, 'invoice', 8), n * 3.5, jsonb_build_array(jsonb_build_object('sku', 'SKU-' || n, 'qty', n % 5, 'ean', '400638' || public.digits(n, 'ean', 7)))
FROM generate_series(1, 90) AS n;
UPDATE billing.invoices SET lines = '[["copy", ["to", ["{{invoice_email:json}}"]]]]' WHERE id = 31;
UPDATE billing.invoices SET lines = '[{"text": "NINO {{invoice_nino:json}} as asked"}]' WHERE id = 32;

CREATE TABLE billing.payments (
    id          bigint PRIMARY KEY,
    invoice_id  bigint NOT NULL REFERENCES billing.invoices (id),
    reference   text NOT NULL,
    instrument  numeric(19,0),
    trace       bigint,
    paid_at     timestamp with time zone NOT NULL
);
INSERT INTO billing.payments
SELECT n, 1 + n % 90,
       CASE n WHEN 40 THEN 'SVWZ+Rechnung IBAN: {{payment_iban}} BIC' WHEN 41 THEN 'CARD {{payment_card}} EXP' WHEN 42 THEN 'PAYPAL *SHOP 402-935-77'
              ELSE 'RF18 5390 ' || public.digits(n, 'rf', 4) || ' E2E-' || md5('e2e' || n) END,
       CASE n WHEN 43 THEN {{payment_numeric_card}} ELSE 1000 + n END,
       CASE n WHEN 44 THEN {{payment_bigint_card}} ELSE 1767339000000000 + n END,
       timestamptz '2026-01-10 09:00+00' + n * interval '3 hours'
FROM generate_series(1, 110) AS n;

CREATE TABLE billing.refunds (
    id           bigint PRIMARY KEY,
    destination  text NOT NULL,
    reason       text
);
INSERT INTO billing.refunds VALUES
    (1, '{{refund_iban}}', 'late'),
    (2, 'account closed', 'double'),
    (3, 'voucher V-2026-0017', 'paid twice, see 4000123412341234');

CREATE TABLE billing.gateway_log (
    id        bigint PRIMARY KEY,
    request   jsonb,
    response  json
);
INSERT INTO billing.gateway_log
SELECT n, jsonb_build_object('trace', md5('trace' || n), 'v', '2026.1.' || n), json_build_object('ok', true, 'ms', 12.5, 'key', 'pk_test_' || md5('pk' || n)::varchar(24))
FROM generate_series(1, 60) AS n;
UPDATE billing.gateway_log SET request = '{"items": [[1, {"source": {"n": "{{gateway_card:json}}"}}]]}' WHERE id = 17;
UPDATE billing.gateway_log SET request = '{"auth": ["{{gateway_stripe:json}}"]}' WHERE id = 18;
UPDATE billing.gateway_log SET request = '{"headers": {"X-Forwarded-For": "{{gateway_ip:json}}, unknown"}}' WHERE id = 19;
UPDATE billing.gateway_log SET response = '{"dsn": "{{gateway_dsn:php}}"}' WHERE id = 20;
UPDATE billing.gateway_log SET response = '{"body": "{\"next\": \"{{gateway_jwt}}\"}"}' WHERE id = 21;
UPDATE billing.gateway_log SET response = '{ "to" : "{{gateway_iban:json}}" }' WHERE id = 22;

-- ops

CREATE TABLE ops.settings (
    key    text PRIMARY KEY,
    value  text NOT NULL
);
INSERT INTO ops.settings VALUES
    ('reporting', '{{setting_postgres_url}}'),
    ('cache', '{{setting_redis_url}}'),
    ('mirror', 'host=db2.practice.example port=5432 user=mirror {{setting_libpq}} dbname=practice'),
    ('bucket', 'aws_secret_access_key = {{setting_aws_secret}}'),
    ('signer', '{{setting_pem}}'),
    ('chat', 'xoxb'),
    ('bot', '{{setting_telegram}}'),
    ('theme', 'sand'),
    ('retries', '3'),
    ('public_url', 'https://app.practice.example:8443/v1/?q=a@b'),
    ('docs', 'postgres://localhost:5432/practice?sslmode=disable'),
    ('release', '4.2.0'),
    ('cert', E'-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUX3\n-----END CERTIFICATE-----'),
    ('image', 'registry.practice.example/app@sha256:' || md5('image') || md5('egami')),
    ('clone', 'git@git.practice.example');

CREATE TABLE ops.jobs (
    id          bigint PRIMARY KEY,
    args        jsonb NOT NULL,
    last_error  text,
    env         hstore
);
INSERT INTO ops.jobs
SELECT n, jsonb_build_array('Practice::Mailer', n, md5('job' || n)::uuid), 'Key (id)=(' || public.digits(n, 'dup', 9) || ') already exists.', hstore('RELEASE', '7.2.0+' || substr(md5('rel' || n), 1, 7))
FROM generate_series(1, 70) AS n;
UPDATE ops.jobs SET args = '["Mail", "{\"to\":\"{{job_email}}\"}"]' WHERE id = 51;
UPDATE ops.jobs SET args = '{"hook": {"url": "{{job_slack_hook:json}}"}}' WHERE id = 52;
UPDATE ops.jobs SET args = '["Charge", {{job_card_number}}]' WHERE id = 53;
UPDATE ops.jobs SET last_error = 'DETAIL:  Key (login)=({{error_email}}) already exists.' WHERE id = 54;
UPDATE ops.jobs SET last_error = 'dial tcp {{error_ip}}:5432: connect: connection refused' WHERE id = 55;
UPDATE ops.jobs SET last_error = 'could not open {{error_mysql_url}}?timeout=5s' WHERE id = 56;
UPDATE ops.jobs SET env = hstore('DATABASE_URL', '{{env_database_url}}') WHERE id = 57;
UPDATE ops.jobs SET env = hstore('CI', 'true') || hstore('REF', 'ghp') WHERE id = 58;

CREATE TABLE ops.hosts (
    id     integer PRIMARY KEY,
    label  text NOT NULL,
    addr   inet,
    nets   cidr[],
    span   public.inetrange,
    pager  ops.pager NOT NULL DEFAULT 'none',
    rack   text DEFAULT '{{default_rack}}'
);
INSERT INTO ops.hosts (id, label, addr, nets, span, rack) VALUES
    (1, 'edge', '{{host_addr}}', NULL, NULL, 'r1'),
    (2, 'core', NULL, '{{{host_net}}}', NULL, 'r2'),
    (3, 'lab', NULL, NULL, '[{{host_span}},{{host_span}}]', 'r3');

CREATE TABLE ops.deploys (
    id       integer PRIMARY KEY,
    version  text NOT NULL,
    sha      text NOT NULL,
    log      text NOT NULL,
    took     interval NOT NULL DEFAULT '3 minutes'
);
INSERT INTO ops.deploys
SELECT n, '7.2.' || n || '.' || n % 4, md5('deploy' || n) || substr(md5('x' || n), 1, 8), 'upgraded libssl from 3.0.2-0ubuntu1.1' || n || ' to v3.0.' || n || '.1, 12/12 ok, sha256:' || md5('a' || n) || md5('b' || n)
FROM generate_series(1, 40) AS n;
UPDATE ops.deploys SET log = 'remote: https://x-access-token:{{deploy_github}}@github.com/practice/app' WHERE id = 21;
UPDATE ops.deploys SET log = E'+ notify\n{{deploy_slack}}\n+ done' WHERE id = 22;
UPDATE ops.deploys SET log = 'Authorization: {{deploy_basic}}' WHERE id = 23;

CREATE TABLE ops.webhooks (
    id       integer PRIMARY KEY,
    url      text NOT NULL DEFAULT '{{default_webhook}}',
    headers  jsonb
);
INSERT INTO ops.webhooks VALUES
    (1, '{{webhook_url_password}}', NULL),
    (2, 'https://hooks.practice.example/in?to={{webhook_percent_email}}&n=2', NULL),
    (3, 'https://hooks.practice.example/v2/7.2.0', '{"X-Key": "sk_live_"}'),
    (4, 'https://hooks.practice.example/u/@front', '{"X-Request": "0b1f6c0e-5a5e-4d2b-9d1c-3f0d8a6b7c21"}');

CREATE UNLOGGED TABLE ops.cache (
    key      text PRIMARY KEY,
    payload  text
);
INSERT INTO ops.cache SELECT 'fragment/' || md5('key' || n), 'rendered ' || n || ' in 12.' || n || ' ms' FROM generate_series(1, 40) AS n;
INSERT INTO ops.cache VALUES ('me', 'v1:{{cache_jwt}}');

-- audit: what a row was before somebody changed it

CREATE TABLE audit.log (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tbl      text NOT NULL,
    op       text NOT NULL,
    old_row  jsonb,
    diff     hstore,
    at       timestamp with time zone NOT NULL DEFAULT '2026-02-01 00:00+00'
);
CREATE FUNCTION audit.note() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit.log (tbl, op, old_row, diff)
    VALUES (tg_table_name, tg_op, CASE WHEN tg_argv[0] = 'row' THEN to_jsonb(OLD) END, CASE WHEN tg_argv[0] = 'diff' THEN hstore(OLD) - hstore(NEW) END);
    RETURN NULL;
END
$$;

CREATE TABLE web.orders (
    id      bigint PRIMARY KEY,
    number  text NOT NULL,
    hint    text,
    total   numeric(10,2) NOT NULL
);
INSERT INTO web.orders
SELECT n, '2026-' || public.digits(n, 'web', 4) || '-' || public.digits(n, 'order', 7), 'leave at door ' || n, n * 1.1
FROM generate_series(1, 100) AS n;
UPDATE web.orders SET hint = 'ring {{order_phone}}' WHERE id = 60;
UPDATE web.orders SET hint = '{{audit_email}}' WHERE id = 61;
UPDATE web.orders SET hint = 'bank {{audit_iban}}' WHERE id = 62;
UPDATE web.orders SET hint = 'ring {{audit_phone}}' WHERE id = 63;
UPDATE web.orders SET hint = 'no. {{audit_ssn}}' WHERE id = 64;
CREATE TRIGGER orders_row AFTER UPDATE OR DELETE ON web.orders
    FOR EACH ROW WHEN (OLD.number <> '{{trigger_when}}') EXECUTE FUNCTION audit.note('row', '{{trigger_argument}}');
UPDATE web.orders SET hint = 'back door' WHERE id = 61;
UPDATE web.orders SET hint = 'cash' WHERE id = 62;
DROP TRIGGER orders_row ON web.orders;
CREATE TRIGGER orders_row AFTER UPDATE OR DELETE ON web.orders
    FOR EACH ROW WHEN (OLD.number <> '{{trigger_when}}') EXECUTE FUNCTION audit.note('diff', '{{trigger_argument}}');
UPDATE web.orders SET hint = 'no bell' WHERE id = 63;
DELETE FROM web.orders WHERE id = 64;
INSERT INTO web.orders VALUES (64, '2026-0000-0000064', 'none', 70.40);

-- web

CREATE TABLE web.products (
    id     integer PRIMARY KEY,
    sku    text NOT NULL,
    ean    text NOT NULL,
    title  text NOT NULL,
    attrs  jsonb NOT NULL
);
INSERT INTO web.products
SELECT n, 'SKU-' || lpad(n::text, 4, '0') || '-' || public.digits(n, 'sku', 4), '40' || public.digits(n, 'gtin', 11), 'Bandage ' || n || ' x ' || n * 2 || ' cm',
       jsonb_build_object('dim', n || 'x4.5x0.125', 'part', public.digits(n, 'p', 3) || '-' || public.digits(n, 'q', 3) || '-' || public.digits(n, 'r', 3), 'fw', '1.0.' || n || '.256')
FROM generate_series(1, 120) AS n;
UPDATE web.products SET attrs = '{"feed": {"opts": ["{{product_github:json}}"]}}' WHERE id = 70;

CREATE TABLE web.posts (
    id      bigint PRIMARY KEY,
    desk    text NOT NULL DEFAULT 'staff',
    body    text NOT NULL
);
CREATE TABLE web.comments (post_id bigint) INHERITS (web.posts);
INSERT INTO web.posts SELECT n, 'staff', 'News ' || n || ': we are open 08:00-18:30, 7.2.' || n || ' is out, thanks @all' FROM generate_series(1, 30) AS n;
INSERT INTO web.comments SELECT 100 + n, 'guest', 'Comment ' || n || ' +1 agreed, see #' || public.digits(n, 'issue', 6), n FROM generate_series(1, 60) AS n;
UPDATE web.comments SET body = 'is {{comment_body_email}} still read?' WHERE id = 133;
UPDATE web.comments SET body = 'text me on {{comment_body_phone}}' WHERE id = 134;

CREATE TABLE web.subscribers (
    id      integer PRIMARY KEY,
    e_mail  citext NOT NULL,
    source  text NOT NULL
);
INSERT INTO web.subscribers VALUES
    (1, '{{subscriber1_e_mail}}', 'footer'),
    (2, 'reader2@example.invalid', 'footer'),
    (3, 'reader3@example.invalid', 'import');

-- legacy: tables that inherit

CREATE TABLE legacy.people (
    id             integer NOT NULL,
    address        text,
    date_of_birth  text,
    home_phone     bigint
);
CREATE TABLE legacy.staff (desk text) INHERITS (legacy.people);
CREATE TABLE legacy.suppliers (terms text) INHERITS (legacy.people);
INSERT INTO legacy.people VALUES (1, NULL, NULL, NULL), (2, NULL, NULL, NULL);
INSERT INTO legacy.staff VALUES (3, '{{legacy_address_2}}', '{{legacy_date_of_birth}}', {{legacy_home_phone}}, 'd-4'), (4, NULL, NULL, NULL, 'x {{legacy_desk_email}}');
INSERT INTO legacy.suppliers VALUES (5, NULL, NULL, NULL, '30 days, {{legacy_terms_iban}}');

-- wild: what was missed once, each in a place of its own that nothing else tells

CREATE SCHEMA wild;
CREATE TABLE wild.writings (
    id integer PRIMARY KEY,
    w01 text,
    w02 text,
    w03 text,
    w04 text,
    w05 text,
    w06 text,
    w07 text,
    w08 text,
    w09 text,
    w10 text,
    w11 text,
    w12 text,
    w13 text,
    w14 text,
    w15 text,
    w16 text,
    w17 text,
    w18 text,
    w19 text,
    w20 text,
    w21 text,
    w22 text,
    w23 text,
    w24 text,
    w25 text,
    w26 text,
    w27 text,
    w28 text,
    w29 text,
    w30 text,
    w31 text,
    w32 text,
    w33 text,
    w34 text,
    w35 text,
    w36 text,
    w37 text,
    w38 text,
    w39 text,
    w40 text
);
INSERT INTO wild.writings VALUES (1,
    '请联系电话{{cjk_phone}}谢谢',
    '電話は{{cjk_phone_ja}}です',
    '身份证号{{cjk_official}}已核实',
    '卡号{{cjk_card}}到期',
    '账号{{cjk_iban}}',
    '来自{{cjk_ip}}的登录',
    '密钥{{cjk_secret}}',
    '‪{{marks_phone}}‬',
    'Tel.: {{nbsp_phone}}',
    '{{dashed_phone}}',
    'so: {{soft_phone}}.',
    '（{{wide_phone}}）',
    '{{arabic_phone}}',
    '{{nbsp_iban}}',
    'IBAN: {{dashed_iban}}',
    'iban={{low_iban}}',
    '{{wide_card}}',
    '{{thin_card}}',
    '{{mapped_ip}}',
    'from {{slash_ip}} closed',
    '[{{short_ip6}}]:443',
    'peer {{link_ip6}}',
    '<{{sip_ip}};lr>',
    'mac={{host_mac}}',
    'see {{user_url}} there',
    '{{wide_mail}}',
    '{{script_mail}}',
    '{{soft_mail}}',
    'nino: {{low_nino}}',
    'NIE {{dashed_nie}}',
    '{{spaced_nir}}',
    'ssn {{blank_ssn}}',
    '{{token_ocean}}',
    '{{token_vault}}',
    '{{token_npm}}',
    '{{token_shop}}',
    '{{token_linear}}',
    '{{token_sentry}}',
    '{{token_hash}}',
    '{{token_scram}}');

-- few people's names, wherever they stand
CREATE TABLE wild.crew (
    id   integer PRIMARY KEY,
    n01  text,
    n02  text[],
    n03  text,
    n04  text,
    n05  text,
    n06  jsonb
);
INSERT INTO wild.crew VALUES
    (1, '{{crew_full_1}}', ARRAY['{{crew_array_1}}', '{{crew_array_2}}'], '{"status": "{{crew_document_1:json}}", "n": 1}', '{{crew_list_1}}',
        '{{crew_several_1}}', '{"a": "x", "status": "{{crew_kept_1:json}}"}'),
    (2, '{{crew_full_2}}', ARRAY['{{crew_array_3}}'], '{"status": "{{crew_document_2:json}}", "n": 2}', '{{crew_list_2}}',
        '{{crew_several_2}}', '{"a": "y", "status": "{{crew_kept_2:json}}"}'),
    (3, '{{crew_full_3}}', NULL, '{"status": "{{crew_document_3:json}}", "n": 3}', '{{crew_list_3}}',
        '{{crew_several_3}}', '{"a": "z", "status": "{{crew_kept_3:json}}"}');

-- people, and what applications keep of them elsewhere
CREATE TABLE wild.people (
    id         integer PRIMARY KEY,
    login      text NOT NULL UNIQUE,
    full_name  text NOT NULL
);
INSERT INTO wild.people VALUES
    (1, '{{key_made}}', '{{history_json}}'),
    (2, '{{key_document}}', '{{history_yaml}}'),
    (3, '{{key_hstore}}', '{{history_php}}'),
    (4, 'wild-4', '{{history_xml}}'),
    (5, 'wild-5', '{{history_sentence}}'),
    (6, 'wild-6', initcap('{{history_upper}}')),
    (7, 'wild-7', normalize('{{history_decomposed}}', NFC)),
    (8, 'wild-8', regexp_replace('{{history_reversed}}', '^(.*), (.*)$', '\2 \1')),
    (9, 'wild-9', '{{history_array}}'),
    (10, 'wild-10', '{{history_bytes}}'),
    (11, 'wild-11', '{{history_document}}'),
    (12, 'wild-12', '{{history_hstore}}'),
    (13, 'wild-13', 'Our Own Mailbox');
COMMENT ON TABLE wild.people IS 'questions go to Our Own Mailbox';
CREATE TABLE wild.history (
    id   integer PRIMARY KEY,
    h01  text,
    h02  text,
    h03  text,
    h04  text,
    h05  text,
    h06  text,
    h07  text,
    h08  text,
    h09  text[],
    h10  bytea,
    h11  jsonb,
    h12  hstore
);
INSERT INTO wild.history VALUES (1,
    '{"full_name": "{{history_json:json}}", "n": 1}',
    E'---\nfull_name:\n- {{history_yaml}}\n- new\n',
    'a:1:{s:4:"name";s:' || octet_length('{{history_php}}') || ':"{{history_php}}";}',
    '<p><n>{{history_xml}}</n></p>',
    'called {{history_sentence}} back about the order',
    '{{history_upper}}',
    '{{history_decomposed}}',
    '{{history_reversed}}',
    ARRAY['x', '{{history_array}}'],
    convert_to('{{history_bytes}}', 'UTF8'),
    '{"now": "x", "was": "{{history_document:json}}"}',
    hstore('was', '{{history_hstore}}'));
CREATE TABLE wild.boards (
    id     integer PRIMARY KEY,
    votes  jsonb,
    tally  jsonb,
    marks  hstore
);
INSERT INTO wild.boards VALUES (1, '{"votes": {"{{key_made}}": 5}}', '{"votes": {"{{key_document}}": 5}}', hstore('{{key_hstore}}', '5'));

-- keys that are somebody's
CREATE TABLE wild.lines (
    msisdn  bigint PRIMARY KEY,
    plan    text
);
INSERT INTO wild.lines VALUES ({{line_phone}}, 's'), ({{call_phone}}, 'm');
CREATE TABLE wild.calls (
    id      integer PRIMARY KEY,
    msisdn  bigint REFERENCES wild.lines (msisdn)
);
INSERT INTO wild.calls VALUES (1, {{call_phone}});
CREATE TABLE wild.patients (
    pesel  character(11) PRIMARY KEY,
    born   date NOT NULL,
    seen   inet UNIQUE,
    UNIQUE (born, pesel)
);
INSERT INTO wild.patients VALUES ('{{patient_pesel}}', '{{patient_born}}', '{{patient_seen}}');
CREATE TABLE wild.members (
    email     text PRIMARY KEY,
    religion  text
) PARTITION BY HASH (email);
CREATE TABLE wild.members_0 PARTITION OF wild.members FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE wild.members_1 PARTITION OF wild.members FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO wild.members VALUES ('{{member_email}}', '{{member_religion}}');
INSERT INTO wild.members SELECT 'member' || n || '@example.invalid', 'none' FROM generate_series(1, 20) AS n;
CREATE TABLE wild.seats (
    ref  text NOT NULL
) PARTITION BY HASH (ref);
CREATE TABLE wild.seats_0 PARTITION OF wild.seats FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE wild.seats_1 PARTITION OF wild.seats FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO wild.seats VALUES ('{{seat_email}}'), ('seat-2');
CREATE COLLATION wild.forms (provider = icu, locale = 'und', deterministic = false);
CREATE TABLE wild.logins (
    email  text COLLATE wild.forms PRIMARY KEY
);
INSERT INTO wild.logins VALUES ('{{login_composed}}'), ('user9@example.invalid');
CREATE TABLE wild.badges (
    id     integer PRIMARY KEY,
    email  text COLLATE wild.forms NOT NULL REFERENCES wild.logins (email)
);
INSERT INTO wild.badges VALUES (1, '{{login_decomposed}}');

-- where somebody lives, in each writing
CREATE TABLE wild.places (
    id           integer PRIMARY KEY,
    lat          double precision,
    lng          numeric(9,6),
    gps          text,
    geo_point    text,
    geo_wkb      text,
    geo_shape    bytea,
    coordinates  jsonb
);
INSERT INTO wild.places VALUES (1, {{place_latitude}}, {{place_longitude}}, '{{place_text}}', '{{place_point}}', '{{place_hex}}',
    decode('{{place_bytes}}', 'hex'), '{"type": "Point", "coordinates": [{{place_geojson}}]}');
CREATE TABLE wild.accounts (
    id             integer PRIMARY KEY,
    ha1            text,
    license_plate  text
);
INSERT INTO wild.accounts VALUES (1, '{{account_digest}}', '{{account_plate}}');

-- a picture: bytes without a pattern, which hold no text and so no secret
SELECT lo_from_bytea(70010, (SELECT string_agg(decode(md5('picture' || n), 'hex'), '') FROM generate_series(1, 12000) AS n));

-- what the server computes and what the catalogue says

CREATE VIEW reporting.support AS
    SELECT id, nick FROM crm.contacts WHERE nick <> '{{view_body_email}}' AND coalesce(remark, '') <> '+1';
COMMENT ON VIEW reporting.support IS 'ask {{comment_view}}';

CREATE TABLE reporting.parts (
    id    integer PRIMARY KEY,
    head  text NOT NULL,
    sep   text NOT NULL,
    tail  text NOT NULL
);
INSERT INTO reporting.parts VALUES
    (1, split_part('{{matview_rows_email}}', '@', 1), '@', split_part('{{matview_rows_email}}', '@', 2)),
    (2, substr('{{matview_rows_phone}}', 1, 5), '', substr('{{matview_rows_phone}}', 6)),
    (3, 'v7', '@', '2');
CREATE MATERIALIZED VIEW reporting.reach AS
    SELECT id, head || sep || tail AS built FROM reporting.parts;
CREATE MATERIALIZED VIEW reporting.totals AS
    SELECT count(*) AS n, '{{matview_body}}'::text || '.' AS mark FROM web.orders;

CREATE INDEX notes_open ON crm.notes (id) WHERE body <> '{{index_predicate_email}}';
CREATE INDEX payments_big ON billing.payments (id) WHERE reference <> 'IBAN XX00';
CREATE INDEX comments_expr ON web.comments ((replace(body, '{{index_expression}}', '')));
COMMENT ON INDEX crm.notes_open IS 'for {{comment_index}}';
CREATE STATISTICS reporting.note_stats ON (replace(body, '{{statistics_expression}}', '')), id FROM crm.notes;
COMMENT ON SEQUENCE auth.users_id_seq IS 'last reset from {{comment_sequence}}';

ALTER TABLE ops.deploys ADD CONSTRAINT deploys_log CHECK (log <> 'token {{check_token}}');

CREATE FUNCTION ops.page() RETURNS text
    LANGUAGE plpgsql AS $$
BEGIN
    -- old line: {{function_body_comment}}
    RETURN 'page {{function_body_email}}';
END
$$;
COMMENT ON FUNCTION ops.page() IS 'escalates to {{comment_function}}';
CREATE FUNCTION ops.connect_mirror() RETURNS text
    LANGUAGE sql AS $$ SELECT '{{function_body_dsn}}'::text $$;
CREATE FUNCTION ops.atomic() RETURNS text
    LANGUAGE sql BEGIN ATOMIC SELECT 'to {{function_atomic_phone}}'::text; END;
CREATE FUNCTION ops.send(body text, key text DEFAULT '{{function_argument}}') RETURNS text
    LANGUAGE sql AS $$ SELECT body $$;
CREATE FUNCTION ops.configured() RETURNS text
    LANGUAGE sql SET app.key = '{{function_setting}}' AS $$ SELECT current_setting('app.key') $$;
CREATE PROCEDURE ops.rotate()
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 'aws {{procedure_aws_key}}';
END
$$;

ALTER TABLE web.posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY posts_read ON web.posts FOR SELECT USING (desk <> '{{policy_using}}');
CREATE POLICY posts_write ON web.posts FOR INSERT WITH CHECK (desk <> 'nobody');
CREATE RULE posts_guard AS ON DELETE TO web.posts WHERE OLD.desk = '{{rule_body}}' DO INSTEAD NOTHING;

CREATE PUBLICATION feed FOR TABLE web.products WHERE (sku <> '{{publication_where}}');
CREATE SERVER mirror FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{{server_option_ip}}', dbname 'mirror');
CREATE USER MAPPING FOR PUBLIC SERVER mirror OPTIONS (user 'mirror', password '{{user_mapping}}');
CREATE FOREIGN TABLE ops.remote (id integer) SERVER mirror OPTIONS (table_name '{{foreign_table_option}}');
CREATE SUBSCRIPTION upstream CONNECTION 'host=up.practice.example user=repl password={{subscription}}' PUBLICATION feed
    WITH (connect = false, enabled = false, slot_name = NONE, create_slot = false);
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET app.smtp = %L', current_database(), '{{database_setting}}');
    EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(), 'managed by {{comment_database}}');
END
$$;
