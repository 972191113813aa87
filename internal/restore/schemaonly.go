package restore

import "context"

// SchemaAlone restores all but the rows, to see which of it a server refuses. It
// takes the place of PreData, Data and PostData.
func (s *Session) SchemaAlone(ctx context.Context) error {
	if err := s.PreData(ctx); err != nil {
		return err
	}
	return s.restoreEntries(ctx, "post-data", s.lists.post, s.opts.Jobs)
}

// RefusedBeside tells the errors of the restore that another session did not
// meet: one of the same archive, on another server.
func (s *Session) RefusedBeside(other *Session) (errors []string) {
	known := map[object]bool{}
	for _, m := range other.said.all(failure) {
		known[other.about(m)] = true
	}
	for _, m := range s.said.all(failure) {
		if !known[s.about(m)] {
			errors = append(errors, s.tell(m))
		}
	}
	return errors
}
