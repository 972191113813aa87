package bench

import (
	"fmt"
	"math"
	"runtime"
	"strings"
)

// table is one table of the database that is restored.
type table struct {
	name    string
	rows    float64 // at scale 1
	columns int
	create  string
	// rows for the numbers i from generate_series(%d, %d); other rows' numbers come from %[3]d and on
	fill  string
	scrub []scrubbedColumn // columns that hold what may not lie in a sandbox
	keep  []string         // columns that look as if, and do not
}

// scrubbedColumn is a column, how the drill rewrites it and how SQL does.
type scrubbedColumn struct {
	column string
	rule   string // of the drill file
	sql    string // the usual expression
}

const (
	numUsers    = 600_000
	numProducts = 50_000
	numOrders   = 3_000_000
	numItems    = 8_000_000
	numEvents   = 3_600_000
	numMessages = 900_000
)

// lorem is what longer texts are cut from: it compresses as prose does.
const lorem = `Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore ` +
	`et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea ` +
	`commodo consequat. Duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu fugiat nulla ` +
	`pariatur. Excepteur sint occaecat cupidatat non proident, sunt in culpa qui officia deserunt mollit anim id est ` +
	`laborum. Sed ut perspiciatis unde omnis iste natus error sit voluptatem accusantium doloremque laudantium, ` +
	`totam rem aperiam, eaque ipsa quae ab illo inventore veritatis et quasi architecto beatae vitae dicta sunt ` +
	`explicabo.`

func prose(from, length string) string {
	return fmt.Sprintf("substr('%s', 1 + (%s)::int, (%s)::int)", lorem, from, length)
}

// tables are those of a shop: wide and narrow ones, 36 columns, of which nine
// are scrubbed by a key.
var tables = []table{
	{
		name: "users", rows: numUsers, columns: 8,
		create: `id bigint not null, email text not null, full_name text not null, phone text, birth_date date,
			country char(2) not null, profile jsonb not null, created_at timestamptz not null`,
		fill: `select i, 'user' || i || '.' || left(md5(i::text), 6) || '@mail' || i % 40 || '.example.com',
			initcap(left(translate(md5('f' || i), '0123456789', 'aeiounrstl'), 6)) || ' ' || initcap(left(translate(md5('l'
				|| i), '0123456789', 'aeiounrstl'), 9)),
			'+49 30 ' || (10000000 + (i * 7919) % 89999999), date '1950-01-01' + ((i * 31) % 20000)::int,
			(array['DE','FR','PL','IT','ES','NL'])[1 + i % 6],
			jsonb_build_object('theme', (array['dark','light'])[1 + i % 2], 'beta', i % 7 = 0, 'visits', (i * 37) % 5000,
				'tags', jsonb_build_array('t' || i % 90, 't' || i % 77)),
			timestamptz '2020-01-01' + i % 180000000 * interval '1 second'`,
		scrub: []scrubbedColumn{
			{"email", "transform: email, link: person, normalize: [trim, lower]",
				`'u' || left(md5($K || lower(trim(email))), 16) || '@example.invalid'`},
			{"full_name", "transform: name",
				`'N' || left(md5($K || full_name), 7) || ' L' || right(md5($K || full_name), 9)`},
			{"phone", "transform: phone",
				`'+49 30 ' || right((('x' || left(md5($K || phone), 15))::bit(60)::bigint)::text, 8)`},
			{"birth_date", "transform: date_shift, days: 180",
				`birth_date + (('x' || left(md5($K || birth_date::text), 7))::bit(28)::int % 361 - 180)`},
		},
		keep: []string{"profile"},
	},
	{
		name: "products", rows: numProducts, columns: 5,
		create: `id int not null, sku text not null, title text not null, price numeric(10,2) not null, attributes jsonb ` +
			`not null`,
		fill: `select i, 'SKU-' || lpad(i::text, 9, '0'), 'Product ' || ` + prose("i * 13 % 600", "10 + i % 30") +
			`, (i * 97 % 100000)::numeric / 100,
			jsonb_build_object('weight', i % 3000, 'color', (array['red','green','blue'])[1 + i % 3])`,
		keep: []string{"attributes"},
	},
	{
		name: "orders", rows: numOrders, columns: 7,
		create: `id bigint not null, user_id bigint not null, status text not null, total numeric(12,2) not null,
			contact_email text not null, note text, created_at timestamptz not null`,
		fill: `select i, 1 + (i * 7919) % $users, (array['new','paid','shipped','returned'])[1 + i % 4],
			(i * 31 % 1000000)::numeric / 100,
			'user' || 1 + (i * 7919) % $users || '@mail' || i % 40 || '.example.com',
			case when i % 3 > 0 then 'leave it with ' || left(md5(i::text), 8) || ', ' || ` + prose("i * 17 % 500",
			"20 + i % 60") + ` end,
			timestamptz '2022-01-01' + i * interval '31 seconds'`,
		scrub: []scrubbedColumn{
			{"contact_email", "transform: email, link: person, normalize: [trim, lower]",
				`'u' || left(md5($K || lower(trim(contact_email))), 16) || '@example.invalid'`},
			{"note", "transform: text", `md5($K || note) || left(md5(note || $K), greatest(length(note) - 32, 0))`},
		},
	},
	{
		name: "order_items", rows: numItems, columns: 5,
		create: `order_id bigint not null, line int not null, product_id int not null, quantity int not null, price ` +
			`numeric(10,2) not null`,
		fill: `select 1 + (i - 1) % $orders, 1 + ((i - 1) / $orders)::int, 1 + (i * 31 % $products)::int, 1 + (i % ` +
			`5)::int, (i * 97 % 100000)::numeric / 100`,
	},
	{
		name: "events", rows: numEvents, columns: 6,
		create: `id bigint not null, user_id bigint not null, ip text not null, user_agent text not null, payload jsonb ` +
			`not null, at timestamp not null`,
		fill: `select i, 1 + (i * 104729) % $users, 10 + i % 200 || '.' || i * 7 % 256 || '.' || i * 11 % 256 || '.'
			|| i * 13 % 256,
			'Mozilla/5.0 (X11; Linux x86_64; rv:' || 90 + i % 40 || '.0) Gecko/20100101 Firefox/' || 90 + i % 40 || '.'
				|| left(md5(i::text), 4),
			jsonb_build_object('page', '/p/' || i % 50000, 'ms', (i * 7919) % 3000, 'ref', left(md5('r' || i), 12), 'ab',
				jsonb_build_object('x', i % 2, 'y', i % 5)),
			timestamp '2023-01-01' + i * interval '20 seconds'`,
		scrub: []scrubbedColumn{
			{"ip", "transform: hash", `md5($K || ip)`},
			{"user_agent", "transform: text",
				`md5($K || user_agent) || left(md5(user_agent || $K), greatest(length(user_agent) - 32, 0))`},
		},
		keep: []string{"payload"},
	},
	{
		name: "messages", rows: numMessages, columns: 5,
		create: `id bigint not null, author_id bigint not null, body text not null, meta jsonb not null, sent_at ` +
			`timestamptz not null`,
		fill: `select i, 1 + (i * 7907) % $users, left(md5(i::text), 10) || ' ' || ` +
			prose("i * 7 % 400", "80 + i * 13 % 220") + `,
			jsonb_build_object('channel', 'c' || i % 300, 'read', i % 3 = 0),
				timestamptz '2023-01-01' + i * interval '80 seconds'`,
		scrub: []scrubbedColumn{{"body", "transform: text",
			`rpad(md5($K || body) || md5(body || $K), length(body), md5($K || body))`}},
		keep: []string{"meta"},
	},
}

// afterFill is what rests on the rows.
var afterFill = []string{
	`alter table users add primary key (id)`,
	`alter table products add primary key (id)`,
	`alter table orders add primary key (id)`,
	`alter table order_items add primary key (order_id, line)`,
	`alter table events add primary key (id)`,
	`alter table messages add primary key (id)`,
	`alter table users add constraint users_email_key unique (email)`,
	`alter table products add constraint products_sku_key unique (sku)`,
	`create index orders_user_id on orders (user_id)`,
	`create index orders_created_at on orders (created_at)`,
	`create index events_user_at on events (user_id, at)`,
	`create index messages_author on messages (author_id, sent_at)`,
	`create index products_attributes on products using gin (attributes)`,
}

// afterKeys need the keys that afterFill made.
var afterKeys = []string{
	`alter table orders add foreign key (user_id) references users`,
	`alter table order_items add foreign key (order_id) references orders`,
	`alter table order_items add foreign key (product_id) references products`,
	`alter table events add foreign key (user_id) references users`,
	`alter table messages add foreign key (author_id) references users`,
	`create materialized view daily_sales as
		select created_at::date as day, status, count(*) as orders, sum(total) as total from orders group by 1, 2`,
	`create unique index daily_sales_key on daily_sales (day, status)`,
}

// numRows is how many rows a table has at a scale.
func (t table) numRows(scale float64) int64 { return int64(math.Round(t.rows * scale)) }

// slice is the statement that makes the rows of the numbers first to last.
func (t table) slice(scale float64, first, last int64) string {
	at := func(rows float64) string { return fmt.Sprint(int64(math.Round(rows * scale))) }
	fill := strings.NewReplacer("$users", at(numUsers), "$orders", at(numOrders), "$products",
		at(numProducts)).Replace(t.fill)
	return fmt.Sprintf("insert into %s %s from generate_series(%d::bigint, %d::bigint) as i", t.name, fill, first, last)
}

// update is how the columns of a table are usually made harmless after a
// restore: one statement for all of them. Empty where there are none.
func (t table) update(key string) string {
	var set []string
	for _, c := range t.scrub {
		set = append(set, c.column+" = "+strings.ReplaceAll(c.sql, "$K", "'"+key+"'"))
	}
	if len(set) == 0 {
		return ""
	}
	return "update " + t.name + " set " + strings.Join(set, ", ")
}

func numColumns() (all, scrubbed int) {
	for _, t := range tables {
		all += t.columns
		scrubbed += len(t.scrub)
	}
	return all, scrubbed
}

// recipe is a database that is made, dumped and restored.
type recipe struct {
	text     string // everything that decides what is in it
	scale    string // names the folder in the cache too
	steps    []drillStep
	rows     map[string]int64 // of each table
	rules    string           // of the drill file: what is scrubbed
	columns  int
	scrubbed int

	// Room in bytes: for the database once it is made or restored, for one
	// that the usual way rewrites, and for the archive.
	filled, rewritten, archive int64
}

// drillStep is statements that may run side by side, over so many connections.
type drillStep struct {
	jobs       int
	statements []string
}

// shop is the database of the comparisons, at one of the Scales.
func shop(scale string) recipe {
	var text strings.Builder
	room := func(bytes float64) int64 { return int64(bytes * Scales[scale]) }
	r := recipe{scale: scale, rows: map[string]int64{}, rules: shopRules(),
		filled: room(filledBytes), rewritten: room(rewrittenBytes), archive: room(archiveBytes)}
	var creates, fills []string
	for _, t := range tables {
		fmt.Fprintln(&text, t.name, t.rows, t.create, t.fill)
		n := t.numRows(Scales[scale])
		r.rows["public."+t.name] = n
		creates = append(creates, fmt.Sprintf("create table %s (%s)", t.name, t.create))
		const slice = 200_000
		for first := int64(1); first <= n; first += slice {
			fills = append(fills, t.slice(Scales[scale], first, min(first+slice-1, n)))
		}
	}
	fmt.Fprintln(&text, afterFill, afterKeys)
	r.text = text.String()
	r.columns, r.scrubbed = numColumns()
	jobs := runtime.NumCPU()
	r.steps = []drillStep{{1, creates}, {jobs, fills}, {jobs, afterFill}, {1, afterKeys}}
	return r
}
