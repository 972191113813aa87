package runbook

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"daybefore/internal/program"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// variable is the shell's, that holds the name of a part.
func (p *plan) variable(i int) string {
	if len(p.by.Parts) == 1 {
		return "BACKUP"
	}
	return fmt.Sprintf("PART%d", i+1)
}

// file is what a part is called after so many ciphers and codecs are off.
func (p *plan) file(i, off int) string {
	if len(p.by.Parts) == 1 {
		return fmt.Sprintf("backup.%d", off)
	}
	return fmt.Sprintf("part%d.%d", i+1, off)
}

// begin names what the other commands are about, in a folder that nobody else reads.
func (p *plan) begin() []string {
	lines := []string{"umask 077", "mkdir -p recovery", "cd recovery",
		fmt.Sprintf(`PATH="$PATH:/usr/lib/postgresql/%d/bin"`, p.Report.Sandbox.Major()), // Debian links no pg_amcheck
		"export PGDATABASE=" + program.ShellWord(p.database())}
	for i, part := range p.by.Parts {
		lines = append(lines, p.variable(i)+"="+program.ShellWord(part.Name))
	}
	return lines
}

// fetch brings each part here.
func (p *plan) fetch() (lines []string, err error) {
	for i, part := range p.by.Parts {
		commands, err := p.fetchPart(i, part)
		if err != nil {
			return nil, err
		}
		lines = append(lines, commands...)
	}
	return lines, nil
}

func (p *plan) fetchPart(i int, part verdict.Part) ([]string, error) {
	src := p.Drill.Source
	to := p.file(i, 0)
	if p.Fetch != nil {
		words, err := p.Fetch(part.Name)
		if err != nil {
			return nil, err
		}
		return []string{line(words...) + " >" + to}, nil
	}
	if src.URLEnv != "" {
		given := `printf 'url = "%s"\n' "$` + src.URLEnv + `"`
		return []string{given + " | curl --config - --fail --location --output " + to}, nil
	}
	u, err := url.Parse(p.Report.Backup.Store)
	if err != nil {
		return nil, fmt.Errorf("the report names no place of the backups")
	}
	name := `"$` + p.variable(i) + `"`
	switch u.Scheme {
	case "file":
		// L: a link would lead from here to nowhere.
		return []string{"cp -RL -- " + program.ShellWord(slashed(u.Path)) + name + " " + to}, nil
	case "s3":
		return fromS3(src, program.ShellWord(slashed("s3://"+u.Host+u.Path))+name, to, part.Folder), nil
	case "gs":
		return fromGoogle(src, program.ShellWord(slashed("gs://"+u.Host+u.Path))+name, to, part.Folder), nil
	case "sftp":
		return []string{fromSFTP(src, u, part, name) + " " + to}, nil
	}
	return []string{fromWeb(src, u, part, to)}, nil
}

func slashed(folder string) string { return strings.TrimSuffix(folder, "/") + "/" }

func fromS3(src spec.Source, from, to string, folder bool) []string {
	var lines []string
	words := []string{"aws", "s3", "cp", "--only-show-errors"}
	for _, o := range [][2]string{
		{"--endpoint-url", src.Endpoint}, {"--region", src.Region}, {"--profile", src.Profile},
	} {
		if o[1] != "" {
			words = append(words, o[0], o[1])
		}
	}
	if src.Anonymous {
		words = append(words, "--no-sign-request")
	}
	if src.PathStyle {
		lines = append(lines, note("this server wants the bucket in the path; where its host's name is not found, run"),
			note("aws configure set default.s3.addressing_style path"))
	}
	if folder {
		return append(lines, line(append(words, "--recursive")...)+" "+from+"/ "+to+"/")
	}
	return append(lines, line(words...)+" "+from+" "+to)
}

func fromGoogle(src spec.Source, from, to string, folder bool) []string {
	var lines []string
	if src.Endpoint != "" {
		lines = append(lines, note("the bucket is on another server than Google's: %s", src.Endpoint))
	}
	if folder {
		return append(lines, "mkdir "+to, "gsutil cp -r "+from+"/'*' "+to+"/")
	}
	return append(lines, "gsutil cp "+from+" "+to)
}

// fromSFTP escapes a path once more where it is no plain word: sftp reads it as a
// line of its own.
func fromSFTP(src spec.Source, u *url.URL, part verdict.Part, name string) string {
	words := []string{"sftp"}
	if part.Folder {
		words = append(words, "-r")
	}
	if port := u.Port(); port != "" {
		words = append(words, "-P", port)
	}
	if src.KeyFile != "" {
		words = append(words, "-i", src.KeyFile)
	}
	if src.KnownHosts != "" {
		words = append(words, "-o", "UserKnownHostsFile="+src.KnownHosts)
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.User != nil {
		host = u.User.Username() + "@" + host
	}
	dir := slashed(u.Path)
	if program.ShellWord(dir+part.Name) == dir+part.Name {
		return line(words...) + " " + program.ShellWord(host+":"+dir) + name
	}
	return line(words...) + " " + program.ShellWord(host+":") + `"$(printf '%s' ` + program.ShellWord(dir) + name +
		` | sed 's/[^A-Za-z0-9_./-]/\\&/g')"`
}

// fromWeb keeps what authenticates out of the list of processes.
func fromWeb(src spec.Source, u *url.URL, part verdict.Part, to string) string {
	where := *u
	where.Path = path.Join("/", u.Path, part.Name)
	if !strings.HasSuffix(u.Path, "/") && path.Base(u.Path) == part.Name { // the URL of one file
		where.Path = u.Path
	}
	from := program.ShellWord(where.String())
	if part.Folder {
		return "wget --recursive --no-parent --no-directories --directory-prefix=" + to + " " + from + "/"
	}
	get := "curl --fail --location --output " + to + " " + from
	switch {
	case src.TokenEnv != "":
		return `printf 'Authorization: Bearer %s\n' "$` + src.TokenEnv + `" | ` + get + " --header @-"
	case src.PasswordEnv != "":
		return `printf 'Authorization: Basic %s\n' "$(printf '%s:%s' ` + program.ShellWord(src.User) + ` "$` +
			src.PasswordEnv + `" | base64 -w 0)" | ` + get + " --header @-"
	}
	return get
}

// sums compare what came with what was drilled.
func (p *plan) sums() []string {
	sum := p.Report.Backup.SHA256
	if sum == "" {
		return nil
	}
	if len(p.by.Parts) == 1 && !p.by.Parts[0].Folder {
		return []string{"echo '" + sum + "  " + p.file(0, 0) + "' | sha256sum -c -"}
	}
	names := p.namesInSum()
	var each []string
	for i, part := range p.by.Parts {
		if part.Folder {
			within := sumOf(`"$f"`, program.ShellWord(names[i])+`"${f##*/}"`)
			each = append(each, "for f in "+p.file(i, 0)+"/*; do "+within+"; done")
			continue
		}
		each = append(each, sumOf(p.file(i, 0), program.ShellWord(names[i])))
	}
	return []string{"{ " + strings.Join(each, "; ") + "; } | sha256sum | grep '^" + sum + " '"}
}

// sumOf is how sha256sum would tell of a file under another name.
func sumOf(file, name string) string {
	return `printf '%s  %s\n' "$(sha256sum <` + file + ` | cut -d ' ' -f 1)" ` + name
}

// namesInSum are the parts' names without the folders that all have in common; of
// a folder it ends in a slash, where anything is left of it.
func (p *plan) namesInSum() []string {
	var all []string
	for _, part := range p.by.Parts {
		name := part.Name
		if part.Folder {
			name += "/"
		}
		all = append(all, name)
	}
	common := path.Dir(all[0]+"x") + "/"
	for slices.ContainsFunc(all, func(name string) bool { return !strings.HasPrefix(name, common) }) {
		common = slashed(path.Dir(strings.TrimSuffix(common, "/")))
		if common == "./" {
			return all
		}
	}
	for i, name := range all {
		all[i] = strings.TrimPrefix(name, common)
	}
	return all
}
