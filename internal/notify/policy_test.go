package notify

import (
	"context"
	"net/url"
	"testing"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
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

// A channel that nobody waits for any more reads no report that the drill writes into.
func TestAReportOfTheirOwn(t *testing.T) {
	t.Parallel()
	own := &verdict.Report{Outcome: verdict.Pass}
	given := make(chan *verdict.Report, 1)
	atOnce(t.Context(), spec.Notify{Channels: make([]spec.Channel, 1)}, nil, News{Report: own},
		func(_ context.Context, _ spec.Channel, news News) verdict.Notified {
			given <- news.Report
			return verdict.Notified{}
		})
	own.Outcome = verdict.Error
	if got := <-given; got.Outcome != verdict.Pass {
		t.Errorf("what a channel was told of is %s now", got.Outcome)
	}
}
