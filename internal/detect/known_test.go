package detect

import "testing"

func TestKnown(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"full_name": true, "homePhone": true, "line1": true, "street2": true, "e-mail": true, "telefonnummer": true,
		"annazqlogin": false, "phone_of_annazq": false, "phone_4917": false, "": false, "42": false,
	} {
		if got := Known(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
