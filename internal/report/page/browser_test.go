package page

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"daybefore/internal/testneed"
)

// picturesEnv names a folder for pictures of all pages that the test renders, to
// be looked at.
const picturesEnv = "PAGE_PICTURES"

// widths are those of a telephone, a tablet and a desk.
var widths = []int64{360, 820, 1440}

// browser is a tab of a real browser, and what it says on its console.
type browser struct {
	t   *testing.T
	ctx context.Context
	dir string

	mu   sync.Mutex
	said []string
}

// startBrowser unpacks and starts Chromium, with the one font that it has.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	chromium := testneed.Debian(t, "chromium")
	fonts := testneed.Debian(t, "fonts-dejavu-core")
	b := &browser{t: t, dir: t.TempDir()}
	config := filepath.Join(b.dir, "fonts.conf")
	text := fmt.Sprintf("<fontconfig><dir>%s</dir><cachedir>%s</cachedir></fontconfig>", filepath.Join(fonts.Root, "usr/share/fonts"), filepath.Join(b.dir, "fonts"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	libraries, err := filepath.Glob(filepath.Join(chromium.Root, "usr/lib/*-linux-gnu*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range libraries {
		libraries = append(libraries, filepath.Join(dir, "pulseaudio"))
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(filepath.Join(chromium.Root, "usr/lib/chromium/chromium")), chromedp.UserDataDir(filepath.Join(b.dir, "profile")),
		chromedp.Env("FONTCONFIG_FILE="+config, "LD_LIBRARY_PATH="+strings.Join(libraries, ":"), "HOME="+b.dir),
		chromedp.Headless, chromedp.NoSandbox, chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-background-networking", true))
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx, chromedp.WithListener(b.hear))
	t.Cleanup(closeTab)
	b.ctx = ctx
	return b
}

// hear notes what a page makes the browser say.
func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.said = append(b.said, fmt.Sprint(e.Type))
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.said = append(b.said, e.Entry.Text)
	}
}

// quiet fails if a page made the browser say anything.
func (b *browser) quiet(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, said := range b.said {
		b.t.Errorf("%s: the console says %s", name, said)
	}
	b.said = nil
}

func (b *browser) open(name, text string) {
	b.t.Helper()
	path := filepath.Join(b.dir, name+".html")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Navigate("file://" + path))
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// media makes the browser show the page as on such a medium.
func (b *browser) media(params emulation.SetEmulatedMediaParams) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, params); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) theme(name string) {
	b.t.Helper()
	b.media(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

func evaluate[T any](b *browser, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// drawn waits until the browser has drawn the page as it is now: what was folded
// away has no height before.
func (b *browser) drawn() {
	b.t.Helper()
	const twice = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](twice, chromedp.EvalAwaitPromise)); err != nil {
		b.t.Fatal(err)
	}
}

// script runs one of testdata, which says what is wrong.
func (b *browser) script(page, name string) {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, wrong := range evaluate[[]string](b, string(text)) {
		b.t.Errorf("%s: %s", page, wrong)
	}
}

// picture keeps one of the page, if anybody wants to look.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv(picturesEnv)
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// tabThrough presses the key until the focus comes back to the page's beginning, and fails
// where it did not reach what can have it, or is not seen there.
func (b *browser) tabThrough(page string) {
	b.t.Helper()
	const focusable = `[...document.querySelectorAll('a[href], summary, [tabindex="0"]')].filter(e => e.checkVisibility())`
	want := evaluate[int](b, focusable+`.length`)
	evaluate[bool](b, `(window.reached = new Set(), document.activeElement.blur(), true)`)
	for range want {
		b.do(chromedp.KeyEvent(kb.Tab))
		evaluate[bool](b, `(reached.add(document.activeElement), true)`)
	}
	for _, missed := range evaluate[[]string](b, focusable+`.filter(e => !reached.has(e)).map(e => e.outerHTML.slice(0, 80))`) {
		b.t.Errorf("%s: the keyboard does not reach %s", page, missed)
	}
	if !evaluate[bool](b, `[...reached].every(e => e.checkVisibility() && e.getBoundingClientRect().width > 0)`) {
		b.t.Errorf("%s: the focus is where nobody sees it", page)
	}
}
