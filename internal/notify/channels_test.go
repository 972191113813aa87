package notify_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"daybefore/internal/notify"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// receiver is a server of this machine that keeps the bodies it took.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies [][]byte
	answer func(w http.ResponseWriter, r *http.Request, body []byte)
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, body)
		if r.answer != nil {
			r.answer(w, req, body)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) took() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}

// strictly reads JSON that may have no key that the vendor's page does not name.
func strictly(t *testing.T, body []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || d.More() {
		t.Errorf("%v: %s", err, body)
	}
}

func isJSON(t *testing.T, r *http.Request) {
	t.Helper()
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		t.Errorf("%s %s", r.Method, r.Header)
	}
}

// PagerDuty opens an incident a key, and resolves it by the same.
func TestPagerDuty(t *testing.T) {
	t.Parallel()
	const key = "R0123456789ABCDEF0123456789ABCDE"
	open := map[string]bool{}
	r := newReceiver(t)
	r.answer = func(w http.ResponseWriter, req *http.Request, body []byte) {
		var e struct {
			RoutingKey  string `json:"routing_key"`
			EventAction string `json:"event_action"`
			DedupKey    string `json:"dedup_key"`
			Client      string `json:"client"`
			Payload     *struct {
				Summary, Source, Severity, Timestamp, Component, Group, Class string
				CustomDetails                                                 map[string]any `json:"custom_details"`
			}
		}
		isJSON(t, req)
		strictly(t, body, &e)
		if req.URL.Path != "/v2/enqueue" || e.RoutingKey != key || e.DedupKey == "" || len(e.DedupKey) > 255 {
			t.Errorf("%s %s", req.URL.Path, body)
		}
		switch e.EventAction {
		case "trigger":
			_, err := time.Parse(time.RFC3339, e.Payload.Timestamp)
			if p := e.Payload; err != nil || p.Summary == "" || len(p.Summary) > 1024 || p.Source == "" ||
				!slices.Contains([]string{"critical", "error", "warning", "info"}, p.Severity) {
				t.Errorf("%s", body)
			}
			open[e.DedupKey] = true
		case "resolve":
			delete(open, e.DedupKey)
		default:
			t.Errorf("%s", body)
		}
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, `{"status":"success","message":"Event processed","dedup_key":"`+e.DedupKey+`"}`)
	}
	want := map[string]int{"fail": 1, "still": 1, "more": 2, "early end": 2, "pass": 0, "pass again": 0}
	n := spec.Notify{Channels: []spec.Channel{{Kind: spec.ChannelPagerDuty, Env: "PD", Secret: spec.Key(key), URL: r.URL, When: usual}}}
	nights(t, n, func(night string) {
		if len(open) != want[night] || len(open) > 0 && !open["daybefore/shop/row_count"] {
			t.Errorf("%s: %v", night, open)
		}
	})
	if r.took() != 4 {
		t.Errorf("%d events, and an incident of each night is noise", r.took())
	}
}

// Chats get a message on each change, as their webhooks take them, and nothing in it that they would obey.
func TestChats(t *testing.T) {
	t.Parallel()
	for kind, check := range map[string]func(t *testing.T, w http.ResponseWriter, r *http.Request, body []byte){
		spec.ChannelSlack: func(t *testing.T, w http.ResponseWriter, r *http.Request, body []byte) {
			var m struct {
				Text        string
				Mrkdwn      bool
				LinkNames   bool `json:"link_names"`
				UnfurlLinks bool `json:"unfurl_links"`
				UnfurlMedia bool `json:"unfurl_media"`
			}
			m.Mrkdwn = true // what Slack takes where nothing is said
			isJSON(t, r)
			strictly(t, body, &m)
			if m.Text == "" || m.Mrkdwn || strings.ContainsAny(m.Text, "<>") || regexp.MustCompile(`&(?:[^alg]|$)`).MatchString(m.Text) {
				t.Errorf("%s", body)
			}
			io.WriteString(w, "ok")
		},
		spec.ChannelDiscord: func(t *testing.T, w http.ResponseWriter, r *http.Request, body []byte) {
			var m struct {
				Content         string
				AllowedMentions struct{ Parse []string } `json:"allowed_mentions"`
			}
			isJSON(t, r)
			strictly(t, body, &m)
			inside := strings.TrimSuffix(strings.TrimPrefix(m.Content, "```\n"), "\n```")
			if len(m.Content) > 2000 || len(inside) != len(m.Content)-8 || strings.Contains(inside, "`") ||
				m.AllowedMentions.Parse == nil || len(m.AllowedMentions.Parse) > 0 {
				t.Errorf("%s", body)
			}
			w.WriteHeader(http.StatusNoContent)
		},
		spec.ChannelTeams: func(t *testing.T, w http.ResponseWriter, r *http.Request, body []byte) {
			var m struct {
				Type        string
				Attachments []struct {
					ContentType string
					Content     struct {
						Schema        string `json:"$schema"`
						Type, Version string
						Body          []struct {
							Type    string
							Inlines []struct{ Type, Text, Weight string }
						}
					}
				}
			}
			isJSON(t, r)
			strictly(t, body, &m)
			if m.Type != "message" || len(m.Attachments) != 1 || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" ||
				m.Attachments[0].Content.Type != "AdaptiveCard" || len(m.Attachments[0].Content.Body) < 2 {
				t.Errorf("%s", body)
			}
			for _, b := range m.Attachments[0].Content.Body {
				if b.Type != "RichTextBlock" || b.Inlines[0].Type != "TextRun" || strings.Contains(b.Inlines[0].Text, "{{") { // a TextBlock is markdown
					t.Errorf("%+v", b)
				}
			}
			w.WriteHeader(http.StatusAccepted)
		},
		spec.ChannelNtfy: func(t *testing.T, w http.ResponseWriter, r *http.Request, body []byte) {
			_, password, _ := r.BasicAuth()
			if r.URL.Path != "/topic" || password != "tk_x" || len(body) > 4096 || !strings.Contains(string(body), "public.<!channel>") ||
				strings.Contains(string(body), "it holds 5 rows") != strings.Contains(string(body), "what to do: compare") ||
				!slices.Contains([]string{"high", "default"}, r.Header.Get("Priority")) ||
				!strings.HasSuffix(r.Header.Get("Title"), " shop") || r.Header.Get("Markdown") != "" {
				t.Errorf("%v %s", r.Header, body)
			}
			io.WriteString(w, `{"id":"x","event":"message","topic":"topic"}`)
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			r.answer = func(w http.ResponseWriter, req *http.Request, body []byte) { check(t, w, req, body) }
			at := strings.Replace(r.URL, "http://", "http://:tk_x@", 1) + "/topic"
			want := map[string]int{"fail": 1, "still": 1, "more": 2, "early end": 2, "pass": 3, "pass again": 3}
			n := spec.Notify{Channels: []spec.Channel{{Kind: kind, Env: "CHAT", Secret: spec.Key(at), When: usual}}}
			nights(t, n, func(night string) {
				if r.took() != want[night] {
					t.Errorf("%s: %d messages", night, r.took())
				}
			})
			many := make([]notify.Finding, 2000)
			for i := range many {
				many[i] = finding(verdict.CodeRowCount, verdict.Fail)
				many[i].Says = strings.Repeat("é", 999)
			}
			if told := notify.Tell(t.Context(), n, nil, night(0, nil, many...)); told[0].Failed != "" {
				t.Errorf("%+v", told)
			}
			if last := r.bodies[len(r.bodies)-1]; len(last) > 20_000 || !json.Valid(last) && kind != spec.ChannelNtfy {
				t.Errorf("%d bytes", len(last))
			}
		})
	}
}

// A webhook and a program get the report as it is kept, and what is new in it.
func TestReportForPrograms(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	out := filepath.Join(t.TempDir(), "out")
	t.Run("webhook", func(t *testing.T) {
		n := spec.Notify{Channels: []spec.Channel{{Kind: spec.ChannelWebhook, Env: "HOOK", Secret: spec.Key(r.URL), When: usual}}}
		nights(t, n, func(string) {})
		if len(r.bodies) != 3 {
			t.Fatalf("%d", len(r.bodies))
		}
		readDocument(t, r.bodies[1], "fail", 1, 1, 0)
		readDocument(t, r.bodies[2], "pass", 0, 0, 2)
	})
	t.Run("command", func(t *testing.T) {
		c := spec.Channel{Kind: spec.ChannelCommand, Command: []string{"sh", "-c", `cat >"$1"`, "{drill}", out}, When: usual}
		nights(t, spec.Notify{Channels: []spec.Channel{c}}, func(string) {})
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		readDocument(t, text, "pass", 0, 0, 2)
	})
}

func readDocument(t *testing.T, text []byte, outcome string, fresh, still, recovered int) {
	t.Helper()
	var r verdict.Report
	var d struct {
		News struct {
			Headline              string
			New, Still, Recovered []struct {
				Key      string
				Findings []string
			}
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	n := d.News
	if r.Drill != "shop" || string(r.Outcome) != outcome || len(n.New) != fresh || len(n.Still) != still || len(n.Recovered) != recovered || n.Headline == "" {
		t.Errorf("%s", text)
	}
}

// What a receiver says back is not repeated where its address holds a password: it may stand there in any form.
func TestAnEchoOfTheAddressIsNotTold(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, r.Header.Get("Authorization")+" "+r.Host+" "+r.URL.RequestURI(), http.StatusBadRequest)
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	for address, secrets := range map[string][]string{
		"http://user1:pw12@" + host + "/topic":              {"dXNlcjE6cHcxMg", "pw12", "user1", host},
		server.URL + "/topic/a%20longer%20one?key=tok%2d77": {"longer", "tok", host},
	} {
		n := spec.Notify{Channels: []spec.Channel{{Kind: spec.ChannelNtfy, Env: "NTFY", Secret: spec.Key(address), When: usual}}}
		told := notify.Tell(t.Context(), n, nil, night(0, nil, finding(verdict.CodeRowCount, verdict.Fail)))[0]
		if !strings.HasPrefix(told.Failed, "it answered 400 Bad Request") {
			t.Errorf("%+v", told)
		}
		for _, secret := range secrets {
			if strings.Contains(told.Failed, secret) {
				t.Errorf("%q is told: %s", secret, told.Failed)
			}
		}
	}
}
