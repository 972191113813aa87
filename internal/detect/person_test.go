package detect

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/locale"
)

// likeName reports whether a text looks like a person's name at all.
func likeName(text []byte) bool { return nameIn(text) != noName }

func TestPersonName(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Ada Miller", "ADA MILLER", "ada miller", "Ada B. Miller", "A. Miller", "Miller Ada", "Miller, Ada", "Miller, A.",
		"Dr. Ada Xqyz", "Herr Xqyz", "Mme Xqyz", "Mrs. Xqyz-Abcde", "Prof. Dr. Ada Miller", "Sig.ra Xqyz Rossi", "Frau Dr. Xqyz",
		"Miller, Dr. Ada", "Vincent van Xqyz", "Ludwig von der Heide", "Anna-Lena Xqyz", "Juan Carlos Xqyz de la Cruz",
		"Sean O'Xqyz", "Sean O’Brien", "Jürgen Müller", "Jurgen Muller", "Łukasz Xqyz", "Олена Шевченко", "Anna", "Müller",
		"Martin Xqyz Jr.", "Ada Miller PhD", "Müller Anna Jr.", "Anna-Xqyz Abcde",
		"Ju\u0308rgen Xqyz", "Xqyz Abcde, Ju\u0308rgen", "MU\u0308LLER, A.", "Anna-Lena Xqyz, Ju\u0308rgen Abcde", "Ada Miller, Anna Xqyz, Jürgen Abcde",
		"Ada Miller; Anna Xqyz", "Ada Miller, Anna Xqyz, Jürgen Abcde, Anna Smith, Laura Brown, Peter Garcia",
	} {
		if !likeName([]byte(text)) {
			t.Errorf("%q is not taken for a name", text)
		}
	}
	for _, text := range []string{
		"", " ", ",", "Ada,", ", Ada", "Ada,Miller,X", "Dr.", "Dr. ", "Mr. x", "Xqyz Abcde", "Xqyz", "anna", "A", "A.", "Ada 2",
		"ada@example.com", "Martin GmbH", "Martin & Co", "Martin Ltd.", "Anna  Miller", "Austin, TX", "Miller, Xqyz, Anna", "Anna Anna Anna Anna Anna,",
		"Xqyz, Germany", "in stock",
		"Premium Cotton Shirt", "shipped", "New York", "Ada Byron wrote a note on an engine", "Ada X" + strings.Repeat("x", longestName),
		"Ada Miller, sold out", "Ada Miller;", "Miller, Anna, Jürgen", "Ada Miller, " + strings.Repeat("Ada Miller, ", 30) + "Ada Miller",
		"u\u0308", "Ada\tMiller", "Ada\xff Miller", "-Ada Miller", "Mary's lamb", "Via Roma 5", "1. FC Xqyz", "ada xqyz",
	} {
		if likeName([]byte(text)) {
			t.Errorf("%q is taken for a name", text)
		}
	}
}

// drawn are different values of a locale's phrase.
func drawn(p locale.Phrase, n int) []string {
	random := rand.New(rand.NewPCG(1, 2))
	var all []string
	for range n {
		numbers := [4]uint64{random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64()}
		all = append(all, string(p.Append(nil, &numbers)))
	}
	return all
}

// people are names of a locale as people write them, of which a fifth no list
// holds.
func people(locale *locale.Locale) []string {
	all := drawn(locale.Name, 300)
	for i, name := range all {
		first, last, _ := strings.Cut(name, " ")
		switch i % 10 {
		case 0, 5:
			all[i] = fmt.Sprintf("Xq%cyz Wz%czk", 'a'+i%26, 'a'+i/26)
		case 1, 2:
			all[i] = last + ", " + first
		case 3:
			all[i] = strings.ToUpper(name)
		}
	}
	return all
}

// peopleOf counts in a column of these values.
func peopleOf(values []string) *People {
	p := NewPeople(maphash.MakeSeed())
	for _, v := range values {
		p.Add([]byte(v))
	}
	return p
}

func TestPeople(t *testing.T) {
	t.Parallel()
	for _, name := range locale.Locales() {
		locale := locale.Of(name)
		for what, values := range map[string][]string{
			"names": people(locale), "first names": drawn(locale.FirstName, 1000), "last names": drawn(locale.LastName, 1000),
		} {
			if p := peopleOf(values); !p.Found() {
				names, of := p.Sampled()
				t.Errorf("%s: of %d %s only %d were taken for names", name, of, what, names)
			}
		}
		for what, values := range map[string][]string{
			"cities": drawn(locale.City, 1000), "streets": drawn(locale.Street, 1000), "companies": drawn(locale.Company, 1000),
		} {
			if p := peopleOf(values); p.Found() {
				names, of := p.Sampled()
				t.Errorf("%s: of %d %s %d were taken for names", name, of, what, names)
			}
		}
	}
}

// harmlessValues are columns of what is nobody's name, though some of it could be.
var harmlessValues = map[string]string{
	"countries": `Germany, France, Spain, Italy, Poland, Portugal, Brazil, Sweden, Ukraine, Netherlands, Jordan, Georgia, Chad,
		Austria, Belgium, Chile, China, Cuba, Denmark, Egypt, Finland, Greece, India, Israel, Japan, Kenya, Malta, Norway`,
	"statuses": `new, open, in progress, on hold, waiting, blocked, in review, approved, rejected, shipped, delivered, returned,
		refunded, paid, unpaid, overdue, cancelled, archived, deleted, draft, published, hidden, done`,
	"products": `Red Mug, Cotton Shirt, Desk Lamp, Victoria Sponge, Rose Water, Mercedes Model, Steel Bottle, Wool Hat, Oak Table,
		Glass Jar, Running Shoes, Rain Jacket, Wall Clock, Paper Bag, Silk Scarf, Travel Mug, Board Game, Coffee Grinder,
		Jack Plane, Garden Hose, Bike Lock, Phone Case, Desk Mat, Tea Pot`,
	"colors": `Black, White, Brown, Green, Gray, Red, Blue, Yellow, Orange, Purple, Pink, Violet, Cyan, Magenta, Teal, Navy,
		Olive, Maroon, Beige, Ivory, Coral, Indigo, Turquoise, Gold, Silver`,
	"jobs": `Sales Manager, Nurse, Baker, Carpenter, Mason, Teacher, Head of Sales, Data Engineer, Electrician, Plumber, Clerk,
		Cashier, Chef, Driver, Farmer, Gardener, Judge, Lawyer, Mechanic, Pilot, Porter, Smith, Tailor, Writer`,
	"categories": `Home & Garden, Kitchen, Books, Toys, Games, Music, Movies, Shoes, Hats, Sports, Outdoors, Health, Beauty,
		Grocery, Pets, Office, Baby, Jewelry, Automotive, Industrial, Software, Electronics, Tools`,
	"months and days": `January, February, March, April, May, June, July, August, September, October, November, December,
		Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, Easter, Christmas`,
	"languages": `English, German, French, Spanish, Italian, Polish, Dutch, Swedish, Ukrainian, Portuguese, Danish, Finnish,
		Greek, Turkish, Arabic, Hebrew, Hindi, Japanese, Korean, Chinese, Thai`,
}

func TestPeopleOfHarmlessValues(t *testing.T) {
	t.Parallel()
	for what, list := range harmlessValues {
		var values []string
		for v := range strings.SplitSeq(list, ",") {
			values = append(values, strings.TrimSpace(v))
		}
		p := peopleOf(values)
		names, of := p.Sampled()
		if p.Found() || of < leastPeople {
			t.Errorf("%d of %d %s were taken for names", names, of, what)
		}
	}
}

// TestPeopleFound: it takes twenty different values, and three of five names.
func TestPeopleFound(t *testing.T) {
	t.Parallel()
	values := func(names, others int) []string {
		var all []string
		for i := range names {
			all = append(all, fmt.Sprintf("Anna Xq%c", 'a'+i))
		}
		for i := range others {
			all = append(all, fmt.Sprintf("no. %d", i))
		}
		return all
	}
	for _, tt := range []struct {
		names, others int
		want          bool
	}{{0, 0, false}, {19, 0, false}, {20, 0, true}, {12, 8, true}, {11, 9, false}, {0, 20, false}} {
		all := values(tt.names, tt.others)
		p := peopleOf(slices.Concat(all, all, all)) // what is there twice counts once
		if names, of := p.Sampled(); names != tt.names || of != tt.names+tt.others || p.Found() != tt.want {
			t.Errorf("%d names and %d others: %d of %d, found %v", tt.names, tt.others, names, of, p.Found())
		}
	}
}

// TestPeopleFoundFew: fewer than twenty are judged by both of their names.
func TestPeopleFoundFew(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Ada Miller; Anna Smith; Laura Brown":                                     true,
		"Miller, Ada; Smith, Anna; Brown, Laura; see above":                       false,
		"Ada Miller; Anna Smith; Laura Brown; Peter Garcia; see above":            true,
		"Ju\u0308rgen Mu\u0308ller; Олена Шевченко; Łukasz Nowak":                 true,
		"Ada Miller; Anna Smith":                                                  false,
		"Ada Miller; Ada Miller; Ada Miller":                                      false,
		"Anna Xqyz; Laura Abcde; Peter Qwertz":                                    false,
		"Anna; Laura; Peter; Miller":                                              false,
		"Victoria Sponge; Red Mug; Jack Plane; Rose Water":                        false,
		"New York; San Francisco; Santa Clara; San Jose; Saint Louis; Fort Worth": false,
	} {
		if got := peopleOf(strings.Split(text, "; ")).FoundFew(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for what, list := range harmlessValues {
		values := strings.Split(strings.Join(strings.Fields(list), " "), ", ")
		for size := range leastPeople {
			for from := 0; from+size <= len(values); from++ {
				if peopleOf(values[from : from+size]).FoundFew() {
					t.Errorf("%q of the %s were taken for names", values[from:from+size], what)
				}
			}
		}
	}
	for _, name := range locale.Locales() {
		of := locale.Of(name)
		for what, p := range map[string]locale.Phrase{"cities": of.City, "streets": of.Street, "companies": of.Company} {
			if values := drawn(p, 19); peopleOf(values).FoundFew() {
				t.Errorf("%s: %s were taken for names: %q", name, what, values)
			}
		}
		if values := drawn(of.Name, 19); !peopleOf(values).FoundFew() {
			t.Errorf("%s: these are names: %q", name, values)
		}
	}
	many := NewPeople(maphash.MakeSeed())
	for _, v := range drawn(locale.Of("en_US").Name, 200) {
		many.Add([]byte(v))
	}
	if many.FoundFew() {
		t.Error("hundreds are not few")
	}
}

// TestPeopleJoin: two halves tell what the whole tells, also of more values
// than are kept, in whatever order they come.
func TestPeopleJoin(t *testing.T) {
	t.Parallel()
	seed := maphash.MakeSeed()
	whole, first, second := NewPeople(seed), NewPeople(seed), NewPeople(seed)
	for i := range 5000 {
		value := fmt.Appendf(nil, "no. %d", i)
		if i%4 > 0 {
			value = fmt.Appendf(nil, "Anna Xq%s", strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprint(i)))
		}
		whole.Add(value)
		half := first
		if i%3 == 0 {
			half = second
		}
		half.Add(value)
		half.Add(value)
	}
	second.Join(first)
	if !slices.Equal(second.lowest, whole.lowest) {
		t.Error("two halves tell something else than the whole")
	}
	names, of := whole.Sampled()
	if of != peopleSample || names < peopleSample*65/100 || names > peopleSample*85/100 {
		t.Errorf("of 5,000 values, three of four names, the sample has %d names of %d", names, of)
	}
	if !slices.IsSorted(whole.lowest[:]) {
		t.Error("the hashes are not in order")
	}
}

func TestPeopleAllocatesNothing(t *testing.T) {
	p := NewPeople(maphash.MakeSeed())
	values := [][]byte{[]byte("Jürgen Müller"), []byte("Miller, Ada"), []byte("shipped"), []byte("Premium Cotton Shirt"),
		[]byte("Ju\u0308rgen Mu\u0308ller"), []byte("Ada Miller, Anna Smith")}
	likeName(values[0]) // makes the lists
	i := 0
	n := testing.AllocsPerRun(100, func() {
		p.Add(values[i%len(values)])
		if likeName(values[2]) || !likeName(values[4]) || !likeName(values[5]) || !likeName(values[0]) {
			t.Fatal("wrong")
		}
		i++
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzPersonName(f *testing.F) {
	for _, seed := range []string{"Ada Miller", "Miller, Dr. Ada", "Dr. Xqyz", "Олена Шевченко", "a\xffb, ’"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := string(text)
		if likeName(text) && (len(text) > longestName || strings.ContainsAny(before, "0123456789@/&")) {
			t.Fatalf("%q is taken for a name", text)
		}
		if string(text) != before {
			t.Fatal("the text was changed")
		}
	})
}

// BenchmarkPeople counts in three columns: of many different texts, of few, and
// of names.
func BenchmarkPeople(b *testing.B) {
	columns := map[string][][]byte{}
	for i := range 4096 {
		columns["different"] = append(columns["different"], fmt.Appendf(nil, "order %d of the web shop", i))
		columns["few"] = append(columns["few"], fmt.Appendf(nil, "status %d", i%12))
	}
	for _, name := range drawn(locale.Of("de_DE").Name, 4096) {
		columns["names"] = append(columns["names"], []byte(name))
	}
	for what, values := range columns {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			p := NewPeople(maphash.MakeSeed())
			i := 0
			for b.Loop() {
				p.Add(values[i%len(values)])
				i++
			}
		})
	}
	b.Run("each name", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			likeName([]byte("Anna-Lena Schmidt"))
		}
	})
}
