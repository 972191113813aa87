package place

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseList(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		told bool
		want string // name size unix/ for each
	}{
		"nothing":              {"\n \n", false, ""},
		"names":                {"a b.dump\r\nc.dump", false, "a b.dump -1 0, c.dump -1 0"},
		"a name with a number": {"shop 12", false, "shop 12 -1 0"},
		"size and time":        {"a b.dump 12 2026-11-20T03:00:00Z\nc 0\t1795143600.5\n", true, "a b.dump 12 1795143600, c 0 1795143600"},
		"size and a zone":      {"a 1 2026-11-20 04:00:00 +0100", true, "a 1 1795143600"},
		"half with size":       {"a 1 2026-11-20T03:00:00Z\nerror: no more", false, "a 1 2026-11-20T03:00:00Z -1 0, error: no more -1 0"},
		"an empty array":       {" [ ]", true, ""},
		"null":                 {"null\n", true, ""},
		"names in an array":    {`["a","b\nc"]`, true, "a -1 0, b\nc -1 0"},
		"rclone": {`[{"Path":"d/a","Name":"a","Size":3,"MimeType":"x","ModTime":"2026-11-20T03:00:00.1Z","IsDir":false},
			{"Path":"d","Name":"d","Size":-1,"IsDir":true}]`, true, "d/a 3 1795143600, d -1 0/"},
		"JSON lines": {"{\"name\":\"a\",\"size\":\"7\",\"time\":1795143600}\n{\"name\":\"b\"}\n", true, "a 7 1795143600, b -1 0"},
		"borg":       {`{"archives":[{"archive":"x","name":"x","start":"2026-11-20T03:00:00.000000"}],"repository":{"id":"1"}}`, true, "x -1 1795143600"},
		"S3's API":   {`{"Contents":[{"Key":"p/a","Size":5,"LastModified":"2026-11-20T03:00:00+00:00"}],"Prefix":""}`, true, "p/a 5 1795143600"},
		"WAL-G":      {`[{"backup_name":"base_1","modified":"2026-11-20T03:00:00Z","wal_file_name":"w"}]`, true, "base_1 -1 1795143600"},
		"nginx": {`[{"name":"a","type":"file","mtime":"Fri, 20 Nov 2026 03:00:00 GMT","size":4},{"name":"d","type":"directory"}]`, true,
			"a 4 1795143600, d -1 0/"},
		"a mark": {"\ufeff[\"a\"]", true, "a -1 0"},
	} {
		all, told, err := parseList([]byte(tc.text))
		if err != nil || told != tc.told {
			t.Errorf("%s: told %v, %v", name, told, err)
		}
		var got []string
		for _, e := range all {
			text := fmt.Sprintf("%s %d %d", e.name, e.size, max(0, e.time.Unix()))
			if e.folder {
				text += "/"
			}
			got = append(got, text)
		}
		if s := strings.Join(got, ", "); s != tc.want {
			t.Errorf("%s:\n got %q\nwant %q", name, s, tc.want)
		}
	}
	for name, text := range map[string]string{
		"half":                   `[{"name":"a"},{"na`,
		"no name":                `[{"size":1}]`,
		"numbers":                `[1,2]`,
		"two lists":              `{"a":[],"b":[]}`,
		"an error's object":      `{"error":"denied"}`,
		"a size that is none":    `[{"name":"a","size":"big"}]`,
		"JSON and more after it": `[] error: it broke`,
		"a number in an object":  `{"name":"a"} 7`,
	} {
		if all, _, err := parseList([]byte(text)); err == nil {
			t.Errorf("%s: read as %v", name, all)
		}
	}
}

func FuzzParseList(f *testing.F) {
	for _, s := range []string{"a 1 2026-11-20T03:00:00Z", `[{"name":"a","size":1}]`, `{"a":[{"Key":"x"}]}`, "[\"a\"]\n[]", "null"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, _, err := parseList(b)
		if err != nil {
			return
		}
		for _, o := range objects(all) {
			if o.Size < Unsized {
				t.Errorf("%q has the size %d", o.Name, o.Size)
			}
		}
	})
}

func TestManyEntries(t *testing.T) {
	t.Parallel()
	const many = 100_000
	list := make([]map[string]any, many)
	for i := range list {
		list[i] = map[string]any{"name": fmt.Sprintf("d/%06d\n.dump", i), "size": i, "time": time.Unix(int64(1.7e9)+int64(i), 0)}
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := parseList(b)
	if err != nil || len(all) != many || all[many-1].size != many-1 {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	seen := 0
	flat(objects(all), "d/", true, func(Object, error) bool { seen++; return true })
	if seen != many {
		t.Errorf("%d entries", seen)
	}
	flat(objects(all), "", false, func(o Object, _ error) bool {
		if o.Name != "d" || o.Not != Folder {
			t.Errorf("listed %+v", o)
		}
		return true
	})
}
