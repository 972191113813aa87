package spec

import (
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"daybefore/internal/spec/calendar"
)

const (
	timeMark         = "{time}"
	zonedTolerance   = 6 * time.Hour
	unzonedTolerance = 26 * time.Hour // a header in an unknown zone may be off by so much

	// Beside a name that tells the day: its own hours are allowed anyhow, and
	// the dump of another day is to be told from this one's.
	zonedDayTolerance   = time.Hour
	unzonedDayTolerance = 14 * time.Hour // the zone that is furthest from UTC
)

func (c checker) source(raw *rawSource) Source {
	if raw == nil {
		return Source{}
	}
	c.named(raw)
	s := Source{
		Region:     c.filled(raw.Region, "source.region", "write the bucket's region, such as eu-central-1"),
		Endpoint:   c.endpoint(raw.Endpoint, "source.endpoint"),
		PathStyle:  raw.PathStyle.Value,
		Anonymous:  raw.Anonymous.Value,
		Name:       c.filled(raw.Name, "source.name", `write a pattern such as "shop-{time}.dump"`),
		Parts:      c.parts(raw),
		TimeLayout: raw.Time.Value,
		Location:   c.zone(raw.Timezone, "source.timezone"),
		Database:   c.filled(raw.Database, "source.database", "write the database's name or remove the key"),
		Checksum:   raw.Checksum.or("if_present"),
		Links:      raw.Links.or(LinksRefuse),
		MaxRatio:   raw.MaxRatio.or(DefaultMaxRatio),
		Decrypt:    c.decrypt(raw.Decrypt),
	}
	if raw.MaxRatio.given() && s.MaxRatio < 1 {
		c.refuse(raw.MaxRatio.at, "write 200, or what the backups need, or remove it",
			"source.max_ratio: nothing unpacks to %d times its size", s.MaxRatio)
	}
	s.TimeTolerance = c.positive(raw.TimeTolerance, "source.time_tolerance", toleranceFor(s))
	c.place(raw, &s)
	c.backupTime(raw)
	return s
}

// toleranceFor is how far a header's time may be from the name's where the
// drill file does not say it.
func toleranceFor(s Source) time.Duration {
	zoned := s.Location != nil
	days := s.Unit() >= calendar.Day
	switch {
	case zoned && days:
		return zonedDayTolerance
	case zoned:
		return zonedTolerance
	case days:
		return unzonedDayTolerance
	}
	return unzonedTolerance
}

// history is where past reports are kept besides reports/, and by what keys.
func (c checker) history(raw *rawHistory, source Source, scrub Scrub) History {
	if raw == nil {
		return History{}
	}
	return History{Source: c.folderOf(raw.URL, "history", "reports", source), KeyEnv: raw.KeyEnv.Value,
		Keys: c.reportKeys(raw.KeyEnv, scrub)}
}

// runbook is where the plan for a restore by hand goes besides reports/.
func (c checker) runbook(raw *rawRunbook, source Source) Runbook {
	if raw == nil {
		return Runbook{}
	}
	return Runbook{CopyTo: c.folderOf(raw.CopyTo, "runbook.copy_to", "runbooks", source)}
}

// folderOf is where files of a kind are written, which is no place of backups.
func (c checker) folderOf(t text, key, what string, source Source) Source {
	to := c.storeURL(t, key)
	if kind := kindOf(to); to != "" && kind != kindFile && kind != kindS3 {
		c.refuse(t.at, "write file:///dir/ or s3://bucket/prefix/", "%s: %s are not written to %s", key, what, kind)
	}
	if to != "" && strings.TrimSuffix(to, "/") == strings.TrimSuffix(source.URL, "/") {
		c.refuse(t.at, "give the "+what+" a folder of their own", "%s is in the folder of the backups", key)
	}
	return c.sameStore(to, source)
}

// HistoryAt is the store of past reports that a URL names on the command line. A
// relative folder begins at the working directory; a bucket is reached as the
// environment says. The error says what is wrong with the URL.
func HistoryAt(url string) (Source, error) {
	list := &mistakeList{}
	c := checker{mistakeList: list, folder: "."}
	raw := &rawHistory{}
	raw.URL.Value = url
	raw.URL.place(Pos{Line: 1, Column: 1})
	h := c.history(raw, Source{}, Scrub{})
	if len(list.mistakes) > 0 {
		m := list.mistakes[0]
		return Source{}, fmt.Errorf("%s; %s", m.Message, m.Hint)
	}
	return h.Source, nil
}

// keepReports is how many runs are kept; 0: all.
func (c checker) keepReports(raw *rawReports) int {
	if raw == nil {
		return 0
	}
	if raw.Keep.given() && raw.Keep.Value < 1 {
		c.refuse(raw.Keep.at, "write 1 or more, or leave reports out to keep all",
			"reports.keep: %d runs cannot be kept", raw.Keep.Value)
	}
	return int(min(raw.Keep.Value, math.MaxInt32))
}

// sameStore reaches another place as the backups' own is, where that is of the
// same kind.
func (c checker) sameStore(url string, source Source) Source {
	s := source.reach(url)
	s.NoKeys = kindOf(url) == kindS3 && kindOf(source.URL) != kindS3
	return s
}

// storeURL checks a store's URL and makes a folder's absolute. What was written
// is never repeated: it may hold a password.
func (c checker) storeURL(t text, key string) string {
	if !t.given() {
		return ""
	}
	hint := placeHint()
	u, err := url.Parse(t.Value)
	if barePath.MatchString(t.Value) {
		c.refuse(t.at, "write "+folderForm(t.Value), "%s is a path, not a URL", key)
		return ""
	}
	if err != nil || u.Scheme == "" {
		c.refuse(t.at, hint, "%s is not a URL", key)
		return ""
	}
	kind := kindOf(strings.ToLower(u.Scheme) + ":")
	user := u.User
	if _, secret := user.Password(); kind == kindSFTP && !secret {
		u.User = nil // a name alone is no secret
	}
	if c.tooMuch(t.at, u, key, queryHint(kind)) {
		return ""
	}
	u.User = user
	switch kind {
	case kindFile:
		return c.folderURL(t.at, u, key)
	case kindS3, kindGS:
		return c.bucketURL(t.at, u, key)
	case kindSFTP, kindWeb:
		return c.serverURL(t, u, key)
	}
	c.refuse(t.at, hint, "%s: %s is not a kind of store", key, shown(u.Scheme))
	return ""
}

// barePath is a folder's path where a URL is wanted. It begins as no password
// does, and holds nothing that a URL would set one apart by.
var barePath = regexp.MustCompile(`^(?:\.{0,2}/|\.\.?$)[\w./-]*$`)

// folderForm is the URL of a folder that was written as a path.
func folderForm(path string) string {
	path = strings.TrimSuffix(path, "/") + "/"
	if strings.HasPrefix(path, "/") {
		return "file://" + path
	}
	return "file:" + path
}

// queryHint says where that goes which was written as a URL's query.
func queryHint(kind string) string {
	if kind == kindWeb {
		return "give a presigned URL in the environment, and its variable as url_env"
	}
	return "settings such as region and endpoint are keys of source"
}

// tooMuch refuses what a URL must not hold: all of it at once.
func (c checker) tooMuch(at Pos, u *url.URL, key, hint string) bool {
	query := u.RawQuery != "" || u.ForceQuery || u.Fragment != ""
	if u.User != nil {
		c.refuse(at, "take them out, change them, and give them in the environment", "%s holds credentials", key)
	}
	if query {
		c.refuse(at, hint, "%s holds a query or a fragment", key)
	}
	return u.User != nil || query
}

// folderURL makes file:dir/ and file://./dir/ absolute against the drill
// file's folder, so that a drill file works on every clone.
func (c checker) folderURL(at Pos, u *url.URL, key string) string {
	path := u.Path
	switch {
	case u.Opaque != "":
		relative, err := url.PathUnescape(u.Opaque)
		if err != nil {
			c.refuse(at, "write a % as %25", "%s: the folder's name is not well escaped", key)
			return ""
		}
		path = filepath.Join(c.folder, relative)
	case u.Host == "." || u.Host == "..":
		path = filepath.Join(c.folder, u.Host, u.Path)
	case u.Host != "":
		c.refuse(at, "write file:///dir/ for a folder of this machine, file:dir/ for one beside the drill file",
			"%s: a folder's URL names no host", key)
		return ""
	case path == "":
		c.refuse(at, "write file:///dir/ or file:dir/", "%s names no folder", key)
		return ""
	}
	path, err := filepath.Abs(path)
	if err != nil || strings.Contains(path, "\x00") {
		c.refuse(at, "write file:///dir/", "%s: the folder cannot be told", key)
		return ""
	}
	return (&url.URL{Scheme: "file", Path: strings.TrimSuffix(filepath.ToSlash(path), "/") + "/"}).String()
}

func (c checker) bucketURL(at Pos, u *url.URL, key string) string {
	if u.Host == "" || u.Port() != "" {
		c.refuse(at, "write "+u.Scheme+"://bucket/prefix/; another server is named by endpoint", "%s names no bucket", key)
		return ""
	}
	return u.String()
}

func (c checker) endpoint(t text, key string) string {
	if !t.given() {
		return ""
	}
	u, err := url.Parse(t.Value)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.refuse(t.at, "write https://host:port", "%s is not a server's URL", key)
	case c.tooMuch(t.at, u, key, "write https://host:port"):
	default:
		return t.Value
	}
	return ""
}

// backupTime checks name, time and timezone against one another: the time of
// a backup must be known to the zone, or its age is a guess.
func (c checker) backupTime(raw *rawSource) {
	key := "source.name"
	if len(raw.Parts) > 0 { // each holds {time}: what follows is told of them too
		key = "source.parts"
		raw.Name.Value = timeMark
		raw.Name.at = raw.Parts[0].at
	}
	marks := strings.Count(raw.Name.Value, timeMark)
	if marks > 1 {
		c.refuse(raw.Name.at, "keep one and write * for the other", "source.name holds {time} %d times", marks)
	}
	if marks > 0 && !raw.Time.given() {
		c.refuse(raw.Name.at, "add time: 20060102T150405Z, as 2006-01-02 15:04:05 would be written",
			"%s holds {time}, but source.time does not say how it is written", key)
	}
	if marks == 0 && raw.Time.given() && raw.Name.given() {
		c.refuse(raw.Time.at, "write {time} where name has the time, or remove time",
			"source.time: source.name has no {time}")
	}
	if raw.Time.given() {
		if fault := checkLayout(raw.Time.Value); fault != nil {
			c.refuseUnplaced(raw.Time.at, "source.time", fault)
		}
	}
	if raw.Name.given() && !raw.Timezone.given() {
		c.zoneMissing(raw, marks > 0)
	}
}

// zoneMissing tells what the zone is missed for, if it is.
func (c checker) zoneMissing(raw *rawSource, timed bool) {
	const hint = "add timezone: the zone of the machine that writes the backups, such as Europe/Berlin or UTC"
	switch {
	// of which the layout's own mistake tells
	case raw.Time.given() && (calendar.TellsZone(raw.Time.Value) || calendar.Abbreviates(raw.Time.Value)):
	case !raw.Time.given() && timed:
		c.refuse(raw.at, hint, "source.timezone is missing: it is needed unless source.time writes the zone")
	case raw.Time.given():
		c.refuse(raw.Time.at, hint, "source.timezone is missing: {time} has no zone")
	default:
		c.refuse(raw.at, hint, "source.timezone is missing: an archive's header tells its time without a zone")
	}
}

// checkLayout wants a layout that gives back the month it was given, and as
// much of the day and its hour as it writes.
func checkLayout(layout string) *unplaced {
	const hint = "write how 2006-01-02 15:04:05 would stand in the name, such as 20060102T150405Z"
	if calendar.Abbreviates(layout) {
		return unplacedf("write -0700 for the zone, or leave it out and say timezone",
			"%s holds a zone's abbreviation, which does not tell its offset", shown(layout))
	}
	read, err := time.ParseInLocation(layout, calendar.Written(layout, "ABC", 0), time.UTC)
	if err != nil {
		return unplacedf(hint, "%s cannot be read back", shown(layout))
	}
	monthly := calendar.LayoutUnit(layout) == calendar.Month
	if y, m, d := read.Date(); y != 2031 || m != time.November || d != 23 && !(monthly && d == 1) {
		return unplacedf(hint, "%s does not tell year, month and day", shown(layout))
	}
	switch read.Hour() {
	case 17:
	case 5:
		return unplacedf("write 15 for the hour of 24, or 03 with PM", "%s does not tell morning from afternoon",
			shown(layout))
	default:
		if read.Hour() != 0 || read.Minute() != 0 || read.Second() != 0 {
			return unplacedf(hint, "%s does not tell the hour", shown(layout))
		}
	}
	return nil
}

// imageName is what an image may be called, a registry before and a tag or
// digest after it included. Without a letter before the tag it would be a
// bare number, which is a version that lacks its image.
var imageName = regexp.MustCompile(`^[0-9._:/-]*[A-Za-z][A-Za-z0-9._:/-]*(@[A-Za-z0-9:]+)?$`)

func (c checker) sandbox(raw *rawSandbox) Sandbox {
	if raw == nil {
		return Sandbox{Kind: "auto", Isolation: "enclosed"}
	}
	const leastMemory = 64 << 20
	if raw.Memory.given() && raw.Memory.Value < leastMemory {
		c.refuse(raw.Memory.at, "write 64MiB or more", "sandbox.memory: no server runs in %d bytes", raw.Memory.Value)
	}
	const leastDisk = 256 << 20
	if raw.Disk.given() && raw.Disk.Value < leastDisk {
		c.refuse(raw.Disk.at, "write 256MiB or more", "sandbox.disk: %d bytes are less than a server alone takes",
			raw.Disk.Value)
	}
	if raw.Kind.Value == "local" && raw.Image.given() {
		c.refuse(raw.Image.at, "remove it, or say kind: container",
			"sandbox.image is for containers, and kind is local")
	}
	const hint = "write an image such as postgres:17, or remove the key"
	if raw.Image.given() && strings.TrimSpace(raw.Image.Value) != "" && !imageName.MatchString(raw.Image.Value) {
		c.refuse(raw.Image.at, hint, "sandbox.image: %s is not an image's name", shown(raw.Image.Value))
	}
	return Sandbox{
		Kind:      raw.Kind.or("auto"),
		Image:     c.filled(raw.Image, "sandbox.image", hint),
		Memory:    raw.Memory.Value,
		Disk:      raw.Disk.Value,
		Isolation: raw.Isolation.or("enclosed"),
		Preload:   c.preload(raw.Preload),
	}
}

// libraryName is a library of the server's own folder: a path could lead into
// what a backup brought along.
var libraryName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

func (c checker) preload(raw []text) (libraries []string) {
	seen := unique[string]{}
	for _, t := range raw {
		seen.check(c, t, t.Value, "sandbox.preload", "say it once")
		if t.given() && !libraryName.MatchString(t.Value) {
			c.refuse(t.at, "write a name such as pg_stat_statements",
				"sandbox.preload: %s is not the name of a library", shown(t.Value))
		}
		libraries = append(libraries, t.Value)
	}
	return libraries
}

func (c checker) restore(raw *rawRestore) Restore {
	if raw == nil {
		return Restore{Roles: "create", Extensions: "require"}
	}
	return Restore{
		Jobs:       c.jobs(raw.Jobs),
		Roles:      raw.Roles.or("create"),
		Extensions: raw.Extensions.or("require"),
		Into:       c.into(raw.Into),
	}
}

func (c checker) jobs(t text) int {
	if !t.given() || t.Value == "auto" {
		return 0
	}
	const most = 1024
	n, err := strconv.Atoi(t.Value)
	if err != nil || n < 1 || n > most {
		c.refuse(t.at, "write auto, or how many workers, such as 4", "restore.jobs: %s is not a number of workers",
			shown(t.Value))
	}
	return n
}

// Unit is the finest part that the backups' names tell: calendar.Second where they tell
// no time.
func (s Source) Unit() calendar.Unit {
	if s.TimeLayout == "" {
		return calendar.Second
	}
	return calendar.LayoutUnit(s.TimeLayout)
}
