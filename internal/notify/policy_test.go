package notify

import (
	"net/url"
	"testing"
)

// No letter and no password goes to another machine in the clear.
func TestEmailWantsEncryption(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"smtp://u:p@mail.example.com": "TLSMandatory", "smtp://mail.example.com:25": "TLSMandatory", "smtp://127.0.0.1:25": "TLSOpportunistic",
	} {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		c, err := clientOf(u)
		if err != nil || c.TLSPolicy() != want {
			t.Errorf("%s: %v, %v", at, c.TLSPolicy(), err)
		}
	}
}
