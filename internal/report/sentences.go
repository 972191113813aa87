package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybefore/internal/verdict"
)

// outcomeWord is an outcome as it is shown.
func outcomeWord(o verdict.Outcome) string {
	if o == "" {
		return "UNKNOWN"
	}
	return strings.ToUpper(clean(string(o)))
}

// headline says in a sentence what a drill came to, without the outcome's word.
func headline(r *verdict.Report) string {
	backup := theBackup(r)
	drilled := r.Backup.Name != ""
	var says string
	switch {
	case r.Interrupted() && drilled:
		says = "interrupted before " + backup + " was judged"
	case r.Interrupted():
		says = "interrupted before a backup was chosen"
	case r.Outcome == verdict.Pass:
		says = backup + " restores"
	case r.Outcome == verdict.Warn:
		says = backup + " restores, with " + counted(tally(r)[verdict.Warn], "warning")
	case r.Outcome == verdict.Fail && failsOnly(r, verdict.Code.AboutStore):
		says = backup + " restores, but the store of backups is not as declared"
	case r.Outcome == verdict.Fail && failsOnly(r, func(c verdict.Code) bool { return c == verdict.CodeCodeRan }):
		says = backup + " restores, but runs code that the last drill that passed did not have"
	case r.Outcome == verdict.Fail && drilled:
		says = backup + " would not bring the data back as declared"
	case r.Outcome == verdict.Fail:
		says = noneDrilled(r)
	case r.Outcome == verdict.Error && drilled:
		says = "could not verify " + backup + "; this says nothing about it"
	case r.Outcome == verdict.Error:
		says = "could not verify; this says nothing about the backups"
	default:
		says = "nothing was verified"
	}
	return clean(r.Drill) + ": " + says
}

// failsOnly reports whether a drill came to its end, and all that failed has
// such a code.
func failsOnly(r *verdict.Report, such func(verdict.Code) bool) bool {
	for _, f := range findings(r) {
		if f.Outcome == verdict.Error || f.Outcome == verdict.Fail && (f.ID == "" || !such(f.Code)) {
			return false
		}
	}
	return !slices.ContainsFunc(r.Stages, func(s verdict.Stage) bool { return s.Outcome == verdict.Skipped })
}

// noneDrilled says why a drill failed before it had a backup to judge. Others
// may lie beside one that is not whole.
func noneDrilled(r *verdict.Report) string {
	b := r.Backup
	for _, s := range r.Stages {
		switch {
		case s.Outcome != verdict.Fail:
			continue
		case s.Code == verdict.CodeUnfinished:
			return whichBackup(b) + " is not whole"
		case s.Code != verdict.CodeNoBackup:
			return whichBackup(b) + " would not bring the data back as declared"
		}
	}
	if isCopy(b) {
		return clean(b.Chosen) + " holds no backup that would bring the data back"
	}
	return "there is no backup that would bring the data back"
}

// whichBackup names the backup by how it was chosen. Only that of a drill that
// asked for none is called the newest: of any other a person would take a fault
// for production's.
func whichBackup(b verdict.Backup) string {
	switch {
	case b.IsNewest():
		return "the newest backup"
	case isCopy(b):
		return "the newest backup of " + clean(b.Chosen)
	}
	return "the chosen backup"
}

func isCopy(b verdict.Backup) bool { return strings.HasPrefix(b.Chosen, "copy ") }

// theBackup is the backup that was drilled, with what tells it apart.
func theBackup(r *verdict.Report) string {
	b := r.Backup
	switch {
	case b.Chosen == "local" && b.Files > 1:
		return "the backup " + clean(b.Name) + ", a folder of this machine " + inBrackets(r)
	case b.Chosen == "local":
		return "the backup " + clean(b.Name) + ", a file of this machine " + inBrackets(r)
	}
	return whichBackup(b) + " " + inBrackets(r, clean(b.Name))
}

// inBrackets are age and size, behind other parts.
func inBrackets(r *verdict.Report, parts ...string) string {
	b := r.Backup
	if !b.TakenAt.IsZero() {
		parts = append(parts, old(judgedAt(r).Sub(b.TakenAt)))
	}
	return "(" + strings.Join(append(parts, backupSize(b)), ", ") + ")"
}

func old(d time.Duration) string {
	if d < 0 {
		return age(d)
	}
	return age(d) + " old"
}

// lastGood says which backup is known to bring the data back, where this one is
// not: whoever has to restore tonight begins there. It is empty where nobody can
// tell.
func lastGood(r *verdict.Report) string {
	g := r.LastGood
	switch {
	case g == nil, r.Outcome != verdict.Fail && r.Outcome != verdict.Error:
		return ""
	case g.DrilledAt.IsZero():
		return "last good: none; no drill of " + clean(r.Drill) + " ever passed"
	}
	says := "last good: " + clean(g.Backup)
	if hasChanged(*g, r.Backup) {
		says += " as it was then (" + size(g.SizeBytes) + "), which is no longer there"
	}
	return says + ", drilled " + instant(g.DrilledAt)
}

// hasChanged reports whether the backup of this name is another one by now.
func hasChanged(then verdict.LastGood, now verdict.Backup) bool {
	return then.Backup == now.Name && (then.SizeBytes != now.SizeBytes ||
		then.SHA256 != now.SHA256 && then.SHA256 != "" && now.SHA256 != "")
}

// judgedAt is when the backup's age is judged: the drill's start, or the fixed
// time of a drill that says one ("fixed 2026-11-21T06:00:00Z").
func judgedAt(r *verdict.Report) time.Time {
	if mode, t, ok := asOf(r); ok && mode == "fixed" {
		return t
	}
	return r.StartedAt
}

// asOf reads what freshness was judged against: "backup 2026-11-21T06:00:00Z".
func asOf(r *verdict.Report) (mode string, t time.Time, ok bool) {
	mode, text, _ := strings.Cut(r.AsOf, " ")
	t, err := time.Parse(time.RFC3339, text)
	return mode, t, err == nil
}

// judged says against which time rows and backup were judged.
func judged(r *verdict.Report) string {
	mode, t, ok := asOf(r)
	switch {
	case !ok:
		return r.AsOf
	case mode == "backup":
		return "as of the backup's time, " + instant(t)
	case mode == "fixed":
		return "as of " + instant(t) + ", a fixed time that the drill file says"
	}
	return "as of " + mode + ", " + instant(t)
}

// finding is a check, or a stage whose trouble no check explains.
type finding struct {
	verdict.Check
	what string // the check's id, or the stage's name
}

var worstFirst = []verdict.Outcome{verdict.Fail, verdict.Error, verdict.Warn, verdict.Skipped, verdict.Pass}

// findings are all that did not simply pass, the worst first.
func findings(r *verdict.Report) []finding {
	var found []finding
	for _, s := range r.Stages {
		if s.Outcome != verdict.Pass && s.Outcome != verdict.Skipped && explains(r, s) == "" {
			found = append(found, finding{what: "stage " + s.Name, Check: verdict.Check{
				Stage: s.Name, Code: s.Code, Outcome: s.Outcome, Message: s.Message, Hint: s.Hint,
			}})
		}
	}
	for _, c := range r.Checks {
		if c.Outcome != verdict.Pass {
			found = append(found, finding{what: c.ID, Check: c})
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Compare(rank(a.Outcome), rank(b.Outcome))
	})
	return found
}

// rank sorts an outcome that is none of the known ones before all others.
func rank(o verdict.Outcome) int { return slices.Index(worstFirst, o) }

// explains is the id of the check that a stage has its outcome from; empty if
// the stage itself broke.
func explains(r *verdict.Report, s verdict.Stage) string {
	for _, c := range r.Checks {
		if c.Stage == s.Name && c.Outcome == s.Outcome && c.Code == s.Code && c.Message == s.Message {
			return c.ID
		}
	}
	return ""
}

// tally counts the findings by outcome, and the checks that passed.
func tally(r *verdict.Report) map[verdict.Outcome]int {
	n := map[verdict.Outcome]int{}
	for _, f := range findings(r) {
		n[f.Outcome]++
	}
	for _, c := range r.Checks {
		if c.Outcome == verdict.Pass {
			n[c.Outcome]++
		}
	}
	return n
}

// passed are the checks that passed, without those that the lists of tables and
// of scrubbed columns show.
func passed(r *verdict.Report) []verdict.Check {
	return slices.DeleteFunc(slices.Clone(r.Checks), func(c verdict.Check) bool {
		return c.Outcome != verdict.Pass || c.Code == verdict.CodeRowsHeld && len(r.Tables) > 0 ||
			c.Code == verdict.CodeScrub && len(r.Scrub.Columns) > 0
	})
}

// acceptance says which change a person wanted, who and why; empty where the
// check compared with none.
func acceptance(c verdict.Check) string {
	a := c.Accepted
	if a == nil {
		return ""
	}
	return clean(fmt.Sprintf("%s -> %s, by %s on %s: %s", a.From, a.To, a.Who, instant(a.At), a.Why))
}

// recovery says how long it took to have the data back: fetching and
// restoring, without what only the drill does. Empty if it did not come so far.
func recovery(r *verdict.Report) string {
	t := r.Recovery
	if t == nil {
		return ""
	}
	return fmt.Sprintf("%s to have the data back (fetch %s + pre-data %s + data %s + post-data %s)",
		tookMS(t.TotalMS), tookMS(t.FetchMS), tookMS(t.PreDataMS), tookMS(t.DataMS), tookMS(t.PostDataMS))
}

// gate says what a gate that drilled came to.
func gate(g *verdict.Gate) string {
	switch {
	case g == nil:
		return ""
	case g.Shut != "":
		return "stays shut: " + g.Shut + " (drilled now, since " + g.Drilled + ")"
	}
	return "open (drilled now, since " + g.Drilled + ")"
}

// trend says how long it took before, and how old the backup was then.
func trend(r *verdict.Report) string {
	var took, ages []string
	for _, t := range r.Trend {
		took = append(took, tookMS(t.RecoveryMS))
		ages = append(ages, age(time.Duration(t.BackupAgeMS)*time.Millisecond))
	}
	now := ""
	if r.Recovery == nil {
		now = "nothing was restored now; "
	}
	switch {
	case len(took) == 0:
		return ""
	case len(took) == 1:
		return now + fmt.Sprintf("the last drill that passed had the data back in %s, of a backup %s old", took[0], ages[0])
	}
	return now + fmt.Sprintf("the last %d drills that passed, newest first, had the data back in %s, of backups %s old",
		len(took), strings.Join(took, ", "), strings.Join(ages, ", "))
}

// fact is a line of "where and what".
type fact struct{ key, value string }

// headFacts say which backup was drilled, where, and when. Values are clean.
func headFacts(r *verdict.Report) []fact {
	var all []fact
	add := func(key string, values ...string) {
		values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
		if len(values) > 0 {
			all = append(all, fact{key, clean(strings.Join(values, ", "))})
		}
	}
	b, s := r.Backup, r.Sandbox
	add("recovery", recovery(r))
	add("trend", trend(r))
	add("backup", object(b), backupTime(b), format(b), labelled("database", b.Database),
		labelled("from PostgreSQL", b.ServerVersion), labelled("pg_dump", b.DumpVersion), files(b.Files))
	add("chosen", chosen(b))
	add("also in it", strings.Join(b.OtherDatabases, ", "))
	add("encrypted", b.Encryption, labelled("key", b.Key))
	if b.IsNewest() { // of another backup's drill the store is not judged
		add("store", held(r.Inventory))
	}
	add("checksum", checksum(b), labelled("sha256", b.SHA256))
	add("sandbox", strings.TrimSpace(s.Kind+" "+s.Image), labelled("PostgreSQL", s.ServerVersion),
		isolation(s.Isolation), s.Why)
	add("judged", judged(r))
	add("roles made", strings.Join(r.RolesCreated, ", "))
	add("pg_restore", messages(r))
	add("gate", gate(r.Gate))
	add("muted", mutes(r)...)
	add("told", whoWasTold(r)...)
	add("not told", whoWasNot(r)...)
	add("run", r.Run, "began "+instant(r.StartedAt), "took "+tookMS(r.DurationMS),
		labelled("harness", r.HarnessVersion))
	return all
}

// object is where the backup lies.
func object(b verdict.Backup) string {
	if strings.HasSuffix(b.Store, "/") {
		return b.Store + b.Name
	}
	return strings.TrimSpace(b.Store + " " + b.Name)
}

func files(n int) string {
	if n == 0 {
		return ""
	}
	return verdict.Count(n, "file")
}

func labelled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + " " + value
}

func backupTime(b verdict.Backup) string {
	if b.TakenAt.IsZero() {
		return ""
	}
	if !b.TakenUntil.IsZero() {
		return "taken between " + instant(b.TakenAt) + " and " + instant(b.TakenUntil)
	}
	return "taken " + instant(b.TakenAt)
}

func format(b verdict.Backup) string {
	if b.Compression == "" || b.Compression == "none" {
		return labelled("format", b.Format)
	}
	if within := strings.Contains(b.Compression, " "); within {
		return labelled("format", b.Format+", "+b.Compression)
	}
	return labelled("format", b.Format+" in "+b.Compression)
}

// chosen says why another backup than the newest was drilled, and what that is
// not good for.
func chosen(b verdict.Backup) string {
	if b.IsNewest() || b.Name == "" { // where none was found, the message says what was asked for
		return ""
	}
	how := b.Chosen
	if b.ChosenWhy != "" {
		how += ": " + b.ChosenWhy
	}
	return how + "; it opens no gate, and no later drill is compared with it"
}

func checksum(b verdict.Backup) string {
	switch b.Checksum {
	case "verified":
		if b.ChecksumBy != "" && b.ChecksumBy != "SHA-256" {
			return "verified by " + b.ChecksumBy
		}
	case "stored":
		return "as the store was given it, by its " + b.ChecksumBy
	case "none":
		return "compared with no sum" // there is none, or none that is read
	case "unpacked":
		return "verified by the unpacked file's sum"
	case "":
		return ""
	}
	return b.Checksum
}

// setApart says, for the first lines of a report, how the backup's code was not
// set apart as it should be; empty where it was.
func setApart(s verdict.Sandbox) string {
	if len(s.Reach) == 0 {
		return ""
	}
	return "Sandbox: " + clean(strings.Join(s.Reach, "; ")) + "."
}

func isolation(kind string) string {
	switch kind {
	case "enclosed":
		return "enclosed: it sees nothing of this machine"
	case "no_network":
		return "no network"
	case "no_listener":
		return "listens nowhere, on this machine's network"
	}
	return kind
}

func messages(r *verdict.Report) string {
	if m := r.Messages; m.Errors+m.Warnings+m.Notices > 0 {
		return fmt.Sprintf("%s, %s, %s", counted(m.Errors, "error"), counted(m.Warnings, "warning"),
			counted(m.Notices, "notice"))
	}
	return ""
}

// scrubbed says what the scrub did, in a sentence; empty if it did nothing.
func scrubbed(s verdict.Scrub) string {
	var parts []string
	if len(s.Columns) > 0 {
		parts = append(parts,
			fmt.Sprintf("%s in %s rewritten on the way in", counted(rewritten(s), "value"),
				counted(len(s.Columns), "column")))
	}
	kept := keptRows(s)
	if kept > 0 {
		parts = append(parts, counted(kept, "row")+" kept as they are")
	}
	if len(s.Preserve) > 0 {
		parts = append(parts, counted(len(s.Preserve), "column")+" let through on purpose")
	}
	if s.Stored {
		parts = append(parts, storedReal)
	}
	return strings.Join(parts, "; ")
}

const storedReal = "REAL VALUES WERE STORED in the sandbox before they were rewritten"

// rewritten is how many values the rules replaced.
func rewritten(s verdict.Scrub) (values int64) {
	for _, c := range s.Columns {
		values += c.Rows
	}
	return values
}

// keptRows are those that keep left as they are.
func keptRows(s verdict.Scrub) (rows int64) {
	for _, k := range s.Kept {
		rows += k.Rows
	}
	return rows
}

// heldNote says what is to be said of a table's rows.
func heldNote(t verdict.Table) string {
	switch {
	case t.Excluded:
		return "rows left out"
	case t.RowsPassed != t.RowsHeld:
		return "DIFFERS"
	}
	return ""
}
