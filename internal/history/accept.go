package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Acceptance says that a person wants what a check found: from then on, it is
// what the check compares with.
type Acceptance struct {
	Schema   int       `json:"schema"`
	Drill    string    `json:"drill"`
	Check    string    `json:"check"`    // the check's id
	Run      string    `json:"run"`      // in which it was seen
	Baseline string    `json:"baseline"` // the run that it was compared with
	From     string    `json:"from"`     // what it was there
	To       string    `json:"to"`       // what it became
	Why      string    `json:"why"`
	Who      string    `json:"who"`
	At       time.Time `json:"at"`

	Proven bool `json:"-"` // by its keyed hash; where there are no keys, by lying on this machine
}

// points is what the accepted change led to, as a number; none where that is
// no number.
func (a Acceptance) points() []Point {
	n, ok := Number(a.To)
	if !ok {
		return nil
	}
	return []Point{{Run: a.Run, Value: n, Accepted: true}}
}

// AcceptedFor is the newest acceptance of a check's change; nil where there is
// none.
func (p Past) AcceptedFor(check string) *Acceptance {
	for i := range p.Accepted {
		if p.Accepted[i].Check == check {
			return &p.Accepted[i]
		}
	}
	return nil
}

// Note is what a report shows of the acceptance.
func (a Acceptance) Note() *verdict.Accepted {
	return &verdict.Accepted{From: a.From, To: a.To, Why: a.Why, Who: a.Who, At: a.At}
}

// An acceptance is a file beside the runs' folders.
const (
	acceptedStart = "accepted-"
	acceptedEnd   = ".json"
)

func isAccepted(name string) bool {
	return strings.HasPrefix(name, acceptedStart) && strings.HasSuffix(name, acceptedEnd)
}

// Accept keeps an acceptance beside the reports and returns the name of its
// file and what it holds, for a Store. The first of the keys signs it. An error
// says where and what to do.
func Accept(dir string, a Acceptance, keys ...spec.Key) (name string, b []byte, err error) {
	a.Schema = verdict.Schema
	b, err = json.MarshalIndent(a, "", "  ")
	if err != nil {
		return "", nil, err
	}
	b = sign(signedAcceptance, append(b, '\n'), keys)
	name = acceptedStart + NewRunID(a.At) + acceptedEnd
	if err := placeFile(dir, a.Drill, name, b); err != nil {
		return "", nil, fmt.Errorf("keep what was accepted for %s under %s: %w; %s", a.Drill, dir, err, hintFor(err))
	}
	return name, b, nil
}

// placeFile writes a file that is there wholly or not at all.
func placeFile(dir, drill, name string, b []byte) error {
	return change(dir, drill, func(root *os.Root) error {
		if _, err := root.Lstat(name); err == nil {
			return fmt.Errorf("%s: %w", name, fs.ErrExist)
		}
		return replace(root, name, b)
	})
}

// decodeAccepted reads an acceptance, and refuses what it cannot vouch for.
func decodeAccepted(b []byte, drill string) (a Acceptance, err error) {
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("it is not JSON: %w", err)
	}
	switch {
	case a.Schema != verdict.Schema:
		return a, fmt.Errorf("%w: %d, this harness reads %d", ErrSchema, a.Schema, verdict.Schema)
	case a.Drill != drill:
		return a, fmt.Errorf("it is of the drill %q", a.Drill)
	case a.Check == "" || a.At.IsZero():
		return a, errors.New("it does not say which check was accepted, and when")
	}
	return a, nil
}
