package catalog

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/s3test"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// webServer is how a web server is started that shows the files of DIR at ADDR;
// MODULES is the folder with its modules, RUN one that it may write to.
type webServer struct {
	pkg, program string
	config       string
	args         []string // before the configuration's path
}

var webServers = map[string]webServer{
	"nginx": {"nginx-light", "nginx", `daemon off; pid RUN/pid; error_log stderr; user root; worker_processes 1; events {}
http { access_log off; client_body_temp_path RUN/b; proxy_temp_path RUN/p; fastcgi_temp_path RUN/f; uwsgi_temp_path RUN/u;
scgi_temp_path RUN/s; server { listen ADDR; root DIR; autoindex on; } }`, []string{"-e", "stderr", "-p", "RUN", "-c"}},
	"lighttpd": {"lighttpd", "lighttpd", `server.modules = ("mod_dirlisting")
server.document-root = "DIR"
server.bind = "HOST"
server.port = PORT
dir-listing.activate = "enable"
mimetype.assign = ("" => "application/octet-stream")
`, []string{"-D", "-m", "MODULES/lighttpd", "-f"}},
	"apache": {"apache2-bin", "apache2", `ServerRoot "RUN"
ServerName localhost
Listen ADDR
PidFile RUN/pid
ErrorLog RUN/log
LoadModule mpm_event_module MODULES/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module MODULES/apache2/modules/mod_authz_core.so
LoadModule autoindex_module MODULES/apache2/modules/mod_autoindex.so
User #65534
DocumentRoot "DIR"
IndexOptions FancyIndexing HTMLTable
<Directory "DIR">
Options +Indexes
</Directory>
`, []string{"-X", "-f"}},
}

// The pages of the servers that people have, as they write them today.
func TestPagesOfWebServers(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "pages-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	long := "a-name-that-is-far-too-long-for-the-column-of-a-page-" + strings.Repeat("x", 60) + "-20261120T030000Z.dump"
	odd := []string{"shop-20261120T030000Z.dump", "a b&c.dump", "ä-€ 100%.dump", "<i>.dump", "sub/x.dump", long}
	for _, name := range odd {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(shopTime+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, server := range webServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := opened(t, spec.Source{URL: "http://" + server.start(t, dir) + "/"})
			all := list(t, store, "", true)
			for _, name := range odd {
				o, there := all[name]
				if got, err := read(t, store, o, 0, o.Size); !there || err != nil || string(got) != shopTime+name || o.ETag == "" {
					t.Errorf("%q: listed %v, %+v: %q, %v", name, there, o, got, err)
				}
			}
			if len(all) != len(odd) {
				t.Errorf("listed %q", names(all))
			}
			src := timed("blog-{time}.dump")
			_, err := Choose(t.Context(), store, src, nil) // its page is known for a list
			wantProblem(t, err, verdict.Fail, verdict.CodeNoBackup, `"<i>.dump"`)
		})
	}
}

// start starts the server, and ends it with the test.
func (s webServer) start(t *testing.T, dir string) string {
	t.Helper()
	pkg := testneed.Debian(t, s.pkg)
	addr, err := s3test.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	run := t.TempDir()
	words := strings.NewReplacer("RUN", run, "DIR", dir, "ADDR", addr, "HOST", host, "PORT", port, "MODULES", filepath.Join(pkg.Root, "usr/lib"))
	config := filepath.Join(run, "config")
	if err := os.WriteFile(config, []byte(words.Replace(s.config)), 0o644); err != nil {
		t.Fatal(err)
	}
	var args []string
	for _, a := range append(s.args, config) {
		args = append(args, words.Replace(a))
	}
	cmd := exec.Command(pkg.Program(t, s.program), args...)
	cmd.Env = pkg.Environ()
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		late := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		late.Stop()
	})
	for range 500 {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return addr
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s does not answer: %s", s.program, fmt.Sprint(said.String()))
	return ""
}
