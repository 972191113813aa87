package notify

import (
	"context"
	"encoding/json"
	"time"

	"daybefore/internal/verdict"
)

// mostSummary is how long a summary of PagerDuty's may be.
const mostSummary = 1024

// event is one of PagerDuty's Events API v2.
type event struct {
	RoutingKey string  `json:"routing_key"`
	Action     string  `json:"event_action"`
	DedupKey   string  `json:"dedup_key"`
	Client     string  `json:"client,omitempty"`
	Payload    *detail `json:"payload,omitempty"` // nil where it resolves
}

type detail struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Severity  string         `json:"severity"`
	Timestamp string         `json:"timestamp"`
	Component string         `json:"component"`
	Group     string         `json:"group"`
	Class     string         `json:"class"`
	Details   map[string]any `json:"custom_details"`
}

var severities = map[verdict.Outcome]string{verdict.Fail: "critical", verdict.Error: "error", verdict.Warn: "warning"}

// pagerDuty triggers an incident a code, and resolves those that are over. A drill
// of which each is to be told adds nothing: there is no incident of a pass.
func pagerDuty(ctx context.Context, to target, m message) error {
	key := string(to.Secret)
	var events []event
	for _, i := range m.fresh {
		events = append(events, event{RoutingKey: key, Action: "trigger", DedupKey: i.key, Client: "daybefore",
			Payload: &detail{
				Summary: cut(m.Headline+": "+i.lines()[0], mostSummary), Source: m.Report.Drill,
				Severity: severities[i.outcome], Timestamp: m.Report.FinishedAt.UTC().Format(time.RFC3339),
				Component: m.Report.Drill, Group: "restore drills", Class: string(i.code),
				Details: map[string]any{"findings": i.lines(), "what to do": i.hint(), "run": m.Report.Run},
			}})
	}
	for _, code := range m.over {
		events = append(events, event{RoutingKey: key, Action: "resolve", DedupKey: Key(m.Report.Drill, code)})
	}
	for _, e := range events {
		answer, err := post(ctx, to.url.JoinPath("v2", "enqueue"), e, key)
		if err != nil {
			return err
		}
		var taken struct {
			Status string `json:"status"`
		}
		if json.Unmarshal([]byte(answer), &taken) != nil || taken.Status != "success" {
			return &untold{"it did not say that it took the event", "is pagerduty_url right?"}
		}
	}
	return nil
}
