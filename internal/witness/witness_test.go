package witness

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"daybefore/internal/verdict"
)

var (
	now    = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	at0315 = time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)
)

func options(name string) Options {
	return Options{Name: name, Fields: []string{"id"}, At: "at", Now: now}
}

// read gives all records, and what was said of the others.
func read(t *testing.T, text string, o Options) (records []Record, said []string) {
	t.Helper()
	r, err := Open(strings.NewReader(text), o)
	if err != nil {
		return nil, []string{err.Error()}
	}
	defer r.Close()
	for {
		record, err := r.Next()
		var fault *Fault
		var problem *verdict.Problem
		switch {
		case err == io.EOF:
			return records, said
		case errors.As(err, &fault):
			said = append(said, err.Error())
			if fault.Hint == "" {
				t.Errorf("%v: no hint", err)
			}
		case errors.As(err, &problem):
			if problem.Outcome != verdict.Error || problem.Hint == "" {
				t.Errorf("%+v", problem)
			}
			return records, append(said, err.Error())
		case err != nil:
			t.Fatal(err)
		default:
			records = append(records, record)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	want := []Record{{2, []string{"a"}, at0315}, {3, []string{"12345678901234567890"}, at0315}}
	const json = "\n{\"id\":\"a\",\"at\":\"2026-11-21T03:15:00Z\"}\n{\"id\": 12345678901234567890, \"at\": \"2026-11-21 04:15:00+01\", \"more\": [1]}\r\n"
	const csv = "at,\"id\",x\n2026-11-21T03:15:00.0Z,a,\n2026-11-21 03:15:00 UTC,12345678901234567890,\"y\"\n"
	var gz bytes.Buffer
	z := gzip.NewWriter(&gz)
	z.Write([]byte(csv))
	z.Close()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a.jsonl": json, "a.csv": csv, "no ending": json, "a": "\ufeff" + csv,
		"semicolons": strings.ReplaceAll(csv, ",", ";"), "tabs": strings.ReplaceAll(csv, ",", "\t"),
		"a.csv.gz": gz.String(), "a.jsonl.zst": string(enc.EncodeAll([]byte(json), nil)),
	} {
		got, said := read(t, text, options(name))
		if diff := cmp.Diff(want, got); diff != "" || said != nil {
			t.Errorf("%s: %v -want +got:\n%s", name, said, diff)
		}
	}
}

// Each bad record must be told by its line, and hold back no other.
func TestFaults(t *testing.T) {
	t.Parallel()
	const good = `{"id":"secret","at":"2026-11-21T03:15:00Z"}` + "\n"
	const goodRow = "secret,2026-11-21T03:15:00Z\n"
	for _, c := range []struct{ text, want string }{
		{good + `{"id":"secret","at":"2026-11-` + "\n" + good, "line 2 is not a JSON object"},
		{good + `["secret"]` + "\n" + good, "line 2 is not a JSON object"},
		{good + "{\"id\":\"sec\xffret\",\"at\":\"2026-11-21T03:15:00Z\"}\n" + good, "line 2 is not a JSON object"},
		{good + `{"ID":"secret","at":"2026-11-21T03:15:00Z"}` + "\n" + good, "line 2 holds no key: its id is missing"},
		{good + `{"id":null,"at":"2026-11-21T03:15:00Z"}` + "\n" + good, "line 2 holds no key: its id is empty"},
		{good + `{"id":{"secret":1},"at":"2026-11-21T03:15:00Z"}` + "\n" + good, "line 2 holds no key: its id holds a list or an object"},
		{good + `{"id":"secret\ud800","at":"2026-11-21T03:15:00Z"}` + "\n" + good, "line 2 holds no key: its id holds half of a character"},
		{good + `{"id":"secret\u0000","at":"2026-11-21T03:15:00Z"}` + "\n" + good, "line 2 holds a zero byte in its id, which no column does"},
		{good + `{"id":"secret"}` + "\n" + good, "line 2 holds no time: its at is missing"},
		{good + `{"id":"secret","at":"secret"}` + "\n" + good, "line 2 holds no time that can be read: its at is no time"},
		{good + `{"id":"secret","at":"2026-11-21T03:15:00"}` + "\n" + good, "line 2 holds no time that can be read: its at tells no zone"},
		{good + `{"id":"secret","at":1790000000}` + "\n" + good, "line 2 holds no time that can be read: its at is a number, and of which unit is not said"},
		{good + `{"id":"secret","at":"2026-11-21T06:00:01Z"}` + "\n" + good, "line 2 holds a time in the future"},
		{"id,at\n" + goodRow + "secret\n" + goodRow, "line 3 has more or fewer columns than the first"},
		{"id,at\n" + goodRow + `sec"ret,2026-11-21T03:15:00Z` + "\n" + goodRow, "line 3 is no CSV: a quote stands where none may"},
		{"id,at\n" + goodRow + ",2026-11-21T03:15:00Z\n" + goodRow, "line 3 holds no key: its id is empty"},
	} {
		records, said := read(t, c.text, options("x"))
		if diff := cmp.Diff([]string{c.want}, said); diff != "" || len(records) != 2 {
			t.Errorf("%q: %d records, -want +got:\n%s", c.text, len(records), diff)
		}
	}
}

func TestNoRecords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"a.jsonl", ` [{"id":1}]`, "it is one JSON list"},
		{"a.csv", "secret,2026-11-21T03:15:00Z\n", "its first line does not name the columns"},
		{"a", "PGDMP\x01\x0e\x00", "it is neither JSON lines nor CSV"},
		{"a", "\x1f\x8b\x08\x00", "it cannot be read on"},
		{"a", "\x28\xb5\x2f\xfd\x00", "it cannot be read on"},
		{"a.csv", "id,at\n" + `"` + strings.Repeat("secret\n", longest/4), "is longer than"},
		{"a.jsonl", `{"id":"` + strings.Repeat("secret", longest/4), "line 1 is longer than"},
	} {
		records, said := read(t, c.text, options(c.name))
		if len(records) > 0 || len(said) != 1 || !strings.Contains(said[0], c.want) || strings.Contains(said[0], "secret") {
			t.Errorf("%.20q: %q, want %q", c.text, said, c.want)
		}
	}
	for _, text := range []string{"", "\n\n", "\ufeff", "id,at\n"} {
		if records, said := read(t, text, options("a")); len(records) > 0 || said != nil {
			t.Errorf("%q: %v, %q", text, records, said)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		clock Clock
		text  string
		want  time.Time
	}{
		{Clock{}, "2026-11-21t03:15:00z", at0315},
		{Clock{}, "2026-11-21T04:15:00+0100", at0315},
		{Clock{}, "2026-11-21 04:15:00 +0100", at0315},
		{Clock{Location: berlin}, "2026-11-21 04:15", at0315},
		{Clock{Location: berlin}, "2026-11-21T03:15:00Z", at0315},
		{Clock{Unit: "s"}, "1795230900", at0315},
		{Clock{Unit: "s"}, "1795230900.25", at0315.Add(250 * time.Millisecond)},
		{Clock{Unit: "ms"}, "1795230900000", at0315},
		{Clock{Unit: "s"}, "1795230900000", time.Time{}}, // the year 58858
		{Clock{Unit: "s"}, "2026-11-21T03:15:00Z", time.Time{}},
		{Clock{Unit: "s"}, "NaN", time.Time{}},
		{Clock{}, "2026-11-21", time.Time{}},
	} {
		got, err := c.clock.read(c.text)
		if !got.Equal(c.want) || (err == nil) == c.want.IsZero() {
			t.Errorf("%q by %+v: %v, %v; want %v", c.text, c.clock, got, err, c.want)
		}
	}
}

// However long the record is, little of it is held.
func TestMemory(t *testing.T) {
	const lines = 1 << 18
	line := []byte(`{"id":"0123456789","at":"2026-11-21T03:15:00Z","what":"` + strings.Repeat("x", 400) + "\"}\n")
	r, err := Open(&repeated{line: line, times: lines}, options("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for ; err == nil; n++ {
		_, err = r.Next()
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if n-1 != lines || err != io.EOF || m.HeapAlloc > 16<<20 {
		t.Errorf("%d records, %v, %d bytes held after %d were read", n-1, err, m.HeapAlloc, lines*len(line))
	}
}

// repeated gives a line so many times.
type repeated struct {
	line  []byte
	times int
	rest  []byte
}

func (r *repeated) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.times == 0 {
			return 0, io.EOF
		}
		r.rest, r.times = r.line, r.times-1
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func FuzzRead(f *testing.F) {
	f.Add(`{"id":"a","at":"2026-11-21T03:15:00Z"}`)
	f.Add("id,at\na,2026-11-21T03:15:00Z\n")
	f.Fuzz(func(t *testing.T, text string) {
		records, _ := read(t, text, options("a"))
		for _, r := range records {
			if len(r.Key) != 1 || r.Key[0] == "" || r.At.IsZero() || r.At.After(now) || r.Line < 1 {
				t.Errorf("%+v", r)
			}
		}
	})
}
