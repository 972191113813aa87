package notify_test

import (
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
		{"more", []notify.Finding{rows, fresh}, []string{"error freshness"}, []verdict.Code{"freshness", "row_count"}},
		{"early end", []notify.Finding{fresh}, nil, []verdict.Code{"freshness", "row_count"}},
		{"pass", nil, []string{"recovered freshness", "recovered row_count"}, nil},
		{"pass again", nil, nil, nil},
	} {
		told := notify.Tell(t.Context(), n, nil, night(i, before, step.found...))
		if len(told) != 1 || told[0].Failed != "" || !slices.Equal(told[0].Told, step.told) || !slices.Equal(told[0].Open, step.open) {
			t.Errorf("%s: %+v", step.name, told)
		}
		before = told
		after(step.name)
	}
}

// What is muted is not told, and not said to be over; what could not be told is told by the next drill.
func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	c := spec.Channel{Kind: spec.ChannelWebhook, Env: "HOOK", Secret: spec.Key(r.URL), When: usual}
	rows, warn := finding(verdict.CodeRowCount, verdict.Fail), finding(verdict.CodeRoles, verdict.Warn)
	muted := rows
	muted.Muted = true
	mutedWarn := warn
	mutedWarn.Muted = true
	roles := []verdict.Notified{{By: c.Name(), Open: []verdict.Code{verdict.CodeRoles}}}
	knows := []verdict.Notified{{By: c.Name(), Open: []verdict.Code{verdict.CodeRowCount}}}
	for what, step := range map[string]struct {
		before []verdict.Notified
		found  []notify.Finding
		when   []string
		told   []string
		open   []verdict.Code
	}{
		"nothing": {nil, nil, usual, nil, nil}, "a warning": {nil, []notify.Finding{warn}, usual, nil, nil},
		"muted": {nil, []notify.Finding{muted}, usual, nil, nil}, "muted meanwhile": {knows, []notify.Finding{muted}, usual, nil, knows[0].Open},
		"one of two muted":         {nil, []notify.Finding{muted, rows}, usual, []string{"fail row_count"}, knows[0].Open},
		"a pass with a warning":    {knows, []notify.Finding{warn}, usual, []string{"recovered row_count"}, nil},
		"a warning that is wanted": {nil, []notify.Finding{warn}, []string{spec.WhenWarn}, []string{"warn roles"}, []verdict.Code{verdict.CodeRoles}},
		"a warning that stays":     {roles, []notify.Finding{warn}, []string{spec.WhenWarn, spec.WhenRecovered}, nil, roles[0].Open},
		"a warning, muted since":   {roles, []notify.Finding{mutedWarn}, []string{spec.WhenWarn, spec.WhenRecovered}, nil, roles[0].Open},
		"no word of what is over":  {knows, nil, []string{spec.WhenFail}, nil, nil},
		"every pass":               {nil, nil, []string{spec.WhenEvery}, []string{"pass"}, nil},
		"every fail":               {nil, []notify.Finding{rows}, []string{spec.WhenEvery}, []string{"fail"}, nil},
		"another channel's":        {[]verdict.Notified{{By: "slack (X)", Open: knows[0].Open}}, nil, usual, nil, nil},
	} {
		c.When = step.when
		got := notify.Tell(t.Context(), spec.Notify{Channels: []spec.Channel{c}}, nil, night(0, step.before, step.found...))[0]
		if got.Failed != "" || !slices.Equal(got.Told, step.told) || !slices.Equal(got.Open, step.open) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	c.When = usual
	dead := c
	dead.Secret = spec.Key("http://127.0.0.1:1/")
	got := notify.Tell(t.Context(), spec.Notify{Channels: []spec.Channel{dead}}, nil, night(0, knows))
	if got[0].Failed == "" || !slices.Equal(got[0].Open, knows[0].Open) {
		t.Errorf("%+v", got)
	}
	if got = notify.Tell(t.Context(), spec.Notify{Channels: []spec.Channel{c}}, nil, night(0, got)); !slices.Equal(got[0].Told, []string{"recovered row_count"}) {
		t.Errorf("what could not be told is forgotten: %+v", got)
	}
}
