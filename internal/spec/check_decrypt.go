package spec

import "path/filepath"

// Decrypt is what opens encrypted backups. What is not declared is nil or empty;
// so is what variables hold where secrets are left alone.
type Decrypt struct {
	AgeIdentity       Key
	AgeIdentityFile   string // absolute, or relative to where the drill runs if its file's path is
	AgePassphrase     Key
	OpenPGPKey        Key
	OpenPGPKeyFile    string // as AgeIdentityFile
	OpenPGPPassphrase Key    // of the key, and of what was encrypted by a passphrase alone
	Command           []string
	Env               []string // names of variables that the command gets

	// names of the variables that hold the keys
	AgeIdentityEnv, AgePassphraseEnv, OpenPGPKeyEnv, OpenPGPPassphraseEnv string
}

// decrypt reads the keys that variables hold. No value is ever repeated.
func (c checker) decrypt(raw *rawDecrypt) *Decrypt {
	if raw == nil {
		return nil
	}
	d := &Decrypt{
		AgeIdentity:       c.decryptKey(raw.AgeIdentityEnv, "age_identity_env"),
		AgeIdentityFile:   c.keyFile(raw.AgeIdentityFile, "age_identity_file"),
		AgePassphrase:     c.decryptKey(raw.AgePassphraseEnv, "age_passphrase_env"),
		OpenPGPKey:        c.decryptKey(raw.OpenPGPKeyEnv, "openpgp_key_env"),
		OpenPGPKeyFile:    c.keyFile(raw.OpenPGPKeyFile, "openpgp_key_file"),
		OpenPGPPassphrase: c.decryptKey(raw.OpenPGPPassphraseEnv, "openpgp_passphrase_env"),
		Command:           c.command(raw),

		AgeIdentityEnv: raw.AgeIdentityEnv.Value, AgePassphraseEnv: raw.AgePassphraseEnv.Value,
		OpenPGPKeyEnv: raw.OpenPGPKeyEnv.Value, OpenPGPPassphraseEnv: raw.OpenPGPPassphraseEnv.Value,
	}
	for _, name := range raw.Env {
		c.decryptKey(name, "env")
		d.Env = append(d.Env, name.Value)
	}
	c.oneKey(raw.AgeIdentityEnv, raw.AgeIdentityFile, "age_identity")
	c.oneKey(raw.OpenPGPKeyEnv, raw.OpenPGPKeyFile, "openpgp_key")
	c.decryptedBy(raw)
	return d
}

// keys are those of the drill file that name a key.
func (raw *rawDecrypt) keys() []text {
	return []text{raw.AgeIdentityEnv, raw.AgeIdentityFile, raw.AgePassphraseEnv, raw.OpenPGPKeyEnv, raw.OpenPGPKeyFile,
		raw.OpenPGPPassphraseEnv}
}

// decryptedBy refuses a section that nothing is decrypted by, or two things.
func (c checker) decryptedBy(raw *rawDecrypt) {
	given := false
	for _, key := range raw.keys() {
		given = given || key.given()
		if key.given() && raw.Command != nil {
			c.refuse(key.at, "remove it, or the command; a command gets variables by source.decrypt.env",
				"source.decrypt has a command and a key beside it, and the command gets every backup")
			return
		}
	}
	switch {
	case !given && raw.Command == nil:
		c.refuse(raw.at, "name a key, such as age_identity_env: DRILL_AGE_IDENTITY, or a command",
			"source.decrypt names nothing that decrypts")
	case raw.Command == nil && len(raw.Env) > 0:
		c.refuse(raw.Env[0].at, "remove it", "source.decrypt.env is for a command, and there is none")
	}
}

// oneKey refuses a key that is named twice.
func (c checker) oneKey(env, file text, key string) {
	if env.given() && file.given() {
		c.refuse(file.at, "keep one of them", "source.decrypt has %s_env and %s_file", key, key)
	}
}

// decryptKey reads the secret that a variable holds.
func (c checker) decryptKey(name text, key string) Key {
	value := c.secret(name, "source.decrypt."+key, "DRILL_BACKUP_KEY", "set it to what decrypts the backups")
	if value == "" || c.loader.WithoutSecrets {
		return nil
	}
	return Key(value)
}

// keyFile is the path of a key's file, which is relative to the drill file.
func (c checker) keyFile(t text, key string) string {
	path := c.filled(t, "source.decrypt."+key, "write the file's path, or remove it")
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.folder, path)
}

// command is a program and its arguments.
func (c checker) command(raw *rawDecrypt) (args []string) {
	if raw.Command == nil {
		return nil
	}
	for _, arg := range raw.Command {
		args = append(args, arg.Value)
	}
	if len(args) == 0 || args[0] == "" {
		c.refuse(raw.at, "write the program and its arguments, such as [gpg, --batch, --decrypt]",
			"source.decrypt.command names no program")
	}
	return args
}
