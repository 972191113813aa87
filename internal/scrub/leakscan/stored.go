package leakscan

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

var errFields = errors.New("not as many fields as columns")

// mostSuspects is how many different findings are kept: more cannot be told
// from pseudonyms any more.
const mostSuspects = 1 << 20

// mostPlaces are told each, of those that hold what they may not.
const mostPlaces = 100

// suspect is something found, until it is known to be a pseudonym.
type suspect struct {
	place, what    string
	real, computed bool
	doubtful       bool // each time that it was found
	count          int64
}

// Request says what the server holds after the restore, and what is known of it.
type Request struct {
	Schema       *schema.Schema
	Decision     func(*schema.Column) Decision
	Scanner      detect.Scanner
	Overlap      *Overlap // nil: nothing was sampled
	Key          []byte
	Names        *told.Names
	LargeObjects bool // they were loaded
	OwnCode      bool // of the backup may have run since the load: all is looked at again

	// Within reads values of a column, and shows look what its rule lets pass within them.
	Within func(c *schema.Column, look func(text []byte, isKey bool)) func(value []byte) error
	// Again streams the loaded rows of tables once more, for columns that no rule
	// rewrites; nil: the server is asked for them. The rows are UTF-8.
	Again Stream

	// Written is what filters made of a column's values; nil: anything.
	Written func(*schema.Column) *Writings
}

// Decision is what became of a column.
type Decision struct {
	Loaded     bool            // from the archive
	Ruled      bool            // by a rule, if only to let it pass
	Rewritten  bool            // by a rule
	Recomputed bool            // by the server, by a rule's SQL
	Set        bool            // in some rows, by keep
	Passes     bool            // a rule lets texts pass within its values, and they can be read
	Scanner    *detect.Scanner // that looked at it as it was loaded; nil: none did
}

// aftermath looks at what the server holds after the restore.
type aftermath struct {
	Request

	mu       sync.Mutex
	streamed map[*schema.Table][]*int64 // by table, how many values of each block that came again were looked at
	suspects map[uint64][]*suspect      // by the keyed fingerprint of what was found
	kept     int
	values   int64
	full     bool
}

// Connector opens a connection to the sandbox.
type Connector = func(context.Context) (*pgx.Conn, error)

// Scan looks at it over as many connections as there are jobs. Checks of outcome
// error say where something was found and how often, with a keyed fingerprint; the
// error is the connection's.
func Scan(ctx context.Context, connect Connector, jobs int, what Request) ([]verdict.Check, error) {
	a := &aftermath{Request: what, streamed: map[*schema.Table][]*int64{}, suspects: map[uint64][]*suspect{}}
	conn, err := Connect(ctx, connect)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	places, err := a.places(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("look for what the server computed: %w", err)
	}
	if err := a.scanAll(ctx, connect, places, jobs, (*seeker).suspect); err != nil {
		return nil, err
	}
	if err := a.lookAgain(ctx); err != nil {
		return nil, err
	}
	if len(a.suspects) > 0 {
		if err := a.scanAll(ctx, connect, a.ruled(), jobs, (*seeker).explain); err != nil {
			return nil, err
		}
	}
	for _, blocks := range a.streamed {
		for _, seen := range blocks {
			a.values += *seen
		}
	}
	return a.checks(len(places) + len(a.streamed)), nil
}

// Connect opens a connection on which nothing hides a row or ends a scan. That
// it speaks UTF-8 where there is a way to it is connect's work, as for all.
func Connect(ctx context.Context, connect Connector) (*pgx.Conn, error) {
	conn, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	const settings = "SET statement_timeout = 0; SET lock_timeout = 0; SET row_security = off; " +
		"SET default_transaction_read_only = on; SET bytea_output = 'hex'; SET search_path = ''"
	if _, err := conn.PgConn().Exec(ctx, settings).ReadAll(); err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("prepare a connection for the leak scan: %w", err)
	}
	return conn, nil
}

// scanAll copies every place out, over as many connections as there are jobs.
func (a *aftermath) scanAll(
	ctx context.Context, connect Connector, places []site, jobs int, sink func(*seeker, sighting),
) error {
	work, ctx := errgroup.WithContext(ctx)
	next := make(chan site, len(places))
	for _, p := range places {
		next <- p
	}
	close(next)
	for range min(max(jobs, 1), len(places)) {
		work.Go(func() error {
			conn, err := Connect(ctx, connect)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			s := &seeker{aftermath: a, sink: sink, keyed: transform.NewKeyed(a.Key)}
			for p := range next {
				s.begin(p)
				w := &RowWriter{Row: s.row}
				if _, err := conn.PgConn().CopyTo(ctx, w, p.sql); err != nil {
					return cmp.Or(context.Cause(ctx),
						fmt.Errorf("leak scan of %s: %w", p.name, errors.Join(w.Err, err)))
				}
				s.end()
			}
			return nil
		})
	}
	return work.Wait()
}

// sighting is a place in a value.
type sighting struct {
	place    string
	what     string
	token    []byte
	real     bool // a sampled value, not only one that looks like one
	scrubbed bool // the column was
	doubtful bool // it may be something else than it looks like
}

// seeker looks at the rows of one place after the other; it serves one
// goroutine.
type seeker struct {
	*aftermath
	site
	sink     func(*seeker, sighting)
	keyed    *transform.Keyed
	readers  []func(value []byte) error // by column: finds what passes within its values; nil where all is looked at
	scanners []detect.Scanner           // by column
	raw, buf []byte
	bytes    []byte // of a bytea
	seen     int64
}

func (s *seeker) begin(p site) {
	s.site, s.seen = p, 0
	s.readers = make([]func([]byte) error, len(p.columns))
	s.scanners = make([]detect.Scanner, len(p.columns))
	for i, c := range p.columns {
		s.scanners[i] = *cmp.Or(c.scanner, &s.Scanner)
		if c.scanner == nil && c.column != "" {
			s.scanners[i] = s.Scanner.Named(c.column)
		}
		if c.within != nil {
			s.readers[i] = s.Within(c.within, func(text []byte, isKey bool) {
				s.seek(c.name, text, siteColumn{keys: isKey, part: true})
			})
		}
	}
}

func (s *seeker) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values += s.seen
}

func (s *seeker) row(row []byte) error {
	name := ""
	fields := copytext.Split(row)
	for i := range s.columns {
		field, ok := fields.Next()
		if !ok {
			return errFields
		}
		if i == 0 && s.columns[0].name == "" { // the catalog's rows name their place themselves
			name = string(field)
			continue
		}
		if len(field) < detect.Shortest {
			continue
		}
		text, err := s.text(field, s.columns[i].binary)
		if err != nil {
			return err
		}
		s.seen++
		if s.readers[i] != nil {
			if err := s.readers[i](text); err != nil {
				return err
			}
			continue
		}
		s.look(cmp.Or(s.columns[i].name, name), text, i)
	}
	return nil
}

// text is what a field says, valid until the next.
func (s *seeker) text(field []byte, isBytes bool) (text []byte, err error) {
	if copytext.Plain(field) {
		return field, nil
	}
	s.raw, err = copytext.AppendUnescaped(s.raw[:0], field)
	if err != nil || !isBytes {
		return s.raw, err
	}
	s.bytes, err = appendBytes(s.bytes[:0], s.raw)
	return s.bytes, err
}

// look tells the sink all that is found in a text.
func (s *seeker) look(name string, text []byte, column int) {
	c := s.columns[column]
	if s.computed {
		s.scanners[column].Each(text, func(h detect.Hit) {
			s.sink(s, sighting{
				place: name, what: h.Kind.Words(), token: text[h.From:h.To], scrubbed: c.scrubbed,
				doubtful: h.Confidence == detect.Doubtful,
			})
		})
	}
	if s.Overlap != nil {
		s.seek(name, text, c)
	}
}

// tellsKey reports whether the key of a document may be told: only a name of the
// backup, since any other may be somebody's, or made by code of the backup's own.
func (a *aftermath) tellsKey(key string) bool { return a.Names.Knows(key) }

// seek tells the sink of real values.
func (s *seeker) seek(name string, text []byte, c siteColumn) {
	for at, end, column := 0, 0, int32(0); ; {
		at, end, column, s.buf = s.Overlap.find(text, end, s.buf)
		if at < 0 {
			return
		}
		if c.again && c.written.MayHold(text) {
			return
		}
		if c.keys && s.Overlap.named[column] {
			continue
		}
		what := "a real value of " + s.Overlap.names[column]
		if !c.part {
			what += whereIn(text, at, s.tellsKey)
		}
		s.sink(s, sighting{place: name, what: what, token: text[at:end], real: true, scrubbed: c.scrubbed})
	}
}

// fingerprint is keyed, and the same whatever the case of letters.
func (s *seeker) fingerprint(token []byte) uint64 {
	s.buf = AppendFolded(s.buf[:0], token)
	print := s.keyed.Fingerprint(s.buf)
	return binary.BigEndian.Uint64(print[:])
}

// suspect notes what was found.
func (s *seeker) suspect(f sighting) {
	fingerprint := s.fingerprint(f.token)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.suspects[fingerprint] {
		if known.place == f.place && known.what == f.what && known.real == f.real {
			known.count++
			known.doubtful = known.doubtful && f.doubtful
			return
		}
	}
	s.kept++
	if s.kept > mostSuspects {
		s.full = true
		return
	}
	one := &suspect{place: f.place, what: f.what, real: f.real, computed: s.computed, doubtful: f.doubtful, count: 1}
	s.suspects[fingerprint] = append(s.suspects[fingerprint], one)
}

// explain takes away what was computed from this: a value that a rule let
// through or made; a real one only where a rule happened to make it again.
func (s *seeker) explain(f sighting) {
	fingerprint := s.fingerprint(f.token)
	s.mu.Lock()
	defer s.mu.Unlock()
	left := slices.DeleteFunc(s.suspects[fingerprint], func(known *suspect) bool {
		return known.computed && known.real == f.real && (!f.real || f.scrubbed)
	})
	if len(left) == 0 {
		delete(s.suspects, fingerprint)
		return
	}
	s.suspects[fingerprint] = left
}

// checks tell what is left, each place once.
func (a *aftermath) checks(places int) []verdict.Check {
	byPlace := map[string]*placed{}
	for fingerprint, all := range a.suspects {
		for _, s := range all {
			f := byPlace[s.place]
			if f == nil {
				f = &placed{what: map[string]int64{}}
				byPlace[s.place] = f
			}
			f.what[s.what] += s.count
			if s.doubtful {
				f.doubtful += s.count
			} else {
				f.certain = true
			}
			f.fingerprints = append(f.fingerprints, fmt.Sprintf("%016x", fingerprint))
		}
	}
	checks := []verdict.Check{a.summary(places, byPlace)}
	for _, name := range slices.Sorted(maps.Keys(byPlace)) {
		if len(checks) > mostPlaces { // the summary says how many there are
			break
		}
		checks = append(checks, byPlace[name].check(a.Names.Place(name)))
	}
	return checks
}

// summary says what was looked at.
func (a *aftermath) summary(places int, byPlace map[string]*placed) verdict.Check {
	c := verdict.Check{ID: "leak_scan:stored", Stage: verdict.StageScrub, Code: verdict.CodeLeak, Outcome: verdict.Pass,
		Expected: "nothing sensitive in what the server computed, nor in the catalog's texts",
		Observed: fmt.Sprintf("%s in %s looked at, findings in %d",
			verdict.Count(a.values, "value"), verdict.Count(int64(places), "place"), len(byPlace))}
	if a.OwnCode {
		c.Observed += "; looked at again, since code of the backup's own may have run"
	}
	if a.Overlap != nil {
		c.Expected += fmt.Sprintf("; none of %s of %s in any column that no rule rewrites",
			verdict.Count(int64(a.Overlap.values), "sampled real value"),
			verdict.Count(int64(len(a.Overlap.names)), "column"))
	}
	switch {
	case anyEnds(byPlace):
		c.Outcome = verdict.Error
		c.Message = "the sandbox holds what it may not, and is removed"
		c.Hint = "see the findings by place"
	case a.full:
		c.Outcome = verdict.Error
		c.Message = fmt.Sprintf("more than %d different values that look sensitive were computed: "+
			"they cannot all be told from pseudonyms", mostSuspects)
		c.Hint = "allow them under scrub.leak_scan.allow"
	case len(byPlace) > 0:
		c.Outcome = verdict.Warn
		c.Message = "what was found is doubtful, and too little to end a drill"
		c.Hint = "see the findings by place"
	}
	return c
}

// placed is what one place holds.
type placed struct {
	what         map[string]int64
	certain      bool  // something of it is
	doubtful     int64 // values
	fingerprints []string
}

// ends reports whether what the place holds ends the drill.
func (f *placed) ends() bool { return f.certain || f.doubtful >= LeastDoubtful }

func anyEnds(byPlace map[string]*placed) bool {
	for _, f := range byPlace {
		if f.ends() {
			return true
		}
	}
	return false
}

func (f *placed) check(name string) verdict.Check {
	const shown = 3
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(f.what)) {
		parts = append(parts, fmt.Sprintf("%s (%s)", what, verdict.Count(f.what[what], "time")))
	}
	slices.Sort(f.fingerprints)
	f.fingerprints = slices.Compact(f.fingerprints)
	prints := strings.Join(f.fingerprints[:min(len(f.fingerprints), shown)], ", ")
	if n := len(f.fingerprints) - shown; n > 0 {
		prints += fmt.Sprintf(" and %d more", n)
	}
	holds, outcome := "holds", verdict.Error
	if !f.ends() {
		holds, outcome = "perhaps holds", verdict.Warn
	}
	return verdict.Check{
		ID: "leak:" + name, Stage: verdict.StageScrub, Code: verdict.CodeLeak, Outcome: outcome,
		Expected: "nothing that looks sensitive or is a real value", Observed: strings.Join(parts, ", "),
		Message: fmt.Sprintf("%s %s %s; keyed %s %s", name, holds, strings.Join(parts, ", "),
			plural("fingerprint", len(f.fingerprints)), prints),
		Hint: "write a rule for the column, or for those it is computed from; remove the value from the schema; " +
			"or, if it is not personal data, let scrub.leak_scan.allow match it",
	}
}

func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
