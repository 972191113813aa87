package runbook

import (
	"strconv"

	"daybefore/internal/program"
	"daybefore/internal/spec"
)

// Formats of a part, as a report calls them.
const (
	plainScript = "plain"
	tarFile     = "tar"
)

// open takes off what lies around each part, from outside.
func (p *plan) open() []string {
	var lines []string
	for i, part := range p.by.Parts {
		for off, around := range part.Around {
			lines = append(lines, p.takeOff(around, p.file(i, off), p.file(i, off+1))...)
		}
		if part.Format == tarFile {
			to := p.file(i, len(part.Around)+1)
			lines = append(lines, "mkdir "+to, "tar -xf "+p.file(i, len(part.Around))+" -C "+to)
		}
	}
	return lines
}

// opened is what a restore reads of a part, as a word of the shell's.
func (p *plan) opened(i int) string {
	part := p.by.Parts[i]
	if part.Format == tarFile {
		return `"$(dirname "$(find ` + p.file(i, len(part.Around)+1) + ` -name toc.dat)")"`
	}
	return p.file(i, len(part.Around))
}

func (p *plan) takeOff(around, from, to string) []string {
	d := p.Drill.Source.Decrypt
	switch {
	case d == nil || around != "age" && around != "openpgp" && around != "command":
		return []string{around + " -dc <" + from + " >" + to}
	case len(d.Command) > 0:
		return []string{line(d.Command...) + " <" + from + " >" + to}
	case around == "age":
		return []string{p.byAge(d, from, to)}
	}
	return byOpenPGP(d, from, to)
}

// byAge decrypts by an identity, where the report knows that one opened it, else
// by the passphrase, which age asks for.
func (p *plan) byAge(d *spec.Decrypt, from, to string) string {
	passphrase := d.AgePassphraseEnv != "" && p.Report.Backup.Key == ""
	switch {
	case !passphrase && d.AgeIdentityEnv != "":
		return `printf '%s\n' "$` + d.AgeIdentityEnv + `" | age --decrypt --identity - --output ` + to + " " + from
	case !passphrase && d.AgeIdentityFile != "":
		return "age --decrypt --identity " + program.ShellWord(d.AgeIdentityFile) + " --output " + to + " " + from
	}
	return "age --decrypt --output " + to + " " + from + " " + note("it asks for what $%s holds", d.AgePassphraseEnv)
}

// byOpenPGP decrypts with a keyring of its own, which goes with the folder.
func byOpenPGP(d *spec.Decrypt, from, to string) []string {
	lines := []string{`export GNUPGHOME="$PWD/gnupg"`, `mkdir -p "$GNUPGHOME"`}
	decrypt := "gpg --batch --output " + to
	switch {
	case d.OpenPGPKeyEnv != "":
		lines = append(lines, `printf '%s\n' "$`+d.OpenPGPKeyEnv+`" | gpg --batch --import`)
	case d.OpenPGPKeyFile != "":
		lines = append(lines, "gpg --batch --import "+program.ShellWord(d.OpenPGPKeyFile))
	}
	if d.OpenPGPPassphraseEnv != "" {
		decrypt = `printf '%s\n' "$` + d.OpenPGPPassphraseEnv + `" | ` + decrypt +
			" --pinentry-mode loopback --passphrase-fd 0"
	}
	return append(lines, decrypt+" --decrypt "+from, "gpgconf --kill gpg-agent")
}

// keys are what the commands need and this page does not hold.
func (p *plan) keys() []fact {
	src := p.Drill.Source
	all := []fact{
		{src.URLEnv, "the backup's URL"}, {src.TokenEnv, "a token for the server of the backups"},
		{src.PasswordEnv, "the password for the server of the backups"},
		{src.KeyFile, "a file: the SSH key for the server of the backups"},
		{src.KeyPassphraseEnv, "the passphrase of that SSH key"},
	}
	if src.Exec != nil {
		for _, name := range src.Exec.Env {
			all = append(all, fact{name, "for the program that fetches the backup"})
		}
	}
	all = append(all, p.keysToOpen()...)
	if c := p.Drill.Expectations.Canary; c != nil {
		all = append(all, fact{c.EqualsEnv, "the value that was planted in the database, for a check"})
	}
	switch p.kind() {
	case "s3":
		if !src.Anonymous {
			all = append(all, fact{"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY", "for the bucket; or ~/.aws"})
		}
	case "gs":
		if !src.Anonymous {
			all = append(all, fact{"GOOGLE_APPLICATION_CREDENTIALS", "for the bucket; or gcloud auth login"})
		}
	}
	return given(all)
}

func (p *plan) keysToOpen() []fact {
	d := p.Drill.Source.Decrypt
	if d == nil {
		return nil
	}
	key := "the private key of " + strconv.Quote(p.Report.Backup.Key)
	if p.Report.Backup.Key == "" {
		key = "a private key"
	}
	all := []fact{
		{d.AgeIdentityEnv, "age: " + key}, {d.AgeIdentityFile, "a file, age: " + key},
		{d.AgePassphraseEnv, "age: the passphrase"}, {d.OpenPGPKeyEnv, "OpenPGP: " + key},
		{d.OpenPGPKeyFile, "a file, OpenPGP: " + key}, {d.OpenPGPPassphraseEnv, "OpenPGP: the passphrase"},
	}
	for _, name := range d.Env {
		all = append(all, fact{name, "for the program that decrypts"})
	}
	return all
}

// given are the facts whose name is known.
func given(all []fact) (some []fact) {
	for _, f := range all {
		if f.What != "" {
			some = append(some, f)
		}
	}
	return some
}
