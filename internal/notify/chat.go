package notify

import (
	"context"
	"mime"
	"strings"

	"daybefore/internal/verdict"
)

// What the receivers take of one message at most, in bytes: less than they say.
const (
	mostSlack   = 3000
	mostDiscord = 1800
	mostTeams   = 10_000
	mostNtfy    = 3500
)

// text is the whole message.
func (m message) text() string { return m.title() + "\n" + strings.Join(m.lines(), "\n") }

// slack sends plain text: what stands between < and > would be a mention.
func slack(ctx context.Context, to target, m message) error {
	harmless := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(cut(m.text(), mostSlack))
	_, err := post(ctx, to.url, map[string]any{
		"text": harmless, "mrkdwn": false, "link_names": false, "unfurl_links": false, "unfurl_media": false,
	}, "")
	return err
}

// discord sends a block of code, in which nothing is markdown, and lets nobody be
// mentioned.
func discord(ctx context.Context, to target, m message) error {
	harmless := strings.ReplaceAll(cut(m.text(), mostDiscord), "`", "'")
	_, err := post(ctx, to.url, map[string]any{
		"content": "```\n" + harmless + "\n```", "allowed_mentions": map[string]any{"parse": []string{}},
	}, "")
	return err
}

// teams sends an adaptive card of runs of text, which hold no markdown. Between
// double braces it would put dates.
func teams(ctx context.Context, to target, m message) error {
	var body []any
	for line := range strings.SplitSeq(cut(m.text(), mostTeams), "\n") {
		run := map[string]any{"type": "TextRun", "text": strings.ReplaceAll(line, "{{", "{ {")}
		if len(body) == 0 {
			run["weight"] = "Bolder"
		}
		body = append(body, map[string]any{"type": "RichTextBlock", "inlines": []any{run}})
	}
	card := map[string]any{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard",
		"version": "1.4", "body": body}
	_, err := post(ctx, to.url, map[string]any{"type": "message", "attachments": []any{
		map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": card},
	}}, "")
	return err
}

// ntfy sends the text with a title in a header, which holds one line of ASCII.
func ntfy(ctx context.Context, to target, m message) error {
	priority, tag := "default", "white_check_mark"
	if len(m.fresh) > 0 {
		priority, tag = "high", "warning"
	}
	if len(m.fresh) > 0 && m.Report.Outcome == verdict.Fail {
		tag = "rotating_light"
	}
	title := m.word() + " " + m.Report.Drill
	_, err := send(ctx, request{url: to.url, kind: "text/plain; charset=utf-8", body: []byte(cut(m.text(), mostNtfy)),
		header: map[string]string{"Title": mime.QEncoding.Encode("utf-8", title), "Priority": priority, "Tags": tag}})
	return err
}
