package drill

import (
	"errors"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/detect"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// namesToTell are those that a report may hold: of the archive and of the drill
// file. What looks sensitive is told of neither.
func (r *run) namesToTell() *told.Names {
	scanner := detect.NewScanner(detect.All, r.Drill.Scrub.LeakScan.Allow...)
	names := told.New(func(text string) bool {
		_, found := scanner.Find([]byte(text))
		return found
	}, r.box.Sentences())
	for name := range r.archive.Names() {
		names.Know(name)
	}
	for _, part := range r.drillParts() {
		eachText(reflect.ValueOf(part), func(text string) { names.Know(text) })
	}
	return names
}

// drillParts are what the drill file says in which names may stand.
func (r *run) drillParts() []any {
	return []any{r.Drill.Expectations, r.Drill.Scrub.Rules, r.Drill.Scrub.Keep, r.Drill.Scrub.ExcludeTableData,
		r.Drill.LatestEvents}
}

// eachText goes through all texts of a value, at any depth.
func eachText(v reflect.Value, tell func(string)) {
	switch v.Kind() {
	case reflect.String:
		tell(v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			eachText(v.Elem(), tell)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			eachText(v.Index(i), tell)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachText(v.Field(i), tell)
			}
		}
	}
}

// queries are the SQL of the drill file, which may call what the backup brings.
func (r *run) queries() (all []string) {
	for _, f := range r.Drill.Expectations.FailedRows {
		all = append(all, f.SQL)
	}
	for _, t := range r.Drill.Expectations.Tables {
		if t.Freshness != nil {
			all = append(all, t.Freshness.Where)
		}
	}
	if c := r.Drill.Expectations.Canary; c != nil {
		eachText(reflect.ValueOf(c), func(text string) { all = append(all, text) })
	}
	for _, rule := range r.Drill.Scrub.Rules {
		all = append(all, rule.Recompute)
	}
	return all
}

// inKnownWords is a problem whose text holds no message of the server's but in
// words that may be told: code of the backup may choose any others.
func (r *run) inKnownWords(p *verdict.Problem) *verdict.Problem {
	if p == nil || p.Err == nil {
		return p
	}
	text := p.Err.Error()
	for _, said := range serverErrors(p.Err) {
		text = strings.ReplaceAll(text, said.Error(), r.sentence(said))
	}
	if text == p.Err.Error() {
		return p
	}
	return &verdict.Problem{Outcome: p.Outcome, Code: p.Code, Hint: p.Hint, Err: errors.New(text)}
}

func (r *run) sentence(said *pgconn.PgError) string {
	names := r.names
	if names == nil { // nothing of the backup's has run yet, and none is known
		names = told.New(nil, nil)
	}
	return names.Sentence(said.Message) + " (SQLSTATE " + told.State(said.Code) + ")"
}

// serverErrors are all of an error's that the server reported.
func serverErrors(err error) (all []*pgconn.PgError) {
	if said, ok := err.(*pgconn.PgError); ok {
		return []*pgconn.PgError{said}
	}
	switch wraps := err.(type) {
	case interface{ Unwrap() error }:
		if inner := wraps.Unwrap(); inner != nil {
			all = serverErrors(inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range wraps.Unwrap() {
			all = append(all, serverErrors(inner)...)
		}
	}
	return all
}

// neverTold are the kinds of values that a report has no use for, whoever
// wrote it: a check's text holds none but by somebody's code.
var neverTold = detect.Of(detect.Email, detect.IBAN, detect.Secret)

// vouched is a text of the report with a mark for whatever looks sensitive in
// it, unless the drill file says it.
func (r *run) vouched(text string) string {
	var b strings.Builder
	from := 0
	detect.NewScanner(neverTold, r.Drill.Scrub.LeakScan.Allow...).Each([]byte(text), func(h detect.Hit) {
		if h.From < from || r.names.Knows(text[h.From:h.To]) {
			return
		}
		b.WriteString(text[from:h.From] + "…")
		from = h.To
	})
	if from == 0 {
		return text
	}
	return b.String() + text[from:]
}

// vouch looks through what a report says in words, at last.
func (r *run) vouch(rep *verdict.Report) {
	if r.names == nil {
		return
	}
	vouch := r.tellable()
	for i := range rep.Checks {
		if c := &rep.Checks[i]; c.Code != verdict.CodeWitness {
			vouch(&c.ID, &c.Expected, &c.Observed, &c.Message, &c.Hint)
		}
	}
	for i := range rep.Stages {
		vouch(&rep.Stages[i].Message, &rep.Stages[i].Hint)
	}
	eachName(rep, vouch)
}
