package bench

import (
	"fmt"
	"runtime"
	"strings"
)

const (
	// manyRows are in each of many tables.
	manyRows = 5
	// manyColumns are in each, of which one is scrubbed.
	manyColumns = 5
	// manyBatch is how many tables one transaction makes.
	manyBatch = 100
	// manyBytes and manyArchiveBytes are what a table was seen to need, with
	// something to spare.
	manyBytes        = 160 * kib
	manyArchiveBytes = 4 * kib
)

// manyPrefix begins their names.
const manyPrefix = "tables-"

// manyRules scrub all of them by one rule.
const manyRules = "  rules: [{column: public.*.email, transform: email}]\n"

const (
	manyTable = `create table %[1]s (id int primary key, email text not null, total numeric(10,2) not null,
			at timestamptz not null, earlier int);
		create index %[1]s_at on %[1]s (at);
		insert into %[1]s select i, 'user' || i || '.%[1]s@mail.example.com', i * 97,
			timestamptz '2023-01-01' + i * interval '1 day', 1 + i %% %[2]d from generate_series(1, %[2]d) as i;
		`
	manyKey = "alter table %s add foreign key (earlier) references %s;\n"
)

// many is a database of n small tables, each with two indexes, and every tenth
// with a foreign key to the one before.
func many(n int) recipe {
	r := recipe{scale: fmt.Sprintf("%s%d", manyPrefix, n), rows: map[string]int64{}, rules: manyRules,
		columns: manyColumns * n, scrubbed: n,
		filled: int64(n) * manyBytes, rewritten: int64(n) * manyBytes, archive: int64(n) * manyArchiveBytes}
	name := func(i int) string { return fmt.Sprintf("t%05d", i) }
	var creates, keys []string
	for first := 1; first <= n; first += manyBatch {
		var create, key strings.Builder
		for i := first; i < first+manyBatch && i <= n; i++ {
			r.rows["public."+name(i)] = manyRows
			fmt.Fprintf(&create, manyTable, name(i), manyRows)
			if i%10 == 0 {
				fmt.Fprintf(&key, manyKey, name(i), name(i-1))
			}
		}
		creates = append(creates, create.String())
		keys = append(keys, key.String())
	}
	r.text = strings.Join(creates, "") + strings.Join(keys, "")
	jobs := runtime.NumCPU()
	r.steps = []drillStep{{jobs, creates}, {jobs, keys}}
	return r
}
