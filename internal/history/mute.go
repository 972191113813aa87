package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// mute is a file beside the runs' folders, as an acceptance is.
type mute struct {
	Schema int    `json:"schema"`
	Drill  string `json:"drill"`
	verdict.Muted
}

const mutedStart = "muted-"

func isMute(name string) bool {
	return strings.HasPrefix(name, mutedStart) && strings.HasSuffix(name, acceptedEnd)
}

// Mute keeps what was muted beside the reports of a drill and returns the name of
// its file and what it holds, for a Store. The first of the keys signs it. An
// error says where and what to do.
func Mute(dir, drill string, m verdict.Muted, keys ...spec.Key) (name string, b []byte, err error) {
	b, err = json.MarshalIndent(mute{verdict.Schema, drill, m}, "", "  ")
	if err != nil {
		return "", nil, err
	}
	b = sign(signedMute, append(b, '\n'), keys)
	name = mutedStart + NewRunID(m.At) + acceptedEnd
	err = placeFile(dir, drill, name, b)
	if err != nil {
		return "", nil, fmt.Errorf("keep what was muted of %s under %s: %w; %s", drill, dir, err, hintFor(err))
	}
	return name, b, nil
}

// decodeMute reads one, and refuses what it cannot vouch for.
func decodeMute(b []byte, drill string) (verdict.Muted, error) {
	var m mute
	err := json.Unmarshal(b, &m)
	switch {
	case err != nil:
		return m.Muted, fmt.Errorf("it is not JSON: %w", err)
	case m.Schema != verdict.Schema:
		return m.Muted, fmt.Errorf("%w: %d, this harness reads %d", ErrSchema, m.Schema, verdict.Schema)
	case m.Drill != drill:
		return m.Muted, fmt.Errorf("it is of the drill %q", m.Drill)
	case m.Check == "" || m.At.IsZero():
		return m.Muted, errors.New("it does not say which check was muted, and when")
	}
	return m.Muted, nil
}

// mutes reads all, newest first.
func (sh *shelf) mutes(ctx context.Context, p *Past) error {
	found, err := sh.readAll(ctx, signedMute, sh.muted, func(e *entry, _ string, b []byte) (err error) {
		e.muted, err = decodeMute(b, sh.drill)
		return err
	})
	for _, e := range found {
		switch {
		case e.damaged != nil:
			p.Damaged = append(p.Damaged, e.damaged.Error())
		case sh.proven(e), len(sh.keys) == 0:
			p.Muted = append(p.Muted, e.muted)
		}
		if e.damaged == nil {
			p.Unproven.add(e, len(sh.keys) > 0)
		}
	}
	slices.SortStableFunc(p.Muted, func(a, b verdict.Muted) int { return b.At.Compare(a.At) })
	return err
}

// MostMuted is how long a check can be muted: whatever stays is to be mended, or
// declared otherwise.
const MostMuted = 30 * 24 * time.Hour

// MutedAt are those that hold at a time, none of them for longer than MostMuted. Of
// one check the newest counts.
func (p Past) MutedAt(now time.Time) (all []verdict.Muted) {
	seen := map[string]bool{}
	for _, m := range p.Muted {
		for _, end := range []time.Time{m.At.Add(MostMuted), now.Add(MostMuted)} {
			if m.Until.After(end) {
				m.Until = end
			}
		}
		if !seen[m.Check] && m.Until.After(now) {
			all = append(all, m)
		}
		seen[m.Check] = true
	}
	return all
}
