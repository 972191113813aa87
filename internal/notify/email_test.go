package notify_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"mime"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"daybefore/internal/notify"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// letterBox is an SMTP server that takes letters of one account.
type letterBox struct {
	mu      sync.Mutex
	letters []letter
	refuse  error // of each letter; may be nil
	busy    int   // so many letters are to be sent again
}

type letter struct {
	from string
	to   []string
	text []byte
}

const mailPassword = "p@ss-9d2f61c0"

// newLetterBox starts one: with a certificate it wants STARTTLS, or TLS from the first byte.
func newLetterBox(t *testing.T, own *tls.Certificate, atOnce bool) (*letterBox, string) {
	t.Helper()
	b := &letterBox{}
	s := smtp.NewServer(b)
	s.Domain = "localhost"
	s.AllowInsecureAuth = own == nil
	s.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case atOnce:
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*own}})
	case own != nil:
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*own}}
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return b, l.Addr().String()
}

// NewSession is go-smtp's.
func (b *letterBox) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }

type session struct {
	box    *letterBox
	ours   bool
	letter letter
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "drills@example.com" || password != mailPassword {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no such account: " + user + " " + password}
		}
		s.ours = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.ours {
		return smtp.ErrAuthRequired
	}
	s.letter.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.to = append(s.letter.to, to)
	return nil
}

func (s *session) Data(r io.Reader) (err error) {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.letter.text, err = io.ReadAll(r)
	switch {
	case err != nil:
		return err
	case s.box.busy > 0:
		s.box.busy--
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again"}
	case s.box.refuse != nil:
		return s.box.refuse
	}
	s.box.letters = append(s.box.letters, s.letter)
	return nil
}

func (s *session) Reset()        { s.letter = letter{} }
func (s *session) Logout() error { return nil }

// A letter goes to all addresses, once, its subject is one line, and a busy server is asked again.
func TestEmail(t *testing.T) {
	t.Parallel()
	box, address := newLetterBox(t, nil, false)
	c := spec.Channel{Kind: spec.ChannelEmail, Env: "SMTP", To: []string{"ops@example.com", "dba@example.com"}, When: usual,
		Secret: spec.Key("smtp://drills%40example.com:" + strings.ReplaceAll(mailPassword, "@", "%40") + "@" + address)}
	n := spec.Notify{Channels: []spec.Channel{c}}
	box.busy = 1
	want := map[string]int{"fail": 1, "still": 1, "more": 2, "early end": 2, "pass": 3, "pass again": 3}
	nights(t, n, func(night string) {
		if len(box.letters) != want[night] {
			t.Errorf("%s: %d letters", night, len(box.letters))
		}
	})
	news := night(0, nil, finding(verdict.CodeRowCount, verdict.Fail))
	news.Headline = "shop: a backup\r\nBcc: evil@example.net\r\n\r\nclick here é"
	if told := notify.Tell(t.Context(), n, nil, news); told[0].Failed != "" {
		t.Fatalf("%+v", told)
	}
	last := box.letters[len(box.letters)-1]
	m, err := mail.ReadMessage(bytes.NewReader(last.text))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "FAIL shop: a backup Bcc: evil@example.net click here é" || m.Header.Get("Bcc") != "" ||
		m.Header.Get("Auto-Submitted") != "auto-generated" || last.from != "drills@example.com" || len(last.to) != 2 {
		t.Errorf("%q, %v\n%s", subject, err, last.text)
	}
	box.refuse = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not for " + mailPassword}
	told := notify.Tell(t.Context(), n, nil, news)
	if !strings.HasPrefix(told[0].Failed, "the server of e-mails answered 550") || strings.Contains(told[0].Failed, mailPassword) || told[0].Hint == "" {
		t.Errorf("%+v", told)
	}
	box.refuse = nil
	c.Secret = spec.Key("smtp://drills%40example.com:wrong-password@" + address)
	told = notify.Tell(t.Context(), spec.Notify{Channels: []spec.Channel{c}}, nil, news)
	if !strings.Contains(told[0].Hint, "password anew") || strings.Contains(told[0].Failed, "wrong-password") {
		t.Errorf("%+v", told)
	}
}

// Passwords and letters go over TLS, to a server whose certificate is trusted; this machine's own, which STARTTLS is
// taken from where it offers it, may have any.
func TestEncryptedEmail(t *testing.T) {
	t.Parallel()
	trusted := tlsServer(t, nil).TLS.Certificates[0]
	another := certificate(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	for _, c := range []struct {
		scheme string
		own    *tls.Certificate
		says   string
	}{
		{"smtp", &trusted, ""}, {"smtps", &trusted, ""},
		{"smtp", another, ""},
		{"smtps", another, "its certificate is signed by nobody whom this machine trusts"},
	} {
		box, address := newLetterBox(t, c.own, c.scheme == "smtps")
		at := spec.Key(c.scheme + "://drills%40example.com:" + strings.ReplaceAll(mailPassword, "@", "%40") + "@" + address)
		n := spec.Notify{Channels: []spec.Channel{{Kind: spec.ChannelEmail, Env: "SMTP", To: []string{"ops@example.com"}, When: usual, Secret: at}}}
		told := notify.Tell(t.Context(), n, nil, night(0, nil, finding(verdict.CodeRowCount, verdict.Fail)))[0]
		if told.Failed != c.says || len(box.letters) != 0 != (c.says == "") {
			t.Errorf("%s: %d letters: %+v", c.scheme, len(box.letters), told)
		}
	}
}
