package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"daybefore/internal/spec"
)

// target is a channel and the address that it was found to have.
type target struct {
	spec.Channel
	url *url.URL // nil where it has none
}

// kind is what a channel of one kind can do.
type kind struct {
	open    func(c spec.Channel, insecure bool) (target, error) // what is missing is its error
	send    func(context.Context, target, message) error
	forgets bool // it has to be told of what is still bad as well
}

// kinds are all that spec knows. A new one is a file and a row.
var kinds = map[string]kind{
	spec.ChannelPagerDuty:    {open: byKey, send: pagerDuty},
	spec.ChannelAlertmanager: {open: byURL, send: alertmanager, forgets: true},
	spec.ChannelSlack:        {open: byURL, send: slack},
	spec.ChannelTeams:        {open: byURL, send: teams},
	spec.ChannelDiscord:      {open: byURL, send: discord},
	spec.ChannelNtfy:         {open: byURL, send: ntfy},
	spec.ChannelEmail:        {open: byServer, send: email},
	spec.ChannelWebhook:      {open: byURL, send: webhook},
	spec.ChannelCommand:      {open: byProgram, send: command},
}

// byURL is a channel whose address a variable holds, or the drill file.
func byURL(c spec.Channel, insecure bool) (target, error) {
	if c.Env == "" {
		u, err := url.Parse(c.URL)
		return target{c, u}, err
	}
	u, err := address(c.Env, c.Secret, insecure)
	return target{c, u}, err
}

// byKey is a channel whose key a variable holds.
func byKey(c spec.Channel, _ bool) (target, error) {
	if c.Secret == nil {
		return target{}, notSet(c.Env)
	}
	u, err := url.Parse(c.URL)
	return target{c, u}, err
}

// post sends a value as JSON.
func post(ctx context.Context, u *url.URL, body any, secret string) (string, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("write it as JSON: %w", err)
	}
	return send(ctx, request{url: u, body: b, secret: secret})
}
