package setup

import (
	"errors"
	"regexp"
	"strings"

	"daybefore/internal/spec"
)

// keyOfOption is a key that an option of init gives.
var keyOfOption = regexp.MustCompile(`\b(source|sandbox)\.([a-z][a-z_.]*[a-z])`)

// optionOf is what gave a key: an option alone, or with the key's own name.
func optionOf(section, key string) (option, within string) {
	switch section + "." + key {
	case "source.url":
		return "-url", ""
	case "source.name":
		return "-pattern", ""
	}
	return "-" + section, key
}

// InOptions is what a message says of keys, for a person who gave options and has no
// drill file yet.
func InOptions(text string) string {
	return keyOfOption.ReplaceAllStringFunc(text, func(found string) string {
		section, key, _ := strings.Cut(found, ".")
		option, within := optionOf(section, key)
		if within != "" {
			return within + " of " + option
		}
		return option
	})
}

// Refused are mistakes in what a person gave as options. Those of the defaults keep
// their places.
type Refused struct{ spec.Mistakes }

// refused names the options in mistakes of a drill file that is not there yet.
func refused(path string, err error) error {
	all, ok := errors.AsType[spec.Mistakes](err)
	if !ok {
		return err
	}
	told := Refused{}
	for _, m := range all {
		if m.File == path {
			m = inOption(m)
		}
		told.Mistakes = append(told.Mistakes, m)
	}
	return told
}

var aboutKey = regexp.MustCompile(`^("?)(source|sandbox)\.([a-z][a-z_.]*[a-z])("?:?) `)

// inOption is a mistake that stands at an option instead of a line: what is wrong
// with "source.url" is wrong with -url.
func inOption(m spec.Mistake) spec.Mistake {
	m.File, m.Line, m.Column = "the options", 0, 0
	parts := aboutKey.FindStringSubmatch(m.Message)
	if parts != nil {
		option, within := optionOf(parts[2], parts[3])
		rest := strings.TrimPrefix(m.Message, parts[0])
		m.File = option
		switch {
		case within != "":
			m.Message = parts[1] + within + parts[4] + " " + rest
		case strings.HasSuffix(parts[4], ":"):
			m.Message = rest
		default:
			m.Message = "it " + rest
		}
	}
	m.Message, m.Hint = InOptions(m.Message), InOptions(m.Hint)
	return m
}
