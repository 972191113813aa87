package notify

import (
	"context"
	"slices"
	"strings"
	"time"
)

// lasts is how long an alert stays that no drill speaks of any more. Without an
// end of its own Alertmanager would take it for resolved after five minutes.
const lasts = 35 * 24 * time.Hour

// lastsAlone is how long one stays that no drill can end.
const lastsAlone = 24 * time.Hour

// alert is one of Alertmanager's API v2. Its labels name it, so that they stay the
// same whatever is found.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    *time.Time        `json:"startsAt,omitempty"`
	EndsAt      time.Time         `json:"endsAt"`
}

// alertmanager fires what is bad, also what it should know of, and ends what is
// over.
func alertmanager(ctx context.Context, to target, m message) error {
	now := m.Report.FinishedAt.UTC()
	labels := func(code string) map[string]string {
		return map[string]string{"alertname": "RestoreDrill", "drill": m.Report.Drill, "code": code}
	}
	ends := now.Add(lasts)
	if m.last {
		ends = now.Add(lastsAlone)
	}
	var alerts []alert
	for _, i := range slices.Concat(m.fresh, m.still) {
		alerts = append(alerts, alert{Labels: labels(string(i.code)), StartsAt: &m.Report.StartedAt, EndsAt: ends,
			Annotations: map[string]string{
				"summary": m.Headline, "description": strings.Join(i.lines(), "\n"), "outcome": string(i.outcome),
				"hint": i.hint(), "run": m.Report.Run,
			}})
	}
	for _, code := range m.over {
		alerts = append(alerts, alert{Labels: labels(string(code)), EndsAt: now,
			Annotations: map[string]string{"summary": m.Headline, "run": m.Report.Run}})
	}
	if len(alerts) == 0 { // a drill that passes is no alert
		return nil
	}
	_, err := post(ctx, to.url.JoinPath("api", "v2", "alerts"), alerts, "")
	return err
}
