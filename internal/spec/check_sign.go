package spec

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"unicode"
)

const (
	signKeyHint  = `set it to what "openssl genpkey -algorithm ed25519" prints, the lines of BEGIN and END too`
	mostControls = 50
	mostControl  = 100 // bytes of one
)

// sign is what signs reports for others, and what they are evidence of.
func (c checker) sign(raw *rawSign) Sign {
	if raw == nil {
		return Sign{}
	}
	if len(raw.Controls) > mostControls {
		c.refuse(raw.Controls[mostControls].at, "name those that somebody asks for",
			"sign.controls: %d are more than %d", len(raw.Controls), mostControls)
	}
	s := Sign{KeyEnv: raw.KeyEnv.Value, Key: c.signingKey(raw.KeyEnv)}
	seen := map[string]bool{}
	for _, t := range raw.Controls {
		name := strings.TrimSpace(t.Value)
		switch {
		case name == "" || len(name) > mostControl || strings.ContainsFunc(name, unicode.IsControl):
			c.refuse(t.at, `write its name as auditors do, such as "ISO 27001 A.8.13"`,
				"sign.controls: %s is no name of a control", shown(t.Value))
		case seen[name]:
			c.refuse(t.at, "keep one of them", "sign.controls: %s stands there twice", shown(name))
		}
		seen[name] = true
		s.Controls = append(s.Controls, name)
	}
	return s
}

// signingKey reads the private key that a variable holds. Nothing of it is ever
// repeated.
func (c checker) signingKey(name text) Key {
	const key = "sign.key_env"
	value := c.secret(name, key, "DRILL_SIGNING_KEY", signKeyHint)
	if value == "" {
		return nil
	}
	private := ed25519Of(value)
	if private == nil {
		c.refuse(name.at, signKeyHint,
			"%s: the environment variable %s does not hold an ed25519 private key in PEM (PKCS#8)", key, name.Value)
	}
	return Key(private)
}

// ed25519Of is the private key in a PEM, be its lines written with \n as files of
// variables have them; nil where there is none.
func ed25519Of(text string) ed25519.PrivateKey {
	block, _ := pem.Decode([]byte(strings.TrimSpace(strings.ReplaceAll(text, `\n`, "\n"))))
	if block == nil {
		return nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil
	}
	private, _ := parsed.(ed25519.PrivateKey)
	return private
}
