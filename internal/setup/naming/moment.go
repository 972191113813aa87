package naming

import (
	"strings"
	"time"
)

// moments are the ways in which a time is written, by their shape: the digits
// made 0.
var moments = func() map[string]string {
	all := map[string]string{}
	add := func(layout string) {
		at := time.Date(2026, time.November, 29, 17, 48, 59, 0, time.UTC).Format(layout)
		again, err := time.Parse(layout, at)
		if err == nil && again.Format(layout) == at {
			all[shape(at)] = layout
		}
	}
	for _, between := range []string{"", "-", "_", ".", "/"} {
		date := "2006" + between + "01" + between + "02"
		add(date)
		for _, joint := range []string{"", "T", "t", "_", "-", ".", " ", "/", "--", "_at_", "-at-"} {
			for _, colon := range []string{"", ":", "-", "_", ".", "h"} {
				minute := date + joint + "15" + colon + "04"
				for _, clock := range []string{minute, minute + colon + "05"} {
					for _, zone := range []string{"", "Z", "UTC", "_UTC", "-0700", "-07:00"} {
						add(clock + zone)
					}
				}
			}
		}
	}
	return all
}()

// longest and shortest are how long a time may be, as written.
var longest, shortest = func() (most, least int) {
	least = len("20060102")
	for s := range moments {
		most = max(most, len(s))
	}
	return most, least
}()

// shape is a text with its digits made 0, and the sign of a zone a plus.
func shape(s string) string {
	b := []byte(s)
	for i, c := range b {
		if isDigit(c) {
			b[i] = '0'
		}
	}
	return string(b)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// found is a time within a name.
type found struct {
	from, to int
	layout   string
	at       time.Time // as if in UTC, where it tells no zone
}

// momentAt is the longest time that begins at a place of a name. What goes on
// with a digit is another number.
func momentAt(name string, from int) (f found, ok bool) {
	century := strings.HasPrefix(name[from:], "19") || strings.HasPrefix(name[from:], "20")
	if !century || from > 0 && isDigit(name[from-1]) {
		return f, false
	}
	rest := name[from:min(len(name), from+longest)]
	like := shape(rest)
	for n := len(rest); n >= shortest; n-- {
		layout, known := moments[like[:n]]
		if !known && n > 5 { // a zone west of Greenwich
			layout, known = moments[like[:n-5]+strings.Replace(like[n-5:n], "-", "+", 1)]
		}
		if !known || from+n < len(name) && isDigit(name[from+n]) {
			continue
		}
		at, err := time.Parse(layout, rest[:n])
		if err == nil {
			return found{from: from, to: from + n, layout: layout, at: at.UTC()}, true
		}
	}
	return f, false
}

// momentsIn are the times that a name holds, from the left.
func momentsIn(name string) (all []found) {
	for i := 0; i < len(name); i++ {
		if !isDigit(name[i]) {
			continue
		}
		f, ok := momentAt(name, i)
		if ok {
			all = append(all, f)
			i = f.to - 1
		}
	}
	return all
}
