package verdict

// Shapes are what the values of a column under a rule are like before and
// after: numbers, and no value.
type Shapes struct {
	Table     string
	Column    string // without the table
	Transform string // or what else becomes of it; empty where it is let through
	Link      string
	Rows      int64
	Before    Shape
	After     Shape // where it is let through, as before
}

// Shape is what values are like. Lengths are in characters; they and the
// counts are of values that are not null.
type Shape struct {
	Nulls                     int64
	Shortest, Median, Longest int
	Different                 int64
	Estimated                 bool // Different is, from keyed hashes, within a few percent
	Characters                Characters
}

// Characters are the classes of characters that occur.
type Characters uint8

// The classes, of which all but the last are ASCII's.
const (
	LowerCase Characters = 1 << iota
	UpperCase
	Digits
	Blanks
	Signs
	OtherScripts
)

var characterWords = []string{"a-z", "A-Z", "0-9", "blanks", "signs", "others"}

// Words are the classes' names, in their order.
func (c Characters) Words() []string {
	var words []string
	for i, w := range characterWords {
		if c&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return words
}
