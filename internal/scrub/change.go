package scrub

import (
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/transform"
)

// change is a rule made ready for a column or a field: what a transform makes of
// its values or, if document or composite is not nil, of what is in them.
type change struct {
	*transform.Recipe        // never nil; the zero one where no transform is at work
	name              string // of the transform; else documentPaths, compositeFields or recomputed
	effect            transform.Effect
	document          *document.Recipe
	composite         *compositeRecipe
}

// byTransform is what a recipe does by itself.
func byTransform(r *transform.Recipe) *change {
	return &change{Recipe: r, name: r.Name(), effect: r.Effect()}
}
