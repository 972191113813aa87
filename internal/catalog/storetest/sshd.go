package storetest

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"daybefore/internal/testneed"
)

// SSHD is OpenSSH's server on loopback: a process for each connection, with a
// host key of its own. It lets in the user it runs as, by one key.
type SSHD struct {
	Addr       string // host:port
	User       string
	KeyFile    string
	KnownHosts string

	dir      string
	program  string
	env      []string
	account  *syscall.Credential
	listener net.Listener

	mu    sync.Mutex
	conns map[net.Conn]bool
	count int
	all   sync.WaitGroup
}

// nobody is the account whose sshd needs neither root nor an account of sshd's.
const nobody = 65534

// StartSSHD starts a server for the test, and ends it and all its connections
// at the end.
func StartSSHD(t testing.TB) *SSHD {
	t.Helper()
	s := &SSHD{dir: t.TempDir(), conns: map[net.Conn]bool{}}
	s.install(t, testneed.Debian(t, "openssh-server"))
	who, err := user.Current()
	if err == nil && os.Geteuid() == 0 {
		who, err = user.LookupId(fmt.Sprint(nobody))
		s.account = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if err != nil {
		t.Fatal(err)
	}
	s.User = who.Username
	s.listener, err = net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = s.listener.Addr().String()
	s.KeyFile = filepath.Join(s.dir, "id")
	s.KnownHosts = filepath.Join(s.dir, "known_hosts")
	user := s.newKey(t, s.KeyFile, "")
	s.write(t, "authorized_keys", ssh.MarshalAuthorizedKey(user), 0o644)
	s.NewHostKey(t, true)
	s.write(t, "config", fmt.Appendf(nil, "HostKey %[1]s/host\nAuthorizedKeysFile %[1]s/authorized_keys\nStrictModes no\n"+
		"UsePAM yes\nPasswordAuthentication no\nSubsystem sftp internal-sftp\nPidFile none\nLogLevel ERROR\n", s.dir), 0o644)
	s.Open(t, s.dir)
	s.all.Go(s.serve)
	t.Cleanup(s.stop)
	return s
}

// install copies the server and its libraries to where any account may run them.
func (s *SSHD) install(t testing.TB, pkg testneed.Unpacked) {
	t.Helper()
	copied := func(from string) {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(s.dir, filepath.Base(from)), b, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	copied(pkg.Program(t, "sshd"))
	libraries, err := filepath.Glob(filepath.Join(pkg.Root, "usr/lib/*/*.so.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range libraries {
		copied(library)
	}
	s.program = filepath.Join(s.dir, "sshd")
	s.env = append(os.Environ(), "LD_LIBRARY_PATH="+s.dir)
}

// Open lets the server's account read a folder of the test's.
func (s *SSHD) Open(t testing.TB, dir string) {
	t.Helper()
	for at := dir; at != "/"; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&os.ModeSticky != 0 {
			return // everybody's
		}
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// NewHostKey gives the server another key; told writes it into KnownHosts.
func (s *SSHD) NewHostKey(t testing.TB, told bool) ssh.PublicKey {
	t.Helper()
	key := s.newKey(t, filepath.Join(s.dir, "host"), "")
	if told {
		s.write(t, "known_hosts", []byte(knownhosts.Line([]string{s.Addr}, key)+"\n"), 0o644)
	}
	return key
}

// LockedKey is a private key of the user's under a passphrase.
func (s *SSHD) LockedKey(t testing.TB, passphrase string) string {
	t.Helper()
	path := filepath.Join(s.dir, "locked")
	key := s.newKey(t, path, passphrase)
	s.write(t, "authorized_keys", ssh.MarshalAuthorizedKey(key), 0o644)
	return path
}

// newKey writes a private key, which the server's account may read.
func (s *SSHD) newKey(t testing.TB, path, passphrase string) ssh.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, filepath.Base(path), pem.EncodeToMemory(block), 0o600)
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// write replaces a file of the server's.
func (s *SSHD) write(t testing.TB, name string, data []byte, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
	if s.account != nil {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *SSHD) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		s.all.Go(func() { s.attend(conn) })
	}
}

// attend runs the server for one connection, as inetd would.
func (s *SSHD) attend(conn net.Conn) {
	socket, err := conn.(*net.TCPConn).File()
	if err != nil {
		conn.Close()
		return
	}
	defer socket.Close()
	s.mu.Lock()
	s.conns[conn] = true
	s.count++
	s.mu.Unlock()
	cmd := exec.Command(s.program, "-i", "-e", "-f", filepath.Join(s.dir, "config"))
	cmd.Env = s.env
	cmd.Stdin = socket
	cmd.Stdout = socket
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account, Setpgid: true}
	err = cmd.Start()
	if err == nil {
		_ = cmd.Wait() // its status is the client's affair
	}
	s.mu.Lock()
	delete(s.conns, conn)
	s.mu.Unlock()
	conn.Close()
}

// Served is how many connections were made.
func (s *SSHD) Served() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Cut breaks all connections.
func (s *SSHD) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		if c, ok := conn.(*net.TCPConn); ok {
			_ = c.CloseRead() // what is shut down is so for the server too
			_ = c.CloseWrite()
		}
	}
}

func (s *SSHD) stop() {
	s.listener.Close()
	s.Cut()
	s.all.Wait()
}
