package spec

import (
	"net"
	"net/url"
	"path"
	"slices"
	"strings"

	"daybefore/internal/spec/guess"
)

// Kinds of places, as URLs begin.
const (
	kindFile = "file"
	kindS3   = "s3"
	kindGS   = "gs"
	kindSFTP = "sftp"
	kindWeb  = "https"
	kindExec = "exec"
)

// Presets of source.exec.
const (
	PresetRestic = "restic"
	PresetBorg   = "borg"
	PresetRclone = "rclone"
)

// Exec is a place that a program reaches: a preset, or List and Fetch.
type Exec struct {
	Preset      string
	Repository  string // of the preset; empty: as the environment says
	File        string // restic, borg: the backup's path in a snapshot
	Args        []string
	List, Fetch []string
	Env         []string // names of variables
}

// PresetName is source.name where restic and borg keep the backups: their
// snapshots have a time, and a name or id after it.
const (
	presetName   = "{time}_*"
	presetLayout = "20060102T150405Z"
)

// places are the kinds of places: what their URLs look like, and whose they are.
var places = []struct{ kind, such, owner string }{
	{kindFile, "file:///dir/", "a folder's"},
	{kindS3, "s3://bucket/prefix/", "an S3 bucket's"},
	{kindGS, "gs://bucket/prefix/", "a Google bucket's"},
	{kindSFTP, "sftp://user@host/dir/", "an SFTP server's"},
	{kindWeb, "https://host/dir/", "a web server's"},
}

// keysFor are keys that say how a place is reached, by the kinds they are for.
var keysFor = map[string][]string{
	"region": {kindS3}, "endpoint": {kindS3, kindGS}, "path_style": {kindS3}, "profile": {kindS3},
	"anonymous": {kindS3, kindGS}, "listing": {kindWeb}, "insecure": {kindWeb}, "token_env": {kindWeb},
	"user": {kindWeb}, "password_env": {kindWeb, kindSFTP}, "key_file": {kindSFTP}, "key_passphrase_env": {kindSFTP},
	"known_hosts": {kindSFTP},
}

// placeHint shows how the URL of each kind of place is written.
func placeHint() string {
	var such []string
	for _, p := range places {
		such = append(such, p.such)
	}
	return "write " + guess.Alternatives(such)
}

// kindOf is the kind of place that a URL names; "" where there is none.
func kindOf(store string) string {
	scheme, _, _ := strings.Cut(store, ":")
	if scheme == "http" {
		return kindWeb
	}
	return scheme
}

// ownerOf says whose a URL of a kind is.
func ownerOf(kind string) string {
	for _, p := range places {
		if p.kind == kind {
			return p.owner
		}
	}
	return ""
}

// onlyFor refuses keys that would not act on a place of this kind.
func (c checker) onlyFor(section, kind string, keys map[string]Pos) {
	for key, at := range keys {
		may := keysFor[key]
		if at.Line == 0 || kind == "" || slices.Contains(may, kind) {
			continue
		}
		if kind == kindExec {
			c.refuse(at, "remove it", "%s.%s is for %s, and exec runs a program", section, key, strings.Join(may, " and "))
			continue
		}
		c.refuse(at, "remove it", "%s.%s is for %s, and the url is %s", section, key, strings.Join(may, " and "),
			ownerOf(kind))
	}
}

// place says where the backups lie and how that is reached.
func (c checker) place(raw *rawSource, s *Source) {
	kind := c.placeKind(raw, s)
	s.Listing = c.filled(raw.Listing, "source.listing", "name the file that lists the backups, such as backups.txt")
	s.User = c.filled(raw.User, "source.user", "write the user's name, or remove it")
	s.KeyFile = c.filled(raw.KeyFile, "source.key_file", "write the private key's path, or remove it")
	s.KnownHosts = c.filled(raw.KnownHosts, "source.known_hosts", "write the file's path, or remove it")
	s.TokenEnv = c.credential(raw.TokenEnv, "source.token_env")
	s.PasswordEnv = c.credential(raw.PasswordEnv, "source.password_env")
	s.KeyPassphraseEnv = c.credential(raw.KeyPassphraseEnv, "source.key_passphrase_env")
	s.Insecure = raw.Insecure.Value
	c.onlyFor("source", kind, map[string]Pos{"region": raw.Region.at, "endpoint": raw.Endpoint.at,
		"path_style": raw.PathStyle.at, "anonymous": raw.Anonymous.at, "listing": raw.Listing.at,
		"insecure": raw.Insecure.at, "token_env": raw.TokenEnv.at, "user": raw.User.at,
		"password_env": raw.PasswordEnv.at, "key_file": raw.KeyFile.at, "known_hosts": raw.KnownHosts.at,
		"key_passphrase_env": raw.KeyPassphraseEnv.at})
	if kind != kindWeb {
		return
	}
	if raw.TokenEnv.given() && (raw.User.given() || raw.PasswordEnv.given()) {
		c.refuse(raw.TokenEnv.at, "keep what the server asks for", "source holds a token and a password")
	}
	if raw.User.given() != raw.PasswordEnv.given() {
		c.refuse(raw.at, "write both, or neither", "source.user and source.password_env belong together")
	}
	c.encrypted(raw.URL, s.URL, s.Insecure)
	if raw.Listing.given() && (s.URL == "" || !strings.HasSuffix(s.URL, "/")) {
		c.refuse(raw.Listing.at, "let url end in a slash, or remove it", "source.listing is for a folder of a web server")
	}
}

// placeKind reads what names the place: one of url, url_env and exec.
func (c checker) placeKind(raw *rawSource, s *Source) string {
	named := 0
	for _, given := range []bool{raw.URL.given(), raw.URLEnv.given(), raw.Exec != nil} {
		if given {
			named++
		}
	}
	switch {
	case named == 0:
		c.refuse(raw.at, placeHint(), "source.url is missing")
		return ""
	case named > 1:
		c.refuse(raw.at, "keep one of them", "source holds more than one of url, url_env and exec")
		return ""
	case raw.Exec != nil:
		s.Exec = c.exec(raw.Exec)
		return kindExec
	case raw.URLEnv.given():
		s.URLEnv = c.credential(raw.URLEnv, "source.url_env")
		return kindWeb
	}
	s.URL = c.storeURL(raw.URL, "source.url")
	return kindOf(s.URL)
}

// credential is the name of an environment variable that the place reads when
// it is opened.
func (c checker) credential(name text, key string) string {
	if !name.given() || !c.variable(name, key, "DRILL_STORE_TOKEN") {
		return ""
	}
	return name.Value
}

// named gives a source without a name that of the backups, where the place
// leaves no choice: one file, or the snapshots of a preset.
func (c checker) named(raw *rawSource) {
	if raw.Name.given() || len(raw.Parts) > 0 {
		return
	}
	switch {
	case raw.Exec != nil && slices.Contains([]string{PresetRestic, PresetBorg}, raw.Exec.Preset.Value):
		raw.Name.Value = presetName
		raw.Name.at = raw.Exec.at
		if !raw.Time.given() {
			raw.Time.Value = presetLayout
			raw.Time.at = raw.Exec.at
		}
	case raw.URLEnv.given():
		raw.Name.Value = "*"
		raw.Name.at = raw.URLEnv.at
	case kindOf(raw.URL.Value) == kindWeb && !strings.HasSuffix(raw.URL.Value, "/"):
		raw.Name.Value = "*"
		raw.Name.at = raw.URL.at
	default:
		c.refuse(raw.at, `write a pattern such as "shop-{time}.dump"`, "source.name is missing")
	}
}

func (c checker) exec(raw *rawExec) *Exec {
	const key = "source.exec"
	e := &Exec{
		Preset:     raw.Preset.Value,
		Repository: c.filled(raw.Repository, key+".repository", "write the repository, or remove it"),
		File:       c.filled(raw.File, key+".file", "write the backup's path in a snapshot, such as shop.dump"),
		Args:       values(raw.Args),
		List:       values(raw.List),
		Fetch:      values(raw.Fetch),
	}
	for _, name := range raw.Env {
		e.Env = append(e.Env, c.credential(name, key+".env"))
	}
	if !raw.Preset.given() {
		c.plainExec(raw, e)
		return e
	}
	if len(raw.List)+len(raw.Fetch) > 0 {
		c.refuse(raw.at, "keep preset, or list and fetch", "%s: a preset lists and fetches by itself", key)
	}
	if e.Preset == PresetRclone && !raw.Repository.given() {
		c.refuse(raw.at, "add repository: remote:path", "%s.repository is missing: rclone is not told where", key)
	}
	if e.Preset != PresetRclone && !raw.File.given() {
		c.refuse(raw.at, "add file: the backup's path in a snapshot, such as shop.dump", "%s.file is missing", key)
	}
	if e.Preset == PresetRclone && raw.File.given() {
		c.refuse(raw.File.at, "remove it, and write source.name", "%s.file is for restic and borg", key)
	}
	return e
}

// plainExec is a program of which nothing is known.
func (c checker) plainExec(raw *rawExec, e *Exec) {
	const key = "source.exec"
	if len(e.List) == 0 || e.List[0] == "" {
		c.refuse(raw.at, "write list: [program, argument, …]", "%s.list is missing", key)
	}
	if len(e.Fetch) == 0 || e.Fetch[0] == "" {
		c.refuse(raw.at, `write fetch: [program, argument, "{name}"]`, "%s.fetch is missing", key)
	} else if !slices.ContainsFunc(e.Fetch, func(s string) bool { return strings.Contains(s, "{name}") }) {
		c.refuse(raw.Fetch[0].at, `add "{name}" where the program takes the backup's name`,
			"%s.fetch fetches the same whatever is chosen", key)
	} else if strings.Contains(e.Fetch[0], "{name}") {
		c.refuse(raw.Fetch[0].at, `write the program first, and "{name}" behind it`,
			"%s.fetch would run the program that a backup is called", key)
	}
	if raw.Repository.given() || raw.File.given() || len(raw.Args) > 0 {
		c.refuse(raw.at, "write them into list and fetch, or name a preset",
			"%s: repository, file and args are for a preset", key)
	}
}

func values(list []text) []string {
	var all []string
	for _, t := range list {
		all = append(all, t.Value)
	}
	return all
}

// serverURL checks the URL of a place that a host holds.
func (c checker) serverURL(t text, u *url.URL, key string) string {
	if u.Host == "" {
		c.refuse(t.at, placeHint(), "%s names no host", key)
		return ""
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

// encrypted refuses to ask another machine in plain text.
func (c checker) encrypted(t text, store string, insecure bool) {
	u, err := url.Parse(store)
	if err != nil || u.Scheme != "http" || insecure || Loopback(u.Hostname()) {
		return
	}
	c.refuse(t.at, "write https://, or insecure: true where that is wanted",
		"%s: http lets anybody on the way read the backups and put others in their place", "source.url")
}

// Loopback reports whether a host is this machine, whoever asks.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameServer reports whether what reaches one place may reach another: a
// password is for nobody but whom it was given for.
func sameServer(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Scheme == y.Scheme && x.Host == y.Host && x.User.Username() == y.User.Username()
}

// reach is a place at a URL, reached as the source is as far as it may be.
func (s Source) reach(store string) Source {
	r := Source{URL: store, Links: s.Links}
	if kindOf(store) != kindOf(s.URL) {
		return r
	}
	r.Region = s.Region
	r.Endpoint = s.Endpoint
	r.PathStyle = s.PathStyle
	r.Anonymous = s.Anonymous && kindOf(store) == kindGS
	if sameServer(s.URL, store) {
		r.User = s.User
		r.PasswordEnv = s.PasswordEnv
		r.TokenEnv = s.TokenEnv
		r.KeyFile = s.KeyFile
		r.KeyPassphraseEnv = s.KeyPassphraseEnv
		r.KnownHosts = s.KnownHosts
		r.Insecure = s.Insecure
	}
	return r
}

// isFile reports whether a URL names one file, of a place of this kind.
func isFile(store string) bool {
	u, err := url.Parse(store)
	if err != nil || strings.HasSuffix(store, "/") {
		return false
	}
	return path.Base(u.Path) != "/" && path.Base(u.Path) != "."
}
