package leakscan

import (
	"fmt"
	"hash/maphash"
	"slices"
	"testing"

	"daybefore/internal/detect"
)

func TestSight(t *testing.T) {
	t.Parallel()
	people := []string{"Ada", "Anna", "Peter", "Maria", "Thomas", "Julia", "Paul", "Laura", "Martin", "Sophie"}
	for _, tt := range []struct {
		name  string
		value func(i int) string
		want  string
		forms []string
	}{
		{"words", func(i int) string { return "a word" }, "", []string{"words"}},
		{"one address", func(i int) string { return map[bool]string{true: "ada@example.com"}[i == 7] },
			"an e-mail address (1 of 100 values looked at)", []string{"empty"}},
		{"one doubt", func(i int) string { return map[bool]string{true: "v 1.2.3.4", false: "x"}[i == 7] }, "", []string{"words"}},
		{"names", func(i int) string { return people[i%10] + " " + []string{"Schmidt", "Smith", "Garcia"}[i%3] },
			"a person's name", []string{"words"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seed := maphash.MakeSeed()
			halves := []Sight{NewSight(detect.NewScanner(detect.All), seed), NewSight(detect.NewScanner(detect.All), seed)}
			for i := range 100 {
				halves[i%2].Add([]byte(tt.value(i)))
			}
			halves[0].Join(&halves[1])
			if got := halves[0].Tells(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if got := halves[0].Forms.Words(); !slices.Equal(got, tt.forms) {
				t.Errorf("%q, want %q", got, tt.forms)
			}
		})
	}
	var forms Sight
	forms.Add([]byte("ada@example.com"))
	if got := forms.Tells(); got != "" || fmt.Sprint(forms.Forms.Words()) != "[codes]" {
		t.Errorf("%q, %q of one that asks for forms only", got, forms.Forms.Words())
	}
}
