package evidence

import (
	"cmp"
	"fmt"
	"slices"

	"daybefore/internal/verdict"
)

// Kept is what is kept of one run: its report's files and its envelope's, of
// each as many as there are places.
type Kept struct {
	Run       string
	Reports   []Report
	Envelopes [][]byte
	Unread    []error // copies that cannot be read
}

// Fault is a link that is broken, and how.
type Fault struct {
	Run  string `json:"run"`
	What string `json:"what"`
}

// Chain is what is kept of the envelopes of one machine.
type Chain struct {
	Machine   string `json:"machine"`
	Envelopes int    `json:"envelopes"`
	First     string `json:"first"`   // run
	Last      string `json:"last"`    // run
	Earlier   int    `json:"earlier"` // envelopes before the first, which are no longer kept
}

// Audit is what verifying came to.
type Audit struct {
	Chains []Chain
	Faults []Fault // none, and a chain: it is intact
}

// Verify looks whether what is kept of a drill is what was signed, and whether
// anything is missing between the oldest run and the newest. What was removed at
// either end it cannot know.
func (keys Keys) Verify(drill string, kept []Kept) (a Audit) {
	kept = slices.SortedFunc(slices.Values(kept), func(a, b Kept) int { return cmp.Compare(a.Run, b.Run) })
	chains := map[string][]link{}
	var machines []string
	for _, k := range kept {
		l := keys.verifyRun(drill, k)
		for _, what := range l.faults {
			a.Faults = append(a.Faults, Fault{k.Run, what})
		}
		if !l.read {
			continue
		}
		if chains[l.Machine] == nil {
			machines = append(machines, l.Machine)
		}
		chains[l.Machine] = append(chains[l.Machine], l)
	}
	if len(machines) > 0 {
		a.Faults = append(a.Faults, unsigned(kept)...)
	}
	for _, m := range machines {
		c, faults := verifyChain(m, chains[m], kept[0].Run)
		a.Chains = append(a.Chains, c)
		a.Faults = append(a.Faults, faults...)
	}
	slices.SortStableFunc(a.Faults, func(a, b Fault) int { return cmp.Compare(a.Run, b.Run) })
	return a
}

// link is an envelope, and what is wrong with it alone.
type link struct {
	Link
	read   bool // it has a place in a chain, which it may claim falsely where there are faults
	faults []string
}

func (l *link) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// verifyRun looks at one run, without those around it.
func (keys Keys) verifyRun(drill string, k Kept) (l link) {
	for _, err := range k.Unread {
		l.fault("%v", err)
	}
	if len(k.Envelopes) == 0 {
		return l
	}
	b := k.Envelopes[0]
	s, err := keys.open(b)
	l.Link = Link{Predicate: s.Predicate, sum: sum(b)}
	l.read = s.Type == statementType
	if err != nil {
		l.fault("%s: %v", File, err)
	}
	for _, other := range k.Envelopes[1:] {
		if sum(other) != l.sum {
			l.fault("%s here is another than in the history's store", File)
		}
	}
	if err != nil {
		return l
	}
	if l.Drill != drill || l.Run != k.Run {
		l.fault("%s is of the run %s of %s, and was put here", File, verdict.Printable(l.Run), verdict.Printable(l.Drill))
		l.read = false
		return l
	}
	if len(k.Reports) == 0 {
		l.fault("its report.json is gone, and was signed as %s", l.Outcome)
	}
	for _, r := range k.Reports {
		if r.SHA256 != l.ReportSHA256 {
			l.fault("its report.json was changed after it was signed as %s", l.Outcome)
		}
	}
	return l
}

// unsigned are the runs without an envelope, once there were envelopes: of a
// drill file that could not be read there is none.
func unsigned(kept []Kept) (faults []Fault) {
	first := slices.IndexFunc(kept, func(k Kept) bool { return len(k.Envelopes) > 0 })
	for _, k := range kept[first:] {
		begun := slices.ContainsFunc(k.Reports, func(r Report) bool { return r.Begun })
		if len(k.Envelopes) == 0 && begun {
			faults = append(faults, Fault{k.Run, "its report has no " + File})
		}
	}
	return faults
}

// verifyChain looks which envelope of a machine each other one follows. Runs
// before the oldest that is kept were removed as too many.
func verifyChain(machine string, links []link, oldest string) (c Chain, faults []Fault) {
	slices.SortStableFunc(links, func(a, b link) int { return cmp.Compare(a.Number, b.Number) })
	first, last := links[0], links[len(links)-1]
	c = Chain{Machine: machine, Envelopes: len(links), First: first.Run, Last: last.Run, Earlier: max(first.Number-1, 0)}
	t := trail{oldest: oldest, first: first.Run, byRun: map[string]link{}, followed: map[string]string{}}
	for _, l := range links {
		t.byRun[l.Run] = l
	}
	for _, l := range links {
		what := t.follow(l)
		if what != "" && len(l.faults) == 0 {
			faults = append(faults, Fault{l.Run, what})
		}
	}
	return c, faults
}

// trail is a chain while it is followed.
type trail struct {
	oldest, first string            // runs
	byRun         map[string]link   // all of the machine
	followed      map[string]string // a run by which other run
}

// follow says what is wrong with the envelope that a link follows; empty if
// nothing is.
func (t trail) follow(l link) string {
	p := l.Previous
	if p == nil {
		if l.Run != t.first {
			return fmt.Sprintf("it begins a chain anew, though %s of the run %s was there", File, t.first)
		}
		return ""
	}
	before, there := t.byRun[p.Run]
	other := t.followed[p.Run]
	t.followed[p.Run] = l.Run
	switch {
	case len(before.faults) > 0: // which are told already
		return ""
	case there && before.sum != p.SHA256:
		return fmt.Sprintf("it follows another %s of the run %s than the one that is kept", File, p.Run)
	case there && other != "":
		return fmt.Sprintf("it follows the run %s, as the run %s does", p.Run, other)
	case there || p.Run < t.oldest: // removed as too old
		return ""
	}
	return fmt.Sprintf("it follows the run %s, whose %s is gone", verdict.Printable(p.Run), File)
}
