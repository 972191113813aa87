package told_test

import (
	"io"
	"strings"
	"testing"

	"daybefore/internal/told"
)

const planted = "real.person@secretcorp.example"

// program is what a server's file holds of these sentences, among other things.
const program = "\x7fELF\x02\x01\x01\x00\x00pg_catalog\x00" +
	"relation \"%s\" of type \"%s\" does not exist, skipping\x00column \"%s\" of relation \"%s\" does not exist\x00" +
	"column \"%s\" of relation \"%s\" already exists\x00function %s does not exist\x00\x00\x01" +
	"invalid input syntax for type %s: \"%s\"\x00duplicate key value violates unique constraint \"%s\"\x00" +
	"null value in column \"%s\" of relation \"%s\" violates not-null constraint\x00" +
	"new row for relation \"%s\" violates check constraint \"%s\"\x00permission denied for table %s\x00" +
	"division by zero\x00value \"%s\" is out of range for type %s\x00row is too big: size %zu, maximum size %zu\x00" +
	"%s: %s\x00%s %s\x00%s\x00 %d\x00audit: total\nof a line\x00the person %s\x01is cut\x00"

func programs(err error) *told.Sentences {
	return told.NewSentences(func(to io.Writer) error {
		for b := range strings.SplitSeq(program, "e") { // in pieces
			_, _ = io.WriteString(to, b)
			_, _ = io.WriteString(to, "e")
		}
		return err
	})
}

func shop() *told.Names {
	n := told.New(func(text string) bool { return strings.Contains(text, "@") }, programs(nil))
	n.Know("public", "orders", "user_id", "total", "audit log", "f", "a@b.example")
	return n
}

func TestSentence(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		`relation "public.orders" does not exist`:                      `relation "public.orders" does not exist`,
		`relation "` + planted + `" does not exist`:                    `relation … does not exist`,
		`column "total" of relation "orders" does not exist`:           `column "total" of relation "orders" does not exist`,
		`column "` + planted + `" of relation "orders" already exists`: `column … of relation "orders" already exists`,
		`function public.f(integer, text) does not exist`:              `function public.f(integer, text) does not exist`,
		`function public.f("` + planted + `") does not exist`:          `function … does not exist`,
		`invalid input syntax for type integer: "` + planted + `"`:     `invalid input syntax for type integer: …`,
		`duplicate key value violates unique constraint "orders"`:      `duplicate key value violates unique constraint "orders"`,
		`null value in column "user_id" of relation "orders" violates not-null constraint`: `null value in column "user_id" ` +
			`of relation "orders" violates not-null constraint`,
		`new row for relation "orders" violates check constraint "Anna"`: `new row for relation "orders" violates check constraint …`,
		`permission denied for table orders`:                             `permission denied for table orders`,
		`permission denied for table Anna Schmidt`:                       `permission denied for table …`,
		`out of memory`:    `out of memory`,
		`division by zero`: `division by zero`,
		`value "5551234567" is out of range for type integer`:               `value … is out of range for type integer`,
		`row is too big: size 8200, maximum size 8160`:                      `row is too big: size …, maximum size …`,
		`could not open file "/etc/passwd": Permission denied`:              `could not open file …: Permission denied`,
		`could not access file "$libdir/hstore": No such file or directory`: `could not access file "$libdir/hstore": No such file or directory`,
		`type "Anna" does not exist, skipping`:                              `type … does not exist, skipping`, // the end of another
		`Anna" does not exist, skipping`:                                    told.Withheld,
		`skipping`:                                                          told.Withheld,
		`permission denied for Anna`:                                        told.Withheld,
		`the person`:                                                        told.Withheld,
		planted:                                                             told.Withheld,
		planted + ` does not exist`:                                         told.Withheld,
		`the person Anna Schmidt`:                                           told.Withheld,
		``:                                                                  told.Withheld,
		`relation "orders" does not exist` + "\n" + planted:                 told.Withheld,
		`audit: total`:                                                      told.Withheld,
		`relation "90 97 112 104 111 100" does not exist`:                   `relation … does not exist`, // the numbers of letters
		`relation "` + strings.Repeat("orders public ", 20) + `" does not exist`: `relation … does not exist`,
		`function f(integer, text, integer, text) does not exist`:                `function f(integer, text, integer, text) does not exist`,
		`relation "` + strings.Repeat("x", 3000) + `" does not exist`:            told.Withheld,
	} {
		if got := shop().Sentence(said); got != want {
			t.Errorf("%.80q is told as %q, want %q", said, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	n := shop()
	n.FingerprintBy(func(string) string { return "1a2b" })
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{[]string{"public", "orders"}, "public.orders"},
		{[]string{"public", planted}, "a name that the backup does not hold (1a2b)"},
		{[]string{"public", "a@b.example"}, "a name that the backup does not hold (1a2b)"},
		{[]string{"", "audit log"}, "audit log"},
	} {
		if got := n.Tell(c.parts...); got != c.want {
			t.Errorf("%q is told as %q, want %q", c.parts, got, c.want)
		}
	}
	got := n.List(1, "table", []string{"public", "orders"}, []string{"public", planted}, []string{"public", "f"})
	if want := "public.orders, and 1 more, 1 table that the backup does not name (1a2b)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !n.Words("FUNCTION public f(integer, text)") {
		t.Error("a function with its arguments is not known")
	}
	if n.Words("TABLE public " + planted) {
		t.Error("an entry with an address in it is told")
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"42P01": "42P01", "P0001": "P0001", "JOHN1": "of its own", "": "of its own", "1985B": "of its own"} {
		if got := told.State(code); got != want {
			t.Errorf("%q is told as %q, want %q", code, got, want)
		}
	}
}
