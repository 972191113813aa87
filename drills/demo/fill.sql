-- Adds to the demo's database what happened in the shop after demo.since and
-- up to demo.until (two settings of the session), and brings what was there
-- up to date. The n-th of every kind of thing happens at a fixed distance
-- from the opening, and md5 stands in for chance: the same span of time gives
-- the same rows, on every machine and in every time zone.

SET timezone = 'UTC';

CREATE FUNCTION pg_temp.opening() RETURNS timestamptz
    LANGUAGE sql IMMUTABLE AS $$ SELECT '2025-12-01 00:00:00+00'::timestamptz $$;

-- how many things that happen once in every step have happened by then
CREATE FUNCTION pg_temp.reached(setting text, step interval) RETURNS bigint
    LANGUAGE sql STABLE AS $$
    SELECT floor(extract(epoch FROM current_setting(setting)::timestamptz - pg_temp.opening())
                 / extract(epoch FROM step))::bigint
$$;

CREATE FUNCTION pg_temp.moment(n bigint, step interval) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.opening() + n * step $$;

-- the numbers of the things that are new in this span
CREATE FUNCTION pg_temp.fresh(step interval) RETURNS SETOF bigint
    LANGUAGE sql STABLE AS $$
    SELECT generate_series(pg_temp.reached('demo.since', step) + 1, pg_temp.reached('demo.until', step))
$$;

-- 0 <= chance < size, by the thing's number and what is asked about it
CREATE FUNCTION pg_temp.chance(n bigint, what text, size bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || substr(md5(what || n), 1, 7))::bit(28)::bigint % size
$$;

CREATE FUNCTION pg_temp.one_of(n bigint, what text, choices text[]) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
    SELECT choices[1 + pg_temp.chance(n, what, cardinality(choices))]
$$;

-- somebody who had signed up (one every three hours) by then
CREATE FUNCTION pg_temp.somebody(n bigint, what text, at timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 1 + pg_temp.chance(n, what, greatest(1, floor(extract(epoch FROM at - pg_temp.opening()) / 10800)::bigint))
$$;

INSERT INTO public.products (id, sku, title, price, tags)
SELECT n, 'SKU-' || lpad(n::text, 4, '0'),
       pg_temp.one_of(n, 'colour', '{Blue,Green,Red,Grey,Yellow}') || ' '
           || pg_temp.one_of(n, 'ware', '{kettle,lamp,notebook,scarf,umbrella,tea,backpack,mug}'),
       3 + pg_temp.chance(n, 'price', 60) + 0.50,
       ARRAY[pg_temp.one_of(n, 'tag', '{home,travel,office}'), pg_temp.one_of(n, 'season', '{summer,winter,"all year"}')]
FROM generate_series(1, 40) AS n
ON CONFLICT DO NOTHING;

INSERT INTO public.people (full_name, email, phones, birth_date, role, profile, created_at, updated_at)
SELECT given || ' ' || family,
       lower(given || '.' || family) || n || '@'
           || CASE WHEN n % 150 = 1 THEN 'staff.example.org'
              ELSE pg_temp.one_of(n, 'host', '{example.com,example.org,example.net}') END,
       CASE WHEN n % 5 = 0 THEN '{}'::text[]
            WHEN n % 7 = 0 THEN ARRAY[phone, '+1 202 555 01' || lpad((n % 100)::text, 2, '0')]
            ELSE ARRAY[phone] END,
       CASE WHEN n % 3 > 0 THEN date '1950-01-01' + pg_temp.chance(n, 'birth', 18000)::integer END,
       CASE WHEN n % 150 = 1 THEN 'staff' ELSE 'customer' END,
       jsonb_build_object('language', pg_temp.one_of(n, 'language', '{en,de,fr}'), 'newsletter', n % 4 = 0),
       at, at
FROM (
    SELECT n, pg_temp.moment(n, '3 hours') AS at,
           pg_temp.one_of(n, 'given', '{Alda,Bruno,Cleo,Dario,Edda,Falk,Greta,Hugo,Iris,Jonas,Kaja,Leon,Mila,Nils,Olga,Piet}') AS given,
           pg_temp.one_of(n, 'family', '{Sampleton,Placeholder,Mockwell,Testerly,Specimen,Dummyfield,Exampler,Fixture}') AS family,
           '+44 20 7946 0' || lpad(pg_temp.chance(n, 'phone', 1000)::text, 3, '0') AS phone
    FROM pg_temp.fresh('3 hours') AS n
) AS signup;

INSERT INTO public.addresses (person_id, street, city, country)
SELECT n, 1 + pg_temp.chance(n, 'house', 90) || ' '
           || pg_temp.one_of(n, 'street', '{Sample Street,Example Road,Placeholder Lane,Mock Square}'),
       pg_temp.one_of(n, 'city', '{Exampleton,Sampleville,Testburg,Mockford}'),
       pg_temp.one_of(n, 'country', '{GB,DE,FR}')
FROM pg_temp.fresh('3 hours') AS n;

INSERT INTO public.orders (person_id, contact_email, status, total, note, created_at)
SELECT o.person_id, p.email,
       CASE WHEN o.n % 12 = 0 THEN 'cancelled' ELSE 'open' END::public.order_status, 0,
       CASE WHEN o.n % 9 = 0 THEN pg_temp.one_of(o.n, 'note',
           '{Please leave it with the neighbour,Ring twice,It is a present,Back door please}') END,
       o.at
FROM (
    SELECT n, pg_temp.moment(n, '1 hour') AS at,
           pg_temp.somebody(n, 'buyer', pg_temp.moment(n, '1 hour')) AS person_id
    FROM pg_temp.fresh('1 hour') AS n WHERE n > 3
) AS o JOIN public.people p ON p.id = o.person_id
ORDER BY o.n;

INSERT INTO public.order_items (order_id, line, product_id, quantity, unit_price)
SELECT o.id, line, p.id, 1 + pg_temp.chance(o.id, 'quantity' || line, 3), p.price
FROM public.orders o
CROSS JOIN LATERAL generate_series(1, 1 + pg_temp.chance(o.id, 'lines', 3)::integer) AS line
JOIN public.products p ON p.id = 1 + pg_temp.chance(o.id, 'product' || line, 40)
WHERE o.created_at > current_setting('demo.since')::timestamptz
ORDER BY o.id, line;

UPDATE public.orders SET total = public.order_sum(id)
WHERE created_at > current_setting('demo.since')::timestamptz;

-- who orders pays within two hours, and gets the parcel two days later
INSERT INTO public.payments (order_id, amount, iban, paid_at)
SELECT id, total, 'XX00 EXAM ' || lpad((person_id * 37 % 10000)::text, 4, '0'), created_at + interval '2 hours'
FROM public.orders
WHERE status = 'open' AND created_at + interval '2 hours' <= current_setting('demo.until')::timestamptz
ORDER BY id;

UPDATE public.orders SET status = 'paid'
WHERE status = 'open' AND EXISTS (SELECT FROM public.payments WHERE order_id = orders.id);
UPDATE public.orders SET status = CASE WHEN id % 20 = 0 THEN 'returned' ELSE 'shipped' END::public.order_status
WHERE status = 'paid' AND created_at + interval '2 days' <= current_setting('demo.until')::timestamptz;

INSERT INTO public.prices_of_the_day (day, product_id, price)
SELECT pg_temp.moment(n, '1 day')::date, p.id, p.price
FROM pg_temp.fresh('1 day') AS n CROSS JOIN public.products p
WHERE p.id <= 10
ORDER BY n, p.id;

INSERT INTO bot.messages (person_id, direction, body, meta, sent_at)
SELECT pg_temp.somebody(n / 3 * 3, 'writer', pg_temp.moment(n, '30 minutes')),
       CASE WHEN n % 2 = 0 THEN 'in' ELSE 'out' END::bot.direction,
       CASE WHEN n % 2 = 0
            THEN pg_temp.one_of(n, 'question', '{Where is my parcel?,Do you have this in green?,I would like to send it back,Thank you!,"Hello, is anybody there?"}')
            ELSE pg_temp.one_of(n, 'answer', '{It is on its way,Let me look that up,Here is your label,You are welcome,"Yes, we are here"}') END,
       CASE WHEN n % 2 = 0 THEN '{"via": "chat", "read": true}' ELSE '{"via": "bot"}' END::jsonb,
       pg_temp.moment(n, '30 minutes')
FROM pg_temp.fresh('30 minutes') AS n WHERE n > 6;

INSERT INTO bot.events (id, at, kind, person_id)
SELECT n, pg_temp.moment(n, '20 minutes'),
       pg_temp.one_of(n, 'kind', '{viewed,viewed,searched,added,imported}'),
       CASE WHEN n % 3 = 0 AND n > 9 THEN pg_temp.somebody(n, 'visitor', pg_temp.moment(n, '20 minutes')) END
FROM pg_temp.fresh('20 minutes') AS n;

INSERT INTO bot.polls (id, polled_ms, updates)
SELECT n, extract(epoch FROM pg_temp.moment(n, '1 hour'))::bigint * 1000, 3
FROM pg_temp.fresh('1 hour') AS n;

-- one session every four hours, each for a week
DELETE FROM public.sessions WHERE expires_at <= current_setting('demo.until')::timestamptz;
INSERT INTO public.sessions (token, person_id, ip, expires_at)
SELECT md5('session' || n), pg_temp.somebody(n, 'session', at), ('192.0.2.' || 1 + n % 250)::inet, at + interval '7 days'
FROM (SELECT n, pg_temp.moment(n, '4 hours') AS at FROM pg_temp.fresh('4 hours') AS n) AS login
WHERE n > 1 AND at + interval '7 days' > current_setting('demo.until')::timestamptz;

-- every night some of those who were there already have a new number
UPDATE public.people
SET phones = ARRAY['+44 20 7946 0' || lpad(pg_temp.chance(id, 'moved' || pg_temp.reached('demo.until', '1 day'), 1000)::text, 3, '0')],
    updated_at = current_setting('demo.until')::timestamptz
WHERE created_at <= current_setting('demo.since')::timestamptz
  AND pg_temp.chance(id, 'moves' || pg_temp.reached('demo.until', '1 day'), 40) = 0;

REFRESH MATERIALIZED VIEW public.best_customers;
