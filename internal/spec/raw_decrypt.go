package spec

// rawDecrypt says what opens encrypted backups.
type rawDecrypt struct {
	mapping
	AgeIdentityEnv       text   `json:"age_identity_env,omitempty"`
	AgeIdentityFile      text   `json:"age_identity_file,omitempty"`
	AgePassphraseEnv     text   `json:"age_passphrase_env,omitempty"`
	OpenPGPKeyEnv        text   `json:"openpgp_key_env,omitempty"`
	OpenPGPKeyFile       text   `json:"openpgp_key_file,omitempty"`
	OpenPGPPassphraseEnv text   `json:"openpgp_passphrase_env,omitempty"`
	Command              []text `json:"command,omitempty"`
	Env                  []text `json:"env,omitempty"`
}
