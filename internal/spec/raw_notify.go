package spec

type rawNotify struct {
	mapping
	HeartbeatEnv   text         `json:"heartbeat_env,omitempty"`
	HeartbeatStyle text         `json:"heartbeat_style,omitempty" jsonschema:"enum=healthchecks,enum=plain"`
	When           []text       `json:"when,omitempty" enum:"when"`
	Channels       []rawChannel `json:"channels,omitempty"`
	Insecure       boolean      `json:"insecure,omitempty"`
}

// rawChannel is one way to tell people, which its first key names.
type rawChannel struct {
	mapping
	PagerDutyEnv    text   `json:"pagerduty_env,omitempty"`
	PagerDutyURL    text   `json:"pagerduty_url,omitempty"`
	Alertmanager    text   `json:"alertmanager,omitempty"`
	AlertmanagerEnv text   `json:"alertmanager_env,omitempty"`
	SlackEnv        text   `json:"slack_env,omitempty"`
	TeamsEnv        text   `json:"teams_env,omitempty"`
	DiscordEnv      text   `json:"discord_env,omitempty"`
	NtfyEnv         text   `json:"ntfy_env,omitempty"`
	Email           []text `json:"email,omitempty"`
	SMTPEnv         text   `json:"smtp_env,omitempty"`
	From            text   `json:"from,omitempty"`
	WebhookEnv      text   `json:"webhook_env,omitempty"`
	Command         []text `json:"command,omitempty"`
	Env             []text `json:"env,omitempty"`
	When            []text `json:"when,omitempty" enum:"when"`
}
