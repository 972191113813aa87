package scrub

import (
	"fmt"
	"slices"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/leakscan"
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
	return refusedBy("would refuse what its paths make", why), hint, err
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
	if r.Unmatched == document.Keep {
		c.watchDocuments(p.newInside(p.scanner))
	}
}

// watchDocuments has what passes within the cell's documents looked at; w may be nil.
func (c *cell) watchDocuments(w *leakscan.Within) {
	c.inside, c.document.Watch = w, nil
	if w == nil {
		return
	}
	c.document.Watch = &document.Watch{
		Begin: func() bool {
			w.Begin()
			return w.Looks(w.ReadsAll())
		},
		Look: func(text []byte, path func() string) {
			if hit, ok := w.Find(text); ok {
				at := path()
				line := fmt.Sprintf("{path: %s, transform: %s}", at, transformFor[hit.Kind])
				w.Leaked(c.column.Root().String()+" at "+at, hit,
					"add under json: - "+line+", or preserve: true with a why")
			}
		},
		Named: w.ReadsAll(),
		End:   w.End,
	}
}

// keptWithin reports whether keep leaves values of a link of the rule, or of its
// paths or fields, as they are.
func (p *Plan) keptWithin(r *spec.Rule) bool {
	return len(p.keptInLink(r.Link)) > 0 ||
		slices.ContainsFunc(r.JSON, func(e spec.PathRule) bool { return len(p.keptInLink(e.Link)) > 0 }) ||
		slices.ContainsFunc(r.Fields, func(f spec.FieldRule) bool { return len(p.keptInLink(f.Link)) > 0 })
}
