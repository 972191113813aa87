package archive

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"daybefore/internal/crypt"
	"daybefore/internal/packed"
)

// NoteName is the id of the note that a backup's name contradicts its content,
// by which alone it is read.
const NoteName = "backup_name"

// cipherSuffixes are those that names of encrypted files end with, and the cipher
// that they mean; empty for any.
var cipherSuffixes = map[string]string{
	".age": "age", ".gpg": "openpgp", ".pgp": "openpgp", ".asc": "openpgp", ".enc": "",
}

// formatSuffixes are those that tell formats, with the ones that may stand there.
// ".dump" is none of them: people call any dump so, a plain one too.
var formatSuffixes = map[string][]Format{
	".sql":    {Plain},
	".custom": {Custom},
	".tar":    {Tar},
}

// tarSuffixes stand for two.
var tarSuffixes = []string{".tgz", ".txz", ".tbz", ".tbz2", ".tzst", ".tlz4"}

// noteName notes a name that says something else than the content does. What lies
// around the archive is named from the outside in.
func (a *Archive) noteName(name, around string) {
	claims, formats, said := claimed(name)
	var links []string
	if around != "" {
		links = strings.Split(around, " around ")
	}
	for i, claim := range claims {
		if i >= len(links) {
			a.misnamed(name, claim, "it is not")
			return
		}
		cipher := !slices.ContainsFunc(packed.Codecs, func(c packed.Codec) bool { return c.Name == links[i] })
		if links[i] != claim && !(claim == "" && cipher) && links[i] != crypt.CommandName {
			a.misnamed(name, claim, "it is "+links[i])
			return
		}
	}
	if formats != nil && !slices.Contains(formats, a.Format) {
		a.Notes = append(a.Notes, Note{ID: NoteName,
			Message: fmt.Sprintf("its name ends with %s, and it is a dump in %s format", said, a.Format),
			Hint:    renameHint})
	}
}

const renameHint = "it was read as what it is; let the backup job name its files after what it writes, since people " +
	"who restore by hand go by the name"

func (a *Archive) misnamed(name, claim, is string) {
	if claim == "" {
		claim = "encrypted"
	}
	a.Notes = append(a.Notes, Note{ID: NoteName,
		Message: fmt.Sprintf("its name says %s (%s), and %s", claim, path.Ext(name), is), Hint: renameHint})
}

// claimed is what a name says: what lies around the archive, from the outside in,
// and the formats that its suffix may mean.
func claimed(name string) (around []string, formats []Format, said string) {
	name = strings.ToLower(path.Base(name))
	for {
		ext := path.Ext(name)
		name = strings.TrimSuffix(name, ext)
		cipher, is := cipherSuffixes[ext]
		if is {
			around = append(around, cipher)
			continue
		}
		i := slices.IndexFunc(packed.Codecs, func(c packed.Codec) bool { return slices.Contains(c.Suffixes, ext) })
		if i < 0 || ext == "" {
			return around, formatSuffixes[ext], ext
		}
		around = append(around, packed.Codecs[i].Name)
		if slices.Contains(tarSuffixes, ext) {
			return around, []Format{Tar}, ext
		}
	}
}
