package scenarios

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"daybefore/internal/verdict"
)

// brokenPlaces are what goes wrong between a drill and its backups, beside what
// is wrong with a bucket.
func brokenPlaces() []Scenario {
	return []Scenario{
		{Name: "nothing broken, fetched by a program", Break: byProgram(listed, whole), Want: pass},
		{"a program dies in the middle", byProgram(listed, `head -c 30000 "$1"; echo "disk gone" >&2; exit 5`),
			unverified(verdict.StageChoose, verdict.CodeProgram)},
		{"a program lists nothing", byProgram("true", whole), unverified(verdict.StageChoose, verdict.CodeProgram)},
		{"a program's list is an error message", byProgram("echo no route to host", whole),
			unverified(verdict.StageChoose, verdict.CodeNoBackup)},
		{"a program is not there", edited(folderURL, "  exec: {list: [no-such-program], fetch: [cat, '{name}']}\n"),
			unverified(verdict.StageChoose, verdict.CodeProgram)},
		{"an SFTP server with another key", strangeServer, unverified(verdict.StageChoose, verdict.CodeHostKey)},
	}
}

const (
	folderURL = "  url: file:demo/backups/\n"
	listed    = "ls"
	whole     = `exec cat "$1"`
)

// byProgram lets scripts list and fetch the backups, in their folder; that
// which fetches is given the name.
func byProgram(list, fetch string) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		program := func(script, name string) string {
			return fmt.Sprintf("[sh, -c, %q, sh%s]", "cd '"+s.path("")+"' && "+script, name)
		}
		return s.editDrill(folderURL, fmt.Sprintf("  exec:\n    list: %s\n    fetch: %s\n", program(list, ""),
			program(fetch, ", '{name}'")))
	}
}

// strangeServer is an SSH server at an address at which another is known.
func strangeServer(_ context.Context, _ *Maker, s *Store) error {
	_, held, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	known, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	signer, err := ssh.NewSignerFromKey(held)
	if err != nil {
		return err
	}
	expected, err := ssh.NewPublicKey(known)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.atExit = append(s.atExit, func() { l.Close() })
	go greet(l, signer)
	hosts := filepath.Join(s.dir, "known_hosts")
	line := knownhosts.Line([]string{l.Addr().String()}, expected) + "\n"
	if err := os.WriteFile(hosts, []byte(line), 0o600); err != nil {
		return err
	}
	key := filepath.Join(s.dir, "key")
	block, err := ssh.MarshalPrivateKey(held, "")
	if err != nil {
		return err
	}
	if err := os.WriteFile(key, pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	return s.editDrill(folderURL, fmt.Sprintf("  url: sftp://drill@%s/\n  key_file: %s\n  known_hosts: %s\n", l.Addr(), key,
		hosts))
}

// greet shows a key to whoever connects; nobody is let in.
func greet(l net.Listener, key ssh.Signer) {
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(key)
	for {
		conn, err := l.Accept()
		if err != nil {
			return // closed
		}
		go func() {
			defer conn.Close()
			_, _, _, _ = ssh.NewServerConn(conn, config)
		}()
	}
}
