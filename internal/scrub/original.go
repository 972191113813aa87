package scrub

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/pgtext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// originals are the fields of a row of which a value is replaced, by its rule or
// by keep, and how they are looked at before. Nil where nothing is replaced.
type originals struct {
	*transform.Originals
	types          []*pgtext.Type // by field, of what is replaced
	replacedFields []int
	typedFields    []int // among them, those whose values are looked at as a type's
}

func (p *Plan) newOriginals(r *rewriter, decode *copytext.Decoder) *originals {
	o := &originals{types: make([]*pgtext.Type, len(r.names))}
	for i, name := range r.names {
		sets := slices.ContainsFunc(r.keepers, func(k rowKeeper) bool { return k.set[i] != nil })
		if !sets && r.cells[i] == nil {
			continue
		}
		o.replacedFields = append(o.replacedFields, i)
		if t := r.table.ByName[name].Input; !t.Any() {
			o.types[i] = t
			o.typedFields = append(o.typedFields, i)
		}
	}
	o.Originals = transform.NewOriginals(p.schema.Server, p.encoding, decode, o.types)
	return o
}

// checkRow looks at the row that was split last, and at the values in it that
// are replaced.
func (r *rewriter) checkRow(row []byte) error {
	if err := r.originals.Row(row); err != nil {
		for i := range r.ends { // where it is
			if r.originals.Row(r.field(row, i)) != nil {
				return r.damaged(i, err)
			}
		}
		return r.damaged(-1, err)
	}
	look := r.replacedFields
	if copytext.Plain(row) { // nothing is written in another way than it is
		look = r.typedFields
	}
	for _, i := range look {
		field := r.field(row, i)
		if r.types[i] == nil && copytext.Plain(field) || copytext.IsNull(field) {
			continue
		}
		if err := r.originals.Field(i, field); err != nil {
			return r.damaged(i, err)
		}
	}
	return nil
}

// damaged is what is wrong with the original in a field; -1: in the row.
func (r *rewriter) damaged(field int, err error) error {
	const hint = "the row is damaged, and a restore by hand is refused there too: " +
		"take another backup, and look at how this one was stored"
	if field < 0 {
		return verdict.Failf(verdict.CodeCorrupt, hint, "%s, row %d: %w", r.table.Name, r.row, err)
	}
	return verdict.Failf(verdict.CodeCorrupt, hint, "%s, row %d, column %s: %w", r.table.Name, r.row, r.names[field],
		err)
}

const originalsExpected = "every value that a rule replaces is one that its column takes"

// originalsCheck says which values were looked at before a rule replaced them,
// and what was not asked of them.
func originalsCheck(replaced []*schema.Column) verdict.Check {
	c := verdict.Check{ID: "originals", Stage: verdict.StageScrub, Code: verdict.CodeScrub, Outcome: verdict.Pass,
		Expected: originalsExpected}
	read := map[string]bool{}
	unread := map[string]bool{}
	checked := map[string]bool{}
	for _, col := range replaced {
		name := col.Root().String()
		read[name] = true
		if !col.Input.Known() {
			unread[name+" ("+col.SQL+")"] = true
		}
		if col.IsChecked() {
			checked[name] = true
		}
	}
	c.Observed = verdict.Count(int64(len(read)), "column")
	var notes []string
	note := func(names map[string]bool, observed, message string) {
		if len(names) > 0 {
			c.Observed += fmt.Sprintf(", %d %s", len(names), observed)
			notes = append(notes, message+joined(slices.Sorted(maps.Keys(names))))
		}
	}
	note(unread, "of a type of which only the encoding is looked at",
		"of the originals of these only the encoding was looked at, since this program does not read their type: ")
	note(checked, "under a CHECK that saw only pseudonyms",
		"a CHECK constraint judged what the rule made, not the original, of ")
	c.Message = strings.Join(notes, "; ")
	return c
}

// replacedColumns are the loaded columns of which some value is replaced.
func (p *Plan) replacedColumns() (all []*schema.Column) {
	for t, names := range p.loaded {
		for _, name := range names {
			c := t.ByName[name]
			if c == nil {
				continue
			}
			set := slices.ContainsFunc(p.keeps,
				func(k *keeper) bool { return k.set[name] != nil && k.table.IsRelated(t) })
			if set || p.recipes[c] != nil {
				all = append(all, c)
			}
		}
	}
	return all
}
