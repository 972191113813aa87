// Package notify tells people and their monitors what a drill came to: a file a
// channel, a row each in the table kinds. It tells what a report says, and knows
// no more. It must never judge a drill, delay one by more than ten seconds, or
// let an address or a key into an error: an address is a key, mostly.
package notify

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"daybefore/internal/machine"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// patience is how long a drill waits for all that is told after it, in parallel.
// A program that has to be killed takes two seconds more.
const patience = 5 * time.Second

// untold is why somebody was not told, and what to do.
type untold struct{ why, hint string }

func (u *untold) Error() string { return u.why }

// notified is what became of telling somebody; Told where err is nil.
func notified(by string, told []string, err error) verdict.Notified {
	n := verdict.Notified{By: by, Told: told}
	if err != nil {
		u := because(err)
		n = verdict.Notified{By: by, Failed: u.why, Hint: u.hint}
	}
	return n
}

// within runs what tells somebody, and waits no longer than the context lasts,
// also where that heeds none.
func within(ctx context.Context, tell func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- tell(ctx) }()
	return machine.Ended(ctx, done, lastMoment, &untold{"it did not answer in time", "is it up, and reachable from here?"})
}

// lastMoment is how long whoever tells may take to end with the context.
const lastMoment = 2500 * time.Millisecond

// notSet is the error of a variable that holds nothing.
func notSet(name string) error {
	return &untold{"the environment variable " + name + " is not set", "set it, or take it out of the drill file"}
}

// address reads the URL that a variable holds; none of the error's words are its.
func address(name string, value spec.Key, insecure bool) (*url.URL, error) {
	if value == nil {
		return nil, notSet(name)
	}
	u, err := url.Parse(string(value))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, &untold{"the environment variable " + name + " does not hold the URL of a web server",
			"set it to https://host/…, as the receiver shows it"}
	case u.Scheme == "http" && !insecure && !spec.Loopback(u.Hostname()):
		return nil, &untold{"the environment variable " + name + " holds a URL without encryption, which anybody may read",
			"set it to https://, or write notify.insecure: true where that is wanted"}
	}
	return u, nil
}

// Faults are what will keep people from being told, as far as that is known
// before the drill.
func Faults(n spec.Notify) []verdict.Notified {
	var all []verdict.Notified
	if n.HeartbeatEnv != "" {
		_, err := address(n.HeartbeatEnv, n.Heartbeat, n.Insecure)
		if err != nil {
			all = append(all, notified(heartbeatName(n), nil, err))
		}
	}
	for _, c := range n.Channels {
		_, err := kinds[c.Kind].open(c, n.Insecure)
		if err != nil {
			all = append(all, notified(c.Name(), nil, err))
		}
	}
	return all
}

// Tell tells all of a drill, at once, and gives what became of that: of the
// monitor first, then of the channels in their order. The heart may be nil.
func Tell(ctx context.Context, n spec.Notify, heart *Heart, news News) []verdict.Notified {
	return atOnce(ctx, n, heart, news, func(ctx context.Context, c spec.Channel, news News) verdict.Notified {
		return tell(ctx, c, n.Insecure, news)
	})
}

// Correct tells all that a drill is not what they heard of it, for which the news
// has one finding: each that heard of the drill, and each that wants to hear of it.
func Correct(ctx context.Context, n spec.Notify, heart *Heart, news News, heard []verdict.Notified) []verdict.Notified {
	return atOnce(ctx, n, heart, news, func(ctx context.Context, c spec.Channel, news News) verdict.Notified {
		var told []string
		for _, h := range heard {
			if h.By == c.Name() {
				told = append(told, h.Told...)
			}
		}
		m := news.correction(told)
		wanted := slices.Contains(c.When, string(news.Report.Outcome)) || slices.Contains(c.When, spec.WhenEvery)
		if !wanted && len(told) == 0 {
			return verdict.Notified{By: c.Name()}
		}
		to, err := kinds[c.Kind].open(c, n.Insecure)
		if err == nil {
			err = m.send(ctx, to)
		}
		return notified(c.Name(), m.told(), err)
	})
}

// atOnce tells the monitor and each channel of a copy of the report: who is given
// up may read it still when the drill writes into its own.
func atOnce(ctx context.Context, n spec.Notify, heart *Heart, news News,
	one func(context.Context, spec.Channel, News) verdict.Notified) []verdict.Notified {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	report := *news.Report
	news.Report = &report
	var pings []verdict.Notified
	all := make([]verdict.Notified, len(n.Channels))
	var telling sync.WaitGroup
	for i, c := range n.Channels {
		telling.Go(func() { all[i] = one(ctx, c, news) })
	}
	if heart != nil {
		pings = append(pings, heart.end(ctx, verdict.ExitCode(news.Report) == verdict.ExitOK, news.text()))
	}
	telling.Wait()
	return append(pings, all...)
}

// tell tells one channel what it does not know yet.
func tell(ctx context.Context, c spec.Channel, insecure bool, news News) verdict.Notified {
	k := kinds[c.Kind]
	m := news.message(c)
	told := verdict.Notified{By: c.Name(), Open: m.open}
	to, err := k.open(c, insecure)
	switch {
	case err != nil:
		told = notified(c.Name(), nil, err)
		told.Open = m.before // so that the next drill tells what this one could not
	case m.hasNews(c) || k.forgets && len(m.still) > 0:
		err = m.send(ctx, to)
		told = notified(c.Name(), m.told(), err)
		told.Open = m.open
		if err != nil {
			told.Open = m.unsure()
		}
	}
	told.Unread = news.Unread
	return told
}

// send tells a channel the message.
func (m message) send(ctx context.Context, to target) error {
	return within(ctx, func(ctx context.Context) error { return kinds[to.Kind].send(ctx, to, m) })
}

// Says is a fault in a line.
func Says(n verdict.Notified) string {
	says := n.By + ": " + n.Failed
	if n.Hint != "" {
		says += "; " + n.Hint
	}
	return strings.Join(strings.Fields(says), " ")
}
