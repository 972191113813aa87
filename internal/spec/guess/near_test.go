package guess

import "testing"

// What a drill file gets wrong, and what another name is.
func TestNear(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b        string
		near, alike bool
	}{
		{"customer", "Customer", true, true},
		{"customer", `"Customer"`, true, true},
		{"customer", "`customer`", true, true},
		{"customer ", "customer", true, true},
		{"ÉTÉ", "été", true, true},
		{"caf\u00e9", "cafe\u0301", true, true}, // composed and not
		{"order", "orders", true, false},
		{"Order", "orders", true, false},
		{"category", "categories", true, false},
		{"user", "users", true, false},
		{"status", "statuses", true, false},
		{"box", "boxes", true, false},
		{"person", "people", true, false},
		{"salesperson", "salespeople", true, false},
		{"child", "children", true, false},
		{"index", "indices", true, false},
		{"shelf", "shelves", true, false},
		{"analysis", "analyses", true, false},
		{"order_item", "orders_items", true, false},
		{"orderItem", "OrderItems", true, false},
		{"item2", "items2", true, false},
		{"custmer", "customer", false, false}, // a typo is another name
		{"orders", "orderlines", false, false},
		{"order_items", "orderitems", false, false},
		{"created_at", "createdat", false, false},
		{"events_2026_10", "events_2026_11", false, false},
		{"events_2026_1", "events_2026_10", false, false},
		{"events_2026_01", "events_2026_1", false, false},
		{"events_2026", "events_2026s", false, false},
		{"events_october", "events_november", false, false},
		{"shop", "shop2", false, false},
		{"shop1", "shop2", false, false},
		{"v1", "v2", false, false},
		{"events_٢", "events_٣", false, false}, // digits elsewhere
		{"a", "as", false, false},
		{"", "s", false, false},
	} {
		for _, got := range []bool{Near(c.a, c.b), Near(c.b, c.a)} {
			if got != c.near {
				t.Errorf("%q is near to %q: %t, want %t", c.a, c.b, got, c.near)
			}
		}
		if got := Alike(c.a, c.b); got != c.alike {
			t.Errorf("%q and %q are alike: %t, want %t", c.a, c.b, got, c.alike)
		}
	}
}

// What is suggested is never another month.
func TestDidYouMean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		written string
		known   []string
		want    string
	}{
		{"custmer", []string{"orders", "customer"}, "did you mean customer?"},
		{"order", []string{"border", "orders"}, "did you mean orders?"},
		{"ID", []string{"name", "id"}, "did you mean id?"},
		{"events_2026_11", []string{"events_2026_10"}, "else"},
		{"users", []string{"User", "user", "USERS", "USER", "people"}, "did you mean User, user or USERS?"},
		{"mail", []string{"ma\x1bil"}, "did you mean ma·il?"},
		{"xy", []string{"xz"}, "else"},
	} {
		if got := DidYouMean(c.written, c.known, "else"); got != c.want {
			t.Errorf("%q: %q, want %q", c.written, got, c.want)
		}
	}
}

// A schema that is right makes the table no nearer.
func TestASchemaAloneIsNotMeant(t *testing.T) {
	t.Parallel()
	there := []string{"public.logs", "public.customers"}
	for written, want := range map[string]string{"public.gone": "", "public.custmers": "public.customers", "pubic.logs": "public.logs"} {
		if got := Nearest(written, there); got != want {
			t.Errorf("%s: %q, want %q", written, got, want)
		}
	}
}
