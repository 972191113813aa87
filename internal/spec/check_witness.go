package spec

import (
	"maps"
	"slices"
	"strings"
)

// witnesses are the outside records. A bucket is reached as the backups' own
// is, where that is one.
func (c checker) witnesses(raw *rawExpectations, drill *Drill) []Witness {
	if raw == nil {
		return nil
	}
	var all []Witness
	names := unique[string]{}
	for _, r := range raw.Witness {
		names.check(c, r.Name, r.Name.Value, "expectations.witness.name", "give each witness its own name")
		all = append(all, c.witness(r, drill))
	}
	return all
}

func (c checker) witness(raw rawWitness, drill *Drill) Witness {
	const key = "expectations.witness"
	if raw.Name.given() && !checkName.MatchString(raw.Name.Value) {
		c.refuse(raw.Name.at, "use small letters, digits and _", "%s.name: %s is not a valid name", key,
			shown(raw.Name.Value))
	}
	w := Witness{
		Name:      raw.Name.Value,
		Source:    c.sameStore(c.fileURL(raw.URL, key+".url"), drill.Source),
		Table:     c.name(raw.Table, key+".table"),
		At:        c.filled(raw.At, key+".at", "name the field that tells when it happened"),
		Location:  c.zone(raw.Timezone, key+".timezone"),
		Unit:      raw.Unit.Value,
		Tolerance: raw.Tolerance.Value,
		Timeout:   c.positive(raw.Timeout, key+".timeout", 0),
		Pos:       raw.at,
	}
	c.oneClock(raw.Unit, raw.Timezone, key)
	w.Key = c.witnessKey(raw, w.Table, drill)
	w.WarnIf, w.FailIf = c.conditions(raw.WarnIf, raw.FailIf, key)
	c.notOfNone(raw.WarnIf, w.WarnIf, key+".warn_if")
	c.notOfNone(raw.FailIf, w.FailIf, key+".fail_if")
	if !raw.WarnIf.given() && !raw.FailIf.given() {
		w.FailIf = &Condition{">", 0}
	}
	c.notExcluded(drill, raw.Table, w.Table, key+".table")
	return w
}

// sumFiles are the outside records of tables' sums. A bucket is reached as the
// backups' own is, where that is one.
func (c checker) sumFiles(raw *rawExpectations, drill *Drill) {
	for i, t := range drill.Expectations.Tables {
		if t.Checksum == nil || raw.Tables[i].Checksum.Witness == nil {
			continue
		}
		const key = "expectations.tables.checksum.witness"
		w := raw.Tables[i].Checksum.Witness
		t.Checksum.Witness = &SumFile{
			Source:    c.sameStore(c.fileURL(w.URL, key+".url"), drill.Source),
			Sum:       c.filled(w.Sum, key+".sum", "name the field that holds this table's sum"),
			At:        c.filled(w.At, key+".at", "name the field that tells of which backup it is"),
			Location:  c.zone(w.Timezone, key+".timezone"),
			Unit:      w.Unit.Value,
			Tolerance: w.Tolerance.Value,
			Pos:       w.at,
		}
		c.oneClock(w.Unit, w.Timezone, key)
	}
}

// oneClock refuses to read a field's times in two ways.
func (c checker) oneClock(unit, zone text, key string) {
	if unit.given() && zone.given() {
		c.refuse(zone.at, "keep the one that fits the field",
			"%s: unit is for numbers, timezone for times without a zone; a field is one of them", key)
	}
}

// fileURL names one file of a store. Its last part is the file's name.
func (c checker) fileURL(t text, key string) string {
	const hint = "write file:///dir/events.jsonl or s3://bucket/prefix/events.jsonl"
	u := c.storeURL(t, key)
	if u != "" && (strings.HasSuffix(t.Value, "/") || !isFile(strings.TrimSuffix(u, "/"))) {
		c.refuse(t.at, hint, "%s names no file", key)
	}
	return strings.TrimSuffix(u, "/")
}

// witnessKey refuses columns of which the scrub leaves nothing that could be
// compared. What else it does to them is known once the backup's schema is.
func (c checker) witnessKey(raw rawWitness, table Name, drill *Drill) []WitnessKey {
	const key = "expectations.witness.key"
	var all []WitnessKey
	fields := c.columnTexts(raw.Key, key)
	for _, column := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, WitnessKey{Column: column, Field: fields[column]})
	}
	for _, written := range slices.Sorted(maps.Keys(raw.Key)) {
		c.filled(raw.Key[written], key+"."+written, "name the field of a record that holds it")
		column, _ := parseColumn(written)
		if r := drill.Scrub.scrubbing(table, column); r != nil &&
			(r.Transform == "set_null" || r.Transform == "constant") {
			c.refuse(raw.Key[written].at,
				"choose a column that is preserved, or of which different values stay different",
				"%s: nothing is left of %s to compare with (%s, line %d)", key, table.Column(column), r.Transform,
				r.Pos.Line)
		}
	}
	return all
}

// notOfNone refuses a condition that holds where nothing is missing.
func (c checker) notOfNone(t text, condition *Condition, key string) {
	if condition != nil && condition.Holds(0) {
		c.refuse(t.at, `write "> 0", or a greater number`, "%s: %s holds where nothing is missing", key, condition)
	}
}
