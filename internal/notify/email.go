package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"net/mail"
	"net/textproto"
	"net/url"
	"os"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"daybefore/internal/spec"
)

// mostSubject is how long a subject is at most, in bytes.
const mostSubject = 200

// byServer is a channel whose server of e-mails a variable holds.
func byServer(c spec.Channel, insecure bool) (target, error) {
	if c.Secret == nil {
		return target{}, notSet(c.Env)
	}
	u, err := url.Parse(string(c.Secret))
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps":
		return target{}, &untold{"the environment variable " + c.Env + " does not hold the URL of a server of e-mails",
			"set it to smtp://user:password@host:587 or smtps://user:password@host:465; % and @ of a password are %25 and %40"}
	case c.From == "" && sender(u) == "":
		return target{}, &untold{"nothing says whom its e-mails come from", "add from: drills@example.com to the channel"}
	}
	return target{c, u}, nil
}

// sender is the server's user, where that is an address.
func sender(u *url.URL) string {
	a, err := mail.ParseAddress(u.User.Username())
	if err != nil || a.Address != u.User.Username() {
		return ""
	}
	return a.Address
}

// email sends one message to all addresses, over TLS. To this machine alone it may
// go without.
func email(ctx context.Context, to target, m message) error {
	letter, err := letterOf(to, m)
	if err != nil {
		return &untold{"no e-mail can be made for its addresses", "look at email and from"}
	}
	client, err := clientOf(to.url)
	if err != nil {
		return &untold{"no client can be made for its server", "look at the port in the variable"}
	}
	_, err = retried(ctx, func(ctx context.Context) (struct{}, error) {
		session, err := client.DialToSMTPClientWithContext(ctx)
		if err != nil {
			return struct{}{}, refusedBy(err, to.url)
		}
		defer client.CloseWithSMTPClient(session) // the letter is theirs by then
		return struct{}{}, refusedBy(client.SendWithSMTPClient(session, letter), to.url)
	})
	return err
}

// letterOf is the message as an e-mail.
func letterOf(to target, m message) (*gomail.Msg, error) {
	from := to.From
	if from == "" {
		from = sender(to.url)
	}
	letter := gomail.NewMsg()
	err := errors.Join(letter.From(from), letter.To(to.To...))
	letter.Subject(cut(strings.Join(strings.Fields(m.title()), " "), mostSubject))
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(gomail.TypeTextPlain, m.text()+"\n")
	return letter, err
}

// clientOf speaks to a server as its URL says.
func clientOf(u *url.URL) (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithTimeout(attemptTime)}
	port := u.Port()
	login := gomail.SMTPAuthAutoDiscover
	switch {
	case u.Scheme == "smtps":
		options = append(options, gomail.WithSSLPort(false))
	case spec.Loopback(u.Hostname()):
		// Debian's servers come with a certificate that nobody signed; nobody listens on this machine's own wire.
		options = append(options, gomail.WithTLSPortPolicy(gomail.TLSOpportunistic),
			gomail.WithTLSConfig(&tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true}))
		login = gomail.SMTPAuthPlainNoEnc
	default:
		options = append(options, gomail.WithTLSPortPolicy(gomail.TLSMandatory))
	}
	if port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, err
		}
		options = append(options, gomail.WithPort(n))
	}
	password, given := u.User.Password()
	if given {
		options = append(options, gomail.WithUsername(u.User.Username()), gomail.WithPassword(password),
			gomail.WithSMTPAuth(login))
	}
	name, err := os.Hostname()
	if err == nil {
		options = append(options, gomail.WithHELO(name))
	}
	return gomail.NewClient(u.Hostname(), options...)
}

// refusedBy is why a server did not take a letter, in our words: an *untold where
// another try is pointless.
func refusedBy(err error, u *url.URL) error {
	if err == nil {
		return nil
	}
	code, says := 0, ""
	answer, answered := errors.AsType[*textproto.Error](err)
	if answered {
		code, says = answer.Code, answer.Msg
	}
	failed, sent := errors.AsType[*gomail.SendError](err)
	if sent && !answered {
		code = failed.ErrorCode()
	}
	password, _ := u.User.Password()
	why := "the server of e-mails answered " + strconv.Itoa(code)
	if len(password) == 0 || len(password) >= shortestSecret { // a shorter one cannot be told from other words
		why += ": " + without(says, password, u.User.Username())
	}
	why = strings.TrimSuffix(why, ": ")
	switch {
	case code == 535 || code == 534:
		return &untold{why, "set the user and the password anew"}
	case code >= 500:
		return &untold{why, "look at the addresses, and at what the server lets this account send"}
	case code >= 400:
		return &refusal{untold{why, "the server is busy, or wants to be asked again later"}}
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		return &untold{"the server of e-mails offers no encryption", "use smtps://, or a port that does"}
	case strings.Contains(err.Error(), "does not support SMTP AUTH"),
		errors.Is(err, gomail.ErrNoSupportedAuthDiscovered):
		return &untold{"the server of e-mails takes no password there", "leave user and password out, or use another port"}
	}
	return sorted(err)
}
