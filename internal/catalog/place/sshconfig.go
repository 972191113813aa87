package place

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/kevinburke/ssh_config"

	"daybefore/internal/spec"
)

// sshServer is a server as ssh would reach it: what the URL says, and after it
// what the user's and the machine's configuration say.
type sshServer struct {
	host, port, user string
	keys             []string // files of private keys
	declared         bool     // the drill file names the key
	knownHosts       []string // files of the servers' public keys
	jumps            string   // servers on the way, as [user@]host[:port], separated by commas
	command          bool     // the way leads through a program
}

func (t sshServer) address() string { return net.JoinHostPort(t.host, t.port) }

// sshSettings are files as ~/.ssh/config, the one that counts first.
type sshSettings []*ssh_config.Config

// readSettings reads those of the user and of the machine. One that cannot be
// read is an error, since the server may be reached by it only.
func readSettings(home string) (sshSettings, error) {
	var all sshSettings
	for _, name := range []string{filepath.Join(home, ".ssh", "config"), "/etc/ssh/ssh_config"} {
		b, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c, err := ssh_config.DecodeBytes(b)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", name, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// get is a setting of a host; "" where none is made.
func (all sshSettings) get(host, key string) string {
	for _, c := range all {
		if value, err := c.Get(host, key); err == nil && value != "" {
			return value
		}
	}
	return ""
}

// list is a setting that may be made several times, or hold several words.
func (all sshSettings) list(host, key string) []string {
	for _, c := range all {
		if values, err := c.GetAll(host, key); err == nil && len(values) > 0 {
			return values
		}
	}
	return nil
}

// usualKeys are the private keys that ssh looks for by itself.
var usualKeys = []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}

// usualHosts are where ssh looks for the public keys of servers.
var usualHosts = []string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts"}

// server is the server that a URL names, or a jump does.
func (all sshSettings) server(u *url.URL, src spec.Source, home string) sshServer {
	alias := u.Hostname()
	t := sshServer{
		host:     cmp.Or(strings.ReplaceAll(all.get(alias, "HostName"), "%h", alias), alias),
		port:     cmp.Or(u.Port(), all.get(alias, "Port"), "22"),
		user:     cmp.Or(u.User.Username(), all.get(alias, "User"), login()),
		declared: src.KeyFile != "",
		jumps:    without(all.get(alias, "ProxyJump"), "none"),
		command:  without(all.get(alias, "ProxyCommand"), "none") != "",
	}
	keys := all.list(alias, "IdentityFile")
	hosts := strings.Fields(strings.Join(all.list(alias, "UserKnownHostsFile"), " "))
	switch {
	case t.declared:
		keys = []string{src.KeyFile}
	case len(keys) == 0:
		keys = usualKeys
	}
	switch {
	case src.KnownHosts != "":
		hosts = []string{src.KnownHosts}
	case len(hosts) == 0:
		hosts = usualHosts
	default:
		hosts = append(hosts, usualHosts[len(usualHosts)-1])
	}
	t.keys = t.paths(keys, home)
	t.knownHosts = t.paths(hosts, home)
	return t
}

func without(value, none string) string {
	if strings.EqualFold(value, none) {
		return ""
	}
	return value
}

// paths are files as the configuration names them.
func (t sshServer) paths(names []string, home string) []string {
	tokens := strings.NewReplacer("%d", home, "%h", t.host, "%r", t.user, "%u", login(), "%%", "%")
	var all []string
	for _, name := range names {
		name = tokens.Replace(strings.Trim(name, `"`))
		if rest, ok := strings.CutPrefix(name, "~/"); ok {
			name = filepath.Join(home, rest)
		}
		all = append(all, name)
	}
	return all
}

// route are the servers from the first one on the way to the last.
func (all sshSettings) route(u *url.URL, src spec.Source, home string) ([]sshServer, error) {
	const mostJumps = 8
	last := all.server(u, src, home)
	var way []sshServer
	for _, jump := range strings.Split(last.jumps, ",") {
		jump = strings.TrimSpace(jump)
		if jump == "" {
			continue
		}
		j, err := url.Parse("ssh://" + strings.TrimPrefix(jump, "ssh://"))
		if err != nil || j.Hostname() == "" || len(way) == mostJumps {
			return nil, fmt.Errorf("ProxyJump %q of the SSH configuration cannot be followed", jump)
		}
		way = append(way, all.server(j, spec.Source{KnownHosts: src.KnownHosts}, home))
	}
	return append(way, last), nil
}

func login() string {
	u, err := user.Current()
	if err != nil {
		return os.Getenv("USER")
	}
	return u.Username
}
