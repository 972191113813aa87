package harness

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// stuck is a store that does not answer, and notes when it is given up.
type stuck struct {
	history.Store
	givenUp bool
}

func (s *stuck) URL() string { return "stuck" }

func (s *stuck) Names(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	s.givenUp = true
	return nil, ctx.Err()
}

// Where it cannot be read what people know, they are told, and the report does not stand for what they know: nor does
// anybody read from a store that is closed next.
func TestWhatCannotBeReadIsNotKnown(t *testing.T) {
	t.Parallel()
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(hook.Close)
	n := spec.Notify{Channels: []spec.Channel{{Kind: spec.ChannelWebhook, Env: "HOOK", Secret: spec.Key(hook.URL), When: []string{spec.WhenFail}}}}
	store := &stuck{}
	for what, rec := range map[string]*record{
		"a store that hangs":  {store: store},
		"a store that is not": {err: errors.New("no store")},
		"a key that is not":   {keyEnv: "NO_KEY"},
	} {
		rec.dir, rec.drill = t.TempDir(), "shop"
		r := &verdict.Report{Drill: "shop", Outcome: verdict.Fail,
			Stages: []verdict.Stage{{Name: verdict.StageFetch, Outcome: verdict.Fail, Code: verdict.CodeUnfinished, Message: "a part is missing"}}}
		people := (&Home{}).herald(t.Context(), spec.Loaded{Name: "shop", Notify: n}, rec, nil, request{})
		people.tell(t.Context(), r)
		if len(r.Notified) != 1 || !r.Notified[0].Unread || len(r.Notified[0].Told) != 1 {
			t.Errorf("%s: %+v", what, r.Notified)
		}
	}
	if !store.givenUp {
		t.Error("it is still read from")
	}
	interrupted, cancel := context.WithCancel(t.Context())
	store.givenUp = false
	people := (&Home{}).herald(t.Context(), spec.Loaded{Name: "shop", Notify: n}, &record{dir: t.TempDir(), drill: "shop", store: store}, nil, request{})
	cancel()
	people.tell(interrupted, &verdict.Report{Drill: "shop"})
	if !store.givenUp {
		t.Error("after an interrupt it is still read from")
	}
}
