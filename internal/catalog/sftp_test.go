package catalog

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/pkg/sftp"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// sshdFolder is a server and a folder that it may read, with one backup.
func sshdFolder(t *testing.T) (*storetest.SSHD, string) {
	t.Helper()
	server := storetest.StartSSHD(t)
	dir := t.TempDir()
	server.Open(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "shop.dump"), []byte(shopTime), 0o644); err != nil {
		t.Fatal(err)
	}
	return server, dir
}

func chooseShop(t *testing.T, src spec.Source) error {
	t.Helper()
	store, err := Open(t.Context(), src)
	if err != nil {
		return err
	}
	defer store.Close()
	src.Name = "shop.dump"
	_, err = Choose(t.Context(), store, src, textHeader)
	return err
}

func TestServersThatAreNotKnown(t *testing.T) {
	t.Parallel()
	server, dir := sshdFolder(t)
	src := sftpSource(server, dir)
	if err := chooseShop(t, src); err != nil {
		t.Fatal(err)
	}
	unknown := src
	unknown.KnownHosts = filepath.Join(t.TempDir(), "none")
	err := chooseShop(t, unknown)
	wantProblem(t, err, verdict.Error, verdict.CodeHostKey, "is not known", "SHA256:", "no file of known hosts")
	if hint := verdict.AsProblem(err).Hint; !strings.Contains(hint, "ssh-keyscan -p") || !strings.Contains(hint, "fingerprint") {
		t.Errorf("the hint is %s", hint)
	}
	key := server.NewHostKey(t, false)
	err = chooseShop(t, src)
	wantProblem(t, err, verdict.Error, verdict.CodeHostKey, "has another key than before", ssh.FingerprintSHA256(key), server.KnownHosts+":1")
	if hint := verdict.AsProblem(err).Hint; !strings.Contains(hint, "ssh-keygen -R [127.0.0.1]") || !strings.Contains(hint, "stand between") {
		t.Errorf("the hint is %s", hint)
	}
	if err := os.WriteFile(server.KnownHosts, []byte("what is this?\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, chooseShop(t, src), verdict.Error, verdict.CodeSpec, "public keys cannot be read")
}

func TestKeysOfSFTP(t *testing.T) {
	server, dir := sshdFolder(t)
	src := sftpSource(server, dir)
	src.KeyFile = filepath.Join(t.TempDir(), "none")
	wantProblem(t, chooseShop(t, src), verdict.Error, verdict.CodeCredentialsMissing, "none", "no such file")
	src.KeyFile = server.KnownHosts
	wantProblem(t, chooseShop(t, src), verdict.Error, verdict.CodeCredentialsMissing, "holds no private key")
	src.KeyFile = server.LockedKey(t, "open sesame")
	wantProblem(t, chooseShop(t, src), verdict.Error, verdict.CodeCredentialsMissing, "under a passphrase")
	t.Setenv("DRILL_PASSPHRASE", "open sesame")
	src.KeyPassphraseEnv = "DRILL_PASSPHRASE"
	if err := chooseShop(t, src); err != nil {
		t.Error(err)
	}
	t.Setenv("DRILL_PASSPHRASE", "wrong")
	err := chooseShop(t, src)
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsMissing, "locked")
	src = sftpSource(server, dir) // whose key the server knows no more
	wantProblem(t, chooseShop(t, src), verdict.Error, verdict.CodeCredentialsRefused, "does not let "+server.User+" in", src.KeyFile)
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("HOME", t.TempDir())
	src.KeyFile = ""
	wantProblem(t, chooseShop(t, src), verdict.Error, verdict.CodeCredentialsMissing, "no key and no password")
}

func TestTheAgent(t *testing.T) {
	server, dir := sshdFolder(t)
	text, err := os.ReadFile(server.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	held := agent.NewKeyring()
	if err := held.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	socket := filepath.Join(home, "agent")
	l, err := net.Listen("unix", socket)
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
			go func() { _ = agent.ServeAgent(held, conn) }()
		}
	}()
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", socket)
	src := sftpSource(server, dir)
	src.KeyFile = ""
	if err := chooseShop(t, src); err != nil {
		t.Error(err)
	}
}

// What ~/.ssh/config says holds for a drill, a jump included.
func TestTheSSHConfiguration(t *testing.T) {
	server, dir := sshdFolder(t)
	jump := storetest.StartSSHD(t)
	home := t.TempDir()
	host, port, _ := net.SplitHostPort(server.Addr)
	_, jumpPort, _ := net.SplitHostPort(jump.Addr)
	hosts, err := os.ReadFile(server.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	others, err := os.ReadFile(jump.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("Host backups\n  HostName %s\n  Port %s\n  User %s\n  IdentityFile %s\n  UserKnownHostsFile ~/.ssh/hosts\n"+
		"Host jumped\n  ProxyJump by\n  HostName %[1]s\n  Port %[2]s\n  User %[3]s\n  IdentityFile %[4]s\n  UserKnownHostsFile ~/.ssh/hosts\n"+
		"Host by\n  HostName 127.0.0.1\n  Port %[5]s\n  User %[6]s\n  IdentityFile %[7]s\n  UserKnownHostsFile ~/.ssh/hosts\n"+
		"Host commanded\n  ProxyCommand nc %%h %%p\n", host, port, server.User, server.KeyFile, jumpPort, jump.User, jump.KeyFile)
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"config": config, "hosts": string(hosts) + string(others)} {
		if err := os.WriteFile(filepath.Join(home, ".ssh", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	for _, alias := range []string{"backups", "jumped"} {
		src := spec.Source{URL: "sftp://" + alias + dir}
		if err := chooseShop(t, src); err != nil {
			t.Errorf("%s: %v", alias, err)
		}
		place, err := opened(t, src).Place(t.Context())
		if err != nil || len(place.Hosts) != 1 || place.Hosts[0] != host {
			t.Errorf("%s lies at %+v, %v", alias, place, err)
		}
	}
	if jump.Served() == 0 {
		t.Error("nobody went through the jump")
	}
	wantProblem(t, chooseShop(t, spec.Source{URL: "sftp://commanded/x/"}), verdict.Error, verdict.CodeUnsupported, "ProxyCommand")
	if err := os.WriteFile(filepath.Join(home, ".ssh", "config"), []byte("Match nothing at all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, chooseShop(t, spec.Source{URL: "sftp://backups" + dir}), verdict.Error, verdict.CodeSpec, ".ssh/config")
}

// sshd asks PAM about passwords, which knows none of a test's; so a server of
// the same library as the client's stands for one that does.
func TestAPassword(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shop.dump"), []byte(shopTime), 0o600); err != nil {
		t.Fatal(err)
	}
	sshd := storetest.StartSSHD(t) // for its keys
	text, err := os.ReadFile(sshd.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if c.User() == "me" && string(password) == "hunter2-hunter2" {
			return nil, nil
		}
		return nil, fmt.Errorf("no")
	}}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go serveSFTP(l, config)
	known := filepath.Join(t.TempDir(), "known")
	line := knownhosts.Line([]string{l.Addr().String()}, signer.PublicKey())
	if err := os.WriteFile(known, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("DRILL_PASSWORD", "hunter2-hunter2")
	src := spec.Source{URL: "sftp://me@" + l.Addr().String() + dir, KnownHosts: known, PasswordEnv: "DRILL_PASSWORD"}
	if err := chooseShop(t, src); err != nil {
		t.Error(err)
	}
	t.Setenv("DRILL_PASSWORD", "hunter3")
	err = chooseShop(t, src)
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused, "with the password")
	if strings.Contains(err.Error(), "hunter3") {
		t.Errorf("the password is shown: %v", err)
	}
}

func serveSFTP(l net.Listener, config *ssh.ServerConfig) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			_, channels, requests, err := ssh.NewServerConn(conn, config)
			if err != nil {
				return
			}
			go ssh.DiscardRequests(requests)
			for c := range channels {
				channel, asked, err := c.Accept()
				if err != nil {
					return
				}
				go func() {
					for r := range asked {
						_ = r.Reply(r.Type == "subsystem", nil)
					}
				}()
				server, err := sftp.NewServer(channel)
				if err == nil {
					_ = server.Serve()
				}
				channel.Close()
			}
		}()
	}
}

// A connection that breaks in the middle of a file is made anew, and the file
// goes on at the same byte.
func TestAnSFTPServerThatBreaksOff(t *testing.T) {
	t.Parallel()
	server, dir := sshdFolder(t)
	data := noise(8 << 20)
	if err := os.WriteFile(filepath.Join(dir, "x"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	store := opened(t, sftpSource(server, dir))
	cuts := 0
	got, err := fetch(t, store, "x", FetchOptions{Dir: t.TempDir(), PartSize: 2 << 20, Progress: func(done, _ int64) {
		if done > int64(cuts+1)<<20 && cuts < 3 {
			cuts++
			server.Cut()
		}
	}})
	if err != nil || got.SHA256 != sum(data) || cuts != 3 {
		t.Errorf("%+v after %d cuts, %v", got, cuts, err)
	}
	if n := server.Served(); n < 2 {
		t.Errorf("%d connections were made", n)
	}
}

func TestOddFilesOfSFTP(t *testing.T) {
	t.Parallel()
	server, dir := sshdFolder(t)
	for link, to := range map[string]string{"dangling": "nowhere", "linked": "shop.dump", "up": ".."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	odd := "a\nb\\c\x01.dump"
	if err := os.WriteFile(filepath.Join(dir, odd), []byte("odd"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), nil, 0o000); err != nil {
		t.Fatal(err)
	}
	store := opened(t, sftpSource(server, dir))
	all := list(t, store, "", true)
	wantNames(t, all, odd, "dangling", "linked", "secret", "shop.dump", "up")
	if all["dangling"].Not != DanglingLink || all["up"].Not != Folder || all["linked"].Not != "" {
		t.Errorf("%+v", all)
	}
	if got, err := read(t, store, all[odd], 0, 3); err != nil || string(got) != "odd" {
		t.Errorf("%q, %v", got, err)
	}
	_, err := read(t, store, all["secret"], 0, 1)
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused, "secret")
	src := sftpSource(server, dir+"/none")
	wantProblem(t, chooseShop(t, src), verdict.Error, verdict.CodeStoreUnreachable, "there is no such directory", src.URL)
}
