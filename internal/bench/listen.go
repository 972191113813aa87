package bench

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
)

// labelDrill is how a sandbox's container names its drill.
const labelDrill = "daybefore.drill"

// seen is when something was seen.
type seen struct {
	at   time.Time
	what string
}

// logTimes takes the times out of a log of text lines.
type logTimes struct {
	moments []seen
	rest    []byte
}

func (l *logTimes) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte{'\n'})
		if !ok {
			return len(p), nil
		}
		l.rest = rest
		if m, ok := parseLog(string(line)); ok {
			l.moments = append(l.moments, m)
		}
	}
}

// parseLog reads a line of slog's text handler: when, and which message with
// which stage.
func parseLog(line string) (seen, bool) {
	rest, ok := strings.CutPrefix(line, "time=")
	if !ok {
		return seen{}, false
	}
	stamp, rest, _ := strings.Cut(rest, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return seen{}, false
	}
	what := attribute(rest, "msg")
	if stage := attribute(rest, "stage"); what == "stage" && stage != "" {
		what = "stage " + stage + ": a part ended"
	}
	return seen{at, what}, what != ""
}

// attribute is the value of a key in a line of slog's text handler.
func attribute(line, key string) string {
	_, rest, ok := strings.Cut(" "+line, " "+key+"=")
	if !ok {
		return ""
	}
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		value, _ := strconv.Unquote(quoted)
		return value
	}
	value, _, _ := strings.Cut(rest, " ")
	return value
}

const (
	// eventDelay is how long after the drill the engine may take to tell that
	// there was a container,
	eventDelay = 200 * time.Millisecond
	// and lastEvent to tell that it is gone, which it does at once unless the
	// machine is loaded.
	lastEvent = time.Minute
)

// listen notes what the engine does with the containers of a drill, until the
// function that it returns is called. Where no engine answers there is nothing
// to hear.
func listen(ctx context.Context, drill string) func() []seen {
	ctx, stop := context.WithCancel(ctx)
	engine, err := client.New(client.FromEnv)
	if err != nil {
		stop()
		return func() []seen { return nil }
	}
	stream := engine.Events(ctx, client.EventsListOptions{
		Filters: client.Filters{}.Add("type", "container").Add("label", labelDrill+"="+drill),
	})
	var heard []seen
	programs := map[string]string{} // by the exec's id
	containers := 0                 // that are there
	var once sync.Once
	created := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case e := <-stream.Messages:
				if e.TimeNano == 0 {
					continue
				}
				action, command, _ := strings.Cut(string(e.Action), ":")
				id := e.Actor.Attributes["execID"]
				if action == "exec_create" {
					programs[id] = programOf(command)
				}
				heard = append(heard,
					seen{time.Unix(0, e.TimeNano), strings.TrimSpace("engine: " + action + " " + programs[id])})
				switch action {
				case "create":
					containers++
					once.Do(func() { close(created) })
				case "destroy":
					containers--
					if containers <= 0 {
						return
					}
				}
			case <-stream.Err:
				return
			}
		}
	}()
	return func() []seen {
		select {
		case <-created:
			wait(done, lastEvent)
		case <-time.After(eventDelay):
		}
		stop()
		<-done
		engine.Close()
		return heard
	}
}

// wait waits until a channel is closed, but no longer than that.
func wait(done <-chan struct{}, most time.Duration) {
	select {
	case <-done:
	case <-time.After(most):
	}
}

// programOf is the program that an exec's command line runs for the harness,
// with the name of its use-list; empty for another.
func programOf(command string) string {
	words := strings.Fields(command)
	i := slices.Index(words, "pg_restore")
	if i < 0 {
		return ""
	}
	if l := slices.Index(words, "-L"); l > i && l+1 < len(words) {
		return "pg_restore " + path.Base(words[l+1])
	}
	return "pg_restore"
}
