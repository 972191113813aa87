package scrub

import (
	"fmt"
	"slices"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// documentPaths is the name under which a rule by paths is reported.
const documentPaths = "json"

// documentRecipe makes a rule by paths ready.
func (p *planner) documentRecipe(c *schema.Column, r *spec.Rule) *change {
	d := document.New(c, r, p.encoding, p.recipe)
	return &change{Recipe: &transform.Recipe{}, name: documentPaths, effect: transform.Merges, document: d}
}

// unfitDocument says why a column cannot be rewritten by paths, and the hint;
// or nothing.
func (p *planner) unfitDocument(c *schema.Column, r *spec.Rule, made *change) (why, hint string, err error) {
	why, hint = p.unfitPaths(c, r)
	if why != "" {
		return why, hint, nil
	}
	why, err = p.unfitWithin(c, r, made)
	hint = "take the paths away that its constraint asks for, or use set_null or constant"
	return schema.RefusedBy("would refuse what its paths make", why), hint, err
}

func (p *planner) unfitPaths(c *schema.Column, r *spec.Rule) (why, hint string) {
	switch {
	case c.Generated:
		return transform.UnfitKind(c, r)
	case !c.Base.Is("json", "jsonb"):
		return fmt.Sprintf("is of type %s, which holds no documents", c.SQL), "take json away and name a transform"
	case c.Array != r.Each:
		return "is of type " + c.SQL, "say each: true for arrays of documents, and only for them"
	case len(c.Unique) > 0:
		why = fmt.Sprintf("is part of %s, and rewritten documents may become equal", joined(c.Unique))
		return why, "preserve it with a why"
	case p.encoding.Charset != copytext.ASCIISafe:
		why = fmt.Sprintf("is a document in %s, where quotes cannot be told from letters", p.encoding.Name)
		return why, "use set_null, or dump with --encoding=UTF8"
	}
	for i := range r.JSON {
		entry := &r.JSON[i]
		if why, hint := p.unfitPath(c.AsText(), &entry.Rule); why != "" {
			return fmt.Sprintf("%s %s", entry.Path, why), hint
		}
	}
	return p.unfitPartition(c, r)
}

func (p *planner) unfitPath(within *schema.Column, r *spec.Rule) (why, hint string) {
	if r.Preserve {
		return "", ""
	}
	tests := []func(*schema.Column, *spec.Rule) (string, string){transform.UnfitParameters, p.unfitEncoding}
	if r.Transform != transform.Number { // of numbers, and of texts that hold one
		tests = append(tests, transform.UnfitType)
	}
	for _, test := range tests {
		if why, hint := test(within, r); why != "" {
			return why, hint
		}
	}
	return "", ""
}

// rewriteDocuments has the cell rewrite documents.
func (c *cell) rewriteDocuments(p *Plan, r *document.Recipe) {
	c.document = document.NewRewriter(r, c.mask, c.decode)
	for i := range r.Paths {
		if stays := p.keptInLink(r.Paths[i].Link); len(stays) > 0 {
			c.document.Stays[i] = func(normalized []byte) bool { return leakscan.MatchAny(stays, normalized) }
		}
	}
	c.judgeKeys(p)
	if r.Unmatched == document.Keep {
		c.watchDocuments(p.newInside(p.scanner), p.newKeyTeller(c.column),
			leakscan.NewMembers(p.people, c.column, p.mayTellKey))
	}
}

// watchDocuments has what passes within the cell's documents looked at, with its
// keys, and names counted; w may be nil.
func (c *cell) watchDocuments(w *leakscan.Within, keys *keyTeller, names *leakscan.Members) {
	counts := false
	c.inside = w
	c.document.Watch = &document.Watch{
		Begin: func() bool {
			w.Begin()
			keys.hit = false
			counts = w.Looks(false) && names.Begin()
			return w == nil || w.Looks(false)
		},
		Tell:  keys.tell,
		Quiet: func(key []byte) bool { return keys.silent(key) && !w.FindsKey(key) },
		End: func() error {
			if keys.hit {
				return ErrLeak
			}
			return w.End()
		},
	}
	if w != nil {
		c.document.Watch.Look = func(text []byte, isKey bool, path func() string) {
			c.lookWithin(text, isKey, path)
			if counts && !isKey {
				names.Add(text, path)
			}
		}
	}
}

// lookWithin looks at what passes within the cell's documents.
func (c *cell) lookWithin(text []byte, isKey bool, path func() string) {
	if hit, ok := c.inside.Find(text); ok {
		place, fix := leakWithin(hit.Kind, isKey, path())
		c.inside.Leaked(c.column.Root().String()+" at "+place, hit, fix)
	}
}

// leakWithin is the place of what a document lets pass, and how the drill file is
// fixed; at is where it stands: of a key, where its object does.
func leakWithin(kind detect.Kind, isKey bool, at string) (place, fix string) {
	if isKey {
		return at + " (a key)", "add under json: " + keyRuleFor(at, keyTransform(kind)) +
			", or let unmatched_paths be redact"
	}
	line := fmt.Sprintf("{path: %s, transform: %s}", at, propose.TransformFor(kind))
	return at, "add under json: - " + line + ", or preserve: true with a why"
}

// readDocuments has f look at all that passes within the cell's documents, and at
// the keys that stay.
func (c *cell) readDocuments(f func(text []byte, isKey bool)) {
	c.document.Census = nil
	c.document.Watch = &document.Watch{
		Begin: func() bool { return true },
		Look:  func(text []byte, isKey bool, _ func() string) { f(text, isKey) },
		Key:   func(key []byte) { f(key, true) },
		Named: true,
		End:   func() error { return nil },
	}
}

// keptWithin reports whether keep leaves values of a link of the rule, or of its
// paths or fields, as they are.
func (p *Plan) keptWithin(r *spec.Rule) bool {
	return len(p.keptInLink(r.Link)) > 0 ||
		slices.ContainsFunc(r.JSON, func(e spec.PathRule) bool { return len(p.keptInLink(e.Link)) > 0 }) ||
		slices.ContainsFunc(r.Fields, func(f spec.FieldRule) bool { return len(p.keptInLink(f.Link)) > 0 })
}
