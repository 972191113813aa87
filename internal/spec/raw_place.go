package spec

// rawExec is a place that a program reaches.
type rawExec struct {
	mapping
	Preset     text   `json:"preset,omitempty" jsonschema:"enum=restic,enum=borg,enum=rclone"`
	Repository text   `json:"repository,omitempty"`
	File       text   `json:"file,omitempty"`
	Args       []text `json:"args,omitempty"`
	List       []text `json:"list,omitempty"`
	Fetch      []text `json:"fetch,omitempty"`
	Env        []text `json:"env,omitempty"`
}

func init() {
	for key, meaning := range map[string]string{
		"URL": "where the backups lie: file:///dir/, file:dir/ (relative to the drill file), s3://bucket/prefix/, " +
			"gs://bucket/prefix/, sftp://user@host/dir/, https://host/dir/ (a page that lists its files) or " +
			"https://host/file (one file)",
		"URLEnv": "https: environment variable with the URL of one file, such as a presigned one; instead of url",
		"Exec":   "program that lists and fetches the backups; instead of url",
		"Listing": "https: file below url that lists the backups: names, lines of name size time, or JSON " +
			"(default the server's own page)",
		"TokenEnv":         "https: environment variable with a bearer token",
		"User":             "https: user of basic authentication",
		"PasswordEnv":      "https and sftp: environment variable with the password",
		"KeyFile":          "sftp: private key (default the agent, ~/.ssh/config and ~/.ssh/id_*)",
		"KeyPassphraseEnv": "sftp: environment variable with the private key's passphrase",
		"KnownHosts": "sftp: file with the server's public keys (default ~/.ssh/known_hosts and " +
			"/etc/ssh/ssh_known_hosts)",
		"Insecure": "https: allow http:// to another machine, where anybody on the way reads and changes what passes",
	} {
		described["rawSource"][key] = meaning
	}
	described["rawExec"] = map[string]string{
		"Preset":     "program whose words are known, instead of list and fetch",
		"Repository": "preset: the repository; rclone: the remote, such as azure:container/dir",
		"File":       "restic and borg: the backup's path in a snapshot; a folder is fetched as a tar by restic",
		"Args":       "preset: further options of the program",
		"List": "program and arguments that write the backups' names: a name a line, name size time, or JSON; " +
			"nothing goes through a shell",
		"Fetch": "program and arguments that write the backup {name} to standard output",
		"Env":   "environment variables that the program gets, besides PATH, HOME and the like",
	}
}
