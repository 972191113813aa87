package expect

import (
	"strings"
	"sync"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// memory finds what past reports say of one check or column. Going through
// all of a report for each would take the square of the number of tables:
// with a thousand of them and thirty reports, ten seconds.
type memory map[*verdict.Report]func() *recalled

// recalled is a report by the names of what it holds.
type recalled struct {
	checks map[string]*verdict.Check // by id
	marks  map[columnName]string
	tables map[string]*verdict.Table

	// What was there beside tables, or need not be one: by its name as a drill
	// file writes it.
	relations map[string]bool
	columns   map[string]bool
}

type columnName struct{ table, name string }

// remember is ready at once: a report is gone through when it is first asked.
func remember(past history.Past) memory {
	m := memory{}
	for _, r := range past.Passing {
		m[r] = sync.OnceValue(func() *recalled { return recall(r) })
	}
	return m
}

func (m memory) of(r *verdict.Report) *recalled { return m[r]() }

// recall keeps the first of a name, if there were two.
func recall(r *verdict.Report) *recalled {
	all := recalled{
		checks: make(map[string]*verdict.Check, len(r.Checks)),
		marks:  make(map[columnName]string, len(r.Marks)),
		tables: make(map[string]*verdict.Table, len(r.Tables)),

		relations: map[string]bool{}, columns: map[string]bool{},
	}
	for i := len(r.Checks) - 1; i >= 0; i-- {
		c := &r.Checks[i]
		all.checks[c.ID] = c
		if name, ok := strings.CutPrefix(c.ID, presentID); ok && c.Outcome == verdict.Pass && c.Accepted == nil {
			all.relations[name] = true
		}
		for _, name := range c.Columns {
			all.columns[name] = true
		}
	}
	for i := len(r.Marks) - 1; i >= 0; i-- {
		m := r.Marks[i]
		all.marks[columnName{m.Table, m.Column}] = m.Newest
		all.columns[m.Table+"."+spec.Dotted(m.Column)] = true
	}
	for _, e := range r.LatestEvents {
		all.relations[e.Table] = true
		for _, name := range e.Columns {
			all.columns[e.Table+"."+spec.Dotted(name)] = true
		}
	}
	for _, w := range r.Witnesses {
		all.relations[w.Table] = true
	}
	for i := len(r.Tables) - 1; i >= 0; i-- {
		all.tables[r.Tables[i].Name] = &r.Tables[i]
	}
	return &all
}
