package spec

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
)

// Notify is who is told of a drill. What variables hold is nil where they are
// not set, or secrets are left alone: it is told before the drill begins, and
// keeps nobody from drilling.
type Notify struct {
	HeartbeatEnv string // variable with the URL of a monitor of jobs; empty: there is none
	Heartbeat    Key    // its value
	Plain        bool   // the monitor is pinged at its URL after a pass alone, with no words of Healthchecks.io
	Channels     []Channel
	Insecure     bool // variables may hold http:// of other machines
}

// Declared reports whether anybody is told of anything.
func (n Notify) Declared() bool { return n.HeartbeatEnv != "" || len(n.Channels) > 0 }

// Channel is one way to tell people.
type Channel struct {
	Kind    string   // ChannelSlack …
	Env     string   // variable with the URL or the key; empty where there is none
	Secret  Key      // its value
	URL     string   // of pagerduty and alertmanager, without a secret
	To      []string // email: addresses
	From    string   // email: address; empty: the account's
	Command []string // command: the program and its arguments
	Pass    []string // command: names of variables that it gets
	When    []string // WhenFail …; complete
}

// Kinds of channels.
const (
	ChannelPagerDuty    = "pagerduty"
	ChannelAlertmanager = "alertmanager"
	ChannelSlack        = "slack"
	ChannelTeams        = "teams"
	ChannelDiscord      = "discord"
	ChannelNtfy         = "ntfy"
	ChannelEmail        = "email"
	ChannelWebhook      = "webhook"
	ChannelCommand      = "command"
)

// When a channel is told.
const (
	WhenFail      = "fail"
	WhenError     = "error"
	WhenWarn      = "warn"
	WhenRecovered = "recovered"
	WhenEvery     = "every" // after each drill, whatever it came to
)

var usualWhen = []string{WhenFail, WhenError, WhenRecovered}

const pagerDutyURL = "https://events.pagerduty.com"

// Name tells a channel from the drill's others, without a secret.
func (c Channel) Name() string {
	switch {
	case c.Kind == ChannelEmail:
		return c.Kind + " (" + c.Env + ", to " + strings.Join(c.To, ", ") + ")"
	case c.Env != "":
		return c.Kind + " (" + c.Env + ")"
	case c.Kind == ChannelCommand:
		return c.Kind + " (" + strings.Join(c.Command, " ") + ")"
	}
	return c.Kind + " (" + c.URL + ")"
}

// notify reads who is told.
func (c checker) notify(raw *rawNotify) Notify {
	if raw == nil {
		return Notify{}
	}
	n := Notify{
		HeartbeatEnv: c.toldBy(raw.HeartbeatEnv, "notify.heartbeat_env", "DRILL_HEARTBEAT_URL"),
		Heartbeat:    c.valueOf(raw.HeartbeatEnv),
		Plain:        raw.HeartbeatStyle.Value == "plain",
		Insecure:     raw.Insecure.Value,
	}
	if raw.HeartbeatStyle.given() && !raw.HeartbeatEnv.given() {
		c.refuse(raw.HeartbeatStyle.at, "add heartbeat_env, or remove it", "notify.heartbeat_style is of no heartbeat")
	}
	if !raw.HeartbeatEnv.given() && len(raw.Channels) == 0 {
		c.refuse(raw.at, "add heartbeat_env: DRILL_HEARTBEAT_URL, or channels", "notify names nobody who is told")
	}
	usual := usualWhen
	if len(raw.When) > 0 {
		usual = values(raw.When)
	}
	names := unique[string]{}
	for _, r := range raw.Channels {
		channel, at, ok := c.channel(r)
		if !ok {
			continue
		}
		channel.When = usual
		if len(r.When) > 0 {
			channel.When = values(r.When)
		}
		names.check(c, text{leaf[string]{channel.Name(), at}}, channel.Name(), "notify.channels", "keep one of them")
		n.Channels = append(n.Channels, channel)
	}
	return n
}

// toldBy is the variable that holds how somebody is told.
func (c checker) toldBy(name text, key, such string) string {
	if !name.given() || !c.variable(name, key, such) {
		return ""
	}
	return name.Value
}

// valueOf is what a variable holds; nil where it is not set.
func (c checker) valueOf(name text) Key {
	if !name.given() || c.loader.WithoutSecrets {
		return nil
	}
	value, _ := c.loader.lookup(name.Value)
	value = strings.TrimSpace(value)
	if value == "" {
		return nil
	}
	return Key(value)
}

// channel reads one channel, and where it is named.
func (c checker) channel(raw rawChannel) (channel Channel, at Pos, ok bool) {
	for _, k := range []struct {
		kind, key string
		env       text
	}{
		{ChannelPagerDuty, "pagerduty_env", raw.PagerDutyEnv}, {ChannelAlertmanager, "alertmanager_env", raw.AlertmanagerEnv},
		{ChannelSlack, "slack_env", raw.SlackEnv}, {ChannelTeams, "teams_env", raw.TeamsEnv},
		{ChannelDiscord, "discord_env", raw.DiscordEnv}, {ChannelNtfy, "ntfy_env", raw.NtfyEnv},
		{ChannelEmail, "smtp_env", raw.SMTPEnv}, {ChannelWebhook, "webhook_env", raw.WebhookEnv},
	} {
		if !k.env.given() {
			continue
		}
		if channel.Kind != "" {
			c.refuse(k.env.at, "begin another one with -", "notify.channels: one of them is both %s and %s", channel.Kind,
				k.kind)
			return channel, at, false
		}
		at = k.env.at
		channel.Kind = k.kind
		channel.Env = c.toldBy(k.env, "notify.channels."+k.key, "DRILL_SLACK_URL")
		channel.Secret = c.valueOf(k.env)
	}
	switch {
	case channel.Kind == "" && raw.Alertmanager.given():
		channel.Kind, at = ChannelAlertmanager, raw.Alertmanager.at
	case channel.Kind == "" && raw.Command != nil:
		channel.Kind, at = ChannelCommand, raw.at
	case channel.Kind == "":
		c.refuse(raw.at, "name the way, such as slack_env: DRILL_SLACK_URL", "notify.channels: one of them tells nobody")
		return channel, raw.at, false
	}
	before := len(c.mistakes)
	c.onlyOf(raw, channel)
	channel.URL = c.channelURL(raw, channel)
	c.mail(raw, &channel)
	c.notifier(raw, &channel)
	return channel, at, len(c.mistakes) == before
}

// onlyOf refuses keys that would not act on a channel of this kind.
func (c checker) onlyOf(raw rawChannel, channel Channel) {
	of := func(given bool, at Pos, key, kind string) {
		if given && channel.Kind != kind {
			c.refuse(at, "remove it, or begin another channel with -", "notify.channels.%s is for %s, and this one is %s",
				key, kind, channel.Kind)
		}
	}
	of(raw.PagerDutyURL.given(), raw.PagerDutyURL.at, "pagerduty_url", ChannelPagerDuty)
	of(raw.Alertmanager.given(), raw.Alertmanager.at, "alertmanager", ChannelAlertmanager)
	of(raw.Email != nil, raw.at, "email", ChannelEmail)
	of(raw.From.given(), raw.From.at, "from", ChannelEmail)
	of(raw.Command != nil, raw.at, "command", ChannelCommand)
	of(raw.Env != nil, raw.at, "env", ChannelCommand)
	if raw.Alertmanager.given() && raw.AlertmanagerEnv.given() {
		c.refuse(raw.Alertmanager.at, "keep one of them", "notify.channels: alertmanager and alertmanager_env name one "+
			"server")
	}
}

// channelURL is the address that the drill file itself says.
func (c checker) channelURL(raw rawChannel, channel Channel) string {
	t, key := raw.Alertmanager, "notify.channels.alertmanager"
	if channel.Kind == ChannelPagerDuty {
		t, key = raw.PagerDutyURL, "notify.channels.pagerduty_url"
	}
	if !t.given() {
		if channel.Kind == ChannelPagerDuty {
			return pagerDutyURL
		}
		return ""
	}
	u, err := url.Parse(t.Value)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "":
		c.refuse(t.at, "write https://host, with a port where it has one", "%s is not the URL of a server", key)
	case u.User != nil:
		c.refuse(t.at, "put the whole URL into an environment variable",
			"%s holds a password, which is no text for a drill file", key)
	case channel.Kind == ChannelPagerDuty && u.Scheme == "http" && !Loopback(u.Hostname()):
		c.refuse(t.at, "write https://", "%s lets anybody on the way read the key", key)
	}
	return strings.TrimSuffix(t.Value, "/")
}

// mail reads what only a channel of e-mails has.
func (c checker) mail(raw rawChannel, channel *Channel) {
	if channel.Kind != ChannelEmail {
		return
	}
	if raw.Email == nil {
		c.refuse(raw.SMTPEnv.at, "add email: [ops@example.com]", "notify.channels: nobody gets the e-mails of smtp_env")
	}
	for _, to := range raw.Email {
		channel.To = append(channel.To, c.address(to, "notify.channels.email"))
	}
	if raw.From.given() {
		channel.From = c.address(raw.From, "notify.channels.from")
	}
}

// address is an e-mail address, alone.
func (c checker) address(t text, key string) string {
	a, err := mail.ParseAddress(t.Value)
	if t.given() && (err != nil || a.Address != t.Value) {
		c.refuse(t.at, "write an address alone, such as ops@example.com", "%s: %s is not an address", key, shown(t.Value))
	}
	return t.Value
}

// notifier reads what only a channel of a program has.
func (c checker) notifier(raw rawChannel, channel *Channel) {
	if channel.Kind != ChannelCommand {
		return
	}
	channel.Command = values(raw.Command)
	if len(channel.Command) == 0 || channel.Command[0] == "" {
		c.refuse(raw.at, `write the program and its arguments, such as [notify-us, "{drill}"]`,
			"notify.channels.command names no program")
	}
	for _, name := range raw.Env {
		channel.Pass = append(channel.Pass, c.toldBy(name, "notify.channels.env", "NOTIFY_TOKEN"))
	}
}

// WhenNames are what a channel can be told of.
func WhenNames() []string {
	return slices.Concat(usualWhen, []string{WhenWarn, WhenEvery})
}
