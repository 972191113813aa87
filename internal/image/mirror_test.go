package image

import (
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
)

func TestPickMirror(t *testing.T) {
	t.Parallel()
	readFile := func(path string) ([]byte, error) {
		if path != "/etc/apt/mirrors/debian.list" {
			return nil, os.ErrNotExist
		}
		return []byte("# two of them\n\nhttps://listed.example.com/debian\tpriority:1\nhttps://second.example.com/debian\n"), nil
	}
	for _, tt := range []struct {
		name, listed, want, wantErr string
	}{
		{name: "first line", listed: "http://a.example.com/debian/\nhttp://b.example.com/debian/\n", want: "http://a.example.com/debian/"},
		{name: "mirror list", listed: "mirror+file:/etc/apt/mirrors/debian.list\n", want: "https://listed.example.com/debian"},
		{name: "mirror list with slashes", listed: "mirror+file:///etc/apt/mirrors/debian.list\n", want: "https://listed.example.com/debian"},
		{name: "usable after unusable", listed: "cdrom:[Debian]/\nmirror+file:/nowhere\nhttps://a.example.com/debian/", want: "https://a.example.com/debian/"},
		{name: "none", listed: "\n", wantErr: "apt knows no Debian mirror: run apt-get update"},
		{name: "none usable", listed: "file:/srv/debian/\n", wantErr: `mirror "file:/srv/debian/" is not an http or https URL`},
		{name: "credentials", listed: "https://user:hunter2@a.example.com/debian/\n", wantErr: "carries credentials"},
		{name: "a blank in the query", listed: "https://a.example.com/debian/?x y\n", wantErr: "contains a space or a non-ASCII character"},
		{name: "an address as host", listed: "http://[2001:db8::1]:3142/debian/\n", want: "http://[2001:db8::1]:3142/debian/"},
		{name: "not a URL", listed: "https://user:hunter2@a.example.com:port/\n", wantErr: "a mirror is not a URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := pickMirror(tt.listed, readFile)
			if got != tt.want {
				t.Errorf("mirror %q, want %q", got, tt.want)
			}
			switch {
			case tt.wantErr == "" && err != nil:
				t.Error(err)
			case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
				t.Errorf("error %v, want one that says %q", err, tt.wantErr)
			case err != nil && strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func FuzzPickMirror(f *testing.F) {
	f.Add("http://a.example.com/debian/\n", "")
	f.Add("mirror+file:/etc/apt/mirrors/debian.list\n", "# x\nhttps://a.example.com/debian priority:1\n")
	f.Add("https://u:p@a.example.com/\ncdrom:[x]/\n", "\x00")
	f.Fuzz(func(t *testing.T, listed, mirrorList string) {
		readFile := func(path string) ([]byte, error) {
			if !strings.HasPrefix(path, "/") {
				t.Errorf("read of %q, which is relative", path)
			}
			if mirrorList == "" {
				return nil, errors.New("no such list")
			}
			return []byte(mirrorList), nil
		}
		mirror, err := pickMirror(listed, readFile)
		if (mirror == "") != (err != nil) {
			t.Fatalf("mirror %q and error %v", mirror, err)
		}
		if err != nil {
			return
		}
		u, err := url.Parse(mirror)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
			t.Errorf("mirror %q is not a plain http(s) URL: %v", mirror, err)
		}
		if strings.ContainsAny(mirror, " \n") || strings.HasPrefix(mirror, "-") {
			t.Errorf("mirror %q would not be one argument", mirror)
		}
	})
}
