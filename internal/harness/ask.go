package harness

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"daybefore/internal/setup"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// fillIn asks for what is missing, and refuses what cannot be.
func (h *Home) fillIn(o *InitOptions) error {
	if o.Name == "" && o.URL == "" {
		o.URL = h.ask("Where are the backups (s3://bucket/prefix/, gs://, sftp://, https://, or a folder)?", "")
	}
	if o.Name == "" && o.URL != "" {
		o.Name = h.ask("What shall the drill be called?", nameFor(o.URL))
	}
	if o.Name == "" {
		return cannot("init: -name is missing, and there is no terminal to ask at: write %s",
			command("init -url=s3://shop-backups/nightly/ -name=shop"))
	}
	file, _, _ := strings.Cut(o.Name, "@") // of one of several databases
	switch {
	case file == "defaults":
		return cannot("init -name=%s: drills/defaults.yaml holds what all drills share; call the drill otherwise",
			shell(o.Name))
	case !spec.IsDrillName(file):
		return cannot("init -name=%s: a drill's name holds small letters, digits, _ and - only", shell(o.Name))
	}
	_, err := os.Lstat(h.drillFile(o.Name))
	switch {
	case err == nil:
		return nil // the file says where its backups are
	case file != o.Name:
		return cannot("init -name=%s: there is no %s yet; leave @ and what follows out",
			shell(o.Name), h.drillFile(o.Name))
	}
	if o.URL == "" {
		o.URL = h.ask("Where are the backups (s3://bucket/prefix/, gs://, sftp://, https://, or a folder)?", "")
	}
	if o.URL == "" {
		return cannot("init %s: -url is missing, and there is no terminal to ask at: write %s", o.Name,
			command("init -url=s3://shop-backups/nightly/ -name="+o.Name))
	}
	o.URL = storeURL(o.URL)
	return nil
}

// storeURL makes a URL of a folder's path, as a person at a shell gives one.
func storeURL(given string) string {
	if strings.Contains(given, ":") {
		return given
	}
	dir, err := filepath.Abs(given)
	if err != nil {
		return given
	}
	return "file://" + strings.TrimSuffix(filepath.ToSlash(dir), "/") + "/"
}

// nameFor is what a drill of a store may be called: as its last folder that names
// more than when.
func nameFor(url string) string {
	common := []string{"", ".", "backups", "backup", "nightly", "daily", "dumps", "db", "postgres", "prod"}
	dir := strings.TrimSuffix(url, "/")
	for range 3 {
		base := strings.Trim(strings.ToLower(path.Base(dir)), "-_")
		base = strings.TrimSuffix(strings.TrimSuffix(base, "-backups"), "-backup")
		if !slices.Contains(common, base) && spec.IsDrillName(base) {
			return base
		}
		dir = path.Dir(dir)
	}
	return ""
}

// choosePattern is the pattern to be drilled; a person is asked where nothing decides.
func (h *Home) choosePattern(held *setup.Holdings, o InitOptions) (*setup.Found, error) {
	chosen, err := held.Choose(o.Name, o.Pattern)
	var several *setup.Several
	if !errors.As(err, &several) || h.Answers == nil {
		return chosen, err
	}
	for i, f := range several.Found {
		fmt.Fprintf(h.Stderr, "  %d  %s\n", i+1, verdict.Printable(f.Name))
	}
	n, bad := strconv.Atoi(h.ask("Which of them (a number)?", "1"))
	if bad != nil || n < 1 || n > len(several.Found) {
		return nil, several
	}
	return several.Found[n-1], nil
}

// askKey asks for the key of encrypted backups, where none is declared.
func (h *Home) askKey(src *setup.Source, chosen *setup.Found) error {
	key := chosen.KeyWanted()
	if key == "" || strings.Contains(src.Source, "decrypt") {
		return nil
	}
	variable := h.ask("The backups are encrypted. Which environment variable holds the key (its name)?", "")
	if variable == "" {
		return verdict.Errorf(verdict.CodeDecrypt, fmt.Sprintf("put the key into an environment variable, and add "+
			"-source='decrypt: {%s: ITS_NAME}'", key), "look into %s: %w", verdict.Printable(chosen.Newest.Name), chosen.Err)
	}
	src.Source = strings.TrimPrefix(src.Source+", decrypt: {"+key+": "+variable+"}", ", ")
	return nil
}

// ask asks a person at a terminal; it is otherwise where nobody is there, or says nothing.
func (h *Home) ask(line, otherwise string) string {
	if h.Answers == nil {
		return ""
	}
	if otherwise != "" {
		line += " [" + otherwise + "]"
	}
	fmt.Fprint(h.Stderr, line+" ")
	answer, err := bufio.NewReader(oneByte{h.Answers}).ReadString('\n')
	answer = strings.TrimSpace(answer)
	if answer == "" && err == nil {
		return otherwise
	}
	return answer
}

// oneByte reads no further than it is asked to: what follows answers the next question.
type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }
