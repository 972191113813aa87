package image

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"unicode"
)

// findMirror asks apt which Debian archive this machine installs from; a host
// in the source would be wrong for somebody.
func findMirror(ctx context.Context) (string, error) {
	path, err := exec.LookPath("apt-get")
	if err != nil {
		return "", errors.New(
			"apt is not installed, so no Debian mirror is known: run this on Debian, or name a mirror",
		)
	}
	// The label keeps out the security archive, which has no base system, and
	// everybody else's repositories.
	out, err := exec.CommandContext(ctx, path, "indextargets", "--format", "$(REPO_URI)",
		"Created-By: Packages", "Label: Debian", "Component: main").Output()
	if err != nil {
		return "", commandError(ctx, "apt-get indextargets", err, "")
	}
	return pickMirror(string(out), os.ReadFile)
}

// pickMirror takes the first usable of the URIs that apt listed, one a line.
// Cloud images of Debian name a file of mirrors instead of a mirror.
func pickMirror(listed string, readFile func(string) ([]byte, error)) (string, error) {
	var refused error
	for uri := range strings.Lines(listed) {
		uri = strings.TrimSpace(uri)
		if uri == "" {
			continue
		}
		if path, ok := strings.CutPrefix(uri, "mirror+file:"); ok {
			uri = firstOfMirrorList(path, readFile)
		}
		mirror, err := checkMirror(uri)
		if err == nil {
			return mirror, nil
		}
		refused = errors.Join(refused, err)
	}
	if refused != nil {
		return "", fmt.Errorf("no mirror of apt's can be used: %w", refused)
	}
	return "", errors.New("apt knows no Debian mirror: run apt-get update on Debian, or name a mirror")
}

// firstOfMirrorList gives the first URI of an apt-transport-mirror(1) list, or
// "" where there is none.
func firstOfMirrorList(path string, readFile func(string) ([]byte, error)) string {
	list, err := readFile("/" + strings.TrimLeft(path, "/"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(list)) {
		if fields := strings.Fields(line); len(fields) > 0 && !strings.HasPrefix(fields[0], "#") {
			return fields[0]
		}
	}
	return ""
}

// checkMirror refuses what debootstrap, or apt inside the new root, could not
// read, and what must not be left in an image.
func checkMirror(uri string) (string, error) {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		// url.Error quotes the whole URI, password and all.
		return "", errors.New("a mirror is not a URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", fmt.Errorf("mirror %q is not an http or https URL", u.Redacted())
	case u.User != nil:
		return "", fmt.Errorf("mirror %q carries credentials, which would be left in the image", u.Redacted())
	case strings.ContainsFunc(u.String(), notPlain):
		return "", fmt.Errorf("mirror %q contains a space or a non-ASCII character", u.Redacted())
	}
	return u.String(), nil
}

// notPlain tells what would end an argument, or a field of sources.list, and
// letters beyond ASCII, which are not percent-encoded in a host or a query.
func notPlain(r rune) bool { return r <= ' ' || r > unicode.MaxASCII }
