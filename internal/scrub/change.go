package scrub

// change is a rule made ready for a column or a field: what a transform makes of
// its values or, if document or composite is not nil, of what is in them.
type change struct {
	*recipe          // never nil; the zero one where no transform is at work
	name      string // of the transform; else documentPaths, compositeFields or recomputed
	effect    effect
	document  *documentRecipe
	composite *compositeRecipe
}

// byTransform is what a recipe does by itself.
func byTransform(r *recipe) *change { return &change{recipe: r, name: r.Name(), effect: r.Effect()} }
