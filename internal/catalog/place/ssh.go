package place

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 30 * time.Second
)

// sshRoute is how a server is reached and who asks.
type sshRoute struct {
	way        []sshServer
	password   string
	passphrase string        // of the key file
	patience   time.Duration // how long a silent server, or agent, is waited for
}

// connect dials all servers of the way, each through the one before. closers
// end them, the last one first. Errors that another try does not fix are
// Problems.
func (r sshRoute) connect(ctx context.Context, doing string) (last *ssh.Client, closers []func() error, err error) {
	defer func() {
		if err != nil {
			closeAll(closers)
		}
	}()
	dial := (&net.Dialer{}).DialContext
	for i, server := range r.way {
		limit, cancel := context.WithTimeout(ctx, dialTimeout) // a server between may never answer
		conn, err := dial(limit, "tcp", server.address())
		cancel()
		if err != nil {
			return nil, closers, fmt.Errorf("%s: %w", doing, err)
		}
		password := ""
		if i == len(r.way)-1 {
			password = r.password
		}
		last, err = r.handshake(ctx, doing, conn, server, password)
		if err != nil {
			return nil, append([]func() error{conn.Close}, closers...), err
		}
		closers = append([]func() error{last.Close}, closers...)
		dial = last.DialContext
	}
	return last, closers, nil
}

func closeAll(closers []func() error) {
	for _, c := range closers {
		_ = c() // what was only read is closed
	}
}

// limited ends a connection once ctx ends or the time is up, since who is silent
// at its other end may stay so. done is called once and stops watching; it
// reports whether the time was up.
func limited(ctx context.Context, patience time.Duration, end func() error) (done func() (late bool)) {
	stop := context.AfterFunc(ctx, func() { _ = end() })
	timer := time.AfterFunc(patience, func() { _ = end() })
	return func() bool {
		stop()
		return !timer.Stop()
	}
}

// handshake proves to one another who both are.
func (r sshRoute) handshake(ctx context.Context, doing string, conn net.Conn, server sshServer,
	password string) (*ssh.Client, error) {
	known, err := server.known(doing)
	if err != nil {
		return nil, err
	}
	auth, tried, done, err := r.auth(ctx, doing, server, password)
	if err != nil {
		return nil, err
	}
	var refused error // by us
	config := &ssh.ClientConfig{
		User: server.user, Auth: auth, HostKeyAlgorithms: known.algorithms(server.address()),
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			refused = known.judge(doing, server, key, known.check(host, remote, key))
			return refused
		},
	}
	watched := limited(ctx, r.patience, conn.Close) // a tunnel knows no deadline
	c, channels, requests, err := ssh.NewClientConn(conn, server.address(), config)
	late := watched()
	agentLate := done()
	if err == nil {
		return ssh.NewClient(c, channels, requests), nil
	}
	switch {
	case refused != nil:
		return nil, refused
	case agentLate:
		return nil, fmt.Errorf("%s: the SSH agent does not answer within %s: does it wait for a person? %w",
			doing, r.patience, err)
	case late:
		return nil, fmt.Errorf("%s: the SSH server does not let %s in within %s: %w", doing, server.user, r.patience, err)
	case strings.Contains(err.Error(), "unable to authenticate"), strings.Contains(err.Error(), "Too many auth"):
		return nil, verdict.Errorf(verdict.CodeCredentialsRefused,
			"let the server know one of these keys, or name another by source.key_file or a password by source.password_env",
			"%s: the server does not let %s in with %s", doing, server.user, tried)
	}
	return nil, fmt.Errorf("%s: %w", doing, err)
}

// auth is what the user is proven by, the surest first, and what that is for
// people. done ends what it rests on, and is agentKeys'.
func (r sshRoute) auth(ctx context.Context, doing string, server sshServer, password string) (
	methods []ssh.AuthMethod, tried string, done func() (late bool), err error) {
	signers, names, err := r.fileKeys(doing, server)
	if err != nil {
		return nil, "", nil, err
	}
	held, done := agentKeys(ctx, r.patience)
	if !server.declared && len(held) > 0 {
		signers = append(signers, held...)
		names = append(names, verdict.Count(len(held), "key")+" of the agent")
	}
	if len(signers) > 0 {
		methods = append(methods, ssh.PublicKeys(signers...))
	}
	if password != "" {
		names = append(names, "the password")
		methods = append(methods, ssh.Password(password), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, _ []bool) ([]string, error) {
				return slices.Repeat([]string{password}, len(questions)), nil
			}))
	}
	if len(methods) == 0 {
		done()
		return nil, "", nil, verdict.Errorf(verdict.CodeCredentialsMissing,
			"name a key by source.key_file or in ~/.ssh/config, start an agent, or name a password by source.password_env",
			"%s: there is no key and no password", doing)
	}
	return methods, strings.Join(names, ", "), done, nil
}

// fileKeys reads private keys. Those that nobody declared may be missing, or
// under a passphrase that only an agent knows.
func (r sshRoute) fileKeys(doing string, server sshServer) (signers []ssh.Signer, names []string, err error) {
	for _, path := range server.keys {
		text, err := os.ReadFile(path)
		if err != nil && server.declared {
			return nil, nil, verdict.Errorf(verdict.CodeCredentialsMissing, "correct source.key_file", "%s: %w", doing, err)
		}
		if err != nil {
			continue
		}
		key, err := ssh.ParsePrivateKey(text)
		_, locked := errors.AsType[*ssh.PassphraseMissingError](err)
		if locked && r.passphrase != "" {
			key, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(r.passphrase))
		}
		switch {
		case err == nil:
			signers = append(signers, key)
			names = append(names, path)
		case server.declared && locked:
			return nil, nil, verdict.Errorf(verdict.CodeCredentialsMissing, "name its passphrase by "+
				"source.key_passphrase_env, or let an agent hold the key", "%s: %s is under a passphrase, and none opens it",
				doing, path)
		case server.declared:
			return nil, nil, verdict.Errorf(verdict.CodeCredentialsMissing, "name the private key, not the .pub beside it",
				"%s: %s holds no private key that can be read", doing, path)
		}
	}
	return signers, names, nil
}

// agentKeys are those of the agent that the environment names, which is given the
// time once, to tell and to use them. done is called once and ends the connection
// to it; it reports whether the time was up.
func agentKeys(ctx context.Context, patience time.Duration) (keys []ssh.Signer, done func() (late bool)) {
	conn, err := net.DialTimeout("unix", os.Getenv("SSH_AUTH_SOCK"), dialTimeout)
	if err != nil {
		return nil, func() bool { return false }
	}
	watched := limited(ctx, patience, conn.Close)
	keys, _ = agent.NewClient(conn).Signers() // one that does not answer holds none
	return keys, func() bool {
		late := watched()
		conn.Close()
		return late
	}
}

// knownHosts are the public keys of servers.
type knownHosts struct {
	files []string
	check ssh.HostKeyCallback
}

// known reads the files that are there.
func (t sshServer) known(doing string) (knownHosts, error) {
	var k knownHosts
	for _, path := range t.knownHosts {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			k.files = append(k.files, path)
		}
	}
	var err error
	k.check, err = knownhosts.New(k.files...)
	if err != nil {
		return k, verdict.Errorf(verdict.CodeSpec, "correct the file, or name another by source.known_hosts",
			"%s: the servers' public keys cannot be read: %w", doing, err)
	}
	return k, nil
}

// noKey is a key that no server has: asked about it, the files tell which they
// know.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return nil }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

// algorithms are those of the keys that are known of a server; nil, which is
// any, where none is. A server that has several keys is asked for one of these.
func (k knownHosts) algorithms(address string) []string {
	var unknown *knownhosts.KeyError
	if !errors.As(k.check(address, &net.TCPAddr{IP: net.IPv4zero}, noKey{}), &unknown) {
		return nil
	}
	var all []string
	for _, known := range unknown.Want {
		kinds := []string{known.Key.Type()}
		if kinds[0] == ssh.KeyAlgoRSA {
			kinds = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, kind := range kinds {
			if !slices.Contains(all, kind) {
				all = append(all, kind)
			}
		}
	}
	return all
}

// judge says what it means that a server's key is not the one that is known.
func (k knownHosts) judge(doing string, server sshServer, key ssh.PublicKey, err error) error {
	if err == nil {
		return nil
	}
	name := knownhosts.Normalize(server.address())
	shown := fmt.Sprintf("%s %s", key.Type(), ssh.FingerprintSHA256(key))
	var other *knownhosts.KeyError
	switch {
	case errors.As(err, &other) && len(other.Want) == 0:
		in := "no file of known hosts is there"
		if len(k.files) > 0 {
			in = "it stands in none of " + strings.Join(k.files, ", ")
		}
		return verdict.Errorf(verdict.CodeHostKey,
			fmt.Sprintf("compare the fingerprint with one that the server's owner tells, "+
				"then add the key: ssh-keyscan %s, or name a file that has it by source.known_hosts", scanned(server)),
			"%s: the server %s is not known: its key is %s, and %s", doing, name, shown, in)
	case errors.As(err, &other):
		known := other.Want[0]
		return verdict.Errorf(verdict.CodeHostKey,
			"somebody may stand between: ask the server's owner whether it has a new key "+
				"with this fingerprint, and only then remove the old one: ssh-keygen -R "+name,
			"%s: the server %s has another key than before: it sent %s, and %s:%d knows %s", doing, name, shown,
			known.Filename, known.Line, ssh.FingerprintSHA256(known.Key))
	}
	return verdict.Errorf(verdict.CodeHostKey, "ask the server's owner for its key of today",
		"%s: the key of the server %s, %s, is refused: %w", doing, name, shown, err)
}

// scanned are the arguments by which ssh-keyscan finds a server.
func scanned(server sshServer) string {
	if server.port == "22" {
		return server.host
	}
	return "-p " + server.port + " " + server.host
}

// sshSecrets reads what the source names of the environment.
func sshSecrets(src spec.Source) (password, passphrase string, err error) {
	for _, s := range []struct {
		name, key string
		into      *string
	}{{src.PasswordEnv, "source.password_env", &password}, {src.KeyPassphraseEnv, "source.key_passphrase_env",
		&passphrase}} {
		if s.name == "" {
			continue
		}
		*s.into = os.Getenv(s.name)
		if *s.into == "" {
			return "", "", verdict.Errorf(verdict.CodeCredentialsMissing, "set it, or remove "+s.key,
				"open the store: the environment variable %s, which %s names, is not set", s.name, s.key)
		}
	}
	return password, passphrase, nil
}
