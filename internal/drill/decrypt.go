package drill

import (
	"fmt"

	"daybefore/internal/crypt"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// keysOf reads the keys that the drill file names; nil for none.
func keysOf(d *spec.Decrypt) (*crypt.Keys, error) {
	if d == nil {
		return nil, nil
	}
	return crypt.NewKeys(crypt.Declared{
		AgeIdentity: d.AgeIdentity, AgeIdentityFile: d.AgeIdentityFile, AgePassphrase: d.AgePassphrase,
		OpenPGPKey: d.OpenPGPKey, OpenPGPKeyFile: d.OpenPGPKeyFile, OpenPGPPassphrase: d.OpenPGPPassphrase,
		Command: d.Command, Env: d.Env,
	})
}

// judgeKey compares how this backup is encrypted with the last drill that passed.
// A backup for another key is as good as any other, as long as somebody holds
// that key: it is told, and no more. Without a past there is nothing to compare.
func (r *run) judgeKey() {
	if len(r.Past.Passing) == 0 || r.Past.Problem != nil {
		return
	}
	b := r.report.Backup
	last := r.Past.Passing[0].Backup
	if b.Encryption == "" && last.Encryption == "" {
		return
	}
	c := verdict.Check{ID: "encryption_key", Stage: verdict.StageFetch, Code: verdict.CodeEncryptionKey,
		Expected: "encrypted as at the last drill that passed: " + encrypted(last), Observed: encrypted(b)}
	c.Outcome = verdict.Pass
	if b.Encryption != last.Encryption || b.Key != last.Key {
		c.Outcome = verdict.Warn
		c.Message = fmt.Sprintf("the backup is encrypted otherwise than that of run %s", r.Past.Passing[0].Run)
		c.Hint = "if the key was changed on purpose, see that it is kept where it is found when it is needed; the next " +
			"drill compares with this one"
		if b.Encryption == "" {
			c.Hint = "the backup job encrypts no longer: whoever reads the store reads the data"
		}
	}
	r.checks(c)
}

// encrypted says how a backup is encrypted, as a report has it.
func encrypted(b verdict.Backup) string {
	switch {
	case b.Encryption == "":
		return "not encrypted"
	case b.Key == "":
		return b.Encryption
	}
	return b.Encryption + ", key " + b.Key
}
