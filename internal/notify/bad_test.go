package notify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"daybefore/internal/notify"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// What keeps a receiver from being told is said in words of ours, with what to do, and never with any part of the
// address: within ten seconds, whatever the receivers do.
func TestBadReceivers(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		at   func(t *testing.T) string
		says string
	}{
		"no such host":      {fixed("https://no-such-host.invalid"), "the name of its host does not resolve"},
		"nobody listens":    {fixed("http://127.0.0.1:1"), "nothing listens there: connection refused"},
		"400":               {answering(400), "it answered 400 Bad Request: you sent … and …"},
		"401":               {answering(401), "it answered 401 Unauthorized"},
		"404":               {answering(404), "it answered 404 Not Found"},
		"429":               {answering(429), "it answered 429 Too Many Requests"},
		"500":               {answering(500), "it answered 500 Internal Server Error"},
		"a redirect":        {redirecting, "it leads on to another address (307), which was not followed"},
		"it hangs":          {hanging, "it did not answer in time"},
		"it hangs up":       {hangingUp, "the connection to it broke off"},
		"nobody's signed":   {certified(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)), "its certificate is signed by nobody whom this machine trusts"},
		"another host's":    {otherHost, "its certificate is of another host"},
		"no TLS":            {noTLS, "it does not speak TLS there"},
		"trusted":           {func(t *testing.T) string { return tlsServer(t, nil).URL }, ""},
		"nothing at all":    {fixed(""), "the environment variable HOOK is not set"},
		"no address":        {fixed("::" + secret), "the environment variable HOOK does not hold the URL of a web server"},
		"without a host":    {fixed("https:"), "the environment variable HOOK does not hold the URL of a web server"},
		"not encrypted":     {fixed("http://192.0.2.1"), "the environment variable HOOK holds a URL without encryption"},
		"a control in it":   {fixed("https://a\x7f"), "the environment variable HOOK does not hold the URL of a web server"},
		"an impossible one": {fixed("https://[::1"), "the environment variable HOOK does not hold the URL of a web server"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			at := spec.Key(c.at(t))
			if len(at) == 0 {
				at = nil
			} else {
				at = spec.Key(string(at) + "/" + secret + "?key=" + secret[9:])
			}
			n := spec.Notify{HeartbeatEnv: "HOOK", Heartbeat: at, Channels: []spec.Channel{{Kind: spec.ChannelSlack, Env: "HOOK", Secret: at, When: usual}}}
			begun := time.Now()
			told := notify.Tell(t.Context(), n, notify.Begin(t.Context(), n, "shop", "1"), night(0, nil, finding(verdict.CodeRowCount, verdict.Fail)))
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			for _, got := range told {
				ok := c.says == "" && got.Failed == "" || c.says != "" && strings.HasPrefix(got.Failed, c.says) && got.Hint != ""
				if shown := fmt.Sprintf("%+v %s", got, notify.Says(got)); !ok || strings.Contains(shown, secret[9:]) || strings.Contains(shown, "no-such-host") {
					t.Errorf("%s, want %q", shown, c.says)
				}
			}
			if faults := notify.Faults(n); (len(faults) == 2) != strings.HasPrefix(c.says, "the environment variable") {
				t.Errorf("known beforehand: %+v", faults)
			}
		})
	}
}

func fixed(url string) func(*testing.T) string { return func(*testing.T) string { return url } }

// answering is a server that repeats what it was sent.
func answering(status int) func(*testing.T) string {
	return func(t *testing.T) string {
		r := newReceiver(t)
		r.answer = func(w http.ResponseWriter, req *http.Request, _ []byte) {
			w.WriteHeader(status)
			fmt.Fprintf(w, "you sent %s and\n %s", req.URL.Path, req.URL.Query().Get("key"))
		}
		return r.URL
	}
}

// redirecting leads on to a server that must not hear of the secret.
func redirecting(t *testing.T) string {
	other := newReceiver(t)
	t.Cleanup(func() {
		if other.took() > 0 {
			t.Error("the redirect was followed")
		}
	})
	r := newReceiver(t)
	r.answer = func(w http.ResponseWriter, req *http.Request, _ []byte) {
		http.Redirect(w, req, other.URL+req.URL.Path, http.StatusTemporaryRedirect)
	}
	return r.URL
}

// hanging takes connections and says nothing.
func hanging(t *testing.T) string {
	return listening(t, func(net.Conn) {})
}

func hangingUp(t *testing.T) string { return listening(t, func(c net.Conn) { c.Close() }) }

func noTLS(t *testing.T) string {
	at := listening(t, func(c net.Conn) { io.WriteString(c, "220 localhost ESMTP is no TLS\r\n"); c.Close() })
	return strings.Replace(at, "http:", "https:", 1)
}

func listening(t *testing.T, meet func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			meet(c)
		}
	}()
	return "http://" + l.Addr().String()
}

// tlsServer answers OK; nil is the certificate that this process trusts.
func tlsServer(t *testing.T, own *tls.Certificate) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "OK") }))
	s.Config.ErrorLog = nil
	if own != nil {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{*own}}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// otherHost reaches a server under a name that its certificate lacks.
func otherHost(t *testing.T) string {
	return strings.Replace(tlsServer(t, nil).URL, "127.0.0.1", "localhost", 1)
}

func certified(from, until time.Time) func(*testing.T) string {
	return func(t *testing.T) string { return tlsServer(t, certificate(t, from, until)).URL }
}

// certificate is one that nobody signed but itself.
func certificate(t *testing.T, from, until time.Time) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A program that is not there is known beforehand; one that fails, or does not end, is told with its last words and
// without what it was given.
func TestBadPrograms(t *testing.T) {
	t.Setenv("NOTIFY_TOKEN", secret)
	for what, c := range map[string]struct {
		command []string
		says    string
	}{
		"missing":      {[]string{"/no/such/program"}, "there is no program /no/such/program that can be run"},
		"fails":        {[]string{"sh", "-c", "cat >/dev/null; echo no way to $NOTIFY_TOKEN >&2; exit 3"}, "it ended with status 3: no way to "},
		"does not end": {[]string{"sh", "-c", "trap '' TERM; sleep 60"}, "it had not ended, and was ended"},
		"reads little": {[]string{"true"}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			n := spec.Notify{Channels: []spec.Channel{{Kind: spec.ChannelCommand, Command: c.command, Pass: []string{"NOTIFY_TOKEN"}, When: usual}}}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			got := notify.Tell(ctx, n, nil, night(0, nil, finding(verdict.CodeRowCount, verdict.Fail)))[0]
			if !strings.HasPrefix(got.Failed, c.says) || (got.Failed == "") != (c.says == "") || strings.Contains(got.Failed, secret) {
				t.Errorf("%+v", got)
			}
			if faults := notify.Faults(n); (len(faults) == 1) != (what == "missing") {
				t.Errorf("%+v", faults)
			}
		})
	}
}
