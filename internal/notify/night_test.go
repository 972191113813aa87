package notify_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"daybefore/internal/notify"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// hostile is what somebody may call a table, so that a receiver obeys it.
const hostile = "public.<!channel> @everyone **b** `c` {{DATE(2026-01-01T00:00:00Z)}} [x](http://evil.example) & co"

// usual is when a channel is told where nobody says otherwise.
var usual = []string{spec.WhenFail, spec.WhenError, spec.WhenRecovered}

func finding(code verdict.Code, o verdict.Outcome) notify.Finding {
	return notify.Finding{Code: code, Outcome: o, What: string(code) + ":" + hostile, Says: "it holds 5 rows", Hint: "compare with production"}
}

// night is one drill with what it found, and what people knew before.
func night(n int, before []verdict.Notified, found ...notify.Finding) notify.News {
	outcomes := []verdict.Outcome{verdict.Pass}
	for _, f := range found {
		outcomes = append(outcomes, f.Outcome)
	}
	at := time.Now().UTC().Truncate(time.Second).Add(time.Duration(n-10) * time.Minute)
	r := &verdict.Report{Schema: verdict.Schema, Drill: "shop", Run: "20261121T031500Z-3f2a", Outcome: verdict.Worst(outcomes...), StartedAt: at,
		FinishedAt: at.Add(time.Second)}
	return notify.News{Report: r, Headline: "shop: the newest backup of " + hostile, Findings: found, Before: before}
}

// codes are those that somebody knows of as bad.
func codes(n verdict.Notified) (all []verdict.Code) {
	for _, o := range n.Open {
		all = append(all, o.Code)
	}
	return all
}

// nights tells a channel of a fail, of the same and another one, of the second alone by an early end, and of a pass.
func nights(t *testing.T, n spec.Notify, after func(night string)) {
	t.Helper()
	rows, fresh := finding(verdict.CodeRowCount, verdict.Fail), finding(verdict.CodeFreshness, verdict.Error)
	var before []verdict.Notified
	for i, step := range []struct {
		name  string
		found []notify.Finding
		told  []string
		open  []verdict.Code
	}{
		{"fail", []notify.Finding{rows}, []string{"fail row_count"}, []verdict.Code{"row_count"}},
		{"still", []notify.Finding{rows}, nil, []verdict.Code{"row_count"}},
		{"more", []notify.Finding{rows, fresh}, []string{"error freshness"}, []verdict.Code{"row_count", "freshness"}},
		{"early end", []notify.Finding{fresh}, nil, []verdict.Code{"row_count", "freshness"}},
		{"pass", nil, []string{"recovered row_count", "recovered freshness"}, nil},
		{"pass again", nil, nil, nil},
	} {
		told := notify.Tell(t.Context(), n, nil, night(i, before, step.found...))
		if len(told) != 1 || told[0].Failed != "" || !slices.Equal(told[0].Told, step.told) || !slices.Equal(codes(told[0]), step.open) {
			t.Errorf("%s: %+v", step.name, told)
		}
		before = told
		after(step.name)
	}
}

// open is what a channel knows of a code, with the checks that it was told of.
func open(by string, code verdict.Code, of verdict.Outcome, checks ...string) []verdict.Notified {
	o := verdict.Open{Code: code, Checks: map[string]verdict.Outcome{}}
	for _, check := range checks {
		o.Checks[check] = of
	}
	return []verdict.Notified{{By: by, Open: []verdict.Open{o}}}
}

// A channel is told of each finding that is worse than what it was told of the check, and of no other.
func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	c := spec.Channel{Kind: spec.ChannelWebhook, Env: "HOOK", Secret: spec.Key(r.URL)}
	rows, other, warn := finding(verdict.CodeRowCount, verdict.Fail), finding(verdict.CodeRowCount, verdict.Fail), finding(verdict.CodeRoles, verdict.Warn)
	other.What = "row_count:public.others"
	worse := warn
	worse.Outcome = verdict.Fail
	knows := open(c.Name(), rows.Code, verdict.Fail, rows.What)
	roles := open(c.Name(), warn.Code, verdict.Warn, warn.What)
	rowCount, warned := []verdict.Code{verdict.CodeRowCount}, []verdict.Code{verdict.CodeRoles}
	all := []string{spec.WhenFail, spec.WhenError, spec.WhenWarn, spec.WhenRecovered}
	for what, step := range map[string]struct {
		before []verdict.Notified
		found  []notify.Finding
		muted  string
		when   []string
		told   []string
		open   []verdict.Code
	}{
		"nothing": {when: usual}, "a warning": {found: []notify.Finding{warn}, when: usual},
		"muted":                    {found: []notify.Finding{rows}, muted: rows.What, when: usual},
		"muted meanwhile":          {before: knows, found: []notify.Finding{rows}, muted: rows.What, when: usual, open: rowCount},
		"muted, and over":          {before: knows, muted: rows.What, when: usual, told: []string{"recovered row_count"}},
		"one of two muted":         {nil, []notify.Finding{rows, other}, rows.What, usual, []string{"fail row_count"}, rowCount},
		"one more":                 {knows, []notify.Finding{rows, other}, "", usual, []string{"fail row_count"}, rowCount},
		"another one":              {knows, []notify.Finding{other}, "", usual, []string{"fail row_count"}, rowCount},
		"one more, known muted":    {knows, []notify.Finding{rows, other}, rows.What, usual, []string{"fail row_count"}, rowCount},
		"a warning gets worse":     {roles, []notify.Finding{worse}, "", all, []string{"fail roles"}, warned},
		"a fail becomes a warning": {knows, []notify.Finding{warn}, "", all, []string{"warn roles", "recovered row_count"}, warned},
		"a pass with a warning":    {knows, []notify.Finding{warn}, "", usual, []string{"recovered row_count"}, nil},
		"a warning that is wanted": {nil, []notify.Finding{warn}, "", []string{spec.WhenWarn}, []string{"warn roles"}, warned},
		"a warning that stays":     {before: roles, found: []notify.Finding{warn}, when: all, open: warned},
		"a warning, muted since":   {before: roles, found: []notify.Finding{warn}, muted: warn.What, when: all, open: warned},
		"no word of what is over":  {before: knows, when: []string{spec.WhenFail}},
		"every pass":               {when: []string{spec.WhenEvery}, told: []string{"pass"}},
		"every fail":               {found: []notify.Finding{rows}, when: []string{spec.WhenEvery}, told: []string{"fail"}},
		"another channel's":        {before: open("slack (X)", rows.Code, verdict.Fail, rows.What), when: usual},
	} {
		c.When = step.when
		news := night(0, step.before, step.found...)
		news.Muted = []string{step.muted}
		got := notify.Tell(t.Context(), spec.Notify{Channels: []spec.Channel{c}}, nil, news)[0]
		if got.Failed != "" || !slices.Equal(got.Told, step.told) || !slices.Equal(codes(got), step.open) {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// What is still bad when a mute ends is told, whatever was told before the mute; and so is a check that fails again after
// a pass with a warning.
func TestWhatIsToldAgain(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	n := spec.Notify{Channels: []spec.Channel{{Kind: spec.ChannelWebhook, Env: "HOOK", Secret: spec.Key(r.URL),
		When: []string{spec.WhenFail, spec.WhenWarn, spec.WhenRecovered}}}}
	rows, early := finding(verdict.CodeRowCount, verdict.Fail), finding(verdict.CodeFreshness, verdict.Error)
	warned := rows
	warned.Outcome = verdict.Warn
	var before []verdict.Notified
	for i, step := range []struct {
		found notify.Finding
		muted string
		told  []string
	}{
		{rows, "", []string{"fail row_count"}}, {rows, rows.What, nil}, {rows, "", []string{"fail row_count"}},
		{early, rows.What, nil}, {rows, "", []string{"fail row_count"}}, // the mute ended though no drill came so far
		{warned, "", nil}, {rows, "", []string{"fail row_count"}}, {rows, "", nil},
	} {
		news := night(i, before, step.found)
		news.Muted = []string{step.muted}
		before = notify.Tell(t.Context(), n, nil, news)
		if !slices.Equal(before[0].Told, step.told) {
			t.Errorf("night %d: %+v", i, before)
		}
	}
}

// What a channel could not be told is told by the next drill. It may have taken it all the same: then a pass says that
// it is over.
func TestWhatMayHaveArrived(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	c := spec.Channel{Kind: spec.ChannelWebhook, Env: "HOOK", Secret: spec.Key(r.URL), When: usual}
	rows := finding(verdict.CodeRowCount, verdict.Fail)
	tell := func(status int, news notify.News) verdict.Notified {
		r.mu.Lock()
		r.answer = func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(status) }
		r.mu.Unlock()
		return notify.Tell(t.Context(), spec.Notify{Channels: []spec.Channel{c}}, nil, news)[0]
	}
	lost := tell(http.StatusBadRequest, night(0, nil, rows))
	if lost.Failed == "" || !slices.Equal(codes(lost), []verdict.Code{verdict.CodeRowCount}) {
		t.Errorf("%+v", lost)
	}
	if got := tell(http.StatusOK, night(1, []verdict.Notified{lost}, rows)); !slices.Equal(got.Told, []string{"fail row_count"}) {
		t.Errorf("told by nobody: %+v", got)
	}
	over := tell(http.StatusBadRequest, night(1, []verdict.Notified{lost}))
	if !slices.Equal(codes(over), []verdict.Code{verdict.CodeRowCount}) {
		t.Errorf("the end is forgotten: %+v", over)
	}
	if got := tell(http.StatusOK, night(2, []verdict.Notified{over})); !slices.Equal(got.Told, []string{"recovered row_count"}) || len(got.Open) > 0 {
		t.Errorf("%+v", got)
	}
}

// Where it is not known what people know, they are told, and what that adds is added to what earlier drills say.
func TestWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	c := spec.Channel{Kind: spec.ChannelWebhook, Env: "HOOK", Secret: spec.Key(r.URL), When: usual}
	n := spec.Notify{Channels: []spec.Channel{c}}
	unread := night(0, nil, finding(verdict.CodeFreshness, verdict.Error))
	unread.Unread = true
	got := notify.Tell(t.Context(), n, nil, unread)
	if !got[0].Unread || !slices.Equal(got[0].Told, []string{"error freshness"}) {
		t.Errorf("%+v", got)
	}
	all := slices.Concat(got, open(c.Name(), verdict.CodeRowCount, verdict.Fail, "x"))
	got = notify.Tell(t.Context(), n, nil, night(1, all))
	if got[0].Unread || !slices.Equal(got[0].Told, []string{"recovered freshness", "recovered row_count"}) {
		t.Errorf("%+v", got)
	}
}

// A drill that turns out not to be what was told is told to who heard of it, and to who wants to hear of its like: with
// what was told to be over.
func TestCorrect(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	heard := []verdict.Notified{{By: "webhook (HEARD)", Told: []string{"recovered row_count"}}}
	var n spec.Notify
	for _, env := range []string{"HEARD", "WANTS", "ELSE"} {
		n.Channels = append(n.Channels, spec.Channel{Kind: spec.ChannelWebhook, Env: env, Secret: spec.Key(r.URL), When: []string{spec.WhenFail}})
	}
	n.Channels[1].When = usual
	n.Channels = append(n.Channels, spec.Channel{Kind: spec.ChannelAlertmanager, URL: r.URL, When: usual})
	alerts := 0
	r.answer = func(_ http.ResponseWriter, req *http.Request, body []byte) {
		if req.URL.Path != "/api/v2/alerts" {
			return
		}
		var all []struct{ EndsAt time.Time }
		err := json.Unmarshal(body, &all)
		if err != nil || len(all) != 1 || time.Until(all[0].EndsAt) > 25*time.Hour {
			t.Errorf("no drill would end it: %v, %s", err, body)
		}
		alerts++
	}
	told := notify.Correct(t.Context(), n, nil, night(0, nil, finding(verdict.CodeHistory, verdict.Error)), heard)
	want := []string{"error history"}
	if r.took() != 3 || alerts != 1 || !slices.Equal(told[0].Told, append(want, "error row_count")) || !slices.Equal(told[1].Told, want) || told[2].Told != nil {
		t.Errorf("%d messages: %+v", r.took(), told)
	}
}
