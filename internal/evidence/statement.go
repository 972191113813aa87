// Package evidence makes of a report a statement that others can verify, and
// tells whether such statements are intact: in-toto Statements in DSSE envelopes
// under ed25519, each with the digest of the one before. It reads and writes no
// file, and must never judge a backup.
package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"daybefore/internal/verdict"
)

// File is what an envelope is called beside the report that it is about.
const File = "evidence.json"

// What tells readers how to read an envelope and its statement. None of them may
// change while envelopes are kept.
const (
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
	PredicateType = "urn:daybefore:restore-drill:v1"
)

// reportSubject is the second subject's name, or the only one's: without the
// backup, the report is there to verify.
const reportSubject = "report.json"

// Statement is an in-toto Statement v1.
type Statement struct {
	Type          string    `json:"_type"`
	Subject       []Subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     Predicate `json:"predicate"`
}

// Subject is what a statement is about.
type Subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// Predicate is what is stated: what a drill came to. Keys are added, never
// renamed.
type Predicate struct {
	Drill string `json:"drill"`
	Run   string `json:"run"`
	// Machine has the chain: a host, and which folder of reports on it.
	Machine string `json:"machine"`
	// of the envelopes of this machine and drill, from 1 on
	Number         int                     `json:"number"`
	Previous       *Previous               `json:"previous,omitempty"` // absent: it is the first
	Outcome        verdict.Outcome         `json:"outcome"`
	StartedAt      time.Time               `json:"started_at"`
	FinishedAt     time.Time               `json:"finished_at"`
	HarnessVersion string                  `json:"harness_version"`
	DrillSHA256    string                  `json:"drill_sha256"`
	ReportSHA256   string                  `json:"report_sha256"` // of report.json, to the byte
	Backup         Backup                  `json:"backup"`
	Checks         map[verdict.Outcome]int `json:"checks"`
	Controls       []string                `json:"controls,omitempty"`
	Accepted       []Accepted              `json:"accepted,omitempty"`
	Muted          []verdict.Muted         `json:"muted,omitempty"` // when the drill began
}

// Backup is the one that was drilled; zero where none was found.
type Backup struct {
	Store     string    `json:"store"`
	Name      string    `json:"name"`
	TakenAt   time.Time `json:"taken_at,omitzero"`
	SizeBytes int64     `json:"size_bytes"`
	Newest    bool      `json:"newest"` // it was asked for as the newest
}

// Accepted is a change that a person wanted, so that a check passed.
type Accepted struct {
	Check string `json:"check"`
	verdict.Accepted
}

// Previous is the envelope that this one follows.
type Previous struct {
	Run    string `json:"run"`
	SHA256 string `json:"sha256"` // of its file, to the byte
}

// state says what a report came to. The bytes are its file's.
func state(r *verdict.Report, file []byte, machine string, before *Link) Statement {
	s := Statement{Type: statementType, PredicateType: PredicateType, Predicate: Predicate{
		Drill: r.Drill, Run: r.Run, Machine: machine, Number: 1, Outcome: r.Outcome,
		StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, HarnessVersion: r.HarnessVersion,
		DrillSHA256: r.DrillSHA256, ReportSHA256: sum(file), Controls: r.Controls, Muted: r.Muted,
		Backup: Backup{Store: r.Backup.Store, Name: r.Backup.Name, TakenAt: r.Backup.TakenAt,
			SizeBytes: r.Backup.SizeBytes, Newest: r.Backup.IsNewest()},
		Checks: map[verdict.Outcome]int{},
	}}
	if before != nil {
		s.Predicate.Number = before.Number + 1
		s.Predicate.Previous = &Previous{Run: before.Run, SHA256: before.sum}
	}
	if r.Backup.SHA256 != "" {
		s.Subject = append(s.Subject, subject(r.Backup.Name, r.Backup.SHA256))
	}
	s.Subject = append(s.Subject, subject(reportSubject, s.Predicate.ReportSHA256))
	for _, c := range r.Checks {
		s.Predicate.Checks[c.Outcome]++
		if c.Accepted != nil {
			s.Predicate.Accepted = append(s.Predicate.Accepted, Accepted{Check: c.ID, Accepted: *c.Accepted})
		}
	}
	return s
}

func subject(name, digest string) Subject {
	return Subject{Name: name, Digest: map[string]string{"sha256": digest}}
}

func sum(b []byte) string {
	digest := sha256.Sum256(b)
	return hex.EncodeToString(digest[:])
}

// Report is what verifying needs of a report's file.
type Report struct {
	SHA256 string
	Begun  bool // its drill file was read, so that it would have been signed
}

// ReportOf reads that. What is no report has its digest all the same.
func ReportOf(file []byte) Report {
	var r struct {
		DrillSHA256 string `json:"drill_sha256"`
	}
	_ = json.Unmarshal(file, &r)
	return Report{SHA256: sum(file), Begun: r.DrillSHA256 != ""}
}
