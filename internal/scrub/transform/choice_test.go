package transform

import (
	"fmt"
	"slices"
	"testing"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// choice is the recipe of a choice on a column of texts.
func choice(link string, values ...string) *Recipe {
	column := &schema.Column{Table: &schema.Table{Name: schema.Name{Schema: "public", Table: "t"}}, Name: "c"}
	rule := &spec.Rule{Transform: Choice, Link: link, Values: values}
	return New(column.AsText(), rule, DomainOf(link, column), Env{Locale: english})
}

// Equal values become one of the rule's, and the same under one key and link; all of
// the rule's are made, each about as often.
func TestChoice(t *testing.T) {
	t.Parallel()
	values := []string{"single", "married", "widowed"}
	apart := 0
	counts := map[string]int{}
	one := NewMasker(testKey)
	other := NewMasker([]byte("another key of thirty-two bytes."))
	for i := range 3000 {
		in := fmt.Appendf(nil, "value %d", i)
		made := appended(t, one, choice("status", values...), in)
		if again := appended(t, one, choice("status", values...), in); again != made {
			t.Fatalf("%s became %s and %s", in, made, again)
		}
		if appended(t, other, choice("status", values...), in) != made {
			apart++
		}
		counts[made]++
	}
	for _, v := range values {
		if counts[v] < 900 || counts[v] > 1100 {
			t.Errorf("%s was chosen %d times of 3000", v, counts[v])
		}
	}
	if len(counts) != len(values) || apart < 1800 || apart > 2200 {
		t.Errorf("made %v; under another key %d of 3000 become another", counts, apart)
	}
}

// A choice without a link is its column's own.
func TestChoiceIsItsColumns(t *testing.T) {
	t.Parallel()
	m := NewMasker(testKey)
	apart := 0
	for i := range 100 {
		in := fmt.Appendf(nil, "value %d", i)
		if appended(t, m, choice("", "a", "b"), in) != appended(t, m, choice("status", "a", "b"), in) {
			apart++
		}
	}
	if apart < 25 || apart > 75 {
		t.Errorf("with a link and without, %d of 100 differ", apart)
	}
}

// Whether a column takes them is asked of all values, in the encoding of the rows.
func TestChoiceIsTriedWhole(t *testing.T) {
	t.Parallel()
	column := (&schema.Column{Table: &schema.Table{}}).AsText()
	rule := &spec.Rule{Transform: Choice, Values: []string{"Köln", "Bonn"}}
	latin, _ := copytext.EncodingOf("LATIN1")
	tried := New(column, rule, Domain{}, Env{Locale: english, Encoding: latin}).Outcomes(column)
	if len(tried) != 1 || !slices.Equal(tried[0].Out, []string{"K\xf6ln", "Bonn"}) {
		t.Errorf("tried %q", tried)
	}
	column.Length = 3
	if why, _ := UnfitLength(column, rule, english); why != "holds 3 characters, and choice makes 4" {
		t.Error(why)
	}
	column.Length = 4
	if tooLong(column, rule, english) != 0 {
		t.Error("four characters do not fit four")
	}
	if why, _ := UnfitParameters(column, &spec.Rule{Transform: Choice}); why == "" {
		t.Error("a choice without values is taken")
	}
	if EffectOf(rule) != Merges {
		t.Error("a choice keeps values apart")
	}
}

func appended(t *testing.T, m *Masker, r *Recipe, value []byte) string {
	t.Helper()
	out, err := m.Append(nil, r, value, value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
