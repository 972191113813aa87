package place

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

var errUser = errors.New("the user stopped it")

func newKey(t *testing.T) (ed25519.PrivateKey, ssh.Signer) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, signer
}

// listen serves each connection that comes, on a socket of this machine.
func listen(t *testing.T, network, address string, serve func(net.Conn)) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			go serve(conn)
		}
	}()
	return l.Addr()
}

// muteSFTP lets anybody in who signs or knows the password, accepts the
// subsystem, and never says a word. asked runs once it was asked for it.
func muteSFTP(t *testing.T, asked func()) *SFTP {
	t.Helper()
	_, host := newKey(t)
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil },
		PasswordCallback:  func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, nil },
	}
	config.AddHostKey(host)
	addr := listen(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		_, channels, requests, err := ssh.NewServerConn(conn, config)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for c := range channels {
			_, questions, err := c.Accept()
			if err != nil {
				return
			}
			for q := range questions {
				_ = q.Reply(true, nil)
				asked()
			}
		}
	})
	known := filepath.Join(t.TempDir(), "known")
	line := knownhosts.Line([]string{addr.String()}, host.PublicKey())
	if err := os.WriteFile(known, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", t.TempDir())
	u := &url.URL{Scheme: "sftp", User: url.User("me"), Host: addr.String(), Path: "/d/"}
	s, err := OpenSFTP(spec.Source{KnownHosts: known}, u)
	if err != nil {
		t.Fatal(err)
	}
	s.retry = retry{tries: 1}
	return s
}

// listed is the error of a list, which must come: whoever waits for it in vain
// is told so.
func listed(t *testing.T, ctx context.Context, s *SFTP) error {
	t.Helper()
	got := make(chan error, 1)
	go func() {
		for _, err := range s.List(ctx, "", false) {
			got <- err
			return
		}
		got <- nil
	}()
	select {
	case err := <-got:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the list does not end")
		return nil
	}
}

// A server that lets the user in and then is silent is left when the drill ends,
// or after a while.
func TestAnSFTPServerThatIsSilent(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("DRILL_PASSWORD", "hunter2-hunter2")
	ctx, stop := context.WithCancelCause(t.Context())
	s := muteSFTP(t, func() { stop(errUser) })
	s.route.password = "hunter2-hunter2"
	if err := listed(t, ctx, s); !errors.Is(err, errUser) {
		t.Errorf("stopped: %v", err)
	}
	s.route.patience = time.Second
	err := listed(t, t.Context(), s)
	if p := verdict.AsProblem(err); err == nil || p.Code != verdict.CodeStoreUnreachable ||
		!strings.Contains(err.Error(), "lets the user in and then says nothing for 1s") {
		t.Errorf("silent: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// muteSigner is an agent that tells its keys and never signs.
type muteSigner struct {
	agent.Agent
	asked func()
	end   <-chan struct{}
}

func (m muteSigner) Sign(ssh.PublicKey, []byte) (*ssh.Signature, error) {
	m.asked()
	<-m.end
	return nil, errors.New("ended")
}

// An agent that does not answer, or waits for a touch that nobody gives, holds
// nobody up.
func TestAnAgentThatIsSilent(t *testing.T) {
	key, _ := newKey(t)
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	var asked func()
	for name, serve := range map[string]func(net.Conn){
		"it tells no keys": func(net.Conn) { asked() },
		"it does not sign": func(conn net.Conn) {
			_ = agent.ServeAgent(muteSigner{ring, func() { asked() }, t.Context().Done()}, conn)
		},
	} {
		t.Setenv("SSH_AUTH_SOCK", listen(t, "unix", filepath.Join(t.TempDir(), "a"), serve).String())
		ctx, stop := context.WithCancelCause(t.Context())
		asked = func() { stop(errUser) }
		s := muteSFTP(t, func() {})
		if err := listed(t, ctx, s); !errors.Is(err, errUser) {
			t.Errorf("%s, stopped: %v", name, err)
		}
		asked = func() {}
		s.route.patience = time.Second
		if err := listed(t, t.Context(), s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
