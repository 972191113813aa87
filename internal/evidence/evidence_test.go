package evidence

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

var night = time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)

// keyOf is a key that is the same at each run.
func keyOf(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

func reportOf(i int) *verdict.Report {
	at := night.AddDate(0, 0, i)
	r := &verdict.Report{
		Schema: verdict.Schema, Drill: "shop", Run: at.Format("20060102T150405Z") + "-3f2a", Outcome: verdict.Pass,
		StartedAt: at, FinishedAt: at.Add(time.Minute), DrillSHA256: "d0", Controls: []string{"ISO 27001 A.8.13"},
		Backup: verdict.Backup{Name: "shop.dump", SHA256: strings.Repeat("ab", 32), TakenAt: at.Add(-time.Hour)},
		Checks: []verdict.Check{{ID: "row_count:a.b", Outcome: verdict.Pass}},
	}
	if i%3 == 1 {
		r.Outcome = verdict.Fail
	}
	return r
}

func fileOf(t *testing.T, r *verdict.Report) []byte {
	t.Helper()
	b, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func seal(t *testing.T, r *verdict.Report, key ed25519.PrivateKey, machine string, before ...[]byte) []byte {
	t.Helper()
	last, err := Last(machine, stored(before, nil))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Seal(r, fileOf(t, r), key, machine, last)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stored gives envelopes, and then what goes wrong, which may be nil.
func stored(envelopes [][]byte, wrong error) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, b := range envelopes {
			if !yield(b, nil) {
				return
			}
		}
		if wrong != nil {
			yield(nil, wrong)
		}
	}
}

// chain is what is kept of six nights, of which machine says on which each was
// drilled.
func chain(t *testing.T, machines string) (kept []Kept) {
	t.Helper()
	var all [][]byte
	for i, m := range machines {
		r := reportOf(i)
		envelope := seal(t, r, keyOf(1), "db"+string(m), all...)
		all = append([][]byte{envelope}, all...)
		kept = append(kept, Kept{Run: r.Run, Envelopes: [][]byte{envelope}, Reports: []Report{ReportOf(fileOf(t, r))}})
	}
	return kept
}

// edited is an envelope whose payload somebody changed.
func edited(t *testing.T, envelope []byte, old, fresh string) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(envelope, &e); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(e["payload"].(string))
	if err != nil || !bytes.Contains(payload, []byte(old)) {
		t.Fatalf("the payload does not hold %s: %s (%v)", old, payload, err)
	}
	e["payload"] = base64.StdEncoding.EncodeToString(bytes.ReplaceAll(payload, []byte(old), []byte(fresh)))
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tries are what may become of what is kept, and the faults that are told.
var tries = map[string]struct {
	machines string // of six nights; empty: all on one
	change   func(t *testing.T, kept []Kept) []Kept
	want     []string // the run's index, and part of what is said
}{
	"nothing":                    {},
	"two machines in turn":       {machines: "121212"},
	"the oldest removed":         {change: func(_ *testing.T, k []Kept) []Kept { return k[2:] }},
	"the oldest removed, of two": {machines: "121122", change: func(_ *testing.T, k []Kept) []Kept { return k[3:] }},
	"one in the middle removed": {want: []string{"4 whose evidence.json is gone"}, change: func(_ *testing.T, k []Kept) []Kept {
		return slices.Delete(k, 3, 4)
	}},
	"two in the middle removed": {want: []string{"4 whose evidence.json is gone"}, change: func(_ *testing.T, k []Kept) []Kept {
		return slices.Delete(k, 2, 4)
	}},
	"an envelope alone removed": {want: []string{"3 its report has no", "4 is gone"}, change: func(_ *testing.T, k []Kept) []Kept {
		k[3].Envelopes = nil
		return k
	}},
	"the last envelope removed": {change: func(_ *testing.T, k []Kept) []Kept { k[5].Envelopes = nil; return k }, want: []string{"5 its report has no"}},
	"a report removed": {want: []string{"1 report.json is gone, and was signed as fail"}, change: func(_ *testing.T, k []Kept) []Kept {
		k[1].Reports = nil
		return k
	}},
	"a report changed": {want: []string{"1 report.json was changed after"}, change: func(_ *testing.T, k []Kept) []Kept {
		k[1].Reports[0].SHA256 = "00"
		return k
	}},
	"one of two reports changed": {change: func(_ *testing.T, k []Kept) []Kept {
		k[1].Reports = append(k[1].Reports, Report{SHA256: "00"})
		return k
	}, want: []string{"1 report.json was changed"}},
	"what cannot be read": {want: []string{"2 input/output"}, change: func(_ *testing.T, k []Kept) []Kept {
		k[2].Unread = []error{errors.New("input/output error")}
		return k
	}},
	"a drill file with mistakes": {change: func(_ *testing.T, k []Kept) []Kept {
		return append(k, Kept{Run: "20991121T031500Z-3f2a", Reports: []Report{{SHA256: "00"}}})
	}},
	"unsigned before the key was": {change: func(_ *testing.T, k []Kept) []Kept {
		return append(k, Kept{Run: "20001121T031500Z-3f2a", Reports: []Report{{SHA256: "00", Begun: true}}})
	}},
	"a fail made a pass": {want: []string{"1 its signature does not fit"}, change: func(t *testing.T, k []Kept) []Kept {
		k[1].Envelopes[0] = edited(t, k[1].Envelopes[0], `"outcome":"fail"`, `"outcome":"pass"`)
		return k
	}},
	"no envelope at all": {want: []string{"1 it is no DSSE envelope", "2 is gone"}, change: func(_ *testing.T, k []Kept) []Kept {
		k[1].Envelopes[0] = []byte("hello")
		return k
	}},
	"another statement": {want: []string{"1 it states something else"}, change: func(t *testing.T, k []Kept) []Kept {
		k[1].Envelopes[0] = edited(t, k[1].Envelopes[0], PredicateType, "https://slsa.dev/provenance/v1")
		return k
	}},
	"another type of payload": {want: []string{"1 it states something else"}, change: func(_ *testing.T, k []Kept) []Kept {
		k[1].Envelopes[0] = bytes.Replace(k[1].Envelopes[0], []byte(payloadType), []byte("application/json"), 1)
		return k
	}},
	"signed anew with another key": {want: []string{"1 another key signed it"}, change: func(t *testing.T, k []Kept) []Kept {
		r := reportOf(1)
		r.Outcome = verdict.Pass
		k[1].Envelopes[0] = seal(t, r, keyOf(2), "db1", k[0].Envelopes[0])
		k[1].Reports[0] = ReportOf(fileOf(t, r))
		return k
	}},
	"signed anew with the same key": {want: []string{"2 follows another evidence.json of the run"}, change: func(t *testing.T, k []Kept) []Kept {
		r := reportOf(1)
		r.Outcome = verdict.Pass
		k[1].Envelopes[0] = seal(t, r, keyOf(1), "db1", k[0].Envelopes[0])
		k[1].Reports[0] = ReportOf(fileOf(t, r))
		return k
	}},
	"two runs exchanged": {want: []string{"1 is of the run 20261123", "2 is of the run 20261122", "3 is gone"}, change: func(_ *testing.T, k []Kept) []Kept {
		k[1].Envelopes, k[2].Envelopes = k[2].Envelopes, k[1].Envelopes
		return k
	}},
	"of another drill": {want: []string{"5 is of the run 20261126T031500Z-3f2a of blog, and was put here"}, change: func(t *testing.T, k []Kept) []Kept {
		r := reportOf(5)
		r.Drill = "blog"
		k[5].Envelopes[0] = seal(t, r, keyOf(1), "db1", k[4].Envelopes[0])
		return k
	}},
	"begun anew": {want: []string{"5 begins a chain anew"}, change: func(t *testing.T, k []Kept) []Kept {
		k[5].Envelopes[0] = seal(t, reportOf(5), keyOf(1), "db1")
		return k
	}},
	"two that follow one": {want: []string{"5 follows the run 20261124T031500Z-3f2a, as the run 20261125"}, change: func(t *testing.T, k []Kept) []Kept {
		k[5].Envelopes[0] = seal(t, reportOf(5), keyOf(1), "db1", k[3].Envelopes[0])
		return k
	}},
	"another copy in the store": {want: []string{"2 here is another than in the history's store"}, change: func(t *testing.T, k []Kept) []Kept {
		k[2].Envelopes = append(k[2].Envelopes, seal(t, reportOf(2), keyOf(1), "db1"))
		return k
	}},
}

// Whatever becomes of what is kept, verifying says at which run, and how; and
// nothing where nothing is wrong.
func TestVerify(t *testing.T) {
	t.Parallel()
	for name, c := range tries {
		if c.machines == "" {
			c.machines = "111111"
		}
		kept := chain(t, c.machines)
		var runs []string
		for _, k := range kept {
			runs = append(runs, k.Run)
		}
		if c.change != nil {
			kept = c.change(t, kept)
		}
		audit := Keys{publicOf(keyOf(1))}.Verify("shop", kept)
		var said []string
		for _, f := range audit.Faults {
			said = append(said, fmt.Sprintf("%d %s", slices.Index(runs, f.Run), f.What))
		}
		fits := len(said) == len(c.want)
		for i, want := range c.want {
			index, what, _ := strings.Cut(want, " ")
			fits = fits && strings.HasPrefix(said[i], index+" ") && strings.Contains(said[i], what)
		}
		if !fits {
			t.Errorf("%s: it says\n%s\nwant\n%s", name, strings.Join(said, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// What is told of a chain that is intact.
func TestChainIsTold(t *testing.T) {
	t.Parallel()
	kept := chain(t, "112111")
	want := []Chain{
		{Machine: "db1", Envelopes: 4, First: kept[1].Run, Last: kept[5].Run, Earlier: 1},
		{Machine: "db2", Envelopes: 1, First: kept[2].Run, Last: kept[2].Run},
	}
	audit := Keys{publicOf(keyOf(1))}.Verify("shop", kept[1:])
	if diff := cmp.Diff(want, audit.Chains); diff != "" || len(audit.Faults) > 0 {
		t.Errorf("%v; -want +got:\n%s", audit.Faults, diff)
	}
	if none := (Keys{publicOf(keyOf(1))}).Verify("shop", nil); len(none.Chains)+len(none.Faults) > 0 {
		t.Errorf("of nothing: %+v", none)
	}
}

// A run that began earlier and ended later follows what was sealed before it.
func TestRunsThatOverlap(t *testing.T) {
	t.Parallel()
	kept := chain(t, "111")
	long, short, next := reportOf(3), reportOf(4), reportOf(5)
	second := seal(t, short, keyOf(1), "db1", kept[2].Envelopes[0])
	third := seal(t, long, keyOf(1), "db1", second, kept[2].Envelopes[0])
	fourth := seal(t, next, keyOf(1), "db1", second, third) // as the runs' names sort
	for r, envelope := range map[*verdict.Report][]byte{long: third, short: second, next: fourth} {
		kept = append(kept, Kept{Run: r.Run, Envelopes: [][]byte{envelope}, Reports: []Report{ReportOf(fileOf(t, r))}})
	}
	for _, left := range [][]Kept{kept, slices.DeleteFunc(slices.Clone(kept), func(k Kept) bool { return k.Run <= long.Run })} {
		if audit := (Keys{publicOf(keyOf(1))}).Verify("shop", left); len(audit.Faults) > 0 {
			t.Errorf("of %d runs: %v", len(left), audit.Faults)
		}
	}
}

// However many runs of other machines lie in between, an envelope follows the last
// of its own, or says that it may not.
func TestLast(t *testing.T) {
	t.Parallel()
	first := seal(t, reportOf(0), keyOf(1), "db1")
	second := seal(t, reportOf(1), keyOf(1), "db1", first)
	other := seal(t, reportOf(2), keyOf(1), "db2")
	silent := errors.New("it does not answer")
	for name, c := range map[string]struct {
		before, others int
		after          [][]byte
		wrong          error
		want           int // the number; 0: none
		says           string
	}{
		"none":                      {},
		"33 of another machine":     {others: 33, after: [][]byte{second, first}, want: 2},
		"in the order they began":   {others: 1, after: [][]byte{first, second}, want: 2},
		"too many of others":        {others: mostCopies, after: [][]byte{second}, says: "newest 2000 envelopes is of db1"},
		"too many, and one":         {before: 1, others: mostCopies, wrong: silent, want: 2},
		"not all can be read":       {others: 1, wrong: silent, says: "does not answer"},
		"not all, and one was read": {before: 1, others: 1, wrong: silent, want: 2, says: "does not answer"},
		"enough of its own":         {before: mostLinks, wrong: silent, want: 2},
	} {
		kept := slices.Concat(slices.Repeat([][]byte{second}, c.before), slices.Repeat([][]byte{other}, c.others), c.after)
		last, err := Last("db1", stored(kept, c.wrong))
		got := 0
		if last != nil {
			got = last.Number
		}
		if got != c.want || (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the number %d, %v; want %d, %q", name, got, err, c.want, c.says)
		}
	}
}

// After a change of keys, both are given.
func TestKeysChange(t *testing.T) {
	t.Parallel()
	kept := chain(t, "11")
	r := reportOf(2)
	kept = append(kept, Kept{Run: r.Run, Reports: []Report{ReportOf(fileOf(t, r))},
		Envelopes: [][]byte{seal(t, r, keyOf(2), "db1", kept[1].Envelopes[0])}})
	keys, err := KeysOf(slices.Concat(pemOf(t, keyOf(1)), pemOf(t, keyOf(2))))
	if err != nil {
		t.Fatal(err)
	}
	if audit := keys.Verify("shop", kept); len(audit.Faults) > 0 {
		t.Error(audit.Faults)
	}
	if audit := keys[:1].Verify("shop", kept); len(audit.Faults) != 1 {
		t.Errorf("with one of both keys: %v", audit.Faults)
	}
	for name, text := range map[string]string{
		"empty": "", "no PEM": "ssh-ed25519 AAAA", "a private key": "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n",
	} {
		if _, err := KeysOf([]byte(text)); err == nil {
			t.Errorf("%s is taken for a public key", name)
		}
	}
}

func pemOf(t *testing.T, key ed25519.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// What is stated is what the report says, about the backup and the report; or
// about the report alone.
func TestStatement(t *testing.T) {
	t.Parallel()
	r := reportOf(1)
	r.Checks = append(r.Checks, verdict.Check{ID: "row_count_change:a.b", Outcome: verdict.Fail,
		Accepted: &verdict.Accepted{From: "2", To: "1", Why: "purged", Who: "me", At: night}})
	r.Muted = []verdict.Muted{{Check: "row_count:a.b", Why: "known", Who: "me", At: night, Until: night.AddDate(0, 0, 7)}}
	file := fileOf(t, r)
	_, s, err := read(seal(t, r, keyOf(1), "db1"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Subject{{"shop.dump", map[string]string{"sha256": strings.Repeat("ab", 32)}}, {"report.json", map[string]string{"sha256": sum(file)}}}
	if diff := cmp.Diff(want, s.Subject); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	p := s.Predicate
	if p.Outcome != verdict.Fail || p.ReportSHA256 != sum(file) || p.Number != 1 || p.Previous != nil || p.Checks[verdict.Fail] != 1 ||
		len(p.Accepted) != 1 || p.Accepted[0].Why != "purged" || !slices.Equal(p.Controls, r.Controls) ||
		!slices.Equal(p.Muted, r.Muted) {
		t.Errorf("it states %+v", p)
	}
	r.Backup.SHA256 = ""
	if _, s, err := read(seal(t, r, keyOf(1), "db1")); err != nil || len(s.Subject) != 1 || s.Subject[0].Name != "report.json" {
		t.Errorf("without a backup it is about %v (%v)", s.Subject, err)
	}
}

// The commands of the page, with openssl alone, take what was signed and nothing
// else.
func TestOpensslVerifies(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"openssl", "jq", "bash"} {
		testneed.Program(t, name)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "evidence.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllSubmatch(page, -1)
	made, verify := string(blocks[0][1]), string(blocks[len(blocks)-1][1])
	dir := t.TempDir()
	if said, err := inShell(dir, made); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	private, err := os.ReadFile(filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(private)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	r := reportOf(0)
	envelope := seal(t, r, key.(ed25519.PrivateKey), "db1")
	changed := bytes.Replace(fileOf(t, r), []byte("pass"), []byte("fail"), 1)
	for _, c := range []struct {
		name             string
		envelope, report []byte
		want             string // empty: it is refused
	}{
		{"as it was signed", envelope, fileOf(t, r), "Signature Verified Successfully\nreport.json: OK\n"},
		{"another outcome", edited(t, envelope, `"outcome":"pass"`, `"outcome":"fail"`), fileOf(t, r), ""},
		{"another report", envelope, changed, ""},
		{"another key", seal(t, r, keyOf(1), "db1"), fileOf(t, r), ""},
	} {
		for name, b := range map[string][]byte{"evidence.json": c.envelope, "report.json": c.report} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		said, err := inShell(dir, verify)
		if (err == nil) != (c.want != "") || c.want != "" && said != c.want {
			t.Errorf("%s: %v\n%s", c.name, err, said)
		}
	}
}

func inShell(dir, script string) (string, error) {
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}
